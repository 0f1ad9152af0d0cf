/* test_npz.c: NumPy's archives, and in what ways a ZIP archive can be damaged. */
#include "filetest.h"

#include <CUnit/CUnit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef RNC_HAVE_ZLIB
#include <zlib.h>
#endif

static const float numbers[] = {1, 2, 3, 4, 5, 6};

/* A .npy file of the numbers; `head` is Python's dict. */
static Buf npy(Arena *arena, const char *head, const void *data, size_t size)
{
    Buf out = buf_new(arena);
    buf_add(&out, "\x93NUMPY\1\0", 8);
    buf_putc(&out, (char)strlen(head));
    buf_putc(&out, 0);
    buf_puts(&out, head);
    buf_add(&out, data, size);
    return out;
}

static const char matrix[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";

/* An archive of one array `w` with that head; opens it. */
static void open_array(FileTest *t, const char *head, const void *data, size_t size)
{
    ZipTest z;
    zip_begin(&z, t);
    const Buf file = npy(t->arena, head, data, size);
    zip_store(&z, "w.npy", file.text, file.n);
    zip_open_test(&z);
}

static void test_good(void)
{
    FileTest t = {0};
    ZipTest z;
    zip_begin(&z, &t);
    const Buf w = npy(t.arena, matrix, numbers, 24);
    const Buf s =
        npy(t.arena, "{'descr': '<f8', 'fortran_order': False, 'shape': (), }", &(double){0.5}, 8);
    const Buf e =
        npy(t.arena, "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 0), }", "", 0);
    zip_store(&z, "conv1/kernel.npy", w.text, w.n);
    zip_store(&z, "s.npy", s.text, s.n);
    zip_store(&z, "e.npy", e.text, e.n);
    zip_open_test(&z);
    CU_ASSERT_EQUAL(t.file.n, 3);
    const StoredTensor *kernel = &t.file.tensors[0];
    CU_ASSERT_STRING_EQUAL(kernel->name, "conv1/kernel");
    CU_ASSERT(kernel->rank == 2 && kernel->dims[0] == 2 && kernel->dims[1] == 3);
    CU_ASSERT(kernel->bytes != NULL && kernel->size == 24); /* it stays in the map */
    CU_ASSERT_EQUAL(memcmp(filetest_floats(&t, "conv1/kernel"), numbers, 24), 0);
    CU_ASSERT_EQUAL(*filetest_floats(&t, "s"), 0.5f);
    CU_ASSERT(t.file.tensors[2].size == 0 && t.file.tensors[2].elem == STORED_OTHER);
    filetest_close(&t);
}

/* The first axis fastest: (2, 3) of 1 2 3 4 5 6 is 1 3 5, 2 4 6. */
static void test_fortran(void)
{
    static const float expected[] = {1, 3, 5, 2, 4, 6};
    FileTest t = {0};
    open_array(&t, "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", numbers, 24);
    CU_ASSERT_EQUAL(memcmp(filetest_floats(&t, "w"), expected, 24), 0);
    filetest_close(&t);
}

/* Sizes behind the data, as PyTorch writes; the directory has them. */
static void test_descriptor(void)
{
    FileTest t = {0};
    ZipTest z;
    zip_begin(&z, &t);
    const Buf w = npy(t.arena, matrix, numbers, 24);
    zip_add(&z, (ZipTestMember){"w.npy", w.text, w.n, w.n, 0, 8, zip_crc(w.text, w.n)});
    zip_store(&z, "v.npy", w.text, w.n);
    zip_open_test(&z);
    CU_ASSERT_EQUAL(filetest_floats(&t, "w")[5], 6);
    CU_ASSERT_EQUAL(filetest_floats(&t, "v")[0], 1);
    filetest_close(&t);
}

static void test_arrays_refused(void)
{
    static const struct {
        const char *head, *says;
    } rows[] = {
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4), }",
         "(w.npy): error: 8 numbers of type F32 by its shape, and 24 bytes of them"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", "4 numbers of type F32"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4), }",
         "overflows"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
         "head of the NumPy file cannot be read"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 2, 3), }",
         "head of the NumPy file cannot be read"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", "which would run code"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,), }",
         "head of the NumPy file cannot be read"},
        {"", "not a NumPy file"},
    };
    FileTest t = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        open_array(&t, rows[i].head, numbers, 24);
        filetest_refused(&t, rows[i].says);
    }
    ZipTest z;
    zip_begin(&z, &t);
    zip_store(&z, "w.npy", "\x93NUMPY\1\0\xff\xff", 10);
    zip_open_test(&z);
    filetest_refused(&t, "not a NumPy file");
    zip_begin(&z, &t);
    zip_store(&z, "w.npy", "\x93NUMPY\1\0\xff\xff{ ", 12);
    zip_open_test(&z);
    filetest_refused(&t, "ends within its head");
    zip_begin(&z, &t);
    const Buf w = npy(t.arena, matrix, numbers, 24);
    zip_store(&z, "w.npy", w.text, w.n);
    zip_store(&z, "readme.txt", "x", 1);
    zip_open_test(&z);
    filetest_refused(&t, "(readme.txt): error: this is no array");
}

