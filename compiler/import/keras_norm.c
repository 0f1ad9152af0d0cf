/* keras_norm.c: Keras' normalisations, and its layers that scale. */
#include "import/keras_parts.h"

#include <math.h>

KerasTensor keras_batch_norm(Site *s)
{
    Attrs a = ir_default_attrs(OP_BN);
    Node *in = keras_in(s, 0);
    a.epsilon = keras_number(s->config, "epsilon", 1e-3);
    a.momentum = 1 - keras_number(s->config, "momentum", 0.99);
    a.momentum = round(a.momentum * 1e12) / 1e12; /* 0.01 rather than 0.010000000000000009 */
    a.variance = VARIANCE_BIASED;
    a.gain = keras_truth(s->config, "scale", true);
    a.centre = keras_truth(s->config, "center", true);
    if (in && !keras_axis_is_last(s->config, s->in[0].rank))
        return keras_refuse(s, "its axis is not that of the channels, the last one", NULL);
    Node *node = keras_add(s, OP_BN, &in, 1, &a, NULL);
    if (a.gain)
        keras_bind(s, node, P_WEIGHT, "gamma", KERNEL_VECTOR);
    if (a.centre)
        keras_bind(s, node, P_BIAS, "beta", KERNEL_VECTOR);
    keras_bind(s, node, P_MEAN, "moving_mean", KERNEL_VECTOR);
    keras_bind(s, node, P_VARIANCE, "moving_variance", KERNEL_VECTOR);
    return keras_tensor(node, s->in[0].rank);
}

/* Of the channels of each pixel, or of groups of channels over all pixels. */
KerasTensor keras_layer_norm(Site *s)
{
    const bool groups = str_eq(s->layer->kind, "GroupNormalization");
    const Op op = groups ? OP_GROUP_NORM : OP_LAYER_NORM;
    Attrs a = ir_default_attrs(op);
    Node *in = keras_in(s, 0);
    a.epsilon = keras_number(s->config, "epsilon", 1e-3);
    a.gain = keras_truth(s->config, "scale", true);
    a.centre = keras_truth(s->config, "center", true);
    if (in && !keras_axis_is_last(s->config, s->in[0].rank))
        return keras_refuse(s, "its axis is not that of the channels, the last one", NULL);
    if (keras_truth(s->config, "rms_scaling", false))
        return keras_refuse(s, "rms_scaling", NULL);
    if (groups && !keras_ints(s->config, "groups", 1, &a.groups))
        return keras_refuse(s, "its groups are no number", NULL);
    if (groups && a.groups == -1)
        a.groups = in ? in->type.c : 1;
    Node *node = keras_add(s, op, &in, 1, &a, NULL);
    if (a.gain)
        keras_bind(s, node, P_WEIGHT, "gamma", KERNEL_VECTOR);
    if (a.centre)
        keras_bind(s, node, P_BIAS, "beta", KERNEL_VECTOR);
    return keras_tensor(node, s->in[0].rank);
}

/* A factor for each channel, as ConvNeXt has them. */
KerasTensor keras_layer_scale(Site *s)
{
    Node *in = keras_in(s, 0);
    Node *node = keras_simple(s, OP_SCALE, in, NULL);
    /* In .h5 files it is `variable`, or that with a number. */
    const char *name = keras_only_weight(s);
    keras_bind(s, node, P_WEIGHT, name ? name : "gamma", KERNEL_VECTOR);
    return keras_tensor(node, s->in[0].rank);
}

/* A slope for each channel, or one for all. */
KerasTensor keras_prelu(Site *s)
{
    const StoredTensor *t = keras_weight(s, "alpha");
    Attrs a = ir_default_attrs(OP_PRELU);
    Node *in = keras_in(s, 0);
    int64_t n = 0;
    if (t && !s->again && !tensor_elements(t->dims, t->rank, &n))
        return keras_refuse(s, "its slopes cannot be counted", NULL);
    if (in && t && n != 1 && n != in->type.c)
        return keras_refuse(s, "a slope for each pixel",
                            "shared_axes=[1, 2] has one for each channel");
    a.shared = t && n == 1 && in && in->type.c != 1;
    Node *node = keras_add(s, OP_PRELU, &in, 1, &a, NULL);
    keras_bind(s, node, P_WEIGHT, "alpha", KERNEL_VECTOR);
    return keras_tensor(node, s->in[0].rank);
}

/* ---- factors and summands in the file's text ---- */

/* The tensor times a scale, plus an offset: made when it is needed, so that the next can join it.
 */
