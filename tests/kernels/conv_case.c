/* conv_case.c: a random convolution and its result in double. */
#include "conv_case.h"

#include <math.h>

static void draw_window(Case *c, rnc_conv_shape *s, ConvLimits l)
{
    static const int common[][2] = {{1, 1}, {1, 1}, {3, 3}, {3, 3}, {7, 7}, {1, 3}, {5, 2}};
    const int i = pick(c, 0, 6);
    s->kernel_h = common[i][0], s->kernel_w = common[i][1];
    s->stride_h = s->stride_w = chance(c, 65) ? 1 : 2;
    if (chance(c, 10))
        s->stride_w = pick(c, 1, 3);
    s->dilation_h = s->dilation_w =
        chance(c, l.clipped ? 20 : 85) ? 1 : pick(c, 1, l.clipped ? 9 : 3);
    s->pad_top = chance(c, 80) ? (s->kernel_h - 1) / 2 * s->dilation_h : pick(c, 0, 3);
    s->pad_left = chance(c, 80) ? (s->kernel_w - 1) / 2 * s->dilation_w : pick(c, 0, 3);
    s->out_h = pick(c, 1, 8);
    s->out_w = chance(c, 80) ? pick(c, 1, 8) : pick(c, 9, 40);
    if (l.winograd) {
        s->kernel_h = s->kernel_w = 3;
        s->dilation_h = s->dilation_h < s->out_h ? s->dilation_h : s->out_h;
        s->dilation_w = s->dilation_w < s->out_w ? s->dilation_w : s->out_w;
        s->stride_w = s->stride_h = l.unit_stride ? 1 : s->stride_h;
    }
    if (l.pixels) {
        s->kernel_h = s->kernel_w = 1;
        s->pad_top = s->pad_left = 0;
    }
    if (l.columns) {
        s->stride_h = pick(c, 1, 2);
        s->kernel_h = chance(c, 50) ? pick(c, 3, 4) * s->stride_h - pick(c, 0, 1)
                                    : pick(c, s->stride_h, 4 * s->stride_h);
        s->dilation_h = 1;
    }
}

/* The input the windows reach is in_h x in_w pixels and a halo on each side. */
static Grid draw_input(Case *c, rnc_conv_shape *s, ConvLimits l)
{
    const int reach_h = (s->out_h - 1) * s->stride_h + (s->kernel_h - 1) * s->dilation_h + 1;
    const int reach_w = (s->out_w - 1) * s->stride_w + (s->kernel_w - 1) * s->dilation_w + 1;
    const int below = pick(c, 0, s->pad_top), right = pick(c, 0, s->pad_left);
    const int in_h = reach_h - s->pad_top - below, in_w = reach_w - s->pad_left - right;
    Layout layout = {.align = l.in_align ? l.in_align : l.align,
                     .top = s->pad_top,
                     .left = s->pad_left,
                     .bottom = in_h < 1 ? reach_h - s->pad_top - 1 : below,
                     .right = in_w < 1 ? reach_w - s->pad_left - 1 : right};
    if (layout.bottom < 0)
        layout.bottom = 0;
    if (layout.right < 0)
        layout.right = 0;
    layout.tight = chance(c, 40);
    if (l.clipped && in_h > 0 && in_w > 0) {
        s->in_h = in_h, s->in_w = in_w;
        if (rnc_full_tap(s) < 0 || s->kernel_w > RNC_CLIPPED_COLUMNS)
            s->in_h = s->in_w = 0;
        else
            layout.top = layout.left = layout.bottom = layout.right = 0;
    }
    Grid g = grid_make(c, s->images, in_h < 1 ? 1 : in_h, in_w < 1 ? 1 : in_w, l.groups * l.in_c,
                       layout);
    grid_fill(c, &g, -1.0f, 1.0f);
    grid_spoil(c, &g, l.mixes);
    return g;
}

ConvCase conv_case(Case *c, ConvLimits l)
{
    ConvCase k = {0};
    rnc_conv_shape *s = &k.s;
    const int channels = l.groups * l.width;
    s->images = chance(c, 80) ? 1 : 2;
    draw_window(c, s, l);
    s->groups = l.groups;
    s->in_c = l.in_c;
    k.in = draw_input(c, s, l);
    const Layout layout = {.align = l.align, .tight = chance(c, 40)};
    k.out = grid_make(c, s->images, s->out_h, s->out_w, channels, layout);
    s->out_c = l.groups == 1 || l.depthwise ? k.out.lanes : channels;
    if (l.depthwise)
        s->groups = s->out_c / s->in_c;
    s->residual = chance(c, 40);
    k.in_place = s->residual && chance(c, 50);
    k.res = s->residual && !k.in_place
                ? grid_make(c, s->images, s->out_h, s->out_w, channels, layout)
                : k.out;
    if (s->residual)
        grid_fill(c, &k.res, -1.0f, 1.0f);
    if (s->residual)
        grid_spoil(c, &k.res, l.mixes);
    s->act = pick_layer_act(c, &s->alpha, &s->beta, s->out_c, &k.slopes);
    s->weights = l.halves ? pick_weights_type(c) : RNC_WEIGHTS_F32;
    s->in_pixel = k.in.pixel, s->in_row = k.in.row, s->in_image = k.in.image;
    s->out_pixel = k.out.pixel, s->out_row = k.out.row, s->out_image = k.out.image;
    s->res_pixel = k.res.pixel, s->res_row = k.res.row, s->res_image = k.res.image;
    const size_t n = (size_t)(s->out_c * s->kernel_h * s->kernel_w * s->in_c);
    k.weights = case_memory(c, n * sizeof(float));
    k.bias = case_memory(c, (size_t)s->out_c * sizeof(float));
    for (size_t i = 0; i < n; i++)
        k.weights[i] = l.halves ? pick_weight(c) : pick_float(c, -1.0f, 1.0f);
    for (int i = 0; i < s->out_c; i++)
        k.bias[i] = pick_float(c, -1.0f, 1.0f);
    describe_conv(c, s);
    return k;
}

