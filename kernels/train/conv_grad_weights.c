/* conv_grad_weights: the gradient of a convolution's weights and biases: for each tap and pair of
 * channels, the sum over all output pixels of the input that the tap meets times the output's
 * gradient.  Operands: in (the input, with the halo of zeros that the forward convolution reads),
 * grad (the output's gradient, without a halo) -> sums.
 *
 * The result has the order of packed panels (plan/packings.def, `panels`), s->slices times, one
 * slice of the batch after the other; filter_sum adds the slices in a tree.  With one slice it is
 * the gradient itself.  The slices do not depend on the number of parts, nor does the order of any
 * sum, so that any number of parts gives the same bits.
 *
 * A register tile is some rows of a panel (a tap's input channels) times nv vectors of output
 * channels; its sums go over a block of pixels in registers and are then added to those in memory.
 * So a sum of N products has an error like one of (pixels of a block + blocks of a slice + slices).
 * Pixels at which a tap meets only the halo are left out.
 * Knobs: pixels, vectors (rows and vectors of a register tile), depth (pixels of a block),
 * memory_broadcasts. */
#define grad_columns RNC_FN(grad_columns)
#define grad_ahead RNC_FN(grad_ahead)
#define grad_fetch RNC_FN(grad_fetch)
#define grad_block RNC_FN(grad_block)
#define grad_tile RNC_FN(grad_tile)
#define grad_sums RNC_FN(grad_sums)
#define grad_copy RNC_FN(grad_copy)
#define grad_bias RNC_FN(grad_bias)
#define grad_one RNC_FN(grad_one)
#define grad_some RNC_FN(grad_some)
#define grad_shared RNC_FN(grad_shared)
#define grad_panels RNC_FN(grad_panels)

/* The memory of the next block, which is fetched meanwhile: both pointers advance by so many bytes
 * at each pixel. */
typedef struct grad_ahead {
    const char *in, *grad;
    int in_step, grad_step;
} grad_ahead;

/* A block of output pixels of one slice: lines line .. end-1, counted over all images, and of each
 * the pixels x0 .. x1-1. */
typedef struct grad_block {
    int line, end, x0, x1;
    int first; /* 1: the slice's first block: sums in memory are set, not added to */
    grad_ahead ahead;
} grad_block;

/* The columns of a set of panels, each `width` channels: nv vectors from vector `vector` on,
 * `across` of them in a panel. */
typedef struct grad_columns {
    const float *in, *grad; /* the group's first channel; the set's first channel */
    float *out;             /* the set's first panel, in the slice */
    float *copy;            /* scratch for a block's gradients of a column, or NULL */
    int width, nv, across, vector;
} grad_columns;

/* The sums of a tile: n rows times nv vectors. */
typedef struct grad_tile {
    const float *in;   /* what the first pixel of image 0 reads */
    const float *grad; /* its gradients, from the column's first channel on */
    const float *copy; /* or NULL: the block's gradients, one after the other */
    grad_ahead ahead;  /* what is fetched at the tile's first pixel */
    float *out;        /* the first sum */
    int width;         /* floats from row to row of sums */
    rnc_met_cut y, x;  /* the output rows and pixels that the tap meets */
} grad_tile;

