/* bands_run.c: the steps of each group of layers by bands, and what is in their slots.
 *
 * Where the plan is for several threads, a slot has the tensors and the scratch that are used only
 * by the steps of a band.  All bands use the slot in turn, so that its buffers are placed as if the
 * bands followed one another; what threads need besides are copies of the slot. */
#include "plan/plan_parts.h"

/* Slots are whole cache lines, and pairs of them, which some caches fetch together. */
enum { SLOT_ALIGN = 128 };

static int slots_of(const Plan *plan, int bands)
{
    if (!plan->threads_asked || plan->options.keep_all)
        return 1;
    return bands < plan->options.threads ? bands : plan->options.threads;
}

/* Moves the buffers that only the run's steps use into its slots. */
static void make_slots(Plan *plan, BandRun *r, int number)
{
    int64_t most = 0;
    Buffer slots = {.first = r->first, .last = r->end - 1};
    for (int i = 0; i < plan->buffers.n; i++) {
        Buffer *b = &plan->buffers.at[i];
        if (b->last < 0 || b->first < r->first || b->last >= r->end ||
            plan->steps.at[b->first].node->band != plan->steps.at[b->last].node->band)
            continue;
        b->run = number;
        if (b->bytes > most) {
            most = b->bytes;
            slots.what = b->what;
        }
    }
    r->bytes = round_up(place_in_slot(plan, number), SLOT_ALIGN);
    r->buffer = plan->buffers.n;
    slots.bytes = r->slots * r->bytes;
    VEC_PUSH(plan->arena, &plan->buffers, slots);
}

void find_band_runs(Plan *plan)
{
    for (int i = 0; i < plan->steps.n; i++) {
        const Node *node = plan->steps.at[i].node;
        if (node->band_group > plan->band_runs.n) {
            const BandRun run = {.first = i, .buffer = -1};
            VEC_PUSH(plan->arena, &plan->band_runs, run);
        }
        if (node->band_group) {
            BandRun *r = &plan->band_runs.at[node->band_group - 1];
            r->end = i + 1;
            r->bands = node->band + 1;
        }
    }
    for (int i = 0; i < plan->band_runs.n; i++) {
        BandRun *r = &plan->band_runs.at[i];
        r->slots = slots_of(plan, r->bands);
        if (r->slots > 1)
            make_slots(plan, r, i + 1);
    }
}
