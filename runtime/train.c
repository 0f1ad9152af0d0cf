/* train.c: what every training's functions share: checks, tensors in and out, initial values,
 * metrics.  It calls no function of the C library, so that it can be used without one. */
#include "rnctrain.h"
#include "rncw.h"

enum { RNC_RANKS_MOST = 1024 };

rnc_status rnc_train_check(const rnc_train_info *info, const void *state, size_t state_bytes,
                           const void *arena, size_t arena_bytes, const rnc_ranks *ranks, char *why)
{
    rnc_status status;
    const int count = ranks ? ranks->count : 1;
    why[0] = '\0';
    if (count != info->ranks || count > RNC_RANKS_MOST) {
        rnc_why(why, "made for so many ranks: ");
        rnc_why_number(why, (uint64_t)info->ranks, 10);
        rnc_why(why, ", found ");
        rnc_why_number(why, (uint64_t)(count < 0 ? 0 : count), 10);
        return RNC_E_PLAN;
    }
    status = rnc_check_memory("state", state, state_bytes, info->state_bytes, RNC_E_STATE, why);
    if (status)
        return status;
    return rnc_check_memory("arena", arena, arena_bytes, info->arena_bytes, RNC_E_ARENA, why);
}

rnc_status rnc_train_images(int images, int most, char *why)
{
    if (images >= 1 && images <= most)
        return RNC_OK;
    why[0] = '\0';
    rnc_why(why, "images of a batch: at least 1 and at most ");
    rnc_why_number(why, (uint64_t)most, 10);
    return RNC_E_PLAN;
}

/* ---- tensors ---- */

static float *rnc_train_at(const rnc_train_place *p, unsigned char *state)
{
    return (float *)(void *)(state + p->offset);
}

/* Where a number of output o is, in floats; row: of a panel, or window * inputs + input. */
static size_t rnc_train_index(const rnc_train_place *p, size_t o, size_t row)
{
    const size_t panel = RNC_TRAIN_PANEL, begin = o / panel * panel;
    const size_t left = (size_t)p->outputs - begin, width = left < panel ? left : panel;
    if (p->rows == 0)
        return o * (size_t)p->window * (size_t)p->inputs + row;
    return begin * (size_t)p->rows + row * width + (o - begin);
}

void rnc_train_set(const rnc_train_place *p, unsigned char *state, const float *floats)
{
    float *to = rnc_train_at(p, state);
    size_t o, w, i;
    const size_t outputs = (size_t)p->outputs, window = (size_t)p->window;
    const size_t inputs = (size_t)p->inputs, row = (size_t)p->row;
    for (o = 0; o < outputs; o++)
        for (w = 0; w < window; w++)
            for (i = 0; i < inputs; i++)
                to[rnc_train_index(p, o, row + w * inputs + i)] =
                    floats[(o * inputs + i) * window + w];
    for (o = 0; o < outputs && p->bare; o++)
        to[rnc_train_index(p, o, 0)] = 0.0f;
}

void rnc_train_get(const rnc_train_place *p, const unsigned char *state, float *floats)
{
    const float *from = (const float *)(const void *)(state + p->offset);
    size_t o, w, i;
    const size_t outputs = (size_t)p->outputs, window = (size_t)p->window;
    const size_t inputs = (size_t)p->inputs, row = (size_t)p->row;
    for (o = 0; o < outputs; o++)
        for (w = 0; w < window; w++)
            for (i = 0; i < inputs; i++)
                floats[(o * inputs + i) * window + w] =
                    from[rnc_train_index(p, o, row + w * inputs + i)];
}

/* ---- initial values ---- */

/* Random words: Philox4x32-10 (Salmon et al., 2011), as rnc --init has it. */
typedef struct rnc_train_random {
    uint64_t seed, block;
    uint32_t words[4];
    int used;
} rnc_train_random;

