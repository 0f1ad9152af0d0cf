/* test_bind_order.c: tensors whose axes are in another order than the network's, and the names
 * that say so. */
#include "bindtest.h"

#include <CUnit/CUnit.h>

#include <string.h>

static void test_shapes(void)
{
    BindTest b;
    bindtest_begin(&b);
    bindtest_tensor(&b, "conv1.weight", "3,3,3,2", 54, 1, 1);
    bindtest_normalisation(&b);
    bindtest_tensor(&b, "fc.weight", "18,4", 72, 1, 1);
    bindtest_tensor(&b, "fc.bias", "4,1", 4, 1, 1);
    bindtest_finish(&b);
    REFUSED(&b, 2, "it is [3][3][3][2], the network needs [2][3][3][3]",
            "this is the order of Keras, [height][width][in][out]; expected is that of PyTorch",
            "`conv.weight -> \"kernel\" hwio`", "it is [18][4], the network needs [4][18]",
            "the order of Keras, [in][out]; expected is that of PyTorch, [out][in]",
            "as 'fc.bias': [4][1] for [4]");
}

/* A kernel of a one-dimensional convolution, and a dense layer's as one of 1x1. */
static void test_axes_of_one(void)
{
    BindTest b;
    bindtest_begin(&b);
    Attrs a = ir_default_attrs(OP_CONV);
    a.kernel[0] = 1;
    a.kernel[1] = 3;
    a.padding[0] = a.padding[1] = a.padding[2] = a.padding[3] = 0;
    a.filters = 2;
    Node *x = ir_add_input(b.net, "signal", (Type){ELEM_F32, 1, 1, 9, 2}, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ir_add(b.net, &b.diag, OP_CONV, &x, 1, &a, "wave", NULL));
    bindtest_convolution(&b);
    bindtest_normalisation(&b);
    bindtest_tensor(&b, "fc.weight", "4,18,1,1", 72, 0, 1);
    bindtest_tensor(&b, "fc.bias", "1,4,1,1", 4, 0, 1);
    bindtest_tensor(&b, "wave.weight", "2,2,3", 12, 0, 1);
    bindtest_finish(&b);
    CU_ASSERT_TRUE_FATAL(bindtest_bind(&b, INIT_NONE));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&b.diag.out),
                                  "3 tensors differ from the network in axes "
                                  "of extent 1"));
    CU_ASSERT_EQUAL(param_floats(bindtest_param(&b, "wave", P_WEIGHT))[11], 11);
    CU_ASSERT_EQUAL(param_floats(bindtest_param(&b, "fc", P_BIAS))[3], 3);
    bindtest_end(&b);
}

/* A naming that says the order of axes, as Keras' does. */
static void keras_names(BindTest *b)
{
    Param *kernel = net_node_named(b->net, "conv1")->params[P_WEIGHT];
    Param *dense_kernel = net_node_named(b->net, "fc")->params[P_WEIGHT];
    kernel->alias = "c.kernel";
    kernel->axes = "hwio";
    dense_kernel->alias = "fc.kernel";
    dense_kernel->axes = "io";
}

static void test_keras_order(void)
{
    BindTest b;
    bindtest_begin(&b);
    keras_names(&b);
    bindtest_tensor(&b, "c.kernel", "3,3,3,2", 54, 0, 1);
    bindtest_normalisation(&b);
    bindtest_tensor(&b, "fc.kernel", "18,4", 72, 0, 1);
    bindtest_tensor(&b, "fc.bias", "4", 4, 0, 1);
    bindtest_finish(&b);
    CU_ASSERT_TRUE_FATAL(bindtest_bind(&b, INIT_NONE));
    /* [1][2][0][1] is [0][1][2][1] there */
    CU_ASSERT_EQUAL(param_floats(bindtest_param(&b, "conv1", P_WEIGHT))[27 + 18 + 1],
                    ((0 * 3 + 1) * 3 + 2) * 2 + 1);
    CU_ASSERT_EQUAL(param_floats(bindtest_param(&b, "fc", P_WEIGHT))[3 * 18 + 5], 5 * 4 + 3);
    bindtest_end(&b);
}

/* The network's own names have its own order, whatever the naming says. */
static void test_own_names(void)
{
    BindTest b;
    bindtest_begin(&b);
    keras_names(&b);
    bindtest_convolution(&b);
    bindtest_normalisation(&b);
    bindtest_dense(&b);
    bindtest_finish(&b);
    CU_ASSERT_TRUE_FATAL(bindtest_bind(&b, INIT_NONE));
    CU_ASSERT_EQUAL(param_floats(bindtest_param(&b, "conv1", P_WEIGHT))[2], 3);
    CU_ASSERT_EQUAL(param_floats(bindtest_param(&b, "fc", P_WEIGHT))[5], 5);
    bindtest_end(&b);
}

