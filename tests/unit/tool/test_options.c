/* test_options.c: the command line, and the names of the outputs. */
#include "emit/identifiers.h"
#include "tool/installed.h"
#include "tool/options.h"

#include <CUnit/CUnit.h>

#include <stdio.h>
#include <string.h>

typedef struct Case {
    jmp_buf oom;
    Arena *arena;
    SrcMap src;
    Diag d;
    Options o;
    bool good;
} Case;

/* The line as a shell would split it at blanks. */
static void parse(Case *c, const char *line)
{
    enum { MOST = 32 };
    char *argv[MOST];
    int argc = 0;
    c->arena = arena_new(&c->oom);
    c->src = (SrcMap){.arena = c->arena};
    c->d = diag_new(&c->src, c->arena);
    for (char *at = arena_strdup(c->arena, line); *at && argc < MOST;) {
        argv[argc++] = at;
        at += strcspn(at, " ");
        if (*at)
            *at++ = '\0';
    }
    c->good = options_parse(&c->o, argc, argv, c->arena, &c->d);
}

static void refused(const char *line, const char *message)
{
    Case c;
    parse(&c, line);
    CU_ASSERT_FALSE(c.good);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&c.d.out), message));
    if (!strstr(buf_text(&c.d.out), message))
        printf("%s: expected \"%s\" in:\n%s", line, message, buf_text(&c.d.out));
    arena_free(c.arena);
}

