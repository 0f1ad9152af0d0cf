/* scratch.c: how much scratch each step has, so that scratch makes the arena larger only where it
 * pays.
 *
 * Each part of a step has its own scratch, and most steps have room for it, since fewer tensors
 * are alive there than at the fullest step.  Where there is no room, a step can use fewer parts,
 * parts that do less at a time if its method knows how (Method.shrink), or a method with less
 * scratch or none.  Each costs time, which the cost model estimates.  So the bytes that may be
 * alive at any step get a limit: the one with the least
 *
 *     log(seconds of an inference) + WORTH * log(limit)
 *
 * and each step takes its fastest offer within the limit.  Fewer and smaller parts give the same
 * results.  Where a step takes another method, layouts and steps are made again (plan.c).  The
 * gradients of filters by Winograd's method, which is none of these methods, can have fewer parts
 * and smaller units.
 */
#include "plan/methods/method_parts.h"
#include "plan/training_parts.h"

#include <stdlib.h>

/* An arena that is 2 % smaller is worth 1 % of the time; 10 % smaller where several threads were
 * asked for. */
static const double WORTH = 0.5, WORTH_ASKED = 0.1;

/* An engine without a pool has one thread.  Where nobody asked for more, what they save counts by
 * this much: enough to give them the room that there is, but not to make more. */
static const double UNASKED = 0.05;

enum {
    SHRINKS_MOST = 3,
    LIMITS_MOST = 64, /* if there are more, not all are tried */
};

/* A way for a step to use less scratch. */
typedef struct Offer {
    const Method *method; /* NULL: of a gradient of filters */
    int parts, shrinks;
    int64_t bytes;
    double seconds;
} Offer;
typedef VEC(Offer) Offers; /* more bytes, less time */

typedef struct Fit {
    Plan *plan;
    int64_t *alive; /* by step: bytes without its scratch */
    Offers *offers; /* by step; a step without scratch has none */
    double others;  /* seconds of the steps without scratch */
    bool methods;   /* a step can take another method */
} Fit;

static int64_t *alive_without_scratch(const Plan *plan)
{
    const int n = plan->steps.n;
    int64_t *alive = NEW_ARRAY(plan->arena, int64_t, n + 1);
    for (int i = 0; i < plan->buffers.n; i++) {
        const Buffer *b = &plan->buffers.at[i];
        if (b->last < 0)
            continue;
        alive[b->first] += b->bytes;
        alive[b->last + 1] -= b->bytes;
    }
    for (int i = 1; i < n; i++)
        alive[i] += alive[i - 1];
    for (int i = 0; i < n; i++) {
        const int scratch = plan->steps.at[i].scratch;
        alive[i] -= scratch >= 0 ? plan->buffers.at[scratch].bytes : 0;
    }
    return alive;
}

/* ---- offers ---- */

/* Counts the groups of tiles, each of which reads all weights, and the pieces that parts share,
 * which are groups or panels.  Both are for the instruction set that has the most of them. */
static void count_work(const Plan *plan, const Step *step, int64_t *groups, int64_t *pieces)
{
    *groups = *pieces = 1;
    for (int i = 0; i < ISA_COUNT; i++) {
        if (!(plan->options.isas >> i & 1))
            continue;
        const int64_t of = step->method->pieces(&step->shape.conv, &step->knobs[i]);
        const int64_t own = shared_pieces(step, (Isa)i);
        *groups = of > *groups ? of : *groups;
        *pieces = own > *pieces ? own : *pieces;
    }
}

static bool is_grad_winograd(const Step *step)
{
    return step->kernel == KERNEL_conv_grad_winograd;
}

/* Makes the step's tiles one size smaller; returns false if none can be. */
static bool shrink(const Plan *plan, Step *step)
{
    bool smaller = false;
    if (is_grad_winograd(step))
        return shrink_grad_winograd(step);
    if (!step->method->shrink || tuning_of_step(plan, step))
        return false;
    for (int i = 0; i < ISA_COUNT; i++) {
        if (plan->options.isas >> i & 1)
            smaller |= step->method->shrink(&step->shape.conv, (Isa)i, &step->knobs[i]);
    }
    return smaller;
}

/* Seconds to read the weights `more` additional times; HUGE_VAL if they do not stay in the L2. */
static double seconds_again(const Plan *plan, const Step *step, int64_t more)
{
    const Machine *m = plan->options.machine;
    const double bytes = (double)packed_bytes(step);
    if (more <= 0)
        return 0.0;
    return bytes > 1024.0 * m->l2_kb ? HUGE_VAL : (double)more * bytes / (m->l2 * 1e9);
}

