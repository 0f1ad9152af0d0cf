/* keras_simple.c: Keras' layers that work element by element, and those that join tensors. */
#include "import/keras_parts.h"

#include <math.h>
#include <string.h>

/* ---- activations by name ---- */

typedef struct ActRow {
    const char *name;
    Op op;        /* OP_COUNT: nothing is done */
    double alpha; /* its attribute; 0: what it has by default */
} ActRow;

static const ActRow acts[] = {
    {"linear", OP_COUNT, 0},
    {"relu", OP_RELU, 0},
    {"relu6", OP_RELU6, 0},
    {"leaky_relu", OP_LEAKY_RELU, 0.2},
    {"elu", OP_ELU, 1},
    {"celu", OP_ELU, 1}, /* with its alpha of 1 */
    {"selu", OP_SELU, 0},
    {"sigmoid", OP_SIGMOID, 0},
    {"tanh", OP_TANH, 0},
    {"softplus", OP_SOFTPLUS, 0},
    {"mish", OP_MISH, 0},
    {"hard_sigmoid", OP_HARD_SIGMOID, 0},
    {"hard_silu", OP_HARD_SWISH, 0},
    {"hard_swish", OP_HARD_SWISH, 0},
    {"silu", OP_SILU, 0},
    {"swish", OP_SILU, 0},
    {"gelu", OP_GELU, 0},
    {"softmax", OP_SOFTMAX, 0},
    {"log_softmax", OP_LOG_SOFTMAX, 0},
};

static KerasTensor unknown_act(Site *s, const char *name)
{
    return keras_refuse(s, arena_printf(s->k->arena, "the activation '%s'", name), NULL);
}

static KerasTensor act_named(Site *s, KerasTensor x, const char *name, const char *part)
{
    const ActRow *row = NULL;
    for (size_t i = 0; !row && i < sizeof acts / sizeof *acts; i++) {
        if (str_eq(acts[i].name, name))
            row = &acts[i];
    }
    if (!row)
        return unknown_act(s, name);
    if (row->op == OP_COUNT)
        return x;
    Node *in = keras_solid(s, &x);
    Attrs a = ir_default_attrs(row->op);
    if (row->alpha != 0)
        a.alpha = row->alpha;
    if (row->op == OP_HARD_SIGMOID && s->k->version < 3)
        a.alpha = 0.2; /* the slope of Keras 2 */
    return keras_tensor(keras_add(s, row->op, &in, 1, &a, part), x.rank);
}

/* ---- ReLU in all its forms ---- */

/* max(x, 0) up to `most`, and slope * x below 0. */
static KerasTensor relu(Site *s, KerasTensor x, double most, double slope, double threshold,
                        const char *part)
{
    const bool limited = isfinite(most);
    if (threshold != 0)
        return keras_refuse(s, "a threshold other than 0", NULL);
    if (limited && slope != 0)
        return keras_refuse(s, "a max_value and a negative_slope", "two layers can say it");
    if (most == 6 && x.later == LATER_AFFINE && x.scale == 1 && x.offset == 3) {
        x.later = LATER_RELU6;
        x.name = s->path;
        x.made = NEW(s->k->arena, Node *);
        return x;
    }
    const Op op = most == 6 ? OP_RELU6 : limited ? OP_CLIP : slope != 0 ? OP_LEAKY_RELU : OP_RELU;
    Attrs a = ir_default_attrs(op);
    Node *in = keras_solid(s, &x);
    a.alpha = slope;
    if (op == OP_CLIP)
        a.beta = most;
    return keras_tensor(keras_add(s, op, &in, 1, &a, part), x.rank);
}

/* A number of the configuration, which can have been an array of NumPy. */
static double scalar(const json_t *config, const char *key, double otherwise)
{
    const json_t *value = json_object_get(config, key);
    if (json_is_object(value))
        return keras_number(json_object_get(value, "config"), "value", otherwise);
    return json_is_number(value) ? json_number_value(value) : otherwise;
}

static KerasTensor relu_of(Site *s, KerasTensor x, const json_t *config, const char *part)
{
    return relu(s, x, scalar(config, "max_value", INFINITY), scalar(config, "negative_slope", 0),
                scalar(config, "threshold", 0), part);
}

static KerasTensor leaky_relu_of(Site *s, KerasTensor x, const json_t *config, const char *part)
{
    const double slope = scalar(config, "negative_slope", scalar(config, "alpha", 0.3));
    return relu(s, x, INFINITY, slope, 0, part);
}

static KerasTensor elu_of(Site *s, KerasTensor x, const json_t *config, const char *part)
{
    Attrs a = ir_default_attrs(OP_ELU);
    Node *in = keras_solid(s, &x);
    a.alpha = scalar(config, "alpha", 1);
    return keras_tensor(keras_add(s, OP_ELU, &in, 1, &a, part), x.rank);
}

