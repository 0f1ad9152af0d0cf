/* conv_direct: convolution by register tiles of n output pixels times nv vectors of output
 * channels.  Around them: pixel tiles inside, columns (nv vectors of a weight panel) outside, so
 * that the weights of a column stay in cache while all pixels pass and the next column's are
 * fetched.  The halo of zeros makes every tap a read at a constant distance, and what lies
 * contiguous is one run: (tap, channel) of a kernel row, the pixels of all rows.
 * RNC_NARROW, 0 or 1, stands before: 0 where no convolution has a panel or a column narrower than
 * its others.  The code for them is then not there for the compiler to look at and drop. */
#define conv_place RNC_FN(conv_place)
#define conv_find RNC_FN(conv_find)
#define conv_block RNC_FN(conv_block)
#define conv_ahead RNC_FN(conv_ahead)
#define conv_begin RNC_FN(conv_begin)
#define conv_end RNC_FN(conv_end)
#define conv_turn RNC_FN(conv_turn)
#define conv_tile RNC_FN(conv_tile)
#define conv_part RNC_FN(conv_part)
#define conv_pass RNC_FN(conv_pass)
#define conv_block_tiles RNC_FN(conv_block_tiles)
#define conv_columns RNC_FN(conv_columns)
#define conv_diagonal_tile RNC_FN(conv_diagonal_tile)
#define conv_diagonal_pass RNC_FN(conv_diagonal_pass)
#define conv_diagonal_tiles RNC_FN(conv_diagonal_tiles)
#define conv_diagonal_cuts RNC_FN(conv_diagonal_cuts)
#define conv_diagonal_panels RNC_FN(conv_diagonal_panels)
#define conv_panels RNC_FN(conv_panels)

/* Where a tile begins, in floats from the tensors' first pixels. */
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

/* The taps of a kernel row that lie side by side are one run.  A block is some runs or a piece of
 * one: its weights stay in a near cache while all pixels pass, sums wait in the output. */
typedef struct conv_block {
    int run, runs;      /* the first, and how many */
    int c, depth;       /* of each: from input channel c on, so many */
    int streams, apart; /* a turn takes a row of each of so many parts of a run, so many rows long:
                         * from memory a CPU reads several streams faster than one */
    int first, last;    /* 1: sums begin with bias and residual; 1: they end with the activation */
} conv_block;

/* What is fetched ahead during a tile. */
typedef struct conv_ahead {
    const char *weights; /* read soon */
    const char *out;     /* the next tile's output: written soon */
    ptrdiff_t input;     /* floats from this tile's input to the next one's */
    int spacing, step;   /* bytes from line to line of weights; from turn to turn */
} conv_ahead;

/* What a tile's sums begin with. */
RNC_KERNEL void conv_begin(const rnc_conv_shape *s, vf *acc, int n, int nv, int wide, int first,
                           const float *bias, const float *out)
{
    RNC_UNROLL(32)
    for (int i = 0; i < n; i++) {
        const float *from = out + i / wide * s->out_row + i % wide * s->out_pixel;
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++)
            acc[i * nv + j] = vf_load((first ? bias : from) + j * RNC_VL);
    }
}

RNC_KERNEL void conv_end(const rnc_conv_shape *s, const vf *acc, int n, int nv, int wide,
                         conv_block b, const float *res, float *out)
{
    static const float six = 6.0f;
    RNC_UNROLL(32)
    for (int i = 0; i < n; i++) {
        float *to = out + i / wide * s->out_row + i % wide * s->out_pixel;
        const float *from = res + i / wide * s->res_row + i % wide * s->res_pixel;
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++) {
            vf v = acc[i * nv + j];
            if (s->residual && b.first)
                v = v + vf_load(from + j * RNC_VL);
            if (b.last && (s->act == RNC_ACT_RELU || s->act == RNC_ACT_RELU6)) {
                vf zero;
                RNC_ZERO(zero);
                v = vf_max(zero, v);
            }
            if (b.last && s->act == RNC_ACT_RELU6) {
                vf top; /* not vf_set1(6): kept over the loop, it would drive out a sum */
                RNC_BROADCAST(top, &six);
                v = vf_min(top, v);
            }
            vf_store(to + j * RNC_VL, v);
        }
    }
}

/* A turn: u rows, or one of each stream, and weights to fetch.  Where columns of a panel alternate,
 * line by line, the CPU itself fetches the wrong lines. */
