/* select_train.c: the steps of a training's loss, and of the gradients of operators that have
 * neither filters nor statistics. */
#include "plan/training_parts.h"

enum { SHARED_LEAST = 16384 }; /* floats that are worth waking threads for */

static int rows_parts(Type t)
{
    return worth_parts(type_elements(t), SHARED_LEAST, (int64_t)t.n * t.h);
}

/* ---- the loss ---- */

/* Where the labels are, or the target. */
static Operand answers(const Plan *plan, const Node *node, int *port)
{
    const Node *in = node->in[1];
    for (*port = 0; *port < plan->net->inputs.n; (*port)++) {
        if (plan->net->inputs.at[*port].node == in)
            break;
    }
    if (node->op == OP_CROSS_ENTROPY)
        return (Operand){.kind = PLACE_INPUT, .port = *port};
    return operand_of(plan, in);
}

/* The loss of each image and its gradient, with each pixel as an image if there are several; in the
 * evaluation nobody reads the gradient. */
static void select_loss(Plan *plan, const Node *node)
{
    if (node->attrs.result > 0)
        return;
    const bool cross = node->op == OP_CROSS_ENTROPY;
    const Node *value = node->in[0];
    const Type t = value->type;
    const Tensor *in = plan->tensors[value->id];
    const int each = t.h * t.w;
    Losses *l = &plan->training->losses[is_evaluation(plan, node)];
    Step step = {.node = node, .kernel = cross ? KERNEL_softmax_loss : KERNEL_square_loss};
    step.counts = COUNTS_OWN;
    rnc_loss_shape *s = &step.shape.loss;
    *s =
        (rnc_loss_shape){.images = t.n * each, .c = t.c, .smoothing = (float)node->attrs.smoothing};
    s->each = each;
    s->scale = (float)(1.0 / ((double)all_images(plan, t.n) * each));
    s->in_image = in->pixel;
    step.in[0] = operand_of(plan, value);
    step.in[1] = answers(plan, node, &l->port);
    step.out[0] = result_operand(plan, node, 1);
    s->grad_image = step.out[0].tensor->pixel;
    step.out[1] = add_piece(plan, node, "losses", (int64_t)t.n * each);
    if (cross)
        step.out[2] = add_piece(plan, node, "hits", (int64_t)t.n * each);
    step.parts = worth_parts(type_elements(t), 4096, (int64_t)t.n * each);
    add_step(plan, &step);
    l->index = plan->steps.n - 1;
    l->losses = step.out[1].tensor;
    l->hits = step.out[2].tensor;
    l->each = each;
}

/* ---- element by element ---- */

static void select_act_backward(Plan *plan, const Node *node)
{
    const Tensor *grad = plan->tensors[node->in[0]->id], *at = plan->tensors[node->in[1]->id];
    const Tensor *out = plan->tensors[node->id];
    const Type t = node->type;
    const bool softmax = node->op == OP_SOFTMAX_BACKWARD;
    Step step = {.node = node, .kernel = softmax ? KERNEL_softmax_grad : KERNEL_act_grad};
    rnc_act_grad_shape *s = &step.shape.act_grad;
    *s = (rnc_act_grad_shape){.images = t.n, .h = t.h, .w = t.w, .c = softmax ? t.c : out->c};
    if (!softmax) {
        give_act((Act)node->attrs.of, node->attrs.alpha, node->attrs.beta, &s->act, &s->alpha,
                 &s->beta);
        s->result = s->act == ACT_SIGMOID || s->act == ACT_TANH;
    }
    s->grad_pixel = grad->pixel, s->grad_row = grad->row, s->grad_image = grad->image;
    s->at_pixel = at->pixel, s->at_row = at->row, s->at_image = at->image;
    s->out_pixel = out->pixel, s->out_row = out->row, s->out_image = out->image;
    step.in[0] = operand_of(plan, node->in[0]);
    step.in[1] = operand_of(plan, node->in[1]);
    step.out[0] = operand_of(plan, node);
    step.parts = rows_parts(t);
    add_step(plan, &step);
}

/* ---- pools ---- */

