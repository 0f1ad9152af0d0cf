/* test_init.c: initial values against published bits, and their statistics. */
#include "bind.h"

#include <CUnit/CUnit.h>

#include <math.h>
#include <string.h>

typedef struct Bench {
    jmp_buf oom;
    Arena *arena;
    SrcMap src;
    Diag diag;
} Bench;

static void begin(Bench *b)
{
    b->arena = arena_new(&b->oom);
    b->src = (SrcMap){.arena = b->arena};
    b->diag = diag_new(&b->src, b->arena);
}

static uint32_t bits(float x)
{
    uint32_t b;
    memcpy(&b, &x, sizeof b);
    return b;
}

/* The known answer of the paper's own code. */
static void test_philox(void)
{
    const uint32_t zero[4] = {0}, ones[4] = {~0u, ~0u, ~0u, ~0u};
    uint32_t out[4];
    philox4x32(zero, zero, out);
    CU_ASSERT(out[0] == 0x6627e8d5 && out[1] == 0xe169c58d);
    CU_ASSERT(out[2] == 0xbc57ac4c && out[3] == 0x9b00dbd8);
    philox4x32(ones, ones, out);
    CU_ASSERT(out[0] == 0x408f276d && out[1] == 0x41c83b0e);
    CU_ASSERT(out[2] == 0xa20bc7c6 && out[3] == 0x6d5451fd);
}

/* Element `nth` in TensorFlow's order of a kernel [out][in][k][k]. */
static float at_hwio(const Param *p, int nth)
{
    const int out = p->dims[0], in = p->dims[1], window = p->dims[2] * p->dims[3];
    const int o = nth % out, i = nth / out % in, w = nth / out / in;
    return p->data[(o * in + i) * window + w];
}

/* glorot_uniform(seed=0) of TensorFlow 1.x, kernels 1x1x6x2 and 2x2x2x4. */
static void test_glorot_bits(void)
{
    static const uint32_t small[] = {0xbf30fac1, 0x3f50796d, 0x3f1aa4cf, 0xbf484b59};
    static const uint32_t large[] = {0xbecc5bbc, 0x3ef0b9b4, 0x3eb29138, 0xbee747ac};
    Bench b;
    begin(&b);
    const Node conv = {.op = OP_CONV}, dense = {.op = OP_DENSE};
    Param p = {.role = P_WEIGHT, .rank = 4, .dims = {2, 6, 1, 1}};
    Param q = {.role = P_WEIGHT, .rank = 4, .dims = {4, 2, 2, 2}};
    Param r = {.role = P_WEIGHT, .rank = 2, .dims = {2, 6}};
    init_param(&p, &conv, (InitSpec){INIT_GLOROT, 0}, b.arena);
    init_param(&q, &conv, (InitSpec){INIT_GLOROT, 0}, b.arena);
    init_param(&r, &dense, (InitSpec){INIT_GLOROT, 0}, b.arena);
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(bits(at_hwio(&p, i)), small[i]);
        CU_ASSERT_EQUAL(bits(at_hwio(&q, i)), large[i]);
    }
    CU_ASSERT_EQUAL(memcmp(p.data, r.data, sizeof(float) * 12), 0);
    arena_free(b.arena);
}

/* Mean, deviation and largest magnitude of an initialised 64x64x3x3 kernel. */
static void measure(Bench *b, InitSpec spec, double *mean, double *deviation, double *most)
{
    const Node conv = {.op = OP_CONV};
    Param p = {.role = P_WEIGHT, .rank = 4, .dims = {64, 64, 3, 3}};
    const int n = 64 * 64 * 9;
    double sum = 0, squares = 0;
    init_param(&p, &conv, spec, b->arena);
    *most = 0;
    for (int i = 0; i < n; i++) {
        const double x = (double)p.data[i];
        sum += x;
        squares += x * x;
        *most = fabs(x) > *most ? fabs(x) : *most;
    }
    *mean = sum / n;
    *deviation = sqrt(squares / n - *mean * *mean);
}

