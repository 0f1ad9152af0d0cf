/* test_memory.c: steps of training that fit a memory. */
#include "nets.h"

#include "passes/differentiate.h"
#include "passes/evaluation.h"
#include "plan/memory.h"
#include "plan/training_parts.h"

#include <CUnit/CUnit.h>

#include <string.h>

/* A residual network of some blocks with its backward part, after the passes. */
static void begin(Bench *b)
{
    bench_begin(b);
    Node *x = make_conv_bn(b, make_input(b, 4, 3, 16, 16, ELEM_F32), 3, 16, 1, true);
    for (int i = 0; i < 6; i++) {
        Node *main = make_conv_bn(b, x, 3, 16, 1, true);
        main = make_conv_bn(b, main, 3, 16, 1, false);
        x = make_op(b, OP_RELU, make_join(b, OP_ADD, main, x));
    }
    make_output(b, make_conv(b, make_pool(b, OP_AVGPOOL, x, 16, 1, 0), 1, 8, 1, 1));
    const Loss loss = {.smoothing = 0};
    CU_ASSERT_FATAL(differentiate(b->net, &loss, &b->diag));
    run_passes(b);
}

static Plan *planned(Bench *b, Net *net, const Plan *like)
{
    PlanOptions o = {.like = like};
    CU_ASSERT_FATAL(add_evaluation(net, &b->diag));
    Plan *plan = plan_make(b->arena, net, o, &b->diag);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    return plan;
}

static const MemoryChoice *taken(const MemoryReport *r)
{
    const MemoryChoice *found = NULL;
    for (int i = 0; i < r->choices.n; i++) {
        if (r->choices.at[i].taken)
            found = &r->choices.at[i];
        if (i > 0)
            CU_ASSERT(r->choices.at[i].macs > 0 || r->choices.at[i].moved > 0);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    return found;
}

/* The smallest is much smaller, its plan is as it was reported, and each bound between is kept. */
static void test_goals(void)
{
    const PlanOptions o = {0};
    MemoryReport fastest, least, some;
    const Plan *like;
    Bench b;
    begin(&b);
    CU_ASSERT_PTR_EQUAL(
        fit_memory(b.net, &o, (MemoryGoal){MEMORY_FASTEST, 0}, &fastest, &like, &b.diag), b.net);
    CU_ASSERT_EQUAL(taken(&fastest)->layers, 0);
    const int64_t whole = taken(&fastest)->arena;
    Net *net = fit_memory(b.net, &o, (MemoryGoal){MEMORY_LEAST, 0}, &least, &like, &b.diag);
    CU_ASSERT_PTR_NOT_NULL_FATAL(net);
    CU_ASSERT(taken(&least)->arena < whole * 2 / 3);
    CU_ASSERT(taken(&least)->products > 0);
    const Plan *plan = planned(&b, net, like);
    CU_ASSERT_EQUAL(plan->arena_bytes, taken(&least)->arena);
    CU_ASSERT_EQUAL(plan->state_bytes, least.state);
    CU_ASSERT_EQUAL(plan->hash, like->hash);
    for (int i = 1; i < 4; i++) {
        const int64_t room = taken(&least)->arena + (whole - taken(&least)->arena) * i / 4;
        const MemoryGoal goal = {MEMORY_BYTES, least.state + room};
        CU_ASSERT_PTR_NOT_NULL_FATAL(fit_memory(b.net, &o, goal, &some, &like, &b.diag));
        CU_ASSERT(taken(&some)->arena <= room);
        CU_ASSERT(taken(&some)->macs <= taken(&least)->macs);
    }
    bench_end(&b);
}

/* Copies have the methods of what they copy. */
static void test_methods(void)
{
    const PlanOptions o = {0};
    MemoryReport report;
    const Plan *like;
    Bench b;
    begin(&b);
    Net *net = fit_memory(b.net, &o, (MemoryGoal){MEMORY_LEAST, 0}, &report, &like, &b.diag);
    CU_ASSERT_PTR_NOT_NULL_FATAL(net);
    const Plan *plan = planned(&b, net, like);
    int copies = 0;
    for (int i = 0; i < plan->net->nodes.n; i++) {
        const Node *node = plan->net->nodes.at[i];
        const Node *was = net_node_named(like->net, node->again ? node->again : node->name);
        CU_ASSERT_PTR_NOT_NULL_FATAL(was);
        CU_ASSERT_PTR_EQUAL(plan->methods[i], like->methods[was->id]);
        copies += node->again && plan->methods[i];
    }
    CU_ASSERT(copies > 0);
    bench_end(&b);
}

static void test_refused(void)
{
    const PlanOptions o = {0};
    MemoryReport report;
    const Plan *like;
    Bench b;
    begin(&b);
    CU_ASSERT_PTR_NULL(
        fit_memory(b.net, &o, (MemoryGoal){MEMORY_BYTES, 1000}, &report, &like, &b.diag));
    CU_ASSERT_EQUAL(b.diag.errors, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&b.diag.out), "needs at least"));
    bench_end(&b);
}

void suite_memory(void)
{
    CU_pSuite suite = CU_add_suite("memory", NULL, NULL);
    CU_add_test(suite, "goals", test_goals);
    CU_add_test(suite, "methods", test_methods);
    CU_add_test(suite, "refused", test_refused);
}
