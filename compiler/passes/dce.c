/* dce.c: drops the nodes that no output and no update needs, and their parameters with them.
 *
 * This is always legal: nodes have no effect except their value.  Inputs stay even if they are
 * unused, since they are the interface. */
#include "passes/pass.h"

void pass_dce(Net *net)
{
    bool *needed = NEW_ARRAY(net->arena, bool, net->nodes.n);
    for (int i = 0; i < net->outputs.n; i++)
        needed[net->outputs.at[i].node->id] = true;
    for (int i = 0; i < net->updates.n; i++)
        needed[net->updates.at[i].node->id] = true;
    for (int i = net->nodes.n - 1; i >= 0; i--) {
        const Node *node = net->nodes.at[i];
        for (int j = 0; needed[i] && j < node->n_in; j++)
            needed[node->in[j]->id] = true;
        /* If one result of an operator is needed, all of them stay. */
        for (int j = op_results(node->op, &node->attrs) - 1; needed[i] && j >= 0; j--)
            needed[i - node->attrs.result + j] = true;
    }
    int kept = 0;
    for (int i = 0; i < net->nodes.n; i++) {
        if (needed[i] || net->nodes.at[i]->op == OP_INPUT)
            net->nodes.at[kept++] = net->nodes.at[i];
    }
    net->nodes.n = kept;
    ir_renumber(net);
}
