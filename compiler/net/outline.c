/* outline.c: a network as the tree that its layers' paths make. */
#include "net/outline.h"
#include "base/str.h"

#include <ctype.h>
#include <string.h>

typedef struct Outliner {
    const Net *net;
    const SrcMap *src;
    Arena *arena;
    int *last_use; /* by node: the last node that reads it; INT_MAX: an output */
} Outliner;

/* ---- calls of blocks ---- */

static int calls_deep(const Place *call)
{
    int n = 0;
    for (; call; call = call->caller)
        n++;
    return n;
}

/* The innermost call that both come from. */
static const Place *common_call(const Place *a, const Place *b)
{
    int na = calls_deep(a), nb = calls_deep(b);
    for (; na > nb; na--)
        a = a->caller;
    for (; nb > na; nb--)
        b = b->caller;
    while (a != b) {
        a = a->caller;
        b = b->caller;
    }
    return a;
}

/* The name of what is called at a place, which is the word there. */
static const char *called_at(const Outliner *o, const Place *call)
{
    const SrcFile *file = o->src ? src_file(o->src, call->loc.file) : NULL;
    if (!file)
        return NULL;
    const char *begin = file->text + call->loc.begin;
    size_t n = 0;
    while (isalnum((unsigned char)begin[n]) || begin[n] == '_')
        n++;
    return n ? arena_strndup(o->arena, begin, n) : NULL;
}

/* Among `call` and the calls around it, the one that is `deep` levels inside the outermost. */
static const Place *call_at(const Place *call, int deep)
{
    for (int n = calls_deep(call); n > deep; n--)
        call = call->caller;
    return call;
}

/* A group is a block if its nodes come from one more call than those of the group around it, whose
 * blocks account for `named` calls.  If nested groups hold the same nodes, as many of the
 * innermost are blocks as there are more calls. */
static void name_blocks(const Outliner *o, Group *g, int named)
{
    int same = 1;
    for (const Group *in = g; in->items.n == 1 && in->items.at[0].group; in = in->items.at[0].group)
        same++;
    const int more = calls_deep(g->call) - named;
    if (g->parent && more >= same) {
        named += more - same + 1;
        g->block = called_at(o, call_at(g->call, named));
    }
    for (int i = 0; i < g->items.n; i++) {
        if (g->items.at[i].group)
            name_blocks(o, g->items.at[i].group, named);
    }
}

/* ---- the tree ---- */

/* Length in bytes of the group's name in a node's path after `skip` bytes; 0: the rest is the
 * node's own name. */
static size_t next_part(const Node *node, size_t skip)
{
    const char *dot = strchr(node->name + skip, '.');
    return dot ? (size_t)(dot - node->name) - skip : 0;
}

static const Place *call_of(const Node *node)
{
    return node->place ? node->place->caller : NULL;
}

static Group *make_group(const Outliner *o, const Group *parent, size_t skip, int first, int last)
{
    Group *g = NEW(o->arena, Group);
    g->parent = parent;
    g->first = first;
    g->last = last;
    g->alike = 1;
    g->path = skip ? arena_strndup(o->arena, o->net->nodes.at[first]->name, skip - 1) : "";
    g->name = parent && *parent->path ? g->path + strlen(parent->path) + 1 : g->path;
    for (int i = first; i <= last;) {
        const Node *node = o->net->nodes.at[i];
        const size_t n = next_part(node, skip);
        Item item = {node, NULL};
        int end = i + 1;
        if (n) {
            while (end <= last &&
                   strncmp(o->net->nodes.at[end]->name + skip, node->name + skip, n + 1) == 0)
                end++;
            item = (Item){NULL, make_group(o, g, skip + n + 1, i, end - 1)};
        }
        const Place *call = item.group ? item.group->call : call_of(node);
        g->call = g->items.n ? common_call(g->call, call) : call;
        VEC_PUSH(o->arena, &g->items, item);
        i = end;
    }
    return g;
}

/* ---- groups that are alike ---- */