/* One that is the activation of another layer. */
static KerasTensor softmax_of(Site *s, KerasTensor x, const json_t *config, const char *part)
{
    if (x.node && !keras_axis_is_last(config, x.rank))
        return keras_refuse(s, "its axis is not that of the channels, the last one", NULL);
    Node *in = keras_solid(s, &x);
    const Attrs a = ir_default_attrs(OP_SOFTMAX);
    return keras_tensor(keras_add(s, OP_SOFTMAX, &in, 1, &a, part), x.rank);
}

/* A name; a function {"class_name": "function", "config": "relu6"}; a layer {"class_name": "ReLU",
 * "config": {...}}. */
KerasTensor keras_activation(Site *s, KerasTensor x, const json_t *activation, const char *part)
{
    const json_t *config = json_object_get(activation, "config");
    const char *kind = json_string_value(json_object_get(activation, "class_name"));
    if (!activation || json_is_null(activation))
        return x;
    if (json_is_string(activation))
        return act_named(s, x, keras_class(json_string_value(activation)), part);
    if (!kind)
        return keras_refuse(s, "its activation is none", NULL);
    if (json_is_string(config))
        return act_named(s, x, keras_class(json_string_value(config)), part);
    kind = keras_class(kind);
    if (str_eq(kind, "ReLU"))
        return relu_of(s, x, config, part);
    if (str_eq(kind, "LeakyReLU"))
        return leaky_relu_of(s, x, config, part);
    if (str_eq(kind, "ELU"))
        return elu_of(s, x, config, part);
    if (str_eq(kind, "Softmax"))
        return softmax_of(s, x, config, part);
    if (str_eq(kind, "Activation"))
        return act_named(s, x, keras_text(config, "activation", "none"), part);
    return unknown_act(s, kind);
}

KerasTensor keras_activation_layer(Site *s)
{
    return keras_activation(s, s->in[0], json_object_get(s->config, "activation"), NULL);
}

KerasTensor keras_relu(Site *s)
{
    return relu_of(s, s->in[0], s->config, NULL);
}

KerasTensor keras_leaky_relu(Site *s)
{
    return leaky_relu_of(s, s->in[0], s->config, NULL);
}

KerasTensor keras_elu(Site *s)
{
    return elu_of(s, s->in[0], s->config, NULL);
}

/* clip() of keras.ops. */
KerasTensor keras_clip(Site *s)
{
    Attrs a = ir_default_attrs(OP_CLIP);
    Node *in = keras_in(s, 0);
    a.alpha = keras_number(s->config, "x_min", -INFINITY);
    a.beta = keras_number(s->config, "x_max", INFINITY);
    return keras_tensor(keras_add(s, OP_CLIP, &in, 1, &a, NULL), s->in[0].rank);
}

/* An activation of keras.ops: the name of its class is that of the function. */
KerasTensor keras_act_op(Site *s)
{
    static const char *const names[][2] = {
        {"Relu", "relu"},          {"Relu6", "relu6"},       {"Sigmoid", "sigmoid"},
        {"Tanh", "tanh"},          {"Silu", "silu"},         {"HardSigmoid", "hard_sigmoid"},
        {"HardSilu", "hard_silu"}, {"Gelu", "gelu"},         {"Celu", "celu"},
        {"Selu", "selu"},          {"Softplus", "softplus"}, {"Mish", "mish"},
    };
    if (str_eq(s->layer->kind, "LeakyRelu"))
        return relu(s, s->in[0], INFINITY, keras_number(s->config, "negative_slope", 0.2), 0, NULL);
    if (str_eq(s->layer->kind, "Celu") && keras_number(s->config, "alpha", 1) != 1)
        return unknown_act(s, "celu with an alpha other than 1");
    if (str_eq(s->layer->kind, "Gelu") && keras_truth(s->config, "approximate", true))
        return keras_tensor(builder_gelu_tanh(&s->k->b, keras_in(s, 0), s->path), s->in[0].rank);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (str_eq(names[i][0], s->layer->kind))
            return act_named(s, s->in[0], names[i][1], NULL);
    }
    return unknown_act(s, s->layer->kind);
}

/* |x| is a slope of -1 below zero. */
KerasTensor keras_absolute(Site *s)
{
    Attrs a = ir_default_attrs(OP_LEAKY_RELU);
    Node *in = keras_in(s, 0);
    a.alpha = -1;
    return keras_tensor(keras_add(s, OP_LEAKY_RELU, &in, 1, &a, NULL), s->in[0].rank);
}

KerasTensor keras_square(Site *s)
{
    const Attrs a = ir_default_attrs(OP_MUL);
    Node *x = keras_in(s, 0), *const in[] = {x, x};
    return keras_tensor(keras_add(s, OP_MUL, in, 2, &a, NULL), s->in[0].rank);
}

KerasTensor keras_identity(Site *s)
{
    return s->in[0];
}

KerasTensor keras_augmentation(Site *s)
{
    builder_remark(&s->k->b, "%s does nothing when a network computes, and is left out",
                   s->layer->kind);
    return s->in[0];
}

/* ---- joins ---- */