/* Adds the products of all pixels of a block. */
RNC_KERNEL void grad_sums(const rnc_grad_weights_shape *s, const rnc_grad_pixels_cut *p,
                          const conv_rows *r, const grad_block *b, const grad_tile *k, int n,
                          int nv)
{
    const int x0 = b->x0 > k->x.first ? b->x0 : k->x.first;
    const int x1 = b->x1 < k->x.end ? b->x1 : k->x.end;
    const int pixel = k->copy ? nv * RNC_VL : s->out_pixel;
    grad_ahead a = k->ahead;
    vf acc[32];
    RNC_UNROLL(32)
    for (int i = 0; i < n * nv; i++)
        RNC_ZERO(acc[i]);
    for (int line = b->line; line < b->end;) {
        const int image = line / p->h, from = line % p->h;
        const int to = from + b->end - line < p->h ? from + b->end - line : p->h;
        const int y0 = from > k->y.first ? from : k->y.first;
        const int y1 = to < k->y.end ? to : k->y.end;
        const int rows = p->flat && x1 - x0 == p->w && y1 > y0 ? y1 - y0 : 1; /* as one */
        for (int y = y0; y < y1; y += rows) {
            const float *in = k->in + rnc_at(image, s->in_image, y * s->stride_h, s->in_row,
                                             x0 * s->stride_w, s->in_pixel);
            const float *grad =
                k->copy
                    ? k->copy + ((line - b->line + y - from) * (b->x1 - b->x0) + x0 - b->x0) * pixel
                    : k->grad + rnc_at(image, s->out_image, y, s->out_row, x0, s->out_pixel);
            for (int x = 0; x < rows * (x1 - x0); x++) {
                conv_steps(r, acc, in, (const char *)grad, 1, n, nv);
                RNC_PREFETCH(a.in);
                RNC_PREFETCH(a.grad);
                a.in += a.in_step;
                a.grad += a.grad_step;
                in += s->stride_w * s->in_pixel;
                grad += pixel;
            }
        }
        line += to - from;
    }
    RNC_UNROLL(32)
    for (int i = 0; i < n; i++) {
        float *to = k->out + i * k->width;
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++, to += RNC_VL)
            vf_store(to, b->first ? acc[i * nv + j] : vf_load(to) + acc[i * nv + j]);
    }
}

/* Copies a column's gradients of a block. */
RNC_KERNEL void grad_copy(const rnc_grad_weights_shape *s, const rnc_grad_pixels_cut *p,
                          const grad_block *b, const float *grad, float *to, int nv)
{
    for (int line = b->line; line < b->end; line++) {
        const float *from =
            grad + rnc_at(line / p->h, s->out_image, line % p->h, s->out_row, b->x0, s->out_pixel);
        for (int x = b->x0; x < b->x1; x++, from += s->out_pixel) {
            RNC_UNROLL(8)
            for (int j = 0; j < nv; j++, to += RNC_VL)
                vf_store(to, vf_load(from + j * RNC_VL));
        }
    }
}

/* The sums of the gradients themselves, or zeros. */
RNC_KERNEL void grad_bias(const rnc_grad_weights_shape *s, const rnc_grad_pixels_cut *p,
                          const grad_block *b, const float *grad, float *out, int nv)
{
    vf acc[8];
    RNC_UNROLL(8)
    for (int j = 0; j < nv; j++)
        RNC_ZERO(acc[j]);
    for (int line = b->line; line < b->end && s->bias; line++) {
        const float *from =
            grad + rnc_at(line / p->h, s->out_image, line % p->h, s->out_row, b->x0, s->out_pixel);
        for (int x = b->x0; x < b->x1; x++, from += s->out_pixel) {
            RNC_UNROLL(8)
            for (int j = 0; j < nv; j++)
                acc[j] = acc[j] + vf_load(from + j * RNC_VL);
        }
    }
    RNC_UNROLL(8)
    for (int j = 0; j < nv; j++, out += RNC_VL)
        vf_store(out, b->first ? acc[j] : vf_load(out) + acc[j]);
}

/* Tile `number`, counted column by column; the first of a column does the bias, too.  `fresh`: it
 * is the first of its column in this part. */
