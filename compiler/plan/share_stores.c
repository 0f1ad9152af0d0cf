/* share_stores.c: stores, and whether two can be one (share.c). */
#include "plan/share_parts.h"

#include "net/state.h"

/* Values of one store, one after the other or side by side. */
enum { MOST_WRITERS = 4096 };

/* Whether `b`, moved by `shift`, would overwrite what is still needed of `a`, or the reverse. */
static bool clash(const Sharer *s, const Writer *a, const Writer *b, Shift shift)
{
    if (a->lo >= b->hi + shift.channels || b->lo + shift.channels >= a->hi ||
        a->top >= b->bottom + shift.rows || b->top + shift.rows >= a->bottom)
        return false;
    const Writer *old = a->node <= b->node ? a : b, *young = old == a ? b : a;
    return s->ends[old->node] >= 2 * (int64_t)young->node;
}

void remove_writer(Sharer *s, int store, int node, int part)
{
    for (int i = 0; i < s->writers[store].n; i++) {
        Writer *w = &s->writers[store].at[i];
        if (w->node == node && w->part == part) {
            *w = s->writers[store].at[--s->writers[store].n];
            return;
        }
    }
}

bool store_is_sound(const Sharer *s, int store, const Writer *of, int view, int part)
{
    const Shift none = {0, 0};
    for (int i = 0; i < s->writers[store].n; i++) {
        const Writer *a = &s->writers[store].at[i];
        if (a->hi <= of->lo || a->lo >= of->hi || a->bottom <= of->top || a->top >= of->bottom ||
            (a->node == view && a->part == part))
            continue;
        for (int j = 0; j < s->writers[store].n; j++) {
            const Writer *b = &s->writers[store].at[j];
            if (i != j && !(b->node == view && b->part == part) && clash(s, a, b, none))
                return false;
        }
    }
    return true;
}

/* Whether store `from` could be put into store `to`, with its beginning at `shift`. */
static bool fits(const Sharer *s, int to, int from, Shift shift, int view, int part)
{
    for (int i = 0; i < s->writers[to].n; i++) {
        const Writer *a = &s->writers[to].at[i];
        if (a->node == view && a->part == part)
            continue;
        for (int j = 0; j < s->writers[from].n; j++) {
            if (clash(s, a, &s->writers[from].at[j], shift))
                return false;
        }
    }
    return true;
}

/* Whether the zeros around the nodes of a store would still be around them if it were rows `at` ..
 * of a store of `rows` rows: windows must not find another tensor's rows there. */
static bool keeps_zeros(const Sharer *s, int store, int at, int rows)
{
    const Store *st = &s->sharing->stores.at[store];
    for (int i = 0; i < st->nodes.n && (at > 0 || at + st->rows < rows); i++) {
        const int id = st->nodes.at[i];
        const int row = placing(s, id)->row, end = row + s->net->nodes.at[id]->type.h;
        for (int k = s->first_use[id]; k < s->first_use[id + 1]; k++) {
            int halo[4];
            halo_read(s->plan, s->net->nodes.at[s->uses[k].user], s->uses[k].slot, halo);
            if ((halo[0] && at + row > 0) || (halo[2] && at + end < rows))
                return false;
        }
    }
    return true;
}

/* Makes room before what a store has. */
static void shift_store(Sharer *s, int store, int channels, int rows)
{
    Store *st = &s->sharing->stores.at[store];
    for (int i = 0; i < st->nodes.n; i++) {
        placing(s, st->nodes.at[i])->channel += channels;
        placing(s, st->nodes.at[i])->row += rows;
    }
    for (int i = 0; i < s->writers[store].n; i++) {
        Writer *w = &s->writers[store].at[i];
        w->lo += channels, w->hi += channels;
        w->top += rows, w->bottom += rows;
    }
    st->channels += channels;
    st->rows += rows;
}

/* Merges the smaller store into the larger one, so that few nodes have to be changed. */
static void merge(Sharer *s, int to, int from, Shift shift)
{
    if (s->sharing->stores.at[to].nodes.n < s->sharing->stores.at[from].nodes.n) {
        int other = to;
        to = from;
        from = other;
        shift = (Shift){-shift.channels, -shift.rows};
    }
    shift_store(s, to, at_least(-shift.channels, 0), at_least(-shift.rows, 0));
    shift_store(s, from, at_least(shift.channels, 0), at_least(shift.rows, 0));
    Store *a = &s->sharing->stores.at[to], *b = &s->sharing->stores.at[from];
    for (int i = 0; i < b->nodes.n; i++) {
        placing(s, b->nodes.at[i])->store = to;
        VEC_PUSH(s->plan->arena, &a->nodes, b->nodes.at[i]);
    }
    for (int i = 0; i < s->writers[from].n; i++)
        VEC_PUSH(s->plan->arena, &s->writers[to], s->writers[from].at[i]);
    if (a->group != b->group || a->band != b->band)
        a->group = a->band = -1;
    a->channels = at_least(a->channels, b->channels);
    a->rows = at_least(a->rows, b->rows);
    b->nodes.n = s->writers[from].n = 0;
}

/* Whether a node of a band would overwrite what it shares with other bands, which other threads may
 * compute at the same time. */
static bool leaves_band(const Sharer *s, const Node *node, int store, int other)
{
    const Store *a = &s->sharing->stores.at[store], *b = &s->sharing->stores.at[other];
    return node->band_group && (a->group < 0 || a->group != b->group || a->band != b->band);
}

bool join_stores(Sharer *s, int node, int slot, Shift at, bool view)
{
    const int operand = s->net->nodes.at[node]->in[slot]->id;
    const Type type = s->net->nodes.at[operand]->type;
    const int part = view ? slot : -2;
    if (remembers(s->net->nodes.at[node]) || remembers(s->net->nodes.at[operand]))
        return false; /* what the state keeps is not overwritten */
    Placing *p = placing(s, node), *q = placing(s, operand);
    if (!view && leaves_band(s, s->net->nodes.at[node], p->store, q->store))
        return false;
    const Writer of = {
        operand, -1, q->channel, q->channel + lanes_of(s->plan, type.c), q->row, q->row + type.h};
    if (view && !store_is_sound(s, q->store, &of, node, part))
        return false;
    const Shift shift = {p->channel + at.channels - q->channel, p->row + at.rows - q->row};
    if (p->store == q->store)
        return shift.channels == 0 && shift.rows == 0;
    /* Each value is compared with all others of its store, which makes long chains slow: from some
     * length on they continue in a new store. */
    if (s->writers[p->store].n + s->writers[q->store].n > MOST_WRITERS ||
        !fits(s, p->store, q->store, shift, node, part))
        return false;
    const int p_rows = s->sharing->stores.at[p->store].rows;
    const int q_rows = s->sharing->stores.at[q->store].rows;
    const int up = at_least(-shift.rows, 0), down = at_least(shift.rows, 0);
    const int rows = at_least(up + p_rows, down + q_rows);
    if (!keeps_zeros(s, p->store, up, rows) || !keeps_zeros(s, q->store, down, rows))
        return false;
    merge(s, p->store, q->store, shift);
    return true;
}
