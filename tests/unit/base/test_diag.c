/* test_diag.c: how messages look, and when they end. */
#include "base/diag.h"

#include <CUnit/CUnit.h>

#include <string.h>

static jmp_buf oom;

typedef struct Fixture {
    Arena *arena;
    SrcMap map;
    Diag d;
} Fixture;

static void open_fixture(Fixture *f, const char *text)
{
    f->arena = arena_new(&oom);
    f->map = (SrcMap){.arena = f->arena};
    src_add(&f->map, "x.net", text, strlen(text));
    f->d = diag_new(&f->map, f->arena);
}

static const char *shown(const Fixture *f)
{
    return buf_text(&f->d.out);
}

static void test_carets(void)
{
    Fixture f;
    open_fixture(&f, "one\n  conv 3x3\nend");
    diag_error(&f.d, (Loc){0, 6, 10}, "no '%s'", "conv");
    CU_ASSERT_STRING_EQUAL(shown(&f), "x.net:2:3: error: no 'conv'\n"
                                      "    2 |   conv 3x3\n"
                                      "      |   ^~~~\n");
    arena_free(f.arena);
}

static void test_end_of_file(void)
{
    Fixture f;
    open_fixture(&f, "a\n");
    diag_error(&f.d, (Loc){0, 2, 2}, "more");
    CU_ASSERT_STRING_EQUAL(shown(&f), "x.net:2:1: error: more\n    2 | \n      | ^\n");
    arena_free(f.arena);
}

static void test_tabs_and_utf8(void)
{
    Fixture f;
    open_fixture(&f, "\t\xc3\xa4 b");
    diag_error(&f.d, (Loc){0, 4, 5}, "here");
    CU_ASSERT_STRING_EQUAL(shown(&f), "x.net:1:5: error: here\n"
                                      "    1 |  \xc3\xa4 b\n"
                                      "      |    ^\n");
    arena_free(f.arena);
}

static void test_escapes(void)
{
    Fixture f;
    open_fixture(&f, "a\x1b[1m \xff b");
    diag_error(&f.d, (Loc){0, 8, 9}, "no '%s'", "\x1b[31m\xfe");
    diag_file_error(&f.d, "x\ry", "cannot read it");
    CU_ASSERT_STRING_EQUAL(shown(&f), "x.net:1:9: error: no '\\x1b[31m\\xfe'\n"
                                      "    1 | a [1m ? b\n"
                                      "      |         ^\n"
                                      "x\\x0dy: error: cannot read it\n");
    arena_free(f.arena);
}

static void test_ranges_over_lines(void)
{
    Fixture f;
    open_fixture(&f, "ab\ncd");
    diag_error(&f.d, (Loc){0, 1, 5}, "long");
    CU_ASSERT_STRING_EQUAL(shown(&f), "x.net:1:2: error: long\n    1 | ab\n      |  ^\n");
    arena_free(f.arena);
}

static void test_long_lines_are_cut(void)
{
    char text[5001];
    memset(text, 'a', 5000);
    text[5000] = '\0';
    text[3000] = 'X';
    Fixture f;
    open_fixture(&f, text);
    diag_error(&f.d, (Loc){0, 3000, 3001}, "there");
    CU_ASSERT(strlen(shown(&f)) < 600);
    const char *line = strchr(shown(&f), '|'), *carets = line ? strrchr(shown(&f), '|') : NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(carets);
    CU_ASSERT_EQUAL(strchr(line, 'X') - line, strchr(carets, '^') - carets);
    arena_free(f.arena);
}

static void test_no_place(void)
{
    Fixture f;
    open_fixture(&f, "");
    diag_error(&f.d, NO_LOC, "a");
    diag_warning(&f.d, NO_LOC, "b");
    diag_note(&f.d, NO_LOC, "c");
    diag_file_error(&f.d, "w.bin", "d");
    CU_ASSERT_STRING_EQUAL(shown(&f), "rnc: error: a\nrnc: warning: b\nrnc: note: c\n"
                                      "w.bin: error: d\n");
    CU_ASSERT_EQUAL(f.d.errors, 2);
    CU_ASSERT_EQUAL(f.d.warnings, 1);
    arena_free(f.arena);
}

static void test_most(void)
{
    Fixture f;
    open_fixture(&f, "");
    for (int i = 0; i < DIAG_MOST + 5; i++) {
        diag_error(&f.d, NO_LOC, "error %d", i);
        diag_note(&f.d, NO_LOC, "note %d", i);
    }
    CU_ASSERT(f.d.full);
    CU_ASSERT_PTR_NOT_NULL(strstr(shown(&f), "note 19\n"));
    CU_ASSERT_PTR_NULL(strstr(shown(&f), "error 20"));
    CU_ASSERT_PTR_NULL(strstr(shown(&f), "note 20"));
    CU_ASSERT(str_ends(shown(&f), "the rest is left out\n"));
    arena_free(f.arena);
}

static void test_callers(void)
{
    Fixture f;
    open_fixture(&f, "abc");
    Place outer = {{0, 0, 1}, NULL}, middle = {{0, 1, 2}, &outer}, inner = {{0, 2, 3}, &middle};
    diag_note_callers(&f.d, &inner);
    CU_ASSERT_STRING_EQUAL(shown(&f), "x.net:1:2: note: expanded from here\n"
                                      "    1 | abc\n      |  ^\n"
                                      "x.net:1:1: note: expanded from here\n"
                                      "    1 | abc\n      | ^\n");
    arena_free(f.arena);
}

void suite_diag(void)
{
    CU_pSuite s = CU_add_suite("diag", NULL, NULL);
    CU_add_test(s, "bytes that a terminal obeys are not printed", test_escapes);
    CU_add_test(s, "carets stand below what is meant", test_carets);
    CU_add_test(s, "at the end of the file", test_end_of_file);
    CU_add_test(s, "tabs and UTF-8 are one column", test_tabs_and_utf8);
    CU_add_test(s, "a range ends with its line", test_ranges_over_lines);
    CU_add_test(s, "long lines are cut around the place", test_long_lines_are_cut);
    CU_add_test(s, "without a place", test_no_place);
    CU_add_test(s, "twenty errors", test_most);
    CU_add_test(s, "callers", test_callers);
}
