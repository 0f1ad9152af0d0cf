/* conv_direct: convolution by register tiles of n output pixels times nv vectors of output
 * channels.  The inner loop goes over tiles of pixels, the outer one over columns (nv vectors of a
 * weight panel), so that the weights of a column stay in cache while all pixels pass and the next
 * column's weights are fetched.  The halo of zeros puts every tap at a constant distance.  What is
 * contiguous is one run: the (tap, channel) pairs of a kernel row, the pixels of all rows. */
#define conv_set RNC_FN(conv_set)
#define conv_pass RNC_FN(conv_pass)
#define conv_tiles_of RNC_FN(conv_tiles_of)
#define conv_columns RNC_FN(conv_columns)
#define conv_diagonal_tile RNC_FN(conv_diagonal_tile)
#define conv_diagonal_pass RNC_FN(conv_diagonal_pass)
#define conv_diagonal_tiles RNC_FN(conv_diagonal_tiles)
#define conv_diagonal_cuts RNC_FN(conv_diagonal_cuts)
#define conv_diagonal_panels RNC_FN(conv_diagonal_panels)
#define conv_strip RNC_FN(conv_strip)
#define conv_panels RNC_FN(conv_panels)
#define conv_outputs RNC_FN(conv_outputs)

/* Panels first .. end-1 of a group, `width` channels each, and the part that computes them. */
typedef struct conv_set {
    const char *w;   /* the first panel of the set */
    ptrdiff_t panel; /* bytes from panel to panel */
    int width, first, end;
    const float *in, *res; /* the window of pixel (0, 0); the residual at the set's first channel */
    const float *slopes;   /* of prelu, likewise */
    float *out;
    int part, parts;
    int row;   /* of weights, the first */
    int later; /* 1: out has sums already */
} conv_set;

/* What the tiles of a pass share: columns first .. end-1, each of nv vectors, and a block of their
 * rows.  A panel has `across` of these columns, from its vector `vector` on. */
typedef struct conv_pass {
    int nv, across, vector;
    int first, end;
    int row;            /* the block's first row of weights, counted in a panel */
    int tile, end_tile; /* the tiles of this part */
    const char *next;   /* weights to fetch meanwhile: `share` bytes for each column of a tile */
    int share, spacing, step;
    conv_block b;
} conv_pass;

#ifdef RNC_HALVES
#define conv_widen RNC_FN(conv_widen)
#define conv_is_widened RNC_FN(conv_is_widened)

/* 1: the weights of a pass are converted to floats once, for all tiles. */
RNC_KERNEL int conv_is_widened(const rnc_conv_shape *s, const rnc_tiles_cut *c, const conv_pass *p)
{
    const int column_floats = p->b.runs * p->b.depth * p->nv * RNC_VL;
    return s->weights != RNC_WEIGHTS_F32 && p->b.streams == 1 && c->all >= RNC_WIDENED_TILES &&
           (p->end - p->first) * column_floats <= RNC_WIDENED_FLOATS;
}

/* Converts the weights of a pass to floats, [column][row][nv vectors].  Where several tiles read
 * them, this costs less than converting them in each tile. */
RNC_KERNEL void conv_widen(const rnc_conv_shape *s, const conv_set *set, const conv_pass *p,
                           float *to)
{
    const int rows = p->b.runs * p->b.depth, bytes = rnc_weight_bytes(s->weights);
    for (int i = p->first; i < p->end; i++) {
        const int in_panel = (p->vector + i % p->across * p->nv) * RNC_VL;
        const char *from = set->w + i / p->across * set->panel + set->width * (int)sizeof(float) +
                           ((ptrdiff_t)p->row * set->width + in_panel) * bytes;
        for (int k = 0; k < rows; k++, from += set->width * bytes) {
            RNC_UNROLL(8)
            for (int j = 0; j < p->nv; j++, to += RNC_VL)
                vf_store(to, vf_load_weights(from + j * RNC_VL * bytes, s->weights));
        }
    }
}
#endif

/* `widened` is a constant where this is called: a test of it for each load would cost far more than
 * the conversion. */
