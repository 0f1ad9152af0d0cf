/* direct_tile.h: one register tile of conv_direct.c: where it is, the block of weights that it
 * takes, and its loop over their rows. */
#define conv_place RNC_FN(conv_place)
#define conv_find RNC_FN(conv_find)
#define conv_block RNC_FN(conv_block)
#define conv_ahead RNC_FN(conv_ahead)
#define conv_work RNC_FN(conv_work)
#define conv_begin RNC_FN(conv_begin)
#define conv_end RNC_FN(conv_end)
#define conv_turn RNC_FN(conv_turn)
#define conv_tile RNC_FN(conv_tile)
#define conv_part RNC_FN(conv_part)

/* Where a tile begins, in elements from the tensors' first pixels. */
typedef struct conv_place {
    ptrdiff_t in, res, out;
    int is_big;
} conv_place;

RNC_KERNEL void conv_find(const rnc_conv_shape *s, const rnc_tiles_cut *c, int tile, conv_place *p)
{
    const int line = tile / c->count, i = tile % c->count;
    const int at = i < c->n_big ? i * c->big : c->n_big * c->big + (i - c->n_big) * c->small;
    const int image = c->stacked ? line : line / c->h, y = c->stacked ? at : line % c->h;
    const int x = c->stacked ? 0 : at;
    p->in = rnc_at(image, s->in_image, y * s->stride_h, s->in_row, x * s->stride_w, s->in_pixel);
    p->res = rnc_at(image, s->res_image, y, s->res_row, x, s->res_pixel);
    p->out = rnc_at(image, s->out_image, y, s->out_row, x, s->out_pixel);
    p->is_big = i < c->n_big;
}

/* Taps of a kernel row that are side by side form one run.  A block consists of some runs or of a
 * piece of one.  The block's weights stay in a near cache while all pixels pass; meanwhile the sums
 * wait in the output. */
typedef struct conv_block {
    int run, runs;      /* the first run, and how many */
    int c, depth;       /* in each run: the first input channel, and how many */
    int streams, apart; /* a turn takes one row from each of `streams` parts of a run, which are
                         * `apart` rows long: several streams are read faster than one */
    int first, last;    /* 1: sums begin with bias and residual; 1: they end with the act */
    int is_long;        /* 1: the block is summed by itself */
} conv_block;

/* What is fetched ahead during a tile. */
typedef struct conv_ahead {
    const char *weights; /* needed soon */
    const char *out;     /* the next tile's output, which is written soon */
    ptrdiff_t input;     /* elements from this tile's input to the next one's */
    int spacing, step;   /* bytes from line to line of weights, and from turn to turn */
} conv_ahead;

/* What a tile works on: a block of weights, and the memory of its first pixel. */
typedef struct conv_work {
    conv_block b;
    const float *in;
    const char *w; /* the column's weights, from the block's first row on */
    const float *bias, *res;
    float *out;
    conv_ahead ahead;
} conv_work;

/* Sets the values that the sums of a tile begin with: bias, or what the blocks before left. */
RNC_KERNEL void conv_begin(const rnc_conv_shape *s, vf *acc, int n, int nv, int wide,
                           const conv_work *k)
{
    RNC_UNROLL(32)
    for (int i = 0; i < n; i++) {
        const float *from = k->out + i / wide * s->out_row + i % wide * s->out_pixel;
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++) {
            if (k->b.is_long && !k->b.first) /* conv_end adds it */
                acc[i * nv + j] = vf_zero();
            else
                acc[i * nv + j] = vf_load((k->b.first ? k->bias : from) + j * RNC_VL);
        }
    }
}

RNC_KERNEL void conv_end(const rnc_conv_shape *s, const vf *acc, int n, int nv, int wide,
                         const conv_work *k)
{
    RNC_UNROLL(32)
    for (int i = 0; i < n; i++) {
        float *to = k->out + i / wide * s->out_row + i % wide * s->out_pixel;
        const float *from =
            s->residual ? k->res + i / wide * s->res_row + i % wide * s->res_pixel : NULL;
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++) {
            vf v = acc[i * nv + j];
            if (s->residual && k->b.first)
                v = v + vf_load(from + j * RNC_VL);
            if (k->b.is_long && !k->b.first)
                v = v + vf_load(to + j * RNC_VL);
            vf_store(to + j * RNC_VL, k->b.last ? conv_limit(s, v) : v);
        }
    }
}

