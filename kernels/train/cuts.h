/* cuts.h: how the kernels of training cut their work, and how much memory they need beside the
 * tensors.  The contract is that of kernels/cuts.h: these functions are the only place where this
 * is computed, for kernels and planner.  This file is pasted into emitted code once, after
 * kernels/cuts.h and before the kernels of all ISAs. */
#ifndef RNC_TRAIN_CUTS_H
#define RNC_TRAIN_CUTS_H

#include "kernels/cuts.h"
#include "kernels/train/shapes.h"

/* ---- slices of the batch ---- */

/* The first image of slice i; for i = slices, where the last one ends. */
RNC_INLINE int rnc_slice_begin(int images, int slice, int i)
{
    return i * slice < images ? i * slice : images;
}

/* ---- conv_grad_weights ---- */

enum {
    RNC_GRAD_RECT = 1 << 17, /* floats of the sums of a rectangle of tiles */
    RNC_GRAD_ROWS = 32,      /* tiles in a column of it, unless there are fewer columns */
    RNC_LINE = 16            /* floats in a cache line */
};

/* Elements of packed weights with their biases: [group][panel]: bias[width], then
 * [kernel_h][kernel_w][in_c][width]. */
RNC_INLINE ptrdiff_t rnc_grad_floats(const rnc_grad_weights_shape *s)
{
    return ((ptrdiff_t)s->kernel_h * s->kernel_w * s->in_c + 1) * s->out_c;
}

/* Slices of the batch for which conv_grad_weights has enough to share out among many threads, and
 * no slice has many images or costs much memory: a power of two that the threads do not change. */
RNC_INLINE int rnc_grad_slices(const rnc_grad_weights_shape *s)
{
    enum { MOST = 8, ENOUGH = 1 << 18 }; /* ENOUGH: elements in all slices */
    int n = 1;
    while (n < MOST && 2 * n <= s->images && 2 * n * rnc_grad_floats(s) <= ENOUGH)
        n *= 2;
    return n;
}

/* The output rows or pixels 0 <= y < out whose tap at `tap`, in input rows from the window's begin,
 * meets an input row: first .. end-1. */
typedef struct rnc_met_cut {
    int first, end;
} rnc_met_cut;

RNC_INLINE void rnc_cut_met(int out, int in, int stride, int tap, int pad, rnc_met_cut *c)
{
    const int before = pad - tap, after = in - 1 + pad - tap;
    c->first = before > 0 ? rnc_div_up(before, stride) : 0;
    c->end = after < 0 ? 0 : after / stride + 1;
    c->end = c->end < out ? c->end : out;
    c->first = c->first < c->end ? c->first : c->end;
}

/* How the rows of a panel of weights, (tap, input channel), are cut into register tiles.  A kernel
 * row has `runs` runs of `units` units of `unit` rows each.  The first n_big of the `count` tiles
 * of a run have `big` units, the others `small`.  Units are `step` elements apart in the input.
 * Where a run spans several taps, pixels of the halo are read, so that it must hold zeros. */
typedef struct rnc_grad_rows_cut {
    int runs, units, unit, step;
    int wide; /* rows of a tile that are stored side by side in the input */
    int count, big, n_big, small;
    int all; /* tiles in a panel's column */
} rnc_grad_rows_cut;

RNC_INLINE void rnc_cut_grad_rows(const rnc_grad_weights_shape *s, int most, rnc_grad_rows_cut *c)
{
    const int merged =
        s->kernel_w > 1 && s->dilation_w == 1 && s->in_pixel == s->in_c && 2 * s->in_c <= most;
    const int joined = s->kernel_w > 1 && 2 * s->in_c <= most;
    c->runs = joined ? 1 : s->kernel_w;
    c->units = merged ? s->kernel_w * s->in_c : joined ? s->kernel_w : s->in_c;
    c->unit = joined && !merged ? s->in_c : 1;
    c->step = joined && !merged ? s->dilation_w * s->in_pixel : 1;
    c->wide = joined && !merged ? s->in_c : RNC_REGISTERS;
    c->count = rnc_div_up(c->units, most / c->unit);
    c->small = c->units / c->count;
    c->n_big = c->units % c->count;
    c->big = c->small + (c->n_big > 0);
    if (c->n_big == 0)
        c->n_big = c->count;
    c->all = s->kernel_h * c->runs * c->count;
}

