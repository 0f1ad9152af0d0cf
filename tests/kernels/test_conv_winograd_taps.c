/* test_conv_winograd_taps.c: 3x3 convolution by Winograd's method of plain taps: any group of
 * tiles, any block of channels. */
#include "conv_case.h"

/* As of test_conv_winograd.c: 10,000 cases with each ISA stay within 1.3. */
static const double AMPLIFICATION = 1.5;

/* For each panel: bias[width], then [in_c][3][3][width]. */
static float *pack_channels(Case *c, const ConvCase *k)
{
    const rnc_conv_shape *s = &k->s;
    float *packed = case_floats(c, (size_t)(s->out_c * (9 * s->in_c + 1))), *to = packed;
    for (int first = 0, width; first < s->out_c; first += width) {
        width = s->out_c - first < s->panel ? s->out_c - first : s->panel;
        for (int j = 0; j < width; j++)
            *to++ = k->bias[first + j];
        for (int i = 0; i < s->in_c; i++)
            for (int t = 0; t < 9; t++) /* weights are [out_c][3][3][in_c] */
                for (int j = 0; j < width; j++)
                    *to++ = k->weights[((first + j) * 9 + t) * s->in_c + i];
    }
    return packed;
}

void test_conv_winograd_taps(Case *c)
{
    static const rnc_knobs usual[] = {
        {.pixels = 3, .vectors = 4, .unroll = 4, .group = 32, .depth = 32, .prefetch_weights = 2},
        {.group = 4, .depth = 16, .prefetch_weights = 3},
        {.group = 32, .depth = 32, .prefetch_weights = 6}};
    rnc_knobs tile = conv_tile(c, usual, 3, 40);
    if (chance(c, 30))
        tile.pixels = 0; /* in registers */
    const int align = pick_align(c);
    ConvLimits l = {.groups = 1,
                    .in_c = pick(c, 1, 40),
                    .align = align,
                    .winograd = true,
                    .unit_stride = true,
                    .mixes = true};
    l.width = pick(c, 1, 80);
    l.halves = true;
    ConvCase k = conv_case(c, l);
    k.s.panel = chance(c, 80) ? 32 : align * pick(c, 1, 3);
    k.s.winograd = 4;
    describe_conv(c, &k.s);
    Expect e = conv_expect(c, &k, AMPLIFICATION);
    const void *packed = case_weights(c, pack_channels(c, &k), k.s.weights, &k.s, 9 * k.s.in_c);
    const rnc_operands o = {.in = {k.in.at, k.s.residual ? k.res.at : NULL},
                            .out = {k.out.at},
                            .weights = conv_weights(c, &k, packed),
                            .scratch = conv_scratch(c, "conv_winograd_taps", &k.s, &tile)};
    run_kernel(c, c->isa->kernels[KERNEL_conv_winograd_taps], &k.s, &tile, &o, k.out.base,
               k.out.total, !k.in_place);
    expect_check(c, &e);
}
