/* test_repeat.c: steps that repeat are found, in blocks, however deep the network. */
#include "nets.h"
#include "plan/plan_parts.h"

#include <CUnit/CUnit.h>

static Plan *planned(Bench *b)
{
    run_passes(b);
    Plan *plan = make_plan(b, (PlanOptions){.isas = 1u << ISA_avx2});
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    return plan;
}

/* A network of n blocks a stage: steps 0 and 1 are the input and the stem; the
 * first block of a later stage differs (a stride, a shortcut that pads). */
static void test_cifar(void)
{
    static const int blocks[] = {3, 9, 200};
    for (int i = 0; i < 3; i++) {
        const int n = blocks[i];
        Bench b;
        bench_begin(&b);
        make_cifar_resnet(&b, n);
        const Plan *plan = planned(&b);
        /* Two blocks more than the first of a stage are too few. */
        CU_ASSERT_EQUAL_FATAL(plan->repeats.n, n == 3 ? 1 : 3);
        CU_ASSERT_EQUAL(plan->repeats.at[0].first, 2);
        for (int k = 0; k < plan->repeats.n; k++) {
            CU_ASSERT_EQUAL(plan->repeats.at[k].period, 2);
            CU_ASSERT_EQUAL(plan->repeats.at[k].count, k == 0 ? n : n - 1);
        }
        bench_end(&b);
    }
}

/* Layers in a row go to and fro between two buffers: two steps make a period. */
static void test_chain(void)
{
    Bench b;
    bench_begin(&b);
    Node *x = make_input(&b, 1, 16, 8, 8, ELEM_F32);
    for (int i = 0; i < 41; i++)
        x = make_conv(&b, x, 3, 16, 1, 1);
    make_output(&b, x);
    const Plan *plan = planned(&b);
    CU_ASSERT_EQUAL(plan->repeats.n, 1);
    CU_ASSERT_EQUAL(plan->repeats.at[0].period, 2);
    CU_ASSERT(plan->repeats.at[0].count >= 19);
    bench_end(&b);
}

static unsigned next_random(unsigned *state, unsigned below)
{
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 8) % below;
}

/* Blocks of random layers, with or without a shortcut around them: all but the first,
 * the last, and as many as a period of two blocks leaves over, are in one loop. */
static void test_random_blocks(void)
{
    for (unsigned seed = 1; seed <= 200; seed++) {
        unsigned state = seed;
        Bench b;
        bench_begin(&b);
        const int layers = 1 + (int)next_random(&state, 5), count = 8 + (int)next_random(&state, 9);
        const bool shortcut = next_random(&state, 2);
        int kernels[5];
        for (int i = 0; i < layers; i++)
            kernels[i] = 1 + 2 * (int)next_random(&state, 3);
        Node *x = make_input(&b, 1, 32, 6, 6, ELEM_F32);
        for (int k = 0; k < count; k++) {
            Node *y = x;
            for (int i = 0; i < layers; i++)
                y = make_conv_bn(&b, y, kernels[i], 32, 1, i + 1 < layers || !shortcut);
            x = shortcut ? make_op(&b, OP_RELU, make_join(&b, OP_ADD, y, x)) : y;
        }
        make_output(&b, x);
        const Plan *plan = planned(&b);
        int most = 0;
        for (int i = 0; i < plan->repeats.n; i++) {
            const int covered = plan->repeats.at[i].period * plan->repeats.at[i].count;
            most = covered > most ? covered : most;
        }
        CU_ASSERT(most >= (count - 4) * layers);
        bench_end(&b);
    }
}

/* What cannot be a loop is none. */
static void test_none(void)
{
    Bench b;
    bench_begin(&b);
    Node *x = make_input(&b, 1, 8, 8, 8, ELEM_F32);
    for (int i = 1; i <= 12; i++)
        x = make_conv(&b, x, 3, 8 * i, 1, 1);
    make_output(&b, x);
    CU_ASSERT_EQUAL(planned(&b)->repeats.n, 0);
    bench_end(&b);
}

/* Names say where a block begins: the layers are alike, and the addresses too. */
static void test_block_begins(void)
{
    Bench b;
    bench_begin(&b);
    Node *x = make_conv_bn(&b, make_input(&b, 1, 16, 8, 8, ELEM_F32), 3, 16, 1, true);
    for (int i = 0; i < 9; i++) {
        Node *y = make_conv_bn(&b, x, 3, 16, 1, true);
        y = make_conv_bn(&b, y, 1, 16, 1, false);
        x = make_op(&b, OP_RELU, make_join(&b, OP_ADD, y, x));
    }
    make_output(&b, x);
    run_passes(&b);
    for (int i = 1, k = 0; i < b.net->nodes.n; i++, k++) /* the scopes: 1, then 2 each */
        b.net->nodes.at[i]->name = arena_printf(b.arena, "s.%d.n%d", k / 2, i);
    const Plan *plan = make_plan(&b, (PlanOptions){.isas = 1u << ISA_avx2});
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_FATAL(plan->repeats.n == 1);
    const Repeat r = plan->repeats.at[0];
    CU_ASSERT_EQUAL(r.period, 2);
    const char *one = plan->steps.at[r.first].node->name;
    const char *two = plan->steps.at[r.first + 1].node->name;
    CU_ASSERT_EQUAL(one[2], two[2]);
    bench_end(&b);
}

void suite_repeat(void)
{
    CU_pSuite s = CU_add_suite("repeat", NULL, NULL);
    CU_add_test(s, "blocks of three stages", test_cifar);
    CU_add_test(s, "a chain", test_chain);
    CU_add_test(s, "random blocks", test_random_blocks);
    CU_add_test(s, "nothing repeats", test_none);
    CU_add_test(s, "a block begins where its names do", test_block_begins);
}
