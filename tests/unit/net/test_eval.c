/* test_eval.c: the oracle against numbers worked out by hand, an operator at a
 * time; test_eval_state.c has those that remember.  Tensors are [h][w][c]. */
#include "evaltest.h"

#include <CUnit/CUnit.h>

#include <math.h>

/* A convolution without padding; a test sets what else it needs. */
static Attrs conv_attrs(int filters, int h, int w)
{
    Attrs a = ir_default_attrs(OP_CONV);
    a.filters = filters;
    a.kernel[0] = h;
    a.kernel[1] = w;
    return a;
}

static void test_conv_padding(void)
{
    NetTest t;
    Node *conv = netgen_conv(&t, evaltest_begin(&t, 3, 3, 1), 1, 3, 1);
    netgen_set(&t, conv, P_WEIGHT, FLOATS(1, 1, 1, 1, 1, 1, 1, 1, 1));
    CHECK(&t, conv, LIST(1, 2, 3, 4, 5, 6, 7, 8, 9), 12, 21, 16, 27, 45, 33, 24, 39, 28);
    netgen_end(&t);
}

/* Cross-correlation, not convolution with a mirrored kernel: 1 + 2 * 10. */
static void test_conv_direction(void)
{
    NetTest t;
    Node *x = evaltest_begin(&t, 1, 3, 1);
    Node *conv = netgen_add(&t, OP_CONV, &x, 1, conv_attrs(1, 1, 2));
    netgen_set(&t, conv, P_WEIGHT, FLOATS(1, 10));
    CHECK(&t, conv, LIST(1, 2, 3), 21, 32);
    netgen_end(&t);
}

/* TensorFlow's `same` puts the odd pixel at the bottom and right. */
static void test_conv_same(void)
{
    NetTest t;
    Node *x = evaltest_begin(&t, 2, 2, 1);
    Attrs a = conv_attrs(1, 2, 2);
    a.padding[2] = a.padding[3] = 1;
    Node *conv = netgen_add(&t, OP_CONV, &x, 1, a);
    netgen_set(&t, conv, P_WEIGHT, FLOATS(1, 2, 3, 4));
    /* 1*1+2*2+3*3+4*4, 2*1+4*3, 3*1+4*2, 4*1 */
    CHECK(&t, conv, LIST(1, 2, 3, 4), 30, 14, 11, 4);
    netgen_end(&t);

    x = evaltest_begin(&t, 1, 4, 1);
    a = conv_attrs(1, 1, 3);
    a.stride[1] = 2;
    a.padding[3] = 1;
    conv = netgen_add(&t, OP_CONV, &x, 1, a);
    netgen_set(&t, conv, P_WEIGHT, FLOATS(1, 10, 100));
    CHECK(&t, conv, LIST(1, 2, 3, 4), 321, 43);
    netgen_end(&t);
}

static void test_conv_dilation(void)
{
    NetTest t;
    Node *x = evaltest_begin(&t, 1, 6, 1);
    Attrs a = conv_attrs(1, 1, 3);
    a.dilation[1] = 2;
    Node *conv = netgen_add(&t, OP_CONV, &x, 1, a);
    netgen_set(&t, conv, P_WEIGHT, FLOATS(1, 10, 100));
    CHECK(&t, conv, LIST(1, 2, 3, 4, 5, 6), 531, 642);
    netgen_end(&t);
}

/* Weights are [filter][channel][row][pixel], tensors [row][pixel][channel]. */
static void test_conv_channels(void)
{
    NetTest t;
    Node *x = evaltest_begin(&t, 1, 2, 2);
    Node *conv = netgen_add(&t, OP_CONV, &x, 1, conv_attrs(2, 1, 2));
    netgen_set(&t, conv, P_WEIGHT, FLOATS(1, 10, 100, 1000, 0, 0, 0, 1));
    CHECK(&t, conv, LIST(1, 2, 3, 4), 1 + 30 + 200 + 4000, 4);
    netgen_end(&t);
}

