/* init.c: parameters that no weights file gives.
 *
 * Numbers come from the counter-based generator Philox4x32-10 (Salmon et al.,
 * "Parallel random numbers: as easy as 1, 2, 3", SC 2011) as TensorFlow 1.x
 * drives it on a CPU, so that glorot is its glorot_uniform(seed) to the bit:
 * key (87654321, 0), counter (block, 0, low half of the seed, high half), four
 * words a block, and the kernel filled in TensorFlow's order, height, width, in,
 * out ([in][out] for a dense layer).
 *
 * Seeds: the k-th parameter of the network in the order of execution, counted
 * from 0 and over parameters of all kinds, draws from seed + k (bind.c), so that no
 * two layers get the same numbers.  init_param() itself takes a seed as it is.
 */
#include "bind.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct InitRow {
    const char *word;
    InitKind kind;
    bool seeded;
} InitRow;

static const InitRow init_rows[] = {
    {"glorot", INIT_GLOROT, true}, {"glorot_uniform", INIT_GLOROT, true},
    {"he", INIT_HE, true},         {"normal", INIT_NORMAL, true},
    {"random", INIT_RANDOM, true}, {"zeros", INIT_ZEROS, false},
    {"ones", INIT_ONES, false},
};
enum { INIT_ROWS = sizeof init_rows / sizeof *init_rows };

/* A whole number, nothing behind it. */
static bool parse_seed(uint64_t *seed, const char *text)
{
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    const uintmax_t n = strtoumax(text, &end, 10);
    if (*end != '\0' || errno == ERANGE || n > UINT64_MAX)
        return false;
    *seed = (uint64_t)n;
    return true;
}

bool init_parse(InitSpec *spec, const char *text, Diag *diag)
{
    const char *colon = strchr(text, ':');
    const size_t n = colon ? (size_t)(colon - text) : strlen(text);
    const char *words[INIT_ROWS];
    for (int i = 0; i < INIT_ROWS; i++) {
        const InitRow *row = &init_rows[i];
        words[i] = row->word;
        if (strlen(row->word) != n || strncmp(row->word, text, n) != 0)
            continue;
        *spec = (InitSpec){.kind = row->kind};
        if (!colon || (row->seeded && parse_seed(&spec->seed, colon + 1)))
            return true;
        if (row->seeded)
            diag_error(diag, NO_LOC, "'%s' is no seed for --init: a whole number below 2^64 is",
                       colon + 1);
        else
            diag_error(diag, NO_LOC, "--init %s takes no seed", row->word);
        return false;
    }
    const char *word = arena_strndup(diag->out.arena, text, n);
    const char *nearest = str_nearest(word, words, INIT_ROWS);
    diag_error(diag, NO_LOC, "unknown initialisation '%s'", word);
    if (nearest)
        diag_note(diag, NO_LOC, "did you mean '%s'?", nearest);
    diag_note(diag, NO_LOC,
              "--init takes glorot:SEED, he:SEED, normal:SEED, random:SEED, zeros or ones");
    return false;
}

/* ---- random numbers ---- */

void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c[4] = {counter[0], counter[1], counter[2], counter[3]};
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        const uint64_t x = UINT64_C(0xD2511F53) * c[0], y = UINT64_C(0xCD9E8D57) * c[2];
        c[0] = (uint32_t)(y >> 32) ^ c[1] ^ k0;
        c[1] = (uint32_t)y;
        c[2] = (uint32_t)(x >> 32) ^ c[3] ^ k1;
        c[3] = (uint32_t)x;
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    memcpy(out, c, sizeof c);
}

/* Words of one tensor, in order. */
typedef struct Random {
    uint64_t seed;
    uint32_t block;
    uint32_t words[4];
    int used;
} Random;

static Random random_new(uint64_t seed)
{
    return (Random){.seed = seed, .used = 4};
}

static uint32_t random_word(Random *r)
{
    static const uint32_t key[2] = {87654321, 0};
    if (r->used == 4) {
        const uint32_t counter[4] = {r->block++, 0, (uint32_t)r->seed, (uint32_t)(r->seed >> 32)};
        philox4x32(counter, key, r->words);
        r->used = 0;
    }
    return r->words[r->used++];
}

