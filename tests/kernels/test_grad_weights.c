/* test_grad_weights.c: gradients of weights: conv_grad_weights, conv_grad_winograd,
 * depthwise_grad_weights and filter_sum. */
#include "train_case.h"

#include <math.h>

/* A random convolution as the gradient sees it, its input and the gradient of its output. */
typedef struct GradCase {
    rnc_grad_weights_shape s;
    Grid in, grad;
    bool large; /* many equal numbers, whose roundings add up */
} GradCase;

static void draw_window(Case *c, rnc_grad_weights_shape *s)
{
    static const int common[][2] = {{1, 1}, {1, 1}, {3, 3}, {3, 3}, {7, 7}, {1, 3}, {5, 2}};
    const int i = pick(c, 0, 6);
    s->kernel_h = common[i][0], s->kernel_w = common[i][1];
    s->stride_h = s->stride_w = chance(c, 65) ? 1 : 2;
    if (chance(c, 10))
        s->stride_w = pick(c, 1, 3);
    s->dilation_h = s->dilation_w = chance(c, 85) ? 1 : pick(c, 1, 3);
    s->pad_top = chance(c, 80) ? (s->kernel_h - 1) / 2 * s->dilation_h : pick(c, 0, 3);
    s->pad_left = chance(c, 80) ? (s->kernel_w - 1) / 2 * s->dilation_w : pick(c, 0, 3);
    s->out_h = pick(c, 1, 6);
    s->out_w = chance(c, 80) ? pick(c, 1, 6) : pick(c, 7, 30);
    while (s->images * s->out_h * s->out_w * s->kernel_h * s->kernel_w > 1000) {
        s->images = rnc_div_up(s->images, 2);
        s->out_w = rnc_div_up(s->out_w, 2);
        s->out_h = rnc_div_up(s->out_h, 2);
    }
}

/* The input that the windows reach, with a halo on each side. */
static Grid draw_input(Case *c, const rnc_grad_weights_shape *s, int align)
{
    const int reach_h = (s->out_h - 1) * s->stride_h + (s->kernel_h - 1) * s->dilation_h + 1;
    const int reach_w = (s->out_w - 1) * s->stride_w + (s->kernel_w - 1) * s->dilation_w + 1;
    const int below = pick(c, 0, s->pad_top), right = pick(c, 0, s->pad_left);
    const int in_h = reach_h - s->pad_top - below, in_w = reach_w - s->pad_left - right;
    Layout layout = {.align = align, .top = s->pad_top, .left = s->pad_left};
    layout.bottom = in_h < 1 ? reach_h - s->pad_top - 1 : below;
    layout.right = in_w < 1 ? reach_w - s->pad_left - 1 : right;
    layout.bottom = layout.bottom < 0 ? 0 : layout.bottom;
    layout.right = layout.right < 0 ? 0 : layout.right;
    layout.tight = chance(c, 40);
    Grid g = grid_make(c, s->images, in_h < 1 ? 1 : in_h, in_w < 1 ? 1 : in_w, s->groups * s->in_c,
                       layout);
    grid_fill(c, &g, -1.0f, 1.0f);
    return g;
}

