/* rewrite.h: what passes do to a network, in one walk and in linear time.
 *
 *     Rewrite r = rewrite_begin(net);
 *     for (int i = 0; i < net->nodes.n; i++) {
 *         Node *node = rewrite_at(&r, i);
 *         if (node && ...)
 *             rewrite_take_over(&r, producer, node);
 *     }
 *     rewrite_end(&r);
 *
 * Until rewrite_end(), the place of a removed node is empty and the others keep their numbers.
 * Nodes that were not walked yet may refer to removed nodes.
 */
#ifndef RNC_REWRITE_H
#define RNC_REWRITE_H

#include "net/ir.h"

typedef struct Rewrite {
    Net *net;
    int *uses; /* by id: operand slots, output ports and updates that refer to it */
    int *last; /* by id: the last node that reads it, INT_MAX for a port or update, 0 for none */
} Rewrite;

Rewrite rewrite_begin(Net *net);
/* The node at a place, with its operands brought up to date; NULL if it was removed. */
Node *rewrite_at(Rewrite *r, int place);
/* Whether exactly one operand slot, port or update refers to the node. */
bool used_once(const Rewrite *r, const Node *node);
/* Makes `node`, an operand of `taken`, compute what `taken` did.  `node` takes over its origin,
 * activation and users.  Its name and those that it absorbed are appended to what `node` has
 * absorbed, and `taken` leaves the network. */
void rewrite_take_over(Rewrite *r, Node *node, Node *taken);
/* Likewise, and `node` moves to the place of `taken`. */
void rewrite_move_over(Rewrite *r, Node *node, Node *taken);
/* Removes the empty places and renumbers the nodes. */
void rewrite_end(Rewrite *r);

#endif
