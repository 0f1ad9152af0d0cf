/* rows.c: which things are in which row of a frame, and which wires lead from row to row. */
#include "view/diagram_parts.h"

#include <math.h>

Box *layout_child(const Box *frame, Box *box)
{
    while (box && box->parent != frame)
        box = box->parent;
    return box;
}

/* A box's row is the length of the longest path from the top.  A box that reads nothing is right
 * above its first reader. */
int layout_rows(Box *frame)
{
    const int n = frame->boxes.n;
    int rows = 0;
    for (int i = 0; i < n; i++)
        frame->boxes.at[i]->row = 0;
    /* The operands of a box come before it, so that one sweep is enough. */
    for (int i = 0; i < n; i++) {
        Box *box = frame->boxes.at[i];
        for (int k = 0; k < box->in.n; k++) {
            const Box *from = layout_child(frame, box->in.at[k].wire->from);
            if (from && from->row + 1 > box->row)
                box->row = from->row + 1;
        }
        rows = box->row + 1 > rows ? box->row + 1 : rows;
    }
    for (int i = 0; i < n; i++) {
        Box *box = frame->boxes.at[i];
        int least = rows;
        for (int k = 0; k < box->out.n; k++) {
            const Wire *wire = box->out.at[k].wire;
            for (int t = 0; t < wire->to.n; t++) {
                const Box *to = layout_child(frame, wire->to.at[t]);
                least = to && to->row < least ? to->row : least;
            }
        }
        if (box->in.n == 0 && least < rows)
            box->row = least - 1;
    }
    return rows;
}

/* How much shows, at the right and below, of the cards behind a frame that is drawn for several. */
double layout_cards(const Box *box)
{
    return box->times > 2 ? 2 * CARD : box->times > 1 ? CARD : 0;
}

static Thing *add_thing(Level *l, int row, Box *box, Wire *wire)
{
    Thing *t = NEW(l->arena, Thing);
    *t = (Thing){.box = box, .wire = wire, .row = row, .w = LANE};
    if (box) {
        const double label =
            box->wire && box->wire->label ? diagram_text_width(box->wire->label, 10) + 12 : 0;
        t->w = ceil(fmax(box->w + layout_cards(box), box->w / 2 + label));
    }
    t->place = l->rows[row].things.n;
    VEC_PUSH(l->arena, &l->rows[row].things, t);
    return t;
}

static int column_of(const Box *box)
{
    while (box->kind != BOX_COLUMN)
        box = box->parent;
    return box->row;
}

/* Whether a wire passes through this column: from a column before it to one after it. */
static bool passes_through(const Box *frame, const Wire *wire)
{
    bool behind = false;
    if (frame->kind != BOX_COLUMN || column_of(wire->from) >= frame->row)
        return false;
    for (int i = 0; i < wire->to.n; i++)
        behind |= column_of(wire->to.at[i]) > frame->row;
    return behind;
}

static void add_crossing(Level *l, Wire *wire, int gap, Thing *from, Thing *const *things, int n,
                         Thing *lane)
{
    Crossing c = {.wire = wire, .from = from};
    /* Boxes that are not ends come first: the network continues in these. */
    for (int ends = 0; ends < 2; ends++) {
        for (int i = 0; i < n; i++) {
            if (things[i] && things[i]->row == gap + 1 &&
                (things[i]->box->kind == BOX_END) == (ends != 0))
                VEC_PUSH(l->arena, &c.to, things[i]);
        }
    }
    if (lane)
        VEC_PUSH(l->arena, &c.to, lane);
    VEC_PUSH(l->arena, &l->gaps[gap].wires, c);
}

/* Adds a wire's path through the frame: its lanes, and its crossing in each gap. */
static void add_wire(Level *l, Wire *wire, Thing *const *by_box)
{
    Box *from = layout_child(l->frame, wire->from);
    Thing **to = NEW_ARRAY(l->arena, Thing *, wire->to.n + 1);
    bool used = false, leaves = passes_through(l->frame, wire);
    int last = 0;
    for (int i = 0; i < wire->to.n; i++) {
        Box *box = layout_child(l->frame, wire->to.at[i]);
        leaves |= from && !box;
        if (!box || box == from)
            continue;
        to[i] = by_box[box->place];
        for (int k = 0; k < i; k++) {
            if (to[k] == to[i])
                to[i] = NULL;
        }
        used = true;
        last = to[i] && to[i]->row > last ? to[i]->row : last;
    }
    if (!used && !leaves)
        return;
    Thing *at = from ? by_box[from->place] : add_thing(l, 0, NULL, wire);
    last = leaves ? l->n_rows - 1 : last;
    for (int gap = at->row; gap < last; gap++) {
        const bool on = gap + 1 < last || leaves;
        Thing *lane = on ? add_thing(l, gap + 1, NULL, wire) : NULL;
        add_crossing(l, wire, gap, at, to, wire->to.n, lane);
        at = lane;
    }
}

Level layout_make(const Diagram *d, Box *frame)
{
    Level l = {.arena = d->arena, .diagram = d, .frame = frame};
    l.n_rows = layout_rows(frame) + 2;
    l.rows = NEW_ARRAY(l.arena, Row, l.n_rows);
    l.gaps = NEW_ARRAY(l.arena, Gap, l.n_rows);
    Thing **by_box = NEW_ARRAY(l.arena, Thing *, frame->boxes.n + 1);
    for (int i = 0; i < frame->boxes.n; i++) {
        Box *box = frame->boxes.at[i];
        box->place = i;
        by_box[i] = add_thing(&l, box->row + 1, box, NULL);
    }
    for (int i = 0; i < d->wires.n; i++)
        add_wire(&l, d->wires.at[i], by_box);
    return l;
}
