/* winograd_tiles.h: what conv_winograd.c and conv_winograd_taps.c share: how outputs are cut into
 * groups of tiles, the products of a piece of a plane, windows and outputs of a group.
 *
 * Where m does not divide the output, the last tiles of a row or column are as many as it takes of
 * m - 1 pixels, if the tiles of an image fit into a group: 7 is 4 and 3, 14 is 4, 4, 3 and 3.  They
 * spare planes, so that these have fewer products.  Else the last tile is cut.
 * RNC_TILES stands before: no step's register tile has more tiles. */
#define winograd_kinds RNC_FN(winograd_kinds)
#define winograd_count RNC_FN(winograd_count)
#define winograd_tile RNC_FN(winograd_tile)
#define winograd_find RNC_FN(winograd_find)
#define winograd_is_whole RNC_FN(winograd_is_whole)
#define winograd_piece RNC_FN(winograd_piece)
#define winograd_block RNC_FN(winograd_block)
#define winograd_blocks RNC_FN(winograd_blocks)
#define winograd_diagonal RNC_FN(winograd_diagonal)
#define winograd_diagonals RNC_FN(winograd_diagonals)
#define winograd_windows RNC_FN(winograd_windows)
#define winograd_outputs RNC_FN(winograd_outputs)
#define winograd_work RNC_FN(winograd_work)
#define winograd_works RNC_FN(winograd_works)

/* In a group (rnc_cut_winograd) the tiles that are less across come first, then the whole ones,
 * those less down, those less both ways: so the tiles that have a plane lie side by side. */

/* Where in a group of some units tiles of another kind begin. */
typedef struct winograd_kinds {
    int whole, low, small, end; /* the narrow ones at 0 */
} winograd_kinds;

RNC_KERNEL void winograd_count(const rnc_winograd_cut *c, int units, winograd_kinds *k)
{
    k->whole = units * c->y.full * c->x.less; /* 0 if not mixed, and so on */
    k->low = c->mixed ? units * c->y.full * (c->x.full + c->x.less) : units;
    k->small = k->low + units * c->y.less * c->x.full;
    k->end = k->small + units * c->y.less * c->x.less;
}

/* Where a tile is, and what there is of it. */
typedef struct winograd_tile {
    int image, y, x; /* its first output pixel */
    winograd_extent extent;
} winograd_tile;

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
}

/* 1: the tile is whole; without a test where all are. */
RNC_KERNEL int winograd_is_whole(const rnc_conv_shape *s, winograd_extent e)
{
    const int m = s->winograd;
    return (s->out_h % m == 0 && s->out_w % m == 0) || (e.h == m && e.w == m);
}

/* What the products of a piece of a plane are made of. */
typedef struct winograd_piece {
    int depth, more, last; /* input channels; 1: adds to what is there; 1: up to the last one */
    int width, pitch, wide;
    const float *next; /* windows of the piece behind it */
    const char *ahead; /* filters to fetch next: goes on through planes and panels, */
    const char *far;   /* up to these */
} winograd_piece;

/* n tiles times nv vectors. */
RNC_KERNEL void winograd_block(const rnc_conv_shape *s, const rnc_tile *t, int u, int n, int nv,
                               const winograd_piece *p, const float *in, const float *w, float *out,
                               const float *next, const char *ahead)
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
        conv_steps(s, acc, in, w, u, n, nv, 32, p->width, t->memory_broadcasts, 0);
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
        conv_steps(s, acc, in, w, s->in_c % u, n, nv, 32, p->width, t->memory_broadcasts, 0);
    RNC_UNROLL(32)
    for (int i = 0; i < n; i++) {
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++)
            vf_store(out + i * p->wide + j * RNC_VL, acc[i * nv + j]);
    }
}

