/* test_generic.c: what the generic machine's choice of methods costs on each machine of
 * machine.def, by the cost model: the time of all convolutions and dense layers of a network, as a
 * multiple of that by the machine's own choice.  docs/tuning.md has the table; RNC_TEST_TABLE=1 in
 * the environment prints it. */
#include "nets.h"
#include "plan/plan_parts.h"

#include <CUnit/CUnit.h>

#include <stdio.h>
#include <stdlib.h>

/* What a machine may lose on a network, and all of them on all networks on average.  The most is
 * that of ResNet-20 on Zen 3. */
static const double MOST = 1.22, MEAN = 1.031;

enum { NETS = 4 };
static const char *const net_names[NETS] = {"ResNet-50", "ResNet-18", "ResNet-20", "DenseNet-121"};

static void make_net(Bench *b, int net)
{
    static const int blocks50[] = {3, 4, 6, 3}, blocks18[] = {2, 2, 2, 2};
    static const int layers121[] = {6, 12, 24, 16};
    bench_begin(b);
    if (net < 2)
        make_resnet(b, 1, 224, net ? blocks18 : blocks50, net == 0);
    else if (net == 2)
        make_cifar_resnet(b, 3);
    else
        make_densenet(b, 224, 32, layers121, 4);
    run_passes(b);
}

/* Seconds on `machine` of the methods chosen for `by`. */
static double seconds_on(Plan *plan, const Machine *machine, const Machine *by)
{
    double seconds = 0.0;
    for (int i = 0; i < plan->net->nodes.n; i++) {
        const Node *node = plan->net->nodes.at[i];
        if (!is_conv(node->op))
            continue;
        plan->options.machine = by;
        const Method *m = choose_method(plan, node);
        plan->options.machine = machine;
        seconds += m->seconds ? m->seconds(plan, node, m) : 0.0;
    }
    return seconds;
}

/* How many times as long a network takes on each machine with the generic choice. */
static void losses_of(int net, const Machine *generic, double losses[MACHINE_COUNT])
{
    Bench b;
    make_net(&b, net);
    for (int i = 0; i < MACHINE_COUNT; i++) {
        const Machine *machine = &machine_rows[i];
        const bool arm = machine->gflops[ISA_neon] > 0.0 && machine->gflops[ISA_avx2] <= 0.0;
        const unsigned isas = arm ? 1u << ISA_neon | 1u << ISA_portable
                                  : 1u << ISA_avx512 | 1u << ISA_avx2 | 1u << ISA_portable;
        Plan *plan = make_plan(&b, (PlanOptions){.isas = isas, .machine = machine, .threads = 1});
        CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
        losses[i] = seconds_on(plan, machine, generic) / seconds_on(plan, machine, machine);
    }
    bench_end(&b);
}

static void test_generic_row(void)
{
    static double losses[NETS][MACHINE_COUNT];
    const bool shown = getenv("RNC_TEST_TABLE") != NULL;
    double sum = 0.0;
    for (int net = 0; net < NETS; net++)
        losses_of(net, &machine_rows[MACHINE_generic], losses[net]);
    for (int i = 0; i < MACHINE_COUNT; i++) {
        if (i == MACHINE_generic)
            continue;
        if (shown)
            printf("| %s |", machine_rows[i].name);
        for (int net = 0; net < NETS; net++) {
            if (losses[net][i] > MOST)
                printf("%s on %s: %.3f\n", net_names[net], machine_rows[i].name, losses[net][i]);
            CU_ASSERT(losses[net][i] <= MOST);
            sum += losses[net][i];
            if (shown)
                printf(" %.2f |%s", losses[net][i], net == NETS - 1 ? "\n" : "");
        }
    }
    const double mean = sum / (NETS * (MACHINE_COUNT - 1));
    if (shown || mean > MEAN)
        printf("on average %.4f\n", mean);
    CU_ASSERT(mean <= MEAN);
}

void suite_generic(void)
{
    CU_pSuite s = CU_add_suite("generic", NULL, NULL);
    CU_add_test(s, "its choices on each machine", test_generic_row);
}
