/* test_parse.c: texts to trees and back. */
#include "lang/parse.h"

#include <CUnit/CUnit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static jmp_buf oom;

/* The tree of a text, printed into `arena`; the number of errors in *errors. */
static const char *tree(Arena *arena, const char *text, size_t size, int *errors)
{
    SrcMap map = {.arena = arena};
    Diag d = diag_new(&map, arena);
    int file = src_add(&map, "x.net", text, size);
    Buf out = buf_new(arena);
    ast_print(&out, parse_file(arena, file, &d));
    *errors = d.errors;
    return buf_text(&out);
}

static void prints(const char *text, const char *expected)
{
    Arena *arena = arena_new(&oom);
    int errors, again;
    const char *printed = tree(arena, text, strlen(text), &errors);
    CU_ASSERT_EQUAL(errors, 0);
    if (strcmp(printed, expected) != 0)
        printf("  printed: %s\n", printed);
    CU_ASSERT_STRING_EQUAL(printed, expected);
    CU_ASSERT_STRING_EQUAL(tree(arena, printed, strlen(printed), &again), printed);
    CU_ASSERT_EQUAL(again, 0);
    arena_free(arena);
}

#define NET(body) "net n {\n" body "}\n"

static void test_statements(void)
{
    prints("net n { input a[3, 4, 5] type=u8 ; output b }",
           NET("  input a[3, 4, 5] type=u8\n  output b\n"));
    prints("net n{stage s{3 x b(1)} batch 2;use naming q;tap t;from t}",
           NET("  stage s {\n    3 x b(1)\n  }\n  batch 2\n  use naming q\n  tap t\n  from t\n"));
    prints("net n { l: conv 3x3 64 stride=2 ; relu }", NET("  l: conv 3x3 64 stride=2\n  relu\n"));
    prints("net n { a { } b { relu } add }", NET("  a { }\n  b {\n    relu\n  }\n  add\n"));
    prints("net n { for i in 0..3 { } for i in (1,) { } 2 x { } }",
           NET("  for i in 0..3 { }\n  for i in (1,) { }\n  2 x { }\n"));
    prints("net n {\n if a { }\n\n else if b { }\n else { relu } }",
           NET("  if a { } else if b { } else {\n    relu\n  }\n"));
}

static void test_arguments(void)
{
    prints("net n { conv 1x1 4 * f stride=s }", NET("  conv 1x1 4 * f stride=s\n"));
    prints("net n { conv 3 n (1, 2) }", NET("  conv 3 n (1, 2)\n"));
    prints("net n { conv 3 n(1, 2) }", NET("  conv 3 n(1, 2)\n"));
    prints("net n { conv a - 1-2 }", NET("  conv a - 1 - 2\n"));
    prints("net n { conv(a - 1 -2, b = c) }", NET("  conv(a - 1 - 2, b = c)\n"));
    prints("net n { conv a (-1) b=-1 }", NET("  conv a (-1) b=-1\n"));
    prints("net n { f a ? b : c d=1 then 2 }", NET("  f a ? b : c d=1 then 2\n"));
    prints("net n { conv(\n3,\n\n4 # comment\n,\n) }", NET("  conv(3, 4)\n"));
    prints("net n { blocks[0] x b\n n - 1 x b\n f(2) x b }",
           NET("  blocks[0] x b\n  n - 1 x b\n  f(2) x b\n"));
}

static void test_words(void)
{
    /* x repeats after a number, or after a lone word before what can be called */
    prints("net n { n x b\n n x { } ; 2 x x\n x x b }",
           NET("  n x b\n  n x { }\n  2 x x\n  x x b\n"));
    prints("net n { b x ; b x s=2 ; add x y ; b(1) x c\n b 1 x y }",
           NET("  b (x)\n  b (x) s=2\n  add (x) y\n  b(1) x c\n  b 1 (x) y\n"));
    prints("net n { n x b s == 2\n b x[0] ; b 2 * x - 1 }",
           NET("  n x b s == 2\n  b x[0]\n  b 2 * x - 1\n"));
    prints("net n { input x[x] ; from x ; tap x ; x: relu ; x { } output x }",
           NET("  input x[x]\n  from x\n  tap x\n  x: relu\n  x { }\n  output x\n"));
    prints("net n { for in in in { } for x in x { } let in = x }",
           NET("  for in in in { }\n  for x in x { }\n  let in = x\n"));
    prints("net n { batch: relu ; input { } from batch ; add batch input }",
           NET("  batch: relu\n  input { }\n  from batch\n  add batch input\n"));
    prints("net rnc(net = 1, default = 2) { use: b use=use }",
           "net rnc(net = 1, default = 2) {\n  use: b use=use\n}\n");
    prints("# a version\n\nrnc 1\nnet a = b", "rnc 1\n\nnet a = b\n");
    prints("default conv bias=true\ndefault bn epsilon=1e-3\nnet n { default conv stride=2 }",
           "default conv bias=true\ndefault bn epsilon=0.001\n\n"
           "net n {\n  default conv stride=2\n}\n");
}

