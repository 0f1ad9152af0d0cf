/* test_bind.c: parameters and tensors that fit, and that do not; test_bind_order.c has the
 * order of their axes. */
#include "bindtest.h"

#include <CUnit/CUnit.h>

#include <stdint.h>
#include <string.h>

static void test_all(void)
{
    BindTest b;
    bindtest_begin(&b);
    bindtest_normalisation(&b);
    bindtest_tensor(&b, "bn1.num_batches_tracked", "", 1, 0, 0);
    bindtest_finish(&b);
    bindtest_convolution(&b);
    bindtest_dense(&b);
    bindtest_finish(&b);
    CU_ASSERT_TRUE_FATAL(bindtest_bind(&b, INIT_NONE));
    CU_ASSERT_STRING_EQUAL(buf_text(&b.diag.out), "");
    CU_ASSERT_EQUAL(param_floats(bindtest_param(&b, "conv1", P_WEIGHT))[53], 54);
    CU_ASSERT_EQUAL(param_floats(bindtest_param(&b, "bn1", P_VARIANCE))[1], 2);
    CU_ASSERT_EQUAL(param_floats(bindtest_param(&b, "fc", P_BIAS))[3], 3);
    const BindReport r = b.done;
    CU_ASSERT(r.bound == 5 && r.statistics == 2 && r.initialised == 0 && r.left_over == 1);
    CU_ASSERT_EQUAL(r.numbers, 54 + 4 + 72 + 4);
    CU_ASSERT_EQUAL(r.numbers, net_parameters(b.net));
    bindtest_end(&b);
}

static void test_alias(void)
{
    BindTest b;
    bindtest_begin(&b);
    net_node_named(b.net, "fc")->params[P_WEIGHT]->alias = "head.kernel";
    bindtest_convolution(&b);
    bindtest_normalisation(&b);
    bindtest_tensor(&b, "head.kernel", "4,18", 72, 5, 1);
    bindtest_tensor(&b, "fc.bias", "4", 4, 0, 1);
    bindtest_finish(&b);
    CU_ASSERT_TRUE_FATAL(bindtest_bind(&b, INIT_NONE));
    CU_ASSERT_EQUAL(param_floats(bindtest_param(&b, "fc", P_WEIGHT))[0], 5);
    bindtest_end(&b);
}

/* What no file gives is initialised, each parameter with a seed of its own. */
static void test_init(void)
{
    BindTest b;
    bindtest_begin(&b);
    CU_ASSERT_TRUE_FATAL(bindtest_bind(&b, INIT_NONE));
    CU_ASSERT_PTR_NULL(bindtest_param(&b, "fc", P_WEIGHT)->data);
    bindtest_convolution(&b);
    bindtest_normalisation(&b);
    bindtest_finish(&b);
    CU_ASSERT_TRUE_FATAL(bindtest_bind(&b, INIT_GLOROT_UNIFORM));
    BindReport r = b.done;
    CU_ASSERT(r.bound == 3 && r.statistics == 2 && r.initialised == 2 && r.left_over == 0);
    CU_ASSERT_EQUAL(param_floats(bindtest_param(&b, "conv1", P_WEIGHT))[1], 2);
    Param again = *bindtest_param(&b, "fc", P_WEIGHT);
    init_param(&again, net_node_named(b.net, "fc"), (InitSpec){INIT_GLOROT_UNIFORM, 5}, b.arena);
    CU_ASSERT_EQUAL(
        memcmp(again.data, bindtest_param(&b, "fc", P_WEIGHT)->data, 72 * sizeof(float)), 0);
    bindtest_end(&b);
    bindtest_begin(&b);
    CU_ASSERT_TRUE_FATAL(bindtest_bind(&b, INIT_HE_NORMAL));
    r = b.done;
    CU_ASSERT(r.bound == 0 && r.initialised == 7);
    bindtest_end(&b);
}

static void test_names(void)
{
    BindTest b;
    bindtest_begin(&b);
    bindtest_convolution(&b);
    bindtest_normalisation(&b);
    bindtest_tensor(&b, "fc.wieght", "4,18", 72, 0, 1);
    bindtest_tensor(&b, "fc.bias", "4", 4, 0, 1);
    bindtest_tensor(&b, "fc2.bias", "4", 4, 0, 1);
    bindtest_finish(&b);
    REFUSED(&b, 3, "error: the weights have no tensor 'fc.weight'", "left over is 'fc.wieght'",
            "'fc.wieght' belongs to no parameter", "'fc2.bias' belongs to no parameter", "--init");
}

