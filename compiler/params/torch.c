/* torch.c: PyTorch's files: an archive of NAME/data.pkl, a pickle of what was saved,
 * and NAME/data/KEY, the numbers of each storage.
 *
 * A tensor is a call of _rebuild_tensor_v2 in the pickle:
 *
 *     (storage, offset, (size, ...), (stride, ...), requires_grad, hooks)
 *
 * with the storage as an outer object ("storage", torch.FloatStorage, KEY, device,
 * numbers).  The pickle is read as data (pickle.h); whatever is no such tensor is
 * refused or, beside tensors, left out.
 */
#include "params/torch.h"

#include "params/pickle.h"

#include <string.h>

static const char rebuild_tensor[] = "torch._utils._rebuild_tensor_v2";
static const char rebuild_parameter[] = "torch._utils._rebuild_parameter";

typedef struct StorageType {
    const char *global, *name;
    StoredElem elem;
    int bytes;
} StorageType;

static const StorageType storage_types[] = {
    {"torch.DoubleStorage", "F64", STORED_F64, 8},
    {"torch.FloatStorage", "F32", STORED_F32, 4},
    {"torch.HalfStorage", "F16", STORED_F16, 2},
    {"torch.BFloat16Storage", "BF16", STORED_BF16, 2},
    {"torch.LongStorage", "I64", STORED_OTHER, 8},
    {"torch.IntStorage", "I32", STORED_OTHER, 4},
    {"torch.ShortStorage", "I16", STORED_OTHER, 2},
    {"torch.CharStorage", "I8", STORED_OTHER, 1},
    {"torch.ByteStorage", "U8", STORED_OTHER, 1},
    {"torch.BoolStorage", "BOOL", STORED_OTHER, 1},
};
enum { TYPES = sizeof storage_types / sizeof *storage_types };

/* A tensor whose numbers are not in a row, as of channels_last. */
typedef struct Packed {
    const unsigned char *from;
    int bytes; /* of a number */
    int64_t strides[8];
} Packed;

typedef struct Reader {
    TensorFile *file;
    const Zip *zip;
    const char *folder; /* "archive/" */
    bool *checked;      /* [zip->n] */
    Arena *arena;
    Diag *diag;
} Reader;

/* The folder that data.pkl is in, with its slash; NULL: there is none. */
static const char *folder_of(const Zip *zip, Arena *arena)
{
    for (int i = 0; i < zip->n; i++) {
        const char *name = zip->members[i].name, *slash = strchr(name, '/');
        if (slash && str_eq(slash, "/data.pkl"))
            return arena ? arena_strndup(arena, name, (size_t)(slash - name) + 1) : name;
    }
    return NULL;
}

bool torch_is(const Zip *zip)
{
    return folder_of(zip, NULL) != NULL;
}

static bool fail(const Reader *r, const char *tensor, const char *why)
{
    diag_file_error(r->diag, r->file->path, "tensor '%s' cannot be read: %s", tensor, why);
    return false;
}

/* ---- storages ---- */

/* Stored as it is, and undamaged where a checksum was kept (PyTorch can leave it 0). */
static bool check_member(const Reader *r, const ZipMember *m)
{
    unsigned char first;
    if (m->method != ZIP_STORED || m->encrypted) {
        if (m->encrypted || m->method != ZIP_DEFLATED)
            return zip_unpack(r->zip, m, 0, &first, m->size > 0, r->diag);
        diag_file_error(r->diag, r->file->path,
                        "'%s' in the archive is compressed, and PyTorch does not do so", m->name);
        diag_file_note(r->diag, r->file->path,
                       "unzip it, then zip -0 -r FILE.pt FOLDER makes an archive that rnc reads");
        return false;
    }
    bool *checked = &r->checked[m - r->zip->members];
    if (!*checked && m->crc != 0 && !zip_check(r->zip, m, r->diag))
        return false;
    *checked = true;
    return true;
}

static const Pickled *item(const Pickled *value, int i)
{
    return value && i < value->items.n ? value->items.at[i] : NULL;
}

static bool is(const Pickled *value, PickledKind kind)
{
    return value && value->kind == kind;
}

