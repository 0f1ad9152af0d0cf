/* nets.h: networks for tests, built node by node and run through the passes. */
#ifndef RNC_TEST_NETS_H
#define RNC_TEST_NETS_H

#include "base/diag.h"
#include "net/ir.h"
#include "plan/plan.h"

#include <setjmp.h>

/* An arena with what a network needs, and a network under construction. */
typedef struct Bench {
    jmp_buf oom;
    Arena *arena;
    SrcMap src;
    Diag diag;
    Net *net;
    int names; /* given so far */
} Bench;

void bench_begin(Bench *b);
void bench_end(Bench *b);

Node *make_input(Bench *b, int n, int c, int h, int w, Elem elem);
/* Adds an output of large dense layers behind `node`, a square picture: `wide` x `wide`
 * weights, so that those of the network do not stay in an L3. */
void make_heavy(Bench *b, Node *node, int wide);
Node *make(Bench *b, Op op, Node *const *in, int n_in, const Attrs *attrs);
Node *make_op(Bench *b, Op op, Node *in);
Node *make_join(Bench *b, Op op, Node *x, Node *y);
/* A square window with padding that keeps the size at stride 1. */
Node *make_conv(Bench *b, Node *in, int kernel, int filters, int stride, int groups);
/* Of stride 1, with as many outputs as inputs. */
Node *make_dilated(Bench *b, Node *in, int kernel, int filters, int dilation);
/* With bn behind it, and relu if wanted. */
Node *make_conv_bn(Bench *b, Node *in, int kernel, int filters, int stride, bool relu);
Node *make_pool(Bench *b, Op op, Node *in, int kernel, int stride, int padding);
void make_output(Bench *b, Node *node);

/* The passes of pass.def; then the plan, NULL after a message. */
void run_passes(Bench *b);
Plan *make_plan(Bench *b, PlanOptions options);

/* Well-known ones, complete with input and output. */
void make_resnet(Bench *b, int n, int size, const int *blocks, bool bottleneck);
/* A plan for AVX-512 of ResNet-50 (`deep`) or -18 after the passes; begins the bench. */
Plan *plan_resnet(Bench *b, bool deep, bool exact);
void make_cifar_resnet(Bench *b, int blocks);
void make_densenet(Bench *b, int size, int growth, const int *layers, int n_layers);
/* Nodes of all kinds, wired at random; the same for the same seed. */
void make_random(Bench *b, unsigned seed, int nodes);

/* Numbers for every parameter, no two of a tensor alike nearby. */
void fill_params(Bench *b);

#endif