/* The first unit of a run's tile, or of the one after its last. */
RNC_INLINE int rnc_grad_unit(const rnc_grad_rows_cut *c, int tile)
{
    return tile < c->n_big ? tile * c->big : c->n_big * c->big + (tile - c->n_big) * c->small;
}

/* How the output pixels of a slice are cut into blocks, whose sums are made in registers: `lines`
 * rows or, where a row is long, one of its `pieces`.  Blocks do not depend on how tensors are
 * stored, so that sums do not. */
typedef struct rnc_grad_pixels_cut {
    int h, w; /* rows in an image; pixels in a row */
    int lines, pieces;
} rnc_grad_pixels_cut;

RNC_INLINE void rnc_cut_grad_pixels(const rnc_grad_weights_shape *s, const rnc_knobs *t,
                                    rnc_grad_pixels_cut *c)
{
    enum { USUAL = 128 };
    const int most = t->depth > 0 ? t->depth : USUAL;
    c->h = s->out_h;
    c->w = s->out_w;
    c->lines = c->w < most ? most / c->w : 1;
    c->pieces = c->w > most ? rnc_div_up(c->w, most) : 1;
}

/* The order of the tiles of some columns with `all` tiles each: rectangle by rectangle, in each
 * column by column.  A rectangle is of at most `rows` tiles by `columns`, whose sums fit in the L2
 * while all blocks of a slice pass. */
typedef struct rnc_grad_order {
    int across, all;
    int columns, rows;
} rnc_grad_order;

/* floats: those of a tile's sums. */
RNC_INLINE void rnc_order_grad(int across, int all, int floats, rnc_grad_order *c)
{
    const int most = RNC_GRAD_RECT / floats > 1 ? RNC_GRAD_RECT / floats : 1; /* tiles */
    const int down = all < RNC_GRAD_ROWS || most >= across * all ? all : RNC_GRAD_ROWS;
    const int columns = most / down > 1 ? most / down : 1;
    c->across = across;
    c->all = all;
    c->columns = rnc_div_up(across, rnc_div_up(across, columns));
    c->rows = rnc_div_up(all, rnc_div_up(all, most / c->columns > 1 ? most / c->columns : 1));
}

/* The rectangle that a tile is in: its columns and rows of tiles, and the number of its first tile.
 */
typedef struct rnc_grad_rect {
    int column, columns, row, rows;
    int first;
} rnc_grad_rect;

RNC_INLINE void rnc_find_grad_rect(const rnc_grad_order *c, int tile, rnc_grad_rect *r)
{
    const int strip = c->columns * c->all; /* tiles of so many whole columns */
    const int in_strip = tile % strip;
    r->column = tile / strip * c->columns;
    r->columns = c->across - r->column < c->columns ? c->across - r->column : c->columns;
    r->row = in_strip / (c->rows * r->columns) * c->rows;
    r->rows = c->all - r->row < c->rows ? c->all - r->row : c->rows;
    r->first = r->column * c->all + r->row * r->columns;
}

/* 1: a block's gradients of a column of `width` channels are copied, so that they stay in the L1.
 * This pays where tiles are of few rows, and so read gradients fast, and several tiles read them.
 */
RNC_INLINE int rnc_grad_copies(const rnc_grad_weights_shape *s, const rnc_grad_rows_cut *c,
                               int width)
{
    return s->out_pixel > width && c->all > 3 && c->big * c->unit < 8;
}

/* Pixels of a row of the output that follow one another: where the first one's input and gradient
 * are, in elements from those of the block's first image; its number in the block; and the bytes by
 * which what is fetched meanwhile is further on than at the block's first pixel.  Several rows are
 * one run where no tensor has anything between them. */
typedef struct rnc_grad_run {
    int in, grad, number, pixels; /* pixels: 0: there are no more runs */
    int next_in, next_grad;
} rnc_grad_run;

/* Runs for which a block has room: for each tap, or each row of taps where they are taken together,
 * and for all of its pixels, one for each of its lines and one that ends them. */
RNC_INLINE ptrdiff_t rnc_grad_runs(const rnc_grad_weights_shape *s, const rnc_grad_pixels_cut *c)
{
    return ((ptrdiff_t)s->kernel_h * s->kernel_w + 1) * (c->lines + 1);
}

/* Floats of scratch for a part of conv_grad_weights: a copy of a column's gradients, then runs. */
RNC_INLINE ptrdiff_t rnc_grad_copied(const rnc_grad_weights_shape *s, const rnc_grad_pixels_cut *c)
{
    return (ptrdiff_t)c->lines * rnc_div_up(c->w, c->pieces) * s->panel;
}

