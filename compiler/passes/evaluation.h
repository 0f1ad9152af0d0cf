/* evaluation.h: the forward part of a training once more, as it is at inference. */
#ifndef RNC_EVALUATION_H
#define RNC_EVALUATION_H

#include "base/diag.h"
#include "net/ir.h"

/* Appends to a network with a backward part, after all passes, what evaluates it: the nodes that
 * its outputs and the loss need, with bn in place of bn_train, as "evaluate.NAME"; Net.n_step says
 * where they begin.  Both parts share inputs and what is made of them without parameters.  The
 * outputs are those of the new part from then on, without the loss, whose node is found by its
 * operator; nodes of the step that only the outputs needed are dropped.  False after a message. */
bool add_evaluation(Net *net, Diag *diag);

#endif
