/* test_conv_strassen.c: 1x1 convolution by Strassen's method, any strip, tile, depth and split. */
#include "conv_case.h"

/* How much larger the error may be than that of a plain sum: sums of up to four numbers are
 * multiplied by sums of up to four weights.  10,000 cases with each ISA stay within
 * that of a plain sum of the largest output. */
static const double AMPLIFICATION = 1.1;

/* For a panel of each half: bias[2][width], then [product][in_c / 2][width]. */
static float *pack_strassen(Case *c, const ConvCase *k)
{
    /* By product: how often B11, B12, B21, B22. */
    static const int sums[7][4] = {{1, 0, 0, 0},   {0, 0, 1, 0},  {1, -1, 0, 1}, {0, -1, 0, 1},
                                   {-1, 1, 1, -1}, {-1, 1, 0, 0}, {0, 0, 0, 1}};
    const rnc_conv_shape *s = &k->s;
    const int half = s->in_c / 2, right = s->out_c / 2;
    float *packed = case_floats(c, (size_t)(right * (7 * half + 2))), *to = packed;
    for (int first = 0; first < right; first += s->panel) {
        for (int j = 0; j < 2 * s->panel; j++)
            *to++ = k->bias[j < s->panel ? first + j : right + first + j - s->panel];
        for (int p = 0; p < 7; p++)
            for (int i = 0; i < half; i++)
                for (int j = 0; j < s->panel; j++) {
                    double sum = 0;
                    for (int q = 0; q < 4; q++) {
                        const int o = first + j + q % 2 * right, from = i + q / 2 * half;
                        sum += sums[p][q] * (double)k->weights[o * s->in_c + from];
                    }
                    *to++ = (float)sum;
                }
    }
    return packed;
}

void test_conv_strassen(Case *c)
{
    static const rnc_knobs usual[] = {{.pixels = 14, .vectors = 2, .unroll = 4, .group = 28},
                                      {.pixels = 12, .vectors = 2, .unroll = 4, .group = 50},
                                      {.pixels = 3, .vectors = 4, .unroll = 2, .group = 15}};
    const rnc_knobs tile = conv_tile(c, usual, 3, 60);
    const int align = pick_align(c), panel = chance(c, 60) ? 32 : align * pick(c, 1, 3);
    ConvLimits l = {.groups = 1, .align = align, .pixels = true, .mixes = true};
    l.in_c = 2 * align * pick(c, 1, 48 / align);
    l.width = 2 * panel * pick(c, 1, 2);
    ConvCase k = conv_case(c, l);
    k.s.panel = panel;
    describe_conv(c, &k.s);
    Expect e = conv_expect(c, &k, AMPLIFICATION);
    const rnc_operands o = {.in = {k.in.at, k.s.residual ? k.res.at : NULL},
                            .out = {k.out.at},
                            .weights = conv_weights(c, &k, pack_strassen(c, &k)),
                            .scratch = conv_scratch(c, "conv_strassen", &k.s, &tile)};
    run_kernel(c, c->isa->kernels[KERNEL_conv_strassen], &k.s, &tile, &o, k.out.base, k.out.total,
               !k.in_place);
    expect_check(c, &e);
}
