/* pack_winograd.c: filters of 3x3 taps transformed for Winograd's method, m x m outputs a tile.
 *
 * With the points p of kernels/f32/winograd.h, which are exact in binary, the taps g of a row
 * become (g0 + g1 p + g2 p^2) / N(p), N(p) the product of p - q over the other points q, and g2
 * at infinity; so the columns of the result (Winograd 1980; Lavin and Gray, CVPR 2016, with the
 * factors moved to the filters).  Of stride 2 even pixels meet g0 and g2, as (g0 + g2 p) / N(p),
 * and odd ones g1 as it is.  It is done in double and rounded once.
 */
#include "plan/methods/method_parts.h"

#include <string.h>

enum { TAPS = 3, SIDE_MOST = 6, FREQUENCIES_MOST = SIDE_MOST * SIDE_MOST, PANEL_MOST = 32 };

/* G[m + 2][3]: taps to frequencies. */
static void transform_of(int m, int stride, double g[SIDE_MOST][TAPS])
{
    static const double points2[] = {0, 1, -1};
    static const double points4[] = {0, 0.75, -0.75, 1.5, -1.5};
    const double *points = m == 2 ? points2 : points4;
    const int n = m + 1;
    for (int i = 0; i < n; i++) {
        const double p = points[i];
        double norm = 1;
        for (int j = 0; j < n; j++)
            norm *= j == i ? 1 : p - points[j];
        g[i][0] = 1 / norm;
        g[i][1] = stride == 1 ? p / norm : 0;
        g[i][2] = stride == 1 ? p * p / norm : p / norm;
    }
    g[n][0] = 0;
    g[n][1] = stride == 1 ? 0 : 1;
    g[n][2] = stride == 1 ? 1 : 0;
}

/* The filters of a panel for one input channel: taps[k][filter] to block[frequency][filter].
 * All loops over filters have the same length, so that the compiler can make vectors of them. */
typedef double Lane[PANEL_MOST];

static void transform(double (*g)[TAPS], int side, Lane *taps, float (*block)[PANEL_MOST])
{
    Lane rows[SIDE_MOST][TAPS];
    for (int i = 0; i < side; i++) {
        for (int x = 0; x < TAPS; x++) {
            for (int o = 0; o < PANEL_MOST; o++)
                rows[i][x][o] = g[i][0] * taps[x][o] + g[i][1] * taps[TAPS + x][o] +
                                g[i][2] * taps[2 * TAPS + x][o];
        }
    }
    for (int i = 0; i < side; i++) {
        for (int j = 0; j < side; j++, block++) {
            for (int o = 0; o < PANEL_MOST; o++)
                (*block)[o] = (float)(rows[i][0][o] * g[j][0] + rows[i][1][o] * g[j][1] +
                                      rows[i][2][o] * g[j][2]);
        }
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
    transform_of(s->winograd, s->stride_h, g);
    for (int first = 0; first < s->out_c; first += s->panel) {
        const int width = s->out_c - first < s->panel ? s->out_c - first : s->panel;
        const int real = filters - first < width ? filters - first : width;
        float block[FREQUENCIES_MOST][PANEL_MOST];
        Lane taps[TAPS * TAPS] = {{0}};
        for (int i = 0; i < width; i++)
            to[i] = bias && i < real ? bias[first + i] : 0.0f;
        to += width;
        for (int c = 0; c < s->in_c; c++) {
            for (int i = 0; i < real; i++) {
                const float *from = weight + ((int64_t)(first + i) * s->in_c + c) * TAPS * TAPS;
                for (int k = 0; k < TAPS * TAPS; k++)
                    taps[k][i] = (double)from[k];
            }
            transform(g, side, taps, block);
            for (int f = 0; f < side * side; f++)
                memcpy(to + ((int64_t)f * s->in_c + c) * width, block[f],
                       (size_t)width * sizeof *to);
        }
        to += (int64_t)side * side * s->in_c * width;
    }
}
