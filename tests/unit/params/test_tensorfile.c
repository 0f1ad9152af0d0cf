/* test_tensorfile.c: safetensors as they should be, and in every way they should
 * not. */
#include "filetest.h"

#include <CUnit/CUnit.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opens a file of a header and data. */
static void open_parts(FileTest *b, const char *header, const void *data, size_t size)
{
    const size_t n = strlen(header);
    unsigned char *bytes = malloc(8 + n + size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(n >> 8 * i);
    memcpy(bytes + 8, header, n);
    if (size)
        memcpy(bytes + 8 + n, data, size);
    filetest_open(b, bytes, 8 + n + size);
    free(bytes);
}

static const unsigned char data[64] = {0, 0, 128, 63, 0, 0, 0, 192}; /* 1, -2, zeros */

static void test_good(void)
{
    FileTest b = {0};
    open_parts(&b,
               "{\"__metadata__\":{\"format\":\"pt\"},"
               "\"b\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[8,16]},"
               "\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]},"
               "\"none\":{\"dtype\":\"F32\",\"shape\":[3,0],\"data_offsets\":[8,8]},"
               "\"new\":{\"dtype\":\"F4\",\"shape\":[2],\"data_offsets\":[16,17]}}   ",
               data, 17);
    CU_ASSERT_FATAL(b.opened);
    CU_ASSERT_EQUAL(b.diag.warnings, 0);
    CU_ASSERT_EQUAL(b.file.n, 4);
    CU_ASSERT_STRING_EQUAL(b.file.tensors[0].name, "a");
    CU_ASSERT_STRING_EQUAL(b.file.tensors[1].name, "none");
    CU_ASSERT_STRING_EQUAL(b.file.tensors[2].name, "b");
    const StoredTensor *a = tensorfile_find(&b.file, "a");
    CU_ASSERT_PTR_NOT_NULL_FATAL(a);
    CU_ASSERT(a->rank == 2 && a->dims[0] == 1 && a->dims[1] == 2 && a->size == 8);
    const float *x = tensor_floats(&b.file, a, b.arena, &b.diag);
    CU_ASSERT(x[0] == 1 && x[1] == -2);
    CU_ASSERT(b.file.tensors[2].rank == 0 && b.file.tensors[2].elem == STORED_OTHER);
    CU_ASSERT_STRING_EQUAL(b.file.tensors[2].elem_name, "I64");
    CU_ASSERT_PTR_NULL(tensor_floats(&b.file, &b.file.tensors[2], b.arena, &b.diag));
    CU_ASSERT_PTR_NULL(tensorfile_find(&b.file, "__metadata__"));
    filetest_close(&b);
}

/* Bytes of no tensor: in front, between and behind. */
static void test_holes(void)
{
    FileTest b = {0};
    open_parts(&b,
               "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[1,5]},"
               "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[8,12]}}",
               data, 20);
    CU_ASSERT(b.opened && b.diag.warnings == 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&b.diag.out), "12 bytes of the data belong to no"));
    filetest_close(&b);
}

/* Every element type, at addresses that are not aligned. */
static void test_elements(void)
{
    static const unsigned char bytes[] = {
        0,                                              /* shifts what follows */
        0,    0,    0x80, 0x3f,                         /* F32 1 */
        0,    0,    0,    0,    0,    0,    0xf0, 0xbf, /* F64 -1 */
        0x00, 0x3c, 0x01, 0x00, 0x00, 0xfc, 0xff, 0x7b, 0x00, 0x80, 0x01, 0x7c, /* F16 */
        0x80, 0x3f, 0x80, 0x7f, /* BF16 1, infinity */
    };
    FileTest b = {0};
    open_parts(&b,
               "{\"s\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
               "\"f\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[1,5]},"
               "\"d\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[5,13]},"
               "\"h\":{\"dtype\":\"F16\",\"shape\":[6],\"data_offsets\":[13,25]},"
               "\"b\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[25,29]}}",
               bytes, sizeof bytes);
    CU_ASSERT_FATAL(b.opened);
    CU_ASSERT_EQUAL(*tensor_floats(&b.file, tensorfile_find(&b.file, "f"), b.arena, &b.diag), 1);
    CU_ASSERT_EQUAL(*tensor_floats(&b.file, tensorfile_find(&b.file, "d"), b.arena, &b.diag), -1);
    const float *h = tensor_floats(&b.file, tensorfile_find(&b.file, "h"), b.arena, &b.diag);
    CU_ASSERT(h[0] == 1 && h[1] == 0x1p-24f && h[2] == -INFINITY && h[3] == 65504);
    CU_ASSERT(h[4] == 0 && signbit(h[4]) && isnan(h[5]));
    const float *bf = tensor_floats(&b.file, tensorfile_find(&b.file, "b"), b.arena, &b.diag);
    CU_ASSERT(bf[0] == 1 && bf[1] == INFINITY);
    filetest_close(&b);
}

