/* onnx_write_ops.c: what each layer is in ONNX. */
#include "import/onnx_write_parts.h"

#include <limits.h>
#include <math.h>

static const char *part(OnnxOut *o, const Node *node, const char *what)
{
    return arena_printf(o->arena, "%s.%s", node->name, what);
}

static bool is_row(const OnnxOut *o, const Node *node, int i)
{
    return o->row[node->in[i]->id];
}

static const char *operand(const OnnxOut *o, const Node *node, int i)
{
    return o->values[node->in[i]->id];
}

/* The layer's result is this value, of the form of operand 0. */
static void same(OnnxOut *o, const Node *node, const char *value)
{
    o->values[node->id] = value;
    o->row[node->id] = is_row(o, node, 0);
}

/* A node with the layer's name, of the operand and `more` others. */
static const char *layer(OnnxOut *o, const Node *node, const char *op, int more,
                         const char *const *others)
{
    const char *in[8] = {operand(o, node, 0)};
    for (int i = 0; i < more; i++)
        in[1 + i] = others[i];
    return out_node(o, op, node->name, 1 + more, in);
}

static void unary(OnnxOut *o, const Node *node, const char *op)
{
    same(o, node, layer(o, node, op, 0, NULL));
}

/* Numbers for each channel, or one for all, in the form that spreads over operand 0. */
static const char *channel_floats(OnnxOut *o, const Node *node, const char *name, const float *at,
                                  int n)
{
    const int64_t image[] = {n, 1, 1}, row[] = {n};
    const bool vector = n == 1 || is_row(o, node, 0);
    return out_floats(o, name, vector ? 1 : 3, vector ? row : image, at);
}

static const char *reals(OnnxOut *o, const Node *node, const char *name, Reals r)
{
    float *at = NEW_ARRAY(o->arena, float, r.n);
    for (int i = 0; i < r.n; i++)
        at[i] = (float)r.at[i];
    return channel_floats(o, node, name, at, r.n);
}

static bool all_are(Reals r, double value)
{
    for (int i = 0; i < r.n; i++) {
        if (r.at[i] != value)
            return false;
    }
    return true;
}

/* value OP numbers, called by the layer's name if it is the last step. */
static const char *step(OnnxOut *o, const char *op, const char *name, const char *a, const char *b)
{
    const char *in[] = {a, b};
    return out_node(o, op, name, 2, in);
}

/* ---- convolutions, products, pools ---- */

static void window(OnnxOut *o, const Node *node, bool dilated)
{
    const Attrs *a = &node->attrs;
    const int64_t kernel[] = {a->kernel[0], a->kernel[1]}, stride[] = {a->stride[0], a->stride[1]};
    const int64_t dilation[] = {a->dilation[0], a->dilation[1]};
    const int64_t pads[] = {a->padding[0], a->padding[1], a->padding[2], a->padding[3]};
    out_ints(o, "kernel_shape", 2, kernel);
    out_ints(o, "strides", 2, stride);
    out_ints(o, "pads", 4, pads);
    if (dilated)
        out_ints(o, "dilations", 2, dilation);
}

/* An attribute that not every set of operators has: 0 if this one does not. */
static int optional(const Node *node, const char *word)
{
    const AttrRow *row = op_attr(node->op, word);
    const char *at = (const char *)&node->attrs;
    if (!row)
        return 0;
    return row->kind == ATTR_BOOL ? *(const bool *)(at + row->offset)
                                  : *(const int *)(const void *)(at + row->offset);
}

static bool write_conv(OnnxOut *o, const Node *node)
{
    const Param *weight = node->params[P_WEIGHT], *bias = node->params[P_BIAS];
    const int64_t dims[] = {weight->dims[0], weight->dims[1], weight->dims[2], weight->dims[3]};
    if (optional(node, "padding_mode"))
        return false;
    const char *in[3] = {out_image(o, node, 0), out_param(o, weight, 4, dims)};
    if (bias)
        in[2] = out_param(o, bias, 1, dims);
    o->values[node->id] = out_node(o, "Conv", node->name, bias ? 3 : 2, in);
    window(o, node, true);
    out_int(o, "group", node->attrs.groups);
    return node->n_in == 1;
}

static bool write_dense(OnnxOut *o, const Node *node)
{
    const Param *weight = node->params[P_WEIGHT], *bias = node->params[P_BIAS];
    const int64_t dims[] = {weight->dims[0], weight->dims[1]};
    const char *in[3] = {out_row(o, node, 0), out_param(o, weight, 2, dims)};
    if (bias)
        in[2] = out_param(o, bias, 1, dims);
    o->values[node->id] = out_node(o, "Gemm", node->name, bias ? 3 : 2, in);
    out_int(o, "transB", 1);
    o->row[node->id] = true;
    return node->n_in == 1;
}