static void test_other_names(void)
{
    BindTest b;
    bindtest_begin(&b);
    bindtest_tensor(&b, "a.kernel", "2,3,3,3", 54, 1, 1);
    bindtest_tensor(&b, "b.scale", "2", 2, 1, 1);
    bindtest_finish(&b);
    REFUSED(&b, 1, "0 of its 7 parameters",
            "looks for 'conv1.weight', 'bn1.weight', 'bn1.bias' ...", "hold 'a.kernel', 'b.scale'",
            "--names");
}

/* The tensors of all parameters, each name after `prefix`. */
static void all_after(BindTest *b, const char *prefix)
{
    static const struct {
        const char *name, *shape;
        int n;
    } rows[] = {
        {"conv1.weight", "2,3,3,3", 54},
        {"bn1.weight", "2", 2},
        {"bn1.bias", "2", 2},
        {"bn1.running_mean", "2", 2},
        {"bn1.running_var", "2", 2},
        {"fc.weight", "4,18", 72},
        {"fc.bias", "4", 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        bindtest_tensor(b, arena_printf(b->arena, "%s%s", prefix, rows[i].name), rows[i].shape,
                        rows[i].n, 1, 1);
}

/* What stands before all names is left out, and said. */
static void test_prefix(void)
{
    static const char *const rows[][2] = {
        {"module.", "left out 'module.', which the names begin with"},
        {"model._orig_mod.", "left out 'model._orig_mod.', which the names begin with"},
    };
    BindTest b;
    for (int i = 0; i < 2; i++) {
        bindtest_begin(&b);
        all_after(&b, rows[i][0]);
        bindtest_finish(&b);
        CU_ASSERT_TRUE_FATAL(bindtest_bind(&b, INIT_NONE));
        CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&b.diag.out), rows[i][1]));
        CU_ASSERT(b.done.bound == 5 && b.done.statistics == 2 && b.done.left_over == 0);
        bindtest_end(&b);
    }
    /* What lies beside is no part of the network, and nobody said that it may be there. */
    bindtest_begin(&b);
    all_after(&b, "student.");
    bindtest_tensor(&b, "teacher.fc.bias", "4", 4, 0, 1);
    bindtest_finish(&b);
    REFUSED(&b, 1, "'teacher.fc.bias' belongs to no parameter", "-w FILE:student takes those");
    /* Two that fit: neither is guessed. */
    bindtest_begin(&b);
    all_after(&b, "online.");
    all_after(&b, "target.");
    bindtest_finish(&b);
    REFUSED(&b, 1,
            "the network's names are there several times: after 'online.' and after "
            "'target.'",
            "-w FILE:online takes the former");
}

/* Wrappers of parts of a model are in the middle of names. */
static void test_wrappers(void)
{
    BindTest b;
    bindtest_begin(&b);
    net_node_named(b.net, "fc")->params[P_WEIGHT]->alias = "head.fc.weight";
    bindtest_tensor(&b, "head._orig_mod.fc.weight", "4,18", 72, 5, 1);
    bindtest_tensor(&b, "module.conv1.weight", "2,3,3,3", 54, 1, 1);
    bindtest_normalisation(&b);
    bindtest_tensor(&b, "fc.bias", "4", 4, 0, 1);
    bindtest_finish(&b);
    CU_ASSERT_TRUE_FATAL(bindtest_bind(&b, INIT_NONE));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&b.diag.out), "what wraps a model"));
    CU_ASSERT_EQUAL(param_floats(bindtest_param(&b, "fc", P_WEIGHT))[0], 5);
    bindtest_end(&b);
}

