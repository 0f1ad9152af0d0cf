/* test_infer.c: shapes, and what is said when they do not fit. */
#include "net/infer.h"
#include "netgen.h"

#include <CUnit/CUnit.h>

#include <stdio.h>
#include <string.h>

static void test_window(void)
{
    /* in, kernel, stride, dilation, before, after */
    CU_ASSERT_EQUAL(infer_window(224, 7, 2, 1, 3, 3), 112);
    CU_ASSERT_EQUAL(infer_window(112, 3, 2, 1, 1, 1), 56);
    CU_ASSERT_EQUAL(infer_window(5, 3, 1, 2, 0, 0), 1);
    CU_ASSERT_EQUAL(infer_window(4, 3, 1, 2, 0, 0), 0);
    CU_ASSERT_EQUAL(infer_window(4, 3, 2, 2, 0, 1), 1);
    CU_ASSERT_EQUAL(infer_window(1, 1, 3, 1, 0, 0), 1);
    CU_ASSERT(infer_window(2147483647, 1, 1, 1, 1024, 1024) > 0);
    CU_ASSERT(infer_window(1, 1024, 1, 1024, 0, 0) <= 0);
}

static void has_shape(const Node *node, int c, int h, int w)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(node);
    CU_ASSERT(type_eq(node->type, (Type){ELEM_F32, 1, h, w, c}));
}

static void test_shapes(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    Node *x = netgen_input(&t, ELEM_F32, 9, 7, 6);
    Attrs a = ir_default_attrs(OP_FLATTEN);
    has_shape(netgen_add(&t, OP_FLATTEN, &x, 1, a), 9 * 7 * 6, 1, 1);
    a = ir_default_attrs(OP_ZEROPAD);
    a.padding[0] = 1, a.padding[1] = 2, a.padding[2] = 3, a.padding[3] = 4;
    a.channel_padding[0] = 5, a.channel_padding[1] = 6;
    has_shape(netgen_add(&t, OP_ZEROPAD, &x, 1, a), 17, 13, 13);
    a = ir_default_attrs(OP_SUBSAMPLE);
    a.stride[0] = 2, a.stride[1] = 3;
    has_shape(netgen_add(&t, OP_SUBSAMPLE, &x, 1, a), 6, 5, 3);
    a = ir_default_attrs(OP_UPSAMPLE);
    a.scale_by[0] = 2, a.scale_by[1] = 3;
    has_shape(netgen_add(&t, OP_UPSAMPLE, &x, 1, a), 6, 18, 21);
    Node *one = netgen_conv(&t, x, 1, 1, 1);
    has_shape(netgen_join(&t, OP_ADD, one, x), 6, 9, 7);
    has_shape(netgen_join(&t, OP_CONCAT, one, x), 7, 9, 7);
    a = ir_default_attrs(OP_AVGPOOL);
    a.stride[0] = a.stride[1] = 1;
    a.kernel[0] = 9, a.kernel[1] = 7;
    Node *mean = netgen_add(&t, OP_AVGPOOL, &x, 1, a);
    has_shape(mean, 6, 1, 1);
    has_shape(netgen_join(&t, OP_MUL, mean, one), 6, 9, 7); /* both are spread */
    has_shape(netgen_join(&t, OP_MUL, mean, x), 6, 9, 7);
    CU_ASSERT_EQUAL(t.diag.errors, 0);
    netgen_end(&t);
}

/* The messages of what was refused, against `wanted`. */
static void said(NetTest *t, const Node *node, const char *wanted)
{
    CU_ASSERT_PTR_NULL(node);
    CU_ASSERT_EQUAL(t->diag.errors, 1);
    CU_ASSERT_STRING_EQUAL(buf_text(&t->diag.out), wanted);
    if (strcmp(buf_text(&t->diag.out), wanted) != 0)
        printf("wanted:\n%sgot:\n%s", wanted, buf_text(&t->diag.out));
    t->diag = diag_new(&t->src, t->arena);
}

