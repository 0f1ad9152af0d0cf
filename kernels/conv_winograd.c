/* conv_winograd: 3x3 convolution of stride 1 or 2 by Winograd's method: tiles of m x m output
 * pixels cost (m + 2)^2 products a channel instead of 9 m^2, of stride 2 (2 m + 1)^2.  A group of
 * tiles at a time: their windows are transformed into scratch, [plane][tile][in_c]; then, a panel
 * of output channels after the other, the products of each plane, [tile][in_c] times [in_c][width],
 * and the transform back with bias, residual and activation.  The filters lie transformed in the
 * panels, [frequency][in_c][width]; the planes of odd pixels share theirs.
 *
 * Where m does not divide the output, the last tiles of a row or column are as many as it takes of
 * m - 1 pixels, if the tiles of an image fit into a group: 7 is 4 and 3, 14 is 4, 4, 3 and 3.  They
 * spare planes, so that these have fewer products.  Else the last tile is cut.
 * RNC_TILES stands before: no step's register tile has more tiles; and RNC_NARROW, as for
 * conv_direct. */

/* How the tiles of all images are cut into groups of units, which are images where tiles are mixed,
 * else tiles.  In a group those that are less across come first, then the whole ones, those less
 * down, those less both ways: so the tiles that have a plane lie side by side.  The first `longer`
 * groups have one unit more than `size`. */
typedef struct RNC_FN(winograd_cut) {
    int mixed;
    int full_y, less_y; /* tiles down: so many of m pixels, then so many of m - 1 */
    int full_x, less_x; /* tiles across */
    int groups, size, longer;
    int pitch, plane;  /* floats from tile to tile, plane to plane of windows, */
    int wide, product; /* and of products */
} RNC_FN(winograd_cut);

/* Tiles along `pixels` output pixels: `less` of m - 1 behind the others. */
RNC_KERNEL void RNC_FN(winograd_along)(int pixels, int m, int mixed, int *full, int *less)
{
    const int tiles = (pixels + m - 1) / m, lacking = tiles * m - pixels;
    *less = !mixed ? 0 : lacking < tiles ? lacking : tiles;
    *full = tiles - *less;
}

RNC_KERNEL void RNC_FN(winograd_groups)(const rnc_conv_shape *s, const rnc_tile *t,
                                        RNC_FN(winograd_cut) * c)
{
    const int m = s->winograd, most = t->group > 0 ? t->group : 1;
    const int image = (s->out_h + m - 1) / m * ((s->out_w + m - 1) / m);
    int units, of, widest;
    c->mixed = (s->out_h % m > 0 || s->out_w % m > 0) && image <= most;
    RNC_FN(winograd_along)(s->out_h, m, c->mixed, &c->full_y, &c->less_y);
    RNC_FN(winograd_along)(s->out_w, m, c->mixed, &c->full_x, &c->less_x);
    of = c->mixed ? image : 1;
    units = c->mixed ? s->images : s->images * image;
    c->groups = (units + most / of - 1) / (most / of);
    c->size = units / c->groups;
    c->longer = units % c->groups;
    widest = (c->size + (c->longer > 0)) * of;
    /* 16 more where distances of powers of two would meet in few sets of the cache. */
    c->pitch = (s->in_c + 15) / 16 * 16 + (s->in_c % 64 == 0 ? 16 : 0);
    c->plane = widest * c->pitch + 16;
    c->wide = s->out_c < s->panel ? s->out_c : s->panel;
    c->product = widest * c->wide + 16;
}

/* Where in a group of some units tiles of another kind begin. */
typedef struct RNC_FN(winograd_kinds) {
    int whole, low, small, end; /* the narrow ones at 0 */
} RNC_FN(winograd_kinds);

RNC_KERNEL void RNC_FN(winograd_count)(const RNC_FN(winograd_cut) * c, int units,
                                       RNC_FN(winograd_kinds) * k)
{
    k->whole = units * c->full_y * c->less_x; /* 0 if not mixed, and so on */
    k->low = c->mixed ? units * c->full_y * (c->full_x + c->less_x) : units;
    k->small = k->low + units * c->less_y * c->full_x;
    k->end = k->small + units * c->less_y * c->less_x;
}

/* Where a tile is, and what there is of it. */
typedef struct RNC_FN(winograd_tile) {
    int image, y, x; /* its first output pixel */
    RNC_FN(winograd_extent) extent;
} RNC_FN(winograd_tile);

