/* diagram.c: which boxes, frames and wires a network is drawn with. */
#include "view/diagram.h"
#include "net/describe.h"
#include "net/figures.h"

#include <string.h>

/* In UTF-8. */
#define TIMES " \xc3\x97 "
#define ELLIPSIS "\xe2\x80\xa6"

typedef struct Drafter {
    const Net *net;
    const SrcMap *src;
    Arena *arena;
    bool expand;
    Diagram *diagram;
    Box **boxes;          /* by node */
    int *uses;            /* by node: operand slots and ports */
    bool *drawn;          /* by node: its own box is drawn, not that of a node that is alike */
    const Node **owns;    /* by box: the last of its nodes */
    const Node **results; /* by box: likewise in the last of the groups that are alike */
} Drafter;

/* ---- boxes ---- */

const char *hue_name(Hue hue)
{
    static const char *const names[HUES] = {
        [HUE_END] = "input, output", [HUE_CONV] = "convolution", [HUE_DEPTHWISE] = "depthwise",
        [HUE_DENSE] = "dense",       [HUE_POOL] = "pooling",     [HUE_POINTWISE] = "elementwise",
        [HUE_JOIN] = "join",         [HUE_MOVE] = "reshaping",
    };
    return names[hue];
}

static Hue hue_of(const Node *node)
{
    const int flags = op_row(node->op)->flags;
    switch (node->op) {
    case OP_INPUT:
        return HUE_END;
    case OP_CONV:
    case OP_CONV_TRANSPOSE:
        return node->attrs.groups > 1 && node->attrs.groups == node->in[0]->type.c ? HUE_DEPTHWISE
                                                                                   : HUE_CONV;
    case OP_DENSE:
        return HUE_DENSE;
    case OP_MAXPOOL:
    case OP_AVGPOOL:
        return HUE_POOL;
    case OP_SOFTMAX:
        return HUE_POINTWISE;
    default:
        return flags & JOIN ? HUE_JOIN : flags & ELEMENTWISE ? HUE_POINTWISE : HUE_MOVE;
    }
}

/* Whether the operator is written into the box of its producer. */
static bool goes_along(Op op)
{
    const int flags = op_row(op)->flags;
    return ((flags & ELEMENTWISE) && !(flags & JOIN)) || op == OP_SOFTMAX || op == OP_FLATTEN;
}

static Box *new_box(Drafter *f, Box *parent, BoxKind kind)
{
    Box *box = NEW(f->arena, Box);
    box->kind = kind;
    box->parent = parent;
    box->times = 1;
    box->title = box->detail = box->tip = "";
    if (parent)
        VEC_PUSH(f->arena, &parent->boxes, box);
    if (kind == BOX_LAYER || kind == BOX_END) {
        box->id = f->diagram->leaves.n;
        VEC_PUSH(f->arena, &f->diagram->leaves, box);
    }
    return box;
}

/* "conv 3x3 /2, 128" */
static const char *title_of(Drafter *f, const Node *node)
{
    Node bare = *node;
    bare.act = ACT_NONE;
    const char *kind = describe_kind(f->arena, &bare);
    if (node->op == OP_INPUT)
        return node->name;
    if (node->op == OP_CONV || node->op == OP_DENSE)
        return arena_printf(f->arena, "%s, %d", kind, node->attrs.filters);
    return kind;
}

/* A line with what the nodes first..last hold and cost. */
static const char *figures(Drafter *f, int first, int last)
{
    const int64_t macs = nodes_macs(f->net, first, last);
    const int64_t trained = nodes_parameters(f->net, first, last, true);
    Buf out = buf_new(f->arena);
    if (trained)
        buf_printf(&out, "\n%s parameters", describe_number(f->arena, trained));
    if (macs)
        buf_printf(&out, "%s%s", trained ? ", " : "\n", figure_count(f->arena, macs, "MAC"));
    return buf_text(&out);
}

static const char *line_of(Drafter *f, const Place *place)
{
    const char *line = describe_line(f->arena, f->src, place);
    return line ? arena_printf(f->arena, "\n%s", line) : "";
}

