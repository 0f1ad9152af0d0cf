/* test_pass.c: what each pass rewrites, that it changes no value, and what the
 * order it leaves costs in memory. */
#include "net/eval.h"
#include "netgen.h"
#include "net/check.h"
#include "passes/pass.h"

#include <CUnit/CUnit.h>

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void run_pass(NetTest *t, const char *name)
{
    for (int i = 0; i < pass_count; i++) {
        if (!name || strcmp(pass_rows[i].name, name) == 0) {
            pass_rows[i].run(t->net);
            check_net(t->net, &t->diag, pass_rows[i].name);
        }
    }
}

/* ---- values ---- */

/* Largest difference of two tensors over the largest element of the first. */
static double difference(const double *a, const double *b, int64_t n)
{
    double most = 1e-300, apart = 0;
    for (int64_t i = 0; i < n; i++) {
        most = fmax(most, fabs(a[i]));
        apart = fmax(apart, fabs(a[i] - b[i]));
        if (isnan(a[i]) != isnan(b[i]))
            return INFINITY;
    }
    return apart / most;
}

/* Every node that computes an original value, and every output, against the
 * network before. */
static double compare(NetTest *t, const Net *before)
{
    const double **inputs = netgen_values(t);
    /* The second run, in which what the first has kept shows. */
    EvalState *kept_before = eval_state(before, t->arena), *kept = eval_state(t->net, t->arena);
    EvalResult a = eval_run(before, kept_before, inputs, EVAL_DOUBLE, t->arena);
    EvalResult b = eval_run(t->net, kept, inputs, EVAL_DOUBLE, t->arena);
    a = eval_run(before, kept_before, inputs, EVAL_DOUBLE, t->arena);
    b = eval_run(t->net, kept, inputs, EVAL_DOUBLE, t->arena);
    double worst = 0;
    for (int i = 0; i < t->net->nodes.n; i++) {
        const Node *node = t->net->nodes.at[i];
        if (node->origin >= 0)
            worst = fmax(
                worst, difference(a.values[node->origin], b.values[i], type_elements(node->type)));
    }
    for (int i = 0; i < t->net->outputs.n; i++) {
        const Node *was = before->outputs.at[i].node, *is = t->net->outputs.at[i].node;
        CU_ASSERT(type_eq(was->type, is->type));
        worst =
            fmax(worst, difference(a.values[was->id], b.values[is->id], type_elements(was->type)));
    }
    return worst;
}

/* `cases` random networks through a pass (NULL: all of them); the number of
 * nodes that went. */
static int check_values(const char *pass, int cases, double tolerance)
{
    int gone = 0;
    for (int i = 0; i < cases; i++) {
        NetTest t;
        netgen_begin(&t, (uint64_t)i + 1);
        netgen_random(&t, netgen_int(&t, 5, 30));
        netgen_fill(&t);
        CU_ASSERT(check_net(t.net, &t.diag, "building"));
        Net *before = ir_copy(t.net, t.arena);
        run_pass(&t, pass);
        CU_ASSERT_EQUAL(t.diag.errors, 0);
        if (t.diag.errors)
            printf("seed %d: %s", i + 1, buf_text(&t.diag.out));
        double apart = compare(&t, before);
        CU_ASSERT(apart <= tolerance);
        if (!(apart <= tolerance))
            printf("%s, seed %d: apart by %g\n", pass ? pass : "all", i + 1, apart);
        gone += before->nodes.n - t.net->nodes.n;
        netgen_end(&t);
    }
    return gone;
}