static GradCase draw(Case *c)
{
    GradCase k = {0};
    rnc_grad_weights_shape *s = &k.s;
    const int align = pick_align(c);
    const bool large = k.large = chance(c, 1);
    s->images = chance(c, 50) ? pick(c, 1, 3) : pick(c, 4, 9);
    draw_window(c, s);
    if (large) {
        s->images = 4;
        s->kernel_h = s->kernel_w = s->stride_h = s->stride_w = 1;
        s->pad_top = s->pad_left = 0;
        s->out_h = 64, s->out_w = 80;
    }
    s->slice = chance(c, 50) ? s->images : pick(c, 1, s->images);
    s->slices = rnc_div_up(s->images, s->slice);
    s->groups = large || chance(c, 70) ? 1 : pick(c, 2, 4);
    s->in_c = large ? 1 : pick(c, 1, chance(c, 50) ? 5 : 24);
    k.in = draw_input(c, s, chance(c, 30) ? 1 : align);
    const int width = large ? 1 : s->groups == 1 ? pick(c, 1, 80) : align * pick(c, 1, 64 / align);
    const Layout layout = {.align = align, .tight = chance(c, 40)};
    k.grad = grid_make(c, s->images, s->out_h, s->out_w, s->groups * width, layout);
    grid_fill(c, &k.grad, -1.0f, 1.0f);
    if (large) {
        grid_fill(c, &k.in, 0.1f, 0.1f);
        grid_fill(c, &k.grad, 0.1f, 0.1f);
    }
    s->out_c = s->groups == 1 ? k.grad.lanes : s->groups * width;
    s->panel = chance(c, 80) ? 32 : align * pick(c, 1, 3);
    s->bias = pick(c, 0, 1);
    s->in_h = k.in.h, s->in_w = k.in.w;
    s->in_pixel = k.in.pixel, s->in_row = k.in.row, s->in_image = k.in.image;
    s->out_pixel = k.grad.pixel, s->out_row = k.grad.row, s->out_image = k.grad.image;
    describe_grad_weights(c, s);
    return k;
}

/* The gradient of output channel o's weight at tap (ky, kx) and input i, over images first ..
 * end-1; that of its bias if i < 0. */
static double element(const GradCase *k, int o, const int tap[2], int i, const int images[2],
                      double *sum_abs)
{
    const rnc_grad_weights_shape *s = &k->s;
    const int group = o / (s->out_c / s->groups);
    double sum = 0.0;
    *sum_abs = 0.0;
    for (int n = images[0]; n < images[1]; n++)
        for (int y = 0; y < s->out_h; y++)
            for (int x = 0; x < s->out_w; x++) {
                const int iy = y * s->stride_h - s->pad_top + tap[0] * s->dilation_h;
                const int ix = x * s->stride_w - s->pad_left + tap[1] * s->dilation_w;
                const double g = (double)grid_pixel(&k->grad, n, y, x)[o];
                double v = 1.0;
                if (i >= 0 && (iy < 0 || iy >= s->in_h || ix < 0 || ix >= s->in_w))
                    continue;
                if (i >= 0)
                    v = (double)grid_pixel(&k->in, n, iy, ix)[group * s->in_c + i];
                sum += v * g;
                *sum_abs += fabs(v * g);
            }
    return sum;
}

/* The roundings of a slice's longest sum: the pixels of a block, t->depth or 128, and the blocks,
 * which are at least half full. */
static int longest(const rnc_grad_weights_shape *s, const rnc_knobs *t)
{
    const int block = t->depth > 0 ? t->depth : 128;
    const int pixels = s->slice * s->out_h * s->out_w;
    return (pixels < block ? pixels : block) + rnc_div_up(2 * pixels, block);
}

/* The error of a sum of so many roundings: not that of as many as there are products. */
static double tolerance_of(const GradCase *k, int roundings, double sum_abs)
{
    return k->large ? roundings * 0x1p-24 * sum_abs : sum_tolerance(roundings, sum_abs);
}

/* What a slice's sums should be, in the order of packed panels. */
static void expect_slice(Expect *e, const GradCase *k, const rnc_knobs *t, int slice, float *at)
{
    const rnc_grad_weights_shape *s = &k->s;
    const int images[2] = {rnc_slice_begin(s->images, s->slice, slice),
                           rnc_slice_begin(s->images, s->slice, slice + 1)};
    const int group_c = s->out_c / s->groups, terms = longest(s, t);
    for (int o = 0, width; o < s->out_c; o += width) {
        const int left = group_c - o % group_c;
        width = left < s->panel ? left : s->panel;
        for (int j = 0; j < width; j++) {
            double sum_abs, v = element(k, o + j, images, -1, images, &sum_abs);
            expect_at(e, at + j, s->bias ? v : 0.0,
                      s->bias ? tolerance_of(k, terms, sum_abs) : 0.0);
        }
        at += width;
        for (int row = 0; row < s->kernel_h * s->kernel_w * s->in_c; row++)
            for (int j = 0; j < width; j++, at++) {
                const int tap[2] = {row / s->in_c / s->kernel_w, row / s->in_c % s->kernel_w};
                double sum_abs, v = element(k, o + j, tap, row % s->in_c, images, &sum_abs);
                expect_at(e, at, v, tolerance_of(k, terms, sum_abs));
            }
    }
}

