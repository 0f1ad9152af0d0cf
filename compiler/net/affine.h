/* affine.h: operators that multiply each channel by a number and add another, x * scale + shift,
 * and those that normalise. */
#ifndef RNC_AFFINE_H
#define RNC_AFFINE_H

#include "net/ir.h"

/* Whether the operator is one of them: normalize, bn, scale, affine. */
bool is_affine(Op op);
/* Whether the operator normalises by statistics of the tensor itself: group_norm, ... */
bool is_norm(Op op);
/* Sets the numbers of channel c of such a node, whose parameters have data. */
void affine_of(const Node *node, int c, double *scale, double *shift);

#endif
