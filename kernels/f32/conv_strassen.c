/* conv_strassen: 1x1 convolution of any stride by one level of Strassen's method in Winograd's form
 * (Winograd 1971; Huang, Smith, Henry and van de Geijn, SC 2016, for sums fused with stores):
 * pixels, input and output channels in halves, seven products of quarters instead of eight.  A
 * strip of pixels at a time: sums of the quarters of its input go to scratch; then, for a panel of
 * each half of the channels after the other, the products.  Each goes on with the sums that an
 * earlier one left (X0, X1), so that output is written once:
 *     A11 B11 = X0        X0 + A12 B21 = out11    X0 + S2 T2 = X0         X0 + S3 T3 = X1
 *     X1 - A22 T4 = out21   M = S1 T1, X1 + M = out22, X0 + M = X0        X0 + S4 B22 = out12
 * S1 = A21 + A22, S2 = S1 - A11, S3 = A11 - A21, S4 = A12 - S2; the T are in the weights
 * (compiler/plan/methods/pack_strassen.c).  Of an odd strip the last pixel of the first half has no
 * partner: zeros, and three of the products less.  RNC_TILES stands before, as for conv_winograd.
 */
#define strassen_at RNC_FN(strassen_at)
#define strassen_sums RNC_FN(strassen_sums)
#define strassen_block RNC_FN(strassen_block)
#define strassen_places RNC_FN(strassen_places)
#define strassen_output RNC_FN(strassen_output)
#define strassen_tile RNC_FN(strassen_tile)
#define strassen_has RNC_FN(strassen_has)
#define strassen_tiles RNC_FN(strassen_tiles)
#define strassen_panel RNC_FN(strassen_panel)

/* Pixel p of all images, in floats from the first. */
RNC_KERNEL ptrdiff_t strassen_at(const rnc_conv_shape *s, int p, int image, int row, int pixel)
{
    const int w = s->out_w, h = s->out_h;
    if (row == w * pixel && (s->images == 1 || image == h * row))
        return (ptrdiff_t)p * pixel;
    return rnc_at(p / (w * h), image, p / w % h, row, p % w, pixel);
}

/* The sums of n pixels from `pixel` on, `up` of them in the first half: [up][S1 S2], then
 * [up][S3 S4] and, where the input is not flat, the pixels. */
RNC_KERNEL void strassen_sums(const rnc_conv_shape *s, const rnc_strassen_cut *c, const float *in,
                              int pixel, int n, int up, float *to)
{
    const ptrdiff_t next = (ptrdiff_t)up * c->pitch;
    const int row = s->stride_h * s->in_row, wide = s->stride_w * s->in_pixel;
    for (int i = 0; i < up; i++, to += c->pitch) {
        const int both = up + i < n, other = both ? pixel + up + i : pixel;
        const float *a = in + strassen_at(s, pixel + i, s->in_image, row, wide);
        const float *b = in + strassen_at(s, other, s->in_image, row, wide);
        for (int k = 0; k < c->half; k += RNC_VL) {
            const vf a1 = vf_load(a + k), a2 = vf_load(a + c->half + k);
            const vf b1 = both ? vf_load(b + k) : vf_zero();
            const vf b2 = both ? vf_load(b + c->half + k) : vf_zero();
            const vf s1 = b1 + b2, s2 = s1 - a1;
            vf_store(to + k, s1);
            vf_store(to + c->half + k, s2);
            vf_store(to + next + k, a1 - b1);
            vf_store(to + next + c->half + k, a2 - s2);
            if (!c->flat) {
                vf_store(to + 2 * next + k, a1);
                vf_store(to + 2 * next + c->half + k, a2);
                vf_store(to + 3 * next + c->half + k, b2);
            }
        }
    }
}