/* Types that are no parameter's are listed all the same. */
static void test_other_types(void)
{
    FileTest t = {0};
    open_array(&t, "{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }", numbers, 24);
    CU_ASSERT_FATAL(t.opened && t.file.n == 1);
    CU_ASSERT(t.file.tensors[0].elem == STORED_OTHER);
    CU_ASSERT_STRING_EQUAL(t.file.tensors[0].elem_name, ">f4");
    CU_ASSERT_PTR_NULL(tensor_floats(&t.file, t.file.tensors, t.arena, &t.diag));
    filetest_close(&t);
}

/* ---- archives ---- */

/* An archive with one stored array, complete. */
static ZipTest good_archive(FileTest *t)
{
    ZipTest z;
    zip_begin(&z, t);
    const Buf w = npy(t->arena, matrix, numbers, 24);
    zip_store(&z, "w.npy", w.text, w.n);
    zip_end(&z);
    return z;
}

static void test_cut(void)
{
    FileTest t = {0};
    ZipTest z = good_archive(&t);
    const size_t size = z.bytes.n;
    filetest_close(&t);
    for (size_t n = 1; n < size; n++) {
        z = good_archive(&t);
        filetest_open(&t, z.bytes.text, n);
        CU_ASSERT(!t.opened && t.diag.errors == 1);
        filetest_close(&t);
    }
}

/* Each byte that says where something is, changed: refused, or still the same numbers. */
static void test_changed(void)
{
    FileTest t = {0};
    ZipTest z = good_archive(&t);
    const size_t size = z.bytes.n;
    filetest_close(&t);
    for (size_t at = 0; at < size; at++) {
        z = good_archive(&t);
        z.bytes.text[at] = (char)(z.bytes.text[at] ^ 0x41);
        filetest_open(&t, z.bytes.text, z.bytes.n);
        if (t.opened) {
            CU_ASSERT_EQUAL(t.file.n, 1);
            const float *x = tensor_floats(&t.file, t.file.tensors, t.arena, &t.diag);
            CU_ASSERT(x ? memcmp(x, numbers, 24) == 0 : t.diag.errors == 1);
        } else {
            CU_ASSERT_EQUAL(t.diag.errors, 1);
        }
        filetest_close(&t);
    }
}

static void put32(ZipTest *z, size_t at, uint32_t x)
{
    for (int i = 0; i < 4; i++)
        z->bytes.text[at + (size_t)i] = (char)(unsigned char)(x >> 8 * i);
}

