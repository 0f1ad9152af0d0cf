/* select_batchnorm.c: the steps of batch normalisation in a training: statistics of the batch, the
 * normalised result, running statistics, gradients. */
#include "plan/training_parts.h"

/* Images, channels and slices; the distances of the input and of one more tensor are left out. */
static rnc_bn_shape bn_shape(const Plan *plan, const Node *node, const Node *x)
{
    const Tensor *in = plan->tensors[x->id];
    rnc_bn_shape s = {.images = x->type.n, .h = x->type.h, .w = x->type.w, .c = in->c};
    const Slices cut = cut_slices(plan, s.images, rnc_bn_slices(all_images(plan, s.images)));
    s.slices = cut.slices, s.slice = cut.slice;
    s.epsilon = (float)node->attrs.epsilon;
    s.in_pixel = in->pixel, s.in_row = in->row, s.in_image = in->image;
    return s;
}

enum { SHARED_LEAST = 16384 }; /* floats that are worth waking threads for */

/* Parts that share slices and so many vectors of channels, and those that share blocks of pixels.
 */
static int parts_of_sums(const Plan *plan, const rnc_bn_shape *s, int vectors)
{
    const int64_t all = (int64_t)s->images * s->h * s->w * s->c;
    return worth_parts(all, SHARED_LEAST, (int64_t)s->slices * div_up(s->c, vectors * plan->align));
}

static int parts_of_map(const rnc_bn_shape *s)
{
    rnc_bn_cut cut;
    rnc_cut_bn(s, -1, RNC_BN_MAPPED, &cut);
    return worth_parts((int64_t)s->images * s->h * s->w * s->c, SHARED_LEAST, cut.blocks);
}

/* The step that adds up the slices of all ranks. */
static Step join_step(const Plan *plan, const Node *node, Kernel kernel, const Step *sums)
{
    Step join = {.node = node, .kernel = kernel, .counts = COUNTS_ALL, .parts = 1};
    join.shape.bn = sums->shape.bn;
    join.shape.bn.images *= plan->options.ranks;
    join.shape.bn.slices *= plan->options.ranks;
    join.in[0] = sums->out[0];
    join.in[0].part = 0;
    return join;
}

/* Memory for two sums of each channel, in all slices of all ranks; the kernel takes so many vectors
 * at a time. */
static void set_sums(Plan *plan, const char *what, Step *step, int vectors)
{
    const rnc_bn_shape *s = &step->shape.bn;
    const int64_t n = (int64_t)s->slices * 2 * s->c;
    step->out[0] = add_piece(plan, step->node, what, n * plan->options.ranks);
    share_parts(plan, step, n);
    step->parts = parts_of_sums(plan, s, vectors);
}

/* ---- forward ---- */

static void add_moments(Plan *plan, const Node *node, const rnc_bn_shape *shape)
{
    Step step = {.node = node, .kernel = KERNEL_bn_moments, .counts = COUNTS_OWN};
    step.shape.bn = *shape;
    step.in[0] = operand_of(plan, node->in[0]);
    set_sums(plan, "moments", &step, 4);
    add_step(plan, &step);
    Step join = join_step(plan, node, KERNEL_bn_statistics, &step);
    join.out[0] = result_operand(plan, node, 1);
    join.out[1] = result_operand(plan, node, 2);
    add_step(plan, &join);
}

/* The step that normalises, by statistics that an operand or the state has. */
static void add_apply(Plan *plan, const Node *node, rnc_bn_shape s, Operand mean, Operand variance)
{
    const Tensor *out = plan->tensors[node->id];
    Step step = {.node = node, .kernel = KERNEL_bn_apply};
    step.in[0] = operand_of(plan, node->in[0]);
    const int residual = node->op == OP_BN_AGAIN ? 3 : 1;
    if (node->n_in > residual) {
        const Tensor *res = plan->tensors[node->in[residual]->id];
        step.in[1] = operand_of(plan, node->in[residual]);
        s.residual = 1;
        s.res_pixel = res->pixel, s.res_row = res->row, s.res_image = res->image;
    }
    step.in[2] = mean;
    step.in[3] = variance;
    step.in[4] = param_operand(plan, node, P_WEIGHT);
    step.in[5] = param_operand(plan, node, P_BIAS);
    step.out[0] = operand_of(plan, node);
    s.out_pixel = out->pixel, s.out_row = out->row, s.out_image = out->image;
    set_act(node, &s.act, &s.alpha, &s.beta);
    s.slices = 0;
    step.shape.bn = s;
    step.parts = parts_of_map(&s);
    add_step(plan, &step);
}

