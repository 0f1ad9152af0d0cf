/* peaks.c: what this machine can do at most, as JSON: peaks THREADS
 *
 *   flops   GFLOP/s of independent fused multiply-adds on registers, by instruction set;
 *           "portable" is the baseline's 128-bit vectors with what it has (a
 *           multiplication and an addition, where the baseline has no FMA)
 *   read    GB/s of loading a buffer of so many bytes, over and over, by the widest vectors, from
 *           the start to the end or from 2, 4 or 8 parts of it side by side, whatever is fastest
 *
 * THREADS threads at once, each on data of its own; the best of many short windows.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CHAINS = 10, WINDOWS = 300, FEW = 30, STEPS = 20000, MAX_THREADS = 256 };

typedef float v4 __attribute__((vector_size(16)));
typedef float v8 __attribute__((vector_size(32)));
typedef float v16 __attribute__((vector_size(64)));

#define LOAD(i) __asm__ volatile("" ::REG(q[i]));
/* Loads of 8 vectors at a time from each of `streams` parts. */
#define READ(name, target)                                                      \
    target static void name(const void *data, size_t bytes, size_t streams)     \
    {                                                                           \
        const size_t part = bytes / sizeof(V) / streams;                        \
        for (const V *p = data, *end = p + part; p < end; p += 8)               \
            for (size_t s = 0; s < streams; s++) {                              \
                const V *q = p + s * part;                                      \
                LOAD(0) LOAD(1) LOAD(2) LOAD(3) LOAD(4) LOAD(5) LOAD(6) LOAD(7) \
            }                                                                   \
    }

#define EACH(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9)
#define DECLARE(i) V a##i = x;
#define STEP(i) FMA(a##i, x, y);
#define KEEP(i) __asm__ volatile("" ::REG(a##i));
/* Multiply-adds in CHAINS chains that do not wait for each other. */
#define BURN(name, target)                 \
    target static void name(void)          \
    {                                      \
        V x = (V){0} + 0.5f, y = x;        \
        EACH(DECLARE)                      \
        for (long k = 0; k < STEPS; k++) { \
            EACH(STEP)                     \
        }                                  \
        EACH(KEEP)                         \
    }

#if defined(__x86_64__)
#define REG "x"
#define FMA(a, x, y) __asm__ volatile("vfmadd231ps %1, %2, %0" : "+x"(a) : "x"(x), "x"(y))
#define V v16
BURN(burn_avx512, __attribute__((target("avx512f"))))
READ(read_avx512, __attribute__((target("avx512f"))))
#undef V
#define V v8
BURN(burn_avx2, __attribute__((target("avx2,fma"))))
READ(read_avx2, __attribute__((target("avx2,fma"))))
#undef V
#undef FMA
#define FMA(a, x, y)                                         \
    do {                                                     \
        V p = x;                                             \
        __asm__ volatile("mulps %1, %0" : "+x"(p) : "x"(y)); \
        __asm__ volatile("addps %1, %0" : "+x"(a) : "x"(p)); \
    } while (0)
#define V v4
BURN(burn_portable, )
READ(read_portable, )
#undef V
#elif defined(__aarch64__)
#define REG "w"
#define FMA(a, x, y) __asm__ volatile("fmla %0.4s, %1.4s, %2.4s" : "+w"(a) : "w"(x), "w"(y))
#define V v4
BURN(burn_portable, )
READ(read_portable, )
#undef V
#else
#error "peaks.c knows x86-64 and aarch64"
#endif

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* What a thread does: burn(), or read `bytes` of its own. */
typedef struct job {
    void (*burn)(void);
    void (*read)(const void *data, size_t bytes, size_t streams);
    size_t bytes, streams;
    void *data;
    double seconds; /* of its best window */
    pthread_barrier_t *start;
} job;

static size_t repeats(size_t bytes)
{
    size_t least = (size_t)32 << 20;
    return bytes < least ? least / bytes : 1;
}

static void *work(void *arg)
{
    job *j = arg;
    if (j->bytes) {
        j->data = aligned_alloc(64, j->bytes);
        if (!j->data)
            exit(1);
        memset(j->data, 0, j->bytes);
    }
    int windows = j->bytes > (size_t)64 << 20 ? FEW : WINDOWS;
    for (int i = 0; i < windows; i++) {
        pthread_barrier_wait(j->start);
        double begin = now();
        if (j->burn)
            j->burn();
        for (size_t r = 0; j->bytes && r < repeats(j->bytes); r++)
            j->read(j->data, j->bytes, j->streams);
        double took = now() - begin;
        if (i == 0 || took < j->seconds)
            j->seconds = took;
    }
    free(j->data);
    return NULL;
}

/* The sum over the threads of `amount` in its best window, in 10^9 a second. */
static double best(job kind, int threads)
{
    static pthread_t id[MAX_THREADS];
    static job jobs[MAX_THREADS];
    pthread_barrier_t start;
    double sum = 0;
    pthread_barrier_init(&start, NULL, (unsigned)threads);
    for (int i = 0; i < threads; i++) {
        jobs[i] = kind;
        jobs[i].start = &start;
        if (pthread_create(&id[i], NULL, work, &jobs[i]))
            exit(1);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(id[i], NULL);
        double amount =
            kind.burn ? (double)STEPS * CHAINS * 2 : (double)(repeats(kind.bytes) * kind.bytes);
        sum += amount / jobs[i].seconds * 1e-9;
    }
    pthread_barrier_destroy(&start);
    return sum;
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = {16u << 10, 256u << 10, 4u << 20, 256u << 20};
    int threads = argc > 1 ? atoi(argv[1]) : 1;
    if (threads < 1 || threads > MAX_THREADS) {
        fprintf(stderr, "usage: peaks THREADS\n");
        return 1;
    }
    job read = {.read = read_portable};
    printf("{\"flops\":{");
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        printf("\"avx2\":%.1f,", 8 * best((job){.burn = burn_avx2}, threads));
        read.read = read_avx2;
    }
    if (__builtin_cpu_supports("avx512f")) {
        printf("\"avx512\":%.1f,", 16 * best((job){.burn = burn_avx512}, threads));
        read.read = read_avx512;
    }
#else
    printf("\"neon\":%.1f,", 4 * best((job){.burn = burn_portable}, threads));
#endif
    printf("\"portable\":%.1f},\"read\":{", 4 * best((job){.burn = burn_portable}, threads));
    for (int i = 0; i < 4; i++) {
        double most = 0;
        read.bytes = sizes[i];
        for (read.streams = 1; read.streams <= 8; read.streams *= 2) {
            double found = best(read, threads);
            most = found > most ? found : most;
        }
        printf("%s\"%zu\":%.1f", i ? "," : "", sizes[i], most);
    }
    printf("}}\n");
    return 0;
}
