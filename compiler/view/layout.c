/* layout.c: the places of boxes and wires.
 *
 * Each frame is laid out by itself, inner ones first.  Its boxes are in rows, each below all that
 * it reads (so the arms of a block are side by side).  A wire that passes a row has a lane there
 * between the boxes.  Wires go straight down or, in the gap between two rows, across on their own
 * track.  So no wire crosses a box, and no two wires share a line anywhere (for the rows:
 * Sugiyama, Tagawa and Toda, 1981). */
#include "view/diagram_parts.h"

#include <math.h>

double diagram_text_width(const char *text, double size)
{
    double n = 0;
    for (const char *c = text; *c; c++)
        n += ((unsigned char)*c & 0xc0) != 0x80; /* not a continuation byte of UTF-8 */
    return ceil(n * size * 0.58);
}

static bool is_leaf(const Box *box)
{
    return box->kind == BOX_LAYER || box->kind == BOX_END;
}

/* ---- sizes of layers ---- */

/* Joins and elementwise operators need only one line. */
static bool in_one_line(const Box *box)
{
    return box->hue == HUE_JOIN || box->hue == HUE_POINTWISE || box->hue == HUE_MOVE;
}

static void size_leaf(const Diagram *d, Box *box)
{
    enum { LEAST = 56, BORDER = 20, ONE_LINE = 24, TWO_LINES = 38, HEAD = 10 };
    if (*box->detail && in_one_line(box)) {
        box->title = arena_printf(d->arena, "%s, %s", box->title, box->detail);
        box->detail = "";
    }
    const double title = diagram_text_width(box->title, 12);
    const double detail = diagram_text_width(box->detail, 10);
    /* Room for arrows on both sides of the first one; even, so that wires leave in the
     * middle on a whole pixel. */
    const double arrows = fmin(240, 2 * HEAD * box->in.n);
    box->w = 2 * ceil(fmax(fmax(LEAST, arrows), fmax(title, detail) + BORDER) / 2);
    box->h = *box->detail ? TWO_LINES : ONE_LINE;
    /* The first operand in the middle, the others to its right until align.c knows more. */
    for (int i = 0; i < box->in.n; i++)
        box->in.at[i].x = box->w / 2 + i * floor(fmin(18, (box->w / 2 - 8) / box->in.n));
    box->out.n = 0;
    if (box->wire) {
        const Pin pin = {box->wire, box->w / 2};
        VEC_PUSH(d->arena, &box->out, pin);
    }
}

/* ---- tracks ---- */

/* Lines that are this close count as one. */
static const double NEAR = 1.5;

static bool near_by(double a, double b)
{
    return fabs(a - b) < NEAR;
}

static void span(Crossing *c)
{
    const double x = align_out(c->from, c->wire);
    c->least = c->most = x;
    c->track = c->below = -1;
    for (int i = 0; i < c->to.n; i++) {
        const double to = align_in(c->to.at[i], c->wire);
        c->least = fmin(c->least, to);
        c->most = fmax(c->most, to);
    }
    if (c->most - c->least >= NEAR)
        c->track = 0;
}

/* Whether a wire comes down where another would leave its track at x. */
static bool comes_down(const Crossing *c, double x)
{
    return fabs(align_out(c->from, c->wire) - x) < LANE / 2.0;
}

/* Whether `a` must go across above `b`. */
static bool is_above(const Crossing *a, const Crossing *b)
{
    for (int i = 0; i < b->to.n; i++) {
        if (comes_down(a, align_in(b->to.at[i], b->wire)))
            return true;
    }
    return false;
}

static bool overlap(const Crossing *a, const Crossing *b)
{
    return a->least < b->most + LANE && b->least < a->most + LANE;
}

/* Puts each wire on the first track that is free there and below all wires that it must be below.
 * If two wires would each have to be above the other, the first comes first and then goes round
 * the other. */
static void choose_tracks(Level *l, Gap *gap)
{
    const int n = gap->wires.n;
    bool *done = NEW_ARRAY(l->arena, bool, n + 1);
    for (int i = 0; i < n; i++)
        span(&gap->wires.at[i]);
    for (int round = 0; round < n; round++) {
        int pick = -1, first = -1;
        for (int i = 0; i < n && pick < 0; i++) {
            bool free = gap->wires.at[i].track >= 0 && !done[i];
            first = free && first < 0 ? i : first;
            for (int k = 0; k < n && free; k++)
                free = k == i || done[k] || gap->wires.at[k].track < 0 ||
                       !is_above(&gap->wires.at[k], &gap->wires.at[i]);
            pick = free ? i : -1;
        }
        if (first < 0)
            break;
        Crossing *c = &gap->wires.at[pick < 0 ? first : pick];
        if (pick < 0)
            c->below = 0;
        for (int k = 0; k < n; k++) {
            const Crossing *other = &gap->wires.at[k];
            if (done[k] && other->track >= c->track && (overlap(c, other) || is_above(other, c)))
                c->track = other->track + 1;
        }
        done[pick < 0 ? first : pick] = true;
        gap->tracks = c->track + 1 > gap->tracks ? c->track + 1 : gap->tracks;
    }
    for (int i = 0; i < n; i++) {
        if (gap->wires.at[i].below == 0)
            gap->wires.at[i].below = gap->tracks++;
    }
}

