/* offsets.c: lower bounds of the arena, and offsets in it.
 *
 * Buffers that live at the same time must not overlap.  The sum of those alive at a step is a
 * lower bound of the arena.  Placing the largest buffer first, each in the lowest gap that holds
 * it, reaches the bound or comes close.  Several orders are tried; after a miss, the buffers that
 * end above the bound are placed first in the next attempt.
 */
#include "plan/plan_parts.h"

#include <stdlib.h>
#include <string.h>

/* ---- bounds ---- */

void find_bounds(Plan *plan)
{
    const int n = plan->steps.n;
    int64_t *bare = NEW_ARRAY(plan->arena, int64_t, n + 2);
    int64_t *full = NEW_ARRAY(plan->arena, int64_t, n + 2);
    for (int i = 0; i < plan->buffers.n; i++) {
        const Buffer *b = &plan->buffers.at[i];
        if (b->last < 0)
            continue;
        const int64_t bytes = b->run ? 0 : b->bytes; /* its slot counts */
        bare[b->first] += b->bare_bytes;
        full[b->first] += bytes;
        bare[b->last + 1] -= b->bare_bytes;
        full[b->last + 1] -= bytes;
    }
    int64_t bare_now = 0, full_now = 0;
    for (int i = 0; i < n; i++) {
        bare_now += bare[i];
        full_now += full[i];
        plan->lower_bound = bare_now > plan->lower_bound ? bare_now : plan->lower_bound;
        if (full_now > plan->tight_bound) {
            plan->tight_bound = full_now;
            plan->limit_step = i;
        }
    }
}

/* ---- offsets ---- */

typedef enum OrderBy { BY_BYTES, BY_BYTES_TIMES_LIFE, BY_LIFE, BY_FIRST, ORDERS } OrderBy;

/* A buffer to place: higher keys first, then the order of the buffers. */
typedef struct Item {
    int buffer;
    int64_t key;
} Item;

static int compare_items(const void *a, const void *b)
{
    const Item *x = a, *y = b;
    if (x->key != y->key)
        return x->key > y->key ? -1 : 1;
    return x->buffer < y->buffer ? -1 : 1;
}

static int64_t key_of(const Buffer *b, OrderBy by)
{
    const int64_t life = (int64_t)b->last - b->first + 1;
    switch (by) {
    case BY_BYTES:
        return b->bytes;
    case BY_BYTES_TIMES_LIFE:
        return b->bytes / 64 * life;
    case BY_LIFE:
        return life;
    default:
        return -(int64_t)b->first;
    }
}

/* Which buffers live at the same time: the neighbours of buffer i are at[begin[i]] to at[begin[i +
 * 1] - 1].  If there are too many to keep, `at` is NULL. */
typedef struct Neighbours {
    int64_t *begin;
    int *at;
} Neighbours;

/* For each pair of buffers that live at the same time: counts it in begin[], or enters it where
 * begin[] says and advances that.  `order` has the n buffers by their first step. */
static void each_pair(const Plan *plan, const Item *order, int n, int *alive, Neighbours *nb)
{
    int n_alive = 0;
    for (int i = 0; i < n; i++) {
        const int b = order[i].buffer;
        int kept = 0;
        for (int j = 0; j < n_alive; j++) {
            const int a = alive[j];
            if (plan->buffers.at[a].last < plan->buffers.at[b].first)
                continue;
            alive[kept++] = a;
            if (nb->at) {
                nb->at[nb->begin[a]] = b;
                nb->at[nb->begin[b]] = a;
            }
            nb->begin[a]++;
            nb->begin[b]++;
        }
        n_alive = kept;
        alive[n_alive++] = b;
    }
}

static Neighbours find_neighbours(const Plan *plan, const Item *order, int n)
{
    enum { PAIRS_MOST = 20 * 1000 * 1000 };
    const int all = plan->buffers.n;
    int *alive = NEW_ARRAY(plan->arena, int, n + 1);
    Neighbours nb = {NEW_ARRAY(plan->arena, int64_t, all + 2), NULL};
    nb.begin++; /* counts first, then ends, in the end beginnings: one place further down */
    each_pair(plan, order, n, alive, &nb);
    int64_t sum = 0;
    for (int i = 0; i < all; i++) {
        const int64_t count = nb.begin[i];
        nb.begin[i] = sum;
        sum += count;
    }
    if (sum <= 2 * PAIRS_MOST) {
        nb.at = NEW_ARRAY(plan->arena, int, sum + 1);
        each_pair(plan, order, n, alive, &nb);
    }
    nb.begin--;
    return nb;
}

/* Bytes from .. to - 1 of the arena. */
typedef struct Span {
    int64_t from, to;
} Span;

