/* update.c: the steps of the optimizer.  A parameter is updated as soon as its gradient is finished
 * and no step reads its value any more; after all gradients, where their norm or several batches
 * must be waited for, or with several ranks, whose sums go on during the backward part. */
#include "plan/training_parts.h"

static Step update_step(const Update *u, Kernel kernel, int64_t n)
{
    Step step = {.node = u->node, .kernel = kernel};
    step.shape.update = (rnc_update_shape){.floats = (int)n};
    step.parts = worth_parts(n, 32768, div_up(n, kernel == KERNEL_average ? 16 : RNC_SQUARES));
    return step;
}

int64_t count_squares(const Plan *plan, const Param *param)
{
    return div_up(kept_floats(plan, param), RNC_SQUARES);
}

int squares_result(Kernel kernel)
{
    return kernel == KERNEL_adam         ? 3
           : kernel == KERNEL_sgd        ? 2
           : kernel == KERNEL_square_sum ? 0
                                         : -1;
}

/* Lets a step write the squares of the gradient that it reads. */
static void write_squares(const Plan *plan, const Update *u, Step *step)
{
    Operand *to = &step->out[squares_result(step->kernel)];
    *to = at_tensor(plan->training->squares);
    for (const Update *before = plan->net->updates.at; before != u; before++) {
        if (is_updated_alone(plan, before))
            to->shift += count_squares(plan, before->param);
    }
}

static void set_optimizer(const Optimizer *o, bool decays, rnc_update_shape *s)
{
    s->limit = (float)o->clip_value;
    s->coupled = decays ? (float)o->coupled : 0.0f;
    if (o->kind == OPTIMIZER_SGD) {
        s->beta1 = (float)o->momentum;
        s->nesterov = o->nesterov;
        s->rate_inside = o->keras;
        return;
    }
    s->beta1 = (float)o->beta1, s->rest1 = (float)(1.0 - o->beta1);
    s->beta2 = (float)o->beta2, s->rest2 = (float)(1.0 - o->beta2);
    s->epsilon = (float)o->epsilon;
}

/* Where the gradient is that the optimizer takes. */
static Operand gradient_of(const Plan *plan, const Update *u)
{
    const Kept *kept = &plan->training->kept[u->param->id];
    return kept->gradient ? at_tensor(kept->gradient) : operand_of(plan, u->node);
}

static void add_update(Plan *plan, const Update *u)
{
    const Optimizer *o = &plan->training->optimizer;
    const Kept *kept = &plan->training->kept[u->param->id];
    const bool decay = decays(plan->net->train, u->param);
    const int64_t n = kept_floats(plan, u->param);
    Step step = update_step(u, o->kind == OPTIMIZER_SGD ? KERNEL_sgd : KERNEL_adam, n);
    set_optimizer(o, decay, &step.shape.update);
    step.in[0] = gradient_of(plan, u);
    step.in[1] = (Operand){.kind = PLACE_RATES, .port = decay ? RATES_DECAY : RATES_PLAIN};
    step.out[0] = at_tensor(kept->value);
    step.out[1] = at_tensor(kept->first);
    step.out[2] = at_tensor(kept->second);
    if (o->clip_norm == 0)
        write_squares(plan, u, &step);
    add_step(plan, &step);
    if (!kept->average)
        return;
    Step mean = update_step(u, KERNEL_average, n);
    mean.shape.update.beta1 = (float)o->average;
    mean.shape.update.rest1 = (float)(1.0 - o->average);
    mean.in[0] = at_tensor(kept->value);
    mean.out[0] = at_tensor(kept->average);
    add_step(plan, &mean);
}

/* The last node of the step that reads the parameter or its gradient's node. */
static int last_use(const Plan *plan, const Update *u)
{
    int last = u->node->id;
    for (int i = plan->training->step_nodes - 1; i > last; i--) {
        const Node *node = plan->net->nodes.at[i];
        for (int r = 0; r < P_ROLES; r++) {
            if (node->params[r] == u->param)
                return i;
        }
        if (node->id - node->attrs.result == u->node->id - u->node->attrs.result &&
            node->op == u->node->op)
            return i;
    }
    return last;
}

void find_last_uses(Plan *plan)
{
    Training *t = plan->training;
    t->last = NEW_ARRAY(plan->arena, int, plan->net->updates.n + 1);
    for (int i = 0; i < plan->net->updates.n; i++)
        t->last[i] =
            plan->options.ranks > 1 ? t->step_nodes - 1 : last_use(plan, &plan->net->updates.at[i]);
}

static void add_accumulation(Plan *plan, const Update *u)
{
    Step step = update_step(u, KERNEL_accumulate, kept_floats(plan, u->param));
    step.in[0] = operand_of(plan, u->node);
    step.out[0] = at_tensor(plan->training->kept[u->param->id].gradient);
    add_step(plan, &step);
}

void select_updates(Plan *plan, int node)
{
    const Training *t = plan->training;
    const int n = plan->net->updates.n;
    for (int k = 0; k < n; k++) {
        /* Of several ranks in the order in which their sums end. */
        const int i = plan->options.ranks > 1 ? n - 1 - k : k;
        const Update *u = &plan->net->updates.at[i];
        if (!is_updated_alone(plan, u) || t->last[i] != node)
            continue;
        if (t->kept[u->param->id].gradient)
            add_accumulation(plan, u);
        else if (!updates_wait(&t->optimizer))
            add_update(plan, u);
    }
}

void add_squares(Plan *plan)
{
    Training *t = plan->training;
    const Net *net = plan->net;
    t->n_squares = 0;
    for (int i = 0; i < net->updates.n; i++) {
        if (is_updated_alone(plan, &net->updates.at[i]))
            t->n_squares += count_squares(plan, net->updates.at[i].param);
    }
    if (t->n_squares > 0)
        t->squares = add_piece(plan, net->updates.at[0].node, "squares", t->n_squares).tensor;
}

/* The steps that add the squares of all gradients' elements where updates wait for the norm. */
static void select_squares(Plan *plan)
{
    for (int i = 0; i < plan->net->updates.n; i++) {
        const Update *u = &plan->net->updates.at[i];
        if (!is_updated_alone(plan, u))
            continue;
        Step step = update_step(u, KERNEL_square_sum, kept_floats(plan, u->param));
        step.in[0] = gradient_of(plan, u);
        write_squares(plan, u, &step);
        add_step(plan, &step);
    }
}

void select_late_updates(Plan *plan)
{
    Training *t = plan->training;
    if (t->optimizer.clip_norm > 0)
        select_squares(plan);
    t->begin[STAGE_UPDATE] = plan->steps.n;
    if (moves_wait(&t->optimizer))
        select_moves(plan);
    for (int i = 0; i < plan->net->updates.n && updates_wait(&t->optimizer); i++) {
        if (is_updated_alone(plan, &plan->net->updates.at[i]))
            add_update(plan, &plan->net->updates.at[i]);
    }
}
