/* test_naming.c: patterns of layer names. */
#include "lang/naming.h"
#include "lang/parse.h"

#include <CUnit/CUnit.h>

#include <string.h>

static jmp_buf oom;

typedef struct Fixture {
    Arena *arena;
    SrcMap map;
    Diag d;
    Naming naming;
} Fixture;

static bool open_naming(Fixture *f, const char *rows)
{
    f->arena = arena_new(&oom);
    f->map = (SrcMap){.arena = f->arena};
    f->d = diag_new(&f->map, f->arena);
    const char *text = arena_printf(f->arena, "naming n {\n%s\n}\n", rows);
    const Ast *ast = parse_file(f->arena, src_add(&f->map, "n", text, strlen(text)), &f->d);
    CU_ASSERT_FATAL(ast->decls.n >= 1);
    NamingDecls known = {0};
    for (int i = 0; i < ast->decls.n; i++)
        VEC_PUSH(f->arena, &known, ast->decls.at[i]);
    return naming_make(&f->naming, ast->decls.at[0], &known, f->arena, &f->d);
}

static void maps(Fixture *f, const char *path, const char *expected)
{
    CU_ASSERT_STRING_EQUAL(naming_path(&f->naming, path, 6, f->arena), expected);
}

static void test_first_match(void)
{
    Fixture f;
    CU_ASSERT(open_naming(&f, "\"{s}.{b}.main.{l}\" -> \"{s}.{b}.{l}\"\n"
                              "\"dense1\" -> \"fc\"\n\"dense{n}\" -> \"other{n}\""));
    maps(&f, "layer2.0.main.conv1", "layer2.0.conv1");
    maps(&f, "dense1", "fc");
    maps(&f, "dense2", "other2");
    maps(&f, "layer2.0.main.se.conv1", "layer2.0.main.se.conv1"); /* {l} takes no dot */
    maps(&f, "layer2.0.main.", "layer2.0.main.");                 /* one character at least */
    maps(&f, "dense", "dense");
    arena_free(f.arena);
}

static void test_dots(void)
{
    Fixture f;
    CU_ASSERT(open_naming(&f, "\"{a}.{p*}.{z}\" -> \"{z}/{p}/{a}\""));
    maps(&f, "x.y.z", "z/y/x");
    maps(&f, "x.1.2.3.z", "z/1.2.3/x");
    maps(&f, "x.z", "x.z");
    arena_free(f.arena);
}

static void test_arithmetic(void)
{
    Fixture f;
    CU_ASSERT(open_naming(&f, "\"layer{s}.{b}.conv{n}\" -> \"res{s+1}{b:a}_branch2{n-1:a}\""));
    maps(&f, "layer1.0.conv1", "res2a_branch2a");
    maps(&f, "layer4.2.conv3", "res5c_branch2c");
    maps(&f, "layer4.25.conv3", "res5z_branch2c");
    maps(&f, "layer4.26.conv3", "layer4.26.conv3"); /* no letter */
    maps(&f, "layer4.0.conv0", "layer4.0.conv0");   /* below zero */
    maps(&f, "layerX.0.conv1", "layerX.0.conv1");   /* no number */
    maps(&f, "layer99999999999999999999.0.conv1", "layer99999999999999999999.0.conv1");
    arena_free(f.arena);
}

static void test_many_variables(void)
{
    Fixture f;
    char path[2001];
    memset(path, 'a', 2000);
    path[2000] = '\0';
    CU_ASSERT(open_naming(&f, "\"{a*}a{b*}a{c*}a{d*}a{e*}a{f*}a{g*}X\" -> \"x\""));
    maps(&f, path, path); /* in time that is not a power of the length */
    arena_free(f.arena);
}

/* The name of a parameter of `layer`. */
static void names(Fixture *f, Op op, Role role, const char *layer, const char *expected,
                  const char *expected_axes)
{
    const char *axes = "none";
    const char *name = naming_param(&f->naming, op, role, layer, 6, &axes, f->arena);
    CU_ASSERT_STRING_EQUAL(name, expected);
    CU_ASSERT(expected_axes ? axes && str_eq(axes, expected_axes) : !axes);
}