static void test_conv_groups(void)
{
    NetTest t;
    Node *x = evaltest_begin(&t, 1, 1, 4);
    Attrs a = conv_attrs(4, 1, 1);
    a.groups = 2;
    a.bias = true;
    Node *conv = netgen_add(&t, OP_CONV, &x, 1, a);
    netgen_set(&t, conv, P_WEIGHT, FLOATS(1, 1, 1, -1, 2, 1, 0, 1));
    netgen_set(&t, conv, P_BIAS, FLOATS(0, 0, 0, 1));
    CHECK(&t, conv, LIST(1, 2, 3, 4), 3, -1, 10, 5);
    netgen_end(&t);

    /* depthwise, two filters for each channel */
    x = evaltest_begin(&t, 1, 2, 2);
    a = conv_attrs(4, 1, 2);
    a.groups = 2;
    conv = netgen_add(&t, OP_CONV, &x, 1, a);
    netgen_set(&t, conv, P_WEIGHT, FLOATS(1, 0, 0, 1, 1, 1, 2, -1));
    CHECK(&t, conv, LIST(1, 2, 3, 4), 1, 3, 6, 0);
    netgen_end(&t);
}

/* The residual is added before the activation. */
static void test_residual_and_activation(void)
{
    NetTest t;
    Node *x = evaltest_begin(&t, 1, 1, 2);
    Node *in[] = {x, x};
    Node *conv = netgen_add(&t, OP_CONV, in, 2, conv_attrs(2, 1, 1));
    netgen_set(&t, conv, P_WEIGHT, FLOATS(1, 1, 0, -3));
    conv->act = ACT_LEAKY_RELU;
    conv->act_alpha = 0.5;
    CHECK(&t, conv, LIST(1, 2), 3 + 1, (-6 + 2) * 0.5);
    netgen_end(&t);
}

static void test_batch(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    Node *x = netgen_input(&t, ELEM_F32, 1, 1, 2);
    x->type.n = 3;
    Node *conv = netgen_add(&t, OP_CONV, &x, 1, conv_attrs(1, 1, 1));
    netgen_set(&t, conv, P_WEIGHT, FLOATS(1, 10));
    CHECK(&t, conv, LIST(1, 2, 3, 4, 5, 6), 21, 43, 65);
    Attrs a = ir_default_attrs(OP_DENSE);
    a.filters = 2;
    a.bias = false;
    Node *dense = netgen_add(&t, OP_DENSE, &x, 1, a);
    netgen_set(&t, dense, P_WEIGHT, FLOATS(1, 10, 1, -1));
    const double *got = evaltest_value(&t, dense, LIST(1, 2, 3, 4, 5, 6));
    CU_ASSERT_EQUAL(got[4], 65);
    CU_ASSERT_EQUAL(got[5], -1);
    netgen_end(&t);
}

static void test_bn(void)
{
    NetTest t;
    Node *x = evaltest_begin(&t, 1, 1, 2);
    Attrs a = ir_default_attrs(OP_BN);
    CU_ASSERT_EQUAL(a.epsilon, 1e-5);
    a.epsilon = 1;
    Node *bn = netgen_add(&t, OP_BN, &x, 1, a);
    netgen_set(&t, bn, P_MEAN, FLOATS(3, 0));
    netgen_set(&t, bn, P_VARIANCE, FLOATS(3, 8));
    netgen_set(&t, bn, P_WEIGHT, FLOATS(2, 3));
    netgen_set(&t, bn, P_BIAS, FLOATS(10, 20));
    CHECK(&t, bn, LIST(1, 2), -2 / 2.0 * 2 + 10, 2 / 3.0 * 3 + 20);
    netgen_end(&t);
}

static void test_normalize(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    Node *x = netgen_input(&t, ELEM_U8, 1, 2, 2);
    Attrs a = ir_default_attrs(OP_NORMALIZE);
    a.scale = 1.0 / 255;
    a.mean = (Reals){LIST(0.5, 0), 2};
    a.std = (Reals){LIST(0.25), 1};
    Node *node = netgen_add(&t, OP_NORMALIZE, &x, 1, a);
    CHECK(&t, node, LIST(255, 255, 0, 51), 2, 4, -2, 0.8);
    CHECK(&t, netgen_op(&t, OP_CAST, x), LIST(255, 255, 0, 51), 255, 255, 0, 51);
    netgen_end(&t);
}

