/* diagram_parts.h: what the files that lay a diagram out share; private to them. */
#ifndef RNC_DIAGRAM_PARTS_H
#define RNC_DIAGRAM_PARTS_H

#include "view/diagram.h"

enum {
    LANE = 8,     /* between wires side by side */
    SPACE = 18,   /* between boxes side by side */
    MARGIN = 12,  /* inside a frame, at its sides */
    HEADING = 24, /* height of a frame's title */
    TITLE_X = 10, /* distance of a title from the frame's left side */
    CAPTION = 15, /* height of an arm's name */
    LABEL = 14,   /* a line of a label */
    ARROW = 12,   /* what an arrow and its bend need */
};

/* A thing in a row of a frame: a box, or a wire that passes by (its box is NULL). */
typedef struct Thing {
    Box *box;
    Wire *wire;
    int row;
    int place;     /* in the row, from the left */
    int serial;    /* in the level */
    double x, w;   /* its left side; with what is kept free on both sides of a box */
    double wants;  /* the x that would be best */
    double weight; /* the weight of that wish */
} Thing;

/* A wire between two rows; if possible it leads straight to to[0]. */
typedef struct Crossing {
    Wire *wire;
    Thing *from;
    VEC(Thing *) to;
    double least, most; /* the x that it spans */
    int track;          /* on which it goes across; -1: straight down */
    int below;          /* a second track, to get round wires that it could not be below; or -1 */
} Crossing;

typedef struct Row {
    VEC(Thing *) things;
    double y, h;
} Row;

typedef struct Gap {
    VEC(Crossing) wires;
    int tracks;
    double y, label; /* where it begins; room for labels above the tracks */
} Gap;

/* A frame whose boxes have their sizes.  rows[0] holds the wires that come in at the top and
 * rows[n_rows - 1] those that leave at the bottom; gaps[i] is below rows[i]. */
typedef struct Level {
    Arena *arena;
    const Diagram *diagram;
    Box *frame;
    Row *rows;
    Gap *gaps;
    int n_rows;
} Level;

/* rows.c.  layout_make() makes the rows of a frame whose boxes have their sizes and pins; nothing
 * is placed yet.  layout_rows() makes only the rows of its boxes and returns how many there are.
 * layout_child() finds the box of `frame` that `box` is or is inside, or NULL.  layout_cards() is
 * how much of the cards behind a frame that is drawn for several shows at the right and below.
 */
Level layout_make(const Diagram *diagram, Box *frame);
int layout_rows(Box *frame);
Box *layout_child(const Box *frame, Box *box);
double layout_cards(const Box *box);

/* layout.c: lays out everything in `box`, inner frames first, or one frame alone: places, hops,
 * its size and pins. */
void layout_tree(const Diagram *diagram, Box *box);
void layout_level(const Diagram *diagram, Box *frame);

/* align.c: the order of things in rows, and their x. */
void align_things(Level *level);
/* The x at which a wire leaves or enters a thing. */
double align_out(const Thing *thing, const Wire *wire);
double align_in(const Thing *thing, const Wire *wire);
/* The wire that a box should be below: that of the first operand that is a box. */
const Crossing *align_primary(const Level *level, const Thing *thing);

/* columns.c: the page in columns, wires between them. */
void layout_columns(Diagram *diagram);

#endif
