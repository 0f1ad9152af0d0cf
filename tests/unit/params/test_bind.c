/* test_bind.c: parameters and tensors that fit, and that do not. */
#include "params/bind.h"

#include <CUnit/CUnit.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A small network, conv (2 filters of 3x3 over 3 channels), bn, dense of 4, and up
 * to two files. */
typedef struct Bench {
    jmp_buf oom;
    Arena *arena;
    SrcMap src;
    Diag diag;
    Net *net;
    TensorFile files[2];
    int n_files;
    BindReport done;
    Buf header, data; /* of the file under construction */
} Bench;

static void begin(Bench *b)
{
    *b = (Bench){.arena = arena_new(&b->oom)};
    b->src = (SrcMap){.arena = b->arena};
    b->diag = diag_new(&b->src, b->arena);
    b->net = ir_new(b->arena, "small");
    b->header = buf_new(b->arena);
    b->data = buf_new(b->arena);
    Attrs conv = ir_default_attrs(OP_CONV), bn = ir_default_attrs(OP_BN);
    Attrs flat = ir_default_attrs(OP_FLATTEN), dense = ir_default_attrs(OP_DENSE);
    conv.kernel[0] = conv.kernel[1] = 3;
    conv.filters = 2;
    for (int i = 0; i < 4; i++)
        conv.padding[i] = 1;
    dense.filters = 4;
    Node *x = ir_add_input(b->net, "image", (Type){ELEM_F32, 1, 3, 3, 3}, NULL);
    x = ir_add(b->net, &b->diag, OP_CONV, &x, 1, &conv, "conv1", NULL);
    x = ir_add(b->net, &b->diag, OP_BN, &x, 1, &bn, "bn1", NULL);
    x = ir_add(b->net, &b->diag, OP_FLATTEN, &x, 1, &flat, "flatten1", NULL);
    x = ir_add(b->net, &b->diag, OP_DENSE, &x, 1, &dense, "fc", NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(x);
}

static void end(Bench *b)
{
    for (int i = 0; i < b->n_files; i++)
        tensorfile_close(&b->files[i]);
    arena_free(b->arena);
}

/* A tensor of `n` numbers, the i-th first + i * step. */
static void tensor(Bench *b, const char *name, const char *shape, int n, float first, float step)
{
    buf_printf(&b->header, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
               b->header.n ? "," : "{", name, shape, b->data.n, b->data.n + 4 * (size_t)n);
    for (int i = 0; i < n; i++) {
        const float x = first + (float)i * step;
        buf_add(&b->data, (const char *)&x, sizeof x);
    }
}

/* Writes what was added and opens it as one more file. */
static void finish(Bench *b)
{
    char path[] = "/tmp/rnc-test-XXXXXX", length[8];
    const int fd = mkstemp(path);
    buf_putc(&b->header, '}');
    for (int i = 0; i < 8; i++)
        length[i] = (char)(b->header.n >> 8 * i);
    CU_ASSERT_FATAL(fd >= 0 && write(fd, length, 8) == 8);
    CU_ASSERT_FATAL(write(fd, b->header.text, b->header.n) == (ssize_t)b->header.n);
    CU_ASSERT_FATAL(write(fd, b->data.text, b->data.n) == (ssize_t)b->data.n);
    close(fd);
    CU_ASSERT_FATAL(tensorfile_open(&b->files[b->n_files++], path, b->arena, &b->diag));
    unlink(path);
    b->header.n = b->data.n = 0;
}

static void convolution(Bench *b)
{
    tensor(b, "conv1.weight", "2,3,3,3", 54, 1, 1);
}

static void normalisation(Bench *b)
{
    tensor(b, "bn1.weight", "2", 2, 1, 1);
    tensor(b, "bn1.bias", "2", 2, 0, 1);
    tensor(b, "bn1.running_mean", "2", 2, 0, 1);
    tensor(b, "bn1.running_var", "2", 2, 1, 1);
}

static void dense(Bench *b)
{
    tensor(b, "fc.weight", "4,18", 72, 0, 1);
    tensor(b, "fc.bias", "4", 4, 0, 1);
}

static bool bind(Bench *b, InitKind init)
{
    return bind_params(b->net, b->files, b->n_files, (InitSpec){init, 0}, &b->done, &b->diag);
}

static const Param *param(const Bench *b, const char *node, Role role)
{
    return net_node_named(b->net, node)->params[role];
}

/* Binding fails with `errors` errors and says all of `says`. */
static void check_refused(Bench *b, int errors, const char *const *says, int n)
{
    CU_ASSERT_FALSE(bind(b, INIT_NONE));
    CU_ASSERT_EQUAL(b->diag.errors, errors);
    for (int i = 0; i < n; i++) {
        if (!strstr(buf_text(&b->diag.out), says[i])) {
            printf("expected: %s\nfound: %s", says[i], buf_text(&b->diag.out));
            CU_FAIL("another message");
        }
    }
    end(b);
}
#define REFUSED(b, errors, ...)                                                \
    do {                                                                       \
        static const char *const says[] = {__VA_ARGS__};                       \
        check_refused((b), (errors), says, (int)(sizeof says / sizeof *says)); \
    } while (0)

static void test_all(void)
{
    Bench b;
    begin(&b);
    normalisation(&b);
    tensor(&b, "bn1.num_batches_tracked", "", 1, 0, 0);
    finish(&b);
    convolution(&b);
    dense(&b);
    finish(&b);
    CU_ASSERT_TRUE(bind(&b, INIT_NONE));
    CU_ASSERT_STRING_EQUAL(buf_text(&b.diag.out), "");
    CU_ASSERT_EQUAL(param_floats(param(&b, "conv1", P_WEIGHT))[53], 54);
    CU_ASSERT_EQUAL(param_floats(param(&b, "bn1", P_VARIANCE))[1], 2);
    CU_ASSERT_EQUAL(param_floats(param(&b, "fc", P_BIAS))[3], 3);
    const BindReport r = b.done;
    CU_ASSERT(r.bound == 5 && r.statistics == 2 && r.initialised == 0 && r.left_over == 1);
    CU_ASSERT_EQUAL(r.numbers, 54 + 4 + 72 + 4);
    CU_ASSERT_EQUAL(r.numbers, net_parameters(b.net));
    end(&b);
}

static void test_alias(void)
{
    Bench b;
    begin(&b);
    net_node_named(b.net, "fc")->params[P_WEIGHT]->alias = "head.kernel";
    convolution(&b);
    normalisation(&b);
    tensor(&b, "head.kernel", "4,18", 72, 5, 1);
    tensor(&b, "fc.bias", "4", 4, 0, 1);
    finish(&b);
    CU_ASSERT_TRUE(bind(&b, INIT_NONE));
    CU_ASSERT_EQUAL(param_floats(param(&b, "fc", P_WEIGHT))[0], 5);
    end(&b);
}

/* What no file gives is initialised, each parameter with a seed of its own. */
static void test_init(void)
{
    Bench b;
    begin(&b);
    CU_ASSERT_TRUE(bind(&b, INIT_NONE));
    CU_ASSERT_PTR_NULL(param(&b, "fc", P_WEIGHT)->data);
    convolution(&b);
    normalisation(&b);
    finish(&b);
    CU_ASSERT_TRUE(bind(&b, INIT_GLOROT_UNIFORM));
    BindReport r = b.done;
    CU_ASSERT(r.bound == 3 && r.statistics == 2 && r.initialised == 2 && r.left_over == 0);
    CU_ASSERT_EQUAL(param_floats(param(&b, "conv1", P_WEIGHT))[1], 2);
    Param again = *param(&b, "fc", P_WEIGHT);
    init_param(&again, net_node_named(b.net, "fc"), (InitSpec){INIT_GLOROT_UNIFORM, 5}, b.arena);
    CU_ASSERT_EQUAL(memcmp(again.data, param(&b, "fc", P_WEIGHT)->data, 72 * sizeof(float)), 0);
    end(&b);
    begin(&b);
    CU_ASSERT_TRUE(bind(&b, INIT_HE_NORMAL));
    r = b.done;
    CU_ASSERT(r.bound == 0 && r.initialised == 7);
    end(&b);
}

static void test_names(void)
{
    Bench b;
    begin(&b);
    convolution(&b);
    normalisation(&b);
    tensor(&b, "fc.wieght", "4,18", 72, 0, 1);
    tensor(&b, "fc.bias", "4", 4, 0, 1);
    tensor(&b, "fc2.bias", "4", 4, 0, 1);
    finish(&b);
    REFUSED(&b, 3, "error: the weights have no tensor 'fc.weight'", "left over is 'fc.wieght'",
            "'fc.wieght' belongs to no parameter", "'fc2.bias' belongs to no parameter", "--init");
}

static void test_other_names(void)
{
    Bench b;
    begin(&b);
    tensor(&b, "a.kernel", "2,3,3,3", 54, 1, 1);
    tensor(&b, "b.scale", "2", 2, 1, 1);
    finish(&b);
    REFUSED(&b, 1, "0 of its 7 parameters",
            "looks for 'conv1.weight', 'bn1.weight', 'bn1.bias' ...", "hold 'a.kernel', 'b.scale'",
            "--names");
}

/* The tensors of all parameters, each name after `prefix`. */
static void all_after(Bench *b, const char *prefix)
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
        tensor(b, arena_printf(b->arena, "%s%s", prefix, rows[i].name), rows[i].shape, rows[i].n, 1,
               1);
}

