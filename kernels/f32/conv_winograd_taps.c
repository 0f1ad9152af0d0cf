/* conv_winograd_taps: 3x3 convolution of stride 1 by Winograd's F(4 x 4, 3 x 3), as conv_winograd,
 * but from filters as they are, 9 taps instead of 36 frequencies, in panels of bias[width], then
 * [in_c][3][3][width]: where weights come from memory and meet few tiles, or shall not grow.  A
 * block of input channels stays in a near cache while all that read it pass.  Of each row of six
 * planes filters are made of three vectors, the taps across, which are made of the taps down:
 *
 *   in registers (t->pixels 0), again for each tile, which has six sums: for one or two tiles;
 *   by way of scratch, where they lie as conv_winograd's while the tiles pass.
 *
 * The factors 1 / N of the transform of filters are in that of products (winograd_output), so that
 * all constants here are exact. */
#define taps_row RNC_FN(taps_row)
#define taps_times RNC_FN(taps_times)
#define taps_pair RNC_FN(taps_pair)
#define taps_channel RNC_FN(taps_channel)
#define taps_planes RNC_FN(taps_planes)
#define taps_in_registers RNC_FN(taps_in_registers)
#define taps_product RNC_FN(taps_product)
#define taps_filters RNC_FN(taps_filters)
#define taps_in_blocks RNC_FN(taps_in_blocks)
#define taps_panel RNC_FN(taps_panel)

/* ---- in registers ---- */

/* Row f of planes of a tile. */
typedef struct taps_row {
    int f, depth, more; /* channels; 1: there are sums */
    const float *w, *in;
    int width, plane, product; /* floats from tap to tap, plane to plane of windows, of products */
    float *out;
    const char *ahead; /* weights read soon */
} taps_row;

/* Plane k of the row: its filters x times the window's channel c. */
RNC_KERNEL void taps_times(const taps_row *r, int k, int c, vf x, vf *acc)
{
    vf v;
    RNC_BROADCAST(v, r->in + k * r->plane + c);
    RNC_FMA(acc[k], v, x);
}

/* Planes k and k + 1, whose points are +-p. */
RNC_KERNEL void taps_pair(const taps_row *r, int k, int c, vf even, vf odd, vf *acc)
{
    taps_times(r, k, c, even + odd, acc);
    taps_times(r, k + 1, c, even - odd, acc);
}

/* Channel c.  Not finite, f = 0 or 5: only the first or last tap down, at w, counts. */
RNC_KERNEL void taps_channel(const taps_row *r, int finite, int c, vf point, vf square, vf *acc)
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
    taps_times(r, 0, c, x[0], acc);
    taps_times(r, 5, c, x[2], acc);
    taps_pair(r, 1, c, x[0] + x[2] * vf_set1(0.5625f), x[1] * vf_set1(0.75f), acc);
    taps_pair(r, 3, c, x[0] + x[2] * vf_set1(2.25f), x[1] * vf_set1(1.5f), acc);
}

/* All channels of a block; `lines` cache lines fetched every four. */
RNC_KERNEL void taps_planes(const taps_row *r, int finite, int lines)
{
    static const float points[] = {0.0f, 0.75f, -0.75f, 1.5f, -1.5f, 0.0f};
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
            taps_channel(r, finite, c + i, point, square, acc);
            for (int k = i; k < lines; k += 4)
                RNC_PREFETCH(ahead + k * 64);
        }
    }
    for (; c < r->depth; c++)
        taps_channel(r, finite, c, point, square, acc);
    RNC_UNROLL(6)
    for (int k = 0; k < 6; k++)
        vf_store(r->out + k * r->product, acc[k]);
}