RNC_KERNEL void conv_tiles_of(const rnc_conv_shape *s, const rnc_knobs *t, const conv_set *set,
                              const rnc_tiles_cut *c, const conv_pass *p, int widened)
{
    const int big = c->stacked ? c->big * c->w : c->big;
    const int small = c->stacked ? c->small * c->w : c->small;
    const int wide = c->stacked ? c->w : 32, bytes = rnc_weight_bytes(s->weights);
    const conv_rows r = {wide,
                         s->stride_h * s->in_row,
                         s->stride_w * s->in_pixel,
                         widened ? RNC_WEIGHTS_F32 : s->weights,
                         widened ? p->nv * RNC_VL : set->width,
                         t->memory_broadcasts,
                         p->spacing > 64 && !widened};
    const char *fetch = p->next;
    conv_place at, next;
#ifdef RNC_HALVES
    vf widened_weights[RNC_WIDENED_FLOATS / RNC_VL];
    if (widened && p->tile < p->end_tile)
        conv_widen(s, set, p, (float *)widened_weights);
#endif
    conv_find(s, c, p->tile, &at);
    for (int tile = p->tile; tile < p->end_tile; tile++) {
        conv_find(s, c, tile + 1 < p->end_tile ? tile + 1 : tile, &next);
        for (int i = p->first; i < p->end; i++, fetch += p->share) {
            const int in_panel = (p->vector + i % p->across * p->nv) * RNC_VL;
            const int column = i / p->across * set->width + in_panel;
            const char *panel = set->w + i / p->across * set->panel;
            const float *bias = (const float *)(const void *)panel;
            conv_work k;
            k.b = p->b, k.in = set->in + at.in;
            k.bias = bias + in_panel;
            k.w = (const char *)(bias + set->width) +
                  ((ptrdiff_t)p->row * set->width + in_panel) * bytes;
#ifdef RNC_HALVES
            const int column_floats = p->b.runs * p->b.depth * p->nv * RNC_VL;
            if (widened)
                k.w = (const char *)((float *)widened_weights + (i - p->first) * column_floats);
#endif
            k.res = s->residual ? set->res + at.res + column : set->res;
            k.out = set->out + at.out + column;
            k.ahead.weights = fetch, k.ahead.spacing = p->spacing, k.ahead.step = p->step;
            k.ahead.input = i + 1 < p->end ? 0 : next.in - at.in;
            k.ahead.out = (const char *)(i + 1 < p->end ? k.out + p->nv * RNC_VL
                                                        : set->out + next.out + column);
            if (at.is_big) {
                conv_tile(s, t, &r, big, p->nv, &k);
            } else if (small > 0) {
                conv_tile(s, t, &r, small, p->nv, &k);
            }
#ifdef RNC_LONG_ACT
            if (s->act > RNC_ACT_RELU6 && p->b.last)
                conv_act(s, at.is_big ? big : small, p->nv, wide, set->slopes + column, k.out);
#endif
        }
        at = next;
    }
}

/* Computes the columns of nv vectors in the set's panels: `across` in a panel, from its vector
 * `vector` on. */
RNC_KERNEL void conv_columns(const rnc_conv_shape *s, const rnc_knobs *t, const conv_set *set,
                             int nv, int across, int vector)
{
    const int first = set->first * across, end = set->end * across;
    const int row = set->width * rnc_weight_bytes(s->weights); /* bytes */
    rnc_tiles_cut c;
    rnc_rows_cut d;
    conv_pass p;
    rnc_cut_tiles(s, rnc_tile_pixels(t, nv), &c);
    rnc_cut_rows(s, t->depth, t->streams, &d);
    const int blocks = d.count > 1, wish = t->panels > 0 ? t->panels
                                           : end > first ? end - first
                                                         : 1;
    const int keep = blocks ? across : wish; /* columns that pass together */
    const int alternate = across > 1 && !blocks;
    const int column = RNC_VL * rnc_weight_bytes(s->weights); /* bytes in a vector of weights */
    const int biases = set->width * (int)sizeof(float);
    p.nv = nv, p.across = across, p.vector = vector;
    p.tile = rnc_share(c.all, set->part, set->parts);
    p.end_tile = rnc_share(c.all, set->part + 1, set->parts);
    p.spacing = alternate ? row : 64;
    for (int turn = 0; turn < rnc_div_up(end - first, keep) * d.count; turn++) {
        conv_part(&d, turn % d.count, set->later, &p.b);
        p.first = first + turn / d.count * keep;
        p.end = p.first + keep < end ? p.first + keep : end;
        p.row = set->row + p.b.run * d.run + p.b.c / p.b.streams;
        /* What is used next: the rows after the block, or a column of the next panel. */
        const int deep = p.b.runs * p.b.depth, calls = (p.end_tile - p.tile) * (p.end - p.first);
        const int lines = alternate ? d.runs * d.run + 1 : (deep + 1) * row / 64;
        p.next =
            blocks
                ? set->w + p.first / across * set->panel + biases + (ptrdiff_t)(p.row + deep) * row
                : set->w + p.end / across * set->panel + (vector + p.end % across * nv) * column;
        p.share = calls > 0 ? (lines / calls + 1) * p.spacing : 0;
        p.step = blocks ? p.share * (t->unroll > 1 ? t->unroll : 1) / deep + 1
                        : t->prefetch_weights * p.spacing;
#ifdef RNC_HALVES
        if (conv_is_widened(s, &c, &p)) {
            conv_tiles_of(s, t, set, &c, &p, 1);
            continue;
        }
#endif
        conv_tiles_of(s, t, set, &c, &p, 0);
    }
}

