/* conv_winograd_taps: 3x3 convolution with stride 1 by Winograd's F(4 x 4, 3 x 3), as in
 * conv_winograd, but from plain filters: panels of bias[width], then [in_c][3][3][width], with 9
 * taps instead of 36 frequencies.  It is for weights that come from memory and meet few tiles, or
 * that must not grow.  A block of input channels stays in a near cache while all tiles that read it
 * pass.  The transform of the taps down gives three vectors, the taps across; from these the
 * filters of a row of six planes are made, in one of two ways:
 *   in registers (t->pixels is 0), again for every RNC_TAPS_TILES tiles, with six sums for each;
 *   in scratch, where they are stored as conv_winograd's filters are while the tiles pass
 *   (winograd_taps.h). */
#define taps_tiles RNC_FN(taps_tiles)
#define taps_row RNC_FN(taps_row)
#define taps_has RNC_FN(taps_has)
#define taps_times RNC_FN(taps_times)
#define taps_plus RNC_FN(taps_plus)
#define taps_down RNC_FN(taps_down)
#define taps_channel RNC_FN(taps_channel)
#define taps_planes RNC_FN(taps_planes)
#define taps_next RNC_FN(taps_next)
#define taps_some RNC_FN(taps_some)
#define taps_in_registers RNC_FN(taps_in_registers)
#define taps_panel RNC_FN(taps_panel)

/* Some tiles of a group; those from `first` to `end` - 1 have the last plane of a row. */
typedef struct taps_tiles {
    int n, first, end;
} taps_tiles;

/* Row f of the planes of some tiles. */
typedef struct taps_row {
    int f, depth, more; /* row; input channels; more: 1 if earlier sums are continued */
    const char *w;
    int elem, tap, deep; /* element type of the taps; bytes from tap to tap, channel to channel */
    const float *in;
    int plane, pitch; /* floats from plane to plane and from tile to tile of the windows */
    float *out;
    int product, wide; /* the same two distances of the products */
    const char *ahead; /* weights that are needed soon */
} taps_row;

/* 1: tile i has plane k of a row. */
RNC_KERNEL int taps_has(const taps_tiles *t, int k, int i)
{
    return k < 5 || (i >= t->first && i < t->end);
}

/* Multiplies the filters x of plane k by channel c of the windows. */
RNC_KERNEL void taps_times(const taps_row *r, const taps_tiles *t, int k, int c, vf x, vf *acc)
{
    RNC_UNROLL(4)
    for (int i = 0; i < t->n; i++)
        if (taps_has(t, k, i))
            RNC_FMA_MEM(acc[k * t->n + i], r->in + k * r->plane + i * r->pitch + c, x);
}

/* x + number * y.  The sums of several tiles leave no register for the number. */
RNC_KERNEL vf taps_plus(vf x, const float *number, vf y)
{
    if (RNC_TAPS_TILES > 1)
        RNC_FMA_MEM(x, number, y);
    else
        RNC_FMA(x, vf_set1(*number), y);
    return x;
}

/* The transform of the taps down: number k of the three across, for channel c.  If not finite (f is
 * 0 or 5), only the first or last tap down, at w, counts. */
RNC_KERNEL vf taps_down(const taps_row *r, int finite, int c, int k, vf point, vf square)
{
    const char *w = r->w + (ptrdiff_t)c * r->deep + (ptrdiff_t)k * r->tap;
    vf x = vf_load_weights(w, r->elem);
#ifdef RNC_FMA_LOAD
    if (finite && r->elem == RNC_WEIGHTS_F32) {
        RNC_FMA_LOAD(x, point, w + 3 * r->tap);
        RNC_FMA_LOAD(x, square, w + 6 * r->tap);
        return x;
    }
#endif
    if (finite) {
        RNC_FMA(x, point, vf_load_weights(w + 3 * r->tap, r->elem));
        RNC_FMA(x, square, vf_load_weights(w + 6 * r->tap, r->elem));
    }
    return x;
}

