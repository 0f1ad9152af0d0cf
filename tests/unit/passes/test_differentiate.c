/* test_differentiate.c: the form of a backward part, and what is refused; test_gradients.c has the
 * values. */
#include "netgen.h"
#include "passes/differentiate.h"
#include "passes/pass.h"

#include <CUnit/CUnit.h>

#include <stdio.h>
#include <string.h>

static const Loss cross_entropy = {.kind = LOSS_CROSS_ENTROPY};
static const Loss mean_squared_error = {.kind = LOSS_MEAN_SQUARED_ERROR};

/* ---- the form ---- */

static Node *loss_of(const Net *net)
{
    return net->outputs.at[net->outputs.n - 1].node;
}

static int count(const Net *net, Op op)
{
    int n = 0;
    for (int i = 0; i < net->nodes.n; i++)
        n += net->nodes.at[i]->op == op && net->nodes.at[i]->attrs.result == 0;
    return n;
}

/* A value used three times gets one sum of three; a sum passes its gradient on as it is; what the
 * input would get is not computed. */
static void test_shares(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    Node *a = netgen_conv(&t, netgen_input(&t, ELEM_F32, 3, 3, 2), 2, 1, 1);
    Node *in[] = {a, netgen_op(&t, OP_RELU, a), netgen_op(&t, OP_TANH, a)};
    netgen_output(&t, netgen_add(&t, OP_ADD, in, 3, ir_default_attrs(OP_ADD)));
    CU_ASSERT_FATAL(differentiate(t.net, &mean_squared_error, &t.diag));
    CU_ASSERT_EQUAL(count(t.net, OP_ADD), 2);
    CU_ASSERT_EQUAL(count(t.net, OP_ACT_BACKWARD), 2);
    CU_ASSERT_EQUAL(count(t.net, OP_CONV_TRANSPOSE), 0);
    CU_ASSERT_EQUAL(t.net->updates.n, 1);
    const Node *sum = net_node_named(t.net, "conv2.gradient");
    CU_ASSERT_PTR_NOT_NULL_FATAL(sum);
    CU_ASSERT_EQUAL(sum->n_in, 3);
    CU_ASSERT_PTR_EQUAL(sum->in[0], net_node_named(t.net, "loss.gradient"));
    netgen_end(&t);
}

/* A parameter of two layers gets the sum of their gradients, and its statistics move twice. */
static void test_shared_parameters(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    t.batch = 2;
    Node *x = netgen_input(&t, ELEM_F32, 3, 3, 2);
    Node *conv = netgen_conv(&t, x, 2, 3, 1), *bn = netgen_op(&t, OP_BN, conv);
    Node *twin = netgen_share(&t, bn, netgen_share(&t, conv, bn));
    netgen_output(&t, twin);
    CU_ASSERT_FATAL(differentiate(t.net, &mean_squared_error, &t.diag));
    CU_ASSERT_EQUAL(count(t.net, OP_BN_TRAIN), 2);
    CU_ASSERT_EQUAL(count(t.net, OP_CONV_WEIGHTS), 2);
    CU_ASSERT_EQUAL(count(t.net, OP_ADD), 3);
    CU_ASSERT_EQUAL_FATAL(t.net->updates.n, 3 + 4);
    CU_ASSERT_EQUAL(t.net->updates.at[0].node->op, OP_ADD);
    const Update *first = &t.net->updates.at[4], *second = &t.net->updates.at[6];
    CU_ASSERT_EQUAL(first->param->role, P_VARIANCE);
    CU_ASSERT_PTR_EQUAL(first->param, second->param);
    CU_ASSERT(first->node->id < second->node->id);
    CU_ASSERT_EQUAL(first->rate, 0.1);
    CU_ASSERT_DOUBLE_EQUAL(first->scale, 18 / 17.0, 1e-15);
    netgen_end(&t);
}