typedef struct Place {
    int n, y, x, c;
} Place;

/* Where output i is, in the order of images, rows, pixels and channels. */
static Place place_of(const rnc_conv_shape *s, int i)
{
    const int pixel = i / s->out_c, row = pixel / s->out_w;
    return (Place){row / s->out_h, row % s->out_h, pixel % s->out_w, i % s->out_c};
}

/* One output element without activation; *sum_abs is the sum of the absolute
 * values of its terms. */
static double conv_element(const ConvCase *k, Place p, double *sum_abs)
{
    const rnc_conv_shape *s = &k->s;
    const int n = p.n, y = p.y, x = p.x, co = p.c;
    const int group = co / (s->out_c / s->groups);
    double sum = (double)k->bias[co];
    *sum_abs = fabs(sum);
    for (int ky = 0; ky < s->kernel_h; ky++)
        for (int kx = 0; kx < s->kernel_w; kx++) {
            const int iy = y * s->stride_h - s->pad_top + ky * s->dilation_h;
            const int ix = x * s->stride_w - s->pad_left + kx * s->dilation_w;
            if (iy < 0 || iy >= k->in.h || ix < 0 || ix >= k->in.w)
                continue;
            const float *in = grid_pixel(&k->in, n, iy, ix) + group * s->in_c;
            const float *w = k->weights + ((co * s->kernel_h + ky) * s->kernel_w + kx) * s->in_c;
            for (int i = 0; i < s->in_c; i++) {
                const double product = (double)w[i] * (double)in[i];
                sum += product;
                *sum_abs += fabs(product);
            }
        }
    if (s->residual) {
        const double r = (double)grid_pixel(&k->res, n, y, x)[co];
        sum += r;
        *sum_abs += fabs(r);
    }
    return sum;
}

Expect conv_expect(Case *c, const ConvCase *k, double amplification)
{
    const rnc_conv_shape *s = &k->s;
    const int terms = s->kernel_h * s->kernel_w * s->in_c;
    const int all = s->images * s->out_h * s->out_w * s->out_c;
    double *values = case_memory(c, (size_t)all * sizeof *values);
    double *sums = case_memory(c, (size_t)all * sizeof *sums); /* of absolute values */
    double largest = 0;
    Expect e = expect_make(c, k->out.base, k->out.total);
    for (int i = 0; i < all; i++) {
        values[i] = conv_element(k, place_of(s, i), &sums[i]);
        largest = fmax(largest, sums[i]); /* no NaN */
    }
    for (int i = 0; i < all; i++) {
        /* Methods that mix a tile's pixels give an error of the largest's size to all of them. */
        double tolerance = amplification > 1 ? amplification * sum_tolerance(terms, largest)
                                             : sum_tolerance(terms, sums[i]);
        const Place p = place_of(s, i);
        const float alpha = k->slopes ? k->slopes[p.c] : s->alpha;
        const double v = ref_act(values[i], s->act, alpha, s->beta, &tolerance);
        expect_at(&e, grid_pixel(&k->out, p.n, p.y, p.x) + p.c, v, tolerance);
    }
    return e;
}

const void *conv_weights(Case *c, const ConvCase *k, const void *packed)
{
    return case_slopes(c, packed, k->slopes, k->s.out_c);
}

rnc_knobs conv_tile(Case *c, const rnc_knobs *usual, int n, int group)
{
    rnc_knobs t = {0};
    if (chance(c, 50)) {
        t = usual[pick(c, 0, n - 1)];
    } else {
        t.pixels = pick(c, 0, 32);
        t.vectors = pick(c, 0, 8);
        t.unroll = pick(c, 0, 9);
        t.group = pick(c, 0, group);
    }
    t.split = pick(c, 0, 1);
    t.panels = pick(c, 0, 3);
    t.prefetch_weights = pick(c, 0, 2);
    t.prefetch_output = pick(c, 0, 1);
    t.memory_broadcasts = pick(c, 0, 4) * 25;
    t.prefetch_input = pick(c, 0, 1);
    t.depth = chance(c, 50) ? 0 : pick(c, 1, chance(c, 50) ? 20 : 100);
    t.streams = chance(c, 50) ? 0 : pick(c, 1, 9);
    if (t.streams > 1 && chance(c, 70)) /* else few runs are cut evenly */
        t.depth = (t.depth + t.streams - 1) / t.streams * t.streams;
    return t;
}

float *conv_scratch(Case *c, const char *kernel, const rnc_conv_shape *s, const rnc_knobs *t)
{
    enum { PARTS_MOST = 7 };
    return case_floats(c, (size_t)(PARTS_MOST * plan_scratch(kernel, s, t)));
}