static bool write_bn(OnnxOut *o, const Node *node)
{
    static const Role roles[] = {P_WEIGHT, P_BIAS, P_MEAN, P_VARIANCE};
    const int64_t c = node->type.c;
    const char *others[4];
    for (int i = 0; i < 4; i++) {
        const Param *param = node->params[roles[i]];
        if (param) {
            others[i] = out_param(o, param, 1, &c);
            continue;
        }
        float *at = NEW_ARRAY(o->arena, float, c);
        for (int64_t k = 0; k < c; k++)
            at[k] = roles[i] == P_WEIGHT;
        others[i] =
            out_floats(o, part(o, node, roles[i] == P_WEIGHT ? "ones" : "zeros"), 1, &c, at);
    }
    same(o, node, layer(o, node, "BatchNormalization", 4, others));
    out_float(o, "epsilon", node->attrs.epsilon);
    return true;
}

static bool write_pool(OnnxOut *o, const Node *node)
{
    const Attrs *a = &node->attrs;
    const Type in = node->in[0]->type;
    const bool max = node->op == OP_MAXPOOL;
    if (optional(node, "divisor"))
        return false;
    const char *x = out_image(o, node, 0);
    const int *p = a->padding;
    if (a->kernel[0] == in.h && a->kernel[1] == in.w && !p[0] && !p[1] && !p[2] && !p[3]) {
        o->values[node->id] =
            out_node(o, max ? "GlobalMaxPool" : "GlobalAveragePool", node->name, 1, &x);
        return true;
    }
    o->values[node->id] = out_node(o, max ? "MaxPool" : "AveragePool", node->name, 1, &x);
    window(o, node, false);
    if (optional(node, "ceil_mode"))
        out_int(o, "ceil_mode", 1);
    if (!max)
        out_int(o, "count_include_pad", a->count_padding);
    return true;
}

/* ---- known and trained factors ---- */

static bool write_normalize(OnnxOut *o, const Node *node)
{
    const Attrs *a = &node->attrs;
    const char *x = operand(o, node, 0);
    if (node->in[0]->type.elem != ELEM_F32) {
        x = out_node(o, "Cast", part(o, node, "float"), 1, &x);
        out_int(o, "to", OUT_FLOAT);
    }
    if (a->scale != 1)
        x = step(o, "Mul", part(o, node, "scaled"), x,
                 out_number(o, part(o, node, "scale"), a->scale));
    if (!all_are(a->mean, 0))
        x = step(o, "Sub", part(o, node, "centred"), x,
                 reals(o, node, part(o, node, "mean"), a->mean));
    if (!all_are(a->std, 1))
        x = step(o, "Div", node->name, x, reals(o, node, part(o, node, "std"), a->std));
    same(o, node, x);
    return true;
}

static bool write_affine(OnnxOut *o, const Node *node)
{
    const Attrs *a = &node->attrs;
    const char *x = operand(o, node, 0);
    if (!all_are(a->factor, 1))
        x = step(o, "Mul", part(o, node, "scaled"), x,
                 reals(o, node, part(o, node, "scale"), a->factor));
    if (!all_are(a->addend, 0))
        x = step(o, "Add", node->name, x, reals(o, node, part(o, node, "shift"), a->addend));
    same(o, node, x);
    return true;
}

/* A parameter for each channel, or one for all. */
static const char *channel_param(OnnxOut *o, const Node *node, Role role)
{
    const Param *param = node->params[role];
    const int64_t n = param->dims[0], image[] = {n, 1, 1};
    return n == 1 || is_row(o, node, 0) ? out_param(o, param, 1, &n)
                                        : out_param(o, param, 3, image);
}

static bool write_scale(OnnxOut *o, const Node *node)
{
    const char *x = operand(o, node, 0);
    if (node->params[P_WEIGHT])
        x = step(o, "Mul", part(o, node, "scaled"), x, channel_param(o, node, P_WEIGHT));
    if (node->params[P_BIAS])
        x = step(o, "Add", node->name, x, channel_param(o, node, P_BIAS));
    same(o, node, x);
    return true;
}

static bool write_prelu(OnnxOut *o, const Node *node)
{
    const char *slope = channel_param(o, node, P_WEIGHT);
    same(o, node, layer(o, node, "PRelu", 1, &slope));
    return true;
}

/* ---- activations ---- */

