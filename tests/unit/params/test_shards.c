/* test_shards.c: models in several files, and indexes that do not fit them. */
#include "filetest.h"

#include <CUnit/CUnit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/rnc-test-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const void *bytes, size_t size)
{
    FILE *f = fopen(path_of(name), "wb");
    if (!f || fwrite(bytes, 1, size, f) != size || fclose(f) != 0)
        abort(); /* begin() is no test, which could fail */
}

/* A safetensors file of two scalars. */
static void write_shard(const char *name, const char *a, float x, const char *b, float y)
{
    char text[512];
    const float data[] = {x, y};
    const int n = snprintf(text + 8, sizeof text - 8,
                           "{\"%s\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
                           "\"%s\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[4,8]}}",
                           a, b);
    for (int i = 0; i < 8; i++)
        text[i] = (char)(i < 4 ? n >> 8 * i : 0);
    memcpy(text + 8 + n, data, sizeof data);
    write_file(name, text, 8 + (size_t)n + sizeof data);
}

static void open_index(FileTest *t, const char *text)
{
    write_file("index.json", text, strlen(text));
    filetest_open_path(t, path_of("index.json"));
}

static void test_good(void)
{
    FileTest t = {0};
    open_index(&t, " \n{\"metadata\": {\"total_size\": 16}, \"weight_map\": {\"m.a\": \"one.st\", "
                   "\"m.b\": \"one.st\", \"m.c\": \"two.st\", \"n.d\": \"two.st\"}}\n");
    CU_ASSERT_FATAL(t.opened);
    CU_ASSERT_EQUAL(t.file.n, 4);
    CU_ASSERT(t.file.n_parts == 2 && str_ends(t.file.parts[1], "/two.st"));
    CU_ASSERT(filetest_floats(&t, "m.a")[0] == 1 && filetest_floats(&t, "m.b")[0] == 2);
    CU_ASSERT(filetest_floats(&t, "m.c")[0] == 3 && filetest_floats(&t, "n.d")[0] == 4);
    filetest_close(&t);
    char part[80];
    snprintf(part, sizeof part, "%s:m", path_of("index.json"));
    filetest_open_path(&t, part);
    CU_ASSERT_FATAL(t.opened && t.file.n == 3);
    CU_ASSERT_EQUAL(filetest_floats(&t, "c")[0], 3);
    filetest_close(&t);
}

#ifdef RNC_HAVE_ZLIB
/* A shard whose tensors are packed: they are unpacked from it. */
static void test_packed(void)
{
    static const unsigned char npy[] = "\x93NUMPY\1\0\x3b\0{'descr': '<f4', 'fortran_order': "
                                       "False, 'shape': (1,), } \n\0\0\xe0\x40";
    static const unsigned char ends[] = {0x03, 0x00}; /* the empty end of a stream of deflate */
    unsigned char packed[sizeof npy + 8] = {0};
    ZipTest z = {0};
    FileTest archive = {0}, t = {0};
    const size_t size = sizeof npy - 1;
    /* One stored block, then the end. */
    packed[1] = (unsigned char)size;
    packed[3] = (unsigned char)~size;
    packed[4] = 0xff;
    memcpy(packed + 5, npy, size);
    memcpy(packed + 5 + size, ends, sizeof ends);
    zip_begin(&z, &archive);
    zip_add(&z, (ZipTestMember){"a.npy", packed, 5 + size + sizeof ends, size, 8, 0,
                                zip_crc(npy, size)});
    zip_end(&z);
    write_file("packed.npz", buf_text(&z.bytes), z.bytes.n);
    filetest_close(&archive);
    open_index(&t, "{\"weight_map\": {\"a\": \"packed.npz\", \"m.c\": \"two.st\", "
                   "\"n.d\": \"two.st\"}}");
    CU_ASSERT_FATAL(t.opened);
    CU_ASSERT_PTR_NULL(t.file.tensors[0].bytes);
    CU_ASSERT(filetest_floats(&t, "a")[0] == 7 && filetest_floats(&t, "n.d")[0] == 4);
    filetest_close(&t);
}
#endif

static void test_refused(void)
{
    static const struct {
        const char *map, *says;
    } rows[] = {
        {"{\"a\": \"none.st\"}", "none.st: error: cannot read the weights: No such file"},
        {"{\"a\": \"none.st\"}", "index.json: note: it has a part of the model, says this index"},
        {"{\"m.a\": \"one.st\", \"m.c\": \"two.st\", \"m.b\": \"again.st\"}",
         "the tensor 'm.b' is in 'one.st' and in 'again.st'"},
        {"{\"m.a\": \"two.st\", \"m.b\": \"one.st\"}",
         "the tensor 'm.a' is not in 'two.st', where the index has it"},
        {"{\"zz\": \"one.st\"}", "the tensor 'zz' is not in 'one.st', where the index has it"},
        {"{\"a\": \"../one.st\"}", "names '../one.st', and a shard is a file in the folder"},
        {"{\"a\": \"/etc/passwd\"}", "names '/etc/passwd', and a shard is a file in the folder"},
        {"{\"a\": \"\"}", "names '', and a shard is a file in the folder of its index"},
        {"{\"a\": \"..\"}", "it is a folder, not a file"},
        {"{\"a\": \"index.json\"}", "an index names this file, which is an index itself"},
        {"{\"a\": 3}", "the index names no file for the tensor 'a'"},
        {"{}", "the index names no files"},
        {"[]", "the index has no \"weight_map\", an object"},
        {"{\"a\": \"one.st\", \"a\": \"two.st\"}", "the index is not JSON: duplicate object key"},
    };
    write_shard("again.st", "m.b", 5, "x", 6);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        FileTest t = {0};
        char text[256];
        snprintf(text, sizeof text, "{\"weight_map\": %s}", rows[i].map);
        open_index(&t, text);
        filetest_refused(&t, rows[i].says);
    }
}

/* More files than any model has. */
static void test_many(void)
{
    FileTest t = {0};
    char *text = malloc(32 << 10), *end = text + sprintf(text, "{\"weight_map\": {");
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    for (int i = 0; i <= 1000; i++)
        end += sprintf(end, "%s\"t%d\": \"one.st%d\"", i ? ", " : "", i, i);
    sprintf(end, "}}");
    open_index(&t, text);
    filetest_refused(&t, "the index names more than 1000 files");
    free(text);
}

static int begin(void)
{
    if (!mkdtemp(folder))
        return 1;
    write_shard("one.st", "m.a", 1, "m.b", 2);
    write_shard("two.st", "m.c", 3, "n.d", 4);
    return 0;
}

static int end(void)
{
    static const char *const names[] = {"one.st", "two.st", "again.st", "packed.npz", "index.json"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(path_of(names[i]));
    return rmdir(folder);
}

void suite_shards(void)
{
    CU_pSuite suite = CU_add_suite("shards", begin, end);
    CU_ADD_TEST(suite, test_good);
#ifdef RNC_HAVE_ZLIB
    CU_ADD_TEST(suite, test_packed);
#endif
    CU_ADD_TEST(suite, test_refused);
    CU_ADD_TEST(suite, test_many);
}