static void test_statistics(void)
{
    const double glorot = sqrt(6.0 / (2 * 576)), he = sqrt(2.0 / 576);
    double mean, deviation, most, other;
    Bench b;
    begin(&b);
    measure(&b, (InitSpec){INIT_GLOROT, 5}, &mean, &deviation, &most);
    CU_ASSERT(fabs(mean) < glorot / 50);
    CU_ASSERT_DOUBLE_EQUAL(deviation, glorot / sqrt(3), glorot / 50);
    CU_ASSERT(most <= glorot && most > 0.99 * glorot);
    measure(&b, (InitSpec){INIT_GLOROT, UINT64_C(5) << 40}, &mean, &other, &most);
    CU_ASSERT(other != deviation); /* both halves of a seed count */
    measure(&b, (InitSpec){INIT_HE, 1}, &mean, &deviation, &most);
    CU_ASSERT(fabs(mean) < he / 50);
    CU_ASSERT_DOUBLE_EQUAL(deviation, he, he / 50);
    CU_ASSERT(most > 3.5 * he && most < 7 * he);
    measure(&b, (InitSpec){INIT_NORMAL, 1}, &mean, &deviation, &most);
    CU_ASSERT_DOUBLE_EQUAL(deviation, 0.01, 0.0002);
    measure(&b, (InitSpec){INIT_ONES, 0}, &mean, &deviation, &most);
    CU_ASSERT(mean == 1 && most == 1);
    measure(&b, (InitSpec){INIT_ZEROS, 0}, &mean, &deviation, &most);
    CU_ASSERT(mean == 0 && most == 0);
    arena_free(b.arena);
}

/* Batch normalisation begins as the identity, whatever the weights get. */
static void test_other_roles(void)
{
    static const struct {
        Op op;
        Role role;
        float value;
    } rows[] = {
        {OP_BN, P_WEIGHT, 1},   {OP_BN, P_BIAS, 0},   {OP_BN, P_MEAN, 0},
        {OP_BN, P_VARIANCE, 1}, {OP_CONV, P_BIAS, 0}, {OP_DENSE, P_BIAS, 0},
    };
    Bench b;
    begin(&b);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const Node node = {.op = rows[i].op};
        Param p = {.role = rows[i].role, .rank = 1, .dims = {3}};
        init_param(&p, &node, (InitSpec){INIT_GLOROT, 9}, b.arena);
        for (int k = 0; k < 3; k++)
            CU_ASSERT_EQUAL(p.data[k], rows[i].value);
        /* random draws these too: scales about 1, the others small, none as it was. */
        init_param(&p, &node, (InitSpec){INIT_RANDOM, 9}, b.arena);
        for (int k = 0; k < 3; k++)
            CU_ASSERT(p.data[k] != rows[i].value && fabsf(p.data[k] - rows[i].value) < 0.6f);
    }
    arena_free(b.arena);
}

static void test_parse(void)
{
    static const struct {
        const char *text;
        InitKind kind;
        uint64_t seed;
    } good[] = {
        {"glorot:3", INIT_GLOROT, 3},
        {"glorot", INIT_GLOROT, 0},
        {"glorot_uniform:0", INIT_GLOROT, 0},
        {"he:18446744073709551615", INIT_HE, UINT64_MAX},
        {"normal:7", INIT_NORMAL, 7},
        {"random:2", INIT_RANDOM, 2},
        {"zeros", INIT_ZEROS, 0},
        {"ones", INIT_ONES, 0},
    };
    static const char *const bad[] = {
        "",       ":",      "he:",    "he:-1", "he: 1", "he:1x", "he:18446744073709551616",
        "ones:1", "zeros:", "Glorot", "glor",  "none"};
    Bench b;
    begin(&b);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        InitSpec spec;
        CU_ASSERT_TRUE(init_parse(&spec, good[i].text, &b.diag));
        CU_ASSERT(spec.kind == good[i].kind && spec.seed == good[i].seed);
    }
    CU_ASSERT_EQUAL(b.diag.errors, 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        InitSpec spec;
        CU_ASSERT_FALSE(init_parse(&spec, bad[i], &b.diag));
        CU_ASSERT_EQUAL(b.diag.errors, (int)i + 1);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&b.diag.out), "did you mean 'glorot'?"));
    arena_free(b.arena);
}

void suite_init(void)
{
    CU_pSuite suite = CU_add_suite("init", NULL, NULL);
    CU_ADD_TEST(suite, test_philox);
    CU_ADD_TEST(suite, test_glorot_bits);
    CU_ADD_TEST(suite, test_statistics);
    CU_ADD_TEST(suite, test_other_roles);
    CU_ADD_TEST(suite, test_parse);
}
