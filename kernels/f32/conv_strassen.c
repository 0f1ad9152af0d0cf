/* conv_strassen: 1x1 convolution of any stride by one level of Strassen's method in Winograd's form
 * (Winograd 1971; Huang, Smith, Henry and van de Geijn, SC 2016, for sums fused with stores).
 * Pixels, input channels and output channels are cut into halves, and seven products of quarters
 * replace eight.  The kernel takes one strip of pixels at a time.  First, sums of the quarters of
 * its input go to scratch; then, for one panel of each half of the output channels after the other,
 * the products are computed.  Each product continues the sums that an earlier one left (X0, X1), so
 * that output is written once:
 *     A11 B11 = X0        X0 + A12 B21 = out11    X0 + S2 T2 = X0         X0 + S3 T3 = X1
 *     X1 - A22 T4 = out21   M = S1 T1, X1 + M = out22, X0 + M = X0        X0 + S4 B22 = out12
 * S1 = A21 + A22, S2 = S1 - A11, S3 = A11 - A21, S4 = A12 - S2; the T are stored in the weights
 * (compiler/plan/methods/conv_strassen.c).  In a strip with an odd number of pixels, the last pixel
 * of the first half has no partner: zeros take its place, and three of the products are left out.
 * Define RNC_TILES before this file, as for conv_winograd. */
#define strassen_at RNC_FN(strassen_at)
#define strassen_strip RNC_FN(strassen_strip)
#define strassen_sums RNC_FN(strassen_sums)
#define strassen_block RNC_FN(strassen_block)
#define strassen_places RNC_FN(strassen_places)
#define strassen_output RNC_FN(strassen_output)
#define strassen_spot RNC_FN(strassen_spot)
#define strassen_tile RNC_FN(strassen_tile)
#define strassen_has RNC_FN(strassen_has)
#define strassen_tiles RNC_FN(strassen_tiles)
#define strassen_panel RNC_FN(strassen_panel)

/* The offset of pixel p, counted over all images, in floats from the first pixel. */
RNC_KERNEL ptrdiff_t strassen_at(const rnc_conv_shape *s, int p, int image, int row, int pixel)
{
    const int w = s->out_w, h = s->out_h;
    if (row == w * pixel && (s->images == 1 || image == h * row))
        return (ptrdiff_t)p * pixel;
    return rnc_at(p / (w * h), image, p / w % h, row, p % w, pixel);
}

/* A strip: n pixels from `pixel` on; the first half has `up` of them. */
typedef struct strassen_strip {
    int pixel, n, up;
    const float *in; /* what the products read: the input itself or its copy */
    float *scratch;
} strassen_strip;

/* Stores the sums of a strip, [up][S1 S2], then [up][S3 S4], and then, unless the input is flat, a
 * copy of the pixels. */
