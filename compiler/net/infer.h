/* infer.h: the shape rules, one function for each operator. */
#ifndef RNC_INFER_H
#define RNC_INFER_H

#include "base/diag.h"
#include "net/ir.h"

/* Sets node->type and the dims of node->params from operands and attributes. Returns false after a
 * message that shows what does not fit together and where each part came from. */
bool infer_node(Node *node, Diag *diag);
/* Likewise for a node that takes the parameters of `like`; their dims must be those that its own
 * would have. */
bool infer_sharing(Node *node, const Node *like, Diag *diag);

/* Output extent of a window over `in` pixels; <= 0 when it does not fit. */
int infer_window(int in, int kernel, int stride, int dilation, int before, int after);
/* Output extent of a transposed convolution of `in` pixels along an axis, without output_padding.
 */
int64_t infer_transpose_extent(const Attrs *attrs, int axis, int in);
/* The type of a pool's result; an extent is <= 0 when the window does not fit. */
Type infer_pool(const Attrs *attrs, Type in);

#endif