/* The layers that join tensors see those of fewer axes as [1][1][c]; operators do not. */
static bool same_ranks(Site *s)
{
    for (int i = 1; i < s->n_in; i++) {
        if (s->in[i].node && s->in[0].node && s->in[i].rank != s->in[0].rank && !s->call->listed)
            return false;
    }
    return true;
}

static int largest_rank(const Site *s)
{
    int rank = 0;
    for (int i = 0; i < s->n_in; i++)
        rank = s->in[i].rank > rank ? s->in[i].rank : rank;
    return rank;
}

static KerasTensor join(Site *s, Op op)
{
    const Attrs a = ir_default_attrs(op);
    Node **in = NEW_ARRAY(s->k->arena, Node *, s->n_in);
    if (s->n_in == 1)
        return s->in[0];
    if (!same_ranks(s))
        return keras_refuse(s, "a vector and an image are its operands", NULL);
    for (int i = 0; i < s->n_in; i++)
        in[i] = keras_in(s, i);
    return keras_tensor(keras_add(s, op, in, s->n_in, &a, NULL), largest_rank(s));
}

/* Along the rows, axis 1, or the columns, axis 2 of an image. */
static KerasTensor concat_pixels(Site *s, const json_t *named)
{
    const int rank = largest_rank(s);
    const json_t *value = json_object_get(named, "axis");
    json_int_t axis = json_is_integer(value) ? json_integer_value(value) : 0;
    Node **in = NEW_ARRAY(s->k->arena, Node *, s->n_in + 1);
    axis += axis < 0 ? rank : 0;
    if (axis < 1 || axis > rank - 2 || axis > 2 || !same_ranks(s))
        return keras_refuse(s, "its axis is none of the channels, the rows or the columns", NULL);
    if (s->n_in == 1)
        return s->in[0];
    for (int i = 0; i < s->n_in; i++)
        in[i] = keras_in(s, i);
    return keras_tensor(builder_concat_pixels(&s->k->b, in, s->n_in, axis == 2, s->path), rank);
}

KerasTensor keras_concat(Site *s)
{
    const json_t *named = json_object_get(s->config, "axis") ? s->config : s->call->options;
    bool last = true;
    for (int i = 0; i < s->n_in; i++)
        last = last && (!s->in[i].node || keras_axis_is_last(named, s->in[i].rank));
    return last ? join(s, OP_CONCAT) : concat_pixels(s, named);
}

KerasTensor keras_average(Site *s)
{
    KerasTensor sum = join(s, OP_ADD);
    sum = keras_affine(s, &sum, 1.0 / s->n_in, 0);
    sum.name = arena_printf(s->k->arena, "%s_mean", s->path);
    return sum;
}

/* ---- a tensor and a constant ---- */

int keras_constant(const Site *s, double **to, bool *second)
{
    const KerasArgs *args = &s->call->args;
    for (int i = 0; i < args->n; i++) {
        const KerasArg *arg = &args->at[i];
        if (arg->kind == ARG_TENSOR)
            continue;
        *second = i > 0;
        if (arg->kind == ARG_ARRAY)
            return keras_numbers(arg->array, to, s->k->arena);
        *to = NEW(s->k->arena, double);
        **to = arg->number;
        return 1;
    }
    return -1;
}

static KerasTensor with_constant(Site *s)
{
    const char *kind = s->layer->kind;
    const KerasTensor *x = &s->in[0];
    static const double one = 1, zero = 0, minus = -1;
    double *c = NULL;
    bool second = true;
    if (str_eq(kind, "Negative"))
        return keras_affine(s, x, -1, 0);
    const int n = keras_constant(s, &c, &second);
    const bool divide = str_eq(kind, "Divide") || str_eq(kind, "TrueDivide");
    if (n < 1 || s->call->args.n != 2)
        return keras_refuse(s, "its operand is no number", NULL);
    if (divide && !second)
        return keras_refuse(s, "a number divided by a tensor", NULL);
    for (int i = 0; i < n && divide; i++)
        c[i] = 1 / c[i];
    for (int i = 0; i < n && second && str_eq(kind, "Subtract"); i++)
        c[i] = -c[i];
    if (str_eq(kind, "Add") || str_eq(kind, "Subtract"))
        return keras_scaled(s, second || str_eq(kind, "Add") ? &one : &minus, 1, c, n);
    if (n == 1 && x->later == LATER_RELU6 && fabs(*c * 6 - 1) < 1e-6) {
        Node *in = x->node;
        return keras_tensor(keras_simple(s, OP_HARD_SIGMOID, in, NULL), x->rank);
    }
    return keras_scaled(s, c, n, &zero, 1);
}

KerasTensor keras_arithmetic(Site *s)
{
    const char *kind = s->layer->kind;
    if (s->n_in == 1 && !(s->call->listed && s->call->args.n == 1))
        return with_constant(s);
    if (str_eq(kind, "Add"))
        return join(s, OP_ADD);
    if (str_eq(kind, "Multiply"))
        return join(s, OP_MUL);
    return join(s, str_eq(kind, "Subtract") ? OP_SUB : OP_DIV);
}
