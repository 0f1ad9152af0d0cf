/* test_grad_pool.c: gradients of pools and sums over windows. */
#include "train_case.h"

#include <math.h>

typedef struct PoolCase {
    rnc_pool_grad_shape s;
    Grid in, grad, to;
} PoolCase;

static PoolCase draw(Case *c)
{
    PoolCase k = {0};
    rnc_pool_grad_shape *s = &k.s;
    const bool global = chance(c, 20);
    s->images = pick(c, 1, 2);
    s->in_h = pick(c, 1, 10), s->in_w = pick(c, 1, 10);
    s->kernel_h = global ? s->in_h : pick(c, 1, s->in_h < 5 ? s->in_h : 5);
    s->kernel_w = global ? s->in_w : pick(c, 1, s->in_w < 5 ? s->in_w : 5);
    s->stride_h = pick(c, 1, 3), s->stride_w = pick(c, 1, 3);
    s->pad_top = global ? 0 : pick(c, 0, s->kernel_h - 1);
    s->pad_left = global ? 0 : pick(c, 0, s->kernel_w - 1);
    s->pad_bottom = global ? 0 : pick(c, 0, s->kernel_h - 1);
    s->pad_right = global ? 0 : pick(c, 0, s->kernel_w - 1);
    const bool ceil = chance(c, 50);
    s->out_h = pool_windows(s->in_h, s->pad_top, s->pad_bottom, s->kernel_h, s->stride_h, ceil);
    s->out_w = pool_windows(s->in_w, s->pad_left, s->pad_right, s->kernel_w, s->stride_w, ceil);
    s->count_padding = pick(c, 0, 1);
    s->divisor = chance(c, 10) ? pick(c, 1, 9) : 0;
    s->accumulate = chance(c, 40);
    const int channels = pick(c, 1, 50);
    const Layout layout = {.align = chance(c, 80) ? pick_align(c) : 1};
    k.in = grid_make(c, s->images, s->in_h, s->in_w, channels, layout);
    k.grad = grid_make(c, s->images, s->out_h, s->out_w, channels, layout);
    k.to = grid_make(c, s->images, s->in_h, s->in_w, channels, layout);
    grid_fill(c, &k.in, -4.0f, 4.0f);
    if (chance(c, 50)) /* equal elements */
        for (int p = 0; p < s->images * s->in_h * s->in_w; p++)
            for (int i = 0; i < k.in.lanes; i++)
                grid_pixel(&k.in, p / (s->in_h * s->in_w), p / s->in_w % s->in_h, p % s->in_w)[i] =
                    (float)pick(c, -1, 1);
    grid_fill(c, &k.grad, -1.0f, 1.0f);
    if (s->accumulate)
        grid_fill(c, &k.to, -1.0f, 1.0f);
    s->c = k.in.lanes;
    s->in_pixel = k.in.pixel, s->in_row = k.in.row, s->in_image = k.in.image;
    s->out_pixel = k.grad.pixel, s->out_row = k.grad.row, s->out_image = k.grad.image;
    s->to_pixel = k.to.pixel, s->to_row = k.to.row, s->to_image = k.to.image;
    describe_pool_grad(c, s);
    return k;
}

/* What the mean of the window of which these are the first row and pixel was divided by. */
static int divisor(const rnc_pool_grad_shape *s, int top, int left, int inside)
{
    if (s->divisor || !s->count_padding)
        return s->divisor ? s->divisor : inside;
    return pool_extent(s->in_h, s->pad_top, s->pad_bottom, s->kernel_h, top) *
           pool_extent(s->in_w, s->pad_left, s->pad_right, s->kernel_w, left);
}

/* Adds what window (y, x) gives to channel i of an image: sums and sums of absolute values. */
static void give(const PoolCase *k, const int at[4], bool max, double *sums)
{
    const rnc_pool_grad_shape *s = &k->s;
    const int n = at[0], top = at[1] * s->stride_h - s->pad_top, i = at[3];
    const int left = at[2] * s->stride_w - s->pad_left, all = s->in_h * s->in_w;
    const double g = (double)grid_pixel(&k->grad, n, at[1], at[2])[i];
    int best = -1, inside = 0;
    for (int p = 0; p < s->kernel_h * s->kernel_w; p++) {
        const int y = top + p / s->kernel_w, x = left + p % s->kernel_w;
        if (y < 0 || y >= s->in_h || x < 0 || x >= s->in_w)
            continue;
        inside++;
        if (best < 0 || grid_pixel(&k->in, n, y, x)[i] >
                            grid_pixel(&k->in, n, best / s->in_w, best % s->in_w)[i])
            best = y * s->in_w + x;
    }
    for (int p = 0; p < s->kernel_h * s->kernel_w; p++) {
        const int y = top + p / s->kernel_w, x = left + p % s->kernel_w;
        if (y < 0 || y >= s->in_h || x < 0 || x >= s->in_w)
            continue;
        const double v =
            max ? (y * s->in_w + x == best ? g : 0.0) : g / divisor(s, top, left, inside);
        sums[y * s->in_w + x] += v;
        sums[all + y * s->in_w + x] += fabs(v);
    }
}

