/* eval.c: the oracle.  Each operator is one function with plain loops in double, written to be
 * seen to be correct rather than to be fast (though convolutions, in eval_window.c, are arranged
 * so that a ResNet-50 takes seconds).  It shares no code with the kernels. */
#include "net/eval_parts.h"

#include <math.h>
#include <string.h>

int64_t element_at(Type t, int n, int y, int x, int c)
{
    return (((int64_t)n * t.h + y) * t.w + x) * t.c + c;
}

/* ---- element by element ---- */

double larger(double a, double b)
{
    return isnan(a) || a > b ? a : b;
}

double smaller(double a, double b)
{
    return isnan(a) || a < b ? a : b;
}

/* A NaN stays one; an infinity gives the function's limit. */
static double activate(Act act, double alpha, double beta, double x)
{
    switch (act) {
    case ACT_RELU:
        return larger(x, 0);
    case ACT_RELU6:
        return smaller(larger(x, 0), 6);
    case ACT_LEAKY_RELU:
    case ACT_PRELU:
        return x > 0 ? x : alpha * x;
    case ACT_SIGMOID:
        return 1 / (1 + exp(-x));
    case ACT_TANH:
        return tanh(x);
    case ACT_HARD_SIGMOID:
        return smaller(larger(alpha * x + beta, 0), 1);
    case ACT_HARD_SWISH:
        return x <= -3 ? 0 : x * smaller(x + 3, 6) / 6;
    case ACT_SILU:
        return x == -INFINITY ? 0 : x / (1 + exp(-x));
    case ACT_GELU:
        return x == -INFINITY ? 0 : x * 0.5 * erfc(-x * sqrt(0.5));
    case ACT_ELU:
        return x > 0 ? x : alpha * expm1(x);
    case ACT_SELU:
        return 1.0507009873554804934 * (x > 0 ? x : 1.6732632423543772848 * expm1(x));
    case ACT_SOFTPLUS:
        return larger(x, 0) + log1p(exp(-fabs(x)));
    case ACT_MISH:
        return x == -INFINITY ? 0 : x * tanh(larger(x, 0) + log1p(exp(-fabs(x))));
    case ACT_CLIP:
        return smaller(larger(x, alpha), beta);
    case ACT_NONE:
    case ACT_COUNT:
        break;
    }
    return x;
}

static void copy(EvalStep *s)
{
    memcpy(s->out, s->in[0], (size_t)type_elements(s->node->type) * sizeof(double));
}

void eval_INPUT(EvalStep *s)
{
    copy(s);
}

void eval_CAST(EvalStep *s)
{
    copy(s);
}

static void map(EvalStep *s, Act act)
{
    int64_t n = type_elements(s->node->type);
    double alpha, beta;
    act_numbers(s->node->op, &s->node->attrs, &alpha, &beta);
    for (int64_t i = 0; i < n; i++)
        s->out[i] = activate(act, alpha, beta, s->in[0][i]);
}