KerasTensor keras_affine(Site *s, const KerasTensor *x, double scale, double offset)
{
    KerasTensor y = *x;
    if (y.later != LATER_AFFINE) {
        y = keras_tensor(keras_solid(s, x), x->rank);
        y.later = LATER_AFFINE;
        y.scale = 1;
    }
    y.scale *= scale;
    y.offset = y.offset * scale + offset;
    y.name = s->path;
    y.made = NEW(s->k->arena, Node *);
    return y;
}

/* (x - mean) / std, a number each for all channels or one for each. */
static KerasTensor normalized(Site *s, const double *mean, const double *std, int n)
{
    const KerasTensor *x = &s->in[0];
    Attrs a = ir_default_attrs(OP_NORMALIZE);
    /* A Rescaling that only scales is the operator's own scale. */
    const bool scaled = x->later == LATER_AFFINE && x->offset == 0;
    Node *in = scaled ? x->node : keras_in(s, 0);
    a.scale = scaled ? x->scale : 1;
    a.mean = (Reals){mean, n};
    a.std = (Reals){std, n};
    for (int i = 0; i < n; i++) {
        if (!(fabs(mean[i]) <= 1e6 && std[i] >= 1e-6 && std[i] <= 1e6))
            return keras_refuse(s, "a mean is above 1e6, or a deviation not from 1e-6 to 1e6",
                                NULL);
    }
    if (in && n > 1 && n != in->type.c)
        return keras_refuse(s, "its numbers are not as many as channels", NULL);
    return keras_tensor(keras_add(s, OP_NORMALIZE, &in, 1, &a, NULL), x->rank);
}

KerasTensor keras_scaled(Site *s, const double *scale, int n_scale, const double *offset,
                         int n_offset)
{
    if (n_scale == 1 && n_offset == 1)
        return keras_affine(s, &s->in[0], *scale, *offset);
    Node *in = keras_in(s, 0);
    return keras_tensor(keras_each(s->k, in, scale, n_scale, offset, n_offset, s->path),
                        s->in[0].rank);
}

KerasTensor keras_rescaling(Site *s)
{
    Arena *arena = s->k->arena;
    double *scale, *offset = NEW(arena, double);
    const json_t *given = json_object_get(s->config, "offset");
    const int n = keras_numbers(json_object_get(s->config, "scale"), &scale, arena);
    const int k = given ? keras_numbers(given, &offset, arena) : 1;
    if (n < 1 || k < 1)
        return keras_refuse(s, "its scale or offset is no number", NULL);
    return keras_scaled(s, scale, n, offset, k);
}

/* The numbers of the configuration, or else of the file.  How many, or -1. */
static int statistic(Site *s, const char *name, double **to)
{
    const json_t *given = json_object_get(s->config, name);
    if (given && !json_is_null(given))
        return keras_numbers(given, to, s->k->arena);
    const StoredTensor *t = keras_weight(s, name);
    const float *values = t ? tensor_floats(s->k->tensors, t, s->k->arena, s->k->b.diag) : NULL;
    int64_t n;
    if (!values || !tensor_elements(t->dims, t->rank, &n) || n > INT_MAX)
        return -1;
    *to = NEW_ARRAY(s->k->arena, double, n ? n : 1);
    for (int i = 0; i < n; i++)
        (*to)[i] = keras_short((double)values[i]);
    return (int)n;
}

KerasTensor keras_normalization(Site *s)
{
    static const double epsilon = 1e-7; /* keras.config.epsilon() */
    double *mean = NULL, *variance = NULL;
    const int n = statistic(s, "mean", &mean), k = statistic(s, "variance", &variance);
    if (n < 1 || k != n)
        return keras_refuse(s, "the file has no mean and variance of it", NULL);
    if (keras_truth(s->config, "invert", false))
        return keras_refuse(s, "it is inverted", NULL);
    if (n > 1 && s->in[0].node && !keras_axis_is_last(s->config, s->in[0].rank))
        return keras_refuse(s, "its axis is not that of the channels, the last one", NULL);
    for (int i = 0; i < n; i++) {
        const double root = sqrt(variance[i]);
        variance[i] = root > epsilon ? keras_short(root) : epsilon;
    }
    return normalized(s, mean, variance, n);
}

/* inputs[0] + scale * inputs[1]: the residual of Inception-ResNet. */
KerasTensor keras_scaled_sum(Site *s)
{
    if (s->n_in != 2)
        return keras_refuse(s, "it has not two inputs", NULL);
    const double scale = keras_number(s->config, "scale", 1);
    KerasTensor branch = keras_affine(s, &s->in[1], scale, 0);
    branch.name = arena_printf(s->k->arena, "%s_scale", s->path);
    Node *in[] = {keras_in(s, 0), keras_solid(s, &branch)};
    const Attrs a = ir_default_attrs(OP_ADD);
    return keras_tensor(keras_add(s, OP_ADD, in, 2, &a, NULL), s->in[0].rank);
}
