/* align.c: the order of things in the rows of a frame, and the place of each.
 *
 * A row's order is that of execution, boxes first, unless another order has fewer crossings.  A
 * thing should be straight below the thing that it continues: a box below the box it reads, a lane
 * below a lane.  Each row in turn gets the places nearest to that, in the sense of least squares,
 * at which all things have enough room (isotonic regression: Barlow et al., 1972). */
#include "view/diagram_parts.h"

#include <math.h>
#include <stdlib.h>

static double pin_x(const Pins *pins, const Wire *wire)
{
    for (int i = 0; i < pins->n; i++) {
        if (pins->at[i].wire == wire)
            return pins->at[i].x;
    }
    return 0;
}

/* From a thing's left side to where it takes the wire in or gives it out. */
static double offset(const Thing *t, const Pins *pins, const Wire *wire)
{
    return t->box ? pin_x(pins, wire) : t->w / 2;
}

static double out_offset(const Thing *t, const Wire *wire)
{
    return offset(t, t->box ? &t->box->out : NULL, wire);
}

static double in_offset(const Thing *t, const Wire *wire)
{
    return offset(t, t->box ? &t->box->in : NULL, wire);
}

double align_out(const Thing *t, const Wire *wire)
{
    return t->x + out_offset(t, wire);
}

double align_in(const Thing *t, const Wire *wire)
{
    return t->x + in_offset(t, wire);
}

static bool leads_to(const Crossing *c, const Thing *to)
{
    for (int i = 0; i < c->to.n; i++) {
        if (c->to.at[i] == to)
            return true;
    }
    return false;
}

const Crossing *align_primary(const Level *l, const Thing *t)
{
    const Crossing *best = NULL;
    int best_rank = 0;
    if (t->row == 0)
        return NULL;
    const Gap *gap = &l->gaps[t->row - 1];
    for (int i = 0; i < gap->wires.n; i++) {
        const Crossing *c = &gap->wires.at[i];
        if (!leads_to(c, t))
            continue;
        /* A wire of a box before one that has passed by, then by the order of operands. */
        int rank = c->from->box ? 0 : 1 << 20;
        for (int k = 0; t->box && k < t->box->in.n && t->box->in.at[k].wire != c->wire; k++)
            rank++;
        if (!best || rank < best_rank) {
            best = c;
            best_rank = rank;
        }
    }
    return best;
}

/* ---- order ---- */

static int compare_wants(const void *a, const void *b)
{
    const Thing *x = *(Thing *const *)a, *y = *(Thing *const *)b;
    if (x->wants != y->wants)
        return x->wants < y->wants ? -1 : 1;
    return x->place - y->place;
}

/* Sorts a row's things by the places that they want. */
static void sort_things(Row *row)
{
    if (row->things.n > 1)
        qsort(row->things.at, (size_t)row->things.n, sizeof *row->things.at, compare_wants);
    for (int i = 0; i < row->things.n; i++)
        row->things.at[i]->place = i;
}

/* The number of pairs of wires in a gap that cross, by the places of their ends. */
static long crossings(const Level *l)
{
    long n = 0;
    for (int g = 0; g < l->n_rows - 1; g++) {
        const Gap *gap = &l->gaps[g];
        for (int i = 0; i < gap->wires.n; i++) {
            for (int k = 0; k < i; k++) {
                const Crossing *a = &gap->wires.at[i], *b = &gap->wires.at[k];
                for (int s = 0; s < a->to.n; s++) {
                    for (int t = 0; t < b->to.n; t++)
                        n += (a->from->place - b->from->place) *
                                 (a->to.at[s]->place - b->to.at[t]->place) <
                             0;
                }
            }
        }
    }
    return n;
}

/* Sorts a row by the mean place of what its things are connected with in the row above
 * (`down`) or below. */
static void sort_row(Level *l, int r, bool down)
{
    Row *row = &l->rows[r];
    const Gap *gap = &l->gaps[down ? r - 1 : r];
    for (int i = 0; i < row->things.n; i++) {
        Thing *t = row->things.at[i];
        double sum = 0;
        int n = 0;
        for (int k = 0; k < gap->wires.n; k++) {
            const Crossing *c = &gap->wires.at[k];
            if (down && leads_to(c, t)) {
                sum += c->from->place;
                n++;
            } else if (!down && c->from == t) {
                for (int j = 0; j < c->to.n; j++, n++)
                    sum += c->to.at[j]->place;
            }
        }
        t->wants = n ? sum / n : t->place;
    }
    sort_things(row);
}