/* ---- backward ---- */

/* Sums, then the gradients of weight and bias.  store: for the gradient before the activation. */
static Operand add_sums(Plan *plan, const Node *node, const rnc_bn_shape *shape, const Operand *of,
                        Operand store)
{
    Step step = {.node = node, .kernel = KERNEL_bn_grad_sums, .counts = COUNTS_OWN};
    step.shape.bn = *shape;
    for (int i = 0; i < 7; i++)
        step.in[i] = of[i];
    set_sums(plan, "sums", &step, RNC_BN_WIDE);
    step.out[1] = store;
    add_step(plan, &step);
    Step join = join_step(plan, node, KERNEL_bn_grad_join, &step);
    join.in[1] = of[4];
    join.out[0] = result_operand(plan, node, 1);
    join.out[1] = result_operand(plan, node, 2);
    join.out[2] = add_piece(plan, node, "means", 2 * (int64_t)shape->c);
    add_step(plan, &join);
    return join.out[2];
}

static bool stored_alike(const Tensor *a, const Tensor *b)
{
    return a->state == b->state && a->buffer == b->buffer && a->origin == b->origin &&
           a->pixel == b->pixel && a->row == b->row && a->image == b->image;
}

/* The first node that reads the gradient of an activation, or NULL; *more: there are others. */
static const Node *first_reader(const Plan *plan, const Node *slope, bool *more)
{
    const Node *first = NULL;
    *more = false;
    for (int i = slope->id + 1; i < plan->training->step_nodes; i++) {
        const Node *user = plan->net->nodes.at[i];
        for (int k = 0; k < user->n_in; k++) {
            if (user->in[k] != slope || user->attrs.result > 0)
                continue;
            *more = first != NULL;
            if (*more)
                return first;
            first = user;
        }
    }
    return first;
}

static bool is_backward(const Node *node)
{
    return node->op == OP_BN_BACKWARD || node->op == OP_BN_FIXED_BACKWARD;
}

/* The normalisation whose gradient, by `node`, it is, where its result after the activation is
 * what `slope` reads, and nothing was added before that; or NULL. */
static const Node *normalised(const Node *node, const Node *slope)
{
    const Node *y = slope->in[1];
    const bool again = y->op == OP_BN_AGAIN;
    if (!again && y->op != OP_BN_TRAIN && y->op != OP_BN)
        return NULL;
    const bool same = y->in[0] == node->in[1] && (int)y->act == slope->attrs.of &&
                      y->n_in == (again ? 3 : 1) && y->params[P_WEIGHT] == node->params[P_WEIGHT] &&
                      y->attrs.epsilon == node->attrs.epsilon;
    return same ? y : NULL;
}

bool bn_masks(const Plan *plan, const Node *slope)
{
    bool more;
    const Node *user = first_reader(plan, slope, &more);
    const Tensor *to = plan->tensors[slope->id];
    return user && is_backward(user) && user->in[0] == slope && slope->op == OP_ACT_BACKWARD &&
           slope->act == ACT_NONE &&
           (slope->attrs.of == ACT_RELU || slope->attrs.of == ACT_RELU6) &&
           stored_alike(to, plan->tensors[slope->in[0]->id]) && user->type.c == slope->type.c;
}

/* Takes the gradient before the activation, with the slope at the normalised number or, where
 * that is not what the activation had, at the activation's result; then the product is stored,
 * as it is where others read it. */
static void mask(const Plan *plan, const Node *node, rnc_bn_shape *s, Operand *of, Operand *store)
{
    const Node *slope = node->in[0];
    bool more;
    if (slope->op != OP_ACT_BACKWARD || !bn_masks(plan, slope) ||
        first_reader(plan, slope, &more) != node)
        return;
    const Node *norm = normalised(node, slope);
    of[0] = operand_of(plan, slope->in[0]);
    give_act((Act)slope->attrs.of, 0, 0, &s->act, &s->alpha, &s->beta);
    if (norm && !more) {
        of[6] = param_operand(plan, norm, P_BIAS);
        return;
    }
    const Tensor *y = plan->tensors[slope->in[1]->id], *to = plan->tensors[slope->id];
    s->from_output = s->store = 1;
    s->out_pixel = y->pixel, s->out_row = y->row, s->out_image = y->image;
    s->res_pixel = to->pixel, s->res_row = to->row, s->res_image = to->image;
    of[2] = operand_of(plan, slope->in[1]);
    *store = operand_of(plan, slope);
}

