/* test_elementwise.c: map, join and softmax. */
#include "harness.h"

#include <math.h>

void test_map(Case *c)
{
    rnc_map_shape s = {.images = pick(c, 1, 2), .h = pick(c, 1, 6), .w = pick(c, 1, 6)};
    const rnc_knobs tile = {0};
    const int align = chance(c, 80) ? pick_align(c) : 1;
    const Layout layout = {.align = align, .tight = chance(c, 40)};
    const bool in_place = chance(c, 30);
    Grid in = grid_make(c, s.images, s.h, s.w, pick(c, 1, 70), layout);
    Grid out = in_place ? in : grid_make(c, s.images, s.h, s.w, in.c, layout);
    grid_fill(c, &in, -6.0f, 6.0f);
    grid_spoil(c, &in, false);
    s.c = in.lanes;
    s.affine = pick(c, 0, 2);
    s.act = pick_act(c, &s.alpha, &s.beta);
    s.in_pixel = in.pixel, s.in_row = in.row, s.in_image = in.image;
    s.out_pixel = out.pixel, s.out_row = out.row, s.out_image = out.image;
    describe_map(c, &s);
    float *weights = case_floats(c, (size_t)s.c * 2);
    for (int i = 0; i < 2 * s.c; i++)
        weights[i] = pick_float(c, -2.0f, 2.0f);

    Expect e = expect_make(c, out.base, out.total);
    for (int n = 0; n < s.images; n++)
        for (int y = 0; y < s.h; y++)
            for (int x = 0; x < s.w; x++)
                for (int i = 0; i < s.c; i++) {
                    double v = (double)grid_pixel(&in, n, y, x)[i], tolerance = 0.0;
                    if (s.affine == 2) {
                        v = v > 0.0 ? v : v * (double)weights[i];
                        tolerance = 0x1p-24 * fabs(v);
                    } else if (s.affine) {
                        const double product = v * (double)weights[i];
                        const double shift = (double)weights[s.c + i];
                        tolerance = sum_tolerance(1, fabs(product) + fabs(shift));
                        v = product + shift;
                    }
                    v = ref_act(v, s.act, s.alpha, s.beta, &tolerance);
                    tolerance += 0x1p-24 * fabs(v);
                    expect_at(&e, grid_pixel(&out, n, y, x) + i, v, tolerance);
                }
    const rnc_operands o = {.in = {in.at}, .out = {out.at}, .weights = s.affine ? weights : NULL};
    run_kernel(c, c->isa->kernels[KERNEL_map], &s, &tile, &o, out.base, out.total, !in_place);
    expect_check(c, &e);
}

/* An operand of join: spread over pixels, over channels, or neither. */
static Grid join_operand(Case *c, const rnc_join_shape *s, int channels, Layout layout,
                         bool spread_pixels, bool one_channel)
{
    Grid g = grid_make(c, spread_pixels && chance(c, 30) ? 1 : s->images, spread_pixels ? 1 : s->h,
                       spread_pixels ? 1 : s->w, one_channel ? 1 : channels, layout);
    grid_fill(c, &g, -3.0f, 3.0f);
    grid_spoil(c, &g, false);
    if (spread_pixels) {
        g.row = g.pixel = 0;
        if (g.n == 1)
            g.image = 0;
    }
    return g;
}