/* ---- frames below one another ---- */

/* A frame from x on, w wide; what is in it stays where it is. */
static void stretch(Box *frame, double x, double w)
{
    const double shift = frame->x - x;
    frame->x = x;
    frame->w = w;
    if (frame->title_x > TITLE_X) /* after a wire */
        frame->title_x += shift;
    for (int i = 0; i < frame->boxes.n; i++)
        frame->boxes.at[i]->x += shift;
    for (int i = 0; i < frame->in.n; i++)
        frame->in.at[i].x += shift;
    for (int i = 0; i < frame->out.n; i++)
        frame->out.at[i].x += shift;
    for (int i = 0; i < frame->hops.n; i++) {
        for (int k = 0; k < frame->hops.at[i].n; k++)
            frame->hops.at[i].at[k].x += shift;
    }
}

/* Frames that have a row to themselves are all as wide as there is room. */
static void stretch_frames(Level *l)
{
    double least = INFINITY, most = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < l->n_rows; i++) {
            Thing *t = l->rows[i].things.n ? l->rows[i].things.at[0] : NULL;
            if (l->rows[i].things.n != 1 || !t->box || t->box->kind != BOX_FRAME)
                continue;
            const double cards = layout_cards(t->box);
            least = fmin(least, t->x);
            most = fmax(most, t->x + t->box->w + cards);
            if (pass == 0)
                continue;
            t->box->x = t->x;
            stretch(t->box, least, most - cards - least);
            t->x = least;
        }
    }
}

/* ---- heights ---- */

static int heading_of(const Box *frame)
{
    return frame->kind == BOX_FRAME ? HEADING : frame->kind == BOX_ARM ? CAPTION : 0;
}

/* A gap's height: labels of the layers above it, tracks, arrows. */
static double gap_height(Level *l, int i)
{
    Gap *gap = &l->gaps[i];
    bool arrows = false;
    choose_tracks(l, gap);
    for (int k = 0; k < gap->wires.n; k++) {
        const Crossing *c = &gap->wires.at[k];
        if (c->from->box && is_leaf(c->from->box) && c->wire->label)
            gap->label = LABEL;
        for (int t = 0; t < c->to.n; t++)
            arrows |= c->to.at[t]->box != NULL;
    }
    const bool outermost = i == 0 || i == l->n_rows - 2;
    const double least = l->frame->kind == BOX_ARM && outermost ? 2 : arrows ? ARROW : ARROW / 2;
    return gap->label + gap->tracks * LANE + least;
}

static void set_heights(Level *l)
{
    double y = heading_of(l->frame);
    for (int i = 0; i < l->n_rows; i++) {
        Row *row = &l->rows[i];
        for (int k = 0; k < row->things.n; k++) {
            const Box *box = row->things.at[k]->box;
            row->h = box ? fmax(row->h, box->h + layout_cards(box)) : row->h;
        }
        row->y = i == 0 ? 0 : y;
        y = i == 0 ? y : y + row->h;
        for (int k = 0; k < row->things.n; k++) {
            Thing *t = row->things.at[k];
            if (!t->box)
                continue;
            t->box->x = t->x;
            t->box->y = row->y + floor((row->h - t->box->h - layout_cards(t->box)) / 2);
        }
        if (i == l->n_rows - 1)
            break;
        l->gaps[i].y = y;
        y += gap_height(l, i);
    }
    l->frame->h = y;
}

/* ---- hops ---- */

static void add_hop(Level *l, const Crossing *c, const Gap *gap, const Thing *to)
{
    const Thing *from = c->from;
    const bool past = (!from->box && from->row > 0) || (!to->box && to->row < l->n_rows - 1);
    const bool joins =
        to->box && to->box->hue == HUE_JOIN && is_leaf(to->box) && align_primary(l, to) != c;
    Hop hop = {.wire = c->wire, .arrow = to->box && is_leaf(to->box), .skip = past || joins};
    const double x0 = align_out(from, c->wire), x1 = align_in(to, c->wire);
    const double y0 = from->box ? from->box->y + from->box->h : l->rows[from->row].y;
    const double y1 = to->box ? to->box->y : l->rows[to->row].y;
    const double track = gap->y + gap->label + (c->track + 0.5) * LANE;
    const double below = gap->y + gap->label + (c->below + 0.5) * LANE;
    bool round = false;
    for (int i = 0; i < gap->wires.n && c->below >= 0; i++)
        round |= &gap->wires.at[i] != c && comes_down(&gap->wires.at[i], x1);
    hop.at[hop.n++] = (Point){x0, y0};
    if (!near_by(x0, x1) && round) {
        const double beside = x1 + (x0 < x1 ? -LANE : LANE) / 2.0;
        hop.at[hop.n++] = (Point){x0, track};
        hop.at[hop.n++] = (Point){beside, track};
        hop.at[hop.n++] = (Point){beside, below};
        hop.at[hop.n++] = (Point){x1, below};
    } else if (!near_by(x0, x1)) {
        hop.at[hop.n++] = (Point){x0, track};
        hop.at[hop.n++] = (Point){x1, track};
    }
    hop.at[hop.n++] = (Point){near_by(x0, x1) ? x0 : x1, y1};
    VEC_PUSH(l->arena, &l->frame->hops, hop);
}

