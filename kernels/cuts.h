/* cuts.h: how the kernels of convolutions cut their work; cuts_<method>.h have what only some of
 * them need.  The planner calls the same functions (kernels/README). */
#ifndef RNC_CUTS_H
#define RNC_CUTS_H

#include "kernels/parts.h"
#include "kernels/shapes.h"

/* Extra floats between planes in scratch: without them, planes at distances of a power of two would
 * compete for a few sets of the cache. */
enum { RNC_APART = 16 };

/* Input channels in a turn of the inner loop.  More would not stay in registers. */
RNC_INLINE int rnc_unroll(const rnc_knobs *t)
{
    return rnc_clamp(t->unroll, 1, 8);
}

/* Input channels in a turn, if all turns of n channels are to be equal. */
RNC_INLINE int rnc_turn(const rnc_knobs *t, int n)
{
    const int u = rnc_unroll(t);
    return n % u == 0 ? u : n % 4 == 0 && u > 4 ? 4 : n % 2 == 0 && u > 2 ? 2 : 1;
}

/* How the output channels of a group are cut into weight panels: `full` panels of s->panel channels
 * and, if `narrow` is not 0, one panel of `narrow` channels. */
typedef struct rnc_panels_cut {
    int full, narrow;
    int per_group, count; /* panels in a group; panels in all groups */
} rnc_panels_cut;

RNC_INLINE void rnc_cut_panels(const rnc_conv_shape *s, rnc_panels_cut *c)
{
    const int group_c = s->out_c / s->groups;
    c->full = group_c / s->panel;
    c->narrow = group_c % s->panel;
    c->per_group = c->full + (c->narrow > 0);
    c->count = s->groups * c->per_group;
}

/* Input channels in a block, out of n: a whole number of turns, and all n unless t->depth asks for
 * fewer. */
RNC_INLINE int rnc_depth(const rnc_knobs *t, int n)
{
    const int u = rnc_turn(t, n);
    return t->depth >= u && t->depth < n ? t->depth / u * u : n;
}

/* Register tiles of nv vectors times up to n pixels, where nv divides the vectors of a panel.  The
 * kernel has code for at most `most` pixels. */
typedef struct rnc_registers_cut {
    int nv, n;
} rnc_registers_cut;

enum { RNC_REGISTERS = 32, RNC_CASES = 14 }; /* sums in a tile; cases in a `switch` over pixels */

RNC_INLINE void rnc_cut_registers(const rnc_knobs *t, int width, int lanes, int most,
                                  rnc_registers_cut *c)
{
    const int vectors = width / lanes, wish = t->vectors > 0 ? t->vectors : 1;
    int fit;
    c->nv = wish <= vectors && wish <= 8 && vectors % wish == 0 ? wish : 1;
    fit = RNC_REGISTERS / c->nv;
    c->n = rnc_clamp(t->pixels, 1, fit < most ? fit : most);
}

/* A kind of register tile (kernels/f32/sums.h), which is compiled once: input channels in a turn,
 * vectors, channels in a panel, the type of the weights, percent of inputs that are read from
 * memory, lines of weights fetched in each input channel, and whether inputs are fetched. */
typedef struct rnc_tile_kind {
    int unroll, vectors, width, weights, memory, lines, near;
} rnc_tile_kind;

enum { RNC_LINES_MOST = 2 }; /* lines fetched in an input channel */

/* The kind for panels of `width` channels and rows of n input channels. */
RNC_INLINE void rnc_choose_kind(const rnc_knobs *t, int n, int width, int lanes, int elem,
                                rnc_tile_kind *k)
{
    const int lines = t->prefetch_weights;
    rnc_registers_cut c;
    rnc_cut_registers(t, width, lanes, RNC_CASES, &c);
    k->unroll = rnc_turn(t, n);
    k->vectors = c.nv;
    k->width = width;
    k->weights = elem;
    k->memory = t->memory_broadcasts;
    k->lines = rnc_clamp(rnc_div_up(lines, k->unroll), 0, RNC_LINES_MOST);
    k->near = t->prefetch_input > 0;
}

/* ---- conv_direct ---- */

/* Pixels of a register tile with nv vectors: one of the sizes that t asks for. */
RNC_INLINE int rnc_tile_pixels(const rnc_knobs *t, int nv)
{
    const int sums = (t->pixels > 0 ? t->pixels : 4) * (t->vectors > 0 ? t->vectors : 1);
    return rnc_clamp(sums / nv, 1, RNC_REGISTERS / nv);
}

