/* onnx_read.c: a file of ONNX as a model (onnx_model.h), through protobuf-c.
 *
 * The bytes are looked at first (onnx_scan.h), since the library trusts nesting and lengths more
 * than a file deserves.  Its memory comes from the arena.  Tensors are in the message, or in other
 * files beside the model's: those are mapped, and their places are checked. */
#include "import/onnx_model.h"
#include "import/onnx_scan.h"

#include "base/utf8.h"
#include "import/onnx.pb-c.h"
#include "net/nametable.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Messages that a file may have: a node of a network is a few dozens. */
enum { MESSAGES_MOST = 1 << 24, EXTERNAL = 1 };
/* A tensor has fewer elements than fit 2^40 bytes. */
#define ELEMENTS_MOST ((int64_t)1 << 37)

typedef struct Reader {
    Imported *to;
    OnnxModel *model;
    const char *path;
    Arena *arena;
    SrcMap *src;
    Diag *diag;
    VEC(const Opened *) external;
} Reader;

static const char *text(const Reader *r, const char *s)
{
    return s ? arena_strdup(r->arena, s) : "";
}

static const char *shown(const Reader *r, const char *s)
{
    return s && *s ? str_shown(r->arena, s) : "?";
}

/* ---- tensors ---- */

/* The path of a file beside the model; NULL if it leads elsewhere. */
static const char *beside(const Reader *r, const char *location)
{
    if (!*location || *location == '/' || strchr(location, '\\'))
        return NULL;
    for (const char *part = location; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
            return NULL;
    }
    const char *slash = strrchr(r->path, '/');
    return slash ? arena_printf(r->arena, "%.*s/%s", (int)(slash - r->path), r->path, location)
                 : location;
}

static const Opened *external_file(Reader *r, const char *path)
{
    for (int i = 0; i < r->external.n; i++) {
        if (str_eq(r->external.at[i]->path, path))
            return r->external.at[i];
    }
    const Opened *file = imported_map(r->to, path, r->src, r->diag);
    if (file)
        VEC_PUSH(r->arena, &r->external, file);
    else
        diag_file_note(r->diag, r->path,
                       "the model has its weights there: copy both files, and keep their names");
    return file;
}

/* A number of an entry of external_data. */
static bool whole(const char *s, uint64_t *value)
{
    char *end;
    *value = strtoull(s, &end, 10);
    return *s >= '0' && *s <= '9' && !*end;
}

static bool read_external(Reader *r, const Onnx__TensorProto *from, OnnxTensor *t, uint64_t need)
{
    const char *location = "";
    uint64_t offset = 0, length = need;
    bool numbers = true;
    for (size_t i = 0; i < from->n_external_data; i++) {
        const Onnx__StringStringEntryProto *e = from->external_data[i];
        if (!e->key || !e->value)
            continue;
        if (str_eq(e->key, "location"))
            location = e->value;
        else if (str_eq(e->key, "offset"))
            numbers = whole(e->value, &offset) && numbers;
        else if (str_eq(e->key, "length"))
            numbers = whole(e->value, &length) && numbers;
    }
    const char *path = beside(r, location);
    if (!path || !numbers) {
        diag_file_error(r->diag, r->path, "the tensor '%s' has its data in '%s', %s",
                        str_shown(r->arena, t->name), shown(r, location),
                        path ? "at a place that is no number"
                             : "which is not in the model's folder: rnc does not follow it there");
        return false;
    }
    const Opened *file = external_file(r, path);
    if (!file)
        return false;
    if (length != need || offset > file->size || length > file->size - offset) {
        diag_file_error(r->diag, file->path,
                        "the tensor '%s' needs %" PRIu64 " bytes from byte %" PRIu64
                        " on, and has %" PRIu64 " of a file of %zu",
                        str_shown(r->arena, t->name), need, offset, length, file->size);
        diag_file_note(r->diag, r->path, "is it the file that was written with the model?");
        return false;
    }
    t->bytes = file->bytes + offset;
    return true;
}

/* Elements that a field for 32-bit numbers has, in their own width. */
static const unsigned char *narrowed(const Reader *r, const int32_t *from, size_t n, int bytes)
{
    unsigned char *to = NEW_ARRAY(r->arena, unsigned char, n *(size_t)bytes + 1);
    for (size_t i = 0; i < n; i++) {
        for (int b = 0; b < bytes; b++)
            to[i * (size_t)bytes + (size_t)b] = (unsigned char)((uint32_t)from[i] >> (8 * b));
    }
    return to;
}

