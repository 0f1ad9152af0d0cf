/* test_eval_backward.c: the oracle's operators of a backward part against numbers worked out by
 * hand; test_gradients.c compares all of them with differences.  Tensors are [h][w][c]. */
#include "net/eval.h"
#include "netgen.h"

#include <CUnit/CUnit.h>

#include <math.h>

#define LIST(...) ((const double[]){__VA_ARGS__})
#define FLOATS(...) ((const float[]){__VA_ARGS__})

static Node *begin(NetTest *t, int h, int w, int c)
{
    netgen_begin(t, 1);
    return netgen_input(t, ELEM_F32, h, w, c);
}

/* The values of `node`, the first input being `input`. */
static void check(NetTest *t, const Node *node, const double *input, int n, const double *wanted)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(node);
    CU_ASSERT_EQUAL_FATAL(type_elements(node->type), n);
    const double *got = eval_net(t->net, &input, EVAL_DOUBLE, t->arena).values[node->id];
    for (int i = 0; i < n; i++)
        CU_ASSERT_DOUBLE_EQUAL(got[i], wanted[i], 1e-12 * (1 + fabs(wanted[i])));
}

/* Means 2 and 20, biased variances 1 and 100. */
static void test_bn_train(void)
{
    static const double wanted[3][4] = {{4, -1, 8, 1}, {2, 20}, {1, 100}};
    for (int result = 0; result < 3; result++) {
        NetTest t;
        Node *x = begin(&t, 1, 2, 2);
        Attrs a = ir_default_attrs(OP_BN_TRAIN);
        a.epsilon = 0;
        a.result = result;
        Node *bn = netgen_add(&t, OP_BN_TRAIN, &x, 1, a);
        netgen_set(&t, bn, P_WEIGHT, FLOATS(2, 1));
        netgen_set(&t, bn, P_BIAS, FLOATS(6, 0));
        check(&t, bn, LIST(1, 10, 3, 30), result ? 2 : 4, wanted[result]);
        netgen_end(&t);
    }
}

/* Of equal elements the first one gets the gradient. */
static void test_maxpool_backward(void)
{
    NetTest t;
    Node *in[] = {begin(&t, 1, 2, 1), netgen_input(&t, ELEM_F32, 1, 4, 1)};
    Attrs a = ir_default_attrs(OP_MAXPOOL_BACKWARD);
    a.kernel[0] = a.stride[0] = 1;
    a.kernel[1] = a.stride[1] = 2;
    Node *dx = netgen_add(&t, OP_MAXPOOL_BACKWARD, in, 2, a);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dx);
    const double *inputs[] = {LIST(5, 7), LIST(-2, -2, 1, 3)}, wanted[] = {5, 0, 0, 7};
    const double *got = eval_net(t.net, inputs, EVAL_DOUBLE, t.arena).values[dx->id];
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(got[i], wanted[i]);
    netgen_end(&t);
}

/* A NaN stays one; for an infinite operand the slope is the limit. */
static void test_act_backward(void)
{
    static const Act acts[] = {ACT_RELU, ACT_HARD_SWISH, ACT_SILU, ACT_GELU};
    const double *inputs[] = {LIST(2, 2, 2), LIST((double)NAN, -INFINITY, INFINITY)};
    for (int i = 0; i < 4; i++) {
        NetTest t;
        Node *in[] = {begin(&t, 1, 3, 1), netgen_input(&t, ELEM_F32, 1, 3, 1)};
        Attrs a = ir_default_attrs(OP_ACT_BACKWARD);
        a.of = (int)acts[i];
        Node *dx = netgen_add(&t, OP_ACT_BACKWARD, in, 2, a);
        CU_ASSERT_PTR_NOT_NULL_FATAL(dx);
        const double *got = eval_net(t.net, inputs, EVAL_DOUBLE, t.arena).values[dx->id];
        CU_ASSERT(isnan(got[0]) && got[1] == 0 && got[2] == 2);
        netgen_end(&t);
    }
}

/* Logits log 1, log 2 and log 5, which are probabilities of 1/8, 1/4 and 5/8, plus 1000. */
static void test_cross_entropy(void)
{
    const double logits[] = {1000, 1000 + log(2), 1000 + log(5)}, label[] = {1};
    const double *inputs[] = {logits, label};
    for (int smooth = 0; smooth < 2; smooth++) {
        NetTest t;
        Node *in[] = {begin(&t, 1, 1, 3), netgen_input(&t, ELEM_I32, 1, 1, 1)};
        Attrs a = ir_default_attrs(OP_CROSS_ENTROPY);
        a.smoothing = smooth ? 0.3 : 0;
        Node *loss = netgen_add(&t, OP_CROSS_ENTROPY, in, 2, a);
        a.result = 1;
        Node *gradient = netgen_add(&t, OP_CROSS_ENTROPY, in, 2, a);
        CU_ASSERT_PTR_NOT_NULL_FATAL(gradient);
        const EvalResult r = eval_net(t.net, inputs, EVAL_DOUBLE, t.arena);
        const double wanted = smooth ? 0.1 * log(8) + 0.8 * log(4) + 0.1 * log(1.6) : log(4);
        CU_ASSERT_DOUBLE_EQUAL(r.values[loss->id][0], wanted, 1e-12);
        const double *d = r.values[gradient->id];
        CU_ASSERT_DOUBLE_EQUAL(d[0], smooth ? 0.125 - 0.1 : 0.125, 1e-12);
        CU_ASSERT_DOUBLE_EQUAL(d[1], smooth ? 0.25 - 0.8 : 0.25 - 1, 1e-12);
        CU_ASSERT_DOUBLE_EQUAL(d[2], smooth ? 0.625 - 0.1 : 0.625, 1e-12);
        netgen_end(&t);
    }
}

/* With a stride of 2, each of two pixels makes two of four. */
static void test_conv_transpose(void)
{
    NetTest t;
    Node *x = begin(&t, 1, 2, 1);
    Attrs a = ir_default_attrs(OP_CONV_TRANSPOSE);
    a.filters = a.kernel[0] = a.stride[0] = 1;
    a.kernel[1] = a.stride[1] = 2;
    a.bias = true;
    Node *y = netgen_add(&t, OP_CONV_TRANSPOSE, &x, 1, a);
    CU_ASSERT_PTR_NOT_NULL_FATAL(y);
    netgen_set(&t, y, P_WEIGHT, FLOATS(1, 10));
    netgen_set(&t, y, P_BIAS, FLOATS(100));
    check(&t, y, LIST(3, 4), 4, LIST(103, 130, 104, 140));
    netgen_end(&t);
}

void suite_eval_backward(void)
{
    CU_pSuite s = CU_add_suite("eval_backward", NULL, NULL);
    CU_add_test(s, "bn_train", test_bn_train);
    CU_add_test(s, "maxpool_backward", test_maxpool_backward);
    CU_add_test(s, "act_backward", test_act_backward);
    CU_add_test(s, "cross_entropy", test_cross_entropy);
    CU_add_test(s, "conv_transpose", test_conv_transpose);
}
