/* diagram.h: a network as boxes, frames around them and wires between them.
 *
 * A box is a layer together with what is applied only to its result ("conv 3x3, 64" and below it
 * "bn, relu"), or an end of the network.  Frames are the groups of the outline.  The first of
 * several groups that are alike is drawn for all of them, unless `expand` is set.  A wire is a
 * box's result with all boxes that read it.
 *
 * diagram_make() decides what is drawn, layout.c and columns.c decide where, and svg.c and dot.c
 * print it.  Lengths are in pixels, y grows downwards. */
#ifndef RNC_DIAGRAM_H
#define RNC_DIAGRAM_H

#include "base/str.h"
#include "net/ir.h"
#include "net/outline.h"

typedef enum BoxKind {
    BOX_LAYER,
    BOX_END,    /* an input or output of the network */
    BOX_FRAME,  /* a stage or block */
    BOX_ARM,    /* a group that only a join reads: a frame without a border */
    BOX_COLUMN, /* of the page */
    BOX_PAGE,
} BoxKind;

/* What kind of operator, for the eye. */
typedef enum Hue {
    HUE_END,
    HUE_CONV,
    HUE_DEPTHWISE,
    HUE_DENSE,
    HUE_POOL,
    HUE_POINTWISE, /* each element by itself */
    HUE_JOIN,
    HUE_MOVE, /* what only moves elements */
    HUES
} Hue;

/* The offset between a frame that is drawn for several and the card behind it. */
enum { CARD = 4 };

typedef struct Box Box;
typedef struct Wire Wire;

typedef struct Point {
    double x, y;
} Point;

/* A piece of a wire: down, across, down (and between columns up, across, down again). */
typedef struct Hop {
    Wire *wire;
    Point at[6];
    int n;
    bool arrow; /* it ends at a layer or an end */
    bool skip;  /* it passes by layers, or is what a join adds to its first operand */
} Hop;
typedef VEC(Hop) Hops;

/* Where a wire enters or leaves a box: `x` from its left side. */
typedef struct Pin {
    Wire *wire;
    double x;
} Pin;
typedef VEC(Pin) Pins;

struct Box {
    BoxKind kind;
    Hue hue;
    int id; /* of layers and ends: in Diagram.leaves, in order of execution */
    Box *parent;
    VEC(Box *) boxes; /* of a frame, in order of execution */
    const char *title, *detail;
    int nodes;       /* of a layer: that are written into it */
    const char *tip; /* a tooltip: names, figures, the line of the .net */
    int times;       /* this many groups that are alike are drawn as this one */
    Wire *wire;      /* what leaves a layer, or NULL */
    Pins in, out;    /* of a layer `in` is in the order of its operands */
    /* the layout */
    double x, y, w, h; /* (x, y) from the parent's corner, in the end from the page's */
    int row;           /* in the parent; of a column: its number */
    int place;         /* in the parent's boxes */
    double title_x;    /* of a frame: where its title begins, from its left side */
    Hops hops;         /* of a frame: between its boxes, from its corner */
};

struct Wire {
    int id;
    Box *from;
    VEC(Box *) to;
    const char *label; /* the result's extents, if they are not the operand's; or NULL */
    Hops hops;         /* from the page's corner, when the layout is done */
};

typedef struct Diagram {
    Arena *arena;
    const char *title, *subtitle;
    Box *page;
    VEC(Box *) leaves;
    VEC(Wire *) wires;
    double w, h;
} Diagram;

/* `expand`: groups that are alike are drawn one by one.  `src` may be NULL. */
Diagram *diagram_make(const Net *net, const SrcMap *src, bool expand, Arena *arena);
/* Whether `box` is `frame` or is inside it. */
bool diagram_within(const Box *box, const Box *frame);

/* layout.c, columns.c: sizes, places, hops. */
void diagram_layout(Diagram *diagram);

/* The width of a text in pixels, estimated generously, since only the viewer has the font. */
double diagram_text_width(const char *text, double size);

/* svg.c, dot.c */
void svg_print(Buf *out, const Diagram *diagram);
void dot_print(Buf *out, const Diagram *diagram);
/* The hue's word for legends: "convolution". */
const char *hue_name(Hue hue);

#endif
