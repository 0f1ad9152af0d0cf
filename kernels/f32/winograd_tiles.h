/* winograd_tiles.h: what conv_winograd.c and conv_winograd_taps.c share: the tiles of a group, the
 * products of a piece of a plane, and the windows and outputs of a group.
 * Where m does not divide the output, some tiles have m - 1 pixels and fewer products (14 becomes
 * 4, 4, 3 and 3), if the tiles of an image fit into a group; else the last tile is cut off.
 * What comes from the L3 or from memory is fetched a phase ahead: outputs while windows are
 * transformed, the next group's windows while outputs are. */
#define winograd_kinds RNC_FN(winograd_kinds)
#define winograd_count RNC_FN(winograd_count)
#define winograd_tile RNC_FN(winograd_tile)
#define winograd_find RNC_FN(winograd_find)
#ifdef RNC_DILATED
#define winograd_phase RNC_FN(winograd_phase)
#define winograd_spread RNC_FN(winograd_spread)
#endif
#define winograd_is_whole RNC_FN(winograd_is_whole)
#define winograd_group RNC_FN(winograd_group)
#define winograd_piece RNC_FN(winograd_piece)
#define winograd_begin RNC_FN(winograd_begin)
#define winograd_blocks RNC_FN(winograd_blocks)
#define winograd_diagonal RNC_FN(winograd_diagonal)
#define winograd_diagonals RNC_FN(winograd_diagonals)
#define winograd_windows RNC_FN(winograd_windows)
#define winograd_outputs RNC_FN(winograd_outputs)
#define winograd_work RNC_FN(winograd_work)
#define winograd_choose RNC_FN(winograd_choose)
#define winograd_works RNC_FN(winograd_works)

/* Where the tiles of each kind begin in a group of some units: first are those that are less
 * across, then the whole ones, those less down, and those less both ways.  So the tiles that have a
 * certain plane are stored side by side. */
typedef struct winograd_kinds {
    int whole, low, small, end; /* those less across begin at 0 */
} winograd_kinds;

RNC_KERNEL void winograd_count(const rnc_winograd_cut *c, int units, winograd_kinds *k)
{
    k->whole = units * c->y.full * c->x.less; /* each is 0 if tiles are not mixed */
    k->low = c->mixed ? units * c->y.full * (c->x.full + c->x.less) : units;
    k->small = k->low + units * c->y.less * c->x.full;
    k->end = k->small + units * c->y.less * c->x.less;
}

/* Where a tile is, and how much of it exists. */
typedef struct winograd_tile {
    int image, y, x; /* its first output pixel */
    winograd_extent extent;
} winograd_tile;

#ifdef RNC_DILATED
/* Moves a tile from its phase, the d x d of which are images here, to where it is, and cuts off
 * what the phase lacks.  A phase has as many rows as phase 0 or one less. */
RNC_KERNEL void winograd_phase(const rnc_conv_shape *s, winograd_tile *p)
{
    const int dh = s->dilation_h, dw = s->dilation_w, phase = p->image % (dh * dw);
    const int h = rnc_div_up(s->out_h - phase / dw, dh) - p->y;
    const int w = rnc_div_up(s->out_w - phase % dw, dw) - p->x;
    p->extent.h = h < p->extent.h ? h : p->extent.h;
    p->extent.w = w < p->extent.w ? w : p->extent.w;
    p->image /= dh * dw;
    p->y = p->y * dh + phase / dw;
    p->x = p->x * dw + phase % dw;
}

/* The pixels of a phase are d pixels and d rows apart. */
RNC_KERNEL void winograd_spread(const rnc_conv_shape *s, rnc_conv_shape *to)
{
    *to = *s;
    to->in_row *= s->dilation_h, to->in_pixel *= s->dilation_w;
    to->out_row *= s->dilation_h, to->out_pixel *= s->dilation_w;
    to->res_row *= s->dilation_h, to->res_pixel *= s->dilation_w;
}
#endif

