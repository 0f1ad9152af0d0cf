/* test_move.c: copy, split, shift, flatten and halo_clear. */
#include "harness.h"

#include <math.h>
#include <string.h>

/* A tensor's channels that begin somewhere in the pixels of a wider one, as
 * the parts of a concat do. */
static Grid slice_of(Case *c, const Grid *whole, int channels)
{
    Grid g = *whole;
    g.c = channels;
    g.at += pick(c, 0, whole->lanes - channels);
    return g;
}

void test_copy(Case *c)
{
    rnc_copy_shape s = {.images = pick(c, 1, 2), .repeat_h = 1, .repeat_w = 1};
    const rnc_knobs tile = {0};
    const int kind = pick(c, 0, 3); /* slice, stride, repeat, zeros */
    const int stride_h = kind == 1 ? pick(c, 1, 3) : 1, stride_w = kind == 1 ? pick(c, 1, 3) : 1;
    const int in_h = pick(c, 1, 6), in_w = pick(c, 1, 6);
    if (kind == 2)
        s.repeat_h = pick(c, 1, 3), s.repeat_w = pick(c, 1, 3);
    if (kind == 3) {
        s.zero_top = pick(c, 0, 2), s.zero_left = pick(c, 0, 2);
        s.zero_bottom = pick(c, 0, 2), s.zero_right = pick(c, 0, 2);
        s.zero_front = chance(c, 50) ? 0 : pick(c, 1, 20);
        s.zero_behind = chance(c, 50) ? 0 : pick(c, 1, 20);
    }
    s.c = pick(c, 1, 70);
    s.h = (in_h + stride_h - 1) / stride_h * s.repeat_h;
    s.w = (in_w + stride_w - 1) / stride_w * s.repeat_w;
    s.act = chance(c, 70) ? RNC_ACT_NONE : pick_act(c, &s.alpha, &s.beta);
    const Layout layout = {.align = pick_align(c)};
    Grid in = grid_make(c, s.images, in_h, in_w, s.c + pick(c, 0, 20), layout);
    grid_fill(c, &in, -4.0f, 4.0f);
    grid_spoil(c, &in, false);
    const int deep = s.zero_front + s.c + s.zero_behind;
    Grid whole = grid_make(c, s.images, s.zero_top + s.h + s.zero_bottom,
                           s.zero_left + s.w + s.zero_right, deep + pick(c, 0, 20), layout);
    Grid from = slice_of(c, &in, s.c), to = slice_of(c, &whole, deep);
    s.in_pixel = in.pixel * stride_w, s.in_row = in.row * stride_h, s.in_image = in.image;
    s.out_pixel = to.pixel, s.out_row = to.row, s.out_image = to.image;
    describe_copy(c, &s);

    Expect e = expect_make(c, whole.base, whole.total);
    for (int n = 0; n < s.images; n++)
        for (int y = 0; y < whole.h; y++)
            for (int x = 0; x < whole.w; x++)
                for (int i = 0; i < deep; i++) {
                    const int iy = y - s.zero_top, ix = x - s.zero_left, ic = i - s.zero_front;
                    double v = 0.0, tolerance = 0.0;
                    if (iy >= 0 && iy < s.h && ix >= 0 && ix < s.w && ic >= 0 && ic < s.c) {
                        const float *p = grid_pixel(&from, n, iy / s.repeat_h * stride_h,
                                                    ix / s.repeat_w * stride_w);
                        v = ref_act((double)p[ic], s.act, s.alpha, s.beta, &tolerance);
                    }
                    expect_at(&e, grid_pixel(&to, n, y, x) + i, v, tolerance);
                }
    const rnc_operands o = {.in = {from.at},
                            .out = {grid_pixel(&to, 0, s.zero_top, s.zero_left) + s.zero_front}};
    run_kernel(c, c->isa->kernels[KERNEL_copy], &s, &tile, &o, whole.base, whole.total, true);
    expect_check(c, &e);
}

void test_split(Case *c)
{
    rnc_split_shape s = {.images = pick(c, 1, 2), .h = pick(c, 1, 5), .w = pick(c, 1, 5)};
    const rnc_knobs tile = {0};
    s.c = pick(c, 1, 40), s.parts = pick(c, 1, RNC_MOST_OUT);
    Grid in = grid_make(c, s.images, s.h, s.w, s.c * s.parts, (Layout){.align = pick_align(c)});
    grid_fill(c, &in, -4.0f, 4.0f);
    /* the results, side by side in one piece of memory */
    Grid whole = grid_make(c, s.images * s.parts, s.h, s.w, s.c, (Layout){.align = pick_align(c)});
    s.in_pixel = in.pixel, s.in_row = in.row, s.in_image = in.image;
    s.out_pixel = whole.pixel, s.out_row = whole.row, s.out_image = whole.image;
    describe_split(c, &s);

    Expect e = expect_make(c, whole.base, whole.total);
    rnc_operands o = {.in = {in.at}};
    for (int k = 0; k < s.parts; k++) {
        o.out[k] = grid_pixel(&whole, k * s.images, 0, 0);
        for (int n = 0; n < s.images; n++)
            for (int y = 0; y < s.h; y++)
                for (int x = 0; x < s.w; x++)
                    for (int i = 0; i < s.c; i++)
                        expect_at(&e, grid_pixel(&whole, k * s.images + n, y, x) + i,
                                  (double)grid_pixel(&in, n, y, x)[k * s.c + i], 0.0);
    }
    run_kernel(c, c->isa->kernels[KERNEL_split], &s, &tile, &o, whole.base, whole.total, true);
    expect_check(c, &e);
}

