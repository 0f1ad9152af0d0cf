/* training.c: what a training keeps in the state and where; the optimizer; which networks can be
 * trained by emitted code. */
#include "plan/training_parts.h"

#include <string.h>

/* ---- the optimizer ---- */

Optimizer optimizer_of(const Train *t)
{
    Optimizer o = {.kind = OPTIMIZER_SGD, .rate = 0.01, .accumulate = 1};
    if (!t)
        return o;
    o.kind = t->optimizer == TRAIN_SGD ? OPTIMIZER_SGD : OPTIMIZER_ADAM;
    o.rate = t->rate;
    o.momentum = t->momentum;
    o.beta1 = t->beta1;
    o.beta2 = t->beta2;
    o.epsilon = t->epsilon;
    o.nesterov = t->nesterov;
    o.keras = t->like == LIKE_KERAS;
    o.coupled = t->optimizer == TRAIN_ADAMW ? 0 : t->decay;
    o.decoupled = t->optimizer == TRAIN_ADAMW ? t->decay : 0;
    o.clip_norm = t->given[TRAIN_CLIP_NORM] ? t->clip_norm : 0;
    o.clip_value = t->given[TRAIN_CLIP_VALUE] ? t->clip_value : 0;
    o.average = t->given[TRAIN_AVERAGE] ? t->average : 0;
    o.accumulate = t->given[TRAIN_ACCUMULATE] ? t->accumulate : 1;
    return o;
}

bool optimizer_has_first(const Optimizer *o)
{
    return o->kind == OPTIMIZER_ADAM || o->momentum > 0;
}

bool optimizer_has_second(const Optimizer *o)
{
    return o->kind == OPTIMIZER_ADAM;
}

bool updates_wait(const Optimizer *o)
{
    return o->clip_norm > 0 || o->accumulate > 1;
}

bool moves_wait(const Optimizer *o)
{
    return o->clip_norm > 0 && o->accumulate == 1;
}

bool decays(const Train *train, const Param *param)
{
    for (int i = 0; train && i < train->decay_except.n; i++) {
        if (str_fits(param->name, train->decay_except.at[i]))
            return false;
    }
    return true;
}

/* ---- memory ---- */

/* A node in no network, for what is stored in a piece of memory: one pixel of n channels. */
static const Node *piece_node(Plan *plan, const char *name, int64_t n, const Place *place)
{
    Node *node = NEW(plan->arena, Node);
    *node = (Node){.op = OP_INPUT, .id = -1, .name = name, .place = place, .origin = -1};
    node->type = (Type){ELEM_F32, 1, 1, 1, (int)n};
    return node;
}

Operand at_tensor(const Tensor *t)
{
    if (!t)
        return (Operand){.kind = PLACE_NONE};
    return (Operand){.kind = t->state ? PLACE_STATE : PLACE_ARENA, .tensor = (Tensor *)t};
}

Operand add_piece(Plan *plan, const Node *node, const char *what, int64_t n)
{
    Tensor *t = NEW(plan->arena, Tensor);
    const char *name = arena_printf(plan->arena, "%s.%s", node->name, what);
    *t = (Tensor){.node = piece_node(plan, name, n, node->place),
                  .elem = ELEM_F32,
                  .buffer = plan->buffers.n,
                  .c = (int)n,
                  .pixel = (int)n,
                  .row = (int)n,
                  .image = (int)n};
    Buffer b = {.bytes = round_up(elems_bytes(ELEM_F32, n), 64), .what = name};
    b.bare_bytes = elems_bytes(ELEM_F32, n);
    VEC_PUSH(plan->arena, &plan->buffers, b);
    return at_tensor(t);
}

/* A piece of the state like a parameter.  Vectors have room for the lanes after the last. */
static Tensor *keep(Plan *plan, const Param *param, const char *what)
{
    const char *name = *what ? arena_printf(plan->arena, "%s.%s", param->name, what) : param->name;
    const int64_t n = kept_floats(plan, param);
    Tensor *t = NEW(plan->arena, Tensor);
    *t = (Tensor){.node = piece_node(plan, name, n, param->place), .elem = ELEM_F32, .buffer = -1};
    t->state = add_state(plan, name, ELEM_F32, t->node->type, round_up(n, 16));
    t->c = t->pixel = t->row = t->image = (int)n;
    return t;
}

