/* test_ops.c: the operators' table. */
#include "view/doc.h"
#include "net/ir.h"
#include "net/ops.h"
#include "base/src.h"
#include "base/str.h"

#include <CUnit/CUnit.h>

#include <stdlib.h>
#include <string.h>

static void test_names(void)
{
    for (int op = 0; op < OP_COUNT; op++) {
        CU_ASSERT_EQUAL(op_named(op_row((Op)op)->name), op);
        CU_ASSERT(op_row((Op)op)->least <= op_row((Op)op)->most);
    }
    CU_ASSERT_EQUAL(op_named("convolution"), OP_COUNT);
    CU_ASSERT_EQUAL(op_named(""), OP_COUNT);
    CU_ASSERT_EQUAL(op_reserved("conv"), OP_CONV);
    CU_ASSERT_EQUAL(op_reserved("unflatten"), OP_UNFLATTEN);
    CU_ASSERT_EQUAL(op_reserved("pad_backward"), OP_COUNT);
}

/* Every row belongs to its operator, lies in Attrs, and its default is in range. */
static void test_attrs(void)
{
    int total = 0;
    for (int op = 0; op < OP_COUNT; op++) {
        const OpRow *row = op_row((Op)op);
        total += row->n_attrs;
        for (int i = 0; i < row->n_attrs; i++) {
            const AttrRow *attr = &row->attrs[i];
            CU_ASSERT_EQUAL(attr->op, op);
            CU_ASSERT(attr->offset < sizeof(Attrs));
            CU_ASSERT(attr->least <= attr->most);
            CU_ASSERT_PTR_EQUAL(op_attr((Op)op, attr->word), attr);
            CU_ASSERT_EQUAL(attr->words != NULL, attr->kind == ATTR_WORDS);
        }
    }
    CU_ASSERT(total > 25);
    CU_ASSERT_EQUAL(op_row(OP_RELU)->n_attrs, 0);
    CU_ASSERT_EQUAL(op_row(OP_CONV)->n_attrs, 11);
    CU_ASSERT_STRING_EQUAL(op_row(OP_CONV)->attrs[0].word, "kernel");
    CU_ASSERT_PTR_NULL(op_row(OP_CONV)->attrs[0].def);
    CU_ASSERT_STRING_EQUAL(op_attr(OP_FLATTEN, "order")->words[1], "nhwc");
    CU_ASSERT_PTR_NULL(op_attr(OP_CONV, "units"));
    CU_ASSERT_EQUAL(op_attr(OP_DENSE, "units")->offset, offsetof(Attrs, filters));
}

static void test_params(void)
{
    CU_ASSERT_STRING_EQUAL(op_param_name(OP_BN, P_VARIANCE), "running_var");
    CU_ASSERT_STRING_EQUAL(op_param_name(OP_DENSE, P_BIAS), "bias");
    CU_ASSERT_PTR_NULL(op_param_name(OP_CONV, P_MEAN));
    CU_ASSERT_PTR_NULL(op_param_name(OP_ADD, P_WEIGHT));
    CU_ASSERT_EQUAL(op_row(OP_BN)->n_params, 4);
    CU_ASSERT_EQUAL(op_row(OP_INPUT)->n_params, 0);
}

static void test_defaults(void)
{
    Attrs a = ir_default_attrs(OP_CONV);
    CU_ASSERT(a.stride[0] == 1 && a.stride[1] == 1 && a.dilation[1] == 1 && a.groups == 1);
    CU_ASSERT(!a.bias && a.kernel[0] == 0 && a.filters == 0 && a.padding[0] == 0);
    CU_ASSERT(ir_default_attrs(OP_DENSE).bias);
    CU_ASSERT(ir_default_attrs(OP_AVGPOOL).count_padding);
    a = ir_default_attrs(OP_NORMALIZE);
    CU_ASSERT_EQUAL(a.scale, 0);
    CU_ASSERT(a.std.n == 1 && a.std.at[0] == 1);
    CU_ASSERT(a.mean.n == 1 && a.mean.at[0] == 0);
    CU_ASSERT_EQUAL(ir_default_attrs(OP_MAXPOOL).stride[0], 0); /* must be given */
    CU_ASSERT_EQUAL(ir_default_attrs(OP_FLATTEN).order, ORDER_NCHW);
    CU_ASSERT_EQUAL(ir_default_attrs(OP_LEAKY_RELU).alpha, 0.01);
}

/* An operator is an activation exactly if a producer can apply it. */
static void test_activations(void)
{
    int n = 0;
    for (int op = 0; op < OP_COUNT; op++) {
        Act act = act_of((Op)op);
        CU_ASSERT_EQUAL(act != ACT_NONE, (op_row((Op)op)->flags & ACTIVATION) != 0);
        if (act != ACT_NONE) {
            CU_ASSERT_STRING_EQUAL(act_name(act), op_row((Op)op)->name);
            if (act != ACT_PRELU) /* whose gradient is made of other operators */
                CU_ASSERT_STRING_EQUAL(act_name(act), op_attr(OP_ACT_BACKWARD, "of")->words[act]);
            n++;
        }
    }
    CU_ASSERT_EQUAL(n, ACT_COUNT - 1);
    CU_ASSERT_STRING_EQUAL(act_name(ACT_NONE), "");
}

/* docs/language.md ends with the table as it is now (`rnc doc`). */
static void test_manual(void)
{
    jmp_buf oom;
    Arena *arena = arena_new(&oom);
    SrcMap src = {.arena = arena};
    const char *root = getenv("RNC_SRCDIR");
    const char *why;
    int file = src_read(&src, arena_printf(arena, "%s/docs/language.md", root ? root : "."), &why);
    Buf table = buf_new(arena);
    doc_manual(&table);
    table.text[table.n - 1] = '\0'; /* the empty line after the last */
    CU_ASSERT_FATAL(file >= 0);
    CU_ASSERT(str_ends(src_file(&src, file)->text, buf_text(&table)));
    arena_free(arena);
}

void suite_ops(void)
{
    CU_pSuite s = CU_add_suite("ops", NULL, NULL);
    CU_add_test(s, "names", test_names);
    CU_add_test(s, "attributes", test_attrs);
    CU_add_test(s, "parameters", test_params);
    CU_add_test(s, "defaults", test_defaults);
    CU_add_test(s, "activations", test_activations);
    CU_add_test(s, "the manual has the table", test_manual);
}