static void keep_order(const Level *l, int *places, bool restore)
{
    int n = 0;
    for (int r = 0; r < l->n_rows; r++) {
        Row *row = &l->rows[r];
        for (int i = 0; i < row->things.n; i++, n++) {
            if (restore)
                row->things.at[i]->wants = places[row->things.at[i]->serial];
            else
                places[row->things.at[i]->serial] = row->things.at[i]->place;
        }
        if (!restore)
            continue;
        sort_things(row);
    }
}

static void order_things(Level *l)
{
    enum { ROUNDS = 8, MANY_THINGS = 4000 };
    int n = 0;
    for (int r = 0; r < l->n_rows; r++) {
        for (int i = 0; i < l->rows[r].things.n; i++)
            l->rows[r].things.at[i]->serial = n++;
    }
    int *places = NEW_ARRAY(l->arena, int, n + 1);
    long least = crossings(l);
    keep_order(l, places, false);
    for (int round = 0; round < ROUNDS && least > 0 && n < MANY_THINGS; round++) {
        for (int r = 1; r < l->n_rows; r++)
            sort_row(l, r, true);
        for (int r = l->n_rows - 2; r >= 0; r--)
            sort_row(l, r, false);
        const long now = crossings(l);
        if (now < least) {
            least = now;
            keep_order(l, places, false);
        }
    }
    keep_order(l, places, true);
}

/* ---- places ---- */

static double room(const Thing *left, const Thing *right)
{
    return left->box || right->box ? SPACE : 0;
}

/* Gives things the places nearest to wants[] at which each has enough room: pools of neighbours
 * that would overlap move as one. */
static void place_row(Level *l, Row *row)
{
    const int n = row->things.n;
    double *sum = NEW_ARRAY(l->arena, double, n + 1), *weight = NEW_ARRAY(l->arena, double, n + 1);
    double *from = NEW_ARRAY(l->arena, double, n + 1);
    int *count = NEW_ARRAY(l->arena, int, n + 1), pools = 0;
    for (int i = 0; i < n; i++) {
        const Thing *t = row->things.at[i];
        from[i] = i ? from[i - 1] + row->things.at[i - 1]->w + room(row->things.at[i - 1], t) : 0;
        sum[pools] = (t->wants - from[i]) * t->weight;
        weight[pools] = t->weight;
        count[pools++] = 1;
        while (pools > 1 &&
               sum[pools - 2] / weight[pools - 2] > sum[pools - 1] / weight[pools - 1]) {
            pools--;
            sum[pools - 1] += sum[pools];
            weight[pools - 1] += weight[pools];
            count[pools - 1] += count[pools];
        }
    }
    for (int p = 0, i = 0; p < pools; p++) {
        for (int k = 0; k < count[p]; k++, i++)
            row->things.at[i]->x = sum[p] / weight[p] + from[i];
    }
}

/* The weight of placing a box straight below another one. */
static const double STRAIGHT = 1e6;

/* Below what it reads. */
static void want_below(const Level *l, Thing *t)
{
    const Crossing *c = align_primary(l, t);
    t->wants = t->x;
    t->weight = 0.01;
    if (!c)
        return;
    t->weight = c->to.at[0] != t ? 1 : t->box || c->from->box ? STRAIGHT : 20;
    if (t->box || t->weight > 1) /* a lane that begins here is where its end wants it */
        t->wants = align_out(c->from, c->wire) - in_offset(t, c->wire);
}

/* Above what reads it. */
static void want_above(const Level *l, Thing *t)
{
    const Gap *gap = &l->gaps[t->row];
    t->wants = t->x;
    t->weight = 0.01;
    for (int i = 0; i < gap->wires.n; i++) {
        const Crossing *c = &gap->wires.at[i];
        const Thing *to = c->to.at[0];
        if (c->from != t || (t->weight > 1 && align_primary(l, to) != c))
            continue;
        t->wants = align_in(to, c->wire) - out_offset(t, c->wire);
        t->weight = align_primary(l, to) != c ? 1 : to->box ? STRAIGHT : 20;
    }
}

/* Operands enter a box in the order in which they arrive, but the first operand is in the middle.
 */
