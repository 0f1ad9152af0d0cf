/* cuts.h: how the kernels of convolutions cut their work: tiles, columns, blocks, groups, strips,
 * and the scratch that each part needs.
 *
 * The contract: these functions are the only place where this is computed.  Kernels call them when
 * they run (their arguments are constants, so that nothing is left of them), and the planner calls
 * the same C to count tiles, to share work out and to reserve scratch.  A kernel that needs another
 * number adds it here; nobody computes one of these a second time.
 *
 *   - Plain integer arithmetic on a shape and the knobs of a step.  No vectors, no memory, no ISA:
 *     where lanes count they are an argument.  Any values of the knobs are allowed, including 0.
 *   - rnc_cut_<what>() fills a struct rnc_<what>_cut; every field is set.
 *   - Lengths and distances are in elements of the tensor that they belong to; `floats` are those
 *     of the scratch of one part, and parts take theirs side by side.
 *   - This file is pasted into emitted code once, before the kernels of all ISAs. */
#ifndef RNC_CUTS_H
#define RNC_CUTS_H

#include "kernels/parts.h"
#include "kernels/shapes.h"

/* Floats between planes in scratch, so that distances which are powers of two do not meet in few
 * sets of the cache. */
enum { RNC_APART = 16 };

/* Input channels that a turn of the inner loop takes: more would not stay in registers. */
RNC_INLINE int rnc_unroll(const rnc_tile *t)
{
    return rnc_clamp(t->unroll, 1, 8);
}

/* The output channels of a group as weight panels: `full` panels of s->panel channels and, where
 * `narrow` is not 0, one of `narrow` channels. */
typedef struct rnc_panels_cut {
    int full, narrow;
    int per_group, count; /* panels of a group, panels of all groups */
} rnc_panels_cut;

RNC_INLINE void rnc_cut_panels(const rnc_conv_shape *s, rnc_panels_cut *c)
{
    const int group_c = s->out_c / s->groups;
    c->full = group_c / s->panel;
    c->narrow = group_c % s->panel;
    c->per_group = c->full + (c->narrow > 0);
    c->count = s->groups * c->per_group;
}

/* Input channels of a block, of n: whole turns, all where t->depth does not say fewer. */
RNC_INLINE int rnc_depth(const rnc_tile *t, int n)
{
    const int u = rnc_unroll(t);
    return t->depth >= u && t->depth < n ? t->depth / u * u : n;
}

/* A register tile whose vectors divide those of a panel: nv vectors times up to n pixels, of which
 * the kernel has code for `most`. */
typedef struct rnc_registers_cut {
    int nv, n;
} rnc_registers_cut;

enum { RNC_REGISTERS = 32, RNC_CASES = 14 }; /* sums of a tile; pixels of a `switch` of tiles */

RNC_INLINE void rnc_cut_registers(const rnc_tile *t, int width, int lanes, int most,
                                  rnc_registers_cut *c)
{
    const int vectors = width / lanes, wish = t->vectors > 0 ? t->vectors : 1;
    int fit;
    c->nv = wish <= vectors && wish <= 8 && vectors % wish == 0 ? wish : 1;
    fit = RNC_REGISTERS / c->nv;
    c->n = rnc_clamp(t->pixels, 1, fit < most ? fit : most);
}

/* ---- conv_direct ---- */

/* Pixels of a register tile of nv vectors, in one of the sizes that t asks for. */
RNC_INLINE int rnc_tile_pixels(const rnc_tile *t, int nv)
{
    const int sums = (t->pixels > 0 ? t->pixels : 4) * (t->vectors > 0 ? t->vectors : 1);
    return rnc_clamp(sums / nv, 1, RNC_REGISTERS / nv);
}

/* How output pixels are cut into register tiles: along rows or, where several rows fit into one
 * tile, whole rows at a time.  The first n_big tiles of `count` have `big` pixels or rows, the
 * others `small`. */
typedef struct rnc_tiles_cut {
    int images, h, w; /* as one row where rows, as one image where images, are contiguous */
    int stacked;      /* 1: tiles of whole rows */
    int count, big, n_big, small;
    int all; /* tiles of all images */
} rnc_tiles_cut;