/* Distances of the output's gradient and of the result. */
static rnc_pool_grad_shape pool_shape(const Plan *plan, const Node *node)
{
    const Type out = node->in[0]->type, in = node->type;
    const Tensor *grad = plan->tensors[node->in[0]->id], *to = plan->tensors[node->id];
    rnc_pool_grad_shape s = {.images = in.n, .in_h = in.h, .in_w = in.w, .c = to->c};
    s.out_h = out.h, s.out_w = out.w;
    s.out_pixel = grad->pixel, s.out_row = grad->row, s.out_image = grad->image;
    s.to_pixel = to->pixel, s.to_row = to->row, s.to_image = to->image;
    return s;
}

static void set_window(const Attrs *a, rnc_pool_grad_shape *s)
{
    s->kernel_h = a->kernel[0], s->kernel_w = a->kernel[1];
    s->stride_h = a->stride[0], s->stride_w = a->stride[1];
    s->pad_top = a->padding[0], s->pad_left = a->padding[1];
    s->pad_bottom = a->padding[2], s->pad_right = a->padding[3];
}

static void add_pool(Plan *plan, const Node *node, Step *step)
{
    step->node = node;
    step->in[0] = operand_of(plan, node->in[0]);
    step->out[0] = operand_of(plan, node);
    step->parts = worth_parts(type_elements(node->type), SHARED_LEAST,
                              node->type.n * div_up(step->shape.pool_grad.c, plan->align));
    add_step(plan, step);
}

static void select_pool_backward(Plan *plan, const Node *node)
{
    Step step = {.kernel = KERNEL_avgpool_grad};
    rnc_pool_grad_shape *s = &step.shape.pool_grad;
    *s = pool_shape(plan, node);
    set_window(&node->attrs, s);
    s->count_padding = node->op == OP_AVGPOOL_BACKWARD && node->attrs.count_padding;
    s->divisor = node->op == OP_AVGPOOL_BACKWARD ? node->attrs.divisor : 0;
    if (node->op == OP_MAXPOOL_BACKWARD) {
        const Tensor *in = plan->tensors[node->in[1]->id];
        step.kernel = KERNEL_maxpool_grad;
        step.in[1] = operand_of(plan, node->in[1]);
        s->in_pixel = in->pixel, s->in_row = in->row, s->in_image = in->image;
    }
    add_pool(plan, node, &step);
}

/* Windows of one pixel, a stride apart: the pixels between them get zeros. */
static void select_subsample_backward(Plan *plan, const Node *node)
{
    Step step = {.kernel = KERNEL_avgpool_grad};
    rnc_pool_grad_shape *s = &step.shape.pool_grad;
    *s = pool_shape(plan, node);
    s->kernel_h = s->kernel_w = 1;
    s->stride_h = node->attrs.stride[0], s->stride_w = node->attrs.stride[1];
    add_pool(plan, node, &step);
}

static void select_upsample_backward(Plan *plan, const Node *node)
{
    const Tensor *in = plan->tensors[node->in[0]->id], *out = plan->tensors[node->id];
    Step step = {.kernel = KERNEL_window_sum};
    rnc_pool_grad_shape *s = &step.shape.pool_grad;
    *s = (rnc_pool_grad_shape){.images = node->type.n, .c = out->c};
    s->in_h = node->in[0]->type.h, s->in_w = node->in[0]->type.w;
    s->out_h = node->type.h, s->out_w = node->type.w;
    s->kernel_h = node->attrs.scale_by[0], s->kernel_w = node->attrs.scale_by[1];
    s->in_pixel = in->pixel, s->in_row = in->row, s->in_image = in->image;
    s->out_pixel = out->pixel, s->out_row = out->row, s->out_image = out->image;
    add_pool(plan, node, &step);
}

/* ---- sums and moves ---- */

