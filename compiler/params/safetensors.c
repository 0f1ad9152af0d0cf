/* safetensors.c: the safetensors format.
 *
 *   u64, little-endian: bytes of the header | header: JSON | data
 *
 * The header is an object; each member but "__metadata__" is a tensor:
 *
 *   "NAME": {"dtype": "F32", "shape": [64, 3, 7, 7], "data_offsets": [BEGIN, END]}
 *
 * with offsets from the first byte of the data.  "names": "rnc" in "__metadata__" is
 * written by safetensors_write.c.  Tensors may not overlap and
 * their extents must be what shape and type ask for; bytes that belong to no
 * tensor are allowed with a warning.
 */
#include "params/safetensors.h"

#include "params/jsontext.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 8, RANK_MOST = 8 };

/* A file while it is read. */
typedef struct Reader {
    TensorFile *file;
    const unsigned char *data;
    size_t size; /* of the data */
    Arena *arena;
    Diag *diag;
} Reader;

typedef struct Dtype {
    const char *name;
    StoredElem elem;
    int bytes; /* of one number */
} Dtype;

static const Dtype dtypes[] = {
    {"F64", STORED_F64, 8},       {"F32", STORED_F32, 4},       {"F16", STORED_F16, 2},
    {"BF16", STORED_BF16, 2},     {"BOOL", STORED_OTHER, 1},    {"U8", STORED_OTHER, 1},
    {"I8", STORED_OTHER, 1},      {"U16", STORED_OTHER, 2},     {"I16", STORED_OTHER, 2},
    {"U32", STORED_OTHER, 4},     {"I32", STORED_OTHER, 4},     {"U64", STORED_OTHER, 8},
    {"I64", STORED_OTHER, 8},     {"C64", STORED_OTHER, 8},     {"F8_E4M3", STORED_OTHER, 1},
    {"F8_E5M2", STORED_OTHER, 1}, {"F8_E8M0", STORED_OTHER, 1},
};

static const Dtype *dtype_named(const char *name)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (str_eq(dtypes[i].name, name))
            return &dtypes[i];
    return NULL;
}

static uint64_t header_bytes(const unsigned char *bytes)
{
    uint64_t n = 0;
    for (int i = LENGTH_BYTES - 1; i >= 0; i--)
        n = n << 8 | bytes[i];
    return n;
}

/* A length that is not text, then a brace.  (A text file of a few letters has a
 * huge number there.) */
bool safetensors_is(const unsigned char *bytes, size_t size)
{
    return size > LENGTH_BYTES && bytes[LENGTH_BYTES] == '{' && header_bytes(bytes) >> 56 == 0;
}

/* "shape" into t->dims; *elements is their product. */
static bool read_shape(Reader *r, StoredTensor *t, const json_t *shape, uint64_t *elements)
{
    const char *path = r->file->path;
    if (!json_is_array(shape)) {
        diag_file_error(r->diag, path, "tensor '%s' has no \"shape\", a list of numbers", t->name);
        return false;
    }
    if (json_array_size(shape) > RANK_MOST) {
        diag_file_error(r->diag, path, "tensor '%s' has %zu dimensions, more than %d", t->name,
                        json_array_size(shape), RANK_MOST);
        return false;
    }
    t->rank = (int)json_array_size(shape);
    *elements = 1;
    for (int i = 0; i < t->rank; i++) {
        const json_t *dim = json_array_get(shape, (size_t)i);
        if (!json_is_integer(dim) || json_integer_value(dim) < 0) {
            diag_file_error(r->diag, path,
                            "dimension %d of tensor '%s' is not a whole number from 0", i, t->name);
            return false;
        }
        t->dims[i] = (int64_t)json_integer_value(dim);
        if (t->dims[i] && *elements > (uint64_t)INT64_MAX / (uint64_t)t->dims[i]) {
            diag_file_error(r->diag, path, "the shape of tensor '%s' overflows", t->name);
            return false;
        }
        *elements *= (uint64_t)t->dims[i];
    }
    return true;
}

/* Reads "data_offsets" into t->bytes and t->size; they must be inside the data. */
static bool read_offsets(Reader *r, StoredTensor *t, const json_t *offsets)
{
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end)) {
        diag_file_error(r->diag, r->file->path,
                        "tensor '%s' has no \"data_offsets\", a list of two numbers", t->name);
        return false;
    }
    const int64_t from = (int64_t)json_integer_value(begin), to = (int64_t)json_integer_value(end);
    if (from < 0 || to < from) {
        diag_file_error(r->diag, r->file->path,
                        "the data of tensor '%s' cannot be at bytes %" PRId64 " to %" PRId64,
                        t->name, from, to);
        return false;
    }
    if ((uint64_t)to > r->size) {
        diag_file_error(r->diag, r->file->path,
                        "the file is cut off: tensor '%s' ends at byte %" PRId64
                        " of the data, which has %zu",
                        t->name, to, r->size);
        return false;
    }
    t->bytes = r->data + from;
    t->size = (size_t)(to - from);
    return true;
}