#ifdef RNC_DIAGONALS
/* n output pixels, one to three, times a vector of output channels.  d: the diagonals of a block.
 * Fetches the inputs k->ahead.input further on or, if that is 0, k->ahead.weights. */
RNC_KERNEL void conv_diagonal_tile(const rnc_conv_shape *s, int n, int wide, const conv_work *k,
                                   const float *d)
{
    const int runs = rnc_taps_merge(s) ? 1 : s->kernel_w;
    const int pixel = wide > 1 ? s->stride_w * s->in_pixel : s->stride_h * s->in_row;
    const char *ahead = k->ahead.weights;
    vf acc[12];
    conv_begin(s, acc, n, 1, wide, k);
    conv_split(acc, n);
    for (int r = k->b.run; r < k->b.run + k->b.runs; r++) {
        const float *a = k->in + r / runs * s->dilation_h * s->in_row +
                         r % runs * s->dilation_w * s->in_pixel + k->b.c;
        const char *near = (const char *)(a + k->ahead.input);
        conv_run_diagonal(acc, a, pixel, d, k->b.depth, n, k->ahead.input ? near : ahead);
        ahead += k->b.depth * (int)sizeof(float);
        d += 4 * k->b.depth;
    }
    conv_join(acc, n);
    conv_end(s, acc, n, 1, wide, k);
}

/* What the tiles of a pass share: some panels, whole or one block of one panel, as diagonals. */
typedef struct conv_diagonal_pass {
    const float *d;
    const char *w;       /* the first panel */
    ptrdiff_t panel;     /* bytes from panel to panel */
    int width;           /* channels in a panel */
    int vectors;         /* in all panels */
    int wide;            /* as in conv_rows */
    int share;           /* bytes of weights to fetch for each vector of a tile */
    const float *slopes; /* of prelu, likewise */
} conv_diagonal_pass;

/* n pixels times all vectors of a pass. */
RNC_KERNEL void conv_diagonal_tiles(const rnc_conv_shape *s, const conv_diagonal_pass *p, int n,
                                    const conv_work *work)
{
    const float *next = (const float *)(const void *)work->ahead.out;
    for (int j = 0; j < p->vectors; j++) {
        const int i = j * RNC_VL;
        const float *line = i + 16 < p->vectors * RNC_VL ? work->out + i + 16 : next;
        const float *bias = (const float *)(const void *)(p->w + i / p->width * p->panel);
        conv_work k = *work;
        if (work->b.first && i % 16 == 0) {
            for (int x = 0; x < n; x++)
                RNC_PREFETCH_NEAR(line + x * s->out_pixel);
        }
        k.bias = bias + i % p->width, k.out = work->out + i;
        k.res = s->residual ? work->res + i : work->res;
        k.ahead.input = j < n ? work->ahead.input + j * s->stride_w * s->in_pixel : 0;
        k.ahead.weights += j * p->share;
        conv_diagonal_tile(s, n, p->wide, &k, p->d + i * work->b.runs * work->b.depth);
#ifdef RNC_LONG_ACT
        if (s->act > RNC_ACT_RELU6 && work->b.last)
            conv_act(s, n, 1, p->wide, p->slopes + i, k.out);
#endif
    }
}

