/* plan.c: the phases of planning. */
#include "plan/training_parts.h"

#include "net/check.h"
#include "net/nametable.h"
#include "plan/bands.h"

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

/* Whether the network is a whole training or has nothing of one; false after a message. */
static bool can_compile(const Net *net, Diag *diag)
{
    const Node *bad = NULL;
    for (int i = 0; i < net->nodes.n && !bad && !net->n_step; i++) {
        const Node *node = net->nodes.at[i];
        if (op_row(node->op)->flags & BACKWARD ||
            (node->op == OP_INPUT && elem_row(node->type.elem)->input != ANY_INPUT))
            bad = node;
    }
    if (!bad)
        return true;
    diag_error(diag, bad->place ? bad->place->loc : NO_LOC,
               "'%s' is of a step of training, and the network updates nothing", bad->name);
    diag_note(diag, NO_LOC, "rnc --train makes a whole step of a .net file");
    return false;
}

/* False after a message. */
bool cut_bands(Plan *plan, Diag *diag)
{
    const PlanOptions *o = &plan->options;
    if ((o->optimize == OPTIMIZE_SIZE && !o->bands_limit) || o->backend == BACKEND_OPENBLAS)
        return true;
    const BandGroups groups = choose_bands(plan);
    if (groups.n == 0)
        return true;
    Net *net = bands_cut(plan->net, &groups, plan->arena);
    plan->net = net;
    return check_net(net, diag, "cutting into bands");
}

/* Layouts, steps and lifetimes, by Plan.methods.  False after a message. */
static bool make_steps(Plan *plan, Diag *diag)
{
    plan->steps.n = plan->buffers.n = plan->packed.n = 0;
    plan->weight_bytes = 0;
    if (!place_tensors(plan, diag))
        return false;
    select_steps(plan);
    find_lifetimes(plan);
    return true;
}

/* The methods of another plan. */
static const Method **methods_like(const Plan *plan, const Plan *like)
{
    NameTable names = {.arena = plan->arena};
    const Method **methods = NEW_ARRAY(plan->arena, const Method *, plan->net->nodes.n + 1);
    for (int i = 0; i < like->net->nodes.n; i++)
        table_add(&names, like->net->nodes.at[i]->name, NO_LOC)->number = i;
    for (int i = 0; i < plan->net->nodes.n; i++) {
        const Node *node = plan->net->nodes.at[i];
        const NameEntry *entry = table_find(&names, node->again ? node->again : node->name);
        methods[i] = like->methods[entry->number];
    }
    return methods;
}

/* Methods, then the steps; again where the scratch of a method is not worth its memory.  A plan
 * that keeps all tensors has the methods of the one that does not, since it is there to test that.
 * False after a message. */
static bool choose_steps(Plan *plan, const Net *net, Diag *diag)
{
    if (plan->options.keep_all) {
        PlanOptions o = plan->options;
        o.keep_all = false;
        o.threads = plan->threads_asked ? o.threads : 0;
        const Plan *lean = plan_make(plan->arena, net, o, diag);
        if (!lean)
            return false;
        plan->methods = lean->methods;
        plan->byte_price = lean->byte_price;
    } else {
        choose_methods(plan);
    }
    const Plan *like = plan->options.like;
    if (like) {
        plan->methods = methods_like(plan, like);
        plan->byte_price = like->byte_price;
    }
    if (!make_steps(plan, diag))
        return false;
    if (fit_scratch(plan, !plan->options.keep_all && !like))
        return true;
    if (!make_steps(plan, diag))
        return false;
    fit_scratch(plan, false);
    return true;
}

Plan *plan_make(Arena *arena, const Net *net, PlanOptions options, Diag *diag)
{
    if (!can_compile(net, diag))
        return NULL;
    Plan *plan = NEW(arena, Plan);
    plan->arena = arena;
    plan->parameters = net_parameters(net);
    plan->options = options;
    plan->threads_asked = options.threads > 0;
    plan->isas_asked = options.isas != 0;
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
    if (net->n_step) {
        plan->net = net;
        plan->turns = 1;
        plan->options.weights_type = RNC_WEIGHTS_F32;
        plan->options.ranks += plan->options.ranks == 0;
        plan->options.shards += plan->options.shards == 0;
        begin_training(plan);
    } else {
        cut_batch(plan, net);
        if (!cut_bands(plan, diag))
            return NULL;
    }
    if (!choose_steps(plan, net, diag))
        return NULL;
    share_functions(plan);
    find_band_runs(plan);
    find_bounds(plan);
    assign_offsets(plan);
    if (net->n_step && plan->options.ranks > 1)
        find_waits(plan); /* each sum has a number of its own: no loops */
    else
        find_repeats(plan);
    find_hash(plan);
    return plan_check(plan, diag) ? plan : NULL;
}
