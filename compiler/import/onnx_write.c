/* onnx_write.c: a network as a model of ONNX: names, initializers, ports, bytes.
 *
 * Images are [batch][channels][height][width], vectors [batch][channels]; a batch of 1 is left open
 * unless it is asked for.  Every list is in the order of the network, so that the bytes follow from
 * it alone. */
#include "import/onnx_write_parts.h"

#include "base/numbers.h"

#include <string.h>

enum { OPSET = 20, IR_VERSION = 9, ALIGNMENT = 64, EXTERNAL = 1, SMALL = 1024 };

/* Attributes and nodes grow by one at a time, and have few. */
#define PUSH(arena, list, n, item)                                     \
    do {                                                               \
        void *more_ = arena_alloc_n((arena), (n) + 1, sizeof *(list)); \
        if (n)                                                         \
            memcpy(more_, (list), (n) * sizeof *(list));               \
        (list) = more_;                                                \
        (list)[(n)++] = (item);                                        \
    } while (0)

/* ---- names ---- */

const char *out_name(OnnxOut *o, const char *name)
{
    const char *one = name;
    for (int i = 2; !table_add(&o->names, one, NO_LOC); i++)
        one = arena_printf(o->arena, "%s_%d", name, i);
    return one;
}

/* ---- nodes ---- */

void out_results(OnnxOut *o, const char *op, const char *name, int n_in, const char *const *in,
                 int n, const char *const *out)
{
    Onnx__NodeProto *node = NEW(o->arena, Onnx__NodeProto);
    onnx__node_proto__init(node);
    node->op_type = (char *)op;
    node->name = (char *)name;
    node->n_input = (size_t)n_in;
    node->input = NEW_ARRAY(o->arena, char *, n_in + 1);
    node->n_output = (size_t)n;
    node->output = NEW_ARRAY(o->arena, char *, n + 1);
    for (int i = 0; i < n_in; i++)
        node->input[i] = (char *)in[i];
    for (int i = 0; i < n; i++)
        node->output[i] = (char *)out[i];
    VEC_PUSH(o->arena, &o->nodes, node);
}

const char *out_node(OnnxOut *o, const char *op, const char *name, int n_in, const char *const *in)
{
    const char *value = out_name(o, name);
    out_results(o, op, name, n_in, in, 1, &value);
    return value;
}

const char *out_step(OnnxOut *o, const char *op, const char *name, const char *a, const char *b)
{
    const char *in[] = {a, b};
    return out_node(o, op, name, 2, in);
}

static Onnx__AttributeProto *attribute(OnnxOut *o, const char *name, int type)
{
    Onnx__NodeProto *node = o->nodes.at[o->nodes.n - 1];
    Onnx__AttributeProto *a = NEW(o->arena, Onnx__AttributeProto);
    onnx__attribute_proto__init(a);
    a->name = (char *)name;
    a->has_type = 1;
    a->type = type;
    PUSH(o->arena, node->attribute, node->n_attribute, a);
    return a;
}

void out_int(OnnxOut *o, const char *name, int64_t value)
{
    Onnx__AttributeProto *a = attribute(o, name, 2);
    a->has_i = 1;
    a->i = value;
}

void out_float(OnnxOut *o, const char *name, double value)
{
    Onnx__AttributeProto *a = attribute(o, name, 1);
    a->has_f = 1;
    a->f = (float)value;
}

void out_ints(OnnxOut *o, const char *name, int n, const int64_t *values)
{
    Onnx__AttributeProto *a = attribute(o, name, 7);
    a->n_ints = (size_t)n;
    a->ints = NEW_ARRAY(o->arena, int64_t, n + 1);
    memcpy(a->ints, values, (size_t)n * sizeof *values);
}

void out_text(OnnxOut *o, const char *name, const char *value)
{
    Onnx__AttributeProto *a = attribute(o, name, 3);
    a->has_s = 1;
    a->s.len = strlen(value);
    a->s.data = (uint8_t *)value;
}

/* ---- initializers ---- */

