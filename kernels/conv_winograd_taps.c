/* conv_winograd_taps: 3x3 convolution of stride 1 by Winograd's F(4 x 4, 3 x 3), for a few tiles:
 * it reads the filters as they are, 9 taps instead of 36 frequencies, and transforms them in
 * registers, again for each tile.  Panels hold bias[width], then [in_c][3][3][width].  A block of
 * input channels stays in the first-level cache while all that read it pass: of each vector of
 * output channels the six rows of planes, of each row the tiles.  A row has six sums: the filters
 * of its planes are made of three vectors, the taps across, which are made of the taps down.
 *
 * The factors 1 / N of the transform of filters are the sums', at the end, so that all other
 * constants are exact.  winograd.h has the transforms of windows and products. */

/* Row f of the six planes a side of a tile. */
typedef struct RNC_FN(taps_row) {
    int f, depth, more, last; /* channels; 1: there are sums; 1: these channels are the last */
    const float *w, *in;
    int width, plane, product; /* floats from tap to tap, plane to plane of windows, of products */
    float *out;
    const char *ahead; /* weights read soon */
} RNC_FN(taps_row);

/* Plane k of the row: its filters x times the window's channel c. */
RNC_KERNEL void RNC_FN(taps_times)(const RNC_FN(taps_row) * r, int k, int c, vf x, vf *acc)
{
    vf v;
    RNC_BROADCAST(v, r->in + k * r->plane + c);
    RNC_FMA(acc[k], v, x);
}

/* Planes k and k + 1, whose points are +-p. */
RNC_KERNEL void RNC_FN(taps_pair)(const RNC_FN(taps_row) * r, int k, int c, vf even, vf odd,
                                  vf *acc)
{
    RNC_FN(taps_times)(r, k, c, even + odd, acc);
    RNC_FN(taps_times)(r, k + 1, c, even - odd, acc);
}

/* Channel c.  Not finite, f = 0 or 5: only the first or last tap down, at w, counts. */
RNC_KERNEL void RNC_FN(taps_channel)(const RNC_FN(taps_row) * r, int finite, int c, vf point,
                                     vf square, vf *acc)
{
    const float *w = r->w + c * 9 * r->width;
    vf x[3];
    RNC_UNROLL(3)
    for (int k = 0; k < 3; k++) {
        x[k] = vf_load(w + k * r->width);
        if (finite)
            x[k] = x[k] + (square * vf_load(w + (6 + k) * r->width) +
                           point * vf_load(w + (3 + k) * r->width));
    }
    RNC_FN(taps_times)(r, 0, c, x[0], acc);
    RNC_FN(taps_times)(r, 5, c, x[2], acc);
    RNC_FN(taps_pair)(r, 1, c, x[0] + x[2] * vf_set1(0.5625f), x[1] * vf_set1(0.75f), acc);
    RNC_FN(taps_pair)(r, 3, c, x[0] + x[2] * vf_set1(2.25f), x[1] * vf_set1(1.5f), acc);
}

/* All channels of a block; `lines` cache lines fetched every four. */
RNC_KERNEL void RNC_FN(taps_planes)(const RNC_FN(taps_row) * r, int finite, int lines)
{
    static const float points[] = {0.0f, 0.75f, -0.75f, 1.5f, -1.5f, 0.0f};
    static const float factors[] = {1 / 1.265625f, -1 / 1.8984375f, -1 / 1.8984375f,
                                    1 / 7.59375f,  1 / 7.59375f,    1.0f};
    const vf point = vf_set1(points[r->f]), square = vf_set1(points[r->f] * points[r->f]);
    const char *ahead = r->ahead;
    vf acc[6];
    int c = 0;
    RNC_UNROLL(6)
    for (int k = 0; k < 6; k++) {
        if (r->more)
            acc[k] = vf_load(r->out + k * r->product);
        else
            RNC_ZERO(acc[k]);
    }
    for (; c + 4 <= r->depth; c += 4, ahead += lines * 64) {
        RNC_UNROLL(4)
        for (int i = 0; i < 4; i++) {
            RNC_FN(taps_channel)(r, finite, c + i, point, square, acc);
            for (int k = i; k < lines; k += 4)
                RNC_PREFETCH(ahead + k * 64);
        }
    }
    for (; c < r->depth; c++)
        RNC_FN(taps_channel)(r, finite, c, point, square, acc);
    RNC_UNROLL(6)
    for (int k = 0; k < 6; k++) {
        if (r->last)
            acc[k] = acc[k] * vf_set1(factors[r->f] * factors[k]);
        vf_store(r->out + k * r->product, acc[k]);
    }
}

/* Where the tiles of a group are: `tiles` of them from `tile` on, `down` x `across` an image. */
typedef struct RNC_FN(taps_group) {
    int tile, tiles, down, across;
    int pitch, plane;  /* floats from tile to tile, plane to plane of windows, */
    int wide, product; /* and of products */
} RNC_FN(taps_group);

/* The products of a panel of `width` channels with all tiles. */
RNC_KERNEL void RNC_FN(taps_products)(const rnc_conv_shape *s, const rnc_tile *t,
                                      const RNC_FN(taps_group) * g, const float *in, const float *w,
                                      int width, float *out)
{
    const int depth = t->depth > 0 ? t->depth : s->in_c, vectors = width / RNC_VL;
    const int lines = t->prefetch_weights;
    RNC_FN(taps_row) r;
    r.width = width;
    r.plane = g->plane;
    r.product = g->product;
    for (int c = 0; c < s->in_c; c += depth) {
        r.last = c + depth >= s->in_c;
        r.depth = r.last ? s->in_c - c : depth;
        r.more = c > 0;
        r.ahead = (const char *)(w + 9 * (c + r.depth) * width);
        for (int i = 0; i < vectors * 6; i++) {
            const int v = i / 6 * RNC_VL;
            r.f = i % 6;
            r.w = w + 9 * c * width + (r.f == 5 ? 6 * width : 0) + v;
            for (int tile = 0; tile < g->tiles; tile++) {
                r.in = in + 6 * r.f * g->plane + tile * g->pitch + c;
                r.out = out + 6 * r.f * g->product + tile * g->wide + v;
                if (r.f % 5 > 0)
                    RNC_FN(taps_planes)(&r, 1, lines);
                else
                    RNC_FN(taps_planes)(&r, 0, lines);
                r.ahead += r.depth / 4 * lines * 64;
            }
        }
    }
}

