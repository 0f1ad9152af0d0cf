/* test_conv_blas.c: convolution by im2col and cblas_sgemm. */
#include "conv_case.h"

/* bias[out_c], then for each group [kernel_h][kernel_w][in_c][width] */
static float *pack_rows(Case *c, const ConvCase *k)
{
    const rnc_conv_shape *s = &k->s;
    const int depth = s->kernel_h * s->kernel_w * s->in_c, width = s->out_c / s->groups;
    float *packed = case_floats(c, (size_t)(s->out_c + s->out_c * depth));
    for (int co = 0; co < s->out_c; co++) {
        const int group = co / width;
        packed[co] = k->bias[co];
        for (int i = 0; i < depth; i++)
            packed[s->out_c + (group * depth + i) * width + co % width] =
                k->weights[co * depth + i];
    }
    return packed;
}

void test_conv_blas(Case *c)
{
    const rnc_knobs tile = {.pixels = chance(c, 50) ? 0 : pick(c, 1, 40)};
    ConvLimits l = {.groups = chance(c, 70) ? 1 : pick(c, 2, 4), .in_c = pick(c, 1, 24)};
    l.width = pick(c, 1, 40);
    l.align = chance(c, 70) ? pick_align(c) : 1;
    ConvCase k = conv_case(c, l);
    Expect e = conv_expect(c, &k, 1);
    const rnc_operands o = {.in = {k.in.at, k.s.residual ? k.res.at : NULL},
                            .out = {k.out.at},
                            .weights = conv_weights(c, &k, pack_rows(c, &k)),
                            .scratch = conv_scratch(c, "conv_blas", &k.s, &tile)};
    run_kernel(c, c->isa->kernels[KERNEL_conv_blas], &k.s, &tile, &o, k.out.base, k.out.total,
               !k.in_place);
    expect_check(c, &e);
}
