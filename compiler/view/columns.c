/* columns.c: the page: the network from top to bottom in columns, side by side.
 *
 * A piece is what can be in a column by itself: a row of the page, or of a stage, which may
 * continue in the next column.  Columns are filled one after the other up to a height; the height
 * is chosen for which the page is nearest to a good shape. */
#include "view/diagram_parts.h"

#include <math.h>

enum { PAGE_MARGIN = 24, TITLE = 56, GUTTER = 36, COLUMNS_MOST = 48 };

typedef struct Piece {
    int row;      /* of the page */
    Box *stage;   /* whose row it is, or NULL: a row of the page as it is */
    int part;     /* row of the stage */
    double w, h;  /* size with the gap below */
    double whole; /* for the first piece of a stage: the height of the whole stage */
} Piece;

/* The boxes of a frame by row: those of row r are at[first[r]] to at[first[r + 1] - 1], in the
 * frame's order. */
typedef struct ByRow {
    Box **at;
    int *first, rows;
} ByRow;

typedef struct Page {
    Arena *arena;
    Diagram *diagram;
    ByRow by_row; /* the page's boxes */
    VEC(Piece) pieces;
    int *columns; /* by piece */
} Page;

/* ---- pieces ---- */

static ByRow by_row(const Box *frame, Arena *arena)
{
    ByRow r = {NEW_ARRAY(arena, Box *, frame->boxes.n + 1), NULL, 0};
    for (int i = 0; i < frame->boxes.n; i++)
        r.rows = frame->boxes.at[i]->row >= r.rows ? frame->boxes.at[i]->row + 1 : r.rows;
    r.first = NEW_ARRAY(arena, int, r.rows + 2);
    for (int i = 0; i < frame->boxes.n; i++)
        r.first[frame->boxes.at[i]->row + 2]++;
    for (int i = 2; i <= r.rows + 1; i++)
        r.first[i] += r.first[i - 1];
    for (int i = 0; i < frame->boxes.n; i++) /* first[row + 1] counts up to where the row ends */
        r.at[r.first[frame->boxes.at[i]->row + 1]++] = frame->boxes.at[i];
    return r;
}

static double stage_row_y(const Box *stage, const ByRow *rows, int row)
{
    double y = stage->h;
    for (int i = rows->first[row]; i < rows->first[row + 1]; i++)
        y = fmin(y, rows->at[i]->y);
    return y;
}

static void add_stage(Page *p, Box *stage, int row)
{
    const ByRow rows = by_row(stage, p->arena);
    for (int i = 0; i < rows.rows; i++) {
        const double y = stage_row_y(stage, &rows, i);
        const double next = i + 1 < rows.rows ? stage_row_y(stage, &rows, i + 1) : stage->h;
        const Piece piece = {row, stage, i, stage->w, next - y, i == 0 ? stage->h + ARROW : 0};
        VEC_PUSH(p->arena, &p->pieces, piece);
    }
}

static void find_pieces(Page *p)
{
    layout_rows(p->diagram->page);
    p->by_row = by_row(p->diagram->page, p->arena);
    for (int r = 0; r < p->by_row.rows; r++) {
        Box *only = NULL;
        int n = 0;
        Piece piece = {.row = r};
        for (int i = p->by_row.first[r]; i < p->by_row.first[r + 1]; i++) {
            Box *box = p->by_row.at[i];
            only = box;
            n++;
            piece.h = fmax(piece.h, box->h + ARROW + LABEL / 2.0);
            piece.w += box->w + (n > 1 ? SPACE : 0);
        }
        if (n == 1 && only->kind == BOX_FRAME)
            add_stage(p, only, r);
        else
            VEC_PUSH(p->arena, &p->pieces, piece);
    }
}

/* ---- columns ---- */

/* Fills columns up to a height; returns how many, and the page's size. */
static int fill(const Page *p, double height, double *w, double *h)
{
    int column = 0;
    double used = 0, widest = 0;
    *w = *h = 0;
    for (int i = 0; i < p->pieces.n; i++) {
        const Piece *piece = &p->pieces.at[i];
        /* A stage that fits into a column is not split; one that must be split continues under
         * another heading. */
        const bool whole = piece->whole > 0 && piece->whole <= height;
        const double need = whole ? piece->whole : piece->h;
        if (used > 0 && used + need > height) {
            column++;
            *w += widest + GUTTER;
            used = widest = 0;
        }
        if (piece->stage && (used == 0 || piece->part == 0))
            used += HEADING + ARROW;
        used += piece->h;
        widest = fmax(widest, piece->w);
        *h = fmax(*h, used);
        p->columns[i] = column;
    }
    *w += widest;
    return column + 1;
}

/* The least height that makes at most n columns. */
static double height_for(const Page *p, int n)
{
    double low = 0, high = 0, w, h;
    for (int i = 0; i < p->pieces.n; i++)
        high += p->pieces.at[i].h + HEADING + ARROW;
    for (int i = 0; i < 24; i++) {
        const double middle = (low + high) / 2;
        if (fill(p, middle, &w, &h) <= n)
            high = middle;
        else
            low = middle;
    }
    return high;
}

static int choose_columns(const Page *p)
{
    const double shape = 1.5; /* width to height */
    double best = INFINITY, chosen = 0, w, h;
    for (int n = 1; n <= COLUMNS_MOST && n <= p->pieces.n; n++) {
        const double height = height_for(p, n);
        fill(p, height, &w, &h);
        const double off = fabs(log((w + 2 * PAGE_MARGIN) / (h + TITLE) / shape));
        if (off < best) {
            best = off;
            chosen = height;
        }
    }
    return p->pieces.n ? fill(p, chosen, &w, &h) : 0;
}

