/* share_parts.h: what share.c and share_stores.c share; private to them. */
#ifndef RNC_SHARE_PARTS_H
#define RNC_SHARE_PARTS_H

#include "plan/plan_parts.h"

/* Channels lo .. hi-1 of rows top .. bottom-1 of a store, which `node` writes.  `part` is the
 * operand that it copies there unless that becomes a view, or -1 for the node's own result. */
typedef struct Writer {
    int node, part;
    int lo, hi, top, bottom;
} Writer;

/* A distance in a store. */
typedef struct Shift {
    int channels, rows;
} Shift;

typedef struct Use {
    int user, slot;
} Use;

struct Sharer {
    const Plan *plan;
    const Net *net;
    Sharing *sharing;
    int *first_use; /* node id -> index in uses; first_use[n_nodes] is their number */
    Use *uses;
    bool *is_output;
    bool *is_kept;         /* an update reads it, nobody knows when */
    int64_t *ends;         /* by node id */
    VEC(Writer) * writers; /* by store */
};

static inline Placing *placing(const Sharer *s, int node)
{
    return &s->sharing->placings[node];
}

/* The larger of the two. */
static inline int at_least(int n, int least)
{
    return n > least ? n : least;
}

/* ---- share_stores.c ---- */

void remove_writer(Sharer *s, int store, int node, int part);
/* Whether nothing in `store` clashes with what is stored where `of` is, whose end is now later.
 * Part `part` of `view` will not be copied. */
bool store_is_sound(const Sharer *s, int store, const Writer *of, int view, int part);
/* Stores the node's operand `slot` at `at` of the node.  The caller has already set the
 * flag of this decision, which changes the operand's end; if this fails, the caller clears the
 * flag again. */
bool join_stores(Sharer *s, int node, int slot, Shift at, bool view);

#endif
