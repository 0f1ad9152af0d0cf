/* harness.c: random shapes, guarded memory and comparison for the kernels' tests. */
#include "harness.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A quiet NaN that no computation makes. */
static const uint32_t canary = 0x7fcdabcd;

typedef struct Block {
    struct Block *next;
    void *memory;
    size_t bytes;
    const float *floats; /* guarded: guard floats, n floats, guard floats */
    size_t n, guard;
} Block;

/* splitmix64 (Steele, Lea and Flood, 2014) */
static uint64_t next_random(Case *c)
{
    uint64_t z = c->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

int pick(Case *c, int least, int most)
{
    return least + (int)(next_random(c) % (uint64_t)(most - least + 1));
}

bool chance(Case *c, int percent)
{
    return pick(c, 0, 99) < percent;
}

float pick_float(Case *c, float least, float most)
{
    return least + (most - least) * ((float)(next_random(c) >> 40) * 0x1p-24f);
}

int pick_act(Case *c, float *alpha, float *beta)
{
    const int act = chance(c, 50) ? pick(c, RNC_ACT_NONE, RNC_ACT_RELU)
                                  : pick(c, RNC_ACT_NONE, RNC_ACT_PRELU - 1);
    *alpha = chance(c, 50) ? 0.01f : pick_float(c, -1.0f, 1.0f);
    *beta = 0.0f;
    if (act == RNC_ACT_HARD_SIGMOID) {
        *alpha = chance(c, 50) ? 1.0f / 6.0f : pick_float(c, 0.1f, 1.0f);
        *beta = chance(c, 50) ? 3.0f : pick_float(c, -3.0f, 3.0f);
    } else if (act == RNC_ACT_CLIP) {
        *alpha = chance(c, 30) ? -INFINITY : pick_float(c, -2.0f, 0.5f);
        *beta = chance(c, 30) ? INFINITY : pick_float(c, 0.5f, 6.0f);
    }
    return act;
}

int pick_layer_act(Case *c, float *alpha, float *beta, int channels, float **slopes)
{
    *slopes = NULL;
    if (!chance(c, 10))
        return pick_act(c, alpha, beta);
    *slopes = case_memory(c, (size_t)channels * sizeof **slopes);
    for (int i = 0; i < channels; i++)
        (*slopes)[i] = pick_float(c, -1.0f, 1.0f);
    *alpha = *beta = 0.0f;
    return RNC_ACT_PRELU;
}

void fail(Case *c, const char *format, ...)
{
    if (c->why[0])
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(c->why, sizeof c->why, format, args);
    va_end(args);
}

static void *aligned_memory(Case *c, size_t bytes, Block **made)
{
    Block *block = calloc(1, sizeof *block);
    void *memory = NULL;
    if (!block || posix_memalign(&memory, 64, bytes ? bytes : 1)) {
        fprintf(stderr, "kernel_tests: no memory\n");
        abort();
    }
    *block = (Block){.next = c->blocks, .memory = memory, .bytes = bytes};
    c->blocks = block;
    *made = block;
    return memory;
}

int pool_windows(int in, int before, int after, int kernel, int stride, bool ceil)
{
    const int all = before + in + after;
    int out = 0, at = 0;
    for (; at + kernel <= all; at += stride)
        out++;
    const bool rest = at - stride + kernel < all; /* that no whole window has */
    return out + (ceil && rest && at < before + in);
}

int pool_extent(int in, int before, int after, int kernel, int first)
{
    int count = 0;
    for (int k = 0; k < kernel; k++)
        count += first + k >= -before && first + k < in + after;
    return count;
}

void *case_memory(Case *c, size_t bytes)
{
    Block *block;
    return memset(aligned_memory(c, bytes, &block), 0, bytes ? bytes : 1);
}

static void set_canaries(float *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        memcpy(&p[i], &canary, sizeof canary);
}

static bool is_canary(const float *p)
{
    return memcmp(p, &canary, sizeof canary) == 0;
}

float *case_floats(Case *c, size_t n)
{
    Block *block;
    const size_t guard = chance(c, 50) ? 64 : 0;
    float *p = aligned_memory(c, (n + 2 * guard) * sizeof *p, &block);
    set_canaries(p, n + 2 * guard);
    block->floats = p;
    block->n = n;
    block->guard = guard;
    return p + guard;
}

const void *case_slopes(Case *c, const void *weights, const float *slopes, int channels)
{
    if (!slopes)
        return weights;
    const Block *b = c->blocks;
    const char *from = weights;
    while (from < (char *)b->memory || from >= (char *)b->memory + b->bytes)
        b = b->next;
    const size_t bytes = b->bytes - (size_t)(from - (char *)b->memory) - 4 * b->guard;
    const size_t room = ((size_t)channels + 15) / 16 * 16;
    float *to = case_floats(c, room + (bytes + 3) / sizeof *to);
    memcpy(to, slopes, (size_t)channels * sizeof *to);
    memcpy(to + room, from, bytes);
    return to + room;
}

static void check_guards(Case *c)
{
    for (const Block *b = c->blocks; b; b = b->next)
        for (size_t i = 0; i < b->guard; i++) {
            if (!is_canary(&b->floats[i]))
                fail(c, "wrote %zu floats in front of a buffer", b->guard - i);
            if (!is_canary(&b->floats[b->guard + b->n + i]))
                fail(c, "wrote float %zu behind a buffer", i);
        }
}

void case_free(Case *c)
{
    while (c->blocks) {
        Block *b = c->blocks;
        c->blocks = b->next;
        free(b->memory);
        free(b);
    }
}

int pick_align(Case *c)
{
    int align = c->isa->lanes;
    while (align < 16 && chance(c, 40))
        align *= 2;
    return align;
}

static int round_up(int n, int to)
{
    return (n + to - 1) / to * to;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

Grid grid_make(Case *c, int n, int h, int w, int channels, Layout l)
{
    Grid g = {.n = n, .h = h, .w = w, .c = channels, .lanes = round_up(channels, l.align)};
    g.asked = l;
    const bool spare = !l.tight;
    const bool shared = chance(c, 50); /* a halo is that of the next row or image as well */
    const bool wider = spare && !shared;
    g.top = l.top + (wider && chance(c, 30) ? 1 : 0);
    g.left = l.left + (wider && chance(c, 30) ? 1 : 0);
    g.bottom = l.bottom + (wider && chance(c, 30) ? 1 : 0);
    g.right = l.right + (wider && chance(c, 30) ? 1 : 0);
    g.pixel = g.lanes + (spare && chance(c, 30) ? l.align * pick(c, 1, 2) : 0);
    g.row = (g.left + w + g.right) * g.pixel + (spare && chance(c, 20) ? l.align : 0);
    g.image = (g.top + h + g.bottom) * g.row + (spare && chance(c, 20) ? l.align : 0);
    int behind = 0; /* floats after the last image */
    if (shared) {   /* as in the plans of trainings */
        g.row = (w + larger(g.left, g.right)) * g.pixel;
        g.image = (h + larger(g.top, g.bottom)) * g.row;
        behind = (g.top + g.bottom - larger(g.top, g.bottom)) * g.row +
                 (g.left + g.right - larger(g.left, g.right)) * g.pixel;
    }
    /* pixel (0, 0) lies on a cache line when pitch and halo allow it */
    const int before = g.top * g.row + g.left * g.pixel;
    const size_t front = (size_t)round_up(before, 16);
    g.total = front + (size_t)(n * g.image + behind - before);
    g.base = case_floats(c, g.total);
    g.at = g.base + front;
    return g;
}

float *grid_pixel(const Grid *g, int n, int y, int x)
{
    return g->at + ((ptrdiff_t)n * g->image + (ptrdiff_t)y * g->row + (ptrdiff_t)x * g->pixel);
}

void grid_fill(Case *c, Grid *g, float least, float most)
{
    const Layout *l = &g->asked;
    for (int n = 0; n < g->n; n++)
        for (int y = -l->top; y < g->h + l->bottom; y++)
            for (int x = -l->left; x < g->w + l->right; x++) {
                const bool inside = y >= 0 && y < g->h && x >= 0 && x < g->w;
                float *p = grid_pixel(g, n, y, x);
                for (int i = 0; i < g->lanes; i++)
                    p[i] = inside ? pick_float(c, least, most) : 0.0f;
            }
}

void grid_spoil(Case *c, Grid *g, bool spare)
{
    static const float specials[] = {NAN, INFINITY, -INFINITY};
    const int first = spare ? g->c : 0;
    if (first == g->lanes || !chance(c, 20))
        return;
    for (int left = pick(c, 1, 3); left > 0; left--) {
        float *p = grid_pixel(g, pick(c, 0, g->n - 1), pick(c, 0, g->h - 1), pick(c, 0, g->w - 1));
        p[pick(c, first, g->lanes - 1)] = specials[pick(c, 0, 2)];
    }
}

/* ---- running ---- */

static void shuffle(Case *c, int *order, int n)
{
    for (int i = 0; i < n; i++)
        order[i] = i;
    for (int i = n - 1; i > 0; i--) {
        const int j = pick(c, 0, i), t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
}

/* Each part into canaries of its own: what is no canary afterwards it wrote. */
static void check_disjoint(Case *c, KernelFn *kernel, const void *shape, const rnc_knobs *tile,
                           const rnc_operands *o, float *out, size_t floats, int parts)
{
    unsigned char *seen = case_memory(c, floats);
    float *before = case_memory(c, floats * sizeof *before);
    memcpy(before, out, floats * sizeof *before);
    for (int part = 0; part < parts; part++) {
        set_canaries(out, floats);
        kernel(shape, tile, o, part, parts);
        for (size_t i = 0; i < floats; i++)
            if (!is_canary(&out[i]) && seen[i]++)
                fail(c, "two parts of %d wrote float %zu of the output", parts, i);
    }
    memcpy(out, before, floats * sizeof *before);
}

void run_kernel(Case *c, KernelFn *kernel, const void *shape, const rnc_knobs *tile,
                const rnc_operands *o, float *out, size_t floats, bool disjoint)
{
    static const int counts[] = {1, 2, 3, 7};
    const int parts = counts[pick(c, 0, 3)];
    int order[7];
    shuffle(c, order, parts);
    if (disjoint && parts > 1)
        check_disjoint(c, kernel, shape, tile, o, out, floats, parts);
    for (int i = 0; i < parts; i++)
        kernel(shape, tile, o, order[i], parts);
    check_guards(c);
}

void run_train(Case *c, KernelFn *kernel, const void *shape, const rnc_knobs *tile,
               const rnc_operands *o, float *out, size_t floats, bool disjoint)
{
    const size_t bytes = floats * sizeof *out;
    float *before = case_memory(c, bytes), *alone = case_memory(c, bytes);
    memcpy(before, out, bytes);
    kernel(shape, tile, o, 0, 1);
    memcpy(alone, out, bytes);
    memcpy(out, before, bytes);
    run_kernel(c, kernel, shape, tile, o, out, floats, disjoint);
    for (size_t i = 0; i < floats; i++)
        if (memcmp(&out[i], &alone[i], sizeof *out) != 0)
            fail(c, "float %zu of the output is %.9g, but %.9g from one part", i, (double)out[i],
                 (double)alone[i]);
}

/* ---- comparing ---- */

Expect expect_make(Case *c, float *base, size_t total)
{
    Expect e = {.base = base, .total = total};
    e.value = case_memory(c, total * sizeof *e.value);
    e.tolerance = case_memory(c, total * sizeof *e.tolerance);
    e.before = case_memory(c, total * sizeof *e.before);
    memcpy(e.before, base, total * sizeof *e.before);
    for (size_t i = 0; i < total; i++)
        e.tolerance[i] = -1.0;
    return e;
}

void expect_at(Expect *e, const float *where, double value, double tolerance)
{
    const size_t i = (size_t)(where - e->base);
    e->value[i] = value;
    e->tolerance[i] = tolerance;
}

void expect_any(Expect *e, const float *where)
{
    e->tolerance[where - e->base] = HUGE_VAL;
}

void expect_check(Case *c, const Expect *e)
{
    for (size_t i = 0; i < e->total && !c->why[0]; i++) {
        const double tolerance = e->tolerance[i], got = e->base[i];
        if (tolerance < 0.0) {
            if (memcmp(&e->base[i], &e->before[i], sizeof(float)) != 0)
                fail(c, "float %zu of the output's memory was overwritten by %.9g", i, got);
        } else if (tolerance == HUGE_VAL) {
            continue;
        } else if (isnan(e->value[i]) ? isnan(got) && !is_canary(&e->base[i])
                                      : got == e->value[i]) {
            continue;
        } else if (!(fabs(got - e->value[i]) <= tolerance)) {
            fail(c, "float %zu of the output's memory is %.9g, not %.9g (tolerance %.3g)", i, got,
                 e->value[i], tolerance);
        }
    }
}

double sum_tolerance(int n, double sum)
{
    return (8.0 + 4.0 * sqrt((double)n)) * 0x1p-24 * sum + 1e-37;
}

/* What the activation tends to, upwards or downwards. */
static double act_limit(bool up, int act, float alpha, float beta)
{
    switch (act) {
    case RNC_ACT_NONE:
        return up ? HUGE_VAL : -HUGE_VAL;
    case RNC_ACT_LEAKY_RELU:
    case RNC_ACT_PRELU:
        return up ? HUGE_VAL : -HUGE_VAL * (double)alpha;
    case RNC_ACT_RELU6:
        return up ? 6.0 : 0.0;
    case RNC_ACT_TANH:
        return up ? 1.0 : -1.0;
    case RNC_ACT_SIGMOID:
    case RNC_ACT_HARD_SIGMOID:
        return up ? 1.0 : 0.0;
    case RNC_ACT_ELU:
        return up ? HUGE_VAL : -(double)alpha;
    case RNC_ACT_SELU:
        return up ? HUGE_VAL : (double)(float)(-SELU_SCALE * SELU_ALPHA);
    case RNC_ACT_CLIP:
        return (double)(up ? beta : alpha);
    default:
        return up ? HUGE_VAL : 0.0;
    }
}

/* How many times larger an error of x is in the result, at most. */
static double steepest(int act, float alpha)
{
    switch (act) {
    case RNC_ACT_LEAKY_RELU:
    case RNC_ACT_PRELU:
        return fmax(1.0, fabs((double)alpha));
    case RNC_ACT_HARD_SWISH:
        return 1.5;
    case RNC_ACT_SILU:
    case RNC_ACT_MISH:
        return 1.1;
    case RNC_ACT_GELU:
        return 1.2;
    case RNC_ACT_SELU:
        return SELU_SCALE * SELU_ALPHA;
    default:
        return 1.0;
    }
}

double ref_act(double x, int act, float alpha, float beta, double *tolerance)
{
    double y = x;
    if (isnan(x))
        return x;
    if (isinf(x)) {
        *tolerance = 0.0;
        return act_limit(x > 0.0, act, alpha, beta);
    }
    switch (act) {
    case RNC_ACT_RELU:
        y = fmax(x, 0.0);
        break;
    case RNC_ACT_RELU6:
        y = fmin(fmax(x, 0.0), 6.0);
        break;
    case RNC_ACT_LEAKY_RELU:
    case RNC_ACT_PRELU:
        y = x > 0.0 ? x : (double)alpha * x;
        break;
    case RNC_ACT_SIGMOID:
        y = 1.0 / (1.0 + exp(-x));
        break;
    case RNC_ACT_TANH:
        y = tanh(x);
        break;
    case RNC_ACT_HARD_SIGMOID:
        y = fmin(fmax((x + (double)beta) * (double)alpha, 0.0), 1.0);
        break;
    case RNC_ACT_HARD_SWISH:
        y = x * fmin(fmax(x + 3.0, 0.0), 6.0) / 6.0;
        break;
    case RNC_ACT_SILU:
        y = x / (1.0 + exp(-x));
        break;
    case RNC_ACT_GELU:
        y = x * erfc(-x * sqrt(0.5)) / 2.0;
        break;
    case RNC_ACT_ELU:
        y = x > 0.0 ? x : (double)alpha * expm1(x);
        break;
    case RNC_ACT_SELU:
        y = SELU_SCALE * (x > 0.0 ? x : SELU_ALPHA * expm1(x));
        break;
    case RNC_ACT_SOFTPLUS:
        y = fmax(x, 0.0) + log1p(exp(-fabs(x)));
        break;
    case RNC_ACT_MISH:
        y = x * tanh(fmax(x, 0.0) + log1p(exp(-fabs(x))));
        break;
    case RNC_ACT_CLIP:
        y = fmin(fmax(x, (double)alpha), (double)beta);
        break;
    default:
        return y;
    }
    *tolerance = steepest(act, alpha) * *tolerance +
                 8.0 * 0x1p-24 * fmax(fabs(y), fmin(fabs(x), 3.0)) + 1e-37;
    return y;
}

static void describe_int(Case *c, const char *name, double value)
{
    const size_t used = strlen(c->shape);
    snprintf(c->shape + used, sizeof c->shape - used, " %s=%g", name, value);
}

#define DESCRIBE(family)                                           \
    void describe_##family(Case *c, const rnc_##family##_shape *s) \
    {                                                              \
        c->shape[0] = '\0';
#define SHAPE_BEGIN(family, doc) DESCRIBE(family)
#define FIELD(family, type, name, doc) describe_int(c, #name, (double)s->name);
#define SHAPE_END(family) }
#include "kernels/shapes.def"
#define SHAPE_BEGIN(family, doc) DESCRIBE(family)
#define FIELD(family, type, name, doc) describe_int(c, #name, (double)s->name);
#define SHAPE_END(family) }
#include "kernels/train/shapes.def"
