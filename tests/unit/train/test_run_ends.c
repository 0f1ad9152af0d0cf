/* test_run_ends.c: how runs end: early, by numbers that are not finite, between two updates. */
#include "runtest.h"

#include <CUnit/CUnit.h>

#include <math.h>
#include <signal.h>
#include <unistd.h>

/* Five steps, and an update after every two: there is half of one at the end. */
static void test_half_update(void)
{
    RunTest t;
    runtest_begin(&t);
    t.run.info = &soft_two_info;
    t.run.validation = 0.4;
    t.run.epochs = 1;
    t.run.any_epochs = true;
    CU_ASSERT_EQUAL(runtest_train(&t), RNCT_FINISHED);
    CU_ASSERT_EQUAL(rows_of(&t, "steps.csv"), 5);
    t.run.resume = true;
    CU_ASSERT_EQUAL(runtest_train(&t), RNCT_FINISHED);
    t.run.epochs = 2;
    runtest_fails(&t, "ended after 5 steps, between the 2 batches of an update");
    runtest_end(&t);
}

static void test_not_finite(void)
{
    RunTest t;
    runtest_begin(&t);
    t.run.rate = 1e37;
    runtest_fails(&t, "soft.net:3: step ");
    says(&t.problems, "of epoch 1 is not finite, first at dense1");
    CU_ASSERT(access(in_run(&t, "last.checkpoint"), F_OK) == 0);
    runtest_end(&t);
}

/* Steps before the one that overflows. */
static int steps_left;

/* After so many others, a step whose update overflows. */
static rnc_status overflowing_step(void *net, const void *const *inputs, int images, double rate,
                                   rnc_metrics *m)
{
    float weights[SOFT_CLASSES * PIXELS];
    const rnc_status status = soft_info.step(net, inputs, images, rate, m);
    if (steps_left-- == 0) {
        soft_info.get(net, 0, weights);
        weights[1] = INFINITY;
        soft_info.set(net, 0, weights);
    }
    return status;
}

/* Neither a checkpoint between epochs nor what an epoch leaves takes such a state. */
static void test_overflow(void)
{
    rnc_train_info info = soft_info;
    info.step = overflowing_step;
    for (uint64_t save = 0; save < 2; save++) {
        RunTest whole, t;
        runtest_begin(&whole);
        runtest_begin(&t);
        CU_ASSERT_EQUAL(runtest_train(&whole), RNCT_FINISHED);
        t.run.info = &info;
        t.run.save_steps = save;
        steps_left = 5; /* the epoch's last step */
        runtest_fails(&t, "dense1.weight: is not finite after step 6");
        CU_ASSERT(access(in_run(&t, "last.safetensors"), F_OK) != 0);
        t.run.info = &soft_info;
        t.run.resume = true;
        CU_ASSERT_EQUAL(runtest_train(&t), RNCT_FINISHED);
        same_run(&whole, &t);
        runtest_end(&whole);
        runtest_end(&t);
    }
}

static rnc_status hung_up_step(void *net, const void *const *inputs, int images, double rate,
                               rnc_metrics *m)
{
    kill(getpid(), SIGHUP);
    return soft_info.step(net, inputs, images, rate, m);
}

/* A signal that is ignored, as nohup does it, ends no run. */
static void test_ignored(void)
{
    RunTest t;
    rnc_train_info info = soft_info;
    info.step = hung_up_step;
    runtest_begin(&t);
    t.run.info = &info;
    void (*before)(int) = signal(SIGHUP, SIG_IGN);
    CU_ASSERT_EQUAL(runtest_train(&t), RNCT_FINISHED);
    signal(SIGHUP, before);
    runtest_end(&t);
}

static void test_early(void)
{
    RunTest t;
    runtest_begin(&t);
    t.run.rate = 0; /* nothing changes, so that the first epoch stays the best */
    t.run.patience = 2;
    CU_ASSERT_EQUAL(runtest_train(&t), RNCT_FINISHED);
    CU_ASSERT_EQUAL(rows_of(&t, "epochs.csv"), 3);
    runtest_end(&t);
}

void suite_run_ends(void)
{
    CU_pSuite suite = CU_add_suite("ends of runs", NULL, NULL);
    CU_ADD_TEST(suite, test_half_update);
    CU_ADD_TEST(suite, test_not_finite);
    CU_ADD_TEST(suite, test_overflow);
    CU_ADD_TEST(suite, test_ignored);
    CU_ADD_TEST(suite, test_early);
}