RNC_INLINE ptrdiff_t rnc_grad_scratch(const rnc_grad_weights_shape *s, const rnc_knobs *t)
{
    enum { RUN = (int)(sizeof(rnc_grad_run) / sizeof(float)) };
    rnc_grad_pixels_cut c;
    rnc_cut_grad_pixels(s, t, &c);
    return (rnc_grad_copied(s, &c) + RUN * rnc_grad_runs(s, &c) + RNC_LINE - 1) / RNC_LINE *
           RNC_LINE;
}

/* ---- conv_grad_winograd ---- */

/* Tiles of 4 x 4 output pixels, windows of 6 x 6: F(4 x 4, 3 x 3) turned round. */
enum { RNC_GRAD_TILE = 4, RNC_GRAD_SIDE = 6, RNC_GRAD_PLANES = 36 };

/* Input channels of a unit: the knob depth if units of so many are whole vectors and all alike. */
RNC_INLINE int rnc_grad_inputs(const rnc_grad_weights_shape *s, const rnc_knobs *t)
{
    enum { BLOCK = 16 };
    return t->depth > 0 && t->depth % BLOCK == 0 && s->in_c % t->depth == 0 ? t->depth : BLOCK;
}

/* How conv_grad_winograd cuts its work: into units, each some input channels times some output
 * channels of a slice, which parts share; a unit's tiles into groups, whose windows and gradients
 * are in scratch at a time.  Neither depends on the images that there are, but for the last group
 * of a slice. */
typedef struct rnc_grad_winograd_cut {
    int across, tiles;      /* tiles across an image; in an image */
    int in_c, ins;          /* input channels of a unit, all alike; so many times */
    int out_c, outs;        /* output channels of a unit, whole panels; the last may have fewer */
    int units;              /* of all slices */
    int group;              /* tiles of a group */
    int window, grad, sums; /* floats of a plane: of windows, of gradients, of sums */
    ptrdiff_t floats;       /* scratch of a part */
} rnc_grad_winograd_cut;

RNC_INLINE void rnc_cut_grad_winograd(const rnc_grad_weights_shape *s, const rnc_knobs *t,
                                      rnc_grad_winograd_cut *c)
{
    enum { PANELS = 2 };
    const int across = rnc_div_up(s->out_w, RNC_GRAD_TILE);
    const int tiles = rnc_div_up(s->out_h, RNC_GRAD_TILE) * across, all = s->slice * tiles;
    c->across = across;
    c->tiles = tiles;
    c->in_c = rnc_grad_inputs(s, t);
    c->ins = s->in_c / c->in_c;
    c->out_c = s->out_c < PANELS * s->panel ? s->out_c : PANELS * s->panel;
    c->outs = rnc_div_up(s->out_c, PANELS * s->panel);
    c->units = s->slices * c->ins * c->outs;
    c->group = rnc_div_up(all, rnc_div_up(all, t->group > 0 ? t->group : 1));
    c->window = c->group * c->in_c + RNC_APART;
    c->grad = c->group * c->out_c + RNC_APART;
    c->sums = c->in_c * c->out_c + RNC_APART;
    c->floats = (ptrdiff_t)RNC_GRAD_PLANES * (c->window + c->grad + c->sums) + c->out_c;
}

/* ---- filters ---- */

/* Elements of packed filters with their biases. */
RNC_INLINE ptrdiff_t rnc_filter_floats(const rnc_filter_shape *s)
{
    return ((ptrdiff_t)s->kernel_h * s->kernel_w * s->in_c + 1) * s->out_c;
}

/* Panel i of packed filters, counted over all groups: its first output channel, its channels, and
 * the group that it belongs to.  Its first float is at first * (kernel_h * kernel_w * in_c + 1). */
typedef struct rnc_panel_place {
    int group, first, width;
} rnc_panel_place;

RNC_INLINE int rnc_filter_panels(const rnc_filter_shape *s)
{
    return s->groups * rnc_div_up(s->out_c / s->groups, s->panel);
}

RNC_INLINE void rnc_find_panel(const rnc_filter_shape *s, int i, rnc_panel_place *p)
{
    const int group_c = s->out_c / s->groups, each = rnc_div_up(group_c, s->panel);
    const int at = i % each * s->panel;
    p->group = i / each;
    p->first = p->group * group_c + at;
    p->width = group_c - at < s->panel ? group_c - at : s->panel;
}