/* Whether a step reads the parameter, or changes it. */
static bool *used_params(const Plan *plan)
{
    bool *used = NEW_ARRAY(plan->arena, bool, plan->net->params.n + 1);
    for (int i = 0; i < plan->net->nodes.n; i++) {
        for (int r = 0; r < P_ROLES; r++) {
            const Param *p = plan->net->nodes.at[i]->params[r];
            if (p && !p->fixed)
                used[p->id] = true;
        }
    }
    return used;
}

/* Which parameters have a gradient. */
static bool *trained_params(const Plan *plan)
{
    const Net *net = plan->net;
    bool *trained = NEW_ARRAY(plan->arena, bool, net->params.n + 1);
    for (int i = 0; i < net->updates.n; i++)
        trained[net->updates.at[i].param->id] |= net->updates.at[i].kind == UPDATE_GRADIENT;
    return trained;
}

static Tensor **member_of(Plan *plan, const Param *param, size_t member)
{
    return (Tensor **)(void *)((char *)&plan->training->kept[param->id] + member);
}

/* Keeps something of each parameter that is `chosen`; that of a bias in panels is that of the
 * filters. */
static void keep_kind(Plan *plan, const bool *chosen, const char *what, size_t member)
{
    for (int biases = 0; biases < 2; biases++) {
        for (int i = 0; i < plan->net->params.n; i++) {
            const Param *p = plan->net->params.at[i], *filters = plan->training->kept[i].filters;
            const bool in_panels = filters && filters != p;
            if (chosen[i] && in_panels == biases)
                *member_of(plan, p, member) =
                    in_panels ? *member_of(plan, filters, member) : keep(plan, p, what);
        }
    }
}

/* Trained parameters come first, then others, and then everything else in the order of the trained
 * ones: so moments, averages and gradients are each as far from their parameter. */
static void keep_all(Plan *plan)
{
    Training *t = plan->training;
    const bool *trained = trained_params(plan);
    bool *others = used_params(plan);
    for (int i = 0; i < plan->net->params.n; i++)
        others[i] = others[i] && !trained[i];
    keep_kind(plan, trained, "", offsetof(Kept, value));
    keep_kind(plan, others, "", offsetof(Kept, value));
    if (optimizer_has_first(&t->optimizer))
        keep_kind(plan, trained, "first", offsetof(Kept, first));
    if (optimizer_has_second(&t->optimizer))
        keep_kind(plan, trained, "second", offsetof(Kept, second));
    if (t->optimizer.average > 0)
        keep_kind(plan, trained, "average", offsetof(Kept, average));
    t->gradients_begin = plan->state_bytes;
    if (t->optimizer.accumulate > 1)
        keep_kind(plan, trained, "gradient", offsetof(Kept, gradient));
    t->gradients_end = plan->state_bytes;
}

bool is_evaluation(const Plan *plan, const Node *node)
{
    return node->id >= plan->training->step_nodes;
}

Operand param_operand(const Plan *plan, const Node *node, Role role)
{
    const Param *param = node->params[role];
    if (!param)
        return (Operand){.kind = PLACE_NONE};
    const Kept *kept = &plan->training->kept[param->id];
    return at_tensor(is_evaluation(plan, node) && kept->average ? kept->average : kept->value);
}

bool is_shared(const Node *node)
{
    if (node->op == OP_INPUT)
        return true;
    return (node->op == OP_CAST || node->op == OP_NORMALIZE) && node->act == ACT_NONE &&
           is_shared(node->in[0]);
}

const Node *result_of(const Plan *plan, const Node *node, int r)
{
    return plan->net->nodes.at[node->id - node->attrs.result + r];
}

Operand result_operand(const Plan *plan, const Node *node, int r)
{
    return operand_of(plan, result_of(plan, node, r));
}

bool is_param_like(const Node *node)
{
    while (node->op == OP_ADD)
        node = node->in[0];
    return node->op == OP_CONV_WEIGHTS || node->op == OP_DENSE_WEIGHTS ||
           (node->op == OP_NORM_BACKWARD && node->attrs.result > 0);
}