/* What stands before all names is left out, and said. */
static void test_prefix(void)
{
    static const char *const rows[][2] = {
        {"module.", "left out 'module.', which the names begin with"},
        {"model._orig_mod.", "left out 'model._orig_mod.', which the names begin with"},
    };
    Bench b;
    for (int i = 0; i < 2; i++) {
        begin(&b);
        all_after(&b, rows[i][0]);
        finish(&b);
        CU_ASSERT_TRUE(bind(&b, INIT_NONE));
        CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&b.diag.out), rows[i][1]));
        CU_ASSERT(b.done.bound == 5 && b.done.statistics == 2 && b.done.left_over == 0);
        end(&b);
    }
    /* What lies beside is no part of the network, and nobody said that it may be there. */
    begin(&b);
    all_after(&b, "student.");
    tensor(&b, "teacher.fc.bias", "4", 4, 0, 1);
    finish(&b);
    REFUSED(&b, 1, "'teacher.fc.bias' belongs to no parameter", "-w FILE:student takes those");
    /* Two that fit: neither is guessed. */
    begin(&b);
    all_after(&b, "online.");
    all_after(&b, "target.");
    finish(&b);
    REFUSED(&b, 1,
            "the network's names are there several times: after 'online.' and after "
            "'target.'",
            "-w FILE:online takes the former");
}

