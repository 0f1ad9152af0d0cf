/* repeat.c: runs of steps that repeat but for their addresses, as one loop.
 *
 * Steps i and i + p are alike if they share a function, take their operands from the same kinds of
 * places and have the same number of parts.  A run of `count` iterations of `period` steps is a
 * repeat if each step is like the one a period before it and each of its addresses advances by a
 * constant number of bytes from iteration to iteration.  Addresses of weights, which are stored in
 * the order of the steps, advance by the size of a block's weights; offsets in the arena usually
 * stay the same.
 *
 * From the first step on, the run that covers the most steps is taken.  If a block repeats, a run
 * could begin at any of its steps; it begins where the names of an iteration's steps have the most
 * components in common, which is where the block begins.  The time is linear in the number of
 * steps.
 */
#include "plan/training_parts.h"

#include <string.h>

enum { PERIOD_MOST = 64, COUNT_LEAST = 3 };

int64_t operand_address(const Plan *plan, const Operand *o)
{
    const Tensor *t = o->tensor;
    if (!t)
        return 0;
    const int64_t begin = t->state ? t->state->offset : plan->buffers.at[t->buffer].offset;
    return begin + elems_bytes(t->elem, t->origin + o->shift);
}

Addresses step_addresses(const Plan *plan, const Step *step)
{
    Addresses a = {0};
    for (int i = 0; i < MOST_IN; i++)
        a.in[i] = operand_address(plan, &step->in[i]);
    for (int i = 0; i < MOST_OUT; i++)
        a.out[i] = operand_address(plan, &step->out[i]);
    a.weights = step->weights ? step->weights->offset + elems_bytes(ELEM_F32, packed_slopes(step))
                              : operand_address(plan, &step->filters);
    a.scratch = step->scratch >= 0 ? plan->buffers.at[step->scratch].offset : 0;
    return a;
}

Addresses addresses_between(Addresses from, Addresses to)
{
    Addresses by = {.weights = to.weights - from.weights, .scratch = to.scratch - from.scratch};
    for (int i = 0; i < MOST_IN; i++)
        by.in[i] = to.in[i] - from.in[i];
    for (int i = 0; i < MOST_OUT; i++)
        by.out[i] = to.out[i] - from.out[i];
    return by;
}

bool addresses_even(const Addresses at[3])
{
    const Addresses a = addresses_between(at[0], at[1]), b = addresses_between(at[1], at[2]);
    return memcmp(&a, &b, sizeof a) == 0;
}

static bool same_kind(const Operand *a, const Operand *b)
{
    return a->kind == b->kind && (a->tensor || a->port == b->port);
}

bool steps_alike(const Step *a, const Step *b)
{
    bool alike = a->function == b->function && a->parts == b->parts && !a->weights == !b->weights &&
                 a->filters.kind == b->filters.kind && (a->scratch < 0) == (b->scratch < 0);
    for (int i = 0; i < MOST_IN && alike; i++)
        alike = same_kind(&a->in[i], &b->in[i]);
    for (int i = 0; i < MOST_OUT && alike; i++)
        alike = same_kind(&a->out[i], &b->out[i]);
    return alike;
}

/* ---- the most that repeats from each step on ---- */

typedef struct Finder {
    const Plan *plan;
    const Addresses *addresses; /* by step */
    Repeat *best; /* by first step: the run that covers most; count 0 if nothing repeats */
} Finder;

/* Whether two steps run in the same stage; all do where there is no training. */
static bool same_stage(const Plan *plan, int a, int b)
{
    for (int i = 1; plan->training && i < STAGES; i++) {
        if (a < plan->training->begin[i] && b >= plan->training->begin[i])
            return false;
    }
    return true;
}

/* Whether threads can compute bands of the step side by side: they have a function of their own. */
static bool in_slots(const Plan *plan, const Step *step)
{
    const int run = step->node->band_group;
    return run > 0 && plan->band_runs.at[run - 1].slots > 1;
}

/* Whether the step's addresses move evenly over the next two periods. */
static bool even_from(const Finder *f, int i, int period)
{
    const Addresses at[] = {f->addresses[i], f->addresses[i + period],
                            f->addresses[i + 2 * period]};
    return addresses_even(at);
}

/* For each step, beginning with the last, counts how many steps in a row from there are like the
 * one a period later, and how many of these move by the same distance as the one a period later.
 */
static void try_period(Finder *f, int period)
{
    const Step *steps = f->plan->steps.at;
    const int n = f->plan->steps.n;
    int alike = 0, even = 0;
    for (int i = n - period - 1; i >= 0; i--) {
        const bool may = !in_slots(f->plan, &steps[i]) && same_stage(f->plan, i, i + period);
        alike = may && steps_alike(&steps[i], &steps[i + period]) ? alike + 1 : 0;
        even = alike > period && even_from(f, i, period) ? even + 1 : 0;
        const int by_kind = alike / period + 1, by_move = even / period + 2;
        const int count = by_kind < by_move ? by_kind : by_move;
        if (count >= COUNT_LEAST && count * period > f->best[i].count * f->best[i].period)
            f->best[i] = (Repeat){i, period, count};
    }
}

/* ---- where a block begins ---- */

/* How many components the names of `n` steps have in common: two for "layer1.2.main.conv1" and
 * "layer1.2.add1". */
static int common_scope(const Step *steps, int n)
{
    const char *first = steps[0].node->name;
    size_t same = strlen(first);
    for (int i = 1; i < n; i++) {
        const char *name = steps[i].node->name;
        size_t k = 0;
        while (k < same && name[k] == first[k])
            k++;
        same = k;
    }
    int dots = 0;
    for (size_t k = 0; k < same; k++)
        dots += first[k] == '.';
    return dots;
}

/* Moves the beginning of the run to that of a block, at most a period later, if that costs at most
 * one iteration. */
static Repeat with_block(const Finder *f, Repeat found)
{
    const Step *steps = f->plan->steps.at;
    Repeat best = found;
    int scope = common_scope(steps + found.first, found.period);
    for (int i = found.first + 1; i < found.first + found.period; i++) {
        const Repeat r = f->best[i];
        if (r.period != found.period || r.count < found.count - 1)
            continue;
        const int deep = common_scope(steps + i, found.period);
        if (deep > scope) {
            scope = deep;
            best = r;
        }
    }
    return best;
}

void find_repeats(Plan *plan)
{
    const int n = plan->steps.n;
    Addresses *addresses = NEW_ARRAY(plan->arena, Addresses, n + 1);
    for (int i = 0; i < n; i++)
        addresses[i] = step_addresses(plan, &plan->steps.at[i]);
    Finder f = {plan, addresses, NEW_ARRAY(plan->arena, Repeat, n + 1)};
    for (int period = 1; period <= PERIOD_MOST && period * COUNT_LEAST <= n; period++)
        try_period(&f, period);
    for (int i = 0; i < n;) {
        if (f.best[i].count == 0) {
            i++;
            continue;
        }
        const Repeat r = with_block(&f, f.best[i]);
        VEC_PUSH(plan->arena, &plan->repeats, r);
        i = r.first + r.period * r.count;
    }
}
