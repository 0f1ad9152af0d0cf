/* isa_scalar.h: plain C99, where a "vector" is one float.  kernels/README says what the macros
 * mean. */
#define RNC_VL 1
#define RNC_TAPS_TILES 1
#if defined(__clang__)
#define RNC_KERNEL static inline __attribute__((always_inline, unused))
#define RNC_STEP static
#define RNC_SHARED static __attribute__((noinline, unused))
#elif defined(__GNUC__)
#define RNC_KERNEL static inline __attribute__((unused))
#define RNC_STEP static __attribute__((flatten))
#define RNC_SHARED static __attribute__((noinline, flatten, unused))
#else
#define RNC_KERNEL static inline
#define RNC_STEP static
#define RNC_SHARED static
#endif
#define RNC_UNROLL(n)
#define RNC_PREFETCH(p) ((void)(p))
#define RNC_PREFETCH_NEAR(p) ((void)(p))
#define RNC_PREFETCH_WRITE(p) ((void)(p))
#define RNC_ZERO(v) ((v) = 0.0f)
#define RNC_OPAQUE(v) ((void)(v))
#define RNC_BASE(p) ((void)(p))
#define vf float
#define vf_load(p) (*(p))
#define vf_loadu(p) (*(p))
#define vf_store(p, v) ((void)(*(p) = (v)))
#define vf_storeu(p, v) ((void)(*(p) = (v)))
#define vf_set1(x) (x)
#define vf_zero() 0.0f
#define vf_reduce_add(v) (v)
#define vf_reduce_max(v) (v)
#define vf_fma(a, b, c) ((a) * (b) + (c))
#define RNC_FMA(acc, a, b) ((acc) += (a) * (b))
#define RNC_BROADCAST(v, p) ((v) = *(p))
#define RNC_FMA_MEM(acc, p, b) ((acc) += *(p) * (b))
#define vf_swap(x, r) ((void)(r), (x))
#define vf_load_weights RNC_FN(vf_load_weights)
#define vf_load_part RNC_FN(vf_load_part)
#define vf_store_part RNC_FN(vf_store_part)
#define vf_max RNC_FN(vf_max)
#define vf_max_nan RNC_FN(vf_max_nan)
#define vf_min RNC_FN(vf_min)
#define vf_abs RNC_FN(vf_abs)
#define vf_select_gt RNC_FN(vf_select_gt)
#define vf_round RNC_FN(vf_round)
#define vf_exp2i RNC_FN(vf_exp2i)

RNC_KERNEL vf vf_load_part(const float *p, int n)
{
    return n > 0 ? *p : 0.0f;
}
RNC_KERNEL void vf_store_part(float *p, vf v, int n)
{
    if (n > 0)
        *p = v;
}
RNC_KERNEL vf vf_max(vf a, vf b)
{
    return a > b ? a : b;
}
RNC_KERNEL vf vf_max_nan(vf a, vf b)
{
    return a > b || a != a ? a : b;
}
RNC_KERNEL vf vf_min(vf a, vf b)
{
    return a < b ? a : b;
}
RNC_KERNEL vf vf_select_gt(vf a, vf b, vf x, vf y)
{
    return a > b ? x : y;
}
RNC_KERNEL vf vf_abs(vf x)
{
    return fabsf(x);
}
/* For |x| < 2^22: after adding 1.5 * 2^23 no bits are left for the fraction.  Where registers have
 * more bits than a float (x87), they are lost on the way through memory. */
RNC_KERNEL vf vf_round(vf x)
{
#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ != 0 && __FLT_EVAL_METHOD__ != 16
    volatile float shifted;
#else
    float shifted;
#endif
    shifted = x + 12582912.0f;
    return shifted - 12582912.0f;
}
/* Makes 2^n by setting the bits of the exponent. */
RNC_KERNEL vf vf_exp2i(vf n)
{
    const int bits = ((int)n + 127) * (1 << 23);
    float power;
    memcpy(&power, &bits, sizeof power);
    return power;
}
#ifdef RNC_HALVES
/* Loads a weight of 16 bits.  A bfloat16 is the upper half of a float.  A half's exponent has five
 * bits and a bias of 15, a float's has eight and a bias of 127, so 112 is added; it is added twice
 * where all bits are set (infinities, NaN).  Subnormal numbers get an exponent, whose own value is
 * then subtracted. */
#define vf_load_halves RNC_FN(vf_load_halves)
RNC_KERNEL vf vf_load_halves(const void *p, int elem)
{
    unsigned bits, sign;
    unsigned short half;
    float x;
    memcpy(&half, p, sizeof half);
    bits = (unsigned)half << 16;
    if (elem == RNC_WEIGHTS_F16) {
        sign = bits & 0x80000000u;
        bits = (bits & 0x7fff0000u) >> 3;
        bits += bits < 0x00800000u ? 0x38800000u : bits < 0x0f800000u ? 0x38000000u : 0x70000000u;
        if ((half & 0x7c00) == 0) {
            memcpy(&x, &bits, sizeof x);
            x -= 6.103515625e-05f; /* 2^-14 */
            memcpy(&bits, &x, sizeof bits);
        }
        bits |= sign;
    }
    memcpy(&x, &bits, sizeof x);
    return x;
}
#endif
RNC_KERNEL vf vf_load_weights(const void *p, int elem)
{
    (void)elem;
#ifdef RNC_HALVES
    if (elem != RNC_WEIGHTS_F32)
        return vf_load_halves(p, elem);
#endif
    return *(const float *)p;
}
