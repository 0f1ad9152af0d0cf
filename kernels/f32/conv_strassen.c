/* conv_strassen: 1x1 convolution by one level of Strassen's method in Winograd's form: pixels,
 * input channels and output channels are cut into halves, and seven products of quarters replace
 * eight.  For one strip of pixels at a time, sums of the quarters of its input go to scratch; then
 * come the products, for one panel of each half of the output channels after the other.  Each
 * continues the sums that an earlier one left (X0, X1), so that output is written once:
 *     A11 B11 = X0        X0 + A12 B21 = out11    X0 + S2 T2 = X0         X0 + S3 T3 = X1
 *     X1 - A22 T4 = out21   M = S1 T1, X1 + M = out22, X0 + M = X0        X0 + S4 B22 = out12
 * S1 = A21 + A22, S2 = S1 - A11, S3 = A11 - A21, S4 = A12 - S2; the T are stored in the weights.
 * In a strip with an odd number of pixels, zeros take the place of the first half's last partner,
 * and three of the products leave it out. */
#define strassen_at RNC_FN(strassen_at)
#define strassen_strip RNC_FN(strassen_strip)
#define strassen_sums RNC_FN(strassen_sums)
#define strassen_block RNC_FN(strassen_block)
#define strassen_places RNC_FN(strassen_places)
#define strassen_output RNC_FN(strassen_output)
#define strassen_plus RNC_FN(strassen_plus)
#define strassen_pixels RNC_FN(strassen_pixels)
#define strassen_pieces RNC_FN(strassen_pieces)
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
    int depth, pixels, pitch; /* pitch: floats from pixel to pixel of the input */
    int first;                /* the first output pixel */
    const float *in;
    const char *w;
    const float *from;       /* sums that the product continues, or NULL */
    float *to;               /* where the sums are left; NULL: in the output */
    const float *plus;       /* not NULL: output is the product plus these sums, */
    float *both;             /* and the product is also added to these */
    const float *bias, *res; /* bias and residual of the panel */
#ifdef RNC_LONG_ACT
    const float *slopes; /* of prelu, likewise */
#endif
    float *out;
} strassen_block;

/* Where the pixels of a piece are stored in output and residual, and the first channel in the
 * panel. */
typedef struct strassen_places {
    int column;
    ptrdiff_t out[RNC_STRASSEN_PIECE], res[RNC_STRASSEN_PIECE];
} strassen_places;

/* Writes the sums of pixel i of a piece to the output, with bias, residual and the activation. */
RNC_KERNEL void strassen_output(const rnc_conv_shape *s, const strassen_block *b,
                                const strassen_places *at, int i, const vf *acc, int nv)
{
    const int column = at->column;
    float *to = b->out + at->out[i] + column;
    const float *res = s->residual ? b->res + at->res[i] + column : b->res;
    RNC_UNROLL(8)
    for (int j = 0; j < nv; j++) {
        vf v = acc[j] + vf_load(b->bias + column + j * RNC_VL);
        if (s->residual)
            v = v + vf_load(res + j * RNC_VL);
        vf_store(to + j * RNC_VL, conv_limit(s, v));
    }
#ifdef RNC_LONG_ACT
    if (s->act > RNC_ACT_RELU6)
        conv_act(s, 1, nv, 1, b->slopes + column, to);
#endif
}

/* Writes a product of n pixels to the output with other sums added, and adds it to `both`. */
RNC_KERNEL void strassen_plus(const rnc_conv_shape *s, const strassen_block *b,
                              const strassen_places *at, int first, int n, int nv)
{
    for (int i = 0; i < n; i++) {
        vf v[8];
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++) {
            const int k = (first + i) * s->panel + at->column + j * RNC_VL;
            v[j] = vf_load(b->to + k);
            vf_store(b->both + k, vf_load(b->both + k) + v[j]);
            v[j] = v[j] + vf_load(b->plus + k);
        }
        strassen_output(s, b, at, i, v, nv);
    }
}

/* Pixels first .. first + n - 1 of a block times all vectors.  at: their places, which are
 * found here; job: what all pixels share. */
RNC_KERNEL void strassen_pixels(const rnc_conv_shape *s, const rnc_tile_kind *kind,
                                const strassen_block *b, int first, int n, strassen_places *at,
                                sums_job *job)
{
    const int nv = kind->vectors, ends = b->plus || !b->to;
    for (int i = 0; i < (ends ? n : 0); i++) {
        const int p = b->first + first + i;
        at->out[i] = strassen_at(s, p, s->out_image, s->out_row, s->out_pixel);
        if (s->residual)
            at->res[i] = strassen_at(s, p, s->res_image, s->res_row, s->res_pixel);
    }
    job->pixels = n;
    job->in = b->in + (ptrdiff_t)first * job->pixel;
    job->next = job->in + n * job->pixel;
    for (at->column = 0; at->column < s->panel; at->column += nv * RNC_VL) {
        const int sums = first * s->panel + at->column;
        job->w = b->w + at->column * rnc_weight_bytes(kind->weights);
        job->from = b->from ? b->from + sums : NULL;
        job->to = b->to ? b->to + sums : NULL;
        job->bias = b->bias + at->column;
        job->res = s->residual ? b->res + at->column : NULL;
        job->out = b->out + at->column;
        job->ahead = sums_run(kind, job);
        if (b->plus)
            strassen_plus(s, b, at, first, n, nv);
#ifdef RNC_LONG_ACT
        for (int i = 0; i < n && !b->to && s->act > RNC_ACT_RELU6; i++)
            conv_act(s, 1, nv, 1, b->slopes + at->column, job->out + at->out[i]);
#endif
    }
}

