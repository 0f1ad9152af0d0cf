/* function.c: which steps share a function of the emitted C: those that differ only in addresses.
 */
#include "plan/plan_parts.h"

#include <string.h>

static bool same_function(const Step *a, const Step *b)
{
    const size_t bytes = shape_rows[kernel_rows[a->kernel].family].bytes;
    return a->kernel == b->kernel && memcmp(&a->shape, &b->shape, bytes) == 0 &&
           memcmp(a->knobs, b->knobs, sizeof a->knobs) == 0 && a->clear_halo == b->clear_halo &&
           memcmp(a->halo, b->halo, sizeof a->halo) == 0;
}

/* Hashes kernel and shape: steps that share a function have the same hash. */
static uint64_t hash_step(const Step *step)
{
    const size_t bytes = shape_rows[kernel_rows[step->kernel].family].bytes;
    const uint64_t hash = hash_bytes(HASH_START ^ (uint64_t)step->kernel, &step->shape, bytes);
    return hash ^ hash >> 32;
}

void share_functions(Plan *plan)
{
    size_t slots = 16;
    while (slots < 2 * (size_t)plan->steps.n)
        slots *= 2;
    int *first = NEW_ARRAY(plan->arena, int, slots); /* by hash: a step's index + 1; 0: none */
    for (int i = 0; i < plan->steps.n; i++) {
        Step *step = &plan->steps.at[i];
        size_t slot = hash_step(step) & (slots - 1);
        while (first[slot] && !same_function(step, &plan->steps.at[first[slot] - 1]))
            slot = (slot + 1) & (slots - 1);
        if (!first[slot])
            first[slot] = i + 1;
        step->function = first[slot] - 1;
    }
}