static void select_sum(Plan *plan, const Node *node)
{
    const Type t = node->in[0]->type;
    const Attrs *a = &node->attrs;
    const Tensor *in = plan->tensors[node->in[0]->id], *out = plan->tensors[node->id];
    Step step = {.node = node, .kernel = KERNEL_reduce};
    step.shape.reduce = (rnc_reduce_shape){
        t.n,         t.h,
        t.w,         t.c,
        a->images,   a->pixels,
        a->channels, in->pixel,
        in->row,     in->image,
        out->pixel,  out->row,
        out->image,  cut_slices(plan, t.n, 1).slice,
    };
    step.in[0] = operand_of(plan, node->in[0]);
    step.out[0] = operand_of(plan, node);
    if (a->images) {
        step.counts = COUNTS_OWN;
        share_sum(plan, &step, 0);
    }
    step.parts = worth_parts(type_elements(t), SHARED_LEAST,
                             (int64_t)node->type.n * node->type.h * node->type.w *
                                 div_up(node->type.c, plan->align));
    add_step(plan, &step);
}

/* A copy of the part of the operand that begins `shift` elements after its first. */
static void add_copy(Plan *plan, const Node *node, int64_t shift)
{
    const Type t = node->type;
    const Tensor *in = plan->tensors[node->in[0]->id], *out = plan->tensors[node->id];
    Step step = {.node = node, .kernel = KERNEL_copy};
    rnc_copy_shape *s = &step.shape.copy;
    *s =
        (rnc_copy_shape){.images = t.n, .h = t.h, .w = t.w, .c = t.c, .repeat_h = 1, .repeat_w = 1};
    s->in_pixel = in->pixel, s->in_row = in->row, s->in_image = in->image;
    s->out_pixel = out->pixel, s->out_row = out->row, s->out_image = out->image;
    step.in[0] = operand_of(plan, node->in[0]);
    step.in[0].shift = shift;
    step.out[0] = operand_of(plan, node);
    step.parts = rows_parts(t);
    add_step(plan, &step);
}

static void select_crop(Plan *plan, const Node *node)
{
    const Tensor *in = plan->tensors[node->in[0]->id];
    const Attrs *a = &node->attrs;
    add_copy(plan, node,
             (int64_t)a->padding[0] * in->row + (int64_t)a->padding[1] * in->pixel +
                 a->channel_padding[0]);
}

bool select_train(Plan *plan, const Node *node)
{
    switch (node->op) {
    case OP_CROSS_ENTROPY:
    case OP_MEAN_SQUARED_ERROR:
        select_loss(plan, node);
        return true;
    case OP_BN:
    case OP_BN_TRAIN:
    case OP_BN_AGAIN:
    case OP_BN_BACKWARD:
    case OP_BN_FIXED_BACKWARD:
        select_batchnorm(plan, node);
        return true;
    case OP_CONV_WEIGHTS:
    case OP_DENSE_WEIGHTS:
        select_grad_weights(plan, node);
        return true;
    case OP_CONV_TRANSPOSE:
        select_grad_data(plan, node);
        return true;
    case OP_SOFTMAX_BACKWARD:
        if (node->attrs.over != OVER_CHANNELS)
            select_over_backward(plan, node);
        else
            select_act_backward(plan, node);
        return true;
    case OP_ACT_BACKWARD:
        if (!bn_masks(plan, node))
            select_act_backward(plan, node);
        return true;
    case OP_MAXPOOL_BACKWARD:
    case OP_AVGPOOL_BACKWARD:
        select_pool_backward(plan, node);
        return true;
    case OP_SUBSAMPLE_BACKWARD:
        select_subsample_backward(plan, node);
        return true;
    case OP_UPSAMPLE_BACKWARD:
        select_upsample_backward(plan, node);
        return true;
    case OP_NORM_BACKWARD:
        select_norm_backward(plan, node);
        return true;
    case OP_LOG_SOFTMAX_BACKWARD:
    case OP_REDUCE_BACKWARD:
        select_over_backward(plan, node);
        return true;
    case OP_PAD_BACKWARD:
    case OP_RESIZE_BACKWARD:
    case OP_BLURPOOL_BACKWARD:
        select_sample_backward(plan, node);
        return true;
    case OP_SUM:
        select_sum(plan, node);
        return true;
    case OP_CROP:
        select_crop(plan, node);
        return true;
    default:
        return false; /* as at inference */
    }
}
