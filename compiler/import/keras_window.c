/* keras_window.c: Keras' layers that slide a window over an image or a sequence, and Dense.
 *
 * A sequence [steps][channels] is an image one pixel wide: Conv1D's kernel 5 is 5x1 here. */
#include "import/keras_parts.h"

#include <string.h>

static int rank_of(const Site *s)
{
    return str_ends(s->layer->kind, "1D") ? 3 : 4;
}

/* A number for each axis, or one for all; 1 across a sequence. */
static bool pair(const Site *s, const char *key, int rank, int to[2])
{
    to[1] = 1;
    return keras_ints(s->config, key, rank - 2, to);
}

/* Zeros such that the output is input / stride, rounded up; the larger half comes after. */
static void pad_same(Attrs *a, const Node *in)
{
    const int size[] = {in->type.h, in->type.w};
    for (int axis = 0; axis < 2; axis++) {
        const int64_t out = (size[axis] + (int64_t)a->stride[axis] - 1) / a->stride[axis];
        const int64_t all = (out - 1) * a->stride[axis] +
                            (int64_t)(a->kernel[axis] - 1) * a->dilation[axis] + 1 - size[axis];
        a->padding[axis] = all > 0 && all < INT_MAX ? (int)(all / 2) : 0;
        a->padding[axis + 2] = all > 0 && all < INT_MAX ? (int)(all - all / 2) : 0;
    }
}

static const KerasTensor refused = {0};

/* Reads kernel, stride, dilation; refuses what is none. */
static bool read_window(Site *s, Attrs *a, const char *kernel, int rank)
{
    const json_t *strides = json_object_get(s->config, "strides");
    bool good = pair(s, kernel, rank, a->kernel);
    memcpy(a->stride, a->kernel, sizeof a->stride); /* of a pool without one */
    if (strides && !json_is_null(strides))
        good = good && pair(s, "strides", rank, a->stride);
    a->dilation[0] = a->dilation[1] = 1;
    if (json_object_get(s->config, "dilation_rate"))
        good = good && pair(s, "dilation_rate", rank, a->dilation);
    for (int i = 0; good && i < 2; i++)
        good = a->kernel[i] > 0 && a->stride[i] > 0 && a->dilation[i] > 0;
    if (!good)
        keras_refuse(s, "its kernel, strides or dilation are no numbers above 0", NULL);
    return good && keras_rank_is(s, rank);
}

/* The operand, and the padding of a convolution or pool: for a convolution that has none of its
 * own, that of a ZeroPadding2D before it.  NULL if it was refused. */
static Node *padded(Site *s, Attrs *a)
{
    const char *word = keras_text(s->config, "padding", "valid");
    const KerasTensor *x = &s->in[0];
    const bool pool = !json_object_get(s->config, "kernel_size");
    memset(a->padding, 0, sizeof a->padding);
    if (!x->node)
        return NULL;
    if (str_eq(word, "valid") && x->later == LATER_PADDING && !pool) {
        memcpy(a->padding, x->padding, sizeof a->padding);
        return x->node;
    }
    Node *in = keras_in(s, 0);
    if (in && str_eq(word, "same"))
        pad_same(a, in);
    else if (str_eq(word, "causal") && a->dilation[0] < INT_MAX / a->kernel[0])
        a->padding[0] = a->dilation[0] * (a->kernel[0] - 1);
    else if (!str_eq(word, "valid"))
        return keras_refuse(s, arena_printf(s->k->arena, "its padding is '%s'", word), NULL).node;
    return in;
}

/* ---- convolutions ---- */

static void bind_bias(Site *s, Node *node)
{
    if (node && node->attrs.bias)
        keras_bind(s, node, P_BIAS, "bias", KERNEL_VECTOR);
}

static KerasTensor activated(Site *s, Node *node, int rank)
{
    return keras_activation(s, keras_tensor(node, rank), json_object_get(s->config, "activation"),
                            "_act");
}

KerasTensor keras_conv(Site *s)
{
    const int rank = rank_of(s);
    Attrs a = ir_default_attrs(OP_CONV);
    a.bias = keras_truth(s->config, "use_bias", true);
    if (!read_window(s, &a, "kernel_size", rank))
        return refused;
    if (!keras_ints(s->config, "filters", 1, &a.filters))
        return keras_refuse(s, "it does not say how many filters it has", NULL);
    if (json_object_get(s->config, "groups") && !keras_ints(s->config, "groups", 1, &a.groups))
        return keras_refuse(s, "its groups are no number", NULL);
    Node *in = padded(s, &a);
    Node *node = keras_add(s, OP_CONV, &in, 1, &a, NULL);
    keras_bind(s, node, P_WEIGHT, "kernel", KERNEL_CONV);
    bind_bias(s, node);
    return activated(s, node, rank);
}

