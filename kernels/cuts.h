/* cuts.h: how the kernels of convolutions cut their work into tiles, columns, blocks, groups and
 * strips, and how much scratch each part needs.
 * The contract: these functions are the only place where this is computed.  Kernels call them when
 * they run (the arguments are constants, so the compiler folds the calls away), and the planner
 * calls the same C to count tiles, to share work out and to reserve scratch.  A kernel that needs
 * another number adds it here; nothing here is computed a second time elsewhere.
 *
 *   - A cut is plain integer arithmetic on a shape and the knobs of a step.  It knows
 *     nothing of vectors, memory or ISAs: where lanes count they are an argument.  Knobs may have
 *     any value, also 0.
 *   - rnc_cut_<what>() fills a struct rnc_<what>_cut and sets every field.
 *   - Lengths and distances are in elements of the tensor that they belong to.  `floats` is the
 *     size of one part's scratch; the scratch of all parts is stored side by side.
 *   - This file is pasted into emitted code once, before the kernels of all ISAs. */
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

/* A kind of register tile of the methods that multiply in scratch (kernels/f32/sums.h), which is
 * compiled once: input channels in a turn, vectors, channels in a panel, the type of the weights,
 * the percentage of inputs that are read from memory, lines of weights fetched in a turn, and
 * whether inputs are fetched. */
typedef struct rnc_tile_kind {
    int unroll, vectors, width, weights, memory, lines, near;
} rnc_tile_kind;

/* RNC_LINES_ANY: the number of lines is not part of the kind.  In short turns even a count in a
 * register would cost time.  RNC_NEAR: pixels whose distances are kept in registers. */
enum { RNC_LINES_ANY = 3, RNC_SHORT_TURN = 64, RNC_NEAR = 5 };

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
    k->lines =
        lines < RNC_LINES_ANY && c.n * c.nv * k->unroll < RNC_SHORT_TURN ? lines : RNC_LINES_ANY;
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
 * tile, whole rows at a time.  The first n_big of `count` tiles have `big` pixels or rows, the
 * others have `small`. */
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

/* How the rows of a weight panel, one for each tap and input channel, are cut into blocks.  There
 * are `runs` runs of `run` rows each; the rows of a run read inputs that are stored side by side. A
 * block has `each` runs or, where a run is longer than `depth`, `piece` rows of one run, which is
 * then cut into `cuts` pieces.  A turn reads one row from each of `streams` parts of a run.  Each
 * block has a sum of its own where the sums are long. */
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

/* ---- conv_winograd and conv_winograd_taps ---- */

/* Planes along one side of a window.  With stride 1 there is one for each point of interpolation;
 * with stride 2, one for each point of the even pixels and one for each odd pixel. */
RNC_INLINE int rnc_winograd_planes(int m, int stride)
{
    return stride == 1 ? m + 2 : 2 * m + 1;
}

/* Most planes along a side (tiles of 4 with stride 2); most constants in a transform. */
enum { RNC_WINOGRAD_PLANES = 9, RNC_WINOGRAD_NUMBERS = 9 };

/* Tiles in an image. */
RNC_INLINE int rnc_winograd_tiles(int m, int out_h, int out_w)
{
    return rnc_div_up(out_h, m) * rnc_div_up(out_w, m);
}

/* 1: an image has tiles of m and of m - 1 pixels.  This is so if m does not divide the image and
 * the image's tiles fit into a group of up to `group`. */
RNC_INLINE int rnc_winograd_mixed(int m, int out_h, int out_w, int group)
{
    return (out_h % m > 0 || out_w % m > 0) && rnc_winograd_tiles(m, out_h, out_w) <= group;
}

/* Tiles along `pixels` output pixels: `full` tiles of m pixels, then `less` tiles of m - 1. */
typedef struct rnc_winograd_side {
    int full, less;
} rnc_winograd_side;

RNC_INLINE void rnc_winograd_along(int pixels, int m, int mixed, rnc_winograd_side *c)
{
    const int tiles = rnc_div_up(pixels, m), lacking = tiles * m - pixels;
    c->less = !mixed ? 0 : lacking < tiles ? lacking : tiles;
    c->full = tiles - c->less;
}

/* How the tiles of all images are cut into groups.  A group consists of units; a unit is an image
 * where tiles are mixed, else a tile.  The first `longer` groups have one unit more than `size`.
 * The scratch of a part holds the windows of a group, side * side planes of them, and then the
 * products of a panel, as many planes. */
