/* test_pickle.c: pickles that would do something else than make data, damaged ones, and bombs. */
#include "filetest.h"
#include "params/pickle.h"

#include <CUnit/CUnit.h>

#include <stdlib.h>
#include <string.h>

/* Opens a file of PyTorch whose pickle has the protocol 2 and these opcodes. */
static void open_codes(FileTest *t, const char *codes, size_t n)
{
    ZipTest z;
    zip_begin(&z, t);
    Buf p = buf_new(t->arena);
    buf_add(&p, "\x80\2", 2);
    buf_add(&p, codes, n);
    zip_store(&z, "net/data.pkl", p.text, p.n);
    zip_store(&z, "net/byteorder", "little", 6);
    zip_store(&z, "net/version", "3\n", 2);
    zip_open_test(&z);
}

/* Opcodes after the protocol, and what is said of them. */
static const struct {
    const char *codes, *says;
} refused[] = {
    {"cos\nsystem\nU\4ls -\x85R.", "the pickle calls for 'os.system', which would run code"},
    {"\x8c\2os\x8c\6system\x93)R.", "the pickle calls for 'os.system'"},
    {"cbuiltins\neval\n)R.", "the pickle calls for 'builtins.eval'"},
    {"c__builtin__\neval\n)\x81.", "the pickle calls for '__builtin__.eval'"},
    {"ctorchvision.models.resnet\nResNet\n)\x81.", "'torchvision.models.resnet.ResNet'"},
    {"(ios\nsystem\n.", "the pickle calls for 'os.system'"},
    {"(cos\nsystem\nN\x6f.", "the pickle calls for 'os.system'"},
    {"cos\nsystem\n)}\x92.", "the pickle calls for 'os.system'"},
    {"\x82\1)R.", "the pickle calls for 'extension.1'"},
    {"}X\4\1\1\1netXcos\nsystem\n)Rs.", "it is cut off"},
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
    {"(R", "a call has no function"},
    {"ccollections\nOrderedDict\nN\x85R.", "no dict of tensors"},
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
    {"\x8a\x09", "it is cut off"},
    {"I\n.", "a number has no digits"},
    {"L1x\n.", "a number has no digits"},
    {"N(N\x75", "nothing to put elements into"},
    {"(Nd", "a key has no value"},
    {"d", "a tuple has too few elements"},
    {"\x91", "a tuple has too few elements"},
    {"o", "a tuple has too few elements"},
    {"1", "nothing to drop"},
    {"2", "nothing to double"},
    {"(2", "nothing to double"},
    {"\x97.", "opcode 0x97 is none that rnc knows"},
};

static void test_pickles_refused(void)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        FileTest t = {0};
        open_codes(&t, refused[i].codes, strlen(refused[i].codes));
        filetest_refused(&t, refused[i].says);
    }
}

/* A dict that holds itself ends like any other. */
static void test_cycle(void)
{
    static const char codes[] = "}q\0(X\12\0\0\0state_dicth\0u.";
    FileTest t = {0};
    open_codes(&t, codes, sizeof codes - 1);
    filetest_refused(&t, "no dict of tensors");
}

/* Millions of objects of a byte each: marks share one, others are counted. */
static void test_many_objects(void)
{
    enum { MANY = 4000001 };
    static const struct {
        char code;
        const char *says;
    } rows[] = {{'(', "it is cut off"}, {')', "more objects than any checkpoint, 4 million"}};
    for (int i = 0; i < 2; i++) {
        jmp_buf oom;
        Arena *arena = arena_new(&oom);
        char *bytes = malloc(MANY);
        SrcMap src = {.arena = arena};
        Diag diag = diag_new(&src, arena);
        size_t used;
        CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
        memset(bytes, rows[i].code, MANY);
        CU_ASSERT_PTR_NULL(
            pickle_read((const unsigned char *)bytes, MANY, &used, "p", arena, &diag));
        CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&diag.out), rows[i].says));
        free(bytes);
        arena_free(arena);
    }
}

void suite_pickle(void)
{
    CU_pSuite suite = CU_add_suite("pickle", NULL, NULL);
    CU_ADD_TEST(suite, test_pickles_refused);
    CU_ADD_TEST(suite, test_cycle);
    CU_ADD_TEST(suite, test_many_objects);
}