RNC_KERNEL void conv_turn(const rnc_conv_shape *s, const rnc_tile *t, vf *acc, conv_block b, int u,
                          const float *a, const float *w, int n, int nv, int wide, int width,
                          conv_ahead ahead)
{
    const int memory = t->memory_broadcasts, near = ahead.spacing > 64;
    RNC_UNROLL(8)
    for (int i = 0; i < b.streams; i++, a += b.apart, w += b.apart * width)
        conv_steps(s, acc, a, w, u, n, nv, wide, width, memory, near);
    for (int i = 0; i < t->prefetch_weights; i++)
        RNC_PREFETCH(ahead.weights + i * ahead.spacing);
}

/* One tile, block b; `wide` pixels of it lie in a row.  bias, w: its column's, w from the block's
 * first row on, in a panel of `width` channels. */
RNC_KERNEL void conv_tile(const rnc_conv_shape *s, const rnc_tile *t, int n, int nv, int wide,
                          conv_block b, const float *in, const float *bias, const float *w,
                          int width, const float *res, float *out, conv_ahead ahead)
{
    const int runs = rnc_taps_merge(s) ? 1 : s->kernel_w;
    const int depth = b.depth / b.streams;
    const int most = b.streams > 1 ? 1 : depth < 8 ? depth : 8; /* beyond, acc is in memory */
    const int u = t->unroll > 1 ? (t->unroll < most ? t->unroll : most) : 1;
    const int lines = (nv * RNC_VL * (int)sizeof(float) + 63) / 64;
    int fetch = t->prefetch_output && b.first ? n : 0; /* pixels of the next tile still to fetch */
    vf acc[32];
    conv_begin(s, acc, n, nv, wide, b.first, bias, out);
    for (int r = b.run; r < b.run + b.runs; r++) {
        const float *a = in + r / runs * s->dilation_h * s->in_row +
                         r % runs * s->dilation_w * s->in_pixel + b.c / b.streams;
        int turns = depth / u;
        /* Twice the same loop, with and without the fetch: a test inside costs more. */
        for (; turns > 0 && fetch > 0; turns--, fetch--) {
            conv_turn(s, t, acc, b, u, a, w, n, nv, wide, width, ahead);
            for (int i = 0; i < lines; i++)
                RNC_PREFETCH_WRITE(ahead.out + i * 64);
            ahead.weights += ahead.step;
            ahead.out += s->out_pixel * (int)sizeof(float);
            a += u;
            w += u * width;
        }
        for (; turns > 0; turns--) {
            conv_turn(s, t, acc, b, u, a, w, n, nv, wide, width, ahead);
            if (t->prefetch_input)
                RNC_PREFETCH_NEAR(a + ahead.input + (turns & 3) * (s->stride_w * s->in_pixel));
            ahead.weights += ahead.step;
            a += u;
            w += u * width;
        }
        conv_steps(s, acc, a, w, depth % u, n, nv, wide, width, t->memory_broadcasts, 0);
        w += (b.streams > 1 ? b.streams * b.apart - depth : depth % u) * width;
    }
    conv_end(s, acc, n, nv, wide, b, res, out);
}

RNC_KERNEL void conv_part(const rnc_rows_cut *d, int i, conv_block *b)
{
    const int run = i / d->cuts * d->each, c = i % d->cuts * d->piece;
    b->run = run;
    b->runs = d->runs % d->each == 0 || run + d->each <= d->runs ? d->each : d->runs - run;
    b->c = c;
    b->depth = d->run % d->piece == 0 || c + d->piece <= d->run ? d->piece : d->run - c;
    b->streams = d->streams, b->apart = d->run / d->streams;
    b->first = i == 0;
    b->last = i + 1 == d->count;
}

/* What the tiles of a pass share: columns of nv vectors, first .. end-1, `across` of them in a
 * panel of `width` channels, from its vector `vector` on; of their rows a block. */
typedef struct conv_pass {
    int nv, width, across, vector;
    int first, end;
    ptrdiff_t panel;    /* floats from panel to panel */
    int tile, end_tile; /* this part's */
    const char *next;   /* weights to fetch meanwhile, `share` bytes a column of a tile */
    int share, spacing, step;
} conv_pass;

