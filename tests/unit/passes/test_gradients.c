/* test_gradients.c: gradients of every operator and of random networks against central
 * differences in double, and the text form of backward parts.
 *
 * A difference is taken along a direction d of steps -1, 0 and 1 in the parameters,
 *
 *     D(h) = (loss(w + h d) - loss(w - h d)) / 2h,
 *
 * with h a power of two and parameters that are whole multiples of a larger one, so that nothing
 * is rounded when a step is taken in float; the truncation is (4 D(h / 2) - D(h)) / 3 without its
 * first term.  Where D(h) and D(h / 2) differ, a kink of relu or maxpool is between the points, or
 * the loss bends too much for a difference to say anything: the test steps aside, to other inputs
 * and parameters.  It counts how often. */
#include "net/check.h"
#include "net/eval.h"
#include "net/irtext.h"
#include "netgen.h"
#include "passes/applyop.h"
#include "passes/differentiate.h"
#include "passes/pass.h"

#include <CUnit/CUnit.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GRID (1.0 / (1 << 12))
#define STEP (1.0 / (1 << 16))

static const Loss cross_entropy = {.kind = LOSS_CROSS_ENTROPY};
static const Loss mean_squared_error = {.kind = LOSS_MEAN_SQUARED_ERROR};

/* ---- differences ---- */

/* A network with its backward part, and the part of it that ends in the loss. */
typedef struct Case {
    NetTest *t;
    Net *net, *forward;
    const double **inputs;
    double **gradients; /* by update, each as its parameter */
} Case;

static Node *loss_of(const Net *net)
{
    return net->outputs.at[net->outputs.n - 1].node;
}

static double loss_value(const Case *c)
{
    const EvalResult r = eval_net(c->forward, c->inputs, EVAL_DOUBLE, c->t->arena);
    return r.values[loss_of(c->forward)->id][0];
}

/* Parameters are shared with the forward network: their data can be written through both. */
static float *data_of(Param *param)
{
    return (float *)param->data;
}

/* Takes `times` steps in the direction, of which there is a sign for each element; NULL for a
 * parameter that stays. */
static void step(const Case *c, signed char *const *signs, double times)
{
    for (int i = 0; i < c->net->updates.n; i++) {
        Param *param = c->net->updates.at[i].param;
        for (int64_t k = 0; signs[i] && k < param_elements(param); k++)
            data_of(param)[k] += (float)(times * signs[i][k]);
    }
}

static double difference(const Case *c, signed char *const *signs, double h)
{
    step(c, signs, h);
    const double more = loss_value(c);
    step(c, signs, -2 * h);
    const double less = loss_value(c);
    step(c, signs, h);
    return (more - less) / (2 * h);
}

typedef enum Verdict { GOOD, WRONG, ROUGH } Verdict;

/* Compares the derivative in a direction with a difference. */
static Verdict compare(const Case *c, signed char *const *signs, double loss)
{
    double wanted = 0, terms = 0;
    for (int i = 0; i < c->net->updates.n; i++) {
        const Param *param = c->net->updates.at[i].param;
        for (int64_t k = 0; signs[i] && k < param_elements(param); k++) {
            const double g = signs[i][k] * c->gradients[i][k];
            wanted += g;
            terms += fabs(g);
        }
    }
    const double wide = difference(c, signs, STEP), narrow = difference(c, signs, STEP / 2);
    const double found = (4 * narrow - wide) / 3;
    const double bound = 1e-6 * terms + 1e-8 * (1 + fabs(loss));
    if (!isfinite(loss) || !isfinite(found) || fabs(wide - narrow) > 10 * bound)
        return ROUGH;
    if (fabs(found - wanted) <= bound)
        return GOOD;
    printf("derivative %.12g, difference %.12g, bound %g\n", wanted, found, bound);
    return WRONG;
}

/* A direction in one parameter, or in all of them (`only` is -1). */
static signed char **direction(const Case *c, int only)
{
    signed char **signs = NEW_ARRAY(c->t->arena, signed char *, c->net->updates.n + 1);
    for (int i = 0; i < c->net->updates.n; i++) {
        const Update *u = &c->net->updates.at[i];
        if (u->kind != UPDATE_GRADIENT || (only >= 0 && i != only))
            continue;
        const int64_t n = param_elements(u->param);
        signs[i] = NEW_ARRAY(c->t->arena, signed char, n);
        for (int64_t k = 0; k < n; k++)
            signs[i][k] = (signed char)netgen_int(c->t, -1, 1);
    }
    return signs;
}