static bool write_clip(OnnxOut *o, const Node *node, double least, double most)
{
    const char *bounds[] = {"", ""};
    if (!isinf(least))
        bounds[0] = out_number(o, part(o, node, "min"), least);
    if (!isinf(most))
        bounds[1] = out_number(o, part(o, node, "max"), most);
    same(o, node, layer(o, node, "Clip", isinf(most) ? 1 : 2, bounds));
    return true;
}

static bool write_silu(OnnxOut *o, const Node *node)
{
    const char *x = operand(o, node, 0);
    const char *gate = out_node(o, "Sigmoid", part(o, node, "sigmoid"), 1, &x);
    same(o, node, layer(o, node, "Mul", 1, &gate));
    return true;
}

static bool write_hard_sigmoid(OnnxOut *o, const Node *node)
{
    unary(o, node, "HardSigmoid");
    out_float(o, "alpha", node->attrs.alpha);
    out_float(o, "beta", node->attrs.beta);
    return true;
}

static bool with_alpha(OnnxOut *o, const Node *node, const char *op)
{
    unary(o, node, op);
    out_float(o, "alpha", node->attrs.alpha);
    return true;
}

/* ---- joins ---- */

/* All arms have one form: rows if all are, else images. */
static bool write_join(OnnxOut *o, const Node *node, const char *op)
{
    const char **in = NEW_ARRAY(o->arena, const char *, node->n_in);
    bool rows = true;
    for (int i = 0; i < node->n_in; i++)
        rows = rows && is_row(o, node, i);
    for (int i = 0; i < node->n_in; i++)
        in[i] = rows ? operand(o, node, i) : out_image(o, node, i);
    const bool chain = node->op == OP_MUL && node->n_in > 2;
    const char *value = chain ? in[0] : NULL;
    for (int i = 1; chain && i < node->n_in; i++)
        value =
            step(o, op, i == node->n_in - 1 ? node->name : part(o, node, "product"), value, in[i]);
    if (!chain)
        value = out_node(o, node->op == OP_ADD && node->n_in > 2 ? "Sum" : op, node->name,
                         node->n_in, in);
    if (node->op == OP_CONCAT)
        out_int(o, "axis", 1);
    o->values[node->id] = value;
    o->row[node->id] = rows;
    return true;
}

/* All results are given by the node of the first. */
static bool write_split(OnnxOut *o, const Node *node)
{
    const int parts = node->attrs.parts;
    if (node->attrs.result > 0)
        return true;
    const char **out = NEW_ARRAY(o->arena, const char *, parts);
    int64_t *sizes = NEW_ARRAY(o->arena, int64_t, parts);
    for (int i = 0; i < parts; i++) {
        const Node *one = o->net->nodes.at[node->id + i];
        out[i] = out_name(o, one->name);
        sizes[i] = one->type.c;
        same(o, one, out[i]);
    }
    const char *in[] = {operand(o, node, 0), out_numbers(o, part(o, node, "sizes"), parts, sizes)};
    out_results(o, "Split", node->name, 2, in, parts, out);
    out_int(o, "axis", 1);
    return true;
}

/* ---- what moves elements ---- */

static bool write_flatten(OnnxOut *o, const Node *node)
{
    static const int64_t perm[] = {0, 2, 3, 1};
    const char *x = operand(o, node, 0);
    o->row[node->id] = true;
    if (is_row(o, node, 0)) {
        o->values[node->id] = x;
        return true;
    }
    if (node->attrs.order == ORDER_NHWC) {
        x = out_node(o, "Transpose", part(o, node, "nhwc"), 1, &x);
        out_ints(o, "perm", 4, perm);
    }
    o->values[node->id] = out_node(o, "Flatten", node->name, 1, &x);
    out_int(o, "axis", 1);
    return true;
}

static bool write_zeropad(OnnxOut *o, const Node *node)
{
    const int *p = node->attrs.padding, *c = node->attrs.channel_padding;
    const int64_t pads[] = {0, c[0], p[0], p[1], 0, c[1], p[2], p[3]};
    const char *in[] = {out_image(o, node, 0), out_numbers(o, part(o, node, "pads"), 8, pads)};
    o->values[node->id] = out_node(o, "Pad", node->name, 2, in);
    return true;
}