/* Cross-entropy takes the operand of a softmax, which stays an output. */
static void test_softmax(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    Node *dense = netgen_conv(&t, netgen_input(&t, ELEM_F32, 1, 1, 2), 3, 1, 1);
    Node *softmax = netgen_op(&t, OP_SOFTMAX, dense);
    netgen_output(&t, softmax);
    CU_ASSERT_FATAL(differentiate(t.net, &cross_entropy, &t.diag));
    CU_ASSERT_PTR_EQUAL(loss_of(t.net)->in[0], dense);
    CU_ASSERT_PTR_EQUAL(t.net->outputs.at[0].node, softmax);
    CU_ASSERT_EQUAL(count(t.net, OP_SOFTMAX_BACKWARD), 0);
    CU_ASSERT_EQUAL(t.net->inputs.n, 2);
    CU_ASSERT_EQUAL(t.net->inputs.at[1].elem, ELEM_I32);
    CU_ASSERT_STRING_EQUAL(t.net->inputs.at[1].name, "labels");
    netgen_end(&t);

    netgen_begin(&t, 1);
    netgen_output(&t, netgen_op(&t, OP_SOFTMAX,
                                netgen_conv(&t, netgen_input(&t, ELEM_F32, 1, 1, 2), 3, 1, 1)));
    CU_ASSERT_FATAL(differentiate(t.net, &mean_squared_error, &t.diag));
    CU_ASSERT_EQUAL(count(t.net, OP_SOFTMAX_BACKWARD), 1);
    CU_ASSERT_STRING_EQUAL(t.net->inputs.at[1].name, "target");
    netgen_end(&t);
}

/* What is frozen gets no gradient, nor does what comes before it; its normalisation keeps its
 * statistics. */
static void test_frozen(void)
{
    static const char *const patterns[] = {"conv2*", "bn3.*", "bn5.bias"};
    const Loss loss = {.kind = LOSS_MEAN_SQUARED_ERROR, .frozen = patterns, .n_frozen = 3};
    NetTest t;
    netgen_begin(&t, 1);
    Node *x = netgen_conv(&t, netgen_input(&t, ELEM_F32, 3, 3, 2), 2, 3, 1);
    x = netgen_conv(&t, netgen_op(&t, OP_BN, x), 2, 3, 1);
    netgen_output(&t, netgen_op(&t, OP_BN, x));
    CU_ASSERT_FATAL(differentiate(t.net, &loss, &t.diag));
    CU_ASSERT_EQUAL(t.diag.out.n, 0);
    CU_ASSERT_EQUAL(count(t.net, OP_BN), 1);
    CU_ASSERT_EQUAL(count(t.net, OP_BN_TRAIN), 1);
    CU_ASSERT_EQUAL(count(t.net, OP_CONV_TRANSPOSE), 0);
    CU_ASSERT_EQUAL(count(t.net, OP_CONV_WEIGHTS), 1);
    CU_ASSERT_EQUAL_FATAL(t.net->updates.n, 4); /* conv4, bn5's weight and statistics */
    CU_ASSERT_STRING_EQUAL(t.net->updates.at[1].param->name, "bn5.weight");
    netgen_end(&t);
}

/* What fuse_residual makes of a training: a shortcut's batch normalisation takes the main arm's,
 * which comes before it, and stays with its other results; the gradient that the input gets second
 * takes the first.  One whose other arm comes later takes nothing. */
static void test_fuse_residual_training(void)
{
    static const char *const only[] = {"fuse_residual"};
    NetTest t;
    netgen_begin(&t, 1);
    t.batch = 2;
    Node *x = netgen_conv(&t, netgen_input(&t, ELEM_F32, 4, 4, 2), 2, 3, 1);
    Node *main = netgen_op(&t, OP_BN, netgen_conv(&t, x, 2, 3, 1));
    Node *shortcut = netgen_op(&t, OP_BN, netgen_conv(&t, x, 2, 1, 1));
    Node *sum = netgen_join(&t, OP_ADD, main, shortcut);
    Node *early = netgen_op(&t, OP_BN, sum);
    netgen_output(&t, netgen_join(&t, OP_ADD, early, netgen_op(&t, OP_SIGMOID, sum)));
    CU_ASSERT_FATAL(differentiate(t.net, &mean_squared_error, &t.diag));
    const int n = t.net->nodes.n;
    CU_ASSERT_FATAL(pass_run(t.net, &t.diag, (PassChoice){.only = only, .n = 1}));
    CU_ASSERT_EQUAL(t.net->nodes.n, n - 2);
    for (int i = 0; i < 3; i++) {
        const Node *result = t.net->nodes.at[shortcut->id + i];
        CU_ASSERT_EQUAL(result->attrs.result, i);
        CU_ASSERT_EQUAL_FATAL(result->n_in, 2);
        CU_ASSERT_PTR_EQUAL(result->in[1], main);
    }
    CU_ASSERT_EQUAL(early->n_in, 1);
    CU_ASSERT_STRING_EQUAL(shortcut->absorbed.at[0], sum->name);
    const Node *gradient = NULL;
    for (int i = 0; i < t.net->nodes.n; i++) {
        const Node *node = t.net->nodes.at[i];
        if (node->op == OP_CONV_TRANSPOSE && node->n_in == 2)
            gradient = node;
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(gradient);
    CU_ASSERT_EQUAL(gradient->in[1]->op, OP_CONV_TRANSPOSE);
    netgen_end(&t);
}

/* ---- refusals ---- */

/* The network of `t` is refused with a message that has `what` in it. */
static void refused(NetTest *t, const Loss *loss, const char *what)
{
    CU_ASSERT_FALSE(differentiate(t->net, loss, &t->diag));
    CU_ASSERT_EQUAL(t->diag.internal, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&t->diag.out), what));
    if (!strstr(buf_text(&t->diag.out), what))
        printf("%s", buf_text(&t->diag.out));
    netgen_end(t);
}

