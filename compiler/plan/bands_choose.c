/* bands_choose.c: which layers are computed band by band: the groups by which the network takes the
 * least time, by what bands_cost.c says of it.  That is a shortest path over the nodes, whose
 * edges are nodes alone and groups by bands.
 *
 * With PlanOptions.bands_limit, what needs more memory counts as much longer, so that first of
 * all the memory is kept to, as far as that can be. */
#include "plan/bands_parts.h"

#include "base/numbers.h"

static const double GAIN = 0.92; /* of its time, at most, that a group by bands takes */
static const double GAIN_UNASKED = 0.90;
static const double EXCESS = 1e3; /* seconds that a limit's worth of memory beyond it counts as */
enum { MOST_BANDS = 16, MOST_BANDS_LIMITED = 32, ROWS_LEAST = 2 };

/* Whether the group itself, and nothing after it, reads each of its nodes but the last. */
static bool is_closed(const BandCosts *c, int first, int last)
{
    for (int i = first; i < last; i++) {
        if (c->last_use[i] <= i || c->last_use[i] > last)
            return false;
    }
    return true;
}

/* What counts as time where a limit is exceeded. */
static double excess(const BandCosts *c, double bytes)
{
    const double limit = (double)c->plan->options.bands_limit;
    return limit > 0.0 && bytes > limit ? EXCESS * (bytes - limit) / limit : 0.0;
}

/* Likewise of nodes first .. last, one after the other. */
static double excess_alone(const BandCosts *c, int first, int last)
{
    double sum = 0.0;
    for (int i = first; i <= last; i++)
        sum += excess(c, c->alive[i]);
    return sum;
}

/* Bands of equal height, if there are such numbers, so that they share their functions. */
static bool may_be_bands(int h, int bands)
{
    bool divides = h % bands == 0;
    for (int i = 2; i <= MOST_BANDS && !divides && h % bands; i++)
        divides = h % i == 0 && h / i >= ROWS_LEAST;
    return h / bands >= ROWS_LEAST && (h % bands == 0 || !divides);
}

/* How much longer the thread with the most bands has than all have on average. */
static double uneven(const Plan *plan, int bands)
{
    const int threads = plan->threads_asked ? plan->options.threads : 1;
    return (double)div_up(bands, threads) * threads / bands;
}

/* The best number of bands of a group, and its cost; 1 if it is not worth it. */
static BandGroup best_bands(BandCosts *c, int first, int last, double *cost)
{
    const Plan *plan = c->plan;
    const int most = plan->options.bands_limit ? MOST_BANDS_LIMITED : MOST_BANDS;
    BandGroup best = {first, last, 1};
    double alone = 0.0;
    for (int i = first; i <= last; i++)
        alone += c->alone[i];
    *cost = (plan->threads_asked ? GAIN : GAIN_UNASKED) * alone + excess_alone(c, first, last);
    for (int bands = 2; bands <= most; bands++) {
        const BandGroup g = {first, last, bands};
        if (!may_be_bands(c->net->nodes.at[last]->type.h, bands))
            continue;
        const double memory = plan->options.bands_limit ? excess(c, band_bytes(c, g)) : 0.0;
        const double by_bands = band_seconds(c, g) * uneven(plan, bands) + memory;
        if (by_bands < *cost) {
            *cost = by_bands;
            best = g;
        }
    }
    return best;
}

/* Whether bands could gain anything: something is far, or needs too much memory. */
static bool may_gain(const BandCosts *c, int first, int last)
{
    return c->far[last + 1] > c->far[first] || excess_alone(c, first, last) > 0.0;
}

BandGroups choose_bands(const Plan *plan)
{
    BandCosts *c = band_costs(plan);
    const int n = c->net->nodes.n;
    double *least = NEW_ARRAY(plan->arena, double, n + 1); /* of the nodes before */
    BandGroup *by = NEW_ARRAY(plan->arena, BandGroup, n + 1);
    for (int last = 0; last < n; last++) {
        least[last + 1] = least[last] + c->alone[last] + excess(c, c->alive[last]);
        by[last] = (BandGroup){last, last, 1};
        for (int first = last - 1;
             first >= 0 && c->by_rows[first] && c->by_rows[last] && last - first < MOST_BAND_NODES;
             first--) {
            if (!may_gain(c, first, last) || !is_closed(c, first, last))
                continue;
            double cost;
            const BandGroup g = best_bands(c, first, last, &cost);
            if (g.bands > 1 && least[first] + cost < least[last + 1]) {
                least[last + 1] = least[first] + cost;
                by[last] = g;
            }
        }
    }
    BandGroups found = {0}, groups = {0};
    for (int i = n - 1; i >= 0; i = by[i].first - 1) {
        if (by[i].bands > 1)
            VEC_PUSH(plan->arena, &found, by[i]);
    }
    for (int i = found.n - 1; i >= 0; i--)
        VEC_PUSH(plan->arena, &groups, found.at[i]);
    return groups;
}
