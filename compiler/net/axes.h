/* axes.h: the order of a kernel's axes in a weights file.
 *
 * It is written as a word: o is out, i is in, h is height, w is width, and the axis that varies
 * slowest comes first.  The network's own order is oihw for a convolution, iohw for a transposed
 * one and oi for a dense layer, as PyTorch has it; Keras has hwio, hwoi and io.
 */
#ifndef RNC_AXES_H
#define RNC_AXES_H

#include "net/ir.h"

/* The number of axes of a parameter that can be ordered: 4 (conv.weight,
 * conv_transpose.weight), 2 (dense.weight) or 0. */
int axes_rank(Op op, Role role);
/* The network's own order, "oihw" for a convolution, and Keras'. */
const char *axes_own(Op op);
const char *axes_keras(Op op);
/* Whether `word` has each letter of axes_own(op) once. */
bool axes_valid(const char *word, Op op);
/* For example "[height][width][in][out]"; "" for an empty word. */
const char *axes_text(Arena *arena, const char *axes);

/* The extents that a weight of `node` has in a file with this order. */
void axes_extents(const Node *node, const char *axes, int64_t dims[4]);
/* Whether a tensor of these extents holds the weight of `node` in this order.  A
 * depthwise convolution (as many groups as channels) may also have its channels
 * as `i` and the filters of each as `o`: Keras' [height][width][in][multiplier]. */
bool axes_fit(const Node *node, const char *axes, const int64_t *dims, int rank);
/* Writes the same numbers in the network's own order.  `dims` must fit (axes_fit()). */
void axes_reorder(float *to, const float *from, const Node *node, const char *axes,
                  const int64_t *dims);

#endif
