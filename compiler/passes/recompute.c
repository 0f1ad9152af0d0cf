/* recompute.c: values that the backward part computes again; see recompute.h. */
#include "passes/recompute.h"

#include "net/check.h"
#include "net/nametable.h"

#include <stdlib.h>

static bool is_loss(const Node *node)
{
    return node->op == OP_CROSS_ENTROPY || node->op == OP_MEAN_SQUARED_ERROR;
}

int backward_begin(const Net *net)
{
    for (int i = net->nodes.n; i > 0; i--) {
        if (is_loss(net->nodes.at[i - 1]))
            return i;
    }
    return net->nodes.n;
}

static bool is_input(const Node *node)
{
    return node->op == OP_INPUT || ((node->op == OP_CAST || node->op == OP_NORMALIZE) &&
                                    node->act == ACT_NONE && is_input(node->in[0]));
}

bool may_recompute(const Node *node)
{
    return !is_input(node) && !is_loss(node) &&
           !(node->op == OP_BN_TRAIN && node->attrs.result > 0);
}

bool *values_read_back(const Net *net)
{
    const int begin = backward_begin(net);
    bool *read = NEW_ARRAY(net->arena, bool, net->nodes.n + 1);
    for (int i = begin; i < net->nodes.n; i++) {
        const Node *user = net->nodes.at[i];
        for (int j = 0; j < user->n_in; j++) {
            if (user->in[j]->id < begin && may_recompute(user->in[j]))
                read[user->in[j]->id] = true;
        }
    }
    return read;
}

/* ---- what is computed again ---- */

Recomputation recomputation_of(const Net *net)
{
    Recomputation r = {.net = net, .begin = backward_begin(net)};
    r.made = NEW_ARRAY(net->arena, bool, net->nodes.n + 1);
    return r;
}

/* Of an operator with several results all are computed again. */
static void find_missing(Recomputation *r, const bool *kept, const Node *node)
{
    if (node->id >= r->begin || kept[node->id] || r->made[node->id] || !may_recompute(node))
        return;
    const bool split = node->op != OP_BN_TRAIN;
    const int results = split ? op_results(node->op, &node->attrs) : 1;
    const int first = split ? node->id - node->attrs.result : node->id;
    for (int i = first; i < first + results; i++) {
        r->made[i] = true;
        VEC_PUSH(r->net->arena, &r->found, i);
    }
}

static int ascending(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

void find_again(Recomputation *r, const bool *kept)
{
    const Net *net = r->net;
    for (int i = 0; i < r->again.n; i++)
        r->made[r->again.at[i].node] = false;
    r->again.n = 0;
    for (int i = r->begin; i < net->nodes.n; i++) {
        const Node *user = net->nodes.at[i];
        r->found.n = 0;
        for (int j = 0; j < user->n_in; j++)
            find_missing(r, kept, user->in[j]);
        for (int k = 0; k < r->found.n; k++) {
            const Node *node = net->nodes.at[r->found.at[k]];
            for (int j = 0; j < node->n_in; j++)
                find_missing(r, kept, node->in[j]);
        }
        if (r->found.n > 1)
            qsort(r->found.at, (size_t)r->found.n, sizeof *r->found.at, ascending);
        for (int k = 0; k < r->found.n; k++)
            VEC_PUSH(net->arena, &r->again, ((Again){r->found.at[k], i}));
    }
}

/* ---- the rewrite ---- */

typedef struct Rewriting {
    Net *net;
    const bool *kept;
    Node **as; /* by id: what stands for the node in the backward part, or NULL */
    NameTable names;
    VEC(Node *) nodes;
} Rewriting;

static Node *there(const Rewriting *w, Node *node)
{
    return w->as[node->id] && !w->kept[node->id] ? w->as[node->id] : node;
}

/* bn_train once more, with the statistics that it found. */
static void as_bn_again(const Rewriting *w, const Node *bn, Node *again)
{
    Node **in = NEW_ARRAY(w->net->arena, Node *, 4);
    in[0] = again->in[0];
    in[1] = w->net->nodes.at[bn->id + 1];
    in[2] = w->net->nodes.at[bn->id + 2];
    in[3] = bn->n_in > 1 ? again->in[1] : NULL;
    again->op = OP_BN_AGAIN;
    again->in = in;
    again->n_in = bn->n_in + 2;
    again->attrs = ir_default_attrs(OP_BN_AGAIN);
    again->attrs.epsilon = bn->attrs.epsilon;
    again->attrs.gain = bn->params[P_WEIGHT] != NULL;
    again->attrs.centre = bn->params[P_BIAS] != NULL;
    again->params[P_MEAN] = again->params[P_VARIANCE] = NULL;
}

/* The copy has the number of its original until all are numbered. */
static void add_again(Rewriting *w, const Node *node)
{
    Arena *arena = w->net->arena;
    Node *again = NEW(arena, Node);
    *again = *node;
    again->again = node->name;
    const char *base = arena_printf(arena, "%s.again", node->name), *name = base;
    for (int k = 2; !table_add(&w->names, name, NO_LOC); k++)
        name = arena_printf(arena, "%s%d", base, k);
    again->name = name;
    again->in = NEW_ARRAY(arena, Node *, node->n_in + 1);
    for (int i = 0; i < node->n_in; i++)
        again->in[i] = there(w, node->in[i]);
    if (node->op == OP_BN_TRAIN)
        as_bn_again(w, node, again);
    w->as[node->id] = again;
    VEC_PUSH(arena, &w->nodes, again);
}

bool recompute(Net *net, const bool *kept, Diag *diag)
{
    Recomputation r = recomputation_of(net);
    Rewriting w = {.net = net, .kept = kept, .names = {.arena = net->arena}};
    w.as = NEW_ARRAY(net->arena, Node *, net->nodes.n + 1);
    for (int i = 0; i < net->nodes.n; i++)
        table_add(&w.names, net->nodes.at[i]->name, NO_LOC);
    find_again(&r, kept);
    for (int i = 0, next = 0; i < net->nodes.n; i++) {
        Node *node = net->nodes.at[i];
        for (; next < r.again.n && r.again.at[next].before == i; next++)
            add_again(&w, net->nodes.at[r.again.at[next].node]);
        for (int j = 0; i >= r.begin && j < node->n_in; j++)
            node->in[j] = there(&w, node->in[j]);
        VEC_PUSH(net->arena, &w.nodes, node);
    }
    net->nodes.n = 0;
    for (int i = 0; i < w.nodes.n; i++)
        VEC_PUSH(net->arena, &net->nodes, w.nodes.at[i]);
    ir_renumber(net);
    return check_net(net, diag, "recomputation");
}
