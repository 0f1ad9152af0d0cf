/* test_select.c: which kernel a node gets, and what it is told. */
#include "nets.h"
#include "plan/plan_parts.h"

#include <CUnit/CUnit.h>

#include <string.h>

static const PlanOptions avx512 = {.isas = 1u << ISA_avx512};

static const Step *step_of(const Plan *plan, const Node *node)
{
    for (int i = 0; i < plan->steps.n; i++) {
        if (plan->steps.at[i].node == node)
            return &plan->steps.at[i];
    }
    return NULL;
}

static Kernel kernel_of(const Plan *plan, const Node *node)
{
    const Step *step = step_of(plan, node);
    return step ? step->kernel : KERNEL_COUNT;
}

static void test_convolutions(void)
{
    for (int blas = 0; blas < 2; blas++) {
        Bench b;
        bench_begin(&b);
        Node *in = make_input(&b, 1, 16, 8, 8, ELEM_F32);
        Node *direct = make_conv(&b, in, 3, 20, 1, 1);
        Node *each = make_conv(&b, direct, 3, 20, 2, 20);
        Node *pool = make_pool(&b, OP_AVGPOOL, each, 4, 1, 0);
        Node *gate = make_conv(&b, pool, 1, 40, 1, 1);
        make_output(&b, gate);
        PlanOptions o = avx512;
        o.exact = true;
        o.backend = blas ? BACKEND_OPENBLAS : BACKEND_NATIVE;
        Plan *plan = make_plan(&b, o);
        CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
        CU_ASSERT_EQUAL(kernel_of(plan, direct), blas ? KERNEL_conv_blas : KERNEL_conv_direct);
        CU_ASSERT_EQUAL(step_of(plan, direct)->scratch >= 0, blas);
        CU_ASSERT_EQUAL(kernel_of(plan, each), KERNEL_depthwise);
        CU_ASSERT_EQUAL(step_of(plan, each)->shape.conv.out_c, 32);
        CU_ASSERT_EQUAL(kernel_of(plan, gate), KERNEL_dense);
        CU_ASSERT_EQUAL(step_of(plan, gate)->shape.dense.out_c, 48);
        CU_ASSERT_EQUAL(step_of(plan, gate)->shape.dense.in_c, 20);
        bench_end(&b);
    }
}