/* Tile i of the group whose first unit is `unit`. */
RNC_KERNEL void RNC_FN(winograd_find)(const rnc_conv_shape *s, const RNC_FN(winograd_cut) * c,
                                      const RNC_FN(winograd_kinds) * k, int unit, int i,
                                      RNC_FN(winograd_tile) * p)
{
    const int m = s->winograd, less_y = i >= k->low, less_x = i < k->whole || i >= k->small;
    const int h = m - less_y, w = m - less_x;
    const int down = less_y ? c->less_y : c->full_y, across = less_x ? c->less_x : c->full_x;
    const int first = less_y ? (less_x ? k->small : k->low) : (less_x ? 0 : k->whole);
    const int of = down * across, at = i - first + (c->mixed ? unit * of : unit);
    p->image = at / of;
    p->y = (less_y ? c->full_y * m : 0) + at % of / across * h;
    p->x = (less_x ? c->full_x * m : 0) + at % across * w;
    p->extent.h = s->out_h - p->y < h ? s->out_h - p->y : h;
    p->extent.w = s->out_w - p->x < w ? s->out_w - p->x : w;
    p->extent.less_y = less_y;
    p->extent.less_x = less_x;
}

/* 1: the tile is whole; without a test where all are. */
RNC_KERNEL int RNC_FN(winograd_is_whole)(const rnc_conv_shape *s, RNC_FN(winograd_extent) e)
{
    const int m = s->winograd;
    return (s->out_h % m == 0 && s->out_w % m == 0) || (e.h == m && e.w == m);
}

/* What the products of a piece of a plane are made of. */
typedef struct RNC_FN(winograd_piece) {
    int depth, more, last; /* input channels; 1: adds to what is there; 1: up to the last one */
    int width, pitch, wide;
    const float *next; /* windows of the piece behind it */
    const char *ahead; /* filters to fetch next: goes on through planes and panels */
} RNC_FN(winograd_piece);

/* Bytes that filters are fetched ahead at most.  Planes of few tiles have not the time to fetch the
 * next one's: that is done during those before them, and waits in the L2. */
enum { RNC_FN(WINOGRAD_AHEAD) = 65536 };

/* n tiles times nv vectors. */
RNC_KERNEL void RNC_FN(winograd_block)(const rnc_conv_shape *s, const rnc_tile *t, int u, int n,
                                       int nv, const RNC_FN(winograd_piece) * p, const float *in,
                                       const float *w, float *out, const float *next,
                                       const char *ahead)
{
    vf acc[32];
    RNC_UNROLL(32)
    for (int i = 0; i < n; i++) {
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++) {
            if (p->more)
                acc[i * nv + j] = vf_load(out + i * p->wide + j * RNC_VL);
            else
                RNC_ZERO(acc[i * nv + j]);
        }
    }
    for (int turns = p->depth / u; turns > 0; turns--) {
        RNC_FN(conv_steps)(s, acc, in, w, u, n, nv, 32, p->width, t->memory_broadcasts, 0);
        for (int i = 0; i < t->prefetch_weights; i++)
            RNC_PREFETCH(ahead + i * 64);
        ahead += t->prefetch_weights * 64;
        for (int i = 0; t->prefetch_input && i < n && i < 4; i++)
            RNC_PREFETCH_NEAR(next + i * p->pitch);
        next += u;
        in += u;
        w += u * p->width;
    }
    if (p->last)
        RNC_FN(conv_steps)
    (s, acc, in, w, s->in_c % u, n, nv, 32, p->width, t->memory_broadcasts, 0);
    RNC_UNROLL(32)
    for (int i = 0; i < n; i++) {
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++)
            vf_store(out + i * p->wide + j * RNC_VL, acc[i * nv + j]);
    }
}