/* Tile i of the group whose first unit is `unit`. */
RNC_KERNEL void winograd_find(const rnc_conv_shape *s, const rnc_winograd_cut *c,
                              const winograd_kinds *k, int unit, int i, winograd_tile *p)
{
    const int m = s->winograd, less_y = i >= k->low, less_x = i < k->whole || i >= k->small;
    const int h = m - less_y, w = m - less_x;
    const int down = less_y ? c->y.less : c->y.full, across = less_x ? c->x.less : c->x.full;
    const int first = less_y ? (less_x ? k->small : k->low) : (less_x ? 0 : k->whole);
    const int of = down * across, at = i - first + (c->mixed ? unit * of : unit);
    p->image = at / of;
    p->y = (less_y ? c->y.full * m : 0) + at % of / across * h;
    p->x = (less_x ? c->x.full * m : 0) + at % across * w;
    p->extent.h = s->out_h - p->y < h ? s->out_h - p->y : h;
    p->extent.w = s->out_w - p->x < w ? s->out_w - p->x : w;
    p->extent.less_y = less_y;
    p->extent.less_x = less_x;
#ifdef RNC_DILATED
    winograd_phase(s, p);
#endif
}

/* 1: the tile is whole.  Where all tiles are whole this is a constant. */
RNC_KERNEL int winograd_is_whole(const rnc_conv_shape *s, winograd_extent e)
{
    const int m = s->winograd;
    return (s->out_h % (m * s->dilation_h) == 0 && s->out_w % (m * s->dilation_w) == 0) ||
           (e.h == m && e.w == m);
}

/* A group of units: its tiles, and where its windows and products are in scratch. */
typedef struct winograd_group {
    const rnc_winograd_cut *c;
    int unit, units;
    winograd_kinds kinds;
    float *windows, *products;
} winograd_group;

/* What the products of a piece of a plane work on. */
typedef struct winograd_piece {
    int in_c, depth;   /* input channels of a plane, and of the piece */
    int more;          /* 1: continues earlier sums */
    int plane, wide;   /* floats from plane to plane of windows; from tile to tile of products */
    conv_rows rows;    /* the tiles, as pixels, and the filters */
    const float *next; /* windows of the next piece */
    const char *ahead; /* filters to fetch next, on through planes and panels */
    const char *far;   /* up to here */
} winograd_piece;

RNC_KERNEL void winograd_begin(const rnc_conv_shape *s, const rnc_knobs *t,
                               const rnc_winograd_cut *c, winograd_piece *p)
{
    const conv_rows rows = {32, 0, c->pitch, RNC_WEIGHTS_F32, s->panel, t->memory_broadcasts, 0};
    p->in_c = s->in_c;
    p->plane = c->plane;
    p->wide = c->wide;
    p->rows = rows;
}

/* `tiles` tiles times the rows of a piece. */
RNC_KERNEL void winograd_blocks(const rnc_knobs *t, winograd_piece *p, int tiles, const float *in,
                                const char *w, float *out)
{
    const int width = p->rows.width, elem = p->rows.elem;
    rnc_registers_cut c;
    rnc_tile_kind kind;
    sums_job k;
    rnc_cut_registers(t, width, RNC_VL, RNC_CASES, &c);
    rnc_choose_kind(t, p->in_c, width, RNC_VL, elem, &kind);
    k.pixels = tiles, k.most = c.n;
    k.turns = p->depth / kind.unroll;
    k.pixel = p->rows.pixel, k.wide = p->wide;
    k.in = in, k.next = p->next;
    k.ahead = p->ahead, k.far = p->far;
    k.step = rnc_clamp(t->prefetch_weights * 64 / kind.unroll, 0, kind.lines * 64);
    k.share = p->depth * k.step;
    k.fetch_out = 0;
    for (int v = 0; v < width; v += c.nv * RNC_VL) {
        k.w = w + v * rnc_weight_bytes(elem);
        k.to = out + v;
        k.from = p->more ? k.to : NULL;
        k.ahead = sums_run(&kind, &k);
    }
    p->ahead = k.ahead;
}

#ifdef RNC_DIAGONALS
/* n tiles, one to three, times all vectors.  d: diagonals of p->depth rows.  ahead: filters to
 * fetch, `share` bytes for each vector. */
RNC_KERNEL void winograd_diagonal(const winograd_piece *p, int n, const float *in, const float *d,
                                  float *out, const char *ahead, int share)
{
    for (int j = 0; j < p->rows.width; j += RNC_VL, d += 4 * p->depth, ahead += share) {
        vf acc[12];
        RNC_UNROLL(3)
        for (int i = 0; i < n; i++) {
            if (p->more)
                acc[i] = vf_load(out + i * p->wide + j);
            else
                RNC_ZERO(acc[i]);
        }
        conv_split(acc, n);
        conv_run_diagonal(acc, in, p->rows.pixel, d, p->depth, n, ahead);
        conv_join(acc, n);
        RNC_UNROLL(3)
        for (int i = 0; i < n; i++)
            vf_store(out + i * p->wide + j, acc[i]);
    }
}