RNC_INLINE void rnc_cut_tiles(const rnc_conv_shape *s, int pixels, rnc_tiles_cut *c)
{
    const int res = s->residual;
    int total, most;
    c->images = s->images;
    c->h = s->out_h;
    c->w = s->out_w;
    if (s->out_row == c->w * s->out_pixel && (!res || s->res_row == c->w * s->res_pixel) &&
        (ptrdiff_t)s->in_row * s->stride_h == (ptrdiff_t)c->w * s->in_pixel * s->stride_w) {
        if (s->out_image == c->h * s->out_row && (!res || s->res_image == c->h * s->res_row) &&
            s->in_image == (ptrdiff_t)c->h * s->in_row * s->stride_h) {
            c->h *= c->images;
            c->images = 1;
        }
        c->w *= c->h;
        c->h = 1;
    }
    c->stacked = c->h > 1 && 2 * c->w <= pixels;
    total = c->stacked ? c->h : c->w;
    most = c->stacked ? pixels / c->w : pixels;
    c->count = rnc_div_up(total, most);
    c->big = most;
    c->n_big = total / most;
    c->small = total % most;
    if (c->small * 2 < most && c->small > 0) { /* a small rest: all tiles nearly equal instead */
        c->small = total / c->count;
        c->big = c->small + 1;
        c->n_big = total % c->count;
    }
    c->all = c->images * (c->stacked ? 1 : c->h) * c->count;
}

/* 1: the taps of a kernel row and their channels lie side by side in the input. */
RNC_INLINE int rnc_taps_merge(const rnc_conv_shape *s)
{
    return s->dilation_w == 1 && s->in_pixel == s->in_c;
}

/* How the rows of a weight panel, those of its taps and input channels, are cut into blocks: `runs`
 * runs of `run` rows that read inputs which lie side by side.  A block has `each` runs or, where a
 * run is longer than `depth`, `piece` rows of one, so that there are `cuts` of a run.  A turn reads
 * a row of each of `streams` parts of a run. */
typedef struct rnc_rows_cut {
    int run, runs, piece, cuts, each, count, streams;
} rnc_rows_cut;

RNC_INLINE void rnc_cut_rows(const rnc_conv_shape *s, int depth, int streams, rnc_rows_cut *c)
{
    const int merged = rnc_taps_merge(s), most = streams < 8 ? streams : 8;
    c->run = merged ? s->kernel_w * s->in_c : s->in_c;
    c->runs = merged ? s->kernel_h : s->kernel_h * s->kernel_w;
    c->piece = depth > 0 && depth < c->run ? depth : c->run;
    c->cuts = rnc_div_up(c->run, c->piece);
    c->each = depth >= c->run && depth / c->run < c->runs ? depth / c->run
              : c->cuts > 1                               ? 1
                                                          : c->runs;
    c->count = rnc_div_up(c->runs, c->each) * c->cuts;
    c->streams = most > 1 && c->run % most == 0 && c->piece % most == 0 ? most : 1;
}

/* Weights of 16 bits of a block that this many tiles read, and that are no more than this many, are
 * made floats once, on the stack. */
enum { RNC_WIDENED_TILES = 3, RNC_WIDENED_FLOATS = 8192 };

/* ---- conv_winograd and conv_winograd_taps ---- */

/* Planes of a side of a window: one for each point of interpolation or, with stride 2, for each of
 * those of the even pixels and for each odd pixel. */
RNC_INLINE int rnc_winograd_planes(int m, int stride)
{
    return stride == 1 ? m + 2 : 2 * m + 1;
}

/* Planes of the largest side: tiles of 4 with stride 2; constants of a transform at most. */
enum { RNC_WINOGRAD_PLANES = 9, RNC_WINOGRAD_NUMBERS = 9 };

/* Tiles of an image. */
RNC_INLINE int rnc_winograd_tiles(int m, int out_h, int out_w)
{
    return rnc_div_up(out_h, m) * rnc_div_up(out_w, m);
}

/* 1: an image has tiles of m and of m - 1 pixels: where m does not divide it and its tiles fit into
 * a group of up to `group`. */
RNC_INLINE int rnc_winograd_mixed(int m, int out_h, int out_w, int group)
{
    return (out_h % m > 0 || out_w % m > 0) && rnc_winograd_tiles(m, out_h, out_w) <= group;
}

/* Tiles along `pixels` output pixels: `full` of m pixels, then `less` of m - 1. */
typedef struct rnc_winograd_side {
    int full, less;
} rnc_winograd_side;