/* A panel of `width` channels times `tiles` tiles. */
RNC_KERNEL void taps_in_registers(const rnc_conv_shape *s, const rnc_tile *t,
                                  const rnc_winograd_cut *g, int tiles, const float *in,
                                  const float *w, int width, float *out)
{
    const int depth = rnc_depth(t, s->in_c), vectors = width / RNC_VL;
    const int lines = t->prefetch_weights;
    taps_row r;
    r.width = width;
    r.plane = g->plane;
    r.product = g->product;
    for (int c = 0; c < s->in_c; c += depth) {
        r.depth = s->in_c - c < depth ? s->in_c - c : depth;
        r.more = c > 0;
        r.ahead = (const char *)(w + 9 * (c + r.depth) * width);
        for (int i = 0; i < vectors * 6; i++) {
            const int v = i / 6 * RNC_VL;
            r.f = i % 6;
            r.w = w + 9 * c * width + (r.f == 5 ? 6 * width : 0) + v;
            for (int tile = 0; tile < tiles; tile++) {
                r.in = in + 6 * r.f * g->plane + tile * g->pitch + c;
                r.out = out + 6 * r.f * g->product + tile * g->wide + v;
                if (r.f % 5 > 0)
                    taps_planes(&r, 1, lines);
                else
                    taps_planes(&r, 0, lines);
                r.ahead += r.depth / 4 * lines * 64;
            }
        }
    }
}

/* ---- by way of scratch ---- */

/* a * b, a product of its own: a multiply-add would delay a store behind it (Zen 3). */
RNC_KERNEL vf taps_product(vf a, vf b)
{
    vf v = a * b;
    RNC_OPAQUE(v);
    return v;
}

/* The filters of `rows` input channels from w on, to row f of planes, which are `plane` floats
 * apart, [rows][width] each.  Not finite, f = 0 or 5: only the first or last tap down counts. */
RNC_KERNEL void taps_filters(const float *w, int f, int finite, int rows, int width, int plane,
                             float *to)
{
    static const float points[] = {0.0f, 0.75f, -0.75f, 1.5f, -1.5f, 0.0f};
    static const float squares[] = {0.0f, 0.5625f, 0.5625f, 2.25f, 2.25f, 0.0f};
    vf point, square, near, near_square, far, far_square;
    RNC_BROADCAST(point, points + f);
    RNC_BROADCAST(square, squares + f);
    RNC_BROADCAST(near, points + 1);
    RNC_BROADCAST(near_square, squares + 1);
    RNC_BROADCAST(far, points + 3);
    RNC_BROADCAST(far_square, squares + 3);
    w += f == 5 ? 6 * width : 0;
    for (int c = 0; c < rows; c++, w += 9 * width, to += width) {
        RNC_UNROLL(4)
        for (int v = 0; v < width; v += RNC_VL) {
            vf x[3], even, odd;
            RNC_UNROLL(3)
            for (int k = 0; k < 3; k++) {
                x[k] = vf_load(w + k * width + v);
                if (finite)
                    x[k] = x[k] + taps_product(point, vf_load(w + (3 + k) * width + v)) +
                           taps_product(square, vf_load(w + (6 + k) * width + v));
            }
            vf_store(to + v, x[0]);
            vf_store(to + 5 * plane + v, x[2]);
            even = x[0] + taps_product(near_square, x[2]);
            odd = taps_product(near, x[1]);
            vf_store(to + plane + v, even + odd);
            vf_store(to + 2 * plane + v, even - odd);
            even = x[0] + taps_product(far_square, x[2]);
            odd = taps_product(far, x[1]);
            vf_store(to + 3 * plane + v, even + odd);
            vf_store(to + 4 * plane + v, even - odd);
        }
    }
}