static void rnc_train_philox(rnc_train_random *r)
{
    uint32_t c[4], k0 = 87654321, k1 = 0;
    int round, i;
    c[0] = (uint32_t)r->block, c[1] = (uint32_t)(r->block >> 32);
    c[2] = (uint32_t)r->seed, c[3] = (uint32_t)(r->seed >> 32);
    for (round = 0; round < 10; round++) {
        const uint64_t x = UINT64_C(0xD2511F53) * c[0], y = UINT64_C(0xCD9E8D57) * c[2];
        c[0] = (uint32_t)(y >> 32) ^ c[1] ^ k0;
        c[1] = (uint32_t)y;
        c[2] = (uint32_t)(x >> 32) ^ c[3] ^ k1;
        c[3] = (uint32_t)x;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (i = 0; i < 4; i++)
        r->words[i] = c[i];
    r->block++;
    r->used = 0;
}

static uint32_t rnc_train_word(rnc_train_random *r)
{
    if (r->used == 4)
        rnc_train_philox(r);
    return r->words[r->used++];
}

static float rnc_train_uniform(rnc_train_random *r, float limit)
{
    const float u = (float)(rnc_train_word(r) & 0x7FFFFF) / 8388608.0f;
    const float scaled = (float)((double)u * (double)(limit - -limit));
    return scaled + -limit;
}

/* -log x for 0 < x <= 1: powers of two, and 2 artanh((x - 1) / (x + 1)) of the rest. */
static double rnc_train_log(double x)
{
    double sum = 0.0, power, y;
    int twos = 0, k;
    for (; x < 0.70710678118654752; x *= 2.0)
        twos++;
    y = (x - 1.0) / (x + 1.0);
    for (k = 1, power = y; k < 40; k += 2, power *= y * y)
        sum += power / k;
    return 0.69314718055994530942 * twos - 2.0 * sum;
}

static double rnc_train_root(double x)
{
    double scale = 1.0, root = 1.0, last;
    if (!(x > 0.0) || x - x != 0.0)
        return x;
    for (; x > 1.0; x *= 0.25)
        scale *= 2.0;
    for (; x < 0.25; x *= 4.0)
        scale *= 0.5;
    do { /* from above, so that it falls until it is as near as it can be */
        last = root;
        root = 0.5 * (root + x / root);
    } while (root < last);
    return last * scale;
}

/* cos(2 pi v) for 0 <= v < 1, by the series about the nearest quarter of a turn. */
static double rnc_train_cos(double v)
{
    const int quarter = (int)(v * 4.0 + 0.5);
    const double x = 6.283185307179586477 * (v - quarter * 0.25);
    double even = 0.0, odd = 0.0, term = 1.0;
    int k;
    for (k = 0; k < 22; k++) {
        switch (k & 3) {
        case 0:
            even += term;
            break;
        case 1:
            odd += term;
            break;
        case 2:
            even -= term;
            break;
        default:
            odd -= term;
            break;
        }
        term *= x / (k + 1);
    }
    switch (quarter & 3) {
    case 0:
        return even;
    case 1:
        return -odd;
    case 2:
        return -even;
    default:
        return odd;
    }
}

/* By Box and Muller, of two words. */
static float rnc_train_normal(rnc_train_random *r, double deviation)
{
    const double u = ((double)rnc_train_word(r) + 1.0) / 4294967296.0;
    const double v = (double)rnc_train_word(r) / 4294967296.0;
    return (float)(deviation * rnc_train_root(2.0 * rnc_train_log(u)) * rnc_train_cos(v));
}

static float rnc_train_draw(rnc_train_random *r, const rnc_train_place *p)
{
    const double cut = 0.87962566103423978; /* the deviation of what is left of a normal one */
    float x;
    switch (p->values) {
    case RNC_VALUES_UNIFORM:
        return rnc_train_uniform(r, (float)p->limit);
    case RNC_VALUES_NORMAL:
        return rnc_train_normal(r, p->limit);
    case RNC_VALUES_TRUNCATED:
        do
            x = rnc_train_normal(r, 1.0);
        while (x > 2.0f || x < -2.0f);
        return (float)(p->limit / cut * (double)x);
    default:
        return (float)p->limit;
    }
}

/* The numbers are drawn in the order window, input, output. */
static void rnc_train_fill(const rnc_train_place *p, unsigned char *state, uint64_t seed)
{
    float *to = rnc_train_at(p, state);
    rnc_train_random r;
    int w, i, o;
    r.seed = p->own ? p->seed : seed + p->seed;
    r.block = p->block;
    r.used = 4;
    for (w = 0; w < p->window; w++)
        for (i = 0; i < p->inputs; i++)
            for (o = 0; o < p->outputs; o++)
                to[rnc_train_index(p, (size_t)o, (size_t)(p->row + w * p->inputs + i))] =
                    rnc_train_draw(&r, p);
}

void rnc_train_initialise(const rnc_train_place *places, int n, unsigned char *state, uint64_t seed)
{
    int k;
    for (k = 0; k < n; k++) {
        const rnc_train_place *p = &places[k];
        const size_t outputs = (size_t)p->outputs, own = (size_t)p->window * (size_t)p->inputs;
        size_t o, i;
        if (p->same < 0) {
            rnc_train_fill(p, state, seed);
            continue;
        }
        for (o = 0; o < outputs; o++)
            for (i = 0; i < own; i++) {
                const size_t at = rnc_train_index(p, o, (size_t)p->row + i);
                rnc_train_at(p, state)[at] = rnc_train_at(&places[p->same], state)[at];
            }
    }
}

/* ---- ranks ---- */

/* A number of each rank; returns how many ranks there are. */
static int rnc_train_tell(rnc_ranks *ranks, int number, int *all)
{
    all[ranks->rank] = number;
    ranks->gather(ranks, all, sizeof *all);
    return ranks->count;
}

rnc_status rnc_train_share(rnc_ranks *ranks, int images, int most, int both[2], char *why)
{
    int all[RNC_RANKS_MOST], i, bad = 0;
    const int n = rnc_train_tell(ranks, images, all);
    both[0] = images;
    both[1] = 0;
    for (i = 0; i < n; i++) {
        bad = bad || all[i] < 0 || all[i] > most || (i > 0 && all[i] > 0 && all[i - 1] < most);
        both[1] += all[i];
    }
    if (!bad && both[1] > 0)
        return RNC_OK;
    why[0] = '\0';
    rnc_why(why, "images of a batch: at most ");
    rnc_why_number(why, (uint64_t)most, 10);
    rnc_why(why, " in each rank, and fewer only in the last rank that has some");
    return RNC_E_PLAN;
}

int rnc_train_any(rnc_ranks *ranks, int so)
{
    int all[RNC_RANKS_MOST], i;
    const int n = rnc_train_tell(ranks, so, all);
    for (i = 0; i < n; i++)
        so = so || all[i];
    return so;
}

int rnc_train_least(rnc_ranks *ranks, int number)
{
    int all[RNC_RANKS_MOST], i;
    const int n = rnc_train_tell(ranks, number, all);
    for (i = 0; i < n; i++)
        number = all[i] < number ? all[i] : number;
    return number;
}

int rnc_train_sum(rnc_ranks *ranks, int images, void *x, size_t n)
{
    float *floats = (float *)x;
    size_t i;
    for (i = 0; images == 0 && i < n; i++)
        floats[i] = -0.0f; /* which changes no number that it is added to */
    return ranks->start(ranks, floats, n);
}

/* ---- metrics ---- */

void rnc_train_measure(const float *losses, const float *hits, const int32_t *labels, int classes,
                       int n, int each, int shard, rnc_metrics *metrics)
{
    double wait[32], loss = 0.0, right = 0.0;
    int i, k, top = 0, shards = 0, count = 0;
    for (i = 0; i < n * each; i++) {
        if (i > 0 && i % (shard * each) == 0) {
            for (k = ++shards; (k & 1) == 0; k >>= 1)
                loss = wait[--top] + loss;
            wait[top++] = loss;
            loss = 0.0;
        }
        loss += (double)losses[i];
        right += hits ? (double)hits[i] : 0.0;
        count += !labels || (labels[i] >= 0 && labels[i] < classes);
    }
    while (top > 0)
        loss = wait[--top] + loss;
    metrics->loss = loss / each;
    metrics->hits = (int)right;
    metrics->images = (count + each - 1) / each;
    metrics->norm = 0.0;
    metrics->bad = -1;
    metrics->spoiled = 0;
}

double rnc_train_norm(const float *squares, const rnc_train_squares *of, int n, int *bad)
{
    const float *at = squares;
    double sum = 0.0;
    int i, k, first = 0;
    for (i = 0; i < n; i++) {
        double part = 0.0;
        for (k = 0; k < of[i].n; k++, at++) {
            sum += (double)*at;
            part += (double)*at;
        }
        if (part - part != 0.0 && (first == 0 || of[i].step < first))
            first = of[i].step;
    }
    if (sum - sum != 0.0)
        *bad = first;
    return rnc_train_root(sum);
}

/* ---- steps ---- */

int rnc_train_find_step(const rnc_train_info *info, int number, rnc_train_step *step)
{
    const rnc_train_layer *layer;
    if (number < 0 || number >= info->n_steps)
        return 0;
    layer = &info->layers[info->step_layers[number]];
    step->layer = layer->name;
    step->part = info->parts[info->step_parts[number]];
    step->with = layer->with;
    step->line = layer->line;
    step->kernel = info->kernels[info->step_kernels[number]];
    return 1;
}

/* ---- what is not finite ---- */

void rnc_train_look(void *search, int step, void *const *results)
{
    rnc_train_search *s = (rnc_train_search *)search;
    const rnc_train_grid *g;
    float sum = 0.0f;
    int n, y, x, i;
    if (s->found >= 0 || step >= s->steps || s->results[step] == 0)
        return;
    g = &s->grids[s->results[step] - 1];
    for (n = 0; n < (g->images ? g->images : s->images); n++)
        for (y = 0; y < g->h; y++)
            for (x = 0; x < g->w; x++) {
                const float *at = (const float *)results[0] + (size_t)n * (size_t)g->image +
                                  (size_t)y * (size_t)g->row + (size_t)x * (size_t)g->pixel;
                for (i = 0; i < g->c; i++)
                    sum += at[i] - at[i]; /* 0, or a NaN */
            }
    if (sum != 0.0f)
        s->found = step;
}