static Node *begin(NetTest *t)
{
    netgen_begin(t, 1);
    Node *conv = netgen_conv(t, netgen_input(t, ELEM_F32, 1, 1, 2), 2, 1, 1);
    netgen_output(t, conv);
    return conv;
}

static void test_refusals(void)
{
    NetTest t;
    begin(&t);
    CU_ASSERT_FATAL(differentiate(t.net, &mean_squared_error, &t.diag));
    refused(&t, &mean_squared_error, "'test' has a backward part already");

    netgen_output(&t, begin(&t));
    refused(&t, &mean_squared_error, "the network has 2 outputs, and the loss is of one");

    begin(&t);
    const Loss other = {.output = "output33"};
    refused(&t, &other, "no output 'output33'; did you mean 'output3'?");

    begin(&t)->act = ACT_RELU;
    refused(&t, &mean_squared_error,
            "'conv2' cannot be differentiated: an activation is fused into it");

    netgen_begin(&t, 1);
    netgen_output(&t, netgen_op(&t, OP_RELU, netgen_input(&t, ELEM_F32, 3, 3, 2)));
    refused(&t, &cross_entropy, "there is nothing to train: 'output3' depends on no trained");

    netgen_begin(&t, 1);
    netgen_output(&t, netgen_conv(&t, netgen_input(&t, ELEM_F32, 1, 1, 2), 1, 1, 1));
    refused(&t, &cross_entropy, "at least two classes, and 'output3' has one channel");

    static const char *const none = "layer7.*";
    const Loss frozen = {.frozen = &none, .n_frozen = 1};
    begin(&t);
    refused(&t, &frozen, "no parameter's name fits the pattern 'layer7.*' of those not trained");

    Node *conv = begin(&t);
    t.net->outputs.at[0].node = netgen_op(&t, OP_DELAY, conv);
    refused(&t, &mean_squared_error, "'delay4' cannot be differentiated: it keeps values from run");

    netgen_begin(&t, 1);
    netgen_output(&t, netgen_op(&t, OP_BN, netgen_input(&t, ELEM_F32, 1, 1, 2)));
    refused(&t, &cross_entropy, "'bn2' cannot be trained: a batch has a single value");
}

/* The loss does not depend on the second convolution. */
static void test_untrained(void)
{
    NetTest t;
    Node *conv = begin(&t);
    netgen_conv(&t, conv, 3, 1, 1);
    CU_ASSERT_FATAL(differentiate(t.net, &mean_squared_error, &t.diag));
    CU_ASSERT_EQUAL(t.net->updates.n, 1);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(buf_text(&t.diag.out), "the loss does not depend on 'conv4.weight', which"));
    netgen_end(&t);
}

void suite_differentiate(void)
{
    CU_pSuite s = CU_add_suite("differentiate", NULL, NULL);
    CU_add_test(s, "shares of a gradient", test_shares);
    CU_add_test(s, "shared parameters", test_shared_parameters);
    CU_add_test(s, "softmax and loss", test_softmax);
    CU_add_test(s, "frozen parameters", test_frozen);
    CU_add_test(s, "sums that other steps compute", test_fuse_residual_training);
    CU_add_test(s, "refusals", test_refusals);
    CU_add_test(s, "untrained", test_untrained);
}