/* `tiles` tiles in blocks of nearly equal size.  s: as the products see it, tiles as pixels. */
RNC_KERNEL void RNC_FN(winograd_blocks)(const rnc_conv_shape *s, const rnc_tile *t,
                                        RNC_FN(winograd_piece) * p, int tiles, const float *in,
                                        const float *w, float *out)
{
    enum { MOST = 14 };
    const int vectors = p->width / RNC_VL, wish = t->vectors > 0 ? t->vectors : 1;
    const int nv = wish <= vectors && wish <= 8 && vectors % wish == 0 ? wish : 1;
    const int fit = 32 / nv < MOST ? 32 / nv : MOST;
    const int most = t->pixels < 1 ? 1 : t->pixels < fit ? t->pixels : fit;
    const int u = t->unroll > 1 ? (t->unroll < 8 ? t->unroll : 8) : 1;
    const int blocks = (tiles + most - 1) / most;
    const char *const far = (const char *)w + RNC_FN(WINOGRAD_AHEAD);
    for (int v = 0; v < vectors; v += nv) {
        const float *from = in, *filters = w + v * RNC_VL;
        float *to = out + v * RNC_VL;
        for (int i = 0, n; i < blocks; i++, from += n * p->pitch, to += n * p->wide) {
            const int due = p->ahead < far;
            const char *ahead = due ? p->ahead : (const char *)filters; /* these are there */
            const float *next;
            n = tiles / blocks + (i < tiles % blocks);
            next = i + 1 < blocks ? from + n * p->pitch : p->next;
/* A constant number of tiles, none of more than there can be. */
#define RNC_WINOGRAD_CASE(k)                                                           \
    case k:                                                                            \
        if (k <= RNC_TILES && k <= most)                                               \
            RNC_FN(winograd_block)(s, t, u, k, nv, p, from, filters, to, next, ahead); \
        break
            switch (n) {
                RNC_WINOGRAD_CASE(1);
                RNC_WINOGRAD_CASE(2);
                RNC_WINOGRAD_CASE(3);
                RNC_WINOGRAD_CASE(4);
                RNC_WINOGRAD_CASE(5);
                RNC_WINOGRAD_CASE(6);
                RNC_WINOGRAD_CASE(7);
                RNC_WINOGRAD_CASE(8);
                RNC_WINOGRAD_CASE(9);
                RNC_WINOGRAD_CASE(10);
                RNC_WINOGRAD_CASE(11);
                RNC_WINOGRAD_CASE(12);
                RNC_WINOGRAD_CASE(13);
                RNC_WINOGRAD_CASE(14);
            }
#undef RNC_WINOGRAD_CASE
            if (due)
                p->ahead += p->depth / u * t->prefetch_weights * 64;
        }
    }
}

#ifdef RNC_DIAGONALS
/* n tiles, one to three, times all vectors.  d: diagonals of p->depth rows. */
RNC_KERNEL void RNC_FN(winograd_diagonal)(const RNC_FN(winograd_piece) * p, int n, const float *in,
                                          const float *d, float *out, const float *ahead, int share)
{
    for (int j = 0; j < p->width; j += RNC_VL, d += 4 * p->depth, ahead += share) {
        vf acc[12];
        RNC_UNROLL(3)
        for (int i = 0; i < n; i++) {
            if (p->more)
                acc[i] = vf_load(out + i * p->wide + j);
            else
                RNC_ZERO(acc[i]);
        }
        RNC_FN(conv_split)(acc, n);
        RNC_FN(conv_run_diagonal)(acc, in, p->pitch, d, p->depth, n, ahead);
        RNC_FN(conv_join)(acc, n);
        RNC_UNROLL(3)
        for (int i = 0; i < n; i++)
            vf_store(out + i * p->wide + j, acc[i]);
    }
}

/* As winograd_plane, for in_c of whole fours. */
RNC_KERNEL void RNC_FN(winograd_plane_diagonal)(const rnc_conv_shape *s, const rnc_tile *t,
                                                RNC_FN(winograd_piece) * p, int tiles,
                                                const float *in, const float *w, float *out)
{
    const int fit = RNC_DIAGONALS * RNC_VL / p->width / 16 * 16;
    const int wish = t->depth <= 0 || t->depth > fit ? fit : t->depth / 4 * 4;
    const int depth = wish > 4 ? wish : 4, blocks = (tiles + 2) / 3;
    vf d[RNC_DIAGONALS];
    for (int k = 0; k < s->in_c; k += depth, w += depth * p->width) {
        const float *from = in + k, *ahead = w + depth * p->width;
        float *to = out;
        p->depth = s->in_c - k < depth ? s->in_c - k : depth;
        p->more = k > 0;
        RNC_FN(conv_diagonals)((float *)d, w, p->depth, p->width);
        for (int i = 0, n; i < blocks; i++, from += n * p->pitch, to += n * p->wide) {
            const int share = p->depth * RNC_VL / blocks;
            n = tiles / blocks + (i < tiles % blocks);
            if (n == 3)
                RNC_FN(winograd_diagonal)(p, 3, from, (float *)d, to, ahead, share);
            else if (n == 2)
                RNC_FN(winograd_diagonal)(p, 2, from, (float *)d, to, ahead, share);
            else
                RNC_FN(winograd_diagonal)(p, 1, from, (float *)d, to, ahead, share);
            ahead += share * p->width / RNC_VL;
        }
    }
}
#endif

