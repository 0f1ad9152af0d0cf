/* shards.c: how a training's sums over the batch are cut, so that several ranks compute the bits of
 * one, and what ranks tell each other.
 *
 * A batch is cut into shards of equally many images, each into one slice or several; sums are made
 * for each slice and added in a binary tree over all of them.  A rank has neighbouring shards, a
 * power of two of them, and so a whole subtree: it adds that, and the ranks' sums are added by the
 * rest of the tree (train/ranks.c).  Batch normalisation's sums are gathered before they are added,
 * since their moments are no plain sums.
 */
#include "plan/training_parts.h"

int all_images(const Plan *plan, int images)
{
    return images * plan->options.ranks;
}

Slices cut_slices(const Plan *plan, int images, int wanted)
{
    const PlanOptions *o = &plan->options;
    const int all = all_images(plan, images);
    int n = o->shards;
    if (n == 1) {
        const int slice = (int)div_up(images, wanted);
        return (Slices){(int)div_up(images, slice), slice};
    }
    while (2 * n <= wanted && all % (2 * n) == 0)
        n *= 2;
    return (Slices){n / o->ranks, all / n};
}

Step shard_step(const Plan *plan, const Step *step)
{
    Step shard = *step;
    int *images = kernel_rows[step->kernel].family == FAMILY_dense ? &shard.shape.dense.images
                                                                   : &shard.shape.conv.images;
    if (plan->options.shards > 1)
        *images = all_images(plan, *images) / plan->options.shards;
    return shard;
}

void share_sum(Plan *plan, Step *step, int k)
{
    if (plan->options.ranks > 1)
        step->sums[k] = ++plan->training->n_sums;
}

void share_parts(const Plan *plan, Step *step, int64_t n)
{
    if (plan->options.ranks == 1)
        return;
    step->gathers = elems_bytes(ELEM_F32, n);
    step->out[0].part = step->gathers;
}

/* The sum that was begun last in the buffer, or 0. */
static int sum_in(const Plan *plan, int step, const Operand *o)
{
    for (int i = step - 1; i >= 0 && o->kind == PLACE_ARENA; i--) {
        const Step *s = &plan->steps.at[i];
        for (int k = 0; k < MOST_OUT; k++) {
            if (s->out[k].kind == PLACE_ARENA && s->out[k].tensor->buffer == o->tensor->buffer)
                return s->sums[k];
        }
    }
    return 0;
}

void find_waits(Plan *plan)
{
    bool *done = NEW_ARRAY(plan->arena, bool, plan->training->n_sums + 1);
    for (int i = 0; i < plan->steps.n && plan->training->n_sums > 0; i++) {
        Step *step = &plan->steps.at[i];
        for (int k = 0; k < MOST_IN; k++) {
            const int sum = sum_in(plan, i, &step->in[k]);
            step->waits[k] = done[sum] ? 0 : sum;
            done[sum] = true;
        }
    }
}
