/* test_eval_state.c: the oracle's operators that remember, over several runs, against numbers
 * worked out by hand. */
#include "net/eval.h"
#include "net/state.h"
#include "netgen.h"

#include <CUnit/CUnit.h>

#define LIST(...) ((const double[]){__VA_ARGS__})

/* Three runs, one after the other: what `node` is in each.  wanted[run] and input[run] have n
 * numbers. */
static void check_runs(NetTest *t, const Node *node, int n, const double *input,
                       const double *wanted)
{
    EvalState *state = eval_state(t->net, t->arena);
    CU_ASSERT_PTR_NOT_NULL_FATAL(node);
    const int64_t each = type_elements(t->net->inputs.at[0].node->type);
    CU_ASSERT_EQUAL_FATAL(type_elements(node->type), n);
    for (int run = 0; run < 3; run++) {
        const double *inputs[] = {input + run * each};
        const EvalResult r = eval_run(t->net, state, inputs, EVAL_DOUBLE, t->arena);
        for (int i = 0; i < n; i++)
            CU_ASSERT_EQUAL(r.values[node->id][i], wanted[run * n + i]);
    }
}

static void test_delay(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    Node *x = netgen_input(&t, ELEM_F32, 1, 2, 1);
    Attrs a = ir_default_attrs(OP_DELAY);
    CU_ASSERT_EQUAL(a.frames, 1);
    Node *one = netgen_add(&t, OP_DELAY, &x, 1, a);
    a.frames = 2;
    Node *two = netgen_add(&t, OP_DELAY, &x, 1, a);
    Node *sum = netgen_join(&t, OP_ADD, x, two);
    Node *three = netgen_op(&t, OP_DELAY, two);
    const double *in = LIST(1, 2, 3, 4, 5, 6);
    check_runs(&t, one, 2, in, LIST(0, 0, 1, 2, 3, 4));
    check_runs(&t, two, 2, in, LIST(0, 0, 0, 0, 1, 2));
    check_runs(&t, sum, 2, in, LIST(1, 2, 3, 4, 6, 8));
    CU_ASSERT_PTR_NOT_NULL_FATAL(three);
    CU_ASSERT_EQUAL_FATAL(type_elements(three->type), 2);
    const double *once = eval_net(t.net, &in, EVAL_DOUBLE, t.arena).values[three->id];
    CU_ASSERT_EQUAL(once[0], 0);
    CU_ASSERT_EQUAL(once[1], 0);
    netgen_output(&t, sum);
    CU_ASSERT_EQUAL(net_memory(t.net, t.arena), 2);
    netgen_output(&t, three);
    CU_ASSERT_EQUAL(net_memory(t.net, t.arena), 3);
    CU_ASSERT(net_remembers(t.net));
    netgen_end(&t);
}

static void test_history(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    Node *x = netgen_input(&t, ELEM_F32, 2, 1, 1);
    Attrs a = ir_default_attrs(OP_HISTORY);
    a.frames = 1;
    Node *one = netgen_add(&t, OP_HISTORY, &x, 1, a);
    a.frames = 3;
    Node *three = netgen_add(&t, OP_HISTORY, &x, 1, a);
    const double *in = LIST(1, 2, 3, 4, 5, 6);
    check_runs(&t, one, 3, in, LIST(0, 1, 2, 2, 3, 4, 4, 5, 6));
    check_runs(&t, three, 5, in, LIST(0, 0, 0, 1, 2, 0, 1, 2, 3, 4, 2, 3, 4, 5, 6));
    CU_ASSERT_EQUAL(state_elements(three), 3);
    CU_ASSERT_EQUAL(state_elements(x), 0);
    netgen_output(&t, one);
    CU_ASSERT_EQUAL(net_memory(t.net, t.arena), 1);
    netgen_output(&t, three);
    CU_ASSERT_EQUAL(net_memory(t.net, t.arena), 2);
    netgen_end(&t);
}

void suite_eval_state(void)
{
    CU_pSuite s = CU_add_suite("eval_state", NULL, NULL);
    CU_add_test(s, "delay", test_delay);
    CU_add_test(s, "history", test_history);
}