/* An operand as seen from the group: which of its nodes it is or, if negative, how far before the
 * group it is. */
static int operand_at(const Node *operand, const Group *g)
{
    return operand->id - g->first;
}

static bool alike_nodes(const Node *a, const Group *in_a, const Node *b, const Group *in_b)
{
    Attrs attrs = b->attrs;
    /* The initial values of their parameters do not count. */
    attrs.init = a->attrs.init;
    attrs.seed = a->attrs.seed;
    attrs.draw = a->attrs.draw;
    if (a->op != b->op || a->n_in != b->n_in || a->act != b->act || a->type.elem != b->type.elem ||
        a->type.n != b->type.n || a->type.h != b->type.h || a->type.w != b->type.w ||
        !attrs_same(a->op, &a->attrs, &attrs) ||
        !str_eq(a->name + strlen(in_a->path), b->name + strlen(in_b->path)))
        return false;
    for (int i = 0; i < a->n_in; i++) {
        if (operand_at(a->in[i], in_a) != operand_at(b->in[i], in_b))
            return false;
    }
    return true;
}

static bool alike_groups(const Outliner *o, const Group *a, const Group *b)
{
    if (a->last - a->first != b->last - b->first)
        return false;
    /* Only `b` may use what leaves `a`. */
    for (int i = a->first; i <= a->last; i++) {
        if (o->last_use[i] > b->last)
            return false;
    }
    for (int i = 0; i <= a->last - a->first; i++) {
        if (!alike_nodes(o->net->nodes.at[a->first + i], a, o->net->nodes.at[b->first + i], b))
            return false;
    }
    return true;
}

static void count_alike(const Outliner *o, Group *g)
{
    Group *leader = NULL, *before = NULL;
    for (int i = 0; i < g->items.n; i++) {
        Group *group = g->items.at[i].group;
        if (group)
            count_alike(o, group);
        if (group && before && alike_groups(o, before, group)) {
            leader->alike++;
            group->alike = 0;
        } else {
            leader = group;
        }
        before = group;
    }
}

static void find_uses(Outliner *o)
{
    const Net *net = o->net;
    o->last_use = NEW_ARRAY(o->arena, int, net->nodes.n + 1);
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *node = net->nodes.at[i];
        for (int k = 0; k < node->n_in; k++)
            o->last_use[node->in[k]->id] = i;
    }
    for (int i = 0; i < net->outputs.n; i++)
        o->last_use[net->outputs.at[i].node->id] = INT_MAX;
}

Group *outline_make(const Net *net, const SrcMap *src, Arena *arena)
{
    Outliner o = {net, src, arena, NULL};
    find_uses(&o);
    Group *root = make_group(&o, NULL, 0, 0, net->nodes.n - 1);
    name_blocks(&o, root, 0);
    count_alike(&o, root);
    return root;
}

/* ---- asking ---- */

bool outline_is_arm(const Net *net, const Group *group)
{
    const Group *parent = group->parent;
    bool used = false;
    if (!parent)
        return false;
    for (int i = 0; i < net->outputs.n; i++) {
        const int id = net->outputs.at[i].node->id;
        if (id >= group->first && id <= group->last)
            return false;
    }
    for (int i = group->last + 1; i < net->nodes.n; i++) {
        const Node *node = net->nodes.at[i];
        for (int k = 0; k < node->n_in; k++) {
            const int id = node->in[k]->id;
            if (id < group->first || id > group->last)
                continue;
            /* The path of a node of the surrounding group is that group's path and one word. */
            const char *dot = strrchr(node->name, '.');
            const size_t n = dot ? (size_t)(dot - node->name) : 0;
            if (!(op_row(node->op)->flags & JOIN) || i > parent->last || n != strlen(parent->path))
                return false;
            used = true;
        }
    }
    return used;
}

const Group *outline_last_alike(const Group *parent, int i)
{
    const Group *first = parent->items.at[i].group;
    return parent->items.at[i + (first->alike > 1 ? first->alike - 1 : 0)].group;
}