/* Cuts the rows into blocks of at most `fit` rows, in whole fours. */
RNC_KERNEL void conv_diagonal_cuts(const rnc_conv_shape *s, const rnc_knobs *t, int fit,
                                   rnc_rows_cut *d)
{
    const int wish = t->depth > 4 ? t->depth / 4 * 4 : 4;
    rnc_cut_rows(s, t->depth <= 0 || t->depth > fit ? fit : wish, 1, d);
    d->piece = rnc_div_up(d->run, d->cuts * 4) * 4;
    d->cuts = rnc_div_up(d->run, d->piece);
    d->count = rnc_div_up(d->runs, d->each) * d->cuts;
}

/* Computes the panels of a set.  If the panels are not cut into blocks, some of them pass
 * together. */
RNC_KERNEL void conv_diagonal_panels(const rnc_conv_shape *s, const rnc_knobs *t,
                                     const conv_set *set)
{
    const int width = set->width, row = width * rnc_weight_bytes(s->weights);
    const int fit = RNC_DIAGONALS * RNC_VL / width / 16 * 16;
    vf d[RNC_DIAGONALS];
    rnc_tiles_cut c;
    rnc_rows_cut cuts;
    rnc_cut_tiles(s, 3, &c);
    conv_diagonal_cuts(s, t, fit, &cuts);
    const int keep = cuts.count > 1 ? 1 : fit / (cuts.runs * cuts.run);
    const int t0 = rnc_share(c.all, set->part, set->parts);
    const int t1 = rnc_share(c.all, set->part + 1, set->parts);
    conv_diagonal_pass p = {(const float *)d,     NULL, set->panel, width, 0,
                            c.stacked ? c.w : 32, 0,    NULL};
    for (int i = 0; t0 < t1 && i < rnc_div_up(set->end - set->first, keep) * cuts.count; i++) {
        const int p0 = set->first + i / cuts.count * keep;
        const int p1 = p0 + keep < set->end ? p0 + keep : set->end;
        conv_place at, next;
        conv_work k;
        conv_part(&cuts, i % cuts.count, set->later, &k.b);
        const int rows = k.b.runs * k.b.depth, column = p0 * width;
        p.w = set->w + p0 * set->panel;
#ifdef RNC_LONG_ACT
        p.slopes = set->slopes + column;
#endif
        k.w = p.w + width * (int)sizeof(float) +
              (ptrdiff_t)(set->row + k.b.run * cuts.run + k.b.c) * row;
        k.ahead.weights = k.w + (cuts.count > 1 ? (ptrdiff_t)rows * row : (p1 - p0) * set->panel);
        p.vectors = (p1 - p0) * width / RNC_VL;
        p.share = rows * RNC_VL / (t1 - t0) * (int)sizeof(float);
        for (int j = 0; j < p1 - p0; j++)
            conv_diagonals((float *)d + j * rows * width, k.w + j * set->panel, s->weights, rows,
                           width);
        conv_find(s, &c, t0, &next);
        for (int tile = t0; tile < t1; tile++, k.ahead.weights += p.share * p.vectors) {
            at = next;
            conv_find(s, &c, tile + 1 < t1 ? tile + 1 : tile, &next);
            k.in = set->in + at.in, k.out = set->out + at.out + column;
            k.res = s->residual ? set->res + at.res + column : set->res;
            k.ahead.input = next.in - at.in;
            k.ahead.out = (const char *)(set->out + next.out + column);
            if (at.is_big) {
                conv_diagonal_tiles(s, &p, c.big, &k);
            } else if (c.small > 0) {
                conv_diagonal_tiles(s, &p, c.small, &k);
            }
        }
    }
}
#endif

/* Computes the panels of a set: whole columns of nv vectors, then the rest. */
RNC_KERNEL void conv_strip(const rnc_conv_shape *s, const rnc_knobs *t, const conv_set *set)
{
    rnc_columns_cut c;
    rnc_cut_columns(t, set->width, RNC_VL, &c);
#ifdef RNC_DIAGONALS
    if (s->in_c % 4 == 0 && s->in_pixel % 4 == 0 && s->in_row % 4 == 0 && s->in_image % 4 == 0) {
        conv_diagonal_panels(s, t, set);
        return;
    }
#endif
    conv_columns(s, t, set, c.nv, c.across, 0);
#ifdef RNC_NARROW
    if (c.rest > 0)
        conv_columns(s, t, set, c.rest, 1, c.across * c.nv);
#endif
}

