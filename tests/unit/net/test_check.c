/* test_check.c: each way to break a network is noticed. */
#include "netgen.h"
#include "net/check.h"
#include "passes/pass.h"

#include <CUnit/CUnit.h>

#include <string.h>

/* add3(conv2(input1), input1); the convolution. */
static Node *begin(NetTest *t)
{
    netgen_begin(t, 1);
    Node *x = netgen_input(t, ELEM_F32, 4, 4, 2);
    Node *conv = netgen_conv(t, x, 2, 3, 1);
    netgen_output(t, netgen_join(t, OP_ADD, conv, x));
    CU_ASSERT(check_net(t->net, &t->diag, "building"));
    return conv;
}

/* The network of `t` is refused with a message that has `what` in it. */
static void refused(NetTest *t, const char *what)
{
    CU_ASSERT_FALSE(check_net(t->net, &t->diag, "a test"));
    CU_ASSERT(t->diag.errors > 0);
    CU_ASSERT_EQUAL(t->diag.internal, t->diag.errors);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&t->diag.out), "rnc: internal error: after a test: "));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&t->diag.out), what));
    netgen_end(t);
}

static void test_order(void)
{
    NetTest t;
    begin(&t)->id = 7;
    refused(&t, "position");

    Node *conv = begin(&t);
    conv->in[0] = t.net->nodes.at[2];
    refused(&t, "come before");

    conv = begin(&t);
    Node *stray = NEW(t.arena, Node);
    *stray = *t.net->nodes.at[0];
    conv->in[0] = stray;
    refused(&t, "come before");

    begin(&t);
    t.net->nodes.at[2]->n_in = 1;
    refused(&t, "operands");
}

static void test_shapes(void)
{
    NetTest t;
    begin(&t)->type.c = 3;
    refused(&t, "shape");

    begin(&t)->params[P_WEIGHT]->dims[2] = 1;
    refused(&t, "shape");

    begin(&t)->attrs.stride[0] = 0;
    refused(&t, "shape");

    begin(&t)->params[P_WEIGHT] = NULL;
    refused(&t, "parameters");

    begin(&t)->attrs.bias = true;
    refused(&t, "parameters");

    Node *conv = begin(&t);
    t.net->nodes.at[2]->params[P_WEIGHT] = conv->params[P_WEIGHT];
    refused(&t, "parameters");
}

/* A normalisation whose parameters are updated by its input's mean. */
static Net *begin_updates(NetTest *t)
{
    begin(t);
    Node *x = t->net->nodes.at[0], *bn = netgen_op(t, OP_BN, x);
    Attrs pool = ir_default_attrs(OP_AVGPOOL);
    pool.kernel[0] = pool.kernel[1] = 4;
    pool.stride[0] = pool.stride[1] = 1;
    Node *mean = netgen_add(t, OP_AVGPOOL, &x, 1, pool);
    const Update updates[] = {
        {UPDATE_GRADIENT, bn->params[P_WEIGHT], mean, 0, 1},
        {UPDATE_STATISTIC, bn->params[P_MEAN], mean, 0.1, 1},
        {UPDATE_STATISTIC, bn->params[P_MEAN], mean, 0.1, 1.5},
    };
    for (int i = 0; i < 3; i++)
        VEC_PUSH(t->arena, &t->net->updates, updates[i]);
    CU_ASSERT(check_net(t->net, &t->diag, "building"));
    return ir_copy(t->net, t->arena);
}

static void test_updates(void)
{
    NetTest t;
    CU_ASSERT(check_net(begin_updates(&t), &t.diag, "copying"));
    CU_ASSERT_EQUAL(node_uses(t.net, t.net->nodes.at[4]), 3);
    t.net->updates.at[0].node = t.net->nodes.at[0];
    refused(&t, "another type");

    Net *copy = begin_updates(&t);
    t.net->updates.at[0].node = copy->updates.at[0].node;
    refused(&t, "not in it");

    copy = begin_updates(&t);
    t.net->updates.at[0].param = copy->updates.at[0].param;
    refused(&t, "not in it");

    begin_updates(&t);
    t.net->updates.at[0].kind = UPDATE_STATISTIC;
    refused(&t, "fit its role");

    begin_updates(&t);
    t.net->updates.at[1] = t.net->updates.at[0];
    refused(&t, "two gradients");

    begin_updates(&t);
    t.net->updates.at[1].rate = 0;
    refused(&t, "rate or scale");

    begin_updates(&t);
    t.net->updates.at[0].scale = 2;
    refused(&t, "rate or scale");
}

