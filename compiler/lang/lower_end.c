/* lower_end.c: --end LAYER: the network ends there, and what neither that nor a --tap before it
 * needs is cut off. */
#include "lang/lower_parts.h"

/* What the outputs are computed from; the results of one operator stay together. */
static bool *needed_nodes(const Lower *l)
{
    const Net *net = l->net;
    bool *needed = NEW_ARRAY(l->arena, bool, net->nodes.n + 1);
    for (int i = 0; i < net->outputs.n; i++)
        needed[net->outputs.at[i].node->id] = true;
    for (int i = net->nodes.n - 1; i >= 0; i--) {
        const Node *node = net->nodes.at[i];
        const int n = op_results(node->op, &node->attrs), first = i - node->attrs.result;
        for (int k = first; needed[i] && k < first + n; k++)
            needed[k] = true;
        for (int k = 0; needed[i] && k < node->n_in; k++)
            needed[node->in[k]->id] = true;
    }
    return needed;
}

/* The port of an input that is left, with its number. */
static int keep_inputs(Net *net, const bool *needed)
{
    int n = 0;
    for (int i = 0; i < net->inputs.n; i++) {
        if (needed[net->inputs.at[i].node->id])
            net->inputs.at[n++] = net->inputs.at[i];
    }
    return n;
}

/* Makes the end the first output and leaves the taps, the outputs from `taps` on; false after a
 * message about one that is computed after the end. */
static bool keep_outputs(Lower *l, const Port *end, int taps)
{
    Net *net = l->net;
    VEC(Port) kept = {0};
    for (int i = taps; i < net->outputs.n; i++) {
        const Port *tap = &net->outputs.at[i];
        if (tap->node->id > end->node->id) {
            diag_error(l->d, NO_LOC, "--tap %s: it comes after the network's end, --end %s",
                       tap->name, end->name);
            return false;
        }
        if (tap->node != end->node)
            VEC_PUSH(l->arena, &kept, *tap);
    }
    net->outputs.n = 0;
    VEC_PUSH(l->arena, &net->outputs, *end);
    for (int i = 0; i < kept.n; i++)
        VEC_PUSH(l->arena, &net->outputs, kept.at[i]);
    return true;
}

void lower_end(Lower *l, Frame *f, int taps)
{
    Net *net = l->net;
    const Node *end = l->options->end ? lower_tapped(l, "--end", l->options->end) : NULL;
    if (!end)
        return;
    Port port = {.name = l->options->end, .node = net->nodes.at[end->id], .elem = ELEM_F32};
    port.place = end->place;
    if (end->op == OP_INPUT) {
        diag_error(l->d, NO_LOC, "--end %s: that is an input", l->options->end);
        return;
    }
    if (!keep_outputs(l, &port, taps))
        return;
    const bool *needed = needed_nodes(l);
    int n = 0;
    net->inputs.n = keep_inputs(net, needed);
    for (int i = 0; i < net->nodes.n; i++) {
        if (needed[i])
            net->nodes.at[n++] = net->nodes.at[i];
    }
    net->cut = n < net->nodes.n;
    net->nodes.n = net->n_original = n;
    ir_renumber(net);
    for (int i = 0; i < n; i++)
        net->nodes.at[i]->origin = i;
    f->point = (Point){.node = net->outputs.at[0].node};
}
