/* test_place.c: layouts, and which tensors share memory. */
#include "nets.h"
#include "plan/plan_parts.h"

#include <CUnit/CUnit.h>

static const PlanOptions avx512 = {.isas = 1u << ISA_avx512};

static const Tensor *tensor_of(const Plan *plan, const Node *node)
{
    return plan->tensors[node->id];
}

static bool same_memory(const Plan *plan, const Node *a, const Node *b)
{
    const Tensor *x = tensor_of(plan, a), *y = tensor_of(plan, b);
    return x->buffer == y->buffer && x->origin == y->origin;
}

static int count_kernel(const Plan *plan, Kernel kernel)
{
    int n = 0;
    for (int i = 0; i < plan->steps.n; i++)
        n += plan->steps.at[i].kernel == kernel;
    return n;
}

/* Zeros reach as far as the last window does. */
static void test_halo(void)
{
    Bench b;
    bench_begin(&b);
    Node *in = make_input(&b, 2, 16, 10, 9, ELEM_F32);
    Node *a = make_conv(&b, in, 1, 16, 1, 1);
    Node *c = make_conv(&b, a, 3, 16, 2, 1); /* 10 rows: the last window ends at row 9 */
    Node *d = make_conv(&b, c, 5, 16, 1, 1);
    make_output(&b, make_pool(&b, OP_MAXPOOL, d, 3, 1, 1));
    Plan *plan = make_plan(&b, avx512);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    static const int none[4] = {0}, half[4] = {1, 1, 0, 1}, two[4] = {2, 2, 2, 2};
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(tensor_of(plan, in)->halo[i], none[i]);
        CU_ASSERT_EQUAL(tensor_of(plan, a)->halo[i], half[i]);
        CU_ASSERT_EQUAL(tensor_of(plan, c)->halo[i], two[i]);
        CU_ASSERT_EQUAL(tensor_of(plan, d)->halo[i], none[i]); /* pools clip */
    }
    const Tensor *t = tensor_of(plan, c); /* 5 x 5 pixels */
    CU_ASSERT_EQUAL(t->row, 16 * 9);
    CU_ASSERT_EQUAL(t->image, 16 * 9 * 9);
    CU_ASSERT_EQUAL(t->origin, 2 * t->row + 2 * t->pixel);
    CU_ASSERT_EQUAL(plan->buffers.at[t->buffer].bytes, 2 * 16 * 81 * 4);
    CU_ASSERT_EQUAL(plan->buffers.at[t->buffer].bare_bytes, 2 * 16 * 25 * 4);
    bench_end(&b);
}

static void test_pitch(void)
{
    Bench b;
    bench_begin(&b);
    Node *in = make_input(&b, 1, 3, 8, 8, ELEM_F32);
    Node *a = make_conv(&b, in, 3, 20, 1, 1);
    Node *c = make_conv(&b, a, 3, 1024, 1, 1);
    Node *d = make_conv(&b, c, 1, 1024, 1, 1);
    make_output(&b, make_pool(&b, OP_AVGPOOL, d, 8, 1, 0));
    Plan *plan = make_plan(&b, avx512);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_EQUAL(tensor_of(plan, in)->pixel, 3); /* a window's row is one run */
    CU_ASSERT_EQUAL(tensor_of(plan, a)->pixel, 32);
    CU_ASSERT_EQUAL(tensor_of(plan, a)->c, 32);
    CU_ASSERT_EQUAL(tensor_of(plan, c)->pixel, 1024 + 16); /* read by a convolution */
    CU_ASSERT_EQUAL(tensor_of(plan, d)->pixel, 1024);
    bench_end(&b);

    bench_begin(&b); /* something else reads the image, too */
    in = make_input(&b, 1, 3, 8, 8, ELEM_F32);
    make_output(&b, make_conv(&b, in, 3, 20, 1, 1));
    make_output(&b, make_op(&b, OP_TANH, in));
    plan = make_plan(&b, avx512);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_EQUAL(tensor_of(plan, in)->pixel, 16);
    bench_end(&b);
}

/* A residual is written over if nobody reads it later. */
static void test_in_place(void)
{
    for (int later = 0; later < 2; later++) {
        Bench b;
        bench_begin(&b);
        Node *in = make_input(&b, 1, 16, 8, 8, ELEM_F32);
        Node *x = make_conv(&b, in, 3, 16, 1, 1);
        Node *y = make_conv(&b, make_conv(&b, x, 3, 16, 1, 1), 3, 16, 1, 1);
        Node *sum = make_join(&b, OP_ADD, y, x);
        Node *z = make_conv(&b, sum, 3, 16, 1, 1);
        if (later)
            z = make_join(&b, OP_MUL, z, x);
        make_output(&b, z);
        run_passes(&b);
        Plan *plan = make_plan(&b, avx512);
        CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
        CU_ASSERT_EQUAL(same_memory(plan, y, x), !later); /* y is the fused layer now */
        CU_ASSERT_EQUAL(y->n_in, 2);
        bench_end(&b);
    }
}

