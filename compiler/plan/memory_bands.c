/* memory_bands.c: an inference that fits a memory, by bands (bands.h).
 *
 * Plans are made with lower and lower limits on the bytes of tensors, each REDUCTION of the one
 * before, until one fits or several bring nothing more.  What a limit comes to, with halos and
 * scratch, its plan says; those that need less than all before are choices.  Each lower limit takes
 * longer, by the model: so the first that fits is the fastest. */
#include "plan/batch.h"
#include "plan/memory.h"

#include "net/figures.h"

static const double REDUCTION = 0.9;
enum { TRIALS_MOST = 40, FRUITLESS_MOST = 5 };

/* What a plan is as a choice. */
static MemoryChoice choice_of(const Plan *plan, const Net *net)
{
    MemoryChoice c = {.arena = plan->arena_bytes};
    for (int i = 0; i < plan->net->nodes.n; i++) {
        const Node *node = plan->net->nodes.at[i];
        c.layers += node->band_group && node->band == 0 && node->op != OP_CROP;
    }
    c.macs = net_macs(plan->net) - net_macs(net);
    return c;
}

static bool refuse(int64_t least, const PlanOptions *options, int64_t allowed, Arena *arena,
                   Diag *diag)
{
    diag_error(diag, NO_LOC, "an inference needs at least %s, and --memory allows %s",
               figure_bytes(arena, least), figure_bytes(arena, allowed));
    diag_note(diag, NO_LOC, "--memory least takes the smallest that there is%s",
              options->threads > 1 ? "; --threads 1 needs less" : "");
    return false;
}

bool fit_bands(const Net *net, PlanOptions *options, MemoryGoal goal, MemoryReport *report,
               Diag *diag)
{
    Arena *arena = net->arena;
    int64_t limits[TRIALS_MOST] = {0}, limit = 0, least = 0; /* by choice; the one that is tried */
    *report = (MemoryReport){.macs = net_macs(net), .bands = true};
    for (int i = 0, fruitless = 0; i < TRIALS_MOST && fruitless < FRUITLESS_MOST; i++) {
        PlanOptions o = *options;
        o.bands_limit = limit;
        const Plan *plan = plan_make(arena, net, o, diag);
        if (!plan)
            return false;
        report->state = whole_state(plan);
        fruitless++;
        if (report->choices.n == 0 || plan->arena_bytes < least) {
            least = plan->arena_bytes;
            limits[report->choices.n] = limit;
            VEC_PUSH(arena, &report->choices, choice_of(plan, net));
            fruitless = 0;
        }
        if (goal.kind == MEMORY_FASTEST ||
            (goal.kind == MEMORY_BYTES && report->state + least <= goal.bytes))
            break;
        limit = (int64_t)(REDUCTION * (double)(limit ? limit : plan->lower_bound));
    }
    const int taken = report->choices.n - 1;
    if (goal.kind == MEMORY_BYTES && report->state + least > goal.bytes)
        return refuse(report->state + least, options, goal.bytes, arena, diag);
    report->choices.at[taken].taken = true;
    options->bands_limit = limits[taken];
    return true;
}