#define ACTIVATION_EVAL(id)     \
    void eval_##id(EvalStep *s) \
    {                           \
        map(s, ACT_##id);       \
    }
ACTIVATION_EVAL(RELU)
ACTIVATION_EVAL(RELU6)
ACTIVATION_EVAL(LEAKY_RELU)
ACTIVATION_EVAL(SIGMOID)
ACTIVATION_EVAL(TANH)
ACTIVATION_EVAL(HARD_SIGMOID)
ACTIVATION_EVAL(HARD_SWISH)
ACTIVATION_EVAL(SILU)
ACTIVATION_EVAL(GELU)
ACTIVATION_EVAL(ELU)
ACTIVATION_EVAL(SELU)
ACTIVATION_EVAL(SOFTPLUS)
ACTIVATION_EVAL(MISH)
ACTIVATION_EVAL(CLIP)

/* ---- joins ---- */

/* The element of an operand that meets result element (n, y, x, c), where the
 * operand may be spread over pixels or channels. */
static double spread(const double *in, Type t, int n, int y, int x, int c)
{
    bool pixel = t.h == 1 && t.w == 1;
    return in[element_at(t, n, pixel ? 0 : y, pixel ? 0 : x, t.c == 1 ? 0 : c)];
}

static double joined(Op op, double a, double b)
{
    return op == OP_MUL ? a * b : op == OP_SUB ? a - b : op == OP_DIV ? a / b : a + b;
}

static void join(EvalStep *s)
{
    const Node *node = s->node;
    Type t = node->type;
    for (int n = 0; n < t.n; n++)
        for (int y = 0; y < t.h; y++)
            for (int x = 0; x < t.w; x++)
                for (int c = 0; c < t.c; c++) {
                    double value = spread(s->in[0], node->in[0]->type, n, y, x, c);
                    for (int i = 1; i < node->n_in; i++)
                        value = joined(node->op, value,
                                       spread(s->in[i], node->in[i]->type, n, y, x, c));
                    s->out[element_at(t, n, y, x, c)] = value;
                }
}

void eval_ADD(EvalStep *s)
{
    join(s);
}

void eval_MUL(EvalStep *s)
{
    join(s);
}

void eval_SUB(EvalStep *s)
{
    join(s);
}

void eval_DIV(EvalStep *s)
{
    join(s);
}

void eval_CONCAT(EvalStep *s)
{
    int total = s->node->type.c, before = 0;
    int64_t pixels = type_elements(s->node->type) / total;
    for (int i = 0; i < s->node->n_in; i++) {
        int c = s->node->in[i]->type.c;
        for (int64_t p = 0; p < pixels; p++)
            memcpy(s->out + p * total + before, s->in[i] + p * c, (size_t)c * sizeof(double));
        before += c;
    }
}

/* Copies all rows of an operand's image at once. */
void eval_STACK(EvalStep *s)
{
    const Type t = s->node->type;
    const int64_t row = (int64_t)t.w * t.c;
    for (int n = 0, before = 0; n < t.n; n++, before = 0) {
        for (int i = 0; i < s->node->n_in; i++) {
            const int h = s->node->in[i]->type.h;
            memcpy(s->out + ((int64_t)n * t.h + before) * row, s->in[i] + n * h * row,
                   (size_t)(h * row) * sizeof(double));
            before += h;
        }
    }
}

/* Copies the part's channels of each pixel. */
void eval_SPLIT(EvalStep *s)
{
    const int c = s->node->type.c, total = s->node->in[0]->type.c;
    const int64_t pixels = type_elements(s->node->type) / c;
    int first;
    split_part(&s->node->attrs, total, s->node->attrs.result, &first);
    for (int64_t p = 0; p < pixels; p++)
        memcpy(s->out + p * c, s->in[0] + p * total + first, (size_t)c * sizeof(double));
}

/* ---- moves ---- */

void eval_FLATTEN(EvalStep *s)
{
    Type t = s->node->in[0]->type;
    int64_t at = 0;
    if (s->node->attrs.order == ORDER_NHWC) {
        copy(s);
        return;
    }
    for (int n = 0; n < t.n; n++)
        for (int c = 0; c < t.c; c++)
            for (int y = 0; y < t.h; y++)
                for (int x = 0; x < t.w; x++)
                    s->out[at++] = s->in[0][element_at(t, n, y, x, c)];
}

void eval_ZEROPAD(EvalStep *s)
{
    Type in = s->node->in[0]->type, out = s->node->type;
    const Attrs *a = &s->node->attrs;
    for (int64_t i = 0; i < type_elements(out); i++)
        s->out[i] = 0;
    for (int n = 0; n < in.n; n++)
        for (int y = 0; y < in.h; y++)
            for (int x = 0; x < in.w; x++)
                for (int c = 0; c < in.c; c++)
                    s->out[element_at(out, n, y + a->padding[0], x + a->padding[1],
                                      c + a->channel_padding[0])] =
                        s->in[0][element_at(in, n, y, x, c)];
}

/* Result pixel (y, x) is pixel (y * stride / repeat, ...) of the operand. */
static void resample(EvalStep *s, const int *stride, const int *repeat)
{
    Type in = s->node->in[0]->type, out = s->node->type;
    for (int n = 0; n < out.n; n++)
        for (int y = 0; y < out.h; y++)
            for (int x = 0; x < out.w; x++)
                memcpy(s->out + element_at(out, n, y, x, 0),
                       s->in[0] + element_at(in, n, y * stride[0] / repeat[0],
                                             x * stride[1] / repeat[1], 0),
                       (size_t)in.c * sizeof(double));
}

void eval_SUBSAMPLE(EvalStep *s)
{
    resample(s, s->node->attrs.stride, (int[]){1, 1});
}

void eval_UPSAMPLE(EvalStep *s)
{
    resample(s, (int[]){1, 1}, s->node->attrs.scale_by);
}

/* ---- the network ---- */

static int64_t weights_of(const Node *node)
{
    const Param *weight = node->params[P_WEIGHT];
    return weight ? param_elements(weight) : 1;
}

static int64_t largest_weights(const Net *net)
{
    int64_t most = 1;
    for (int i = 0; i < net->nodes.n; i++) {
        const int64_t n = weights_of(net->nodes.at[i]);
        most = n > most ? n : most;
    }
    return most;
}

/* Applies the fused activation, and rounds if tensors are float. */
static void finish(const Node *node, double *out, EvalPrecision precision)
{
    int64_t n = type_elements(node->type);
    const Param *slope = node->params[P_SLOPE];
    for (int64_t i = 0; i < n; i++) {
        const double alpha = slope ? param_at(slope, i % node->type.c) : node->act_alpha;
        const double value = activate(node->act, alpha, node->act_beta, out[i]);
        out[i] = precision == EVAL_FLOAT ? (double)(float)value : value;
    }
}

static void eval_step(EvalStep *step)
{
    static void (*const evals[OP_COUNT])(EvalStep *) = {
#define OP(id, name, least, most, flags, doc) eval_##id,
#include "net/ops.def"
    };
    evals[step->node->op](step);
}

void eval_node(const Node *node, const double *const *in, double *out, Arena *arena)
{
    EvalStep step = {node, in, out, NEW_ARRAY(arena, double, weights_of(node)), NULL, arena};
    eval_step(&step);
    finish(node, out, EVAL_DOUBLE);
}

EvalResult eval_run(const Net *net, EvalState *state, const double *const *inputs,
                    EvalPrecision precision, Arena *arena)
{
    EvalResult result = {NEW_ARRAY(arena, double *, net->nodes.n), net->nodes.n};
    double *scratch = NEW_ARRAY(arena, double, largest_weights(net));
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *node = net->nodes.at[i];
        const double **in = NEW_ARRAY(arena, const double *, node->n_in + 1);
        for (int j = 0; j < node->n_in; j++)
            in[j] = result.values[node->in[j]->id];
        for (int j = 0; node->op == OP_INPUT && j < net->inputs.n; j++) {
            if (net->inputs.at[j].node == node)
                in[0] = inputs[j];
        }
        result.values[i] = NEW_ARRAY(arena, double, type_elements(node->type));
        EvalStep step = {node, in, result.values[i], scratch, state->kept[i], arena};
        eval_step(&step);
        finish(node, result.values[i], precision);
    }
    return result;
}

EvalResult eval_net(const Net *net, const double *const *inputs, EvalPrecision precision,
                    Arena *arena)
{
    return eval_run(net, eval_state(net, arena), inputs, precision, arena);
}
