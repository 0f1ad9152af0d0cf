/* test_torch.c: PyTorch's files of tensors, and pickles that would do something else. */
#include "filetest.h"
#include "params/pickle.h"

#include <CUnit/CUnit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- pickles, built as Python builds them ---- */

static Buf pickle(Arena *arena)
{
    Buf p = buf_new(arena);
    buf_add(&p, "\x80\2", 2);
    return p;
}

static void put_text(Buf *p, const char *text)
{
    buf_putc(p, 'X');
    for (int i = 0; i < 4; i++)
        buf_putc(p, (char)(strlen(text) >> 8 * i));
    buf_puts(p, text);
}

static void put_int(Buf *p, int x)
{
    buf_putc(p, 'J');
    for (int i = 0; i < 4; i++)
        buf_putc(p, (char)((unsigned)x >> 8 * i));
}

static void put_ints(Buf *p, const int *x, int n)
{
    buf_putc(p, '(');
    for (int i = 0; i < n; i++)
        put_int(p, x[i]);
    buf_putc(p, 't');
}

typedef struct TorchTensor {
    const char *key, *storage;
    int numbers, offset, rank;
    int size[9], stride[9];
} TorchTensor;

/* With a bit of its metadata set, unless that is NULL. */
static void put_tensor_with(Buf *p, const TorchTensor *t, const char *metadata)
{
    buf_puts(p, "ctorch._utils\n_rebuild_tensor_v2\n((");
    put_text(p, "storage");
    buf_printf(p, "ctorch\n%s\n", t->storage);
    put_text(p, t->key);
    put_text(p, "cpu");
    put_int(p, t->numbers);
    buf_puts(p, "tQ");
    put_int(p, t->offset);
    put_ints(p, t->size, t->rank);
    put_ints(p, t->stride, t->rank);
    buf_puts(p, "\x89"
                "ccollections\nOrderedDict\n)R");
    if (metadata) {
        buf_putc(p, '}');
        put_text(p, metadata);
        buf_puts(p, "\x88s");
    }
    buf_puts(p, "tR");
}

static void put_tensor(Buf *p, const TorchTensor *t)
{
    put_tensor_with(p, t, NULL);
}

/* The names of everything are NAME/..., in any archive. */
static void add_file(ZipTest *z, const Buf *data_pkl)
{
    static const float numbers[] = {0, 1, 2, 3, 4, 5, 6, 7};
    zip_store(z, "net/data.pkl", data_pkl->text, data_pkl->n);
    zip_store(z, "net/byteorder", "little", 6);
    zip_store(z, "net/data/0", numbers, sizeof numbers);
    zip_store(z, "net/version", "3\n", 2);
}

static void open_pickle(FileTest *t, const Buf *p)
{
    ZipTest z;
    const Buf copy = *p;
    zip_begin(&z, t);
    add_file(&z, &copy);
    zip_open_test(&z);
}

/* A file whose dict has one tensor, `w`. */
static void open_tensor_with(FileTest *t, Arena *arena, const TorchTensor *tensor,
                             const char *metadata)
{
    Buf p = pickle(arena);
    buf_puts(&p, "ccollections\nOrderedDict\n)R(");
    put_text(&p, "w");
    put_tensor_with(&p, tensor, metadata);
    buf_puts(&p, "u.");
    open_pickle(t, &p);
}

static void open_tensor(FileTest *t, Arena *arena, const TorchTensor *tensor)
{
    open_tensor_with(t, arena, tensor, NULL);
}

static const TorchTensor matrix = {"0", "FloatStorage", 8, 2, 2, {2, 3}, {3, 1}};

static jmp_buf oom;

static void test_good(void)
{
    static const float row[] = {2, 3, 4, 5, 6, 7}, column[] = {0, 2, 4, 1, 3, 5};
    TorchTensor turned = matrix;
    FileTest t = {0};
    Arena *arena = arena_new(&oom);
    open_tensor(&t, arena, &matrix);
    CU_ASSERT_EQUAL(memcmp(filetest_floats(&t, "w"), row, sizeof row), 0);
    CU_ASSERT_PTR_NOT_NULL(t.file.tensors[0].bytes); /* it stays in the map */
    CU_ASSERT(t.file.tensors[0].rank == 2 && t.file.tensors[0].dims[1] == 3);
    filetest_close(&t);
    /* As x.t() or channels_last leave it. */
    turned.offset = 0;
    turned.stride[0] = 1;
    turned.stride[1] = 2;
    open_tensor(&t, arena, &turned);
    CU_ASSERT_EQUAL(memcmp(filetest_floats(&t, "w"), column, sizeof column), 0);
    filetest_close(&t);
    arena_free(arena);
}

