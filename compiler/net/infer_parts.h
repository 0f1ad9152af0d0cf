/* infer_parts.h: what the shape rules share; private to infer*.c.
 *
 * shape_<id>(node, diag) sets node->type and the dims of node->params from the
 * operands and attributes, or gives a message and returns false.  infer_node()
 * has checked the number of operands, their element type and the attributes'
 * ranges by then.
 */
#ifndef RNC_SHAPE_H
#define RNC_SHAPE_H

#include "net/infer.h"

#define OP(id, name, least, most, flags, doc) bool shape_##id(Node *node, Diag *diag);
#include "net/ops.def"

/* Where a node was written. */
Loc node_loc(const Node *node);
/* Sets the type of the result; the batch is that of the first operand. Returns false after a
 * message if an extent or the number of elements is too large. */
bool set_result(Node *node, Diag *diag, Elem elem, int64_t c, int64_t h, int64_t w);
/* Likewise, with a batch of its own. */
bool set_batch(Node *node, Diag *diag, Elem elem, int64_t n, int64_t c, int64_t h, int64_t w);
/* Sets the dims of a parameter; likewise checked. */
bool set_dims(Node *node, Diag *diag, Role role, int rank, const int64_t *dims);
/* Checks that the operand has the pixels that its padding repeats (sample.h). */
bool check_padding_mode(const Node *node, Diag *diag);
/* Checks that a fused residual, if there is one, has the type of the result. */
bool check_residual(const Node *node, Diag *diag);
/* Gives each parameter the dims of a vector with one element for each of `channels`. */
bool set_channel_dims(Node *node, Diag *diag, int64_t channels);
/* Adds the note "'layer1.0.relu1' is 64 x 56 x 56" and `more`, at the operand's place. */
void note_operand(Diag *diag, const Node *operand, const char *more);

#endif
