/* plan_parts.h: what the files that make a plan share; private to them.
 *
 * Order of the work: methods/method.c chooses methods, share.c decides which nodes share memory,
 * place.c gives layouts and buffers, select*.c the steps, live.c lifetimes, offsets.c offsets.
 */
#ifndef RNC_PLAN_PARTS_H
#define RNC_PLAN_PARTS_H

#include "base/numbers.h"
#include "plan/method.h"

/* Output channels of a weight panel: two vectors of AVX-512. */
enum { PANEL = 32 };

/* How a node's value comes about. */
typedef enum Form {
    FORM_STEP,  /* steps of its own compute it */
    FORM_INPUT, /* an input step writes it, with the node's scale and shift applied */
    FORM_FUSED, /* it has no tensor: an input that only a FORM_INPUT node reads */
    FORM_VIEW,  /* no step: its operand's memory, seen as another tensor */
} Form;

/* What share.c and place.c decide about a node, for select.c. */
typedef struct Placing {
    Form form;
    const Node *input; /* FORM_INPUT: the OP_INPUT node */
    int in_place;      /* the operand that the result is written over, or -1 */
    bool *embedded;    /* by operand: it lies where the view or the concat has it */
    int store;         /* tensors of one store share a buffer */
    int channel;       /* where it begins among the store's channels */
} Placing;

/* Tensors side by side and over one another: a buffer to be. */
typedef struct Store {
    VEC(int) nodes;
    int channels; /* with the lanes behind the last */
} Store;

typedef struct Sharing {
    Placing *placings; /* by node id */
    VEC(Store) stores; /* those merged into others have no nodes */
} Sharing;

/* share.c.  The Sharing lives in the plan's arena.  share_flat(): tries to make
 * `node`, a flatten whose operand lies in its own order, a view. */
typedef struct Sharer Sharer;
Sharer *share_nodes(const Plan *plan, Sharing **sharing);
bool share_flat(Sharer *sharer, int node);

/* ---- small questions (place.c) ---- */

/* Channels of a tensor of `c`, with the lanes behind the last. */
static inline int lanes_of(const Plan *plan, int c)
{
    return (int)round_up(c, plan->align);
}

/* Rows (axis 0) or pixels (axis 1) of zeros that a convolution's windows reach
 * in front of and behind the operand. */
void conv_reach(const Node *node, int axis, int *before, int *behind);

/* ---- arena and identity ---- */

void find_bounds(Plan *plan); /* offsets.c: lower_bound, tight_bound, limit_step */
void find_hash(Plan *plan);   /* hash.c: Plan.hash */
/* Whether two steps, with weights of the same parameters, read them packed alike (hash.c). */
bool packed_alike(const Step *a, const Step *b);

/* ---- steps ---- */

/* select.c */
Operand in_arena(const Plan *plan, const Node *node);
void set_act(const Node *node, int *act, float *alpha);
/* The packed tensor of the weights file for `step`, the next to be added: the next one, or
 * that of a step before it which reads the same parameters packed alike. */
void add_weights(Plan *plan, Step *step);
void add_step(Plan *plan, Step *step);
/* So many parts as there are pieces of work, or 1 where the work is too small
 * to be worth waking threads. */
int worth_parts(int64_t work, int64_t least, int64_t pieces);

/* select_conv.c: convolutions and dense layers, by `method`; select_move.c: concat, flatten,
 * zeropad, subsample, upsample; true if the steps apply the node's activation. */
void select_conv(Plan *plan, const Node *node, const Method *method);
bool select_move(Plan *plan, const Node *node);
/* knobs.c: tiles, parts and scratch of a step whose method and shape are set. */
void choose_tiles(const Plan *plan, Step *step);
static const Elem SCRATCH_ELEM = ELEM_F32; /* what kernels keep in scratch */

/* The largest Step.tile[].group, and the elements of a part's scratch for whichever ISA needs most.
 */
int widest_group(const Step *step);
int64_t widest_scratch(const Plan *plan, const Step *step);

/* plancheck.c: what must hold of every plan.  False after diag_internal(). */
bool plan_check(const Plan *plan, Diag *diag);

#endif