static int compare_spans(const void *a, const void *b)
{
    const Span *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

/* The lowest offset of `bytes` bytes that are outside all spans.  Sorts the spans. */
static int64_t lowest_gap(Span *spans, int n, int64_t bytes)
{
    qsort(spans, (size_t)n, sizeof *spans, compare_spans);
    int64_t at = 0;
    for (int i = 0; i < n && spans[i].from < at + bytes; i++)
        at = spans[i].to > at ? spans[i].to : at;
    return at;
}

/* Places the items in order; returns the arena's bytes.  `spans` has room for all;
 * offsets are -1 until a buffer is placed. */
static int64_t place_items(const Plan *plan, const Neighbours *nb, const Item *items, int n,
                           Span *spans, int64_t *offsets)
{
    int64_t top = 0;
    for (int i = 0; i < plan->buffers.n; i++)
        offsets[i] = -1;
    for (int i = 0; i < n; i++) {
        const Buffer *b = &plan->buffers.at[items[i].buffer];
        const int64_t begin = nb->at ? nb->begin[items[i].buffer] : 0;
        const int64_t end = nb->at ? nb->begin[items[i].buffer + 1] : i;
        int m = 0;
        for (int64_t j = begin; j < end; j++) {
            const int other = nb->at ? nb->at[j] : items[j].buffer;
            const Buffer *o = &plan->buffers.at[other];
            if (offsets[other] >= 0 && b->first <= o->last && o->first <= b->last)
                spans[m++] = (Span){offsets[other], offsets[other] + o->bytes};
        }
        const int64_t at = lowest_gap(spans, m, b->bytes);
        offsets[items[i].buffer] = at;
        top = at + b->bytes > top ? at + b->bytes : top;
    }
    return top;
}

/* Moves the buffers that end at the top of the arena to the front of the order, in reverse;
 * `moved` has room for all. */
static void move_to_front(const Plan *plan, Item *items, Item *moved, int n, const int64_t *offsets,
                          int64_t top)
{
    int n_moved = 0, to = n;
    for (int i = n - 1; i >= 0; i--) {
        const int b = items[i].buffer;
        if (offsets[b] + plan->buffers.at[b].bytes == top)
            moved[n_moved++] = items[i];
        else
            items[--to] = items[i];
    }
    memcpy(items, moved, (size_t)n_moved * sizeof *items);
}

/* Lists the buffers in use of a run of bands, or the others, those with the highest keys first. */
static int make_items(const Plan *plan, int run, OrderBy by, Item *items)
{
    int n = 0;
    for (int i = 0; i < plan->buffers.n; i++) {
        if (plan->buffers.at[i].last >= 0 && plan->buffers.at[i].run == run)
            items[n++] = (Item){i, key_of(&plan->buffers.at[i], by)};
    }
    qsort(items, (size_t)n, sizeof *items, compare_items);
    return n;
}

/* The largest sum of the bytes of n buffers, in the order of their first steps, that live at the
 * same time. */
static int64_t most_alive(const Plan *plan, const Item *items, int n)
{
    int64_t most = 0;
    for (int i = 0; i < n; i++) {
        const int step = plan->buffers.at[items[i].buffer].first;
        int64_t alive = 0;
        for (int k = 0; k <= i; k++) {
            const Buffer *b = &plan->buffers.at[items[k].buffer];
            alive += b->last >= step ? b->bytes : 0;
        }
        most = alive > most ? alive : most;
    }
    return most;
}

/* Places the buffers of a run of bands in a slot, or the others in the arena, of which `bound`
 * bytes are needed at least; returns the bytes. */
static int64_t place_buffers(Plan *plan, int run, int64_t bound)
{
    enum { WORK_MOST = 40 * 1000 * 1000, REPAIRS = 40 };
    Arena *arena = plan->arena;
    Item *items = NEW_ARRAY(arena, Item, plan->buffers.n + 1);
    Item *moved = NEW_ARRAY(arena, Item, plan->buffers.n + 1);
    Span *spans = NEW_ARRAY(arena, Span, plan->buffers.n + 1);
    int64_t *offsets = NEW_ARRAY(arena, int64_t, plan->buffers.n + 1);
    int n = make_items(plan, run, BY_FIRST, items);
    const Neighbours nb = find_neighbours(plan, items, n);
    const int64_t each = n + (nb.at ? nb.begin[plan->buffers.n] : (int64_t)n * n);
    int64_t work = 0, best = 0;
    if (run)
        bound = most_alive(plan, items, n);
    for (int by = 0; by < ORDERS && work < WORK_MOST; by++) {
        n = make_items(plan, run, (OrderBy)by, items);
        for (int i = 0; i <= REPAIRS && work < WORK_MOST; i++) {
            const int64_t top = place_items(plan, &nb, items, n, spans, offsets);
            for (int k = 0; k < n && (best == 0 || top < best); k++)
                plan->buffers.at[items[k].buffer].offset = offsets[items[k].buffer];
            best = best == 0 || top < best ? top : best;
            if (best <= bound)
                return best;
            move_to_front(plan, items, moved, n, offsets, top);
            work += each;
        }
    }
    return best;
}

int64_t place_in_slot(Plan *plan, int run)
{
    return place_buffers(plan, run, 0);
}

void assign_offsets(Plan *plan)
{
    plan->arena_bytes = place_buffers(plan, 0, plan->tight_bound);
    for (int i = 0; i < plan->band_runs.n; i++) {
        BandRun *r = &plan->band_runs.at[i];
        r->offset = r->slots > 1 ? plan->buffers.at[r->buffer].offset : 0;
    }
    for (int i = 0; i < plan->buffers.n; i++) {
        Buffer *b = &plan->buffers.at[i];
        b->offset += b->run ? plan->band_runs.at[b->run - 1].offset : 0;
    }
}
