/* sample.h: which pixels of an operand a pixel of a result is made of, for operators that do the
 * same to height and width each by itself: pad, resize, blurpool.  An axis is 0 for height and 1
 * for width. */
#ifndef RNC_SAMPLE_H
#define RNC_SAMPLE_H

#include "net/ir.h"

/* The pixel of an image of `n` in a row that is at position `i`, which may be before the first or
 * after the last; -1 for zeros.  `n` must be as padding_fits() says. */
int padding_source(PaddingMode mode, int64_t i, int n);
/* Whether there are enough pixels to pad by `by` with. */
bool padding_fits(PaddingMode mode, int by, int n);

/* Pixel o of a result lies at (o * mul + add) / div of the operand, for nearest rounded down.  All
 * are whole numbers, so that a pixel is never taken for its neighbour. */
typedef struct Scaling {
    int64_t mul, add, div;
} Scaling;

/* The largest extent that resize takes and gives: Scaling's numbers then fit into an int. */
enum { RESIZE_MOST = 1 << 20 };

/* The extent of a resize's result from that of its operand; 0 if neither size nor scale is given.
 */
int64_t resize_extent(const Attrs *attrs, int axis, int in);
Scaling resize_scaling(const Attrs *attrs, int axis, int in, int out);
/* Binomial number k of a filter of n taps that sum up to 1. */
double binomial(int n, int k);

/* Which axis of the operand the result's channels, height and width are: 0 for channels, 1 for
 * height, 2 for width. */
void transposed_axes(AxesOrder order, int from[3]);
/* The order with these axes; false if there is none, or they stay where they are. */
bool transposed_order(const int from[3], AxesOrder *order);
/* The order that undoes another. */
AxesOrder transposed_back(AxesOrder order);

/* A pixel of the operand and what it is multiplied by. */
typedef struct Tap {
    int at;
    double weight;
} Tap;
enum { MOST_TAPS = 16 };

/* Sets the taps that make pixel `o` of a result of `out` from an operand of `in`; returns how many
 * there are.  `op` is PAD, RESIZE or BLURPOOL. */
int sample_taps(Op op, const Attrs *attrs, int axis, int in, int out, int o, Tap taps[MOST_TAPS]);

#endif
