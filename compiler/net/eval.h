/* eval.h: the oracle, a plain interpreter of the network. */
#ifndef RNC_EVAL_H
#define RNC_EVAL_H

#include "net/ir.h"

/* EVAL_DOUBLE keeps every intermediate in double; EVAL_FLOAT rounds every
 * tensor to float when its node is done (sums inside a node stay double). */
typedef enum EvalPrecision { EVAL_DOUBLE, EVAL_FLOAT } EvalPrecision;

/* All tensors of a run, by node id: values[id] is [n][h][w][c] row-major, in
 * `arena`.  inputs[i] belongs to net->inputs[i], [n][h][w][c] row-major whatever
 * the port's order; u8 ports take 0..255.  Every parameter must have data. */
typedef struct EvalResult {
    double **values;
    int n;
} EvalResult;

EvalResult eval_net(const Net *net, const double *const *inputs, EvalPrecision precision,
                    Arena *arena);

/* What the nodes of a network keep from one run to the next (state.h), by node id; NULL where a
 * node keeps nothing.  eval_state() allocates it in `arena`, as it is before the first run. */
typedef struct EvalState {
    double **kept;
} EvalState;
EvalState *eval_state(const Net *net, Arena *arena);

/* One run of several: as eval_net(), which is a first run, but with the state that the run before
 * left.  It is the caller's, and this run changes it. */
EvalResult eval_run(const Net *net, EvalState *state, const double *const *inputs,
                    EvalPrecision precision, Arena *arena);

/* Evaluates one node alone, with its fused activation; in[i] and `out` have the element order of
 * EvalResult.  The node must not be an input and must not keep anything, and its parameters must
 * have data. */
void eval_node(const Node *node, const double *const *in, double *out, Arena *arena);

/* What a step of training makes of a parameter: the loss's gradient by a trained one, or the new
 * value of a running statistic (Net.updates).  `result` is that of eval_net().  Returns an array
 * that is row-major with the parameter's dims, in `arena`; NULL if there is no update. */
double *eval_update(const Net *net, const Param *param, const EvalResult *result, Arena *arena);

#endif
