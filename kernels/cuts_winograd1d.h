/* cuts_winograd1d.h: how conv_winograd1d cuts its work (cuts.h). */
#ifndef RNC_CUTS_WINOGRAD1D_H
#define RNC_CUTS_WINOGRAD1D_H

#include "kernels/cuts.h"

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

#endif