static void test_cases(void)
{
    prints("net n { let a = case b {\n 1, 2 -> 3\n\n else -> 4\n}\n relu }",
           NET("  let a = case b { 1, 2 -> 3 ; else -> 4 }\n  relu\n"));
    prints("net n { f(case a {\n 1 -> (2,\n 3)\n}, 4) ; g 1 + case a { 1 -> 2 }[0] b=case c { } }",
           NET("  f(case a { 1 -> (2, 3) }, 4)\n  g 1 + case a { 1 -> 2 }[0] b=case c { }\n"));
    prints("net n { if case a { 1 -> true } { relu } else { bn } }",
           NET("  if case a { 1 -> true } {\n    relu\n  } else {\n    bn\n  }\n"));
    prints("net n { let a = case case b { 1 -> 2 } { 2 -> case c { else -> d } ; else -> e } }",
           NET("  let a = case case b { 1 -> 2 } { 2 -> case c { else -> d } ; else -> e }\n"));
    prints("net n { case a { 1 -> 2 } x b\n case a { 1 -> 2 } x { } }",
           NET("  case a { 1 -> 2 } x b\n  case a { 1 -> 2 } x { }\n"));
}

static void test_newlines(void)
{
    prints("net n {\r\n relu\r\n bn\r\n}\r\n", NET("  relu\n  bn\n"));
    prints("net n {\r relu\r bn\r}", NET("  relu\n  bn\n"));
    prints("\xef\xbb\xbfnet n { ;; relu ;\n;\n }", NET("  relu\n"));
    prints("net n { let a = 1 +\n 2 * # no end\n\n 3\n let b = a }",
           NET("  let a = 1 + 2 * 3\n  let b = a\n"));
    prints("net n { let s = 1 then\n 2 }", NET("  let s = 1 then 2\n"));
}

static void test_precedence(void)
{
    prints("net n { let a = 1 - (2 - 3) - 4 }", NET("  let a = 1 - (2 - 3) - 4\n"));
    prints("net n { let a = (1 + 2) * 3 // 4 % 5 }", NET("  let a = (1 + 2) * 3 // 4 % 5\n"));
    prints("net n { let a = not (a or b) and not c == d }",
           NET("  let a = not (a or b) and not c == d\n"));
    prints("net n { let a = -(1 + b)[0] * -c }", NET("  let a = -(1 + b)[0] * -c\n"));
    prints("net n { let a = (a ? b : c) ? d : e ? f : g }",
           NET("  let a = (a ? b : c) ? d : e ? f : g\n"));
    prints("net n { let a = (1 then 2) then 3 then 4 }",
           NET("  let a = (1 then 2) then 3 then 4\n"));
    prints("net n { let a = (1 < 2) == (3 < 4) }", NET("  let a = (1 < 2) == (3 < 4)\n"));
    prints("net n { let a = (not b) == c }", NET("  let a = (not b) == c\n"));
}

static void test_values(void)
{
    prints("net n { let a = (1, 2.5, 1e-5, 2e3, 1.5e+300, \"a\\\"b\\\\\\n\", true, (), (1,)) }",
           NET("  let a = (1, 2.5, 1e-5, 2e3, 1.5e300, \"a\\\"b\\\\\\n\", true, (), (1,))\n"));
    prints("net n { let a = 0.1 }", NET("  let a = 0.1\n"));
}

static void test_declarations(void)
{
    prints("include \"a.net\"\ninclude \"b.net\"\nblock b(f, s = 1, r: real, k: int = 2,) { }",
           "include \"a.net\"\ninclude \"b.net\"\n\nblock b(f, s = 1, r: real, k: int = 2) { }\n");
    prints("net a = b\nnet c = d(x1 = 2)", "net a = b\n\nnet c = d(x1 = 2)\n");
    prints("naming n { \"a{b}\" -> \"c\"\n bn.weight -> \"gamma\" }",
           "naming n {\n  \"a{b}\" -> \"c\"\n  bn.weight -> \"gamma\"\n}\n");
}