static Node *named(NetTest *t, Op op, Node *const *in, int n_in, Attrs attrs, const char *name)
{
    return ir_add(t->net, &t->diag, op, in, n_in, &attrs, name, NULL);
}

/* The example of the arms: a block's main arm is 128 x 28 x 28, its shortcut the
 * block's input, 64 x 56 x 56. */
static void test_join_messages(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    Node *x = netgen_input(&t, ELEM_F32, 56, 56, 64);
    Attrs a = ir_default_attrs(OP_CONV), none = ir_default_attrs(OP_ADD);
    a.filters = 128;
    a.kernel[0] = a.kernel[1] = 1;
    a.stride[0] = a.stride[1] = 2;
    Node *main = named(&t, OP_CONV, &x, 1, a, "layer2.0.main.conv2");
    a.filters = 64;
    Node *shortcut = named(&t, OP_CONV, &x, 1, a, "layer2.0.shortcut.conv1");
    Node *arms[] = {main, shortcut};
    said(&t, named(&t, OP_ADD, arms, 2, none, "layer2.0.add1"),
         "rnc: error: cannot add the arms: they differ in channels\n"
         "rnc: note: 'main' is 128 x 28 x 28\n"
         "rnc: note: 'shortcut' is 64 x 28 x 28; a convolution of 128 filters, 1x1, stride 1 "
         "would match it\n");
    arms[1] = x;
    said(&t, named(&t, OP_MUL, arms, 2, none, "layer2.0.mul1"),
         "rnc: error: cannot multiply the arms: they differ in channels, height and width\n"
         "rnc: note: 'main' is 128 x 28 x 28\n"
         "rnc: note: 'input1' is 64 x 56 x 56; a convolution of 128 filters, 1x1, stride 2 would "
         "match it\n");
    said(&t, named(&t, OP_CONCAT, arms, 2, none, "layer2.0.concat1"),
         "rnc: error: cannot concatenate the arms: they differ in height and width\n"
         "rnc: note: 'main' is 128 x 28 x 28\n"
         "rnc: note: 'input1' is 64 x 56 x 56; a stride of 2 would match it\n");
    netgen_end(&t);
}

/* Odd sizes: 57 pixels are 29 at stride 2; and the smaller arm comes second. */
static void test_remedies(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    Node *wide = netgen_input(&t, ELEM_F32, 57, 56, 8), *half = netgen_conv(&t, wide, 16, 3, 2);
    said(&t, netgen_join(&t, OP_ADD, wide, half),
         "rnc: error: cannot add the arms: they differ in channels, height and width\n"
         "rnc: note: 'input1' is 8 x 57 x 56; a convolution of 16 filters, 1x1, stride 2 would "
         "match it\n"
         "rnc: note: 'conv2' is 16 x 29 x 28\n");
    Node *tall = netgen_input(&t, ELEM_F32, 29, 56, 16),
         *low = netgen_input(&t, ELEM_F32, 14, 28, 16);
    said(&t, netgen_join(&t, OP_ADD, half, tall),
         "rnc: error: cannot add the arms: they differ in height and width\n"
         "rnc: note: 'conv2' is 16 x 29 x 28\n"
         "rnc: note: 'input4' is 16 x 29 x 56; a convolution of 16 filters, 1x1, stride (1, 2) "
         "would match it\n");
    Node *full = netgen_input(&t, ELEM_F32, 28, 56, 16);
    said(&t, netgen_join(&t, OP_ADD, full, low),
         "rnc: error: cannot add the arms: they differ in height and width\n"
         "rnc: note: 'input7' is 16 x 28 x 56\n"
         "rnc: note: 'input5' is 16 x 14 x 28; `upsample 2` would match it\n");
    /* A gate, whose height and width are no trouble, before and after what it gates. */
    Node *gate = netgen_input(&t, ELEM_F32, 1, 1, 3);
    for (int swap = 0; swap < 2; swap++) {
        static const char image[] = "rnc: note: 'input7' is 16 x 28 x 56\n",
                          pixel[] =
                              "rnc: note: 'input9' is 3 x 1 x 1; a convolution of 16 filters, "
                              "1x1, would match it\n";
        char text[512];
        snprintf(text, sizeof text,
                 "rnc: error: cannot multiply the arms: they differ in channels\n%s%s",
                 swap ? pixel : image, swap ? image : pixel);
        said(&t, netgen_join(&t, OP_MUL, swap ? gate : full, swap ? full : gate), text);
    }
    netgen_end(&t);
}