/* The numbers of a storage: *n of the type's size; NULL after a message. */
static const ZipMember *find_storage(const Reader *r, const Pickled *outer, const char *tensor,
                                     const StorageType **type, int64_t *n)
{
    const Pickled *id = is(outer, PICKLED_OUTER) ? item(outer, 0) : NULL;
    const Pickled *kind = item(id, 1), *key = item(id, 2), *count = item(id, 4);
    *type = NULL;
    if (!is(id, PICKLED_TUPLE) || !is(kind, PICKLED_GLOBAL) || !is(key, PICKLED_STRING) ||
        !is(count, PICKLED_INT) || count->integer < 0) {
        fail(r, tensor, "its storage is not described as PyTorch does");
        return NULL;
    }
    for (int i = 0; i < TYPES; i++) {
        if (str_eq(storage_types[i].global, kind->text))
            *type = &storage_types[i];
    }
    const ZipMember *m =
        zip_find(r->zip, arena_printf(r->arena, "%sdata/%s", r->folder, key->text));
    if (!*type || !m) {
        fail(r, tensor, "its storage is not in the archive");
        return NULL;
    }
    *n = count->integer;
    if (m->size % (size_t)(*type)->bytes || m->size / (size_t)(*type)->bytes != (uint64_t)*n) {
        fail(r, tensor, "its storage has another size than the archive's member");
        return NULL;
    }
    return check_member(r, m) ? m : NULL;
}

/* ---- tensors ---- */

static bool read_extents(const Pickled *tuple, int64_t *to, int *rank)
{
    if (!is(tuple, PICKLED_TUPLE) || tuple->items.n > 8)
        return false;
    *rank = tuple->items.n;
    for (int i = 0; i < *rank; i++) {
        if (!is(tuple->items.at[i], PICKLED_INT) || tuple->items.at[i]->integer < 0)
            return false;
        to[i] = tuple->items.at[i]->integer;
    }
    return true;
}

/* The last number of the tensor lies in its storage of n; *row: they are in a row.
 * No number is there twice. */
static bool check_strides(const StoredTensor *t, const int64_t *strides, int64_t offset, int64_t n,
                          bool *row)
{
    int64_t last = offset, elements, step = 1;
    if (!tensor_elements(t->dims, t->rank, &elements) || elements > n || offset > n)
        return false;
    *row = true;
    for (int i = t->rank - 1; i >= 0 && elements > 0; i--) {
        if (t->dims[i] == 1)
            continue;
        if (strides[i] < 1 || strides[i] > (n - 1 - last) / (t->dims[i] - 1))
            return false;
        last += strides[i] * (t->dims[i] - 1);
        *row = *row && strides[i] == step;
        step *= t->dims[i];
    }
    return elements == 0 || last < n;
}

static bool read_tensor(const Reader *r, StoredTensor *t, const char *name, const Pickled *call)
{
    const StorageType *type;
    const Pickled *arguments = item(call, 1), *offset = item(arguments, 1);
    int64_t strides[8] = {0}, n;
    int rank;
    bool row;
    if (str_eq(item(call, 0)->text, rebuild_parameter)) {
        call = item(arguments, 0);
        arguments = is(call, PICKLED_CALL) ? item(call, 1) : NULL;
        offset = item(arguments, 1);
    }
    if (!is(call, PICKLED_CALL) || !str_eq(item(call, 0)->text, rebuild_tensor) ||
        !is(offset, PICKLED_INT) || offset->integer < 0)
        return fail(r, name, "it is not built as PyTorch does");
    *t = (StoredTensor){.name = arena_strdup(r->arena, name)};
    const ZipMember *m = find_storage(r, item(arguments, 0), name, &type, &n);
    if (!m)
        return false;
    if (!read_extents(item(arguments, 2), t->dims, &t->rank) ||
        !read_extents(item(arguments, 3), strides, &rank) || rank != t->rank)
        return fail(r, name, "its shape and strides are not up to 8 numbers each");
    if (!check_strides(t, strides, offset->integer, n, &row))
        return fail(r, name, "its numbers do not lie in its storage");
    int64_t elements = 0;
    tensor_elements(t->dims, t->rank, &elements);
    t->elem = type->elem;
    t->elem_name = type->name;
    t->size = (size_t)elements * (size_t)type->bytes;
    const unsigned char *from = m->at + offset->integer * type->bytes;
    if (row) {
        t->bytes = from;
        return true;
    }
    Packed *packed = NEW(r->arena, Packed);
    *packed = (Packed){.from = from, .bytes = type->bytes};
    memcpy(packed->strides, strides, sizeof strides);
    t->packed = packed;
    return true;
}

