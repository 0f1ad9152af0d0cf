/* parts.h: what all kernels share and what is the same for every instruction set. */
#ifndef RNC_PARTS_H
#define RNC_PARTS_H

#include "kernels/shapes.h"

#include <stddef.h>

#if defined(__clang__)
#define RNC_INLINE static inline __attribute__((always_inline, unused))
#elif defined(__GNUC__)
#define RNC_INLINE static inline __attribute__((unused))
#else
#define RNC_INLINE static inline
#endif

/* How many numbers are summed in floats before their sum is added to a double: pixels of a pooling
 * window, and channels of a softmax. */
enum { RNC_SUM_BLOCK = 256, RNC_SOFTMAX_BLOCK = 4096 };
/* Channels of a block that a part of reduce_over or softmax_over takes. */
enum { RNC_OVER_BLOCK = 64 };
/* Sums of more than RNC_SUM_MOST products are cut into blocks.  Each block, of at most RNC_SUM_ROWS
 * products, is summed by itself, and then added to the sum of the blocks before it. */
enum { RNC_SUM_MOST = 8192, RNC_SUM_ROWS = 2048 };

/* Shares n units among parts: part p does units rnc_share(n, p) to rnc_share(n, p + 1) - 1. */
RNC_INLINE int rnc_share(int n, int part, int parts)
{
    return (int)((long long)n * part / parts);
}

/* The offset of pixel (y, x) of image n, in elements from pixel (0, 0) of image 0. */
RNC_INLINE ptrdiff_t rnc_at(int n, int image, int y, int row, int x, int pixel)
{
    return (ptrdiff_t)n * image + (ptrdiff_t)y * row + (ptrdiff_t)x * pixel;
}

RNC_INLINE int rnc_div_up(int a, int b)
{
    return (a + b - 1) / b;
}

/* Bytes in a packed weight of element type `elem`. */
RNC_INLINE int rnc_weight_bytes(int elem)
{
    return elem == RNC_WEIGHTS_F32 ? 4 : 2;
}

/* Bytes in a panel of packed weights: `biases` floats, then `weights` weights; of 16 bits, rounded
 * up to a multiple of 64, so that the next panel's biases are aligned. */
RNC_INLINE ptrdiff_t rnc_panel_bytes(int elem, int biases, ptrdiff_t weights)
{
    const ptrdiff_t bytes = (ptrdiff_t)biases * 4 + weights * rnc_weight_bytes(elem);
    return elem == RNC_WEIGHTS_F32 ? bytes : (bytes + 63) / 64 * 64;
}

/* Floats of a prelu's slopes, which are in front of the packed weights. */
RNC_INLINE int rnc_slopes_floats(int act, int channels)
{
    return act == RNC_ACT_PRELU ? (channels + 15) / 16 * 16 : 0;
}

/* The first of them; it is read for prelu alone. */
RNC_INLINE const float *rnc_slopes(const rnc_operands *o, int act, int channels)
{
    return (const float *)o->weights - rnc_slopes_floats(act, channels);
}

/* x, limited to low .. high. */
RNC_INLINE int rnc_clamp(int x, int low, int high)
{
    return x < low ? low : x > high ? high : x;
}

/* How a panel of `width` channels is cut into columns: `across` columns of nv vectors, then one
 * column of `rest` vectors. */
typedef struct rnc_columns_cut {
    int nv, across, rest;
} rnc_columns_cut;

RNC_INLINE void rnc_cut_columns(const rnc_knobs *t, int width, int lanes, rnc_columns_cut *c)
{
    const int vectors = width / lanes, most = rnc_clamp(t->vectors, 1, 8);
    c->nv = vectors < most ? vectors : most;
    c->across = vectors / c->nv;
    c->rest = vectors % c->nv;
}

#endif
