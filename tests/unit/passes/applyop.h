/* applyop.h: any operator of the language, with attributes that differ from row to row. */
#ifndef RNC_APPLYOP_H
#define RNC_APPLYOP_H

#include "netgen.h"

/* Adds the operator to the test's network, on `x`, [2][7][6][4], with the attributes of row `row`
 * (0 to 7) and, if it takes more operands, convolutions of x.  Returns what has all results. */
Node *apply_op(NetTest *t, Op op, int row, Node *x);

#endif
