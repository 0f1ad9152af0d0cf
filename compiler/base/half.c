/* half.c: numbers of 16 bits. */
#include "base/half.h"

#include <string.h>

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

enum { INFINITE = 0x7f800000, QUIET = 0x0040 };

uint16_t bf16_of(float x)
{
    const uint32_t bits = bits_of(x);
    if ((bits & 0x7fffffff) > INFINITE)
        return (uint16_t)(bits >> 16 | QUIET); /* it stays a NaN without its lower bits */
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float float_of_bf16(uint16_t half)
{
    return float_of((uint32_t)half << 16);
}

/* A half's exponent has five bits and a bias of 15, a float's eight and 127. */
uint16_t f16_of(float x)
{
    enum { LEAST_NORMAL = 0x38800000, BEYOND = 0x477ff000, BIASES = (127 - 15) << 23 };
    const uint32_t all = bits_of(x), bits = all & 0x7fffffff;
    const uint16_t sign = (uint16_t)(all >> 16 & 0x8000);
    if (bits > INFINITE)
        return (uint16_t)(sign | 0x7e00);
    if (bits >= BEYOND) /* 65520 and more */
        return (uint16_t)(sign | 0x7c00);
    if (bits < LEAST_NORMAL) { /* multiples of 2^-24, which is a unit in the last place of 0.5 */
        const float rounded = float_of(bits) + 0.5f;
        return (uint16_t)(sign | (bits_of(rounded) - bits_of(0.5f)));
    }
    return (uint16_t)(sign | (bits - BIASES + 0xfff + (bits >> 13 & 1)) >> 13);
}

float float_of_f16(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    const uint32_t exponent = half >> 10 & 31, fraction = half & 1023;
    if (exponent == 31)
        return float_of(sign | INFINITE | fraction << 13);
    if (exponent == 0) {
        const float x = (float)fraction * 0x1p-24f;
        return sign ? -x : x;
    }
    return float_of(sign | (exponent + 127 - 15) << 23 | fraction << 13);
}
