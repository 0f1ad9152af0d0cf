/* test_weights.c: the runtime's checks of a weights file, with a file made here from
 * docs/weights-format.md. */
#include "runtime/rncrt.h"
#include "runtime/rncw.h"

#include <CUnit/CUnit.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COUNT = 3, NAMES = 12, TABLE = COUNT * RNCW_ENTRY_BYTES + NAMES, SIZE = 4096 + 192 };

static void put(unsigned char *to, uint64_t x, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (unsigned char)(x >> 8 * i);
}

static uint64_t get(const unsigned char *from, int bytes)
{
    uint64_t x = 0;
    for (int i = 0; i < bytes; i++)
        x |= (uint64_t)from[i] << 8 * i;
    return x;
}

/* The sums of the head and the table made right again. */
static void sum_up(unsigned char *file)
{
    put(file + RNCW_AT_TABLE_SUM, rncw_hash(file + RNCW_HEAD_BYTES, TABLE, 0), 8);
    put(file + RNCW_AT_HEAD_SUM, rncw_hash(file, RNCW_AT_HEAD_SUM, 0), 8);
}

/* Three tensors of 64, 20 and 4 bytes: "conv1", "bn1", "d". */
static void make(unsigned char *file)
{
    static const uint64_t bytes[COUNT] = {64, 20, 4}, names[COUNT] = {0, 6, 10};
    memset(file, 0, SIZE);
    memcpy(file, RNCW_MAGIC, 8);
    put(file + RNCW_AT_VERSION, RNCW_VERSION, 4);
    put(file + RNCW_AT_ORDER, RNCW_ORDER, 4);
    put(file + RNCW_AT_PLAN, 0x1122334455667788, 8);
    put(file + RNCW_AT_FILE_BYTES, SIZE, 8);
    put(file + RNCW_AT_COUNT, COUNT, 4);
    put(file + RNCW_AT_NAME_BYTES, NAMES, 4);
    put(file + RNCW_AT_DATA, 4096, 8);
    memcpy(file + RNCW_HEAD_BYTES + COUNT * RNCW_ENTRY_BYTES, "conv1\0bn1\0d", NAMES);
    for (int i = 0; i < COUNT; i++) {
        unsigned char *e = file + RNCW_HEAD_BYTES + i * RNCW_ENTRY_BYTES;
        const uint64_t offset = 4096 + 64 * (uint64_t)i;
        for (uint64_t k = 0; k < bytes[i]; k++)
            file[offset + k] = (unsigned char)(k * 3 + 1);
        put(e + RNCW_ENTRY_NAME, names[i], 4);
        put(e + RNCW_ENTRY_OFFSET, offset, 8);
        put(e + RNCW_ENTRY_BYTES_, bytes[i], 8);
        put(e + RNCW_ENTRY_SUM, rncw_hash(file + offset, (size_t)bytes[i], 0), 8);
        put(e + RNCW_ENTRY_PACKING, 1, 4);
    }
    sum_up(file);
}

/* A copy of exactly `size` bytes, so that a sanitizer sees a read behind it. */
static rnc_status check(const unsigned char *file, size_t size, rnc_weights *w)
{
    void *copy = NULL;
    CU_ASSERT_FATAL(posix_memalign(&copy, 64, size ? size : 1) == 0);
    memcpy(copy, file, size);
    rnc_status status = rnc_weights_memory(w, copy, size);
    if (status == RNC_OK)
        status = rnc_weights_verify(w);
    else
        CU_ASSERT(w->base == NULL && w->size == 0);
    if (status != RNC_OK)
        CU_ASSERT(w->why[0] != '\0' && memchr(w->why, 0, sizeof w->why) != NULL);
    free(copy);
    return status;
}

static void test_good(void)
{
    static unsigned char file[SIZE];
    rnc_weights w;
    make(file);
    CU_ASSERT_EQUAL(check(file, SIZE, &w), RNC_OK);
    CU_ASSERT_EQUAL(w.plan, 0x1122334455667788);
    CU_ASSERT_STRING_EQUAL(w.why, "");
    rnc_weights_close(&w);
    CU_ASSERT(w.base == NULL && w.size == 0);
    CU_ASSERT_EQUAL(rnc_weights_verify(&w), RNC_E_OPEN);
}