/* Tiles first .. end-1 of one plane, a block of rows of the filters after the other: it stays in a
 * near cache while all tiles pass. */
RNC_KERNEL void RNC_FN(winograd_plane)(const rnc_conv_shape *s, const rnc_tile *t,
                                       const RNC_FN(winograd_cut) * c, RNC_FN(winograd_piece) * p,
                                       int first, int end, const float *in, const float *w,
                                       float *out)
{
    const int u = t->unroll > 1 ? (t->unroll < 8 ? t->unroll : 8) : 1;
    const int depth = t->depth >= u && t->depth < s->in_c ? t->depth / u * u : s->in_c;
    in += first * p->pitch;
#ifdef RNC_DIAGONALS
    if (s->in_c % 4 == 0) {
        RNC_FN(winograd_plane_diagonal)(s, t, p, end - first, in, w, out + first * p->wide);
        return;
    }
#endif
    for (int k = 0; k < s->in_c; k += depth) {
        p->last = k + depth >= s->in_c;
        p->depth = p->last ? s->in_c - k : depth;
        p->more = k > 0;
        p->next = in + (p->last ? c->plane : k + depth);
        RNC_FN(winograd_blocks)
        (s, t, p, end - first, in + k, w + k * p->width, out + first * p->wide);
    }
}

/* `units` units times a panel of p->width channels, plane after plane. */
RNC_KERNEL void RNC_FN(winograd_products)(const rnc_conv_shape *s, const rnc_tile *t,
                                          const RNC_FN(winograd_cut) * c,
                                          RNC_FN(winograd_piece) * p, int units, const float *in,
                                          const float *w, float *out)
{
    const int side = RNC_FN(winograd_side)(s), frequencies = s->winograd + 2;
    rnc_conv_shape by_tile = *s;
    RNC_FN(winograd_kinds) k;
    by_tile.in_pixel = c->pitch;
    by_tile.stride_w = 1;
    RNC_FN(winograd_count)(c, units, &k);
    for (int y = 0; y < side; y++) {
        const int fy = y < frequencies ? y : frequencies - 1,
                  spare_y = RNC_FN(winograd_spare)(s, y);
        for (int x = 0; x < side; x++) {
            const int fx = x < frequencies ? x : frequencies - 1;
            const int spare_x = RNC_FN(winograd_spare)(s, x);
            const int first = spare_x ? k.whole : 0;
            const int end = spare_y ? k.low : spare_x ? k.small : k.end;
            RNC_FN(winograd_plane)
            (&by_tile, t, c, p, first, end, in, w + (fy * frequencies + fx) * s->in_c * p->width,
             out);
            in += c->plane;
            out += c->product;
        }
    }
}

/* The windows of the tiles of `units` units from `unit` on. */
RNC_KERNEL void RNC_FN(winograd_windows)(const rnc_conv_shape *s, const rnc_operands *o,
                                         const RNC_FN(winograd_cut) * c, int unit, int units,
                                         float *to)
{
    const RNC_FN(winograd_extent) whole = {s->winograd, s->winograd, 0, 0};
    const float *in = (const float *)o->in - s->pad_top * s->in_row - s->pad_left * s->in_pixel;
    RNC_FN(winograd_kinds) k;
    RNC_FN(winograd_count)(c, units, &k);
    for (int i = 0; i < k.end; i++, to += c->pitch) {
        RNC_FN(winograd_tile) p;
        const float *from = in;
        RNC_FN(winograd_find)(s, c, &k, unit, i, &p);
        from += RNC_FN(at)(p.image, s->in_image, p.y * s->stride_h, s->in_row, p.x * s->stride_w,
                           s->in_pixel);
        if (RNC_FN(winograd_is_whole)(s, p.extent)) {
            RNC_FN(winograd_window)(s, from, whole, to, c->plane);
        } else {
            RNC_FN(winograd_window)(s, from, p.extent, to, c->plane);
        }
    }
}