static const char *tensor(OnnxOut *o, const char *name, int type, int rank, const int64_t *dims,
                          const void *bytes, size_t size)
{
    Onnx__TensorProto *t = NEW(o->arena, Onnx__TensorProto);
    onnx__tensor_proto__init(t);
    t->name = (char *)out_name(o, name);
    t->has_data_type = 1;
    t->data_type = type;
    t->n_dims = (size_t)rank;
    t->dims = NEW_ARRAY(o->arena, int64_t, rank + 1);
    memcpy(t->dims, dims, (size_t)rank * sizeof *dims);
    t->has_raw_data = 1;
    t->raw_data.len = size;
    t->raw_data.data = (uint8_t *)bytes;
    VEC_PUSH(o->arena, &o->tensors, t);
    return t->name;
}

const char *out_floats(OnnxOut *o, const char *name, int rank, const int64_t *dims,
                       const float *values)
{
    size_t n = 1;
    for (int i = 0; i < rank; i++)
        n *= (size_t)dims[i];
    return tensor(o, name, OUT_FLOAT, rank, dims, values, n * sizeof *values);
}

const char *out_numbers(OnnxOut *o, const char *name, int n, const int64_t *values)
{
    const int64_t dim = n;
    int64_t *copy = NEW_ARRAY(o->arena, int64_t, n + 1);
    memcpy(copy, values, (size_t)n * sizeof *values);
    return tensor(o, name, OUT_INT64, 1, &dim, copy, (size_t)n * sizeof *copy);
}

const char *out_number(OnnxOut *o, const char *name, double value)
{
    float *one = NEW(o->arena, float);
    *one = (float)value;
    return tensor(o, name, OUT_FLOAT, 0, NULL, one, sizeof *one);
}

const char *out_param(OnnxOut *o, const Param *param, int rank, const int64_t *dims)
{
    for (int i = 0; i < o->params.n; i++) {
        if (o->params.at[i].param == param && o->params.at[i].rank == rank)
            return o->params.at[i].name; /* two layers have it */
    }
    const int64_t n = param_elements(param);
    const float *floats = param->elem == ELEM_F32 ? param->data : NULL;
    if (!floats) {
        float *to = NEW_ARRAY(o->arena, float, n + 1);
        for (int64_t i = 0; i < n; i++)
            to[i] = (float)param_at(param, i);
        floats = to;
    }
    /* Where the file has the axes of a kernel in another order, the name would mislead. */
    const char *name = param->alias && !param->axes ? param->alias : param->name;
    const OutParam made = {param, rank, out_floats(o, name, rank, dims, floats)};
    VEC_PUSH(o->arena, &o->params, made);
    return made.name;
}

/* ---- layers ---- */

const char *out_part(OnnxOut *o, const Node *node, const char *what)
{
    return arena_printf(o->arena, "%s.%s", node->name, what);
}

bool out_is_row(const OnnxOut *o, const Node *node, int i)
{
    return o->row[node->in[i]->id];
}

const char *out_operand(const OnnxOut *o, const Node *node, int i)
{
    return o->values[node->in[i]->id];
}

const char *out_image(OnnxOut *o, const Node *node, int i)
{
    const int64_t axes[] = {2, 3};
    const char *x = out_operand(o, node, i);
    if (!out_is_row(o, node, i))
        return x;
    return out_step(o, "Unsqueeze", out_part(o, node, "image"), x,
                    out_numbers(o, out_part(o, node, "axes"), 2, axes));
}

const char *out_row(OnnxOut *o, const Node *node, int i)
{
    static const int64_t axes[] = {2, 3};
    const char *x = out_operand(o, node, i);
    if (out_is_row(o, node, i))
        return x;
    return out_step(o, "Squeeze", out_part(o, node, "row"), x,
                    out_numbers(o, out_part(o, node, "axes"), 2, axes));
}

void out_same(OnnxOut *o, const Node *node, const char *value)
{
    o->values[node->id] = value;
    o->row[node->id] = out_is_row(o, node, 0);
}

void out_give_image(OnnxOut *o, const Node *node, const char *value)
{
    o->values[node->id] = value;
    o->row[node->id] = false;
}

bool out_refuse(OnnxOut *o, const char *why, const char *help)
{
    o->why = why;
    o->help = help;
    return false;
}

/* ---- ports ---- */

