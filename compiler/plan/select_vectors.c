/* select_vectors.c: steps of a training for parameters that are vectors: weights and biases of
 * scale, prelu and normalisations, which are put side by side as kernels read them each time; a
 * bias alone, which a step of its own adds; the gradients of normalisations. */
#include "plan/methods/method_parts.h"
#include "plan/training_parts.h"

#include "kernels/cuts_norm.h"

/* Copies n numbers of a parameter into a piece, from `at` on, and zeros after them up to `room`.  A
 * parameter that all channels share is copied n times. */
static void add_vector(Plan *plan, const Node *node, Role role, Operand piece, int64_t at, int n,
                       int room)
{
    const bool shared = param_elements(node->params[role]) == 1;
    Step step = {.node = node, .kernel = KERNEL_copy, .parts = 1};
    rnc_copy_shape *s = &step.shape.copy;
    *s = (rnc_copy_shape){.images = 1, .h = 1, .w = 1, .c = n, .repeat_h = 1, .repeat_w = 1};
    s->in_pixel = s->in_row = s->in_image = n;
    s->out_pixel = s->out_row = s->out_image = n;
    if (shared) {
        s->w = n, s->c = 1;
        s->in_pixel = 0, s->out_pixel = 1;
        s->zero_right = room - n;
    } else {
        s->zero_behind = room - n;
    }
    step.in[0] = param_operand(plan, node, role);
    step.out[0] = piece;
    step.out[0].shift = at;
    add_step(plan, &step);
}

void pack_vectors(Plan *plan, const Node *node, int n, int room, bool shift, Step *step)
{
    const bool bias = node->params[P_BIAS] != NULL;
    step->filters = add_piece(plan, node, "vectors", shift ? 2 * (int64_t)room : room);
    add_vector(plan, node, P_WEIGHT, step->filters, 0, n, shift && !bias ? 2 * room : room);
    if (shift && bias)
        add_vector(plan, node, P_BIAS, step->filters, room, n, room);
}

void add_bias(Plan *plan, const Node *node, const Node *from)
{
    const Type t = node->type;
    const Param *bias = node->params[P_BIAS];
    const Tensor *in = plan->tensors[from->id], *out = plan->tensors[node->id];
    Step step = {.node = node, .kernel = KERNEL_join};
    step.in[0] = operand_of(plan, from);
    step.in[1] = param_operand(plan, node, P_BIAS);
    step.out[0] = operand_of(plan, node);
    rnc_join_shape *s = &step.shape.join;
    *s = (rnc_join_shape){.images = t.n, .h = t.h, .w = t.w, .c = t.c};
    s->operation = RNC_JOIN_ADD;
    s->one_channel = param_elements(bias) == 1 && t.c > 1 ? 2 : 0;
    s->in_pixel = in->pixel, s->in_row = in->row, s->in_image = in->image;
    if (bias->rank == 3)
        s->in2_pixel = t.c, s->in2_row = t.w * t.c;
    s->out_pixel = out->pixel, s->out_row = out->row, s->out_image = out->image;
    set_act(node, &s->act, &s->alpha, &s->beta);
    step.parts = worth_parts(type_elements(t), 16384, (int64_t)t.n * t.h);
    add_step(plan, &step);
}

/* ---- gradients of normalisations ---- */

static bool is_used(const Plan *plan, const Node *node)
{
    return node_uses(plan->net, node) > 0;
}

static void set_sets(const Plan *plan, const Node *node, rnc_norm_grad_shape *s)
{
    const Attrs *a = &node->attrs;
    const Node *x = node->in[1];
    const Type t = x->type;
    const Tensor *grad = plan->tensors[node->in[0]->id], *in = plan->tensors[x->id];
    const Tensor *to = plan->tensors[node->id];
    const Param *weight = node->params[P_WEIGHT];
    *s = (rnc_norm_grad_shape){.images = t.n, .h = t.h, .w = t.w, .c = t.c};
    s->pixels = a->groups == 0;
    s->group = s->pixels ? t.c : t.c / a->groups;
    s->length = a->length;
    s->affine = !weight ? 0 : weight->rank == 3 ? 2 : 1;
    s->epsilon = (float)a->epsilon;
    s->grad_pixel = grad->pixel, s->grad_row = grad->row, s->grad_image = grad->image;
    s->in_pixel = in->pixel, s->in_row = in->row, s->in_image = in->image;
    s->to_pixel = to->pixel, s->to_row = to->row, s->to_image = to->image;
    s->each_pixel = t.c, s->each_row = t.w * t.c, s->each_image = t.h * t.w * t.c;
}

/* The gradient of a weight or a bias: what `each` has, added up. */
static void add_sums(Plan *plan, const Node *node, Operand each, const rnc_reduce_shape *how)
{
    const Tensor *out = plan->tensors[node->id];
    Step step = {.node = node, .kernel = KERNEL_reduce, .counts = COUNTS_OWN};
    rnc_reduce_shape *s = &step.shape.reduce;
    *s = *how;
    s->over_images = 1;
    s->over_pixels = node->type.h * node->type.w < how->h * how->w;
    s->slice = cut_slices(plan, how->images, 1).slice;
    s->out_pixel = out->pixel, s->out_row = out->row, s->out_image = out->image;
    step.in[0] = each;
    step.out[0] = operand_of(plan, node);
    share_sum(plan, &step, 0);
    step.parts =
        worth_parts((int64_t)how->images * how->h * how->w * how->c, 16384,
                    (int64_t)node->type.h * node->type.w * div_up(node->type.c, plan->align));
    add_step(plan, &step);
}

void select_norm_backward(Plan *plan, const Node *node)
{
    if (node->attrs.result > 0)
        return; /* the steps of the first result compute it */
    Step step = {.node = node, .kernel = KERNEL_norm_grad};
    rnc_norm_grad_shape *s = &step.shape.norm_grad;
    set_sets(plan, node, s);
    const Node *weight = s->length ? NULL : result_of(plan, node, 1);
    const Node *bias = s->length ? NULL : result_of(plan, node, 2);
    step.in[0] = operand_of(plan, node->in[0]);
    step.in[1] = operand_of(plan, node->in[1]);
    step.in[2] = param_operand(plan, node, P_WEIGHT);
    step.out[0] = operand_of(plan, node);
    if (weight && is_used(plan, weight))
        step.out[1] = add_piece(plan, node, "each", type_elements(node->type));
    const int block = rnc_norm_block(s->group, s->c);
    step.parts = worth_parts(type_elements(node->type), 4096,
                             (int64_t)s->images * (s->pixels ? s->h * s->w : div_up(s->c, block)));
    const rnc_reduce_shape of_grad = {.images = s->images,
                                      .h = s->h,
                                      .w = s->w,
                                      .c = s->c,
                                      .in_pixel = s->grad_pixel,
                                      .in_row = s->grad_row,
                                      .in_image = s->grad_image};
    rnc_reduce_shape of_each = of_grad;
    of_each.in_pixel = s->each_pixel, of_each.in_row = s->each_row;
    of_each.in_image = s->each_image;
    const Operand each = step.out[1], grad = step.in[0];
    if (bias && is_used(plan, bias)) /* before the gradient may be overwritten */
        add_sums(plan, bias, grad, &of_grad);
    add_step(plan, &step);
    if (each.kind != PLACE_NONE)
        add_sums(plan, weight, each, &of_each);
}