/* Uniform in [lo, hi): 23 bits of a word as the fraction of a float in [1, 2).
 * The product is exact in double, so that no compiler can fuse it with the sum:
 * TensorFlow rounds twice. */
static float uniform(Random *r, float lo, float hi)
{
    const uint32_t bits = 0x3F800000 | (random_word(r) & 0x7FFFFF);
    float u, range = hi - lo;
    memcpy(&u, &bits, sizeof u);
    const float scaled = (float)((double)(u - 1.0f) * (double)range);
    return scaled + lo;
}

/* Mean 0, by Box and Muller; one of the pair, two words. */
static float normal(Random *r, double deviation)
{
    const double pi = 3.14159265358979323846;
    const double u = ((double)random_word(r) + 1) * 0x1p-32, v = (double)random_word(r) * 0x1p-32;
    return (float)(deviation * sqrt(-2 * log(u)) * cos(2 * pi * v));
}

/* ---- parameters ---- */

/* Weights as [out][in][window], and what is drawn for each in the order window,
 * in, out. */
typedef struct Fill {
    InitKind kind;
    double limit; /* glorot: of the range; he, normal: the deviation */
    Random random;
} Fill;

static float draw(Fill *f)
{
    switch (f->kind) {
    case INIT_GLOROT:
        return uniform(&f->random, (float)-f->limit, (float)f->limit);
    case INIT_HE:
    case INIT_NORMAL:
    case INIT_RANDOM:
        return normal(&f->random, f->limit);
    case INIT_ONES:
        return 1;
    default:
        return 0;
    }
}

/* Glorot and Bengio 2010: uniform within sqrt(6 / (fan_in + fan_out)); He et al.
 * 2015: deviation sqrt(2 / fan_in); normal: deviation 0.01 (Krizhevsky 2012);
 * random: sqrt(1 / fan_in) (LeCun et al., 1998), with which tensors do not grow
 * along layers that have no activation, as they do not when trained. */
static double limit_of(InitKind kind, double fan_in, double fan_out)
{
    const double mean = (fan_in + fan_out) / 2;
    if (kind == INIT_GLOROT)
        return sqrt(3 / (mean < 1 ? 1 : mean));
    return kind == INIT_NORMAL ? 0.01 : sqrt((kind == INIT_HE ? 2 : 1) / fan_in);
}

static void fill_weights(float *to, const Param *param, InitSpec spec)
{
    const int64_t out = param->dims[0], in = param->rank > 1 ? param->dims[1] : 1;
    const int64_t window = param_elements(param) / (out * in);
    Fill f = {.kind = spec.kind, .random = random_new(spec.seed)};
    f.limit = limit_of(spec.kind, (double)(window * in), (double)(window * out));
    for (int64_t w = 0; w < window; w++)
        for (int64_t i = 0; i < in; i++)
            for (int64_t o = 0; o < out; o++)
                to[(o * in + i) * window + w] = draw(&f);
}

/* What INIT_RANDOM gives beside weights: scales and variances about 1, small
 * biases and means, so that no part of a network is without effect. */
static void fill_random(float *to, int64_t n, uint64_t seed, bool about_one)
{
    Random r = random_new(seed);
    for (int64_t i = 0; i < n; i++)
        to[i] = about_one ? uniform(&r, 0.5f, 1.25f) : normal(&r, 0.1);
}

void init_param(Param *param, const Node *node, InitSpec spec, Arena *arena)
{
    const int64_t n = param_elements(param);
    float *to = NEW_ARRAY(arena, float, n);
    /* Batch normalisation starts as the identity: scale 1, variance 1. */
    const bool one = param->role == P_VARIANCE || (param->role == P_WEIGHT && node->op == OP_BN);
    param->data = to;
    if (param->role == P_WEIGHT && !one) {
        fill_weights(to, param, spec);
        return;
    }
    if (spec.kind == INIT_RANDOM) {
        fill_random(to, n, spec.seed, one);
        return;
    }
    for (int64_t i = 0; one && i < n; i++)
        to[i] = 1;
}