static void test_conv_messages(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    Node *x = netgen_input(&t, ELEM_F32, 3, 4, 64);
    Attrs a = ir_default_attrs(OP_CONV);
    a.filters = 96;
    a.kernel[0] = a.kernel[1] = 3;
    a.groups = 3;
    said(&t, netgen_add(&t, OP_CONV, &x, 1, a),
         "rnc: error: 'conv' cannot share 64 channels out to 3 groups\n"
         "rnc: note: 'input1' is 64 x 3 x 4\n"
         "rnc: note: 64 channels and 96 filters are both divisible by 2 and by 4\n");
    a.groups = 64;
    said(&t, netgen_add(&t, OP_CONV, &x, 1, a),
         "rnc: error: 'conv' cannot share 96 filters out to 64 groups\n"
         "rnc: note: 'input1' is 64 x 3 x 4\n"
         "rnc: note: 64 channels and 96 filters are both divisible by 32\n");
    a.groups = 1;
    a.dilation[0] = a.dilation[1] = 2;
    a.padding[1] = 1;
    said(&t, netgen_add(&t, OP_CONV, &x, 1, a),
         "rnc: error: the window of 'conv' is larger than its padded input\n"
         "rnc: note: the window is 5 x 5, dilation included, the padded input 3 x 5\n"
         "rnc: note: 'input1' is 64 x 3 x 4; a larger input, more padding, a smaller kernel or "
         "fewer strides before would make room\n");
    a.filters = 0;
    said(&t, netgen_add(&t, OP_CONV, &x, 1, a),
         "rnc: error: 'filters' of 'conv' is 0; it must be from 1 to 1048576\n");
    Attrs p = ir_default_attrs(OP_MAXPOOL);
    p.kernel[0] = p.kernel[1] = 2;
    p.stride[0] = p.stride[1] = 1;
    p.padding[0] = 2;
    said(&t, netgen_add(&t, OP_MAXPOOL, &x, 1, p),
         "rnc: error: a window of 'maxpool' would see padding alone\n"
         "rnc: note: the window is 2 x 2, the padding 2 above, 0 left, 0 below, 0 right; keep it "
         "below the window's size\n"
         "rnc: note: 'input1' is 64 x 3 x 4\n");
    p.padding[0] = 0;
    p.padding[3] = 2; /* the last window begins at pixel 4 of 4 */
    CU_ASSERT_PTR_NULL(netgen_add(&t, OP_MAXPOOL, &x, 1, p));
    p.stride[1] = 3; /* now it begins at pixel 3 */
    CU_ASSERT_PTR_NOT_NULL(netgen_add(&t, OP_MAXPOOL, &x, 1, p));
    netgen_end(&t);
}

static void test_other_messages(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    Node *x = netgen_input(&t, ELEM_U8, 7, 7, 512);
    said(&t, netgen_op(&t, OP_RELU, x),
         "rnc: error: 'relu' takes f32, but 'input1' is u8\n"
         "rnc: note: 'input1' is 512 x 7 x 7; `normalize` or `cast` makes f32 of it\n");
    Node *cast = netgen_op(&t, OP_CAST, x);
    Attrs a = ir_default_attrs(OP_DENSE);
    a.filters = 10;
    said(&t, netgen_add(&t, OP_DENSE, &cast, 1, a),
         "rnc: error: 'dense' takes a vector, not an image of 7 x 7 pixels\n"
         "rnc: note: 'cast3' is 512 x 7 x 7\n"
         "rnc: note: `flatten` before it makes a vector of 25088, `avgpool global` one of "
         "512\n");
    a = ir_default_attrs(OP_NORMALIZE);
    a.mean = (Reals){(const double[]){1, 2, 3}, 3};
    said(&t, netgen_add(&t, OP_NORMALIZE, &cast, 1, a),
         "rnc: error: 'mean' of 'normalize' has 3 numbers for 512 channels\n"
         "rnc: note: 'cast3' is 512 x 7 x 7; give one number for each channel, or one for all\n");
    said(&t, netgen_add(&t, OP_ADD, &cast, 1, ir_default_attrs(OP_ADD)),
         "rnc: error: 'add' takes 2 or more operands, not 1\n");
    netgen_end(&t);
}