/* A block of a product: `depth` input channels, `pixels` pixels, a panel. */
typedef struct strassen_block {
    int depth, last, pixels;
    int first; /* output pixel */
    const float *in, *w;
    const float *from;       /* sums it goes on with, or NULL */
    float *to;               /* where it leaves them, or NULL: output */
    const float *plus;       /* the product is added to these for output, or NULL; */
    float *both;             /* and the product to these */
    const float *bias, *res; /* the panel's */
    float *out;
} strassen_block;

/* Where the pixels of a tile lie in output and residual. */
typedef struct strassen_places {
    ptrdiff_t out[RNC_CASES], res[RNC_CASES];
} strassen_places;

/* Sums of n pixels of a tile, from pixel `first` on, to output with bias, residual and the short
 * activations. */
RNC_KERNEL void strassen_output(const rnc_conv_shape *s, const strassen_block *b,
                                const strassen_places *at, int first, const vf *acc, int n, int nv,
                                int column)
{
    static const float six = 6.0f;
    RNC_UNROLL(32)
    for (int i = 0; i < n; i++) {
        float *to = b->out + at->out[first + i] + column;
        const float *res = s->residual ? b->res + at->res[first + i] + column : b->res;
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++) {
            vf v = acc[i * nv + j] + vf_load(b->bias + column + j * RNC_VL);
            if (s->residual)
                v = v + vf_load(res + j * RNC_VL);
            if (s->act == RNC_ACT_RELU || s->act == RNC_ACT_RELU6) {
                vf zero;
                RNC_ZERO(zero);
                v = vf_max(zero, v);
            }
            if (s->act == RNC_ACT_RELU6) {
                vf top;
                RNC_BROADCAST(top, &six);
                v = vf_min(top, v);
            }
            vf_store(to + j * RNC_VL, v);
        }
    }
    for (int i = 0; i < n && s->act > RNC_ACT_RELU6; i++)
        conv_act(s, 1, nv, 1, b->out + at->out[first + i] + column);
}

/* n pixels of a block, the first of which is `at`, times nv vectors from `column` on.  x: the shape
 * as the products see it.  Weights from `ahead` on are fetched, a turn `step` bytes further. */
RNC_KERNEL void strassen_tile(const rnc_conv_shape *s, const rnc_conv_shape *x, const rnc_tile *t,
                              int u, int n, int nv, const strassen_block *b, int at, int column,
                              const char *ahead, int step)
{
    const int width = s->panel, sums = at * width + column;
    const float *a = b->in + (ptrdiff_t)at * x->in_pixel, *w = b->w + column;
    strassen_places places;
    vf acc[32];
    for (int i = 0; i < (b->plus || !b->to ? n : 0); i++) {
        const int p = b->first + at + i;
        places.out[i] = strassen_at(s, p, s->out_image, s->out_row, s->out_pixel);
        if (s->residual)
            places.res[i] = strassen_at(s, p, s->res_image, s->res_row, s->res_pixel);
        for (int j = 0; t->prefetch_output && j < nv * RNC_VL; j += 16)
            RNC_PREFETCH_WRITE(b->out + places.out[i] + column + j);
    }
    RNC_UNROLL(32)
    for (int i = 0; i < n; i++) {
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++) {
            if (b->from)
                acc[i * nv + j] = vf_load(b->from + sums + i * width + j * RNC_VL);
            else
                RNC_ZERO(acc[i * nv + j]);
        }
    }
    for (int turns = b->depth / u; turns > 0; turns--) {
        conv_steps(x, acc, a, w, u, n, nv, 32, width, t->memory_broadcasts, 0);
        for (int i = 0; i < t->prefetch_weights; i++)
            RNC_PREFETCH(ahead + i * 64);
        if (t->prefetch_input)
            RNC_PREFETCH_NEAR(a + (n + (turns & 3)) * x->in_pixel);
        ahead += step;
        a += u;
        w += u * width;
    }
    if (b->last)
        conv_steps(x, acc, a, w, s->in_c / 2 % u, n, nv, 32, width, t->memory_broadcasts, 0);
    if (b->to) {
        RNC_UNROLL(32)
        for (int i = 0; i < n; i++) {
            RNC_UNROLL(8)
            for (int j = 0; j < nv; j++)
                vf_store(b->to + sums + i * width + j * RNC_VL, acc[i * nv + j]);
        }
    } else {
        strassen_output(s, b, &places, 0, acc, n, nv, column);
    }
    /* Out of memory again, for clang has not the registers for another way out of the loop. */
    for (int i = 0; i < (b->plus ? n : 0); i++) {
        vf v[8];
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++) {
            const int k = sums + i * width + j * RNC_VL;
            v[j] = vf_load(b->to + k);
            vf_store(b->both + k, vf_load(b->both + k) + v[j]);
            v[j] = v[j] + vf_load(b->plus + k);
        }
        strassen_output(s, b, &places, i, v, 1, nv, column);
    }
}

