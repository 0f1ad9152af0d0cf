/* test_constants.c: numbers as constants of C. */
#include "emit/emit_parts.h"

#include <CUnit/CUnit.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static jmp_buf oom;

static bool is_float(float x, const char *expected)
{
    Arena *arena = arena_new(&oom);
    Buf out = buf_new(arena);
    emit_float(&out, x);
    const bool same = strcmp(buf_text(&out), expected) == 0;
    arena_free(arena);
    return same;
}

static void test_floats(void)
{
    CU_ASSERT(is_float(0.001f, "0.001f"));
    CU_ASSERT(is_float(0.1f, "0.1f"));
    CU_ASSERT(is_float(-0.0f, "-0.0f"));
    CU_ASSERT(is_float(6.0f, "6.0f"));
    CU_ASSERT(is_float(-100.0f, "-100.0f"));
    CU_ASSERT(is_float(16777216.0f, "16777216.0f"));
    CU_ASSERT(is_float(1e-7f, "1e-07f"));
    CU_ASSERT(is_float(1e20f, "1e+20f"));
    CU_ASSERT(is_float(1.0f / 3, "0.33333334f"));
    CU_ASSERT(is_float(nextafterf(1.0f, 2.0f), "1.0000001f"));
    CU_ASSERT(is_float(INFINITY, "INFINITY"));
}

static void test_doubles(void)
{
    static const double numbers[] = {0.1, 1.0 / 3, 1e300, DBL_MIN, 4096, 1e15, 0.99, 0x1.fffffp-9};
    Emit e = {.arena = arena_new(&oom)};
    CU_ASSERT_STRING_EQUAL(emit_real(&e, 0.1), "0.1");
    CU_ASSERT_STRING_EQUAL(emit_real(&e, 1000), "1000");
    CU_ASSERT_STRING_EQUAL(emit_real(&e, 1.0 / 3), "0.3333333333333333");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const double read = strtod(emit_real(&e, numbers[i]), NULL);
        CU_ASSERT(memcmp(&read, &numbers[i], sizeof read) == 0);
    }
    arena_free(e.arena);
}

void suite_constants(void)
{
    CU_pSuite s = CU_add_suite("constants", NULL, NULL);
    CU_add_test(s, "floats", test_floats);
    CU_add_test(s, "doubles", test_doubles);
}
