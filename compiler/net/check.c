/* check.c: checks what holds of every network at any time (check.h). */
#include "net/check.h"

#include "net/infer.h"

#include <stdlib.h>
#include <string.h>

typedef struct Verifier {
    const Net *net;
    Diag *diag;
    const char *when;
    bool ok;
} Verifier;

static void fault(Verifier *v, const char *name, const char *what)
{
    diag_internal(v->diag, "after %s: '%s' %s", v->when, name, what);
    v->ok = false;
}

static bool in_net(const Net *net, const Node *node)
{
    return node && node->id >= 0 && node->id < net->nodes.n && net->nodes.at[node->id] == node;
}

static bool check_operands(Verifier *v, const Node *node)
{
    const OpRow *row = op_row(node->op);
    if (node->op >= OP_COUNT || node->n_in < row->least || node->n_in > row->most) {
        fault(v, node->name, "has a wrong number of operands");
        return false;
    }
    for (int i = 0; i < node->n_in; i++) {
        if (!in_net(v->net, node->in[i]) || node->in[i]->id >= node->id) {
            fault(v, node->name, "has an operand that does not come before it");
            return false;
        }
    }
    return true;
}

/* Checks that the other results of the node's operator are its neighbours, in order. */
static bool check_results(Verifier *v, const Node *node)
{
    const int results = op_results(node->op, &node->attrs), first = node->id - node->attrs.result;
    bool good = node->attrs.result >= 0 && node->attrs.result < results && first >= 0 &&
                first + results <= v->net->nodes.n;
    for (int i = 0; good && results > 1 && i < results; i++) {
        const Node *other = v->net->nodes.at[first + i];
        good = other->op == node->op && other->attrs.result == i && other->n_in == node->n_in &&
               attrs_same(node->op, &node->attrs, &other->attrs) &&
               memcmp(other->in, node->in, (size_t)node->n_in * sizeof(Node *)) == 0;
    }
    if (!good)
        fault(v, node->name, "does not stand among the results of its operator");
    return good;
}

/* Whether the parameter is in the network's list and its first node is not after `node`. */
static bool listed(const Net *net, const Param *param, int node)
{
    return param->id >= 0 && param->id < net->params.n && net->params.at[param->id] == param &&
           param->first <= node;
}

/* Checks that the parameters are those of the operator's row, each with its role. */
static bool check_params(Verifier *v, const Node *node)
{
    for (int r = 0; r < P_ROLES; r++) {
        const Param *param = node->params[r];
        const bool wanted =
            r == P_SLOPE ? node->act == ACT_PRELU : op_has_param(node->op, &node->attrs, (Role)r);
        if (wanted != (param != NULL) || (param && param->role != (Role)r)) {
            fault(v, node->name, "has the wrong parameters");
            return false;
        }
        if (param && (!param->name || !param->alias || param->rank < 1 || param->rank > 4)) {
            fault(v, node->name, "has a parameter without a name or dims");
            return false;
        }
        if (param && !listed(v->net, param, node->id)) {
            fault(v, node->name, "refers to a parameter that is not in the network's list");
            return false;
        }
    }
    return true;
}

/* Checks that type and dims are what the shape rule gives for the node now. */
static void check_shapes(Verifier *v, const Node *node)
{
    Node again = *node;
    Param params[P_ROLES] = {{0}};
    for (int r = 0; r < P_ROLES; r++) {
        if (node->params[r])
            again.params[r] = &params[r];
    }
    Diag quiet = diag_new(NULL, v->diag->out.arena);
    bool same = infer_node(&again, &quiet) && type_eq(again.type, node->type);
    for (int r = 0; same && r < P_ROLES; r++)
        same = !node->params[r] || param_same_dims(node->params[r], &params[r]);
    if (!same)
        fault(v, node->name, "does not have the shape that follows from its operands");
}

