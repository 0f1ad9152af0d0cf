/* bands.c: see bands.h: the rows of a band, and the network by bands.
 *
 * In band b a node is a copy with fewer rows, which shares the parameters.  Of an operand that has
 * more rows than the copy reads, from outside the group or from a window that needs more, a crop
 * takes those that it does.  Padding stays only where the band ends with the image.  This is always
 * legal: each row of the last result is computed once, from the same numbers in the same way. */
#include "plan/bands.h"

#include "net/nametable.h"

#include <string.h>

/* Whether all windows, from the first to the last, see some row of the operand. */
static bool sees_rows(const Node *node)
{
    const Attrs *a = &node->attrs;
    return a->padding[0] < a->kernel[0] &&
           (node->type.h - 1) * a->stride[0] - a->padding[0] < node->in[0]->type.h;
}

bool is_by_rows(const Node *node)
{
    const Attrs *a = &node->attrs;
    switch (node->op) {
    case OP_CONV:
        return a->dilation[0] == 1 && a->dilation[1] == 1 && sees_rows(node);
    case OP_MAXPOOL:
    case OP_AVGPOOL:
        return !a->ceil_mode && sees_rows(node);
    case OP_LAYER_NORM:
    case OP_L2_NORM:
        return a->over == OVER_CHANNELS;
    case OP_NORMALIZE:
    case OP_CAST:
        return false; /* what reads the caller's input */
    case OP_CHANNEL_SHUFFLE:
        return true;
    default:
        return op_row(node->op)->flags & ELEMENTWISE && !(op_row(node->op)->flags & BACKWARD);
    }
}

BandRows band_reads(const Node *node, int slot, BandRows rows)
{
    const Attrs *a = &node->attrs;
    const int h = node->in[slot]->type.h;
    if (slot == 0 && op_row(node->op)->flags & WINDOW) {
        rows.lo = rows.lo * a->stride[0] - a->padding[0];
        rows.hi = (rows.hi - 1) * a->stride[0] - a->padding[0] + a->kernel[0];
    } else if (h < node->type.h) { /* one row, spread over all */
        return (BandRows){0, h};
    }
    return (BandRows){rows.lo > 0 ? rows.lo : 0, rows.hi < h ? rows.hi : h};
}

void band_rows(const Net *net, BandGroup group, int band, BandRows *rows)
{
    const int n = group.last - group.first + 1, h = net->nodes.at[group.last]->type.h;
    for (int i = 0; i < n; i++)
        rows[i] = (BandRows){0, 0};
    rows[n - 1] = (BandRows){(int)((int64_t)h * band / group.bands),
                             (int)((int64_t)h * (band + 1) / group.bands)};
    for (int i = n - 1; i >= 0; i--) {
        const Node *node = net->nodes.at[group.first + i];
        for (int k = 0; k < node->n_in; k++) {
            if (node->in[k]->id < group.first)
                continue;
            const BandRows reads = band_reads(node, k, rows[i]);
            BandRows *all = &rows[node->in[k]->id - group.first];
            const bool none = all->hi == 0;
            all->lo = none || reads.lo < all->lo ? reads.lo : all->lo;
            all->hi = reads.hi > all->hi ? reads.hi : all->hi;
        }
    }
}

const char *band_layer(const Node *node, Arena *arena)
{
    const char *end = strstr(node->name, ".band");
    for (const char *at = end; at; at = strstr(at + 1, ".band"))
        end = at; /* the last: a block may have that name, too */
    return end ? arena_strndup(arena, node->name, (size_t)(end - node->name)) : node->name;
}

/* ---- the network by bands ---- */

typedef struct Cutter {
    Net *net; /* the copy */
    Arena *arena;
    NameTable names;
    VEC(Node *) nodes; /* of the network by bands */
    int group, band;   /* at work, the group counted from 1 */
    int first_crop;    /* the first node of this band */
    /* Of the group at work, by id - group.first: */
    BandRows *rows; /* of this band */
    Node **made;    /* in this band */
    Node **begun;   /* in the first band */
} Cutter;

/* A name like `wanted` that no node has. */
static const char *new_name(Cutter *c, const char *wanted)
{
    const char *name = wanted;
    for (int i = 2; !table_add(&c->names, name, NO_LOC); i++)
        name = arena_printf(c->arena, "%s.%d", wanted, i);
    return name;
}