/* The register tiles of the instruction sets. */
static const rnc_knobs usual[] = {
    {.pixels = 14, .vectors = 2}, {.pixels = 6, .vectors = 2}, {.pixels = 3, .vectors = 4}};

void test_conv_grad_weights(Case *c)
{
    GradCase k = draw(c);
    rnc_knobs t = usual[pick(c, 0, 2)];
    if (chance(c, 50))
        t.pixels = pick(c, 0, 32), t.vectors = pick(c, 0, 8);
    t.depth = k.large || chance(c, 50) ? 0 : pick(c, 1, 40);
    t.memory_broadcasts = pick(c, 0, 4) * 25;
    const size_t each = (size_t)rnc_grad_floats(&k.s), total = each * (size_t)k.s.slices;
    float *sums = case_floats(c, total);
    Expect e = expect_make(c, sums, total);
    for (int i = 0; i < k.s.slices; i++)
        expect_slice(&e, &k, &t, i, sums + (size_t)i * each);
    const size_t scratch = 7 * (size_t)rnc_grad_scratch(&k.s, &t);
    const rnc_operands o = {
        .in = {k.in.at, k.grad.at}, .out = {sums}, .scratch = case_floats(c, scratch)};
    run_train(c, c->isa->kernels[KERNEL_conv_grad_weights], &k.s, &t, &o, sums, total, true);
    expect_check(c, &e);
}

/* A 3x3 convolution with stride 1 of whole vectors of channels. */
static GradCase draw_turned(Case *c)
{
    GradCase k = {0};
    rnc_grad_weights_shape *s = &k.s;
    s->images = chance(c, 70) ? pick(c, 1, 2) : pick(c, 3, 6);
    s->kernel_h = s->kernel_w = 3;
    s->stride_h = s->stride_w = s->dilation_h = s->dilation_w = s->groups = 1;
    s->pad_top = chance(c, 80) ? 1 : pick(c, 0, 2);
    s->pad_left = chance(c, 80) ? 1 : pick(c, 0, 2);
    s->out_h = pick(c, 1, 6), s->out_w = pick(c, 1, chance(c, 80) ? 5 : 9);
    s->slice = chance(c, 50) ? s->images : pick(c, 1, s->images);
    s->slices = rnc_div_up(s->images, s->slice);
    s->in_c = 16 * pick(c, 1, chance(c, 80) ? 2 : 4);
    const Layout layout = {.align = 16, .tight = chance(c, 40)};
    k.in = draw_input(c, s, 16);
    k.grad =
        grid_make(c, s->images, s->out_h, s->out_w, 16 * pick(c, 1, chance(c, 80) ? 2 : 5), layout);
    grid_fill(c, &k.grad, -1.0f, 1.0f);
    s->out_c = k.grad.lanes;
    s->panel = chance(c, 80) ? 32 : 16 * pick(c, 1, 3);
    s->bias = pick(c, 0, 1);
    s->in_h = k.in.h, s->in_w = k.in.w;
    s->in_pixel = k.in.pixel, s->in_row = k.in.row, s->in_image = k.in.image;
    s->out_pixel = k.grad.pixel, s->out_row = k.grad.row, s->out_image = k.grad.image;
    describe_grad_weights(c, s);
    return k;
}

