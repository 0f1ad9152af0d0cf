/* memory.c: the step of training that fits a memory; see memory.h. */
#include "plan/memory_parts.h"

#include "net/figures.h"
#include "passes/evaluation.h"

#include <stdlib.h>

/* How many choices are planned to be shown, and how many of the smallest to find the smallest. */
enum { SHOWN = 6, SMALLEST = 3 };

typedef struct Fitting {
    Net *net;
    const PlanOptions *options;
    MemoryReport *report;
    Diag *diag;
    Choices choices;
    const Plan *base; /* of the step that keeps everything */
    int64_t *arenas;  /* by choice; 0: it was not planned */
} Fitting;

static const Plan *plan_of(const Fitting *f, const Net *net)
{
    Net *copy = ir_copy(net, net->arena);
    PlanOptions o = *f->options;
    o.like = f->base ? f->base : o.like;
    return add_evaluation(copy, f->diag) ? plan_make(net->arena, copy, o, f->diag) : NULL;
}

static Net *net_of(const Fitting *f, int choice)
{
    Net *copy = ir_copy(f->net, f->net->arena);
    return recompute(copy, f->choices.at[choice].kept, f->diag) ? copy : NULL;
}

/* The arena of a choice; -1 after a message. */
static int64_t arena_of(Fitting *f, int choice)
{
    if (f->arenas[choice] == 0) {
        const Net *net = choice > 0 ? net_of(f, choice) : f->net;
        const Plan *plan = net ? plan_of(f, net) : NULL;
        f->arenas[choice] = plan ? plan->arena_bytes : -1;
    }
    return f->arenas[choice];
}

/* ---- which ---- */

/* The planned choice with the smallest arena; -1 after a message. */
static int smallest(Fitting *f)
{
    int best = 0;
    const int n = f->choices.n;
    for (int k = 0; k < n; k++) {
        const bool shown = k == 0 || k * (SHOWN - 1) / (n - 1) > (k - 1) * (SHOWN - 1) / (n - 1);
        if (!shown && k < n - SMALLEST)
            continue;
        if (arena_of(f, k) < 0)
            return -1;
        best = f->arenas[k] < f->arenas[best] ? k : best;
    }
    return best;
}

/* The first choice that fits; -1 after a message.  Arenas follow the estimates only nearly: what
 * fits is planned. */
static int first_within(Fitting *f, int64_t bytes)
{
    if (f->arenas[0] <= bytes)
        return 0;
    int low = 0, high = f->choices.n - 1;
    if (arena_of(f, high) < 0)
        return -1;
    if (f->arenas[high] > bytes) {
        high = smallest(f);
        if (high < 0 || f->arenas[high] > bytes) {
            if (high >= 0) {
                Arena *arena = f->net->arena;
                diag_error(f->diag, NO_LOC,
                           "a step of training needs at least %s, %s of it for its state, and "
                           "--memory allows %s",
                           figure_bytes(arena, f->report->state + f->arenas[high]),
                           figure_bytes(arena, f->report->state),
                           figure_bytes(arena, f->report->state + bytes));
                diag_note(f->diag, NO_LOC,
                          "--memory least takes the smallest that there is; a smaller --batch "
                          "needs less");
            }
            return -1;
        }
    }
    while (high - low > 1) {
        const int middle = low + (high - low) / 2;
        if (arena_of(f, middle) < 0)
            return -1;
        if (f->arenas[middle] <= bytes)
            high = middle;
        else
            low = middle;
    }
    return high;
}

static int choose(Fitting *f, MemoryGoal goal)
{
    if (goal.kind == MEMORY_LEAST)
        return smallest(f);
    return goal.kind == MEMORY_BYTES ? first_within(f, goal.bytes - f->report->state) : 0;
}

static void report_all(Fitting *f, int taken)
{
    for (int i = 0; i < f->choices.n; i++) {
        const Estimate *e = &f->choices.at[i].e;
        const MemoryChoice choice = {e->layers, e->products,  e->macs,
                                     e->moved,  f->arenas[i], i == taken};
        if (f->arenas[i] > 0)
            VEC_PUSH(f->net->arena, &f->report->choices, choice);
    }
}

Net *fit_memory(Net *net, const PlanOptions *options, MemoryGoal goal, MemoryReport *report,
                const Plan **like, Diag *diag)
{
    Fitting f = {.net = net, .options = options, .report = report, .diag = diag};
    *report = (MemoryReport){.macs = step_macs(net)};
    f.choices = memory_choices(net);
    f.arenas = NEW_ARRAY(net->arena, int64_t, f.choices.n + 1);
    f.base = plan_of(&f, net);
    if (!f.base)
        return NULL;
    report->state = f.base->state_bytes;
    f.arenas[0] = f.base->arena_bytes;
    *like = f.base;
    const int taken = choose(&f, goal);
    if (taken < 0)
        return NULL;
    report_all(&f, taken);
    return taken > 0 ? net_of(&f, taken) : net;
}
