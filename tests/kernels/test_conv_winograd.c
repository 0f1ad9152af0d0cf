/* test_conv_winograd.c: 3x3 convolution by Winograd's method, stride 1 and 2, any tile, group and
 * split. */
#include "conv_case.h"

#include <math.h>

/* How much larger the error may be than that of a plain sum: the transforms add up numbers that
 * cancel.  10,000 cases with each ISA stay within 1.3. */
static const double AMPLIFICATION = 1.5;

/* The same where filters of F(4 x 4) are rounded to 16 bits after their transform: 10,000 cases
 * with each ISA stay within half of it.  Those of F(2 x 2) are sums of few bits here, which
 * need no rounding. */
static const double AMPLIFICATION_BF16 = 30000, AMPLIFICATION_F16 = 3750;

static double amplification(const rnc_conv_shape *s)
{
    return s->winograd == 2 || s->weights == RNC_WEIGHTS_F32 ? AMPLIFICATION
           : s->weights == RNC_WEIGHTS_BF16                  ? AMPLIFICATION_BF16
                                                             : AMPLIFICATION_F16;
}

/* Makes multiples of 1/128 so small that sums of nine need no more than eight bits, also as
 * quarters. */
static void use_few_bits(ConvCase *k)
{
    const rnc_conv_shape *s = &k->s;
    for (int i = 0; s->weights != RNC_WEIGHTS_F32 && i < s->out_c * 9 * s->in_c; i++)
        k->weights[i] = truncf(k->weights[i] * 14) / 128;
}

/* Filters of a row of taps to frequencies, point after point: (g0 + g1 p + g2 p^2) / N(p), of
 * stride 2 (g0 + g2 p) / N(p) and g1. */
static void transform_row(const rnc_conv_shape *s, const double *g, int stride, double *to)
{
    static const double points[2][5] = {{0, 1, -1}, {0, 0.75, -0.75, 1.5, -1.5}};
    const int m = s->winograd;
    const double *p = points[m / 2 - 1], middle = g[stride], last = g[2 * stride];
    for (int i = 0; i <= m; i++) {
        double norm = 1;
        for (int j = 0; j <= m; j++)
            if (j != i)
                norm *= p[i] - p[j];
        to[i] = s->stride_h == 1 ? (g[0] + p[i] * (middle + p[i] * last)) / norm
                                 : (g[0] + p[i] * last) / norm;
    }
    to[m + 1] = s->stride_h == 1 ? last : middle;
}

/* For each panel: bias[width], then [frequency][in_c][width]. */
static float *pack_winograd(Case *c, const ConvCase *k)
{
    const rnc_conv_shape *s = &k->s;
    const int m = s->winograd, side = m + 2, frequencies = side * side;
    float *packed = case_floats(c, (size_t)(s->out_c * (frequencies * s->in_c + 1)));
    float *to = packed;
    for (int first = 0, width; first < s->out_c; first += width) {
        width = s->out_c - first < s->panel ? s->out_c - first : s->panel;
        for (int j = 0; j < width; j++)
            *to++ = k->bias[first + j];
        for (int j = 0; j < width; j++)
            for (int i = 0; i < s->in_c; i++) {
                double taps[9], rows[6 * 3], all[6];
                for (int t = 0; t < 9; t++) /* weights are [out_c][3][3][in_c] */
                    taps[t] = (double)k->weights[((first + j) * 9 + t) * s->in_c + i];
                for (int x = 0; x < 3; x++) {
                    transform_row(s, taps + x, 3, all);
                    for (int y = 0; y < side; y++)
                        rows[y * 3 + x] = all[y];
                }
                for (int y = 0; y < side; y++) {
                    transform_row(s, rows + y * 3, 1, all);
                    for (int x = 0; x < side; x++)
                        to[((y * side + x) * s->in_c + i) * width + j] = (float)all[x];
                }
            }
        to += frequencies * s->in_c * width;
    }
    return packed;
}

void test_conv_winograd(Case *c)
{
    static const rnc_knobs usual[] = {{.pixels = 14, .vectors = 2, .unroll = 4, .group = 28},
                                      {.pixels = 6, .vectors = 2, .unroll = 4, .group = 12},
                                      {.pixels = 3, .vectors = 4, .unroll = 1, .group = 6}};
    const rnc_knobs tile = conv_tile(c, usual, 3, 40);
    const int align = pick_align(c);
    ConvLimits l = {
        .groups = 1, .in_c = pick(c, 1, 24), .align = align, .winograd = true, .mixes = true};
    l.width = pick(c, 1, 80);
    l.halves = true;
    ConvCase k = conv_case(c, l);
    use_few_bits(&k);
    k.s.panel = chance(c, 80) ? 32 : align * pick(c, 1, 3);
    k.s.winograd = 2 * pick(c, 1, 2);
    describe_conv(c, &k.s);
    const int side = k.s.winograd + 2;
    Expect e = conv_expect(c, &k, amplification(&k.s));
    const void *packed =
        case_weights(c, pack_winograd(c, &k), k.s.weights, &k.s, side * side * k.s.in_c);
    const rnc_operands o = {.in = {k.in.at, k.s.residual ? k.res.at : NULL},
                            .out = {k.out.at},
                            .weights = conv_weights(c, &k, packed),
                            .scratch = conv_scratch(c, "conv_winograd", &k.s, &tile)};
    run_kernel(c, c->isa->kernels[KERNEL_conv_winograd], &k.s, &tile, &o, k.out.base, k.out.total,
               !k.in_place);
    expect_check(c, &e);
}