/* Gradients with a single number that is not 0 show what the transforms leave of it. */
static void thin_out(Case *c, const GradCase *k)
{
    const int keep[3] = {pick(c, 0, k->s.out_h - 1), pick(c, 0, k->s.out_w - 1), pick(c, 1, 4)};
    for (int n = 0; n < k->s.images; n++)
        for (int y = 0; y < k->s.out_h; y++)
            for (int x = 0; x < k->s.out_w; x++)
                for (int i = 0; i < k->s.out_c; i++)
                    if (y != keep[0] || x != keep[1] || i % keep[2] != 0)
                        grid_pixel(&k->grad, n, y, x)[i] = 0.0f;
}

/* What a slice's sums should be, within C times a rounding of the largest input times the sum of
 * the output channel's gradients. */
static void expect_turned(Expect *e, const GradCase *k, int slice, float *at)
{
    enum { C = 96 };
    const rnc_grad_weights_shape *s = &k->s;
    const int images[2] = {rnc_slice_begin(s->images, s->slice, slice),
                           rnc_slice_begin(s->images, s->slice, slice + 1)};
    for (int o = 0, width; o < s->out_c; o += width) {
        double within[64];
        width = s->out_c - o < s->panel ? s->out_c - o : s->panel;
        for (int j = 0; j < width; j++, at++) {
            const double bias = element(k, o + j, images, -1, images, &within[j]);
            within[j] *= C * 0x1p-24;
            expect_at(e, at, s->bias ? bias : 0.0, s->bias ? within[j] : 0.0);
        }
        for (int row = 0; row < 9 * s->in_c; row++)
            for (int j = 0; j < width; j++, at++) {
                const int tap[2] = {row / s->in_c / 3, row / s->in_c % 3};
                double sum_abs;
                expect_at(e, at, element(k, o + j, tap, row % s->in_c, images, &sum_abs),
                          within[j]);
            }
    }
}

void test_conv_grad_winograd(Case *c)
{
    GradCase k = draw_turned(c);
    rnc_knobs t = usual[pick(c, 0, 2)];
    if (chance(c, 30))
        t.pixels = pick(c, 0, 32), t.vectors = pick(c, 0, 8);
    if (chance(c, 30))
        thin_out(c, &k);
    t.group = pick(c, 0, 40);
    t.depth = chance(c, 70) ? 16 * pick(c, 1, 4) : pick(c, 0, 100);
    t.memory_broadcasts = pick(c, 0, 4) * 25;
    const size_t each = (size_t)rnc_grad_floats(&k.s), total = each * (size_t)k.s.slices;
    float *sums = case_floats(c, total);
    Expect e = expect_make(c, sums, total);
    for (int i = 0; i < k.s.slices; i++)
        expect_turned(&e, &k, i, sums + (size_t)i * each);
    rnc_grad_winograd_cut cut;
    rnc_cut_grad_winograd(&k.s, &t, &cut);
    const rnc_operands o = {.in = {k.in.at, k.grad.at},
                            .out = {sums},
                            .scratch = case_floats(c, 7 * (size_t)cut.floats)};
    run_train(c, c->isa->kernels[KERNEL_conv_grad_winograd], &k.s, &t, &o, sums, total, true);
    expect_check(c, &e);
}