/* No weights at all are weights too: a network of pools. */
static void test_empty(void)
{
    static unsigned char file[4096];
    rnc_weights w;
    memcpy(file, RNCW_MAGIC, 8);
    put(file + RNCW_AT_VERSION, RNCW_VERSION, 4);
    put(file + RNCW_AT_ORDER, RNCW_ORDER, 4);
    put(file + RNCW_AT_FILE_BYTES, 4096, 8);
    put(file + RNCW_AT_DATA, 4096, 8);
    put(file + RNCW_AT_TABLE_SUM, rncw_hash(file, 0, 0), 8);
    put(file + RNCW_AT_HEAD_SUM, rncw_hash(file, RNCW_AT_HEAD_SUM, 0), 8);
    CU_ASSERT_EQUAL(check(file, 4096, &w), RNC_OK);
}

static void test_cut(void)
{
    static unsigned char file[SIZE];
    rnc_weights w;
    make(file);
    for (size_t n = 0; n < SIZE; n += n < 400 || n > 4080 ? 1 : 37) {
        const rnc_status status = check(file, n, &w);
        CU_ASSERT_EQUAL(status, RNC_E_TRUNCATED);
    }
    memset(file, 0, 8);
    CU_ASSERT_EQUAL(check(file, 20, &w), RNC_E_FORMAT);
}

/* No byte of the file can change unseen. */
static void test_each_byte(void)
{
    static unsigned char file[SIZE];
    rnc_weights w;
    make(file);
    for (size_t i = 0; i < SIZE; i++) {
        for (int bit = 0; bit < 8; bit += 7) {
            file[i] ^= (unsigned char)(1 << bit);
            const rnc_status status = check(file, SIZE, &w);
            CU_ASSERT(status == (i < 12 ? RNC_E_FORMAT : RNC_E_CORRUPT));
            file[i] ^= (unsigned char)(1 << bit);
        }
    }
    CU_ASSERT_EQUAL(check(file, SIZE, &w), RNC_OK);
}

/* Numbers that lie although every checksum is right. */
static void test_lies(void)
{
    static const uint64_t values[] = {
        0,    1,        63,         64,         4095,       4096,       8192,           SIZE - 1,
        SIZE, SIZE + 1, 0x7fffffff, 0xffffffff, UINT64_MAX, 1ull << 63, UINT64_MAX - 63};
    static const struct {
        int at, bytes;
    } fields[] = {
        {RNCW_AT_ORDER, 4},
        {RNCW_AT_FILE_BYTES, 8},
        {RNCW_AT_COUNT, 4},
        {RNCW_AT_NAME_BYTES, 4},
        {RNCW_AT_DATA, 8},
        {RNCW_HEAD_BYTES + 2 * RNCW_ENTRY_BYTES + RNCW_ENTRY_NAME, 4},
        {RNCW_HEAD_BYTES + RNCW_ENTRY_ELEM, 4},
        {RNCW_HEAD_BYTES + RNCW_ENTRY_BYTES + RNCW_ENTRY_OFFSET, 8},
        {RNCW_HEAD_BYTES + 2 * RNCW_ENTRY_BYTES + RNCW_ENTRY_BYTES_, 8},
        {RNCW_HEAD_BYTES + RNCW_ENTRY_PACKING + 4, 4},
    };
    static unsigned char file[SIZE];
    rnc_weights w;
    for (size_t f = 0; f < sizeof fields / sizeof *fields; f++) {
        for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
            make(file);
            const uint64_t before = get(file + fields[f].at, fields[f].bytes);
            put(file + fields[f].at, values[v], fields[f].bytes);
            const uint64_t now = get(file + fields[f].at, fields[f].bytes);
            /* A name may begin anywhere among the names. */
            const bool name = f == 5 && now < NAMES;
            const bool elem = f == 6 && now <= 2;
            sum_up(file);
            CU_ASSERT_EQUAL(check(file, SIZE, &w) == RNC_OK, now == before || name || elem);
        }
    }
    make(file);
    file[RNCW_HEAD_BYTES + TABLE - 1] = 'x';
    sum_up(file);
    CU_ASSERT_EQUAL(check(file, SIZE, &w), RNC_E_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.why, "name"));
}

