/* test_train_sums.c: reduce, softmax_grad, square_sum, average and accumulate against
 * loops in double. */
#include "train_case.h"

#include <math.h>
#include <string.h>

/* ---- sums over axes ---- */

/* Sets the distances of a shape of the family `reduce`. */
static void set_grids(rnc_reduce_shape *s, const Grid *in, const Grid *out)
{
    s->in_pixel = in->pixel, s->in_row = in->row, s->in_image = in->image;
    s->out_pixel = out->pixel, s->out_row = out->row, s->out_image = out->image;
}

/* The sum that element i of pixel (y, x) of an image of the result is, and that of magnitudes. */
static double sum_at(const rnc_reduce_shape *s, const Grid *in, const int at[4], double *all)
{
    double sum = 0.0;
    *all = 0.0;
    for (int n = 0; n < s->images; n++)
        for (int p = 0; p < s->h * s->w; p++)
            for (int i = 0; i < s->c; i++) {
                const int y = p / s->w, x = p % s->w;
                if ((!s->over_images && n != at[0]) ||
                    (!s->over_pixels && (y != at[1] || x != at[2])) ||
                    (!s->over_channels && i != at[3]))
                    continue;
                const double v = (double)grid_pixel(in, n, y, x)[i];
                sum += v;
                *all += fabs(v);
            }
    return sum;
}

void test_reduce(Case *c)
{
    rnc_reduce_shape s = {.images = pick(c, 1, 9), .h = pick(c, 1, 5), .w = pick(c, 1, 5)};
    const rnc_knobs t = {0};
    s.c = pick(c, 1, 40);
    s.slice = pick(c, 1, s.images);
    s.over_images = pick(c, 0, 1), s.over_pixels = pick(c, 0, 1), s.over_channels = pick(c, 0, 1);
    const Layout layout = {.align = chance(c, 70) ? pick_align(c) : 1};
    Grid in = grid_make(c, s.images, s.h, s.w, s.c, layout);
    Grid out = grid_make(c, s.over_images ? 1 : s.images, s.over_pixels ? 1 : s.h,
                         s.over_pixels ? 1 : s.w, s.over_channels ? 1 : s.c, layout);
    grid_fill(c, &in, -1.0f, 1.0f);
    grid_fill(c, &out, -1.0f, 1.0f);
    set_grids(&s, &in, &out);
    describe_reduce(c, &s);
    Expect e = expect_make(c, out.base, out.total);
    for (int n = 0; n < (s.over_images ? 1 : s.images); n++)
        for (int p = 0; p < (s.over_pixels ? 1 : s.h * s.w); p++)
            for (int i = 0; i < (s.over_channels ? 1 : s.c); i++) {
                const int at[4] = {n, p / s.w, p % s.w, i};
                double all;
                const double sum = sum_at(&s, &in, at, &all);
                expect_at(&e, grid_pixel(&out, n, p / s.w, p % s.w) + i, sum,
                          sum_tolerance(s.images * s.h * s.w * s.c + 16, all));
            }
    const rnc_operands o = {.in = {in.at}, .out = {out.at}};
    run_train(c, c->isa->kernels[KERNEL_reduce], &s, &t, &o, out.base, out.total, true);
    expect_check(c, &e);
}