static void check_fused(Verifier *v, const Node *node)
{
    if (node->act < ACT_NONE || node->act >= ACT_COUNT ||
        (node->act != ACT_NONE && !op_fuses(node->op, node->act)))
        fault(v, node->name, "has an activation that its operator cannot apply");
    if (node->origin < -1 || node->origin >= v->net->n_original)
        fault(v, node->name, "computes the value of no node of the original network");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void check_unique(Verifier *v, const char **names, int n)
{
    qsort(names, (size_t)n, sizeof *names, by_name);
    for (int i = 1; i < n; i++) {
        if (strcmp(names[i - 1], names[i]) == 0)
            fault(v, names[i], "is the name of two");
    }
}

/* Checks that each parameter is listed at its place, in the order of the nodes that first refer to
 * them. */
static void check_list(Verifier *v)
{
    const Net *net = v->net;
    const char **names = NEW_ARRAY(v->diag->out.arena, const char *, net->params.n);
    for (int i = 0; i < net->params.n; i++) {
        const Param *param = net->params.at[i];
        const bool ordered = i == 0 || net->params.at[i - 1]->first <= param->first;
        names[i] = param->name;
        if (param->id != i || param->first < 0 || param->first >= net->nodes.n || !ordered ||
            net->nodes.at[param->first]->params[param->role] != param)
            fault(v, param->name, "is not listed where its first node stands");
    }
    check_unique(v, names, net->params.n);
}

static void check_ports(Verifier *v)
{
    const Net *net = v->net;
    int *entries = NEW_ARRAY(v->diag->out.arena, int, net->nodes.n);
    for (int i = 0; i < net->inputs.n; i++) {
        const Port *port = &net->inputs.at[i];
        if (!in_net(net, port->node) || port->node->op != OP_INPUT)
            fault(v, port->name, "is an input port of no input");
        else if (port->elem != port->node->type.elem || entries[port->node->id]++)
            fault(v, port->name, "does not fit its input");
    }
    for (int i = 0; i < net->nodes.n; i++) {
        if (net->nodes.at[i]->op == OP_INPUT && !entries[i])
            fault(v, net->nodes.at[i]->name, "is an input without a port");
    }
    for (int i = 0; i < net->outputs.n; i++) {
        if (!in_net(net, net->outputs.at[i].node))
            fault(v, net->outputs.at[i].name, "is an output port of no node");
    }
    if (net->outputs.n == 0)
        fault(v, net->name, "has no output");
}

static void check_updates(Verifier *v)
{
    const Net *net = v->net;
    bool *trained = NEW_ARRAY(v->diag->out.arena, bool, net->params.n);
    for (int i = 0; i < net->updates.n; i++) {
        const Update *u = &net->updates.at[i];
        if (!in_net(net, u->node) || !listed(net, u->param, net->nodes.n)) {
            fault(v, net->name, "has an update of a parameter or by a node that is not in it");
            continue;
        }
        const bool statistic = u->param->role == P_MEAN || u->param->role == P_VARIANCE;
        if (statistic != (u->kind == UPDATE_STATISTIC) || (!statistic && trained[u->param->id]))
            fault(v, u->param->name, "has an update that does not fit its role, or two gradients");
        if (!type_eq(u->node->type, param_type(u->param)))
            fault(v, u->param->name, "has an update of another type");
        if (statistic ? !(u->rate > 0 && u->rate <= 1 && u->scale >= 1) : u->scale != 1)
            fault(v, u->param->name, "has an update with a wrong rate or scale");
        trained[u->param->id] = true;
    }
}

bool check_net(Net *net, Diag *diag, const char *when)
{
    Verifier v = {net, diag, when, true};
    Arena *arena = diag->out.arena;
    const char **names = NEW_ARRAY(arena, const char *, net->nodes.n);
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *node = net->nodes.at[i];
        names[i] = node->name;
        if (node->id != i)
            fault(&v, node->name, "is not numbered by its position");
        else if (check_operands(&v, node) && check_params(&v, node) && check_results(&v, node))
            check_shapes(&v, node);
        check_fused(&v, node);
    }
    check_unique(&v, names, net->nodes.n);
    check_list(&v);
    int n_ports = net->inputs.n + net->outputs.n;
    const char **ports = NEW_ARRAY(arena, const char *, n_ports);
    for (int i = 0; i < net->inputs.n; i++)
        ports[i] = net->inputs.at[i].name;
    for (int i = 0; i < net->outputs.n; i++)
        ports[net->inputs.n + i] = net->outputs.at[i].name;
    check_unique(&v, ports, n_ports);
    check_ports(&v);
    check_updates(&v);
    return v.ok;
}
