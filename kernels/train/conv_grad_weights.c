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
 *
 * Tiles are taken in rectangles of columns by rows whose sums stay in the L2 while all blocks of a
 * slice pass; at each pixel a tile fetches some of what the next block or rectangle reads.
 * Knobs: pixels, vectors (rows and vectors of a register tile), depth (pixels of a block),
 * memory_broadcasts. */
#define grad_column RNC_FN(grad_column)
#define grad_across RNC_FN(grad_across)
#define grad_follow RNC_FN(grad_follow)
#define grad_ahead RNC_FN(grad_ahead)
#define grad_line RNC_FN(grad_line)
#define grad_apart_out RNC_FN(grad_apart_out)
#define grad_apart_in RNC_FN(grad_apart_in)
#define grad_one RNC_FN(grad_one)
#define grad_pass RNC_FN(grad_pass)
#define grad_take RNC_FN(grad_take)
#define grad_next RNC_FN(grad_next)
#define grad_some RNC_FN(grad_some)
#define grad_shared RNC_FN(grad_shared)
#define grad_panels RNC_FN(grad_panels)

/* The first channel of a column, in the set. */
RNC_KERNEL int grad_column(const grad_columns *set, int column)
{
    return column / set->across * set->width +
           (set->vector + column % set->across * set->nv) * RNC_VL;
}

/* The column of tile i. */
RNC_KERNEL int grad_across(const grad_share *share, int i)
{
    return share->r.column + (i - share->r.first) / share->r.rows;
}

/* Tiles fetch `elements` from `at` on, in equal steps. */
RNC_KERNEL void grad_follow(const grad_work *w, const float *at, ptrdiff_t elements, grad_aim *a)
{
    const int pixels = (w->b.end - w->b.line) * (w->b.x1 - w->b.x0);
    a->follows = 1;
    a->at = (const char *)at;
    a->step = (int)(elements * (int)sizeof(float) / ((w->now.to - w->now.from) * pixels)) + 1;
}

/* Finds what the tiles of w->now fetch in w->b.  If the share that comes next has all columns, they
 * fetch all gradients of the next block, else those of one column after the other; likewise rows
 * and inputs. */
RNC_KERNEL void grad_ahead(const rnc_grad_weights_shape *s, const grad_columns *set, grad_work *w)
{
    enum { FLOAT = sizeof(float) };
    const rnc_grad_rows_cut *c = &set->c;
    const grad_block *b = &w->then;
    const rnc_grad_rect *r = &w->next.r;
    const int down = s->kernel_h < s->stride_h ? s->kernel_h : s->stride_h;
    const int across = s->kernel_w < s->stride_w ? s->kernel_w : s->stride_w;
    const int pixel = s->stride_w * s->in_pixel, row = s->stride_h * s->in_row;
    const int from = r->row, end = r->row + r->rows, is_piece = set->p.pieces > 1;
    const int is_one = c->runs == s->kernel_w && from / c->count == (end - 1) / c->count;
    const int last = is_one ? rnc_grad_unit(c, (end - 1) % c->count + 1) : s->in_c;
    w->first = is_one ? rnc_grad_unit(c, from % c->count) : 0;
    w->lines = down * across * rnc_div_up(last - w->first, RNC_LINE);
    w->in.follows = w->out.follows = 0;
    w->in.at = w->out.at = NULL;
    w->in.step = pixel * FLOAT;
    w->out.step = s->out_pixel * FLOAT;
    if (w->next.is_tall && down == s->stride_h && across == s->stride_w)
        grad_follow(w, set->in + b->in,
                    is_piece ? (b->x1 - b->x0) * pixel : (ptrdiff_t)(b->end - b->line) * row,
                    &w->in);
    if (w->next.is_wide)
        grad_follow(w, set->grad + b->grad,
                    is_piece ? (b->x1 - b->x0) * s->out_pixel
                             : (ptrdiff_t)(b->end - b->line) * s->out_row,
                    &w->out);
}

/* Which of `lines` lines tile i of `tiles` fetches, which share them evenly; -1: none. */
RNC_KERNEL int grad_line(int i, int tiles, int lines)
{
    const int line = (int)((ptrdiff_t)i * lines / tiles);
    return i > 0 && (int)((ptrdiff_t)(i - 1) * lines / tiles) == line ? -1 : line;
}

/* From the gradients of `column`, which tile i reads, to the line that it fetches: of the column
 * after it or, where that is the last one, of the next share's first column. */