static void test_installed(void)
{
    jmp_buf oom;
    Arena *arena = arena_new(&oom);
    static const char *const rows[][4] = {
        /* program, bindir, configured, where it is */
        {"/opt/rnc/bin/rnc", "/usr/local/bin", "/usr/local/share/rnc/models",
         "/opt/rnc/share/rnc/models"},
        {"/usr/local/bin/rnc", "/usr/local/bin", "/usr/local/share/rnc/models",
         "/usr/local/share/rnc/models"},
        {"/home/a/rnc/build/rnc", "/usr/bin", "/usr/share/rnc/models", "/usr/share/rnc/models"},
        {"/home/a/cabin/rnc", "/usr/bin", "/usr/share/rnc/models", "/usr/share/rnc/models"},
        {"/m/tools/x86/rnc", "/a/tools/x86", "/a/data/models", "/m/data/models"},
        {"/bin/rnc", "/usr/bin", "/usr/share/rnc/models", "/share/rnc/models"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CU_ASSERT_STRING_EQUAL(installed_from(rows[i][0], rows[i][1], rows[i][2], arena),
                               rows[i][3]);
    arena_free(arena);
}

static void test_plain(void)
{
    Case c;
    parse(&c, "rnc a.net");
    CU_ASSERT(c.good);
    CU_ASSERT_EQUAL(c.o.command, COMMAND_compile);
    CU_ASSERT_STRING_EQUAL(c.o.compile.input, "a.net");
    CU_ASSERT_STRING_EQUAL(c.o.compile.emit.command, "rnc a.net");
    CU_ASSERT_PTR_NULL(c.o.compile.passes);
    CU_ASSERT_EQUAL(c.o.compile.lower.n_include_dirs, 1);
    arena_free(c.arena);
    parse(&c, "rnc compile a.net");
    CU_ASSERT(c.good && c.o.command == COMMAND_compile);
    arena_free(c.arena);
}

static void test_all(void)
{
    Case c;
    parse(&c, "rnc -Dclasses=10 x/y/a.net -w p.safetensors --weights=q.safetensors -o d/out.c "
              "-D size=33 -I inc --names keras --batch 4 --input-type u8 --input-order nhwc "
              "--tap layer1 --isa avx2,scalar --backend openblas --embed incbin --single-file "
              "--report json -q");
    CU_ASSERT(c.good);
    CU_ASSERT_EQUAL(c.o.compile.n_weights, 2);
    CU_ASSERT_STRING_EQUAL(c.o.compile.weights[1], "q.safetensors");
    CU_ASSERT_EQUAL(c.o.compile.lower.n_defines, 2);
    CU_ASSERT_STRING_EQUAL(c.o.compile.lower.defines[0], "classes=10");
    CU_ASSERT_STRING_EQUAL(c.o.compile.lower.include_dirs[0], "inc");
    CU_ASSERT_STRING_EQUAL(c.o.compile.lower.naming, "keras");
    CU_ASSERT_EQUAL(c.o.compile.lower.batch, 4);
    CU_ASSERT_STRING_EQUAL(c.o.compile.lower.input_type, "u8");
    CU_ASSERT_STRING_EQUAL(c.o.compile.lower.taps[0], "layer1");
    CU_ASSERT_EQUAL(c.o.compile.plan.isas, 1u << ISA_avx2 | 1u << ISA_scalar);
    CU_ASSERT_EQUAL(c.o.compile.plan.backend, BACKEND_OPENBLAS);
    CU_ASSERT_EQUAL(c.o.compile.emit.embed, EMBED_INCBIN);
    CU_ASSERT(c.o.compile.emit.single_file && c.o.quiet);
    CU_ASSERT_EQUAL(c.o.report, REPORT_JSON);
    /* What the emitted comment says carries no path. */
    CU_ASSERT_STRING_EQUAL(c.o.compile.emit.command,
                           "rnc a.net -D classes=10 -D size=33 --names keras --batch 4 "
                           "--input-type u8 --input-order nhwc --tap layer1 --isa avx2,scalar "
                           "--backend openblas --embed incbin --single-file");
    arena_free(c.arena);
}

static void test_passes(void)
{
    Case c;
    parse(&c, "rnc a.net --passes= --dump ir");
    CU_ASSERT(c.good && c.o.compile.passes && c.o.compile.n_passes == 0);
    arena_free(c.arena);
    parse(&c, "rnc a.net --passes dce,fold_bn --dump ir");
    CU_ASSERT(c.good && c.o.compile.n_passes == 2);
    arena_free(c.arena);
}

static void test_dependencies(void)
{
    Case c;
    parse(&c, "rnc a.net -MD -MP -MF made.d");
    CU_ASSERT(c.good && c.o.dependencies && c.o.dependency_phony);
    CU_ASSERT_STRING_EQUAL(c.o.dependency_file, "made.d");
    arena_free(c.arena);
    parse(&c, "rnc a.net -MFmade.d");
    CU_ASSERT(c.good && c.o.dependencies && !c.o.dependency_phony);
    CU_ASSERT_STRING_EQUAL(c.o.dependency_file, "made.d");
    arena_free(c.arena);
    refused("rnc a.net -MP", "give one of them");
    refused("rnc a.net -MX", "unknown option '-MX'; did you mean '-MD'?");
    refused("rnc a.net --MD", "unknown option '--MD'");
    refused("rnc graph a.net -MD", "give the picture one with -o");
    refused("rnc a.net -MD --dump plan", "--dump makes none");
}

static void test_refusals(void)
{
    refused("rnc", "no network is given");
    refused("rnc a.net --emebd file", "unknown option '--emebd'; did you mean '--embed'?");
    refused("rnc a.net -x", "unknown option '-x'");
    refused("rnc a.net --tolerance 1", "'rnc verify' has one of that name");
    refused("rnc a.net b.net", "two networks are given: 'a.net' and 'b.net'");
    refused("rnc evl a.net", "unknown command 'evl'; did you mean 'eval'?");
    refused("rnc ./eval a.net", "two networks are given: './eval' and 'a.net'");
    refused("rnc a.net -o", "a value must follow: FILE.c");
    refused("rnc a.net --quiet=yes", "--quiet takes no value");
    refused("rnc a.net --batch 0", "'0' is no value for --batch");
    refused("rnc a.net --batch 9999999999999999999", "is no value for --batch");
    refused("rnc a.net --batch 4x", "a whole number from 1 to");
    refused("rnc a.net --isa avx215", "did you mean 'avx512'?");
    refused("rnc a.net --isa ,", "is no value for --isa");
    refused("rnc a.net --isa all,avx215", "did you mean 'avx512'?");
    refused("rnc a.net --isa sclar", "--isa takes avx512, avx2, neon, portable, scalar or all");
    refused("rnc a.net --dump plans", "did you mean 'plan'?");
    refused("rnc a.net --passes fold", "--passes takes");
    refused("rnc a.net --after dce", "--after says which network --dump ir shows");
    refused("rnc a.net -D classes", "NAME=VALUE");
    refused("rnc a.net -D =1", "NAME=VALUE");
    refused("rnc a.net --embed array", "give them with -w");
    refused("rnc eval a.net --init he:1 --random 1 --input x.npy", "take either");
    refused("rnc verify a.net -w b --tolerance -1", "not negative");
    refused("rnc verify a.net -w b --tolerance nan", "not negative");
    refused("rnc doc a.net", "takes no file");
}

static void test_inspecting(void)
{
    Case c;
    parse(&c, "rnc summary a.net -D n=1 --against b.net -D n=2 --format json --expand");
    CU_ASSERT(c.good && c.o.command == COMMAND_summary && c.o.expand);
    CU_ASSERT_EQUAL(c.o.report, REPORT_JSON);
    CU_ASSERT_STRING_EQUAL(c.o.against, "b.net");
    CU_ASSERT_EQUAL(c.o.compile.lower.n_defines, 1);
    CU_ASSERT_EQUAL(c.o.against_defines.n, 1);
    CU_ASSERT_STRING_EQUAL(c.o.against_defines.at[0], "n=2");
    arena_free(c.arena);
    parse(&c, "rnc graph a.net -o b.dot");
    CU_ASSERT(c.good && c.o.graph_format == GRAPH_DOT);
    arena_free(c.arena);
    parse(&c, "rnc graph a.net -o b.dot --format svg");
    CU_ASSERT(c.good && c.o.graph_format == GRAPH_SVG);
    arena_free(c.arena);
    parse(&c, "rnc graph a.net");
    CU_ASSERT(c.good && c.o.graph_format == GRAPH_SVG);
    arena_free(c.arena);
    refused("rnc summary a.net --format svg", "--format takes text or json");
    refused("rnc graph a.net --format json", "--format takes svg or dot");
    refused("rnc graph a.net -o a.png", "'a.png' does not say which format the graph is to have");
    refused("rnc sumary a.net", "unknown command 'sumary'; did you mean 'summary'?");
    refused("rnc summary a.net -w b", "unknown option '-w'");
}

static void test_dashes(void)
{
    Case c;
    parse(&c, "rnc -- -a.net");
    CU_ASSERT(c.good);
    CU_ASSERT_STRING_EQUAL(c.o.compile.input, "-a.net");
    arena_free(c.arena);
}

/* Every option of a command is in its help, and no line is wider than a terminal. */
static void test_help(void)
{
    static const Command commands[] = {
#define COMMAND(id, letter, usage, brief, what, doc) COMMAND_##id,
#include "tool/options.def"
    };
    jmp_buf oom;
    Arena *arena = arena_new(&oom);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        Buf text = buf_new(arena);
        options_help(&text, commands[i]);
        CU_ASSERT(str_starts(buf_text(&text), "usage: rnc"));
        CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&text), "--help"));
        for (const char *at = buf_text(&text); *at;) {
            size_t n = strcspn(at, "\n");
            CU_ASSERT(n <= 100);
            at += n + (at[n] == '\n');
        }
    }
    arena_free(arena);
}

