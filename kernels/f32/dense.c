/* dense: weight panels times one vector, or several at once, for each image.  One image is bound
 * by the reading of the weights.  From memory a CPU reads several streams side by side faster than
 * one, so a turn takes a row from each of u parts of a panel, far from one another. */
#define dense_steps RNC_FN(dense_steps)
#define dense_tile RNC_FN(dense_tile)
#define dense_panels RNC_FN(dense_panels)
#define dense_columns RNC_FN(dense_columns)

/* u inputs, `apart` from one another, each into one of the phases:
 * acc[p % phases][i][j] += in[image i][p * apart] * w[p * apart][vector j]. */
RNC_KERNEL void dense_steps(const rnc_dense_shape *s, vf *acc, const float *in, const float *w,
                            int u, int apart, int phases, int n, int nv, int width)
{
    RNC_UNROLL(8)
    for (int p = 0; p < u; p++) {
        vf b[8];
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++)
            b[j] = vf_load(w + p * apart * width + j * RNC_VL);
        RNC_UNROLL(32)
        for (int i = 0; i < n; i++) {
            vf x;
            RNC_BROADCAST(x, in + i * s->in_image + p * apart);
            RNC_UNROLL(8)
            for (int j = 0; j < nv; j++)
                RNC_FMA(acc[(p % phases * n + i) * nv + j], x, b[j]);
        }
    }
}

/* n images, nv vectors of outputs; w: at their column of a panel of `width` outputs. */
RNC_KERNEL void dense_tile(const rnc_dense_shape *s, int n, int nv, int u, const float *in,
                           const float *w, int width, const float *res, float *out)
{
    const int apart = s->in_c / u, rest = s->in_c % u;
    const int own = 8 / (n * nv); /* sums that do not wait for each other: 8 are enough */
    const int phases = own < 1 ? 1 : own < u ? own : u;
    vf acc[32]; /* [phase][image][vector] */
    RNC_UNROLL(32)
    for (int i = 0; i < phases * n; i++) {
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++)
            acc[i * nv + j] = i < n ? vf_load(w + j * RNC_VL) : vf_zero();
    }
    w += width;
    for (int turns = apart; turns > 0; turns--, in++, w += width)
        dense_steps(s, acc, in, w, u, apart, phases, n, nv, width);
    in += (u - 1) * apart;
    w += (u - 1) * apart * width;
    dense_steps(s, acc, in, w, rest, 1, phases, n, nv, width);
    RNC_UNROLL(32)
    for (int i = 0; i < n; i++) {
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++) {
            vf v = acc[i * nv + j];
            RNC_UNROLL(8)
            for (int p = 1; p < phases; p++)
                v = v + acc[(p * n + i) * nv + j];
            if (s->residual)
                v = v + vf_load(res + i * s->res_image + j * RNC_VL);
            vf_store(out + i * s->out_image + j * RNC_VL, v);
        }
    }
    if (s->act != RNC_ACT_NONE)
        for (int i = 0; i < n; i++)
            for (int j = 0; j < nv; j++) {
                float *p = out + i * s->out_image + j * RNC_VL;
                vf_store(p, vf_act(vf_load(p), s->act, s->alpha));
            }
}

/* Panels first .. end-1 of `width` outputs; w and c: the first one's weights and first output. */
RNC_KERNEL void dense_panels(const rnc_dense_shape *s, const rnc_tile *t, const rnc_operands *o,
                             const float *w, int c, int width, int nv, int first, int end,
                             int across, int vector)
{
    const int u = t->streams > 1 ? (t->streams < 8 ? t->streams : 8) : 1;
    const int fit = 32 / nv, wish = t->pixels > 0 ? t->pixels : 1;
    const int all = wish < fit ? wish : fit, n = all < s->images ? all : s->images;
    const int rest = s->images % n;
    for (int i = first * across; i < end * across; i++) {
        const int at = (vector + i % across * nv) * RNC_VL, to = c + i / across * width + at;
        const float *b = w + (ptrdiff_t)(i / across) * (s->in_c + 1) * width + at;
        const float *in = (const float *)o->in;
        const float *res = s->residual ? (const float *)o->in2 + to : NULL;
        float *out = (float *)o->out + to;
        for (int image = 0; image + n <= s->images; image += n) {
            dense_tile(s, n, nv, u, in, b, width, res, out);
            in += (ptrdiff_t)n * s->in_image;
            res = s->residual ? res + (ptrdiff_t)n * s->res_image : res;
            out += (ptrdiff_t)n * s->out_image;
        }
        if (rest > 0)
            dense_tile(s, rest, nv, u, in, b, width, res, out);
    }
}

/* The same for any width: columns of t->vectors vectors, then what is left. */
RNC_KERNEL void dense_columns(const rnc_dense_shape *s, const rnc_tile *t, const rnc_operands *o,
                              const float *w, int c, int width, int first, int end)
{
    const int vectors = width / RNC_VL, wish = t->vectors > 0 ? t->vectors : 1;
    const int most = wish < 8 ? wish : 8, nv = most < vectors ? most : vectors;
    const int across = vectors / nv, rest = vectors % nv;
    dense_panels(s, t, o, w, c, width, nv, first, end, across, 0);
    if (rest > 0)
        dense_panels(s, t, o, w, c, width, rest, first, end, 1, across * nv);
}

RNC_KERNEL void RNC_FN(dense)(const rnc_dense_shape *s, const rnc_tile *t, const rnc_operands *o,
                              int part, int parts)
{
    const int full = s->out_c / s->panel, narrow = s->out_c % s->panel;
    const int all = full + (narrow > 0), c = full * s->panel;
    const int first = rnc_share(all, part, parts), end = rnc_share(all, part + 1, parts);
    if (full > 0)
        dense_columns(s, t, o, o->weights, 0, s->panel, first, end < full ? end : full);
    if (narrow > 0 && first < all && end == all)
        dense_columns(s, t, o, o->weights + (ptrdiff_t)c * (s->in_c + 1), c, narrow, 0, 1);
}
#undef dense_steps
#undef dense_tile
#undef dense_panels
#undef dense_columns