static void add_pins(Level *l, Pins *pins, const Row *row)
{
    pins->n = 0;
    for (int i = 0; i < row->things.n; i++) {
        const Thing *t = row->things.at[i];
        const Pin pin = {t->wire, t->x + t->w / 2};
        VEC_PUSH(l->arena, pins, pin);
    }
}

static double title_width(const Box *frame)
{
    if (frame->kind == BOX_ARM)
        return diagram_text_width(frame->title, 10);
    return diagram_text_width(frame->title, 12) + diagram_text_width(frame->detail, 10) +
           (frame->times > 1 ? 36 : 4);
}

/* Places a frame's title at its left, or after the wires that come in there.  Returns how wide the
 * frame must be for it. */
static double place_title(Level *l, double shift)
{
    Box *frame = l->frame;
    const Row *top = &l->rows[0];
    const bool arm = frame->kind == BOX_ARM;
    const double w = title_width(frame);
    double x = arm ? 0 : TITLE_X;
    bool in_the_way = false;
    if (frame->kind == BOX_COLUMN)
        return 0;
    for (int i = 0; i < top->things.n; i++) {
        const double wire = top->things.at[i]->x + top->things.at[i]->w / 2 + shift;
        in_the_way |= wire < x + w + 2;
        if (in_the_way)
            x = fmax(x, wire + (arm ? 5 : 8));
    }
    frame->title_x = x;
    return x + w + (arm ? 0 : TITLE_X);
}

/* Sets the frame's width to what its content and its title need. */
static void set_width(Level *l)
{
    Box *frame = l->frame;
    double least = INFINITY, most = 0;
    for (int i = 0; i < l->n_rows; i++) {
        for (int k = 0; k < l->rows[i].things.n; k++) {
            const Thing *t = l->rows[i].things.at[k];
            least = fmin(least, t->x);
            most = fmax(most, t->x + t->w);
        }
    }
    least = fmin(least, most);
    const double margin = frame->kind == BOX_FRAME ? MARGIN : 0;
    const double shift = margin - least;
    const double wide = place_title(l, shift);
    frame->w = 2 * ceil(fmax(most - least + 2 * margin, wide) / 2);
    for (int i = 0; i < l->n_rows; i++) {
        for (int k = 0; k < l->rows[i].things.n; k++)
            l->rows[i].things.at[k]->x += shift;
    }
}

void layout_level(const Diagram *diagram, Box *frame)
{
    Level l = layout_make(diagram, frame);
    align_things(&l);
    set_width(&l);
    stretch_frames(&l);
    set_heights(&l);
    frame->hops.n = 0;
    for (int i = 0; i < l.n_rows - 1; i++) {
        for (int k = 0; k < l.gaps[i].wires.n; k++) {
            const Crossing *c = &l.gaps[i].wires.at[k];
            for (int t = 0; t < c->to.n; t++)
                add_hop(&l, c, &l.gaps[i], c->to.at[t]);
        }
    }
    add_pins(&l, &frame->in, &l.rows[0]);
    add_pins(&l, &frame->out, &l.rows[l.n_rows - 1]);
}

void layout_tree(const Diagram *diagram, Box *box)
{
    if (is_leaf(box)) {
        size_leaf(diagram, box);
        return;
    }
    for (int i = 0; i < box->boxes.n; i++)
        layout_tree(diagram, box->boxes.at[i]);
    if (box->kind != BOX_PAGE)
        layout_level(diagram, box);
}

/* ---- all ---- */

/* Makes places relative to the page's corner instead of the parent's. */
static void settle(Box *box, double x, double y)
{
    box->x += x;
    box->y += y;
    for (int i = 0; i < box->boxes.n; i++)
        settle(box->boxes.at[i], box->x, box->y);
}

static void collect_hops(Arena *arena, const Box *box)
{
    for (int i = 0; i < box->hops.n; i++) {
        Hop hop = box->hops.at[i];
        for (int k = 0; k < hop.n; k++) {
            hop.at[k].x += box->x;
            hop.at[k].y += box->y;
        }
        VEC_PUSH(arena, &hop.wire->hops, hop);
    }
    for (int i = 0; i < box->boxes.n; i++)
        collect_hops(arena, box->boxes.at[i]);
}

void diagram_layout(Diagram *diagram)
{
    layout_tree(diagram, diagram->page);
    layout_columns(diagram);
    settle(diagram->page, 0, 0);
    collect_hops(diagram->arena, diagram->page);
}