/* `units` units times a panel of p->width channels. */
RNC_KERNEL void taps_in_blocks(const rnc_conv_shape *s, const rnc_tile *t,
                               const rnc_winograd_cut *c, winograd_piece *p, int units,
                               const float *in, const float *w, float *filters, float *out)
{
    const int depth = rnc_depth(t, s->in_c), plane = depth * p->width + RNC_APART;
    rnc_conv_shape by_tile = *s;
    winograd_kinds k;
    by_tile.in_pixel = c->pitch;
    by_tile.stride_w = 1;
    winograd_count(c, units, &k);
    for (int first = 0; first < s->in_c; first += depth, w += 9 * depth * p->width) {
        const int rows = s->in_c - first < depth ? s->in_c - first : depth;
        p->last = first + depth >= s->in_c;
        p->depth = rows;
        p->far = (const char *)(w + 9 * (rows + depth) * p->width);
        for (int y = 0; y < 6; y++) {
            const int spare_y = winograd_spare(s, y);
            if (y % 5 > 0)
                taps_filters(w, y, 1, rows, p->width, plane, filters);
            else
                taps_filters(w, y, 0, rows, p->width, plane, filters);
            for (int x = 0; x < 6; x++) {
                const int spare_x = winograd_spare(s, x), at = 6 * y + x;
                const int begin = spare_x ? k.whole : 0;
                const int end = spare_y ? k.low : spare_x ? k.small : k.end;
                const float *from = in + at * c->plane + begin * c->pitch + first;
                const float *filter = filters + x * plane;
                float *to = out + at * c->product + begin * c->wide;
#ifdef RNC_DIAGONALS
                if (s->in_c % 4 == 0 && depth % 4 == 0) {
                    winograd_diagonals(t, p, rows, first > 0, end - begin, from, filter, to);
                    continue;
                }
#endif
                p->more = first > 0;
                p->next = from + c->plane;
                winograd_blocks(&by_tile, t, p, end - begin, from, filter, to);
            }
        }
    }
}

/* A panel of `width` channels, from `channel` on, for the units transformed in scratch. */
RNC_KERNEL void taps_panel(const rnc_conv_shape *s, const rnc_tile *t, const rnc_operands *o,
                           const rnc_winograd_cut *c, int unit, int units, winograd_piece *p,
                           float *scratch, int channel, int width)
{
    const float *panel = o->weights + (ptrdiff_t)channel * (9 * s->in_c + 1);
    float *products = scratch + c->side * c->side * c->plane;
    float *filters = scratch + c->floats;
    p->width = width;
    if (t->pixels > 0) {
        taps_in_blocks(s, t, c, p, units, scratch, panel + width, filters, products);
    } else {
        winograd_kinds k;
        winograd_count(c, units, &k);
        taps_in_registers(s, t, c, k.end, scratch, panel + width, width, products);
    }
    winograd_outputs(s, o, c, unit, units, products, panel, channel, width, 1);
}

/* Each part has scratch of its own, of which rnc_cut_winograd() and rnc_cut_taps() say the size. */
RNC_KERNEL void RNC_FN(conv_winograd_taps)(const rnc_conv_shape *s, const rnc_tile *t,
                                           const rnc_operands *o, int part, int parts)
{
    rnc_taps_cut taps;
    winograd_work k;
    rnc_cut_taps(s, t, &taps);
    winograd_works(s, t, o, part, parts, taps.floats, &k);
    for (int g = k.g0; g < k.g1 && k.p0 < k.p1; g++) {
        const rnc_winograd_cut *const c = &k.cut;
        const int unit = g * c->size + (g < c->longer ? g : c->longer);
        const int units = c->size + (g < c->longer);
        winograd_piece p;
        p.pitch = c->pitch;
        p.wide = c->wide;
        p.ahead = (const char *)(o->weights + (ptrdiff_t)k.p0 * s->panel * (9 * s->in_c + 1) +
                                 9 * taps.depth * s->panel);
        winograd_windows(s, o, c, unit, units, k.scratch);
        for (int i = k.p0; i < k.p1; i++) {
            const int channel = i * s->panel;
            if (!RNC_NARROW || channel + s->panel <= s->out_c)
                taps_panel(s, t, o, c, unit, units, &p, k.scratch, channel, s->panel);
            else
                taps_panel(s, t, o, c, unit, units, &p, k.scratch, channel, s->out_c % s->panel);
        }
    }
}
#undef taps_row
#undef taps_times
#undef taps_pair
#undef taps_channel
#undef taps_planes
#undef taps_in_registers
#undef taps_product
#undef taps_filters
#undef taps_in_blocks
#undef taps_panel