/* The elements of a field of numbers, which is the one for the tensor's type; *n is how many. */
static const unsigned char *typed_data(const Reader *r, const Onnx__TensorProto *from, size_t *n)
{
    const void *wide = NULL;
    switch (from->data_type) {
    case ONNX_FLOAT:
        *n = from->n_float_data, wide = from->float_data;
        break;
    case ONNX_DOUBLE:
        *n = from->n_double_data, wide = from->double_data;
        break;
    case ONNX_INT64:
        *n = from->n_int64_data, wide = from->int64_data;
        break;
    case ONNX_UINT64:
        *n = from->n_uint64_data, wide = from->uint64_data;
        break;
    case ONNX_UINT32:
        *n = from->n_uint64_data;
        int32_t *low = NEW_ARRAY(r->arena, int32_t, *n + 1);
        for (size_t i = 0; i < *n; i++)
            low[i] = (int32_t)(uint32_t)from->uint64_data[i];
        wide = low;
        break;
    default:
        *n = from->n_int32_data;
        return narrowed(r, from->int32_data, *n, onnx_type_bytes(from->data_type));
    }
    return wide ? wide : (const unsigned char *)"";
}

static bool read_shape(const Reader *r, const Onnx__TensorProto *from, OnnxTensor *t)
{
    bool good = from->n_dims <= ONNX_RANK_MOST;
    t->rank = good ? (int)from->n_dims : 0;
    t->elements = 1;
    for (int i = 0; i < t->rank; i++) {
        t->dims[i] = from->dims[i];
        good = good && t->dims[i] >= 0 &&
               (t->dims[i] == 0 || t->elements <= ELEMENTS_MOST / t->dims[i]);
        t->elements *= good ? t->dims[i] : 0;
    }
    if (!good)
        diag_file_error(r->diag, r->path, "the tensor '%s' has a shape that no network has",
                        str_shown(r->arena, t->name));
    return good;
}

static bool read_tensor(Reader *r, const Onnx__TensorProto *from, OnnxTensor *t)
{
    t->name = text(r, from->name);
    t->type = from->data_type;
    if (!read_shape(r, from, t))
        return false;
    const int bytes = onnx_type_bytes(t->type);
    if (bytes == 0)
        return true; /* refused where it is used */
    const uint64_t need = (uint64_t)t->elements * (uint64_t)bytes;
    if (from->data_location == EXTERNAL)
        return read_external(r, from, t, need);
    size_t n = 0;
    if (from->has_raw_data) {
        t->bytes = from->raw_data.data ? from->raw_data.data : (const unsigned char *)"";
        n = from->raw_data.len;
    } else {
        t->bytes = typed_data(r, from, &n);
        n *= (size_t)bytes;
    }
    if (n == need)
        return true;
    diag_file_error(r->diag, r->path,
                    "the tensor '%s' has %zu bytes where its shape asks for %" PRIu64,
                    str_shown(r->arena, t->name), n, need);
    return false;
}

/* ---- nodes ---- */

static const char **texts(const Reader *r, size_t n, char **from)
{
    const char **to = NEW_ARRAY(r->arena, const char *, n + 1);
    for (size_t i = 0; i < n; i++)
        to[i] = text(r, from[i]);
    return to;
}

/* What an attribute has by its fields, where an old file does not say its type. */
static OnnxAttrKind kind_of(const Onnx__AttributeProto *a)
{
    enum { FLOAT = 1, INT, STRING, TENSOR, GRAPH, FLOATS, INTS };
    switch (a->type) {
    case FLOAT:
        return ONNX_ATTR_FLOAT;
    case INT:
        return ONNX_ATTR_INT;
    case STRING:
        return ONNX_ATTR_STRING;
    case TENSOR:
        return a->t ? ONNX_ATTR_TENSOR : ONNX_ATTR_NONE;
    case FLOATS:
        return ONNX_ATTR_FLOATS;
    case INTS:
        return ONNX_ATTR_INTS;
    case 0:
        break;
    default:
        return ONNX_ATTR_NONE;
    }
    return a->has_f      ? ONNX_ATTR_FLOAT
           : a->has_i    ? ONNX_ATTR_INT
           : a->has_s    ? ONNX_ATTR_STRING
           : a->t        ? ONNX_ATTR_TENSOR
           : a->n_floats ? ONNX_ATTR_FLOATS
           : a->n_ints   ? ONNX_ATTR_INTS
                         : ONNX_ATTR_NONE;
}

