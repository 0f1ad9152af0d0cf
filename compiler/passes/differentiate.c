/* differentiate.c: the backward part of a network; see differentiate.h.
 *
 * Reverse accumulation: from the last node to the first, the gradient by a node's value is the
 * sum of what its users have given it, and the node's rule shares it out to its operands.  As
 * operands come before their users, all shares are there when a node is reached. */
#include "passes/differentiate.h"

#include "net/check.h"
#include "net/grad.h"

#include <string.h>

static Loc loc_of(const Place *place)
{
    return place ? place->loc : NO_LOC;
}

/* ---- what is not trained ---- */

static bool is_statistic(const Param *param)
{
    return param->role == P_MEAN || param->role == P_VARIANCE;
}

/* By the id of a parameter; NULL after a message about a pattern that fits none. */
static bool *find_frozen(const Net *net, const Loss *loss, Diag *diag)
{
    bool *frozen = NEW_ARRAY(net->arena, bool, net->params.n + 1);
    for (int i = 0; i < loss->n_frozen; i++) {
        bool any = false;
        for (int k = 0; k < net->params.n; k++) {
            if (str_fits(net->params.at[k]->name, loss->frozen[i]))
                any = frozen[k] = true;
        }
        if (any)
            continue;
        diag_error(diag, NO_LOC, "no parameter's name fits the pattern '%s' of those not trained",
                   loss->frozen[i]);
        diag_note(diag, NO_LOC, "names are those of `--dump ir`, such as '%s'; * is any text",
                  net->params.n ? net->params.at[0]->name : "");
        return NULL;
    }
    return frozen;
}

/* ---- normalisations ---- */

/* Values of a channel that a normalisation takes its mean of. */
static int64_t values_of(Type t)
{
    return mul_extents(t.n, mul_extents(t.h, t.w));
}

static bool has_statistics(const Node *bn, Diag *diag)
{
    if (values_of(bn->in[0]->type) > 1 || bn->attrs.variance == VARIANCE_BIASED)
        return true;
    diag_error(diag, loc_of(bn->place),
               "'%s' cannot be trained: a batch has a single value for each of its channels",
               bn->name);
    diag_note(diag, loc_of(bn->place),
              "the unbiased variance needs two at least: --batch 2 or more");
    diag_note_callers(diag, bn->place);
    return false;
}

/* Lists the updates of a bn_train's running statistics. */
static void list_statistics(Net *net, Node *bn)
{
    const double n = (double)values_of(bn->in[0]->type);
    const double scale = bn->attrs.variance == VARIANCE_UNBIASED ? n / (n - 1) : 1;
    const Update updates[] = {
        {UPDATE_STATISTIC, bn->params[P_MEAN], net->nodes.at[bn->id + 1], bn->attrs.momentum, 1},
        {UPDATE_STATISTIC, bn->params[P_VARIANCE], net->nodes.at[bn->id + 2], bn->attrs.momentum,
         scale},
    };
    for (int i = 0; bn->attrs.momentum > 0 && i < 2; i++)
        VEC_PUSH(net->arena, &net->updates, updates[i]);
}

/* A further result of the bn_train that `bn` has become. */
static Node *result_of(const Net *net, const Node *bn, int result, const char *name)
{
    Node *node = NEW(net->arena, Node);
    *node = *bn;
    node->attrs.result = result;
    node->name = name;
    node->type = (Type){ELEM_F32, 1, 1, 1, bn->type.c};
    return node;
}

/* Whether a bn has trained parameters and all of them are frozen; its statistics are so, too. */
static bool all_frozen(const Node *bn, const bool *frozen)
{
    const Param *weight = bn->params[P_WEIGHT], *bias = bn->params[P_BIAS];
    return (weight || bias) && (!weight || frozen[weight->id]) && (!bias || frozen[bias->id]);
}