RNC_KERNEL void conv_block_tiles(const rnc_conv_shape *s, const rnc_tile *t, const rnc_tiles_cut *c,
                                 const conv_pass *p, conv_block b, int row, const float *in,
                                 const float *w, const float *res, float *out)
{
    const int wide = c->stacked ? c->w : 32;
    const int big = c->stacked ? c->big * c->w : c->big;
    const int small = c->stacked ? c->small * c->w : c->small;
    const char *fetch = p->next;
    conv_place at, next;
    conv_find(s, c, p->tile, &at);
    for (int tile = p->tile; tile < p->end_tile; tile++) {
        conv_find(s, c, tile + 1 < p->end_tile ? tile + 1 : tile, &next);
        for (int i = p->first; i < p->end; i++, fetch += p->share) {
            const int in_panel = (p->vector + i % p->across * p->nv) * RNC_VL;
            const int column = i / p->across * p->width + in_panel;
            const float *bias = w + i / p->across * p->panel + in_panel, *a = in + at.in;
            const float *taps = bias + (ptrdiff_t)row * p->width;
            const float *from = s->residual ? res + at.res + column : res;
            float *to = out + at.out + column;
            conv_ahead ahead;
            ahead.weights = fetch;
            ahead.spacing = p->spacing;
            ahead.step = p->step;
            ahead.input = i + 1 < p->end ? 0 : next.in - at.in;
            ahead.out =
                (const char *)(i + 1 < p->end ? to + p->nv * RNC_VL : out + next.out + column);
            if (at.is_big) {
                conv_tile(s, t, big, p->nv, wide, b, a, bias, taps, p->width, from, to, ahead);
            } else if (small > 0) {
                conv_tile(s, t, small, p->nv, wide, b, a, bias, taps, p->width, from, to, ahead);
            }
            if (s->act > RNC_ACT_RELU6 && b.last)
                conv_act(s, at.is_big ? big : small, p->nv, wide, to);
        }
        at = next;
    }
}

/* Columns first .. end-1 of nv vectors; column c begins at vector `vector` + c % across * nv of
 * panel c / across; panels of `width` channels.  in, out, res: the group's, w: its first panel. */
RNC_KERNEL void conv_columns(const rnc_conv_shape *s, const rnc_tile *t, int nv, const float *in,
                             const float *w, int width, const float *res, float *out, int first,
                             int end, int across, int vector, int part, int parts)
{
    rnc_tiles_cut c;
    rnc_rows_cut d;
    rnc_cut_tiles(s, rnc_tile_pixels(t, nv), &c);
    rnc_cut_rows(s, t->depth, t->streams, &d);
    const int blocks = d.count > 1, wish = t->panels > 0 ? t->panels
                                           : end > first ? end - first
                                                         : 1;
    const int keep = blocks ? across : wish; /* columns that pass together */
    const int alternate = across > 1 && !blocks, rows = d.runs * d.run + 1; /* with the bias */
    conv_pass p;
    p.nv = nv, p.width = width, p.across = across, p.vector = vector;
    p.panel = (ptrdiff_t)rows * width;
    p.tile = rnc_share(c.all, part, parts);
    p.end_tile = rnc_share(c.all, part + 1, parts);
    p.spacing = alternate ? width * (int)sizeof(float) : 64;
    for (int turn = 0; turn < rnc_div_up(end - first, keep) * d.count; turn++) {
        conv_block b;
        conv_part(&d, turn % d.count, &b);
        p.first = first + turn / d.count * keep;
        p.end = p.first + keep < end ? p.first + keep : end;
        /* What is used next: the rows behind the block, or a column of the next panel. */
        const int row = b.run * d.run + b.c / b.streams + 1, deep = b.runs * b.depth;
        const int lines = alternate ? rows : (deep + 1) * width / 16;
        const int calls = (p.end_tile - p.tile) * (p.end - p.first);
        const float *next =
            blocks ? w + p.first / across * p.panel + (row + deep) * width
                   : w + p.end / across * p.panel + (vector + p.end % across * nv) * RNC_VL;
        p.next = (const char *)next;
        p.share = calls > 0 ? (lines / calls + 1) * p.spacing : 0;
        p.step = blocks ? p.share * (t->unroll > 1 ? t->unroll : 1) / deep + 1
                        : t->prefetch_weights * p.spacing;
        conv_block_tiles(s, t, &c, &p, b, row, in, w, res, out);
    }
}

#ifdef RNC_DIAGONALS
/* n output pixels, one to three, times a vector of output channels.  d: a block's diagonals.
 * Fetched are inputs `near` floats further or, if that is 0, what lies from `ahead` on. */
