/* test_pool.c: maxpool and avgpool. */
#include "harness.h"

#include <math.h>

static int divisor(const rnc_pool_shape *s, int y, int x, int inside)
{
    if (s->divisor || !s->count_padding)
        return s->divisor ? s->divisor : inside;
    return pool_extent(s->in_h, s->pad_top, s->pad_bottom, s->kernel_h,
                       y * s->stride_h - s->pad_top) *
           pool_extent(s->in_w, s->pad_left, s->pad_right, s->kernel_w,
                       x * s->stride_w - s->pad_left);
}

/* The window's sum or largest element, and how many pixels of it lie inside. */
static double window(const rnc_pool_shape *s, const Grid *in, int n, int y, int x, int c, bool max,
                     int *inside, double *sum_abs)
{
    double result = max ? -HUGE_VAL : 0.0;
    *inside = 0;
    *sum_abs = 0.0;
    for (int ky = 0; ky < s->kernel_h; ky++)
        for (int kx = 0; kx < s->kernel_w; kx++) {
            const int iy = y * s->stride_h - s->pad_top + ky;
            const int ix = x * s->stride_w - s->pad_left + kx;
            if (iy < 0 || iy >= s->in_h || ix < 0 || ix >= s->in_w)
                continue;
            const double v = (double)grid_pixel(in, n, iy, ix)[c];
            result = !max ? result + v : isnan(result) || result > v ? result : v;
            *sum_abs += fabs(v);
            *inside += 1;
        }
    return result;
}

static void draw_shape(Case *c, rnc_pool_shape *s)
{
    const bool large = chance(c, 1), global = large || chance(c, 15);
    s->images = large ? 1 : pick(c, 1, 2);
    s->in_h = large ? pick(c, 1, 300) : pick(c, 1, 12);
    s->in_w = large ? 90000 / s->in_h : pick(c, 1, 12);
    s->kernel_h = global ? s->in_h : pick(c, 1, s->in_h < 5 ? s->in_h : 5);
    s->kernel_w = global ? s->in_w : pick(c, 1, s->in_w < 5 ? s->in_w : 5);
    s->stride_h = pick(c, 1, 3);
    s->stride_w = pick(c, 1, 3);
    s->pad_top = global ? 0 : pick(c, 0, s->kernel_h - 1);
    s->pad_left = global ? 0 : pick(c, 0, s->kernel_w - 1);
    s->pad_bottom = global ? 0 : pick(c, 0, s->kernel_h - 1);
    s->pad_right = global ? 0 : pick(c, 0, s->kernel_w - 1);
    const bool ceil = chance(c, 50);
    s->out_h = pool_windows(s->in_h, s->pad_top, s->pad_bottom, s->kernel_h, s->stride_h, ceil);
    s->out_w = pool_windows(s->in_w, s->pad_left, s->pad_right, s->kernel_w, s->stride_w, ceil);
    s->count_padding = pick(c, 0, 1);
    s->divisor = chance(c, 10) ? pick(c, 1, 9) : 0;
    s->act = pick_act(c, &s->alpha, &s->beta);
}

static void test_pool(Case *c, bool max, KernelFn *kernel)
{
    rnc_pool_shape s = {0};
    const rnc_knobs tile = {0};
    draw_shape(c, &s);
    const int channels = s.in_h * s.in_w > RNC_SUM_BLOCK ? pick(c, 1, 9) : pick(c, 1, 80);
    const int align = chance(c, 80) ? pick_align(c) : 1;
    Grid in = grid_make(c, s.images, s.in_h, s.in_w, channels, (Layout){.align = align});
    Grid out = grid_make(c, s.images, s.out_h, s.out_w, channels, (Layout){.align = align});
    /* Of equal numbers the errors of a long sum add up. */
    const bool large = s.in_h * s.in_w > RNC_SUM_BLOCK;
    grid_fill(c, &in, large ? 0.1f : -4.0f, large ? 0.1f : 4.0f);
    grid_spoil(c, &in, false);
    s.c = in.lanes;
    s.in_pixel = in.pixel, s.in_row = in.row, s.in_image = in.image;
    s.out_pixel = out.pixel, s.out_row = out.row, s.out_image = out.image;
    describe_pool(c, &s);

    Expect e = expect_make(c, out.base, out.total);
    for (int n = 0; n < s.images; n++)
        for (int y = 0; y < s.out_h; y++)
            for (int x = 0; x < s.out_w; x++)
                for (int i = 0; i < s.c; i++) {
                    int inside;
                    double sum_abs, v = window(&s, &in, n, y, x, i, max, &inside, &sum_abs);
                    const int count = divisor(&s, y, x, inside);
                    double tolerance = 0.0;
                    if (!max) {
                        v = count ? v / count : 0.0;
                        /* A window's error does not grow with it beyond a block. */
                        const int terms = inside < RNC_SUM_BLOCK ? inside : RNC_SUM_BLOCK;
                        tolerance = count ? sum_tolerance(terms, sum_abs) / count : 0.0;
                    }
                    v = ref_act(v, s.act, s.alpha, s.beta, &tolerance);
                    expect_at(&e, grid_pixel(&out, n, y, x) + i, v, tolerance);
                }
    const rnc_operands o = {.in = {in.at}, .out = {out.at}};
    run_kernel(c, kernel, &s, &tile, &o, out.base, out.total, true);
    expect_check(c, &e);
}

void test_maxpool(Case *c)
{
    test_pool(c, true, c->isa->kernels[KERNEL_maxpool]);
}

void test_avgpool(Case *c)
{
    test_pool(c, false, c->isa->kernels[KERNEL_avgpool]);
}
