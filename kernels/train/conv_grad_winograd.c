/* conv_grad_winograd: what conv_grad_weights computes, of a 3x3 convolution with stride 1, by
 * Winograd's F(4 x 4, 3 x 3) turned round.  Forward, a tile of outputs is A' [(G g G') * (B' d B)]
 * A
 * (* element by element); so the gradient of the taps g is G' [sum of (A dy A') * (B' d B)] G, the
 * sum over all tiles, which takes 36 products for each pair of channels where 16 pixels times 9
 * taps have 144.  Operands: in, with its halo of zeros; grad -> sums, as conv_grad_weights has
 * them.
 *
 * The points are 0, +-p, +-2p and infinity, p = 45/64: with larger ones a tile's last pixel loses
 * more digits than its first, with smaller ones fewer.
 *
 * A part does some units, one after the other (rnc_cut_grad_winograd).  For each group of tiles it
 * transforms windows, [plane][tile][input channel], and gradients, [plane][tile][output channel],
 * and adds the products of each plane to sums, [plane][input channel][output channel]; after the
 * last group these are transformed back.  A register tile's sums go over a group in registers.
 * Knobs: pixels, vectors (rows and vectors of a register tile), group, depth (input channels of a
 * unit), memory_broadcasts. */
#define turned_unit RNC_FN(turned_unit)
#define turned_group RNC_FN(turned_group)
#define turned_points RNC_FN(turned_points)
#define turned_tile RNC_FN(turned_tile)
#define turned_transforms RNC_FN(turned_transforms)
#define turned_place RNC_FN(turned_place)
#define turned_sums RNC_FN(turned_sums)
#define turned_column RNC_FN(turned_column)
#define turned_panel RNC_FN(turned_panel)
#define turned_fetch RNC_FN(turned_fetch)
#define turned_products RNC_FN(turned_products)
#define turned_taps RNC_FN(turned_taps)
#define turned_result RNC_FN(turned_result)
#define turned_bias RNC_FN(turned_bias)

/* A unit: its input channels begin at `in`, its output channels, `width`, at `out`. */
typedef struct turned_unit {
    rnc_grad_winograd_cut cut;
    int in, out, width;
    float *windows, *grads, *sums, *bias; /* scratch */
} turned_unit;

/* Some of a slice's tiles, counted over all images. */
typedef struct turned_group {
    int first, end;
    int begin; /* 1: the slice's first group: sums are set, not added to */
} turned_group;

/* One side of a tile of gradients, x[4], to the points: the sum of p^i x[i]; to infinity the last
 * one. */
RNC_KERNEL void turned_points(vf *x, const vf *k)
{
    const vf a = x[0], b = x[1], c = x[2], d = x[3];
    const vf even1 = vf_fma(k[1], c, a), odd1 = vf_fma(k[2], d, k[0] * b);
    const vf even2 = vf_fma(k[4], c, a), odd2 = vf_fma(k[5], d, k[3] * b);
    x[1] = even1 + odd1;
    x[2] = even1 - odd1;
    x[3] = even2 + odd2;
    x[4] = even2 - odd2;
    x[5] = d;
}

/* Transforms a tile of h x w gradients to `to`, one plane after the other, and adds them to the
 * biases' sums.  Pixels that do not exist are zeros. */
RNC_KERNEL void turned_tile(const rnc_grad_weights_shape *s, const turned_unit *u,
                            const float *grad, int h, int w, float *to)
{
    enum { M = RNC_GRAD_TILE, SIDE = RNC_GRAD_SIDE };
    static const float numbers[] = {0.703125f, 0.494384765625f, 0.347614288330078125f,
                                    1.40625f,  1.9775390625f,   2.780914306640625f};
    vf k[RNC_WINOGRAD_NUMBERS];
    winograd_numbers(numbers, 6, k);
    for (int c = 0; c < u->width; c += RNC_VL) {
        vf t[SIDE * M], sum = vf_load(u->bias + c);
        for (int x = 0; x < M; x++) {
            vf column[SIDE];
            RNC_UNROLL(8)
            for (int y = 0; y < M; y++) {
                RNC_ZERO(column[y]);
                if (y < h && x < w)
                    column[y] = vf_load(grad + y * s->out_row + x * s->out_pixel + c);
            }
            sum = sum + ((column[0] + column[1]) + (column[2] + column[3]));
            turned_points(column, k);
            RNC_UNROLL(8)
            for (int y = 0; y < SIDE; y++)
                t[y * M + x] = column[y];
        }
        vf_store(u->bias + c, sum);
        for (int y = 0; y < SIDE; y++) {
            vf row[SIDE]; /* not in place: t stays in memory as it is */
            RNC_UNROLL(8)
            for (int x = 0; x < M; x++)
                row[x] = t[y * M + x];
            turned_points(row, k);
            RNC_UNROLL(8)
            for (int x = 0; x < SIDE; x++)
                vf_store(to + (y * SIDE + x) * u->cut.grad + c, row[x]);
        }
    }
}

