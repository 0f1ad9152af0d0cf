/* isa_avx512.h: x86-64 with AVX-512, vectors of 16 floats. */
#define RNC_VL 16
#define RNC_TAPS_TILES 4
#define RNC_TARGET __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,fma")))

/* For hot loops: acc += a * b; v = *p in all lanes; acc += *p * b. */
#define RNC_FMA(acc, a, b) __asm__ volatile("vfmadd231ps %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b))
#define RNC_BROADCAST(v, p) __asm__ volatile("vbroadcastss %1, %0" : "=v"(v) : "m"(*(p)))
#define RNC_FMA_MEM(acc, p, b) \
    __asm__ volatile("vfmadd231ps %1%{1to16%}, %2, %0" : "+v"(acc) : "m"(*(p)), "v"(b))
#define RNC_FMA_LOAD(acc, a, p) \
    __asm__ volatile("vfmadd231ps %2, %1, %0" \
                     : "+v"(acc) \
                     : "v"(a), "m"(*(const float(*)[RNC_VL])(const void *)(p)))
#define RNC_PREFETCH_WRITE(p) __asm__ volatile("prefetchw %0" : : "m"(*(const char *)(p)))
#define RNC_ZERO(v) ((v) = vf_zero())
#define RNC_OPAQUE(v) __asm__ volatile("" : "+v"(v))

#define RNC_LANES(n) ((unsigned short)((1u << (n)) - 1u)) /* 0 <= n <= 16 */
#define RNC_LOAD_PART(v, p, n) \
    __asm__ volatile("vmovups (%1), %0%{%2%}%{z%}" \
                     : "=v"(v) \
                     : "r"(p), "Yk"(RNC_LANES(n)) \
                     : "memory")
#define RNC_STORE_PART(p, v, n) \
    __asm__ volatile("vmovups %1, (%0)%{%2%}" : : "r"(p), "v"(v), "Yk"(RNC_LANES(n)) : "memory")
#define RNC_SWAP(v, a, b, c, d) \
    __asm__("vpermilps %1, %0, %0" : "+v"(v) : "i"((a) | (b) << 2 | (c) << 4 | (d) << 6))
#define RNC_SWAP_FOURS(v) __asm__("vshuff32x4 $0xb1, %0, %0, %0" : "+v"(v))
#define RNC_ZIP_LOW(v, a, b) __asm__("vunpcklps %2, %1, %0" : "=v"(v) : "v"(a), "v"(b))
#define RNC_ZIP_HIGH(v, a, b) __asm__("vunpckhps %2, %1, %0" : "=v"(v) : "v"(a), "v"(b))
#define RNC_MAX(a, b) __asm__("vmaxps %1, %0, %0" : "+v"(a) : "v"(b))
#define RNC_MIN(a, b) __asm__("vminps %1, %0, %0" : "+v"(a) : "v"(b))
#define RNC_ROUND(x) __asm__("vrndscaleps $8, %0, %0" : "+v"(x))
#define RNC_TO_INT(i, x) __asm__("vcvtps2dq %1, %0" : "=v"(i) : "v"(x))
#ifdef RNC_HALVES
#define RNC_LOAD_BF16(v, p) \
    __asm__("vpmovzxwd %1, %0\n\t" \
            "vpslld $16, %0, %0" \
            : "=v"(v) \
            : "m"(*(p)))
#define RNC_LOAD_F16(v, p) __asm__("vcvtph2ps %1, %0" : "=v"(v) : "m"(*(p)))
#endif