/* Of `total` pixels in tiles of nearly equal size, `most` at most: has one n? */
RNC_KERNEL int strassen_has(int total, int most, int n)
{
    const int tiles = rnc_div_up(total, most);
    return tiles > 0 && (n == total / tiles || (n == total / tiles + 1 && total % tiles > 0));
}

RNC_KERNEL void strassen_tiles(const rnc_conv_shape *s, const rnc_conv_shape *x, const rnc_tile *t,
                               const rnc_strassen_cut *c, int u, const strassen_block *b)
{
    rnc_registers_cut r;
    rnc_cut_registers(t, s->panel, RNC_VL, RNC_CASES, &r);
    const int nv = r.nv, most = r.n;
    const int tiles = rnc_div_up(b->pixels, most), calls = tiles * (s->panel / RNC_VL / nv);
    const int share = b->depth * s->panel * (int)sizeof(float) / (calls > 0 ? calls : 1) + 64;
    const char *ahead = (const char *)(b->w + b->depth * s->panel);
    for (int i = 0, at = 0, n; i < tiles; i++, at += n) {
        n = b->pixels / tiles + (i < b->pixels % tiles);
        for (int column = 0; column < s->panel; column += nv * RNC_VL, ahead += share) {
/* A constant number of pixels, none but those that a half of a strip can have. */
#define RNC_STRASSEN_CASE(k)                                                                 \
    case k:                                                                                  \
        if (k <= RNC_TILES && k <= most &&                                                   \
            (strassen_has(c->up, most, k) || strassen_has(c->up - 1, most, k)))              \
            strassen_tile(s, x, t, u, k, nv, b, at, column, ahead, share *u / b->depth + 1); \
        break
            switch (n) {
                RNC_STRASSEN_CASE(1);
                RNC_STRASSEN_CASE(2);
                RNC_STRASSEN_CASE(3);
                RNC_STRASSEN_CASE(4);
                RNC_STRASSEN_CASE(5);
                RNC_STRASSEN_CASE(6);
                RNC_STRASSEN_CASE(7);
                RNC_STRASSEN_CASE(8);
                RNC_STRASSEN_CASE(9);
                RNC_STRASSEN_CASE(10);
                RNC_STRASSEN_CASE(11);
                RNC_STRASSEN_CASE(12);
                RNC_STRASSEN_CASE(13);
                RNC_STRASSEN_CASE(14);
            }
#undef RNC_STRASSEN_CASE
        }
    }
}

