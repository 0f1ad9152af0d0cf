/* dense: weight panels times one vector, or several at once, for each image.  With one image the
 * time is that of reading the weights.  A CPU reads several streams from memory faster than one, so
 * a turn takes one row from each of u parts of a panel. */
#define dense_rows RNC_FN(dense_rows)
#define dense_steps RNC_FN(dense_steps)
#define dense_fold RNC_FN(dense_fold)
#define dense_work RNC_FN(dense_work)
#define dense_tile RNC_FN(dense_tile)
#define dense_set RNC_FN(dense_set)
#define dense_panels RNC_FN(dense_panels)
#define dense_columns RNC_FN(dense_columns)

/* How the weights of a turn are stored, and to which sums their products go. */
typedef struct dense_rows {
    int elem, width; /* element type and outputs of a row */
    int apart;       /* rows of weights, and inputs, from one to the next within a turn */
    int image;       /* elements from input vector to vector */
    int phases;      /* sums for each output, which do not wait for each other */
} dense_rows;

/* Adds the products of u inputs, each to one of the phases:
 * acc[p % phases][i][j] += in[image i][p * apart] * w[p * apart][vector j]. */
RNC_KERNEL void dense_steps(const dense_rows *r, vf *acc, const float *in, const char *w, int u,
                            int n, int nv)
{
    const int bytes = rnc_weight_bytes(r->elem);
    RNC_UNROLL(8)
    for (int p = 0; p < u; p++) {
        const char *from = w + (ptrdiff_t)p * r->apart * r->width * bytes;
        vf b[8];
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++)
            b[j] = vf_load_weights(from + j * RNC_VL * bytes, r->elem);
        RNC_UNROLL(32)
        for (int i = 0; i < n; i++) {
            vf x;
            RNC_BROADCAST(x, in + i * r->image + p * r->apart);
            RNC_UNROLL(8)
            for (int j = 0; j < nv; j++)
                RNC_FMA(acc[(p % r->phases * n + i) * nv + j], x, b[j]);
        }
    }
}

#ifdef RNC_LONG_DENSE
/* Adds the sums of `count` vectors, each in `phases` parts, to those of the inputs before, and
 * begins others. */
RNC_KERNEL void dense_fold(vf *total, vf *acc, int count, int phases)
{
    RNC_UNROLL(32)
    for (int i = 0; i < count; i++) {
        vf v = acc[i];
        RNC_UNROLL(8)
        for (int p = 1; p < phases; p++) {
            v = v + acc[p * count + i];
            acc[p * count + i] = vf_zero();
        }
        acc[i] = vf_zero();
        total[i] = total[i] + v;
    }
}
#endif

/* A column of a panel, and the first image's vectors. */
typedef struct dense_work {
    int width; /* outputs in the panel */
    const float *in, *bias, *res, *slopes;
    const char *w;
    float *out;
} dense_work;

/* n images times nv vectors of outputs, with u inputs in a turn. */
RNC_KERNEL void dense_tile(const rnc_dense_shape *s, int n, int nv, int u, const dense_work *k)
{
    const int rest = s->in_c % u;
    const int own = 8 / (n * nv); /* sums that do not wait for each other: 8 in all are enough */
    const int phases = own < 1 ? 1 : own < u ? own : u;
    const dense_rows rows = {s->weights, k->width, s->in_c / u, s->in_image, phases};
    const dense_rows last = {s->weights, k->width, 1, s->in_image, phases};
    const int row = k->width * rnc_weight_bytes(s->weights);
    const float *in = k->in;
    const char *w = k->w;
    vf acc[32]; /* [phase][image][vector] */
#ifdef RNC_LONG_DENSE
    const int is_long = s->in_c > RNC_SUM_MOST, totals = is_long ? n * nv : 0;
    const int block = is_long ? RNC_SUM_ROWS / rnc_div_up(u, phases) : rows.apart;
    vf total[32]; /* [image][vector] */
    RNC_UNROLL(32)
    for (int i = 0; i < totals; i++)
        total[i] = vf_zero();
#endif
    RNC_UNROLL(32)
    for (int i = 0; i < phases * n; i++) {
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++)
            acc[i * nv + j] = i < n ? vf_load(k->bias + j * RNC_VL) : vf_zero();
    }
    for (int turns = 1; turns <= rows.apart; turns++, in++, w += row) {
        dense_steps(&rows, acc, in, w, u, n, nv);
#ifdef RNC_LONG_DENSE
        if (is_long && (turns % block == 0 || turns == rows.apart))
            dense_fold(total, acc, n * nv, phases);
#endif
    }
    in += (u - 1) * rows.apart;
    w += (ptrdiff_t)(u - 1) * rows.apart * row;
    dense_steps(&last, acc, in, w, rest, n, nv);
    RNC_UNROLL(32)
    for (int i = 0; i < n; i++) {
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++) {
            vf v = acc[i * nv + j];
            RNC_UNROLL(8)
            for (int p = 1; p < phases; p++)
                v = v + acc[(p * n + i) * nv + j];
#ifdef RNC_LONG_DENSE
            if (is_long)
                v = v + total[i * nv + j];
#endif
            if (s->residual)
                v = v + vf_load(k->res + i * s->res_image + j * RNC_VL);
            vf_store(k->out + i * s->out_image + j * RNC_VL, v);
        }
    }
    if (s->act != RNC_ACT_NONE)
        for (int i = 0; i < n; i++)
            for (int j = 0; j < nv; j++) {
                float *p = k->out + i * s->out_image + j * RNC_VL;
                vf_store(
                    p, vf_layer_act(vf_load(p), s->act, s->alpha, s->beta, k->slopes + j * RNC_VL));
            }
}