static void dimension(OnnxOut *o, Onnx__TensorShapeProto *shape, int64_t value, bool open)
{
    Onnx__TensorShapeProto__Dimension *dim = NEW(o->arena, Onnx__TensorShapeProto__Dimension);
    onnx__tensor_shape_proto__dimension__init(dim);
    if (open) {
        dim->dim_param = (char *)"N";
    } else {
        dim->has_dim_value = 1;
        dim->dim_value = value;
    }
    PUSH(o->arena, shape->dim, shape->n_dim, dim);
}

static Onnx__ValueInfoProto *port_info(OnnxOut *o, const Port *port, bool row)
{
    const Type t = port->node->type;
    const bool last = port->order == ORDER_NHWC;
    const int64_t dims[] = {last ? t.h : t.c, last ? t.w : t.h, last ? t.c : t.w};
    Onnx__ValueInfoProto *info = NEW(o->arena, Onnx__ValueInfoProto);
    onnx__value_info_proto__init(info);
    info->name = (char *)port->name;
    info->type = NEW(o->arena, Onnx__TypeProto);
    onnx__type_proto__init(info->type);
    Onnx__TypeProto__Tensor *tensor_type = NEW(o->arena, Onnx__TypeProto__Tensor);
    onnx__type_proto__tensor__init(tensor_type);
    info->type->tensor_type = tensor_type;
    tensor_type->has_elem_type = 1;
    tensor_type->elem_type = port->node->type.elem == ELEM_F32   ? OUT_FLOAT
                             : port->node->type.elem == ELEM_I32 ? OUT_INT32
                                                                 : OUT_UINT8;
    tensor_type->shape = NEW(o->arena, Onnx__TensorShapeProto);
    onnx__tensor_shape_proto__init(tensor_type->shape);
    dimension(o, tensor_type->shape, t.n, t.n == 1 && !o->options->fixed_batch);
    if (row)
        dimension(o, tensor_type->shape, t.c, false);
    for (int i = 0; !row && i < 3; i++)
        dimension(o, tensor_type->shape, dims[i], false);
    return info;
}

static void add_input(OnnxOut *o, const Port *port)
{
    static const int64_t perm[] = {0, 3, 1, 2};
    const Type t = port->node->type;
    o->row[port->node->id] = t.h == 1 && t.w == 1;
    o->values[port->node->id] = port->name;
    if (o->row[port->node->id] || port->order != ORDER_NHWC)
        return;
    o->values[port->node->id] =
        out_node(o, "Transpose", arena_printf(o->arena, "%s.nchw", port->name), 1, &port->name);
    out_ints(o, "perm", 4, perm);
}

static void add_output(OnnxOut *o, const Port *port)
{
    static const int64_t perm[] = {0, 2, 3, 1}, pixels[] = {2, 3};
    const Type t = port->node->type;
    const char *value = o->values[port->node->id];
    const bool row = t.h == 1 && t.w == 1;
    const char *name = arena_printf(o->arena, "%s.output", port->name);
    if (row && !o->row[port->node->id]) {
        const char *in[] = {
            value, out_numbers(o, arena_printf(o->arena, "%s.axes", port->name), 2, pixels)};
        out_results(o, "Squeeze", name, 2, in, 1, &port->name);
    } else if (!row && port->order == ORDER_NHWC) {
        out_results(o, "Transpose", name, 1, &value, 1, &port->name);
        out_ints(o, "perm", 4, perm);
    } else {
        out_results(o, "Identity", name, 1, &value, 1, &port->name);
    }
}

/* ---- bytes ---- */

static void entry(OnnxOut *o, Onnx__TensorProto *t, const char *key, const char *value)
{
    Onnx__StringStringEntryProto *e = NEW(o->arena, Onnx__StringStringEntryProto);
    onnx__string_string_entry_proto__init(e);
    e->key = (char *)key;
    e->value = (char *)value;
    PUSH(o->arena, t->external_data, t->n_external_data, e);
}

