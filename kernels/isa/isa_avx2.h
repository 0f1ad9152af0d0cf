/* isa_avx2.h: x86-64 with AVX2 and FMA, vectors of 8 floats. */
#define RNC_VL 8
#define RNC_TAPS_TILES 1
#define RNC_TARGET __attribute__((target("avx2,fma,f16c")))

/* For hot loops: acc += a * b; v = *p in all lanes; acc += *p * b. */
#define RNC_FMA(acc, a, b) __asm__ volatile("vfmadd231ps %2, %1, %0" : "+x"(acc) : "x"(a), "x"(b))
#define RNC_BROADCAST(v, p) __asm__ volatile("vbroadcastss %1, %0" : "=x"(v) : "m"(*(p)))
#define RNC_FMA_MEM(acc, p, b) \
    do { \
        vf rnc_x; \
        RNC_BROADCAST(rnc_x, p); \
        RNC_FMA(acc, rnc_x, (b)); \
    } while (0)
#define RNC_PREFETCH_WRITE(p) __asm__ volatile("prefetchw %0" : : "m"(*(const char *)(p)))
#define RNC_ZERO(v) __asm__ volatile("vxorps %0, %0, %0" : "=x"(v))
#define RNC_OPAQUE(v) __asm__ volatile("" : "+x"(v))

#define RNC_LOAD_PART(v, p, n) \
    do { \
        const vi rnc_all = {0, 1, 2, 3, 4, 5, 6, 7}, rnc_lanes = rnc_all < (n); \
        __asm__ volatile("vmaskmovps (%1), %2, %0" : "=x"(v) : "r"(p), "x"(rnc_lanes) : "memory"); \
    } while (0)
#define RNC_STORE_PART(p, v, n) \
    do { \
        const vi rnc_all = {0, 1, 2, 3, 4, 5, 6, 7}, rnc_lanes = rnc_all < (n); \
        __asm__ volatile("vmaskmovps %1, %2, (%0)" : : "r"(p), "x"(v), "x"(rnc_lanes) : "memory"); \
    } while (0)
#define RNC_SWAP(v, a, b, c, d) \
    __asm__("vpermilps %1, %0, %0" : "+x"(v) : "i"((a) | (b) << 2 | (c) << 4 | (d) << 6))
#define RNC_SWAP_FOURS(v) __asm__("vperm2f128 $1, %0, %0, %0" : "+x"(v))
#define RNC_ZIP_LOW(v, a, b) __asm__("vunpcklps %2, %1, %0" : "=x"(v) : "x"(a), "x"(b))
#define RNC_ZIP_HIGH(v, a, b) __asm__("vunpckhps %2, %1, %0" : "=x"(v) : "x"(a), "x"(b))
#define RNC_MAX(a, b) __asm__("vmaxps %1, %0, %0" : "+x"(a) : "x"(b))
#define RNC_MIN(a, b) __asm__("vminps %1, %0, %0" : "+x"(a) : "x"(b))
#define RNC_ROUND(x) __asm__("vroundps $8, %0, %0" : "+x"(x))
#define RNC_TO_INT(i, x) __asm__("vcvtps2dq %1, %0" : "=x"(i) : "x"(x))
#ifdef RNC_HALVES
/* One shuffle: an extension and a shift take two, and the shuffle units are busy. */
#define RNC_LOAD_BF16(v, p) \
    do { \
        static const vi rnc_words = {0x01008080, 0x03028080, 0x05048080, 0x07068080, \
                                     0x09088080, 0x0b0a8080, 0x0d0c8080, 0x0f0e8080}; \
        __asm__("vbroadcasti128 %1, %0\n\t" \
                "vpshufb %2, %0, %0" \
                : "=x"(v) \
                : "m"(*(p)), "m"(rnc_words)); \
    } while (0)
#define RNC_LOAD_F16(v, p) __asm__("vcvtph2ps %1, %0" : "=x"(v) : "m"(*(p)))
#endif