static bool read_attr(Reader *r, const Onnx__AttributeProto *from, OnnxAttr *a)
{
    a->name = text(r, from->name);
    a->ref = from->ref_attr_name && *from->ref_attr_name ? text(r, from->ref_attr_name) : NULL;
    a->kind = kind_of(from);
    a->f = (double)from->f;
    a->i = from->i;
    a->s = arena_strndup(r->arena, from->s.data ? (const char *)from->s.data : "", from->s.len);
    const size_t n = a->kind == ONNX_ATTR_FLOATS ? from->n_floats : from->n_ints;
    a->n = n > INT_MAX ? 0 : (int)n;
    a->floats = from->floats;
    a->ints = from->ints;
    if (a->kind != ONNX_ATTR_TENSOR)
        return true;
    OnnxTensor *t = NEW(r->arena, OnnxTensor);
    a->t = t;
    return read_tensor(r, from->t, t);
}

static bool read_attrs(Reader *r, size_t n, Onnx__AttributeProto *const *from, OnnxAttr **to)
{
    *to = NEW_ARRAY(r->arena, OnnxAttr, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (!read_attr(r, from[i], &(*to)[i]))
            return false;
    }
    return true;
}

static bool read_nodes(Reader *r, size_t n, Onnx__NodeProto *const *from, OnnxNode **to)
{
    *to = NEW_ARRAY(r->arena, OnnxNode, n + 1);
    for (size_t i = 0; i < n; i++) {
        const Onnx__NodeProto *f = from[i];
        OnnxNode *t = &(*to)[i];
        t->op = text(r, f->op_type);
        t->domain = f->domain && !str_eq(f->domain, "ai.onnx") ? text(r, f->domain) : "";
        t->name = text(r, f->name);
        t->in = texts(r, f->n_input, f->input);
        t->out = texts(r, f->n_output, f->output);
        t->n_in = (int)f->n_input;
        t->n_out = (int)f->n_output;
        t->n_attrs = (int)f->n_attribute;
        for (size_t k = 0; k < f->n_metadata_props; k++) {
            const Onnx__StringStringEntryProto *e = f->metadata_props[k];
            if (e->key && e->value && str_eq(e->key, "pkg.torch.onnx.name_scopes"))
                t->scopes = text(r, e->value);
            if (e->key && e->value && str_eq(e->key, "pkg.torch.onnx.class_hierarchy"))
                t->classes = text(r, e->value);
        }
        if (!read_attrs(r, f->n_attribute, f->attribute, &t->attrs))
            return false;
    }
    return true;
}

static bool read_functions(Reader *r, const Onnx__ModelProto *from)
{
    OnnxModel *m = r->model;
    m->functions = NEW_ARRAY(r->arena, OnnxFunction, from->n_functions + 1);
    m->n_functions = (int)from->n_functions;
    for (size_t i = 0; i < from->n_functions; i++) {
        const Onnx__FunctionProto *f = from->functions[i];
        OnnxFunction *t = &m->functions[i];
        t->name = text(r, f->name);
        t->domain = text(r, f->domain);
        t->in = texts(r, f->n_input, f->input);
        t->out = texts(r, f->n_output, f->output);
        t->attrs = texts(r, f->n_attribute, f->attribute);
        t->n_in = (int)f->n_input;
        t->n_out = (int)f->n_output;
        t->n_attrs = (int)f->n_attribute;
        t->n_nodes = (int)f->n_node;
        t->n_defaults = (int)f->n_attribute_proto;
        if (!read_nodes(r, f->n_node, f->node, &t->nodes) ||
            !read_attrs(r, f->n_attribute_proto, f->attribute_proto, &t->defaults))
            return false;
    }
    return true;
}

/* ---- the graph ---- */