/* Each pass by itself, then all of them: how many nodes go at least, or come (below 0). */
static void test_values(void)
{
    static const struct {
        const char *pass;
        int cases;
        double tolerance;
        int from, to;
    } rows[] = {
        {"expand", 200, 1e-9, INT_MIN, -1},
        {"split_joins", 200, 1e-9, INT_MIN, -1},
        {"fold_bn", 200, 1e-5, 101, INT_MAX},
        {"fuse_residual", 200, 1e-9, 11, INT_MAX},
        {"fuse_activation", 200, 1e-9, 101, INT_MAX},
        {"phases", 200, 1e-9, INT_MIN, -1},
        {"dce", 200, 1e-9, 101, INT_MAX},
        {NULL, 300, 1e-5, 301, INT_MAX},
    };
    CU_ASSERT_EQUAL_FATAL(sizeof rows / sizeof *rows, (size_t)pass_count + 1);
    for (int i = 0; i <= pass_count; i++) {
        if (i < pass_count)
            CU_ASSERT_STRING_EQUAL(rows[i].pass, pass_rows[i].name);
        const int gone = check_values(rows[i].pass, rows[i].cases, rows[i].tolerance);
        CU_ASSERT(gone >= rows[i].from && gone <= rows[i].to);
    }
}

/* ---- memory ---- */

/* Peak of the bytes alive when each result that can lies in place: a residual's,
 * an elementwise operator's.  Inputs are the caller's. */
static int64_t live_peak(NetTest *t)
{
    const Net *net = t->net;
    int *last = NEW_ARRAY(t->arena, int, net->nodes.n);
    int64_t peak = 0;
    for (int i = 0; i < net->nodes.n; i++) {
        for (int j = 0; j < net->nodes.at[i]->n_in; j++)
            last[net->nodes.at[i]->in[j]->id] = i;
    }
    for (int i = 0; i < net->outputs.n; i++)
        last[net->outputs.at[i].node->id] = net->nodes.n;
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *node = net->nodes.at[i];
        int64_t alive = 0;
        for (int k = 0; k <= i; k++) {
            if (net->nodes.at[k]->op != OP_INPUT && (k == i || last[k] >= i))
                alive += 4 * type_elements(net->nodes.at[k]->type);
        }
        const Node *under = node->op == OP_CONV && node->n_in == 2                ? node->in[1]
                            : node->n_in && op_row(node->op)->flags & ELEMENTWISE ? node->in[0]
                                                                                  : NULL;
        if (under && last[under->id] == i)
            alive -= 4 * type_elements(under->type);
        peak = alive > peak ? alive : peak;
    }
    return peak;
}

static int64_t resnet_peak(bool bottleneck, bool shortcut_first)
{
    NetTest t;
    netgen_begin(&t, 1);
    netgen_resnet(&t, bottleneck, 224, shortcut_first);
    run_pass(&t, NULL);
    CU_ASSERT_EQUAL(t.diag.errors, 0);
    int64_t peak = live_peak(&t);
    netgen_end(&t);
    return peak;
}

static void test_resnet_memory(void)
{
    /* 64x112x112 and 64x56x56 around the first pool */
    CU_ASSERT_EQUAL(resnet_peak(false, false), 4 * (64 * 112 * 112 + 64 * 56 * 56));
    CU_ASSERT_EQUAL(resnet_peak(false, true), 4 * (64 * 112 * 112 + 64 * 56 * 56));
    /* 256x56x56, 128x56x56 and 128x28x28 in the second stage's first block */
    int64_t most = 4 * (256 * 56 * 56 + 128 * 56 * 56 + 128 * 28 * 28);
    CU_ASSERT_EQUAL(resnet_peak(true, false), most);
    CU_ASSERT_EQUAL(resnet_peak(true, true), most);
}

/* Nothing but fused convolutions is left of the blocks. */
static void test_resnet_is_fused(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    netgen_resnet(&t, true, 224, false);
    CU_ASSERT_EQUAL(net_parameters(t.net), 25557032);
    CU_ASSERT_EQUAL(net_macs(t.net), 4089184256);
    run_pass(&t, NULL);
    int convs = 0, residuals = 0, others = 0;
    for (int i = 0; i < t.net->nodes.n; i++) {
        const Node *node = t.net->nodes.at[i];
        convs += node->op == OP_CONV;
        residuals += node->op == OP_CONV && node->n_in == 2;
        others += node->op != OP_CONV;
    }
    CU_ASSERT_EQUAL(convs, 53);
    CU_ASSERT_EQUAL(residuals, 16);
    CU_ASSERT_EQUAL(others, 6); /* input, two pools, flatten, dense, softmax */
    netgen_end(&t);
}