static void test_shared(void)
{
    NetTest t;
    Node *conv = begin(&t);
    Node *twin = netgen_share(&t, conv, t.net->nodes.at[0]);
    CU_ASSERT(check_net(t.net, &t.diag, "building"));
    CU_ASSERT_EQUAL(t.net->params.n, 1);
    twin->attrs.kernel[0] = 1;
    refused(&t, "shape");

    conv = begin(&t);
    twin = netgen_share(&t, conv, t.net->nodes.at[0]);
    twin->params[P_WEIGHT] = NEW(t.arena, Param);
    *twin->params[P_WEIGHT] = *conv->params[P_WEIGHT];
    refused(&t, "not in the network's list");

    begin(&t);
    t.net->params.n = 0;
    refused(&t, "not in the network's list");

    conv = begin(&t);
    VEC_PUSH(t.arena, &t.net->params, conv->params[P_WEIGHT]);
    refused(&t, "not listed");

    conv = begin(&t);
    conv->params[P_WEIGHT]->first = 0;
    refused(&t, "not listed");

    conv = begin(&t);
    twin = netgen_conv(&t, t.net->nodes.at[0], 2, 3, 1);
    twin->params[P_WEIGHT]->name = conv->params[P_WEIGHT]->name;
    refused(&t, "name of two");
}

static void test_results(void)
{
    NetTest t;
    for (int kind = 0; kind < 5; kind++) {
        Node *conv = begin(&t);
        Attrs a = ir_default_attrs(OP_SPLIT);
        a.parts = 2;
        Node *low = netgen_add(&t, OP_SPLIT, &conv, 1, a);
        a.result = 1;
        Node *high = kind == 1 ? NULL : netgen_add(&t, OP_SPLIT, &conv, 1, a);
        if (kind == 0) {
            CU_ASSERT(check_net(t.net, &t.diag, "building"));
            netgen_end(&t);
            continue;
        }
        if (kind == 2)
            high->attrs.result = 0;
        else if (kind == 3)
            high->in[0] = t.net->nodes.at[0];
        else if (kind == 4)
            low->attrs.result = -1;
        refused(&t, "does not stand among the results");
    }
}

static void test_fused(void)
{
    NetTest t;
    begin(&t);
    t.net->nodes.at[0]->act = ACT_RELU;
    refused(&t, "activation");

    netgen_op(&t, OP_AFFINE, begin(&t))->act = ACT_PRELU;
    refused(&t, "activation");

    begin(&t)->act = ACT_PRELU; /* without slopes */
    refused(&t, "parameters");

    begin(&t)->origin = 3;
    refused(&t, "original");
}

static void test_names_and_ports(void)
{
    NetTest t;
    begin(&t)->name = "input1";
    refused(&t, "name of two");

    begin(&t);
    t.net->outputs.at[0].name = "input1";
    refused(&t, "name of two");

    Node *conv = begin(&t);
    t.net->inputs.at[0].node = conv;
    refused(&t, "no input");

    begin(&t);
    t.net->inputs.at[0].elem = ELEM_U8;
    refused(&t, "fit its input");

    begin(&t);
    t.net->inputs.n = 0;
    refused(&t, "without a port");

    begin(&t);
    t.net->outputs.n = 0;
    refused(&t, "no output");

    conv = begin(&t);
    t.net->outputs.at[0].node = NEW(t.arena, Node);
    refused(&t, "no node");
}

void suite_verify(void)
{
    CU_pSuite s = CU_add_suite("verify", NULL, NULL);
    CU_add_test(s, "order of nodes", test_order);
    CU_add_test(s, "shapes and parameters", test_shapes);
    CU_add_test(s, "shared parameters", test_shared);
    CU_add_test(s, "updates", test_updates);
    CU_add_test(s, "several results", test_results);
    CU_add_test(s, "what is fused", test_fused);
    CU_add_test(s, "names and ports", test_names_and_ports);
}