static void test_overflow(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    Node *x = netgen_input(&t, ELEM_F32, 1 << 16, 1 << 16, 128);
    Attrs a = ir_default_attrs(OP_UPSAMPLE);
    a.scale_by[0] = a.scale_by[1] = 2;
    said(&t, netgen_add(&t, OP_UPSAMPLE, &x, 1, a),
         "rnc: error: the result of 'upsample' is too large: a batch of 1, 128 x 131072 x 131072\n"
         "rnc: note: 'input1' is 128 x 65536 x 65536\n"
         "rnc: note: a tensor has 1 to 2147483647 elements in each dimension and less than "
         "1099511627776 (2^40) in all\n");
    a.scale_by[0] = 1;
    CU_ASSERT_PTR_NULL(netgen_add(&t, OP_UPSAMPLE, &x, 1, a)); /* 2^40 exactly */
    CU_ASSERT_PTR_NULL(netgen_add(&t, OP_FLATTEN, &x, 1, ir_default_attrs(OP_FLATTEN)));
    t.diag = diag_new(&t.src, t.arena);
    Node *wide = netgen_input(&t, ELEM_F32, 1, 1, 2147483647);
    a = ir_default_attrs(OP_DENSE);
    a.filters = 1 << 24;
    said(&t, netgen_add(&t, OP_DENSE, &wide, 1, a),
         "rnc: error: the parameter 'weight' of 'dense' is too large\n"
         "rnc: note: 'input5' is 2147483647 x 1 x 1\n"
         "rnc: note: a parameter has less than 1099511627776 (2^40) elements\n");
    CU_ASSERT_PTR_NULL(netgen_join(&t, OP_CONCAT, wide, wide));
    netgen_end(&t);
}

/* Error, operands and callers each at their own place. */
static void test_places(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    int file = src_add(&t.src, "a.net", "input x\nadd\nblock()\n", 20);
    Place at_input = {{file, 0, 5}, NULL}, at_call = {{file, 12, 17}, NULL};
    Place at_add = {{file, 8, 11}, &at_call};
    Node *x = netgen_input(&t, ELEM_F32, 4, 4, 2), *y = netgen_input(&t, ELEM_F32, 4, 4, 3);
    x->place = &at_input;
    Node *in[] = {x, y};
    Attrs none = ir_default_attrs(OP_ADD);
    CU_ASSERT_PTR_NULL(ir_add(t.net, &t.diag, OP_ADD, in, 2, &none, "add1", &at_add));
    const char *text = buf_text(&t.diag.out);
    CU_ASSERT(strncmp(text, "a.net:2:1: error: cannot add the arms", 37) == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "a.net:1:1: note: 'input1' is 2 x 4 x 4"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "rnc: note: 'input2' is 3 x 4 x 4"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "a.net:3:1: note: "));
    netgen_end(&t);
}

void suite_infer(void)
{
    CU_pSuite s = CU_add_suite("infer", NULL, NULL);
    CU_add_test(s, "extents of windows", test_window);
    CU_add_test(s, "shapes", test_shapes);
    CU_add_test(s, "joins that do not fit", test_join_messages);
    CU_add_test(s, "ways out of joins", test_remedies);
    CU_add_test(s, "windows and groups that do not fit", test_conv_messages);
    CU_add_test(s, "other operands that do not fit", test_other_messages);
    CU_add_test(s, "too large", test_overflow);
    CU_add_test(s, "places of messages", test_places);
}