static void names(const char *line, const char *name, const char *base)
{
    Case c;
    const char *found = NULL;
    parse(&c, line);
    CU_ASSERT_FATAL(c.good);
    bool good = names_of_outputs(&c.o, c.arena, &c.d, &found);
    CU_ASSERT_EQUAL(good, name != NULL);
    if (good && name) {
        CU_ASSERT_STRING_EQUAL(c.o.compile.emit.name, name);
        CU_ASSERT_STRING_EQUAL(found, base);
    }
    arena_free(c.arena);
}

static void test_names(void)
{
    names("rnc models/resnet50.net", "resnet50", "resnet50");
    names("rnc models/wide-resnet.v2.net", "wide_resnet_v2", "wide-resnet.v2");
    names("rnc models/50.net", "net_50", "50");
    names("rnc a.net -o out/b.c", "b", "out/b");
    names("rnc a.net -o out/int.c", "net_int", "out/int");
    names("rnc net", "net_net", "net");
    names("rnc a.net -o out/b.cpp", NULL, NULL);
    names("rnc a.net -o out/.c", NULL, NULL);
    names("rnc a.net -o out", NULL, NULL);
    names("rnc .net", NULL, NULL);
    names("rnc a.net -o x\"y.c", NULL, NULL);
}

static void test_identifiers(void)
{
    static const char *const pairs[][2] = {
        {"resnet50", "resnet50"},
        {"a.b-c", "a_b_c"},
        {"50", "p_50"},
        {"while", "p_while"},
        {"whil", "whil"},
        {"rnc_x", "p_rnc_x"},
        {"memcpy", "p_memcpy"},
        {"", "p_"},
        {"\xc3\xa9", "p___"},
        {"linux", "p_linux"},
        {"step_1", "step_1"},
        {"x_", "x_"},
        {"w", "w"},
        {"EDOM", "p_EDOM"},
        {"y0", "p_y0"},
        {"pthread_of", "p_pthread_of"},
        {"near", "p_near"},
        {"I", "p_I"},
    };
    jmp_buf oom;
    Arena *arena = arena_new(&oom);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        CU_ASSERT_STRING_EQUAL(c_identifier(arena, pairs[i][0], "p_"), pairs[i][1]);
    CU_ASSERT(is_header_name("string") && is_header_name("pthread"));
    CU_ASSERT(!is_header_name("strin") && !is_header_name("tring") && !is_header_name("") &&
              !is_header_name("string time") && !is_header_name("resnet50"));
    CU_ASSERT_STRING_EQUAL(c_upper(arena, "Resnet_50"), "RESNET_50");
    arena_free(arena);
}

void suite_options(void)
{
    CU_pSuite s = CU_add_suite("options", NULL, NULL);
    CU_add_test(s, "-MD, -MF and -MP", test_dependencies);
    CU_add_test(s, "a network alone", test_plain);
    CU_add_test(s, "where what was installed is", test_installed);
    CU_add_test(s, "every option", test_all);
    CU_add_test(s, "lists of passes", test_passes);
    CU_add_test(s, "refusals", test_refusals);
    CU_add_test(s, "summary and graph", test_inspecting);
    CU_add_test(s, "words behind --", test_dashes);
    CU_add_test(s, "help", test_help);
    CU_add_test(s, "names of the outputs", test_names);
    CU_add_test(s, "C identifiers", test_identifiers);
}