static int by_bytes(const void *a, const void *b)
{
    const Offer *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? -1 : 1;
    return (x->seconds > y->seconds) - (x->seconds < y->seconds);
}

/* The seconds that count, of work that takes `alone` on one thread and this share of it with all.
 */
static double seconds_with(const Plan *plan, double alone, double share)
{
    const double weight = plan->threads_asked ? 1.0 : UNASKED;
    return alone * ((1.0 - weight) + weight * plan->options.threads * share);
}

/* The share of the work that the largest of a step's parts has. */
static double largest_share(const Plan *plan, const Step *step)
{
    const int threads = plan->options.threads;
    return 1.0 / (step->parts < threads ? step->parts : threads);
}

/* Adds all combinations of parts and tiles of a step to `offers`. */
static void add_offers(const Plan *plan, Step step, Offers *offers)
{
    const double alone = method_cost(plan, step.node, step.method);
    int64_t groups, pieces, before;
    count_work(plan, &step, &before, &pieces);
    for (int shrinks = 0; shrinks <= SHRINKS_MOST; shrinks++) {
        count_work(plan, &step, &groups, &pieces);
        const double all = alone + seconds_again(plan, &step, groups - before);
        const int64_t each = elems_bytes(SCRATCH_ELEM, widest_scratch(plan, &step));
        for (int parts = 1; parts <= step.parts && all < HUGE_VAL; parts++) {
            const double largest = (double)div_up(pieces, parts) / (double)pieces;
            VEC_PUSH(plan->arena, offers,
                     ((Offer){step.method, parts, shrinks, round_up(parts * each, 64),
                              seconds_with(plan, all, largest)}));
        }
        if (!shrink(plan, &step))
            break;
    }
}

/* Likewise of the gradients of filters by Winograd's method; parts share the units. */
static void add_gradient_offers(const Plan *plan, Step step, Offers *offers)
{
    const rnc_grad_weights_shape *s = &step.shape.grad_weights;
    int shrinks = 0;
    do {
        rnc_grad_winograd_cut c;
        rnc_cut_grad_winograd(s, &step.knobs[0], &c);
        const double all = s->images * grad_winograd_seconds(plan, s, &step.knobs[0]);
        for (int parts = 1; parts <= step.parts; parts++) {
            const double largest = (double)div_up(c.units, parts) / c.units;
            const int64_t bytes = round_up(elems_bytes(SCRATCH_ELEM, parts * c.floats), 64);
            VEC_PUSH(plan->arena, offers,
                     ((Offer){NULL, parts, shrinks, bytes, seconds_with(plan, all, largest)}));
        }
        shrinks++;
    } while (shrink(plan, &step));
}

/* The weights of a method as a multiple of those of the plain sum. */
static double times_weights(const Node *node, const Method *m)
{
    return m->weights ? m->weights(node, m) : 1.0;
}

/* Adds what other methods offer whose weights are not larger.  Those without scratch could have
 * more parts; they are given the share of the step's own method, which was chosen by its time on
 * one thread. */
static void add_methods(const Plan *plan, const Step *step, Offers *offers)
{
    for (int i = 0; i < METHOD_COUNT; i++) {
        const Method *m = method_rows[i];
        if (m == step->method || !m->seconds || !is_candidate(plan, step->node, m) ||
            times_weights(step->node, m) > times_weights(step->node, step->method))
            continue;
        const double alone = method_cost(plan, step->node, m);
        if (alone >= HUGE_VAL)
            continue;
        if (m->share == share_scratch)
            add_offers(plan, plan_step_by(plan, step->node, m), offers);
        else if (!m->scratch)
            VEC_PUSH(plan->arena, offers,
                     ((Offer){m, 1, 0, 0, seconds_with(plan, alone, largest_share(plan, step))}));
    }
}

/* Lists what a step can do, then keeps what nothing else beats in both bytes and time. */
static void make_offers(const Fit *fit, const Step *step, Offers *offers)
{
    if (is_grad_winograd(step))
        add_gradient_offers(fit->plan, *step, offers);
    else
        add_offers(fit->plan, *step, offers);
    if (fit->methods && step->method && !tuning_of_step(fit->plan, step))
        add_methods(fit->plan, step, offers);
    qsort(offers->at, (size_t)offers->n, sizeof *offers->at, by_bytes);
    int kept = 0;
    for (int i = 0; i < offers->n; i++) {
        if (kept == 0 || offers->at[i].seconds < offers->at[kept - 1].seconds)
            offers->at[kept++] = offers->at[i];
    }
    offers->n = kept;
}

