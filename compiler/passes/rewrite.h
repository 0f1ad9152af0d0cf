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
 * Until rewrite_end() a place whose node has gone is empty and the others keep their
 * numbers; nodes that were not walked yet may refer to nodes that have gone.
 */
#ifndef RNC_REWRITE_H
#define RNC_REWRITE_H

#include "net/ir.h"

typedef struct Rewrite {
    Net *net;
    int *uses; /* by id: operand slots and output ports that refer to it */
    int *last; /* by id: the last node that reads it, INT_MAX for a port, 0 for none */
} Rewrite;

Rewrite rewrite_begin(Net *net);
/* The node at a place, its operands those of the network as it is now; NULL where it
 * has gone. */
Node *rewrite_at(Rewrite *r, int place);
/* Is there exactly one operand slot or port that refers to the node? */
bool used_once(const Rewrite *r, const Node *node);
/* `node`, an operand of `taken`, now computes what `taken` did: its origin and
 * activation pass over, its name and what it absorbed go behind what `node` has
 * absorbed, its users are now `node`'s, and it leaves the network. */
void rewrite_take_over(Rewrite *r, Node *node, Node *taken);
/* The same, and `node` moves to where `taken` stood. */
void rewrite_move_over(Rewrite *r, Node *node, Node *taken);
/* Closes up the places and numbers the nodes. */
void rewrite_end(Rewrite *r);

#endif