static void test_other_order(void)
{
    BindTest b;
    bindtest_begin(&b);
    keras_names(&b);
    bindtest_tensor(&b, "c.kernel", "2,3,3,3", 54, 0, 1);
    bindtest_normalisation(&b);
    bindtest_tensor(&b, "fc.kernel", "4,18", 72, 0, 1);
    bindtest_tensor(&b, "fc.bias", "4", 4, 0, 1);
    bindtest_finish(&b);
    REFUSED(&b, 2, "it is [2][3][3][3], the network needs [3][3][3][2]",
            "the order of PyTorch, [out][in][height][width]; expected is that of the naming, "
            "[height][width][in][out]",
            "without 'hwio' after 'conv.weight -> ...'", "the network needs [18][4]");
}

/* Paths, as Keras has them: what counts is the layer's name and the weight's. */
static void test_paths(void)
{
    BindTest b;
    bindtest_begin(&b);
    keras_names(&b);
    bindtest_tensor(&b, "model/c/kernel:0", "3,3,3,2", 54, 0, 1);
    bindtest_normalisation(&b);
    bindtest_tensor(&b, "inner/fc/kernel", "18,4", 72, 0, 1);
    bindtest_tensor(&b, "inner/fc/bias", "4", 4, 0, 1);
    bindtest_finish(&b);
    CU_ASSERT_TRUE_FATAL(bindtest_bind(&b, INIT_NONE));
    CU_ASSERT_STRING_EQUAL(buf_text(&b.diag.out), "");
    CU_ASSERT_EQUAL(b.done.left_over, 0);
    bindtest_end(&b);
    /* Two layers of one name: the paths stay as they are, and nothing is guessed. */
    bindtest_begin(&b);
    keras_names(&b);
    bindtest_tensor(&b, "c.kernel", "3,3,3,2", 54, 0, 1);
    bindtest_normalisation(&b);
    bindtest_tensor(&b, "a/fc/kernel", "18,4", 72, 0, 1);
    bindtest_tensor(&b, "b/fc/kernel", "18,4", 72, 0, 1);
    bindtest_tensor(&b, "fc/bias", "4", 4, 0, 1);
    bindtest_finish(&b);
    REFUSED(&b, 3, "no tensor 'fc.kernel'", "'a/fc/kernel' belongs to no parameter",
            "'b/fc/kernel' belongs to no parameter");
}

/* A file that says the order of its kernels is not read in another one. */
static void test_axes_disagree(void)
{
    BindTest b;
    bindtest_begin(&b);
    net_node_named(b.net, "fc")->params[P_WEIGHT]->alias = "fc.kernel";
    bindtest_convolution(&b);
    bindtest_normalisation(&b);
    bindtest_tensor(&b, "fc.kernel", "4,18", 72, 0, 1);
    bindtest_tensor(&b, "fc.bias", "4", 4, 0, 1);
    bindtest_finish(&b);
    for (int i = 0; i < b.files[0].n; i++) {
        if (str_eq(b.files[0].tensors[i].name, "fc.kernel"))
            b.files[0].tensors[i].axes = "io";
    }
    REFUSED(&b, 1, "'fc.kernel' has the order of Keras, [in][out], and the naming says [out][in]",
            "`dense.weight -> \"kernel\" io`");
}

/* What rnc wrote has the network's names and order, whatever the naming says. */
static void test_own_file(void)
{
    BindTest b;
    bindtest_begin(&b);
    Param *kernel = net_node_named(b.net, "conv1")->params[P_WEIGHT];
    kernel->axes = "hwio"; /* of the same name: only the file can tell */
    bindtest_convolution(&b);
    bindtest_normalisation(&b);
    bindtest_dense(&b);
    bindtest_finish(&b);
    b.files[0].own = true;
    CU_ASSERT_TRUE_FATAL(bindtest_bind(&b, INIT_NONE));
    CU_ASSERT_EQUAL(param_floats(bindtest_param(&b, "conv1", P_WEIGHT))[2], 3);
    bindtest_end(&b);
}

void suite_bind_order(void)
{
    CU_pSuite suite = CU_add_suite("bind_order", NULL, NULL);
    CU_ADD_TEST(suite, test_axes_of_one);
    CU_ADD_TEST(suite, test_shapes);
    CU_ADD_TEST(suite, test_keras_order);
    CU_ADD_TEST(suite, test_own_names);
    CU_ADD_TEST(suite, test_other_order);
    CU_ADD_TEST(suite, test_paths);
    CU_ADD_TEST(suite, test_axes_disagree);
    CU_ADD_TEST(suite, test_own_file);
}
