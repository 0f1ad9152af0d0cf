/* cuts_blas.h: how conv_blas cuts its work (cuts.h). */
#ifndef RNC_CUTS_BLAS_H
#define RNC_CUTS_BLAS_H

#include "kernels/cuts.h"

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

#endif
