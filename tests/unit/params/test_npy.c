/* test_npy.c: NumPy files, read and written. */
#include "params/npy.h"

#include <CUnit/CUnit.h>

#include <string.h>

typedef struct Case {
    jmp_buf oom;
    Arena *arena;
    SrcMap src;
    Diag d;
} Case;

static void begin(Case *c)
{
    c->arena = arena_new(&c->oom);
    c->src = (SrcMap){.arena = c->arena};
    c->d = diag_new(&c->src, c->arena);
}

/* A file of version 1 or 2 with that head. */
static Buf file(Case *c, int version, const char *head, const void *data, size_t size)
{
    Buf b = buf_new(c->arena);
    const size_t n = strlen(head);
    buf_add(&b, "\x93NUMPY", 6);
    buf_putc(&b, (char)version);
    buf_putc(&b, 0);
    buf_putc(&b, (char)n);
    buf_putc(&b, (char)(n >> 8));
    if (version > 1)
        buf_add(&b, "\0\0", 2);
    buf_puts(&b, head);
    buf_add(&b, data, size);
    return b;
}

static bool parse(Case *c, const Buf *b, Npy *npy)
{
    return npy_parse(npy, "x.npy", (const unsigned char *)b->text, b->n, c->arena, &c->d);
}

static void test_types(void)
{
    const float f[] = {1.5f, -2, 0, 3e-40f, 1e30f, 7};
    const double g[] = {1e-300, 2};
    Case c;
    Npy npy;
    begin(&c);
    Buf b = file(&c, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   \n", f,
                 sizeof f);
    CU_ASSERT_FATAL(parse(&c, &b, &npy));
    CU_ASSERT(npy.rank == 2 && npy.dims[0] == 2 && npy.dims[1] == 3 && npy.n == 6);
    for (int i = 0; i < 6; i++)
        CU_ASSERT_EQUAL(npy.values[i], (double)f[i]);
    b = file(&c, 2, "{'shape': (2,), 'fortran_order': False, 'descr': '<f8'}", g, sizeof g);
    CU_ASSERT_FATAL(parse(&c, &b, &npy));
    CU_ASSERT(npy.rank == 1 && npy.values[0] == 1e-300 && npy.values[1] == 2);
    b = file(&c, 1, "{\"descr\": \"|u1\", \"fortran_order\": False, \"shape\": ()}", "\xff", 1);
    CU_ASSERT_FATAL(parse(&c, &b, &npy));
    CU_ASSERT(npy.rank == 0 && npy.n == 1 && npy.values[0] == 255);
    const unsigned char whole[] = {0xfe, 0xff, 0xff, 0xff, 7, 0, 0, 0};
    b = file(&c, 1, "{'descr': '<i4', 'fortran_order': False, 'shape': (2,)}", whole, 8);
    CU_ASSERT_FATAL(parse(&c, &b, &npy));
    CU_ASSERT(npy.n == 2 && npy.values[0] == -2 && npy.values[1] == 7);
    b = file(&c, 1, "{'descr': '<i8', 'fortran_order': False, 'shape': (1,)}", whole, 8);
    CU_ASSERT_FATAL(parse(&c, &b, &npy));
    CU_ASSERT(npy.n == 1 && npy.values[0] == 7 * 4294967296.0 + 4294967294.0);
    b = file(&c, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4)}", "", 0);
    CU_ASSERT_FATAL(parse(&c, &b, &npy));
    CU_ASSERT(npy.n == 0);
    arena_free(c.arena);
}

static void test_round_trip(void)
{
    double values[] = {0.1, -0.0, 1e308, 5, 6, 7};
    Npy npy = {.rank = 3, .dims = {3, 1, 2}, .n = 6, .values = values}, back;
    Case c;
    begin(&c);
    Buf b = buf_new(c.arena);
    npy_print(&b, &npy);
    /* The data begin at a multiple of 64, as NumPy wants it. */
    CU_ASSERT_EQUAL((b.n - sizeof values) % 64, 0);
    CU_ASSERT_FATAL(parse(&c, &b, &back));
    CU_ASSERT(back.rank == 3 && back.dims[0] == 3 && back.dims[2] == 2);
    CU_ASSERT_EQUAL(memcmp(back.values, values, sizeof values), 0);
    npy.rank = 1, npy.dims[0] = 6;
    b.n = 0;
    npy_print(&b, &npy);
    CU_ASSERT(parse(&c, &b, &back) && back.rank == 1);
    npy.rank = 0, npy.n = 1;
    b.n = 0;
    npy_print(&b, &npy);
    CU_ASSERT(parse(&c, &b, &back) && back.rank == 0);
    arena_free(c.arena);
}

static void test_refusals(void)
{
    static const char *const heads[] = {
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", /* 4 elements are there */
        "{'descr': '<f4', 'fortran_order': True, 'shape': (4,)}",
        "{'descr': '>f4', 'fortran_order': False, 'shape': (4,)}",
        "{'descr': '<u8', 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-4,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4 4)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2147483647,2147483647,2147483647)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,4)}",
        "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4,)",
        "{'descr': '<f4",
        "{'descr': 'a very long type', 'fortran_order': False, 'shape': (4,)}",
        "{",
        "",
    };
    const float data[4] = {1, 2, 3, 4};
    Case c;
    Npy npy;
    begin(&c);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        Buf b = file(&c, 1, heads[i], data, sizeof data);
        const int errors = c.d.errors;
        CU_ASSERT_FALSE(parse(&c, &b, &npy));
        CU_ASSERT_EQUAL(c.d.errors, errors + 1);
    }
    arena_free(c.arena);
}

/* No cut of a good file is read beyond its end, or taken for good. */
static void test_cuts(void)
{
    const float data[4] = {1, 2, 3, 4};
    Case c;
    Npy npy;
    begin(&c);
    Buf b = file(&c, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,2)}\n", data,
                 sizeof data);
    for (size_t n = 0; n < b.n; n++) {
        unsigned char *cut = arena_alloc(c.arena, n ? n : 1);
        memcpy(cut, b.text, n);
        c.d = diag_new(&c.src, c.arena);
        CU_ASSERT_FALSE(npy_parse(&npy, "x.npy", cut, n, c.arena, &c.d));
    }
    CU_ASSERT_FALSE(npy_read(&npy, "no/such.npy", c.arena, &c.d));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(buf_text(&c.d.out), "no/such.npy: error: cannot read it: No such"));
    arena_free(c.arena);
}

void suite_npy(void)
{
    CU_pSuite s = CU_add_suite("npy", NULL, NULL);
    CU_add_test(s, "element types", test_types);
    CU_add_test(s, "written and read back", test_round_trip);
    CU_add_test(s, "refusals", test_refusals);
    CU_add_test(s, "cut files", test_cuts);
}
