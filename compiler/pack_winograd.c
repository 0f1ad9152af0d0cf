/* pack_winograd.c: filters of 3x3 taps transformed for Winograd's F(m x m, 3 x 3).
 *
 * With the points p of kernels/conv_winograd.c, which are exact in binary, the taps g of a row
 * become (g0 + g1 p + g2 p^2) / N(p), N(p) the product of p - q over the other points q, and g2
 * at infinity; so the columns of the result (Winograd 1980; Lavin and Gray, CVPR 2016, with the
 * factors moved to the filters).  It is done in double and rounded once.
 */
#include "plan_parts.h"

#include <string.h>

enum { TAPS = 3, SIDE_MOST = 8, FREQUENCIES_MOST = SIDE_MOST * SIDE_MOST, PANEL_MOST = 32 };

/* G[side][3]: taps to frequencies. */
static void transform_of(int m, double g[SIDE_MOST][TAPS])
{
    static const double points2[] = {0, 1, -1};
    static const double points4[] = {0, 0.75, -0.75, 1.5, -1.5};
    static const double points6[] = {0, 1, -1, 2, -2, 0.5, -0.5};
    const double *points = m == 2 ? points2 : m == 4 ? points4 : points6;
    const int n = m + 1;
    for (int i = 0; i < n; i++) {
        double norm = 1;
        for (int j = 0; j < n; j++)
            norm *= j == i ? 1 : points[i] - points[j];
        g[i][0] = 1 / norm;
        g[i][1] = points[i] / norm;
        g[i][2] = points[i] * points[i] / norm;
    }
    g[n][0] = g[n][1] = 0;
    g[n][2] = 1;
}

/* One filter of one input channel: to[f * stride] for each frequency f. */
static void transform(double (*g)[TAPS], int side, const float *taps, float *to, int stride)
{
    double rows[SIDE_MOST][TAPS];
    for (int i = 0; i < side; i++) {
        for (int x = 0; x < TAPS; x++)
            rows[i][x] = g[i][0] * (double)taps[x] + g[i][1] * (double)taps[TAPS + x] +
                         g[i][2] * (double)taps[2 * TAPS + x];
    }
    for (int i = 0; i < side; i++) {
        for (int j = 0; j < side; j++, to += stride)
            *to = (float)(rows[i][0] * g[j][0] + rows[i][1] * g[j][1] + rows[i][2] * g[j][2]);
    }
}

void pack_winograd(const Step *step, float *to)
{
    const rnc_conv_shape *s = &step->shape.conv;
    Param *const *params = step->node->params;
    const float *weight = params[P_WEIGHT]->data;
    const float *bias = params[P_BIAS] ? params[P_BIAS]->data : NULL;
    const int filters = step->node->attrs.filters, side = s->winograd + 2;
    double g[SIDE_MOST][TAPS];
    transform_of(s->winograd, g);
    for (int first = 0; first < s->out_c; first += s->panel) {
        const int width = s->out_c - first < s->panel ? s->out_c - first : s->panel;
        const int real = filters - first < width ? filters - first : width;
        float block[FREQUENCIES_MOST * PANEL_MOST];
        memset(block, 0, sizeof block);
        for (int i = 0; i < width; i++)
            to[i] = bias && i < real ? bias[first + i] : 0.0f;
        to += width;
        for (int c = 0; c < s->in_c; c++) {
            for (int i = 0; i < real; i++)
                transform(g, side, weight + ((int64_t)(first + i) * s->in_c + c) * TAPS * TAPS,
                          block + i, width);
            for (int f = 0; f < side * side; f++)
                memcpy(to + ((int64_t)f * s->in_c + c) * width, block + f * width,
                       (size_t)width * sizeof *to);
        }
        to += (int64_t)side * side * s->in_c * width;
    }
}
