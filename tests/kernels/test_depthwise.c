/* test_depthwise.c: one filter a channel. */
#include "conv_case.h"

/* bias[out_c], then [kernel_h][kernel_w][out_c] */
static float *pack_taps(Case *c, const ConvCase *k)
{
    const int channels = k->s.out_c, taps = k->s.kernel_h * k->s.kernel_w;
    float *packed = case_floats(c, (size_t)(channels * (taps + 1)));
    for (int co = 0; co < channels; co++) {
        packed[co] = k->bias[co];
        for (int i = 0; i < taps; i++)
            packed[(i + 1) * channels + co] = k->weights[co * taps + i];
    }
    return packed;
}

void test_depthwise(Case *c)
{
    const rnc_tile tile = {.pixels = pick(c, 0, 20), .split = pick(c, 0, 1)};
    const ConvLimits l = {
        .groups = pick(c, 1, 80), .in_c = 1, .width = 1, .depthwise = true, .align = pick_align(c)};
    ConvCase k = conv_case(c, l);
    Expect e = conv_expect(c, &k, 1);
    const rnc_operands o = {.in = k.in.at,
                            .in2 = k.s.residual ? k.res.at : NULL,
                            .out = k.out.at,
                            .weights = pack_taps(c, &k)};
    run_kernel(c, c->isa->kernels[KERNEL_depthwise], &k.s, &tile, &o, k.out.base, k.out.total,
               !k.in_place);
    expect_check(c, &e);
}
