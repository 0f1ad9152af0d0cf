/* test_half.c: floats to 16 bits and back. */
#include "base/half.h"

#include <CUnit/CUnit.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Every number of 16 bits comes back as it was; a NaN as one. */
static void test_there_and_back(void)
{
    int wrong = 0;
    for (uint32_t i = 0; i < 0x10000; i++) {
        const uint16_t h = (uint16_t)i;
        const float b = float_of_bf16(h), f = float_of_f16(h);
        wrong += isnan(b) ? !isnan(float_of_bf16(bf16_of(b))) : bf16_of(b) != h;
        wrong += isnan(f) ? !isnan(float_of_f16(f16_of(f))) : f16_of(f) != h;
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

/* Is `half` the nearest of its neighbours to x, and even if two are as near? */
static bool is_nearest(double x, uint16_t half, float (*value)(uint16_t))
{
    const double off = fabs((double)value(half) - x);
    for (int step = -1; step <= 1; step += 2) {
        const uint16_t other = (uint16_t)(half + step);
        if ((half & 0x7fff) == 0 && step < 0)
            continue; /* beyond zero */
        const double at = (double)value(other);
        if (!isfinite(at))
            continue;
        if (fabs(at - x) < off || (fabs(at - x) <= off && half & 1))
            return false;
    }
    return true;
}

static void test_nearest(void)
{
    int wrong = 0;
    srand(1);
    for (int i = 0; i < 300000; i++) {
        const uint32_t bits = (uint32_t)rand() << 16 ^ (uint32_t)rand();
        const float x = float_of(bits), y = ldexpf((float)(rand() % 4096), rand() % 28 - 24 - 4);
        if (isfinite(x) && fabsf(x) < 3.38e38f)
            wrong += !is_nearest((double)x, bf16_of(x), float_of_bf16);
        if (isfinite(x) && fabsf(x) < 65504.0f)
            wrong += !is_nearest((double)x, f16_of(x), float_of_f16);
        if (y < 65504.0f) /* ties, subnormal halves */
            wrong += !is_nearest((double)y, f16_of(y), float_of_f16);
        wrong += !is_nearest((double)y, bf16_of(y), float_of_bf16);
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void test_edges(void)
{
    static const struct {
        float x;
        uint16_t bf16, f16;
    } rows[] = {
        {0.0f, 0, 0},
        {-0.0f, 0x8000, 0x8000},
        {1.0f, 0x3f80, 0x3c00},
        {1.00390625f, 0x3f80, 0x3c04}, /* 1 + 2^-8: a tie, to even */
        {1.01171875f, 0x3f82, 0x3c0c}, /* 1 + 3 * 2^-8: a tie, to even */
        {65504.0f, 0x4780, 0x7bff},    /* the largest half */
        {65519.99f, 0x4780, 0x7bff},   /* below the middle */
        {65520.0f, 0x4780, 0x7c00},    /* the middle: an infinity */
        {0x1p-24f, 0x3380, 1},         /* the least half */
        {0x1p-25f, 0x3300, 0},         /* a tie, to even */
        {0x1.8p-25f, 0x3340, 1},
        {0x1.ffcp-15f, 0x3880, 0x0400}, /* the largest subnormal half and more: the least normal */
        {INFINITY, 0x7f80, 0x7c00},
        {-INFINITY, 0xff80, 0xfc00},
        {3.4e38f, 0x7f80, 0x7c00}, /* more than the largest bfloat16 */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CU_ASSERT_EQUAL(bf16_of(rows[i].x), rows[i].bf16);
        CU_ASSERT_EQUAL(f16_of(rows[i].x), rows[i].f16);
    }
    CU_ASSERT(isnan(float_of_bf16(bf16_of(float_of(0x7f800001))))); /* a NaN by its last bit */
    CU_ASSERT(isnan(float_of_f16(f16_of(float_of(0xff800001)))));
}

void suite_half(void)
{
    CU_pSuite s = CU_add_suite("half", NULL, NULL);
    CU_add_test(s, "every number there and back", test_there_and_back);
    CU_add_test(s, "to the nearest, ties to even", test_nearest);
    CU_add_test(s, "zeros, limits, ties, infinities, NaN", test_edges);
}