/* The windows and gradients of a group's tiles. */
RNC_KERNEL void turned_transforms(const rnc_grad_weights_shape *s, const rnc_operands *o,
                                  const turned_unit *u, const turned_group *g)
{
    enum { M = RNC_GRAD_TILE };
    static const float numbers[] = {0.703125f,      1.40625f,         -0.494384765625f,
                                    -1.9775390625f, -2.471923828125f, 0.977665185928344727f};
    const winograd_extent whole = {M, M, 0, 0};
    rnc_conv_shape window;
    const int even = s->out_h % M == 0 && s->out_w % M == 0;
    memset(&window, 0, sizeof window);
    window.stride_h = 1, window.winograd = M, window.in_c = u->cut.in_c;
    window.in_pixel = s->in_pixel, window.in_row = s->in_row;
    memset(u->bias, 0, (size_t)u->width * sizeof *u->bias);
    for (int i = g->first; i < g->end; i++) {
        const int image = i / u->cut.tiles, tile = i % u->cut.tiles;
        const int y = tile / u->cut.across * M, x = tile % u->cut.across * M;
        const float *in = (const float *)o->in[0] + u->in;
        const float *grad = (const float *)o->in[1] + u->out;
        float *windows = u->windows + (i - g->first) * u->cut.in_c;
        float *grads = u->grads + (i - g->first) * u->cut.out_c;
        winograd_extent e = whole;
        e.h = s->out_h - y < M ? s->out_h - y : M;
        e.w = s->out_w - x < M ? s->out_w - x : M;
        in += rnc_at(image, s->in_image, y - s->pad_top, s->in_row, x - s->pad_left, s->in_pixel);
        grad += rnc_at(image, s->out_image, y, s->out_row, x, s->out_pixel);
        if (even || (e.h == M && e.w == M)) {
            winograd_window(&window, in, whole, numbers, windows, u->cut.window);
            turned_tile(s, u, grad, M, M, grads);
        } else {
            winograd_window(&window, in, e, numbers, windows, u->cut.window);
            turned_tile(s, u, grad, e.h, e.w, grads);
        }
    }
}

/* What a tile of products reads and adds to, in one plane. */
typedef struct turned_place {
    const float *in, *grad;
    float *to;
} turned_place;

/* Adds the products of a group's tiles: n input channels times nv vectors. */
RNC_KERNEL void turned_sums(const conv_rows *r, const turned_unit *u, const turned_group *g,
                            const turned_place *p, int n, int nv)
{
    const float *in = p->in, *grad = p->grad;
    float *to = p->to;
    const conv_fetch nothing = {NULL, 0, 0};
    vf acc[32];
    RNC_UNROLL(32)
    for (int i = 0; i < n * nv; i++)
        RNC_ZERO(acc[i]);
    for (int i = g->end - g->first; i > 0; i--) {
        conv_steps(r, acc, in, (const char *)grad, &nothing, 1, n, nv);
        in += u->cut.in_c;
        grad += u->cut.out_c;
    }
    RNC_UNROLL(32)
    for (int i = 0; i < n; i++, to += u->cut.out_c) {
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++) {
            float *at = to + j * RNC_VL;
            vf_store(at, g->begin ? acc[i * nv + j] : vf_load(at) + acc[i * nv + j]);
        }
    }
}

/* A column of nv vectors of a plane, its input channels in tiles of two sizes. */
RNC_KERNEL void turned_column(const rnc_grad_weights_shape *s, const rnc_knobs *t,
                              const turned_unit *u, const turned_group *g, turned_place p, int nv)
{
    const conv_rows r = {RNC_REGISTERS, 0, 1, RNC_WEIGHTS_F32, 0, t->memory_broadcasts, 0};
    const int in_c = rnc_grad_inputs(s, t), count = rnc_div_up(in_c, rnc_tile_pixels(t, nv));
    const int small = in_c / count, big = small + 1, more = in_c % count;
    for (int i = 0; i < more; i++, p.in += big, p.to += big * u->cut.out_c)
        turned_sums(&r, u, g, &p, big, nv);
    for (int i = more; i < count; i++, p.in += small, p.to += small * u->cut.out_c)
        turned_sums(&r, u, g, &p, small, nv);
}