static bool read_tensor(Reader *r, StoredTensor *t, const char *name, const json_t *entry)
{
    const char *word = json_string_value(json_object_get(entry, "dtype"));
    uint64_t elements;
    t->name = arena_strdup(r->arena, name);
    if (!word) {
        diag_file_error(r->diag, r->file->path, "tensor '%s' has no \"dtype\"", name);
        return false;
    }
    const Dtype *dtype = dtype_named(word);
    t->elem_name = arena_strdup(r->arena, word);
    t->elem = dtype ? dtype->elem : STORED_OTHER;
    if (!read_shape(r, t, json_object_get(entry, "shape"), &elements) ||
        !read_offsets(r, t, json_object_get(entry, "data_offsets")))
        return false;
    if (dtype && (t->size % (size_t)dtype->bytes || t->size / (size_t)dtype->bytes != elements)) {
        diag_file_error(r->diag, r->file->path,
                        "tensor '%s' has %" PRIu64 " numbers of %d bytes in %zu bytes of data",
                        name, elements, dtype->bytes, t->size);
        return false;
    }
    return true;
}

/* In the order of the data; of two that begin together the empty one first, and
 * then by name, so that the order is always the same. */
static int by_offset(const void *a, const void *b)
{
    const StoredTensor *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? -1 : 1;
    if (x->size != y->size)
        return x->size < y->size ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Checks that no byte belongs to two tensors; those that belong to none are reported. */
static bool check_extents(Reader *r)
{
    const unsigned char *end = r->data;
    const char *before = NULL;
    size_t unused = 0;
    for (int i = 0; i < r->file->n; i++) {
        const StoredTensor *t = &r->file->tensors[i];
        if (t->bytes < end && t->size > 0) {
            diag_file_error(r->diag, r->file->path, "tensors '%s' and '%s' overlap", before,
                            t->name);
            return false;
        }
        if (t->size == 0)
            continue;
        unused += (size_t)(t->bytes - end);
        end = t->bytes + t->size;
        before = t->name;
    }
    unused += r->size - (size_t)(end - r->data);
    if (unused > 0)
        diag_file_warning(r->diag, r->file->path, "%zu bytes of the data belong to no tensor",
                          unused);
    return true;
}

static bool read_tensors(Reader *r, json_t *root)
{
    const char *name;
    json_t *entry;
    TensorFile *file = r->file;
    const json_t *names = json_object_get(json_object_get(root, "__metadata__"), "names");
    file->own = json_is_string(names) && str_eq(json_string_value(names), "rnc");
    file->tensors = NEW_ARRAY(r->arena, StoredTensor, json_object_size(root) + 1);
    json_object_foreach(root, name, entry)
    {
        if (str_eq(name, "__metadata__"))
            continue;
        if (!read_tensor(r, &file->tensors[file->n], name, entry))
            return false;
        file->n++;
    }
    qsort(file->tensors, (size_t)file->n, sizeof *file->tensors, by_offset);
    return check_extents(r);
}

/* The header as JSON, or NULL after a message. */
static json_t *parse_header(TensorFile *file, const unsigned char *bytes, size_t size, Diag *diag)
{
    const uint64_t n = header_bytes(bytes);
    if (n > JSONTEXT_MOST) {
        diag_file_error(diag, file->path,
                        "the header of %" PRIu64 " bytes is longer than what rnc reads, %d bytes",
                        n, JSONTEXT_MOST);
        return NULL;
    }
    if (n > size - LENGTH_BYTES) {
        diag_file_error(diag, file->path,
                        "the file is cut off: its header of %" PRIu64 " bytes ends after it", n);
        return NULL;
    }
    return jsontext_object(file->path, "header", bytes + LENGTH_BYTES, (size_t)n, diag);
}

bool safetensors_read(TensorFile *file, const unsigned char *bytes, size_t size, Arena *arena,
                      Diag *diag)
{
    json_t *root = parse_header(file, bytes, size, diag);
    if (!root)
        return false;
    const size_t begin = LENGTH_BYTES + (size_t)header_bytes(bytes);
    Reader r = {file, bytes + begin, size - begin, arena, diag};
    /* Jansson's memory is not the arena's: when that runs out, free it and pass on. */
    jmp_buf here;
    jmp_buf *const outer = arena_on_oom(arena, &here);
    if (setjmp(here) != 0) {
        json_decref(root);
        arena_on_oom(arena, outer);
        longjmp(*outer, 1);
    }
    const bool good = read_tensors(&r, root);
    arena_on_oom(arena, outer);
    json_decref(root);
    if (!good) {
        file->tensors = NULL;
        file->n = 0;
    }
    return good;
}
