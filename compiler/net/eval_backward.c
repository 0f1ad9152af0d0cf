/* eval_backward.c: the oracle's operators of a backward part (ops.def, training).  Each is the
 * derivative as it is found in textbooks, in plain loops.
 *
 * dy and dx are the loss's gradients by a result and by an operand. */
#include "net/eval_parts.h"

#include <math.h>
#include <string.h>

static void clear(EvalStep *s)
{
    memset(s->out, 0, (size_t)type_elements(s->node->type) * sizeof(double));
}

/* ---- normalisation ---- */

/* The sum of a channel's elements. */
static double channel_sum(const double *x, Type t, int c)
{
    double sum = 0;
    for (int64_t i = c; i < type_elements(t); i += t.c)
        sum += x[i];
    return sum;
}

static double channel_mean(const double *x, Type t, int c)
{
    return channel_sum(x, t, c) / (double)(type_elements(t) / t.c);
}

/* The biased variance of a channel: the mean of (x - mean)^2. */
static double channel_variance(const double *x, Type t, int c, double mean)
{
    double sum = 0;
    for (int64_t i = c; i < type_elements(t); i += t.c)
        sum += (x[i] - mean) * (x[i] - mean);
    return sum / (double)(type_elements(t) / t.c);
}

/* gamma, or 1 where there is none. */
static double weight_at(const Node *node, int c)
{
    return node->params[P_WEIGHT] ? param_at(node->params[P_WEIGHT], c) : 1;
}

void eval_BN_TRAIN(EvalStep *s)
{
    const Node *node = s->node;
    const Type t = node->in[0]->type;
    for (int c = 0; c < t.c; c++) {
        const double mean = channel_mean(s->in[0], t, c);
        const double variance = channel_variance(s->in[0], t, c, mean);
        const double factor = weight_at(node, c) / sqrt(variance + node->attrs.epsilon);
        const double bias = node->params[P_BIAS] ? param_at(node->params[P_BIAS], c) : 0;
        if (node->attrs.result > 0)
            s->out[c] = node->attrs.result == 1 ? mean : variance;
        for (int64_t i = c; node->attrs.result == 0 && i < type_elements(t); i += t.c)
            s->out[i] = ((s->in[0][i] - mean) * factor + bias) + (node->n_in > 1 ? s->in[1][i] : 0);
    }
}

/* The same operations on the statistics that bn_train found. */
void eval_BN_AGAIN(EvalStep *s)
{
    const Node *node = s->node;
    const Type t = node->type;
    for (int c = 0; c < t.c; c++) {
        const double factor = weight_at(node, c) / sqrt(s->in[2][c] + node->attrs.epsilon);
        const double bias = node->params[P_BIAS] ? param_at(node->params[P_BIAS], c) : 0;
        for (int64_t i = c; i < type_elements(t); i += t.c)
            s->out[i] =
                ((s->in[0][i] - s->in[1][c]) * factor + bias) + (node->n_in > 3 ? s->in[3][i] : 0);
    }
}

/* A channel of a normalisation's backward part: x^ = (x - mean) / spread. */
typedef struct Channel {
    int c;
    double mean, spread, weight;
    double d_weight, d_bias; /* the sums of dy x^ and of dy */
} Channel;

static Channel channel_of(const EvalStep *s, int c, double mean, double variance)
{
    const Type t = s->node->in[1]->type;
    Channel ch = {c,
                  mean,
                  sqrt(variance + s->node->attrs.epsilon),
                  weight_at(s->node, c),
                  0,
                  channel_sum(s->in[0], t, c)};
    for (int64_t i = c; i < type_elements(t); i += t.c)
        ch.d_weight += s->in[0][i] * (s->in[1][i] - mean) / ch.spread;
    return ch;
}

/* Ioffe and Szegedy, 2015, section 3, with the terms collected:
 * dx = weight / spread * (dy - mean of dy - x^ * mean of dy x^). */
void eval_BN_BACKWARD(EvalStep *s)
{
    const Type t = s->node->in[1]->type;
    const double n = (double)(type_elements(t) / t.c);
    for (int c = 0; c < t.c; c++) {
        const Channel ch = channel_of(s, c, s->in[2][c], s->in[3][c]);
        if (s->node->attrs.result > 0) {
            s->out[c] = s->node->attrs.result == 1 ? ch.d_weight : ch.d_bias;
            continue;
        }
        for (int64_t i = c; i < type_elements(t); i += t.c) {
            const double x = (s->in[1][i] - ch.mean) / ch.spread;
            s->out[i] = ch.weight / ch.spread * (s->in[0][i] - ch.d_bias / n - x * ch.d_weight / n);
        }
    }
}