static void test_roles(void)
{
    Fixture f;
    CU_ASSERT(open_naming(&f, "bn.weight -> \"gamma\"\nbn.running_mean -> \"moving_mean\""));
    names(&f, OP_BN, P_WEIGHT, "a.bn1", "a.bn1.gamma", NULL);
    names(&f, OP_BN, P_MEAN, "a.bn1", "a.bn1.moving_mean", NULL);
    names(&f, OP_BN, P_BIAS, "a.bn1", "a.bn1.bias", NULL);
    names(&f, OP_CONV, P_WEIGHT, "c", "c.weight", NULL);
    arena_free(f.arena);
}

static void test_axes(void)
{
    Fixture f;
    CU_ASSERT(open_naming(&f, "conv.weight -> \"kernel\" hwio\ndense.weight -> \"weight\" oi\n"
                              "conv.weight -> \"later\""));
    names(&f, OP_CONV, P_WEIGHT, "c", "c.kernel", "hwio");
    names(&f, OP_DENSE, P_WEIGHT, "d", "d.weight", NULL); /* the network's own */
    arena_free(f.arena);
}

/* Names of parameters as a whole: without a dot, one layer for two, two for one. */
static void test_whole(void)
{
    Fixture f;
    CU_ASSERT(open_naming(&f, "\"{b}.{l*}\" -> \"{l}/{b}\"\n"
                              "conv.weight -> \"kernel\" hwio\n"
                              "conv.weight \"{b}.dw\" -> \"{b}/depthwise_kernel\" hwio\n"
                              "conv.weight \"{b}.pw\" -> \"{b}/pointwise_kernel\" hwio\n"
                              "conv.bias \"{b}.pw\" -> \"{b}/bias\"\n"
                              "bn.weight \"conv{n}.{x}\" -> \"conv{n+1}_{x}_bn_scale\""));
    names(&f, OP_CONV, P_WEIGHT, "sep.dw", "sep/depthwise_kernel", "hwio");
    names(&f, OP_CONV, P_WEIGHT, "sep.pw", "sep/pointwise_kernel", "hwio");
    names(&f, OP_CONV, P_BIAS, "sep.pw", "sep/bias", NULL);
    names(&f, OP_CONV, P_BIAS, "sep.dw", "dw/sep.bias", NULL);
    names(&f, OP_CONV, P_WEIGHT, "a.b", "b/a.kernel", "hwio");
    names(&f, OP_BN, P_WEIGHT, "conv4.expand", "conv5_expand_bn_scale", NULL);
    names(&f, OP_BN, P_BIAS, "conv4.expand", "expand/conv4.bias", NULL);
    arena_free(f.arena);
}

/* Rows of another naming, at their place: what stands before wins. */
static void test_include(void)
{
    Fixture f;
    CU_ASSERT(open_naming(&f, "\"head\" -> \"mine\"\ninclude other\n\"fc\" -> \"late\"\n}\n"
                              "naming other {\n\"head\" -> \"theirs\"\n\"fc\" -> \"dense\"\n"
                              "bn.weight -> \"gamma\""));
    maps(&f, "head", "mine");
    maps(&f, "fc", "dense");
    names(&f, OP_BN, P_WEIGHT, "b", "b.gamma", NULL);
    arena_free(f.arena);
    CU_ASSERT_FALSE(open_naming(&f, "include othr\n}\nnaming other {\ninclude n"));
    CU_ASSERT(f.d.errors == 1 && strstr(buf_text(&f.d.out), "did you mean 'other'?") != NULL);
    arena_free(f.arena);
    CU_ASSERT_FALSE(open_naming(&f, "include other\n}\nnaming other {\ninclude n"));
    CU_ASSERT(f.d.errors == 1 && strstr(buf_text(&f.d.out), "includes itself") != NULL);
    arena_free(f.arena);
}

/* Sums and products, of several variables too. */
static void test_products(void)
{
    Fixture f;
    CU_ASSERT(open_naming(&f, "\"s{s}.{b}.conv{n}\" -> \"conv2d_{6*s + b*2 + n - 1}\"\n"
                              "\"m{i}\" -> \"{2*i-4:a}\"\n\"x{i}\" -> \"{0-i+3}\""));
    maps(&f, "s0.0.conv1", "conv2d_0");
    maps(&f, "s2.1.conv2", "conv2d_15");
    maps(&f, "sx.1.conv2", "sx.1.conv2");
    maps(&f, "m3", "c");
    maps(&f, "m1", "m1"); /* below zero */
    maps(&f, "x2", "1");
    maps(&f, "x4", "x4");
    maps(&f, "s99999999999.0.conv1", "conv2d_599999999994");
    maps(&f, "s999999999999.0.conv1", "s999999999999.0.conv1"); /* too long a number */
    arena_free(f.arena);
}

