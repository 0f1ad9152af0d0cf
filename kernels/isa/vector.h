/* vector.h: what all ISAs with vectors share, written with the vector extension of gcc and clang
 * and the ISA's macros RNC_MAX, RNC_LOAD_PART and so on, each about one instruction. */
#define RNC_PRAGMA(text) _Pragma(#text)
/* Each step becomes one function.  With gcc `flatten` does this: `always_inline` would first
 * optimize each level of a kernel separately, before its constants are known.  clang's `flatten`
 * inlines only one level. */
#ifdef __clang__
#define RNC_KERNEL static inline __attribute__((always_inline, unused)) RNC_TARGET
#define RNC_STEP static RNC_TARGET
#define RNC_SHARED static __attribute__((noinline, unused)) RNC_TARGET
#pragma clang diagnostic ignored "-Wpass-failed" /* loops of unknown length stay loops */
#define RNC_UNROLL(n) RNC_PRAGMA(clang loop unroll(full))
#else
#define RNC_KERNEL static inline __attribute__((unused)) RNC_TARGET
#define RNC_STEP static __attribute__((flatten)) RNC_TARGET
#define RNC_SHARED static __attribute__((noinline, flatten, unused)) RNC_TARGET
#define RNC_UNROLL(n) RNC_PRAGMA(GCC unroll n)
#endif
#define RNC_BASE(p) __asm__ volatile("" : "+r"(p))
#define RNC_PREFETCH(p) __builtin_prefetch((p), 0, 2)
#define RNC_PREFETCH_NEAR(p) __builtin_prefetch((p), 0, 3)

typedef float RNC_FN(vf) __attribute__((vector_size(4 * RNC_VL)));
typedef int RNC_FN(vi) __attribute__((vector_size(4 * RNC_VL)));
typedef float RNC_FN(vf_memory) __attribute__((vector_size(4 * RNC_VL), may_alias));
typedef float RNC_FN(vf_anywhere) __attribute__((vector_size(4 * RNC_VL), may_alias, aligned(4)));
#define vf RNC_FN(vf)
#define vi RNC_FN(vi)

#define vf_load RNC_FN(vf_load)
RNC_KERNEL vf vf_load(const float *p)
{
    return *(const RNC_FN(vf_memory) *)p;
}
#ifdef RNC_HALVES
typedef unsigned short RNC_FN(vh_memory) __attribute__((vector_size(2 * RNC_VL), may_alias));
/* Loads weights of 16 bits.  A bfloat16 is the upper half of a float. */
#define vf_load_halves RNC_FN(vf_load_halves)
RNC_KERNEL vf vf_load_halves(const void *p, int elem)
{
    vf v;
    if (elem == RNC_WEIGHTS_BF16)
        RNC_LOAD_BF16(v, (const RNC_FN(vh_memory) *)p);
    else
        RNC_LOAD_F16(v, (const RNC_FN(vh_memory) *)p);
    return v;
}
#endif
/* Loads RNC_VL weights of element type `elem`; p is aligned to RNC_VL elements. */
#define vf_load_weights RNC_FN(vf_load_weights)
RNC_KERNEL vf vf_load_weights(const void *p, int elem)
{
    (void)elem;
#ifdef RNC_HALVES
    if (elem != RNC_WEIGHTS_F32)
        return vf_load_halves(p, elem);
#endif
    return *(const RNC_FN(vf_memory) *)p;
}
#define vf_store RNC_FN(vf_store)
RNC_KERNEL void vf_store(float *p, vf v)
{
    *(RNC_FN(vf_memory) *)p = v;
}
#define vf_loadu RNC_FN(vf_loadu)
RNC_KERNEL vf vf_loadu(const float *p)
{
    return *(const RNC_FN(vf_anywhere) *)p;
}
#define vf_storeu RNC_FN(vf_storeu)
RNC_KERNEL void vf_storeu(float *p, vf v)
{
    *(RNC_FN(vf_anywhere) *)p = v;
}
#define vf_load_part RNC_FN(vf_load_part)
RNC_KERNEL vf vf_load_part(const float *p, int n)
{
    vf v = {0};
    RNC_LOAD_PART(v, p, n);
    return v;
}
#define vf_store_part RNC_FN(vf_store_part)
RNC_KERNEL void vf_store_part(float *p, vf v, int n)
{
    RNC_STORE_PART(p, v, n);
}
#define vf_zero RNC_FN(vf_zero)
RNC_KERNEL vf vf_zero(void)
{
    const vf v = {0};
    return v;
}
#define vf_set1 RNC_FN(vf_set1)
RNC_KERNEL vf vf_set1(float x)
{
    return x - vf_zero(); /* -0 stays -0 */
}
#define vf_select_gt RNC_FN(vf_select_gt)
RNC_KERNEL vf vf_select_gt(vf a, vf b, vf x, vf y)
{
    const vi m = a > b;
    return (vf)((m & (vi)x) | (~m & (vi)y));
}
#define vf_max RNC_FN(vf_max)
RNC_KERNEL vf vf_max(vf a, vf b)
{
    RNC_MAX(a, b);
    return a;
}
/* All bits of a lane in which a is not a number are set, which is such a number, too. */
#define vf_max_nan RNC_FN(vf_max_nan)
RNC_KERNEL vf vf_max_nan(vf a, vf b)
{
    return (vf)((vi)vf_max(a, b) | (vi)(a != a));
}
#define vf_min RNC_FN(vf_min)
RNC_KERNEL vf vf_min(vf a, vf b)
{
    RNC_MIN(a, b);
    return a;
}
#define vf_fma RNC_FN(vf_fma)
RNC_KERNEL vf vf_fma(vf a, vf b, vf c)
{
    RNC_FMA(c, a, b);
    return c;
}
#define vf_abs RNC_FN(vf_abs)
RNC_KERNEL vf vf_abs(vf x)
{
    return (vf)((vi)x & 0x7fffffff);
}
#define vf_round RNC_FN(vf_round)
RNC_KERNEL vf vf_round(vf x)
{
    RNC_ROUND(x);
    return x;
}
/* Makes 2^n by setting the bits of the exponent. */
#define vf_exp2i RNC_FN(vf_exp2i)
RNC_KERNEL vf vf_exp2i(vf n)
{
    vi i;
    RNC_TO_INT(i, n);
    return (vf)((i + 127) << 23);
}
#define vf_reduce_add RNC_FN(vf_reduce_add)
RNC_KERNEL float vf_reduce_add(vf v)
{
    float x[4] = {0};
    for (int i = 0; i < RNC_VL; i++)
        x[i % 4] += v[i];
    return (x[0] + x[2]) + (x[1] + x[3]);
}
#define vf_reduce_max RNC_FN(vf_reduce_max)
RNC_KERNEL float vf_reduce_max(vf v)
{
    float x = v[0];
    for (int i = 1; i < RNC_VL; i++)
        x = v[i] > x ? v[i] : x;
    return x;
}
/* Lane l of the result is x[l ^ r], r = 1 .. 4.  If vectors have no more than four lanes, r = 4
 * changes nothing. */
#define vf_swap RNC_FN(vf_swap)
RNC_KERNEL vf vf_swap(vf x, int r)
{
    if (r == 1)
        RNC_SWAP(x, 1, 0, 3, 2);
    else if (r == 2)
        RNC_SWAP(x, 2, 3, 0, 1);
    else if (r == 3)
        RNC_SWAP(x, 3, 2, 1, 0);
    else if (RNC_VL > 4)
        RNC_SWAP_FOURS(x);
    return x;
}