RNC_KERNEL void conv_diagonal_tile(const rnc_conv_shape *s, int n, int wide, conv_block b,
                                   const float *in, const float *d, const float *bias,
                                   const float *res, float *out, ptrdiff_t near, const float *ahead)
{
    const int runs = rnc_taps_merge(s) ? 1 : s->kernel_w;
    const int pixel = wide > 1 ? s->stride_w * s->in_pixel : s->stride_h * s->in_row;
    vf acc[12];
    conv_begin(s, acc, n, 1, wide, b.first, bias, out);
    conv_split(acc, n);
    for (int r = b.run; r < b.run + b.runs; r++) {
        const float *a = in + r / runs * s->dilation_h * s->in_row +
                         r % runs * s->dilation_w * s->in_pixel + b.c;
        conv_run_diagonal(acc, a, pixel, d, b.depth, n, near ? a + near : ahead);
        ahead += b.depth;
        d += 4 * b.depth;
    }
    conv_join(acc, n);
    conv_end(s, acc, n, 1, wide, b, res, out);
}

/* What the tiles of a pass share: some panels, whole or a block of one, as diagonals. */
typedef struct conv_diagonal_pass {
    const float *d, *w; /* w: the first panel's bias */
    ptrdiff_t panel;    /* floats from panel to panel */
    int width, vectors; /* channels of a panel; vectors of all */
    int wide;           /* as for conv_tile */
    int share;          /* floats of weights to fetch during a vector of a tile */
} conv_diagonal_pass;

/* n pixels times all vectors of a pass.  next: floats to the next tile's inputs, whose output is
 * next_out; ahead: weights read soon. */
RNC_KERNEL void conv_diagonal_tiles(const rnc_conv_shape *s, const conv_diagonal_pass *p, int n,
                                    conv_block b, const float *in, const float *res, float *out,
                                    ptrdiff_t next, const float *next_out, const float *ahead)
{
    for (int j = 0; j < p->vectors; j++, ahead += p->share) {
        const int i = j * RNC_VL;
        const float *line = i + 16 < p->vectors * RNC_VL ? out + i + 16 : next_out;
        if (b.first && i % 16 == 0) {
            for (int k = 0; k < n; k++)
                RNC_PREFETCH_NEAR(line + k * s->out_pixel);
        }
        conv_diagonal_tile(s, n, p->wide, b, in, p->d + i * b.runs * b.depth,
                           p->w + i / p->width * p->panel + i % p->width,
                           s->residual ? res + i : res, out + i,
                           j < n ? next + j * s->stride_w * s->in_pixel : 0, ahead);
        if (s->act > RNC_ACT_RELU6 && b.last)
            conv_act(s, n, 1, p->wide, out + i);
    }
}

/* Cuts into blocks of `fit` rows at most, of whole fours. */
RNC_KERNEL void conv_diagonal_cuts(const rnc_conv_shape *s, const rnc_tile *t, int fit,
                                   rnc_rows_cut *d)
{
    const int wish = t->depth > 4 ? t->depth / 4 * 4 : 4;
    rnc_cut_rows(s, t->depth <= 0 || t->depth > fit ? fit : wish, 1, d);
    d->piece = rnc_div_up(d->run, d->cuts * 4) * 4;
    d->cuts = rnc_div_up(d->run, d->piece);
    d->count = rnc_div_up(d->runs, d->each) * d->cuts;
}

/* Panels first .. end-1, `width` channels each.  Some pass together if they are not cut. */
RNC_KERNEL void conv_diagonal_panels(const rnc_conv_shape *s, const rnc_tile *t, const float *in,
                                     const float *w, int width, const float *res, float *out,
                                     int first, int end, int part, int parts)
{
    const int fit = RNC_DIAGONALS * RNC_VL / width / 16 * 16;
    vf d[RNC_DIAGONALS];
    rnc_tiles_cut c;
    rnc_rows_cut cuts;
    rnc_cut_tiles(s, 3, &c);
    conv_diagonal_cuts(s, t, fit, &cuts);
    const int keep = cuts.count > 1 ? 1 : fit / (cuts.runs * cuts.run);
    const int t0 = rnc_share(c.all, part, parts), t1 = rnc_share(c.all, part + 1, parts);
    const ptrdiff_t panel = ((ptrdiff_t)cuts.runs * cuts.run + 1) * width;
    conv_diagonal_pass p = {(const float *)d, w, panel, width, 0, c.stacked ? c.w : 32, 0};
    for (int i = 0; t0 < t1 && i < rnc_div_up(end - first, keep) * cuts.count; i++) {
        const int p0 = first + i / cuts.count * keep, p1 = p0 + keep < end ? p0 + keep : end;
        conv_block b;
        conv_place at, next;
        conv_part(&cuts, i % cuts.count, &b);
        const int rows = b.runs * b.depth, column = p0 * width;
        const float *from = w + p0 * p.panel + (ptrdiff_t)(b.run * cuts.run + b.c + 1) * width;
        const float *ahead = from + (cuts.count > 1 ? rows * width : (p1 - p0) * p.panel);
        p.w = w + p0 * p.panel;
        p.vectors = (p1 - p0) * width / RNC_VL;
        p.share = rows * RNC_VL / (t1 - t0);
        for (int k = 0; k < p1 - p0; k++)
            conv_diagonals((float *)d + k * rows * width, from + k * p.panel, rows, width);
        conv_find(s, &c, t0, &next);
        for (int tile = t0; tile < t1; tile++, ahead += p.share * p.vectors) {
            at = next;
            conv_find(s, &c, tile + 1 < t1 ? tile + 1 : tile, &next);
            const float *sum = s->residual ? res + at.res + column : res;
            float *to = out + at.out + column;
            if (at.is_big) {
                conv_diagonal_tiles(s, &p, c.big, b, in + at.in, sum, to, next.in - at.in,
                                    out + next.out + column, ahead);
            } else if (c.small > 0) {
                conv_diagonal_tiles(s, &p, c.small, b, in + at.in, sum, to, next.in - at.in,
                                    out + next.out + column, ahead);
            }
        }
    }
}
#endif