/* ---- the limit ---- */

/* The fastest offer within `bytes`, or the smallest offer if none is. */
static const Offer *best_within(const Offers *offers, int64_t bytes)
{
    int i = offers->n - 1;
    while (i > 0 && offers->at[i].bytes > bytes)
        i--;
    return &offers->at[i];
}

static double seconds_within(const Fit *fit, int64_t limit)
{
    double seconds = fit->others;
    for (int i = 0; i < fit->plan->steps.n; i++) {
        if (fit->offers[i].n > 0)
            seconds += best_within(&fit->offers[i], limit - fit->alive[i])->seconds;
    }
    return seconds;
}

static int compare_limits(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The limits at which some step can take another offer, in ascending order.  The first is `least`,
 * and none is below it. */
static int64_t *find_limits(const Fit *fit, int64_t least, int *n)
{
    int all = 1;
    for (int i = 0; i < fit->plan->steps.n; i++)
        all += fit->offers[i].n;
    int64_t *limits = NEW_ARRAY(fit->plan->arena, int64_t, all);
    *n = 0;
    limits[(*n)++] = least;
    for (int i = 0; i < fit->plan->steps.n; i++) {
        for (int k = 0; k < fit->offers[i].n; k++) {
            const int64_t limit = fit->alive[i] + fit->offers[i].at[k].bytes;
            if (limit > least)
                limits[(*n)++] = limit;
        }
    }
    qsort(limits, (size_t)*n, sizeof *limits, compare_limits);
    int kept = 1;
    for (int i = 1; i < *n; i++) {
        if (limits[i] > limits[kept - 1])
            limits[kept++] = limits[i];
    }
    *n = kept;
    return limits;
}

static int64_t best_limit(const Fit *fit)
{
    int64_t least = 1;
    int n;
    for (int i = 0; i < fit->plan->steps.n; i++) {
        const int64_t bytes = fit->offers[i].n > 0 ? fit->offers[i].at[0].bytes : 0;
        least = fit->alive[i] + bytes > least ? fit->alive[i] + bytes : least;
    }
    const int64_t *limits = find_limits(fit, least, &n);
    int64_t best = limits[n - 1];
    double least_cost = HUGE_VAL;
    const bool several = fit->plan->threads_asked && fit->plan->options.threads > 1;
    const double worth = several ? WORTH_ASKED : WORTH;
    const int tries = n < LIMITS_MOST ? n : LIMITS_MOST;
    for (int i = 0; i < tries; i++) {
        const int64_t limit = limits[tries > 1 ? (int64_t)i * (n - 1) / (tries - 1) : 0];
        const double seconds = seconds_within(fit, limit);
        const double cost = log(seconds) + worth * log((double)limit);
        if (seconds > 0.0 && cost < least_cost) {
            least_cost = cost;
            best = limit;
        }
    }
    return best;
}

/* Gives a step what the offer says, which is for the step's own method. */
static void take(Plan *plan, Step *step, const Offer *offer)
{
    for (int i = 0; i < offer->shrinks; i++)
        shrink(plan, step);
    step->parts = offer->parts;
    step->scratch_bytes = offer->bytes;
    plan->buffers.at[step->scratch].bytes = offer->bytes;
}

bool fit_scratch(Plan *plan, bool methods)
{
    const int n = plan->steps.n;
    Fit fit = {.plan = plan, .alive = alive_without_scratch(plan), .methods = methods};
    fit.offers = NEW_ARRAY(plan->arena, Offers, n + 1);
    for (int i = 0; i < n; i++) {
        const Step *step = &plan->steps.at[i];
        if (is_grad_winograd(step) || (step->method && step->method->share == share_scratch))
            make_offers(&fit, step, &fit.offers[i]);
        else if (step->method && step->method->seconds)
            fit.others += seconds_with(plan, method_cost(plan, step->node, step->method),
                                       largest_share(plan, step));
    }
    const int64_t limit = best_limit(&fit);
    bool same = true;
    for (int i = 0; i < n; i++) {
        Step *step = &plan->steps.at[i];
        if (fit.offers[i].n == 0)
            continue;
        const Offer *offer = best_within(&fit.offers[i], limit - fit.alive[i]);
        same = same && offer->method == step->method;
        plan->methods[step->node->id] = offer->method;
        if (same)
            take(plan, step, offer);
    }
    return same;
}
