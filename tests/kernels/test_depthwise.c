/* test_depthwise.c: one filter a channel, and groups of 2, 4 and 8 channels. */
#include "conv_case.h"

/* bias[out_c], then [far][kernel_h][near][kernel_w][out_c]: at c the weight of output c ^ far for
 * input c ^ near. */
static float *pack_taps(Case *c, const ConvCase *k)
{
    const rnc_conv_shape *s = &k->s;
    const int channels = s->out_c, wide = s->kernel_w, each = s->in_c;
    float *packed = case_floats(c, (size_t)(channels * (s->kernel_h * wide * each + 1)));
    float *to = packed;
    for (int co = 0; co < channels; co++)
        *to++ = k->bias[co];
    for (int far = each == 8 ? 4 : 0; far >= 0; far -= 4)
        for (int y = 0; y < s->kernel_h; y++)
            for (int near = 0; near < (each < 4 ? each : 4); near++)
                for (int x = 0; x < wide; x++)
                    for (int i = 0; i < channels; i++)
                        *to++ = k->weights[(((i ^ far) * s->kernel_h + y) * wide + x) * each +
                                           (i ^ near) % each];
    return packed;
}

void test_depthwise(Case *c)
{
    const rnc_knobs tile = {.pixels = pick(c, 0, 20),
                            .panels = pick(c, 0, 2),
                            .prefetch_input = pick(c, 0, 1),
                            .split = pick(c, 0, 1)};
    const int each = chance(c, 50) ? 1 : 2 << pick(c, 0, 2);
    const ConvLimits l = {.groups = pick(c, 1, 80 / each),
                          .in_c = each,
                          .width = each,
                          .depthwise = true,
                          .halves = true,
                          .align = pick_align(c)};
    ConvCase k = conv_case(c, l);
    Expect e = conv_expect(c, &k, 1);
    /* one panel of all channels */
    rnc_conv_shape whole = k.s;
    whole.groups = 1;
    whole.panel = whole.out_c;
    const void *packed = case_weights(c, pack_taps(c, &k), k.s.weights, &whole,
                                      k.s.kernel_h * k.s.kernel_w * k.s.in_c);
    const rnc_operands o = {.in = {k.in.at, k.s.residual ? k.res.at : NULL},
                            .out = {k.out.at},
                            .weights = conv_weights(c, &k, packed)};
    run_kernel(c, c->isa->kernels[KERNEL_depthwise], &k.s, &tile, &o, k.out.base, k.out.total,
               !k.in_place);
    expect_check(c, &e);
}