/* Channel c of the row of a point, and of its square. */
RNC_KERNEL void taps_channel(const taps_row *r, const taps_tiles *t, int finite, int c, vf point,
                             vf square, vf *acc)
{
    const vf left = taps_down(r, finite, c, 0, point, square);
    const vf right = taps_down(r, finite, c, 2, point, square);
    vf near, far, middle;
    taps_times(r, t, 0, c, left, acc);
    taps_times(r, t, 5, c, right, acc);
    near = taps_plus(left, taps_squares + 1, right);
    far = taps_plus(left, taps_squares + 3, right);
    middle = taps_down(r, finite, c, 1, point, square);
    taps_times(r, t, 1, c, taps_plus(near, taps_numbers + 1, middle), acc);
    taps_times(r, t, 2, c, taps_plus(near, taps_numbers + 2, middle), acc);
    taps_times(r, t, 3, c, taps_plus(far, taps_numbers + 3, middle), acc);
    taps_times(r, t, 4, c, taps_plus(far, taps_numbers + 4, middle), acc);
}

/* All channels of a block; `lines` cache lines are fetched every four channels. */
RNC_KERNEL void taps_planes(const taps_row *r, const taps_tiles *t, int finite, int lines)
{
    const char *ahead = r->ahead;
    const vf point = vf_set1(taps_numbers[r->f]), square = vf_set1(taps_squares[r->f]);
    vf acc[6 * RNC_TAPS_TILES];
    int c = 0;
    RNC_UNROLL(24)
    for (int i = 0; i < 6 * t->n; i++) {
        const int k = i / t->n, tile = i % t->n;
        if (!taps_has(t, k, tile))
            continue;
        if (r->more)
            acc[i] = vf_load(r->out + k * r->product + tile * r->wide);
        else
            RNC_ZERO(acc[i]);
    }
    for (; c + 4 <= r->depth; c += 4, ahead += lines * 64) {
        RNC_UNROLL(4)
        for (int i = 0; i < 4; i++) {
            taps_channel(r, t, finite, c + i, point, square, acc);
            for (int k = i; k < lines; k += 4)
                RNC_PREFETCH(ahead + k * 64);
        }
    }
    for (; c < r->depth; c++)
        taps_channel(r, t, finite, c, point, square, acc);
    RNC_UNROLL(24)
    for (int i = 0; i < 6 * t->n; i++) {
        const int k = i / t->n, tile = i % t->n;
        if (taps_has(t, k, tile))
            vf_store(r->out + k * r->product + tile * r->wide, acc[i]);
    }
}

/* The tiles of a row from tile `at` on that are computed together; sets where they end.  Either all
 * of them have the last plane or none has, except in an image of 2 x 2 or of 1 x 2 tiles. */
RNC_KERNEL taps_tiles taps_next(const winograd_kinds *k, int f, int at, int *end)
{
    const int all = f == 5 ? k->low : k->end, behind = f == 5 ? k->low : k->small;
    const int same = at < k->whole ? k->whole : at < behind ? behind : all;
    const int square = all == 4 && behind == 3, line = all == 2 && behind == 2;
    taps_tiles t = {all, 1, behind};
    if (RNC_TAPS_TILES < 4 || k->whole != 1 || !(square || line)) {
        t.n = same - at < RNC_TAPS_TILES ? same - at : RNC_TAPS_TILES;
        t.first = 0;
        t.end = at < k->whole || at >= behind ? 0 : t.n;
    }
    *end = at + t.n;
    return t;
}

/* Tiles t of a row, whose number is a constant in each case. */
RNC_KERNEL void taps_some(const taps_row *r, const taps_tiles *t, int lines)
{
#define RNC_TAPS_CASE(n_, first_, end_) \
    if (n_ <= RNC_TAPS_TILES && t->n == n_ && t->first == first_ && t->end == end_) { \
        const taps_tiles some = {n_, first_, end_}; \
        if (r->f % 5 > 0) \
            taps_planes(r, &some, 1, lines); \
        else \
            taps_planes(r, &some, 0, lines); \
    }
    RNC_TAPS_CASE(1, 0, 0)
    RNC_TAPS_CASE(1, 0, 1)
    RNC_TAPS_CASE(2, 0, 0)
    RNC_TAPS_CASE(2, 0, 2)
    RNC_TAPS_CASE(2, 1, 2)
    RNC_TAPS_CASE(3, 0, 0)
    RNC_TAPS_CASE(3, 0, 3)
    RNC_TAPS_CASE(4, 0, 0)
    RNC_TAPS_CASE(4, 0, 4)
    RNC_TAPS_CASE(4, 1, 3)
#undef RNC_TAPS_CASE
}

