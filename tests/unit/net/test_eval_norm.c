/* test_eval_norm.c: normalisations by statistics of the tensor itself, on values computed on paper.
 */
#include "net/eval.h"
#include "netgen.h"

#include <CUnit/CUnit.h>
#include <math.h>

#define LIST(...) ((const double[]){__VA_ARGS__})
#define FLOATS(...) ((const float[]){__VA_ARGS__})

/* A test with the input x, one row of two pixels of two channels: (1, 3), (5, 9). */
static Node *begin(NetTest *t)
{
    netgen_begin(t, 1);
    return netgen_input(t, ELEM_F32, 1, 2, 2);
}

static void check(NetTest *t, const Node *node, const double *wanted)
{
    const double in[] = {1, 3, 5, 9}, *inputs[] = {in};
    CU_ASSERT_PTR_NOT_NULL_FATAL(node);
    const double *got = eval_net(t->net, inputs, EVAL_DOUBLE, t->arena).values[node->id];
    for (int i = 0; i < 4; i++)
        CU_ASSERT_DOUBLE_EQUAL(got[i], wanted[i], 1e-12);
}

/* Of a pixel: means 2 and 7, deviations 1 and 2.  Of a channel: means 3 and 6, deviations 2 and 3.
 * Of all: mean 4.5, variance 8.75. */
static void test_sets(void)
{
    NetTest t;
    Node *x = begin(&t);
    Attrs a = ir_default_attrs(OP_LAYER_NORM);
    CU_ASSERT_EQUAL(a.epsilon, 1e-5);
    a.epsilon = 0, a.gain = a.centre = false;
    check(&t, netgen_add(&t, OP_LAYER_NORM, &x, 1, a), LIST(-1, 1, -1, 1));
    a.over = OVER_IMAGE;
    const double d = sqrt(8.75);
    const double *all = LIST(-3.5 / d, -1.5 / d, 0.5 / d, 4.5 / d);
    check(&t, netgen_add(&t, OP_LAYER_NORM, &x, 1, a), all);
    a.groups = 1;
    check(&t, netgen_add(&t, OP_GROUP_NORM, &x, 1, a), all);
    a.groups = 2;
    check(&t, netgen_add(&t, OP_GROUP_NORM, &x, 1, a), LIST(-1, -1, 1, 1));
    check(&t, netgen_add(&t, OP_INSTANCE_NORM, &x, 1, a), LIST(-1, -1, 1, 1));
    a.epsilon = 1; /* added to the variances, 4 and 9 */
    check(&t, netgen_add(&t, OP_INSTANCE_NORM, &x, 1, a),
          LIST(-2 / sqrt(5), -3 / sqrt(10), 2 / sqrt(5), 3 / sqrt(10)));
    netgen_end(&t);
}

static void test_parameters(void)
{
    NetTest t;
    Node *x = begin(&t);
    Attrs a = ir_default_attrs(OP_INSTANCE_NORM);
    a.epsilon = 0;
    Node *node = netgen_add(&t, OP_INSTANCE_NORM, &x, 1, a);
    netgen_set(&t, node, P_WEIGHT, FLOATS(2, 3));
    netgen_set(&t, node, P_BIAS, FLOATS(10, 20));
    a.over = OVER_IMAGE, a.centre = false;
    Node *whole = netgen_add(&t, OP_LAYER_NORM, &x, 1, a);
    CU_ASSERT_EQUAL(whole->params[P_WEIGHT]->rank, 3);
    netgen_set(&t, whole, P_WEIGHT, FLOATS(1, 2, 3, 4)); /* [c][h][w] */
    const double d = sqrt(8.75);
    check(&t, node, LIST(8, 17, 12, 23));
    check(&t, whole, LIST(-3.5 / d, -1.5 / d * 3, 0.5 / d * 2, 4.5 / d * 4));
    CU_ASSERT_EQUAL(net_parameters(t.net), 8);
    netgen_end(&t);
}

static void test_length(void)
{
    NetTest t;
    Node *x = begin(&t);
    Attrs a = ir_default_attrs(OP_L2_NORM);
    CU_ASSERT_EQUAL(a.epsilon, 1e-12);
    const double p = sqrt(10), q = sqrt(106), all = sqrt(116);
    check(&t, netgen_add(&t, OP_L2_NORM, &x, 1, a), LIST(1 / p, 3 / p, 5 / q, 9 / q));
    a.over = OVER_IMAGE;
    check(&t, netgen_add(&t, OP_L2_NORM, &x, 1, a), LIST(1 / all, 3 / all, 5 / all, 9 / all));
    netgen_end(&t);
}

void suite_eval_norm(void)
{
    CU_pSuite s = CU_add_suite("eval_norm", NULL, NULL);
    CU_add_test(s, "sets", test_sets);
    CU_add_test(s, "weights and biases", test_parameters);
    CU_add_test(s, "by length", test_length);
}
