/* npz.c: NumPy's archives: each array is a ZIP member NAME.npy.
 *
 * Arrays that are stored as they are stay in the map; those that are deflated
 * (numpy.savez_compressed) or in Fortran order are unpacked when they are used.
 */
#include "params/npz.h"

#include "params/npy.h"

#include <string.h>

typedef struct Packed {
    const ZipMember *member;
    size_t skip; /* its head */
    int bytes;   /* of an element */
    bool fortran;
} Packed;

bool npz_is(const Zip *zip)
{
    for (int i = 0; i < zip->n; i++) {
        if (str_ends(zip->members[i].name, ".npy"))
            return true;
    }
    return false;
}

/* Element type and bytes of one; 0 where rnc does not know. */
static int read_descr(StoredTensor *t, const char *descr, Arena *arena)
{
    static const struct {
        const char *descr, *name;
        StoredElem elem;
        int bytes;
    } rows[] = {
        {"<f8", "F64", STORED_F64, 8},   {"<f4", "F32", STORED_F32, 4},
        {"<f2", "F16", STORED_F16, 2},   {"|b1", "BOOL", STORED_OTHER, 1},
        {"|u1", "U8", STORED_OTHER, 1},  {"|i1", "I8", STORED_OTHER, 1},
        {"<u2", "U16", STORED_OTHER, 2}, {"<i2", "I16", STORED_OTHER, 2},
        {"<u4", "U32", STORED_OTHER, 4}, {"<i4", "I32", STORED_OTHER, 4},
        {"<u8", "U64", STORED_OTHER, 8}, {"<i8", "I64", STORED_OTHER, 8},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (str_eq(rows[i].descr, descr)) {
            t->elem = rows[i].elem;
            t->elem_name = rows[i].name;
            return rows[i].bytes;
        }
    }
    t->elem = STORED_OTHER;
    t->elem_name = arena_strdup(arena, descr);
    return 0;
}

/* The head of a member, which may have to be unpacked. */
static bool read_head(NpyHead *head, const Zip *zip, const ZipMember *m, const char *label,
                      Arena *arena, Diag *diag)
{
    enum { FIRST = 12, HEAD_MOST = 1 << 16 };
    unsigned char first[FIRST] = {0};
    const size_t some = m->size < FIRST ? m->size : FIRST;
    if (!zip_unpack(zip, m, 0, first, some, diag))
        return false;
    size_t size = npy_head_size(first, some);
    if (size == 0)
        return npy_head(head, label, first, some, diag); /* which says so */
    if (size > m->size || size > HEAD_MOST) {
        diag_file_error(diag, label, "the file ends within its head");
        return false;
    }
    unsigned char *bytes = NEW_ARRAY(arena, unsigned char, size);
    return zip_unpack(zip, m, 0, bytes, size, diag) && npy_head(head, label, bytes, size, diag);
}

static bool check_size(const StoredTensor *t, int64_t n, int bytes, const ZipMember *m, size_t skip,
                       const char *label, Diag *diag)
{
    const size_t data = m->size - skip;
    if (bytes == 0 || ((uint64_t)n == data / (size_t)bytes && data % (size_t)bytes == 0))
        return true;
    diag_file_error(diag, label, "%lld numbers of type %s by its shape, and %zu bytes of them",
                    (long long)n, t->elem_name, data);
    return false;
}

static bool read_array(StoredTensor *t, const Zip *zip, const ZipMember *m, Arena *arena,
                       Diag *diag)
{
    const char *label = arena_printf(arena, "%s(%s)", zip->path, m->name);
    NpyHead head;
    int64_t n;
    if (!str_ends(m->name, ".npy")) {
        diag_file_error(diag, label, "this is no array of NumPy's (.npy), as the others are");
        return false;
    }
    if (!read_head(&head, zip, m, label, arena, diag))
        return false;
    if (strchr(head.descr, 'O')) {
        diag_file_error(diag, label, "it holds Python objects, which would run code");
        diag_file_note(diag, label, "arrays of numbers are read: numpy.asarray(x, \"float32\")");
        return false;
    }
    t->name = arena_strndup(arena, m->name, strlen(m->name) - strlen(".npy"));
    t->rank = head.rank;
    memcpy(t->dims, head.dims, sizeof t->dims);
    const int bytes = read_descr(t, head.descr, arena);
    if (!tensor_elements(t->dims, t->rank, &n)) {
        diag_file_error(diag, label, "the shape overflows");
        return false;
    }
    if (!check_size(t, n, bytes, m, head.size, label, diag))
        return false;
    t->size = m->size - head.size;
    if (m->method == ZIP_STORED && !head.fortran) {
        t->bytes = m->at + head.size;
        return zip_check(zip, m, diag);
    }
    Packed *packed = NEW(arena, Packed);
    *packed = (Packed){m, head.size, bytes, head.fortran};
    t->packed = packed;
    return true;
}

static bool load(const TensorFile *file, const StoredTensor *t, unsigned char *to, Arena *arena,
                 Diag *diag)
{
    const Packed *p = t->packed;
    const Zip *zip = file->reader;
    int64_t steps[NPY_RANK_MOST] = {0}, step = 1;
    if (p->member->method == ZIP_STORED && !zip_check(zip, p->member, diag))
        return false;
    if (!p->fortran)
        return zip_unpack(zip, p->member, p->skip, to, t->size, diag);
    for (int i = 0; i < t->rank; i++) {
        steps[i] = step;
        step *= t->dims[i];
    }
    unsigned char *from = NEW_ARRAY(arena, unsigned char, t->size);
    if (!zip_unpack(zip, p->member, p->skip, from, t->size, diag))
        return false;
    tensor_gather(to, from, p->bytes, t->rank, t->dims, steps);
    return true;
}

bool npz_read(TensorFile *file, const Zip *zip, Arena *arena, Diag *diag)
{
    Zip *kept = NEW(arena, Zip);
    *kept = *zip;
    file->reader = kept;
    file->load = load;
    file->tensors = NEW_ARRAY(arena, StoredTensor, zip->n + 1);
    for (; file->n < zip->n; file->n++) {
        if (!read_array(&file->tensors[file->n], kept, &zip->members[file->n], arena, diag))
            return false;
    }
    return true;
}
