/* torch_tensor.c: a tensor of PyTorch's, as its pickle describes it.
 *
 * It is a call of torch._utils._rebuild_tensor_v2:
 *
 *     (storage, offset, (size, ...), (stride, ...), requires_grad, hooks, metadata)
 *
 * with the storage as an outer object ("storage", torch.FloatStorage, KEY, device,
 * numbers) and metadata, if there is any, as a dict of "conj" and "neg": whether
 * the numbers stand for their conjugates, or for themselves with the other sign.
 */
#include "params/torch_parts.h"

#include <string.h>

typedef struct StorageType {
    const char *name, *short_name;
    StoredElem elem;
    int bytes;
} StorageType;

static const StorageType storage_types[] = {
    {"DoubleStorage", "F64", STORED_F64, 8},
    {"FloatStorage", "F32", STORED_F32, 4},
    {"HalfStorage", "F16", STORED_F16, 2},
    {"BFloat16Storage", "BF16", STORED_BF16, 2},
    {"LongStorage", "I64", STORED_OTHER, 8},
    {"IntStorage", "I32", STORED_OTHER, 4},
    {"ShortStorage", "I16", STORED_OTHER, 2},
    {"CharStorage", "I8", STORED_OTHER, 1},
    {"ByteStorage", "U8", STORED_OTHER, 1},
    {"BoolStorage", "BOOL", STORED_OTHER, 1},
    {"ComplexFloatStorage", "C64", STORED_OTHER, 8},
    {"ComplexDoubleStorage", "C128", STORED_OTHER, 16},
};

/* Functions that make tensors which are not numbers in a storage. */
static const struct {
    const char *function, *kind, *way_out;
} others[] = {
    {"_rebuild_qtensor", "quantized",
     "in Python, tensor.dequantize() has floats; or save the model before it is converted"},
    {"_rebuild_sparse_tensor", "sparse", "in Python, tensor.to_dense() has all numbers"},
    {"_rebuild_sparse_csr_tensor", "sparse", "in Python, tensor.to_dense() has all numbers"},
    {"_rebuild_nested_tensor", "nested", NULL},
    {"_rebuild_meta_tensor_no_storage", "meta, which has no numbers,", NULL},
    {"_rebuild_wrapper_subclass", "another class", NULL},
    {"_rebuild_device_tensor_from_numpy", "another device",
     "in Python, tensor.cpu() brings it to one that PyTorch itself knows"},
    {"_rebuild_device_tensor_from_cpu_tensor", "another device",
     "in Python, tensor.cpu() brings it to one that PyTorch itself knows"},
};
enum {
    TYPES = sizeof storage_types / sizeof *storage_types,
    OTHERS = sizeof others / sizeof *others
};

static const char utils[] = "torch._utils.", tensor_v1[] = "torch._utils._rebuild_tensor",
                  tensor_v2[] = "torch._utils._rebuild_tensor_v2",
                  tensor_v3[] = "torch._utils._rebuild_tensor_v3";

/* How a tensor's numbers are stored if they are not contiguous, as for channels_last. */
typedef struct Packed {
    const unsigned char *from;
    int bytes; /* of a number */
    bool negated;
    int64_t strides[8];
} Packed;

/* ---- what is a tensor ---- */

/* Without the call around it; false: there is none that rnc knows. */
static bool unwrap(TorchCall *call)
{
    static const char *const plain[] = {"torch.Tensor", "torch.nn.parameter.Parameter",
                                        "torch.nn.parameter.Buffer", "torch._tensor.Tensor"};
    const Pickled *inner = pickled_item(call->arguments, 0);
    if (str_eq(call->function, "torch._tensor._rebuild_from_type_v2")) {
        const Pickled *type = pickled_item(call->arguments, 1);
        bool known = false;
        for (int i = 0; i < 4 && pickled_is(type, PICKLED_GLOBAL); i++)
            known = known || str_eq(type->text, plain[i]);
        if (!pickled_is(inner, PICKLED_GLOBAL))
            return false;
        *call =
            (TorchCall){inner->text, pickled_item(call->arguments, 2), call->subclass || !known};
        return true;
    }
    if (!str_eq(call->function, "torch._utils._rebuild_parameter") &&
        !str_eq(call->function, "torch._utils._rebuild_parameter_with_state"))
        return false;
    const Pickled *function = pickled_is(inner, PICKLED_CALL) ? inner->items.at[0] : NULL;
    if (!pickled_is(function, PICKLED_GLOBAL))
        return false;
    *call = (TorchCall){function->text, inner->items.at[1], call->subclass};
    return true;
}

