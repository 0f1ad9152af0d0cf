/* eval_window.c: the oracle's convolution, dense layer and pools. */
#include "net/eval_parts.h"

#include "net/sample.h"

#include <math.h>

static double bias_of(const Node *node, int filter)
{
    return node->params[P_BIAS] ? param_at(node->params[P_BIAS], filter) : 0;
}

/* ---- convolution ---- */

/* Reorders weights from [filter][c][tap], where filter = group * filters + f, to
 * [group][tap][c][f], so that the sums of all filters of a group are computed together, in one
 * pass over memory.  A block of filters at once fills whole cache lines. */
static void turn_weights(const Node *node, double *turned)
{
    enum { BLOCK = 8 };
    const int *dims = node->params[P_WEIGHT]->dims;
    const Param *weight = node->params[P_WEIGHT];
    const int filters = dims[0] / node->attrs.groups, channels = dims[1];
    const int64_t taps = dims[2] * dims[3];
    for (int filter = 0, end; filter < dims[0]; filter = end) {
        const int g = filter / filters, f = filter % filters;
        end = filter + (filters - f < BLOCK ? filters - f : BLOCK);
        for (int64_t c = 0; c < channels; c++)
            for (int64_t tap = 0; tap < taps; tap++) {
                double *to = turned + ((g * taps + tap) * channels + c) * filters + f;
                for (int64_t k = filter; k < end; k++)
                    *to++ = param_at(weight, (k * channels + c) * taps + tap);
            }
    }
}

/* Adds one tap's products to the sums of all filters of all groups at one
 * pixel.  `in` is the pixel under the tap, `weight` the tap's of group 0. */
static void add_tap(const Node *node, const double *in, const double *weight, double *sums)
{
    const int *dims = node->params[P_WEIGHT]->dims;
    int groups = node->attrs.groups, filters = dims[0] / groups, channels = dims[1];
    int64_t group_weights = (int64_t)dims[2] * dims[3] * channels * filters;
    for (int g = 0; g < groups; g++) {
        const double *w = weight + g * group_weights;
        double *sum = sums + (int64_t)g * filters;
        for (int c = 0; c < channels; c++, w += filters) {
            double x = in[(int64_t)g * channels + c];
            for (int f = 0; f < filters; f++)
                sum[f] += x * w[f];
        }
    }
}

/* out(y, x) = bias + sum over taps (i, j) inside the input or its padding, and channels, of
 * weight(i, j) * in(y * stride + i * dilation - padding, ...). */
void eval_CONV(EvalStep *s)
{
    const Node *node = s->node;
    const Attrs *a = &node->attrs;
    Type in = node->in[0]->type, out = node->type;
    int64_t tap_weights = (int64_t)(in.c / a->groups) * (out.c / a->groups);
    turn_weights(node, s->scratch);
    for (int n = 0; n < out.n; n++)
        for (int y = 0; y < out.h; y++)
            for (int x = 0; x < out.w; x++) {
                double *sums = s->out + element_at(out, n, y, x, 0);
                for (int f = 0; f < out.c; f++)
                    sums[f] = bias_of(node, f);
                for (int i = 0; i < a->kernel[0]; i++)
                    for (int j = 0; j < a->kernel[1]; j++) {
                        const int row = padding_source(
                            a->padding_mode, y * a->stride[0] + i * a->dilation[0] - a->padding[0],
                            in.h);
                        const int pixel = padding_source(
                            a->padding_mode, x * a->stride[1] + j * a->dilation[1] - a->padding[1],
                            in.w);
                        if (row < 0 || pixel < 0)
                            continue;
                        add_tap(node, s->in[0] + element_at(in, n, row, pixel, 0),
                                s->scratch + (i * a->kernel[1] + j) * tap_weights, sums);
                    }
                for (int f = 0; node->n_in > 1 && f < out.c; f++)
                    sums[f] += s->in[1][element_at(out, n, y, x, f)];
            }
}

void eval_DENSE(EvalStep *s)
{
    const Node *node = s->node;
    const Param *weight = node->params[P_WEIGHT]; /* [units][channels] */
    int units = node->type.c, channels = node->in[0]->type.c;
    for (int n = 0; n < node->type.n; n++)
        for (int u = 0; u < units; u++) {
            double sum = bias_of(node, u);
            for (int c = 0; c < channels; c++)
                sum += s->in[0][(int64_t)n * channels + c] *
                       param_at(weight, (int64_t)u * channels + c);
            int64_t at = (int64_t)n * units + u;
            s->out[at] = node->n_in > 1 ? sum + s->in[1][at] : sum;
        }
}

/* ---- pools ---- */

/* How many pixels of window `at` lie in the input, or, if `padded`, in the input with its padding:
 * ceil_mode lets the last window end beyond that. */
static int window_extent(const Attrs *a, int axis, int in, int at, bool padded)
{
    const int before = padded ? a->padding[axis] : 0, after = padded ? a->padding[axis + 2] : 0;
    const int first = at * a->stride[axis] - a->padding[axis], last = first + a->kernel[axis] - 1;
    const int low = first > -before ? first : -before;
    const int high = last < in + after ? last : in + after - 1;
    return high - low + 1;
}

double pool_divisor(const Attrs *a, Type in, int y, int x)
{
    if (a->divisor)
        return a->divisor;
    return (double)window_extent(a, 0, in.h, y, a->count_padding) *
           window_extent(a, 1, in.w, x, a->count_padding);
}

/* The largest element of a window (a NaN, if there is one), or the sum. */
static double reduce_window(const EvalStep *s, int n, int y, int x, int c)
{
    const Attrs *a = &s->node->attrs;
    Type in = s->node->in[0]->type;
    bool mean = s->node->op == OP_AVGPOOL;
    double value = mean ? 0 : -INFINITY;
    for (int i = 0; i < a->kernel[0]; i++)
        for (int j = 0; j < a->kernel[1]; j++) {
            int row = y * a->stride[0] + i - a->padding[0];
            int pixel = x * a->stride[1] + j - a->padding[1];
            if (row < 0 || row >= in.h || pixel < 0 || pixel >= in.w)
                continue;
            double v = s->in[0][element_at(in, n, row, pixel, c)];
            value = mean ? value + v : larger(value, v);
        }
    return value;
}

static void pool(EvalStep *s)
{
    const Type in = s->node->in[0]->type, out = s->node->type;
    for (int n = 0; n < out.n; n++)
        for (int y = 0; y < out.h; y++)
            for (int x = 0; x < out.w; x++)
                for (int c = 0; c < out.c; c++) {
                    double value = reduce_window(s, n, y, x, c);
                    if (s->node->op == OP_AVGPOOL)
                        value /= pool_divisor(&s->node->attrs, in, y, x);
                    s->out[element_at(out, n, y, x, c)] = value;
                }
}

void eval_MAXPOOL(EvalStep *s)
{
    pool(s);
}

void eval_AVGPOOL(EvalStep *s)
{
    pool(s);
}
