/* test_init.c: initial values against published bits, and their statistics. */
#include "params/bind.h"

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
    return param_floats(p)[(o * in + i) * window + w];
}

/* A node whose attributes are at their defaults. */
static Node plain(Op op)
{
    return (Node){.op = op, .attrs = ir_default_attrs(op)};
}

/* FNV-1a of the bits in TensorFlow's order. */
static uint64_t sum_hwio(const Param *p)
{
    uint64_t sum = UINT64_C(14695981039346656037);
    for (int64_t nth = 0; nth < param_elements(p); nth++) {
        const uint32_t x = bits(at_hwio(p, (int)nth));
        for (int byte = 0; byte < 4; byte++)
            sum = (sum ^ (x >> 8 * byte & 255)) * UINT64_C(1099511628211);
    }
    return sum;
}

/* glorot_uniform(seed=0) of TensorFlow 1.x, first and second draws: kernels of
 * which published outputs of residual blocks were computed. */
static void test_glorot_bits(void)
{
    static const struct {
        int dims[4]; /* height, width, in, out */
        int draw;
        uint32_t first[4];
        uint64_t sum;
    } rows[] = {
        {{1, 1, 6, 2},
         1,
         {0xbf30fac1, 0x3f50796d, 0x3f1aa4cf, 0xbf484b59},
         UINT64_C(0xc91f20ff39fbdf93)},
        {{1, 1, 6, 2},
         2,
         {0xbf1b5b34, 0xbec58fbf, 0x3e075584, 0x3e107fbc},
         UINT64_C(0x64a29b04910b4709)},
        {{2, 2, 2, 4},
         1,
         {0xbecc5bbc, 0x3ef0b9b4, 0x3eb29138, 0xbee747ac},
         UINT64_C(0xfc67fbd95cb11d62)},
        {{1, 1, 4, 6},
         1,
         {0xbf1e4b98, 0x3f3a7710, 0x3f0a514e, 0xbf332611},
         UINT64_C(0x5dd24a338e9916dd)},
        {{1, 1, 6, 6},
         1,
         {0xbf1080cf, 0x3f2a37f3, 0x3efc8842, 0xbf238a25},
         UINT64_C(0x1af36dd549b467da)},
    };
    Bench b;
    begin(&b);
    Node conv = plain(OP_CONV), dense = plain(OP_DENSE);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const int *d = rows[i].dims;
        Param p = {.role = P_WEIGHT, .rank = 4, .dims = {d[3], d[2], d[0], d[1]}};
        Param q = {.role = P_WEIGHT, .rank = 2, .dims = {d[3], d[2]}};
        conv.attrs.draw = dense.attrs.draw = rows[i].draw;
        init_param(&p, &conv, (InitSpec){INIT_GLOROT_UNIFORM, 0}, b.arena);
        for (int k = 0; k < 4; k++)
            CU_ASSERT_EQUAL(bits(at_hwio(&p, k)), rows[i].first[k]);
        CU_ASSERT_EQUAL(sum_hwio(&p), rows[i].sum);
        if (d[0] * d[1] > 1)
            continue;
        init_param(&q, &dense, (InitSpec){INIT_GLOROT_UNIFORM, 0}, b.arena);
        CU_ASSERT_EQUAL(memcmp(p.data, q.data, sizeof(float) * (size_t)param_elements(&q)), 0);
    }
    arena_free(b.arena);
}

/* What a layer says of itself goes over --init, but not over `random`. */
static void test_own(void)
{
    Bench b;
    begin(&b);
    Node conv = plain(OP_CONV), own = conv;
    Param p = {.role = P_WEIGHT, .rank = 4, .dims = {2, 6, 1, 1}}, q = p;
    own.attrs.init = INIT_GLOROT_UNIFORM;
    own.attrs.seed = 0;
    init_param(&p, &conv, (InitSpec){INIT_GLOROT_UNIFORM, 0}, b.arena);
    init_param(&q, &own, (InitSpec){INIT_HE_NORMAL, 4}, b.arena);
    CU_ASSERT_EQUAL(memcmp(p.data, q.data, sizeof(float) * 12), 0);
    own.attrs.seed = -1;
    init_param(&q, &own, (InitSpec){INIT_ONES, 0}, b.arena);
    CU_ASSERT_EQUAL(memcmp(p.data, q.data, sizeof(float) * 12), 0);
    init_param(&q, &own, (InitSpec){INIT_ONES, 1}, b.arena);
    CU_ASSERT_NOT_EQUAL(memcmp(p.data, q.data, sizeof(float) * 12), 0);
    own.attrs.init = INIT_ZEROS;
    own.attrs.draw = 7;
    init_param(&q, &own, (InitSpec){INIT_GLOROT_UNIFORM, 0}, b.arena);
    for (int i = 0; i < 12; i++)
        CU_ASSERT_EQUAL(param_floats(&q)[i], 0);
    init_param(&p, &conv, (InitSpec){INIT_RANDOM, 0}, b.arena);
    init_param(&q, &own, (InitSpec){INIT_RANDOM, 0}, b.arena);
    CU_ASSERT_EQUAL(memcmp(p.data, q.data, sizeof(float) * 12), 0);
    arena_free(b.arena);
}