RNC_INLINE void rnc_winograd_along(int pixels, int m, int mixed, rnc_winograd_side *c)
{
    const int tiles = rnc_div_up(pixels, m), lacking = tiles * m - pixels;
    c->less = !mixed ? 0 : lacking < tiles ? lacking : tiles;
    c->full = tiles - c->less;
}

/* How the tiles of all images are cut into groups of units, which are images where tiles are mixed,
 * else tiles.  The first `longer` groups have one unit more than `size`.  In scratch a part has the
 * windows of a group, side * side planes of them, then the products of a panel, as many planes. */
typedef struct rnc_winograd_cut {
    int mixed;
    rnc_winograd_side y, x; /* tiles down, tiles across */
    int tiles, side;        /* tiles of all images; planes of a side of a window */
    int groups, size, longer;
    int pitch, plane;  /* floats from tile to tile, plane to plane of windows, */
    int wide, product; /* and of products */
    ptrdiff_t floats;  /* of windows and products */
} rnc_winograd_cut;

RNC_INLINE void rnc_cut_winograd(const rnc_conv_shape *s, const rnc_tile *t, rnc_winograd_cut *c)
{
    const int m = s->winograd, most = t->group > 0 ? t->group : 1;
    const int image = rnc_winograd_tiles(m, s->out_h, s->out_w);
    int units, of, widest;
    c->mixed = rnc_winograd_mixed(m, s->out_h, s->out_w, most);
    c->tiles = s->images * image;
    c->side = rnc_winograd_planes(m, s->stride_h);
    rnc_winograd_along(s->out_h, m, c->mixed, &c->y);
    rnc_winograd_along(s->out_w, m, c->mixed, &c->x);
    of = c->mixed ? image : 1;
    units = c->tiles / of;
    c->groups = rnc_div_up(units, most / of);
    c->size = units / c->groups;
    c->longer = units % c->groups;
    widest = (c->size + (c->longer > 0)) * of;
    c->pitch = rnc_div_up(s->in_c, 16) * 16 + (s->in_c % 64 == 0 ? RNC_APART : 0);
    c->plane = widest * c->pitch + RNC_APART;
    c->wide = s->out_c < s->panel ? s->out_c : s->panel;
    c->product = widest * c->wide + RNC_APART;
    c->floats = (ptrdiff_t)c->side * c->side * (c->plane + c->product);
}

/* Plain taps: input channels of a block; `plane` floats from plane to plane of filters, of which
 * there is a row in scratch after windows and products, `floats` in all; none where t->pixels is 0
 * and filters are made in registers. */
enum { RNC_TAPS_PLANES = 6 }; /* of a row */

typedef struct rnc_taps_cut {
    int depth, plane;
    ptrdiff_t floats;
} rnc_taps_cut;

RNC_INLINE void rnc_cut_taps(const rnc_conv_shape *s, const rnc_tile *t, rnc_taps_cut *c)
{
    c->depth = rnc_depth(t, s->in_c);
    c->plane = c->depth * s->panel + RNC_APART;
    c->floats = t->pixels > 0 ? (ptrdiff_t)RNC_TAPS_PLANES * c->plane : 0;
}

/* ---- conv_winograd1d ---- */

/* Output rows of a tile, and points of interpolation: three pairs and, in phases with four taps,
 * the point 0. */
enum { RNC_WINOGRAD1D_ROWS = 4, RNC_WINOGRAD1D_PAIRED = 6, RNC_WINOGRAD1D_POINTS = 7 };

/* How a step is cut: tiles of four output rows, and of them groups of pixels, the first `longer` of
 * which have one more than `size`.  In scratch a part has the transformed rows of a tile, then the
 * products of a group and a panel, for each point. */
typedef struct rnc_winograd1d_cut {
    int down, tiles; /* tiles of an image, of all images */
    int groups, size, longer;
    int phases, zero;          /* phases, and those that have the point 0 */
    int rows, elements, pitch; /* transformed rows; elements of an input row, and from row to row */
    int wide, product;         /* floats from pixel to pixel of products, and from point to point */
    int runs, run;             /* taps and channels that lie side by side: `runs` times `run` */
    ptrdiff_t floats;
} rnc_winograd1d_cut;

