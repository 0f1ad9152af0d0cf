/* test_str.c: growing texts and nearest words. */
#include "base/str.h"

#include <CUnit/CUnit.h>

#include <string.h>

static void test_buf(void)
{
    jmp_buf oom;
    Arena *arena = arena_new(&oom);
    Buf b = buf_new(arena);
    CU_ASSERT_STRING_EQUAL(buf_text(&b), "");
    for (int i = 0; i < 300; i++)
        buf_printf(&b, "%d,", i % 10);
    CU_ASSERT_EQUAL(b.n, 600);
    CU_ASSERT_EQUAL(strlen(buf_text(&b)), 600);
    CU_ASSERT_EQUAL(strncmp(buf_text(&b) + 580, "0,1,2,3,4,5,6,7,8,9,", 20), 0);
    buf_puts(&b, "end");
    buf_putc(&b, '!');
    CU_ASSERT(str_ends(buf_text(&b), "9,end!"));
    arena_free(arena);
}

static void test_parts(void)
{
    CU_ASSERT(str_starts("resnet50", "resnet"));
    CU_ASSERT_FALSE(str_starts("res", "resnet"));
    CU_ASSERT(str_ends("a.net", ".net"));
    CU_ASSERT_FALSE(str_ends("net", ".net"));
    CU_ASSERT(str_eq("", ""));
    CU_ASSERT_FALSE(str_eq("a", "ab"));
}

static void test_distance(void)
{
    CU_ASSERT_EQUAL(str_distance("", ""), 0);
    CU_ASSERT_EQUAL(str_distance("conv", "conv"), 0);
    CU_ASSERT_EQUAL(str_distance("conv", "covn"), 1);
    CU_ASSERT_EQUAL(str_distance("kitten", "sitting"), 3);
    CU_ASSERT_EQUAL(str_distance("", "abc"), 3);
    CU_ASSERT_EQUAL(str_distance("ca", "abc"), 3);
}

static void test_nearest(void)
{
    const char *const words[] = {"conv", "dense", "maxpool", "avgpool"};
    CU_ASSERT_STRING_EQUAL(str_nearest("maxpol", words, 4), "maxpool");
    CU_ASSERT_STRING_EQUAL(str_nearest("dnese", words, 4), "dense");
    CU_ASSERT_PTR_NULL(str_nearest("softmax", words, 4));
    CU_ASSERT_PTR_NULL(str_nearest("conv", words, 0));
}

static void test_shell_word(void)
{
    static const struct {
        const char *text, *word;
    } rows[] = {
        {"models/resnet-18.net", "models/resnet-18.net"},
        {"blocks=1,2", "blocks=1,2"},
        {"my nets/a.net", "'my nets/a.net'"},
        {"anna's", "'anna'\\''s'"},
        {"", "''"},
        {"$x;*", "'$x;*'"},
    };
    jmp_buf oom;
    Arena *arena = arena_new(&oom);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Buf b = buf_new(arena);
        buf_shell_word(&b, rows[i].text);
        CU_ASSERT_STRING_EQUAL(buf_text(&b), rows[i].word);
    }
    arena_free(arena);
}

static void test_fits(void)
{
    static const struct {
        const char *text, *pattern;
        bool fits;
    } rows[] = {
        {"layer1.0.bn1.bias", "*.bias", true},
        {"layer1.0.bn1.bias", "layer1.*", true},
        {"layer1.0.bn1.bias", "layer1", false},
        {"layer1", "layer1*", true},
        {"layer10.conv", "layer1.*", false},
        {"a.b.a.bias", "*a.bi*s", true},
        {"aab", "*ab", true},
        {"aab", "*a", false},
        {"", "*", true},
        {"", "", true},
        {"a", "", false},
        {"abcabd", "a*bd", true},
        {"abcabd", "**c*d", true},
        {"abcabd", "*c*c*", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CU_ASSERT_EQUAL(str_fits(rows[i].text, rows[i].pattern), rows[i].fits);
}

void suite_str(void)
{
    CU_pSuite s = CU_add_suite("str", NULL, NULL);
    CU_add_test(s, "a text grows", test_buf);
    CU_add_test(s, "starts and ends", test_parts);
    CU_add_test(s, "distance of words", test_distance);
    CU_add_test(s, "nearest word", test_nearest);
    CU_add_test(s, "words of a shell", test_shell_word);
    CU_add_test(s, "patterns", test_fits);
}
