/* test_parts.c: the shares of threads: no part of a step is twice as long as another. */
#include "nets.h"
#include "kernels/cuts.h"
#include "plan/method.h"
#include "plan/plan_parts.h"

#include <CUnit/CUnit.h>

#include <stdio.h>

/* What the parts of a step share out: tiles, groups or strips, or panels of channels. */
static int64_t units_of(const Step *step, Isa isa)
{
    const rnc_conv_shape *s = &step->shape.conv;
    const rnc_knobs *t = &step->knobs[isa];
    rnc_panels_cut panels;
    rnc_tiles_cut tiles;
    rnc_cut_panels(s, &panels);
    const int together = step->method->panels > 0 ? step->method->panels : 1;
    if (t->split)
        return panels.count / together;
    if (step->method->pieces)
        return step->method->pieces(s, t);
    rnc_cut_tiles(s, t->pixels, &tiles);
    return tiles.all;
}

static void check_net(const int *blocks, bool bottleneck, int threads, Isa isa)
{
    Bench b;
    bench_begin(&b);
    make_resnet(&b, 1, 224, blocks, bottleneck);
    run_passes(&b);
    Plan *plan = make_plan(&b, (PlanOptions){.isas = 1u << isa,
                                             .machine = &machine_rows[MACHINE_sapphire_rapids],
                                             .threads = threads});
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *step = &plan->steps.at[i];
        if (step->kernel != KERNEL_conv_direct && !(step->method && step->method->pieces))
            continue;
        const int64_t units = units_of(step, isa);
        const int64_t longest = div_up(units, step->parts), shortest = units / step->parts;
        /* Of so few that some have two and one has one, there are no more parts than it takes. */
        const bool fair =
            longest < 2 * shortest || (longest == 2 && step->parts == div_up(units, 2));
        if (!fair)
            printf("%s: %d parts of %d units on %d threads\n", step->node->name, step->parts,
                   (int)units, threads);
        CU_ASSERT(fair);
        CU_ASSERT(step->parts <= units);
    }
    bench_end(&b);
}

static void test_resnets(void)
{
    static const int threads[] = {1, 2, 3, 4, 6, 8, 16, 32, 64};
    static const int deep[] = {3, 4, 6, 3}, shallow[] = {2, 2, 2, 2};
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        check_net(deep, true, threads[i], ISA_avx512);
        check_net(deep, true, threads[i], ISA_avx2);
        check_net(shallow, false, threads[i], ISA_avx512);
        check_net(shallow, false, threads[i], ISA_neon);
    }
}

/* Whether threads share the panels of a convolution 1x1 of 14 x 14 pixels, 14 tiles. */
static int split_of(int in_c, int out_c, int threads)
{
    Bench b;
    bench_begin(&b);
    Node *conv = make_conv(&b, make_input(&b, 1, in_c, 14, 14, ELEM_F32), 1, out_c, 1, 1);
    make_output(&b, conv);
    const Plan *plan = make_plan(&b, (PlanOptions){.isas = 1u << ISA_avx512, .threads = threads});
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    int split = -1;
    for (int i = 0; i < plan->steps.n; i++) {
        if (plan->steps.at[i].kernel == KERNEL_conv_direct)
            split = plan->steps.at[i].knobs[ISA_avx512].split;
    }
    bench_end(&b);
    return split;
}

/* Few tiles are shared only where panels would leave a thread with more of the work. */
static void test_split(void)
{
    CU_ASSERT_EQUAL(split_of(256, 1024, 2), 1);
    CU_ASSERT_EQUAL(split_of(1024, 256, 2), 1);
    CU_ASSERT_EQUAL(split_of(576, 96, 2), 0); /* 3 panels */
    CU_ASSERT_EQUAL(split_of(576, 96, 3), 1);
    CU_ASSERT_EQUAL(split_of(576, 160, 2), 0); /* 5 panels, 6 for 5 */
    CU_ASSERT_EQUAL(split_of(576, 160, 4), 0);
}

/* What moves numbers has any number of rows: with more than 256, parts of the same number of them.
 */
static void test_rows(void)
{
    static const struct {
        int pieces, parts;
    } rows[] = {{1, 1}, {255, 255}, {256, 256}, {257, 129}, {300, 150}, {512, 256}, {513, 171}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CU_ASSERT_EQUAL(worth_parts(1000, 1000, rows[i].pieces), rows[i].parts);
    CU_ASSERT_EQUAL(worth_parts(999, 1000, 300), 1);
    CU_ASSERT_EQUAL(worth_parts(1000, 1000, 0), 1);
}

void suite_parts(void)
{
    CU_pSuite s = CU_add_suite("parts", NULL, NULL);
    CU_add_test(s, "ResNet-50 and -18", test_resnets);
    CU_add_test(s, "split", test_split);
    CU_add_test(s, "rows", test_rows);
}