static Param *param_named(const Net *net, const char *name)
{
    for (int i = 0; i < net->params.n; i++) {
        if (strcmp(net->params.at[i]->name, name) == 0)
            return net->params.at[i];
    }
    return NULL;
}

/* Random parameters on the grid, and inputs; the labels are below `classes`. */
static void fill(Case *c, int classes)
{
    NetTest *t = c->t;
    netgen_fill(t);
    for (int i = 0; i < c->net->params.n; i++) {
        Param *param = c->net->params.at[i];
        for (int64_t k = 0; k < param_elements(param); k++)
            data_of(param)[k] = (float)(round(param_at(param, k) / GRID) * GRID);
    }
    for (int i = 0; i < c->forward->params.n; i++) {
        Param *param = c->forward->params.at[i];
        param->data = param_named(c->net, param->name)->data;
    }
    c->inputs = netgen_values(t);
    for (int i = 0; i < c->net->inputs.n; i++) {
        const Node *node = c->net->inputs.at[i].node;
        double *values = (double *)c->inputs[i];
        for (int64_t k = 0; node->type.elem == ELEM_I32 && k < type_elements(node->type); k++)
            values[k] = netgen_int(t, 0, classes - 1);
    }
}

static void find_gradients(Case *c)
{
    const EvalResult r = eval_net(c->net, c->inputs, EVAL_DOUBLE, c->t->arena);
    c->gradients = NEW_ARRAY(c->t->arena, double *, c->net->updates.n + 1);
    for (int i = 0; i < c->net->updates.n; i++)
        c->gradients[i] = eval_update(c->net, c->net->updates.at[i].param, &r, c->t->arena);
}

/* The network of `t`, differentiated. */
static bool begin_case(Case *c, NetTest *t, const Loss *loss)
{
    *c = (Case){.t = t, .net = t->net};
    if (!differentiate(t->net, loss, &t->diag)) {
        printf("%s", buf_text(&t->diag.out));
        return false;
    }
    c->forward = ir_copy(t->net, t->arena);
    c->forward->updates.n = 0;
    pass_dce(c->forward);
    return true;
}

typedef struct Tally {
    int good, rough, wrong;
} Tally;

/* Differences in all parameters at once, and in `single` of them each by itself. */
static void check_gradients(Case *c, int classes, int single, Tally *tally)
{
    enum { ASIDES = 4 };
    const int n = c->net->updates.n;
    for (int i = -1; i < single && i < n; i++) {
        const int only = i < 0 ? -1 : single >= n ? i : netgen_int(c->t, 0, n - 1);
        if (only >= 0 && c->net->updates.at[only].kind != UPDATE_GRADIENT)
            continue;
        Verdict verdict = ROUGH;
        for (int k = 0; k < ASIDES && verdict == ROUGH; k++) {
            fill(c, classes);
            find_gradients(c);
            verdict = compare(c, direction(c, only), loss_value(c));
        }
        tally->good += verdict == GOOD;
        tally->rough += verdict == ROUGH;
        tally->wrong += verdict == WRONG;
        if (verdict == WRONG)
            printf("  %s\n", only < 0 ? "all parameters" : c->net->updates.at[only].param->name);
    }
}

/* ---- every operator ---- */

/* x -> conv -> the operator -> a loss of it. */
static void test_operators(void)
{
    enum { ROWS = 8 };
    Tally all = {0};
    for (int op = 0; op < OP_COUNT; op++) {
        const bool own = op_row((Op)op)->flags & BACKWARD || op == OP_INTERLEAVE || op == OP_STACK;
        if (own || op == OP_INPUT || op == OP_CAST || op_row((Op)op)->flags & REMEMBERS)
            continue;
        Tally tally = {0};
        for (int row = 0; row < ROWS; row++) {
            NetTest t;
            netgen_begin(&t, (uint64_t)(op * ROWS + row));
            t.batch = 2;
            Node *x = netgen_conv(&t, netgen_input(&t, ELEM_F32, 7, 6, 3), 4, 3, 1);
            Node *y = apply_op(&t, (Op)op, row, x);
            CU_ASSERT_PTR_NOT_NULL_FATAL(y);
            netgen_output(&t, y);
            Loss loss = row % 4 < 2 ? mean_squared_error : cross_entropy;
            loss.smoothing = row % 4 == 3 ? 0.1 : 0;
            loss.kind = y->type.c < 2 ? LOSS_MEAN_SQUARED_ERROR : loss.kind;
            loss.keep_statistics = row % 2;
            Case c;
            if (begin_case(&c, &t, &loss))
                check_gradients(&c, y->type.c, 100, &tally);
            else
                tally.wrong++;
            netgen_end(&t);
        }
        CU_ASSERT(tally.wrong == 0 && tally.good >= 2 * ROWS && tally.rough * 20 <= tally.good);
        if (tally.wrong || tally.good < 2 * ROWS || tally.rough * 20 > tally.good)
            printf("%s: %d good, %d rough, %d wrong\n", op_row((Op)op)->name, tally.good,
                   tally.rough, tally.wrong);
        all.good += tally.good;
        all.rough += tally.rough;
    }
    CU_ASSERT(all.rough * 100 <= all.good);
}

