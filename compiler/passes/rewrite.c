/* rewrite.c: what passes do to a network, in one walk; see rewrite.h. */
#include "passes/rewrite.h"

#include <limits.h>

Rewrite rewrite_begin(Net *net)
{
    const int n = net->nodes.n;
    Rewrite r = {net, NEW_ARRAY(net->arena, int, n + 1), NEW_ARRAY(net->arena, int, n + 1)};
    for (int i = 0; i < n; i++) {
        const Node *node = net->nodes.at[i];
        for (int j = 0; j < node->n_in; j++) {
            r.uses[node->in[j]->id]++;
            r.last[node->in[j]->id] = i;
        }
    }
    for (int i = 0; i < net->outputs.n; i++) {
        r.uses[net->outputs.at[i].node->id]++;
        r.last[net->outputs.at[i].node->id] = INT_MAX;
    }
    for (int i = 0; i < net->updates.n; i++) {
        r.uses[net->updates.at[i].node->id]++;
        r.last[net->updates.at[i].node->id] = INT_MAX;
    }
    return r;
}

static Node *as_now(Node *node)
{
    while (node->taken_by)
        node = node->taken_by;
    return node;
}

Node *rewrite_at(Rewrite *r, int place)
{
    Node *node = r->net->nodes.at[place];
    for (int j = 0; node && j < node->n_in; j++)
        node->in[j] = as_now(node->in[j]);
    return node;
}

bool used_once(const Rewrite *r, const Node *node)
{
    return r->uses[node->id] == 1;
}

void rewrite_take_over(Rewrite *r, Node *node, Node *taken)
{
    Net *net = r->net;
    VEC_PUSH(net->arena, &node->absorbed, taken->name);
    for (int i = 0; i < taken->absorbed.n; i++)
        VEC_PUSH(net->arena, &node->absorbed, taken->absorbed.at[i]);
    node->origin = taken->origin;
    node->act = taken->act;
    node->act_alpha = taken->act_alpha;
    node->act_beta = taken->act_beta;
    taken->taken_by = node;
    r->uses[node->id] = r->uses[taken->id];
    r->last[node->id] = r->last[taken->id];
    net->nodes.at[taken->id] = NULL;
}

void rewrite_move_over(Rewrite *r, Node *node, Node *taken)
{
    Net *net = r->net;
    rewrite_take_over(r, node, taken);
    net->nodes.at[node->id] = NULL;
    net->nodes.at[taken->id] = node;
    node->id = taken->id;
    for (int i = 0; i < node->n_in; i++) {
        int *last = &r->last[node->in[i]->id];
        *last = *last > node->id ? *last : node->id;
    }
}

void rewrite_end(Rewrite *r)
{
    Net *net = r->net;
    int kept = 0;
    for (int i = 0; i < net->nodes.n; i++) {
        if (net->nodes.at[i])
            net->nodes.at[kept++] = net->nodes.at[i];
    }
    net->nodes.n = kept;
    for (int i = 0; i < net->outputs.n; i++)
        net->outputs.at[i].node = as_now(net->outputs.at[i].node);
    for (int i = 0; i < net->updates.n; i++)
        net->updates.at[i].node = as_now(net->updates.at[i].node);
    ir_renumber(net);
}