/* Wrappers of parts of a model are in the middle of names. */
static void test_wrappers(void)
{
    Bench b;
    begin(&b);
    net_node_named(b.net, "fc")->params[P_WEIGHT]->alias = "head.fc.weight";
    tensor(&b, "head._orig_mod.fc.weight", "4,18", 72, 5, 1);
    tensor(&b, "module.conv1.weight", "2,3,3,3", 54, 1, 1);
    normalisation(&b);
    tensor(&b, "fc.bias", "4", 4, 0, 1);
    finish(&b);
    CU_ASSERT_TRUE(bind(&b, INIT_NONE));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&b.diag.out), "what wraps a model"));
    CU_ASSERT_EQUAL(param_floats(param(&b, "fc", P_WEIGHT))[0], 5);
    end(&b);
}

/* Another naming of the net, whose own does not fit; it also says the order of axes. */
static void test_other_naming(void)
{
    const char *aliases[7] = {0}, *axes[7] = {0};
    Bench b;
    begin(&b);
    const int kernel = param(&b, "fc", P_WEIGHT)->id;
    aliases[kernel] = "head.kernel";
    axes[kernel] = "io";
    VEC_PUSH(b.arena, &b.net->namings, ((NetNaming){"none", "it calls two 'x'", NULL, NULL}));
    VEC_PUSH(b.arena, &b.net->namings, ((NetNaming){"keras", NULL, aliases, axes}));
    convolution(&b);
    normalisation(&b);
    tensor(&b, "head.kernel", "18,4", 72, 0, 1);
    tensor(&b, "fc.bias", "4", 4, 0, 1);
    finish(&b);
    CU_ASSERT_TRUE(bind(&b, INIT_NONE));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&b.diag.out), "those of the naming 'keras'"));
    CU_ASSERT_EQUAL(param_floats(param(&b, "fc", P_WEIGHT))[1], 4);
    end(&b);
}