void test_join(Case *c)
{
    rnc_join_shape s = {.images = pick(c, 1, 2), .h = pick(c, 1, 6), .w = pick(c, 1, 6)};
    const rnc_knobs tile = {0};
    const int align = chance(c, 80) ? pick_align(c) : 1, channels = pick(c, 1, 70);
    const Layout layout = {.align = align};
    const int spread = pick(c, 0, 3); /* 1: in, 2: in2 over the pixels */
    s.one_channel = chance(c, 60) ? 0 : pick(c, 1, 2);
    s.operation = pick(c, RNC_JOIN_ADD, RNC_JOIN_DIV);
    s.act = pick_act(c, &s.alpha, &s.beta);
    Grid in = join_operand(c, &s, channels, layout, spread == 1, s.one_channel == 1);
    Grid in2 = join_operand(c, &s, channels, layout, spread == 2, s.one_channel == 2);
    const bool over1 = spread != 1 && s.one_channel != 1 && chance(c, 25);
    const bool over2 = !over1 && spread != 2 && s.one_channel != 2 && chance(c, 25);
    Grid out = over1 ? in : over2 ? in2 : grid_make(c, s.images, s.h, s.w, channels, layout);
    s.c = out.lanes;
    s.in_pixel = in.pixel, s.in_row = in.row, s.in_image = in.image;
    s.in2_pixel = in2.pixel, s.in2_row = in2.row, s.in2_image = in2.image;
    s.out_pixel = out.pixel, s.out_row = out.row, s.out_image = out.image;
    describe_join(c, &s);

    Expect e = expect_make(c, out.base, out.total);
    for (int n = 0; n < s.images; n++)
        for (int y = 0; y < s.h; y++)
            for (int x = 0; x < s.w; x++)
                for (int i = 0; i < s.c; i++) {
                    const float *p = grid_pixel(&in, n, y, x), *q = grid_pixel(&in2, n, y, x);
                    const double a = (double)p[s.one_channel == 1 ? 0 : i];
                    const double b = (double)q[s.one_channel == 2 ? 0 : i];
                    double v = s.operation == RNC_JOIN_ADD   ? a + b
                               : s.operation == RNC_JOIN_MUL ? a * b
                               : s.operation == RNC_JOIN_SUB ? a - b
                                                             : a / b;
                    double tolerance = 0x1p-24 * fabs(v);
                    v = ref_act(v, s.act, s.alpha, s.beta, &tolerance);
                    expect_at(&e, grid_pixel(&out, n, y, x) + i, v, tolerance * 1.001);
                }
    const rnc_operands o = {.in = {in.at, in2.at}, .out = {out.at}};
    run_kernel(c, c->isa->kernels[KERNEL_join], &s, &tile, &o, out.base, out.total,
               !over1 && !over2);
    expect_check(c, &e);
}

void test_softmax(Case *c)
{
    rnc_softmax_shape s = {.images = pick(c, 1, 2), .h = pick(c, 1, 3), .w = pick(c, 1, 3)};
    const rnc_knobs tile = {0};
    s.c = chance(c, 70) ? pick(c, 1, 70) : chance(c, 3) ? pick(c, 4000, 60000) : pick(c, 71, 400);
    const bool in_place = chance(c, 30);
    const Layout layout = {.align = chance(c, 70) ? pick_align(c) : 1};
    Grid in = grid_make(c, s.images, s.h, s.w, s.c, layout);
    const float range = chance(c, 20) ? 200.0f : 8.0f;
    grid_fill(c, &in, -range, range);
    grid_spoil(c, &in, false);
    Grid out = in_place ? in : grid_make(c, s.images, s.h, s.w, s.c, layout);
    s.in_pixel = in.pixel, s.in_row = in.row, s.in_image = in.image;
    s.out_pixel = out.pixel, s.out_row = out.row, s.out_image = out.image;
    describe_softmax(c, &s);

    Expect e = expect_make(c, out.base, out.total);
    for (int n = 0; n < s.images; n++)
        for (int y = 0; y < s.h; y++)
            for (int x = 0; x < s.w; x++) {
                const float *p = grid_pixel(&in, n, y, x);
                double most = -HUGE_VAL, sum = 0.0;
                for (int i = 0; i < s.c; i++)
                    most = fmax(most, (double)p[i]);
                for (int i = 0; i < s.c; i++)
                    sum += exp((double)p[i] - most);
                for (int i = 0; i < s.c; i++) {
                    /* x - max is rounded: its error is the result's relative one */
                    const double d = (double)p[i] - most, v = exp(d) / sum;
                    const int terms = s.c < RNC_SOFTMAX_BLOCK ? s.c : RNC_SOFTMAX_BLOCK;
                    const double tolerance =
                        0x1p-24 * v * (12.0 + 2.0 * sqrt(terms) + fabs(d)) + 1e-37;
                    expect_at(&e, grid_pixel(&out, n, y, x) + i, v, tolerance);
                }
            }
    const rnc_operands o = {.in = {in.at}, .out = {out.at}};
    run_kernel(c, c->isa->kernels[KERNEL_softmax], &s, &tile, &o, out.base, out.total, !in_place);
    expect_check(c, &e);
}