/* Windows and, of a panel whose first channel is `channel`, outputs: the place of tile i. */
typedef struct RNC_FN(taps_tile) {
    int image, y, x;
    RNC_FN(winograd_extent) extent;
} RNC_FN(taps_tile);

RNC_KERNEL RNC_FN(taps_tile)
    RNC_FN(taps_find)(const rnc_conv_shape *s, const RNC_FN(taps_group) * g, int i)
{
    const int of = g->down * g->across, at = g->tile + i;
    RNC_FN(taps_tile) p;
    p.image = at / of;
    p.y = at % of / g->across * 4;
    p.x = at % g->across * 4;
    p.extent.h = s->out_h - p.y < 4 ? s->out_h - p.y : 4;
    p.extent.w = s->out_w - p.x < 4 ? s->out_w - p.x : 4;
    p.extent.less_y = p.extent.less_x = 0;
    return p;
}

RNC_KERNEL void RNC_FN(taps_windows)(const rnc_conv_shape *s, const rnc_operands *o,
                                     const RNC_FN(taps_group) * g, float *to)
{
    const float *in = (const float *)o->in - s->pad_top * s->in_row - s->pad_left * s->in_pixel;
    for (int i = 0; i < g->tiles; i++) {
        const RNC_FN(taps_tile) p = RNC_FN(taps_find)(s, g, i);
        const float *from = in + RNC_FN(at)(p.image, s->in_image, p.y, s->in_row, p.x, s->in_pixel);
        RNC_FN(winograd_window)(s, from, p.extent, to + i * g->pitch, g->plane);
    }
}

RNC_KERNEL void RNC_FN(taps_outputs)(const rnc_conv_shape *s, const rnc_operands *o,
                                     const RNC_FN(taps_group) * g, const float *from,
                                     const float *bias, int channel, int width)
{
    for (int i = 0; i < g->tiles; i++) {
        const RNC_FN(taps_tile) p = RNC_FN(taps_find)(s, g, i);
        float *to = (float *)o->out + channel +
                    RNC_FN(at)(p.image, s->out_image, p.y, s->out_row, p.x, s->out_pixel);
        const float *res = (const float *)o->in2;
        if (s->residual)
            res += RNC_FN(at)(p.image, s->res_image, p.y, s->res_row, p.x, s->res_pixel) + channel;
        RNC_FN(winograd_output)
        (s, from + i * g->wide, g->product, p.extent, bias, res, to, width);
        if (s->act > RNC_ACT_RELU6)
            RNC_FN(winograd_act)(s, p.extent, to, width);
    }
}

/* A panel of `width` channels, from `channel` on. */
RNC_KERNEL void RNC_FN(taps_panel)(const rnc_conv_shape *s, const rnc_tile *t,
                                   const rnc_operands *o, const RNC_FN(taps_group) * g,
                                   float *scratch, int channel, int width)
{
    const float *panel = o->weights + (ptrdiff_t)channel * (9 * s->in_c + 1);
    float *products = scratch + 36 * g->plane;
    RNC_FN(taps_products)(s, t, g, scratch, panel + width, width, products);
    RNC_FN(taps_outputs)(s, o, g, products, panel, channel, width);
}

/* Threads share out panels.  Scratch, in floats, a part: taps_scratch() of compiler/winograd.c says
 * the same. */
RNC_KERNEL void RNC_FN(conv_winograd_taps)(const rnc_conv_shape *s, const rnc_tile *t,
                                           const rnc_operands *o, int part, int parts)
{
    const int panels = (s->out_c + s->panel - 1) / s->panel;
    const int p0 = RNC_FN(share)(panels, part, parts), p1 = RNC_FN(share)(panels, part + 1, parts);
    RNC_FN(taps_group) g;
    float *scratch;
    int all, most;
    g.down = (s->out_h + 3) / 4;
    g.across = (s->out_w + 3) / 4;
    all = s->images * g.down * g.across;
    most = t->group < 1 ? 1 : t->group < all ? t->group : all;
    /* 16 more where distances of powers of two would meet in few sets of the cache. */
    g.pitch = (s->in_c + 15) / 16 * 16 + (s->in_c % 64 == 0 ? 16 : 0);
    g.plane = most * g.pitch + 16;
    g.wide = s->out_c < s->panel ? s->out_c : s->panel;
    g.product = most * g.wide + 16;
    scratch = (float *)o->scratch + (ptrdiff_t)part * 36 * (g.plane + g.product);
    for (g.tile = 0; g.tile < all && p0 < p1; g.tile += most) {
        g.tiles = all - g.tile < most ? all - g.tile : most;
        RNC_FN(taps_windows)(s, o, &g, scratch);
        for (int p = p0; p < p1; p++) {
            if (!RNC_NARROW || (p + 1) * s->panel <= s->out_c)
                RNC_FN(taps_panel)(s, t, o, &g, scratch, p * s->panel, s->panel);
            else
                RNC_FN(taps_panel)(s, t, o, &g, scratch, p * s->panel, s->out_c % s->panel);
        }
    }
}
