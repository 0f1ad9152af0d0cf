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

/* How a node's value is computed. */
typedef enum Form {
    FORM_STEP,  /* its own steps compute it */
    FORM_INPUT, /* an input step writes it, with the node's scale and shift applied */
    FORM_FUSED, /* an input without a tensor, since only a FORM_INPUT node reads it */
    FORM_VIEW,  /* it has no step: it is its operand's memory, seen as another tensor */
} Form;

/* What share.c and place.c decide about a node, for select.c. */
typedef struct Placing {
    Form form;
    const Node *input; /* FORM_INPUT: the OP_INPUT node */
    int in_place;      /* the operand that the result overwrites, or -1 */
    bool *embedded;    /* by operand: it is stored where the view or the concat has it */
    int store;         /* tensors of one store share a buffer */
    int channel, row;  /* the first of the store's channels and rows that it has */
} Placing;

/* Tensors that will share a buffer, side by side or one overwriting another. */
typedef struct Store {
    VEC(int) nodes;
    int channels; /* with the lanes after the last */
    int rows;
    int group, band; /* whose nodes it has (bands.h); -1: of several bands, or others, too */
} Store;

typedef struct Sharing {
    Placing *placings; /* by node id */
    VEC(Store) stores; /* those merged into others have no nodes */
} Sharing;

/* share.c.  The Sharing is allocated in the plan's arena.  share_flat() tries to make `node` a
 * view; it must be a flatten in the order in which its operand is stored. */
typedef struct Sharer Sharer;
Sharer *share_nodes(const Plan *plan, Sharing **sharing);
bool share_flat(Sharer *sharer, int node);

/* ---- small questions (place.c) ---- */

/* Channels of a tensor with `c` of them, counting the lanes after the last. */
static inline int lanes_of(const Plan *plan, int c)
{
    return (int)round_up(c, plan->align);
}

/* Rows (axis 0) or pixels (axis 1) of zeros that a convolution's windows reach before and after
 * the operand. */
void conv_reach(const Node *node, int axis, int *before, int *behind);
/* The zeros that `user` reads around its operand `slot`: top, left, bottom, right. */
void halo_read(const Plan *plan, const Node *user, int slot, int halo[4]);

/* ---- training (training.c) ---- */

/* Sets Plan.training: the state, the optimizer and the views; before choose_methods(). */
void begin_training(Plan *plan);
/* The convolution or dense layer that methods see in a node: itself, its view, or NULL. */
const Node *conv_of(const Plan *plan, const Node *node);
/* Whether the node's value has the order of a parameter: it is a gradient of filters. */
bool is_param_like(const Node *node);
/* The zeros that `user`, a node of a training, reads around its operand `slot`: top, left, bottom,
 * right. */
void train_halo(const Plan *plan, const Node *user, int slot, int halo[4]);

/* ---- state ---- */

/* Adds a piece to the plan's state (place.c), which steps can have as operands: `elements` of it,
 * with halo and pitch if it has them.  `name` must be unique among the states; `type` is what it
 * holds.  What must not be kept for each turn of a batch needs a plan of one turn. */
State *add_state(Plan *plan, const char *name, Elem elem, Type type, int64_t elements);

/* ---- arena and identity ---- */

void find_bounds(Plan *plan); /* offsets.c: lower_bound, tight_bound, limit_step */
/* offsets.c: places what is in a slot of a run of bands, whose number is counted from 1, from the
 * slot's beginning on; returns the slot's bytes. */
int64_t place_in_slot(Plan *plan, int run);
void find_hash(Plan *plan); /* hash.c: Plan.hash, Plan.layout */
/* Whether two steps that have the same parameters also read them in the same packed form (hash.c).
 */
bool packed_alike(const Step *a, const Step *b);

/* ---- steps ---- */

/* select.c: where the node's value is, as an operand. */
Operand operand_of(const Plan *plan, const Node *node);
/* An activation and its numbers as kernels take them. */
void give_act(Act act, double alpha, double beta, int *to, float *to_alpha, float *to_beta);
void set_act(const Node *node, int *act, float *alpha, float *beta);
/* Sets the packed tensor of `step`, which is the next step to be added.  It is a new tensor of the
 * weights file, unless an earlier step reads the same parameters in the same packed form: then it
 * is that step's. */
void add_weights(Plan *plan, Step *step);
void add_step(Plan *plan, Step *step);
/* A step that applies the node's fused activation to its tensor in place, if it has one. */
void select_act(Plan *plan, const Node *node);
/* As many parts as there are pieces of work, or so many that each has the same few pieces if they
 * are more than 256; 1 if the work is too small to be worth waking threads. */
int worth_parts(int64_t work, int64_t least, int64_t pieces);

/* select_move.c: a step that copies each of the operand's pixels to the node's pixel at the same
 * position, and how it is added. */
Step copy_step(const Plan *plan, const Node *node, const Node *operand);
void add_copy_step(Plan *plan, Step *step);

/* select_sample.c: the steps of pad, resize and what moves blocks of pixels or channels. */
void select_sample(Plan *plan, const Node *node);
/* select_conv.c makes the steps of convolutions and dense layers, by `method`.  select_move.c
 * makes those of concat, split, flatten, crop, zeropad, interleave, subsample, upsample, delay and
 * history; it returns true if these steps apply the node's activation. */
void select_conv(Plan *plan, const Node *node, const Method *method);
/* Returns true if the step applies the node's activation as well. */
bool select_over(Plan *plan, const Node *node);
void select_norm(Plan *plan, const Node *node);
bool select_move(Plan *plan, const Node *node);
/* select_halo.c: Step.clear_halo and halo of all steps. */
void clear_halos(Plan *plan);
/* The step that a node would have with a method, its operands staying where they are; it is not
 * added to the plan. */
Step plan_step_by(const Plan *plan, const Node *node, const Method *method);
/* knobs.c: tiles, parts and scratch of a step whose method and shape are set. */
/* shards.c: a convolution's or dense layer's step with the images of one shard of a training. Tiles
 * are chosen for these, since some round differently, and the same shard must have the same bits in
 * any rank. */
Step shard_step(const Plan *plan, const Step *step);
void choose_tiles(const Plan *plan, Step *step);
static const Elem SCRATCH_ELEM = ELEM_F32; /* what kernels keep in scratch */

/* The largest Step.knobs[].group, and the elements of a part's scratch for whichever ISA needs
 * most.
 */
int widest_group(const Step *step);
int64_t widest_scratch(const Plan *plan, const Step *step);

/* plancheck.c: what must hold of every plan.  False after diag_internal(). */
bool plan_check(const Plan *plan, Diag *diag);

#endif