static void test_activations(void)
{
    NetTest t;
    Node *x = evaltest_begin(&t, 1, 1, 4);
    const double *in = LIST(-4, -1, 1, 7);
    Attrs a = ir_default_attrs(OP_LEAKY_RELU);
    CU_ASSERT_EQUAL(a.alpha, 0.01);
    a.alpha = 0.25;
    CHECK(&t, netgen_add(&t, OP_LEAKY_RELU, &x, 1, a), in, -1, -0.25, 1, 7);
    CHECK(&t, netgen_op(&t, OP_RELU, x), in, 0, 0, 1, 7);
    CHECK(&t, netgen_op(&t, OP_RELU6, x), in, 0, 0, 1, 6);
    CHECK(&t, netgen_op(&t, OP_SIGMOID, x), in, 0.01798620996209156, 0.2689414213699951,
          0.7310585786300049, 0.9990889488055994);
    CHECK(&t, netgen_op(&t, OP_TANH, x), in, -0.999329299739067, -0.7615941559557649,
          0.7615941559557649, 0.9999983369439447);
    CHECK(&t, netgen_op(&t, OP_HARD_SIGMOID, x), in, 0, 2.0 / 6, 4.0 / 6, 1);
    CHECK(&t, netgen_op(&t, OP_HARD_SWISH, x), in, 0, -2.0 / 6, 4.0 / 6, 7);
    CHECK(&t, netgen_op(&t, OP_SILU, x), in, -0.07194483984836625, -0.2689414213699951,
          0.7310585786300049, 6.993622641639196);
    /* x times the normal distribution's function: 3.167e-5, 0.158655, ... */
    CHECK(&t, netgen_op(&t, OP_GELU, x), in, -0.00012668496733247986, -0.15865525393145707,
          0.8413447460685429, 6.999999999991041);
    a = ir_default_attrs(OP_HARD_SIGMOID);
    a.alpha = 0.25;
    CHECK(&t, netgen_add(&t, OP_HARD_SIGMOID, &x, 1, a), in, 0, 0.25, 0.75, 1);
    a = ir_default_attrs(OP_ELU);
    CU_ASSERT_EQUAL(a.alpha, 1);
    a.alpha = 0.5; /* exp(-4) = 0.01831563888873418, exp(-1) = 0.36787944117144233 */
    CHECK(&t, netgen_add(&t, OP_ELU, &x, 1, a), in, -0.4908421805556329, -0.31606027941427883, 1,
          7);
    CHECK(&t, netgen_op(&t, OP_SELU, x), in, -1.7258986281898945, -1.1113307378125625,
          1.0507009873554805, 7.3549069114883635);
    CHECK(&t, netgen_op(&t, OP_SOFTPLUS, x), in, 0.018149927917809736, 0.31326168751822286,
          1.3132616875182228, 7.000911466453774);
    CHECK(&t, netgen_op(&t, OP_MISH, x), in, -0.07259174079202535, -0.30340146137410895,
          0.8650983882673103, 6.999988379809741);
    a = ir_default_attrs(OP_CLIP);
    CHECK(&t, netgen_add(&t, OP_CLIP, &x, 1, a), in, -4, -1, 1, 7);
    a.alpha = -2;
    CHECK(&t, netgen_add(&t, OP_CLIP, &x, 1, a), in, -2, -1, 1, 7);
    a.beta = 0.5;
    CHECK(&t, netgen_add(&t, OP_CLIP, &x, 1, a), in, -2, -1, 0.5, 0.5);
    netgen_end(&t);
}

static void test_maxpool(void)
{
    NetTest t;
    Node *x = evaltest_begin(&t, 2, 2, 1);
    Attrs a = ir_default_attrs(OP_MAXPOOL);
    a.kernel[0] = a.kernel[1] = 2;
    a.stride[0] = a.stride[1] = 1;
    for (int i = 0; i < 4; i++)
        a.padding[i] = 1;
    /* zeros of padding do not win over negative numbers */
    CHECK(&t, netgen_add(&t, OP_MAXPOOL, &x, 1, a), LIST(-1, -2, -3, -4), -1, -1, -2, -1, -1, -2,
          -3, -3, -4);
    netgen_end(&t);

    x = evaltest_begin(&t, 1, 3, 2);
    a = ir_default_attrs(OP_MAXPOOL);
    a.stride[0] = a.stride[1] = 1;
    a.kernel[0] = 1;
    a.kernel[1] = 2;
    CHECK(&t, netgen_add(&t, OP_MAXPOOL, &x, 1, a), LIST(1, 9, 5, 2, 3, 4), 5, 9, 5, 4);
    netgen_end(&t);
}