/* ---- conv_grad_data, filter_pack ---- */

/* The input rows or pixels r, r + stride, ... of a forward convolution (phase r), as outputs of a
 * convolution with stride 1 of the output's gradient: row q of the phase is the sum over its taps j
 * of row q - pad + j * apart of the gradient (pad may be negative) times tap first + (taps - 1 - j)
 * * step of the forward filter.  Row y of the input meets output row (y + pad - k * dilation) /
 * stride at tap k where that is integral. */
typedef struct rnc_phase_cut {
    int pixels; /* rows or pixels of the phase */
    int taps, first, step, apart, pad;
} rnc_phase_cut;

RNC_INLINE void rnc_cut_phase(int in, int kernel, int stride, int dilation, int pad, int r,
                              rnc_phase_cut *c)
{
    int first = 0, step = 1;
    while (first < kernel && (r + pad - first * dilation) % stride != 0)
        first++;
    while (step * dilation % stride != 0)
        step++;
    c->pixels = r < in ? rnc_div_up(in - r, stride) : 0;
    c->taps = first < kernel ? (kernel - 1 - first) / step + 1 : 0;
    c->first = first;
    c->step = step;
    c->apart = step * dilation / stride;
    c->pad = (c->taps - 1) * c->apart - (r + pad - first * dilation) / stride;
}

/* Elements of the packed filters of a phase; none if it has no taps. */
RNC_INLINE ptrdiff_t rnc_phase_floats(const rnc_phase_cut *y, const rnc_phase_cut *x, int inputs,
                                      int channels)
{
    const int taps = y->taps * x->taps;
    return taps > 0 ? ((ptrdiff_t)taps * inputs + 1) * channels : 0;
}

/* Where the packed filters of phase i begin, or after the last phase, how many elements there are.
 */
RNC_INLINE ptrdiff_t rnc_phase_offset(const rnc_grad_data_shape *s, int i)
{
    ptrdiff_t at = 0;
    for (int k = 0; k < i; k++) {
        rnc_phase_cut y, x;
        rnc_cut_phase(s->in_h, s->kernel_h, s->stride_h, s->dilation_h, s->pad_top, k / s->stride_w,
                      &y);
        rnc_cut_phase(s->in_w, s->kernel_w, s->stride_w, s->dilation_w, s->pad_left,
                      k % s->stride_w, &x);
        at += rnc_phase_floats(&y, &x, s->out_c, s->in_c);
    }
    return at;
}

/* Phase i as a convolution, from the first pixel of the phase on.  Without taps, only its pixels
 * and distances mean something. */
RNC_INLINE void rnc_phase_conv(const rnc_grad_data_shape *s, int i, rnc_conv_shape *c)
{
    rnc_phase_cut y, x;
    rnc_cut_phase(s->in_h, s->kernel_h, s->stride_h, s->dilation_h, s->pad_top, i / s->stride_w,
                  &y);
    rnc_cut_phase(s->in_w, s->kernel_w, s->stride_w, s->dilation_w, s->pad_left, i % s->stride_w,
                  &x);
    c->images = s->images;
    c->out_h = y.pixels, c->out_w = x.pixels, c->out_c = s->in_c;
    c->kernel_h = y.taps, c->kernel_w = x.taps;
    c->stride_h = c->stride_w = 1;
    c->dilation_h = y.apart, c->dilation_w = x.apart;
    c->pad_top = y.pad, c->pad_left = x.pad;
    c->groups = s->groups, c->in_c = s->out_c, c->panel = s->panel;
    c->winograd = 0, c->weights = RNC_WEIGHTS_F32;
    c->in_h = c->in_w = 0; /* windows are not clipped: there are zeros around the gradient */
    c->in_pixel = s->out_pixel, c->in_row = s->out_row, c->in_image = s->out_image;
    c->out_pixel = s->stride_w * s->in_pixel, c->out_row = s->stride_h * s->in_row;
    c->out_image = s->in_image;
    c->residual = s->residual;
    c->res_pixel = s->stride_w * s->res_pixel, c->res_row = s->stride_h * s->res_row;
    c->res_image = s->res_image;
    c->act = RNC_ACT_NONE, c->alpha = c->beta = 0.0f;
}