RNC_KERNEL ptrdiff_t grad_apart_out(const grad_columns *set, const grad_work *w, int i, int column)
{
    const grad_share *now = &w->now;
    const int is_last = column == grad_across(now, now->to - 1);
    const int line = grad_line((i - now->r.first) % now->r.rows, now->r.rows,
                               rnc_div_up(set->nv * RNC_VL, RNC_LINE));
    const int to = is_last ? grad_across(&w->next, w->next.from) : column + 1;
    return line < 0 ? 0
                    : (is_last ? w->then.grad - w->b.grad : 0) + grad_column(set, to) -
                          grad_column(set, column) + line * RNC_LINE;
}

/* From the place `in` of a pixel's window, which tile i reads, to the line that it fetches of each
 * pixel of the next block. */
RNC_KERNEL ptrdiff_t grad_apart_in(const rnc_grad_weights_shape *s, const grad_work *w, int i,
                                   ptrdiff_t in)
{
    const int across = s->kernel_w < s->stride_w ? s->kernel_w : s->stride_w;
    const int down = s->kernel_h < s->stride_h ? s->kernel_h : s->stride_h;
    const int each = w->lines / (down * across);
    const int line = grad_line(i - w->now.from, w->now.to - w->now.from, w->lines);
    return line < 0 ? 0
                    : w->then.in - w->b.in - in + w->first + line % each * RNC_LINE +
                          rnc_at(0, 0, line / each / across, s->in_row, line / each % across,
                                 s->in_pixel);
}

/* Tile i of w->now, in the given row of tiles of the column that k is set to; the first of a column
 * does the bias, too. */
RNC_KERNEL void grad_one(const rnc_grad_weights_shape *s, const rnc_knobs *t,
                         const grad_columns *set, grad_work *w, int i, int row, grad_tile *k)
{
    const rnc_grad_rows_cut *c = &set->c;
    const int nv = set->nv, list = row / c->count, tile = row % c->count;
    const int ky = list / c->runs, kx = list % c->runs;
    const int unit = rnc_grad_unit(c, tile);
    const int at = (ky * s->kernel_w + kx) * s->in_c + unit * c->unit; /* the row of weights */
    const ptrdiff_t in = rnc_at(0, 0, ky * s->dilation_h - s->pad_top, s->in_row,
                                kx * s->dilation_w - s->pad_left, s->in_pixel) +
                         unit * c->step;
    const conv_rows r = {c->wide, c->step, 1, RNC_WEIGHTS_F32, set->width, t->memory_broadcasts, 0};
    const int pixels = (w->b.end - w->b.line) * (w->b.x1 - w->b.x0);
    k->runs = set->runs + (ptrdiff_t)list * (set->p.lines + 1);
    k->in = set->in + rnc_at(w->b.line / set->p.h, s->in_image, 0, 0, 0, 0) + in;
    k->out = k->bias + (ptrdiff_t)(at + 1) * set->width;
    k->next_in = w->in.follows ? w->in.at : (const char *)(k->in + grad_apart_in(s, w, i, in));
    k->next_grad =
        w->out.follows ? w->out.at : (const char *)(k->grad + grad_apart_out(set, w, i, k->column));
    if (tile < c->n_big) {
        grad_sums(s, &r, k, c->big * c->unit, nv);
    } else if (c->small > 0) {
        grad_sums(s, &r, k, c->small * c->unit, nv);
    }
    if (w->in.follows)
        w->in.at += (ptrdiff_t)pixels * w->in.step;
    if (w->out.follows)
        w->out.at += (ptrdiff_t)pixels * w->out.step;
}

/* The tiles of w->now in the block w->b. */
RNC_KERNEL void grad_pass(const rnc_grad_weights_shape *s, const rnc_knobs *t,
                          const grad_columns *set, grad_work *w)
{
    const int depth = s->kernel_h * s->kernel_w * s->in_c;
    const grad_share *now = &w->now;
    const rnc_grad_run *all = set->runs + (ptrdiff_t)s->kernel_h * set->c.runs * (set->p.lines + 1);
    grad_tile k;
    k.width = set->width;
    k.first = w->b.first;
    k.copy = set->copy;
    k.in_step = w->in.step;
    k.grad_step = w->out.step;
    for (int i = now->from; i < now->to;) {
        const int column = grad_across(now, i), at = grad_column(set, column);
        const int panel = column / set->across;
        int row = now->r.row + (i - now->r.first) % now->r.rows;
        k.column = column;
        k.grad = set->grad + rnc_at(w->b.line / set->p.h, s->out_image, 0, 0, 0, 0) + at;
        k.bias = set->out + (ptrdiff_t)panel * depth * set->width + at;
        if (set->copy)
            grad_copy(s, all, k.grad, set->copy, set->nv);
        if (row == 0)
            grad_bias(s, all, &k, set->nv);
        for (; row < now->r.row + now->r.rows && i < now->to; row++, i++)
            grad_one(s, t, set, w, i, row, &k);
    }
}