/* ---- random networks ---- */

/* A random network's outputs but the last go away. */
static void one_output(NetTest *t)
{
    t->net->outputs.at[0] = t->net->outputs.at[t->net->outputs.n - 1];
    t->net->outputs.n = 1;
}

static Loss random_loss(NetTest *t)
{
    Loss loss = netgen_int(t, 0, 1) ? cross_entropy : mean_squared_error;
    if (t->net->outputs.at[0].node->type.c < 2)
        loss.kind = LOSS_MEAN_SQUARED_ERROR;
    loss.smoothing = netgen_int(t, 0, 1) * 0.1;
    loss.keep_statistics = netgen_int(t, 0, 7) == 0;
    return loss;
}

/* Whether the last node depends on a parameter, and nothing is kept from run to run. */
static bool trains(NetTest *t)
{
    bool *does = NEW_ARRAY(t->arena, bool, t->net->nodes.n);
    for (int i = 0; i < t->net->nodes.n; i++) {
        const Node *node = t->net->nodes.at[i];
        if (op_row(node->op)->flags & REMEMBERS)
            return false;
        does[i] = node->params[P_WEIGHT] != NULL;
        for (int j = 0; j < node->n_in; j++)
            does[i] = does[i] || does[node->in[j]->id];
    }
    return does[t->net->outputs.at[0].node->id];
}

static void test_random(void)
{
    const char *full = getenv("RNC_TEST_FULL");
    const int single = full && *full && *full != '0' ? 100 : 1;
    Tally tally = {0};
    int nets = 0;
    for (int seed = 1; nets < 500; seed++) {
        NetTest t;
        netgen_begin(&t, (uint64_t)seed);
        t.batch = netgen_int(&t, 2, 3);
        netgen_random(&t, netgen_int(&t, 4, 16));
        one_output(&t);
        if (trains(&t)) {
            const int wrong = tally.wrong, classes = t.net->outputs.at[0].node->type.c;
            const Loss loss = random_loss(&t);
            Case c;
            if (begin_case(&c, &t, &loss))
                check_gradients(&c, classes, single, &tally);
            else
                tally.wrong++;
            if (tally.wrong > wrong)
                printf("seed %d\n", seed);
            nets++;
        }
        netgen_end(&t);
    }
    CU_ASSERT_EQUAL(tally.wrong, 0);
    CU_ASSERT(tally.good >= 700 && tally.rough * 20 <= tally.good);
    if (tally.wrong || tally.good < 700 || tally.rough * 20 > tally.good || single > 1)
        printf("random networks: %d good, %d rough, %d wrong\n", tally.good, tally.rough,
               tally.wrong);
}

/* ---- text ---- */

/* The text reads back as the same network, which has the same values. */
static void test_text(void)
{
    for (int seed = 1; seed <= 60; seed++) {
        NetTest t;
        netgen_begin(&t, (uint64_t)seed);
        t.batch = 2;
        netgen_random(&t, netgen_int(&t, 5, 25));
        one_output(&t);
        const Loss loss = random_loss(&t);
        if (!trains(&t) || !differentiate(t.net, &loss, &t.diag)) {
            netgen_end(&t);
            continue;
        }
        netgen_fill(&t);
        Buf text = buf_new(t.arena), again = buf_new(t.arena);
        irtext_print(&text, t.net, NULL);
        const int file = src_add(&t.src, "a.ir", buf_text(&text), text.n);
        Net *net = irtext_read(t.arena, file, &t.diag);
        CU_ASSERT_PTR_NOT_NULL_FATAL(net);
        if (!net) {
            printf("seed %d: %s", seed, buf_text(&t.diag.out));
            netgen_end(&t);
            continue;
        }
        irtext_print(&again, net, NULL);
        CU_ASSERT_STRING_EQUAL(buf_text(&text), buf_text(&again));
        CU_ASSERT(check_net(net, &t.diag, "reading"));
        for (int i = 0; i < net->params.n; i++)
            net->params.at[i]->data = t.net->params.at[i]->data;
        const double **inputs = netgen_values(&t);
        const EvalResult a = eval_net(t.net, inputs, EVAL_DOUBLE, t.arena);
        const EvalResult b = eval_net(net, inputs, EVAL_DOUBLE, t.arena);
        for (int i = 0; i < net->nodes.n; i++)
            CU_ASSERT_EQUAL(memcmp(a.values[i], b.values[i],
                                   (size_t)type_elements(net->nodes.at[i]->type) * sizeof(double)),
                            0);
        netgen_end(&t);
    }
}

