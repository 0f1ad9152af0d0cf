/* training_parts.h: what the files that plan a training share; private to them. */
#ifndef RNC_TRAINING_PARTS_H
#define RNC_TRAINING_PARTS_H

#include "plan/plan_parts.h"
#include "plan/training.h"

#include "kernels/train/cuts.h"

/* ---- memory (training.c) ---- */

/* A piece of the arena of n floats that belongs to `node`, as a tensor of one pixel:
 * "conv1.moments". */
Operand add_piece(Plan *plan, const Node *node, const char *what, int64_t n);
Operand at_tensor(const Tensor *t); /* NULL: no operand */
/* Where a training keeps the value of a parameter of the node. */
Operand param_operand(const Plan *plan, const Node *node, Role role);
/* The value that a node of an evaluation reads: the average, where there is one. */
bool is_evaluation(const Plan *plan, const Node *node);
/* Whether step and evaluation both read the node, an input or what is made of one without
 * parameters; its steps run in both. */
bool is_shared(const Node *node);

/* The node that is result r of the operator that `node` is a result of. */
const Node *result_of(const Plan *plan, const Node *node, int r);
/* The operand that is the result r of a node's operator. */
Operand result_operand(const Plan *plan, const Node *node, int r);

/* ---- panels (packed.c) ---- */

/* Decides which parameters are kept in panels: Kept.filters and the like, Training.panels. */
void find_packed(Plan *plan);
/* The gradient of the bias that is in the panels of a gradient of filters, or NULL. */
const Node *bias_in_panels(const Plan *plan, const Node *grad);

/* ---- shards and ranks (shards.c) ---- */

/* How `images` of a rank, whose sums would best be made of `wanted` slices, are cut: slices of this
 * rank, and images of each.  No shard shares a slice with another. */
typedef struct Slices {
    int slices, slice;
} Slices;
Slices cut_slices(const Plan *plan, int images, int wanted);
/* The images of all ranks. */
int all_images(const Plan *plan, int images);
/* Makes result k of a step one that is summed over the ranks, if there are several. */
void share_sum(Plan *plan, Step *step, int k);
/* Makes out[0] of a step, n floats of each rank, one that all ranks get. */
void share_parts(const Plan *plan, Step *step, int64_t n);
/* Lets steps wait for the sums that they read. */
void find_waits(Plan *plan);

/* ---- steps ---- */

/* Groups of a convolution, its transpose or the gradient of its filters as steps compute them:
 * those of a few channels are merged until both sides have whole vectors of them, or all are one.
 */
int wide_groups(const Plan *plan, const Node *node);
/* select_filters.c: the step that merges groups of filters or, `back`, takes them apart, `merge` to
 * one; of the layer's weights or their gradient. */
void add_regroup(Plan *plan, const Node *node, int merge, Operand from, Operand to, bool back);
/* select_filters.c: the steps that pack a layer's filters for `step`, whose kernel and shape are
 * set; sets Step.filters. */
void pack_filters(Plan *plan, const Node *node, Step *step);

/* select_vectors.c: for parameters that are vectors, or have a number for each of an image's. Sets
 * Step.filters: n numbers of the weight and, with `shift`, n of the bias, from `room` on, or zeros.
 */
void pack_vectors(Plan *plan, const Node *node, int n, int room, bool shift, Step *step);
/* The step that adds the node's bias to the value of `from`, which may be the node itself, and
 * applies the node's activation. */
void add_bias(Plan *plan, const Node *node, const Node *from);
void select_norm_backward(Plan *plan, const Node *node);

/* select_over_grad.c: gradients of reductions and softmaxes over several pixels; of pad, resize and
 * blurpool. */
void select_over_backward(Plan *plan, const Node *node);
void select_sample_backward(Plan *plan, const Node *node);

/* select_grad.c: the steps of convolutions' and dense layers' gradients. */
void select_grad_weights(Plan *plan, const Node *node);
void select_grad_data(Plan *plan, const Node *node);
/* Seconds of an image's filter gradients by conv_grad_winograd, on one thread.  Smaller units of
 * such a step, with the same results; false if there are none (scratch.c). */
double grad_winograd_seconds(const Plan *plan, const rnc_grad_weights_shape *s, const rnc_knobs *t);
bool shrink_grad_winograd(Step *step);
/* The halo that the step of a CONV_TRANSPOSE that is no view reads: top, left, bottom, right. */
void grad_data_halo(const Node *node, int halo[4]);
rnc_grad_data_shape grad_data_window(const Node *node);

/* select_batchnorm.c: of batch normalisation. */
void select_batchnorm(Plan *plan, const Node *node);
/* Whether the steps of a normalisation's gradient multiply by the slope of this ACT_BACKWARD, too.
 */
bool bn_masks(const Plan *plan, const Node *slope);
void select_moves(Plan *plan); /* of all running statistics */

/* select_train.c: all other operators of a backward part, and the loss. */
bool select_train(Plan *plan, const Node *node);

/* update.c: the steps of the optimizer for the parameters whose gradient is finished when this node
 * has been computed; those that wait for all. */
void find_last_uses(Plan *plan); /* Training.last */
void add_squares(Plan *plan);    /* Training.squares */
void select_updates(Plan *plan, int node);
/* Which result of an update has the squares of the gradient; -1: none. */
int squares_result(Kernel kernel);
void select_late_updates(Plan *plan);

#endif