/* {"epoch": 3, "lr": 0.1, "state_dict": {"w": Parameter, "n": 1}}, in protocol 4 and
 * with what is remembered. */
static void test_checkpoint(void)
{
    FileTest t = {0};
    Arena *arena = arena_new(&oom);
    Buf p = buf_new(arena);
    buf_add(&p, "\x80\4\x95\0\0\0\0\0\0\0\0}\x94(", 14);
    buf_puts(&p, "\x8c\5epoch\x94");
    buf_add(&p, "K\3", 2);
    put_text(&p, "lr");
    buf_add(&p, "G\0\0\0\0\0\0\0\0", 9);
    put_text(&p, "state_dict");
    buf_puts(&p, "\x8c\13collections\x94\x8c\13OrderedDict\x94\x93)R(");
    put_text(&p, "w");
    buf_puts(&p, "ctorch._utils\n_rebuild_parameter\n");
    put_tensor(&p, &matrix);
    buf_puts(&p, "\x88}\x87R");
    put_text(&p, "n");
    buf_puts(&p, "\x8a\1\x7f");
    buf_puts(&p, "u}");
    put_text(&p, "_metadata");
    buf_puts(&p, "}sbu.");
    open_pickle(&t, &p);
    CU_ASSERT_EQUAL(filetest_floats(&t, "w")[5], 7);
    CU_ASSERT_EQUAL(t.file.n, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&t.diag.out),
                                  "took the tensors of 'state_dict', and left out 'epoch', 'lr'"));
    filetest_close(&t);
    arena_free(arena);
}

/* What expand() and the lazy negation leave: the numbers as PyTorch gives them. */
static void test_views(void)
{
    static const float spread[] = {1, 1, 1, 2, 2, 2}, minus[] = {-2, -3, -4, -5, -6, -7};
    const TorchTensor view = {"0", "FloatStorage", 8, 1, 2, {2, 3}, {1, 0}};
    FileTest t = {0};
    Arena *arena = arena_new(&oom);
    open_tensor(&t, arena, &view);
    CU_ASSERT_EQUAL(memcmp(filetest_floats(&t, "w"), spread, sizeof spread), 0);
    filetest_close(&t);
    open_tensor_with(&t, arena, &matrix, "neg");
    CU_ASSERT_EQUAL(memcmp(filetest_floats(&t, "w"), minus, sizeof minus), 0);
    filetest_close(&t);
    open_tensor_with(&t, arena, &matrix, "conj");
    filetest_refused(&t, "tensor 'w' cannot be read: its conjugate bit is set");
    open_tensor_with(&t, arena, &matrix, "unheard_of");
    filetest_refused(&t, "tensor 'w' cannot be read: it has metadata that rnc does not know");
    arena_free(arena);
}

/* {"best": tensor(0.), "net": {"w": tensor}, "args": Namespace(lr=None), "optimizer":
 * {"state": {}, "param_groups": {"w": tensor}}}: the dict of tensors is 'net'. */
static void test_beside(void)
{
    static const TorchTensor single = {"0", "FloatStorage", 8, 0, 0, {0}, {0}};
    FileTest t = {0};
    Arena *arena = arena_new(&oom);
    Buf p = pickle(arena);
    buf_puts(&p, "}(");
    put_text(&p, "best");
    put_tensor(&p, &single);
    put_text(&p, "net");
    buf_putc(&p, '}');
    put_text(&p, "w");
    put_tensor(&p, &matrix);
    buf_putc(&p, 's');
    put_text(&p, "args");
    buf_puts(&p, "cargparse\nNamespace\n)\x81}");
    put_text(&p, "lr");
    buf_puts(&p, "Nsb");
    put_text(&p, "optimizer");
    buf_puts(&p, "}(");
    put_text(&p, "state");
    buf_putc(&p, '}');
    put_text(&p, "param_groups");
    buf_putc(&p, '}');
    put_text(&p, "w");
    put_tensor(&p, &matrix);
    buf_puts(&p, "suu.");
    open_pickle(&t, &p);
    CU_ASSERT_EQUAL(filetest_floats(&t, "w")[5], 7);
    CU_ASSERT_EQUAL(t.file.n, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&t.diag.out), "took the tensors of 'net', and left out "
                                                         "'best', 'args', 'optimizer'"));
    filetest_close(&t);
    arena_free(arena);
}

