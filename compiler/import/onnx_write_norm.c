/* onnx_write_norm.c: normalisations in ONNX.
 *
 * Where a layer has no weight or no bias and ONNX wants one, it gets ones or zeros whose name ends
 * in ".ones" or ".zeros": onnx_norm.c leaves these out again. */
#include "import/onnx_write_parts.h"

static const char *equal_numbers(OnnxOut *o, const Node *node, int rank, const int64_t *dims,
                                 float value)
{
    size_t n = 1;
    for (int i = 0; i < rank; i++)
        n *= (size_t)dims[i];
    float *at = NEW_ARRAY(o->arena, float, n);
    for (size_t i = 0; i < n; i++)
        at[i] = value;
    return out_floats(o, out_part(o, node, value == 1 ? "ones" : "zeros"), rank, dims, at);
}

/* The weight, or ones. */
static const char *weight_of(OnnxOut *o, const Node *node, int rank, const int64_t *dims)
{
    const Param *weight = node->params[P_WEIGHT];
    return weight ? out_param(o, weight, rank, dims) : equal_numbers(o, node, rank, dims, 1);
}

/* Weight and bias of each channel, or ones and zeros. */
static void params(OnnxOut *o, const Node *node, const char *to[2])
{
    const int64_t c = node->type.c;
    const Param *bias = node->params[P_BIAS];
    to[0] = weight_of(o, node, 1, &c);
    to[1] = bias ? out_param(o, bias, 1, &c) : equal_numbers(o, node, 1, &c, 0);
}

bool out_bn(OnnxOut *o, const Node *node)
{
    const int64_t c = node->type.c;
    const char *in[5] = {out_operand(o, node, 0)};
    params(o, node, in + 1);
    in[3] = out_param(o, node->params[P_MEAN], 1, &c);
    in[4] = out_param(o, node->params[P_VARIANCE], 1, &c);
    out_same(o, node, out_node(o, "BatchNormalization", node->name, 5, in));
    out_float(o, "epsilon", node->attrs.epsilon);
    return true;
}

bool out_instance_norm(OnnxOut *o, const Node *node)
{
    const char *in[3] = {out_image(o, node, 0)};
    params(o, node, in + 1);
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
    const char *in[3] = {out_image(o, node, 0), out_numbers(o, out_part(o, node, "rows"), 3, rows)};
    in[0] = out_node(o, "Reshape", out_part(o, node, "grouped"), 2, in);
    in[1] = equal_numbers(o, node, 1, &groups, 1);
    in[2] = equal_numbers(o, node, 1, &groups, 0);
    in[0] = out_node(o, "InstanceNormalization", out_part(o, node, "normalized"), 3, in);
    out_float(o, "epsilon", node->attrs.epsilon);
    in[1] = out_numbers(o, out_part(o, node, "shape"), 4, back);
    in[0] = out_node(o, "Reshape", out_part(o, node, "image"), 2, in);
    if (node->params[P_WEIGHT]) {
        in[1] = out_param(o, node->params[P_WEIGHT], 3, image);
        in[0] = out_node(o, "Mul", out_part(o, node, "scaled"), 2, in);
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
        in[0] = out_node(o, "Transpose", out_part(o, node, "last"), 1, in);
        out_ints(o, "perm", 4, to_last);
    }
    const int rank = whole ? 3 : 1;
    const Param *bias = node->params[P_BIAS];
    in[1] = weight_of(o, node, rank, whole ? image : &c);
    if (bias)
        in[2] = out_param(o, bias, rank, whole ? image : &c);
    const char *value = out_node(o, "LayerNormalization", node->name, bias ? 3 : 2, in);
    out_int(o, "axis", whole ? 1 : -1);
    out_float(o, "epsilon", node->attrs.epsilon);
    if (!row && !whole) {
        value = out_node(o, "Transpose", out_part(o, node, "first"), 1, &value);
        out_ints(o, "perm", 4, back);
    }
    o->values[node->id] = value;
    o->row[node->id] = row;
    return true;
}

/* LpNormalization has no least length, so its three steps are written, as PyTorch does. */
bool out_l2_norm(OnnxOut *o, const Node *node)
{
    static const int64_t axes[] = {1, 2, 3};
    const bool image = node->attrs.over == OVER_IMAGE && !out_is_row(o, node, 0);
    const char *x = out_operand(o, node, 0);
    const char *over = out_numbers(o, out_part(o, node, "axes"), image ? 3 : 1, axes);
    const char *length = out_step(o, "ReduceL2", out_part(o, node, "length"), x, over);
    const char *least = out_number(o, out_part(o, node, "least"), node->attrs.epsilon);
    length = out_step(o, "Clip", out_part(o, node, "clipped"), length, least);
    out_same(o, node, out_step(o, "Div", node->name, x, length));
    return true;
}