/* A normalisation without scale, without centre, without both; and one that is folded. */
static void test_normalisations(void)
{
    static const char *const names[] = {"bn1.weight", "bn1.bias"};
    Bench b;
    for (int has = 0; has < 3; has++) {
        begin(&b);
        convolution(&b);
        dense(&b);
        tensor(&b, "bn1.running_mean", "2", 2, 3, 1);
        tensor(&b, "bn1.running_var", "2", 2, 1, 1);
        if (has < 2)
            tensor(&b, names[has], "2", 2, 7, 1);
        finish(&b);
        CU_ASSERT_TRUE(bind(&b, INIT_NONE));
        CU_ASSERT_EQUAL(param_floats(param(&b, "bn1", P_WEIGHT))[1], has == 0 ? 8 : 1);
        CU_ASSERT_EQUAL(param_floats(param(&b, "bn1", P_BIAS))[1], has == 1 ? 8 : 0);
        CU_ASSERT_EQUAL(param_floats(param(&b, "bn1", P_MEAN))[1], 4);
        CU_ASSERT_PTR_NOT_NULL(
            strstr(buf_text(&b.diag.out), has ? "no scale: it is 1" : "no centre: it is 0"));
        end(&b);
    }
    begin(&b);
    convolution(&b);
    tensor(&b, "conv1.bias", "2", 2, 5, 1);
    dense(&b);
    finish(&b);
    CU_ASSERT_TRUE(bind(&b, INIT_NONE));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&b.diag.out), "1 normalisations are folded"));
    CU_ASSERT_EQUAL(param_floats(param(&b, "bn1", P_BIAS))[1], 6);
    CU_ASSERT_EQUAL(param_floats(param(&b, "bn1", P_MEAN))[1], 0);
    CU_ASSERT_DOUBLE_EQUAL((double)param_floats(param(&b, "bn1", P_VARIANCE))[0], 1 - 1e-5, 1e-7);
    end(&b);
}

/* A file that calls layers by their classes alone. */
static void test_classes_alone(void)
{
    Bench b;
    begin(&b);
    tensor(&b, "conv2d/kernel", "3,3,3,2", 54, 1, 1);
    finish(&b);
    b.files[0].tensors[0].place = b.files[0].tensors[0].name;
    REFUSED(&b, 1, "0 of its 7 parameters", "keeps the names");
}

static void test_statistics(void)
{
    Bench b;
    begin(&b);
    convolution(&b);
    tensor(&b, "bn1.weight", "2", 2, 1, 1);
    tensor(&b, "bn1.bias", "2", 2, 0, 1);
    dense(&b);
    finish(&b);
    REFUSED(&b, 2, "no tensor 'bn1.running_mean'", "is it GroupNorm");
}

/* The extents of a parameter of the net that others have. */
static void test_defines(void)
{
    Bench b;
    begin(&b);
    VEC_PUSH(b.arena, &b.net->defines, ((NetDefine){"classes", 4}));
    VEC_PUSH(b.arena, &b.net->defines, ((NetDefine){"depth", 3}));
    convolution(&b);
    normalisation(&b);
    tensor(&b, "fc.weight", "7,18", 126, 0, 1);
    tensor(&b, "fc.bias", "7", 7, 0, 1);
    finish(&b);
    REFUSED(&b, 2, "'classes' of the net is 4; -D classes=7 may make it fit");
}