static bool load(const TensorFile *file, const StoredTensor *t, unsigned char *to, Arena *arena,
                 Diag *diag)
{
    const Packed *p = t->packed;
    (void)file, (void)arena, (void)diag;
    tensor_gather(to, p->from, p->bytes, t->rank, t->dims, p->strides);
    return true;
}

/* ---- the file ---- */

static bool has_tensors(const Pickled *dict)
{
    for (int i = 1; is(dict, PICKLED_DICT) && i < dict->items.n; i += 2) {
        if (dict->items.at[i]->kind == PICKLED_CALL)
            return true;
    }
    return false;
}

/* The dict with the tensors: what was saved, or a part of a checkpoint. */
static const Pickled *state_dict(const Reader *r, const Pickled *root)
{
    static const char *const keys[] = {"state_dict", "model_state_dict", "model"};
    const Pickled *found = has_tensors(root) ? root : NULL;
    for (int i = 0; i < 3 && !has_tensors(root); i++) {
        const Pickled *part = pickled_get(root, keys[i]);
        if (!has_tensors(part ? part : root))
            continue;
        if (found) {
            diag_file_error(r->diag, r->file->path,
                            "the checkpoint has several sets of tensors: '%s' is one", keys[i]);
            diag_file_note(r->diag, r->file->path,
                           "in Python, torch.save(checkpoint[\"%s\"], \"FILE.pt\") keeps that one",
                           keys[i]);
            return NULL;
        }
        found = part;
    }
    if (!found) {
        diag_file_error(r->diag, r->file->path, "no dict of tensors was saved in it");
        diag_file_note(r->diag, r->file->path,
                       "in Python, torch.save(model.state_dict(), \"FILE.pt\") saves one");
    }
    return found;
}

static bool read_tensors(const Reader *r, const Pickled *dict)
{
    TensorFile *file = r->file;
    int left_out = 0;
    file->tensors = NEW_ARRAY(r->arena, StoredTensor, dict->items.n / 2 + 1);
    for (int i = 0; i + 1 < dict->items.n; i += 2) {
        const Pickled *key = dict->items.at[i], *value = dict->items.at[i + 1];
        if (value->kind != PICKLED_CALL || key->kind != PICKLED_STRING)
            left_out++;
        else if (!read_tensor(r, &file->tensors[file->n], key->text, value))
            return false;
        else
            file->n++;
    }
    if (left_out > 0)
        diag_file_warning(r->diag, file->path, "%d entries of the dict are no tensors", left_out);
    return true;
}

static bool check_byte_order(const Reader *r)
{
    const ZipMember *m = zip_find(r->zip, arena_printf(r->arena, "%sbyteorder", r->folder));
    if (!m || (m->method == ZIP_STORED && m->size == 6 && memcmp(m->at, "little", 6) == 0))
        return true;
    diag_file_error(r->diag, r->file->path, "its numbers are not in the order 'little' of bytes");
    diag_file_note(r->diag, r->file->path, "save it again on a little-endian machine");
    return false;
}

bool torch_read(TensorFile *file, const Zip *zip, Arena *arena, Diag *diag)
{
    const char *allowed[TYPES + 4] = {"collections.OrderedDict", rebuild_tensor, rebuild_parameter};
    Reader r = {.file = file, .zip = zip, .arena = arena, .diag = diag};
    for (int i = 0; i < TYPES; i++)
        allowed[3 + i] = storage_types[i].global;
    r.folder = folder_of(zip, arena);
    r.checked = NEW_ARRAY(arena, bool, zip->n + 1);
    file->load = load;
    const ZipMember *m = zip_find(zip, arena_printf(arena, "%sdata.pkl", r.folder));
    if (!check_member(&r, m) || !check_byte_order(&r))
        return false;
    const char *label = arena_printf(arena, "%s(%s)", file->path, m->name);
    const Pickled *root = pickle_read(m->at, m->size, allowed, label, arena, diag);
    const Pickled *dict = root ? state_dict(&r, root) : NULL;
    return dict && read_tensors(&r, dict);
}
