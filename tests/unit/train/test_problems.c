/* test_problems.c: lists of problems. */
#include "train/problems.h"

#include "traintest.h"

#include <CUnit/CUnit.h>

#include <stdlib.h>
#include <string.h>

static rnct_problems list;

static void test_texts(void)
{
    list = (rnct_problems){0};
    CU_ASSERT_FALSE(rnct_problem(&list, "a/b.png", "%d bytes are missing", 3));
    CU_ASSERT_STRING_EQUAL(list.text[0], "a/b.png: 3 bytes are missing");
    rnct_problem(&list, "bell\a\x1b[2J\xc2\x9b.png", "\xc3\xa4");
    CU_ASSERT_STRING_EQUAL(list.text[1], "bell\\x07\\x1b[2J\\xc2\\x9b.png: \xc3\xa4");
    rnct_problem(&list, "x", "\xe2\x80\xa8\xe2\x80\xa6"); /* ends a line; an ellipsis */
    CU_ASSERT_STRING_EQUAL(list.text[2], "x: \\xe2\\x80\\xa8\xe2\x80\xa6");
    CU_ASSERT_EQUAL(list.n, 3);
}

/* Long paths lose their beginning, long messages their end, and no character is cut in two. */
static void test_long_texts(void)
{
    char path[1000], umlauts[1001];
    memset(path, 'a', sizeof path);
    strcpy(path + 990, "/last.png");
    for (int i = 0; i < 1000; i += 2)
        memcpy(umlauts + i, "\xc3\xa4", 3);
    list = (rnct_problems){0};
    rnct_problem(&list, path, "%s", umlauts);
    const char *text = list.text[0];
    CU_ASSERT_EQUAL(strncmp(text, "...aaa", 6), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "/last.png: \xc3\xa4"));
    const size_t n = strlen(text);
    CU_ASSERT(n >= RNCT_PROBLEM_BYTES - 2 && n < RNCT_PROBLEM_BYTES);
    CU_ASSERT_EQUAL(memcmp(text + n - 2, "\xc3\xa4", 2), 0);
}

static void test_many(void)
{
    list = (rnct_problems){0};
    rnct_problems more = {0};
    char text[4096] = "";
    for (int i = 0; i < 15; i++) {
        rnct_problem(&list, "x", "%d", i);
        rnct_problem(&more, "y", "%d", i);
    }
    rnct_problems_add(&list, &more);
    CU_ASSERT_EQUAL(list.n, 30);
    CU_ASSERT_STRING_EQUAL(list.text[19], "y: 4");
    FILE *to = fmemopen(text, sizeof text, "w");
    rnct_problems_print(&list, "- ", to);
    fclose(to);
    CU_ASSERT_EQUAL(strncmp(text, "- x: 0\n- x: 1\n", 14), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "- y: 4\n- 30 in all, of which the first 20 are listed\n"));
}

void suite_problems(void)
{
    CU_pSuite suite = CU_add_suite("problems", NULL, NULL);
    CU_ADD_TEST(suite, test_texts);
    CU_ADD_TEST(suite, test_long_texts);
    CU_ADD_TEST(suite, test_many);
}
