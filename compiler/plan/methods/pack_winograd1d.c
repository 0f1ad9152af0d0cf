/* pack_winograd1d.c: columns of filters transformed for Winograd's method in one dimension.
 *
 * With the points p of kernels/f32/conv_winograd1d.c, which are exact in binary, the taps g of a
 * phase, the even or the odd ones of a column where the stride is 2, become (g0 + g1 p + g2 p^2 +
 * g3 p^3) / N(p), N(p) the product of p - q over the other points q (Winograd 1980, with the
 * factors moved to the filters).  It is done in double and rounded once.
 */
#include "plan/methods/method_parts.h"

static const double points[RNC_WINOGRAD1D_POINTS] = {0.5, -0.5, 1.25, -1.25, 3, -3, 0};

/* Taps of a phase, `stride` floats apart, at point i of n. */
static double tap_at(const float *taps, int n_taps, int stride, int i, int n)
{
    double norm = 1, sum = 0;
    for (int j = 0; j < n; j++)
        norm *= j == i ? 1 : points[i] - points[j];
    for (int t = n_taps - 1; t >= 0; t--)
        sum = sum * points[i] + (double)taps[(int64_t)t * stride];
    return sum / norm;
}

/* One point and phase of a panel, `real` of whose channels from `first` on there are:
 * [kernel_w][in_c][width]. */
static void pack_row(const Step *step, int point, int phase, int first, int real, int width,
                     float *to)
{
    const rnc_conv_shape *s = &step->shape.conv;
    const float *weight = step->node->params[P_WEIGHT]->data; /* OIHW */
    const int taps = (s->kernel_h - phase + s->stride_h - 1) / s->stride_h;
    const int points_of = taps > 3 ? RNC_WINOGRAD1D_POINTS : RNC_WINOGRAD1D_PAIRED;
    for (int x = 0; x < s->kernel_w; x++) {
        for (int c = 0; c < s->in_c; c++, to += width) {
            for (int i = 0; i < width; i++) {
                const float *from =
                    weight +
                    (((int64_t)(first + i) * s->in_c + c) * s->kernel_h + phase) * s->kernel_w + x;
                to[i] = i < real
                            ? (float)tap_at(from, taps, s->stride_h * s->kernel_w, point, points_of)
                            : 0.0f;
            }
        }
    }
}

void pack_winograd1d(const Step *step, float *to)
{
    const rnc_conv_shape *s = &step->shape.conv;
    const Param *param = step->node->params[P_BIAS];
    const float *bias = param ? param->data : NULL;
    const int filters = step->node->attrs.filters, rows = winograd1d_rows(s->kernel_h, s->stride_h);
    for (int first = 0; first < s->out_c; first += s->panel) {
        const int width = s->out_c - first < s->panel ? s->out_c - first : s->panel;
        const int real = filters - first < width ? filters - first : width;
        for (int i = 0; i < width; i++)
            to[i] = bias && i < real ? bias[first + i] : 0.0f;
        to += width;
        for (int row = 0; row < rows; row++) {
            pack_row(step, row / s->stride_h, row % s->stride_h, first, real, width, to);
            to += (int64_t)s->kernel_w * s->in_c * width;
        }
    }
}
