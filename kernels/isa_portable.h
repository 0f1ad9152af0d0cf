/* isa_portable.h: vectors of four floats by the vector extension of gcc and clang, for whatever
 * unit the target's baseline has.  What the macros mean: kernels/README. */
#define RNC_VL 4
#define RNC_FN(name) name##_portable
#define RNC_KERNEL static inline __attribute__((always_inline, unused))
#define RNC_PRAGMA(text) _Pragma(#text)
#ifdef __clang__
#pragma clang diagnostic ignored "-Wpass-failed" /* loops whose length is no constant stay loops */
#define RNC_UNROLL(n) RNC_PRAGMA(clang loop unroll(full))
#else
#define RNC_UNROLL(n) RNC_PRAGMA(GCC unroll n)
#endif
#define RNC_PREFETCH(p) __builtin_prefetch((p), 0, 2)
#define RNC_PREFETCH_NEAR(p) __builtin_prefetch((p), 0, 3)
#define RNC_PREFETCH_WRITE(p) __builtin_prefetch((p), 1, 2)

typedef float vf_portable __attribute__((vector_size(16), may_alias));
typedef float vfu_portable __attribute__((vector_size(16), may_alias, aligned(4)));
typedef int vi_portable __attribute__((vector_size(16)));
#define vf vf_portable
#define vf_load(p) (*(const vf_portable *)(p))
#define vf_loadu(p) ((vf_portable) * (const vfu_portable *)(p))
#define vf_store(p, v) ((void)(*(vf_portable *)(p) = (v)))
#define vf_storeu(p, v) ((void)(*(vfu_portable *)(p) = (v)))
#define vf_zero() vf_set1(0.0f)
#define vf_fma(a, b, c) ((a) * (b) + (c))
#define RNC_FMA(acc, a, b) ((acc) += (a) * (b))
#define RNC_BROADCAST(v, p) ((v) = vf_set1(*(p)))
#define RNC_FMA_MEM(acc, p, b) ((acc) += vf_set1(*(p)) * (b))
#define vf_set1 RNC_FN(vf_set1)
#define vf_load_part RNC_FN(vf_load_part)
#define vf_store_part RNC_FN(vf_store_part)
#define vf_max RNC_FN(vf_max)
#define vf_min RNC_FN(vf_min)
#define vf_abs RNC_FN(vf_abs)
#define vf_select_gt RNC_FN(vf_select_gt)
#define vf_round RNC_FN(vf_round)
#define vf_exp2i RNC_FN(vf_exp2i)
#define vf_reduce_add RNC_FN(vf_reduce_add)
#define vf_reduce_max RNC_FN(vf_reduce_max)

RNC_KERNEL vf vf_set1(float x)
{
    const vf v = {x, x, x, x};
    return v;
}
RNC_KERNEL vf vf_load_part(const float *p, int n)
{
    const vf v = {n > 0 ? p[0] : 0.0f, n > 1 ? p[1] : 0.0f, n > 2 ? p[2] : 0.0f,
                  n > 3 ? p[3] : 0.0f};
    return v;
}
RNC_KERNEL void vf_store_part(float *p, vf v, int n)
{
    int i;
    for (i = 0; i < n; i++)
        p[i] = v[i];
}
RNC_KERNEL vf vf_select_gt(vf a, vf b, vf x, vf y)
{
    const vi_portable mask = (vi_portable)(a > b);
    return (vf)((mask & (vi_portable)x) | (~mask & (vi_portable)y));
}
RNC_KERNEL vf vf_max(vf a, vf b)
{
    return vf_select_gt(a, b, a, b);
}
RNC_KERNEL vf vf_min(vf a, vf b)
{
    return vf_select_gt(b, a, a, b);
}
RNC_KERNEL vf vf_abs(vf x)
{
    const vi_portable mask = {0x7fffffff, 0x7fffffff, 0x7fffffff, 0x7fffffff};
    return (vf)((vi_portable)x & mask);
}
/* |x| < 2^22: adding 1.5 * 2^23 leaves no bits for the fraction. */
RNC_KERNEL vf vf_round(vf x)
{
    const vf shift = vf_set1(12582912.0f);
    const vf shifted = x + shift;
    return shifted - shift;
}
/* 2^n from the bits of its exponent. */
RNC_KERNEL vf vf_exp2i(vf n)
{
    return (vf)((__builtin_convertvector(n, vi_portable) + 127) << 23);
}
RNC_KERNEL float vf_reduce_add(vf v)
{
    return (v[0] + v[2]) + (v[1] + v[3]);
}
RNC_KERNEL float vf_reduce_max(vf v)
{
    const float a = v[0] > v[2] ? v[0] : v[2], b = v[1] > v[3] ? v[1] : v[3];
    return a > b ? a : b;
}