static void test_twice(void)
{
    Bench b;
    begin(&b);
    convolution(&b);
    normalisation(&b);
    dense(&b);
    finish(&b);
    tensor(&b, "fc.bias", "4", 4, 0, 1);
    finish(&b);
    REFUSED(&b, 1, "tensor 'fc.bias' is in", "as well");
    begin(&b);
    net_node_named(b.net, "bn1")->params[P_MEAN]->alias = "bn1.bias";
    convolution(&b);
    normalisation(&b);
    dense(&b);
    finish(&b);
    REFUSED(&b, 2, "'bn1.bias' and 'bn1.running_mean' both take the tensor 'bn1.bias'");
}

static void test_shapes(void)
{
    Bench b;
    begin(&b);
    tensor(&b, "conv1.weight", "3,3,3,2", 54, 1, 1);
    normalisation(&b);
    tensor(&b, "fc.weight", "18,4", 72, 1, 1);
    tensor(&b, "fc.bias", "4,1", 4, 1, 1);
    finish(&b);
    REFUSED(&b, 2, "it is [3][3][3][2], the network needs [2][3][3][3]",
            "this is the order of Keras, [height][width][in][out]; expected is that of PyTorch",
            "`conv.weight -> \"kernel\" hwio`", "it is [18][4], the network needs [4][18]",
            "the order of Keras, [in][out]; expected is that of PyTorch, [out][in]",
            "as 'fc.bias': [4][1] for [4]");
}

/* A kernel of a one-dimensional convolution, and a dense layer's as one of 1x1. */
static void test_axes_of_one(void)
{
    Bench b;
    begin(&b);
    Attrs a = ir_default_attrs(OP_CONV);
    a.kernel[0] = 1;
    a.kernel[1] = 3;
    a.padding[0] = a.padding[1] = a.padding[2] = a.padding[3] = 0;
    a.filters = 2;
    Node *x = ir_add_input(b.net, "signal", (Type){ELEM_F32, 1, 1, 9, 2}, NULL);
    CU_ASSERT_PTR_NOT_NULL(ir_add(b.net, &b.diag, OP_CONV, &x, 1, &a, "wave", NULL));
    convolution(&b);
    normalisation(&b);
    tensor(&b, "fc.weight", "4,18,1,1", 72, 0, 1);
    tensor(&b, "fc.bias", "1,4,1,1", 4, 0, 1);
    tensor(&b, "wave.weight", "2,2,3", 12, 0, 1);
    finish(&b);
    CU_ASSERT_TRUE(bind(&b, INIT_NONE));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&b.diag.out),
                                  "3 tensors differ from the network in axes "
                                  "of extent 1"));
    CU_ASSERT_EQUAL(param_floats(param(&b, "wave", P_WEIGHT))[11], 11);
    CU_ASSERT_EQUAL(param_floats(param(&b, "fc", P_BIAS))[3], 3);
    end(&b);
}

/* A naming that says the order of axes, as Keras' does. */
static void keras_names(Bench *b)
{
    Param *kernel = net_node_named(b->net, "conv1")->params[P_WEIGHT];
    Param *dense_kernel = net_node_named(b->net, "fc")->params[P_WEIGHT];
    kernel->alias = "c.kernel";
    kernel->axes = "hwio";
    dense_kernel->alias = "fc.kernel";
    dense_kernel->axes = "io";
}

static void test_keras_order(void)
{
    Bench b;
    begin(&b);
    keras_names(&b);
    tensor(&b, "c.kernel", "3,3,3,2", 54, 0, 1);
    normalisation(&b);
    tensor(&b, "fc.kernel", "18,4", 72, 0, 1);
    tensor(&b, "fc.bias", "4", 4, 0, 1);
    finish(&b);
    CU_ASSERT_TRUE(bind(&b, INIT_NONE));
    /* [1][2][0][1] is [0][1][2][1] there */
    CU_ASSERT_EQUAL(param_floats(param(&b, "conv1", P_WEIGHT))[27 + 18 + 1],
                    ((0 * 3 + 1) * 3 + 2) * 2 + 1);
    CU_ASSERT_EQUAL(param_floats(param(&b, "fc", P_WEIGHT))[3 * 18 + 5], 5 * 4 + 3);
    end(&b);
}

