/* test_sample.c: pad, resize and blocks. */
#include "harness.h"

#include <math.h>

/* The pixel of n in a row that position i, outside them, repeats. */
static int source(int i, int n, int mode)
{
    if (mode == 2)
        return i < 0 ? 0 : i >= n ? n - 1 : i;
    if (mode == 3)
        return (i + n) % n;
    while (i < 0 || i >= n) /* mirrored at the pixel (1) or after it (4) */
        i = i < 0 ? -i - (mode == 4) : 2 * n - 2 - i + (mode == 4);
    return i;
}

void test_pad(Case *c)
{
    rnc_pad_shape s = {.images = pick(c, 1, 2), .h = pick(c, 1, 6), .w = pick(c, 1, 6)};
    const rnc_knobs tile = {0};
    s.mode = pick(c, 1, 4);
    const int most_h = s.h - (s.mode == 1), most_w = s.w - (s.mode == 1);
    s.top = pick(c, 0, most_h), s.bottom = pick(c, 0, most_h);
    s.left = pick(c, 0, most_w), s.right = pick(c, 0, most_w);
    const Layout layout = {.align = chance(c, 80) ? pick_align(c) : 1};
    const int channels = pick(c, 1, 60);
    Grid in = grid_make(c, s.images, s.h, s.w, channels, layout);
    Grid out =
        grid_make(c, s.images, s.top + s.h + s.bottom, s.left + s.w + s.right, channels, layout);
    grid_fill(c, &in, -4.0f, 4.0f);
    grid_spoil(c, &in, false);
    s.c = in.lanes;
    s.in_pixel = in.pixel, s.in_row = in.row, s.in_image = in.image;
    s.out_pixel = out.pixel, s.out_row = out.row, s.out_image = out.image;
    describe_pad(c, &s);

    Expect e = expect_make(c, out.base, out.total);
    for (int n = 0; n < s.images; n++)
        for (int y = 0; y < out.h; y++)
            for (int x = 0; x < out.w; x++)
                for (int i = 0; i < s.c; i++) {
                    const int iy = source(y - s.top, s.h, s.mode);
                    const int ix = source(x - s.left, s.w, s.mode);
                    expect_at(&e, grid_pixel(&out, n, y, x) + i,
                              (double)grid_pixel(&in, n, iy, ix)[i], 0.0);
                }
    const rnc_operands o = {.in = {in.at}, .out = {out.at}};
    run_kernel(c, c->isa->kernels[KERNEL_pad], &s, &tile, &o, out.base, out.total, true);
    expect_check(c, &e);
}

/* The value at a position, and the sum of magnitudes that it was made of. */
static double between(const rnc_resize_shape *s, const Grid *in, const int at[4], double *sum_abs)
{
    const double y = fmax(0, ((double)at[1] * s->mul_h + s->add_h) / s->div_h);
    const double x = fmax(0, ((double)at[2] * s->mul_w + s->add_w) / s->div_w);
    const int rows[2] = {(int)fmin(floor(y), s->in_h - 1), (int)fmin(floor(y) + 1, s->in_h - 1)};
    const int pixels[2] = {(int)fmin(floor(x), s->in_w - 1), (int)fmin(floor(x) + 1, s->in_w - 1)};
    double sum = 0;
    *sum_abs = 0;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            const double v = (double)grid_pixel(in, at[0], rows[i], pixels[j])[at[3]];
            const double down = i ? y - floor(y) : 1 - (y - floor(y));
            const double across = j ? x - floor(x) : 1 - (x - floor(x));
            const double weight = s->bilinear ? down * across : i == 0 && j == 0;
            if (s->bilinear || weight > 0) {
                sum += weight * v;
                *sum_abs += fabs(weight * v);
            }
        }
    return sum;
}

/* A convention of corners along an axis, and sometimes any other numbers. */
static void draw_scaling(Case *c, int in, int out, int *mul, int *add, int *div)
{
    const int kind = pick(c, 0, 3);
    *mul = kind == 0 ? in : kind == 1 ? 2 * in : kind == 2 ? in - 1 : pick(c, 0, 20);
    *add = kind == 1 ? in - out : kind == 3 ? pick(c, -20, 20) : 0;
    *div = kind == 0   ? out
           : kind == 1 ? 2 * out
           : kind == 2 ? (out > 1 ? out - 1 : 1)
                       : pick(c, 1, 20);
}

