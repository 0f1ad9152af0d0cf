/* test_utf8.c: which bytes are characters, and which are safe to show. */
#include "base/utf8.h"

#include <CUnit/CUnit.h>

#include <string.h>

static void test_lengths(void)
{
    static const struct {
        const char *text;
        size_t length;
    } rows[] = {
        {"a", 1},
        {"\x7f", 1},
        {"\xc3\xa4", 2},
        {"\xe2\x82\xac", 3},
        {"\xf0\x9f\x98\x80", 4},
        {"\xf4\x8f\xbf\xbf", 4},
        {"", 0},
        {"\x80", 0},         /* no first byte */
        {"\xc3", 0},         /* cut off */
        {"\xc3\x28", 0},     /* no second byte */
        {"\xc0\x80", 0},     /* overlong */
        {"\xe0\x80\xaf", 0}, /* overlong */
        {"\xf0\x80\x80\xaf", 0},
        {"\xed\xa0\x80", 0},     /* a surrogate */
        {"\xf4\x90\x80\x80", 0}, /* beyond U+10FFFF */
        {"\xff", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CU_ASSERT_EQUAL(utf8_length(rows[i].text, strlen(rows[i].text)), rows[i].length);
}

static void test_shown(void)
{
    static const struct {
        const char *text, *shown;
    } rows[] = {
        {"layer1.0.conv", "layer1.0.conv"},
        {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac"},
        {"a\x1b[31mb", "a\\x1b[31mb"},
        {"a\nb\tc\x7f", "a\\x0ab\\x09c\\x7f"},
        {"\xff\xc3", "\\xff\\xc3"},
        {"\xc2\x9b", "\\xc2\\x9b"},            /* C1: CSI */
        {"\xe2\x80\xae!", "\\xe2\\x80\\xae!"}, /* writes from right to left */
        {"\xef\xbb\xbf", "\\xef\\xbb\\xbf"},   /* byte order mark */
        {"\xef\xbf\xbe", "\\xef\\xbf\\xbe"},   /* no character of XML */
        {"", ""},
    };
    jmp_buf oom;
    Arena *arena = arena_new(&oom);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CU_ASSERT_STRING_EQUAL(str_shown(arena, rows[i].text), rows[i].shown);
    CU_ASSERT_PTR_EQUAL(str_shown(arena, rows[0].text), rows[0].text);
    Buf out = buf_new(arena);
    buf_add_shown(&out, "a\nb\r", 4, true);
    CU_ASSERT_STRING_EQUAL(buf_text(&out), "a\nb\\x0d");
    arena_free(arena);
}

void suite_utf8(void)
{
    CU_pSuite s = CU_add_suite("utf8", NULL, NULL);
    CU_add_test(s, "which bytes are characters", test_lengths);
    CU_add_test(s, "what is not safe is shown in hexadecimal", test_shown);
}
