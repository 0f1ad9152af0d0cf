/* netgen.h: networks for the tests of ir, passes and oracle: a few words to
 * build one by hand, random ones, and the ResNets. */
#ifndef RNC_TEST_NETGEN_H
#define RNC_TEST_NETGEN_H

#include "base/diag.h"
#include "net/ir.h"

#include <stdint.h>

typedef struct NetTest {
    jmp_buf oom;
    Arena *arena;
    SrcMap src;
    Diag diag;
    Net *net;
    uint64_t random; /* state of the generator */
    int serial;      /* for names */
    int batch;       /* of inputs; 0 is 1 */
} NetTest;

/* An arena, messages and an empty network; `seed` is the generator's. */
void netgen_begin(NetTest *t, uint64_t seed);
void netgen_end(NetTest *t);

/* Whole numbers from..to, and reals in [from, to). */
int netgen_int(NetTest *t, int from, int to);
double netgen_real(NetTest *t, double from, double to);

/* An input with its port, [batch][h][w][c]. */
Node *netgen_input(NetTest *t, Elem elem, int h, int w, int c);
/* The last node, named after the operator and a number; NULL if refused. */
Node *netgen_add(NetTest *t, Op op, Node *const *in, int n_in, Attrs attrs);
Node *netgen_op(NetTest *t, Op op, Node *in); /* attributes at their defaults */
/* Like `like`, with its parameters, on another operand. */
Node *netgen_share(NetTest *t, const Node *like, Node *in);
Node *netgen_join(NetTest *t, Op op, Node *a, Node *b);
/* A square kernel with `kernel / 2` pixels of padding. */
Node *netgen_conv(NetTest *t, Node *in, int filters, int kernel, int stride);
void netgen_output(NetTest *t, Node *node);

/* Random data for every parameter (variances 0.5 to 2), or `data` for one. */
void netgen_fill(NetTest *t);
void netgen_set(NetTest *t, Node *node, Role role, const float *data);
/* Random values for every input, as eval_net() takes them. */
const double **netgen_values(NetTest *t);

/* At least `nodes` nodes of every operator: residual blocks with either arm
 * first, joins of many arms, spread operands, shared parameters, several
 * results, taps. */
void netgen_random(NetTest *t, int nodes);
/* ResNet-18 (`bottleneck` false) or -50 at size x size.  `shortcut_first`: the
 * projection stands in front of the main arm. */
void netgen_resnet(NetTest *t, bool bottleneck, int size, bool shortcut_first);

#endif