/* Slots that are rows of an image, or images one after the other. */
void test_shift(Case *c)
{
    rnc_shift_shape s = {.images = pick(c, 1, 2), .keep = pick(c, 1, 5), .fresh = pick(c, 1, 4)};
    const rnc_knobs tile = {0};
    const bool rows = chance(c, 50);
    const int slots = s.keep + s.fresh;
    s.h = rows ? 1 : pick(c, 1, 4), s.w = pick(c, 1, 5), s.c = pick(c, 1, 40);
    const Layout layout = {.align = pick_align(c), .left = pick(c, 0, 1), .bottom = pick(c, 0, 1)};
    Grid in =
        rows ? grid_make(c, s.images, s.fresh, s.w, s.c, (Layout){.align = pick_align(c)})
             : grid_make(c, s.images * s.fresh, s.h, s.w, s.c, (Layout){.align = pick_align(c)});
    Grid out = rows ? grid_make(c, s.images, slots, s.w, s.c, layout)
                    : grid_make(c, s.images * slots, s.h, s.w, s.c, layout);
    grid_fill(c, &in, -4.0f, 4.0f);
    grid_fill(c, &out, -4.0f, 4.0f);
    s.in_pixel = in.pixel, s.in_row = in.row, s.in_slot = rows ? in.row : in.image;
    s.in_image = rows ? in.image : in.image * s.fresh;
    s.out_pixel = out.pixel, s.out_row = out.row, s.out_slot = rows ? out.row : out.image;
    s.out_image = rows ? out.image : out.image * slots;
    describe_shift(c, &s);

    Expect e = expect_make(c, out.base, out.total);
    for (int n = 0; n < s.images; n++)
        for (int k = 0; k < slots; k++)
            for (int y = 0; y < s.h; y++)
                for (int x = 0; x < s.w; x++) {
                    const int old = k + s.fresh, fresh = k - s.keep;
                    const float *from = fresh >= 0 ? in.at + n * s.in_image + fresh * s.in_slot +
                                                         y * s.in_row + x * s.in_pixel
                                                   : out.at + n * s.out_image + old * s.out_slot +
                                                         y * s.out_row + x * s.out_pixel;
                    const float *to =
                        out.at + n * s.out_image + k * s.out_slot + y * s.out_row + x * s.out_pixel;
                    for (int i = 0; i < s.c; i++)
                        expect_at(&e, to + i, (double)from[i], 0.0);
                }
    const rnc_operands o = {.in = {in.at}, .out = {out.at}};
    run_kernel(c, c->isa->kernels[KERNEL_shift], &s, &tile, &o, out.base, out.total, true);
    expect_check(c, &e);
}

void test_flatten(Case *c)
{
    rnc_flatten_shape s = {.images = pick(c, 1, 3), .h = pick(c, 1, 8), .w = pick(c, 1, 8)};
    const rnc_knobs tile = {0};
    s.c = pick(c, 1, 50);
    Grid in = grid_make(c, s.images, s.h, s.w, s.c, (Layout){.align = pick_align(c)});
    Grid out = grid_make(c, s.images, 1, 1, s.c * s.h * s.w, (Layout){.align = pick_align(c)});
    grid_fill(c, &in, -4.0f, 4.0f);
    grid_spoil(c, &in, false);
    s.in_pixel = in.pixel, s.in_row = in.row, s.in_image = in.image;
    s.out_image = out.image;
    describe_flatten(c, &s);

    Expect e = expect_make(c, out.base, out.total);
    for (int n = 0; n < s.images; n++)
        for (int i = 0; i < s.c; i++)
            for (int y = 0; y < s.h; y++)
                for (int x = 0; x < s.w; x++)
                    expect_at(&e, grid_pixel(&out, n, 0, 0) + (i * s.h + y) * s.w + x,
                              (double)grid_pixel(&in, n, y, x)[i], 0.0);
    const rnc_operands o = {.in = {in.at}, .out = {out.at}};
    run_kernel(c, c->isa->kernels[KERNEL_flatten], &s, &tile, &o, out.base, out.total, true);
    expect_check(c, &e);
}

void test_halo_clear(Case *c)
{
    rnc_halo_shape s = {.images = pick(c, 1, 2), .h = pick(c, 1, 6), .w = pick(c, 1, 6)};
    const rnc_knobs tile = {0};
    s.top = pick(c, 0, 3), s.left = pick(c, 0, 3);
    s.bottom = pick(c, 0, 3), s.right = pick(c, 0, 3);
    const Layout layout = {.align = chance(c, 70) ? pick_align(c) : 1,
                           .top = s.top,
                           .left = s.left,
                           .bottom = s.bottom,
                           .right = s.right};
    Grid out = grid_make(c, s.images, s.h, s.w, pick(c, 1, 70), layout);
    s.c = chance(c, 30) ? out.pixel : out.lanes;
    s.pixel = out.pixel, s.row = out.row, s.image = out.image;
    s.shift = chance(c, 30) ? pick(c, 1, 40) : 0;
    s.result = pick(c, 0, RNC_MOST_OUT - 1);
    describe_halo(c, &s);

    Expect e = expect_make(c, out.base, out.total);
    for (int n = 0; n < s.images; n++)
        for (int y = -s.top; y < s.h + s.bottom; y++)
            for (int x = -s.left; x < s.w + s.right; x++)
                for (int i = 0; i < s.c; i++)
                    if (y < 0 || y >= s.h || x < 0 || x >= s.w)
                        expect_at(&e, grid_pixel(&out, n, y, x) + i, 0.0, 0.0);
    rnc_operands o = {0};
    o.out[s.result] = out.at + s.shift;
    run_kernel(c, c->isa->halo_clear, &s, &tile, &o, out.base, out.total, true);
    expect_check(c, &e);
}