/* Of bn_train and of bn with fixed statistics. */
static void select_backward(Plan *plan, const Node *node)
{
    const bool fixed = node->op == OP_BN_FIXED_BACKWARD;
    const Tensor *grad = plan->tensors[node->in[0]->id], *to = plan->tensors[node->id];
    rnc_bn_shape s = bn_shape(plan, node, node->in[1]);
    s.fixed = fixed;
    s.grad_pixel = grad->pixel, s.grad_row = grad->row, s.grad_image = grad->image;
    s.to_pixel = to->pixel, s.to_row = to->row, s.to_image = to->image;
    const Operand weight = param_operand(plan, node, P_WEIGHT);
    Operand of[7] = {operand_of(plan, node->in[0]), operand_of(plan, node->in[1])};
    of[3] = fixed ? param_operand(plan, node, P_MEAN) : operand_of(plan, node->in[2]);
    of[4] = fixed ? param_operand(plan, node, P_VARIANCE) : operand_of(plan, node->in[3]);
    of[5] = weight;
    of[6] = weight; /* the bias, which counts only where there is an activation */
    Operand store = {.kind = PLACE_NONE};
    mask(plan, node, &s, of, &store);
    const Operand means = add_sums(plan, node, &s, of, store);
    Step step = {.node = node, .kernel = KERNEL_bn_grad};
    s.slices = 0;
    if (s.store) { /* the slope is in the gradient by now */
        s.act = ACT_NONE;
        s.from_output = s.store = 0;
        of[0] = store;
        of[2] = store = (Operand){.kind = PLACE_NONE};
    }
    step.shape.bn = s;
    for (int i = 0; i < 7; i++)
        step.in[i] = of[i];
    step.in[7] = means;
    step.out[0] = operand_of(plan, node);
    step.parts = parts_of_map(&s);
    add_step(plan, &step);
}

void select_batchnorm(Plan *plan, const Node *node)
{
    if (node->attrs.result > 0)
        return; /* the steps of the first result compute it */
    if (is_backward(node)) {
        select_backward(plan, node);
        return;
    }
    const rnc_bn_shape s = bn_shape(plan, node, node->in[0]);
    if (node->op == OP_BN) {
        add_apply(plan, node, s, param_operand(plan, node, P_MEAN),
                  param_operand(plan, node, P_VARIANCE));
        return;
    }
    if (node->op == OP_BN_AGAIN) {
        add_apply(plan, node, s, operand_of(plan, node->in[1]), operand_of(plan, node->in[2]));
        return;
    }
    add_moments(plan, node, &s);
    add_apply(plan, node, s, result_operand(plan, node, 1), result_operand(plan, node, 2));
}

/* ---- running statistics ---- */

static void add_move(Plan *plan, const Update *mean, const Update *variance)
{
    const Node *norm = result_of(plan, mean->node, 0);
    const Kept *kept = plan->training->kept;
    Step step = {.node = norm, .kernel = KERNEL_bn_move, .counts = COUNTS_ALL, .parts = 1};
    rnc_bn_shape *s = &step.shape.bn;
    const Type t = norm->type;
    *s = (rnc_bn_shape){.images = t.n, .h = t.h, .w = t.w, .c = plan->tensors[norm->id]->c};
    s->momentum = (float)mean->rate;
    s->unbiased = variance->scale > 1.0;
    step.in[0] = operand_of(plan, mean->node);
    step.in[1] = operand_of(plan, variance->node);
    step.out[0] = at_tensor(kept[mean->param->id].value);
    step.out[1] = at_tensor(kept[variance->param->id].value);
    add_step(plan, &step);
}

/* A normalisation's two updates are neighbours. */
void select_moves(Plan *plan)
{
    const Net *net = plan->net;
    for (int i = 0; i + 1 < net->updates.n; i++) {
        const Update *u = &net->updates.at[i];
        if (u->kind == UPDATE_STATISTIC && u->param->role == P_MEAN)
            add_move(plan, u, u + 1);
    }
}
