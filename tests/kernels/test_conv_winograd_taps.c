/* test_conv_winograd_taps.c: 3x3 convolutions by Winograd's method of plain taps, in the orders of
 * both kernels: any group of tiles, any block of channels. */
#include "conv_case.h"

/* As of test_conv_winograd.c: 10,000 cases with each ISA stay within 1.3. */
static const double AMPLIFICATION = 1.5;

/* For each panel: bias[width], then [in_c][3][3][width], or, `by_tap`, [3][3][in_c][width]. */
static float *pack_filters(Case *c, const ConvCase *k, bool by_tap)
{
    const rnc_conv_shape *s = &k->s;
    float *packed = case_floats(c, (size_t)(s->out_c * (9 * s->in_c + 1))), *to = packed;
    for (int first = 0, width; first < s->out_c; first += width) {
        width = s->out_c - first < s->panel ? s->out_c - first : s->panel;
        for (int j = 0; j < width; j++)
            *to++ = k->bias[first + j];
        for (int row = 0; row < 9 * s->in_c; row++) { /* weights are [out_c][3][3][in_c] */
            const int t = by_tap ? row / s->in_c : row % 9, i = by_tap ? row % s->in_c : row / 9;
            for (int j = 0; j < width; j++)
                *to++ = k->weights[((first + j) * 9 + t) * s->in_c + i];
        }
    }
    return packed;
}

/* A case of one of the two kernels with this tile. */
static void test_taps(Case *c, int kernel, const char *name, rnc_knobs tile)
{
    const bool by_tap = kernel == KERNEL_conv_winograd_panels;
    const int align = pick_align(c);
    ConvLimits l = {.groups = 1,
                    .in_c = pick(c, 1, 40),
                    .align = align,
                    .winograd = true,
                    .unit_stride = true,
                    .mixes = true};
    l.width = pick(c, 1, 80);
    l.halves = !by_tap;
    ConvCase k = conv_case(c, l);
    k.s.panel = chance(c, 80) ? 32 : align * pick(c, 1, 3);
    k.s.winograd = by_tap ? 2 * pick(c, 1, 2) : 4;
    describe_conv(c, &k.s);
    Expect e = conv_expect(c, &k, AMPLIFICATION);
    const void *packed =
        case_weights(c, pack_filters(c, &k, by_tap), k.s.weights, &k.s, 9 * k.s.in_c);
    const rnc_operands o = {.in = {k.in.at, k.s.residual ? k.res.at : NULL},
                            .out = {k.out.at},
                            .weights = conv_weights(c, &k, packed),
                            .scratch = conv_scratch(c, name, &k.s, &tile)};
    run_kernel(c, c->isa->kernels[kernel], &k.s, &tile, &o, k.out.base, k.out.total, !k.in_place);
    expect_check(c, &e);
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
    test_taps(c, KERNEL_conv_winograd_taps, "conv_winograd_taps", tile);
}

void test_conv_winograd_panels(Case *c)
{
    static const rnc_knobs usual[] = {
        {.pixels = 3, .vectors = 4, .unroll = 4, .group = 32, .depth = 32, .prefetch_weights = 1},
        {.pixels = 14, .vectors = 2, .unroll = 4, .group = 32, .depth = 32}};
    test_taps(c, KERNEL_conv_winograd_panels, "conv_winograd_panels", conv_tile(c, usual, 2, 40));
}
