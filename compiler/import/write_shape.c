/* write_shape.c: a network as chains of layers, with arms and their joins as parts of them.
 *
 * Nodes are taken in an order of execution.  A layer that is the only user of the last one of a
 * chain joins that chain.  A join whose operands are all the ends of chains that begin at one
 * tensor, or that tensor itself, becomes one part with these chains as its arms; it continues the
 * chain that ends in the tensor if nobody else uses it.  What remains, the skips of a U-net, is a
 * chain that begins with a join of labels, unless it is a tangle (write_tangle.c). */
#include "import/write_parts.h"

#include <stdlib.h>

const Node *write_source(const Node *node)
{
    return node->op == OP_CAST ? node->in[0] : node;
}

const Node *write_root(const Net *net, const Node *node)
{
    return net->nodes.at[node->id - node->attrs.result];
}

const Node *write_shared(const Net *net, const Node *node)
{
    for (int r = 0; r < P_ROLES; r++) {
        if (node->params[r] && node->params[r]->first != node->id)
            return net->nodes.at[node->params[r]->first];
    }
    return NULL;
}

bool part_forks_split(const Part *part)
{
    for (int k = 1; k < part->n_arms; k++) {
        if (part->arms[k]->start != part->arms[0]->start)
            return true;
    }
    return part->root != NULL;
}

typedef struct Shaper {
    Arena *arena;
    const Net *net;
    int *uses;
    Chain **ends; /* by node: the chain that ends there */
    bool *pinned; /* by node */
    VEC(Chain *) all;
} Shaper;

static int root_id(const Shaper *s, const Node *node)
{
    return write_root(s->net, node)->id;
}

/* Who refers to each tensor, and which nodes need labels of the net. */
static void count_uses(Shaper *s)
{
    const Net *net = s->net;
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *node = net->nodes.at[i], *like = write_shared(net, node);
        for (int k = 0; node->attrs.result == 0 && node->op != OP_CAST && k < node->n_in; k++)
            s->uses[root_id(s, write_source(node->in[k]))]++;
        if (like)
            s->pinned[i] = s->pinned[like->id] = true;
    }
    for (int i = 0; i < net->outputs.n; i++)
        s->uses[root_id(s, write_source(net->outputs.at[i].node))]++;
}

static void append(Shaper *s, Chain *chain, Part *part)
{
    VEC_PUSH(s->arena, &chain->parts, part);
    chain->pinned = chain->pinned || part->pinned;
    s->ends[part->node->id] = chain;
}

static Chain *new_chain(Shaper *s, const Node *start, int uses)
{
    Chain *chain = NEW(s->arena, Chain);
    chain->start = start;
    chain->uses = uses;
    VEC_PUSH(s->arena, &s->all, chain);
    return chain;
}

/* The chain that ends at a tensor nobody but the next node uses, or NULL. */
static Chain *open_chain(const Shaper *s, const Node *end, int uses)
{
    Chain *chain = s->ends[root_id(s, end)];
    return chain && s->uses[root_id(s, end)] == uses ? chain : NULL;
}

static void add_layer(Shaper *s, const Node *node)
{
    const Node *in = write_source(node->in[0]);
    Part *part = NEW(s->arena, Part);
    part->node = node;
    part->pinned = s->pinned[node->id];
    Chain *chain = write_root(s->net, in) == in && op_results(in->op, &in->attrs) == 1
                       ? open_chain(s, in, 1)
                       : NULL;
    append(s, chain ? chain : new_chain(s, in, 1), part);
}

/* The chain of an arm from `root` to `end`, or NULL. */
static Chain *arm_of(const Shaper *s, const Node *root, const Node *end)
{
    Chain *chain = open_chain(s, end, 1);
    const bool single = op_results(end->op, &end->attrs) == 1;
    return chain && single && !chain->pinned && chain->start &&
                   write_root(s->net, chain->start) == root
               ? chain
               : NULL;
}

static bool forks_at(const Shaper *s, const Node *join, const Node *root)
{
    for (int k = 0; k < join->n_in; k++) {
        const Node *end = write_source(join->in[k]);
        if (write_root(s->net, end) != root && !arm_of(s, root, end))
            return false;
    }
    return true;
}

/* The tensor at which all operands' chains begin, or NULL. */
static const Node *fork_of(const Shaper *s, const Node *join)
{
    for (int k = 0; k < join->n_in; k++) {
        const Node *end = write_source(join->in[k]);
        const Chain *chain = open_chain(s, end, 1);
        const Node *begin = chain && chain->start ? write_root(s->net, chain->start) : NULL;
        if (begin && forks_at(s, join, begin))
            return begin;
        if (forks_at(s, join, write_root(s->net, end)))
            return write_root(s->net, end);
    }
    return NULL;
}

