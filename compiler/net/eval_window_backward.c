/* eval_window_backward.c: the oracle's backward parts of convolutions, dense layers and pools. */
#include "net/eval_parts.h"

#include <math.h>
#include <string.h>

/* The pixel of x under tap (i, j) of the window of result pixel (y, x), or NULL in the padding. */
static double *under_tap(const Attrs *a, const int *dilation, double *image, Type t, int y, int x,
                         int i, int j)
{
    const int row = y * a->stride[0] + i * dilation[0] - a->padding[0];
    const int pixel = x * a->stride[1] + j * dilation[1] - a->padding[1];
    const bool inside = row >= 0 && row < t.h && pixel >= 0 && pixel < t.w;
    return inside ? image + element_at(t, 0, row, pixel, 0) : NULL;
}

static void clear(double *to, Type t)
{
    memset(to, 0, (size_t)type_elements(t) * sizeof *to);
}

/* ---- convolution ---- */

/* d weight(f, tap, c) is the sum over all positions of dy(y, x, f) x(under the tap, c). */
void eval_CONV_WEIGHTS(EvalStep *s)
{
    const Attrs *a = &s->node->attrs;
    const Type dy = s->node->in[0]->type, in = s->node->in[1]->type;
    const int channels = in.c / a->groups, filters = dy.c / a->groups;
    const int taps = a->kernel[0] * a->kernel[1];
    clear(s->out, s->node->type);
    for (int n = 0; n < dy.n; n++)
        for (int y = 0; y < dy.h; y++)
            for (int x = 0; x < dy.w; x++)
                for (int tap = 0; tap < taps; tap++) {
                    double *image = (double *)s->in[1] + element_at(in, n, 0, 0, 0);
                    const double *from = under_tap(a, a->dilation, image, in, y, x,
                                                   tap / a->kernel[1], tap % a->kernel[1]);
                    for (int f = 0; from && f < dy.c; f++) {
                        const double v = s->in[0][element_at(dy, n, y, x, f)];
                        double *w = s->out + ((int64_t)f * taps + tap) * channels;
                        for (int c = 0, at = f / filters * channels; c < channels; c++)
                            w[c] += v * from[at + c];
                    }
                }
}

/* ---- dense ---- */

void eval_DENSE_TRANSPOSE(EvalStep *s)
{
    const Param *weight = s->node->params[P_WEIGHT]; /* [units][channels] */
    const int units = s->node->in[0]->type.c, channels = s->node->type.c;
    clear(s->out, s->node->type);
    for (int n = 0; n < s->node->type.n; n++)
        for (int u = 0; u < units; u++)
            for (int c = 0; c < channels; c++)
                s->out[(int64_t)n * channels + c] +=
                    s->in[0][(int64_t)n * units + u] * param_at(weight, (int64_t)u * channels + c);
}

void eval_DENSE_WEIGHTS(EvalStep *s)
{
    const int units = s->node->in[0]->type.c, channels = s->node->in[1]->type.c;
    clear(s->out, s->node->type);
    for (int n = 0; n < s->node->in[0]->type.n; n++)
        for (int u = 0; u < units; u++)
            for (int c = 0; c < channels; c++)
                s->out[(int64_t)u * channels + c] +=
                    s->in[0][(int64_t)n * units + u] * s->in[1][(int64_t)n * channels + c];
}

/* ---- pools ---- */

/* Adds dy of one window's channel to the first of its largest elements, or to the last NaN. */
static void give_to_largest(EvalStep *s, int n, int y, int x, int c)
{
    const Attrs *a = &s->node->attrs;
    const Type t = s->node->type;
    const int64_t image = element_at(t, n, 0, 0, 0);
    double most = -INFINITY, *to = NULL;
    for (int i = 0; i < a->kernel[0]; i++)
        for (int j = 0; j < a->kernel[1]; j++) {
            double *at = under_tap(a, (int[]){1, 1}, s->out + image, t, y, x, i, j);
            if (!at)
                continue;
            const double v = s->in[1][at + c - s->out];
            if (!to || v > most || isnan(v)) {
                most = v;
                to = at + c;
            }
        }
    if (to)
        *to += s->in[0][element_at(s->node->in[0]->type, n, y, x, c)];
}

void eval_MAXPOOL_BACKWARD(EvalStep *s)
{
    const Type dy = s->node->in[0]->type;
    clear(s->out, s->node->type);
    for (int n = 0; n < dy.n; n++)
        for (int y = 0; y < dy.h; y++)
            for (int x = 0; x < dy.w; x++)
                for (int c = 0; c < dy.c; c++)
                    give_to_largest(s, n, y, x, c);
}

/* Adds dy of one window, divided by the number that the pool divided by, to its elements. */
static void share_out(EvalStep *s, int n, int y, int x)
{
    const Attrs *a = &s->node->attrs;
    const Type t = s->node->type;
    const double *dy = s->in[0] + element_at(s->node->in[0]->type, n, y, x, 0);
    double *image = s->out + element_at(t, n, 0, 0, 0);
    const int taps = a->kernel[0] * a->kernel[1];
    const double divisor = pool_divisor(a, t, y, x);
    for (int tap = 0; tap < taps; tap++) {
        double *to =
            under_tap(a, (int[]){1, 1}, image, t, y, x, tap / a->kernel[1], tap % a->kernel[1]);
        for (int c = 0; to && c < t.c; c++)
            to[c] += dy[c] / divisor;
    }
}

void eval_AVGPOOL_BACKWARD(EvalStep *s)
{
    const Type dy = s->node->in[0]->type;
    clear(s->out, s->node->type);
    for (int n = 0; n < dy.n; n++)
        for (int y = 0; y < dy.h; y++)
            for (int x = 0; x < dy.w; x++)
                share_out(s, n, y, x);
}