RNC_KERNEL void conv_panels(const rnc_conv_shape *s, const rnc_knobs *t, const conv_set *set)
{
#ifdef RNC_STRIPS
    if (t->group > 0) { /* a strip's inputs stay in the L2 while panel after panel reads them */
        const int own = rnc_div_up(s->images * s->out_h * s->out_w, set->parts);
        const int strips = rnc_div_up(own, t->group);
        conv_set k = *set;
        k.parts *= strips;
        for (k.part *= strips; k.part < (set->part + 1) * strips; k.part++)
            conv_strip(s, t, &k);
        return;
    }
#endif
    conv_strip(s, t, set);
}

#ifdef RNC_CLIPPED
#define conv_clipped RNC_FN(conv_clipped)
#define conv_clipped_tap RNC_FN(conv_clipped_tap)
#define conv_clipped_act RNC_FN(conv_clipped_act)

/* The activation of rows y0 .. y1-1 of an image, the set's channels. */
RNC_KERNEL void conv_clipped_act(const rnc_conv_shape *s, const conv_set *set, int image, int y0,
                                 int y1)
{
    for (int i = y0 * s->out_w; i < y1 * s->out_w; i++) {
        float *out = set->out + rnc_at(image, s->out_image, i / s->out_w, s->out_row, i % s->out_w,
                                       s->out_pixel);
        for (int c = set->first * set->width; c < set->end * set->width; c += RNC_VL)
            vf_store(out + c,
                     vf_layer_act(vf_load(out + c), s->act, s->alpha, s->beta, set->slopes + c));
    }
}

/* Adds the taps of column `right` of the window and row `down` to rows y0 .. y1-1 of the set's
 * image. The column is a constant where this is called, so that the sizes of the register tiles
 * are, too. */
RNC_KERNEL void conv_clipped_tap(const rnc_conv_shape *s, const rnc_knobs *t, const conv_set *set,
                                 int y0, int y1, int down, int right)
{
    const int tap = down * s->kernel_w + right;
    rnc_conv_shape one = *s;
    conv_set k = *set;
    rnc_tap_cut c;
    rnc_cut_tap(s, tap, &c);
    c.y0 = c.y0 > y0 ? c.y0 : y0;
    one.images = one.kernel_h = one.kernel_w = one.dilation_h = one.dilation_w = 1;
    one.act = RNC_ACT_NONE;
    one.out_h = (c.y1 < y1 ? c.y1 : y1) - c.y0, one.out_w = c.x1 - c.x0;
    if (one.out_h <= 0 || one.out_w <= 0)
        return;
    k.row = tap * s->in_c;
    k.in += rnc_at(0, 0, c.y0 * s->stride_h + down * s->dilation_h, s->in_row,
                   c.x0 * s->stride_w + right * s->dilation_w, s->in_pixel);
    k.res = s->residual ? k.res + rnc_at(0, 0, c.y0, s->res_row, c.x0, s->res_pixel) : NULL;
    k.out += rnc_at(0, 0, c.y0, s->out_row, c.x0, s->out_pixel);
    conv_panels(&one, t, &k);
}

/* Windows that are clipped to the input, around which nothing is stored: each tap is a convolution
 * 1x1 of the pixels that are there, and is added to their outputs.  One that all windows have comes
 * first.  Parts share the rows. */