void test_resize(Case *c)
{
    rnc_resize_shape s = {.images = pick(c, 1, 2), .in_h = pick(c, 1, 7), .in_w = pick(c, 1, 7)};
    const rnc_knobs tile = {0};
    s.out_h = pick(c, 1, 15), s.out_w = pick(c, 1, 15);
    s.bilinear = pick(c, 0, 1);
    draw_scaling(c, s.in_h, s.out_h, &s.mul_h, &s.add_h, &s.div_h);
    draw_scaling(c, s.in_w, s.out_w, &s.mul_w, &s.add_w, &s.div_w);
    s.act = chance(c, 70) ? RNC_ACT_NONE : pick_act(c, &s.alpha, &s.beta);
    const Layout layout = {.align = chance(c, 80) ? pick_align(c) : 1};
    const int channels = pick(c, 1, 60);
    Grid in = grid_make(c, s.images, s.in_h, s.in_w, channels, layout);
    Grid out = grid_make(c, s.images, s.out_h, s.out_w, channels, layout);
    grid_fill(c, &in, -4.0f, 4.0f);
    grid_spoil(c, &in, false);
    s.c = in.lanes;
    s.in_pixel = in.pixel, s.in_row = in.row, s.in_image = in.image;
    s.out_pixel = out.pixel, s.out_row = out.row, s.out_image = out.image;
    describe_resize(c, &s);

    Expect e = expect_make(c, out.base, out.total);
    for (int n = 0; n < s.images; n++)
        for (int y = 0; y < s.out_h; y++)
            for (int x = 0; x < s.out_w; x++)
                for (int i = 0; i < s.c; i++) {
                    double sum_abs, v = between(&s, &in, (int[]){n, y, x, i}, &sum_abs);
                    double tolerance = s.bilinear ? sum_tolerance(8, sum_abs) : 0.0;
                    v = ref_act(v, s.act, s.alpha, s.beta, &tolerance);
                    expect_at(&e, grid_pixel(&out, n, y, x) + i, v, tolerance);
                }
    const rnc_operands o = {.in = {in.at}, .out = {out.at}};
    run_kernel(c, c->isa->kernels[KERNEL_resize], &s, &tile, &o, out.base, out.total, true);
    expect_check(c, &e);
}

/* One side of blocks: pixels of an image, or channels of a pixel. */
static void pixels_of(const Grid *g, int down, int across, int side[6])
{
    const int values[] = {1, g->row, g->pixel, across * g->pixel, down * g->row, g->image};
    for (int i = 0; i < 6; i++)
        side[i] = values[i];
}

static void channels_of(const Grid *g, bool mixed, const int blocks[3], int side[6])
{
    const int all = blocks[0] * blocks[1], one = mixed ? 1 : blocks[2];
    const int values[] = {mixed ? all : 1, blocks[1] * one, one, g->pixel, g->row, g->image};
    for (int i = 0; i < 6; i++)
        side[i] = values[i];
}

void test_blocks(Case *c)
{
    rnc_blocks_shape s = {.images = pick(c, 1, 2), .h = pick(c, 1, 5), .w = pick(c, 1, 5)};
    const rnc_knobs tile = {0};
    s.c = pick(c, 1, 40), s.down = pick(c, 1, 3), s.across = pick(c, 1, 3);
    const int kind = pick(c, 0, 2); /* to space, to depth, channels to channels */
    const int blocks[3] = {s.down, s.across, s.c}, deep = s.c * s.down * s.across;
    const Layout layout = {.align = pick_align(c)};
    Grid flat = grid_make(c, s.images, s.h * s.down, s.w * s.across, s.c, layout);
    Grid one = grid_make(c, s.images, s.h, s.w, deep, layout);
    Grid other = grid_make(c, s.images, s.h, s.w, deep, layout);
    Grid *in = kind == 1 ? &flat : &one, *out = kind == 0 ? &flat : &other;
    grid_fill(c, in, -4.0f, 4.0f);
    int from[6], to[6];
    if (kind == 1)
        pixels_of(in, s.down, s.across, from);
    else
        channels_of(in, chance(c, 50), blocks, from);
    if (kind == 0)
        pixels_of(out, s.down, s.across, to);
    else
        channels_of(out, chance(c, 50), blocks, to);
    s.in_step = from[0], s.in_down = from[1], s.in_across = from[2];
    s.in_pixel = from[3], s.in_row = from[4], s.in_image = from[5];
    s.out_step = to[0], s.out_down = to[1], s.out_across = to[2];
    s.out_pixel = to[3], s.out_row = to[4], s.out_image = to[5];
    describe_blocks(c, &s);

    Expect e = expect_make(c, out->base, out->total);
    for (int n = 0; n < s.images; n++)
        for (int p = 0; p < s.h * s.w; p++)
            for (int b = 0; b < s.down * s.across; b++)
                for (int k = 0; k < s.c; k++) {
                    const int y = p / s.w, x = p % s.w, i = b / s.across, j = b % s.across;
                    expect_at(&e,
                              out->at + n * to[5] + y * to[4] + x * to[3] + i * to[1] + j * to[2] +
                                  k * to[0],
                              (double)in->at[n * from[5] + y * from[4] + x * from[3] + i * from[1] +
                                             j * from[2] + k * from[0]],
                              0.0);
                }
    const rnc_operands o = {.in = {in->at}, .out = {out->at}};
    run_kernel(c, c->isa->kernels[KERNEL_blocks], &s, &tile, &o, out->base, out->total, true);
    expect_check(c, &e);
}