static bool rebuilds(const char *function)
{
    return str_eq(function, tensor_v1) || str_eq(function, tensor_v2) ||
           str_eq(function, tensor_v3);
}

/* Of `others`, or -1. */
static int other_kind(const char *function)
{
    for (int i = 0; str_starts(function, utils) && i < OTHERS; i++) {
        if (str_eq(function + strlen(utils), others[i].function))
            return i;
    }
    return -1;
}

bool torch_call(const Pickled *value, TorchCall *call)
{
    enum { LAYERS = 4 };
    if (!pickled_is(value, PICKLED_CALL) || !pickled_is(value->items.at[0], PICKLED_GLOBAL))
        return false;
    *call = (TorchCall){value->items.at[0]->text, value->items.at[1], false};
    for (int i = 0; i < LAYERS && unwrap(call); i++)
        continue;
    return rebuilds(call->function) || other_kind(call->function) >= 0;
}

int torch_rank(const TorchCall *call)
{
    const Pickled *size = pickled_item(call->arguments, 2);
    return !rebuilds(call->function) ? 1 : pickled_is(size, PICKLED_TUPLE) ? size->items.n : 0;
}

/* ---- its numbers ---- */

static bool fail(const TorchReader *r, const char *tensor, const char *why)
{
    if (why)
        diag_file_error(r->diag, r->file->path, "tensor '%s' cannot be read: %s", tensor, why);
    return false;
}

static bool is_count(const Pickled *value)
{
    return pickled_is(value, PICKLED_INT) && value->integer >= 0;
}

static const StorageType *type_named(const char *global)
{
    const char *const from[] = {"torch.cuda.", "torch."};
    for (int f = 0; f < 2; f++) {
        for (int i = 0; str_starts(global, from[f]) && i < TYPES; i++) {
            if (str_eq(global + strlen(from[f]), storage_types[i].name))
                return &storage_types[i];
        }
    }
    return NULL;
}

/* A storage: its type, the first byte and *n numbers.  A part of another one, as they
 * were before PyTorch 0.4, begins further on. */
static bool find_storage(const TorchReader *r, const Pickled *outer, StoredTensor *t,
                         const StorageType **type, const unsigned char **at, int64_t *n)
{
    const Pickled *id = pickled_is(outer, PICKLED_OUTER) ? pickled_item(outer, 0) : NULL;
    const Pickled *kind = pickled_item(id, 1), *key = pickled_item(id, 2);
    const Pickled *count = pickled_item(id, 4), *view = pickled_item(id, 5);
    const char *why = NULL;
    size_t size;
    if (!pickled_is(id, PICKLED_TUPLE) || !pickled_is(kind, PICKLED_GLOBAL) ||
        !pickled_is(key, PICKLED_STRING) || !is_count(count))
        return fail(r, t->name, "its storage is not described as PyTorch does");
    *type = type_named(kind->text);
    t->elem = *type ? (*type)->elem : STORED_OTHER;
    t->elem_name = *type ? (*type)->short_name : kind->text;
    if (!*type)
        return true;
    *at = r->storage(r, key->text, &size, &why);
    if (!*at)
        return fail(r, t->name, why);
    const size_t each = (size_t)(*type)->bytes;
    *n = count->integer;
    if (size % each || size / each != (uint64_t)*n)
        return fail(r, t->name, "its storage has another size than the pickle says");
    if (pickled_is(view, PICKLED_TUPLE)) {
        const Pickled *from = pickled_item(view, 1), *numbers = pickled_item(view, 2);
        if (!is_count(from) || !is_count(numbers) || from->integer > *n ||
            numbers->integer > *n - from->integer)
            return fail(r, t->name, "its storage is not inside the one it is a part of");
        *at += (size_t)from->integer * each;
        *n = numbers->integer;
    }
    return true;
}

static bool read_extents(const Pickled *tuple, int64_t *to, int *rank)
{
    if (!pickled_is(tuple, PICKLED_TUPLE) || tuple->items.n > 8)
        return false;
    *rank = tuple->items.n;
    for (int i = 0; i < *rank; i++) {
        if (!is_count(tuple->items.at[i]))
            return false;
        to[i] = tuple->items.at[i]->integer;
    }
    return true;
}

/* The last number of the tensor lies in its storage of n; *row: they are in a row.  A
 * number can be there several times, as expand() leaves it. */