RNC_KERNEL void conv_clipped(const rnc_conv_shape *s, const rnc_knobs *t, const conv_set *set)
{
    const int lines = s->images * s->out_h, full = rnc_full_tap(s);
    const int end = rnc_share(lines, set->part + 1, set->parts);
    conv_set k = *set;
    k.part = 0, k.parts = 1;
    for (int line = rnc_share(lines, set->part, set->parts), y0, y1; line < end; line += y1 - y0) {
        const int image = line / s->out_h;
        y0 = line % s->out_h;
        k.in = set->in + (ptrdiff_t)image * s->in_image;
        k.out = set->out + (ptrdiff_t)image * s->out_image;
        k.res = s->residual ? set->res + (ptrdiff_t)image * s->res_image : NULL;
        y1 = y0 + (end - line) < s->out_h ? y0 + (end - line) : s->out_h;
        for (int i = 0; i < s->kernel_h * s->kernel_w; i++) {
            const int tap = i == 0 ? full : i <= full ? i - 1 : i, down = tap / s->kernel_w;
            k.later = i > 0;
#define RNC_CLIPPED_CASE(right) \
    case right: \
        if (right < s->kernel_w) \
            conv_clipped_tap(s, t, &k, y0, y1, down, right); \
        break
            switch (tap % s->kernel_w) {
                RNC_CLIPPED_CASE(0);
                RNC_CLIPPED_CASE(1);
                RNC_CLIPPED_CASE(2);
                RNC_CLIPPED_CASE(3);
                RNC_CLIPPED_CASE(4);
            }
#undef RNC_CLIPPED_CASE
        }
        if (s->act != RNC_ACT_NONE)
            conv_clipped_act(s, set, image, y0, y1);
    }
}
#endif

/* All outputs of a set. */
RNC_KERNEL void conv_outputs(const rnc_conv_shape *s, const rnc_knobs *t, const conv_set *set)
{
#ifdef RNC_CLIPPED
    if (s->in_h > 0) {
        conv_clipped(s, t, set);
        return;
    }
#endif
    conv_panels(s, t, set);
}

RNC_KERNEL void RNC_FN(conv_direct)(const rnc_conv_shape *s, const rnc_knobs *t,
                                    const rnc_operands *o, int part, int parts)
{
    const int group_c = s->out_c / s->groups, rows = s->kernel_h * s->kernel_w * s->in_c;
    rnc_panels_cut c;
    rnc_cut_panels(s, &c);
    const int p0 = t->split ? rnc_share(c.count, part, parts) : 0;
    const int p1 = t->split ? rnc_share(c.count, part + 1, parts) : c.count;
    const int corner = s->pad_top * s->in_row + s->pad_left * s->in_pixel;
    const ptrdiff_t narrow = rnc_panel_bytes(s->weights, c.narrow, (ptrdiff_t)rows * c.narrow);
    conv_set set;
    set.panel = rnc_panel_bytes(s->weights, s->panel, (ptrdiff_t)rows * s->panel);
    set.part = t->split ? 0 : part, set.parts = t->split ? 1 : parts;
    set.row = set.later = 0;
    for (int g = 0; g < s->groups; g++) {
        const int first = p0 > g * c.per_group ? p0 - g * c.per_group : 0;
        const int end = p1 < (g + 1) * c.per_group ? p1 - g * c.per_group : c.per_group;
        set.w = (const char *)o->weights + g * (c.full * set.panel + narrow);
        set.in = (const float *)o->in[0] + g * s->in_c - corner;
        set.res = s->residual ? (const float *)o->in[1] + g * group_c : NULL;
#ifdef RNC_LONG_ACT
        set.slopes = rnc_slopes(o, s->act, s->out_c) + g * group_c;
#endif
        set.out = (float *)o->out[0] + g * group_c;
        set.width = s->panel;
        set.first = first, set.end = end < c.full ? end : c.full;
        if (c.full > 0)
            conv_outputs(s, t, &set);
#ifdef RNC_NARROW
        if (c.narrow > 0 && first < c.per_group && end == c.per_group) {
            set.w += c.full * set.panel;
            set.res = s->residual ? set.res + c.full * s->panel : set.res;
#ifdef RNC_LONG_ACT
            set.slopes += c.full * s->panel;
#endif
            set.out += c.full * s->panel;
            set.width = c.narrow, set.first = 0, set.end = 1;
            conv_outputs(s, t, &set);
        }
#endif
    }
}
#undef conv_set
#undef conv_pass
#ifdef RNC_HALVES
#undef conv_widen
#undef conv_is_widened
#endif
#undef conv_tiles_of
#undef conv_columns
#undef conv_diagonal_tile
#undef conv_diagonal_pass
#undef conv_diagonal_tiles
#undef conv_diagonal_cuts
#undef conv_diagonal_panels
#undef conv_strip
#undef conv_panels
#undef conv_outputs
#ifdef RNC_CLIPPED
#undef conv_clipped
#undef conv_clipped_tap
#undef conv_clipped_act
#endif
