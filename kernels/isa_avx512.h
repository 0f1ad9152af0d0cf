/* isa_avx512.h: x86-64 with AVX-512, vectors of 16 floats.  The asm lines make
 * gcc and clang emit the same loops; the compiler still allots the registers. */
#define RNC_FN(name) name##_avx512
#define RNC_VL 16
#define RNC_TARGET __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,fma")))
#define RNC_KERNEL static inline __attribute__((always_inline, unused)) RNC_TARGET

typedef float vf_avx512 __attribute__((vector_size(64)));
typedef int vi_avx512 __attribute__((vector_size(64)));
typedef float vf_memory_avx512 __attribute__((vector_size(64), may_alias));
typedef float vf_anywhere_avx512 __attribute__((vector_size(64), may_alias, aligned(4)));
#define vf vf_avx512

/* Hot loops: acc += a * b; v = *p in all lanes; acc += *p * b. */
#define RNC_FMA(acc, a, b) __asm__ volatile("vfmadd231ps %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b))
#define RNC_BROADCAST(v, p) __asm__ volatile("vbroadcastss %1, %0" : "=v"(v) : "m"(*(p)))
#define RNC_FMA_MEM(acc, p, b) \
    __asm__ volatile("vfmadd231ps %1%{1to16%}, %2, %0" : "+v"(acc) : "m"(*(p)), "v"(b))
#define RNC_PREFETCH(p) __builtin_prefetch(p, 0, 2)
#define RNC_PREFETCH_NEAR(p) __builtin_prefetch((p), 0, 3)
#define RNC_PREFETCH_WRITE(p) __asm__ volatile("prefetchw %0" : : "m"(*(const char *)(p)))
#define RNC_PRAGMA(text) _Pragma(#text)
#ifdef __clang__
#pragma clang diagnostic ignored "-Wpass-failed" /* loops whose length is no constant stay loops \
                                                  */
#define RNC_UNROLL(n) RNC_PRAGMA(clang loop unroll(full))
#else
#define RNC_UNROLL(n) RNC_PRAGMA(GCC unroll n)
#endif

#define vf_load RNC_FN(vf_load)
RNC_KERNEL vf vf_load(const float *p)
{
    return *(const vf_memory_avx512 *)p;
}
#define vf_store RNC_FN(vf_store)
RNC_KERNEL void vf_store(float *p, vf v)
{
    *(vf_memory_avx512 *)p = v;
}
#define vf_loadu RNC_FN(vf_loadu)
RNC_KERNEL vf vf_loadu(const float *p)
{
    return *(const vf_anywhere_avx512 *)p;
}
#define vf_storeu RNC_FN(vf_storeu)
RNC_KERNEL void vf_storeu(float *p, vf v)
{
    *(vf_anywhere_avx512 *)p = v;
}
/* The first n lanes, 0 <= n <= 16; the others are 0, or stay in memory. */
#define vf_load_part RNC_FN(vf_load_part)
RNC_KERNEL vf vf_load_part(const float *p, int n)
{
    unsigned short lanes = (unsigned short)((1u << n) - 1u);
    vf v;
    __asm__ volatile("vmovups (%1), %0%{%2%}%{z%}" : "=v"(v) : "r"(p), "Yk"(lanes) : "memory");
    return v;
}
#define vf_store_part RNC_FN(vf_store_part)
RNC_KERNEL void vf_store_part(float *p, vf v, int n)
{
    unsigned short lanes = (unsigned short)((1u << n) - 1u);
    __asm__ volatile("vmovups %1, (%0)%{%2%}" : : "r"(p), "v"(v), "Yk"(lanes) : "memory");
}
#define vf_zero RNC_FN(vf_zero)
RNC_KERNEL vf vf_zero(void)
{
    vf v = {0};
    return v;
}
#define vf_set1 RNC_FN(vf_set1)
RNC_KERNEL vf vf_set1(float x)
{
    vf v = {x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
    return v;
}
/* a > b ? a : b, so b where either is not a number; vf_min likewise. */
#define vf_max RNC_FN(vf_max)
RNC_KERNEL vf vf_max(vf a, vf b)
{
    __asm__("vmaxps %1, %0, %0" : "+v"(a) : "v"(b));
    return a;
}
#define vf_min RNC_FN(vf_min)
RNC_KERNEL vf vf_min(vf a, vf b)
{
    __asm__("vminps %1, %0, %0" : "+v"(a) : "v"(b));
    return a;
}
#define vf_fma RNC_FN(vf_fma)
RNC_KERNEL vf vf_fma(vf a, vf b, vf c)
{
    __asm__("vfmadd231ps %2, %1, %0" : "+v"(c) : "v"(a), "v"(b));
    return c;
}
#define vf_select_gt RNC_FN(vf_select_gt)
RNC_KERNEL vf vf_select_gt(vf a, vf b, vf x, vf y)
{
    vi_avx512 m = a > b;
    return (vf)((m & (vi_avx512)x) | (~m & (vi_avx512)y));
}
#define vf_abs RNC_FN(vf_abs)
RNC_KERNEL vf vf_abs(vf x)
{
    return (vf)((vi_avx512)x & 0x7fffffff);
}
#define vf_round RNC_FN(vf_round)
RNC_KERNEL vf vf_round(vf x)
{
    __asm__("vrndscaleps $8, %0, %0" : "+v"(x));
    return x;
}
#define vf_exp2i RNC_FN(vf_exp2i)
RNC_KERNEL vf vf_exp2i(vf n)
{
    vi_avx512 i;
    __asm__("vcvtps2dq %1, %0" : "=v"(i) : "v"(n));
    return (vf)((i + 127) << 23);
}
#define vf_reduce_add RNC_FN(vf_reduce_add)
RNC_KERNEL float vf_reduce_add(vf v)
{
    float x = 0.0f;
    for (int i = 0; i < 4; i++)
        x += (v[i] + v[i + 4]) + (v[i + 8] + v[i + 12]);
    return x;
}
#define vf_reduce_max RNC_FN(vf_reduce_max)
RNC_KERNEL float vf_reduce_max(vf v)
{
    float x = v[0];
    for (int i = 1; i < RNC_VL; i++)
        x = v[i] > x ? v[i] : x;
    return x;
}