/* Another naming of the net, whose own does not fit; it also says the order of axes. */
static void test_other_naming(void)
{
    const char *aliases[7] = {0}, *axes[7] = {0};
    BindTest b;
    bindtest_begin(&b);
    const int kernel = bindtest_param(&b, "fc", P_WEIGHT)->id;
    aliases[kernel] = "head.kernel";
    axes[kernel] = "io";
    VEC_PUSH(b.arena, &b.net->namings, ((NetNaming){"none", "it calls two 'x'", NULL, NULL}));
    VEC_PUSH(b.arena, &b.net->namings, ((NetNaming){"keras", NULL, aliases, axes}));
    bindtest_convolution(&b);
    bindtest_normalisation(&b);
    bindtest_tensor(&b, "head.kernel", "18,4", 72, 0, 1);
    bindtest_tensor(&b, "fc.bias", "4", 4, 0, 1);
    bindtest_finish(&b);
    CU_ASSERT_TRUE_FATAL(bindtest_bind(&b, INIT_NONE));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&b.diag.out), "those of the naming 'keras'"));
    CU_ASSERT_EQUAL(param_floats(bindtest_param(&b, "fc", P_WEIGHT))[1], 4);
    bindtest_end(&b);
}

/* A normalisation without scale, without centre, without both; and one that is folded. */
static void test_normalisations(void)
{
    static const char *const names[] = {"bn1.weight", "bn1.bias"};
    BindTest b;
    for (int has = 0; has < 3; has++) {
        bindtest_begin(&b);
        bindtest_convolution(&b);
        bindtest_dense(&b);
        bindtest_tensor(&b, "bn1.running_mean", "2", 2, 3, 1);
        bindtest_tensor(&b, "bn1.running_var", "2", 2, 1, 1);
        if (has < 2)
            bindtest_tensor(&b, names[has], "2", 2, 7, 1);
        bindtest_finish(&b);
        CU_ASSERT_TRUE_FATAL(bindtest_bind(&b, INIT_NONE));
        CU_ASSERT_EQUAL(param_floats(bindtest_param(&b, "bn1", P_WEIGHT))[1], has == 0 ? 8 : 1);
        CU_ASSERT_EQUAL(param_floats(bindtest_param(&b, "bn1", P_BIAS))[1], has == 1 ? 8 : 0);
        CU_ASSERT_EQUAL(param_floats(bindtest_param(&b, "bn1", P_MEAN))[1], 4);
        CU_ASSERT_PTR_NOT_NULL(
            strstr(buf_text(&b.diag.out), has ? "no scale: it is 1" : "no centre: it is 0"));
        bindtest_end(&b);
    }
    bindtest_begin(&b);
    bindtest_convolution(&b);
    bindtest_tensor(&b, "conv1.bias", "2", 2, 5, 1);
    bindtest_dense(&b);
    bindtest_finish(&b);
    CU_ASSERT_TRUE_FATAL(bindtest_bind(&b, INIT_NONE));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&b.diag.out), "1 normalisations are folded"));
    CU_ASSERT_EQUAL(param_floats(bindtest_param(&b, "bn1", P_BIAS))[1], 6);
    CU_ASSERT_EQUAL(param_floats(bindtest_param(&b, "bn1", P_MEAN))[1], 0);
    CU_ASSERT_DOUBLE_EQUAL((double)param_floats(bindtest_param(&b, "bn1", P_VARIANCE))[0], 1 - 1e-5,
                           1e-7);
    bindtest_end(&b);
}

/* A file that calls layers by their classes alone. */
static void test_classes_alone(void)
{
    BindTest b;
    bindtest_begin(&b);
    bindtest_tensor(&b, "conv2d/kernel", "3,3,3,2", 54, 1, 1);
    bindtest_finish(&b);
    b.files[0].tensors[0].place = b.files[0].tensors[0].name;
    REFUSED(&b, 1, "0 of its 7 parameters", "keeps the names");
}

static void test_statistics(void)
{
    BindTest b;
    bindtest_begin(&b);
    bindtest_convolution(&b);
    bindtest_tensor(&b, "bn1.weight", "2", 2, 1, 1);
    bindtest_tensor(&b, "bn1.bias", "2", 2, 0, 1);
    bindtest_dense(&b);
    bindtest_finish(&b);
    REFUSED(&b, 2, "no tensor 'bn1.running_mean'", "is it GroupNorm");
}