/* ---- views ---- */

int wide_groups(const Plan *plan, const Node *node)
{
    const bool weights = node->op == OP_CONV_WEIGHTS;
    if (!weights && node->op != OP_CONV && node->op != OP_CONV_TRANSPOSE)
        return 1;
    const int groups = node->attrs.groups;
    const int one = node->in[0]->type.c / groups;
    const int other = (weights ? node->in[1]->type.c : node->type.c) / groups;
    if (one == 1 && other == 1)
        return groups;
    for (int merge = 1; merge < groups; merge++) {
        if (groups % merge == 0 && (int64_t)merge * one % plan->align == 0 &&
            (int64_t)merge * other % plan->align == 0)
            return groups / merge;
    }
    return 1;
}

/* A convolution with merged groups; NULL: it is computed as it is. */
static const Node *merged_view(const Plan *plan, const Node *node)
{
    if (node->op != OP_CONV || node->params[P_WEIGHT]->fixed ||
        wide_groups(plan, node) == node->attrs.groups)
        return NULL;
    Node *view = NEW(plan->arena, Node);
    *view = *node;
    view->attrs.groups = wide_groups(plan, node);
    return view;
}

/* The transpose of a convolution with stride 1 is a convolution with the taps in reverse order, and
 * that of a dense layer a dense layer: so that methods can compute it. */
static const Node *view_of(const Plan *plan, const Node *node)
{
    const Attrs *a = &node->attrs;
    if (node->op != OP_DENSE_TRANSPOSE &&
        (node->op != OP_CONV_TRANSPOSE || a->stride[0] != 1 || a->stride[1] != 1))
        return merged_view(plan, node);
    Node *view = NEW(plan->arena, Node);
    *view = *node;
    view->op = node->op == OP_DENSE_TRANSPOSE ? OP_DENSE : OP_CONV;
    view->attrs.filters = node->type.c;
    view->attrs.groups = view->op == OP_CONV ? wide_groups(plan, node) : 1;
    view->attrs.bias = false;
    if (node->params[P_BIAS]) { /* which is added before the activation, by a step of its own */
        view->act = ACT_NONE;
        view->act_alpha = view->act_beta = 0;
    }
    for (int i = 0; i < 4 && view->op == OP_CONV; i++)
        view->attrs.padding[i] = (a->kernel[i % 2] - 1) * a->dilation[i % 2] - a->padding[i];
    return view;
}

const Node *conv_of(const Plan *plan, const Node *node)
{
    const Node *view = plan->training ? plan->training->views[node->id] : NULL;
    return view ? view : is_conv(node->op) ? node : NULL;
}

/* Rows or pixels of zeros that a gradient by filters reads around the layer's operand. */
static void weights_halo(const Node *node, int halo[4])
{
    Node layer = *node;
    layer.in = node->in + 1;
    layer.type = node->in[0]->type;
    for (int axis = 0; axis < 2; axis++)
        conv_reach(&layer, axis, &halo[axis], &halo[axis + 2]);
}

void train_halo(const Plan *plan, const Node *user, int slot, int halo[4])
{
    memset(halo, 0, 4 * sizeof *halo);
    if (user->op == OP_CONV_WEIGHTS && slot == 1)
        weights_halo(user, halo);
    if (user->op == OP_CONV_TRANSPOSE && slot == 0 && !plan->training->views[user->id])
        grad_data_halo(user, halo);
}

void begin_training(Plan *plan)
{
    Training *t = NEW(plan->arena, Training);
    plan->training = t;
    t->optimizer = optimizer_of(plan->net->train);
    const int n = plan->net->nodes.n;
    t->step_nodes = plan->net->n_step ? plan->net->n_step : n;
    t->views = NEW_ARRAY(plan->arena, const Node *, n + 1);
    for (int i = 0; i < n; i++)
        t->views[i] = view_of(plan, plan->net->nodes.at[i]);
    t->kept = NEW_ARRAY(plan->arena, Kept, plan->net->params.n + 1);
    find_packed(plan);
    keep_all(plan);
    find_last_uses(plan);
}