static void test_avgpool(void)
{
    NetTest t;
    Node *x = evaltest_begin(&t, 2, 2, 1);
    Attrs a = ir_default_attrs(OP_AVGPOOL);
    CU_ASSERT_TRUE(a.count_padding);
    a.kernel[0] = a.kernel[1] = a.stride[0] = a.stride[1] = 2;
    for (int i = 0; i < 4; i++)
        a.padding[i] = 1;
    const double *in = LIST(1, 2, 3, 4);
    CHECK(&t, netgen_add(&t, OP_AVGPOOL, &x, 1, a), in, 0.25, 0.5, 0.75, 1);
    a.count_padding = false;
    CHECK(&t, netgen_add(&t, OP_AVGPOOL, &x, 1, a), in, 1, 2, 3, 4);
    a = ir_default_attrs(OP_AVGPOOL);
    a.stride[0] = a.stride[1] = 1;
    a.kernel[0] = a.kernel[1] = 2;
    CHECK(&t, netgen_add(&t, OP_AVGPOOL, &x, 1, a), in, 2.5);
    netgen_end(&t);
}

static void test_dense(void)
{
    NetTest t;
    Node *x = evaltest_begin(&t, 1, 1, 2);
    Attrs a = ir_default_attrs(OP_DENSE);
    a.filters = 2;
    Node *dense = netgen_add(&t, OP_DENSE, &x, 1, a);
    netgen_set(&t, dense, P_WEIGHT, FLOATS(1, 2, 3, 4));
    netgen_set(&t, dense, P_BIAS, FLOATS(10, 20));
    CHECK(&t, dense, LIST(5, 6), 27, 59);
    Node *in[] = {x, dense};
    dense = netgen_add(&t, OP_DENSE, in, 2, a);
    netgen_set(&t, dense, P_WEIGHT, FLOATS(1, 2, 3, 4));
    netgen_set(&t, dense, P_BIAS, FLOATS(10, 20));
    CHECK(&t, dense, LIST(5, 6), 54, 118);
    netgen_end(&t);
}

static void test_softmax(void)
{
    NetTest t;
    Node *x = evaltest_begin(&t, 1, 2, 2);
    CHECK(&t, netgen_op(&t, OP_SOFTMAX, x), LIST(0, log(3), 1000, 1000 + log(3)), 0.25, 0.75, 0.25,
          0.75);
    netgen_end(&t);
}

/* got is wanted: the same infinity, a NaN for any NaN, or nearly the same number. */
static void check_special(NetTest *t, const Node *node, const double *input, const double *wanted)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(node);
    const double *got = evaltest_value(t, node, input);
    for (int64_t i = 0; i < type_elements(node->type); i++) {
        const bool right = isnan(wanted[i])   ? isnan(got[i])
                           : isinf(wanted[i]) ? got[i] == wanted[i]
                                              : fabs(got[i] - wanted[i]) <= 1e-12;
        CU_ASSERT_TRUE(right);
    }
}