/* Any text made of one with bytes changed is read, and is then good, or refused. */
static void test_damaged(void)
{
    static const char bytes[] = "0123456789.x=(), \nabcdefgr_";
    int read = 0, refused = 0;
    for (int seed = 1; seed <= 500; seed++) {
        NetTest t;
        netgen_begin(&t, (uint64_t)seed);
        t.batch = 2;
        netgen_random(&t, 8);
        one_output(&t);
        const Loss loss = random_loss(&t);
        if (trains(&t) && differentiate(t.net, &loss, &t.diag)) {
            Buf text = buf_new(t.arena);
            irtext_print(&text, t.net, NULL);
            char *at = arena_strdup(t.arena, buf_text(&text));
            for (int i = netgen_int(&t, 1, 2); i > 0; i--)
                at[netgen_int(&t, 0, (int)text.n - 1)] =
                    bytes[netgen_int(&t, 0, (int)sizeof bytes - 2)];
            const int errors = t.diag.errors;
            Net *net = irtext_read(t.arena, src_add(&t.src, "a.ir", at, text.n), &t.diag);
            CU_ASSERT_EQUAL(net != NULL, t.diag.errors == errors);
            CU_ASSERT(!net || check_net(net, &t.diag, "reading"));
            read += net != NULL;
            refused += !net;
        }
        netgen_end(&t);
    }
    CU_ASSERT(read > 3 && refused > 100);
    if (read <= 3 || refused <= 100)
        printf("%d read, %d refused\n", read, refused);
}

/* ---- passes ---- */

/* The largest difference of two updates of a parameter, relative to the largest element. */
static double apart(const Param *param, const double *a, const double *b)
{
    double most = 1e-300, worst = 0;
    for (int64_t i = 0; i < param_elements(param); i++) {
        most = fmax(most, fabs(a[i]));
        worst = fmax(worst, fabs(a[i] - b[i]));
    }
    return isfinite(most) ? worst / most : 0;
}

/* No pass changes a gradient or a statistic, and all of them leave a good network. */
static void test_passes(void)
{
    for (int seed = 1; seed <= 150; seed++) {
        NetTest t;
        netgen_begin(&t, (uint64_t)seed);
        t.batch = 2;
        netgen_random(&t, netgen_int(&t, 5, 25));
        one_output(&t);
        const Loss loss = random_loss(&t);
        if (!trains(&t) || !differentiate(t.net, &loss, &t.diag)) {
            netgen_end(&t);
            continue;
        }
        netgen_fill(&t);
        Net *after = ir_copy(t.net, t.arena);
        CU_ASSERT(pass_run(after, &t.diag, (PassChoice){0}));
        const double **inputs = netgen_values(&t);
        const EvalResult a = eval_net(t.net, inputs, EVAL_DOUBLE, t.arena);
        const EvalResult b = eval_net(after, inputs, EVAL_DOUBLE, t.arena);
        CU_ASSERT_EQUAL(after->updates.n, t.net->updates.n);
        for (int i = 0; i < after->updates.n; i++) {
            const Param *was = t.net->updates.at[i].param, *is = after->updates.at[i].param;
            const double difference = apart(was, eval_update(t.net, was, &a, t.arena),
                                            eval_update(after, is, &b, t.arena));
            CU_ASSERT(difference <= 1e-9);
            if (difference > 1e-9)
                printf("seed %d, %s: apart by %g\n", seed, was->name, difference);
        }
        netgen_end(&t);
    }
}

void suite_gradients(void)
{
    CU_pSuite s = CU_add_suite("gradients", NULL, NULL);
    CU_add_test(s, "every operator", test_operators);
    CU_add_test(s, "random networks", test_random);
    CU_add_test(s, "text", test_text);
    CU_add_test(s, "damaged text", test_damaged);
    CU_add_test(s, "passes", test_passes);
}