static void test_in_place_chain(void)
{
    Bench b;
    bench_begin(&b);
    Node *x = make_conv(&b, make_input(&b, 1, 8, 6, 6, ELEM_F32), 1, 24, 1, 1);
    Node *bn = make_op(&b, OP_BN, x);
    Node *act = make_op(&b, OP_GELU, bn);
    Node *gate = make_conv(&b, make_pool(&b, OP_AVGPOOL, act, 6, 1, 0), 1, 24, 1, 1);
    Node *mul = make_join(&b, OP_MUL, act, gate);
    Node *soft = make_op(&b, OP_SOFTMAX, mul);
    make_output(&b, soft);
    Plan *plan = make_plan(&b, avx512);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT(same_memory(plan, bn, x));
    CU_ASSERT(same_memory(plan, act, bn));
    CU_ASSERT(same_memory(plan, mul, act)); /* over the operand that is not spread */
    CU_ASSERT(same_memory(plan, soft, mul));
    CU_ASSERT_FALSE(same_memory(plan, gate, act));
    bench_end(&b);
}

/* Parts of whole vectors are views, others are copied; a view may be read with a halo, and
 * written over where nobody reads its operand any more. */
static void test_split(void)
{
    Bench b;
    bench_begin(&b);
    Node *in = make_input(&b, 1, 16, 6, 6, ELEM_F32);
    Node *wide = make_conv(&b, in, 3, 64, 1, 1), *narrow = make_conv(&b, in, 3, 24, 1, 1);
    Node *parts[4];
    for (int i = 0; i < 4; i++) {
        Attrs a = ir_default_attrs(OP_SPLIT);
        a.parts = 2;
        a.result = i % 2;
        parts[i] = make(&b, OP_SPLIT, i < 2 ? &wide : &narrow, 1, &a);
    }
    make_output(&b, make_conv(&b, parts[1], 3, 16, 1, 1));
    Node *last = make_op(&b, OP_RELU, parts[0]);
    make_output(&b, last);
    make_output(&b, make_join(&b, OP_ADD, parts[2], parts[3]));
    Plan *plan = make_plan(&b, avx512);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT(plan_check(plan, &b.diag));
    CU_ASSERT_EQUAL(count_kernel(plan, KERNEL_split), 1);
    CU_ASSERT(same_memory(plan, wide, parts[0]));
    CU_ASSERT_EQUAL(tensor_of(plan, parts[1])->origin, tensor_of(plan, wide)->origin + 32);
    CU_ASSERT_EQUAL(tensor_of(plan, wide)->halo[0], 1);
    CU_ASSERT(same_memory(plan, last, parts[0]));
    bench_end(&b);
}

static void test_concat(void)
{
    Bench b;
    bench_begin(&b);
    Node *in = make_input(&b, 1, 16, 6, 6, ELEM_F32);
    Node *x = make_conv(&b, in, 3, 32, 1, 1), *y = make_conv(&b, in, 3, 20, 1, 1);
    Node *cat = make_join(&b, OP_CONCAT, x, y); /* 32 is a multiple of the vector */
    Node *other = make_join(&b, OP_CONCAT, y, x);
    make_output(&b, make_conv(&b, cat, 3, 8, 1, 1));
    make_output(&b, make_conv(&b, other, 3, 8, 1, 1));
    Plan *plan = make_plan(&b, avx512);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_EQUAL(count_kernel(plan, KERNEL_copy),
                    2 + (tensor_of(plan, x)->buffer != tensor_of(plan, cat)->buffer));
    /* y comes second in `cat`: either there, or last decided first, x in `other`;
     * what begins at channel 20 must be copied */
    CU_ASSERT_EQUAL(plan->placings[other->id].form, FORM_STEP);
    CU_ASSERT_FALSE(plan->placings[other->id].embedded[0]);
    CU_ASSERT_FALSE(plan->placings[other->id].embedded[1]);
    CU_ASSERT_EQUAL(plan->placings[cat->id].form, FORM_VIEW);
    CU_ASSERT(same_memory(plan, cat, x));
    CU_ASSERT_EQUAL(tensor_of(plan, y)->origin, tensor_of(plan, cat)->origin + 32);
    bench_end(&b);
}

