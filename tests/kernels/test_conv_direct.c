/* test_conv_direct.c: convolution by register tiles, any tile and split. */
#include "conv_case.h"

/* For each group, for each panel: bias[width], then [kernel_h][kernel_w][in_c][width]. */
static float *pack_panels(Case *c, const ConvCase *k)
{
    const rnc_conv_shape *s = &k->s;
    const int depth = s->kernel_h * s->kernel_w * s->in_c, group_c = s->out_c / s->groups;
    float *packed = case_floats(c, (size_t)(s->out_c * (depth + 1))), *to = packed;
    for (int co = 0; co < s->out_c;) {
        const int left = group_c - co % group_c, width = left < s->panel ? left : s->panel;
        for (int j = 0; j < width; j++)
            *to++ = k->bias[co + j];
        for (int i = 0; i < depth; i++)
            for (int j = 0; j < width; j++)
                *to++ = k->weights[(co + j) * depth + i];
        co += width;
    }
    return packed;
}

void test_conv_direct(Case *c)
{
    static const rnc_knobs usual[] = {{.pixels = 14, .vectors = 2, .unroll = 4},
                                      {.pixels = 28, .vectors = 1, .unroll = 4},
                                      {.pixels = 6, .vectors = 2, .unroll = 2},
                                      {.pixels = 3, .vectors = 4, .unroll = 1}};
    const rnc_knobs tile = conv_tile(c, usual, 4, 60);
    const int align = pick_align(c);
    ConvLimits l = {.groups = chance(c, 70) ? 1 : pick(c, 2, 4), .in_c = pick(c, 1, 24)};
    l.align = align;
    l.halves = true;
    l.in_align = chance(c, 30) ? 1 : 0;
    l.clipped = chance(c, 30);
    l.width = l.groups == 1 ? pick(c, 1, 80) : align * pick(c, 1, 64 / align);
    if (chance(c, 1)) { /* sums in blocks */
        l.groups = 1, l.width = pick(c, 1, 9), l.pixels = true;
        l.in_c = RNC_SUM_MOST + pick(c, 1, 1000);
    }
    ConvCase k = conv_case(c, l);
    k.s.panel = chance(c, 80) ? 32 : align * pick(c, 1, 3);
    Expect e = conv_expect(c, &k, 1);
    const void *packed = case_weights(c, pack_panels(c, &k), k.s.weights, &k.s,
                                      k.s.kernel_h * k.s.kernel_w * k.s.in_c);
    const rnc_operands o = {.in = {k.in.at, k.s.residual ? k.res.at : NULL},
                            .out = {k.out.at},
                            .weights = conv_weights(c, &k, packed)};
    run_kernel(c, c->isa->kernels[KERNEL_conv_direct], &k.s, &tile, &o, k.out.base, k.out.total,
               !k.in_place);
    expect_check(c, &e);
}