/* Moves all but small tensors to a file of their own. */
static void move_outside(OnnxOut *o, OnnxFile *file)
{
    size_t size = 0;
    for (int i = 0; i < o->tensors.n; i++)
        size = (size_t)round_up((int64_t)size, ALIGNMENT) + o->tensors.at[i]->raw_data.len;
    file->data = arena_alloc(o->arena, size + 1);
    file->data_size = 0;
    for (int i = 0; i < o->tensors.n; i++) {
        Onnx__TensorProto *t = o->tensors.at[i];
        if (t->raw_data.len < SMALL)
            continue;
        const size_t at = (size_t)round_up((int64_t)file->data_size, ALIGNMENT);
        memcpy(file->data + at, t->raw_data.data, t->raw_data.len);
        file->data_size = at + t->raw_data.len;
        entry(o, t, "location", o->options->data_name);
        entry(o, t, "offset", arena_printf(o->arena, "%zu", at));
        entry(o, t, "length", arena_printf(o->arena, "%zu", t->raw_data.len));
        t->has_data_location = 1;
        t->data_location = EXTERNAL;
        t->has_raw_data = 0;
    }
}

static void pack(OnnxOut *o, OnnxFile *file)
{
    Onnx__GraphProto graph = ONNX__GRAPH_PROTO__INIT;
    Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
    Onnx__OperatorSetIdProto set = ONNX__OPERATOR_SET_ID_PROTO__INIT, *sets[] = {&set};
    const Net *net = o->net;
    graph.name = (char *)net->name;
    graph.n_node = (size_t)o->nodes.n;
    graph.node = o->nodes.at;
    graph.n_initializer = (size_t)o->tensors.n;
    graph.initializer = o->tensors.at;
    for (int i = 0; i < net->inputs.n; i++)
        PUSH(o->arena, graph.input, graph.n_input,
             port_info(o, &net->inputs.at[i], o->row[net->inputs.at[i].node->id]));
    for (int i = 0; i < net->outputs.n; i++) {
        const Type t = net->outputs.at[i].node->type;
        PUSH(o->arena, graph.output, graph.n_output,
             port_info(o, &net->outputs.at[i], t.h == 1 && t.w == 1));
    }
    set.domain = (char *)"";
    set.has_version = 1;
    set.version = OPSET;
    model.has_ir_version = 1;
    model.ir_version = IR_VERSION;
    model.producer_name = (char *)"rnc";
    model.producer_version = (char *)RNC_VERSION;
    model.graph = &graph;
    model.n_opset_import = 1;
    model.opset_import = sets;
    file->model_size = onnx__model_proto__get_packed_size(&model);
    file->model = arena_alloc(o->arena, file->model_size + 1);
    onnx__model_proto__pack(&model, file->model);
}

/* Says which layer ONNX has no words for. */
static void refused(const OnnxOut *o, const Node *node)
{
    const Loc loc = node->place ? node->place->loc : NO_LOC;
    diag_error(o->diag, loc, "'%s' cannot be written to ONNX: %s", op_row(node->op)->name, o->why);
    if (o->help)
        diag_note(o->diag, loc, "%s", o->help);
    diag_note_callers(o->diag, node->place);
}

bool onnx_write(const Net *net, const OnnxOptions *options, OnnxFile *file, Arena *arena,
                Diag *diag)
{
    OnnxOut o = {.net = net, .options = options, .arena = arena, .diag = diag};
    bool good = true;
    int64_t size = 0;
    o.names.arena = arena;
    o.values = NEW_ARRAY(arena, const char *, net->nodes.n + 1);
    o.row = NEW_ARRAY(arena, bool, net->nodes.n + 1);
    *file = (OnnxFile){0};
    for (int i = 0; i < net->inputs.n; i++)
        table_add(&o.names, net->inputs.at[i].name, NO_LOC);
    for (int i = 0; i < net->outputs.n; i++)
        table_add(&o.names, net->outputs.at[i].name, NO_LOC);
    for (int i = 0; i < net->inputs.n; i++)
        add_input(&o, &net->inputs.at[i]);
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *node = net->nodes.at[i];
        if (node->op == OP_INPUT || out_layer(&o, node))
            continue;
        refused(&o, node);
        good = false;
        o.values[i] = "";
    }
    for (int i = 0; i < net->outputs.n; i++)
        add_output(&o, &net->outputs.at[i]);
    for (int i = 0; i < o.tensors.n; i++)
        size += (int64_t)o.tensors.at[i]->raw_data.len;
    if (good && size > options->inside_most)
        move_outside(&o, file);
    if (good)
        pack(&o, file);
    return good;
}