/* A concat with the same operand twice: one of them is a copy. */
static void test_concat_twice(void)
{
    Bench b;
    bench_begin(&b);
    Node *x = make_conv(&b, make_input(&b, 1, 16, 6, 6, ELEM_F32), 3, 16, 1, 1);
    make_output(&b, make_join(&b, OP_CONCAT, x, x));
    Plan *plan = make_plan(&b, avx512);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_EQUAL(count_kernel(plan, KERNEL_copy), 1);
    bench_end(&b);
}

/* All layers of a dense block write side by side into one buffer. */
static void test_dense_block(void)
{
    static const int layers[] = {6};
    Bench b;
    bench_begin(&b);
    make_densenet(&b, 64, 32, layers, 1);
    run_passes(&b);
    Plan *plan = make_plan(&b, avx512);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_EQUAL(count_kernel(plan, KERNEL_copy), 0);
    int buffer = -1;
    for (int i = 0; i < b.net->nodes.n; i++) {
        const Node *node = b.net->nodes.at[i];
        if (node->op != OP_CONCAT)
            continue;
        CU_ASSERT(buffer < 0 || tensor_of(plan, node)->buffer == buffer);
        buffer = tensor_of(plan, node)->buffer;
    }
    bench_end(&b);
}

static void test_flatten(void)
{
    for (int i = 0; i < 4; i++) {
        const bool nhwc = i & 1, whole = i & 2; /* whole vectors of channels */
        Bench b;
        bench_begin(&b);
        Node *x = make_conv(&b, make_input(&b, 2, 8, 4, 4, ELEM_F32), 3, whole ? 32 : 20, 1, 1);
        Attrs a = ir_default_attrs(OP_FLATTEN);
        a.order = nhwc ? ORDER_NHWC : ORDER_NCHW;
        Node *flat = make(&b, OP_FLATTEN, &x, 1, &a);
        make_output(&b, make_op(&b, OP_SOFTMAX, flat));
        Plan *plan = make_plan(&b, avx512);
        CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
        CU_ASSERT_EQUAL(count_kernel(plan, KERNEL_flatten), !nhwc);
        CU_ASSERT_EQUAL(count_kernel(plan, KERNEL_copy), nhwc && !whole);
        CU_ASSERT_EQUAL(same_memory(plan, flat, x), nhwc && whole);
        bench_end(&b);
    }
}

/* For comparisons layer by layer nothing may be written over. */
static void test_keep_all(void)
{
    for (unsigned seed = 1; seed <= 60; seed++) {
        Bench b;
        bench_begin(&b);
        make_random(&b, seed, 25);
        run_passes(&b);
        Plan *plan = make_plan(&b, (PlanOptions){.keep_all = true});
        CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
        int *owner = NEW_ARRAY(b.arena, int, plan->buffers.n);
        for (int i = 0; i < b.net->nodes.n; i++) {
            const Tensor *t = plan->tensors[i];
            if (t && t->state)
                continue;
            CU_ASSERT(!t || owner[t->buffer]++ == 0);
            CU_ASSERT(!t || plan->buffers.at[t->buffer].last == plan->steps.n - 1);
        }
        bench_end(&b);
    }
}

static void test_too_large(void)
{
    Bench b;
    bench_begin(&b);
    Node *in = make_input(&b, 1, 1, 40000, 40000, ELEM_F32);
    make_output(&b, make_op(&b, OP_SIGMOID, in)); /* 16 lanes a pixel: 2.6e10 floats */
    CU_ASSERT_PTR_NULL(plan_make(b.arena, b.net, avx512, &b.diag));
    CU_ASSERT(b.diag.errors > 0);
    bench_end(&b);
}

void suite_place(void)
{
    CU_pSuite s = CU_add_suite("place", NULL, NULL);
    CU_add_test(s, "halo", test_halo);
    CU_add_test(s, "pitch", test_pitch);
    CU_add_test(s, "in place", test_in_place);
    CU_add_test(s, "in place, a chain", test_in_place_chain);
    CU_add_test(s, "split", test_split);
    CU_add_test(s, "concat", test_concat);
    CU_add_test(s, "concat of one operand", test_concat_twice);
    CU_add_test(s, "dense block", test_dense_block);
    CU_add_test(s, "flatten", test_flatten);
    CU_add_test(s, "keep all", test_keep_all);
    CU_add_test(s, "too large", test_too_large);
}