/* The pixels of a block: in pieces where their places must be known. */
RNC_KERNEL void strassen_pieces(const rnc_conv_shape *s, const rnc_knobs *t,
                                const strassen_block *b)
{
    const int row = s->panel * rnc_weight_bytes(s->weights), is_act = s->act == RNC_ACT_RELU;
    rnc_registers_cut r;
    rnc_tile_kind kind;
    strassen_places at;
    sums_job job;
    rnc_cut_registers(t, s->panel, RNC_VL, RNC_CASES, &r);
    rnc_choose_kind(t, s->in_c / 2, s->panel, RNC_VL, s->weights, &kind);
    const int calls = rnc_div_up(b->pixels, r.n) * (s->panel / RNC_VL / r.nv);
    const int piece = b->to && !b->plus ? b->pixels : RNC_STRASSEN_PIECE / r.n * r.n;
    job.most = r.n;
    job.out_at = at.out, job.res_at = at.res;
    job.turns = b->depth / kind.unroll;
    job.pixel = b->pitch, job.wide = s->panel;
    job.share = b->depth * row / (calls > 0 ? calls : 1) + 64;
    job.step = job.share / b->depth + 1;
    job.ahead = b->w + b->depth * row, job.far = job.ahead + (calls + 1) * job.share;
    job.fetch_out = t->prefetch_output && (b->plus || !b->to);
    job.low = is_act || s->act == RNC_ACT_RELU6 ? 0.0f : -INFINITY;
    job.high = s->act == RNC_ACT_RELU6 ? 6.0f : INFINITY;
    for (int first = 0; first < b->pixels; first += piece)
        strassen_pixels(s, &kind, b, first, b->pixels - first < piece ? b->pixels - first : piece,
                        &at, &job);
}

/* The seven products of a strip and one panel of each half. */
RNC_KERNEL void strassen_panel(const rnc_conv_shape *s, const rnc_knobs *t, const rnc_operands *o,
                               const rnc_strassen_cut *c, const strassen_strip *strip, int panel)
{
    /* Which quarter of the input, or which sum, a product reads; where its sums come from, wait
     * while blocks pass, and are left: X0, X1, a third, or -1 for none; the quarter of the output
     * that the product completes, or that its sums belong to. */
    static const struct {
        signed char read, from, wait, leave, quarter;
    } product[7] = {{0, -1, 0, 0, 0}, {1, 0, 2, -1, 0}, {4, 0, 0, 0, 0}, {5, 0, 1, 1, 2},
                    {2, 1, 2, -1, 2}, {3, -1, 2, 2, 3}, {6, 0, 0, -1, 1}};
    const int half = c->half, depth = rnc_depth(t, half);
    const int up = strip->up, row = s->panel * rnc_weight_bytes(s->weights);
    const ptrdiff_t low = (ptrdiff_t)up * c->pitch, each = (ptrdiff_t)up * s->panel;
    const float *in = strip->in, *sum = strip->scratch;
    const float *read[7] = {in,         in + half, in + low + half, sum,
                            sum + half, sum + low, sum + low + half};
    const char *weights =
        (const char *)o->weights +
        panel * rnc_panel_bytes(s->weights, 2 * s->panel, (ptrdiff_t)7 * half * s->panel);
    const float *bias = (const float *)(const void *)weights;
    float *const sums = strip->scratch + c->waiting;
    strassen_block b;
    b.pitch = c->pitch;
    b.w = (const char *)(bias + 2 * s->panel);
    for (int p = 0; p < 7; p++) {
        const int is_low = product[p].quarter / 2, right = product[p].quarter % 2;
        const int channel = right * (s->out_c / 2) + panel * s->panel, from = product[p].from;
        b.pixels = p >= 3 && p < 6 ? strip->n - up : up;
        b.first = strip->pixel + is_low * up;
        b.bias = bias + right * s->panel;
        b.res = s->residual ? (const float *)o->in[1] + channel : NULL;
#ifdef RNC_LONG_ACT
        b.slopes = rnc_slopes(o, s->act, s->out_c) + channel;
#endif
        b.out = (float *)o->out[0] + channel;
        b.both = sums;
        b.from = from < 0 ? NULL : sums + from * each;
        for (int k = 0; k < half; k += depth, b.w += b.depth * row) {
            const int last = k + depth >= half;
            b.depth = last ? half - k : depth;
            b.in = read[product[p].read] + k;
            b.to = sums + (last ? product[p].leave : product[p].wait) * each;
            b.plus = last && p == 5 ? sums + each : NULL;
            if (last && product[p].leave < 0)
                b.to = NULL;
            strassen_pieces(s, t, &b);
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
#undef strassen_plus
#undef strassen_pixels
#undef strassen_pieces
#undef strassen_panel