/* Mean, deviation and largest magnitude of an initialised 128x64x3x3 kernel. */
static void measure(Bench *b, InitSpec spec, double *mean, double *deviation, double *most)
{
    const Node conv = plain(OP_CONV);
    Param p = {.role = P_WEIGHT, .rank = 4, .dims = {128, 64, 3, 3}};
    const int n = 128 * 64 * 9;
    double sum = 0, squares = 0;
    init_param(&p, &conv, spec, b->arena);
    *most = 0;
    for (int i = 0; i < n; i++) {
        const double x = (double)param_floats(&p)[i];
        sum += x;
        squares += x * x;
        *most = fabs(x) > *most ? fabs(x) : *most;
    }
    *mean = sum / n;
    *deviation = sqrt(squares / n - *mean * *mean);
}

static void test_statistics(void)
{
    /* Of 576 numbers an output is the sum, and in 1152 each input is. */
    const double glorot = sqrt(1.0 / 864), he = sqrt(2.0 / 576), cut = 2 / 0.87962566103423978;
    const struct {
        InitKind kind;
        double deviation, least, most; /* the largest magnitude is between these */
    } rows[] = {
        {INIT_GLOROT_UNIFORM, glorot, 0.999 * sqrt(3) * glorot, sqrt(3) * glorot},
        {INIT_GLOROT_NORMAL, glorot, 0.99 * cut * glorot, cut * glorot},
        {INIT_HE_UNIFORM, he, 0.999 * sqrt(3) * he, sqrt(3) * he},
        {INIT_HE_NORMAL, he, 0.99 * cut * he, cut * he},
        {INIT_NORMAL, 0.05, 3.5 * 0.05, 7 * 0.05},
        {INIT_RANDOM, sqrt(1.0 / 576), 0.999 * sqrt(3.0 / 576), sqrt(3.0 / 576)},
    };
    double mean, deviation, most, other;
    Bench b;
    begin(&b);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        measure(&b, (InitSpec){rows[i].kind, 5}, &mean, &deviation, &most);
        CU_ASSERT(fabs(mean) < rows[i].deviation / 50);
        CU_ASSERT_DOUBLE_EQUAL(deviation, rows[i].deviation, rows[i].deviation / 100);
        CU_ASSERT(most > rows[i].least && most <= rows[i].most * (1 + 1e-6));
        measure(&b, (InitSpec){rows[i].kind, UINT64_C(5) << 40}, &mean, &other, &most);
        CU_ASSERT(other != deviation); /* both halves of a seed count */
    }
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
        const Node node = plain(rows[i].op);
        Param p = {.role = rows[i].role, .rank = 1, .dims = {3}};
        init_param(&p, &node, (InitSpec){INIT_GLOROT_UNIFORM, 9}, b.arena);
        for (int k = 0; k < 3; k++)
            CU_ASSERT_EQUAL(param_floats(&p)[k], rows[i].value);
        /* random draws these too: scales about 1, the others small, none as it was. */
        init_param(&p, &node, (InitSpec){INIT_RANDOM, 9}, b.arena);
        for (int k = 0; k < 3; k++)
            CU_ASSERT(param_floats(&p)[k] != rows[i].value &&
                      fabsf(param_floats(&p)[k] - rows[i].value) < 0.6f);
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
        {"glorot:3", INIT_GLOROT_UNIFORM, 3},
        {"glorot", INIT_GLOROT_UNIFORM, 0},
        {"glorot_uniform:0", INIT_GLOROT_UNIFORM, 0},
        {"glorot_normal:4", INIT_GLOROT_NORMAL, 4},
        {"he_uniform:5", INIT_HE_UNIFORM, 5},
        {"he_normal:6", INIT_HE_NORMAL, 6},
        {"he:18446744073709551615", INIT_HE_NORMAL, UINT64_MAX},
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
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&b.diag.out), "--init takes glorot_uniform:SEED, "));
    CU_ASSERT_PTR_NULL(strstr(buf_text(&b.diag.out), "option"));
    arena_free(b.arena);
}

void suite_init(void)
{
    CU_pSuite suite = CU_add_suite("init", NULL, NULL);
    CU_ADD_TEST(suite, test_philox);
    CU_ADD_TEST(suite, test_glorot_bits);
    CU_ADD_TEST(suite, test_own);
    CU_ADD_TEST(suite, test_statistics);
    CU_ADD_TEST(suite, test_other_roles);
    CU_ADD_TEST(suite, test_parse);
}
