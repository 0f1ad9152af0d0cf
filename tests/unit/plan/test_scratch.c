/* test_scratch.c: scratch that makes the arena larger only where it pays, with the same results. */
#include "nets.h"
#include "kernels/cuts_winograd.h"
#include "plan/methods/method_parts.h"

#include <CUnit/CUnit.h>

#include <stdlib.h>
#include <string.h>

/* Parts and groups may be fewer and smaller than select.c had them, nothing else may differ; tiles
 * of two sizes stay in one group, or they would be other tiles. */
static void check_step(const Plan *plan, const Step *step)
{
    const Step wanted = plan_step_by(plan, step->node, step->method);
    CU_ASSERT(memcmp(&step->shape, &wanted.shape, sizeof step->shape) == 0);
    CU_ASSERT(1 <= step->parts && step->parts <= wanted.parts);
    CU_ASSERT(step->scratch_bytes <= wanted.scratch_bytes);
    for (int i = 0; i < ISA_COUNT; i++) {
        rnc_knobs tile = step->knobs[i];
        CU_ASSERT(tile.group <= wanted.knobs[i].group);
        if (tile.group < wanted.knobs[i].group) {
            rnc_winograd_cut is, was;
            rnc_cut_winograd(&step->shape.conv, &tile, &is);
            rnc_cut_winograd(&step->shape.conv, &wanted.knobs[i], &was);
            CU_ASSERT_EQUAL(step->kernel, KERNEL_conv_winograd);
            CU_ASSERT(!is.mixed && !was.mixed);
            tile.group = wanted.knobs[i].group;
            tile.prefetch_weights = wanted.knobs[i].prefetch_weights;
        }
        CU_ASSERT(memcmp(&tile, &wanted.knobs[i], sizeof tile) == 0);
    }
}

/* A chain of convolutions, wide enough for Winograd's method, of pictures of any size. */
static void make_chain(Bench *b, unsigned seed)
{
    Node *x = make_input(b, 1, 16, 20 + rand_r(&seed) % 40, 20 + rand_r(&seed) % 40, ELEM_F32);
    for (int i = 0; i < 6; i++)
        x = make_conv(b, x, 3, 16 * (1 + rand_r(&seed) % 4), 1 + (rand_r(&seed) % 4 == 0), 1);
    make_output(b, x);
}

static void test_random(void)
{
    int less = 0, smaller = 0, others = 0;
    for (unsigned seed = 1; seed <= 200; seed++) {
        Bench b;
        bench_begin(&b);
        make_chain(&b, seed);
        const Plan *plan = make_plan(
            &b, (PlanOptions){.threads = (int)(seed % 6), .machine = &machine_rows[MACHINE_zen3]});
        CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
        for (int i = 0; i < plan->steps.n; i++) {
            const Step *step = &plan->steps.at[i];
            if (!step->method)
                continue;
            check_step(plan, step);
            const Step wanted = plan_step_by(plan, step->node, step->method);
            others += step->method != choose_method(plan, step->node);
            smaller += step->knobs[ISA_avx2].group < wanted.knobs[ISA_avx2].group;
            less += step->scratch_bytes < wanted.scratch_bytes;
        }
        bench_end(&b);
    }
    CU_ASSERT(smaller > 50);
    CU_ASSERT(less > smaller);
    CU_ASSERT(others > 20);
}

/* Small networks: the scratch of several threads would be most of the arena. */
static void test_small(void)
{
    for (int threads = 0; threads <= 4; threads++) {
        Bench b;
        bench_begin(&b);
        make_cifar_resnet(&b, 3);
        run_passes(&b);
        const Plan *plan = make_plan(&b, (PlanOptions){.threads = threads});
        CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
        CU_ASSERT(plan->arena_bytes < (threads < 2 ? 1.6 : 2.0) * (double)plan->lower_bound);
        bench_end(&b);
    }
}

/* A plan that keeps all tensors has the methods of the one that does not: rnc verify tests that. */
static void test_keep_all(void)
{
    for (unsigned seed = 1; seed <= 30; seed++) {
        Bench b;
        bench_begin(&b);
        make_chain(&b, seed);
        const Plan *plan = make_plan(&b, (PlanOptions){0});
        const Plan *kept = make_plan(&b, (PlanOptions){.keep_all = true});
        CU_ASSERT_FATAL(plan != NULL && kept != NULL && plan->steps.n == kept->steps.n);
        for (int i = 0; i < plan->steps.n; i++)
            CU_ASSERT_EQUAL(plan->steps.at[i].method, kept->steps.at[i].method);
        bench_end(&b);
    }
}

/* Large ones: the steps that take long keep their threads; where nobody asked for any, those that
 * have room for them beside the tensors. */
static void test_large(void)
{
    static const int blocks[] = {3, 4, 6, 3};
    for (int threads = 0; threads <= 2; threads++) {
        Bench b;
        bench_begin(&b);
        make_resnet(&b, 1, 224, blocks, true);
        run_passes(&b);
        const Plan *plan = make_plan(&b, (PlanOptions){.threads = threads});
        CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
        int shared = 0, alone = 0;
        for (int i = 0; i < plan->steps.n; i++) {
            const Step *step = &plan->steps.at[i];
            if (step->scratch < 0)
                continue;
            shared += step->parts >= 2;
            alone += step->parts < 2;
        }
        CU_ASSERT(threads == 1 ? shared == 0 : shared >= 12);
        CU_ASSERT(threads != 2 || alone == 0);
        CU_ASSERT(threads == 2 || plan->arena_bytes < 1.02 * (double)plan->lower_bound);
        bench_end(&b);
    }
}

/* A tuning's groups stay as it has them. */
static void test_tuned(void)
{
    static const char text[] =
        "rnc tuning 1\nconv 3x3 stride 1 groups 1 16x32x32 -> 16x32x32 images 1: winograd 4\n"
        "  avx512: group 64\n";
    Bench b;
    bench_begin(&b);
    Node *in = make_input(&b, 1, 16, 32, 32, ELEM_F32);
    make_output(&b, make_conv(&b, in, 3, 16, 1, 1));
    const int file = src_add(&b.src, "test.tuning", text, strlen(text));
    const Tuning *tuning = tuning_parse(b.arena, &b.src, file, &b.diag);
    const Plan *plan = make_plan(&b, (PlanOptions){.tuning = tuning});
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    int found = 0;
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *step = &plan->steps.at[i];
        found += step->method && step->knobs[ISA_avx512].group == 64;
    }
    CU_ASSERT_EQUAL(found, 1);
    bench_end(&b);
}

void suite_scratch(void)
{
    CU_pSuite s = CU_add_suite("scratch", NULL, NULL);
    CU_add_test(s, "random networks", test_random);
    CU_add_test(s, "small networks", test_small);
    CU_add_test(s, "large networks", test_large);
    CU_add_test(s, "all tensors kept", test_keep_all);
    CU_add_test(s, "tuned", test_tuned);
}
