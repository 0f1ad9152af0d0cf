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
    CU_ASSERT_EQUAL_FATAL(ast->decls.n, 1);
    return naming_make(&f->naming, ast->decls.at[0], f->arena, &f->d);
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

static void test_roles(void)
{
    Fixture f;
    const char *axes = "none";
    CU_ASSERT(open_naming(&f, "bn.weight -> \"gamma\"\nbn.running_mean -> \"moving_mean\""));
    CU_ASSERT_STRING_EQUAL(naming_role(&f.naming, OP_BN, P_WEIGHT, &axes), "gamma");
    CU_ASSERT_STRING_EQUAL(naming_role(&f.naming, OP_BN, P_MEAN, &axes), "moving_mean");
    CU_ASSERT_STRING_EQUAL(naming_role(&f.naming, OP_BN, P_BIAS, &axes), "bias");
    CU_ASSERT_STRING_EQUAL(naming_role(&f.naming, OP_CONV, P_WEIGHT, &axes), "weight");
    CU_ASSERT_PTR_NULL(axes);
    arena_free(f.arena);
}

static void test_axes(void)
{
    Fixture f;
    const char *axes = NULL;
    CU_ASSERT(open_naming(&f, "conv.weight -> \"kernel\" hwio\ndense.weight -> \"weight\" oi\n"
                              "conv.weight -> \"later\""));
    CU_ASSERT_STRING_EQUAL(naming_role(&f.naming, OP_CONV, P_WEIGHT, &axes), "kernel");
    CU_ASSERT_STRING_EQUAL(axes, "hwio");
    CU_ASSERT_STRING_EQUAL(naming_role(&f.naming, OP_DENSE, P_WEIGHT, &axes), "weight");
    CU_ASSERT_PTR_NULL(axes); /* the network's own */
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
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Fixture f;
        CU_ASSERT_FALSE(open_naming(&f, rows[i]));
        CU_ASSERT_EQUAL(f.d.errors, 1);
        arena_free(f.arena);
    }
}

void suite_naming(void)
{
    CU_pSuite s = CU_add_suite("naming", NULL, NULL);
    CU_add_test(s, "the first pattern that matches", test_first_match);
    CU_add_test(s, "variables with dots", test_dots);
    CU_add_test(s, "arithmetic and letters", test_arithmetic);
    CU_add_test(s, "many variables take no long time", test_many_variables);
    CU_add_test(s, "names of parameters", test_roles);
    CU_add_test(s, "orders of axes", test_axes);
    CU_add_test(s, "channels of the layer", test_channels);
    CU_add_test(s, "what is no naming", test_refused);
}
