/* test_batch.c: how a batch is cut into turns. */
#include "plan/batch.h"
#include "nets.h"

#include <CUnit/CUnit.h>

enum { WIDE = 8192 };

/* The turns of a batch through a layer of 64 KB an image, input and output; a dense layer may
 * bring weights of 256 MB with it. */
static int turns_of(int batch, Machine machine, bool large)
{
    Bench b;
    bench_begin(&b);
    Node *in = make_input(&b, batch, 8, 32, 32, ELEM_F32);
    Node *conv = make_conv(&b, in, 3, 8, 1, 1);
    make_output(&b, conv);
    if (large)
        make_heavy(&b, conv, WIDE);
    Plan plan = {.arena = b.arena, .options.machine = &machine};
    cut_batch(&plan, b.net);
    const int turns = plan.turns;
    CU_ASSERT_EQUAL(plan.net == b.net, turns == 1);
    for (int i = 0; i < b.net->nodes.n; i++) {
        CU_ASSERT_EQUAL(b.net->nodes.at[i]->type.n, batch); /* the network stays */
        CU_ASSERT_EQUAL(whole_batch(&plan, plan.net->nodes.at[i]->type).n, batch);
    }
    bench_end(&b);
    return turns;
}

static void test_caches(void)
{
    const Machine machine = {.l2_kb = 512, .l3_kb = 1024};
    CU_ASSERT_EQUAL(turns_of(1, machine, true), 1);
    CU_ASSERT_EQUAL(turns_of(8, machine, true), 1); /* 8 times 64 KB are half of the L3 */
    CU_ASSERT_EQUAL(turns_of(32, machine, true), 4);
    CU_ASSERT_EQUAL(turns_of(4, machine, false), 1); /* 4 times are half of the L2 */
    CU_ASSERT_EQUAL(turns_of(32, machine, false), 8);
}

/* All turns are alike: a divisor of the batch. */
static void test_divisors(void)
{
    const Machine machine = {.l2_kb = 512, .l3_kb = 1024};
    CU_ASSERT_EQUAL(turns_of(12, machine, true), 2);
    CU_ASSERT_EQUAL(turns_of(22, machine, true), 11);
    CU_ASSERT_EQUAL(turns_of(13, machine, true), 13);
}

static void test_small_caches(void)
{
    const Machine machine = {.l2_kb = 32, .l3_kb = 32};
    CU_ASSERT_EQUAL(turns_of(5, machine, true), 5);
    CU_ASSERT_EQUAL(turns_of(5, machine, false), 5);
}

void suite_batch(void)
{
    CU_pSuite s = CU_add_suite("batch", NULL, NULL);
    CU_add_test(s, "caches", test_caches);
    CU_add_test(s, "divisors", test_divisors);
    CU_add_test(s, "small caches", test_small_caches);
}
