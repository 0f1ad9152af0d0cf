/* measure_loops.c: multiply-adds and reads by each instruction set.  Assembly keeps compilers from
 * leaving out what nobody needs; elsewhere than on x86-64 and 64-bit ARM it is plain C. */
#include "tool/measure_loops.h"

#define CHAINS 12
#define EACH(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9) M(10) M(11)

/* CHAINS sums a turn; V: the type, FMA(sum, factor): sum += factor * factor. */
#define DECLARE(i) V a##i = x;
#define STEP(i) FMA(a##i, x);
#define KEEP(i) __asm__ volatile("" ::REG(a##i));
#define BURN(name, target)                          \
    target static void name(long turns)             \
    {                                               \
        V x = START;                                \
        EACH(DECLARE)                               \
        for (long turn = 0; turn < turns; turn++) { \
            EACH(STEP)                              \
        }                                           \
        EACH(KEEP)                                  \
    }

/* Eight vectors at a time from each part. */
#define LOAD(i) __asm__ volatile("" ::REG(q[i]));
#define READ(name, target)                                                      \
    target static void name(const void *data, size_t bytes, size_t streams)     \
    {                                                                           \
        const size_t part = bytes / sizeof(V) / streams;                        \
        for (const V *p = data, *end = p + part; p < end; p += 8) {             \
            for (size_t s = 0; s < streams; s++) {                              \
                const V *q = p + s * part;                                      \
                LOAD(0) LOAD(1) LOAD(2) LOAD(3) LOAD(4) LOAD(5) LOAD(6) LOAD(7) \
            }                                                                   \
        }                                                                       \
    }

#if defined(__x86_64__) && defined(__GNUC__)

typedef float v4 __attribute__((vector_size(16)));
typedef float v8 __attribute__((vector_size(32)));
typedef float v16 __attribute__((vector_size(64)));

#define START ((V){0} + 0.5f)
#define REG "v"
#define FMA(a, x) __asm__ volatile("vfmadd231ps %1, %1, %0" : "+v"(a) : "v"(x))
#define V v16
BURN(burn_avx512, __attribute__((target("avx512f"))))
READ(read_avx512, __attribute__((target("avx512f"))))
#undef V
#undef REG
#undef FMA
#define REG "x"
#define FMA(a, x) __asm__ volatile("vfmadd231ps %1, %1, %0" : "+x"(a) : "x"(x))
#define V v8
BURN(burn_avx2, __attribute__((target("avx2,fma"))))
READ(read_avx2, __attribute__((target("avx2,fma"))))
#undef V
#undef FMA
#define FMA(a, x)                                            \
    do {                                                     \
        V p = x;                                             \
        __asm__ volatile("mulps %1, %0" : "+x"(p) : "x"(x)); \
        __asm__ volatile("addps %1, %0" : "+x"(a) : "x"(p)); \
    } while (0)
#define V v4
BURN(burn_portable, )
READ(read_portable, )
#undef V
#undef FMA
#undef START
#define START 0.5f
#define FMA(a, x)                                            \
    do {                                                     \
        V p = x;                                             \
        __asm__ volatile("mulss %1, %0" : "+x"(p) : "x"(x)); \
        __asm__ volatile("addss %1, %0" : "+x"(a) : "x"(p)); \
    } while (0)
#define V float
BURN(burn_scalar, )

const MeasureLoop measure_loops[] = {
    {ISA_avx512, 2 * 16 * CHAINS, burn_avx512, read_avx512},
    {ISA_avx2, 2 * 8 * CHAINS, burn_avx2, read_avx2},
    {ISA_portable, 2 * 4 * CHAINS, burn_portable, read_portable},
    {ISA_scalar, 2 * CHAINS, burn_scalar, read_portable},
    {ISA_COUNT, 0, NULL, NULL},
};

#elif defined(__aarch64__) && defined(__GNUC__)

typedef float v4 __attribute__((vector_size(16)));

#define START ((V){0} + 0.5f)
#define REG "w"
#define FMA(a, x) __asm__ volatile("fmla %0.4s, %1.4s, %1.4s" : "+w"(a) : "w"(x))
#define V v4
BURN(burn_neon, )
READ(read_neon, )
#undef V
#undef FMA
#undef START
#define START 0.5f
#define FMA(a, x) __asm__ volatile("fmadd %s0, %s1, %s1, %s0" : "+w"(a) : "w"(x))
#define V float
BURN(burn_scalar, )

const MeasureLoop measure_loops[] = {
    {ISA_neon, 2 * 4 * CHAINS, burn_neon, read_neon},
    {ISA_portable, 2 * 4 * CHAINS, burn_neon, read_neon},
    {ISA_scalar, 2 * CHAINS, burn_scalar, read_neon},
    {ISA_COUNT, 0, NULL, NULL},
};

#else

/* A number that the compiler cannot know, and one that it must compute. */
static volatile float seen = 0.5f;

static void burn_plain(long turns)
{
    const float x = seen;
    float sums[CHAINS];
    for (int i = 0; i < CHAINS; i++)
        sums[i] = x;
    for (long turn = 0; turn < turns; turn++) {
        for (int i = 0; i < CHAINS; i++)
            sums[i] = sums[i] * x + x;
    }
    for (int i = 0; i < CHAINS; i++)
        seen = sums[i];
}

static void read_plain(const void *data, size_t bytes, size_t streams)
{
    const unsigned long *p = data;
    const size_t part = bytes / sizeof *p / streams;
    unsigned long sum = 0;
    for (size_t i = 0; i < part; i++) {
        for (size_t s = 0; s < streams; s++)
            sum += p[s * part + i];
    }
    seen = sum > 0 ? 0.5f : 0.25f;
}

const MeasureLoop measure_loops[] = {
    {ISA_portable, 2 * CHAINS, burn_plain, read_plain},
    {ISA_scalar, 2 * CHAINS, burn_plain, read_plain},
    {ISA_COUNT, 0, NULL, NULL},
};

#endif