static void test_bad_headers(void)
{
    static const struct {
        const char *header, *says;
    } rows[] = {
        {"{\"a\":", "not JSON"},
        {"{}}", "not JSON"},
        {"{\"a\xff\":1}", "not JSON"},
        {"{\"a\\u0000b\":{}}", "not JSON"},
        {"{\"a\":{},\"a\":{}}", "duplicate"},
        {"{\"a\":1}", "'a' has no \"dtype\""},
        {"{\"a\":{\"dtype\":32}}", "'a' has no \"dtype\""},
        {"{\"a\":{\"dtype\":\"F32\"}}", "'a' has no \"shape\""},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", "'a' has no \"data_offsets\""},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", "dimension 0 of"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", "dimension 0 of"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,8]}}",
         "not JSON"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]}}",
         "overflows"},
        {"{\"a\":{\"dtype\":\"F64\",\"shape\":[2305843009213693952],\"data_offsets\":[0,0]}}",
         "numbers of 8 bytes in 0"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}",
         "9 dimensions"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}",
         "3 numbers of 4 bytes"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,9]}}",
         "2 numbers of 4 bytes"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}",
         "cannot be at bytes 8 to 0"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}}",
         "cannot be at bytes -8"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", "list of two numbers"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[60,68]}}", "cut off"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
         "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
         "'a' and 'b' overlap"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[64],\"data_offsets\":[0,64]},"
         "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[4,6]}}",
         "'a' and 'b' overlap"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        FileTest b = {0};
        open_parts(&b, rows[i].header, data, sizeof data);
        filetest_refused(&b, rows[i].says);
    }
}

static void test_bad_lengths(void)
{
    FileTest b = {0};
    filetest_open(&b, "\x20\0\0\0\0\0\0\0{}", 10);
    filetest_refused(&b, "ends after it");
    filetest_open(&b, "\xff\xff\xff\xff\xff\xff\xff\0{}", 10);
    filetest_refused(&b, "longer than what rnc reads");
    filetest_open(&b, "\0\0\0\0\0\0\0\0{}", 10);
    filetest_refused(&b, "not JSON");
    filetest_open(&b, "", 0);
    filetest_refused(&b, "empty");
}

/* Cut off anywhere, a file is refused. */
static void test_cut(void)
{
    static const char text[] =
        "\x38\0\0\0\0\0\0\0"
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}  12345678";
    const size_t size = sizeof text - 1;
    FileTest b = {0};
    filetest_open(&b, text, size);
    CU_ASSERT(b.opened && b.file.n == 1);
    filetest_close(&b);
    for (size_t n = 0; n < size; n++) {
        filetest_open(&b, text, n);
        CU_ASSERT(!b.opened && b.diag.errors == 1);
        filetest_close(&b);
    }
}

/* Text that would take many times its length as values. */
static void test_many_values(void)
{
    static const char *const rows[][3] = {
        {"{\"a\":[", "{},", "{}]}"}, {"{\"a\":[", "[],", "[]]}"}, {"{\"a\":[", "1,", "1]}"}};
    for (int i = 0; i < 3; i++) {
        FileTest b = {0};
        jmp_buf oom;
        Arena *arena = arena_new(&oom);
        Buf header = buf_new(arena);
        buf_puts(&header, rows[i][0]);
        for (int k = 0; k < 10000; k++)
            buf_puts(&header, rows[i][1]);
        buf_puts(&header, rows[i][2]);
        open_parts(&b, buf_text(&header), "", 0);
        filetest_refused(&b, "too many values");
        arena_free(arena);
    }
}

static void test_unreadable(void)
{
    FileTest b = {0};
    filetest_open_path(&b, "/nonexistent/weights");
    filetest_refused(&b, "No such file");
    filetest_open_path(&b, "/");
    filetest_refused(&b, "it is a folder, not a file");
    filetest_open_path(&b, "/dev/zero");
    filetest_refused(&b, "not a regular file");
    /* Nobody writes to it. */
    char path[] = "/tmp/rnc-test-fifo-XXXXXX";
    CU_ASSERT_FATAL(mkdtemp(path) != NULL);
    char fifo[sizeof path + 2];
    snprintf(fifo, sizeof fifo, "%s/f", path);
    CU_ASSERT_FATAL(mkfifo(fifo, 0600) == 0);
    filetest_open_path(&b, fifo);
    unlink(fifo);
    rmdir(path);
    filetest_refused(&b, "not a regular file");
}

void suite_tensorfile(void)
{
    CU_pSuite suite = CU_add_suite("tensorfile", NULL, NULL);
    CU_ADD_TEST(suite, test_good);
    CU_ADD_TEST(suite, test_holes);
    CU_ADD_TEST(suite, test_elements);
    CU_ADD_TEST(suite, test_bad_headers);
    CU_ADD_TEST(suite, test_bad_lengths);
    CU_ADD_TEST(suite, test_cut);
    CU_ADD_TEST(suite, test_many_values);
    CU_ADD_TEST(suite, test_unreadable);
}