static void test_archives_refused(void)
{
    enum { END = 22 };
    static const struct {
        int back; /* from the end of the archive */
        uint32_t value;
        const char *says;
    } rows[] = {
        {END - 12, UINT32_MAX, "directory is outside"},
        {END - 16, UINT32_MAX, "directory is outside"},
        {END - 8, 0x00020002, "too short for its members"},
        {END - 8, 0, "holds more than its members"},
        {END - 4, 0x00010001, "it is a part of several"},
    };
    FileTest t = {0};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ZipTest z = good_archive(&t);
        put32(&z, z.bytes.n - (size_t)END + (size_t)(END - rows[i].back), rows[i].value);
        filetest_open(&t, z.bytes.text, z.bytes.n);
        filetest_refused(&t, rows[i].says);
    }
    ZipTest z = good_archive(&t);
    z.bytes.text[30 + 5 + 10 + sizeof matrix] ^= 1; /* of the numbers */
    filetest_open(&t, z.bytes.text, z.bytes.n);
    filetest_refused(&t, "its checksum differs");
    z = good_archive(&t);
    z.bytes.text[30] = 'v';
    filetest_open(&t, z.bytes.text, z.bytes.n);
    filetest_refused(&t, "another header than the directory says");
    zip_begin(&z, &t);
    zip_open_test(&z);
    filetest_refused(&t, "neither NumPy's nor PyTorch's");
}

/* Members that are there twice, or inside of each other. */
static void test_overlap(void)
{
    FileTest t = {0};
    ZipTest z;
    zip_begin(&z, &t);
    const Buf w = npy(t.arena, matrix, numbers, 24);
    zip_store(&z, "w.npy", w.text, w.n);
    zip_store(&z, "w.npy", w.text, w.n);
    zip_open_test(&z);
    filetest_refused(&t, "'w.npy' in the archive is there twice");

    /* The first one's data holds the whole second member. */
    ZipTest inner;
    FileTest other = {0};
    zip_begin(&inner, &other);
    const Buf v = npy(other.arena, matrix, numbers, 24);
    zip_store(&inner, "v.npy", v.text, v.n);
    zip_begin(&z, &t);
    zip_store(&z, "w.npy", inner.bytes.text, inner.bytes.n);
    zip_store(&z, "v.npy", v.text, v.n);
    const size_t entry = z.bytes.n + 2 * 46 + 5 - 4; /* the second one's offset */
    zip_end(&z);
    put32(&z, entry, 30 + 5);
    filetest_open(&t, z.bytes.text, z.bytes.n);
    filetest_refused(&t, "'w.npy' in the archive overlaps another member");
    filetest_close(&other);
}

static void open_method(FileTest *t, int method, int flags, size_t size)
{
    ZipTest z;
    zip_begin(&z, t);
    const Buf w = npy(t->arena, matrix, numbers, 24);
    zip_add(&z, (ZipTestMember){"w.npy", w.text, w.n, size ? size : w.n, method, flags,
                                zip_crc(w.text, w.n)});
    zip_open_test(&z);
}

static void test_methods(void)
{
    FileTest t = {0};
    open_method(&t, 14, 0, 0);
    filetest_refused(&t, "'w.npy' in the archive is compressed by LZMA");
    open_method(&t, 77, 0, 0);
    filetest_refused(&t, "is compressed by method 77");
    open_method(&t, 0, 1, 0);
    filetest_refused(&t, "is encrypted");
    open_method(&t, 0, 0, 1 << 20);
    filetest_refused(&t, "claims to be larger than its bytes can unpack to");
    open_method(&t, 8, 0, 1 << 30);
    filetest_refused(&t, "claims to be larger than its bytes can unpack to");
#ifdef RNC_HAVE_ZLIB
    open_method(&t, 8, 0, 0);
    filetest_refused(&t, "it cannot be inflated");
#else
    open_method(&t, 8, 0, 0);
    filetest_refused(&t, "rnc was built without zlib");
#endif
}