static void order_pins(const Level *l, const Thing *t)
{
    Pins *pins = &t->box->in;
    const Crossing *primary = align_primary(l, t);
    const Gap *gap = &l->gaps[t->row - 1];
    int left = 0, right = 0;
    if (!primary || (t->box->kind != BOX_LAYER && t->box->kind != BOX_END))
        return;
    const double middle = t->box->w / 2, step = floor(fmin(18, (middle - 8) / pins->n));
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < pins->n; i++) {
            const int k = pass ? i : pins->n - 1 - i;
            double x = 0;
            for (int g = 0; g < gap->wires.n; g++) {
                const Crossing *c = &gap->wires.at[g];
                x = c->wire == pins->at[k].wire ? align_out(c->from, c->wire) : x;
            }
            if (pins->at[k].wire == primary->wire)
                pins->at[k].x = middle;
            else if (pass == 0 && x < align_out(primary->from, primary->wire))
                pins->at[k].x = middle - step * ++left;
            else if (pass == 1 && x >= align_out(primary->from, primary->wire))
                pins->at[k].x = middle + step * ++right;
        }
    }
}

static void sweep(Level *l)
{
    for (int r = 1; r < l->n_rows; r++) {
        for (int i = 0; i < l->rows[r].things.n; i++)
            want_below(l, l->rows[r].things.at[i]);
        place_row(l, &l->rows[r]);
    }
    for (int r = l->n_rows - 2; r >= 0; r--) {
        for (int i = 0; i < l->rows[r].things.n; i++)
            want_above(l, l->rows[r].things.at[i]);
        place_row(l, &l->rows[r]);
    }
}

/* ---- lanes ---- */

/* The lane that continues a lane in the row below, or NULL. */
static Thing *next_lane(const Level *l, const Thing *t)
{
    const Gap *gap = &l->gaps[t->row];
    for (int i = 0; t->row < l->n_rows - 1 && i < gap->wires.n; i++) {
        const Crossing *c = &gap->wires.at[i];
        if (c->from == t)
            return c->to.at[c->to.n - 1]->box ? NULL : c->to.at[c->to.n - 1];
    }
    return NULL;
}

static bool has_room(const Level *l, const Thing *t, double x)
{
    const Row *row = &l->rows[t->row];
    const Thing *left = t->place > 0 ? row->things.at[t->place - 1] : NULL;
    const Thing *right = t->place + 1 < row->things.n ? row->things.at[t->place + 1] : NULL;
    return (!left || x >= left->x + left->w + room(left, t)) &&
           (!right || x + t->w + room(t, right) <= right->x);
}

/* Puts a wire's lanes into one line if each row has room: at the place of the lane for which the
 * others move least. */
static void straighten(Level *l, Thing *first)
{
    double best = INFINITY, chosen = 0;
    for (const Thing *at = first; at; at = next_lane(l, at)) {
        double moved = 0;
        for (const Thing *t = first; t; t = next_lane(l, t))
            moved += has_room(l, t, at->x) ? fabs(t->x - at->x) : INFINITY;
        if (moved < best) {
            best = moved;
            chosen = at->x;
        }
    }
    for (Thing *t = first; t && best < INFINITY; t = next_lane(l, t))
        t->x = chosen;
}

static void straighten_lanes(Level *l)
{
    enum { LONGEST = 200 };
    for (int r = 1; r < l->n_rows - 1; r++) {
        for (int i = 0; i < l->rows[r].things.n; i++) {
            Thing *t = l->rows[r].things.at[i];
            const Crossing *c = t->box ? NULL : align_primary(l, t);
            int n = 0;
            if (!c || (!c->from->box && r > 1))
                continue; /* a box, or it goes on from another lane */
            for (const Thing *at = t; at; at = next_lane(l, at))
                n++;
            if (n <= LONGEST)
                straighten(l, t);
        }
    }
}

void align_things(Level *l)
{
    enum { SWEEPS = 6 };
    order_things(l);
    for (int r = 0; r < l->n_rows; r++) {
        double x = 0;
        for (int i = 0; i < l->rows[r].things.n; i++) {
            Thing *t = l->rows[r].things.at[i];
            t->x = x;
            x += t->w + SPACE;
        }
    }
    for (int i = 0; i < 2 * SWEEPS; i++) {
        sweep(l);
        for (int r = 1; i == SWEEPS && r < l->n_rows; r++) {
            for (int k = 0; k < l->rows[r].things.n; k++) {
                if (l->rows[r].things.at[k]->box)
                    order_pins(l, l->rows[r].things.at[k]);
            }
        }
    }
    /* Rounds to whole pixels, row by row, so that what is straight stays straight. */
    for (int r = 0; r < l->n_rows; r++) {
        for (int i = 0; i < l->rows[r].things.n && r > 0; i++)
            want_below(l, l->rows[r].things.at[i]);
        if (r > 0)
            place_row(l, &l->rows[r]);
        for (int i = 0; i < l->rows[r].things.n; i++)
            l->rows[r].things.at[i]->x = round(l->rows[r].things.at[i]->x);
    }
    straighten_lanes(l);
}