/* Panels first .. end-1, `width` outputs each. */
typedef struct dense_set {
    const char *w;   /* the first panel of the set */
    ptrdiff_t panel; /* bytes from panel to panel */
    int c;           /* its first output */
    int width, first, end;
} dense_set;

/* Computes the columns of nv vectors in the set's panels: `across` in a panel, from its vector
 * `vector` on. */
RNC_KERNEL void dense_panels(const rnc_dense_shape *s, const rnc_knobs *t, const rnc_operands *o,
                             const dense_set *set, int nv, int across, int vector)
{
    const int u = rnc_clamp(t->streams, 1, 8);
    const int fit = 32 / nv, wish = t->pixels > 0 ? t->pixels : 1;
    const int all = wish < fit ? wish : fit, n = all < s->images ? all : s->images;
    const int rest = s->images % n;
    for (int i = set->first * across; i < set->end * across; i++) {
        const int at = (vector + i % across * nv) * RNC_VL;
        const int to = set->c + i / across * set->width + at;
        const char *panel = set->w + i / across * set->panel;
        const float *bias = (const float *)(const void *)panel;
        dense_work k;
        k.width = set->width;
        k.bias = bias + at;
        k.w = (const char *)(bias + set->width) + at * rnc_weight_bytes(s->weights);
        k.in = (const float *)o->in[0];
        k.res = s->residual ? (const float *)o->in[1] + to : NULL;
#ifdef RNC_LONG_ACT
        k.slopes = rnc_slopes(o, s->act, s->out_c) + to;
#endif
        k.out = (float *)o->out[0] + to;
        for (int image = 0; image + n <= s->images; image += n) {
            dense_tile(s, n, nv, u, &k);
            k.in += (ptrdiff_t)n * s->in_image;
            k.res = s->residual ? k.res + (ptrdiff_t)n * s->res_image : k.res;
            k.out += (ptrdiff_t)n * s->out_image;
        }
        if (rest > 0)
            dense_tile(s, rest, nv, u, &k);
    }
}

/* Computes the panels of a set: whole columns of as many vectors as the knob says, then the
 * rest. */
RNC_KERNEL void dense_columns(const rnc_dense_shape *s, const rnc_knobs *t, const rnc_operands *o,
                              const dense_set *set)
{
    rnc_columns_cut c;
    rnc_cut_columns(t, set->width, RNC_VL, &c);
    dense_panels(s, t, o, set, c.nv, c.across, 0);
    if (c.rest > 0)
        dense_panels(s, t, o, set, c.rest, 1, c.across * c.nv);
}

RNC_KERNEL void RNC_FN(dense)(const rnc_dense_shape *s, const rnc_knobs *t, const rnc_operands *o,
                              int part, int parts)
{
    const int full = s->out_c / s->panel, narrow = s->out_c % s->panel;
    const int all = full + (narrow > 0);
    const int first = rnc_share(all, part, parts), end = rnc_share(all, part + 1, parts);
    dense_set set;
    set.w = (const char *)o->weights;
    set.panel = rnc_panel_bytes(s->weights, s->panel, (ptrdiff_t)s->in_c * s->panel);
    set.c = 0;
    set.width = s->panel;
    set.first = first, set.end = end < full ? end : full;
    if (full > 0)
        dense_columns(s, t, o, &set);
    if (narrow > 0 && first < all && end == all) {
        set.w += full * set.panel;
        set.c = full * s->panel;
        set.width = narrow;
        set.first = 0, set.end = 1;
        dense_columns(s, t, o, &set);
    }
}
#undef dense_rows
#undef dense_steps
#undef dense_fold
#undef dense_work
#undef dense_tile
#undef dense_set
#undef dense_panels
#undef dense_columns
