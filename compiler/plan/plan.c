/* plan.c: the phases of planning. */
#include "plan/plan_parts.h"

static unsigned default_isas(void)
{
#ifdef __aarch64__
    return 1u << ISA_neon | 1u << ISA_portable;
#else
    return 1u << ISA_avx512 | 1u << ISA_avx2 | 1u << ISA_portable;
#endif
}

enum { DEFAULT_THREADS = 4 };

const Machine *plan_machine(const PlanOptions *options)
{
    return options->machine ? options->machine : &machine_rows[MACHINE_generic];
}

Plan *plan_make(Arena *arena, const Net *net, PlanOptions options, Diag *diag)
{
    Plan *plan = NEW(arena, Plan);
    plan->arena = arena;
    plan->parameters = net_parameters(net);
    plan->options = options;
    plan->threads_asked = options.threads > 0;
    if (plan->options.isas == 0)
        plan->options.isas = default_isas();
    plan->options.machine = plan_machine(&options);
    if (plan->options.threads == 0)
        plan->options.threads = DEFAULT_THREADS;
    plan->align = 1;
    for (int i = 0; i < ISA_COUNT; i++) {
        if (plan->options.isas >> i & 1 && isa_rows[i].lanes > plan->align)
            plan->align = isa_rows[i].lanes;
    }
    cut_batch(plan, net);
    choose_methods(plan);
    if (!place_tensors(plan, diag))
        return NULL;
    select_steps(plan);
    find_lifetimes(plan);
    fit_scratch(plan);
    share_functions(plan);
    find_bounds(plan);
    assign_offsets(plan);
    find_repeats(plan);
    find_hash(plan);
    return plan_check(plan, diag) ? plan : NULL;
}