/* ---- structure ---- */

/* conv - bn - relu, the bn's statistics known by hand: s = 3 / sqrt(3 + 1). */
static void test_fold_bn_formula(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    Node *conv = netgen_conv(&t, netgen_input(&t, ELEM_F32, 1, 1, 1), 1, 1, 1);
    Attrs a = ir_default_attrs(OP_BN);
    a.epsilon = 1;
    Node *bn = netgen_add(&t, OP_BN, &conv, 1, a);
    netgen_output(&t, netgen_op(&t, OP_RELU, bn));
    netgen_set(&t, conv, P_WEIGHT, (float[]){2});
    netgen_set(&t, bn, P_WEIGHT, (float[]){3});
    netgen_set(&t, bn, P_BIAS, (float[]){0.5f});
    netgen_set(&t, bn, P_MEAN, (float[]){4});
    netgen_set(&t, bn, P_VARIANCE, (float[]){3});
    run_pass(&t, "fold_bn");
    CU_ASSERT_EQUAL(t.net->nodes.n, 3);
    CU_ASSERT(conv->attrs.bias && conv->params[P_BIAS]);
    CU_ASSERT_STRING_EQUAL(conv->params[P_BIAS]->name, "conv2.bias");
    CU_ASSERT_EQUAL(param_floats(conv->params[P_WEIGHT])[0], 3.0f); /* 1.5 * 2 */
    CU_ASSERT_EQUAL(param_floats(conv->params[P_BIAS])[0], -5.5f);  /* -4 * 1.5 + 0.5 */
    CU_ASSERT_EQUAL(conv->origin, 2);
    CU_ASSERT_EQUAL(conv->absorbed.n, 1);
    CU_ASSERT_STRING_EQUAL(conv->absorbed.at[0], "bn3");
    netgen_end(&t);
}

/* Without any data, or with that of one of the two, the structure is the same
 * and there is no data left. */
static void test_fold_bn_without_data(void)
{
    for (int given = 0; given < 3; given++) {
        NetTest t;
        netgen_begin(&t, 1);
        Node *conv = netgen_conv(&t, netgen_input(&t, ELEM_F32, 4, 4, 2), 3, 3, 1);
        Node *bn = netgen_op(&t, OP_BN, conv);
        netgen_output(&t, bn);
        if (given == 1)
            netgen_set(&t, conv, P_WEIGHT, (float[54]){1});
        for (int r = P_WEIGHT; given == 2 && r <= P_VARIANCE; r++)
            netgen_set(&t, bn, (Role)r, (float[3]){1, 1, 1});
        run_pass(&t, "fold_bn");
        CU_ASSERT_EQUAL(t.net->nodes.n, 2);
        CU_ASSERT_PTR_NULL(conv->params[P_WEIGHT]->data);
        CU_ASSERT_PTR_NULL(conv->params[P_BIAS]->data);
        CU_ASSERT_EQUAL(conv->params[P_BIAS]->dims[0], 3);
        CU_ASSERT_EQUAL(t.diag.errors, 0);
        netgen_end(&t);
    }
}

/* Two convolutions with one weight.  With one normalisation they have one weight still;
 * with two, or where only one of them is folded, each has its own and none is written. */
