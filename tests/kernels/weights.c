/* weights.c: packed weights of 16 bits for the kernels' tests, and how each ISA reads them. */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int pick_weights_type(Case *c)
{
    return chance(c, 40) ? RNC_WEIGHTS_F32 : pick(c, RNC_WEIGHTS_BF16, RNC_WEIGHTS_F16);
}

float pick_weight(Case *c)
{
    return (float)pick(c, -128, 128) / 128.0f;
}

/* By its value, not by its bits: sign, exponent and fraction with `fraction` bits; what has more is
 * cut off, and a number too small for the exponent becomes 0. */
static uint16_t half_of(float x, int fraction)
{
    const int bias = fraction == 7 ? 127 : 15;
    int exponent;
    const double m = frexp(fabs((double)x), &exponent); /* 0.5 <= m < 1 */
    const unsigned sign = x < 0.0f ? 0x8000u : 0u;
    if (m == 0 || exponent - 1 + bias < 1)
        return (uint16_t)sign;
    return (uint16_t)(sign | (unsigned)(exponent - 1 + bias) << fraction |
                      (unsigned)((2 * m - 1) * ldexp(1.0, fraction)));
}

const void *case_weights(Case *c, const float *packed, int elem, const rnc_conv_shape *s, int depth)
{
    const int group_c = s->out_c / s->groups;
    if (elem == RNC_WEIGHTS_F32)
        return packed;
    /* No more than half of the floats, and 64 bytes a panel. */
    const size_t most = (size_t)s->out_c * (4 + 2 * (size_t)depth) + 64 * ((size_t)s->out_c + 1);
    unsigned char *all = case_memory(c, most), *to = all;
    for (int co = 0; co < s->out_c;) {
        const int left = group_c - co % group_c, width = left < s->panel ? left : s->panel;
        memcpy(to, packed, (size_t)width * sizeof *packed);
        to += width * 4;
        packed += width;
        for (int i = 0; i < width * depth; i++, to += 2) {
            const uint16_t half = half_of(*packed++, elem == RNC_WEIGHTS_BF16 ? 7 : 10);
            memcpy(to, &half, 2);
        }
        to = all + (to - all + 63) / 64 * 64;
        co += width;
    }
    return all;
}

/* What the bits mean, by the definition of the formats. */
static double meaning(unsigned half, int elem)
{
    const int fraction = elem == RNC_WEIGHTS_BF16 ? 7 : 10,
              bias = elem == RNC_WEIGHTS_BF16 ? 127 : 15;
    const int exponent = (int)((half & 0x7fff) >> fraction), top = 2 * bias + 1;
    const double f = (double)(half & ((1u << fraction) - 1)) / (1 << fraction);
    const double x = exponent == top ? (f > 0 ? (double)NAN : (double)INFINITY)
                     : exponent == 0 ? ldexp(f, 1 - bias)
                                     : ldexp(1 + f, exponent - bias);
    return half & 0x8000 ? -x : x;
}

bool test_weights(const TestIsa *isa)
{
    for (int elem = RNC_WEIGHTS_BF16; elem <= RNC_WEIGHTS_F16; elem++) {
        for (unsigned first = 0; first < 0x10000; first += 16) {
            _Alignas(64) uint16_t in[16];
            float out[16];
            for (unsigned i = 0; i < 16; i++)
                in[i] = (uint16_t)(first + i);
            isa->weights(in, out, 16, elem);
            for (unsigned i = 0; i < 16; i++) {
                const double want = meaning(first + i, elem), got = (double)out[i];
                if (isnan(want) ? isnan(got) : got == want && !signbit(got) == !signbit(want))
                    continue;
                printf("kernel_tests: weights %s, type %d: 0x%04x gives %g, not %g\n", isa->name,
                       elem, first + i, got, want);
                return false;
            }
        }
    }
    return true;
}
