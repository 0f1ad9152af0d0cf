/* evaluation.c: the forward part of a training once more, as it is at inference; see evaluation.h.
 */
#include "passes/evaluation.h"

#include "net/check.h"

static bool is_loss(const Node *node)
{
    return node->op == OP_CROSS_ENTROPY || node->op == OP_MEAN_SQUARED_ERROR;
}

/* Marks what `needed` nodes need, among the first n. */
static void mark_operands(const Net *net, bool *needed, int n)
{
    for (int i = n - 1; i >= 0; i--) {
        const Node *node = net->nodes.at[i];
        for (int j = 0; needed[i] && j < node->n_in; j++)
            needed[node->in[j]->id] = true;
        for (int j = op_results(node->op, &node->attrs) - 1; needed[i] && j >= 0; j--)
            needed[i - node->attrs.result + j] = true;
    }
}

static bool *mark_forward(const Net *net)
{
    bool *needed = NEW_ARRAY(net->arena, bool, net->nodes.n + 1);
    for (int i = 0; i < net->outputs.n; i++)
        needed[net->outputs.at[i].node->id] = true;
    for (int i = 0; i < net->nodes.n; i++)
        needed[i] = needed[i] || is_loss(net->nodes.at[i]);
    mark_operands(net, needed, net->nodes.n);
    return needed;
}

/* Whether both parts use the node: it makes something of an input without parameters. */
static bool is_shared(const Node *node, Node *const *as)
{
    if (node->op == OP_INPUT)
        return true;
    return (node->op == OP_CAST || node->op == OP_NORMALIZE) && node->act == ACT_NONE &&
           as[node->in[0]->id] == node->in[0];
}

/* The node in the evaluation that computes what `node` does, on these operands. */
static Node *add_like(Net *net, Diag *diag, const Node *node, Node **in)
{
    const char *name = arena_printf(net->arena, "evaluate.%s", node->name);
    if (node->op != OP_BN_TRAIN)
        return ir_add_with(net, diag, node->op, in, node->n_in, &node->attrs, name, node->place,
                           node->params);
    Attrs attrs = ir_default_attrs(OP_BN);
    attrs.epsilon = node->attrs.epsilon;
    attrs.gain = node->params[P_WEIGHT] != NULL;
    attrs.centre = node->params[P_BIAS] != NULL;
    const char *norm = node->n_in > 1 ? arena_printf(net->arena, "%s.normalised", name) : name;
    in[0] = ir_add_with(net, diag, OP_BN, in, 1, &attrs, norm, node->place, node->params);
    if (!in[0] || node->n_in == 1)
        return in[0];
    attrs = ir_default_attrs(OP_ADD);
    return ir_add(net, diag, OP_ADD, in, 2, &attrs, name, node->place);
}

/* The node as it is in the evaluation; as: by id, what its operands are there. */
static Node *evaluated(Net *net, Diag *diag, const Node *node, Node *const *as)
{
    Node *in[MOST_OPERANDS];
    for (int i = 0; i < node->n_in; i++)
        in[i] = as[node->in[i]->id];
    Node *made = add_like(net, diag, node, in);
    if (made) {
        made->act = node->act;
        made->act_alpha = node->act_alpha;
        made->act_beta = node->act_beta;
        made->origin = node->origin;
        made->absorbed = node->absorbed;
    }
    return made;
}

/* Drops the nodes of the step that nothing needs any more. */
static void drop_unneeded(Net *net, int n_step)
{
    bool *needed = NEW_ARRAY(net->arena, bool, net->nodes.n + 1);
    for (int i = 0; i < net->updates.n; i++)
        needed[net->updates.at[i].node->id] = true;
    for (int i = 0; i < net->nodes.n; i++)
        needed[i] = needed[i] || i >= n_step || is_loss(net->nodes.at[i]);
    mark_operands(net, needed, net->nodes.n);
    int kept = 0;
    for (int i = 0; i < net->nodes.n; i++) {
        if (i == n_step)
            net->n_step = kept;
        if (needed[i] || net->nodes.at[i]->op == OP_INPUT)
            net->nodes.at[kept++] = net->nodes.at[i];
    }
    net->nodes.n = kept;
    ir_renumber(net);
}

bool add_evaluation(Net *net, Diag *diag)
{
    const int n = net->nodes.n;
    const bool *needed = mark_forward(net);
    Node **as = NEW_ARRAY(net->arena, Node *, n + 1);
    for (int i = 0; i < n; i++) {
        Node *node = net->nodes.at[i];
        if (!needed[i] || (node->op == OP_BN_TRAIN && node->attrs.result > 0))
            continue;
        as[i] = is_shared(node, as) ? node : evaluated(net, diag, node, as);
        if (!as[i])
            return false;
    }
    int kept = 0;
    for (int i = 0; i < net->outputs.n; i++) {
        Port port = net->outputs.at[i];
        if (is_loss(port.node))
            continue;
        port.node = as[port.node->id];
        net->outputs.at[kept++] = port;
    }
    net->outputs.n = kept;
    drop_unneeded(net, n);
    return check_net(net, diag, "the evaluation");
}
