/* cpu.c: which instruction sets this processor has, with registers that the operating system saves.
 * Intel, Software Developer's Manual, volume 1, 13.2 to 15.2: CPUID tells the instructions; XGETBV
 * tells which registers are saved at a task switch (XCR0: bit 1 SSE; bit 2 AVX; bits 5, 6 and 7
 * AVX-512's masks, upper halves and upper sixteen registers). */
#include "rncrt.h"

#if defined(__x86_64__) && defined(__GNUC__)

/* EAX, EBX, ECX and EDX of a leaf; zeros where the processor has no such leaf. */
static void rnc_cpuid(uint32_t leaf, uint32_t r[4])
{
    uint32_t most, b, c, d;
    __asm__ volatile("cpuid" : "=a"(most), "=b"(b), "=c"(c), "=d"(d) : "0"(leaf & 0x80000000u));
    r[0] = r[1] = r[2] = r[3] = 0;
    if (leaf <= most)
        __asm__ volatile("cpuid"
                         : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
                         : "0"(leaf), "2"(0));
}

static int rnc_bits(uint32_t word, uint32_t bits)
{
    return (word & bits) == bits;
}

static int rnc_x86_has(rnc_isa isa)
{
    const uint32_t fma_osxsave_avx_f16c = 1u << 12 | 1u << 27 | 1u << 28 | 1u << 29, avx2 = 1u << 5;
    const uint32_t avx512_f_dq_bw_vl = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;
    uint32_t one[4], seven[4], saved, high;
    rnc_cpuid(1, one);
    if (!rnc_bits(one[2], fma_osxsave_avx_f16c))
        return 0;
    __asm__ volatile("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
    (void)high;
    rnc_cpuid(7, seven);
    if (!rnc_bits(saved, 0x06) || !rnc_bits(seven[1], avx2))
        return 0;
    return isa == RNC_ISA_AVX2 || (rnc_bits(saved, 0xe6) && rnc_bits(seven[1], avx512_f_dq_bw_vl));
}

#endif

int rnc_isa_present(rnc_isa isa)
{
    switch (isa) {
    case RNC_ISA_AVX512:
    case RNC_ISA_AVX2:
#if defined(__x86_64__) && defined(__GNUC__)
        return rnc_x86_has(isa);
#else
        return 0;
#endif
    case RNC_ISA_NEON: /* part of every 64-bit ARM */
#if defined(__aarch64__)
        return 1;
#else
        return 0;
#endif
    case RNC_ISA_PORTABLE:
#if defined(__GNUC__)
        return 1;
#else
        return 0;
#endif
    case RNC_ISA_BEST:
    case RNC_ISA_SCALAR:
        return 1;
    }
    return 0;
}

const char *rnc_isa_name(rnc_isa isa)
{
    switch (isa) {
    case RNC_ISA_BEST:
        return "best";
    case RNC_ISA_AVX512:
        return "avx512";
    case RNC_ISA_AVX2:
        return "avx2";
    case RNC_ISA_NEON:
        return "neon";
    case RNC_ISA_PORTABLE:
        return "portable";
    case RNC_ISA_SCALAR:
        return "scalar";
    }
    return "unknown";
}