static bool read_port(const Reader *r, const Onnx__ValueInfoProto *from, OnnxPort *to)
{
    to->name = text(r, from->name);
    to->rank = -1;
    const Onnx__TypeProto__Tensor *type = from->type ? from->type->tensor_type : NULL;
    if (!type)
        return true;
    to->type = type->elem_type;
    if (!type->shape)
        return true;
    if (type->shape->n_dim > ONNX_RANK_MOST) {
        diag_file_error(r->diag, r->path, "'%s' has %zu dimensions, more than %d",
                        str_shown(r->arena, to->name), type->shape->n_dim, ONNX_RANK_MOST);
        return false;
    }
    to->rank = (int)type->shape->n_dim;
    for (int i = 0; i < to->rank; i++) {
        const Onnx__TensorShapeProto__Dimension *dim = type->shape->dim[i];
        to->dims[i] = dim->has_dim_value && dim->dim_value > 0 ? dim->dim_value : -1;
        to->open[i] = dim->dim_param && *dim->dim_param ? text(r, dim->dim_param) : NULL;
    }
    return true;
}

/* Old files list initializers among the inputs, too. */
static bool read_ports(Reader *r, const Onnx__GraphProto *graph)
{
    OnnxModel *m = r->model;
    NameTable tensors = {.arena = r->arena};
    for (int i = 0; i < m->n_tensors; i++)
        table_add(&tensors, m->tensors[i].name, NO_LOC);
    m->inputs = NEW_ARRAY(r->arena, OnnxPort, graph->n_input + 1);
    m->outputs = NEW_ARRAY(r->arena, OnnxPort, graph->n_output + 1);
    for (size_t i = 0; i < graph->n_input; i++) {
        const char *name = graph->input[i]->name;
        if (name && table_find(&tensors, name))
            continue;
        if (!read_port(r, graph->input[i], &m->inputs[m->n_inputs++]))
            return false;
    }
    for (size_t i = 0; i < graph->n_output; i++) {
        if (!read_port(r, graph->output[i], &m->outputs[m->n_outputs++]))
            return false;
    }
    return true;
}

static bool read_graph(Reader *r, const Onnx__GraphProto *graph)
{
    OnnxModel *m = r->model;
    m->name = text(r, graph->name);
    m->tensors = NEW_ARRAY(r->arena, OnnxTensor, graph->n_initializer + 1);
    for (size_t i = 0; i < graph->n_initializer; i++) {
        if (!read_tensor(r, graph->initializer[i], &m->tensors[m->n_tensors]))
            return false;
        m->n_tensors++;
    }
    m->n_nodes = (int)graph->n_node;
    return read_nodes(r, graph->n_node, graph->node, &m->nodes) && read_ports(r, graph);
}

static bool read_model(Reader *r, const Onnx__ModelProto *from)
{
    OnnxModel *m = r->model;
    m->path = r->path;
    m->ir = from->ir_version;
    m->producer = arena_printf(r->arena, "%s%s%s", from->producer_name ? from->producer_name : "",
                               from->producer_version && *from->producer_version ? " " : "",
                               from->producer_version ? from->producer_version : "");
    for (size_t i = 0; i < from->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *set = from->opset_import[i];
        if (!set->domain || !*set->domain || str_eq(set->domain, "ai.onnx"))
            m->opset = set->version;
    }
    return read_functions(r, from) && read_graph(r, from->graph);
}

static void *from_arena(void *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void keep(void *arena, void *memory)
{
    (void)arena, (void)memory; /* it goes with the arena */
}

const OnnxModel *onnx_read(Imported *to, const Opened *file, SrcMap *src, Diag *d)
{
    const char *path = file->path;
    if (!onnx_scan(&onnx__model_proto__descriptor, file->bytes, file->size, MESSAGES_MOST, path, d))
        return NULL;
    ProtobufCAllocator allocator = {from_arena, keep, src->arena};
    const Onnx__ModelProto *message =
        onnx__model_proto__unpack(&allocator, file->size, file->bytes);
    if (!message || !message->graph) {
        diag_file_error(d, path, "it is not a model of ONNX: %s",
                        message ? "it has no graph" : "its bytes are another kind of message");
        return NULL;
    }
    Reader r = {to, NEW(src->arena, OnnxModel), path, src->arena, src, d, {0}};
    return read_model(&r, message) ? r.model : NULL;
}