/* The products of a plane with a panel of `width` channels, the unit's from channel `at` on. */
RNC_KERNEL void turned_panel(const rnc_grad_weights_shape *s, const rnc_knobs *t,
                             const turned_unit *u, const turned_group *g, int plane, int at,
                             int width)
{
    turned_place p;
    rnc_columns_cut c;
    rnc_cut_columns(t, width, RNC_VL, &c);
    p.in = u->windows + (ptrdiff_t)plane * u->cut.window;
    p.grad = u->grads + (ptrdiff_t)plane * u->cut.grad + at;
    p.to = u->sums + (ptrdiff_t)plane * u->cut.sums + at;
    for (int i = 0; i < c.across; i++, p.grad += c.nv * RNC_VL, p.to += c.nv * RNC_VL)
        turned_column(s, t, u, g, p, c.nv);
#ifdef RNC_NARROW
    if (c.rest > 0)
        turned_column(s, t, u, g, p, c.rest);
#endif
}

/* Fetches what tile i reads, less the pixels of its window that its neighbours read as well. */
RNC_KERNEL void turned_fetch(const rnc_grad_weights_shape *s, const rnc_operands *o,
                             const turned_unit *u, int i)
{
    enum { M = RNC_GRAD_TILE };
    const int image = i / u->cut.tiles, tile = i % u->cut.tiles;
    const int y = tile / u->cut.across * M, x = tile % u->cut.across * M;
    if (image >= s->images)
        return;
    winograd_fetch((const float *)o->in[0] + u->in +
                       rnc_at(image, s->in_image, y, s->in_row, x, s->in_pixel),
                   M, s->in_row, s->in_pixel, u->cut.in_c, 0);
    winograd_fetch((const float *)o->in[1] + u->out +
                       rnc_at(image, s->out_image, y, s->out_row, x, s->out_pixel),
                   M, s->out_row, s->out_pixel, u->width, 0);
}

/* The products of a group; meanwhile the tiles of the next group are fetched. */
RNC_KERNEL void turned_products(const rnc_grad_weights_shape *s, const rnc_knobs *t,
                                const rnc_operands *o, const turned_unit *u, const turned_group *g)
{
    const int full = u->width / s->panel;
    for (int plane = 0; plane < RNC_GRAD_PLANES; plane++) {
        for (int i = rnc_share(u->cut.group, plane, RNC_GRAD_PLANES);
             i < rnc_share(u->cut.group, plane + 1, RNC_GRAD_PLANES); i++)
            turned_fetch(s, o, u, g->end + i);
        for (int i = 0; i < full; i++)
            turned_panel(s, t, u, g, plane, i * s->panel, s->panel);
#ifdef RNC_NARROW
        if (s->out_c % s->panel > 0 && u->width % s->panel > 0)
            turned_panel(s, t, u, g, plane, full * s->panel, s->out_c % s->panel);
#endif
    }
}

/* One side of a sum, x[6], to the three taps: the sum over the points p of p^i / N(p) times that of
 * p; of infinity to the last one. */
RNC_KERNEL void turned_taps(vf *x, const vf *k)
{
    const vf sum1 = x[1] + x[2], dif1 = x[1] - x[2], sum2 = x[3] + x[4], dif2 = x[3] - x[4];
    x[0] = vf_fma(k[0], x[0], vf_fma(k[1], sum1, k[2] * sum2));
    x[1] = vf_fma(k[3], dif1, k[4] * dif2);
    x[2] = vf_fma(k[5], sum1, vf_fma(k[6], sum2, x[5]));
}