/* The share of the tiles first .. end-1 that is in the first one's rectangle. */
RNC_KERNEL void grad_take(const rnc_grad_order *order, int first, int end, grad_share *share)
{
    rnc_find_grad_rect(order, first, &share->r);
    const int all = share->r.first + share->r.rows * share->r.columns;
    share->from = first;
    share->to = end < all ? end : all;
    share->is_wide = share->r.columns == order->across;
    share->is_tall = share->r.rows == order->all;
}

/* Finds what comes after block i of a slice's `blocks`: the next block, or the first one of the
 * next share of the tiles up to `end`, or of the next slice. */
RNC_KERNEL void grad_next(const rnc_grad_weights_shape *s, const grad_columns *set,
                          const rnc_grad_order *order, int slice, int i, int blocks, int end,
                          grad_work *w)
{
    const int is_slice = i + 1 == blocks && w->now.to == end; /* goes on with the next slice */
    const int of = is_slice ? slice + 1 : slice;
    w->next = w->now;
    if (i + 1 == blocks)
        grad_take(order, is_slice ? 0 : w->now.to, is_slice ? order->across * order->all : end,
                  &w->next);
    if (of < s->slices)
        grad_begin(s, &set->p, of, i + 1 < blocks ? i + 1 : 0, &w->then);
    else
        w->then = w->b; /* nothing comes after all */
}

/* Tiles first .. end-1 of a set's columns, for all blocks of a slice. */
RNC_KERNEL void grad_some(const rnc_grad_weights_shape *s, const rnc_knobs *t,
                          const grad_columns *set, const rnc_grad_order *order, int slice,
                          int first, int end)
{
    const int images = rnc_slice_begin(s->images, s->slice, slice + 1) -
                       rnc_slice_begin(s->images, s->slice, slice);
    const int blocks = rnc_div_up(images * set->p.h, set->p.lines) * set->p.pieces;
    grad_work w;
    for (int from = first; from < end; from = w.now.to) {
        grad_take(order, from, end, &w.now);
        for (int i = 0; i < blocks; i++) {
            grad_begin(s, &set->p, slice, i, &w.b);
            grad_next(s, set, order, slice, i, blocks, end, &w);
            grad_ahead(s, set, &w);
            grad_runs(s, set, &w);
            grad_pass(s, t, set, &w);
        }
    }
}

/* The part's share of `panels` panels in all slices: it counts tiles, and takes some that follow
 * one another. */
RNC_KERNEL void grad_shared(const rnc_grad_weights_shape *s, const rnc_knobs *t,
                            const grad_columns *set, int panels, int part, int parts)
{
    rnc_grad_order order;
    grad_columns here = *set;
    rnc_cut_grad_pixels(s, t, &here.p);
    rnc_cut_grad_rows(s, rnc_tile_pixels(t, set->nv), &here.c);
    rnc_order_grad(panels * set->across, here.c.all, here.c.big * here.c.unit * set->nv * RNC_VL,
                   &order);
    const int each = order.across * order.all, all = s->slices * each;
    const int first = rnc_share(all, part, parts), end = rnc_share(all, part + 1, parts);
    here.runs = (rnc_grad_run *)(void *)(set->copy + rnc_grad_copied(s, &here.p));
    if (!rnc_grad_copies(s, &here.c, set->nv * RNC_VL))
        here.copy = NULL;
    for (int i = first / each; i * each < end && first < end; i++) {
        const int from = first - i * each, to = end - i * each;
        here.out = set->out + i * rnc_grad_floats(s);
        grad_some(s, t, &here, &order, i, from > 0 ? from : 0, to < each ? to : each);
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
#undef grad_column
#undef grad_across
#undef grad_follow
#undef grad_ahead
#undef grad_line
#undef grad_apart_out
#undef grad_apart_in
#undef grad_one
#undef grad_pass
#undef grad_take
#undef grad_next
#undef grad_some
#undef grad_shared
#undef grad_panels
