/* init.c: parameters that no weights file gives.
 *
 * Numbers come from the counter-based generator Philox4x32-10 (Salmon et al.,
 * "Parallel random numbers: as easy as 1, 2, 3", SC 2011) as TensorFlow 1.x
 * drives it on a CPU, so that glorot_uniform is its glorot_uniform(seed) to the
 * bit: key (87654321, 0), counter (block, low and high half, seed, low and high
 * half), four words a block, and the kernel filled in TensorFlow's order, height,
 * width, in, out ([in][out] for a dense layer).  The block counts from 0; the r-th
 * draw of an initialiser for n numbers begins at block (r - 1) n 256, which is what
 * TensorFlow reserves for each draw.
 *
 * Seeds: a layer has its own (`seed=`), or the k-th parameter of the network in the
 * order of execution, counted from 0 and over parameters of all kinds, draws from
 * seed + k (bind.c), so that no two layers get the same numbers.
 */
#include "params/bind.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum Values { UNIFORM, TRUNCATED, NORMAL, CONSTANT } Values;
typedef enum Fan { FAN_IN, FAN_MEAN, ONE } Fan;

typedef struct InitRow {
    const char *word, *alias;
    Values values;
    double scale;
    Fan fan;
} InitRow;

/* By InitKind. */
static const InitRow init_rows[INIT_KINDS] = {
    {"", NULL, CONSTANT, 0, ONE},
#define INIT(id, word, alias, values, scale, fan) {word, alias, values, scale, fan},
#include "net/init.def"
};

/* Reads a whole number that nothing follows. */
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

/* The row of the word, or INIT_NONE after a message. */
static InitKind kind_named(const char *word, Diag *diag)
{
    const char *words[2 * INIT_KINDS];
    int n = 0;
    Buf list = buf_new(diag->out.arena);
    for (int i = INIT_NONE + 1; i < INIT_KINDS; i++) {
        const InitRow *row = &init_rows[i];
        if (str_eq(word, row->word) || (row->alias && str_eq(word, row->alias)))
            return (InitKind)i;
        words[n++] = row->word;
        if (row->alias)
            words[n++] = row->alias;
        buf_printf(&list, "%s%s%s", list.n ? ", " : "", row->word,
                   row->values == CONSTANT ? "" : ":SEED");
    }
    const char *nearest = str_nearest(word, words, n);
    diag_error(diag, NO_LOC, "unknown initialisation '%s'", word);
    if (nearest)
        diag_note(diag, NO_LOC, "did you mean '%s'?", nearest);
    diag_note(diag, NO_LOC, "--init takes %s", buf_text(&list));
    return INIT_NONE;
}

bool init_parse(InitSpec *spec, const char *text, Diag *diag)
{
    const char *colon = strchr(text, ':');
    const size_t n = colon ? (size_t)(colon - text) : strlen(text);
    const InitKind kind = kind_named(arena_strndup(diag->out.arena, text, n), diag);
    *spec = (InitSpec){.kind = kind};
    if (kind == INIT_NONE)
        return false;
    const bool seeded = init_rows[kind].values != CONSTANT;
    if (!colon || (seeded && parse_seed(&spec->seed, colon + 1)))
        return true;
    if (seeded)
        diag_error(diag, NO_LOC, "'%s' is no seed for --init: a whole number below 2^64 is",
                   colon + 1);
    else
        diag_error(diag, NO_LOC, "--init %s takes no seed", init_rows[kind].word);
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
    uint64_t seed, block;
    uint32_t words[4];
    int used;
} Random;

/* `block` is where it begins. */
static Random random_new(uint64_t seed, uint64_t block)
{
    return (Random){.seed = seed, .block = block, .used = 4};
}