/* ---- boxes of columns ---- */

static void move(Arena *arena, Box *box, Box *to)
{
    box->parent = to;
    VEC_PUSH(arena, &to->boxes, box);
}

/* Makes a separate frame of the boxes in the stage's rows first..last. */
static Box *part_of_stage(const Page *p, Box *stage, int first, int last)
{
    Box *part = NEW(p->arena, Box);
    *part = *stage;
    part->boxes.n = part->boxes.cap = 0;
    part->hops.n = part->hops.cap = 0;
    part->in.n = part->in.cap = part->out.n = part->out.cap = 0;
    if (first > 0)
        part->title = arena_printf(p->arena, "%s, continued", stage->title);
    for (int i = 0; i < stage->boxes.n; i++) {
        if (stage->boxes.at[i]->row >= first && stage->boxes.at[i]->row <= last)
            move(p->arena, stage->boxes.at[i], part);
    }
    return part;
}

static void fill_column(const Page *p, Box *column)
{
    for (int i = 0; i < p->pieces.n; i++) {
        const Piece *piece = &p->pieces.at[i];
        if (p->columns[i] != column->row)
            continue;
        int last = i;
        while (piece->stage && last + 1 < p->pieces.n &&
               p->pieces.at[last + 1].stage == piece->stage && p->columns[last + 1] == column->row)
            last++;
        const bool split =
            piece->stage && (piece->part > 0 || (last + 1 < p->pieces.n &&
                                                 p->pieces.at[last + 1].stage == piece->stage));
        const int *first = &p->by_row.first[piece->row];
        for (int k = first[0]; !split && k < first[1]; k++)
            move(p->arena, p->by_row.at[k], column);
        if (split)
            move(p->arena, part_of_stage(p, piece->stage, piece->part, p->pieces.at[last].part),
                 column);
        i = last;
    }
}

/* ---- wires between columns ---- */

/* Leads wires down from one column, up again in the gutter, and down into the next column. */
static void add_links(const Page *p, Box *page, const Box *from, const Box *to, double gutter)
{
    const int n = from->out.n;
    for (int i = 0; i < n; i++) {
        const Pin *out = &from->out.at[n - 1 - i]; /* from the right: the innermost lane */
        const Pin *in = NULL;
        for (int k = 0; k < to->in.n; k++)
            in = to->in.at[k].wire == out->wire ? &to->in.at[k] : in;
        if (!in)
            continue;
        const double lane = gutter + GUTTER / 2.0 + i * LANE;
        const double down = from->y + from->h + (i + 0.5) * LANE;
        const double up = to->y - ARROW / 2.0 - (i + 0.5) * LANE;
        Hop hop = {.wire = out->wire, .n = 6};
        hop.at[0] = (Point){from->x + out->x, from->y + from->h};
        hop.at[1] = (Point){from->x + out->x, down};
        hop.at[2] = (Point){lane, down};
        hop.at[3] = (Point){lane, up};
        hop.at[4] = (Point){to->x + in->x, up};
        hop.at[5] = (Point){to->x + in->x, to->y};
        VEC_PUSH(p->arena, &page->hops, hop);
    }
}

static void place_columns(const Page *p)
{
    Diagram *d = p->diagram;
    Box *page = d->page;
    double x = PAGE_MARGIN, bottom = 0;
    int most = 0;
    for (int i = 0; i + 1 < page->boxes.n; i++)
        most = page->boxes.at[i]->out.n > most ? page->boxes.at[i]->out.n : most;
    for (int i = 0; i < page->boxes.n; i++) {
        Box *column = page->boxes.at[i];
        const int links = i + 1 < page->boxes.n ? column->out.n : 0;
        column->x = x;
        column->y = TITLE + most * LANE;
        x += column->w + (i + 1 < page->boxes.n ? GUTTER + links * LANE : 0);
        bottom = fmax(bottom, column->y + column->h + links * LANE);
    }
    for (int i = 0; i + 1 < page->boxes.n; i++) {
        const Box *from = page->boxes.at[i];
        add_links(p, page, from, page->boxes.at[i + 1], from->x + from->w);
    }
    d->w = page->w = ceil(x + PAGE_MARGIN);
    d->h = page->h = ceil(bottom + PAGE_MARGIN / 2.0);
}

void layout_columns(Diagram *diagram)
{
    Box *page = diagram->page;
    Page p = {.arena = diagram->arena, .diagram = diagram};
    find_pieces(&p);
    p.columns = NEW_ARRAY(p.arena, int, p.pieces.n + 1);
    const int n = choose_columns(&p);
    page->boxes.n = page->boxes.cap = 0;
    page->boxes.at = NULL;
    for (int i = 0; i < n; i++) {
        Box *column = NEW(p.arena, Box);
        column->kind = BOX_COLUMN;
        column->title = column->detail = column->tip = "";
        column->times = 1;
        column->row = i;
        fill_column(&p, column);
        move(p.arena, column, page);
    }
    /* All boxes are in their columns now, so it is known what leaves a column. */
    for (int i = 0; i < n; i++) {
        Box *column = page->boxes.at[i];
        for (int k = 0; k < column->boxes.n; k++) {
            if (column->boxes.at[k]->kind == BOX_FRAME)
                layout_level(diagram, column->boxes.at[k]);
        }
        layout_level(diagram, column);
    }
    place_columns(&p);
}