static void test_fold_bn_shared(void)
{
    enum { ALIKE, OTHER_BN, OTHER_EPSILON, FIRST_ALONE, SECOND_ALONE, KINDS };
    for (int kind = 0; kind < KINDS; kind++) {
        NetTest t;
        netgen_begin(&t, 1);
        Node *x = netgen_input(&t, ELEM_F32, 4, 4, 2), *y = netgen_input(&t, ELEM_F32, 3, 5, 2);
        Node *a = netgen_conv(&t, x, 3, 3, 1), *b = netgen_share(&t, a, y);
        Node *after_a = kind == SECOND_ALONE ? a : netgen_op(&t, OP_BN, a), *after_b = b;
        if (kind == ALIKE || kind == OTHER_EPSILON)
            after_b = netgen_share(&t, after_a, b);
        else if (kind != FIRST_ALONE)
            after_b = netgen_op(&t, OP_BN, b);
        if (kind == OTHER_EPSILON)
            after_b->attrs.epsilon = 0.5;
        netgen_output(&t, after_a);
        netgen_output(&t, after_b);
        netgen_fill(&t);
        Net *before = ir_copy(t.net, t.arena);
        const Param *weight = a->params[P_WEIGHT];
        const float *data = weight->data, first = data[0];
        run_pass(&t, "fold_bn");
        CU_ASSERT_EQUAL(t.diag.errors, 0);
        CU_ASSERT(data[0] >= first && data[0] <= first && weight->data == data);
        CU_ASSERT(compare(&t, before) < 1e-6);
        CU_ASSERT_EQUAL(t.net->nodes.n, 4);
        CU_ASSERT_EQUAL(a->params[P_WEIGHT] == b->params[P_WEIGHT], kind == ALIKE);
        CU_ASSERT_EQUAL(t.net->params.n, kind == ALIKE ? 2 : kind >= FIRST_ALONE ? 3 : 4);
        CU_ASSERT_EQUAL(b->params[P_WEIGHT] == weight, kind == FIRST_ALONE);
        if (kind == FIRST_ALONE)
            CU_ASSERT_STRING_EQUAL(a->params[P_WEIGHT]->name, "conv3.weight.folded");
        netgen_end(&t);
    }
}

static void test_fold_bn_leaves(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    Node *input = netgen_input(&t, ELEM_F32, 4, 4, 2);
    Node *tapped = netgen_conv(&t, input, 2, 1, 1);
    netgen_output(&t, tapped);
    netgen_output(&t, netgen_op(&t, OP_BN, tapped)); /* seen by an output, too */
    Node *shared = netgen_conv(&t, input, 2, 1, 1);
    Node *bn = netgen_op(&t, OP_BN, shared);
    netgen_output(&t, netgen_join(&t, OP_ADD, shared, bn));                  /* two users */
    netgen_output(&t, netgen_op(&t, OP_BN, netgen_op(&t, OP_RELU, shared))); /* no layer */
    Node *active = netgen_conv(&t, input, 2, 1, 1);
    active->act = ACT_RELU;
    netgen_output(&t, netgen_op(&t, OP_BN, active));
    Attrs a = ir_default_attrs(OP_CONV);
    a.kernel[0] = a.kernel[1] = 1;
    a.filters = 2;
    Node *in[] = {input, shared};
    netgen_output(&t, netgen_op(&t, OP_BN, netgen_add(&t, OP_CONV, in, 2, a)));
    int n = t.net->nodes.n;
    run_pass(&t, "fold_bn");
    CU_ASSERT_EQUAL(t.net->nodes.n, n);
    netgen_end(&t);
}

static void test_fuse_residual_structure(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    Node *x = netgen_input(&t, ELEM_F32, 8, 8, 4);
    Node *early = netgen_conv(&t, x, 4, 3, 1);
    Node *late = netgen_op(&t, OP_SIGMOID, netgen_op(&t, OP_TANH, x));
    Node *add = netgen_join(&t, OP_ADD, early, late);
    netgen_output(&t, add);
    run_pass(&t, "fuse_residual");
    CU_ASSERT_EQUAL(early->n_in, 2);
    CU_ASSERT_PTR_EQUAL(early->in[1], late);
    CU_ASSERT_EQUAL(early->id, 3); /* behind its residual */
    CU_ASSERT_EQUAL(early->origin, 4);
    CU_ASSERT_STRING_EQUAL(early->absorbed.at[0], add->name);
    CU_ASSERT_PTR_EQUAL(t.net->outputs.at[0].node, early);
    netgen_end(&t);
}