/* `tiles` tiles times the rows of a piece, in whole fours. */
RNC_KERNEL void winograd_diagonals(const rnc_knobs *t, const winograd_piece *piece, int tiles,
                                   const float *in, const char *w, float *out)
{
    const int rows = piece->depth, width = piece->rows.width, elem = piece->rows.elem;
    const int row = width * rnc_weight_bytes(elem), fit = RNC_DIAGONALS * RNC_VL / width / 16 * 16;
    const int wish = t->depth <= 0 || t->depth > fit ? fit : t->depth / 4 * 4;
    const int depth = wish > 4 ? wish : 4, blocks = rnc_div_up(tiles, 3);
    winograd_piece p = *piece;
    vf d[RNC_DIAGONALS];
    for (int k = 0; k < rows; k += depth, w += depth * row) {
        const float *from = in + k;
        const char *ahead = w + depth * row;
        float *to = out;
        p.depth = rows - k < depth ? rows - k : depth;
        p.more = piece->more || k > 0;
        conv_diagonals((float *)d, w, elem, p.depth, width);
        for (int i = 0, n; i < blocks; i++, from += n * p.rows.pixel, to += n * p.wide) {
            const int share = p.depth * RNC_VL / blocks * (int)sizeof(float);
            n = tiles / blocks + (i < tiles % blocks);
            if (n == 3)
                winograd_diagonal(&p, 3, from, (float *)d, to, ahead, share);
            else if (n == 2)
                winograd_diagonal(&p, 2, from, (float *)d, to, ahead, share);
            else
                winograd_diagonal(&p, 1, from, (float *)d, to, ahead, share);
            ahead += share * width / RNC_VL;
        }
    }
}
#endif

#ifdef RNC_FAR_TILES
#define winograd_fetch_window RNC_FN(winograd_fetch_window)
#define winograd_fetch_output RNC_FN(winograd_fetch_output)

/* What a tile of the next group reads, less what its neighbour above and before it reads. */
RNC_KERNEL void winograd_fetch_window(const rnc_conv_shape *s, const rnc_operands *o,
                                      const winograd_group *g, int i)
{
    winograd_tile p;
    if (!winograd_far(s) || g->unit + 2 * g->units > g->c->tiles)
        return;
    winograd_find(s, g->c, &g->kinds, g->unit + g->units, i, &p);
    if (p.image < s->images)
        winograd_fetch((const float *)o->in[0] + rnc_at(p.image, s->in_image,
                                                        (p.y + 1) * s->stride_h, s->in_row,
                                                        (p.x + 1) * s->stride_w, s->in_pixel),
                       s->winograd * s->stride_h, s->in_row, s->in_pixel, s->in_c, 0);
}

/* What a tile writes, and its residual. */
RNC_KERNEL void winograd_fetch_output(const rnc_conv_shape *s, const rnc_operands *o,
                                      const winograd_tile *p)
{
    if (!winograd_far(s))
        return;
    winograd_fetch((const float *)o->out[0] +
                       rnc_at(p->image, s->out_image, p->y, s->out_row, p->x, s->out_pixel),
                   s->winograd, s->out_row, s->out_pixel, s->out_c, 1);
    if (s->residual)
        winograd_fetch((const float *)o->in[1] +
                           rnc_at(p->image, s->res_image, p->y, s->res_row, p->x, s->res_pixel),
                       s->winograd, s->res_row, s->res_pixel, s->out_c, 0);
}
#endif

