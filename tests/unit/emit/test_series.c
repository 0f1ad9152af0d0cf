/* test_series.c: texts that differ in numbers, as one. */
#include "emit/series.h"

#include <CUnit/CUnit.h>

static void check(const char *const *texts, int n, const char *expected)
{
    jmp_buf oom;
    Arena *arena = arena_new(&oom);
    Series *s = series_begin(arena, texts[0]);
    bool fits = true;
    for (int i = 1; i < n && fits; i++)
        fits = series_add(s, texts[i]);
    if (expected)
        CU_ASSERT_STRING_EQUAL(series_text(s), expected);
    CU_ASSERT_EQUAL(series_text(s) != NULL, expected != NULL);
    CU_ASSERT_EQUAL(fits, expected != NULL);
    arena_free(arena);
}

static void test_fits(void)
{
    static const char *const blocks[] = {"layer1.0.conv2", "layer1.1.conv2", "layer1.2.conv2"};
    static const char *const two[] = {"8 x 9.2", "10 x 8.2", "12 x 7.2"};
    static const char *const same[] = {"a", "a", "a"}, *const none[] = {"", ""};
    static const char *const digits[] = {"n9", "n10", "n11"}, *const one[] = {"a1"};
    static const char *const hex[] = {"0x10 1", "0x10 2"}, *const zero[] = {"x0", "x1"};
    check(blocks, 3, "layer1.{0..2}.conv2");
    check(two, 3, "{8, 10..12} x {9, 8..7}.2");
    check(same, 3, "a");
    check(none, 2, "");
    check(digits, 3, "n{9..11}");
    check(one, 1, "a1");
    check(hex, 2, "0x10 {1..2}");
    check(zero, 2, "x{0..1}");
}

static void test_does_not_fit(void)
{
    static const char *const uneven[] = {"1", "2", "4"}, *const words[] = {"a1", "b1"};
    static const char *const longer[] = {"a1", "a1b"}, *const shorter[] = {"a1b", "a1"};
    static const char *const hex[] = {"0x9", "0x10"}, *const zeros[] = {"007", "008"};
    static const char *const large[] = {"99999999999", "99999999998"}, *const kind[] = {"a1", "ab"};
    check(uneven, 3, NULL);
    check(words, 2, NULL);
    check(longer, 2, NULL);
    check(shorter, 2, NULL);
    check(hex, 2, NULL);
    check(zeros, 2, NULL);
    check(large, 2, NULL);
    check(kind, 2, NULL);
}

void suite_series(void)
{
    CU_pSuite s = CU_add_suite("series", NULL, NULL);
    CU_add_test(s, "one text for all", test_fits);
    CU_add_test(s, "texts that do not fit", test_does_not_fit);
}