static Chain *empty_arm(Shaper *s, const Node *tensor)
{
    Chain *arm = NEW(s->arena, Chain);
    arm->start = tensor;
    arm->uses = 1;
    return arm;
}

/* The last node that a chain computes. */
static int last_id(const Chain *chain)
{
    return chain->parts.at[chain->parts.n - 1]->node->id;
}

static int by_end(const void *a, const void *b)
{
    const Chain *const *x = a, *const *y = b;
    return (last_id(*x) > last_id(*y)) - (last_id(*x) < last_id(*y));
}

/* Takes what lies between a split and a join as one part; false if that is no tangle. */
static bool add_tangle(Shaper *s, Part *part)
{
    bool *inside = NEW_ARRAY(s->arena, bool, s->net->nodes.n + 1);
    const Node *root = tangle_root(s->arena, s->net, s->uses, s->pinned, part->node, inside);
    if (!root)
        return false;
    part->root = root;
    part->arms = NEW_ARRAY(s->arena, Chain *, s->all.n + 1);
    for (int i = 0; i < s->all.n; i++) {
        Chain *chain = s->all.at[i];
        if (chain->absorbed || !inside[last_id(chain)])
            continue;
        Part *first = chain->parts.at[0];
        first->loose = !chain->start;
        first->pinned = false;
        chain->absorbed = true;
        part->arms[part->n_arms++] = chain;
    }
    qsort(part->arms, (size_t)part->n_arms, sizeof(Chain *), by_end);
    Chain *chain = open_chain(s, root, s->uses[root->id]);
    append(s, chain ? chain : new_chain(s, root, s->uses[root->id]), part);
    return true;
}

static void add_join(Shaper *s, const Node *join)
{
    const Node *fork = fork_of(s, join);
    Part *part = NEW(s->arena, Part);
    part->node = join;
    if (!fork && add_tangle(s, part))
        return;
    if (!fork) {
        part->pinned = true;
        append(s, new_chain(s, NULL, 0), part);
        return;
    }
    int uses = 0;
    part->n_arms = join->n_in;
    part->arms = NEW_ARRAY(s->arena, Chain *, join->n_in);
    for (int k = 0; k < join->n_in; k++) {
        const Node *end = write_source(join->in[k]);
        const bool empty = write_root(s->net, end) == fork;
        part->arms[k] = empty ? empty_arm(s, end) : arm_of(s, fork, end);
        part->arms[k]->absorbed = true;
        uses += part->arms[k]->uses;
    }
    const Node *start = part_forks_split(part) ? fork : part->arms[0]->start;
    Chain *chain = start == fork ? open_chain(s, fork, uses) : NULL;
    append(s, chain ? chain : new_chain(s, start, uses), part);
}

Shape write_shape(Arena *arena, const Net *net)
{
    Shaper s = {.arena = arena, .net = net};
    Shape shape = {0};
    s.uses = NEW_ARRAY(arena, int, net->nodes.n + 1);
    s.ends = NEW_ARRAY(arena, Chain *, net->nodes.n + 1);
    s.pinned = NEW_ARRAY(arena, bool, net->nodes.n + 1);
    count_uses(&s);
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *node = net->nodes.at[i];
        if (node->op == OP_INPUT || node->op == OP_CAST || node->attrs.result)
            continue;
        if (node->n_in == 1)
            add_layer(&s, node);
        else
            add_join(&s, node);
    }
    for (int i = 0; i < s.all.n; i++) {
        if (!s.all.at[i]->absorbed)
            VEC_PUSH(arena, &shape.chains, s.all.at[i]);
    }
    if (shape.chains.n)
        qsort(shape.chains.at, (size_t)shape.chains.n, sizeof(Chain *), by_end);
    shape.uses = s.uses;
    return shape;
}

/* ---- the order in which a text lowers ---- */

void order_node(NodeOrder *order, const Node *node)
{
    /* Casts come where the first node needs them, and results one after the other. */
    for (int k = 0; k < node->n_in; k++) {
        if (node->in[k]->op == OP_CAST && !order->seen[node->in[k]->id])
            order_node(order, node->in[k]);
    }
    const int n = op_results(node->op, &node->attrs);
    for (int k = 0; k < n; k++) {
        const Node *result = order->net->nodes.at[node->id - node->attrs.result + k];
        if (!order->seen[result->id])
            order->at[order->n++] = result;
        order->seen[result->id] = true;
    }
}

static void order_part(NodeOrder *order, const Part *part)
{
    for (int k = 0; k < part->n_arms; k++)
        order_chain(order, part->arms[k]);
    for (int i = 0; i < part->inner.n; i++)
        order_part(order, part->inner.at[i]);
    if (!part->block)
        order_node(order, part->node);
}

void order_chain(NodeOrder *order, const Chain *chain)
{
    for (int i = 0; i < chain->parts.n; i++)
        order_part(order, chain->parts.at[i]);
}
