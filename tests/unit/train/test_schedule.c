/* test_schedule.c: learning rates. */
#include "train/schedule.h"

#include <CUnit/CUnit.h>

#include <math.h>
#include <stdio.h>

static void is(const rnct_schedule *s, double epoch, double rate)
{
    const double got = rnct_rate(s, epoch);
    if (fabs(got - rate) > 1e-12)
        printf("at %g: %.17g, not %.17g\n", epoch, got, rate);
    CU_ASSERT(fabs(got - rate) <= 1e-12);
}

static void test_constant(void)
{
    const rnct_schedule s = {.kind = RNCT_CONSTANT, .epochs = 4};
    is(&s, 0, 1);
    is(&s, 3.5, 1);
    const rnct_schedule warm = {
        .kind = RNCT_CONSTANT, .epochs = 4, .warmup = 2, .warmup_from = 0.5};
    is(&warm, 0, 0.5);
    is(&warm, 1, 0.75);
    is(&warm, 2, 1);
    is(&warm, 9, 1);
}

static void test_step(void)
{
    static const double at[] = {1, 2.5};
    const rnct_schedule s = {.kind = RNCT_STEP, .epochs = 4, .at = at, .n_at = 2, .factor = 0.1};
    is(&s, 0.999, 1);
    is(&s, 1, 0.1);
    is(&s, 2.499, 0.1);
    is(&s, 2.5, 0.01);
    is(&s, 4, 0.01);
    rnct_schedule warm = s;
    warm.warmup = 2;
    is(&warm, 0, 0);
    is(&warm, 0.5, 0.25);
    is(&warm, 1.5, 0.075);
    is(&warm, 2, 0.1);
}

static void test_curves(void)
{
    const rnct_schedule line = {.kind = RNCT_POLYNOMIAL, .epochs = 4, .power = 1, .end = 0.2};
    is(&line, 0, 1);
    is(&line, 1, 0.8);
    is(&line, 4, 0.2);
    const rnct_schedule square = {.kind = RNCT_POLYNOMIAL, .epochs = 4, .power = 2};
    is(&square, 1, 0.5625);
    const rnct_schedule cosine = {.kind = RNCT_COSINE, .epochs = 6, .warmup = 2, .end = 0.1};
    is(&cosine, 0, 0);
    is(&cosine, 1, 0.5);
    is(&cosine, 2, 1);
    is(&cosine, 4, 0.55);
    is(&cosine, 6, 0.1);
    is(&cosine, 7, 0.1);
    /* 0.1 + 0.9 (1 + cos(pi / 4)) / 2 */
    is(&cosine, 3, 0.86819805153394635);
    /* A training shorter than its warm-up. */
    for (int kind = RNCT_POLYNOMIAL; kind <= RNCT_COSINE; kind++) {
        const rnct_schedule warm = {.kind = (rnct_schedule_kind)kind,
                                    .epochs = 2,
                                    .warmup = kind == RNCT_COSINE ? 2 : 4,
                                    .warmup_from = 0.5,
                                    .power = 1};
        is(&warm, 0, 0.5);
        is(&warm, 1, kind == RNCT_COSINE ? 0.75 : 0.625);
        is(&warm, 2, kind == RNCT_COSINE ? 1 : 0.75);
    }
}

static void test_one_cycle(void)
{
    const rnct_schedule s = {
        .kind = RNCT_ONE_CYCLE, .epochs = 10, .start = 0.04, .peak = 0.3, .end = 4e-6};
    is(&s, 0, 0.04);
    is(&s, 1.5, 0.52);
    is(&s, 3, 1);
    is(&s, 6.5, 0.500002);
    is(&s, 10, 4e-6);
    rnct_schedule first = s, last = s;
    first.peak = 0;
    is(&first, 0, 1);
    last.peak = 1;
    is(&last, 5, 0.52);
    is(&last, 10, 1);
}

/* Between its corners a rate has no jumps, and it never leaves 0..1. */
static void test_smooth(void)
{
    for (int kind = RNCT_CONSTANT; kind <= RNCT_ONE_CYCLE; kind++) {
        const rnct_schedule s = {.kind = (rnct_schedule_kind)kind,
                                 .epochs = 8,
                                 .warmup = 1,
                                 .factor = 0.1,
                                 .power = 1.5,
                                 .start = 0.1,
                                 .peak = 0.4,
                                 .end = 0.01};
        double before = rnct_rate(&s, 0);
        for (int i = 1; i <= 8000; i++) {
            const double rate = rnct_rate(&s, i / 1000.0);
            CU_ASSERT(rate >= 0 && rate <= 1 && fabs(rate - before) < 2e-3);
            before = rate;
        }
    }
}

void suite_schedule(void)
{
    CU_pSuite suite = CU_add_suite("schedule", NULL, NULL);
    CU_ADD_TEST(suite, test_constant);
    CU_ADD_TEST(suite, test_step);
    CU_ADD_TEST(suite, test_curves);
    CU_ADD_TEST(suite, test_one_cycle);
    CU_ADD_TEST(suite, test_smooth);
}
