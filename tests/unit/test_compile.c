/* test_compile.c: compile() as a library function: thousands of times in one
 * process, good networks and bad ones, and memory that runs out anywhere. */
#include "compile.h"

#include <CUnit/CUnit.h>

#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char good_net[] =
    "block residual(filters, stride = 1) {\n"
    "  main { conv 3x3 filters stride=stride ; bn ; relu ; conv 3x3 filters ; bn }\n"
    "  shortcut { if stride != 1 { conv 1x1 filters stride=stride ; bn } }\n"
    "  add ; relu\n"
    "}\n"
    "net good(classes = 3) {\n"
    "  input image[3, 9, 7]\n"
    "  normalize scale=1/255 mean=(0.5,) std=(0.25,)\n"
    "  conv 3x3 5 ; bn ; relu\n"
    "  stage layer1 { residual(5) ; residual(9, stride = 2) }\n"
    "  avgpool global ; flatten ; dense classes ; softmax\n"
    "  output probabilities\n"
    "}\n";

/* Each with a mistake that another phase finds. */
static const char *const bad_nets[] = {
    "net a { input x[3, 8, 8] ; conv 3x3 ",
    "net a { input x[3, 8, 8] ; cnov 3x3 4 ; output y }",
    "net a { input x[3, 8, 8] ; conv 99x99 4 padding=0 ; output y }",
    "net a { input x[3, 8, 8] ; m { conv 1x1 4 } n { conv 1x1 5 } add ; output y }",
    "net a(n = 9223372036854775807) { let m = n + 1 ; input x[3, m, 8] ; output y }",
    "net a { input x[1000000, 100000, 100000] ; relu ; output y }",
    "include \"no/such.net\"",
    "net a { ) ( ] [ } { \" \\ \x01 \xff",
    "",
};

typedef struct Temporary {
    char dir[64], path[96];
} Temporary;

static void write_net(Temporary *t, const char *text)
{
    snprintf(t->dir, sizeof t->dir, "/tmp/rnc-test-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(t->dir));
    snprintf(t->path, sizeof t->path, "%s/a.net", t->dir);
    FILE *f = fopen(t->path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fputs(text, f);
    fclose(f);
}

static void remove_net(const Temporary *t)
{
    unlink(t->path);
    rmdir(t->dir);
}

/* True when it compiled.  With a limit, memory runs out there; *text gets the
 * first bytes of the source or the messages. */
static bool run(const char *path, size_t limit, bool weights, char *text, size_t size)
{
    jmp_buf oom;
    Arena *arena = arena_new(&oom);
    volatile bool good = false;
    if (size)
        text[0] = '\0';
    if (setjmp(oom) == 0) {
        arena_limit(arena, limit);
        SrcMap src = {.arena = arena};
        Diag d = diag_new(&src, arena);
        CompileOptions o = {
            .input = path,
            .emit = {.name = "a", .command = "rnc", .source = "a.c", .header = "a.h"}};
        Compiled c;
        if (weights)
            o.init = (InitSpec){INIT_HE_NORMAL, 1};
        good = compile(&o, arena, &src, &d, &c);
        CU_ASSERT_EQUAL(good, d.errors == 0);
        if (size)
            snprintf(text, size, "%s", good ? buf_text(&c.source) : buf_text(&d.out));
        compiled_close(&c);
    } else if (size) {
        snprintf(text, size, "no memory even to begin");
    }
    arena_free(arena);
    return good;
}

static int open_files(void)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

/* Bytes that malloc has given out, with what it keeps for the next of that size
 * (SLACK); sanitizers count for themselves. */
enum { SLACK = 16384 };
static size_t in_use(void)
{
#if defined(__SANITIZE_ADDRESS__)
    return 0;
#else
    return mallinfo2().uordblks + mallinfo2().hblkhd;
#endif
}

static void test_often(void)
{
    enum { TIMES = 2000, SIZE = 1 << 19 };
    Temporary good, bad[sizeof bad_nets / sizeof *bad_nets];
    const size_t n = sizeof bad_nets / sizeof *bad_nets;
    char *first = calloc(1, SIZE), *again = calloc(1, SIZE);
    CU_ASSERT_FATAL(first && again);
    write_net(&good, good_net);
    for (size_t i = 0; i < n; i++)
        write_net(&bad[i], bad_nets[i]);
    CU_ASSERT_FATAL(run(good.path, SIZE_MAX, true, first, SIZE));
    CU_ASSERT_PTR_NOT_NULL(strstr(first, "a_run"));
    for (size_t i = 0; i < n; i++)
        run(bad[i].path, SIZE_MAX, false, NULL, 0);
    const int files = open_files();
    const size_t bytes = in_use();
    for (size_t i = 0; i < TIMES; i++) {
        const bool is_good = i % 4 == 0;
        const char *path = is_good ? good.path : bad[i % n].path;
        CU_ASSERT_EQUAL(run(path, SIZE_MAX, i % 8 == 0, NULL, 0), is_good);
    }
    CU_ASSERT_EQUAL(open_files(), files);
    CU_ASSERT(in_use() <= bytes + SLACK);
    CU_ASSERT_FATAL(run(good.path, SIZE_MAX, true, again, SIZE));
    CU_ASSERT_STRING_EQUAL(first, again);
    for (size_t i = 0; i < n; i++)
        remove_net(&bad[i]);
    remove_net(&good);
    free(first);
    free(again);
}

/* At every few bytes, or with RNC_TEST_FULL at many more of them, memory runs out:
 * a message, no crash, nothing left. */
static void test_out_of_memory(void)
{
    char text[128];
    Temporary t;
    write_net(&t, good_net);
    size_t enough = 1 << 16;
    while (!run(t.path, enough, true, NULL, 0))
        enough *= 2;
    const size_t points = getenv("RNC_TEST_FULL") ? 20000 : 1000, step = enough / points + 1;
    const int files = open_files();
    const size_t bytes = in_use();
    size_t failures = 0;
    for (size_t limit = 0; limit < enough; limit += step) {
        if (!run(t.path, limit, true, text, sizeof text)) {
            failures++;
            CU_ASSERT(strstr(text, "out of memory") || strstr(text, "no memory even"));
        }
    }
    CU_ASSERT(failures > points / 4);
    CU_ASSERT_EQUAL(open_files(), files);
    CU_ASSERT(in_use() <= bytes + SLACK);
    remove_net(&t);
}

/* One message a mistake, of the phase that finds it, with its place. */
static void test_messages(void)
{
    char text[256];
    for (size_t i = 0; i < sizeof bad_nets / sizeof *bad_nets; i++) {
        Temporary t;
        write_net(&t, bad_nets[i]);
        CU_ASSERT_FALSE(run(t.path, SIZE_MAX, false, text, sizeof text));
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "error: "));
        CU_ASSERT_PTR_NULL(strstr(text, "internal error"));
        if (!strstr(text, "error: ") || strstr(text, "internal error"))
            printf("%s\n  says: %s\n", bad_nets[i], text);
        remove_net(&t);
    }
    CU_ASSERT_FALSE(run("/no/such.net", SIZE_MAX, false, text, sizeof text));
    CU_ASSERT_STRING_EQUAL(
        text, "/no/such.net: error: cannot read the network: No such file or directory\n");
}

void suite_compile(void)
{
    CU_pSuite s = CU_add_suite("compile", NULL, NULL);
    CU_add_test(s, "thousands of compilations", test_often);
    CU_add_test(s, "memory runs out", test_out_of_memory);
    CU_add_test(s, "messages", test_messages);
}
