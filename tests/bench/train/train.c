/* train.c: times the kernels of training that multiply, at the layers of layers.def:
 *
 *   cc -O2 -I. -Itests/bench/train -o train tests/bench/train/train.c -lm && ./train [ROUNDS]
 *
 * The best of ROUNDS (5) runs in turn of each layer, on one thread, as a share of the peak that a
 * loop of multiply-adds on registers reaches beside them.  A layer's work is that of the plain
 * convolution, zeros of the halo counted.  x86-64 only. */
#include "kernels/train/cuts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef void Step(const rnc_operands *o, int part, int parts);

#define ROUND16(n) (((n) + 15) / 16 * 16)
/* Images of 3 channels are stored without spare lanes, others in whole vectors. */
#define IN_PIXEL(in) ((in) < 16 ? (in) : ROUND16(in))
#define IN_SIDE(out, st) ((out) * (st))
#define IN_ROW(out, in, st, pd) ((IN_SIDE(out, st) + 2 * (pd)) * IN_PIXEL(in))
#define IN_IMAGE(out, in, st, pd) ((IN_SIDE(out, st) + 2 * (pd)) * IN_ROW(out, in, st, pd))
#define SLICES(out, in, o, k) \
    ((in) * (k) * (k) * (o) <= 32768 ? 8 : (in) * (k) * (k) * (o) <= 65536 ? 4 : 1)
#define GRAD_SHAPE(n, out, in, o, k, st, pd)                                                       \
    {                                                                                              \
        .images = n, .slices = SLICES(out, in, o, k), .slice = (n) / SLICES(out, in, o, k),        \
        .in_h = IN_SIDE(out, st), .in_w = IN_SIDE(out, st), .out_h = out, .out_w = out,            \
        .out_c = o, .kernel_h = k, .kernel_w = k, .stride_h = st, .stride_w = st, .dilation_h = 1, \
        .dilation_w = 1, .pad_top = pd, .pad_left = pd, .groups = 1, .in_c = in,                   \
        .panel = (o) < 32 ? (o) : 32, .in_pixel = IN_PIXEL(in), .in_row = IN_ROW(out, in, st, pd), \
        .in_image = IN_IMAGE(out, in, st, pd), .out_pixel = o, .out_row = (out) * (o),             \
        .out_image = (out) * (out) * (o)                                                           \
    }

/* The output's gradient has a halo as wide as the kernel's reach. */
#define HALO_ROW(out, o, k) (((out) + 2 * ((k)-1)) * (o))
#define DATA_SHAPE(n, out, in, o, k, st, pd)                                                     \
    {                                                                                            \
        .images = n, .in_h = IN_SIDE(out, st), .in_w = IN_SIDE(out, st), .in_c = ROUND16(in),    \
        .out_h = out, .out_w = out, .out_c = o, .kernel_h = k, .kernel_w = k, .stride_h = st,    \
        .stride_w = st, .dilation_h = 1, .dilation_w = 1, .pad_top = pd, .pad_left = pd,         \
        .groups = 1, .panel = ROUND16(in) < 32 ? ROUND16(in) : 32, .in_pixel = ROUND16(in),      \
        .in_row = IN_SIDE(out, st) * ROUND16(in),                                                \
        .in_image = IN_SIDE(out, st) * IN_SIDE(out, st) * ROUND16(in), .out_pixel = o,           \
        .out_row = HALO_ROW(out, o, k), .out_image = ((out) + 2 * ((k)-1)) * HALO_ROW(out, o, k) \
    }
#define DATA512(deep)                                                                \
    {                                                                                \
        .pixels = 14, .vectors = 2, .unroll = 4, .panels = 1, .prefetch_weights = 1, \
        .prefetch_output = 1, .memory_broadcasts = 75, .depth = deep                 \
    }
#define DATA2(deep)                                                                 \
    {                                                                               \
        .pixels = 3, .vectors = 4, .unroll = 2, .panels = 1, .prefetch_weights = 1, \
        .prefetch_output = 1, .prefetch_input = 1, .depth = deep                    \
    }

#ifndef KNOBS512
#define KNOBS512                                 \
    {                                            \
        .pixels = 14, .vectors = 2, .depth = 128 \
    }
#endif
#ifndef KNOBS2
#define KNOBS2                                  \
    {                                           \
        .pixels = 3, .vectors = 4, .depth = 128 \
    }
#endif

#define RNC_FN(name) name##_avx512
#define KNOBS KNOBS512
#define DATA_KNOBS DATA512
#include "kernels/isa/isa_avx512.h"
#include "steps.h"

#define RNC_FN(name) name##_avx2
#define KNOBS KNOBS2
#define DATA_KNOBS DATA2
#include "kernels/isa/isa_avx2.h"
#include "steps.h"