void test_filter_sum(Case *c)
{
    rnc_filter_shape s = {.slices = pick(c, 1, 9), .accumulate = pick(c, 0, 1)};
    const rnc_knobs t = {0};
    const int align = pick_align(c);
    s.groups = chance(c, 70) ? 1 : pick(c, 2, 4);
    s.out_c = s.groups * align * pick(c, 1, 80 / align);
    s.filters = s.groups == 1 ? s.out_c - pick(c, 0, align - 1) : s.out_c;
    s.in_c = pick(c, 1, 20);
    s.kernel_h = pick(c, 1, 3), s.kernel_w = pick(c, 1, 3);
    s.panel = chance(c, 80) ? 32 : align * pick(c, 1, 3);
    s.plain = pick(c, 0, 1);
    describe_filter(c, &s);
    const int depth = s.kernel_h * s.kernel_w * s.in_c;
    const size_t each = (size_t)rnc_filter_floats(&s), total = each * (size_t)s.slices;
    const bool in_place = !s.plain && chance(c, 30);
    float *sums = case_floats(c, total);
    for (size_t i = 0; i < total; i++)
        sums[i] = pick_float(c, -1.0f, 1.0f);
    /* plain: the filters, a gap, the biases */
    const size_t size = in_place ? total : s.plain ? each + 16 : each;
    float *out = in_place ? sums : case_floats(c, size);
    float *bias = out + s.filters * depth + 16;
    for (size_t i = 0; i < size && !in_place; i++)
        if (!s.plain || i < (size_t)(s.filters * depth) ||
            (i >= (size_t)(bias - out) && i < (size_t)(bias - out + s.filters)))
            out[i] = pick_float(c, -1.0f, 1.0f);
    Expect e = expect_make(c, out, size);
    const float *from = sums;
    for (int first = 0, width; first < s.out_c; first += width) {
        const int left = s.out_c / s.groups - first % (s.out_c / s.groups);
        width = left < s.panel ? left : s.panel;
        for (int row = -1; row < depth; row++)
            for (int j = 0; j < width; j++, from++) {
                const int o = first + j;
                float *to = !s.plain  ? out + (from - sums)
                            : row < 0 ? bias + o
                                      : out + o * depth + row;
                const float v = tree_sum(from, each, s.slices);
                if (!s.plain || o < s.filters)
                    expect_at(&e, to, (double)(s.accumulate ? *to + v : v), 0.0);
            }
    }
    const rnc_operands o = {.in = {sums}, .out = {out, s.plain ? bias : NULL}};
    run_train(c, c->isa->kernels[KERNEL_filter_sum], &s, &t, &o, out, size,
              !s.accumulate && !in_place);
    expect_check(c, &e);
}

void test_depthwise_grad_weights(Case *c)
{
    GradCase k = {0};
    rnc_grad_weights_shape *s = &k.s;
    const int align = pick_align(c);
    const rnc_knobs t = {.depth = 128};
    s->images = chance(c, 50) ? pick(c, 1, 3) : pick(c, 4, 9);
    draw_window(c, s);
    s->slice = chance(c, 50) ? s->images : pick(c, 1, s->images);
    s->slices = rnc_div_up(s->images, s->slice);
    s->groups = align * pick(c, 1, 48 / align), s->in_c = 1, s->out_c = s->groups, s->panel = 1;
    k.in = draw_input(c, s, align);
    k.grad = grid_make(c, s->images, s->out_h, s->out_w, s->out_c, (Layout){.align = align});
    grid_fill(c, &k.grad, -1.0f, 1.0f);
    s->bias = pick(c, 0, 1);
    s->in_h = k.in.h, s->in_w = k.in.w;
    s->in_pixel = k.in.pixel, s->in_row = k.in.row, s->in_image = k.in.image;
    s->out_pixel = k.grad.pixel, s->out_row = k.grad.row, s->out_image = k.grad.image;
    describe_grad_weights(c, s);
    const int each = (int)rnc_grad_floats(s);
    float *sums = case_floats(c, (size_t)(each * s->slices));
    Expect e = expect_make(c, sums, (size_t)(each * s->slices));
    for (int i = 0; i < each * s->slices; i++) {
        const int slice = i / each, row = i % each / s->out_c - 1, o = i % s->out_c;
        const int images[2] = {rnc_slice_begin(s->images, s->slice, slice),
                               rnc_slice_begin(s->images, s->slice, slice + 1)};
        const int tap[2] = {row / s->kernel_w, row % s->kernel_w};
        double sum_abs, v = element(&k, o, tap, row < 0 ? -1 : 0, images, &sum_abs);
        v = row < 0 && !s->bias ? 0.0 : v;
        expect_at(&e, sums + i, v, sum_tolerance(longest(s, &t), sum_abs));
    }
    const rnc_operands o = {.in = {k.in.at, k.grad.at}, .out = {sums}};
    run_train(c, c->isa->kernels[KERNEL_depthwise_grad_weights], s, &t, &o, sums,
              (size_t)(each * s->slices), true);
    expect_check(c, &e);
}
