/* packed.c: which parameters a training keeps in panels: the filters and biases of convolutions
 * with one group and whole vectors of output channels.  Panels are what gradients of filters are
 * computed as and what convolutions read (`panels` of packings.def), so that the steps between them
 * have nothing to put into another order; the optimizer works on them number by number.
 *
 * The choice is part of the order of the state.  So it depends on the network and on what trains
 * it, but on no machine, batch or method. */
#include "plan/training_parts.h"

#include "runtime/rnctrain.h"

_Static_assert((int)PANEL == (int)RNC_TRAIN_PANEL, "the runtime knows the panels of a state");

/* What nodes do with a parameter. */
typedef struct Use {
    bool elsewhere;       /* something reads it that cannot read panels */
    const Param *partner; /* of filters the bias beside them, of a bias the filters; or NULL */
    bool seen;            /* `partner` is known */
    const Node *gradient; /* of its update, or NULL */
} Use;

/* Notes the partner; another one than before cannot be. */
static void pair(Use *use, const Param *partner)
{
    use->elsewhere = use->elsewhere || (use->seen && use->partner != partner);
    use->partner = partner;
    use->seen = true;
}

static void note_node(Use *uses, const Node *node)
{
    const Param *weight = node->params[P_WEIGHT], *bias = node->params[P_BIAS];
    const bool one = (node->op == OP_CONV || (node->op == OP_CONV_TRANSPOSE && !bias)) &&
                     node->attrs.groups == 1;
    for (int r = 0; r < P_ROLES; r++) {
        if (node->params[r] && !(one && (r == P_WEIGHT || r == P_BIAS)))
            uses[node->params[r]->id].elsewhere = true;
    }
    if (node->op == OP_CONV && weight)
        pair(&uses[weight->id], bias);
    if (node->op == OP_CONV && weight && bias)
        pair(&uses[bias->id], weight);
}

static Use *find_uses(const Plan *plan)
{
    const Net *net = plan->net;
    Use *uses = NEW_ARRAY(plan->arena, Use, net->params.n + 1);
    for (int i = 0; i < net->nodes.n; i++)
        note_node(uses, net->nodes.at[i]);
    for (int i = 0; i < net->updates.n; i++) {
        if (net->updates.at[i].kind == UPDATE_GRADIENT)
            uses[net->updates.at[i].param->id].gradient = net->updates.at[i].node;
    }
    return uses;
}

/* A convolution's filters of whole vectors of channels, whose gradient, if there is one, is that of
 * a single layer. */
static bool is_filters(const Plan *plan, const Param *p, const Use *use)
{
    enum { LANES = 16 }; /* of the widest ISA, whichever the step is for */
    const Node *grad = use->gradient;
    return p->role == P_WEIGHT && p->rank == 4 && !p->fixed && use->seen && !use->elsewhere &&
           plan->net->nodes.at[p->first]->op == OP_CONV && p->dims[0] % LANES == 0 &&
           (!grad || (grad->op == OP_CONV_WEIGHTS && grad->attrs.groups == 1));
}

/* Whether Adam leaves zeros as they are: 0 / 0 is none. */
static bool keeps_zeros(const Plan *plan)
{
    const Optimizer *o = &plan->training->optimizer;
    return o->kind != OPTIMIZER_ADAM || (float)o->epsilon > 0.0f;
}

static bool is_sum_of(const Node *sum, const Node *grad)
{
    const Attrs *a = &sum->attrs;
    return sum->op == OP_SUM && sum->in[0] == grad->in[0] && a->images && a->pixels && !a->channels;
}

/* Whether the optimizer treats the bias as the filters: one step updates both. */
static bool is_bias_of(const Plan *plan, const Param *bias, const Param *filters, const Use *uses)
{
    const Optimizer *o = &plan->training->optimizer;
    const Train *train = plan->net->train;
    const Node *grad = uses[filters->id].gradient, *sum = uses[bias->id].gradient;
    const bool decay = o->coupled > 0 || o->decoupled > 0;
    return bias->rank == 1 && bias->dims[0] == filters->dims[0] && !bias->fixed &&
           !uses[bias->id].elsewhere && !grad == !sum && (!grad || is_sum_of(sum, grad)) &&
           (!decay || decays(train, bias) == decays(train, filters));
}

/* Lets a parameter have rows of panels, from `row` on. */
static void take_rows(Plan *plan, const Param *p, const Param *filters, int row, const Node *grad)
{
    Kept *kept = &plan->training->kept[p->id];
    kept->filters = filters;
    kept->rows = (int)(param_elements(filters) / filters->dims[0]) + 1;
    kept->row = row;
    if (grad)
        plan->training->panels[grad->id] = filters;
}

void find_packed(Plan *plan)
{
    const Net *net = plan->net;
    const Use *uses = find_uses(plan);
    plan->training->panels = NEW_ARRAY(plan->arena, const Param *, net->nodes.n + 1);
    for (int i = 0; i < net->params.n; i++) {
        const Param *p = net->params.at[i], *bias = uses[i].partner;
        if (!is_filters(plan, p, &uses[i]) ||
            (bias ? !is_bias_of(plan, bias, p, uses) : uses[i].gradient && !keeps_zeros(plan)))
            continue;
        take_rows(plan, p, p, 1, uses[i].gradient);
        plan->training->kept[i].bare = !bias;
        if (bias)
            take_rows(plan, bias, p, 0, uses[bias->id].gradient);
    }
}

/* ---- small questions ---- */

int64_t kept_floats(const Plan *plan, const Param *param)
{
    const Kept *kept = &plan->training->kept[param->id];
    return kept->filters ? (int64_t)kept->rows * kept->filters->dims[0] : param_elements(param);
}

bool is_updated_alone(const Plan *plan, const Update *u)
{
    const Kept *kept = &plan->training->kept[u->param->id];
    return u->kind == UPDATE_GRADIENT && (!kept->filters || kept->filters == u->param);
}

int64_t gradient_floats(const Plan *plan, const Node *node)
{
    const Param *filters = plan->training->panels[node->id];
    return filters ? kept_floats(plan, filters) : type_elements(node->type);
}

const Node *bias_in_panels(const Plan *plan, const Node *grad)
{
    const Param *filters = plan->training->panels[grad->id];
    for (int i = 0; i < plan->net->updates.n; i++) {
        const Update *u = &plan->net->updates.at[i];
        if (u->node != grad && plan->training->panels[u->node->id] == filters)
            return u->node;
    }
    return NULL;
}