/* Groups are merged until each has whole vectors of output channels. */
static void test_groups(void)
{
    static const struct {
        int filters, groups, merged; /* what the kernel is told */
    } cases[] = {{128, 32, 8}, {64, 4, 4}, {48, 16, 1}, {40, 8, 1}, {96, 6, 6}, {32, 32, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Bench b;
        bench_begin(&b);
        Node *in = make_input(&b, 1, 2 * cases[i].groups, 8, 8, ELEM_F32);
        Node *conv = make_conv(&b, in, 3, cases[i].filters, 1, cases[i].groups);
        make_output(&b, conv);
        Plan *plan = make_plan(&b, avx512);
        CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
        const rnc_conv_shape *s = &step_of(plan, conv)->shape.conv;
        CU_ASSERT_EQUAL(s->groups, cases[i].merged);
        CU_ASSERT_EQUAL(s->in_c * s->groups, in->type.c);
        CU_ASSERT_EQUAL(s->out_c / s->groups % plan->align, 0);
        bench_end(&b);
    }
}

/* Groups of 2, 4 and 8 channels of which a vector holds several are not merged, and on AVX2 alone
 * those of a vector each. */
static void test_narrow_groups(void)
{
    static const struct {
        unsigned isas;
        int each;
        Kernel kernel;
    } cases[] = {{1u << ISA_avx512, 2, KERNEL_depthwise},
                 {1u << ISA_avx512 | 1u << ISA_avx2, 4, KERNEL_depthwise},
                 {1u << ISA_avx512, 8, KERNEL_depthwise},
                 {1u << ISA_avx512, 16, KERNEL_conv_direct},
                 {1u << ISA_avx2, 8, KERNEL_depthwise},
                 {1u << ISA_neon, 2, KERNEL_depthwise},
                 {1u << ISA_neon, 4, KERNEL_conv_direct},
                 {1u << ISA_neon, 8, KERNEL_conv_direct},
                 {1u << ISA_scalar, 2, KERNEL_conv_direct}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Bench b;
        bench_begin(&b);
        Node *in = make_input(&b, 1, 64, 8, 8, ELEM_F32);
        Node *conv = make_conv(&b, in, 3, 64, 1, 64 / cases[i].each);
        Node *wider = make_conv(&b, conv, 3, 128, 1, 64 / cases[i].each);
        make_output(&b, wider);
        Plan *plan = make_plan(&b, (PlanOptions){.isas = cases[i].isas});
        CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
        CU_ASSERT_EQUAL(kernel_of(plan, conv), cases[i].kernel);
        CU_ASSERT_EQUAL(kernel_of(plan, wider), KERNEL_conv_direct);
        bench_end(&b);
    }
}

static void test_input(void)
{
    for (int seen = 0; seen < 2; seen++) { /* does someone else read the input? */
        Bench b;
        bench_begin(&b);
        Node *in = make_input(&b, 1, 8, 6, 6, ELEM_U8);
        Node *cast = make_op(&b, OP_CAST, in);
        Node *bn = make_op(&b, OP_BN, cast);
        make_output(&b, bn);
        if (seen)
            make_output(&b, cast);
        Plan *plan = make_plan(&b, avx512);
        CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
        CU_ASSERT_EQUAL(plan->steps.n, seen ? 4 : 2); /* input, (output, map,) output */
        CU_ASSERT_EQUAL(plan->steps.at[0].kernel, KERNEL_input);
        CU_ASSERT_EQUAL(plan->steps.at[0].shape.input.u8, 1);
        CU_ASSERT_EQUAL(plan->steps.at[0].shape.input.affine, !seen);
        CU_ASSERT_EQUAL(kernel_of(plan, bn), seen ? KERNEL_map : KERNEL_input);
        CU_ASSERT_PTR_NOT_NULL(step_of(plan, bn)->weights);
        bench_end(&b);
    }
}

/* Outputs go out at once, and each port once. */
static void test_outputs(void)
{
    Bench b;
    bench_begin(&b);
    Node *x = make_conv(&b, make_input(&b, 1, 8, 6, 6, ELEM_F32), 3, 8, 1, 1);
    Node *y = make_op(&b, OP_TANH, x); /* in place: x must be out before */
    make_output(&b, y);
    make_output(&b, x);
    make_output(&b, x);
    Plan *plan = make_plan(&b, avx512);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    static const Kernel kernels[] = {KERNEL_input,  KERNEL_conv_direct, KERNEL_output,
                                     KERNEL_output, KERNEL_map,         KERNEL_output};
    CU_ASSERT_EQUAL_FATAL(plan->steps.n, 6);
    for (int i = 0; i < 6; i++)
        CU_ASSERT_EQUAL(plan->steps.at[i].kernel, kernels[i]);
    CU_ASSERT_EQUAL(plan->steps.at[2].out[0].port, 1);
    CU_ASSERT_EQUAL(plan->steps.at[3].out[0].port, 2);
    CU_ASSERT_EQUAL(plan->tensors[x->id]->buffer, plan->tensors[y->id]->buffer);
    bench_end(&b);
}

static void test_joins(void)
{
    Bench b;
    bench_begin(&b);
    Node *in = make_input(&b, 1, 8, 6, 6, ELEM_F32);
    Node *one = make_conv(&b, in, 1, 1, 1, 1), *full = make_conv(&b, in, 1, 8, 1, 1);
    Node *dot = make_pool(&b, OP_AVGPOOL, full, 6, 1, 0);
    Node *three[] = {dot, one, full};
    Attrs a = ir_default_attrs(OP_ADD);
    Node *sum = make(&b, OP_ADD, three, 3, &a);
    make_output(&b, sum);
    Plan *plan = make_plan(&b, avx512); /* without the pass that splits joins */
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    const Step *first = step_of(plan, sum), *second = first + 1;
    CU_ASSERT_EQUAL(first->kernel, KERNEL_join);
    CU_ASSERT_EQUAL(first->shape.join.in_pixel, 0); /* dot is spread over pixels */
    CU_ASSERT_EQUAL(first->shape.join.in_row, 0);
    CU_ASSERT_EQUAL(first->shape.join.one_channel, 2); /* one over channels */
    CU_ASSERT_EQUAL(second->node, sum);
    CU_ASSERT_EQUAL(second->shape.join.one_channel, 0);
    CU_ASSERT_PTR_EQUAL(second->in[0].tensor, second->out[0].tensor);
    bench_end(&b);
}

/* Steps that differ in addresses alone are one function; tiles are given for
 * the ISAs asked for, and for no other. */
static void test_functions(void)
{
    static const int blocks[] = {3, 4, 6, 3};
    Bench b;
    bench_begin(&b);
    make_resnet(&b, 1, 224, blocks, true);
    run_passes(&b);
    Plan *plan = make_plan(&b, (PlanOptions){.isas = 1u << ISA_avx2 | 1u << ISA_scalar});
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_EQUAL(plan->align, 8);
    int functions = 0;
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *step = &plan->steps.at[i], *first = &plan->steps.at[step->function];
        functions += step->function == i;
        CU_ASSERT_EQUAL(first->function, step->function);
        CU_ASSERT_EQUAL(first->kernel, step->kernel);
        CU_ASSERT_EQUAL(memcmp(&first->shape, &step->shape, sizeof step->shape), 0);
        CU_ASSERT_EQUAL(step->knobs[ISA_avx512].pixels, 0);
        CU_ASSERT(step->kernel != KERNEL_conv_direct || step->knobs[ISA_avx2].pixels > 0);
        CU_ASSERT(step->parts >= 1);
    }
    CU_ASSERT_EQUAL(plan->steps.n, 59);
    CU_ASSERT(functions < 40);
    bench_end(&b);
}

void suite_select(void)
{
    CU_pSuite s = CU_add_suite("select", NULL, NULL);
    CU_add_test(s, "convolutions", test_convolutions);
    CU_add_test(s, "groups", test_groups);
    CU_add_test(s, "narrow groups", test_narrow_groups);
    CU_add_test(s, "input", test_input);
    CU_add_test(s, "outputs", test_outputs);
    CU_add_test(s, "joins", test_joins);
    CU_add_test(s, "functions", test_functions);
}
