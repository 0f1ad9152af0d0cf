/* evaltest.c: see evaltest.h. */
#include "evaltest.h"

#include <CUnit/CUnit.h>

#include <math.h>

Node *evaltest_begin(NetTest *t, int h, int w, int c)
{
    netgen_begin(t, 1);
    return netgen_input(t, ELEM_F32, h, w, c);
}

const double *evaltest_value(NetTest *t, const Node *node, const double *input)
{
    const double *inputs[] = {input, input};
    return eval_net(t->net, inputs, EVAL_DOUBLE, t->arena).values[node->id];
}

void evaltest_check(NetTest *t, const Node *node, const double *input, int n, const double *wanted)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(node);
    CU_ASSERT_EQUAL_FATAL(type_elements(node->type), n);
    const double *got = evaltest_value(t, node, input);
    for (int i = 0; i < n; i++)
        CU_ASSERT_DOUBLE_EQUAL(got[i], wanted[i], 1e-12 * (1 + fabs(wanted[i])));
}