/* The network's own names have its own order, whatever the naming says. */
static void test_own_names(void)
{
    Bench b;
    begin(&b);
    keras_names(&b);
    convolution(&b);
    normalisation(&b);
    dense(&b);
    finish(&b);
    CU_ASSERT_TRUE(bind(&b, INIT_NONE));
    CU_ASSERT_EQUAL(param_floats(param(&b, "conv1", P_WEIGHT))[2], 3);
    CU_ASSERT_EQUAL(param_floats(param(&b, "fc", P_WEIGHT))[5], 5);
    end(&b);
}

static void test_other_order(void)
{
    Bench b;
    begin(&b);
    keras_names(&b);
    tensor(&b, "c.kernel", "2,3,3,3", 54, 0, 1);
    normalisation(&b);
    tensor(&b, "fc.kernel", "4,18", 72, 0, 1);
    tensor(&b, "fc.bias", "4", 4, 0, 1);
    finish(&b);
    REFUSED(&b, 2, "it is [2][3][3][3], the network needs [3][3][3][2]",
            "the order of PyTorch, [out][in][height][width]; expected is that of the naming, "
            "[height][width][in][out]",
            "without 'hwio' after 'conv.weight -> ...'", "the network needs [18][4]");
}

/* Paths, as Keras has them: what counts is the layer's name and the weight's. */
static void test_paths(void)
{
    Bench b;
    begin(&b);
    keras_names(&b);
    tensor(&b, "model/c/kernel:0", "3,3,3,2", 54, 0, 1);
    normalisation(&b);
    tensor(&b, "inner/fc/kernel", "18,4", 72, 0, 1);
    tensor(&b, "inner/fc/bias", "4", 4, 0, 1);
    finish(&b);
    CU_ASSERT_TRUE(bind(&b, INIT_NONE));
    CU_ASSERT_STRING_EQUAL(buf_text(&b.diag.out), "");
    CU_ASSERT_EQUAL(b.done.left_over, 0);
    end(&b);
    /* Two layers of one name: the paths stay as they are, and nothing is guessed. */
    begin(&b);
    keras_names(&b);
    tensor(&b, "c.kernel", "3,3,3,2", 54, 0, 1);
    normalisation(&b);
    tensor(&b, "a/fc/kernel", "18,4", 72, 0, 1);
    tensor(&b, "b/fc/kernel", "18,4", 72, 0, 1);
    tensor(&b, "fc/bias", "4", 4, 0, 1);
    finish(&b);
    REFUSED(&b, 3, "no tensor 'fc.kernel'", "'a/fc/kernel' belongs to no parameter",
            "'b/fc/kernel' belongs to no parameter");
}

/* A file that says the order of its kernels is not read in another one. */
static void test_axes_disagree(void)
{
    Bench b;
    begin(&b);
    net_node_named(b.net, "fc")->params[P_WEIGHT]->alias = "fc.kernel";
    convolution(&b);
    normalisation(&b);
    tensor(&b, "fc.kernel", "4,18", 72, 0, 1);
    tensor(&b, "fc.bias", "4", 4, 0, 1);
    finish(&b);
    for (int i = 0; i < b.files[0].n; i++) {
        if (str_eq(b.files[0].tensors[i].name, "fc.kernel"))
            b.files[0].tensors[i].axes = "io";
    }
    REFUSED(&b, 1, "'fc.kernel' has the order of Keras, [in][out], and the naming says [out][in]",
            "`dense.weight -> \"kernel\" io`");
}

/* What rnc wrote has the network's names and order, whatever the naming says. */
static void test_own_file(void)
{
    Bench b;
    begin(&b);
    Param *kernel = net_node_named(b.net, "conv1")->params[P_WEIGHT];
    kernel->axes = "hwio"; /* of the same name: only the file can tell */
    convolution(&b);
    normalisation(&b);
    dense(&b);
    finish(&b);
    b.files[0].own = true;
    CU_ASSERT_TRUE(bind(&b, INIT_NONE));
    CU_ASSERT_EQUAL(param_floats(param(&b, "conv1", P_WEIGHT))[2], 3);
    end(&b);
}

