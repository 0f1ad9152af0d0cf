/* test_src.c: lines and columns of source files. */
#include "base/src.h"

#include <CUnit/CUnit.h>

#include <string.h>

static void test_line(void)
{
    jmp_buf oom;
    Arena *arena = arena_new(&oom);
    SrcMap map = {.arena = arena};
    const char text[] = "ab\n\ncd";
    const int file = src_add(&map, "x.net", text, strlen(text));
    const int expected[][2] = {{1, 1}, {1, 2}, {1, 3}, {2, 1}, {3, 1}, {3, 2}, {3, 3}};
    for (int i = 0; i < 7; i++) {
        int line = 0, column = 0;
        src_line(&map, file, i, &line, &column);
        CU_ASSERT_EQUAL(line, expected[i][0]);
        CU_ASSERT_EQUAL(column, expected[i][1]);
    }
    int line = 0;
    const Place fifth = {.loc = {file, 5, 6}}, nowhere = {.loc = NO_LOC};
    CU_ASSERT_PTR_EQUAL(src_place(&map, &fifth, &line), src_file(&map, file));
    CU_ASSERT_EQUAL(line, 3);
    CU_ASSERT_PTR_NULL(src_place(&map, &nowhere, &line));
    CU_ASSERT_PTR_NULL(src_place(&map, NULL, &line));
    arena_free(arena);
}

static void test_files_are_copied(void)
{
    jmp_buf oom;
    Arena *arena = arena_new(&oom);
    SrcMap map = {.arena = arena};
    const char *why = NULL;
    char text[] = "first";
    const int a = src_add(&map, "a.net", text, 5), b = src_add(&map, "b.net", "", 0);
    text[0] = 'X';
    CU_ASSERT_STRING_EQUAL(src_file(&map, a)->text, "first");
    CU_ASSERT_STRING_EQUAL(src_file(&map, b)->name, "b.net");
    CU_ASSERT_EQUAL(src_file(&map, b)->size, 0);
    CU_ASSERT_EQUAL(src_read(&map, "no/such/file.net", &why), -1);
    CU_ASSERT_STRING_EQUAL(why, "No such file or directory");
    CU_ASSERT_EQUAL(src_read(&map, "/dev/zero", &why), -1);
    CU_ASSERT_STRING_EQUAL(why, "it is not a regular file");
    arena_free(arena);
}

void suite_src(void)
{
    CU_pSuite s = CU_add_suite("src", NULL, NULL);
    CU_add_test(s, "line and column of each byte", test_line);
    CU_add_test(s, "texts are copied", test_files_are_copied);
}
