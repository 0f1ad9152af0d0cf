/* isa_neon.h: 64-bit ARM, vectors of 4 floats.  RNC_FMA_MEM multiplies by a
 * lane, so that a broadcast costs no more than its load. */
#define RNC_FN(name) name##_neon
#define RNC_VL 4
#define RNC_TARGET
#define RNC_KERNEL static inline __attribute__((always_inline, unused)) RNC_TARGET

typedef float vf_neon __attribute__((vector_size(16)));
typedef int vi_neon __attribute__((vector_size(16)));
typedef float vf_memory_neon __attribute__((vector_size(16), may_alias));
typedef float vf_anywhere_neon __attribute__((vector_size(16), may_alias, aligned(4)));
#define vf vf_neon

/* Hot loops: acc += a * b; v = *p in all lanes; acc += *p * b. */
#define RNC_FMA(acc, a, b) __asm__ volatile("fmla %0.4s, %1.4s, %2.4s" : "+w"(acc) : "w"(a), "w"(b))
#define RNC_BROADCAST(v, p) __asm__ volatile("ld1r {%0.4s}, %1" : "=w"(v) : "Q"(*(p)))
#define RNC_FMA_MEM(acc, p, b)                                                           \
    do {                                                                                 \
        float rnc_x = *(p);                                                              \
        __asm__ volatile("fmla %0.4s, %2.4s, %1.s[0]" : "+w"(acc) : "w"(rnc_x), "w"(b)); \
    } while (0)
#define RNC_PREFETCH(p) __builtin_prefetch(p, 0, 2)
#define RNC_PREFETCH_NEAR(p) __builtin_prefetch((p), 0, 3)
#define RNC_PREFETCH_WRITE(p) __builtin_prefetch(p, 1, 3)
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
    return *(const vf_memory_neon *)p;
}
#define vf_store RNC_FN(vf_store)
RNC_KERNEL void vf_store(float *p, vf v)
{
    *(vf_memory_neon *)p = v;
}
#define vf_loadu RNC_FN(vf_loadu)
RNC_KERNEL vf vf_loadu(const float *p)
{
    return *(const vf_anywhere_neon *)p;
}
#define vf_storeu RNC_FN(vf_storeu)
RNC_KERNEL void vf_storeu(float *p, vf v)
{
    *(vf_anywhere_neon *)p = v;
}
/* The first n lanes, 0 <= n <= 4; the others are 0, or stay in memory. */
#define vf_load_part RNC_FN(vf_load_part)
RNC_KERNEL vf vf_load_part(const float *p, int n)
{
    vf v = {0};
    for (int i = 0; i < n; i++)
        v[i] = p[i];
    return v;
}
#define vf_store_part RNC_FN(vf_store_part)
RNC_KERNEL void vf_store_part(float *p, vf v, int n)
{
    for (int i = 0; i < n; i++)
        p[i] = v[i];
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
    vf v = {x, x, x, x};
    return v;
}
/* a > b ? a : b, so b where either is not a number; vf_min likewise. */
#define vf_max RNC_FN(vf_max)
RNC_KERNEL vf vf_max(vf a, vf b)
{
    vi_neon m = a > b;
    __asm__("bsl %0.16b, %1.16b, %2.16b" : "+w"(m) : "w"(a), "w"(b));
    return (vf)m;
}
#define vf_min RNC_FN(vf_min)
RNC_KERNEL vf vf_min(vf a, vf b)
{
    vi_neon m = a < b;
    __asm__("bsl %0.16b, %1.16b, %2.16b" : "+w"(m) : "w"(a), "w"(b));
    return (vf)m;
}
#define vf_fma RNC_FN(vf_fma)
RNC_KERNEL vf vf_fma(vf a, vf b, vf c)
{
    __asm__("fmla %0.4s, %1.4s, %2.4s" : "+w"(c) : "w"(a), "w"(b));
    return c;
}
#define vf_select_gt RNC_FN(vf_select_gt)
RNC_KERNEL vf vf_select_gt(vf a, vf b, vf x, vf y)
{
    vi_neon m = a > b;
    return (vf)((m & (vi_neon)x) | (~m & (vi_neon)y));
}
#define vf_abs RNC_FN(vf_abs)
RNC_KERNEL vf vf_abs(vf x)
{
    return (vf)((vi_neon)x & 0x7fffffff);
}
#define vf_round RNC_FN(vf_round)
RNC_KERNEL vf vf_round(vf x)
{
    __asm__("frintn %0.4s, %0.4s" : "+w"(x));
    return x;
}
#define vf_exp2i RNC_FN(vf_exp2i)
RNC_KERNEL vf vf_exp2i(vf n)
{
    vi_neon i;
    __asm__("fcvtns %0.4s, %1.4s" : "=w"(i) : "w"(n));
    return (vf)((i + 127) << 23);
}
#define vf_reduce_add RNC_FN(vf_reduce_add)
RNC_KERNEL float vf_reduce_add(vf v)
{
    return (v[0] + v[1]) + (v[2] + v[3]);
}
#define vf_reduce_max RNC_FN(vf_reduce_max)
RNC_KERNEL float vf_reduce_max(vf v)
{
    float x = v[0];
    for (int i = 1; i < RNC_VL; i++)
        x = v[i] > x ? v[i] : x;
    return x;
}