typedef struct Layer {
    const char *name;
    int n, out, in, o, k, st, pd;
} Layer;
static const Layer layers[] = {
#define LAYER(name, n, out, in, o, k, st, pd) {#name, n, out, in, o, k, st, pd},
#include "layers.def"
};
enum { LAYERS = sizeof layers / sizeof *layers, CHAINS = 10, TURNS = 20000 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Seconds of TURNS times CHAINS multiply-adds of 16 (AVX-512) or 8 lanes. */
#define BURN(name, V, target)                                                           \
    target static double name(void)                                                     \
    {                                                                                   \
        V x = (V){0} + 0.5f, a[CHAINS] = {x, x, x, x, x, x, x, x, x, x};                \
        const double begin = now();                                                     \
        for (int i = 0; i < TURNS; i++) {                                               \
            _Pragma("GCC unroll 10") for (int k = 0; k < CHAINS; k++) __asm__ volatile( \
                "vfmadd231ps %1, %1, %0" : "+x"(a[k]) : "x"(x));                        \
        }                                                                               \
        return now() - begin;                                                           \
    }
typedef float v16 __attribute__((vector_size(64)));
typedef float v8 __attribute__((vector_size(32)));
BURN(burn512, v16, __attribute__((target("avx512f"))))
BURN(burn2, v8, __attribute__((target("avx2,fma"))))

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

/* The memory of a layer, and its times: of the weights' gradient and of the input's. */
enum { WEIGHTS, DATA, KINDS };
typedef struct Bench {
    rnc_operands operands[KINDS];
    double best[KINDS][2]; /* AVX-512, AVX2 */
} Bench;

static void prepare(const Layer *l, Bench *b)
{
    const int side = l->out * l->st + 2 * l->pd, pixel = IN_PIXEL(l->in), reach = l->k - 1;
    const size_t n = (size_t)l->n, in = n * (size_t)(side * side * pixel) + 64;
    const size_t out = n * (size_t)(l->out * l->out * l->o);
    const size_t wide = n * (size_t)((l->out + 2 * reach) * HALO_ROW(l->out, l->o, l->k));
    const size_t filters = (size_t)(l->k * l->k * ROUND16(l->in) + 4) * (size_t)l->o;
    rnc_operands *w = &b->operands[WEIGHTS], *d = &b->operands[DATA];
    w->in[0] = random_floats(in) + (size_t)(l->pd * (side + 1) * pixel);
    w->in[1] = random_floats(out);
    w->out[0] = random_floats(filters * 8);
    w->scratch = random_floats(1 << 16);
    d->in[0] = random_floats(wide) + reach * (HALO_ROW(l->out, l->o, l->k) + l->o);
    d->in[1] = random_floats(filters + (size_t)(4 * ROUND16(l->in)));
    d->out[0] = random_floats(n * (size_t)(l->out * l->st * l->out * l->st * ROUND16(l->in)));
    for (int i = 0; i < KINDS; i++)
        b->best[i][0] = b->best[i][1] = 1e9;
}

/* A 3x3 layer of 2 x 2 pixels leaves out the 5 of 9 products that meet only the halo; none leaves
 * out more. */
enum { SHARE_MOST = 3 };

/* 0 if a time cannot be that of all the work. */
static int report(const Bench *benches, int kind, const double *peak)
{
    static const char *const titles[KINDS] = {"gradient of weights", "gradient of input"};
    int good = 1;
    printf("%-19s %9s %9s %7s %7s\n", titles[kind], "avx512 ms", "avx2 ms", "%", "%");
    for (int i = 0; i < LAYERS; i++) {
        const Layer *l = &layers[i];
        const double flop = 2.0 * l->n * l->out * l->out * l->k * l->k * l->in * l->o;
        const double *t = benches[i].best[kind];
        const double share[2] = {flop / t[0] / peak[0], flop / t[1] / peak[1]};
        if (kind == DATA && l->in < 16)
            continue;
        printf("%-19s %9.3f %9.3f %7.1f %7.1f\n", l->name, t[0] * 1e3, t[1] * 1e3, 100 * share[0],
               100 * share[1]);
        if (share[0] > SHARE_MOST || share[1] > SHARE_MOST) {
            fprintf(stderr, "train: %s: no kernel is as fast: its shape leaves work out\n",
                    l->name);
            good = 0;
        }
    }
    return good;
}

int main(int argc, char **argv)
{
    static Bench benches[LAYERS];
    static Step *const *const steps[KINDS][2] = {{weights_steps_avx512, weights_steps_avx2},
                                                 {data_steps_avx512, data_steps_avx2}};
    const int rounds = argc > 1 ? atoi(argv[1]) : 5;
    double burn[2] = {1e9, 1e9};
    for (int i = 0; i < LAYERS; i++)
        prepare(&layers[i], &benches[i]);
    for (int r = 0; r < rounds; r++)
        for (int i = 0; i < LAYERS; i++)
            for (int k = 0; k < KINDS * 2; k++) {
                const int kind = k / 2, isa = k % 2;
                const double took = isa ? burn2() : burn512(), begin = now();
                steps[kind][isa][i](&benches[i].operands[kind], 0, 1);
                double *const best = &benches[i].best[kind][isa];
                *best = fmin(*best, now() - begin);
                burn[isa] = fmin(burn[isa], took);
            }
    const double peak[2] = {2.0 * 16 * CHAINS * TURNS / burn[0],
                            2.0 * 8 * CHAINS * TURNS / burn[1]};
    printf("peak, GFLOP/s: avx512 %.1f, avx2 %.1f\n", peak[0] * 1e-9, peak[1] * 1e-9);
    int good = 1;
    for (int kind = 0; kind < KINDS; kind++)
        good = report(benches, kind, peak) && good;
    return !good;
}