/* Transforms the windows of a group's tiles. */
RNC_KERNEL void winograd_windows(const rnc_conv_shape *s, const rnc_operands *o,
                                 const winograd_group *g)
{
    static const float numbers[] = {0.75f, 1.5f, -0.5625f, -2.25f, -2.8125f, 1.265625f};
    const winograd_extent whole = {s->winograd, s->winograd, 0, 0};
    const float *in = (const float *)o->in[0] - s->pad_top * s->in_row - s->pad_left * s->in_pixel;
    const rnc_conv_shape *d = s;
    float *to = g->windows;
#ifdef RNC_DILATED
    rnc_conv_shape spread;
    winograd_spread(s, &spread);
    d = &spread;
#endif
    for (int i = 0; i < g->kinds.end; i++, to += g->c->pitch) {
        winograd_tile p;
        const float *from = in;
        winograd_find(s, g->c, &g->kinds, g->unit, i, &p);
        from += rnc_at(p.image, s->in_image, p.y * s->stride_h, s->in_row, p.x * s->stride_w,
                       s->in_pixel);
        if (winograd_is_whole(s, p.extent)) {
            winograd_window(d, from, whole, numbers, to, g->c->plane);
        } else {
            winograd_window(d, from, p.extent, numbers, to, g->c->plane);
        }
#ifdef RNC_FAR_TILES
        winograd_fetch_output(s, o, &p);
#endif
    }
}

/* Transforms the products of a panel of `width` channels, the first of which is `channel`, to the
 * outputs of the group's tiles.  taps: as in winograd_panel. */
RNC_KERNEL void winograd_outputs(const rnc_conv_shape *s, const rnc_operands *o,
                                 const winograd_group *g, const float *bias, int channel, int width,
                                 int taps)
{
    const winograd_extent whole = {s->winograd, s->winograd, 0, 0};
    const rnc_conv_shape *d = s;
    winograd_panel k;
#ifdef RNC_DILATED
    rnc_conv_shape spread;
    winograd_spread(s, &spread);
    d = &spread;
#endif
    k.from = g->products;
    k.plane = g->c->product;
    k.bias = bias;
    k.width = width;
    k.taps = taps;
    for (int i = 0; i < g->kinds.end; i++, k.from += g->c->wide) {
        winograd_tile p;
        winograd_find(s, g->c, &g->kinds, g->unit, i, &p);
        k.out = (float *)o->out[0] + channel +
                rnc_at(p.image, s->out_image, p.y, s->out_row, p.x, s->out_pixel);
        k.res = (const float *)o->in[1];
        if (s->residual)
            k.res += rnc_at(p.image, s->res_image, p.y, s->res_row, p.x, s->res_pixel) + channel;
        if (winograd_is_whole(s, p.extent)) {
            winograd_output(d, whole, &k);
        } else {
            winograd_output(d, p.extent, &k);
        }
#ifdef RNC_FAR_TILES
        if (channel == 0)
            winograd_fetch_window(s, o, g, i);
#endif
#ifdef RNC_LONG_ACT
        if (s->act > RNC_ACT_RELU6)
            winograd_act(d, p.extent, rnc_slopes(o, s->act, s->out_c) + channel, k.out, width);
#endif
    }
}

/* What a part does: groups g0 .. g1-1, panels p0 .. p1-1. */
typedef struct winograd_work {
    rnc_winograd_cut cut;
    int g0, g1, p0, p1;
    float *scratch; /* its own scratch: windows, products and `more` floats */
} winograd_work;

/* Fills in group i. */
RNC_KERNEL void winograd_choose(const winograd_work *k, int i, winograd_group *g)
{
    const rnc_winograd_cut *const c = &k->cut;
    g->c = c;
    g->unit = i * c->size + (i < c->longer ? i : c->longer);
    g->units = c->size + (i < c->longer);
    winograd_count(c, g->units, &g->kinds);
    g->windows = k->scratch;
    g->products = k->scratch + c->side * c->side * c->plane;
}

RNC_KERNEL void winograd_works(const rnc_conv_shape *s, const rnc_knobs *t, const rnc_operands *o,
                               int part, int parts, ptrdiff_t more, winograd_work *k)
{
    rnc_panels_cut panels;
    rnc_cut_panels(s, &panels);
    rnc_cut_winograd(s, t, &k->cut);
    k->scratch = (float *)o->scratch + part * (k->cut.floats + more);
    k->g0 = t->split ? 0 : rnc_share(k->cut.groups, part, parts);
    k->g1 = t->split ? k->cut.groups : rnc_share(k->cut.groups, part + 1, parts);
    k->p0 = t->split ? rnc_share(panels.count, part, parts) : 0;
    k->p1 = t->split ? rnc_share(panels.count, part + 1, parts) : panels.count;
}
