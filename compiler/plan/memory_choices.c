/* memory_choices.c: which values a step of training could compute again.
 *
 * First come the cheap ones: activations, normalisations and others that need no multiplication by
 * filters, from what is kept before them.  Then layers with filters, one by one, those first whose
 * results are large for the multiplications that they cost.  Then segments: of the places that all
 * of the forward part passes through, such as the results of blocks, every so many are kept, and
 * between these everything is computed again when the backward part comes to it (Chen et al.,
 * 2016).  Segments at the beginning of the network save as much as those at its end, and are
 * computed again when much of the memory is free; so a choice has the segments up to some place. */
#include "plan/memory_parts.h"

#include <stdlib.h>
#include <string.h>

enum { PIECES = 16 }; /* how many lengths of the beginning are tried */

typedef VEC(int) Ids;

typedef struct Chooser {
    const Net *net;
    Estimator *e;
    int begin;
    const bool *read; /* by id: the backward part reads it */
    Ids cheap;        /* in order */
    Ids products;     /* layers with filters, the one that saves most for its cost first */
    Ids places;       /* values through which all of the forward part passes, in order */
    Choices all;
} Chooser;

/* ---- what there is ---- */

/* Whether the value is made of one that is kept, one step after the other and without filters. */
static bool is_cheap(const Chooser *c, const Node *node)
{
    const Node *at = node;
    do {
        if (multiplies(at) || at->n_in != 1 || !may_recompute(at) || at->op == OP_SPLIT)
            return false;
        at = at->in[0];
    } while (!c->read[at->id] && may_recompute(at));
    return true;
}

static void find_cheap(Chooser *c)
{
    for (int i = 0; i < c->begin; i++) {
        if (c->read[i] && is_cheap(c, c->net->nodes.at[i]))
            VEC_PUSH(c->net->arena, &c->cheap, i);
    }
}

typedef struct Saving {
    int node;
    double bytes; /* for a multiplication */
} Saving;

static int by_saving(const void *a, const void *b)
{
    const Saving *x = a, *y = b;
    if (x->bytes > y->bytes || x->bytes < y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return x->node - y->node;
}

static void find_products(Chooser *c)
{
    Saving *savings = NEW_ARRAY(c->net->arena, Saving, c->begin + 1);
    int n = 0;
    for (int i = 0; i < c->begin; i++) {
        const Node *node = c->net->nodes.at[i];
        if (c->read[i] && multiplies(node))
            savings[n++] = (Saving){i, (double)type_elements(node->type) / (double)node_macs(node)};
    }
    qsort(savings, (size_t)n, sizeof *savings, by_saving);
    for (int i = 0; i < n; i++)
        VEC_PUSH(c->net->arena, &c->products, savings[i].node);
}

/* A value is such a place if nothing after it reads anything before it. */
static void find_places(Chooser *c)
{
    int reach = -1; /* the last node that reads what comes before i */
    int *last = NEW_ARRAY(c->net->arena, int, c->begin + 1);
    for (int i = 0; i < c->begin; i++) {
        const Node *node = c->net->nodes.at[i];
        for (int j = 0; j < node->n_in && may_recompute(node); j++) {
            if (may_recompute(node->in[j]))
                last[node->in[j]->id] = i;
        }
    }
    for (int i = 0; i < c->begin; i++) {
        if (reach <= i && c->read[i])
            VEC_PUSH(c->net->arena, &c->places, i);
        reach = last[i] > reach ? last[i] : reach;
    }
}

/* ---- choices ---- */

static void try_one(Chooser *c, const bool *kept)
{
    Choice choice = {NEW_ARRAY(c->net->arena, bool, c->net->nodes.n + 1), estimate(c->e, kept)};
    memcpy(choice.kept, kept, (size_t)c->net->nodes.n * sizeof *kept);
    VEC_PUSH(c->net->arena, &c->all, choice);
}

/* All that is read but the first n cheap values. */
static void keep_but_cheap(const Chooser *c, bool *kept, int n)
{
    memcpy(kept, c->read, (size_t)c->net->nodes.n * sizeof *kept);
    for (int i = 0; i < n; i++)
        kept[c->cheap.at[i]] = false;
}

/* Up to place `end` only every period-th place from `first` on. */
static void keep_places(const Chooser *c, bool *kept, int first, int period, int end)
{
    keep_but_cheap(c, kept, c->cheap.n);
    for (int i = 0; i < c->places.at[end]; i++)
        kept[i] = false;
    for (int i = first; i <= end; i += period)
        kept[c->places.at[i]] = true;
}

/* Cheap values and layers, a few more each time. */
static void try_single(Chooser *c, bool *kept)
{
    for (int k = 0; k <= PIECES; k++) {
        keep_but_cheap(c, kept, (int)((int64_t)c->cheap.n * k / PIECES));
        try_one(c, kept);
    }
    for (int k = 1; k <= PIECES; k++) {
        const int n = (int)((int64_t)c->products.n * k / PIECES);
        for (int i = (int)((int64_t)c->products.n * (k - 1) / PIECES); i < n; i++)
            kept[c->products.at[i]] = false;
        try_one(c, kept);
    }
}

static void try_segments(Chooser *c, bool *kept)
{
    static const int periods[] = {1, 2, 3, 4, 6, 8, 12};
    for (size_t i = 0; i < sizeof periods / sizeof *periods; i++) {
        const int period = periods[i];
        for (int first = 0; first < period; first++) {
            const int segments = (c->places.n - first) / period;
            int before = 0;
            for (int k = 1; k <= PIECES; k++) {
                const int n = (int)((int64_t)segments * k / PIECES);
                if (n == before || first + (n - 1) * period >= c->places.n)
                    continue;
                before = n;
                keep_places(c, kept, first, period, first + (n - 1) * period);
                try_one(c, kept);
            }
        }
    }
}

static int by_cost(const void *a, const void *b)
{
    const Estimate *x = &((const Choice *)a)->e, *y = &((const Choice *)b)->e;
    if (x->cost != y->cost)
        return x->cost < y->cost ? -1 : 1;
    return (x->peak > y->peak) - (x->peak < y->peak);
}

Choices memory_choices(const Net *net)
{
    Chooser c = {.net = net, .e = estimator_new(net), .begin = backward_begin(net)};
    c.read = values_read_back(net);
    find_cheap(&c);
    find_products(&c);
    find_places(&c);
    bool *kept = NEW_ARRAY(net->arena, bool, net->nodes.n + 1);
    try_single(&c, kept);
    try_segments(&c, kept);
    qsort(c.all.at, (size_t)c.all.n, sizeof *c.all.at, by_cost);
    int n = 0;
    for (int i = 0; i < c.all.n; i++) {
        if (n == 0 || c.all.at[i].e.peak < c.all.at[n - 1].e.peak)
            c.all.at[n++] = c.all.at[i];
    }
    c.all.n = n;
    return c.all;
}