/* What may not be fused: spread arms, x + x, tapped layers, used activations. */
static void test_fuse_residual_leaves(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    Node *x = netgen_input(&t, ELEM_F32, 8, 8, 4);
    Node *one = netgen_conv(&t, x, 1, 1, 1);
    netgen_output(&t, netgen_join(&t, OP_ADD, one, x));
    netgen_output(&t, one);
    netgen_output(&t, netgen_join(&t, OP_ADD, netgen_conv(&t, x, 4, 3, 1), one));
    Node *twice = netgen_conv(&t, x, 4, 3, 1);
    netgen_output(&t, netgen_join(&t, OP_ADD, twice, twice));
    Node *tapped = netgen_conv(&t, x, 4, 3, 1);
    netgen_output(&t, tapped);
    netgen_output(&t, netgen_join(&t, OP_ADD, tapped, x));
    Node *active = netgen_conv(&t, x, 4, 3, 1);
    active->act = ACT_RELU;
    netgen_output(&t, netgen_join(&t, OP_ADD, active, x));
    netgen_output(&t, netgen_join(&t, OP_MUL, netgen_conv(&t, x, 4, 3, 1), x));
    int n = t.net->nodes.n;
    run_pass(&t, "fuse_residual");
    CU_ASSERT_EQUAL(t.net->nodes.n, n);
    netgen_end(&t);
}

static void test_fuse_activation_structure(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    Node *x = netgen_input(&t, ELEM_F32, 4, 4, 2);
    Node *conv = netgen_conv(&t, x, 2, 3, 1);
    Attrs a = ir_default_attrs(OP_LEAKY_RELU);
    a.alpha = 0.25;
    Node *leaky = netgen_add(&t, OP_LEAKY_RELU, &conv, 1, a);
    Node *twice = netgen_op(&t, OP_RELU, leaky); /* the place is taken */
    Node *of_input = netgen_op(&t, OP_RELU, x);
    Node *softmax = netgen_op(&t, OP_SOFTMAX, twice);
    netgen_output(&t, netgen_join(&t, OP_ADD, netgen_op(&t, OP_RELU, softmax), of_input));
    run_pass(&t, "fuse_activation");
    CU_ASSERT_EQUAL(conv->act, ACT_LEAKY_RELU);
    CU_ASSERT_EQUAL(conv->act_alpha, 0.25);
    CU_ASSERT_EQUAL(conv->origin, 2);
    CU_ASSERT_PTR_EQUAL(twice->in[0], conv);
    CU_ASSERT_EQUAL(softmax->act, ACT_NONE);
    CU_ASSERT_EQUAL(t.net->nodes.n, 7);
    netgen_end(&t);
}

static void test_dce_keeps_the_interface(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    netgen_input(&t, ELEM_F32, 4, 4, 2);
    Node *x = netgen_input(&t, ELEM_U8, 4, 4, 2);
    Node *used = netgen_op(&t, OP_CAST, x);
    netgen_conv(&t, used, 2, 3, 1);
    netgen_output(&t, used);
    run_pass(&t, "dce");
    CU_ASSERT_EQUAL(t.net->nodes.n, 3);
    CU_ASSERT_EQUAL(net_parameters(t.net), 0);
    CU_ASSERT_EQUAL(t.diag.errors, 0);
    netgen_end(&t);
}

