/* plancheck_slots.c: whether threads that compute bands side by side keep to their slots. */
#include "plan/plancheck_parts.h"

/* Checks that a buffer keeps inside the slot of a band, or outside of all slots while they are in
 * use. */
static bool fits_slots(const Plan *plan, const BandRun *r, int number, const Buffer *b)
{
    if (b->run == number)
        return b->first >= r->first && b->last < r->end && b->offset >= r->offset &&
               b->offset + b->bytes <= r->offset + r->bytes &&
               plan->steps.at[b->first].node->band == plan->steps.at[b->last].node->band;
    return b->last < r->first || b->first >= r->end || b->offset + b->bytes <= r->offset ||
           b->offset >= r->offset + r->slots * r->bytes;
}

/* Whether two operands have rows and channels of a buffer in common. */
static bool meet(const Tensor *a, const Tensor *b)
{
    const int64_t lo = a->origin - (int64_t)a->top * a->row,
                  to = b->origin - (int64_t)b->top * b->row;
    return a->buffer == b->buffer && lo < to + b->c && to < lo + a->c &&
           a->top < b->top + b->node->type.h && b->top < a->top + a->node->type.h;
}

/* Whether a step writes nothing that steps of other bands use. */
static bool keeps_to_band(const Plan *plan, const BandRun *r, const Step *step)
{
    for (int i = r->first; i < r->end; i++) {
        const Step *other = &plan->steps.at[i];
        for (int k = 0; k < MOST_OUT && other->node->band != step->node->band; k++) {
            const Tensor *to = step->out[k].tensor;
            if (!to || plan->buffers.at[to->buffer].run)
                continue;
            for (int j = 0; j < MOST_IN; j++) {
                if (other->in[j].tensor && meet(to, other->in[j].tensor))
                    return false;
            }
            for (int j = 0; j < MOST_OUT; j++) {
                if (other->out[j].tensor && meet(to, other->out[j].tensor))
                    return false;
            }
        }
    }
    return true;
}

void check_slots(PlanCheck *check)
{
    const Plan *plan = check->plan;
    for (int i = 0; i < plan->band_runs.n && check->ok; i++) {
        const BandRun *r = &plan->band_runs.at[i];
        bool ok = r->slots >= 1 && r->slots <= r->bands && r->bytes % 64 == 0;
        for (int k = 0; k < plan->buffers.n && r->slots > 1 && ok; k++)
            ok = k == r->buffer || plan->buffers.at[k].last < 0 ||
                 fits_slots(plan, r, i + 1, &plan->buffers.at[k]);
        for (int k = r->first; k < r->end && ok; k++)
            ok = plan->steps.at[k].node->band_group == i + 1 &&
                 (r->slots == 1 || keeps_to_band(plan, r, &plan->steps.at[k]));
        if (!ok) {
            check->ok = false;
            diag_internal(check->diag, "plan: bands %d have no slots of their own", i + 1);
        }
    }
}
