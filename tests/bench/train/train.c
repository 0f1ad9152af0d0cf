/* train.c: times the kernels of training that no plan uses yet, at the layers of layers.def:
 *
 *   cc -O2 -I. -Itests/bench/train -o train tests/bench/train/train.c && ./train [ROUNDS]
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

typedef void Step(const void *operands, int part, int parts);

#define ROUND16(n) (((n) + 15) / 16 * 16)
/* Images of 3 channels are stored without spare lanes, others in whole vectors. */
#define IN_PIXEL(in) ((in) < 16 ? (in) : ROUND16(in))
#define IN_SIDE(out, st) ((out) * (st))
#define IN_ROW(out, in, st, pd) ((IN_SIDE(out, st) + 2 * (pd)) * IN_PIXEL(in))
#define IN_IMAGE(out, in, st, pd) ((IN_SIDE(out, st) + 2 * (pd)) * IN_ROW(out, in, st, pd))
#define SLICES(out, in, o, k) \
    ((in) * (k) * (k) * (o) <= 32768 ? 8 : (in) * (k) * (k) * (o) <= 65536 ? 4 : 1)
#define GRAD_SHAPE(n, out, in, o, k, st, pd)                                                  \
    {                                                                                         \
        .images = n, .slices = SLICES(out, in, o, k), .in_h = IN_SIDE(out, st),               \
        .in_w = IN_SIDE(out, st), .out_h = out, .out_w = out, .out_c = o, .kernel_h = k,      \
        .kernel_w = k, .stride_h = st, .stride_w = st, .dilation_h = 1, .dilation_w = 1,      \
        .pad_top = pd, .pad_left = pd, .groups = 1, .in_c = in, .panel = (o) < 32 ? (o) : 32, \
        .in_pixel = IN_PIXEL(in), .in_row = IN_ROW(out, in, st, pd),                          \
        .in_image = IN_IMAGE(out, in, st, pd), .out_pixel = o, .out_row = (out) * (o),        \
        .out_image = (out) * (out) * (o)                                                      \
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
#include "kernels/isa/isa_avx512.h"
#include "steps.h"

#define RNC_FN(name) name##_avx2
#define KNOBS KNOBS2
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

/* The memory of a layer, and its times. */
typedef struct Bench {
    rnc_train_operands weights;
    double best[2];
} Bench;

static void prepare(const Layer *l, Bench *b)
{
    const int side = l->out * l->st + 2 * l->pd, pixel = IN_PIXEL(l->in);
    const size_t in = (size_t)l->n * (size_t)side * (size_t)side * (size_t)pixel + 64;
    const size_t out = (size_t)l->n * (size_t)l->out * (size_t)l->out * (size_t)l->o;
    const size_t sums = ((size_t)(l->k * l->k * l->in) + 1) * (size_t)l->o * 8;
    b->weights.in[0] = random_floats(in) + (size_t)(l->pd * (side + 1) * pixel);
    b->weights.in[1] = random_floats(out);
    b->weights.out[0] = random_floats(sums);
    b->weights.scratch = random_floats(1 << 16);
    b->best[0] = b->best[1] = 1e9;
}

int main(int argc, char **argv)
{
    static Bench benches[LAYERS];
    static Step *const *const steps[2] = {weights_steps_avx512, weights_steps_avx2};
    const int rounds = argc > 1 ? atoi(argv[1]) : 5;
    double peak[2] = {1e9, 1e9};
    for (int i = 0; i < LAYERS; i++)
        prepare(&layers[i], &benches[i]);
    for (int r = 0; r < rounds; r++)
        for (int i = 0; i < LAYERS; i++)
            for (int isa = 0; isa < 2; isa++) {
                const double burn = isa ? burn2() : burn512(), begin = now();
                steps[isa][i](&benches[i].weights, 0, 1);
                const double took = now() - begin;
                peak[isa] = fmin(peak[isa], burn);
                benches[i].best[isa] = fmin(benches[i].best[isa], took);
            }
    const double flops512 = 2.0 * 16 * CHAINS * TURNS / peak[0];
    const double flops2 = 2.0 * 8 * CHAINS * TURNS / peak[1];
    printf("peak, GFLOP/s: avx512 %.1f, avx2 %.1f\n", flops512 * 1e-9, flops2 * 1e-9);
    printf("%-18s %9s %9s %7s %7s\n", "backward weights", "avx512 ms", "avx2 ms", "%", "%");
    for (int i = 0; i < LAYERS; i++) {
        const Layer *l = &layers[i];
        const double flop = 2.0 * l->n * l->out * l->out * l->k * l->k * l->in * l->o;
        const Bench *b = &benches[i];
        printf("%-18s %9.3f %9.3f %7.1f %7.1f\n", l->name, b->best[0] * 1e3, b->best[1] * 1e3,
               100 * flop / b->best[0] / flops512, 100 * flop / b->best[1] / flops2);
    }
    return 0;
}