static void test_channels(void)
{
    Fixture f;
    CU_ASSERT(open_naming(&f, "\"dense1\" -> \"fc{channels}\"\n"
                              "\"conv{channels}\" -> \"c{channels}\""));
    maps(&f, "dense1", "fc6");
    maps(&f, "conv3", "c3"); /* a variable of the pattern goes first */
    arena_free(f.arena);
}

static void test_refused(void)
{
    static const char *const rows[] = {
        "\"{a}{b}\" -> \"x\"",
        "\"{a}.{a}\" -> \"x\"",
        "\"{a+1}\" -> \"x\"",
        "\"a\" -> \"{b}\"",
        "\"{a*}\" -> \"{a+1}\"",
        "\"{a\" -> \"x\"",
        "\"{}\" -> \"x\"",
        "\"\" -> \"x\"",
        "\"a\" -> \"\"",
        "\"{a}\" -> \"{a+}\"",
        "relu.weight -> \"x\"",
        "bn.gamma -> \"x\"",
        "\"{a}\" -> \"{a*}\"",
        "\"{1}\" -> \"x\"",
        "conv.weight -> \"x\" hwoo",
        "conv.weight -> \"x\" io",
        "dense.weight -> \"x\" hwio",
        "conv.bias -> \"x\" o",
        "\"a\" -> \"{channels+1}\"",
        "\"a{n}\" -> \"{2}\"",
        "\"a{n}\" -> \"{2*}\"",
        "\"a{n}\" -> \"{n+}\"",
        "\"a{n}\" -> \"{n*n}\"",
        "\"a{n}\" -> \"{n:b}\"",
        "\"a{2*n}\" -> \"{n}\"",
        "\"a{n+m}\" -> \"{n}\"",
        "conv.weight \"a{n}\" -> \"{m}\"",
        "conv.gamma \"a\" -> \"b\"",
        "include nobody",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Fixture f;
        CU_ASSERT_FALSE(open_naming(&f, rows[i]));
        CU_ASSERT_EQUAL(f.d.errors, 1);
        arena_free(f.arena);
    }
}

/* Many patterns for many layers: a match keeps no memory. */
static void test_many_rows(void)
{
    enum { ROWS = 300, LAYERS = 3000 };
    Fixture f;
    Arena *arena = arena_new(&oom);
    Buf rows = buf_new(arena);
    for (int i = 0; i < ROWS; i++)
        buf_printf(&rows, "\"{a}.{b}.{c}.row%d\" -> \"{a}.{b}.{c}\"\n", i);
    CU_ASSERT_FATAL(open_naming(&f, buf_text(&rows)));
    const bool ran_out = setjmp(oom) != 0;
    if (!ran_out) {
        arena_limit(f.arena, 1 << 20);
        for (int i = 0; i < LAYERS; i++)
            maps(&f, "stage.block.main.conv", "stage.block.main.conv");
    }
    CU_ASSERT_FALSE(ran_out);
    arena_free(f.arena);
    arena_free(arena);
}

void suite_naming(void)
{
    CU_pSuite s = CU_add_suite("naming", NULL, NULL);
    CU_add_test(s, "the first pattern that matches", test_first_match);
    CU_add_test(s, "variables with dots", test_dots);
    CU_add_test(s, "arithmetic and letters", test_arithmetic);
    CU_add_test(s, "many variables take no long time", test_many_variables);
    CU_add_test(s, "many rows take no memory", test_many_rows);
    CU_add_test(s, "names of parameters", test_roles);
    CU_add_test(s, "orders of axes", test_axes);
    CU_add_test(s, "names of parameters as a whole", test_whole);
    CU_add_test(s, "namings that include others", test_include);
    CU_add_test(s, "sums and products", test_products);
    CU_add_test(s, "channels of the layer", test_channels);
    CU_add_test(s, "what is no naming", test_refused);
}
