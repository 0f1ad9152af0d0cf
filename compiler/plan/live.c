/* live.c: the first and the last step at which each buffer is used. */
#include "plan/training_parts.h"

static void touch(Plan *plan, int buffer, int step)
{
    Buffer *b = &plan->buffers.at[buffer];
    if (b->last < 0)
        b->first = step;
    b->last = step;
}

static void touch_operand(Plan *plan, const Operand *o, int step)
{
    if (o->kind == PLACE_ARENA)
        touch(plan, o->tensor->buffer, step);
}

/* Losses and squares are read when their stage is over. */
static void keep_losses(Plan *plan)
{
    const Training *t = plan->training;
    const int end[2] = {t->begin[STAGE_BACKWARD], t->begin[STAGES]};
    for (int i = 0; i < 2; i++) {
        if (t->losses[i].losses)
            touch(plan, t->losses[i].losses->buffer, end[i] - 1);
        if (t->losses[i].hits)
            touch(plan, t->losses[i].hits->buffer, end[i] - 1);
    }
    if (t->squares)
        touch(plan, t->squares->buffer, t->begin[STAGE_EVALUATE] - 1);
}

void find_lifetimes(Plan *plan)
{
    for (int i = 0; i < plan->buffers.n; i++)
        plan->buffers.at[i].last = -1;
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *s = &plan->steps.at[i];
        for (int k = 0; k < MOST_IN; k++)
            touch_operand(plan, &s->in[k], i);
        for (int k = 0; k < MOST_OUT; k++)
            touch_operand(plan, &s->out[k], i);
        touch_operand(plan, &s->filters, i);
        if (s->scratch >= 0)
            touch(plan, s->scratch, i);
    }
    if (plan->training)
        keep_losses(plan);
    if (!plan->options.keep_all)
        return;
    for (int i = 0; i < plan->buffers.n; i++) {
        if (plan->buffers.at[i].bare_bytes > 0) /* not scratch */
            plan->buffers.at[i].last = plan->steps.n - 1;
    }
}