static void test_pool(Case *c, bool max, KernelFn *kernel)
{
    PoolCase k = draw(c);
    const rnc_pool_grad_shape *s = &k.s;
    const rnc_knobs t = {0};
    const int all = s->in_h * s->in_w;
    Expect e = expect_make(c, k.to.base, k.to.total);
    for (int n = 0; n < s->images; n++)
        for (int i = 0; i < s->c; i++) {
            double *sums = case_memory(c, 2 * sizeof *sums * (size_t)all);
            for (int p = 0; p < s->out_h * s->out_w; p++) {
                const int at[4] = {n, p / s->out_w, p % s->out_w, i};
                give(&k, at, max, sums);
            }
            for (int p = 0; p < all; p++) {
                float *to = grid_pixel(&k.to, n, p / s->in_w, p % s->in_w) + i;
                const double more = s->accumulate ? (double)*to : 0.0;
                expect_at(&e, to, sums[p] + more, sum_tolerance(26, sums[all + p] + fabs(more)));
            }
        }
    const rnc_operands o = {.in = {k.grad.at, k.in.at}, .out = {k.to.at}};
    run_train(c, kernel, s, &t, &o, k.to.base, k.to.total, !s->accumulate);
    expect_check(c, &e);
}

void test_maxpool_grad(Case *c)
{
    test_pool(c, true, c->isa->kernels[KERNEL_maxpool_grad]);
}

void test_avgpool_grad(Case *c)
{
    test_pool(c, false, c->isa->kernels[KERNEL_avgpool_grad]);
}

void test_window_sum(Case *c)
{
    rnc_pool_grad_shape s = {
        .images = pick(c, 1, 2), .out_h = pick(c, 1, 3), .out_w = pick(c, 1, 3)};
    const rnc_knobs t = {0};
    const bool large = chance(c, 3), product = chance(c, 50);
    const int channels = large ? pick(c, 1, 5) : pick(c, 1, 50);
    s.kernel_h = large ? 50 : pick(c, 1, 4), s.kernel_w = large ? 70 : pick(c, 1, 4);
    s.in_h = s.out_h * s.kernel_h, s.in_w = s.out_w * s.kernel_w;
    s.accumulate = pick(c, 0, 1);
    const Layout layout = {.align = chance(c, 80) ? pick_align(c) : 1};
    Grid in = grid_make(c, s.images, s.in_h, s.in_w, channels, layout);
    Grid in2 = grid_make(c, s.images, s.in_h, s.in_w, channels, layout);
    Grid out = grid_make(c, s.images, s.out_h, s.out_w, channels, layout);
    grid_fill(c, &in, large ? 0.1f : -1.0f, large ? 0.1f : 1.0f);
    grid_fill(c, &in2, -1.0f, 1.0f);
    grid_fill(c, &out, -1.0f, 1.0f);
    s.c = in.lanes;
    s.in_pixel = in.pixel, s.in_row = in.row, s.in_image = in.image;
    s.to_pixel = in2.pixel, s.to_row = in2.row, s.to_image = in2.image;
    s.out_pixel = out.pixel, s.out_row = out.row, s.out_image = out.image;
    describe_pool_grad(c, &s);
    const int all = s.kernel_h * s.kernel_w;
    Expect e = expect_make(c, out.base, out.total);
    for (int p = 0; p < s.images * s.out_h * s.out_w; p++)
        for (int i = 0; i < s.c; i++) {
            const int n = p / (s.out_h * s.out_w), y = p / s.out_w % s.out_h, x = p % s.out_w;
            float *to = grid_pixel(&out, n, y, x) + i;
            double sum = s.accumulate ? (double)*to : 0.0, sum_abs = fabs(sum);
            for (int q = 0; q < all; q++) {
                const int iy = y * s.kernel_h + q / s.kernel_w;
                const int ix = x * s.kernel_w + q % s.kernel_w;
                const double v = (double)grid_pixel(&in, n, iy, ix)[i] *
                                 (product ? (double)grid_pixel(&in2, n, iy, ix)[i] : 1.0);
                sum += v, sum_abs += fabs(v);
            }
            const int terms = all < RNC_SUM_BLOCK ? all : RNC_SUM_BLOCK + all / RNC_SUM_BLOCK;
            expect_at(&e, to, sum,
                      large ? terms * 0x1p-24 * sum_abs : sum_tolerance(terms, sum_abs));
        }
    const rnc_operands o = {.in = {in.at, product ? in2.at : NULL}, .out = {out.at}};
    run_train(c, c->isa->kernels[KERNEL_window_sum], &s, &t, &o, out.base, out.total,
              !s.accumulate);
    expect_check(c, &e);
}
