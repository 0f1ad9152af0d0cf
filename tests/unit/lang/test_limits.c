/* test_limits.c: small texts whose meaning is large: each is lowered in memory of a
 * small multiple of its own and in seconds, or refused with a message at once. */
#include "lang/lower.h"

#include <CUnit/CUnit.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

/* `head`, then n times `piece` with its number in place of each %d, then `tail`. */
typedef struct Bomb {
    const char *head, *piece;
    int n;
    const char *tail, *says; /* NULL: it is a network */
} Bomb;

#define BEGIN "net n {\n input i[3, 8, 8]\n"
#define END "\n relu\n output y\n}\n"

static const Bomb bombs[] = {
    {BEGIN " 200000 x { let a = (", "1, ", 20000, ") }" END, "takes more than 20000000 steps"},
    {BEGIN " 200000 x { let a = case index {\n", "%d -> 0\n", 2000, "else -> 1 } }" END,
     "takes more than 20000000 steps"},
    {BEGIN " let l = (", "1, ", 20000,
     ")\n for a in 0..2000 { for b in 0..1900 { let s = sum(l) } }" END,
     "takes more than 20000000 steps"},
    {BEGIN " let l0 = (1,)\n", " let m%d = (1, (1, (1, l0)))\n", 300, END, NULL},
    {BEGIN " let l = ", "(", 100, "1" END, "`)`"},
    {BEGIN, " let v%d = 1\n", 100000, END, "more than 10000 parameters and variables"},
    {BEGIN, " a%d: relu\n", 100000, END, NULL},
    {BEGIN, " a%d: relu\n from a%d\n", 30000, " relu\n output y\n}\n", NULL},
    {BEGIN, " a { relu }\n", 50000, " add" END, "takes at most 1024 tensors"},
    {BEGIN, " relu\n tap t%d\n", 20000, END, "at most 4096 inputs and outputs"},
    {"net n {\n", " input i%d[3]\n relu\n output o%d\n", 20000, "}\n",
     "at most 4096 inputs and outputs"},
    {"", "block b%d { relu }\n", 60000, BEGIN " b5" END, NULL},
    {"net n(a = 1", ", p%d = %d", 60000, ") { input i[3]" END,
     "more than 10000 parameters and variables"},
    {"net n {\n input i[3, 8, 8]\n stage a", "aaaaaaaaaa", 10000, " { 190000 x relu }" END,
     "the paths of the layers are too long"},
    {"block b(n) { if n > 0 { a", "aaaaaaaaaa", 200,
     ": b(n - 1) } else { 190000 x relu } }\n" BEGIN " b(200)" END,
     "the paths of the layers are too long"},
    {"", "net a%d = b%d\nnet b%d = c%d\n", 30000, "net n = a0\n", "there is no net 'c0'"},
    {"", "default conv bias=true\n", 2000, BEGIN END, "more than 1000 defaults hold here"},
    {"", "default conv bias=true\n", 900, "block b { conv 1x1 3 }\n" BEGIN " 100000 x b" END, NULL},
    {BEGIN " conv 1x1 3 ", "a=1 ", 200000, END, "has no attribute 'a'"},
    {BEGIN " let a = ", "case 1 { 1 -> ", 300, "1" END, "`}`"},
    {BEGIN " 1000000 x { 1000000 x relu }", "", 0, END, "cannot repeat 1000000 times"},
    {BEGIN " 200000 x { 200000 x { } }", "", 0, END, "more than 4000000 steps"},
    {"block b(n) { if n > 0 { b(n - 1) ; b(n - 1) } else { relu } }\n" BEGIN " b(60)", "", 0, END,
     "the paths of the layers are too long"},
};

static const char *text_of(const Bomb *bomb, Arena *arena)
{
    Buf text = buf_new(arena);
    buf_puts(&text, bomb->head);
    for (int i = 0; i < bomb->n; i++) {
        for (const char *p = bomb->piece; *p; p++) {
            if (p[0] == '%' && p[1] == 'd')
                buf_printf(&text, "%d", i), p++;
            else
                buf_putc(&text, *p);
        }
    }
    buf_puts(&text, bomb->tail);
    return buf_text(&text);
}

static void test_bombs(void)
{
    enum { MEMORY = 1000 << 20, SECONDS = 20 }; /* a second of its own on a slow machine */
    for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++) {
        jmp_buf oom;
        Arena *arena = arena_new(&oom);
        const clock_t begin = clock();
        if (setjmp(oom) == 0) {
            arena_limit(arena, MEMORY);
            SrcMap src = {.arena = arena};
            Diag d = diag_new(&src, arena);
            const char *text = text_of(&bombs[i], arena);
            const LowerOptions options = {0};
            const Net *net =
                lower_file(arena, &src, src_add(&src, "x.net", text, strlen(text)), &options, &d);
            const char *said = buf_text(&d.out), *wanted = bombs[i].says;
            bool good = wanted ? !net && strstr(said, wanted) : net != NULL;
            CU_ASSERT(good);
            if (!good)
                printf("  %.60s: %.300s\n", bombs[i].head, said);
        } else {
            CU_FAIL("out of memory");
            printf("  %.60s: out of memory\n", bombs[i].head);
        }
        CU_ASSERT((double)(clock() - begin) / CLOCKS_PER_SEC < SECONDS);
        arena_free(arena);
    }
}

/* Lists of lists whose elements are too many to be walked one by one. */
static void test_nested_lists(void)
{
    static const char *const uses[] = {" conv l 4\n", " if l == m { relu }\n",
                                       " let k = (l, l) == (m, m)\n"};
    static const char *const says[] = {"not the list (((((((((", "20000000 steps",
                                       "20000000 steps"};
    for (int u = 0; u < 3; u++) {
        jmp_buf oom;
        Arena *arena = arena_new(&oom);
        SrcMap src = {.arena = arena};
        Diag d = diag_new(&src, arena);
        Buf text = buf_new(arena);
        buf_puts(&text,
                 BEGIN " let a0 = (1, 1, 1, 1, 1, 1, 1, 1)\n let b0 = (1, 1, 1, 1, 1, 1, 1, 1)\n");
        for (int i = 1; i < 13; i++) {
            for (char c = 'a'; c <= 'b'; c++)
                buf_printf(&text, " let %c%d = (%c%d, %c%d, %c%d, %c%d, %c%d, %c%d, %c%d, %c%d)\n",
                           c, i, c, i - 1, c, i - 1, c, i - 1, c, i - 1, c, i - 1, c, i - 1, c,
                           i - 1, c, i - 1);
        }
        buf_printf(&text, " let l = a12\n let m = b12\n%s" END, uses[u]);
        const LowerOptions options = {0};
        int file = src_add(&src, "x.net", buf_text(&text), text.n);
        CU_ASSERT_PTR_NULL(lower_file(arena, &src, file, &options, &d));
        CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&d.out), says[u]));
        if (!strstr(buf_text(&d.out), says[u]))
            printf("%s", buf_text(&d.out));
        arena_free(arena);
    }
}

void suite_limits(void)
{
    CU_pSuite s = CU_add_suite("limits of the language", NULL, NULL);
    CU_add_test(s, "large meanings of small texts", test_bombs);
    CU_add_test(s, "lists of lists", test_nested_lists);
}