static void test_split_joins_structure(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    Node *x = netgen_input(&t, ELEM_F32, 4, 4, 2);
    Node *in[] = {x, netgen_op(&t, OP_RELU, x), netgen_op(&t, OP_TANH, x),
                  netgen_op(&t, OP_SILU, x)};
    Node *add = netgen_add(&t, OP_ADD, in, 4, ir_default_attrs(OP_ADD));
    netgen_output(&t, add);
    run_pass(&t, "split_joins");
    CU_ASSERT_EQUAL(t.net->nodes.n, 7);
    CU_ASSERT_EQUAL(add->n_in, 2);
    CU_ASSERT_EQUAL(add->origin, 4);
    CU_ASSERT_EQUAL(add->id, 6);
    CU_ASSERT_PTR_EQUAL(add->in[1], in[3]);
    CU_ASSERT_EQUAL(add->in[0]->origin, -1);
    CU_ASSERT_STRING_EQUAL(add->in[0]->name, "add5.part2");
    CU_ASSERT_STRING_EQUAL(add->in[0]->in[0]->name, "add5.part1");
    Node *mul = netgen_add(&t, OP_MUL, in, 3, ir_default_attrs(OP_MUL));
    Node *concat = netgen_add(&t, OP_CONCAT, in, 3, ir_default_attrs(OP_CONCAT));
    run_pass(&t, "split_joins");
    CU_ASSERT_EQUAL(mul->n_in, 2);
    CU_ASSERT_EQUAL(mul->in[0]->op, OP_MUL);
    CU_ASSERT_EQUAL(concat->n_in, 3);
    netgen_end(&t);
}

/* Of the results of an operator all stay, or none. */
static void test_dce_results(void)
{
    for (int used = 0; used < 3; used++) {
        NetTest t;
        netgen_begin(&t, 1);
        Node *x = netgen_input(&t, ELEM_F32, 2, 2, 4), *parts[2];
        Attrs a = ir_default_attrs(OP_SPLIT);
        a.parts = 2;
        for (; a.result < 2; a.result++)
            parts[a.result] = netgen_add(&t, OP_SPLIT, &x, 1, a);
        netgen_output(&t, used < 2 ? parts[used] : x);
        run_pass(&t, "dce");
        CU_ASSERT_EQUAL(t.diag.errors, 0);
        CU_ASSERT_EQUAL(t.net->nodes.n, used < 2 ? 3 : 1);
        netgen_end(&t);
    }
}

static int count_fused(const Net *net)
{
    int n = 0;
    for (int i = 0; i < net->nodes.n; i++)
        n += net->nodes.at[i]->act != ACT_NONE;
    return n;
}

static void test_run_chosen(void)
{
    static const char *const only[] = {"fuse_activation", "dce"};
    NetTest t;
    netgen_begin(&t, 7);
    netgen_random(&t, 40);
    CU_ASSERT(pass_run(t.net, &t.diag, (PassChoice){.last = "fold_bn"}));
    CU_ASSERT_EQUAL(count_fused(t.net), 0);
    CU_ASSERT(pass_run(t.net, &t.diag, (PassChoice){.only = only, .n = 0}));
    CU_ASSERT_EQUAL(count_fused(t.net), 0);
    CU_ASSERT(pass_run(t.net, &t.diag, (PassChoice){.only = only, .n = 2}));
    CU_ASSERT(count_fused(t.net) > 0);
    CU_ASSERT(pass_run(t.net, &t.diag, (PassChoice){0}));
    netgen_end(&t);
}

void suite_pass(void)
{
    CU_pSuite s = CU_add_suite("pass", NULL, NULL);
    CU_add_test(s, "no pass changes a value, nor do all", test_values);
    CU_add_test(s, "ResNets reach the bound of live bytes", test_resnet_memory);
    CU_add_test(s, "ResNet-50 is fused", test_resnet_is_fused);
    CU_add_test(s, "fold_bn's formula", test_fold_bn_formula);
    CU_add_test(s, "fold_bn without data", test_fold_bn_without_data);
    CU_add_test(s, "fold_bn of shared parameters", test_fold_bn_shared);
    CU_add_test(s, "what fold_bn leaves", test_fold_bn_leaves);
    CU_add_test(s, "fuse_residual moves the layer", test_fuse_residual_structure);
    CU_add_test(s, "what fuse_residual leaves", test_fuse_residual_leaves);
    CU_add_test(s, "fuse_activation", test_fuse_activation_structure);
    CU_add_test(s, "dce keeps the interface", test_dce_keeps_the_interface);
    CU_add_test(s, "dce keeps results together", test_dce_results);
    CU_add_test(s, "split_joins makes chains", test_split_joins_structure);
    CU_add_test(s, "only the passes asked for run", test_run_chosen);
}