/* Adds a node to a box, which may have some already. */
static void add_node(Drafter *f, Box *box, const Node *node, bool first)
{
    f->boxes[node->id] = box;
    f->owns[box->id] = f->results[box->id] = node;
    f->drawn[node->id] = true;
    box->nodes++;
    if (first) {
        box->hue = hue_of(node);
        box->title = title_of(f, node);
        /* What passes have fused into it. */
        const bool residual = (node->op == OP_CONV || node->op == OP_DENSE) && node->n_in == 2;
        box->detail = arena_printf(f->arena, "%s%s%s", residual ? "add" : "",
                                   residual && node->act ? ", " : "", act_name(node->act));
    } else {
        box->detail = *box->detail
                          ? arena_printf(f->arena, "%s, %s", box->detail, op_row(node->op)->name)
                          : op_row(node->op)->name;
    }
    box->tip =
        arena_printf(f->arena, "%s%s%s: %s, %s%s%s", box->tip, first ? "" : "\n", node->name,
                     describe_kind(f->arena, node), describe_type(f->arena, node->type, " x "),
                     figures(f, node->id, node->id), line_of(f, node->place));
}

/* The box before a node, if the node can be written into it.  Of a longer chain the texts would be
 * too wide. */
static Box *taker(const Drafter *f, const Box *parent, const Node *node)
{
    enum { NODES_MOST = 12 };
    if (node->n_in != 1 || !goes_along(node->op) || f->uses[node->in[0]->id] != 1)
        return NULL;
    Box *box = f->boxes[node->in[0]->id];
    return box && box->parent == parent && box->kind == BOX_LAYER && box->nodes < NODES_MOST ? box
                                                                                             : NULL;
}

/* ---- frames ---- */

/* The drawn one of groups alike stands for another one. */
static void stand_for(Drafter *f, const Group *drawn, const Group *other)
{
    for (int i = 0; i <= drawn->last - drawn->first; i++) {
        Box *box = f->boxes[drawn->first + i];
        f->boxes[other->first + i] = box;
        if (f->results[box->id] == f->net->nodes.at[drawn->first + i])
            f->results[box->id] = f->net->nodes.at[other->first + i];
    }
}

static const char *frame_title(Drafter *f, const Group *first, const Group *last)
{
    Buf out = buf_new(f->arena);
    buf_puts(&out, first->path);
    if (last != first)
        buf_printf(&out, " .. %s", last->name);
    return buf_text(&out);
}

static bool is_wrapper(const Group *g)
{
    return g->items.n == 1 && g->items.at[0].group;
}

static void add_items(Drafter *f, Box *parent, const Group *g);

static void add_group(Drafter *f, Box *parent, const Group *g, const Group *last)
{
    const bool arm = g->parent && outline_is_arm(f->net, g);
    Box *box = new_box(f, parent, arm ? BOX_ARM : BOX_FRAME);
    const Group *in = g;
    while (!in->block && is_wrapper(in))
        in = in->items.at[0].group;
    box->title = arm ? g->name : frame_title(f, g, last);
    box->detail = in->block ? in->block : "";
    box->times = last == g ? 1 : g->alike;
    box->tip = arena_printf(f->arena, "%s%s%s%s%s", frame_title(f, g, last),
                            *box->detail ? ": " : "", box->detail, figures(f, g->first, last->last),
                            line_of(f, in->block ? in->call : f->net->nodes.at[g->first]->place));
    add_items(f, box, g);
}

static void add_items(Drafter *f, Box *parent, const Group *g)
{
    /* A group that is the whole content of another one needs no frame. */
    if (g->parent && is_wrapper(g)) {
        add_items(f, parent, g->items.at[0].group);
        return;
    }
    for (int i = 0; i < g->items.n; i++) {
        const Item item = g->items.at[i];
        if (item.node) {
            Box *box = taker(f, parent, item.node);
            const bool end = item.node->op == OP_INPUT;
            add_node(f, box ? box : new_box(f, parent, end ? BOX_END : BOX_LAYER), item.node, !box);
        } else if (f->expand) {
            add_group(f, parent, item.group, item.group);
        } else if (item.group->alike) {
            add_group(f, parent, item.group, outline_last_alike(g, i));
            for (int k = 1; k < item.group->alike; k++)
                stand_for(f, k == 1 ? item.group : g->items.at[i + k - 1].group,
                          g->items.at[i + k].group);
        }
    }
}

/* ---- wires ---- */

