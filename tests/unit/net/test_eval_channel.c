/* test_eval_channel.c: operators with numbers for each channel, on values computed on paper. */
#include "net/affine.h"
#include "net/eval.h"
#include "netgen.h"

#include <CUnit/CUnit.h>

#define LIST(...) ((const double[]){__VA_ARGS__})
#define FLOATS(...) ((const float[]){__VA_ARGS__})

/* A test with the input x, one row of two pixels of two channels. */
static Node *begin(NetTest *t)
{
    netgen_begin(t, 1);
    return netgen_input(t, ELEM_F32, 1, 2, 2);
}

/* Checks a node's values for the input (1, -2), (-4, 8), and that affine_of() says the same. */
static void check(NetTest *t, const Node *node, const double *wanted)
{
    const double in[] = {1, -2, -4, 8}, *inputs[] = {in};
    CU_ASSERT_PTR_NOT_NULL_FATAL(node);
    const double *got = eval_net(t->net, inputs, EVAL_DOUBLE, t->arena).values[node->id];
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_DOUBLE_EQUAL(got[i], wanted[i], 1e-12);
        double scale, shift;
        if (is_affine(node->op)) {
            affine_of(node, i % 2, &scale, &shift);
            CU_ASSERT_DOUBLE_EQUAL(in[i] * scale + shift, wanted[i], 1e-12);
        }
    }
}

static void test_prelu(void)
{
    NetTest t;
    Node *x = begin(&t);
    Node *node = netgen_op(&t, OP_PRELU, x);
    netgen_set(&t, node, P_WEIGHT, FLOATS(0.25, -0.5));
    Attrs a = ir_default_attrs(OP_PRELU);
    a.shared = true;
    Node *shared = netgen_add(&t, OP_PRELU, &x, 1, a);
    netgen_set(&t, shared, P_WEIGHT, FLOATS(0.5));
    check(&t, node, LIST(1, 1, -1, 8));
    check(&t, shared, LIST(1, -1, -2, 8));
    CU_ASSERT_EQUAL(net_parameters(t.net), 3);
    netgen_end(&t);
}

static void test_scale(void)
{
    NetTest t;
    Node *x = begin(&t);
    Attrs a = ir_default_attrs(OP_SCALE);
    Node *factor = netgen_add(&t, OP_SCALE, &x, 1, a);
    netgen_set(&t, factor, P_WEIGHT, FLOATS(3, 0.5));
    a.bias = true;
    Node *both = netgen_add(&t, OP_SCALE, &x, 1, a);
    netgen_set(&t, both, P_WEIGHT, FLOATS(3, 0.5));
    netgen_set(&t, both, P_BIAS, FLOATS(10, 20));
    a.gain = false, a.shared = true;
    Node *bias = netgen_add(&t, OP_SCALE, &x, 1, a);
    CU_ASSERT_PTR_NULL(bias->params[P_WEIGHT]);
    netgen_set(&t, bias, P_BIAS, FLOATS(7));
    check(&t, factor, LIST(3, -1, -12, 4));
    check(&t, both, LIST(13, 19, -2, 24));
    check(&t, bias, LIST(8, 5, 3, 15));
    netgen_end(&t);
}

static void test_affine(void)
{
    NetTest t;
    Node *x = begin(&t);
    Attrs a = ir_default_attrs(OP_AFFINE);
    a.factor = (Reals){LIST(-1), 1};
    a.addend = (Reals){LIST(1, 0.5), 2};
    check(&t, netgen_add(&t, OP_AFFINE, &x, 1, a), LIST(0, 2.5, 5, -7.5));
    netgen_end(&t);
}

/* A batch normalisation without a weight, without a bias, without both. */
static void test_bn(void)
{
    static const double wanted[4][4] = {
        {0, 0, 0, 0}, {6, 18, 1, 23}, {-8, -4, -18, 6}, {-4, -2, -9, 3}};
    for (int i = 1; i < 4; i++) {
        NetTest t;
        Node *x = begin(&t);
        Attrs a = ir_default_attrs(OP_BN);
        a.epsilon = 0;
        a.gain = i == 2;
        a.centre = i == 1;
        Node *bn = netgen_add(&t, OP_BN, &x, 1, a);
        netgen_set(&t, bn, P_MEAN, FLOATS(5, 2));
        netgen_set(&t, bn, P_VARIANCE, FLOATS(1, 4));
        if (a.gain)
            netgen_set(&t, bn, P_WEIGHT, FLOATS(2, 2));
        if (a.centre)
            netgen_set(&t, bn, P_BIAS, FLOATS(10, 20));
        CU_ASSERT_EQUAL(net_parameters(t.net), 2 * (a.gain + a.centre));
        check(&t, bn, wanted[i]);
        netgen_end(&t);
    }
}

static void test_joins(void)
{
    NetTest t;
    Node *x = begin(&t);
    Attrs pool = ir_default_attrs(OP_MAXPOOL);
    pool.kernel[0] = 1, pool.kernel[1] = 2;
    pool.stride[0] = pool.stride[1] = 1;
    Node *most = netgen_add(&t, OP_MAXPOOL, &x, 1, pool); /* 1, 8 */
    check(&t, netgen_join(&t, OP_SUB, x, most), LIST(0, -10, -5, 0));
    check(&t, netgen_join(&t, OP_SUB, most, x), LIST(0, 10, 5, 0));
    check(&t, netgen_join(&t, OP_DIV, x, most), LIST(1, -0.25, -4, 1));
    check(&t, netgen_join(&t, OP_DIV, most, x), LIST(1, -4, -0.25, 1));
    netgen_end(&t);
}

void suite_eval_channel(void)
{
    CU_pSuite s = CU_add_suite("eval_channel", NULL, NULL);
    CU_add_test(s, "prelu", test_prelu);
    CU_add_test(s, "scale", test_scale);
    CU_add_test(s, "affine", test_affine);
    CU_add_test(s, "bn without scale or centre", test_bn);
    CU_add_test(s, "sub and div", test_joins);
}