typedef struct rnc_winograd_cut {
    int mixed;
    rnc_winograd_side y, x; /* tiles down, tiles across */
    int tiles, side;        /* tiles in all images; planes along a side of a window */
    int groups, size, longer;
    int pitch, plane;  /* floats from tile to tile and from plane to plane, in the windows */
    int wide, product; /* the same two distances in the products */
    ptrdiff_t floats;  /* size of windows and products */
} rnc_winograd_cut;

RNC_INLINE void rnc_cut_winograd(const rnc_conv_shape *s, const rnc_knobs *t, rnc_winograd_cut *c)
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

/* For conv_winograd_taps: input channels in a block, floats from plane to plane of the filters
 * (`plane`), and floats of scratch in all.  One row of filter planes is stored in scratch after
 * windows and products; there is none where t->pixels is 0 and filters are made in registers. */
enum { RNC_TAPS_PLANES = 6 }; /* planes in a row */

typedef struct rnc_taps_cut {
    int depth, plane;
    ptrdiff_t floats;
} rnc_taps_cut;

RNC_INLINE void rnc_cut_taps(const rnc_conv_shape *s, const rnc_knobs *t, rnc_taps_cut *c)
{
    c->depth = rnc_depth(t, s->in_c);
    c->plane = c->depth * s->panel + RNC_APART;
    c->floats = t->pixels > 0 ? (ptrdiff_t)RNC_TAPS_PLANES * c->plane : 0;
}

/* ---- conv_winograd1d ---- */

/* Output rows of a tile, and points of interpolation: three pairs and, for phases with four taps,
 * also the point 0. */
enum { RNC_WINOGRAD1D_ROWS = 4, RNC_WINOGRAD1D_PAIRED = 6, RNC_WINOGRAD1D_POINTS = 7 };

/* How a step is cut: into tiles of four output rows, and each tile into groups of pixels, the first
 * `longer` of which have one pixel more than `size`.  The scratch of a part holds the transformed
 * rows of a tile, then for each point the products of a group and a panel. */
typedef struct rnc_winograd1d_cut {
    int down, tiles; /* tiles in an image; tiles in all images */
    int groups, size, longer;
    int phases, zero;          /* phases; phases that have the point 0 */
    int rows, elements, pitch; /* transformed rows; elements in an input row; pitch of rows */
    int wide, product;         /* floats from product to product: next pixel, next point */
    int runs, run;             /* `runs` runs of `run` (tap, channel) stored side by side */
    ptrdiff_t floats;
} rnc_winograd1d_cut;

RNC_INLINE void rnc_cut_winograd1d(const rnc_conv_shape *s, const rnc_knobs *t,
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

/* Pixels whose places in the output are found at once; no less than RNC_CASES. */
enum { RNC_STRASSEN_PIECE = 32 };

/* How pixels are cut into strips, and what the scratch of a part holds: sums of the quarters of a
 * strip's input, a copy of that input unless it is flat, and three sums that wait for their
 * output. */
typedef struct rnc_strassen_cut {
    int half, panels;   /* input channels in a half; panels in a half of the output channels */
    int pixels, strips; /* in all images */
    int flat, pitch;    /* 1: products read the input, 0: a copy; distance of pixels */
    int up;             /* pixels in the first half of the longest strip */
    ptrdiff_t waiting, floats; /* offset in scratch of the sums that wait; size of all scratch */
} rnc_strassen_cut;

RNC_INLINE void rnc_cut_strassen(const rnc_conv_shape *s, const rnc_knobs *t, rnc_strassen_cut *c)
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

/* Tiles of `tile` output pixels.  Each is a matrix product: patches of `depth` elements (the input
 * itself where it has that form already) times the weights of a group's `width` output channels. */
typedef struct rnc_blas_cut {
    int patches; /* 1: inputs are first copied into patches */
    int depth, width, pixels, tile;
    ptrdiff_t columns, floats; /* size of the patches of a tile; size of patches and products */
} rnc_blas_cut;

RNC_INLINE void rnc_cut_blas(const rnc_conv_shape *s, const rnc_knobs *t, rnc_blas_cut *c)
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

/* Channels of a block of norm_images.c: a group, or whole groups that fill vectors, where groups are
 * smaller than 16 channels. */
RNC_INLINE int rnc_norm_block(int group, int c)
{
    int block = group;
    while (group < 16 && block % 16 != 0)
        block += group;
    return block < c ? block : c;
}

#endif