/* Rows of `operand`, whose row 0 is row `first`; a crop of it, unless these are all. */
static Node *cut_rows(Cutter *c, Node *operand, int first, BandRows rows)
{
    const BandRows cut = {rows.lo - first, rows.hi - first};
    const int h = operand->type.h;
    if (cut.lo == 0 && cut.hi == h)
        return operand;
    for (int i = c->first_crop; i < c->nodes.n; i++) { /* the same rows for another reader */
        Node *crop = c->nodes.at[i];
        if (crop->op == OP_CROP && crop->in[0] == operand && crop->attrs.padding[0] == cut.lo &&
            crop->attrs.padding[2] == h - cut.hi)
            return crop;
    }
    Attrs attrs = ir_default_attrs(OP_CROP);
    attrs.padding[0] = cut.lo;
    attrs.padding[2] = h - cut.hi;
    const char *name = arena_printf(c->arena, "%s.rows%d_%d", operand->name, rows.lo, rows.hi - 1);
    Node *crop = ir_node(c->arena, OP_CROP, &operand, 1, &attrs, new_name(c, name), operand->place);
    crop->type = operand->type;
    crop->type.h = cut.hi - cut.lo;
    crop->band_group = c->group, crop->band = c->band;
    VEC_PUSH(c->arena, &c->nodes, crop);
    return crop;
}

/* Leaves the padding above and below an operand that the windows of some rows reach. */
static void cut_padding(const Node *node, BandRows rows, Attrs *attrs)
{
    const int above = rows.lo * attrs->stride[0] - attrs->padding[0];
    const int below = (rows.hi - 1) * attrs->stride[0] - attrs->padding[0] + attrs->kernel[0];
    const int h = node->in[0]->type.h;
    attrs->padding[0] = above < 0 ? -above : 0;
    attrs->padding[2] = below > h ? below - h : 0;
}

static void add_banded(Cutter *c, BandGroup group, const Node *node)
{
    const int at = node->id - group.first;
    Node *made = NEW(c->arena, Node);
    *made = *node;
    made->in = NEW_ARRAY(c->arena, Node *, node->n_in);
    made->name = new_name(c, arena_printf(c->arena, "%s.band%d", node->name, c->band));
    made->type.h = c->rows[at].hi - c->rows[at].lo;
    made->first_row = c->rows[at].lo;
    made->band_group = c->group, made->band = c->band;
    made->band_of = c->band ? c->begun[at] : NULL;
    if (op_row(node->op)->flags & WINDOW)
        cut_padding(node, c->rows[at], &made->attrs);
    for (int i = 0; i < node->n_in; i++) {
        const int in = node->in[i]->id - group.first;
        const BandRows reads = band_reads(node, i, c->rows[at]);
        made->in[i] = in < 0 ? cut_rows(c, node->in[i], 0, reads)
                             : cut_rows(c, c->made[in], c->rows[in].lo, reads);
    }
    c->made[at] = made;
    if (c->band == 0)
        c->begun[at] = made;
    VEC_PUSH(c->arena, &c->nodes, made);
}

/* Makes the last node of the group, to which those after it refer, the stack of its bands. */
static void cut_group(Cutter *c, BandGroup group)
{
    const int n = group.last - group.first + 1;
    Node **parts = NEW_ARRAY(c->arena, Node *, group.bands);
    c->rows = NEW_ARRAY(c->arena, BandRows, n);
    c->made = NEW_ARRAY(c->arena, Node *, n);
    c->begun = NEW_ARRAY(c->arena, Node *, n);
    c->group++;
    for (c->band = 0; c->band < group.bands; c->band++) {
        c->first_crop = c->nodes.n;
        band_rows(c->net, group, c->band, c->rows);
        for (int i = group.first; i <= group.last; i++)
            add_banded(c, group, c->net->nodes.at[i]);
        parts[c->band] = c->made[n - 1];
    }
    Node *last = c->net->nodes.at[group.last];
    const Attrs none = ir_default_attrs(OP_STACK);
    Node *stack = ir_node(c->arena, OP_STACK, parts, group.bands, &none, last->name, last->place);
    stack->type = last->type;
    stack->id = last->id;
    stack->origin = last->origin;
    *last = *stack;
    VEC_PUSH(c->arena, &c->nodes, last);
}

Net *bands_cut(const Net *net, const BandGroups *groups, Arena *arena)
{
    Cutter c = {.net = ir_copy(net, arena), .arena = arena, .names = {.arena = arena}};
    for (int i = 0; i < net->nodes.n; i++)
        table_add(&c.names, net->nodes.at[i]->name, NO_LOC);
    for (int i = 0, g = 0; i < net->nodes.n; i++) {
        if (g == groups->n || i < groups->at[g].first) {
            VEC_PUSH(arena, &c.nodes, c.net->nodes.at[i]);
            continue;
        }
        cut_group(&c, groups->at[g]);
        i = groups->at[g++].last;
    }
    c.net->nodes.n = 0;
    for (int i = 0; i < c.nodes.n; i++)
        VEC_PUSH(arena, &c.net->nodes, c.nodes.at[i]);
    ir_renumber(c.net);
    return c.net;
}