static uint32_t random_word(Random *r)
{
    static const uint32_t key[2] = {87654321, 0};
    if (r->used == 4) {
        const uint32_t counter[4] = {(uint32_t)r->block, (uint32_t)(r->block >> 32),
                                     (uint32_t)r->seed, (uint32_t)(r->seed >> 32)};
        philox4x32(counter, key, r->words);
        r->block++;
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

/* A normal number with mean 0, by Box and Muller; it uses two words and only one number of the
 * pair. */
static float normal(Random *r, double deviation)
{
    const double pi = 3.14159265358979323846;
    const double u = ((double)random_word(r) + 1) * 0x1p-32, v = (double)random_word(r) * 0x1p-32;
    return (float)(deviation * sqrt(-2 * log(u)) * cos(2 * pi * v));
}

/* Likewise, but drawn again while it is beyond two deviations; `deviation` is that of the
 * truncated distribution. */
static float truncated(Random *r, double deviation)
{
    /* Of the standard normal distribution cut off there. */
    const double cut = 0.87962566103423978;
    for (;;) {
        const float x = normal(r, 1);
        if (fabsf(x) <= 2)
            return (float)(deviation / cut * (double)x);
    }
}

/* ---- parameters ---- */

/* `limit` is that of a range, or the deviation. */
static float draw(Random *r, const InitRow *row, double limit)
{
    switch (row->values) {
    case UNIFORM:
        return uniform(r, (float)-limit, (float)limit);
    case TRUNCATED:
        return truncated(r, limit);
    case NORMAL:
        return normal(r, limit);
    case CONSTANT:
        break;
    }
    return (float)row->scale;
}

/* The end of the range or the deviation of weights [out][in][window]. */
static double limit_of(const InitRow *row, int64_t out, int64_t in, int64_t window)
{
    const double fan_in = (double)(window * in), fan_out = (double)(window * out);
    const double fan = row->fan == FAN_IN ? fan_in : row->fan == ONE ? 1 : (fan_in + fan_out) / 2;
    const double variance = row->scale / (fan < 1 ? 1 : fan);
    return sqrt(row->values == UNIFORM ? 3 * variance : variance);
}

/* The block at which the nth draw of n numbers begins. */
static uint64_t first_block(int nth, int64_t n)
{
    return nth > 1 ? ((uint64_t)nth - 1) * (uint64_t)n * 256 : 0;
}

/* Weights as [out][in][window], drawn in the order window, in, out.  The draws for some inputs are
 * kept until they can be written next to each other. */
static void fill_weights(float *to, const Param *param, InitSpec spec, int nth, Arena *arena)
{
    enum { BLOCK = 16 };
    const InitRow *row = &init_rows[spec.kind];
    const int64_t n = param_elements(param);
    const int64_t out = param->dims[0], in = param->rank > 1 ? param->dims[1] : 1;
    const int64_t window = n / (out * in);
    const double limit = limit_of(row, out, in, window);
    Random random = random_new(spec.seed, first_block(nth, n));
    const int64_t most = BLOCK * out;
    float *drawn = NEW_ARRAY(arena, float, most);
    for (int64_t w = 0; w < window; w++)
        for (int64_t i = 0; i < in; i += BLOCK) {
            const int64_t some = in - i < BLOCK ? in - i : BLOCK;
            for (int64_t k = 0; k < some * out; k++)
                drawn[k] = draw(&random, row, limit);
            for (int64_t o = 0; o < out; o++)
                for (int64_t k = 0; k < some; k++)
                    to[(o * in + i + k) * window + w] = drawn[k * out + o];
        }
}

/* Fills parameters other than weights for INIT_RANDOM: scales and variances about 1, small biases
 * and means, so that every part of a network has an effect. */
static void fill_random(float *to, int64_t n, uint64_t seed, bool about_one)
{
    Random r = random_new(seed, 0);
    for (int64_t i = 0; i < n; i++)
        to[i] = about_one ? uniform(&r, 0.5f, 1.25f) : normal(&r, 0.1);
}

/* What the layer itself says overrides --init, unless that is `random`. */
static InitSpec own_spec(const Node *node, InitSpec spec)
{
    const Attrs *a = &node->attrs;
    if (spec.kind == INIT_RANDOM || !op_attr(node->op, "init"))
        return spec;
    if (a->init != INIT_NONE)
        spec.kind = a->init;
    if (a->seed >= 0)
        spec.seed = (uint64_t)a->seed;
    return spec;
}

/* Normalisations and scales start as the identity, with 1; prelu with a slope of 0.25, as He et al.
 * (2015). */
static bool starts_fixed(const Param *param, const Node *node, float *start)
{
    *start = node->op == OP_PRELU || param->role == P_SLOPE ? 0.25f : 1;
    return param->role == P_VARIANCE || param->role == P_SLOPE ||
           (param->role == P_WEIGHT && !op_attr(node->op, "init"));
}

InitDraw init_draw(const Param *param, const Node *node, InitSpec spec)
{
    static const InitValues values[] = {[UNIFORM] = INIT_UNIFORM,
                                        [TRUNCATED] = INIT_TRUNCATED,
                                        [NORMAL] = INIT_GAUSS,
                                        [CONSTANT] = INIT_CONSTANT};
    float start;
    const bool fixed = starts_fixed(param, node, &start);
    if (fixed || param->role != P_WEIGHT)
        return (InitDraw){.values = INIT_CONSTANT, .limit = fixed ? (double)start : 0};
    const InitSpec own = own_spec(node, spec);
    const InitRow *row = &init_rows[own.kind];
    const int64_t n = param_elements(param);
    const int64_t out = param->dims[0], in = param->rank > 1 ? param->dims[1] : 1;
    return (InitDraw){.values = values[row->values],
                      .limit = row->values == CONSTANT ? row->scale
                                                       : limit_of(row, out, in, n / (out * in)),
                      .seed = own.seed,
                      .own = op_attr(node->op, "init") && node->attrs.seed >= 0,
                      .block = first_block(node->attrs.draw, n)};
}

void init_param(Param *param, const Node *node, InitSpec spec, Arena *arena)
{
    const int64_t n = param_elements(param);
    float *to = NEW_ARRAY(arena, float, n);
    float start;
    const bool one = starts_fixed(param, node, &start);
    param_set_floats(param, to);
    if (param->role == P_WEIGHT && !one) {
        fill_weights(to, param, own_spec(node, spec),
                     spec.kind == INIT_RANDOM ? 1 : node->attrs.draw, arena);
        return;
    }
    if (spec.kind == INIT_RANDOM) {
        fill_random(to, n, spec.seed, one);
        return;
    }
    for (int64_t i = 0; one && i < n; i++)
        to[i] = start;
}