/* The seven products of n pixels, from `pixel` on, and a panel of each half. */
RNC_KERNEL void strassen_panel(const rnc_conv_shape *s, const rnc_tile *t, const rnc_operands *o,
                               const rnc_strassen_cut *c, int pixel, int n, int up, int panel,
                               float *scratch, const float *in)
{
    /* What is read: a quarter of the input or a sum; where sums are taken from, wait while blocks
     * pass, and are left: X0, X1 or a third; -1: none.  The quarter of output that is complete, or
     * that they belong to. */
    static const struct {
        signed char read, from, wait, leave, quarter;
    } product[7] = {{0, -1, 0, 0, 0}, {1, 0, 2, -1, 0}, {4, 0, 0, 0, 0}, {5, 0, 1, 1, 2},
                    {2, 1, 2, -1, 2}, {3, -1, 2, 2, 3}, {6, 0, 0, -1, 1}};
    const int half = c->half, u = rnc_unroll(t), depth = rnc_depth(t, half);
    const ptrdiff_t low = (ptrdiff_t)up * c->pitch, each = (ptrdiff_t)up * s->panel;
    const float *read[7] = {in,
                            in + half,
                            in + low + half,
                            scratch,
                            scratch + half,
                            scratch + low,
                            scratch + low + half};
    const float *bias = o->weights + (ptrdiff_t)panel * s->panel * (7 * half + 2);
    float *const sums = scratch + c->waiting;
    rnc_conv_shape x = *s;
    strassen_block b;
    x.in_pixel = c->pitch;
    x.stride_w = 1;
    b.w = bias + 2 * s->panel;
    for (int p = 0; p < 7; p++) {
        const int is_low = product[p].quarter / 2, right = product[p].quarter % 2;
        const int channel = right * (s->out_c / 2) + panel * s->panel, from = product[p].from;
        b.pixels = p >= 3 && p < 6 ? n - up : up;
        b.first = pixel + is_low * up;
        b.bias = bias + right * s->panel;
        b.res = s->residual ? (const float *)o->in2 + channel : NULL;
        b.out = (float *)o->out + channel;
        b.both = sums;
        b.from = from < 0 ? NULL : sums + from * each;
        for (int k = 0; k < half; k += depth, b.w += b.depth * s->panel) {
            b.last = k + depth >= half;
            b.depth = b.last ? half - k : depth;
            b.in = read[product[p].read] + k;
            b.to = sums + (b.last ? product[p].leave : product[p].wait) * each;
            b.plus = b.last && p == 5 ? sums + each : NULL;
            if (b.last && product[p].leave < 0)
                b.to = NULL;
            strassen_tiles(s, &x, t, c, u, &b);
            b.from = sums + product[p].wait * each;
        }
    }
}

/* Parts share the strips or, with split, the panels, each with sums of its own in scratch, of which
 * rnc_cut_strassen() says the size. */
RNC_KERNEL void RNC_FN(conv_strassen)(const rnc_conv_shape *s, const rnc_tile *t,
                                      const rnc_operands *o, int part, int parts)
{
    rnc_strassen_cut c;
    float *scratch;
    int s0, s1, p0, p1;
    rnc_cut_strassen(s, t, &c);
    scratch = (float *)o->scratch + part * c.floats;
    s0 = t->split ? 0 : rnc_share(c.strips, part, parts);
    s1 = t->split ? c.strips : rnc_share(c.strips, part + 1, parts);
    p0 = t->split ? rnc_share(c.panels, part, parts) : 0;
    p1 = t->split ? rnc_share(c.panels, part + 1, parts) : c.panels;
    for (int i = s0; i < s1 && p0 < p1; i++) {
        const int pixel = rnc_share(c.pixels, i, c.strips);
        const int n = rnc_share(c.pixels, i + 1, c.strips) - pixel, up = (n + 1) / 2;
        const float *in = c.flat ? (const float *)o->in + (ptrdiff_t)pixel * c.pitch
                                 : scratch + (ptrdiff_t)2 * up * c.pitch;
        strassen_sums(s, &c, (const float *)o->in, pixel, n, up, scratch);
        for (int p = p0; p < p1; p++)
            strassen_panel(s, t, o, &c, pixel, n, up, p, scratch, in);
    }
}
#undef strassen_at
#undef strassen_sums
#undef strassen_block
#undef strassen_places
#undef strassen_output
#undef strassen_tile
#undef strassen_has
#undef strassen_tiles
#undef strassen_panel
