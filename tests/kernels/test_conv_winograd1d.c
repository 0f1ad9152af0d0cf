/* test_conv_winograd1d.c: Winograd's method down the columns, any window, stride, tile and split.
 */
#include "conv_case.h"

static const double points[7] = {0.5, -0.5, 1.25, -1.25, 3, -3, 0};

/* Taps of a column, `stride` floats apart, to point i of n: their polynomial there, divided by the
 * product of its distances from the other points. */
static double transformed(const float *taps, int n_taps, int stride, int i, int n)
{
    double sum = 0, power = 1;
    for (int t = 0; t < n_taps; t++, power *= points[i])
        sum += (double)taps[t * stride] * power;
    for (int j = 0; j < n; j++)
        if (j != i)
            sum /= points[i] - points[j];
    return sum;
}

/* For each panel: bias[width], then [point][phase][kernel_w][in_c][width]; the point 0 only has
 * phases of four taps. */
static float *pack_columns(Case *c, const ConvCase *k)
{
    const rnc_conv_shape *s = &k->s;
    const int run = s->kernel_w * s->in_c;
    float *packed = case_floats(c, (size_t)(s->out_c * (7 * s->stride_h * run + 1)));
    float *to = packed;
    for (int first = 0, width; first < s->out_c; first += width) {
        width = s->out_c - first < s->panel ? s->out_c - first : s->panel;
        for (int j = 0; j < width; j++)
            *to++ = k->bias[first + j];
        for (int p = 0; p < 7; p++)
            for (int phase = 0; phase < s->stride_h; phase++) {
                int taps = 0;
                for (int y = phase; y < s->kernel_h; y += s->stride_h)
                    taps++;
                if (p == 6 && taps < 4)
                    continue;
                for (int i = 0; i < run; i++)
                    for (int j = 0; j < width; j++) /* weights are [out_c][kh][kw][in_c] */
                        *to++ = (float)transformed(
                            k->weights + ((first + j) * s->kernel_h + phase) * run + i, taps,
                            s->stride_h * run, p, taps < 4 ? 6 : 7);
            }
    }
    return packed;
}

void test_conv_winograd1d(Case *c)
{
    static const rnc_knobs usual[] = {{.pixels = 14, .vectors = 2, .unroll = 7, .group = 28},
                                      {.pixels = 12, .vectors = 1, .unroll = 3, .group = 14},
                                      {.pixels = 3, .vectors = 4, .unroll = 7, .group = 14}};
    const rnc_knobs tile = conv_tile(c, usual, 3, 20);
    const int align = pick_align(c), in_c = chance(c, 60) ? 3 : pick(c, 1, 15);
    ConvLimits l = {.groups = 1, .in_c = in_c, .align = align, .columns = true, .mixes = true};
    l.in_align = chance(c, 60) ? 1 : 0;
    l.width = pick(c, 1, 80);
    ConvCase k = conv_case(c, l);
    rnc_conv_shape *s = &k.s;
    s->panel = chance(c, 80) ? 32 : align * pick(c, 1, 3);
    s->winograd = 4;
    describe_conv(c, s);
    /* 10,000 cases with AVX2 stay within 1.05. */
    Expect e = conv_expect(c, &k, 2);
    const rnc_operands o = {.in = {k.in.at, s->residual ? k.res.at : NULL},
                            .out = {k.out.at},
                            .weights = conv_weights(c, &k, pack_columns(c, &k)),
                            .scratch = conv_scratch(c, "conv_winograd1d", s, &tile)};
    run_kernel(c, c->isa->kernels[KERNEL_conv_winograd1d], s, &tile, &o, k.out.base, k.out.total,
               !k.in_place);
    expect_check(c, &e);
}