/* The tiles of a group times a panel of `width` channels; w: the panel's taps. */
RNC_KERNEL void taps_in_registers(const rnc_conv_shape *s, const rnc_knobs *t,
                                  const winograd_group *g, const char *w, int width)
{
    const int depth = rnc_depth(t, s->in_c), lines = t->prefetch_weights;
    const int bytes = rnc_weight_bytes(s->weights), vectors = width / RNC_VL, tap = width * bytes;
    taps_row r;
    r.elem = s->weights, r.tap = tap, r.deep = 9 * tap;
    r.plane = g->c->plane, r.pitch = g->c->pitch;
    r.product = g->c->product, r.wide = g->c->wide;
    for (int c = 0; c < s->in_c; c += depth) {
        r.depth = s->in_c - c < depth ? s->in_c - c : depth;
        r.more = c > 0;
        r.ahead = w + 9 * (c + r.depth) * tap;
        for (int i = 0; i < vectors * 6; i++) {
            const int v = i / 6 * RNC_VL, end = i % 6 == 5 ? g->kinds.low : g->kinds.end;
            r.f = i % 6;
            r.w = w + (9 * c + (r.f == 5 ? 6 : 0)) * tap + v * bytes;
            for (int at = 0, next; at < end; at = next) {
                const taps_tiles some = taps_next(&g->kinds, r.f, at, &next);
                r.in = g->windows + 6 * r.f * r.plane + at * r.pitch + c;
                r.out = g->products + 6 * r.f * r.product + at * r.wide + v;
                taps_some(&r, &some, lines);
                r.ahead += r.depth / 4 * lines * 64;
            }
        }
    }
}

/* Computes panel i, which has `width` channels, for the windows of a group. */
RNC_KERNEL void taps_panel(const rnc_conv_shape *s, const rnc_knobs *t, const rnc_operands *o,
                           const winograd_group *g, winograd_piece *p, int i, int width)
{
    const char *panel =
        (const char *)o->weights +
        i * rnc_panel_bytes(s->weights, s->panel, (ptrdiff_t)9 * s->in_c * s->panel);
    const float *bias = (const float *)(const void *)panel;
    const char *w = (const char *)(bias + width);
    p->rows.width = width;
    if (t->pixels > 0) {
        const int tap = width * rnc_weight_bytes(s->weights);
        const taps_place taps = {w, tap, 9 * tap};
        taps_in_blocks(s, t, g, p, &taps, g->windows + g->c->floats);
    } else {
        taps_in_registers(s, t, g, w, width);
    }
    winograd_outputs(s, o, g, bias, i * s->panel, width, 1);
}

/* Each part has scratch of its own. */
RNC_KERNEL void RNC_FN(conv_winograd_taps)(const rnc_conv_shape *s, const rnc_knobs *t,
                                           const rnc_operands *o, int part, int parts)
{
    const ptrdiff_t size = rnc_panel_bytes(s->weights, s->panel, (ptrdiff_t)9 * s->in_c * s->panel);
    rnc_panels_cut panels;
    rnc_taps_cut taps;
    winograd_work k;
    rnc_cut_panels(s, &panels);
    rnc_cut_taps(s, t, &taps);
    winograd_works(s, t, o, part, parts, t->pixels > 0 ? taps.floats : 0, &k);
    for (int i = k.g0; i < k.g1 && k.p0 < k.p1; i++) {
        winograd_group g;
        winograd_piece p;
        winograd_choose(&k, i, &g);
        winograd_begin(s, t, &k.cut, &p); /* of floats made of the taps */
        p.ahead = (const char *)o->weights + k.p0 * size +
                  9 * taps.depth * s->panel * rnc_weight_bytes(s->weights);
        winograd_windows(s, o, &g);
        for (int j = k.p0; j < (k.p1 < panels.full ? k.p1 : panels.full); j++)
            taps_panel(s, t, o, &g, &p, j, s->panel);
#ifdef RNC_NARROW
        if (panels.narrow > 0 && k.p1 > panels.full)
            taps_panel(s, t, o, &g, &p, panels.full, panels.narrow);
#endif
    }
}
#undef taps_tiles
#undef taps_row
#undef taps_has
#undef taps_times
#undef taps_plus
#undef taps_down
#undef taps_channel
#undef taps_planes
#undef taps_next
#undef taps_some
#undef taps_in_registers
#undef taps_panel
