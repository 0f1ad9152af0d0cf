/* isa_portable.h: vectors of four floats by the vector extension alone, for whatever unit the
 * target's baseline has.  What the macros mean: kernels/README. */
#define RNC_FN(name) name##_portable
#define RNC_VL 4
#define RNC_TARGET

#define RNC_FMA(acc, a, b) ((acc) += (a) * (b))
#define RNC_BROADCAST(v, p) ((v) = vf_set1(*(p)))
#define RNC_FMA_MEM(acc, p, b) ((acc) += vf_set1(*(p)) * (b))
#define RNC_PREFETCH_WRITE(p) __builtin_prefetch((p), 1, 2)
#define RNC_ZERO(v) ((v) = vf_zero())
#define RNC_OPAQUE(v) ((void)(v))

#define RNC_LOAD_PART(v, p, n)                \
    do {                                      \
        const float *rnc_p = (p);             \
        const int rnc_n = (n);                \
        (v)[0] = rnc_n > 0 ? rnc_p[0] : 0.0f; \
        (v)[1] = rnc_n > 1 ? rnc_p[1] : 0.0f; \
        (v)[2] = rnc_n > 2 ? rnc_p[2] : 0.0f; \
        (v)[3] = rnc_n > 3 ? rnc_p[3] : 0.0f; \
    } while (0)
#define RNC_STORE_PART(p, v, n)                   \
    do {                                          \
        for (int rnc_i = 0; rnc_i < (n); rnc_i++) \
            (p)[rnc_i] = (v)[rnc_i];              \
    } while (0)
#ifdef __clang__
#define RNC_SWAP(v, a, b, c, d) ((v) = __builtin_shufflevector(v, v, a, b, c, d))
#else
#define RNC_SWAP(v, a, b, c, d)                    \
    do {                                           \
        const vi rnc_lanes = {(a), (b), (c), (d)}; \
        (v) = __builtin_shuffle(v, rnc_lanes);     \
    } while (0)
#endif
#define RNC_SWAP_FOURS(v) ((void)(v))
#define RNC_MAX(a, b) ((a) = vf_select_gt(a, b, a, b))
#define RNC_MIN(a, b) ((a) = vf_select_gt(b, a, a, b))
/* |x| < 2^22: adding 1.5 * 2^23 leaves no bits for the fraction. */
#define RNC_ROUND(x) ((x) = ((x) + 12582912.0f) - 12582912.0f)
#define RNC_TO_INT(i, x) ((i) = __builtin_convertvector(x, vi))
