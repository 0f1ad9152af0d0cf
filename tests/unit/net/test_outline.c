/* test_outline.c: groups from paths, which of them are alike, and which are arms. */
#include "netgen.h"
#include "net/outline.h"

#include <CUnit/CUnit.h>

static Node *named(NetTest *t, Node *node, const char *name)
{
    node->name = arena_strdup(t->arena, name);
    return node;
}

/* A residual block: s.<number>.main.conv1, s.<number>.add1. */
static Node *block(NetTest *t, Node *in, int number, int filters)
{
    Node *conv = named(t, netgen_conv(t, in, filters, 3, 1),
                       arena_printf(t->arena, "s.%d.main.conv1", number));
    return named(t, netgen_join(t, OP_ADD, conv, in), arena_printf(t->arena, "s.%d.add1", number));
}

static int alike(const Group *stage)
{
    return stage->items.at[0].group->alike;
}

static const Group *stage_of(NetTest *t)
{
    const Group *root = outline_make(t->net, NULL, t->arena);
    for (int i = 0; i < root->items.n; i++) {
        if (root->items.at[i].group)
            return root->items.at[i].group;
    }
    return NULL;
}

static Node *begin(NetTest *t)
{
    netgen_begin(t, 1);
    return netgen_input(t, ELEM_F32, 8, 8, 4);
}

static void test_tree(void)
{
    NetTest t;
    Node *x = begin(&t);
    for (int i = 0; i < 3; i++)
        x = block(&t, x, i, 4);
    netgen_output(&t, x);
    const Group *stage = stage_of(&t);
    CU_ASSERT_PTR_NOT_NULL_FATAL(stage);
    CU_ASSERT_STRING_EQUAL(stage->path, "s");
    CU_ASSERT_EQUAL(stage->items.n, 3);
    CU_ASSERT_EQUAL(stage->first, 1);
    CU_ASSERT_EQUAL(stage->last, 6);
    const Group *first = stage->items.at[0].group;
    CU_ASSERT_STRING_EQUAL(first->path, "s.0");
    CU_ASSERT_STRING_EQUAL(first->name, "0");
    CU_ASSERT_EQUAL(first->alike, 3);
    CU_ASSERT_EQUAL(stage->items.at[1].group->alike, 0);
    CU_ASSERT_STRING_EQUAL(outline_last_alike(stage, 0)->path, "s.2");
    CU_ASSERT(outline_is_arm(t.net, first->items.at[0].group));
    CU_ASSERT_FALSE(outline_is_arm(t.net, first));
    CU_ASSERT_FALSE(outline_is_arm(t.net, stage));
    netgen_end(&t);
}

/* Another window, or a result that is wanted elsewhere, sets a block apart. */
static void test_apart(void)
{
    NetTest t;
    Node *x = begin(&t), *first = block(&t, x, 0, 4), *second = block(&t, first, 1, 4);
    netgen_output(&t, second);
    CU_ASSERT_EQUAL(alike(stage_of(&t)), 2);
    netgen_output(&t, first); /* from the middle of the two */
    CU_ASSERT_EQUAL(alike(stage_of(&t)), 1);
    netgen_end(&t);

    x = begin(&t);
    first = block(&t, x, 0, 4);
    second = block(&t, first, 1, 4);
    netgen_output(&t, second);
    second->in[0]->attrs.dilation[0] = 2;
    CU_ASSERT_EQUAL(alike(stage_of(&t)), 1);
    netgen_end(&t);

    x = begin(&t);
    first = block(&t, x, 0, 4);
    second = block(&t, first, 1, 4);
    netgen_output(&t, netgen_join(&t, OP_ADD, second, first)); /* read from afar */
    CU_ASSERT_EQUAL(alike(stage_of(&t)), 1);
    netgen_end(&t);
}

/* Nodes of one path with others between them are two groups: the order is that of
 * execution, always. */
static void test_interrupted(void)
{
    NetTest t;
    Node *x = begin(&t);
    x = named(&t, netgen_op(&t, OP_RELU, x), "a.relu1");
    x = named(&t, netgen_op(&t, OP_TANH, x), "b.tanh1");
    x = named(&t, netgen_op(&t, OP_SIGMOID, x), "a.sigmoid1");
    netgen_output(&t, x);
    const Group *root = outline_make(t.net, NULL, t.arena);
    CU_ASSERT_EQUAL_FATAL(root->items.n, 4);
    CU_ASSERT_STRING_EQUAL(root->items.at[1].group->path, "a");
    CU_ASSERT_STRING_EQUAL(root->items.at[2].group->path, "b");
    CU_ASSERT_STRING_EQUAL(root->items.at[3].group->path, "a");
    netgen_end(&t);
}

void suite_outline(void)
{
    CU_pSuite s = CU_add_suite("outline", NULL, NULL);
    CU_add_test(s, "the tree", test_tree);
    CU_add_test(s, "blocks that are not alike", test_apart);
    CU_add_test(s, "paths that come again", test_interrupted);
}
