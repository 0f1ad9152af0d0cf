/* isa_neon.h: 64-bit ARM, vectors of 4 floats.  RNC_FMA_MEM multiplies by one lane of a vector, so
 * that a broadcast costs no more than its load. */
#define RNC_VL 4
#define RNC_TAPS_TILES 4
#define RNC_TARGET

/* For hot loops: acc += a * b; v = *p in all lanes; acc += *p * b. */
#define RNC_FMA(acc, a, b) __asm__ volatile("fmla %0.4s, %1.4s, %2.4s" : "+w"(acc) : "w"(a), "w"(b))
#define RNC_BROADCAST(v, p) __asm__ volatile("ld1r {%0.4s}, %1" : "=w"(v) : "Q"(*(p)))
#define RNC_FMA_MEM(acc, p, b) \
    do { \
        float rnc_x = *(p); \
        __asm__ volatile("fmla %0.4s, %2.4s, %1.s[0]" : "+w"(acc) : "w"(rnc_x), "w"(b)); \
    } while (0)
#define RNC_PREFETCH_WRITE(p) __builtin_prefetch((p), 1, 3)
#define RNC_ZERO(v) ((v) = vf_zero())
#define RNC_OPAQUE(v) __asm__ volatile("" : "+w"(v))

#define RNC_LOAD_PART(v, p, n) \
    do { \
        for (int rnc_i = 0; rnc_i < (n); rnc_i++) \
            (v)[rnc_i] = (p)[rnc_i]; \
    } while (0)
#define RNC_STORE_PART(p, v, n) \
    do { \
        for (int rnc_i = 0; rnc_i < (n); rnc_i++) \
            (p)[rnc_i] = (v)[rnc_i]; \
    } while (0)
#define RNC_SWAP(v, a, b, c, d) \
    do { \
        if ((a) != 2) \
            __asm__("rev64 %0.4s, %0.4s" : "+w"(v)); \
        if ((a) != 1) \
            __asm__("ext %0.16b, %0.16b, %0.16b, #8" : "+w"(v)); \
    } while (0)
#define RNC_SWAP_FOURS(v) ((void)(v))
#define RNC_ZIP_LOW(v, a, b) __asm__("zip1 %0.4s, %1.4s, %2.4s" : "=w"(v) : "w"(a), "w"(b))
#define RNC_ZIP_HIGH(v, a, b) __asm__("zip2 %0.4s, %1.4s, %2.4s" : "=w"(v) : "w"(a), "w"(b))
#define RNC_MAX(a, b) \
    do { \
        vi rnc_m = (a) > (b); \
        __asm__("bsl %0.16b, %1.16b, %2.16b" : "+w"(rnc_m) : "w"(a), "w"(b)); \
        (a) = (vf)rnc_m; \
    } while (0)
#define RNC_MIN(a, b) \
    do { \
        vi rnc_m = (a) < (b); \
        __asm__("bsl %0.16b, %1.16b, %2.16b" : "+w"(rnc_m) : "w"(a), "w"(b)); \
        (a) = (vf)rnc_m; \
    } while (0)
#define RNC_ROUND(x) __asm__("frintn %0.4s, %0.4s" : "+w"(x))
#define RNC_TO_INT(i, x) __asm__("fcvtns %0.4s, %1.4s" : "=w"(i) : "w"(x))
#ifdef RNC_HALVES
#define RNC_LOAD_BF16(v, p) __asm__("shll %0.4s, %1.4h, #16" : "=w"(v) : "w"(*(p)))
#define RNC_LOAD_F16(v, p) __asm__("fcvtl %0.4s, %1.4h" : "=w"(v) : "w"(*(p)))
#endif
