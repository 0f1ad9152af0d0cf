/* onnx_write_norm.c: normalisations of a tensor by its own numbers, in ONNX. */
#include "import/onnx_write_parts.h"

static const char *part(OnnxOut *o, const Node *node, const char *what)
{
    return arena_printf(o->arena, "%s.%s", node->name, what);
}

static const char *equal_numbers(OnnxOut *o, const Node *node, int rank, const int64_t *dims,
                                 float value)
{
    size_t n = 1;
    for (int i = 0; i < rank; i++)
        n *= (size_t)dims[i];
    float *at = NEW_ARRAY(o->arena, float, n);
    for (size_t i = 0; i < n; i++)
        at[i] = value;
    return out_floats(o, part(o, node, value == 1 ? "ones" : "zeros"), rank, dims, at);
}

/* Weight and bias, or 1 and 0. */
static void params(OnnxOut *o, const Node *node, int rank, const int64_t *dims, const char *to[2])
{
    const Param *weight = node->params[P_WEIGHT], *bias = node->params[P_BIAS];
    to[0] = weight ? out_param(o, weight, rank, dims) : equal_numbers(o, node, rank, dims, 1);
    to[1] = bias ? out_param(o, bias, rank, dims) : equal_numbers(o, node, rank, dims, 0);
}

bool out_instance_norm(OnnxOut *o, const Node *node)
{
    const int64_t c = node->type.c;
    const char *in[3] = {out_image(o, node, 0)};
    params(o, node, 1, &c, in + 1);
    o->values[node->id] = out_node(o, "InstanceNormalization", node->name, 3, in);
    out_float(o, "epsilon", node->attrs.epsilon);
    return true;
}

/* InstanceNormalization of [batch][groups][rest], then a factor and a summand for each channel:
 * GroupNormalization has these from set 21 on only. */
bool out_group_norm(OnnxOut *o, const Node *node)
{
    const Type t = node->type;
    const int64_t groups = node->attrs.groups, image[] = {t.c, 1, 1};
    const int64_t rows[] = {0, groups, -1}, back[] = {0, t.c, t.h, t.w};
    const char *in[3] = {out_image(o, node, 0), out_numbers(o, part(o, node, "rows"), 3, rows)};
    in[0] = out_node(o, "Reshape", part(o, node, "grouped"), 2, in);
    in[1] = equal_numbers(o, node, 1, &groups, 1);
    in[2] = equal_numbers(o, node, 1, &groups, 0);
    in[0] = out_node(o, "InstanceNormalization", part(o, node, "normalized"), 3, in);
    out_float(o, "epsilon", node->attrs.epsilon);
    in[1] = out_numbers(o, part(o, node, "shape"), 4, back);
    in[0] = out_node(o, "Reshape", part(o, node, "image"), 2, in);
    if (node->params[P_WEIGHT]) {
        in[1] = out_param(o, node->params[P_WEIGHT], 3, image);
        in[0] = out_node(o, "Mul", part(o, node, "scaled"), 2, in);
    }
    if (node->params[P_BIAS]) {
        in[1] = out_param(o, node->params[P_BIAS], 3, image);
        in[0] = out_node(o, "Add", node->name, 2, in);
    }
    o->values[node->id] = in[0];
    return true;
}

/* Of the channels of each pixel, which are the last axis then, or of an image. */
bool out_layer_norm(OnnxOut *o, const Node *node)
{
    static const int64_t to_last[] = {0, 2, 3, 1}, back[] = {0, 3, 1, 2};
    const Type t = node->type;
    const bool row = o->row[node->in[0]->id], whole = node->attrs.over == OVER_IMAGE && !row;
    const int64_t c = t.c, image[] = {t.c, t.h, t.w};
    const char *in[3] = {o->values[node->in[0]->id]};
    if (!row && !whole) {
        in[0] = out_node(o, "Transpose", part(o, node, "last"), 1, in);
        out_ints(o, "perm", 4, to_last);
    }
    params(o, node, whole ? 3 : 1, whole ? image : &c, in + 1);
    const char *value = out_node(o, "LayerNormalization", node->name, 3, in);
    out_int(o, "axis", whole ? 1 : -1);
    out_float(o, "epsilon", node->attrs.epsilon);
    if (!row && !whole) {
        value = out_node(o, "Transpose", part(o, node, "first"), 1, &value);
        out_ints(o, "perm", 4, back);
    }
    o->values[node->id] = value;
    o->row[node->id] = row;
    return true;
}

bool out_l2_norm(OnnxOut *o, const Node *node)
{
    const int id = node->in[0]->id;
    if (node->attrs.over == OVER_IMAGE && !o->row[id])
        return false;
    o->values[node->id] = out_node(o, "LpNormalization", node->name, 1, &o->values[id]);
    o->row[node->id] = o->row[id];
    out_int(o, "axis", 1);
    out_int(o, "p", 2);
    return true;
}
