/* recompute.h: values that the backward part of a training computes again instead of keeping them.
 *
 * A step of training keeps what its backward part reads of the forward part.  Any of these values
 * can be computed again from others, right before it is read: that costs time, and saves the memory
 * that the value would occupy between its two parts. */
#ifndef RNC_RECOMPUTE_H
#define RNC_RECOMPUTE_H

#include "base/diag.h"
#include "net/ir.h"

/* The node that is computed once more, and the node of the backward part right before which. */
typedef struct Again {
    int node, before;
} Again;

typedef struct Recomputation {
    const Net *net;
    int begin; /* the first node of the backward part */
    VEC(Again) again;
    bool *made; /* by id: it is among them */
    VEC(int) found;
} Recomputation;

/* The first node after the loss; the number of nodes if there is no loss. */
int backward_begin(const Net *net);
/* By id: whether the backward part reads the value of this node of the forward part, and it could
 * be computed again. */
bool *values_read_back(const Net *net);
/* Neither an input, nor what is made of one without parameters, nor a batch's statistics. */
bool may_recompute(const Node *node);

Recomputation recomputation_of(const Net *net);
/* Lists what the backward part must compute again where only the values `kept`, by id, are there,
 * in the order of its steps: operands before what is made of them, each as late as can be. */
void find_again(Recomputation *r, const bool *kept);

/* Rewrites a network with a backward part, after all passes, in which only the values `kept` are
 * kept.  What is computed again is called "NAME.again" and has the same parameters; of bn_train, it
 * is bn_again, which takes the statistics as they were found.  All values stay the same to the
 * bit.  False after a message about a fault of rnc. */
bool recompute(Net *net, const bool *kept, Diag *diag);

#endif