static void test_values(void)
{
    static const uint32_t nan = 0x7fc00001, infinity = 0xff800000;
    Bench b;
    begin(&b);
    convolution(&b);
    memcpy(b.data.text + 4 * (27 + 9 + 3 + 2), &nan, 4);
    normalisation(&b);
    tensor(&b, "fc.weight", "4,18", 72, 0, 1);
    memcpy(b.data.text + b.data.n - 4, &infinity, 4);
    tensor(&b, "fc.bias", "4", 4, 0, 1);
    finish(&b);
    REFUSED(&b, 2, "'conv1.weight' holds a NaN at [1][1][1][2]",
            "'fc.weight' holds infinity at [3][17]");
    begin(&b);
    convolution(&b);
    normalisation(&b);
    const float variance = -2e-5f;
    memcpy(b.data.text + b.data.n - 4, &variance, 4);
    dense(&b);
    finish(&b);
    REFUSED(&b, 1, "'bn1.running_var' holds -", "at [1]", "must be above 0");
}

/* One not finite number, wherever it is, in a tensor of several blocks. */
static void test_every_place(void)
{
    static const uint32_t bad[] = {0x7f800000, 0xff800000, 0x7f800001, 0xffffffff};
    static const int places[] = {0, 255, 256, 511, 512, 700};
    static const uint32_t largest = 0x7f7fffff;
    for (int i = 0; i < 24; i++) {
        Bench b;
        begin(&b);
        Attrs a = ir_default_attrs(OP_DENSE);
        a.filters = 701;
        a.bias = false;
        Node *x = ir_add_input(b.net, "v", (Type){ELEM_F32, 1, 1, 1, 1}, NULL);
        CU_ASSERT_PTR_NOT_NULL(ir_add(b.net, &b.diag, OP_DENSE, &x, 1, &a, "wide", NULL));
        convolution(&b);
        normalisation(&b);
        dense(&b);
        tensor(&b, "wide.weight", "701,1", 701, 0, 0);
        unsigned char *at = (unsigned char *)b.data.text + b.data.n - (size_t)701 * 4;
        for (int k = 0; k < 701; k++)
            memcpy(at + 4 * k, &largest, 4);
        memcpy(at + 4 * places[i / 4], &bad[i % 4], 4);
        finish(&b);
        CU_ASSERT_FALSE(bind(&b, INIT_NONE));
        const char *where = arena_printf(b.arena, " at [%d][0]\n", places[i / 4]);
        CU_ASSERT(b.diag.errors == 1 && strstr(buf_text(&b.diag.out), where) != NULL);
        end(&b);
    }
}

static void test_element_type(void)
{
    Bench b;
    begin(&b);
    convolution(&b);
    normalisation(&b);
    tensor(&b, "fc.weight", "4,18", 72, 0, 1);
    tensor(&b, "fc.bias", "4", 4, 0, 1);
    char *last = NULL;
    for (char *p = b.header.text; (p = strstr(p, "F32")); p++)
        last = p;
    memcpy(last, "I32", 3);
    finish(&b);
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
    CU_ADD_TEST(suite, test_axes_of_one);
    CU_ADD_TEST(suite, test_twice);
    CU_ADD_TEST(suite, test_shapes);
    CU_ADD_TEST(suite, test_keras_order);
    CU_ADD_TEST(suite, test_own_names);
    CU_ADD_TEST(suite, test_other_order);
    CU_ADD_TEST(suite, test_paths);
    CU_ADD_TEST(suite, test_axes_disagree);
    CU_ADD_TEST(suite, test_own_file);
    CU_ADD_TEST(suite, test_values);
    CU_ADD_TEST(suite, test_every_place);
    CU_ADD_TEST(suite, test_element_type);
}
