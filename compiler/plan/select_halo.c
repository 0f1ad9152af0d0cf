/* select_halo.c: which steps clear what is around their results. */
#include "plan/training_parts.h"

/* Channels lo .. hi-1 of rows top .. bottom-1, with their halo, that have zeros around them. */
typedef struct Cleared {
    int lo, hi, top, bottom;
} Cleared;
typedef VEC(Cleared) ClearedList;

/* The first step that writes certain rows and channels of a buffer clears what is around them;
 * later steps that write there need not.  Around tensors of the state there are zeros from the
 * beginning, since no step writes there. */
static void clear_halo(Plan *plan, Step *step, int result, ClearedList *lists)
{
    const Operand *o = &step->out[result];
    const Tensor *t = o->kind == PLACE_ARENA ? o->tensor : NULL;
    if (!t || (!t->halo[0] && !t->halo[1] && !t->halo[2] && !t->halo[3]))
        return;
    const int64_t corner = (int64_t)t->top * t->row + (int64_t)t->halo[1] * t->pixel;
    ClearedList *list = &lists[t->buffer];
    Cleared c = {.lo = (int)(t->origin - corner)};
    c.hi = c.lo + t->c;
    c.top = t->top - t->halo[0];
    c.bottom = t->top + t->node->type.h + t->halo[2];
    for (int j = 0; j < list->n; j++) {
        const Cleared *z = &list->at[j];
        if (z->lo <= c.lo && c.hi <= z->hi && z->top <= c.top && c.bottom <= z->bottom)
            return;
    }
    VEC_PUSH(plan->arena, list, c);
    step->clear_halo |= 1u << result;
    step->halo[result] =
        (rnc_halo_shape){t->node->type.n, t->node->type.h, t->node->type.w, t->c,     t->halo[0],
                         t->halo[1],      t->halo[2],      t->halo[3],      t->pixel, t->row,
                         t->image,        (int)o->shift,   result};
}

/* An evaluation begins with an arena that has nothing, not even what a step has cleared. */
void clear_halos(Plan *plan)
{
    const Training *t = plan->training;
    ClearedList *lists = NEW_ARRAY(plan->arena, ClearedList, plan->buffers.n + 1);
    for (int i = 0; i < plan->steps.n; i++) {
        for (int b = 0; t && i == t->begin[STAGE_EVALUATE] && b < plan->buffers.n; b++)
            lists[b].n = 0;
        for (int k = 0; k < MOST_OUT; k++)
            clear_halo(plan, &plan->steps.at[i], k, lists);
    }
}