static void connect(Drafter *f, Box *from, Box *to)
{
    if (!from->wire) {
        from->wire = NEW(f->arena, Wire);
        from->wire->id = f->diagram->wires.n;
        from->wire->from = from;
        VEC_PUSH(f->arena, &f->diagram->wires, from->wire);
    }
    for (int i = 0; i < from->wire->to.n; i++) {
        if (from->wire->to.at[i] == to)
            return;
    }
    const Pin pin = {from->wire, 0};
    VEC_PUSH(f->arena, &from->wire->to, to);
    VEC_PUSH(f->arena, &to->in, pin);
}

/* A result's extents, if they differ from those of the box's first operand. */
static const char *label_of(Drafter *f, const Box *box)
{
    const Node *own = f->owns[box->id], *last = f->results[box->id], *first = own;
    while (first->n_in && f->boxes[first->in[0]->id] == box)
        first = first->in[0];
    if (first->n_in && type_eq(first->in[0]->type, own->type) && type_eq(own->type, last->type))
        return NULL;
    if (type_eq(own->type, last->type))
        return describe_type(f->arena, own->type, TIMES);
    /* Alike, but for their channels. */
    const Type t = last->type;
    Buf out = buf_new(f->arena);
    if (t.n > 1)
        buf_printf(&out, "%d" TIMES, t.n);
    buf_printf(&out, "%d " ELLIPSIS " %d", own->type.c, t.c);
    if (t.h > 1 || t.w > 1)
        buf_printf(&out, TIMES "%d" TIMES "%d", t.h, t.w);
    return buf_text(&out);
}

static void add_wires(Drafter *f)
{
    for (int i = 0; i < f->net->nodes.n; i++) {
        const Node *node = f->net->nodes.at[i];
        for (int k = 0; f->drawn[i] && k < node->n_in; k++) {
            Box *from = f->boxes[node->in[k]->id];
            if (from != f->boxes[i])
                connect(f, from, f->boxes[i]);
        }
    }
}

static void add_outputs(Drafter *f)
{
    for (int i = 0; i < f->net->outputs.n; i++) {
        const Port *port = &f->net->outputs.at[i];
        Box *box = new_box(f, f->diagram->page, BOX_END);
        const char *line = describe_line(f->arena, f->src, port->place);
        box->title = port->name;
        box->tip = arena_printf(f->arena, "%s: output, %s%s%s", port->name,
                                describe_type(f->arena, port->node->type, " x "), line ? "\n" : "",
                                line ? line : "");
        connect(f, f->boxes[port->node->id], box);
    }
}

Diagram *diagram_make(const Net *net, const SrcMap *src, bool expand, Arena *arena)
{
    const int n = net->nodes.n;
    Drafter f = {.net = net, .src = src, .arena = arena, .expand = expand};
    f.diagram = NEW(arena, Diagram);
    f.diagram->arena = arena;
    f.boxes = NEW_ARRAY(arena, Box *, n + 1);
    f.uses = NEW_ARRAY(arena, int, n + 1);
    f.drawn = NEW_ARRAY(arena, bool, n + 1);
    f.owns = NEW_ARRAY(arena, const Node *, n + net->outputs.n + 1);
    f.results = NEW_ARRAY(arena, const Node *, n + net->outputs.n + 1);
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < net->nodes.at[i]->n_in; k++)
            f.uses[net->nodes.at[i]->in[k]->id]++;
    }
    for (int i = 0; i < net->outputs.n; i++)
        f.uses[net->outputs.at[i].node->id] += 2; /* its result is wanted as it is */
    f.diagram->title = net->name;
    f.diagram->subtitle = arena_printf(arena, "%s, %s, %s an image", figure_layers(arena, net),
                                       figure_count(arena, net_parameters(net), " parameters"),
                                       figure_count(arena, net_macs(net), "MAC"));
    f.diagram->page = new_box(&f, NULL, BOX_PAGE);
    add_items(&f, f.diagram->page, outline_make(net, src, arena));
    add_outputs(&f);
    add_wires(&f);
    for (int i = 0; i < f.diagram->wires.n; i++)
        f.diagram->wires.at[i]->label = label_of(&f, f.diagram->wires.at[i]->from);
    return f.diagram;
}

bool diagram_within(const Box *box, const Box *frame)
{
    for (; box && box != frame; box = box->parent)
        ;
    return box;
}