/* The products of a panel, whose first channel is `channel`, to the outputs of the same tiles. */
RNC_KERNEL void RNC_FN(winograd_outputs)(const rnc_conv_shape *s, const rnc_operands *o,
                                         const RNC_FN(winograd_cut) * c, int unit, int units,
                                         const float *from, const float *bias, int channel,
                                         int width)
{
    const RNC_FN(winograd_extent) whole = {s->winograd, s->winograd, 0, 0};
    RNC_FN(winograd_kinds) k;
    RNC_FN(winograd_count)(c, units, &k);
    for (int i = 0; i < k.end; i++, from += c->wide) {
        RNC_FN(winograd_tile) p;
        float *to = (float *)o->out + channel;
        const float *res = (const float *)o->in2;
        RNC_FN(winograd_find)(s, c, &k, unit, i, &p);
        to += RNC_FN(at)(p.image, s->out_image, p.y, s->out_row, p.x, s->out_pixel);
        if (s->residual)
            res += RNC_FN(at)(p.image, s->res_image, p.y, s->res_row, p.x, s->res_pixel) + channel;
        if (RNC_FN(winograd_is_whole)(s, p.extent)) {
            RNC_FN(winograd_output)(s, from, c->product, whole, bias, res, to, width);
        } else {
            RNC_FN(winograd_output)(s, from, c->product, p.extent, bias, res, to, width);
        }
        if (s->act > RNC_ACT_RELU6)
            RNC_FN(winograd_act)(s, p.extent, to, width);
    }
}

/* Panels first .. end-1 of `width` channels, from `channel` on, for the units transformed in
 * scratch. */
RNC_KERNEL void RNC_FN(winograd_panels)(const rnc_conv_shape *s, const rnc_tile *t,
                                        const rnc_operands *o, const RNC_FN(winograd_cut) * c,
                                        int unit, int units, float *scratch, const float *w,
                                        int channel, int width, int first, int end)
{
    const int side = RNC_FN(winograd_side)(s), frequencies = s->winograd + 2;
    const ptrdiff_t size = (ptrdiff_t)width * (frequencies * frequencies * s->in_c + 1);
    float *products = scratch + side * side * c->plane;
    RNC_FN(winograd_piece) p;
    p.width = width;
    p.pitch = c->pitch;
    p.wide = c->wide;
    p.ahead = (const char *)(w + first * size + (s->in_c + 1) * width); /* the second plane's */
    for (int i = first; i < end; i++) {
        const float *panel = w + i * size;
        RNC_FN(winograd_products)(s, t, c, &p, units, scratch, panel + width, products);
        RNC_FN(winograd_outputs)
        (s, o, c, unit, units, products, panel, channel + i * width, width);
    }
}

/* `units` units from `unit` on, panels p0 .. p1-1 of `full` whole ones and perhaps a narrow one. */
RNC_KERNEL void RNC_FN(winograd_group)(const rnc_conv_shape *s, const rnc_tile *t,
                                       const rnc_operands *o, const RNC_FN(winograd_cut) * c,
                                       int unit, int units, float *scratch, int p0, int p1)
{
    const int panels = s->out_c / s->panel, rest = RNC_NARROW ? s->out_c % s->panel : 0;
    const int frequencies = s->winograd + 2, wide = panels * s->panel;
    RNC_FN(winograd_windows)(s, o, c, unit, units, scratch);
    RNC_FN(winograd_panels)
    (s, t, o, c, unit, units, scratch, o->weights, 0, s->panel, p0, p1 < panels ? p1 : panels);
    if (rest > 0 && p0 <= panels && p1 > panels) {
        const float *w = o->weights + (ptrdiff_t)wide * (frequencies * frequencies * s->in_c + 1);
        RNC_FN(winograd_panels)(s, t, o, c, unit, units, scratch, w, wide, rest, 0, 1);
    }
}

/* Scratch, in floats, a part: winograd_scratch() of compiler/winograd.c says the same. */
RNC_KERNEL void RNC_FN(conv_winograd)(const rnc_conv_shape *s, const rnc_tile *t,
                                      const rnc_operands *o, int part, int parts)
{
    const int panels = (s->out_c + s->panel - 1) / s->panel, side = RNC_FN(winograd_side)(s);
    RNC_FN(winograd_cut) c;
    float *scratch;
    int g0, g1, p0, p1;
    RNC_FN(winograd_groups)(s, t, &c);
    scratch = (float *)o->scratch + (ptrdiff_t)part * side * side * (c.plane + c.product);
    g0 = t->split ? 0 : RNC_FN(share)(c.groups, part, parts);
    g1 = t->split ? c.groups : RNC_FN(share)(c.groups, part + 1, parts);
    p0 = t->split ? RNC_FN(share)(panels, part, parts) : 0;
    p1 = t->split ? RNC_FN(share)(panels, part + 1, parts) : panels;
    for (int g = g0; g < g1 && p0 < p1; g++) {
        const int unit = g * c.size + (g < c.longer ? g : c.longer);
        RNC_FN(winograd_group)(s, t, o, &c, unit, c.size + (g < c.longer), scratch, p0, p1);
    }
}
