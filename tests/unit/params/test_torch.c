/* test_torch.c: PyTorch's files of tensors, and pickles that would do something else. */
#include "filetest.h"
#include "params/pickle.h"

#include <CUnit/CUnit.h>

#include <stdio.h>
#include <string.h>

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

static void put_tensor(Buf *p, const TorchTensor *t)
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
                "ccollections\nOrderedDict\n)RtR");
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
static void open_tensor(FileTest *t, Arena *arena, const TorchTensor *tensor)
{
    Buf p = pickle(arena);
    buf_puts(&p, "ccollections\nOrderedDict\n)R(");
    put_text(&p, "w");
    put_tensor(&p, tensor);
    buf_puts(&p, "u.");
    open_pickle(t, &p);
}

static const TorchTensor matrix = {"0", "FloatStorage", 8, 2, 2, {2, 3}, {3, 1}};

static jmp_buf oom;

static void test_good(void)
{
    static const float row[] = {2, 3, 4, 5, 6, 7}, column[] = {0, 2, 4, 1, 3, 5};
    TorchTensor turned = matrix;
    FileTest t;
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
    FileTest t;
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
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&t.diag.out), "1 entries of the dict are no tensors"));
    filetest_close(&t);
    arena_free(arena);
}

static void test_tensors_refused(void)
{
    static const struct {
        TorchTensor tensor;
        const char *says;
    } rows[] = {
        {{"0", "FloatStorage", 8, 3, 2, {2, 3}, {3, 1}}, "do not lie in its storage"},
        {{"0", "FloatStorage", 8, 0, 2, {2, 3}, {6, 1}}, "do not lie in its storage"},
        {{"0", "FloatStorage", 8, 0, 2, {2, 3}, {0, 1}}, "do not lie in its storage"},
        {{"0", "FloatStorage", 8, 9, 1, {0}, {1}}, "do not lie in its storage"},
        {{"0", "FloatStorage", 8, 0, 4, {2000000000, 2000000000, 2000000000, 1}, {1, 1, 1, 1}},
         "do not lie in its storage"},
        {{"0", "FloatStorage", 8, 0, 2, {2, 2000000000}, {1, 2000000000}},
         "do not lie in its storage"},
        {{"0", "FloatStorage", 8, -1, 1, {1}, {1}}, "not built as PyTorch does"},
        {{"0", "FloatStorage", 8, 0, 1, {-1}, {1}}, "not up to 8 numbers"},
        {{"0", "FloatStorage", 8, 0, 9, {1, 1, 1, 1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1, 1, 1, 1}},
         "not up to 8 numbers"},
        {{"0", "FloatStorage", 9, 0, 1, {1}, {1}}, "another size than the archive's member"},
        {{"0", "DoubleStorage", 8, 0, 1, {1}, {1}}, "another size than the archive's member"},
        {{"0", "FloatStorage", -8, 0, 1, {1}, {1}}, "not described as PyTorch does"},
        {{"1", "FloatStorage", 8, 0, 1, {1}, {1}}, "not in the archive"},
        {{"0", "QInt8Storage", 8, 0, 1, {1}, {1}}, "calls for 'torch.QInt8Storage'"},
    };
    Arena *arena = arena_new(&oom);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        FileTest t;
        open_tensor(&t, arena, &rows[i].tensor);
        filetest_refused(&t, rows[i].says);
    }
    arena_free(arena);
}

/* Opcodes behind the protocol, and what is said of them. */
static void test_pickles_refused(void)
{
    static const struct {
        const char *codes, *says;
    } rows[] = {
        {"cos\nsystem\nX\4\1\1\1ls -\x85R.",
         "the pickle calls for 'os.system', which would run code"},
        {"\x8c\2os\x8c\6system\x93.", "the pickle calls for 'os.system'"},
        {"cbuiltins\neval\n.", "the pickle calls for 'builtins.eval'"},
        {"c__builtin__\neval\n.", "the pickle calls for '__builtin__.eval'"},
        {"ctorchvision.models.resnet\nResNet\n)\x81.", "'torchvision.models.resnet.ResNet'"},
        {"ccollections\nOrderedDict\n)\x81.", "an object of a class, which would run code"},
        {"(ios\nsystem\n.", "an object of a class, which would run code"},
        {"\x82\1.", "an extension, which would run code"},
        {"ctorch\nFloatStorage\n}b.", "the building of an object, which would run code"},
        {"}.", "no dict of tensors"},
        {"ctorch\nFloatStorage\n.", "no dict of tensors"},
        {"N.", "no dict of tensors"},
        {"", "it is cut off"},
        {"}", "it is cut off"},
        {"J\1\1", "it is cut off"},
        {"X\xff\xff\xff\x7f", "it is cut off"},
        {"cos\nsystem", "it is cut off"},
        {"\x80\6.", "its protocol is unknown"},
        {".", "it ends with no object"},
        {"}}.", "it ends with no object"},
        {"(.", "it ends with no object"},
        {"R", "a call has no function"},
        {"}}R.", "a call has no function"},
        {"ccollections\nOrderedDict\nN\x85R.", "an OrderedDict has arguments"},
        {"t", "a tuple has too few elements"},
        {"N\x86", "a tuple has too few elements"},
        {"u", "nothing to put elements into"},
        {"(u", "nothing to put elements into"},
        {"}(Nu", "nothing to put elements into"},
        {"](NNu", "nothing to put elements into"},
        {"NNs", "nothing to put elements into"},
        {"a", "nothing to put elements into"},
        {"h\1", "recalls what it does not remember"},
        {"Nr\xff\xff\xff\x7f", "it remembers nothing"},
        {"q\1", "it remembers nothing"},
        {"(q\1", "it remembers nothing"},
        {"0", "nothing to drop"},
        {"Q", "an outer object has no name"},
        {"b", "it builds nothing"},
        {"NN\x93", "a name is missing"},
        {"\x8a\x09", "a number is too large"},
        {"I1\n.", "opcode 0x49 is not among those of tensors"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        FileTest t;
        Arena *arena = arena_new(&oom);
        Buf p = pickle(arena);
        buf_puts(&p, rows[i].codes);
        open_pickle(&t, &p);
        filetest_refused(&t, rows[i].says);
        arena_free(arena);
    }
}

/* A dict that holds itself ends like any other. */
static void test_cycle(void)
{
    FileTest t;
    Arena *arena = arena_new(&oom);
    Buf p = pickle(arena);
    buf_add(&p, "}q\0(", 4);
    put_text(&p, "state_dict");
    buf_add(&p, "h\0u.", 4);
    open_pickle(&t, &p);
    filetest_refused(&t, "no dict of tensors");
    arena_free(arena);
}

static void test_archive_refused(void)
{
    FileTest t;
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

/* Two sets of tensors: which one is not guessed. */
static void test_two_models(void)
{
    FileTest t;
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
    filetest_refused(&t, "several sets of tensors");
    arena_free(arena);
}

void suite_torch(void)
{
    CU_pSuite suite = CU_add_suite("torch", NULL, NULL);
    CU_ADD_TEST(suite, test_good);
    CU_ADD_TEST(suite, test_checkpoint);
    CU_ADD_TEST(suite, test_tensors_refused);
    CU_ADD_TEST(suite, test_pickles_refused);
    CU_ADD_TEST(suite, test_cycle);
    CU_ADD_TEST(suite, test_archive_refused);
    CU_ADD_TEST(suite, test_two_models);
}