static bool check_strides(const StoredTensor *t, const int64_t *strides, int64_t offset, int64_t n,
                          bool *row)
{
    int64_t last = offset, elements, step = 1;
    if (!tensor_elements(t->dims, t->rank, &elements) || elements > INT64_MAX / 16 || offset > n)
        return false;
    *row = true;
    for (int i = t->rank - 1; i >= 0 && elements > 0; i--) {
        if (t->dims[i] == 1)
            continue;
        if (strides[i] > 0 && strides[i] > (n - 1 - last) / (t->dims[i] - 1))
            return false;
        last += strides[i] * (t->dims[i] - 1);
        *row = *row && strides[i] == step;
        step *= t->dims[i];
    }
    return elements == 0 || last < n;
}

/* Bits that say how the numbers are to be taken; NULL, or why they cannot be. */
static const char *read_metadata(const Pickled *metadata, bool *negated)
{
    for (int i = 0; pickled_is(metadata, PICKLED_DICT) && i + 1 < metadata->items.n; i += 2) {
        const Pickled *key = metadata->items.at[i], *value = metadata->items.at[i + 1];
        const bool set = pickled_is(value, PICKLED_BOOL) && value->integer;
        if (!pickled_is(key, PICKLED_STRING))
            return "its metadata is not as PyTorch has it";
        if (str_eq(key->text, "neg"))
            *negated = set;
        else if (!str_eq(key->text, "conj"))
            return "it has metadata that rnc does not know; in Python, tensor.clone() has none";
        else if (set)
            return "its conjugate bit is set; in Python, tensor.resolve_conj() clears it";
    }
    return NULL;
}

static bool other_tensor(StoredTensor *t, const TorchCall *call, int kind)
{
    t->elem = STORED_OTHER;
    if (kind >= 0) {
        t->elem_name = others[kind].kind;
        t->way_out = others[kind].way_out;
        return true;
    }
    const Pickled *type = pickled_item(call->arguments, 6);
    t->elem_name = call->subclass                     ? "a class of tensors"
                   : pickled_is(type, PICKLED_GLOBAL) ? type->text
                                                      : "another kind";
    return true;
}

bool torch_tensor(const TorchReader *r, StoredTensor *t, const char *name, const TorchCall *call)
{
    const StorageType *type;
    const Pickled *arguments = call->arguments, *offset = pickled_item(arguments, 1);
    const unsigned char *at = NULL;
    int64_t strides[8] = {0}, n = 0, elements = 0;
    int rank;
    bool row, negated = false;
    *t = (StoredTensor){.name = arena_strdup(r->arena, name)};
    if (other_kind(call->function) >= 0)
        return other_tensor(t, call, other_kind(call->function));
    if (!is_count(offset))
        return fail(r, name, "it is not built as PyTorch does");
    if (!read_extents(pickled_item(arguments, 2), t->dims, &t->rank) ||
        !read_extents(pickled_item(arguments, 3), strides, &rank) || rank != t->rank)
        return fail(r, name, "its shape and strides are not up to 8 numbers each");
    if (call->subclass || str_eq(call->function, tensor_v3))
        return other_tensor(t, call, -1);
    if (!find_storage(r, pickled_item(arguments, 0), t, &type, &at, &n))
        return false;
    if (!type)
        return true;
    if (!check_strides(t, strides, offset->integer, n, &row))
        return fail(r, name, "its numbers are not all in its storage");
    const char *why = read_metadata(pickled_item(arguments, 6), &negated);
    if (why)
        return fail(r, name, why);
    tensor_elements(t->dims, t->rank, &elements);
    t->size = (size_t)elements * (size_t)type->bytes;
    const unsigned char *from = at + offset->integer * type->bytes;
    if (row && !negated) {
        t->bytes = from;
        return true;
    }
    Packed *packed = NEW(r->arena, Packed);
    *packed = (Packed){.from = from, .bytes = type->bytes, .negated = negated};
    memcpy(packed->strides, strides, sizeof strides);
    t->packed = packed;
    return true;
}

bool torch_load(const TensorFile *file, const StoredTensor *t, unsigned char *to, Arena *arena,
                Diag *diag)
{
    const Packed *p = t->packed;
    (void)file, (void)arena, (void)diag;
    tensor_gather(to, p->from, p->bytes, t->rank, t->dims, p->strides);
    /* The sign is the highest bit of the last byte, in each of the floating types. */
    for (size_t i = (size_t)p->bytes - 1; p->negated && i < t->size; i += (size_t)p->bytes)
        to[i] ^= 0x80;
    return true;
}