/* How output pixels are cut into register tiles: along rows or, where several rows fit into one
 * tile, whole rows at a time; where windows are clipped to the input, along rows, since their
 * number is that of a tap.  The first n_big of `count` tiles have `big` pixels or rows, the others
 * have `small`. */
typedef struct rnc_tiles_cut {
    int images, h, w; /* contiguous rows count as one row, contiguous images as one image */
    int stacked;      /* 1: tiles are made of whole rows */
    int count, big, n_big, small;
    int all; /* tiles in all images */
} rnc_tiles_cut;

RNC_INLINE void rnc_cut_tiles(const rnc_conv_shape *s, int pixels, rnc_tiles_cut *c)
{
    const int res = s->residual;
    int total, most;
    c->images = s->images;
    c->h = s->out_h;
    c->w = s->out_w;
    if (s->in_h == 0 && s->out_row == c->w * s->out_pixel &&
        (!res || s->res_row == c->w * s->res_pixel) &&
        (ptrdiff_t)s->in_row * s->stride_h == (ptrdiff_t)c->w * s->in_pixel * s->stride_w) {
        if (s->out_image == c->h * s->out_row && (!res || s->res_image == c->h * s->res_row) &&
            s->in_image == (ptrdiff_t)c->h * s->in_row * s->stride_h) {
            c->h *= c->images;
            c->images = 1;
        }
        c->w *= c->h;
        c->h = 1;
    }
    c->stacked = s->in_h == 0 && c->h > 1 && 2 * c->w <= pixels;
    total = c->stacked ? c->h : c->w;
    most = c->stacked ? pixels / c->w : pixels;
    c->count = rnc_div_up(total, most);
    c->big = most;
    c->n_big = total / most;
    c->small = total % most;
    if (c->small * 2 < most && c->small > 0) { /* make all tiles nearly equal */
        c->small = total / c->count;
        c->big = c->small + 1;
        c->n_big = total % c->count;
    }
    c->all = c->images * (c->stacked ? 1 : c->h) * c->count;
}

/* 1: the taps of a kernel row and their channels are stored side by side in the input. */
RNC_INLINE int rnc_taps_merge(const rnc_conv_shape *s)
{
    return s->dilation_w == 1 && s->in_pixel == s->in_c;
}

/* How the rows of a weight panel, one for each tap and input channel, are cut into blocks.  The
 * `run` rows of each of `runs` runs read inputs that are stored side by side.  A block has `each`
 * runs or, where a run is longer than `depth`, `piece` rows of one run, which then has `cuts`
 * pieces.  A turn reads one row from each of `streams` parts of a run.  Each block has a sum of its
 * own where the sums are long. */
typedef struct rnc_rows_cut {
    int run, runs, piece, cuts, each, count, streams, is_long;
} rnc_rows_cut;

RNC_INLINE void rnc_cut_rows(const rnc_conv_shape *s, int depth, int streams, rnc_rows_cut *c)
{
    const int merged = rnc_taps_merge(s), most = streams < 8 ? streams : 8;
    c->run = merged ? s->kernel_w * s->in_c : s->in_c;
    c->runs = merged ? s->kernel_h : s->kernel_h * s->kernel_w;
    c->is_long = (ptrdiff_t)c->run * c->runs > RNC_SUM_MOST;
    if (c->is_long && (depth <= 0 || depth > RNC_SUM_ROWS))
        depth = RNC_SUM_ROWS;
    c->piece = depth > 0 && depth < c->run ? depth : c->run;
    c->cuts = rnc_div_up(c->run, c->piece);
    c->each = depth >= c->run && depth / c->run < c->runs ? depth / c->run
              : c->cuts > 1                               ? 1
                                                          : c->runs;
    c->count = rnc_div_up(c->runs, c->each) * c->cuts;
    c->streams = most > 1 && c->run % most == 0 && c->piece % most == 0 ? most : 1;
}

/* Weights of 16 bits are converted to floats once per block, on the stack, if at least
 * RNC_WIDENED_TILES tiles read them and they are at most RNC_WIDENED_FLOATS weights. */
enum { RNC_WIDENED_TILES = 3, RNC_WIDENED_FLOATS = 8192 };

#endif