/* Panels first .. end-1, `width` channels each: whole columns of nv vectors, then the rest. */
RNC_KERNEL void conv_panels(const rnc_conv_shape *s, const rnc_tile *t, const float *in,
                            const float *w, int width, const float *res, float *out, int first,
                            int end, int part, int parts)
{
    rnc_columns_cut c;
    rnc_cut_columns(t, width, RNC_VL, &c);
#ifdef RNC_DIAGONALS
    if (s->in_c % 4 == 0 && s->in_pixel % 4 == 0 && s->in_row % 4 == 0 && s->in_image % 4 == 0) {
        conv_diagonal_panels(s, t, in, w, width, res, out, first, end, part, parts);
        return;
    }
#endif
    conv_columns(s, t, c.nv, in, w, width, res, out, first * c.across, end * c.across, c.across, 0,
                 part, parts);
    if (RNC_NARROW && c.rest > 0)
        conv_columns(s, t, c.rest, in, w, width, res, out, first, end, 1, c.across * c.nv, part,
                     parts);
}

RNC_KERNEL void RNC_FN(conv_direct)(const rnc_conv_shape *s, const rnc_tile *t,
                                    const rnc_operands *o, int part, int parts)
{
    const ptrdiff_t rows = (ptrdiff_t)s->kernel_h * s->kernel_w * s->in_c + 1;
    rnc_panels_cut c;
    rnc_cut_panels(s, &c);
    const int group_c = s->out_c / s->groups;
    const int p0 = t->split ? rnc_share(c.count, part, parts) : 0;
    const int p1 = t->split ? rnc_share(c.count, part + 1, parts) : c.count;
    const int of = t->split ? 0 : part, parts_of = t->split ? 1 : parts;
    for (int g = 0; g < s->groups; g++) {
        const int first = p0 > g * c.per_group ? p0 - g * c.per_group : 0;
        const int end = p1 < (g + 1) * c.per_group ? p1 - g * c.per_group : c.per_group;
        const float *w = o->weights + g * group_c * rows;
        const float *in =
            (const float *)o->in + g * s->in_c - s->pad_top * s->in_row - s->pad_left * s->in_pixel;
        const float *res = s->residual ? (const float *)o->in2 + g * group_c : NULL;
        float *out = (float *)o->out + g * group_c;
        if (c.full > 0)
            conv_panels(s, t, in, w, s->panel, res, out, first, end < c.full ? end : c.full, of,
                        parts_of);
        if (RNC_NARROW && c.narrow > 0 && first < c.per_group && end == c.per_group) {
            const int from = c.full * s->panel;
            conv_panels(s, t, in, w + from * rows, c.narrow, s->residual ? res + from : res,
                        out + from, 0, 1, of, parts_of);
        }
    }
}
#undef conv_place
#undef conv_find
#undef conv_block
#undef conv_ahead
#undef conv_begin
#undef conv_end
#undef conv_turn
#undef conv_tile
#undef conv_part
#undef conv_pass
#undef conv_block_tiles
#undef conv_columns
#undef conv_diagonal_tile
#undef conv_diagonal_pass
#undef conv_diagonal_tiles
#undef conv_diagonal_cuts
#undef conv_diagonal_panels
#undef conv_panels