RNC_KERNEL void grad_one(const rnc_grad_weights_shape *s, const rnc_knobs *t,
                         const rnc_grad_rows_cut *c, const grad_columns *set, const grad_block *b,
                         int number, int fresh)
{
    const int column = number / c->all, i = number % c->all;
    const int depth = s->kernel_h * s->kernel_w * s->in_c, nv = set->nv;
    const int at = (set->vector + column % set->across * nv) * RNC_VL, panel = column / set->across;
    const int run = i / c->count, tile = i % c->count, is_big = tile < c->n_big;
    const int ky = run / c->runs, kx = run % c->runs;
    const int unit = is_big ? tile * c->big : c->n_big * c->big + (tile - c->n_big) * c->small;
    const int row = (ky * s->kernel_w + kx) * s->in_c + unit * c->unit;
    const conv_rows r = {c->wide, c->step, 1, RNC_WEIGHTS_F32, set->width, t->memory_broadcasts, 0};
    float *out = set->out + (ptrdiff_t)panel * (depth + 1) * set->width + at;
    rnc_grad_pixels_cut p;
    grad_tile k;
    rnc_cut_grad_pixels(s, t, &p);
    k.in = set->in + rnc_at(0, 0, ky * s->dilation_h - s->pad_top, s->in_row,
                            kx * s->dilation_w - s->pad_left, s->in_pixel);
    k.in += unit * c->step;
    k.grad = set->grad + panel * set->width + at;
    k.out = out + (ptrdiff_t)(row + 1) * set->width;
    k.width = set->width;
    k.x.first = 0, k.x.end = p.w;
    rnc_cut_met(s->out_h, s->in_h, s->stride_h, ky * s->dilation_h, s->pad_top, &k.y);
    if (c->runs == s->kernel_w)
        rnc_cut_met(s->out_w, s->in_w, s->stride_w, kx * s->dilation_w, s->pad_left, &k.x);
    k.copy = set->copy;
    k.ahead = b->ahead;
    if (set->copy && fresh)
        grad_copy(s, &p, b, k.grad, set->copy, nv);
    if (i == 0)
        grad_bias(s, &p, b, k.grad, out, nv);
    if (is_big) {
        grad_sums(s, &p, &r, b, &k, c->big * c->unit, nv);
    } else if (c->small > 0) {
        grad_sums(s, &p, &r, b, &k, c->small * c->unit, nv);
    }
}

/* Shares the lines of the next block among the pixels of this one's tiles.  If the input's rows are
 * not all read, it is not fetched. */
RNC_KERNEL void grad_fetch(const rnc_grad_weights_shape *s, const rnc_grad_pixels_cut *p,
                           const grad_columns *set, grad_block *b, int tiles)
{
    const int last = b->x1 == p->w, line = last ? b->line + p->lines : b->line;
    const int x = last ? 0 : b->x1, image = line / p->h, y = line % p->h;
    const int pixels = (b->end - b->line) * (b->x1 - b->x0), all = tiles * pixels;
    const int in_line = s->stride_h * s->in_row;
    const int in = p->pieces > 1 ? pixels * s->stride_w * s->in_pixel : p->lines * in_line;
    const int out = p->pieces > 1 ? pixels * s->out_pixel : p->lines * s->out_row;
    b->ahead.in = (const char *)(set->in + rnc_at(image, s->in_image, y * s->stride_h, s->in_row,
                                                  x * s->stride_w, s->in_pixel));
    b->ahead.grad =
        (const char *)(set->grad + rnc_at(image, s->out_image, y, s->out_row, x, s->out_pixel));
    b->ahead.in_step = s->kernel_h < s->stride_h ? 0 : in * (int)sizeof(float) / all + 1;
    b->ahead.grad_step = out * (int)sizeof(float) / all + 1;
}