static bool write_subsample(OnnxOut *o, const Node *node)
{
    const int64_t begin[] = {0, 0}, end[] = {INT_MAX, INT_MAX}, axes[] = {2, 3};
    const int64_t steps[] = {node->attrs.stride[0], node->attrs.stride[1]};
    const char *in[] = {out_image(o, node, 0), out_numbers(o, part(o, node, "starts"), 2, begin),
                        out_numbers(o, part(o, node, "ends"), 2, end),
                        out_numbers(o, part(o, node, "axes"), 2, axes),
                        out_numbers(o, part(o, node, "steps"), 2, steps)};
    o->values[node->id] = out_node(o, "Slice", node->name, 5, in);
    return true;
}

static bool write_upsample(OnnxOut *o, const Node *node)
{
    const int64_t n = 4;
    float *scales = NEW_ARRAY(o->arena, float, 4);
    scales[0] = scales[1] = 1;
    scales[2] = (float)node->attrs.scale_by[0];
    scales[3] = (float)node->attrs.scale_by[1];
    const char *in[] = {out_image(o, node, 0), "",
                        out_floats(o, part(o, node, "scales"), 1, &n, scales)};
    o->values[node->id] = out_node(o, "Resize", node->name, 3, in);
    out_text(o, "mode", "nearest");
    out_text(o, "coordinate_transformation_mode", "asymmetric");
    out_text(o, "nearest_mode", "floor");
    return true;
}

/* ---- all of them ---- */

static bool write_simple(OnnxOut *o, const Node *node, const char *op)
{
    unary(o, node, op);
    return true;
}

/* The axis of [n][c][h][w] along which a softmax sums to 1; -1: more than one. */
static int softmax_axis(const Node *node)
{
    const Over over = node->attrs.over;
    return over == OVER_CHANNELS ? 1 : over == OVER_HEIGHT ? 2 : over == OVER_WIDTH ? 3 : -1;
}

bool out_layer(OnnxOut *o, const Node *node)
{
    switch (node->op) {
    case OP_NORMALIZE:
        return write_normalize(o, node);
    case OP_CAST:
        unary(o, node, "Cast");
        out_int(o, "to", OUT_FLOAT);
        return true;
    case OP_CONV:
        return write_conv(o, node);
    case OP_DENSE:
        return write_dense(o, node);
    case OP_BN:
        return write_bn(o, node);
    case OP_AFFINE:
        return write_affine(o, node);
    case OP_SCALE:
        return write_scale(o, node);
    case OP_INSTANCE_NORM:
        return out_instance_norm(o, node);
    case OP_GROUP_NORM:
        return out_group_norm(o, node);
    case OP_LAYER_NORM:
        return out_layer_norm(o, node);
    case OP_L2_NORM:
        return out_l2_norm(o, node);
    case OP_PRELU:
        return write_prelu(o, node);
    case OP_MAXPOOL:
    case OP_AVGPOOL:
        return write_pool(o, node);
    case OP_RELU:
        return write_simple(o, node, "Relu");
    case OP_RELU6:
        return write_clip(o, node, 0, 6);
    case OP_CLIP:
        return write_clip(o, node, node->attrs.alpha, node->attrs.beta);
    case OP_LEAKY_RELU:
        return with_alpha(o, node, "LeakyRelu");
    case OP_ELU:
        return with_alpha(o, node, "Elu");
    case OP_SELU:
        return write_simple(o, node, "Selu");
    case OP_SOFTPLUS:
        return write_simple(o, node, "Softplus");
    case OP_MISH:
        return write_simple(o, node, "Mish");
    case OP_SIGMOID:
        return write_simple(o, node, "Sigmoid");
    case OP_TANH:
        return write_simple(o, node, "Tanh");
    case OP_HARD_SIGMOID:
        return write_hard_sigmoid(o, node);
    case OP_HARD_SWISH:
        return write_simple(o, node, "HardSwish");
    case OP_SILU:
        return write_silu(o, node);
    case OP_GELU:
        return write_simple(o, node, "Gelu");
    case OP_SOFTMAX:
        if (softmax_axis(node) < 0)
            return false;
        unary(o, node, "Softmax");
        out_int(o, "axis", softmax_axis(node));
        return true;
    case OP_ADD:
        return write_join(o, node, "Add");
    case OP_SUB:
        return write_join(o, node, "Sub");
    case OP_MUL:
        return write_join(o, node, "Mul");
    case OP_DIV:
        return write_join(o, node, "Div");
    case OP_CONCAT:
        return write_join(o, node, "Concat");
    case OP_SPLIT:
        return write_split(o, node);
    case OP_FLATTEN:
        return write_flatten(o, node);
    case OP_ZEROPAD:
        return write_zeropad(o, node);
    case OP_SUBSAMPLE:
        return write_subsample(o, node);
    case OP_UPSAMPLE:
        return write_upsample(o, node);
    default:
        return false;
    }
}