/* What is left out at the edges, or added after the last window: Keras has in * stride pixels for
 * same, and never fewer for valid; with an output_padding (`extra`) it leaves out half a kernel on
 * each side and adds that.  Where pixels lie is TensorFlow's way: its convolution of the result
 * with the same padding has the operand's size.  False if it cannot have that. */
static bool pad_transposed(Attrs *a, bool same, const int *extra)
{
    for (int axis = 0; axis < 2; axis++) {
        const int64_t stride = a->stride[axis];
        const int64_t kernel = (int64_t)(a->kernel[axis] - 1) * a->dilation[axis] + 1;
        int64_t less = kernel - stride; /* than (in - 1) * stride + kernel */
        if (extra)
            less = (same ? kernel / 2 * 2 : 0) - extra[axis];
        /* TensorFlow's would have another size. */
        if (extra && (same ? less > kernel - 1 || less < kernel - stride
                           : extra[axis] < 0 || extra[axis] >= stride))
            return false;
        if (less > INT_MAX / 2 || less < -INT_MAX / 2)
            return false;
        a->output_padding[axis] = less < 0 ? (int)-less : 0;
        a->padding[axis] = same && less > 0 ? (int)(less / 2) : 0;
        a->padding[axis + 2] = same && less > 0 ? (int)(less - less / 2) : 0;
    }
    return true;
}

KerasTensor keras_conv_transpose(Site *s)
{
    const int rank = str_starts(s->layer->kind, "Conv1D") ? 3 : 4;
    const char *word = keras_text(s->config, "padding", "valid");
    const json_t *more = json_object_get(s->config, "output_padding");
    Attrs a = ir_default_attrs(OP_CONV_TRANSPOSE);
    a.bias = keras_truth(s->config, "use_bias", true);
    if (!read_window(s, &a, "kernel_size", rank))
        return refused;
    if (!keras_ints(s->config, "filters", 1, &a.filters))
        return keras_refuse(s, "it does not say how many filters it has", NULL);
    if (!str_eq(word, "same") && !str_eq(word, "valid"))
        return keras_refuse(s, "a padding that is neither same nor valid", NULL);
    int extra[2] = {0, 0};
    const bool padded = more && !json_is_null(more);
    if ((padded && !keras_ints(s->config, "output_padding", rank - 2, extra)) ||
        !pad_transposed(&a, str_eq(word, "same"), padded ? extra : NULL))
        return keras_refuse(s, "an output_padding that TensorFlow does not take", NULL);
    Node *in = keras_in(s, 0);
    Node *node = keras_add(s, OP_CONV_TRANSPOSE, &in, 1, &a, NULL);
    keras_bind(s, node, P_WEIGHT, "kernel", KERNEL_CONV);
    bind_bias(s, node);
    return activated(s, node, rank);
}

/* The convolution of each channel on its own, called SITE.part; NULL if it was refused. */
static Node *depthwise(Site *s, int rank, bool bias, const char *part)
{
    Attrs a = ir_default_attrs(OP_CONV);
    int multiplier = 1;
    a.bias = bias;
    if (!read_window(s, &a, "kernel_size", rank))
        return NULL;
    if (json_object_get(s->config, "depth_multiplier") &&
        (!keras_ints(s->config, "depth_multiplier", 1, &multiplier) || multiplier < 1)) {
        keras_refuse(s, "its depth_multiplier is no number above 0", NULL);
        return NULL;
    }
    Node *in = padded(s, &a);
    const int64_t filters = in ? (int64_t)in->type.c * multiplier : 1;
    a.groups = in ? in->type.c : 1;
    a.filters = filters < INT_MAX ? (int)filters : INT_MAX;
    Node *node = keras_add(s, OP_CONV, &in, 1, &a, part);
    return node;
}

