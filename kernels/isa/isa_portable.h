/* isa_portable.h: vectors of four floats by gcc's vector extension, for whatever vector unit the
 * target's baseline has.  kernels/README says what the macros mean. */
#define RNC_VL 4
#define RNC_TAPS_TILES 1
#define RNC_TARGET

#define RNC_FMA(acc, a, b) ((acc) += (a) * (b))
#define RNC_BROADCAST(v, p) ((v) = vf_set1(*(p)))
#define RNC_FMA_MEM(acc, p, b) ((acc) += vf_set1(*(p)) * (b))
#define RNC_PREFETCH_WRITE(p) __builtin_prefetch((p), 1, 2)
#define RNC_ZERO(v) ((v) = vf_zero())
#define RNC_OPAQUE(v) ((void)(v))

#define RNC_LOAD_PART(v, p, n) \
    do { \
        const float *rnc_p = (p); \
        const int rnc_n = (n); \
        (v)[0] = rnc_n > 0 ? rnc_p[0] : 0.0f; \
        (v)[1] = rnc_n > 1 ? rnc_p[1] : 0.0f; \
        (v)[2] = rnc_n > 2 ? rnc_p[2] : 0.0f; \
        (v)[3] = rnc_n > 3 ? rnc_p[3] : 0.0f; \
    } while (0)
#define RNC_STORE_PART(p, v, n) \
    do { \
        for (int rnc_i = 0; rnc_i < (n); rnc_i++) \
            (p)[rnc_i] = (v)[rnc_i]; \
    } while (0)
#ifdef __clang__
#define RNC_SWAP(v, a, b, c, d) ((v) = __builtin_shufflevector(v, v, a, b, c, d))
#define RNC_MIX(v, x, y, a, b, c, d) ((v) = __builtin_shufflevector(x, y, a, b, c, d))
#else
#define RNC_MIX(v, x, y, a, b, c, d) \
    do { \
        const vi rnc_lanes = {(a), (b), (c), (d)}; \
        (v) = __builtin_shuffle(x, y, rnc_lanes); \
    } while (0)
#define RNC_SWAP(v, a, b, c, d) \
    do { \
        const vi rnc_lanes = {(a), (b), (c), (d)}; \
        (v) = __builtin_shuffle(v, rnc_lanes); \
    } while (0)
#endif
#define RNC_SWAP_FOURS(v) ((void)(v))
#define RNC_ZIP_LOW(v, x, y) RNC_MIX(v, x, y, 0, 4, 1, 5)
#define RNC_ZIP_HIGH(v, x, y) RNC_MIX(v, x, y, 2, 6, 3, 7)
#if defined(__x86_64__) && !defined(__AVX__)
/* SSE2 broadcasts with a load and a shuffle, and the shuffle displaces a sum or a product.  These
 * macros are asm because gcc orders the sums so that each waits for the one before, and because
 * neither compiler finds maxps.  The three products share one load of v, and need only the two
 * registers that 12 sums and two inputs leave free. */
#define RNC_DIAGONALS 4096
#define RNC_AT(p) (*(const RNC_FN(vf_memory) *)(p))
#define RNC_FMA_AT(acc, x, p) \
    do { \
        vf rnc_v; \
        __asm__ volatile("movaps %2, %1\n\t" \
                         "mulps %3, %1\n\t" \
                         "addps %1, %0" \
                         : "+x"(acc), "=&x"(rnc_v) \
                         : "x"(x), "m"(RNC_AT(p))); \
    } while (0)
#define RNC_FMA_AT2(acc0, acc1, x0, x1, p) \
    do { \
        vf rnc_v, rnc_x; \
        __asm__ volatile("movaps %6, %2\n\t" \
                         "movaps %2, %3\n\t" \
                         "mulps %4, %3\n\t" \
                         "addps %3, %0\n\t" \
                         "mulps %5, %2\n\t" \
                         "addps %2, %1" \
                         : "+x"(acc0), "+x"(acc1), "=&x"(rnc_v), "=&x"(rnc_x) \
                         : "x"(x0), "x"(x1), "m"(RNC_AT(p))); \
    } while (0)
#define RNC_FMA_AT3(acc0, acc1, acc2, x0, x1, p2, p) \
    do { \
        vf rnc_v, rnc_x; \
        __asm__ volatile("movaps %8, %3\n\t" \
                         "movaps %3, %4\n\t" \
                         "mulps %5, %4\n\t" \
                         "addps %4, %0\n\t" \
                         "movaps %3, %4\n\t" \
                         "mulps %6, %4\n\t" \
                         "addps %4, %1\n\t" \
                         "mulps %7, %3\n\t" \
                         "addps %3, %2" \
                         : "+x"(acc0), "+x"(acc1), "+x"(acc2), "=&x"(rnc_v), "=&x"(rnc_x) \
                         : "x"(x0), "x"(x1), "m"(RNC_AT(p2)), "m"(RNC_AT(p))); \
    } while (0)
#define RNC_FMA_LAST3(acc0, acc1, acc2, x0, x1, p2, p) \
    do { \
        vf rnc_v, rnc_x; \
        __asm__ volatile("movaps %8, %3\n\t" \
                         "movaps %3, %4\n\t" \
                         "mulps %6, %4\n\t" \
                         "addps %4, %0\n\t" \
                         "mulps %3, %5\n\t" \
                         "addps %5, %1\n\t" \
                         "mulps %7, %3\n\t" \
                         "addps %3, %2" \
                         : "+x"(acc0), "+x"(acc1), "+x"(acc2), "=&x"(rnc_v), "=&x"(rnc_x), \
                           "+x"(x1) \
                         : "x"(x0), "m"(RNC_AT(p2)), "m"(RNC_AT(p))); \
    } while (0)
#define RNC_MAX(a, b) __asm__("maxps %1, %0" : "+x"(a) : "x"(b))
#define RNC_MIN(a, b) __asm__("minps %1, %0" : "+x"(a) : "x"(b))
#else
#define RNC_MAX(a, b) ((a) = vf_select_gt(a, b, a, b))
#define RNC_MIN(a, b) ((a) = vf_select_gt(b, a, a, b))
#endif
/* For |x| < 2^22: after adding 1.5 * 2^23 no bits are left for the fraction. */
#define RNC_ROUND(x) ((x) = ((x) + 12582912.0f) - 12582912.0f)
#define RNC_TO_INT(i, x) ((i) = __builtin_convertvector(x, vi))
#ifdef RNC_HALVES
#define RNC_LOAD_BF16(v, p) ((v) = (vf)(__builtin_convertvector(*(p), vi) << 16))
/* A half's exponent has five bits and a bias of 15, a float's has eight and a bias of 127, so 112
 * is added; it is added twice where all bits are set (infinities, NaN).  Subnormal numbers get an
 * exponent, whose own value is then subtracted. */
#define RNC_LOAD_F16(v, p) \
    do { \
        const vi rnc_h = __builtin_convertvector(*(p), vi); \
        const vi rnc_m = (rnc_h & 0x7fff) << 13, rnc_e = rnc_h & 0x7c00; \
        const vi rnc_big = (rnc_e == 0x7c00) & 0x38000000, rnc_low = rnc_e == 0; \
        const vi rnc_tiny = (vi)((vf)(rnc_m + 0x38800000) - 6.103515625e-05f); \
        const vi rnc_x = (rnc_tiny & rnc_low) | ((rnc_m + 0x38000000 + rnc_big) & ~rnc_low); \
        (v) = (vf)(rnc_x | (rnc_h & 0x8000) << 16); \
    } while (0)
#endif