/* The extents of a parameter of the net that others have. */
static void test_defines(void)
{
    BindTest b;
    bindtest_begin(&b);
    VEC_PUSH(b.arena, &b.net->defines, ((NetDefine){"classes", 4}));
    VEC_PUSH(b.arena, &b.net->defines, ((NetDefine){"depth", 3}));
    bindtest_convolution(&b);
    bindtest_normalisation(&b);
    bindtest_tensor(&b, "fc.weight", "7,18", 126, 0, 1);
    bindtest_tensor(&b, "fc.bias", "7", 7, 0, 1);
    bindtest_finish(&b);
    REFUSED(&b, 2, "'classes' of the net is 4; -D classes=7 may make it fit");
}

static void test_twice(void)
{
    BindTest b;
    bindtest_begin(&b);
    bindtest_convolution(&b);
    bindtest_normalisation(&b);
    bindtest_dense(&b);
    bindtest_finish(&b);
    bindtest_tensor(&b, "fc.bias", "4", 4, 0, 1);
    bindtest_finish(&b);
    REFUSED(&b, 1, "tensor 'fc.bias' is in", "as well");
    bindtest_begin(&b);
    net_node_named(b.net, "bn1")->params[P_MEAN]->alias = "bn1.bias";
    bindtest_convolution(&b);
    bindtest_normalisation(&b);
    bindtest_dense(&b);
    bindtest_finish(&b);
    REFUSED(&b, 2, "'bn1.bias' and 'bn1.running_mean' both take the tensor 'bn1.bias'");
}

static void test_values(void)
{
    static const uint32_t nan = 0x7fc00001, infinity = 0xff800000;
    BindTest b;
    bindtest_begin(&b);
    bindtest_convolution(&b);
    memcpy(b.data.text + 4 * (27 + 9 + 3 + 2), &nan, 4);
    bindtest_normalisation(&b);
    bindtest_tensor(&b, "fc.weight", "4,18", 72, 0, 1);
    memcpy(b.data.text + b.data.n - 4, &infinity, 4);
    bindtest_tensor(&b, "fc.bias", "4", 4, 0, 1);
    bindtest_finish(&b);
    REFUSED(&b, 2, "'conv1.weight' holds a NaN at [1][1][1][2]",
            "'fc.weight' holds infinity at [3][17]");
    bindtest_begin(&b);
    bindtest_convolution(&b);
    bindtest_normalisation(&b);
    const float variance = -2e-5f;
    memcpy(b.data.text + b.data.n - 4, &variance, 4);
    bindtest_dense(&b);
    bindtest_finish(&b);
    REFUSED(&b, 1, "'bn1.running_var' holds -", "at [1]", "must be above 0");
}

