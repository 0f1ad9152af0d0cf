/* grad_parts.h: what the rules of differentiation share; private to grad*.c.
 *
 * grad_<id>(g, node, dy) is called once for an operator, whatever its number of results: `node` is
 * the first one, and dy[i] the gradient by the i-th, or NULL (grad.h). */
#ifndef RNC_GRAD_PARTS_H
#define RNC_GRAD_PARTS_H

#include "net/grad.h"

#define OP(id, name, least, most, flags, doc) bool grad_##id(Grad *g, Node *node, Node *const *dy);
#include "net/ops.def"

/* Appends a node that belongs to `of`, named "OF.WHAT", with the parameters that its operator has
 * in common with `of`.  NULL after a message about a fault of rnc. */
Node *grad_add(Grad *g, const Node *of, const char *what, Op op, Node *const *in, int n_in,
               const Attrs *attrs);
/* Whether a gradient by the i-th operand is of any use. */
bool grad_wants(const Grad *g, const Node *node, int i);
/* Whether the node has a parameter of this role that is trained. */
bool grad_trains(const Grad *g, const Node *node, Role role);
/* Adds a share to the gradient by the i-th operand, or by a parameter.  False if `share` is NULL,
 * which had a message. */
bool grad_give(Grad *g, const Node *node, int i, Node *share);
bool grad_give_param(Grad *g, const Node *node, Role role, Node *share);
/* A rule's end for what cannot be differentiated: false after a message that says `why`. */
bool grad_refuse(Grad *g, const Node *node, const char *why, const char *way_out);

#endif
