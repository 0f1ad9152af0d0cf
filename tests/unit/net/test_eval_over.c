/* test_eval_over.c: reductions and softmaxes, on values computed on paper. */
#include "net/eval.h"
#include "netgen.h"

#include <CUnit/CUnit.h>
#include <math.h>

/* The input: two rows of two pixels of two channels, logarithms of these. */
static const double input[8] = {1, 2, 3, 4, 5, 6, 7, 8};

typedef struct Row {
    Over over;
    int n;
    double sum[4]; /* of the numbers, for each box */
    int box[8];    /* which of them each element is in */
} Row;

static const Row rows[] = {
    {OVER_CHANNELS, 4, {3, 7, 11, 15}, {0, 0, 1, 1, 2, 2, 3, 3}},
    {OVER_IMAGE, 1, {36}, {0, 0, 0, 0, 0, 0, 0, 0}},
    {OVER_SPACE, 2, {16, 20}, {0, 1, 0, 1, 0, 1, 0, 1}},
    {OVER_HEIGHT, 4, {6, 8, 10, 12}, {0, 1, 2, 3, 0, 1, 2, 3}},
    {OVER_WIDTH, 4, {4, 6, 12, 14}, {0, 1, 0, 1, 2, 3, 2, 3}},
};

static const double *values(NetTest *t, const Node *node, bool logs)
{
    double *in = NEW_ARRAY(t->arena, double, 8);
    const double *inputs[] = {in};
    for (int i = 0; i < 8; i++)
        in[i] = logs ? log(input[i]) : input[i];
    CU_ASSERT_PTR_NOT_NULL_FATAL(node);
    return eval_net(t->net, inputs, EVAL_DOUBLE, t->arena).values[node->id];
}

static void test_reduce(void)
{
    static const Reduction kinds[] = {REDUCE_SUM, REDUCE_MEAN, REDUCE_MAX};
    for (int r = 0; r < 15; r++) {
        const Row *row = &rows[r / 3];
        NetTest t;
        netgen_begin(&t, 1);
        Node *x = netgen_input(&t, ELEM_F32, 2, 2, 2);
        Attrs a = ir_default_attrs(OP_REDUCE);
        a.over = row->over, a.reduction = kinds[r % 3];
        Node *node = netgen_add(&t, OP_REDUCE, &x, 1, a);
        const double *got = values(&t, node, false);
        CU_ASSERT_EQUAL(type_elements(node->type), row->n);
        for (int i = 0; i < row->n; i++) {
            double most = 0;
            for (int k = 0; k < 8; k++)
                most = row->box[k] == i ? input[k] : most; /* they increase */
            CU_ASSERT_DOUBLE_EQUAL(got[i],
                                   a.reduction == REDUCE_SUM    ? row->sum[i]
                                   : a.reduction == REDUCE_MEAN ? row->sum[i] * row->n / 8
                                                                : most,
                                   1e-12);
        }
        netgen_end(&t);
    }
}

/* softmax of logarithms: each number over the sum of its box. */
static void test_softmax(void)
{
    for (int r = 0; r < 10; r++) {
        const Row *row = &rows[r / 2];
        const Op op = r % 2 ? OP_LOG_SOFTMAX : OP_SOFTMAX;
        NetTest t;
        netgen_begin(&t, 1);
        Node *x = netgen_input(&t, ELEM_F32, 2, 2, 2);
        Attrs a = ir_default_attrs(op);
        CU_ASSERT_EQUAL(a.over, OVER_CHANNELS);
        a.over = row->over;
        const double *got = values(&t, netgen_add(&t, op, &x, 1, a), true);
        for (int i = 0; i < 8; i++) {
            const double part = input[i] / row->sum[row->box[i]];
            CU_ASSERT_DOUBLE_EQUAL(got[i], r % 2 ? log(part) : part, 1e-12);
        }
        netgen_end(&t);
    }
}

/* The largest of numbers with a NaN is NaN. */
static void test_nan(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    Node *x = netgen_input(&t, ELEM_F32, 1, 1, 3);
    Attrs a = ir_default_attrs(OP_REDUCE);
    a.reduction = REDUCE_MAX;
    Node *node = netgen_add(&t, OP_REDUCE, &x, 1, a);
    const double in[] = {1, NAN, 2}, *inputs[] = {in};
    CU_ASSERT(isnan(eval_net(t.net, inputs, EVAL_DOUBLE, t.arena).values[node->id][0]));
    netgen_end(&t);
}

void suite_eval_over(void)
{
    CU_pSuite s = CU_add_suite("eval_over", NULL, NULL);
    CU_add_test(s, "reduce", test_reduce);
    CU_add_test(s, "softmax", test_softmax);
    CU_add_test(s, "NaN", test_nan);
}