/* A module object with a parameter and a module inside, as torch.save(model) writes it. */
static void test_module(void)
{
    FileTest t = {0};
    Arena *arena = arena_new(&oom);
    Buf p = pickle(arena);
    for (int depth = 0; depth < 2; depth++) {
        buf_puts(&p, "cmymodels\nNet\n)\x81}(");
        put_text(&p, "_parameters");
        buf_putc(&p, '}');
        put_text(&p, "w");
        put_tensor(&p, &matrix);
        buf_putc(&p, 's');
        put_text(&p, "_buffers");
        buf_puts(&p, "}(");
        put_text(&p, "kept");
        put_tensor(&p, &matrix);
        put_text(&p, "scratch");
        put_tensor(&p, &matrix);
        buf_putc(&p, 'u');
        put_text(&p, "_non_persistent_buffers_set");
        buf_puts(&p, "cbuiltins\nset\n](");
        put_text(&p, "scratch");
        buf_puts(&p, "e\x85R");
        put_text(&p, "_modules");
        buf_putc(&p, '}');
        if (depth == 0)
            put_text(&p, "inner");
    }
    buf_puts(&p, "ubsub.");
    open_pickle(&t, &p);
    CU_ASSERT_EQUAL(filetest_floats(&t, "w")[0], 2);
    CU_ASSERT_EQUAL(filetest_floats(&t, "inner.w")[5], 7);
    CU_ASSERT_EQUAL(filetest_floats(&t, "inner.kept")[5], 7);
    CU_ASSERT_EQUAL(t.file.n, 4);
    filetest_close(&t);
    arena_free(arena);
}

static void test_tensors_refused(void)
{
    static const struct {
        TorchTensor tensor;
        const char *says;
    } rows[] = {
        {{"0", "FloatStorage", 8, 3, 2, {2, 3}, {3, 1}}, "are not all in its storage"},
        {{"0", "FloatStorage", 8, 0, 2, {2, 3}, {6, 1}}, "are not all in its storage"},
        {{"0", "FloatStorage", 8, 9, 1, {0}, {1}}, "are not all in its storage"},
        {{"0", "FloatStorage", 8, 0, 4, {2000000000, 2000000000, 2000000000, 1}, {1, 1, 1, 1}},
         "are not all in its storage"},
        {{"0", "FloatStorage", 8, 0, 2, {2, 2000000000}, {1, 2000000000}},
         "are not all in its storage"},
        {{"0", "FloatStorage", 8, -1, 1, {1}, {1}}, "not built as PyTorch does"},
        {{"0", "FloatStorage", 8, 0, 1, {-1}, {1}}, "not up to 8 numbers"},
        {{"0", "FloatStorage", 8, 0, 9, {1, 1, 1, 1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1, 1, 1, 1}},
         "not up to 8 numbers"},
        {{"0", "FloatStorage", 9, 0, 1, {1}, {1}}, "another size than the pickle says"},
        {{"0", "DoubleStorage", 8, 0, 1, {1}, {1}}, "another size than the pickle says"},
        {{"0", "FloatStorage", -8, 0, 1, {1}, {1}}, "not described as PyTorch does"},
        {{"1", "FloatStorage", 8, 0, 1, {1}, {1}}, "not in the archive"},
    };
    Arena *arena = arena_new(&oom);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        FileTest t = {0};
        open_tensor(&t, arena, &rows[i].tensor);
        filetest_refused(&t, rows[i].says);
    }
    arena_free(arena);
}

static void test_archive_refused(void)
{
    FileTest t = {0};
    ZipTest z;
    Arena *arena = arena_new(&oom);
    Buf p = pickle(arena);
    buf_putc(&p, '}');
    put_text(&p, "w");
    put_tensor(&p, &matrix);
    buf_puts(&p, "s.");
    zip_begin(&z, &t);
    zip_store(&z, "net/data.pkl", p.text, p.n);
    zip_store(&z, "net/byteorder", "big", 3);
    zip_open_test(&z);
    filetest_refused(&t, "not in the order 'little'");
    /* A storage whose checksum differs; one that has none. */
    for (int kept = 0; kept < 2; kept++) {
        const float numbers[8] = {0};
        zip_begin(&z, &t);
        zip_store(&z, "net/data.pkl", p.text, p.n);
        zip_add(&z, (ZipTestMember){"net/data/0", numbers, 32, 32, 0, 0, kept ? 1 : 0});
        zip_open_test(&z);
        CU_ASSERT_EQUAL(t.opened, !kept);
        if (kept)
            filetest_refused(&t, "'net/data/0' in the archive is damaged: its checksum differs");
        else
            filetest_close(&t);
    }
    zip_begin(&z, &t);
    zip_store(&z, "net/data.pkl", p.text, p.n);
    zip_add(&z, (ZipTestMember){"net/data/0", "xxxx", 4, 32, 8, 0, 0});
    zip_open_test(&z);
    filetest_refused(&t, "'net/data/0' in the archive is compressed");
    arena_free(arena);
}

