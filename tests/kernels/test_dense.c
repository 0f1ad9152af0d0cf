/* test_dense.c: weight panels times vectors. */
#include "harness.h"

#include <math.h>

/* For each panel: bias[width], then [in_c][width]; element (co, i) is weights[co * in_c + i]. */
static float *pack_panels(Case *c, const rnc_dense_shape *s, const float *weights,
                          const float *bias)
{
    float *packed = case_floats(c, (size_t)(s->out_c * (s->in_c + 1))), *to = packed;
    for (int co = 0; co < s->out_c; co += s->panel) {
        const int left = s->out_c - co, width = left < s->panel ? left : s->panel;
        for (int j = 0; j < width; j++)
            *to++ = bias[co + j];
        for (int i = 0; i < s->in_c; i++)
            for (int j = 0; j < width; j++)
                *to++ = weights[(co + j) * s->in_c + i];
    }
    return packed;
}

static float *draw_floats(Case *c, int n)
{
    float *p = case_memory(c, (size_t)n * sizeof *p);
    for (int i = 0; i < n; i++)
        p[i] = pick_weight(c);
    return p;
}

void test_dense(Case *c)
{
    const rnc_knobs tile = {.pixels = pick(c, 0, 33),
                            .vectors = pick(c, 0, 9),
                            .split = pick(c, 0, 1),
                            .streams = pick(c, 0, 9)};
    const int align = pick_align(c);
    const Layout layout = {.align = align, .tight = chance(c, 40)};
    const bool is_long = chance(c, 1); /* sums in blocks */
    rnc_dense_shape s = {.images = chance(c, 50) ? 1 : pick(c, 2, is_long ? 4 : 40)};
    s.in_c = is_long ? RNC_SUM_MOST + pick(c, 1, 4000) : pick(c, 1, 70);
    s.panel = chance(c, 80) ? 32 : align * pick(c, 1, 3);
    Grid in = grid_make(c, s.images, 1, 1, s.in_c, layout);
    Grid out = grid_make(c, s.images, 1, 1, pick(c, 1, 110), layout);
    s.out_c = out.lanes;
    s.residual = chance(c, 40);
    const bool in_place = s.residual && chance(c, 50);
    Grid res = s.residual && !in_place ? grid_make(c, s.images, 1, 1, out.c, layout) : out;
    float *slopes;
    s.act = pick_layer_act(c, &s.alpha, &s.beta, s.out_c, &slopes);
    s.weights = pick_weights_type(c);
    const rnc_conv_shape panels = {.groups = 1, .out_c = s.out_c, .panel = s.panel};
    s.in_image = in.image, s.out_image = out.image, s.res_image = res.image;
    grid_fill(c, &in, -1.0f, 1.0f);
    grid_spoil(c, &in, false);
    if (s.residual) {
        grid_fill(c, &res, -1.0f, 1.0f);
        grid_spoil(c, &res, false);
    }
    const float *weights = draw_floats(c, s.out_c * s.in_c), *bias = draw_floats(c, s.out_c);
    describe_dense(c, &s);
    Expect e = expect_make(c, out.base, out.total);
    for (int n = 0; n < s.images; n++)
        for (int co = 0; co < s.out_c; co++) {
            double sum = (double)bias[co], sum_abs = fabs(sum);
            for (int i = 0; i < s.in_c; i++) {
                const double term =
                    (double)weights[co * s.in_c + i] * (double)grid_pixel(&in, n, 0, 0)[i];
                sum += term;
                sum_abs += fabs(term);
            }
            if (s.residual) {
                const double r = (double)grid_pixel(&res, n, 0, 0)[co];
                sum += r;
                sum_abs += fabs(r);
            }
            double tolerance = sum_tolerance(s.in_c, sum_abs);
            sum = ref_act(sum, s.act, slopes ? slopes[co] : s.alpha, s.beta, &tolerance);
            expect_at(&e, grid_pixel(&out, n, 0, 0) + co, sum, tolerance);
        }
    const void *packed =
        case_weights(c, pack_panels(c, &s, weights, bias), s.weights, &panels, s.in_c);
    const rnc_operands o = {.in = {in.at, s.residual ? res.at : NULL},
                            .out = {out.at},
                            .weights = case_slopes(c, packed, slopes, s.out_c)};
    run_kernel(c, c->isa->kernels[KERNEL_dense], &s, &tile, &o, out.base, out.total, !in_place);
    expect_check(c, &e);
}
