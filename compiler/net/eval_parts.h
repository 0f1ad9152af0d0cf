/* eval_parts.h: what the interpreter's operators share; private to eval*.c.
 *
 * eval_<id>(step) computes `out` from `in`, both [n][h][w][c] row-major, by the operator's
 * formula; eval_net() applies the fused activation. */
#ifndef RNC_EVAL_OPS_H
#define RNC_EVAL_OPS_H

#include "net/eval.h"

typedef struct EvalStep {
    const Node *node;
    const double *const *in; /* n_in operands; for an input node, the caller's values */
    double *out;
    double *scratch; /* as long as the largest weights of the network */
    double *kept;    /* what the node keeps from run to run (state.h), or NULL */
    Arena *arena;    /* for what an operator needs besides */
} EvalStep;

#define OP(id, name, least, most, flags, doc) void eval_##id(EvalStep *step);
#include "net/ops.def"

/* The larger and the smaller of two numbers, or NaN if either is one (fmax and fmin take the other
 * number then). */
double larger(double a, double b);
double smaller(double a, double b);

/* What an avgpool over a tensor of type `in` divides the sum of window (y, x) by. */
double pool_divisor(const Attrs *attrs, Type in, int y, int x);

/* Position of an element in [n][h][w][c]. */
int64_t element_at(Type t, int n, int y, int x, int c);

#endif
