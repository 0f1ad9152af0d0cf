/* test_describe.c: layers in few words. */
#include "net/describe.h"
#include "netgen.h"

#include <CUnit/CUnit.h>

static void kind(NetTest *t, const Node *node, const char *expected)
{
    CU_ASSERT_STRING_EQUAL(describe_kind(t->arena, node), expected);
}

static void test_kinds(void)
{
    NetTest t;
    netgen_begin(&t, 1);
    Node *x = netgen_input(&t, ELEM_F32, 16, 16, 8);
    Node *conv = netgen_conv(&t, x, 8, 3, 1);
    kind(&t, conv, "conv 3x3");
    conv->attrs.stride[0] = conv->attrs.stride[1] = 2;
    kind(&t, conv, "conv 3x3 /2");
    conv->attrs.stride[1] = 1;
    kind(&t, conv, "conv 3x3 /2x1");
    conv->attrs.stride[0] = 1;
    conv->attrs.dilation[0] = conv->attrs.dilation[1] = 2;
    kind(&t, conv, "conv 3x3 dilation 2");
    conv->attrs.groups = 4;
    kind(&t, conv, "conv 3x3 dilation 2 in 4");
    conv->attrs.groups = 8;
    kind(&t, conv, "depthwise 3x3 dilation 2");
    conv->act = ACT_RELU;
    kind(&t, conv, "depthwise 3x3 dilation 2, relu");
    kind(&t, netgen_op(&t, OP_RELU, x), "relu");
    netgen_end(&t);
}

static void test_numbers(void)
{
    static const struct {
        int64_t n;
        const char *text;
    } cases[] = {
        {0, "0"}, {999, "999"}, {1000, "1,000"}, {25557032, "25,557,032"}, {-123456, "-123,456"},
    };
    jmp_buf oom;
    Arena *arena = arena_new(&oom);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CU_ASSERT_STRING_EQUAL(describe_number(arena, cases[i].n), cases[i].text);
    CU_ASSERT_STRING_EQUAL(describe_type(arena, (Type){ELEM_F32, 1, 56, 7, 64}, " x "),
                           "64 x 56 x 7");
    CU_ASSERT_STRING_EQUAL(describe_type(arena, (Type){ELEM_U8, 2, 1, 1, 10}, "x"), "2x10 u8");
    CU_ASSERT_PTR_NULL(describe_line(arena, NULL, NULL));
    arena_free(arena);
}

void suite_describe(void)
{
    CU_pSuite s = CU_add_suite("describe", NULL, NULL);
    CU_add_test(s, "kinds", test_kinds);
    CU_add_test(s, "numbers and extents", test_numbers);
}
