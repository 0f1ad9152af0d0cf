/* test_round.c: weights rounded to the type that they are stored with. */
#include "nets.h"

#include "kernels/shapes.h"
#include "params/round.h"

#include <CUnit/CUnit.h>

/* A convolution of one channel to one with the given weight and bias. */
static Node *one_conv(Bench *b, float weight, float bias)
{
    float *data = NEW_ARRAY(b->arena, float, 2);
    Attrs a = ir_default_attrs(OP_CONV);
    a.kernel[0] = a.kernel[1] = 1;
    a.filters = 1;
    a.bias = true;
    Node *in = make_input(b, 1, 1, 1, 1, ELEM_F32);
    Node *conv = make(b, OP_CONV, &in, 1, &a);
    data[0] = weight, data[1] = bias;
    conv->params[P_WEIGHT]->data = data;
    conv->params[P_BIAS]->data = data + 1;
    return conv;
}

static void test_rounded(void)
{
    Bench b;
    bench_begin(&b);
    const Node *conv = one_conv(&b, 1.00048828125f, 1.00048828125f); /* 1 + 2^-11 */
    CU_ASSERT(round_weights(b.net, RNC_WEIGHTS_F32, &b.diag));
    CU_ASSERT_EQUAL(param_floats(conv->params[P_WEIGHT])[0], 1.00048828125f);
    CU_ASSERT(round_weights(b.net, RNC_WEIGHTS_F16, &b.diag));
    CU_ASSERT_EQUAL(param_floats(conv->params[P_WEIGHT])[0], 1.0f); /* a tie, to even */
    CU_ASSERT_EQUAL(param_floats(conv->params[P_BIAS])[0], 1.00048828125f);
    CU_ASSERT_EQUAL(b.diag.errors, 0);
    bench_end(&b);
}

static void test_overflow(void)
{
    Bench b;
    bench_begin(&b);
    const Node *conv = one_conv(&b, -70000.0f, 1e6f);
    CU_ASSERT(!round_weights(b.net, RNC_WEIGHTS_F16, &b.diag));
    CU_ASSERT_STRING_EQUAL(buf_text(&b.diag.out),
                           "rnc: error: 'conv2' has a weight of -70000, and f16 numbers end at "
                           "65504\n"
                           "rnc: note: --weights-type bf16 has the range of floats\n");
    CU_ASSERT_EQUAL(param_floats(conv->params[P_WEIGHT])[0], -70000.0f);
    CU_ASSERT(round_weights(b.net, RNC_WEIGHTS_BF16, &b.diag));
    bench_end(&b);
}

void suite_round(void)
{
    CU_pSuite s = CU_add_suite("round", NULL, NULL);
    CU_add_test(s, "weights, not biases, to the nearest", test_rounded);
    CU_add_test(s, "a weight that f16 has not", test_overflow);
}