/* Turns each bn that is trained into bn_train, with two nodes more.  False after messages. */
static bool train_norms(Net *net, const bool *frozen, NameTable *names, Diag *diag)
{
    VEC(Node *) nodes = {0};
    bool good = true;
    for (int i = 0; i < net->nodes.n; i++) {
        Node *node = net->nodes.at[i];
        VEC_PUSH(net->arena, &nodes, node);
        if (node->op != OP_BN || all_frozen(node, frozen))
            continue;
        good = has_statistics(node, diag) && good;
        node->op = OP_BN_TRAIN;
        node->attrs.parts = 3;
        for (int result = 1; result < 3; result++) {
            const char *base =
                arena_printf(net->arena, "%s.%s", node->name, result == 1 ? "mean" : "variance");
            const char *name = base;
            for (int k = 2; !table_add(names, name, NO_LOC); k++)
                name = arena_printf(net->arena, "%s%d", base, k);
            VEC_PUSH(net->arena, &nodes, result_of(net, node, result, name));
        }
    }
    net->nodes.n = 0;
    for (int i = 0; i < nodes.n; i++)
        VEC_PUSH(net->arena, &net->nodes, nodes.at[i]);
    ir_renumber(net);
    return good;
}

/* ---- the loss ---- */

static const char *free_port(const Net *net, const char *wanted)
{
    const char *name = wanted;
    bool taken = true;
    for (int k = 2; taken; k++) {
        taken = false;
        for (int i = 0; i < net->inputs.n; i++)
            taken = taken || str_eq(net->inputs.at[i].name, name);
        for (int i = 0; i < net->outputs.n; i++)
            taken = taken || str_eq(net->outputs.at[i].name, name);
        if (taken)
            name = arena_printf(net->arena, "%s%d", wanted, k);
    }
    return name;
}