/* Tiles first .. end-1 of a set's columns, for all blocks of slice i. */
RNC_KERNEL void grad_some(const rnc_grad_weights_shape *s, const rnc_knobs *t,
                          const grad_columns *set, int slice, int first, int end)
{
    rnc_grad_pixels_cut p;
    rnc_grad_rows_cut c;
    rnc_cut_grad_pixels(s, t, &p);
    rnc_cut_grad_rows(s, rnc_tile_pixels(t, set->nv), &c);
    const int line0 = rnc_slice_begin(s->images, s->slice, slice) * p.h;
    const int line1 = rnc_slice_begin(s->images, s->slice, slice + 1) * p.h;
    for (int line = line0; line < line1; line += p.lines)
        for (int piece = 0; piece < p.pieces; piece++) {
            grad_block b;
            b.line = line;
            b.end = line + p.lines < line1 ? line + p.lines : line1;
            b.x0 = rnc_share(p.w, piece, p.pieces);
            b.x1 = rnc_share(p.w, piece + 1, p.pieces);
            b.first = line == line0 && piece == 0;
            grad_fetch(s, &p, set, &b, end - first);
            for (int i = first; i < end; i++) {
                grad_one(s, t, &c, set, &b, i, i == first || i % c.all == 0);
                b.ahead.in += (b.x1 - b.x0) * (b.end - b.line) * b.ahead.in_step;
                b.ahead.grad += (b.x1 - b.x0) * (b.end - b.line) * b.ahead.grad_step;
            }
        }
}

/* The part's share of `panels` panels in all slices: it counts tiles, and takes some that follow
 * one another. */
RNC_KERNEL void grad_shared(const rnc_grad_weights_shape *s, const rnc_knobs *t,
                            const grad_columns *set, int panels, int part, int parts)
{
    rnc_grad_rows_cut c;
    rnc_cut_grad_rows(s, rnc_tile_pixels(t, set->nv), &c);
    const int each = panels * set->across * c.all, all = s->slices * each;
    const int first = rnc_share(all, part, parts), end = rnc_share(all, part + 1, parts);
    for (int i = first / each; i * each < end && first < end; i++) {
        const int from = first - i * each, to = end - i * each;
        grad_columns here = *set;
        here.out += i * rnc_grad_floats(s);
        if (!rnc_grad_copies(s, &c, set->nv * RNC_VL))
            here.copy = NULL;
        grad_some(s, t, &here, i, from > 0 ? from : 0, to < each ? to : each);
    }
}

/* Shares `panels` panels of set->width channels: whole columns of as many vectors as the knob says,
 * then the rest. */
RNC_KERNEL void grad_panels(const rnc_grad_weights_shape *s, const rnc_knobs *t, grad_columns *set,
                            int panels, int part, int parts)
{
    rnc_columns_cut c;
    rnc_cut_columns(t, set->width, RNC_VL, &c);
    set->nv = c.nv, set->across = c.across, set->vector = 0;
    grad_shared(s, t, set, panels, part, parts);
#ifdef RNC_NARROW
    if (c.rest > 0) {
        set->nv = c.rest, set->across = 1, set->vector = c.across * c.nv;
        grad_shared(s, t, set, panels, part, parts);
    }
#endif
}

RNC_KERNEL void RNC_FN(conv_grad_weights)(const rnc_grad_weights_shape *s, const rnc_knobs *t,
                                          const rnc_operands *o, int part, int parts)
{
    const int group_c = s->out_c / s->groups, depth = s->kernel_h * s->kernel_w * s->in_c;
    const int full = group_c / s->panel;
    for (int g = 0; g < s->groups; g++) {
        grad_columns set;
        set.in = (const float *)o->in[0] + g * s->in_c;
        set.grad = (const float *)o->in[1] + g * group_c;
        set.out = (float *)o->out[0] + (ptrdiff_t)g * group_c * (depth + 1);
        set.copy = (float *)o->scratch + part * rnc_grad_scratch(s, t);
        set.width = s->panel;
        if (full > 0)
            grad_panels(s, t, &set, full, part, parts);
#ifdef RNC_NARROW
        const int narrow = group_c % s->panel;
        if (narrow > 0) {
            set.grad += full * s->panel;
            set.out += (ptrdiff_t)full * s->panel * (depth + 1);
            set.width = narrow;
            grad_panels(s, t, &set, 1, part, parts);
        }
#endif
    }
}
#undef grad_columns
#undef grad_ahead
#undef grad_fetch
#undef grad_block
#undef grad_tile
#undef grad_sums
#undef grad_copy
#undef grad_bias
#undef grad_one
#undef grad_some
#undef grad_shared
#undef grad_panels
