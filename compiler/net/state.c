/* state.c: see state.h. */
#include "net/state.h"

int64_t state_elements(const Node *node)
{
    if (!remembers(node))
        return 0;
    const Type t = node->in[0]->type;
    const int64_t each = node->op == OP_HISTORY ? type_elements(t) / t.h : type_elements(t);
    return mul_extents(node->attrs.frames, each);
}

bool net_remembers(const Net *net)
{
    for (int i = 0; i < net->nodes.n; i++) {
        if (remembers(net->nodes.at[i]))
            return true;
    }
    return false;
}

/* The runs that a node alone reaches back. */
static int64_t reach(const Node *node)
{
    const int64_t frames = node->attrs.frames;
    if (node->op == OP_DELAY)
        return frames;
    return node->op == OP_HISTORY ? (frames - 1) / node->in[0]->type.h + 1 : 0;
}

int64_t net_memory(const Net *net, Arena *arena)
{
    int64_t *memory = NEW_ARRAY(arena, int64_t, net->nodes.n + 1), most = 0;
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *node = net->nodes.at[i];
        for (int j = 0; j < node->n_in; j++) {
            const int64_t before = memory[node->in[j]->id];
            memory[i] = before > memory[i] ? before : memory[i];
        }
        memory[i] += reach(node);
    }
    for (int i = 0; i < net->outputs.n; i++) {
        const int64_t runs = memory[net->outputs.at[i].node->id];
        most = runs > most ? runs : most;
    }
    return most;
}