static void test_reasons(void)
{
    static unsigned char file[SIZE];
    rnc_weights w;
    make(file);
    file[RNCW_AT_VERSION] = 2;
    check(file, SIZE, &w);
    CU_ASSERT_STRING_EQUAL(w.why, "version of the format: expected 1, found 2");
    make(file);
    check(file, 100, &w);
    CU_ASSERT_STRING_EQUAL(w.why, "bytes of the file: expected 4288, found 100");
    file[4096 + 64] ^= 1;
    check(file, SIZE, &w);
    CU_ASSERT_STRING_EQUAL(w.why, "a tensor does not have its checksum: bn1");
    memcpy(file, "RNCW\n\x1a\n", 8);
    check(file, SIZE, &w);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.why, "transfer as text"));
    CU_ASSERT_EQUAL(rnc_weights_memory(&w, NULL, 64), RNC_E_OPEN);
    static _Alignas(64) unsigned char crooked[SIZE + 1];
    CU_ASSERT_EQUAL(rnc_weights_memory(&w, crooked + 1, SIZE), RNC_E_OPEN);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.why, "multiple of 64"));
}

/* A `why` that is full is cut, and ends. */
static void test_why(void)
{
    char why[RNC_WHY_BYTES + 1] = "";
    why[RNC_WHY_BYTES] = '#';
    rnc_why_number(why, 0, 10);
    rnc_why_number(why, UINT64_MAX, 16);
    CU_ASSERT_STRING_EQUAL(why, "0ffffffffffffffff");
    for (int i = 0; i < 100; i++)
        rnc_why(why, "abc");
    CU_ASSERT_EQUAL(strlen(why), RNC_WHY_BYTES - 1);
    CU_ASSERT_EQUAL(why[RNC_WHY_BYTES], '#');
}

static void test_open(void)
{
    static unsigned char file[SIZE];
    char path[] = "/tmp/rnc-test-XXXXXX";
    rnc_weights w;
    const int fd = mkstemp(path);
    make(file);
    CU_ASSERT_FATAL(fd >= 0 && write(fd, file, SIZE) == SIZE);
    CU_ASSERT_EQUAL(rnc_weights_open(&w, path), RNC_OK);
    CU_ASSERT(w.map != NULL && w.base[0] == 'R' && w.size == SIZE);
    CU_ASSERT_EQUAL(rnc_weights_verify(&w), RNC_OK);
    rnc_weights_close(&w);
    CU_ASSERT_EQUAL(w.map, NULL);
    CU_ASSERT_FATAL(ftruncate(fd, 4000) == 0);
    CU_ASSERT_EQUAL(rnc_weights_open(&w, path), RNC_E_TRUNCATED);
    CU_ASSERT_EQUAL(w.map, NULL);
    CU_ASSERT_FATAL(ftruncate(fd, 0) == 0);
    CU_ASSERT_EQUAL(rnc_weights_open(&w, path), RNC_E_OPEN);
    close(fd);
    unlink(path);
    CU_ASSERT_EQUAL(rnc_weights_open(&w, path), RNC_E_OPEN);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.why, "No such file"));
    CU_ASSERT_FATAL(mkfifo(path, 0600) == 0);
    CU_ASSERT_EQUAL(rnc_weights_open(&w, path), RNC_E_OPEN);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.why, "not a regular file"));
    unlink(path);
    CU_ASSERT_EQUAL(rnc_weights_open(&w, "/"), RNC_E_OPEN);
    CU_ASSERT_EQUAL(rnc_weights_open(&w, NULL), RNC_E_OPEN);
    rnc_weights_close(&w);
}

void suite_weights(void)
{
    CU_pSuite suite = CU_add_suite("weights", NULL, NULL);
    CU_ADD_TEST(suite, test_good);
    CU_ADD_TEST(suite, test_empty);
    CU_ADD_TEST(suite, test_cut);
    CU_ADD_TEST(suite, test_each_byte);
    CU_ADD_TEST(suite, test_lies);
    CU_ADD_TEST(suite, test_reasons);
    CU_ADD_TEST(suite, test_why);
    CU_ADD_TEST(suite, test_open);
}
