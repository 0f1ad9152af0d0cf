/* test_live.c: lifetimes, and that what lives at once lies apart. */
#include "nets.h"

#include <CUnit/CUnit.h>

static void check_apart(const Plan *plan)
{
    for (int i = 0; i < plan->buffers.n; i++) {
        const Buffer *a = &plan->buffers.at[i];
        CU_ASSERT(a->last < 0 || (a->offset % 64 == 0 && a->offset >= 0 && a->bytes % 64 == 0 &&
                                  a->offset + a->bytes <= plan->arena_bytes));
        for (int j = 0; j < i; j++) {
            const Buffer *b = &plan->buffers.at[j];
            const bool together = a->first <= b->last && b->first <= a->last;
            const bool apart =
                a->offset + a->bytes <= b->offset || b->offset + b->bytes <= a->offset;
            CU_ASSERT(a->last < 0 || b->last < 0 || !together || apart);
        }
    }
}

static void check_operand(const Plan *plan, const Operand *o, int step)
{
    if (o->kind != PLACE_ARENA)
        return;
    const Buffer *b = &plan->buffers.at[o->tensor->buffer];
    CU_ASSERT(b->first <= step && step <= b->last);
}

static void test_random(void)
{
    for (unsigned seed = 1; seed <= 300; seed++) {
        Bench b;
        bench_begin(&b);
        make_random(&b, seed, 40);
        if (seed % 2)
            run_passes(&b);
        const PlanOptions o = {.keep_all = seed % 5 == 0,
                               .backend = seed % 7 == 0 ? BACKEND_OPENBLAS : BACKEND_NATIVE,
                               .isas = seed % 3 == 0 ? 1u << ISA_scalar : 0};
        Plan *plan = make_plan(&b, o);
        CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
        check_apart(plan);
        for (int i = 0; i < plan->steps.n; i++) {
            const Step *step = &plan->steps.at[i];
            check_operand(plan, &step->in[0], i);
            check_operand(plan, &step->in[1], i);
            check_operand(plan, &step->out[0], i);
            CU_ASSERT(step->scratch < 0 || (plan->buffers.at[step->scratch].first == i &&
                                            plan->buffers.at[step->scratch].last == i));
        }
        CU_ASSERT(plan->lower_bound <= plan->tight_bound);
        CU_ASSERT(plan->tight_bound <= plan->arena_bytes);
        bench_end(&b);
    }
}

static void test_chain(void)
{
    Bench b;
    bench_begin(&b);
    Node *x = make_input(&b, 1, 16, 8, 8, ELEM_F32), *nodes[4];
    for (int i = 0; i < 4; i++)
        x = nodes[i] = make_conv(&b, x, 3, 16, 1, 1);
    make_output(&b, x);
    Plan *plan = make_plan(&b, (PlanOptions){0});
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    for (int i = 0; i < 4; i++) { /* step 0 is the input */
        const Buffer *t = &plan->buffers.at[plan->tensors[nodes[i]->id]->buffer];
        CU_ASSERT_EQUAL(t->first, i + 1);
        CU_ASSERT_EQUAL(t->last, i + 2);
    }
    bench_end(&b);
}

void suite_live(void)
{
    CU_pSuite s = CU_add_suite("live", NULL, NULL);
    CU_add_test(s, "a chain", test_chain);
    CU_add_test(s, "random networks", test_random);
}
