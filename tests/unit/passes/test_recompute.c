/* test_recompute.c: values that the backward part computes again: random networks stay sound and
 * compute the same to the bit, whichever values are kept. */
#include "net/check.h"
#include "net/eval.h"
#include "netgen.h"
#include "passes/differentiate.h"
#include "passes/pass.h"
#include "passes/recompute.h"

#include <CUnit/CUnit.h>

#include <stdio.h>
#include <string.h>

static const PassChoice all_passes = {0};

/* Random values of the ones that are read, or none (percent 0). */
static bool *draw_kept(NetTest *t, int percent)
{
    bool *kept = values_read_back(t->net);
    for (int i = 0; i < t->net->nodes.n; i++)
        kept[i] = kept[i] && netgen_int(t, 1, 100) <= percent;
    return kept;
}

/* The inputs' values with labels and targets, which differentiate() has added. */
static const double **values_of(NetTest *t)
{
    const double **values = netgen_values(t);
    for (int i = 0; i < t->net->inputs.n; i++) {
        const Port *p = &t->net->inputs.at[i];
        const int64_t n = type_elements(p->node->type);
        if (p->elem == ELEM_I32)
            memset((double *)values[i], 0, (size_t)n * sizeof(double)); /* class 0 */
    }
    return values;
}

/* Nothing of the backward part reads a value of the forward part that is not kept. */
static int stray_reads(const Net *net, const Net *before, const bool *kept)
{
    const int begin = backward_begin(net);
    int stray = 0;
    for (int i = begin; i < net->nodes.n; i++) {
        const Node *user = net->nodes.at[i];
        for (int j = 0; j < user->n_in; j++) {
            const Node *read = user->in[j];
            stray += read->id < begin && may_recompute(read) &&
                     !kept[net_node_named(before, read->name)->id];
        }
    }
    return stray;
}

/* What the parameters get, and each value that is computed again, are the same bits. */
static int differences(NetTest *t, const Net *before)
{
    const double **inputs = values_of(t);
    const EvalResult a = eval_net(before, inputs, EVAL_DOUBLE, t->arena);
    const EvalResult b = eval_net(t->net, inputs, EVAL_DOUBLE, t->arena);
    int apart = 0;
    for (int i = 0; i < t->net->nodes.n; i++) {
        const Node *node = t->net->nodes.at[i];
        const Node *was = net_node_named(before, node->again ? node->again : node->name);
        CU_ASSERT_PTR_NOT_NULL_FATAL(was);
        apart += memcmp(a.values[was->id], b.values[i],
                        (size_t)type_elements(node->type) * sizeof(double)) != 0;
    }
    return apart;
}

static void test_values(void)
{
    int again = 0, statistics = 0;
    for (int i = 0; i < 300; i++) {
        const Loss loss = {.kind = LOSS_MEAN_SQUARED_ERROR, .output = NULL};
        NetTest t;
        netgen_begin(&t, (uint64_t)i + 1);
        t.batch = 2;
        netgen_random(&t, netgen_int(&t, 5, 30));
        while (t.net->outputs.n > 1)
            t.net->outputs.n--;
        netgen_fill(&t);
        if (!differentiate(t.net, &loss, &t.diag)) { /* nothing to train, or a delay */
            netgen_end(&t);
            continue;
        }
        CU_ASSERT_FATAL(pass_run(t.net, &t.diag, all_passes));
        Net *before = ir_copy(t.net, t.arena);
        const bool *kept = draw_kept(&t, i % 4 * 30);
        const int nodes = t.net->nodes.n;
        CU_ASSERT(recompute(t.net, kept, &t.diag));
        CU_ASSERT_EQUAL(stray_reads(t.net, before, kept), 0);
        const int apart = differences(&t, before);
        CU_ASSERT_EQUAL(apart, 0);
        if (apart || t.diag.errors)
            printf("seed %d: %d values differ; %s", i + 1, apart, buf_text(&t.diag.out));
        again += t.net->nodes.n - nodes;
        for (int k = 0; k < t.net->nodes.n; k++)
            statistics += t.net->nodes.at[k]->op == OP_BN_AGAIN;
        netgen_end(&t);
    }
    CU_ASSERT(again > 400);
    CU_ASSERT(statistics > 60);
}

/* conv, bn, relu twice: what is computed again stands right before it is read, the statistics are
 * kept, and a second user reads the same copy. */
static void test_form(void)
{
    const Loss loss = {.kind = LOSS_MEAN_SQUARED_ERROR};
    NetTest t;
    netgen_begin(&t, 1);
    t.batch = 2;
    Node *x = netgen_conv(&t, netgen_input(&t, ELEM_F32, 4, 4, 2), 2, 3, 1);
    x = netgen_op(&t, OP_RELU, netgen_op(&t, OP_BN, x));
    netgen_output(&t, netgen_conv(&t, x, 2, 3, 1));
    CU_ASSERT_FATAL(differentiate(t.net, &loss, &t.diag));
    bool *kept = values_read_back(t.net);
    kept[net_node_named(t.net, "relu4")->id] = false;
    CU_ASSERT_FATAL(recompute(t.net, kept, &t.diag));
    const Node *bn = net_node_named(t.net, "bn3.again"),
               *relu = net_node_named(t.net, "relu4.again");
    CU_ASSERT_PTR_NOT_NULL_FATAL(bn);
    CU_ASSERT_PTR_NOT_NULL_FATAL(relu);
    CU_ASSERT_EQUAL(bn->op, OP_BN_AGAIN);
    CU_ASSERT_PTR_EQUAL(bn->in[1], net_node_named(t.net, "bn3.mean"));
    CU_ASSERT_PTR_EQUAL(relu->in[0], bn);
    const Node *weights = t.net->nodes.at[relu->id + 1];
    CU_ASSERT_EQUAL(weights->op, OP_CONV_WEIGHTS);
    CU_ASSERT_PTR_EQUAL(weights->in[1], relu);
    CU_ASSERT_PTR_EQUAL(net_node_named(t.net, "relu4.backward")->in[1], relu);
    CU_ASSERT_PTR_NULL(net_node_named(t.net, "conv2.again"));
    netgen_end(&t);
}

void suite_recompute(void)
{
    CU_pSuite suite = CU_add_suite("recompute", NULL, NULL);
    CU_add_test(suite, "values", test_values);
    CU_add_test(suite, "form", test_form);
}