RNC_KERNEL void strassen_sums(const rnc_conv_shape *s, const rnc_strassen_cut *c, const float *in,
                              const strassen_strip *strip)
{
    const int pixel = strip->pixel, n = strip->n, up = strip->up;
    const ptrdiff_t next = (ptrdiff_t)up * c->pitch;
    float *to = strip->scratch;
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

/* A block of a product: `depth` input channels times `pixels` pixels times a panel. */
typedef struct strassen_block {
    conv_rows rows;
    int depth, last, pixels;
    int first; /* the first output pixel */
    const float *in;
    const char *w;
    const float *from;       /* sums that the product continues, or NULL */
    float *to;               /* where the sums are left; NULL: in the output */
    const float *plus;       /* not NULL: output is the product plus these sums, */
    float *both;             /* and the product is also added to these */
    const float *bias, *res; /* bias and residual of the panel */
    float *out;
} strassen_block;

/* Where the pixels of a tile are stored in output and residual, and the tile's first channel in the
 * panel. */
typedef struct strassen_places {
    int column;
    ptrdiff_t out[RNC_CASES], res[RNC_CASES];
} strassen_places;

/* Writes the sums of n pixels of a tile, from pixel `first` on, to the output, with bias, residual
 * and the short activations. */
RNC_KERNEL void strassen_output(const rnc_conv_shape *s, const strassen_block *b,
                                const strassen_places *at, int first, const vf *acc, int n, int nv)
{
    const int column = at->column;
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

/* Where a register tile is in a block, and the weights to fetch: `step` bytes further with each
 * turn. */
typedef struct strassen_spot {
    int at, column; /* its first pixel; its first channel in the panel */
    const char *ahead;
    int step;
} strassen_spot;

/* n pixels of a block times nv vectors. */
RNC_KERNEL void strassen_tile(const rnc_conv_shape *s, const rnc_knobs *t, int u, int n, int nv,
                              const strassen_block *b, const strassen_spot *spot)
{
    const int width = s->panel, column = spot->column, sums = spot->at * width + column;
    const int bytes = rnc_weight_bytes(b->rows.elem);
    const float *a = b->in + (ptrdiff_t)spot->at * b->rows.pixel;
    const char *w = b->w + column * bytes, *ahead = spot->ahead;
    strassen_places places;
    vf acc[32];
    places.column = column;
    for (int i = 0; i < (b->plus || !b->to ? n : 0); i++) {
        const int p = b->first + spot->at + i;
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
        conv_steps(&b->rows, acc, a, w, u, n, nv);
        for (int i = 0; i < t->prefetch_weights; i++)
            RNC_PREFETCH(ahead + i * 64);
        if (t->prefetch_input)
            RNC_PREFETCH_NEAR(a + (n + (turns & 3)) * b->rows.pixel);
        ahead += spot->step;
        a += u;
        w += u * width * bytes;
    }
    if (b->last)
        conv_steps(&b->rows, acc, a, w, s->in_c / 2 % u, n, nv);
    if (b->to) {
        RNC_UNROLL(32)
        for (int i = 0; i < n; i++) {
            RNC_UNROLL(8)
            for (int j = 0; j < nv; j++)
                vf_store(b->to + sums + i * width + j * RNC_VL, acc[i * nv + j]);
        }
    } else {
        strassen_output(s, b, &places, 0, acc, n, nv);
    }
    /* Reads memory again, because clang does not have the registers for another way out of the
     * loop. */
    for (int i = 0; i < (b->plus ? n : 0); i++) {
        vf v[8];
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++) {
            const int k = sums + i * width + j * RNC_VL;
            v[j] = vf_load(b->to + k);
            vf_store(b->both + k, vf_load(b->both + k) + v[j]);
            v[j] = v[j] + vf_load(b->plus + k);
        }
        strassen_output(s, b, &places, i, v, 1, nv);
    }
}

/* If `total` pixels are cut into tiles of nearly equal size, each of `most` at most: is there one
 * of n pixels? */
RNC_KERNEL int strassen_has(int total, int most, int n)
{
    const int tiles = rnc_div_up(total, most);
    return tiles > 0 && (n == total / tiles || (n == total / tiles + 1 && total % tiles > 0));
}

RNC_KERNEL void strassen_tiles(const rnc_conv_shape *s, const rnc_knobs *t,
                               const rnc_strassen_cut *c, int u, const strassen_block *b)
{
    rnc_registers_cut r;
    rnc_cut_registers(t, s->panel, RNC_VL, RNC_CASES, &r);
    const int nv = r.nv, most = r.n, row = s->panel * rnc_weight_bytes(b->rows.elem);
    const int tiles = rnc_div_up(b->pixels, most), calls = tiles * (s->panel / RNC_VL / nv);
    const int share = b->depth * row / (calls > 0 ? calls : 1) + 64;
    strassen_spot k;
    k.at = 0;
    k.ahead = b->w + b->depth * row;
    k.step = share * u / b->depth + 1;
    for (int i = 0, n; i < tiles; i++, k.at += n) {
        n = b->pixels / tiles + (i < b->pixels % tiles);
        for (k.column = 0; k.column < s->panel; k.column += nv * RNC_VL, k.ahead += share) {
/* A constant number of pixels, and only those that a half of a strip can have. */
#define RNC_STRASSEN_CASE(k_)                                                     \
    case k_:                                                                      \
        if (k_ <= RNC_TILES && k_ <= most &&                                      \
            (strassen_has(c->up, most, k_) || strassen_has(c->up - 1, most, k_))) \
            strassen_tile(s, t, u, k_, nv, b, &k);                                \
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

/* The seven products of a strip and one panel of each half. */
RNC_KERNEL void strassen_panel(const rnc_conv_shape *s, const rnc_knobs *t, const rnc_operands *o,
                               const rnc_strassen_cut *c, const strassen_strip *strip, int panel)
{
    /* Which quarter of the input, or which sum, a product reads; where its sums come from, where
     * they wait while blocks pass, and where they are left: X0, X1, a third, or -1 for none.  Last,
     * the quarter of the output that the product completes, or that its sums belong to. */
    static const struct {
        signed char read, from, wait, leave, quarter;
    } product[7] = {{0, -1, 0, 0, 0}, {1, 0, 2, -1, 0}, {4, 0, 0, 0, 0}, {5, 0, 1, 1, 2},
                    {2, 1, 2, -1, 2}, {3, -1, 2, 2, 3}, {6, 0, 0, -1, 1}};
    const int half = c->half, u = rnc_unroll(t), depth = rnc_depth(t, half);
    const int up = strip->up, row = s->panel * rnc_weight_bytes(s->weights);
    const ptrdiff_t low = (ptrdiff_t)up * c->pitch, each = (ptrdiff_t)up * s->panel;
    const float *in = strip->in, *sum = strip->scratch;
    const float *read[7] = {in,         in + half, in + low + half, sum,
                            sum + half, sum + low, sum + low + half};
    const char *weights =
        (const char *)o->weights +
        panel * rnc_panel_bytes(s->weights, 2 * s->panel, (ptrdiff_t)7 * half * s->panel);
    const float *bias = (const float *)(const void *)weights;
    const conv_rows rows = {32, 0, c->pitch, s->weights, s->panel, t->memory_broadcasts, 0};
    float *const sums = strip->scratch + c->waiting;
    strassen_block b;
    b.rows = rows;
    b.w = (const char *)(bias + 2 * s->panel);
    for (int p = 0; p < 7; p++) {
        const int is_low = product[p].quarter / 2, right = product[p].quarter % 2;
        const int channel = right * (s->out_c / 2) + panel * s->panel, from = product[p].from;
        b.pixels = p >= 3 && p < 6 ? strip->n - up : up;
        b.first = strip->pixel + is_low * up;
        b.bias = bias + right * s->panel;
        b.res = s->residual ? (const float *)o->in[1] + channel : NULL;
        b.out = (float *)o->out[0] + channel;
        b.both = sums;
        b.from = from < 0 ? NULL : sums + from * each;
        for (int k = 0; k < half; k += depth, b.w += b.depth * row) {
            b.last = k + depth >= half;
            b.depth = b.last ? half - k : depth;
            b.in = read[product[p].read] + k;
            b.to = sums + (b.last ? product[p].leave : product[p].wait) * each;
            b.plus = b.last && p == 5 ? sums + each : NULL;
            if (b.last && product[p].leave < 0)
                b.to = NULL;
            strassen_tiles(s, t, c, u, &b);
            b.from = sums + product[p].wait * each;
        }
    }
}

/* Parts share the strips or, with split, the panels.  Each part has sums of its own in scratch,
 * whose size rnc_cut_strassen() gives. */
RNC_KERNEL void RNC_FN(conv_strassen)(const rnc_conv_shape *s, const rnc_knobs *t,
                                      const rnc_operands *o, int part, int parts)
{
    rnc_strassen_cut c;
    rnc_cut_strassen(s, t, &c);
    const int s0 = t->split ? 0 : rnc_share(c.strips, part, parts);
    const int s1 = t->split ? c.strips : rnc_share(c.strips, part + 1, parts);
    const int p0 = t->split ? rnc_share(c.panels, part, parts) : 0;
    const int p1 = t->split ? rnc_share(c.panels, part + 1, parts) : c.panels;
    strassen_strip k;
    k.scratch = (float *)o->scratch + part * c.floats;
    for (int i = s0; i < s1 && p0 < p1; i++) {
        k.pixel = rnc_share(c.pixels, i, c.strips);
        k.n = rnc_share(c.pixels, i + 1, c.strips) - k.pixel;
        k.up = (k.n + 1) / 2;
        k.in = c.flat ? (const float *)o->in[0] + (ptrdiff_t)k.pixel * c.pitch
                      : k.scratch + (ptrdiff_t)2 * k.up * c.pitch;
        strassen_sums(s, &c, (const float *)o->in[0], &k);
        for (int p = p0; p < p1; p++)
            strassen_panel(s, t, o, &c, &k, p);
    }
}
#undef strassen_at
#undef strassen_strip
#undef strassen_sums
#undef strassen_block
#undef strassen_places
#undef strassen_output
#undef strassen_spot
#undef strassen_tile
#undef strassen_has
#undef strassen_tiles
#undef strassen_panel
