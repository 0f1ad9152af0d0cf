/* state.h: what nodes keep from run to run, for streams that a network gets piece by piece.
 *
 * A node whose operator has the flag REMEMBERS keeps values of its operand: `delay` those of the
 * last `frames` runs, `history` the last `rows` rows.  They are zeros before the first run.  Each
 * image of a batch is a stream of its own.  The interpreter has them in an EvalState (eval.h),
 * emitted code in memory of the caller's (Plan.states).
 */
#ifndef RNC_STATE_H
#define RNC_STATE_H

#include "net/ir.h"

static inline bool remembers(const Node *node)
{
    return op_row(node->op)->flags & REMEMBERS;
}

/* How many elements of its operand's earlier values a node keeps; 0 unless it remembers. */
int64_t state_elements(const Node *node);

/* Whether any node of the network remembers. */
bool net_remembers(const Net *net);

/* For how many runs an input can still influence an output after the run that took it: the most
 * over all paths. */
int64_t net_memory(const Net *net, Arena *arena);

#endif