/* Of NaN, inf and -inf: NaN, and the limits.  A NaN is the largest element of a window. */
static void test_special(void)
{
    static const struct {
        Op op;
        double up, down;
    } limits[] = {{OP_RELU, INFINITY, 0},
                  {OP_RELU6, 6, 0},
                  {OP_SIGMOID, 1, 0},
                  {OP_TANH, 1, -1},
                  {OP_HARD_SIGMOID, 1, 0},
                  {OP_HARD_SWISH, INFINITY, 0},
                  {OP_SILU, INFINITY, 0},
                  {OP_GELU, INFINITY, 0},
                  {OP_LEAKY_RELU, INFINITY, -INFINITY},
                  {OP_ELU, INFINITY, -1},
                  {OP_SOFTPLUS, INFINITY, 0},
                  {OP_MISH, INFINITY, 0},
                  {OP_SELU, INFINITY, -1.7580993408473766},
                  {OP_CLIP, INFINITY, -INFINITY}};
    NetTest t;
    Node *x = evaltest_begin(&t, 1, 3, 1);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        check_special(&t, netgen_op(&t, limits[i].op, x), LIST(NAN, INFINITY, -INFINITY),
                      LIST(NAN, limits[i].up, limits[i].down));
    Attrs a = ir_default_attrs(OP_MAXPOOL);
    a.stride[0] = a.stride[1] = 1;
    a.kernel[0] = 1;
    a.kernel[1] = 2;
    Node *max = netgen_add(&t, OP_MAXPOOL, &x, 1, a);
    check_special(&t, max, LIST(NAN, 1, -INFINITY), LIST(NAN, 1));
    check_special(&t, max, LIST(-INFINITY, -INFINITY, NAN), LIST(-INFINITY, NAN));
    netgen_end(&t);

    x = evaltest_begin(&t, 1, 1, 3);
    Node *softmax = netgen_op(&t, OP_SOFTMAX, x);
    check_special(&t, softmax, LIST(-INFINITY, 0, log(3)), LIST(0, 0.25, 0.75));
    check_special(&t, softmax, LIST(INFINITY, 0, 0), LIST(NAN, NAN, NAN));
    check_special(&t, softmax, LIST(0, NAN, 0), LIST(NAN, NAN, NAN));
    netgen_end(&t);
}

static void test_joins(void)
{
    NetTest t;
    Node *x = evaltest_begin(&t, 1, 2, 2);
    Attrs a = ir_default_attrs(OP_AVGPOOL);
    a.stride[0] = a.stride[1] = 1;
    a.kernel[0] = 1;
    a.kernel[1] = 2;
    Node *mean = netgen_add(&t, OP_AVGPOOL, &x, 1, a); /* 2, 3 */
    Node *sum = netgen_add(&t, OP_CONV, &x, 1, conv_attrs(1, 1, 1));
    netgen_set(&t, sum, P_WEIGHT, FLOATS(1, 1)); /* 3, 7 */
    const double *in = LIST(1, 2, 3, 4);
    CHECK(&t, netgen_join(&t, OP_ADD, x, mean), in, 3, 5, 5, 7);
    CHECK(&t, netgen_join(&t, OP_MUL, mean, x), in, 2, 6, 6, 12);
    CHECK(&t, netgen_join(&t, OP_MUL, x, sum), in, 3, 6, 21, 28);
    /* both are spread: a single channel, and a single pixel */
    CHECK(&t, netgen_join(&t, OP_ADD, sum, mean), in, 5, 6, 9, 10);
    Node *three[] = {x, mean, sum};
    CHECK(&t, netgen_add(&t, OP_ADD, three, 3, ir_default_attrs(OP_ADD)), in, 6, 8, 12, 14);
    CHECK(&t, netgen_join(&t, OP_CONCAT, sum, x), in, 3, 1, 2, 7, 3, 4);
    netgen_end(&t);
}

/* Two images: the rows of each stay together. */
static void test_stack(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    t.batch = 2;
    Node *x = netgen_input(&t, ELEM_F32, 3, 1, 2);
    Attrs a = ir_default_attrs(OP_CROP);
    a.padding[0] = 1;
    Node *low = netgen_add(&t, OP_CROP, &x, 1, a);
    a.padding[0] = 0, a.padding[2] = 2;
    Node *high = netgen_add(&t, OP_CROP, &x, 1, a);
    const double *in = LIST(1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60);
    CHECK(&t, netgen_join(&t, OP_STACK, low, high), in, 3, 4, 5, 6, 1, 2, 30, 40, 50, 60, 10, 20);
    CU_ASSERT_PTR_NULL(netgen_join(&t, OP_STACK, x, netgen_conv(&t, x, 3, 1, 1)));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&t.diag.out), "that differ only in height"));
    netgen_end(&t);
}

static void test_split(void)
{
    NetTest t;
    Node *x = evaltest_begin(&t, 1, 2, 4);
    const double *in = LIST(1, 2, 3, 4, 5, 6, 7, 8);
    Attrs a = ir_default_attrs(OP_SPLIT);
    a.parts = 2;
    Node *low = netgen_add(&t, OP_SPLIT, &x, 1, a);
    a.result = 1;
    Node *high = netgen_add(&t, OP_SPLIT, &x, 1, a);
    CHECK(&t, low, in, 1, 2, 5, 6);
    CHECK(&t, high, in, 3, 4, 7, 8);
    CHECK(&t, netgen_join(&t, OP_CONCAT, high, low), in, 3, 4, 1, 2, 7, 8, 5, 6);
    netgen_end(&t);
}