void test_softmax_grad(Case *c)
{
    rnc_act_grad_shape s = {.images = pick(c, 1, 2), .h = pick(c, 1, 4), .w = pick(c, 1, 4)};
    const rnc_knobs t = {0};
    s.c = pick(c, 1, 70);
    const bool in_place = chance(c, 40);
    const Layout layout = {.align = chance(c, 70) ? pick_align(c) : 1};
    Grid grad = grid_make(c, s.images, s.h, s.w, s.c, layout);
    Grid y = grid_make(c, s.images, s.h, s.w, s.c, layout);
    Grid out = in_place ? grad : grid_make(c, s.images, s.h, s.w, s.c, layout);
    grid_fill(c, &grad, -1.0f, 1.0f);
    grid_fill(c, &y, 0.0f, 1.0f);
    s.grad_pixel = grad.pixel, s.grad_row = grad.row, s.grad_image = grad.image;
    s.at_pixel = y.pixel, s.at_row = y.row, s.at_image = y.image;
    s.out_pixel = out.pixel, s.out_row = out.row, s.out_image = out.image;
    describe_act_grad(c, &s);
    Expect e = expect_make(c, out.base, out.total);
    for (int p = 0; p < s.images * s.h * s.w; p++) {
        const int n = p / (s.h * s.w), row = p / s.w % s.h, x = p % s.w;
        double sum = 0.0, all = 0.0;
        for (int i = 0; i < s.c; i++) {
            const double v =
                (double)grid_pixel(&grad, n, row, x)[i] * (double)grid_pixel(&y, n, row, x)[i];
            sum += v, all += fabs(v);
        }
        for (int i = 0; i < s.c; i++) {
            const double g = (double)grid_pixel(&grad, n, row, x)[i];
            const double z = (double)grid_pixel(&y, n, row, x)[i];
            expect_at(&e, grid_pixel(&out, n, row, x) + i, z * (g - sum),
                      z * (sum_tolerance(s.c + 16, all) + 0x1p-22 * (fabs(g) + fabs(sum))) + 1e-37);
        }
    }
    const rnc_operands o = {.in = {grad.at, y.at}, .out = {out.at}};
    run_train(c, c->isa->kernels[KERNEL_softmax_grad], &s, &t, &o, out.base, out.total, !in_place);
    expect_check(c, &e);
}

/* ---- all numbers of a parameter ---- */

void test_square_sum(Case *c)
{
    rnc_update_shape s = {.floats = chance(c, 80) ? pick(c, 1, 300) : pick(c, 4000, 9000)};
    const rnc_knobs t = {0};
    const int pieces = rnc_div_up(s.floats, RNC_SQUARES);
    const float *in = random_floats(c, (size_t)s.floats, -1.0f, 1.0f);
    float *out = case_floats(c, (size_t)pieces);
    describe_update(c, &s);
    Expect e = expect_make(c, out, (size_t)pieces);
    for (int i = 0; i < pieces; i++) {
        double sum = 0.0;
        for (int k = i * RNC_SQUARES; k < s.floats && k < (i + 1) * RNC_SQUARES; k++)
            sum += (double)in[k] * (double)in[k];
        expect_at(&e, out + i, sum, sum_tolerance(RNC_SQUARES, sum));
    }
    const rnc_operands o = {.in = {in}, .out = {out}};
    run_train(c, c->isa->kernels[KERNEL_square_sum], &s, &t, &o, out, (size_t)pieces, true);
    expect_check(c, &e);
}

/* to = to + rest * (from - to), or the sum. */
static void test_move(Case *c, KernelFn *kernel, bool average)
{
    rnc_update_shape s = {.floats = pick(c, 1, 300), .beta1 = 0.9f, .rest1 = 0.1f};
    const rnc_knobs t = {0};
    const float *in = random_floats(c, (size_t)s.floats, -1.0f, 1.0f);
    float *out = random_floats(c, (size_t)s.floats, -1.0f, 1.0f);
    describe_update(c, &s);
    Expect e = expect_make(c, out, (size_t)s.floats);
    for (int i = 0; i < s.floats; i++) {
        const double was = (double)out[i], by = (double)in[i];
        expect_at(&e, out + i, average ? was + (double)s.rest1 * (by - was) : was + by, 0x1p-22);
    }
    const rnc_operands o = {.in = {in}, .out = {out}};
    run_train(c, kernel, &s, &t, &o, out, (size_t)s.floats, false);
    expect_check(c, &e);
}

void test_average(Case *c)
{
    test_move(c, c->isa->kernels[KERNEL_average], true);
}

void test_accumulate(Case *c)
{
    test_move(c, c->isa->kernels[KERNEL_accumulate], false);
}
