/* test_plan.c: the arena's size, the hash, the text, weights that steps share. */
#include "nets.h"
#include "plan/batch.h"
#include "plan/plan_parts.h"

#include <CUnit/CUnit.h>

#include <string.h>
#include <time.h>

/* The bounds that the literature's levers reach: fusion, residuals in place, the
 * main arm first; and what halos cost beyond them. */
static void test_resnets(void)
{
    Bench b;
    Plan *plan = plan_resnet(&b, true, true);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_EQUAL(plan->lower_bound, 5218304);
    CU_ASSERT_EQUAL(plan->tight_bound, plan->arena_bytes);
    CU_ASSERT(plan->arena_bytes < 5300000);
    bench_end(&b);
    plan = plan_resnet(&b, false, true);
    CU_ASSERT_EQUAL(plan->lower_bound, 4014080);
    CU_ASSERT_EQUAL(plan->tight_bound, plan->arena_bytes);
    CU_ASSERT(plan->arena_bytes < 4100000);
    bench_end(&b);
}

/* The same with Winograd's scratch. */
static void test_resnets_with_scratch(void)
{
    Bench b;
    Plan *plan = plan_resnet(&b, true, false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_EQUAL(plan->lower_bound, 5218304);
    CU_ASSERT(plan->arena_bytes < 6500000);
    bench_end(&b);
    plan = plan_resnet(&b, false, false);
    CU_ASSERT_EQUAL(plan->lower_bound, 4014080);
    CU_ASSERT(plan->arena_bytes < 5000000);
    bench_end(&b);
}

/* Depth costs no memory, and the time of planning stays small. */
static void test_deep(void)
{
    Bench b;
    bench_begin(&b);
    make_cifar_resnet(&b, 200);
    run_passes(&b);
    const clock_t before = clock();
    Plan *plan = make_plan(&b, (PlanOptions){0});
    const double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT(seconds < 1.0);
    CU_ASSERT(plan->steps.n > 1200);
    CU_ASSERT_EQUAL(plan->lower_bound, 2 * 32 * 32 * 16 * 4);
    CU_ASSERT_EQUAL(plan->arena_bytes, plan->tight_bound);
    bench_end(&b);
}

/* Offsets: near the bound over many networks. */
static void test_gap(void)
{
    int64_t arena = 0, bound = 0;
    for (unsigned seed = 1000; seed < 1150; seed++) {
        Bench b;
        bench_begin(&b);
        make_random(&b, seed, 60);
        run_passes(&b);
        Plan *plan = make_plan(&b, (PlanOptions){0});
        CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
        arena += plan->arena_bytes;
        bound += plan->tight_bound;
        bench_end(&b);
    }
    CU_ASSERT((double)arena < 1.01 * (double)bound);
}

static uint64_t hash_with(int filters, unsigned isas, const char *name)
{
    Bench b;
    bench_begin(&b);
    Node *x = make_conv(&b, make_input(&b, 1, 8, 6, 6, ELEM_F32), 3, filters, 1, 1);
    if (name)
        x->name = name;
    make_output(&b, x);
    Plan *plan = make_plan(&b, (PlanOptions){.isas = isas});
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    const uint64_t hash = plan->hash;
    bench_end(&b);
    return hash;
}

static void test_hash(void)
{
    const unsigned wide = 1u << ISA_avx512, narrow = 1u << ISA_avx2, scalar = 1u << ISA_scalar;
    CU_ASSERT_EQUAL(hash_with(16, wide, NULL), hash_with(16, wide, NULL));
    CU_ASSERT_EQUAL(hash_with(16, wide, NULL), hash_with(16, wide | scalar, NULL));
    CU_ASSERT_EQUAL(hash_with(16, wide, NULL), hash_with(16, narrow, NULL)); /* same packing */
    CU_ASSERT_NOT_EQUAL(hash_with(8, wide, NULL), hash_with(8, narrow, NULL));
    CU_ASSERT_NOT_EQUAL(hash_with(16, wide, NULL), hash_with(32, wide, NULL));
    CU_ASSERT_NOT_EQUAL(hash_with(16, wide, NULL), hash_with(16, wide, "another"));
}

static void test_text(void)
{
    const char *texts[2];
    Bench b[2];
    for (int i = 0; i < 2; i++) {
        Plan *plan = plan_resnet(&b[i], true, true);
        CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
        Buf out = buf_new(b[i].arena);
        plan_print(&out, plan);
        texts[i] = buf_text(&out);
    }
    CU_ASSERT_STRING_EQUAL(texts[0], texts[1]);
    CU_ASSERT_PTR_NOT_NULL(strstr(texts[0], "  58  output      softmax"));
    CU_ASSERT_PTR_NOT_NULL(strstr(texts[0], "elements     5218304"));
    bench_end(&b[0]);
    bench_end(&b[1]);
}

/* The kernels' rows as numbers. */
static void test_operands(void)
{
    const OperandSet conv = kernel_reads(KERNEL_conv_direct), join = kernel_reads(KERNEL_join);
    const OperandSet pool = kernel_reads(KERNEL_maxpool), norm = kernel_reads(KERNEL_bn_apply);
    CU_ASSERT(conv.needed == 1 && conv.count == 2);
    CU_ASSERT(join.needed == 3 && join.count == 2);
    CU_ASSERT(pool.needed == 1 && pool.count == 1);
    CU_ASSERT(norm.needed == (1 | 4 | 8) && norm.count == 6);
    const OperandSet split = kernel_writes(KERNEL_split);
    CU_ASSERT(split.needed == 1 && split.count == 4);
    for (int i = 0; i < KERNEL_COUNT; i++) {
        const OperandSet in = kernel_reads((Kernel)i), out = kernel_writes((Kernel)i);
        CU_ASSERT((in.needed & 1) && in.count <= MOST_IN);
        CU_ASSERT((out.needed & 1) && out.count <= MOST_OUT);
    }
}

/* Nodes with the same parameters read one packed tensor, where their kernels read it the
 * same; normalisations that differ in epsilon alone do not. */
static void test_shared_weights(void)
{
    Bench b;
    bench_begin(&b);
    Node *x = make_input(&b, 1, 64, 28, 28, ELEM_F32), *y = make_input(&b, 1, 64, 2, 2, ELEM_F32);
    Node *z = make_input(&b, 1, 64, 28, 28, ELEM_F32);
    Node *first = make_conv(&b, x, 3, 64, 1, 1), *of[] = {y, z};
    make_output(&b, first);
    for (int i = 0; i < 2; i++)
        make_output(&b, ir_add_sharing(b.net, &b.diag, OP_CONV, &of[i], 1, &first->attrs,
                                       i ? "third" : "second", NULL, first));
    Node *bn = make_op(&b, OP_BN, x);
    make_output(&b, bn);
    Attrs attrs = bn->attrs;
    for (int i = 0; i < 2; i++) {
        attrs.epsilon *= 1 + i;
        make_output(
            &b, ir_add_sharing(b.net, &b.diag, OP_BN, &z, 1, &attrs, i ? "bn6" : "bn5", NULL, bn));
    }
    const Plan *plan = make_plan(&b, (PlanOptions){.isas = 1u << ISA_avx512});
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT(plan_check(plan, &b.diag));
    const Packed *conv[3] = {NULL}, *affine[3] = {NULL};
    int n_conv = 0, n_affine = 0;
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *step = &plan->steps.at[i];
        if (step->weights && step->node->op == OP_CONV)
            conv[n_conv++] = step->weights;
        else if (step->weights)
            affine[n_affine++] = step->weights;
    }
    CU_ASSERT(n_conv == 3 && n_affine == 3);
    CU_ASSERT(conv[0] == conv[2] && conv[1] != conv[0]);
    CU_ASSERT(affine[0] == affine[1] && affine[2] != affine[0]);
    CU_ASSERT_EQUAL(plan->packed.n, 4);
    bench_end(&b);
}

void suite_plan(void)
{
    CU_pSuite s = CU_add_suite("plan", NULL, NULL);
    CU_add_test(s, "ResNet-50 and -18", test_resnets);
    CU_add_test(s, "ResNet-50 and -18 with scratch", test_resnets_with_scratch);
    CU_add_test(s, "1202 layers", test_deep);
    CU_add_test(s, "gap", test_gap);
    CU_add_test(s, "hash", test_hash);
    CU_add_test(s, "text", test_text);
    CU_add_test(s, "weights that several steps read", test_shared_weights);
    CU_add_test(s, "operands of kernels", test_operands);
}