/* One not finite number, wherever it is, in a tensor of several blocks. */
static void test_every_place(void)
{
    static const uint32_t bad[] = {0x7f800000, 0xff800000, 0x7f800001, 0xffffffff};
    static const int places[] = {0, 255, 256, 511, 512, 700};
    static const uint32_t largest = 0x7f7fffff;
    for (int i = 0; i < 24; i++) {
        BindTest b;
        bindtest_begin(&b);
        Attrs a = ir_default_attrs(OP_DENSE);
        a.filters = 701;
        a.bias = false;
        Node *x = ir_add_input(b.net, "v", (Type){ELEM_F32, 1, 1, 1, 1}, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(ir_add(b.net, &b.diag, OP_DENSE, &x, 1, &a, "wide", NULL));
        bindtest_convolution(&b);
        bindtest_normalisation(&b);
        bindtest_dense(&b);
        bindtest_tensor(&b, "wide.weight", "701,1", 701, 0, 0);
        unsigned char *at = (unsigned char *)b.data.text + b.data.n - (size_t)701 * 4;
        for (int k = 0; k < 701; k++)
            memcpy(at + 4 * k, &largest, 4);
        memcpy(at + 4 * places[i / 4], &bad[i % 4], 4);
        bindtest_finish(&b);
        CU_ASSERT_FALSE(bindtest_bind(&b, INIT_NONE));
        const char *where = arena_printf(b.arena, " at [%d][0]\n", places[i / 4]);
        CU_ASSERT(b.diag.errors == 1 && strstr(buf_text(&b.diag.out), where) != NULL);
        bindtest_end(&b);
    }
}

/* Weights of a classifier of seven classes, which the network does not have. */
static void begin_of_seven(BindTest *b)
{
    bindtest_begin(b);
    bindtest_convolution(b);
    bindtest_normalisation(b);
    bindtest_tensor(b, "fc.weight", "7,18", 126, 5, 1);
    bindtest_tensor(b, "fc.bias", "7", 7, 5, 1);
    bindtest_finish(b);
}

/* A classifier of other classes begins anew; all else must be there. */
static void test_anew(void)
{
    static const char *const patterns[] = {"fc.*"};
    const BindAnew anew = {patterns, 1};
    const InitSpec init = {INIT_ONES, 0};
    BindTest b;
    begin_of_seven(&b);
    CU_ASSERT_TRUE(bind_params_but(b.net, b.files, b.n_files, init, anew, &b.done, &b.diag));
    CU_ASSERT_STRING_EQUAL(buf_text(&b.diag.out), "");
    CU_ASSERT(b.done.bound == 3 && b.done.statistics == 2 && b.done.initialised == 2);
    CU_ASSERT_EQUAL(param_floats(bindtest_param(&b, "conv1", P_WEIGHT))[53], 54);
    CU_ASSERT_EQUAL(param_floats(bindtest_param(&b, "fc", P_WEIGHT))[71], 1);
    CU_ASSERT_EQUAL(param_floats(bindtest_param(&b, "fc", P_BIAS))[3], 0);
    bindtest_end(&b);

    begin_of_seven(&b);
    CU_ASSERT_FALSE(
        bind_params_but(b.net, b.files, b.n_files, init, (BindAnew){0}, &b.done, &b.diag));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(buf_text(&b.diag.out), "note: --except 'fc.*' lets that layer begin anew"));
    bindtest_end(&b);

    bindtest_begin(&b);
    bindtest_convolution(&b);
    bindtest_tensor(&b, "bn1.weight", "2", 2, 1, 1);
    bindtest_tensor(&b, "bn1.bias", "2", 2, 1, 1);
    bindtest_tensor(&b, "bn1.running_mean", "2", 2, 1, 1);
    bindtest_finish(&b);
    CU_ASSERT_FALSE(bind_params_but(b.net, b.files, b.n_files, init, anew, &b.done, &b.diag));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(buf_text(&b.diag.out), "the weights have no tensor 'bn1.running_var'"));
    bindtest_end(&b);

    static const char *const wrong[] = {"head.*"};
    bindtest_begin(&b);
    CU_ASSERT_FALSE(
        bind_params_but(b.net, b.files, 0, init, (BindAnew){wrong, 1}, &b.done, &b.diag));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(buf_text(&b.diag.out), "no parameter fits 'head.*', which is to begin anew"));
    bindtest_end(&b);
}

static void test_element_type(void)
{
    BindTest b;
    bindtest_begin(&b);
    bindtest_convolution(&b);
    bindtest_normalisation(&b);
    bindtest_tensor(&b, "fc.weight", "4,18", 72, 0, 1);
    bindtest_tensor(&b, "fc.bias", "4", 4, 0, 1);
    char *last = NULL;
    for (char *p = b.header.text; (p = strstr(p, "F32")); p++)
        last = p;
    memcpy(last, "I32", 3);
    bindtest_finish(&b);
    REFUSED(&b, 1, "tensor 'fc.bias' holds numbers of type I32");
}

void suite_bind(void)
{
    CU_pSuite suite = CU_add_suite("bind", NULL, NULL);
    CU_ADD_TEST(suite, test_all);
    CU_ADD_TEST(suite, test_alias);
    CU_ADD_TEST(suite, test_init);
    CU_ADD_TEST(suite, test_names);
    CU_ADD_TEST(suite, test_other_names);
    CU_ADD_TEST(suite, test_prefix);
    CU_ADD_TEST(suite, test_wrappers);
    CU_ADD_TEST(suite, test_other_naming);
    CU_ADD_TEST(suite, test_normalisations);
    CU_ADD_TEST(suite, test_classes_alone);
    CU_ADD_TEST(suite, test_statistics);
    CU_ADD_TEST(suite, test_defines);
    CU_ADD_TEST(suite, test_twice);
    CU_ADD_TEST(suite, test_values);
    CU_ADD_TEST(suite, test_every_place);
    CU_ADD_TEST(suite, test_element_type);
    CU_ADD_TEST(suite, test_anew);
}