/* One turn: u rows, or one row of each stream, and the weights to fetch.  Where columns of a panel
 * alternate line by line, the CPU's own prefetcher fetches the wrong lines. */
RNC_KERNEL void conv_turn(const rnc_knobs *t, const conv_rows *r, vf *acc, const conv_work *k,
                          int u, int n, int nv)
{
    const int apart = k->b.apart, bytes = apart * r->width * rnc_weight_bytes(r->elem);
    RNC_UNROLL(8)
    for (int i = 0; i < k->b.streams; i++) {
        const conv_fetch fetch = {k->ahead.weights, i > 0 ? 0 : t->prefetch_weights,
                                  k->ahead.spacing};
        conv_steps(r, acc, k->in + i * apart, k->w + (ptrdiff_t)i * bytes, &fetch, u, n, nv);
    }
}

/* One tile, for one block. */
RNC_KERNEL void conv_tile(const rnc_conv_shape *s, const rnc_knobs *t, const conv_rows *r, int n,
                          int nv, const conv_work *work)
{
    conv_work k = *work;
    const conv_block b = k.b;
    const int runs = rnc_taps_merge(s) ? 1 : s->kernel_w;
    const int depth = b.depth / b.streams, row = r->width * rnc_weight_bytes(r->elem);
    const int most = b.streams > 1 ? 1 : depth < 8 ? depth : 8; /* more: acc is in memory */
    const int u = t->unroll > 1 ? (t->unroll < most ? t->unroll : most) : 1;
    const int lines = rnc_div_up(nv * RNC_VL * (int)sizeof(float), 64);
    int fetch = t->prefetch_output && b.first ? n : 0; /* pixels of the next tile to fetch */
    const conv_fetch nothing = {NULL, 0, 0};
    vf acc[32];
    conv_begin(s, acc, n, nv, r->wide, &k);
    for (int i = b.run; i < b.run + b.runs; i++) {
        int turns = depth / u;
        k.in = work->in + i / runs * s->dilation_h * s->in_row +
               i % runs * s->dilation_w * s->in_pixel + b.c / b.streams;
        /* The same loop twice, with the fetch and without it: a test inside the loop would cost
         * more. */
        for (; turns > 0 && fetch > 0; turns--, fetch--) {
            conv_turn(t, r, acc, &k, u, n, nv);
            for (int j = 0; j < lines; j++)
                RNC_PREFETCH_WRITE(k.ahead.out + j * 64);
            k.ahead.weights += k.ahead.step;
            k.ahead.out += s->out_pixel * (int)sizeof(float);
            k.in += u;
            k.w += u * row;
        }
        for (; turns > 0; turns--) {
            conv_turn(t, r, acc, &k, u, n, nv);
            if (t->prefetch_input)
                RNC_PREFETCH_NEAR(k.in + k.ahead.input + (turns & 3) * r->pixel);
            k.ahead.weights += k.ahead.step;
            k.in += u;
            k.w += u * row;
        }
        conv_steps(r, acc, k.in, k.w, &nothing, depth % u, n, nv);
        k.w += (b.streams > 1 ? b.streams * b.apart - depth : depth % u) * row;
    }
    conv_end(s, acc, n, nv, r->wide, &k);
}

/* Fills in block i of those that the rows are cut into; later: the output has sums already. */
RNC_KERNEL void conv_part(const rnc_rows_cut *d, int i, int later, conv_block *b)
{
    const int run = i / d->cuts * d->each, c = i % d->cuts * d->piece;
    b->run = run;
    b->runs = d->runs % d->each == 0 || run + d->each <= d->runs ? d->each : d->runs - run;
    b->c = c;
    b->depth = d->run % d->piece == 0 || c + d->piece <= d->run ? d->piece : d->run - c;
    b->streams = d->streams, b->apart = d->run / d->streams;
    b->is_long = d->is_long || later;
    b->first = i == 0 && !later;
    b->last = i + 1 == d->count;
}