/* Transforms the sums of a unit to the gradients of its taps. */
RNC_KERNEL void turned_result(const rnc_grad_weights_shape *s, const turned_unit *u, float *out)
{
    enum { SIDE = RNC_GRAD_SIDE };
    /* 1/4, -1/6, 1/24 over p^4; -1/6, 1/12 over p^3; -1/6, 1/6 over p^2 */
    static const float numbers[] = {1.02284505f, -0.681896703f, 0.170474176f, -0.479458619f,
                                    0.23972931f, -0.337119342f, 0.337119342f};
    vf k[RNC_WINOGRAD_NUMBERS];
    winograd_numbers(numbers, 7, k);
    for (int i = 0; i < u->cut.in_c * u->width; i += RNC_VL) {
        const int row = i / u->width, c = i % u->width, channel = u->out + c;
        const int first = channel / s->panel * s->panel, left = s->out_c - first;
        const int width = left < s->panel ? left : s->panel;
        const float *from = u->sums + row * u->cut.out_c + c;
        float *to = out + (ptrdiff_t)first * (9 * s->in_c + 1) + channel - first +
                    (ptrdiff_t)(u->in + row + 1) * width;
        vf t[3 * SIDE];
        for (int x = 0; x < SIDE; x++) {
            vf column[SIDE];
            RNC_UNROLL(8)
            for (int y = 0; y < SIDE; y++)
                column[y] = vf_load(from + (ptrdiff_t)(y * SIDE + x) * u->cut.sums);
            turned_taps(column, k);
            RNC_UNROLL(8)
            for (int y = 0; y < 3; y++)
                t[y * SIDE + x] = column[y];
        }
        for (int y = 0; y < 3; y++) {
            vf taps[SIDE];
            RNC_UNROLL(8)
            for (int x = 0; x < SIDE; x++)
                taps[x] = t[y * SIDE + x];
            turned_taps(taps, k);
            RNC_UNROLL(8)
            for (int x = 0; x < 3; x++)
                vf_store(to + (ptrdiff_t)(y * 3 + x) * s->in_c * width, taps[x]);
        }
    }
}

/* Adds a group's sums of biases to those of its slice; those of a slice without them are zeros. */
RNC_KERNEL void turned_bias(const rnc_grad_weights_shape *s, const turned_unit *u,
                            const turned_group *g, float *out)
{
    for (int c = 0; c < u->width; c += RNC_VL) {
        const int channel = u->out + c, first = channel / s->panel * s->panel;
        float *to = out + (ptrdiff_t)first * (9 * s->in_c + 1) + channel - first;
        const vf v = vf_load(u->bias + c);
        vf_store(to, !s->bias ? vf_zero() : g->begin ? v : vf_load(to) + v);
    }
}

RNC_KERNEL void RNC_FN(conv_grad_winograd)(const rnc_grad_weights_shape *s, const rnc_knobs *t,
                                           const rnc_operands *o, int part, int parts)
{
    turned_unit u;
    rnc_cut_grad_winograd(s, t, &u.cut);
    u.windows = (float *)o->scratch + part * u.cut.floats;
    u.grads = u.windows + RNC_GRAD_PLANES * u.cut.window;
    u.sums = u.grads + RNC_GRAD_PLANES * u.cut.grad;
    u.bias = u.sums + RNC_GRAD_PLANES * u.cut.sums;
    for (int i = rnc_share(u.cut.units, part, parts); i < rnc_share(u.cut.units, part + 1, parts);
         i++) {
        const int each = u.cut.ins * u.cut.outs, slice = i / each;
        const int end = rnc_slice_begin(s->images, s->slice, slice + 1) * u.cut.tiles;
        float *const out = (float *)o->out[0] + slice * rnc_grad_floats(s);
        turned_group g;
        u.in = i % each / u.cut.outs * u.cut.in_c;
        u.out = i % u.cut.outs * u.cut.out_c;
        u.width = s->out_c - u.out < u.cut.out_c ? s->out_c - u.out : u.cut.out_c;
        g.begin = 1;
        for (g.first = rnc_slice_begin(s->images, s->slice, slice) * u.cut.tiles; g.first < end;
             g.first = g.end, g.begin = 0) {
            g.end = g.first + u.cut.group < end ? g.first + u.cut.group : end;
            turned_transforms(s, o, &u, &g);
            turned_products(s, t, o, &u, &g);
            if (u.in == 0)
                turned_bias(s, &u, &g, out);
        }
        turned_result(s, &u, out);
    }
}
#undef turned_unit
#undef turned_group
#undef turned_points
#undef turned_tile
#undef turned_transforms
#undef turned_place
#undef turned_sums
#undef turned_column
#undef turned_panel
#undef turned_fetch
#undef turned_products
#undef turned_taps
#undef turned_result
#undef turned_bias