/* `tiles` tiles in blocks of nearly equal size.  s: as the products see it, tiles as pixels. */
RNC_KERNEL void winograd_blocks(const rnc_conv_shape *s, const rnc_tile *t, winograd_piece *p,
                                int tiles, const float *in, const float *w, float *out)
{
    const int u = rnc_unroll(t);
    rnc_registers_cut c;
    rnc_cut_registers(t, p->width, RNC_VL, RNC_CASES, &c);
    const int nv = c.nv, most = c.n, blocks = rnc_div_up(tiles, most);
    for (int v = 0; v < p->width / RNC_VL; v += nv) {
        const float *from = in, *filters = w + v * RNC_VL;
        float *to = out + v * RNC_VL;
        for (int i = 0, n; i < blocks; i++, from += n * p->pitch, to += n * p->wide) {
            const int due = p->ahead < p->far;
            const char *ahead = due ? p->ahead : (const char *)filters; /* these are there */
            const float *next;
            n = tiles / blocks + (i < tiles % blocks);
            next = i + 1 < blocks ? from + n * p->pitch : p->next;
/* A constant number of tiles, none of more than there can be. */
#define RNC_WINOGRAD_CASE(k)                                                   \
    case k:                                                                    \
        if (k <= RNC_TILES && k <= most)                                       \
            winograd_block(s, t, u, k, nv, p, from, filters, to, next, ahead); \
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
RNC_KERNEL void winograd_diagonal(const winograd_piece *p, int n, const float *in, const float *d,
                                  float *out, const float *ahead, int share)
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
        conv_split(acc, n);
        conv_run_diagonal(acc, in, p->pitch, d, p->depth, n, ahead);
        conv_join(acc, n);
        RNC_UNROLL(3)
        for (int i = 0; i < n; i++)
            vf_store(out + i * p->wide + j, acc[i]);
    }
}

/* All tiles times `rows` rows of filters, whole fours; more: sums are there. */
RNC_KERNEL void winograd_diagonals(const rnc_tile *t, winograd_piece *p, int rows, int more,
                                   int tiles, const float *in, const float *w, float *out)
{
    const int fit = RNC_DIAGONALS * RNC_VL / p->width / 16 * 16;
    const int wish = t->depth <= 0 || t->depth > fit ? fit : t->depth / 4 * 4;
    const int depth = wish > 4 ? wish : 4, blocks = rnc_div_up(tiles, 3);
    vf d[RNC_DIAGONALS];
    for (int k = 0; k < rows; k += depth, w += depth * p->width) {
        const float *from = in + k, *ahead = w + depth * p->width;
        float *to = out;
        p->depth = rows - k < depth ? rows - k : depth;
        p->more = more || k > 0;
        conv_diagonals((float *)d, w, p->depth, p->width);
        for (int i = 0, n; i < blocks; i++, from += n * p->pitch, to += n * p->wide) {
            const int share = p->depth * RNC_VL / blocks;
            n = tiles / blocks + (i < tiles % blocks);
            if (n == 3)
                winograd_diagonal(p, 3, from, (float *)d, to, ahead, share);
            else if (n == 2)
                winograd_diagonal(p, 2, from, (float *)d, to, ahead, share);
            else
                winograd_diagonal(p, 1, from, (float *)d, to, ahead, share);
            ahead += share * p->width / RNC_VL;
        }
    }
}
#endif

/* The windows of the tiles of `units` units from `unit` on. */
RNC_KERNEL void winograd_windows(const rnc_conv_shape *s, const rnc_operands *o,
                                 const rnc_winograd_cut *c, int unit, int units, float *to)
{
    const winograd_extent whole = {s->winograd, s->winograd, 0, 0};
    const float *in = (const float *)o->in - s->pad_top * s->in_row - s->pad_left * s->in_pixel;
    winograd_kinds k;
    winograd_count(c, units, &k);
    for (int i = 0; i < k.end; i++, to += c->pitch) {
        winograd_tile p;
        const float *from = in;
        winograd_find(s, c, &k, unit, i, &p);
        from += rnc_at(p.image, s->in_image, p.y * s->stride_h, s->in_row, p.x * s->stride_w,
                       s->in_pixel);
        if (winograd_is_whole(s, p.extent)) {
            winograd_window(s, from, whole, to, c->plane);
        } else {
            winograd_window(s, from, p.extent, to, c->plane);
        }
    }
}

/* The products of a panel, whose first channel is `channel`, to the outputs of the same tiles.
 * taps: of filters from plain taps. */
RNC_KERNEL void winograd_outputs(const rnc_conv_shape *s, const rnc_operands *o,
                                 const rnc_winograd_cut *c, int unit, int units, const float *from,
                                 const float *bias, int channel, int width, int taps)
{
    const winograd_extent whole = {s->winograd, s->winograd, 0, 0};
    winograd_kinds k;
    winograd_count(c, units, &k);
    for (int i = 0; i < k.end; i++, from += c->wide) {
        winograd_tile p;
        float *to = (float *)o->out + channel;
        const float *res = (const float *)o->in2;
        winograd_find(s, c, &k, unit, i, &p);
        to += rnc_at(p.image, s->out_image, p.y, s->out_row, p.x, s->out_pixel);
        if (s->residual)
            res += rnc_at(p.image, s->res_image, p.y, s->res_row, p.x, s->res_pixel) + channel;
        if (winograd_is_whole(s, p.extent)) {
            winograd_output(s, from, c->product, whole, bias, res, to, width, taps);
        } else {
            winograd_output(s, from, c->product, p.extent, bias, res, to, width, taps);
        }
        if (s->act > RNC_ACT_RELU6)
            winograd_act(s, p.extent, to, width);
    }
}

/* What a part does: groups g0 .. g1-1, panels p0 .. p1-1. */
typedef struct winograd_work {
    rnc_winograd_cut cut;
    int g0, g1, p0, p1;
    float *scratch; /* its own: windows, products and `more` floats */
} winograd_work;

RNC_KERNEL void winograd_works(const rnc_conv_shape *s, const rnc_tile *t, const rnc_operands *o,
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
