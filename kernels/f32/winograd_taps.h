/* winograd_taps.h: the points of F(4 x 4, 3 x 3), and tiles times filters that are made of plain
 * taps in scratch, a row of planes and a block of input channels at a time.  The factors 1 / N of
 * the transform of the filters are applied in that of the products (winograd_output), so that all
 * constants here are exact. */
#define taps_numbers RNC_FN(taps_numbers)
#define taps_squares RNC_FN(taps_squares)
#define taps_product RNC_FN(taps_product)
#define taps_place RNC_FN(taps_place)
#define taps_filters RNC_FN(taps_filters)
#ifdef RNC_SMALL_TAPS
#define taps_small RNC_FN(taps_small)
#endif
#define taps_in_blocks RNC_FN(taps_in_blocks)

/* The points of the rows of planes, but for the last at infinity, and their squares. */
static const float taps_numbers[] = {0.0f, 0.75f, -0.75f, 1.5f, -1.5f, 0.0f};
static const float taps_squares[] = {0.0f, 0.5625f, 0.5625f, 2.25f, 2.25f, 0.0f};

/* a * b as a separate multiplication: a multiply-add would delay a store after it (Zen 3). */
RNC_KERNEL vf taps_product(vf a, vf b)
{
    vf v = a * b;
    RNC_OPAQUE(v);
    return v;
}

/* The taps of a panel: the first, and the bytes from tap to tap and from channel to channel. */
typedef struct taps_place {
    const char *w;
    int tap, channel;
} taps_place;

/* Makes row f of the filters' planes for the channels of a piece, the first of which is `first`.
 * The planes are `plane` floats apart, and each is [channel][width].  If not finite (f is 0 or 5),
 * only the first or last tap down counts. */
RNC_KERNEL void taps_filters(const rnc_conv_shape *s, const winograd_piece *p,
                             const taps_place *taps, int first, int f, int finite, int plane,
                             float *to)
{
    const int elem = s->weights, bytes = rnc_weight_bytes(elem), width = p->rows.width;
    const int tap = taps->tap;
    const char *w = taps->w + (ptrdiff_t)first * taps->channel + (f == 5 ? 6 * tap : 0);
    vf point, square, near, near_square, far, far_square;
    RNC_BROADCAST(point, taps_numbers + f);
    RNC_BROADCAST(square, taps_squares + f);
    RNC_BROADCAST(near, taps_numbers + 1);
    RNC_BROADCAST(near_square, taps_squares + 1);
    RNC_BROADCAST(far, taps_numbers + 3);
    RNC_BROADCAST(far_square, taps_squares + 3);
    for (int c = 0; c < p->depth; c++, w += taps->channel, to += width) {
        RNC_UNROLL(4)
        for (int v = 0; v < width; v += RNC_VL) {
            vf x[3], even, odd;
            RNC_UNROLL(3)
            for (int k = 0; k < 3; k++) {
                const char *at = w + k * tap + v * bytes;
                x[k] = vf_load_weights(at, elem);
                if (finite)
                    x[k] = x[k] + taps_product(point, vf_load_weights(at + 3 * tap, elem)) +
                           taps_product(square, vf_load_weights(at + 6 * tap, elem));
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

#ifdef RNC_SMALL_TAPS
/* Likewise of F(2 x 2, 3 x 3), with its factors 1 / N, which are exact. */
RNC_KERNEL void taps_small(const rnc_conv_shape *s, const winograd_piece *p, const taps_place *taps,
                           int first, int f, int plane, float *to)
{
    static const float factors[] = {-1.0f, 0.5f, 0.5f, 1.0f}, signs[] = {0.0f, 1.0f, -1.0f, 0.0f};
    const int elem = s->weights, bytes = rnc_weight_bytes(elem), width = p->rows.width;
    const int tap = taps->tap;
    const char *w = taps->w + (ptrdiff_t)first * taps->channel + (f == 3 ? 6 * tap : 0);
    const int finite = f % 3 > 0;
    const vf factor = vf_set1(factors[f]), sign = vf_set1(signs[f]), half = vf_set1(0.5f);
    for (int c = 0; c < p->depth; c++, w += taps->channel, to += width) {
        RNC_UNROLL(4)
        for (int v = 0; v < width; v += RNC_VL) {
            vf x[3], even, odd;
            RNC_UNROLL(3)
            for (int k = 0; k < 3; k++) {
                const char *at = w + k * tap + v * bytes;
                x[k] = vf_load_weights(at, elem);
                if (finite)
                    x[k] = vf_fma(sign, vf_load_weights(at + 3 * tap, elem),
                                  x[k] + vf_load_weights(at + 6 * tap, elem));
                x[k] = x[k] * factor;
            }
            even = (x[0] + x[2]) * half;
            odd = x[1] * half;
            vf_store(to + v, vf_zero() - x[0]);
            vf_store(to + plane + v, even + odd);
            vf_store(to + 2 * plane + v, even - odd);
            vf_store(to + 3 * plane + v, x[2]);
        }
    }
}
#endif

/* The tiles of a group times a panel; filters: their place in scratch.  The taps of the next block
 * are fetched if they are side by side. */
RNC_KERNEL void taps_in_blocks(const rnc_conv_shape *s, const rnc_knobs *t, const winograd_group *g,
                               winograd_piece *p, const taps_place *taps, float *filters)
{
    const int depth = rnc_depth(t, s->in_c), plane = depth * p->rows.width + RNC_APART;
    const winograd_kinds *const k = &g->kinds;
    const int side = s->winograd + 2;
    for (int first = 0; first < s->in_c; first += depth) {
        const int rows = s->in_c - first < depth ? s->in_c - first : depth;
        p->depth = rows;
        p->more = first > 0;
        if (taps->channel > taps->tap)
            p->far = taps->w + (ptrdiff_t)(first + rows + depth) * taps->channel;
        for (int y = 0; y < side; y++) {
            const int spare_y = winograd_spare(s, y);
            if (side == 6 && y % 5 > 0)
                taps_filters(s, p, taps, first, y, 1, plane, filters);
            else if (side == 6)
                taps_filters(s, p, taps, first, y, 0, plane, filters);
#ifdef RNC_SMALL_TAPS
            if (side == 4)
                taps_small(s, p, taps, first, y, plane, filters);
#endif
            for (int x = 0; x < side; x++) {
                const int spare_x = winograd_spare(s, x), at = side * y + x;
                const int begin = spare_x ? k->whole : 0;
                const int end = spare_y ? k->low : spare_x ? k->small : k->end;
                const float *from = g->windows + at * p->plane + begin * g->c->pitch + first;
                const char *filter = (const char *)(filters + x * plane);
                float *to = g->products + at * g->c->product + begin * g->c->wide;
#ifdef RNC_DIAGONALS
                if (s->in_c % 4 == 0 && depth % 4 == 0) {
                    winograd_diagonals(t, p, end - begin, from, filter, to);
                    continue;
                }
#endif
                p->next = from + p->plane;
                winograd_blocks(t, p, end - begin, from, filter, to);
            }
        }
    }
}