/* The statistics are constants: dx = weight / spread * dy. */
void eval_BN_FIXED_BACKWARD(EvalStep *s)
{
    const Node *node = s->node;
    const Type t = node->in[1]->type;
    for (int c = 0; c < t.c; c++) {
        const Channel ch = channel_of(s, c, param_at(node->params[P_MEAN], c),
                                      param_at(node->params[P_VARIANCE], c));
        if (node->attrs.result > 0)
            s->out[c] = node->attrs.result == 1 ? ch.d_weight : ch.d_bias;
        for (int64_t i = c; node->attrs.result == 0 && i < type_elements(t); i += t.c)
            s->out[i] = ch.weight / ch.spread * s->in[0][i];
    }
}

/* ---- element by element ---- */

/* The derivative of an activation, from its result y where that is enough, else from x.  A NaN
 * stays one; for an infinite x it is the limit. */
static double slope(Act act, double alpha, double beta, double v)
{
    if (isnan(v))
        return v;
    if (isinf(v) && (act == ACT_SILU || act == ACT_GELU || act == ACT_MISH))
        return v > 0;
    const double sigmoid = 1 / (1 + exp(-v)), linear = alpha * v + beta;
    const double t = tanh(v > 0 ? v + log1p(exp(-v)) : log1p(exp(v)));
    switch (act) {
    case ACT_RELU:
        return v > 0;
    case ACT_RELU6:
        return v > 0 && v < 6;
    case ACT_LEAKY_RELU: /* y has the sign of x if alpha > 0 */
        return v > 0 ? 1 : alpha;
    case ACT_SIGMOID: /* of y */
        return v * (1 - v);
    case ACT_TANH: /* of y */
        return 1 - v * v;
    case ACT_HARD_SIGMOID: /* from here on, of x */
        return linear > 0 && linear < 1 ? alpha : 0;
    case ACT_HARD_SWISH:
        return v <= -3 ? 0 : v < 3 ? (2 * v + 3) / 6 : 1;
    case ACT_SILU:
        return sigmoid * (1 + v * (1 - sigmoid));
    case ACT_GELU: /* Phi(x) + x phi(x), the normal distribution and its density */
        return 0.5 * erfc(-v * sqrt(0.5)) + v * exp(-v * v / 2) / sqrt(8 * atan(1));
    case ACT_ELU:
        return v > 0 ? 1 : alpha * exp(v);
    case ACT_SELU:
        return 1.0507009873554804934 * (v > 0 ? 1 : 1.6732632423543772848 * exp(v));
    case ACT_SOFTPLUS:
        return sigmoid;
    case ACT_MISH:
        return t + v * (1 - t * t) * sigmoid;
    case ACT_CLIP:
        return v > alpha && v < beta;
    case ACT_NONE:
    case ACT_PRELU: /* has an operator of its own */
    case ACT_COUNT:
        break;
    }
    return 1;
}

void eval_ACT_BACKWARD(EvalStep *s)
{
    const Attrs *a = &s->node->attrs;
    for (int64_t i = 0; i < type_elements(s->node->type); i++)
        s->out[i] = s->in[0][i] * slope((Act)a->of, a->alpha, a->beta, s->in[1][i]);
}

/* ---- sums and moves ---- */

void eval_SUM(EvalStep *s)
{
    const Type in = s->node->in[0]->type, out = s->node->type;
    const Attrs *a = &s->node->attrs;
    clear(s);
    for (int n = 0; n < in.n; n++)
        for (int y = 0; y < in.h; y++)
            for (int x = 0; x < in.w; x++)
                for (int c = 0; c < in.c; c++)
                    s->out[element_at(out, a->images ? 0 : n, a->pixels ? 0 : y, a->pixels ? 0 : x,
                                      a->channels ? 0 : c)] += s->in[0][element_at(in, n, y, x, c)];
}

