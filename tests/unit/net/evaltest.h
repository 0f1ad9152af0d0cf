/* evaltest.h: for tests of the oracle: values of a node against numbers worked out by hand. Tensors
 * are [h][w][c]. */
#ifndef RNC_EVALTEST_H
#define RNC_EVALTEST_H

#include "net/eval.h"
#include "netgen.h"

#define LIST(...) ((const double[]){__VA_ARGS__})
#define FLOATS(...) ((const float[]){__VA_ARGS__})

/* Begins a network with one input of one image. */
Node *evaltest_begin(NetTest *t, int h, int w, int c);
/* The value of `node`, the first two inputs being `input`. */
const double *evaltest_value(NetTest *t, const Node *node, const double *input);
/* Checks that it has n elements, which are `wanted` to 1e-12. */
void evaltest_check(NetTest *t, const Node *node, const double *input, int n, const double *wanted);

#define CHECK(t, node, input, ...)                                                   \
    evaltest_check(t, node, input, (int)(sizeof LIST(__VA_ARGS__) / sizeof(double)), \
                   LIST(__VA_ARGS__))

#endif
