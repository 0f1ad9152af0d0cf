/* test_eval_sample.c: the oracle's operators that give pixels other places, and windows at the
 * edge, against numbers worked out by hand.  Tensors are [h][w][c]. */
#include "evaltest.h"

#include <CUnit/CUnit.h>

#include <math.h>
#include <string.h>

/* The 4x4 pixels 1 to 16 by 3x3 windows, stride 2, padding 1: PyTorch's avg_pool2d and max_pool2d.
 */
static void test_ceil_mode(void)
{
    const double *in = LIST(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
    NetTest t;
    Node *x = evaltest_begin(&t, 4, 4, 1);
    Attrs a = ir_default_attrs(OP_AVGPOOL);
    CU_ASSERT_FALSE(a.ceil_mode);
    a.kernel[0] = a.kernel[1] = 3;
    a.stride[0] = a.stride[1] = 2;
    for (int i = 0; i < 4; i++)
        a.padding[i] = 1;
    a.ceil_mode = true;
    CHECK(&t, netgen_add(&t, OP_AVGPOOL, &x, 1, a), in, 14 / 9.0, 30 / 9.0, 2, 57 / 9.0, 11, 6, 4.5,
          7.5, 4);
    a.count_padding = false;
    CHECK(&t, netgen_add(&t, OP_AVGPOOL, &x, 1, a), in, 3.5, 5, 6, 9.5, 11, 12, 13.5, 15, 16);
    a.divisor = 2;
    CHECK(&t, netgen_add(&t, OP_AVGPOOL, &x, 1, a), in, 7, 15, 6, 28.5, 49.5, 18, 13.5, 22.5, 8);
    Attrs m = ir_default_attrs(OP_MAXPOOL);
    memcpy(m.kernel, a.kernel, sizeof m.kernel);
    memcpy(m.stride, a.stride, sizeof m.stride);
    memcpy(m.padding, a.padding, sizeof m.padding);
    m.ceil_mode = true;
    CHECK(&t, netgen_add(&t, OP_MAXPOOL, &x, 1, m), in, 6, 8, 8, 14, 16, 16, 14, 16, 16);
    /* A window that would begin in the padding after the input is none. */
    m.kernel[0] = m.kernel[1] = 2;
    Node *y = netgen_add(&t, OP_MAXPOOL, &x, 1, m);
    CU_ASSERT(y->type.h == 3 && y->type.w == 3);
    /* A window larger than the padded input begins in it all the same. */
    memset(m.padding, 0, sizeof m.padding);
    m.kernel[0] = m.kernel[1] = 5;
    CHECK(&t, netgen_add(&t, OP_MAXPOOL, &x, 1, m), in, 16);
    netgen_end(&t);
}

static void test_pad(void)
{
    NetTest t;
    Node *x = evaltest_begin(&t, 1, 3, 1);
    Attrs a = ir_default_attrs(OP_PAD);
    a.padding[1] = a.padding[3] = 2;
    const double *in = LIST(1, 2, 3);
    a.padding_mode = PADDING_REFLECT;
    CHECK(&t, netgen_add(&t, OP_PAD, &x, 1, a), in, 3, 2, 1, 2, 3, 2, 1);
    a.padding_mode = PADDING_SYMMETRIC;
    CHECK(&t, netgen_add(&t, OP_PAD, &x, 1, a), in, 2, 1, 1, 2, 3, 3, 2);
    a.padding_mode = PADDING_REPLICATE;
    CHECK(&t, netgen_add(&t, OP_PAD, &x, 1, a), in, 1, 1, 1, 2, 3, 3, 3);
    a.padding_mode = PADDING_CIRCULAR;
    CHECK(&t, netgen_add(&t, OP_PAD, &x, 1, a), in, 2, 3, 1, 2, 3, 1, 2);
    netgen_end(&t);
}

/* Two pixels as four, and four as two. */
static void test_resize(void)
{
    NetTest t;
    Node *x = evaltest_begin(&t, 1, 2, 1);
    Attrs a = ir_default_attrs(OP_RESIZE);
    a.size[0] = 1, a.size[1] = 4;
    a.resize_mode = RESIZE_BILINEAR;
    const double *in = LIST(0, 12);
    CHECK(&t, netgen_add(&t, OP_RESIZE, &x, 1, a), in, 0, 3, 9, 12);
    a.corners = CORNERS_ALIGN;
    CHECK(&t, netgen_add(&t, OP_RESIZE, &x, 1, a), in, 0, 4, 8, 12);
    a.corners = CORNERS_ASYMMETRIC;
    CHECK(&t, netgen_add(&t, OP_RESIZE, &x, 1, a), in, 0, 6, 12, 12);
    a.resize_mode = RESIZE_NEAREST;
    CHECK(&t, netgen_add(&t, OP_RESIZE, &x, 1, a), in, 0, 0, 12, 12);
    a.size[1] = 1;
    CHECK(&t, netgen_add(&t, OP_RESIZE, &x, 1, a), in, 0);
    a.corners = CORNERS_HALF_PIXEL;
    CHECK(&t, netgen_add(&t, OP_RESIZE, &x, 1, a), in, 12); /* 0.5, rounded up */
    a.corners = CORNERS_PYTORCH_HALF_PIXEL;
    CHECK(&t, netgen_add(&t, OP_RESIZE, &x, 1, a), in, 0);
    static const double third[] = {1, 1 / 3.0};
    a = ir_default_attrs(OP_RESIZE);
    a.scales = (Reals){third, 2};
    Node *wide = netgen_input(&t, ELEM_F32, 1, 9, 1);
    Node *y = netgen_add(&t, OP_RESIZE, &wide, 1, a);
    CU_ASSERT(y->type.h == 1 && y->type.w == 3); /* though 9 times the double is less than 3 */
    netgen_end(&t);
}

static void test_blurpool(void)
{
    NetTest t;
    Node *x = evaltest_begin(&t, 1, 4, 1);
    Attrs a = ir_default_attrs(OP_BLURPOOL);
    a.kernel[0] = a.stride[0] = 1;
    a.padding[1] = a.padding[3] = 1;
    CHECK(&t, netgen_add(&t, OP_BLURPOOL, &x, 1, a), LIST(4, 8, 16, 0), 6, 10);
    a.padding_mode = PADDING_ZEROS;
    CHECK(&t, netgen_add(&t, OP_BLURPOOL, &x, 1, a), LIST(4, 8, 16, 0), 4, 10);
    netgen_end(&t);
}

static void test_axes(void)
{
    NetTest t;
    Node *x = evaltest_begin(&t, 2, 2, 2);
    const double *in = LIST(0, 1, 2, 3, 4, 5, 6, 7);
    Attrs a = ir_default_attrs(OP_TRANSPOSE);
    a.axes = AXES_CWH;
    CHECK(&t, netgen_add(&t, OP_TRANSPOSE, &x, 1, a), in, 0, 1, 4, 5, 2, 3, 6, 7);
    a.axes = AXES_HCW;
    CHECK(&t, netgen_add(&t, OP_TRANSPOSE, &x, 1, a), in, 0, 4, 2, 6, 1, 5, 3, 7);
    a.axes = AXES_HWC;
    CHECK(&t, netgen_add(&t, OP_TRANSPOSE, &x, 1, a), in, 0, 4, 1, 5, 2, 6, 3, 7);
    a.axes = AXES_WCH;
    CHECK(&t, netgen_add(&t, OP_TRANSPOSE, &x, 1, a), in, 0, 2, 4, 6, 1, 3, 5, 7);
    a.axes = AXES_WHC;
    CHECK(&t, netgen_add(&t, OP_TRANSPOSE, &x, 1, a), in, 0, 2, 1, 3, 4, 6, 5, 7);
    a = ir_default_attrs(OP_RESHAPE);
    a.filters = 4;
    a.size[0] = 2, a.size[1] = 1;
    CHECK(&t, netgen_add(&t, OP_RESHAPE, &x, 1, a), in, 0, 4, 1, 5, 2, 6, 3, 7);
    a.order = ORDER_NHWC;
    CHECK(&t, netgen_add(&t, OP_RESHAPE, &x, 1, a), in, 0, 1, 2, 3, 4, 5, 6, 7);
    a.order = ORDER_NCHW;
    a.filters = 1;
    a.size[0] = 2, a.size[1] = 4;
    CHECK(&t, netgen_add(&t, OP_RESHAPE, &x, 1, a), in, 0, 2, 4, 6, 1, 3, 5, 7);
    netgen_end(&t);
}

static void test_blocks(void)
{
    NetTest t;
    Node *x = evaltest_begin(&t, 1, 1, 8);
    const double *in = LIST(0, 1, 2, 3, 4, 5, 6, 7);
    Attrs a = ir_default_attrs(OP_DEPTH_TO_SPACE);
    a.block = 2;
    CHECK(&t, netgen_add(&t, OP_DEPTH_TO_SPACE, &x, 1, a), in, 0, 1, 2, 3, 4, 5, 6, 7);
    a.depth_order = DEPTH_CRD;
    Node *y = netgen_add(&t, OP_DEPTH_TO_SPACE, &x, 1, a);
    CHECK(&t, y, in, 0, 4, 1, 5, 2, 6, 3, 7);
    CHECK(&t, netgen_add(&t, OP_SPACE_TO_DEPTH, &y, 1, a), in, 0, 1, 2, 3, 4, 5, 6, 7);
    a = ir_default_attrs(OP_UNFLATTEN);
    a.size[0] = 2, a.size[1] = 2;
    Node *image = netgen_add(&t, OP_UNFLATTEN, &x, 1, a);
    CHECK(&t, image, in, 0, 4, 1, 5, 2, 6, 3, 7);
    CHECK(&t, netgen_op(&t, OP_FLATTEN, image), in, 0, 1, 2, 3, 4, 5, 6, 7);
    a.order = ORDER_NHWC;
    CHECK(&t, netgen_add(&t, OP_UNFLATTEN, &x, 1, a), in, 0, 1, 2, 3, 4, 5, 6, 7);
    a = ir_default_attrs(OP_CHANNEL_SHUFFLE);
    a.groups = 2;
    CHECK(&t, netgen_add(&t, OP_CHANNEL_SHUFFLE, &x, 1, a), in, 0, 4, 1, 5, 2, 6, 3, 7);
    a = ir_default_attrs(OP_CROP);
    a.channel_padding[0] = 5, a.channel_padding[1] = 1;
    CHECK(&t, netgen_add(&t, OP_CROP, &x, 1, a), in, 5, 6);
    static const double sizes[] = {3, 5};
    a = ir_default_attrs(OP_SPLIT);
    a.parts = 2;
    a.sizes = (Reals){sizes, 2};
    Node *low = netgen_add(&t, OP_SPLIT, &x, 1, a);
    a.result = 1;
    Node *high = netgen_add(&t, OP_SPLIT, &x, 1, a);
    CHECK(&t, low, in, 0, 1, 2);
    CHECK(&t, high, in, 3, 4, 5, 6, 7);
    netgen_end(&t);
}

/* A window of 3 at every second pixel: where two overlap, they add up. */
static void test_conv_transpose(void)
{
    NetTest t;
    Node *x = evaltest_begin(&t, 1, 2, 1);
    Attrs a = ir_default_attrs(OP_CONV_TRANSPOSE);
    a.filters = a.kernel[0] = a.stride[0] = 1;
    a.kernel[1] = 3, a.stride[1] = 2;
    Node *y = netgen_add(&t, OP_CONV_TRANSPOSE, &x, 1, a);
    netgen_set(&t, y, P_WEIGHT, FLOATS(1, 10, 100));
    CHECK(&t, y, LIST(3, 4), 3, 30, 304, 40, 400);
    a.padding[1] = a.padding[3] = a.output_padding[1] = 1;
    y = netgen_add(&t, OP_CONV_TRANSPOSE, &x, 1, a);
    netgen_set(&t, y, P_WEIGHT, FLOATS(1, 10, 100));
    CHECK(&t, y, LIST(3, 4), 30, 304, 40, 400);
    netgen_end(&t);
}

static void test_padding_mode(void)
{
    NetTest t;
    Node *x = evaltest_begin(&t, 1, 3, 1);
    Attrs a = ir_default_attrs(OP_CONV);
    a.filters = a.kernel[0] = 1;
    a.kernel[1] = 3;
    a.padding[1] = a.padding[3] = 1;
    a.padding_mode = PADDING_REFLECT;
    Node *y = netgen_add(&t, OP_CONV, &x, 1, a);
    netgen_set(&t, y, P_WEIGHT, FLOATS(1, 10, 100));
    CHECK(&t, y, LIST(1, 2, 3), 212, 321, 232);
    netgen_end(&t);
}

void suite_eval_sample(void)
{
    CU_pSuite s = CU_add_suite("eval_sample", NULL, NULL);
    CU_add_test(s, "ceil_mode", test_ceil_mode);
    CU_add_test(s, "pad", test_pad);
    CU_add_test(s, "resize", test_resize);
    CU_add_test(s, "blurpool", test_blurpool);
    CU_add_test(s, "axes", test_axes);
    CU_add_test(s, "blocks", test_blocks);
    CU_add_test(s, "conv_transpose", test_conv_transpose);
    CU_add_test(s, "padding_mode", test_padding_mode);
}