RNC_INLINE void rnc_cut_winograd1d(const rnc_conv_shape *s, const rnc_tile *t,
                                   rnc_winograd1d_cut *c)
{
    const int most = t->group > 0 ? t->group : 1, four = s->kernel_h - 3 * s->stride_h;
    const int merged = rnc_taps_merge(s);
    const int across = (s->out_w - 1) * s->stride_w + (s->kernel_w - 1) * s->dilation_w;
    c->down = rnc_div_up(s->out_h, RNC_WINOGRAD1D_ROWS);
    c->tiles = s->images * c->down;
    c->groups = rnc_div_up(s->out_w, most);
    c->size = s->out_w / c->groups;
    c->longer = s->out_w % c->groups;
    c->phases = s->stride_h;
    c->zero = four > 0 ? four : 0;
    c->rows = RNC_WINOGRAD1D_PAIRED * c->phases + c->zero;
    c->elements = across * s->in_pixel + s->in_c;
    c->pitch = rnc_div_up(c->elements, 16) * 16;
    c->wide = s->out_c < s->panel ? s->out_c : s->panel;
    c->product = (c->size + (c->longer > 0)) * c->wide + RNC_APART;
    c->runs = merged ? 1 : s->kernel_w;
    c->run = merged ? s->kernel_w * s->in_c : s->in_c;
    c->floats = (ptrdiff_t)c->rows * c->pitch + (ptrdiff_t)RNC_WINOGRAD1D_POINTS * c->product;
}

/* ---- conv_strassen ---- */

/* How pixels are cut into strips, and what a part has in scratch: sums of the quarters of a strip's
 * input or, unless the input is flat, a copy of it as well; then three sums of output waiting. */
typedef struct rnc_strassen_cut {
    int half, panels;   /* input channels of a half; panels of a half of the output's */
    int pixels, strips; /* of all images */
    int flat, pitch;    /* 1: products read the input itself, 0: a copy; from pixel to pixel */
    int up;             /* pixels of the first half of the longest strip */
    ptrdiff_t waiting, floats; /* where in scratch sums wait; all of it */
} rnc_strassen_cut;

RNC_INLINE void rnc_cut_strassen(const rnc_conv_shape *s, const rnc_tile *t, rnc_strassen_cut *c)
{
    const int group = t->group > 0 ? t->group : 1, pixel = s->stride_w * s->in_pixel;
    const ptrdiff_t row = (ptrdiff_t)s->out_w * pixel;
    c->half = s->in_c / 2;
    c->panels = s->out_c / (2 * s->panel);
    c->pixels = s->images * s->out_h * s->out_w;
    c->strips = rnc_div_up(c->pixels, group);
    c->flat = (ptrdiff_t)s->stride_h * s->in_row == row &&
              (s->images == 1 || s->in_image == s->out_h * row) && pixel < 2 * s->in_c;
    c->pitch = c->flat ? pixel : s->in_c + (s->in_c % 512 == 0 ? RNC_APART : 0);
    c->up = (rnc_div_up(c->pixels, c->strips) + 1) / 2;
    c->waiting = (ptrdiff_t)(c->flat ? 2 : 4) * c->up * c->pitch;
    c->floats = c->waiting + (ptrdiff_t)3 * c->up * s->panel;
}

/* ---- conv_blas ---- */

/* Tiles of `tile` output pixels, each a matrix product: patches of `depth` elements, unless the
 * input is one already, times the weights of a group's `width` output channels. */
typedef struct rnc_blas_cut {
    int patches; /* 1: inputs are copied as patches first */
    int depth, width, pixels, tile;
    ptrdiff_t columns, floats; /* of the patches of a tile; of patches and products */
} rnc_blas_cut;

RNC_INLINE void rnc_cut_blas(const rnc_conv_shape *s, const rnc_tile *t, rnc_blas_cut *c)
{
    enum { MOST = 1 << 19 }; /* floats of scratch, unless a single pixel needs more */
    int fit, most;
    c->patches = !(s->kernel_h == 1 && s->kernel_w == 1 && s->stride_h == 1 && s->stride_w == 1 &&
                   s->pad_top == 0 && s->pad_left == 0 && s->in_row == s->out_w * s->in_pixel);
    c->depth = s->kernel_h * s->kernel_w * s->in_c;
    c->width = s->out_c / s->groups;
    c->pixels = s->out_h * s->out_w;
    fit = MOST / (c->patches ? c->depth + c->width : c->width);
    most = t->pixels > 0 && t->pixels < c->pixels ? t->pixels : c->pixels;
    c->tile = fit < 1 ? 1 : fit < most ? fit : most;
    c->columns = c->patches ? (ptrdiff_t)c->tile * c->depth : 0;
    c->floats = c->columns + (ptrdiff_t)c->tile * c->width;
}

#endif