KerasTensor keras_depthwise(Site *s)
{
    const int rank = rank_of(s);
    Node *node = depthwise(s, rank, keras_truth(s->config, "use_bias", true), NULL);
    const bool old = node && !s->again && !keras_weight(s, "kernel"); /* Keras 2 */
    keras_bind(s, node, P_WEIGHT, old ? "depthwise_kernel" : "kernel", KERNEL_DEPTHWISE);
    bind_bias(s, node);
    return activated(s, node, rank);
}

KerasTensor keras_separable(Site *s)
{
    const int rank = rank_of(s);
    Attrs a = ir_default_attrs(OP_CONV);
    Node *deep = depthwise(s, rank, false, "depthwise");
    keras_bind(s, deep, P_WEIGHT, "depthwise_kernel", KERNEL_DEPTHWISE);
    a.kernel[0] = a.kernel[1] = 1;
    memset(a.padding, 0, sizeof a.padding);
    a.bias = keras_truth(s->config, "use_bias", true);
    if (!keras_ints(s->config, "filters", 1, &a.filters))
        return keras_refuse(s, "it does not say how many filters it has", NULL);
    Node *node = keras_add(s, OP_CONV, &deep, 1, &a, "pointwise");
    keras_bind(s, node, P_WEIGHT, "pointwise_kernel", KERNEL_CONV);
    bind_bias(s, node);
    return activated(s, node, rank);
}

/* ---- dense ---- */

KerasTensor keras_dense(Site *s)
{
    const int rank = s->in[0].rank;
    const Op op = rank == 2 ? OP_DENSE : OP_CONV; /* of each pixel: a 1x1 convolution */
    Attrs a = ir_default_attrs(op);
    Node *in = keras_in(s, 0);
    a.bias = keras_truth(s->config, "use_bias", true);
    if (!keras_ints(s->config, "units", 1, &a.filters))
        return keras_refuse(s, "it does not say how many units it has", NULL);
    if (json_is_integer(json_object_get(s->config, "lora_rank")))
        return keras_refuse(s, "its kernel is a sum with a product of two (LoRA)",
                            "in Keras, model.save() after layer.quantize() or a merge of the two");
    if (op == OP_CONV) {
        a.kernel[0] = a.kernel[1] = 1;
        memset(a.padding, 0, sizeof a.padding);
    }
    Node *node = keras_add(s, op, &in, 1, &a, NULL);
    keras_bind(s, node, P_WEIGHT, "kernel", KERNEL_DENSE);
    bind_bias(s, node);
    return activated(s, node, rank);
}

/* ---- pools ---- */

KerasTensor keras_pool(Site *s)
{
    const int rank = rank_of(s);
    const Op op = str_starts(s->layer->kind, "Max") ? OP_MAXPOOL : OP_AVGPOOL;
    Attrs a = ir_default_attrs(op);
    if (!read_window(s, &a, "pool_size", rank))
        return refused;
    Node *in;
    const KerasTensor *x = &s->in[0];
    /* Zeros around numbers that are not negative are never above the largest. */
    if (op == OP_MAXPOOL && x->node && x->later == LATER_PADDING &&
        str_eq(keras_text(s->config, "padding", "valid"), "valid") &&
        (x->node->op == OP_RELU || x->node->op == OP_RELU6) && x->padding[0] < a.kernel[0] &&
        x->padding[1] < a.kernel[1] && x->padding[2] < a.kernel[0] && x->padding[3] < a.kernel[1]) {
        memcpy(a.padding, x->padding, sizeof a.padding);
        in = x->node;
    } else {
        in = padded(s, &a);
    }
    a.count_padding = in && !a.padding[0] && !a.padding[1] && !a.padding[2] && !a.padding[3];
    return keras_tensor(keras_add(s, op, &in, 1, &a, NULL), rank);
}

KerasTensor keras_global_pool(Site *s)
{
    const Op op = str_starts(s->layer->kind, "GlobalMax") ? OP_MAXPOOL : OP_AVGPOOL;
    const int rank = rank_of(s);
    Attrs a = ir_default_attrs(op);
    Node *in = keras_in(s, 0);
    if (!keras_rank_is(s, rank))
        return refused;
    a.kernel[0] = in ? in->type.h : 1;
    a.kernel[1] = in ? in->type.w : 1;
    a.stride[0] = a.stride[1] = 1;
    memset(a.padding, 0, sizeof a.padding);
    return keras_tensor(keras_add(s, op, &in, 1, &a, NULL),
                        keras_truth(s->config, "keepdims", false) ? rank : 2);
}
