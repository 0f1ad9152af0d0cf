/* test_value.c: values of expressions. */
#include "lang/parse.h"
#include "lang/value.h"

#include <CUnit/CUnit.h>

#include <limits.h>
#include <string.h>

static jmp_buf oom;

/* The value of a text, printed; "error" when it has none. */
static const char *value(const char *text, int64_t index)
{
    static char shown[200];
    Arena *arena = arena_new(&oom);
    SrcMap map = {.arena = arena};
    Diag d = diag_new(&map, arena);
    const char *define = arena_printf(arena, "v=%s", text);
    int file = src_add(&map, "v", define, strlen(define));
    const Expr *e = parse_define(arena, file, &d);
    Complaints complaints = {.d = &d, .arena = arena};
    Node node = {.type = {ELEM_F32, 1, 5, 6, 7}};
    Var b = {NULL, {"b", NO_LOC}, value_bool(true), 1}, n = {&b, {"n", NO_LOC}, value_int(12), 2};
    static const char *const words[] = {"half", NULL};
    Env env = {&complaints, &n, &node, false, index, NULL, words};
    Value v = e ? value_of(&env, e) : (Value){.kind = VALUE_BAD};
    /* VALUE_BAD and a message come together. */
    CU_ASSERT_EQUAL(v.kind == VALUE_BAD, d.errors > 0);
    strncpy(shown, v.kind == VALUE_BAD ? "error" : value_describe(arena, v), sizeof shown - 1);
    arena_free(arena);
    return shown;
}

#define IS(text, expected) CU_ASSERT_STRING_EQUAL(value(text, -1), expected)

static void test_integers(void)
{
    IS("1 + 2 * 3", "the integer 7");
    IS("(1 + 2) * 3", "the integer 9");
    IS("10 - 3 - 2", "the integer 5");
    IS("-7 // 2", "the integer -4");
    IS("7 // (-2)", "the integer -4");
    IS("-7 % 3", "the integer 2");
    IS("7 % (-3)", "the integer -2");
    IS("6 / 3", "the integer 2");
    IS("7 / 2", "the real 3.5");
    IS("-2 * 3", "the integer -6");
    IS("- -2", "the integer 2");
}

static void test_limits(void)
{
    IS("9223372036854775807", "the integer 9223372036854775807");
    IS("-9223372036854775807 - 1", "the integer -9223372036854775808");
    IS("9223372036854775807 + 1", "error");
    IS("-9223372036854775807 - 2", "error");
    IS("4294967296 * 4294967296", "error");
    IS("(-9223372036854775807 - 1) // (-1)", "error");
    IS("(-9223372036854775807 - 1) % (-1)", "error");
    IS("1 // 0", "error");
    IS("1 % 0", "error");
    IS("1.0 / 0", "error");
    IS("1e308 * 10", "error");
    IS("int(1e19)", "error");
    IS("int(-9223372036854775808.0)", "the integer -9223372036854775808");
}

static void test_reals(void)
{
    IS("0.5 + 1", "the real 1.5");
    IS("1e-5", "the real 1e-05");
    IS("7.5 // 2", "the real 3");
    IS("-7.5 % 2", "the real 0.5");
    IS("real(3)", "the real 3");
    IS("round(2.5) + floor(-1.5) + ceil(-1.5) + int(-1.9)", "the integer -1");
}

static void test_truth(void)
{
    IS("1 < 2 and 2 <= 2 and 3 > 2 and 2 >= 2", "true");
    IS("not 1 == 2", "true");
    IS("false and quux", "false");
    IS("true or 1 // 0 == 1", "true");
    IS("b ? 1 : quux", "the integer 1");
    IS("1 == 1.0", "true");
    IS("(1, 2) == 1x2", "true");
    IS("\"a\" != \"b\"", "true");
    IS("1 == \"a\"", "error");
    IS("1 and true", "error");
    IS("n and true", "error");
}

static void test_lists(void)
{
    IS("3x5", "the list (3, 5)");
    IS("1, 2, 3", "the list (1, 2, 3)");
    IS("(4,)", "the list (4,)");
    IS("()", "the list ()");
    IS("(1, (2, 3))[1][0]", "the integer 2");
    IS("(1, 2)[2]", "error");
    IS("(1, 2)[-1]", "error");
    IS("(1, 2)[0.0]", "error");
    IS("len((1, 2, 3)) + sum((1, 2)) + min(4, 5) + max((1, 9))", "the integer 19");
    IS("min(2, 1.5)", "the real 1.5");
    IS("max(())", "error");
    IS("sum((1, \"a\"))", "error");
}

static void test_names(void)
{
    IS("channels * 100 + height * 10 + width", "the integer 756");
    IS("n", "the integer 12");
    IS("half", "the text \"half\"");
    IS("valid", "error");
    IS("index", "error");
    CU_ASSERT_STRING_EQUAL(value("index * 2", 4), "the integer 8");
}

static void test_then(void)
{
    CU_ASSERT_STRING_EQUAL(value("5 then 6 then 7", 0), "the integer 5");
    CU_ASSERT_STRING_EQUAL(value("5 then 6 then 7", 1), "the integer 6");
    CU_ASSERT_STRING_EQUAL(value("5 then 6 then 7", 2), "the integer 7");
    CU_ASSERT_STRING_EQUAL(value("5 then 6 then 7", 99), "the integer 7");
    CU_ASSERT_STRING_EQUAL(value("1 // 0 then 2", 1), "the integer 2");
    IS("1 then 2", "error");
}

void suite_value(void)
{
    CU_pSuite s = CU_add_suite("value", NULL, NULL);
    CU_add_test(s, "integers", test_integers);
    CU_add_test(s, "what does not fit", test_limits);
    CU_add_test(s, "reals", test_reals);
    CU_add_test(s, "truth", test_truth);
    CU_add_test(s, "lists", test_lists);
    CU_add_test(s, "names", test_names);
    CU_add_test(s, "then", test_then);
}