static void test_error_counts(void)
{
    static const struct {
        const char *text;
        int errors;
    } cases[] = {
        {"net n { let = 1 ; relu ; let b ; from }", 3},
        {"net n { let a = 1 < 2 < 3 }", 1}, /* comparisons do not chain */
        {"net n { conv a - }", 1},
        {"net n { conv a -1 }", 1},
        {"net n { conv 3 x 3 64 ; relu }", 1},
        {"net n { 3 x conv 3x3 64 ; relu }", 1},
        {"net n { 3 x conv 3x3 64 ; }", 0},
        {"net n { names q }", 0},
        {"rnc 2\nnet n { relu }", 1},
        {"net n { relu }\nrnc 1", 1},
        {"net n { let a = case b { 1 -> } ; let c = (case d { 1 2 }, 3) ; from }", 3},
        {"net n { f(case a { 1 -> (2 } ) ; from }", 2},
        {"net n { let a = case b", 2},
        {"net n {", 1},
        {"net n { conv(1 }", 1},
        {"}", 1},
        {"net", 1},
        {"net n { else { relu } if }", 2},
        {"net n { if a b { relu } else { bn } from }", 2},
        {"net n { 3 x }", 1},
        {"\"abc", 2},
        {"net n { relu @ }", 1},
        {"", 0},
        {"# nothing", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Arena *arena = arena_new(&oom);
        int errors;
        tree(arena, cases[i].text, strlen(cases[i].text), &errors);
        if (errors != cases[i].errors)
            printf("  %s: %d errors\n", cases[i].text, errors);
        CU_ASSERT_EQUAL(errors, cases[i].errors);
        arena_free(arena);
    }
}

/* n times `a`, then `middle`, then n times `b`. */
static void nested(const char *a, const char *middle, const char *b, int n)
{
    Arena *arena = arena_new(&oom);
    Buf text = buf_new(arena);
    buf_puts(&text, "net n {\n");
    for (int i = 0; i < n; i++)
        buf_puts(&text, a);
    buf_puts(&text, middle);
    for (int i = 0; i < n; i++)
        buf_puts(&text, b);
    buf_puts(&text, "\n}\n");
    int errors;
    tree(arena, buf_text(&text), text.n, &errors);
    CU_ASSERT(errors > 0);
    arena_free(arena);
}

static void test_deep(void)
{
    nested("if true { ", "relu", " }", 100000);
    nested("let a = (", "1", ")", 100000);
    nested("- ", "1", "", 100000);
    nested("f(", "1", ")", 100000);
    nested("a x ", "b", " + 1", 100000);
    nested("let a = 1", "", " + 1", 100000);
    nested("let a = 1", "", " then 1", 100000);
    nested("if true { } else ", "", "", 100000);
    nested("{", "", "", 100000);
}

/* Whatever the bytes are, the parser comes back. */
static void test_random_bytes(void)
{
    static const char *const pieces[] = {
        "net ", "n",   " {",   "}",     "(",  ")",   "[",      "]",      ",",   ";",  "\n",
        "x",    "3x3", "1",    "\"a\"", "=",  "if ", "else ",  "for ",   "in ", "..", " + ",
        "-",    "\\",  "\xff", "#",     "\r", ":",   "block ", "stage ", "->",  "\""};
    unsigned seed = 1;
    for (int round = 0; round < 2000; round++) {
        Arena *arena = arena_new(&oom);
        Buf text = buf_new(arena);
        for (int i = 0; i < 60; i++) {
            seed = seed * 1103515245u + 12345u;
            buf_puts(&text, pieces[(seed >> 16) % (sizeof pieces / sizeof *pieces)]);
            if ((seed >> 24) % 40 == 0)
                buf_putc(&text, '\0');
        }
        int errors;
        tree(arena, buf_text(&text), text.n, &errors);
        arena_free(arena);
    }
}

void suite_parse(void)
{
    CU_pSuite s = CU_add_suite("parse", NULL, NULL);
    CU_add_test(s, "statements", test_statements);
    CU_add_test(s, "arguments", test_arguments);
    CU_add_test(s, "words", test_words);
    CU_add_test(s, "case", test_cases);
    CU_add_test(s, "newlines", test_newlines);
    CU_add_test(s, "precedence", test_precedence);
    CU_add_test(s, "values", test_values);
    CU_add_test(s, "declarations", test_declarations);
    CU_add_test(s, "one error for each mistake", test_error_counts);
    CU_add_test(s, "deep nesting is refused", test_deep);
    CU_add_test(s, "random texts", test_random_bytes);
}