/* The halo of zeros that conv_grad_data reads around the output's gradient, at least 0 each. */
typedef struct rnc_halo_cut {
    int top, left, bottom, right;
} rnc_halo_cut;

RNC_INLINE void rnc_grad_halo(const rnc_grad_data_shape *s, rnc_halo_cut *h)
{
    h->top = h->left = h->bottom = h->right = 0;
    for (int r = 0; r < s->stride_h; r++) {
        rnc_phase_cut c;
        rnc_cut_phase(s->in_h, s->kernel_h, s->stride_h, s->dilation_h, s->pad_top, r, &c);
        const int last = c.pixels - 1 - c.pad + (c.taps - 1) * c.apart - (s->out_h - 1);
        h->top = c.taps > 0 && c.pixels > 0 && c.pad > h->top ? c.pad : h->top;
        h->bottom = c.taps > 0 && c.pixels > 0 && last > h->bottom ? last : h->bottom;
    }
    for (int r = 0; r < s->stride_w; r++) {
        rnc_phase_cut c;
        rnc_cut_phase(s->in_w, s->kernel_w, s->stride_w, s->dilation_w, s->pad_left, r, &c);
        const int last = c.pixels - 1 - c.pad + (c.taps - 1) * c.apart - (s->out_w - 1);
        h->left = c.taps > 0 && c.pixels > 0 && c.pad > h->left ? c.pad : h->left;
        h->right = c.taps > 0 && c.pixels > 0 && last > h->right ? last : h->right;
    }
}

/* ---- optimizers ---- */

enum { RNC_SQUARES = 4096 }; /* numbers whose squares square_sum adds at once */

/* ---- batch normalisation ---- */

enum {
    RNC_BN_SUMMED = 64,  /* pixels of a block that is summed */
    RNC_BN_MAPPED = 256, /* of one that is mapped */
    RNC_BN_WIDE = 16,    /* vectors of a pixel that a pass maps */
    RNC_BN_AHEAD = 32    /* so many vectors ahead it fetches: the CPU's own prefetcher follows only
                          * lines that are in order */
};

/* Slices of the batch for the sums of batch normalisation. */
RNC_INLINE int rnc_bn_slices(int images)
{
    return images >= 16 ? 16 : images >= 8 ? 8 : images >= 4 ? 4 : images;
}

/* Images in a slice times their pixels. */
RNC_INLINE int rnc_bn_pixels(const rnc_bn_shape *s, int slice)
{
    const int first = rnc_slice_begin(s->images, s->slice, slice);
    return (rnc_slice_begin(s->images, s->slice, slice + 1) - first) * s->h * s->w;
}

/* How the rows of a slice, counted over all images (slice -1: of all), are cut into blocks of about
 * `most` pixels: `lines` rows or, where a row is long, one of its `pieces`. */
typedef struct rnc_bn_cut {
    int first, end; /* rows */
    int lines, pieces, blocks;
} rnc_bn_cut;

RNC_INLINE void rnc_cut_bn(const rnc_bn_shape *s, int slice, int most, rnc_bn_cut *c)
{
    c->first = slice < 0 ? 0 : rnc_slice_begin(s->images, s->slice, slice) * s->h;
    c->end = (slice < 0 ? s->images : rnc_slice_begin(s->images, s->slice, slice + 1)) * s->h;
    c->lines = s->w < most ? most / s->w : 1;
    c->pieces = s->w > most ? rnc_div_up(s->w, most) : 1;
    c->blocks = rnc_div_up(c->end - c->first, c->lines) * c->pieces;
}

/* Rows line .. end-1, and of each the pixels x0 .. x1-1. */
typedef struct rnc_bn_block {
    int line, end, x0, x1;
} rnc_bn_block;

RNC_INLINE void rnc_find_bn_block(const rnc_bn_shape *s, const rnc_bn_cut *c, int i,
                                  rnc_bn_block *b)
{
    b->line = c->first + i / c->pieces * c->lines;
    b->end = b->line + c->lines < c->end ? b->line + c->lines : c->end;
    b->x0 = rnc_share(s->w, i % c->pieces, c->pieces);
    b->x1 = rnc_share(s->w, i % c->pieces + 1, c->pieces);
}

/* The offset of pixel x of row `line`, counted over all images. */
RNC_INLINE ptrdiff_t rnc_bn_at(const rnc_bn_shape *s, int line, int image, int row, int x,
                               int pixel)
{
    return rnc_at(line / s->h, image, line % s->h, row, x, pixel);
}

#endif