static void test_moves(void)
{
    NetTest t;
    Node *x = evaltest_begin(&t, 2, 2, 2);
    const double *in = LIST(1, 2, 3, 4, 5, 6, 7, 8);
    Attrs a = ir_default_attrs(OP_FLATTEN);
    CHECK(&t, netgen_add(&t, OP_FLATTEN, &x, 1, a), in, 1, 3, 5, 7, 2, 4, 6, 8);
    a.order = ORDER_NHWC;
    CHECK(&t, netgen_add(&t, OP_FLATTEN, &x, 1, a), in, 1, 2, 3, 4, 5, 6, 7, 8);
    a = ir_default_attrs(OP_SUBSAMPLE);
    a.stride[0] = 2;
    a.stride[1] = 1;
    CHECK(&t, netgen_add(&t, OP_SUBSAMPLE, &x, 1, a), in, 1, 2, 3, 4);
    a = ir_default_attrs(OP_UPSAMPLE);
    a.scale_by[0] = 1;
    a.scale_by[1] = 2;
    CHECK(&t, netgen_add(&t, OP_UPSAMPLE, &x, 1, a), in, 1, 2, 1, 2, 3, 4, 3, 4, 5, 6, 5, 6, 7, 8,
          7, 8);
    netgen_end(&t);

    x = evaltest_begin(&t, 1, 2, 1);
    a = ir_default_attrs(OP_ZEROPAD);
    a.padding[0] = a.padding[3] = 1; /* a row above, a pixel to the right */
    a.channel_padding[0] = 1;
    CHECK(&t, netgen_add(&t, OP_ZEROPAD, &x, 1, a), LIST(1, 2), 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 0);
    netgen_end(&t);
}

/* In EVAL_FLOAT a tensor is rounded once, when its node is done. */
static void test_float(void)
{
    NetTest t;
    Node *x = evaltest_begin(&t, 1, 1, 1);
    Node *node = netgen_op(&t, OP_TANH, x);
    const double *inputs[] = {LIST(0.3)};
    double d = eval_net(t.net, inputs, EVAL_DOUBLE, t.arena).values[node->id][0];
    double f = eval_net(t.net, inputs, EVAL_FLOAT, t.arena).values[node->id][0];
    CU_ASSERT_EQUAL(d, tanh(0.3));
    CU_ASSERT_EQUAL(f, (double)(float)tanh((double)0.3f));
    netgen_end(&t);
}

void suite_eval(void)
{
    CU_pSuite s = CU_add_suite("eval", NULL, NULL);
    CU_add_test(s, "conv: padding", test_conv_padding);
    CU_add_test(s, "conv: direction of the kernel", test_conv_direction);
    CU_add_test(s, "conv: same, as TensorFlow means it", test_conv_same);
    CU_add_test(s, "conv: dilation", test_conv_dilation);
    CU_add_test(s, "conv: order of channels", test_conv_channels);
    CU_add_test(s, "conv: groups and depthwise", test_conv_groups);
    CU_add_test(s, "residual, then activation", test_residual_and_activation);
    CU_add_test(s, "batch", test_batch);
    CU_add_test(s, "bn", test_bn);
    CU_add_test(s, "normalize and cast", test_normalize);
    CU_add_test(s, "activations", test_activations);
    CU_add_test(s, "maxpool", test_maxpool);
    CU_add_test(s, "avgpool", test_avgpool);
    CU_add_test(s, "dense", test_dense);
    CU_add_test(s, "softmax", test_softmax);
    CU_add_test(s, "NaN and infinity", test_special);
    CU_add_test(s, "add, mul and concat", test_joins);
    CU_add_test(s, "stack", test_stack);
    CU_add_test(s, "split", test_split);
    CU_add_test(s, "flatten, subsample, upsample and zeropad", test_moves);
    CU_add_test(s, "float rounds each tensor", test_float);
}