/* Two sets of tensors: which one is not guessed, but can be said. */
static void test_two_models(void)
{
    FileTest t = {0};
    char path[] = "/tmp/rnc-test-XXXXXX", argument[64];
    Arena *arena = arena_new(&oom);
    Buf p = pickle(arena);
    buf_puts(&p, "}(");
    for (int i = 0; i < 2; i++) {
        put_text(&p, i ? "model" : "state_dict");
        buf_putc(&p, '}');
        put_text(&p, "w");
        put_tensor(&p, &matrix);
        buf_putc(&p, 's');
    }
    buf_puts(&p, "u.");
    open_pickle(&t, &p);
    filetest_refused(
        &t, "it has several sets of tensors: 'state_dict' (1 tensors), 'model' (1 tensors)");
    ZipTest z;
    zip_begin(&z, &t);
    add_file(&z, &p);
    zip_end(&z);
    const int fd = mkstemp(path);
    CU_ASSERT_FATAL(fd >= 0 && write(fd, z.bytes.text, z.bytes.n) == (ssize_t)z.bytes.n);
    close(fd);
    filetest_close(&t);
    snprintf(argument, sizeof argument, "%s:model", path);
    filetest_open_path(&t, argument);
    CU_ASSERT_EQUAL(filetest_floats(&t, "w")[5], 7);
    CU_ASSERT(str_eq(t.file.path, path));
    filetest_close(&t);
    snprintf(argument, sizeof argument, "%s:ema", path);
    filetest_open_path(&t, argument);
    unlink(path);
    filetest_refused(&t, "it has no tensors under 'ema'");
    arena_free(arena);
}

/* ---- the stream of before version 1.6 ---- */

/* The pickles and one storage, {"w": matrix} unless `root` is given. */
static Buf stream(Arena *arena, bool little, const char *key)
{
    static const float numbers[] = {0, 1, 2, 3, 4, 5, 6, 7};
    Buf p = buf_new(arena);
    buf_puts(&p, "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\2M\xe9\3.\x80\2}");
    put_text(&p, "little_endian");
    buf_puts(&p, little ? "\x88s.\x80\2}" : "\x89s.\x80\2}");
    put_text(&p, "w");
    put_tensor(&p, &matrix);
    buf_puts(&p, "s.\x80\2](");
    put_text(&p, key);
    buf_puts(&p, "e.");
    buf_add(&p, "\x8\0\0\0\0\0\0\0", 8);
    buf_add(&p, (const char *)numbers, sizeof numbers);
    return p;
}

static void test_stream(void)
{
    static const float row[] = {2, 3, 4, 5, 6, 7};
    FileTest t = {0};
    Arena *arena = arena_new(&oom);
    const Buf p = stream(arena, true, "0");
    filetest_open(&t, p.text, p.n);
    CU_ASSERT_EQUAL(memcmp(filetest_floats(&t, "w"), row, sizeof row), 0);
    filetest_close(&t);
    for (size_t n = 40; n < p.n; n++) {
        filetest_open(&t, p.text, n);
        CU_ASSERT(!t.opened && t.diag.errors == 1);
        filetest_close(&t);
    }
    arena_free(arena);
}

static void test_stream_refused(void)
{
    FileTest t = {0};
    Arena *arena = arena_new(&oom);
    Buf p = stream(arena, false, "0");
    filetest_open(&t, p.text, p.n);
    filetest_refused(&t, "not in the order 'little' of bytes");
    p = stream(arena, true, "1");
    filetest_open(&t, p.text, p.n);
    filetest_refused(&t, "it has a storage whose type is not known");
    p = stream(arena, true, "0");
    buf_putc(&p, 'x');
    filetest_open(&t, p.text, p.n);
    filetest_refused(&t, "more follows than its storages");
    p = stream(arena, true, "0");
    p.text[18] = '\x01'; /* 1001 becomes 1 * 256 + ... */
    filetest_open(&t, p.text, p.n);
    filetest_refused(&t, "its version is not 1001");
    arena_free(arena);
}

void suite_torch(void)
{
    CU_pSuite suite = CU_add_suite("torch", NULL, NULL);
    CU_ADD_TEST(suite, test_good);
    CU_ADD_TEST(suite, test_checkpoint);
    CU_ADD_TEST(suite, test_views);
    CU_ADD_TEST(suite, test_beside);
    CU_ADD_TEST(suite, test_module);
    CU_ADD_TEST(suite, test_stream);
    CU_ADD_TEST(suite, test_stream_refused);
    CU_ADD_TEST(suite, test_tensors_refused);
    CU_ADD_TEST(suite, test_archive_refused);
    CU_ADD_TEST(suite, test_two_models);
}