/* The output that the loss is of, or NULL after a message. */
static const Port *output_of(const Net *net, const Loss *loss, Diag *diag)
{
    const char **names = NEW_ARRAY(net->arena, const char *, net->outputs.n + 1);
    for (int i = 0; i < net->outputs.n; i++) {
        names[i] = net->outputs.at[i].name;
        if (loss->output ? str_eq(loss->output, names[i]) : net->outputs.n == 1)
            return &net->outputs.at[i];
    }
    if (!loss->output) {
        diag_error(diag, NO_LOC, "the network has %d outputs, and the loss is of one",
                   net->outputs.n);
        diag_note(diag, NO_LOC, "--loss-of %s would take that one", names[0]);
        return NULL;
    }
    const char *nearest = str_nearest(loss->output, names, net->outputs.n);
    diag_error(diag, NO_LOC, "the network has no output '%s'%s%s%s", loss->output,
               nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    return NULL;
}

/* Adds the input that the loss compares `value` with. */
static Node *add_target(Grad *g, const Loss *loss, const Port *output, const Node *value)
{
    Net *net = g->net;
    const bool labels = loss->kind == LOSS_CROSS_ENTROPY;
    const char *name = free_port(net, labels ? "labels" : "target");
    Type t = value->type;
    if (labels)
        t = (Type){ELEM_I32, t.n, t.h, t.w, 1};
    Node *node = ir_add_input(net, grad_name(g, name), t, output->place);
    const Port port = {
        .name = name, .node = node, .elem = t.elem, .order = output->order, .place = output->place};
    VEC_PUSH(net->arena, &net->inputs, port);
    return node;
}

/* Appends the loss of an output, and gives its gradient to the value that it is of. */
static bool add_loss(Grad *g, const Loss *loss, Port output)
{
    Net *net = g->net;
    const bool cross = loss->kind == LOSS_CROSS_ENTROPY;
    Node *value = output.node;
    if (cross && (value->op == OP_SOFTMAX || value->op == OP_LOG_SOFTMAX) &&
        value->attrs.over == OVER_CHANNELS && value->act == ACT_NONE)
        value = value->in[0];
    if (cross && value->type.c < 2) {
        diag_error(g->diag, loc_of(output.place),
                   "cross-entropy needs at least two classes, and '%s' has one channel",
                   output.name);
        diag_note(g->diag, loc_of(output.place), "--loss mean_squared_error is for numbers");
        return false;
    }
    if (!g->needed[value->id]) {
        diag_error(g->diag, loc_of(output.place),
                   "there is nothing to train: '%s' depends on no trained parameter", output.name);
        return false;
    }
    Node *in[] = {value, add_target(g, loss, &output, value)};
    const Op op = cross ? OP_CROSS_ENTROPY : OP_MEAN_SQUARED_ERROR;
    Attrs attrs = ir_default_attrs(op);
    attrs.smoothing = loss->smoothing;
    Port port = {.name = free_port(net, "loss"), .order = output.order, .place = output.place};
    port.node = ir_add(net, g->diag, op, in, 2, &attrs, grad_name(g, port.name), output.place);
    attrs.result = 1;
    Node *gradient =
        ir_add(net, g->diag, op, in, 2, &attrs,
               grad_name(g, arena_printf(net->arena, "%s.gradient", port.name)), output.place);
    if (!port.node || !gradient)
        return false;
    VEC_PUSH(net->arena, &net->outputs, port);
    VEC_PUSH(net->arena, &g->of_node[value->id], gradient);
    return true;
}

/* ---- backwards ---- */

static bool go_back(Grad *g)
{
    Arena *arena = g->net->arena;
    for (int i = g->n_nodes - 1; i >= 0; i--) {
        Node *node = g->net->nodes.at[i];
        const int results = op_results(node->op, &node->attrs);
        if (node->attrs.result > 0 || !g->needed[i])
            continue;
        Node **dy = NEW_ARRAY(arena, Node *, results);
        bool any = false;
        for (int r = 0; r < results; r++) {
            const Shares *shares = &g->of_node[i + r];
            dy[r] = grad_sum(g, shares,
                             arena_printf(arena, "%s.gradient", g->net->nodes.at[i + r]->name),
                             node->place);
            if (shares->n && !dy[r])
                return false;
            any = any || dy[r];
        }
        if (any && !grad_node(g, node, dy))
            return false;
    }
    return true;
}

/* Warns of the parameters that the loss does not depend on. */
static void warn_untrained(const Grad *g)
{
    const Param *first = NULL;
    int n = 0;
    for (int i = 0; i < g->n_params; i++) {
        const Param *param = g->net->params.at[i];
        if (is_statistic(param) || g->frozen[i] || g->of_param[i].n)
            continue;
        first = first ? first : param;
        n++;
    }
    if (n)
        diag_warning(g->diag, loc_of(first->place),
                     "the loss does not depend on '%s'%s, which training leaves as it is",
                     first->name, n > 1 ? arena_printf(g->net->arena, " and %d more", n - 1) : "");
}

/* Lists the updates of all parameters, in their order. */
static bool list_updates(Grad *g)
{
    Net *net = g->net;
    for (int i = 0; i < g->n_params; i++) {
        Param *param = net->params.at[i];
        const Shares *shares = &g->of_param[i];
        Node *node =
            grad_sum(g, shares, arena_printf(net->arena, "%s.gradient", param->name), param->place);
        if (shares->n && !node)
            return false;
        const Update update = {UPDATE_GRADIENT, param, node, 0, 1};
        if (node)
            VEC_PUSH(net->arena, &net->updates, update);
    }
    for (int i = 0; i < g->n_nodes; i++) {
        Node *node = net->nodes.at[i];
        if (node->op == OP_BN_TRAIN && node->attrs.result == 0)
            list_statistics(net, node);
    }
    return true;
}

bool differentiate(Net *net, const Loss *loss, Diag *diag)
{
    if (net->updates.n) {
        diag_error(diag, NO_LOC, "'%s' has a backward part already", net->name);
        diag_note(diag, NO_LOC, "leave --train out, or take the network without that part");
        return false;
    }
    const Port *output = output_of(net, loss, diag);
    if (!output)
        return false;
    NameTable names = {.arena = net->arena};
    for (int i = 0; i < net->nodes.n; i++)
        table_add(&names, net->nodes.at[i]->name, NO_LOC);
    const bool *frozen = find_frozen(net, loss, diag);
    if (!frozen || (!loss->keep_statistics && !train_norms(net, frozen, &names, diag)))
        return false;
    Grad g = grad_begin(net, frozen, diag);
    if (!add_loss(&g, loss, *output) || !go_back(&g) || !list_updates(&g))
        return false;
    warn_untrained(&g);
    ir_renumber(net);
    net->n_original = net->nodes.n;
    for (int i = 0; i < net->nodes.n; i++)
        net->nodes.at[i]->origin = i;
    return check_net(net, diag, "differentiation");
}
