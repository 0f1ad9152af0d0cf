/* passes.c: times the kernels of training that are bound by memory, batch normalisation and the
 * optimizers:
 *
 *   cc -O2 -I. -Itests/bench/train -o passes tests/bench/train/passes.c -lm && ./passes [ROUNDS]
 *
 * For each the best of ROUNDS (5) runs in turn, on one thread, and the GB a second that its reads
 * and writes of whole tensors are.  A time that no core can take ends it with 1.  x86-64 only. */
#include "kernels/train/cuts.h"
#include "kernels/train/rates.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef void Step(const rnc_operands *o);
enum { FLOATS = 4 << 20, KINDS = 7 };

#define SHAPE(n, side, ch)                                                                       \
    .images = n, .h = side, .w = side, .c = ch, .slices = (n) < 16 ? (n) : 16,                   \
    .slice = (n) < 16 ? 1 : (n) / 16, .epsilon = 1e-5f, .in_pixel = ch, .in_row = (side) * (ch), \
    .in_image = (side) * (side) * (ch), .out_pixel = ch, .out_row = (side) * (ch),               \
    .out_image = (side) * (side) * (ch), .res_pixel = ch, .res_row = (side) * (ch),              \
    .res_image = (side) * (side) * (ch), .grad_pixel = ch, .grad_row = (side) * (ch),            \
    .grad_image = (side) * (side) * (ch), .to_pixel = ch, .to_row = (side) * (ch),               \
    .to_image = (side) * (side) * (ch)

#define RNC_FN(name) name##_avx512
#include "kernels/isa/isa_avx512.h"
#include "passes.h"

#define RNC_FN(name) name##_avx2
#include "kernels/isa/isa_avx2.h"
#include "passes.h"

typedef struct Pass {
    const char *name;
    int n, side, c;
} Pass;
static const Pass passes[] = {
#define PASS(name, n, side, ch) {#name, n, side, ch},
#include "passes.def"
};
enum { PASSES = sizeof passes / sizeof *passes };

/* The kernels, and the tensors that they read and write. */
static const struct Kind {
    const char *name;
    int tensors;
} kinds[KINDS] = {{"moments", 1},     {"apply", 2},           {"grad sums", 2},
                  {"grad", 3},        {"apply, residual", 3}, {"grad sums, residual", 4},
                  {"grad, stored", 3}};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static float *random_floats(size_t n)
{
    float *p = aligned_alloc(64, (n * sizeof *p + 63) / 64 * 64);
    unsigned state = 1;
    if (!p)
        exit(1);
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        p[i] = (float)(state >> 8) * 0x1p-23f - 1.0f;
    }
    return p;
}

/* The operands of a normalisation's kernels. */
static void operands(const Pass *p, rnc_operands *o)
{
    const size_t n = (size_t)(p->n * p->side * p->side * p->c), c = (size_t)p->c;
    const float *x = random_floats(n), *y = random_floats(n), *grad = random_floats(n);
    const float *mean = random_floats(c), *gamma = random_floats(c), *beta = random_floats(c);
    float *variance = random_floats(c), *sums = random_floats(32 * c),
          *means = random_floats(2 * c);
    float *to = random_floats(n), *other = random_floats(n);
    for (size_t i = 0; i < c; i++)
        variance[i] = variance[i] * variance[i] + 0.1f;
    const rnc_operands apply = {.in = {x, y, mean, variance, gamma, beta}, .out = {to}};
    const rnc_operands back = {.in = {grad, x, y, mean, variance, gamma, beta, means},
                               .out = {sums, other}};
    for (int i = 0; i < KINDS; i++)
        o[i] = i == 0 || i == 1 || i == 4 ? apply : back;
    o[0].out[0] = sums;
    o[3].out[0] = o[6].out[0] = to;
}

/* Two loads of 64 bytes in each cycle of 5 GHz: no core reads faster. */
static const double RATE_MOST = 640e9;

/* 0 if a time cannot be that of all the work. */
static int report(const char *name, const char *kind, const double *best, double bytes)
{
    printf("%-12s %-20s %9.1f %9.1f %7.1f %7.1f\n", name, kind, best[0] * 1e6, best[1] * 1e6,
           bytes / best[0] * 1e-9, bytes / best[1] * 1e-9);
    if (bytes / best[0] <= RATE_MOST && bytes / best[1] <= RATE_MOST)
        return 1;
    fprintf(stderr, "passes: %s, %s: no core is as fast: its shape leaves work out\n", name, kind);
    return 0;
}

int main(int argc, char **argv)
{
    static rnc_operands o[PASSES][KINDS];
    static double best[PASSES][KINDS][2], optimizers[2][2];
    const int rounds = argc > 1 ? atoi(argv[1]) : 5;
    int good = 1;
    rnc_rates rates;
    rnc_adam_rates(0.001, 0.9, 0.999, 0.0, 1, 0, &rates);
    const rnc_operands update = {
        .in = {random_floats(FLOATS), &rates},
        .out = {random_floats(FLOATS), random_floats(FLOATS), random_floats(FLOATS)}};
    for (int i = 0; i < FLOATS; i++)
        ((float *)update.out[2])[i] = fabsf(((float *)update.out[2])[i]);
    for (int i = 0; i < PASSES; i++)
        operands(&passes[i], o[i]);
    for (int r = 0; r < rounds; r++)
        for (int isa = 0; isa < 2; isa++) {
            for (int i = 0; i < PASSES * KINDS; i++) {
                Step *const step =
                    isa ? steps_avx2[i / KINDS][i % KINDS] : steps_avx512[i / KINDS][i % KINDS];
                const double begin = now();
                step(&o[i / KINDS][i % KINDS]);
                const double took = now() - begin;
                double *to = &best[i / KINDS][i % KINDS][isa];
                *to = r == 0 || took < *to ? took : *to;
            }
            for (int i = 0; i < 2; i++) {
                Step *const step = isa ? (i ? sgd_step_avx2 : adam_step_avx2)
                                       : (i ? sgd_step_avx512 : adam_step_avx512);
                const double begin = now();
                step(&update);
                const double took = now() - begin;
                optimizers[i][isa] =
                    r == 0 || took < optimizers[i][isa] ? took : optimizers[i][isa];
            }
        }
    printf("%-12s %-20s %9s %9s %7s %7s\n", "", "", "avx512 us", "avx2 us", "GB/s", "GB/s");
    for (int i = 0; i < PASSES * KINDS; i++) {
        const Pass *p = &passes[i / KINDS];
        const double bytes = 4.0 * p->n * p->side * p->side * p->c * kinds[i % KINDS].tensors;
        good = report(p->name, kinds[i % KINDS].name, best[i / KINDS][i % KINDS], bytes) && good;
    }
    good = report("4 M floats", "adam", optimizers[0], 4.0 * FLOATS * 7) && good;
    good = report("4 M floats", "sgd, momentum", optimizers[1], 4.0 * FLOATS * 5) && good;
    return !good;
}