/* Adds each pixel of dy to pixel (y * stride / repeat, ...) of dx. */
static void resample(EvalStep *s, const int *stride, const int *repeat)
{
    const Type dy = s->node->in[0]->type, dx = s->node->type;
    clear(s);
    for (int n = 0; n < dy.n; n++)
        for (int y = 0; y < dy.h; y++)
            for (int x = 0; x < dy.w; x++)
                for (int c = 0; c < dy.c; c++)
                    s->out[element_at(dx, n, y * stride[0] / repeat[0], x * stride[1] / repeat[1],
                                      c)] += s->in[0][element_at(dy, n, y, x, c)];
}

void eval_SUBSAMPLE_BACKWARD(EvalStep *s)
{
    resample(s, s->node->attrs.stride, (int[]){1, 1});
}

void eval_UPSAMPLE_BACKWARD(EvalStep *s)
{
    resample(s, (int[]){1, 1}, s->node->attrs.scale_by);
}

/* ---- updates ---- */

/* The element of a tensor of type param_type() that belongs to element i of the parameter: from
 * [o][i][h][w] to [o][h][w][i], if there are four dims; from [c][h][w] to [h][w][c], if three. */
static int64_t element_of(const Param *param, int64_t i)
{
    const int64_t pixels = (int64_t)param->dims[1] * param->dims[2];
    if (param->rank == 3)
        return i % pixels * param->dims[0] + i / pixels;
    if (param->rank < 3)
        return i;
    const int64_t taps = (int64_t)param->dims[2] * param->dims[3], tap = i % taps;
    const int64_t c = i / taps % param->dims[1], o = i / taps / param->dims[1];
    return (o * taps + tap) * param->dims[1] + c;
}

double *eval_update(const Net *net, const Param *param, const EvalResult *result, Arena *arena)
{
    const int64_t n = param_elements(param);
    double *out = NULL;
    for (int i = 0; i < net->updates.n; i++) {
        const Update *u = &net->updates.at[i];
        if (u->param != param)
            continue;
        const double *value = result->values[u->node->id];
        const bool first = !out;
        out = first ? NEW_ARRAY(arena, double, n) : out;
        for (int64_t k = 0; k < n; k++) {
            const double v = value[element_of(param, k)];
            if (u->kind == UPDATE_GRADIENT)
                out[k] = v;
            else
                out[k] =
                    (1 - u->rate) * (first ? param_at(param, k) : out[k]) + u->rate * u->scale * v;
        }
    }
    return out;
}

/* ---- losses ---- */

/* The loss of a pixel, -sum of target_k log softmax_k, and its gradient, softmax - target, where
 * target is (1 - smoothing) at the label plus smoothing / c everywhere.  The largest logit is
 * subtracted first, so that nothing overflows. */
static double pixel_loss(const double *logits, int c, int label, double smoothing, double *gradient)
{
    double most = logits[0], sum = 0, loss = 0;
    for (int k = 1; k < c; k++)
        most = fmax(most, logits[k]);
    for (int k = 0; k < c; k++)
        sum += exp(logits[k] - most);
    for (int k = 0; k < c; k++) {
        const double log_softmax = logits[k] - most - log(sum);
        const double target = (k == label ? 1 - smoothing : 0) + smoothing / c;
        loss -= target * log_softmax;
        if (gradient)
            gradient[k] = exp(log_softmax) - target;
    }
    return loss;
}

void eval_CROSS_ENTROPY(EvalStep *s)
{
    const Type t = s->node->in[0]->type;
    const int64_t pixels = type_elements(t) / t.c;
    const bool gradient = s->node->attrs.result == 1;
    double loss = 0;
    for (int64_t p = 0; p < pixels; p++) {
        double *to = gradient ? s->out + p * t.c : NULL;
        loss += pixel_loss(s->in[0] + p * t.c, t.c, (int)s->in[1][p], s->node->attrs.smoothing, to);
        for (int k = 0; gradient && k < t.c; k++)
            to[k] /= (double)pixels;
    }
    if (!gradient)
        s->out[0] = loss / (double)pixels;
}

void eval_MEAN_SQUARED_ERROR(EvalStep *s)
{
    const int64_t n = type_elements(s->node->in[0]->type);
    const bool gradient = s->node->attrs.result == 1;
    double loss = 0;
    for (int64_t i = 0; i < n; i++) {
        const double apart = s->in[0][i] - s->in[1][i];
        loss += apart * apart / (double)n;
        if (gradient)
            s->out[i] = 2 * apart / (double)n;
    }
    if (!gradient)
        s->out[0] = loss;
}