#ifdef RNC_HAVE_ZLIB
static Buf deflated(Arena *arena, const void *data, size_t size)
{
    z_stream s = {0};
    Buf out = buf_new(arena);
    unsigned char block[4096];
    CU_ASSERT_EQUAL_FATAL(deflateInit2(&s, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    s.next_in = (unsigned char *)data;
    s.avail_in = (uInt)size;
    do {
        s.next_out = block;
        s.avail_out = sizeof block;
        deflate(&s, Z_FINISH);
        buf_add(&out, (const char *)block, sizeof block - s.avail_out);
    } while (s.avail_out == 0);
    deflateEnd(&s);
    return out;
}

/* Opens an archive of one deflated array of n floats, all x, and a row of them. */
static void open_deflated(FileTest *t, size_t n, float x, ptrdiff_t size_off, uint32_t crc_xor)
{
    ZipTest z;
    zip_begin(&z, t);
    float *data = malloc(n * sizeof *data);
    CU_ASSERT_PTR_NOT_NULL_FATAL(data);
    for (size_t i = 0; i < n; i++)
        data[i] = x;
    Buf file = npy(
        t->arena,
        arena_printf(t->arena, "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu,), }", n),
        data, n * sizeof *data);
    free(data);
    const Buf packed = deflated(t->arena, file.text, file.n);
    zip_add(&z, (ZipTestMember){"w.npy", packed.text, packed.n, file.n + (size_t)size_off, 8, 0,
                                zip_crc(file.text, file.n) ^ crc_xor});
    zip_open_test(&z);
}

static void test_deflated(void)
{
    FileTest t = {0};
    open_deflated(&t, 100000, 2, 0, 0);
    CU_ASSERT_FATAL(t.opened);
    CU_ASSERT(t.file.tensors[0].bytes == NULL && t.file.tensors[0].size == 400000);
    const float *x = filetest_floats(&t, "w");
    CU_ASSERT(x[0] == 2 && x[50000] == 2 && x[99999] == 2);
    filetest_close(&t);
    /* What is wrong shows when it is unpacked. */
    open_deflated(&t, 1000, 2, 0, 1);
    CU_ASSERT_FATAL(t.opened);
    CU_ASSERT_PTR_NULL(tensor_floats(&t.file, t.file.tensors, t.arena, &t.diag));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&t.diag.out), "it cannot be inflated"));
    filetest_close(&t);
    open_deflated(&t, 1000, 2, -4, 0);
    filetest_refused(&t, "1000 numbers of type F32 by its shape, and 3996 bytes");
}

/* What unpacks to a thousand times its size takes no memory before it is wanted. */
static void test_bomb(void)
{
    FileTest t = {0};
    ZipTest z;
    zip_begin(&z, &t);
    const size_t size = (size_t)64 << 20;
    char *zeros = calloc(size, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(zeros);
    const Buf head =
        npy(t.arena, "{'descr': '<f4', 'fortran_order': False, 'shape': (16777216,), }", "", 0);
    memcpy(zeros, head.text, head.n);
    const Buf packed = deflated(t.arena, zeros, size);
    free(zeros);
    zip_add(&z, (ZipTestMember){"w.npy", packed.text, packed.n, size, 8, 0, 0});
    zip_end(&z);
    arena_limit(t.arena, 1 << 20);
    filetest_open(&t, z.bytes.text, z.bytes.n);
    /* The head takes bytes of it, so the numbers are too few: refused without the rest. */
    filetest_refused(&t, "16777216 numbers of type F32 by its shape");
}
#endif

void suite_npz(void)
{
    CU_pSuite suite = CU_add_suite("npz", NULL, NULL);
    CU_ADD_TEST(suite, test_good);
    CU_ADD_TEST(suite, test_fortran);
    CU_ADD_TEST(suite, test_descriptor);
    CU_ADD_TEST(suite, test_arrays_refused);
    CU_ADD_TEST(suite, test_other_types);
    CU_ADD_TEST(suite, test_cut);
    CU_ADD_TEST(suite, test_changed);
    CU_ADD_TEST(suite, test_archives_refused);
    CU_ADD_TEST(suite, test_overlap);
    CU_ADD_TEST(suite, test_methods);
#ifdef RNC_HAVE_ZLIB
    CU_ADD_TEST(suite, test_deflated);
    CU_ADD_TEST(suite, test_bomb);
#else
    printf("skipped: zlib is not installed, no compressed npz\n");
#endif
}
