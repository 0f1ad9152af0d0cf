/* select_over_grad.c: steps of a training for the gradients of reductions and softmaxes, and of
 * operators that give pixels other places. */
#include "plan/training_parts.h"

#include "net/over.h"
#include "net/sample.h"

static int kind_of(const Node *node)
{
    static const int kinds[] = {
        [REDUCE_MEAN] = RNC_OVER_MEAN, [REDUCE_MAX] = RNC_OVER_MAX, [REDUCE_SUM] = RNC_OVER_SUM};
    return node->op == OP_SOFTMAX_BACKWARD       ? RNC_OVER_SOFTMAX
           : node->op == OP_LOG_SOFTMAX_BACKWARD ? RNC_OVER_LOG_SOFTMAX
                                                 : kinds[node->attrs.reduction];
}

void select_over_backward(Plan *plan, const Node *node)
{
    const Tensor *grad = plan->tensors[node->in[0]->id], *at = plan->tensors[node->in[1]->id];
    const Tensor *out = plan->tensors[node->id];
    const Type t = node->type;
    const OverAxes a = over_axes(node->attrs.over);
    Step step = {.node = node, .kernel = KERNEL_over_grad};
    rnc_over_grad_shape *s = &step.shape.over_grad;
    *s = (rnc_over_grad_shape){.images = t.n, .c = t.c, .channels = a.channels};
    s->kind = kind_of(node);
    s->h = a.height ? 1 : t.h, s->box_h = a.height ? t.h : 1;
    s->w = a.width ? 1 : t.w, s->box_w = a.width ? t.w : 1;
    s->grad_pixel = grad->pixel, s->grad_row = grad->row, s->grad_image = grad->image;
    s->at_pixel = at->pixel, s->at_row = at->row, s->at_image = at->image;
    s->out_pixel = out->pixel, s->out_row = out->row, s->out_image = out->image;
    step.in[0] = operand_of(plan, node->in[0]);
    if (s->kind != RNC_OVER_MEAN && s->kind != RNC_OVER_SUM)
        step.in[1] = operand_of(plan, node->in[1]);
    step.out[0] = operand_of(plan, node);
    const int64_t blocks = a.channels ? 1 : div_up(t.c, RNC_OVER_BLOCK);
    step.parts = worth_parts(type_elements(t), 16384, (int64_t)t.n * s->h * s->w * blocks);
    add_step(plan, &step);
}

static void set_resize(const Node *node, rnc_sample_grad_shape *s)
{
    const Scaling down = resize_scaling(&node->attrs, 0, s->in_h, s->out_h);
    const Scaling across = resize_scaling(&node->attrs, 1, s->in_w, s->out_w);
    s->resize = node->attrs.resize_mode == RESIZE_BILINEAR ? 2 : 1;
    s->mul_h = (int)down.mul, s->add_h = (int)down.add, s->div_h = (int)down.div;
    s->mul_w = (int)across.mul, s->add_w = (int)across.add, s->div_w = (int)across.div;
}

void select_sample_backward(Plan *plan, const Node *node)
{
    const Type out = node->in[0]->type, in = node->type;
    const Tensor *grad = plan->tensors[node->in[0]->id], *to = plan->tensors[node->id];
    const Attrs *a = &node->attrs;
    Step step = {.node = node, .kernel = KERNEL_sample_grad};
    rnc_sample_grad_shape *s = &step.shape.sample_grad;
    *s = (rnc_sample_grad_shape){.images = in.n, .in_h = in.h, .in_w = in.w, .c = in.c};
    s->out_h = out.h, s->out_w = out.w;
    s->kernel_h = s->kernel_w = s->stride_h = s->stride_w = s->div_h = s->div_w = 1;
    if (node->op == OP_RESIZE_BACKWARD) {
        set_resize(node, s);
    } else {
        s->mode = (int)a->padding_mode;
        s->pad_top = a->padding[0], s->pad_left = a->padding[1];
    }
    if (node->op == OP_BLURPOOL_BACKWARD) {
        s->kernel_h = a->kernel[0], s->kernel_w = a->kernel[1];
        s->stride_h = a->stride[0], s->stride_w = a->stride[1];
    }
    s->grad_pixel = grad->pixel, s->grad_row = grad->row, s->grad_image = grad->image;
    s->out_pixel = to->pixel, s->out_row = to->row, s->out_image = to->image;
    step.in[0] = operand_of(plan, node->in[0]);
    step.out[0] = operand_of(plan, node);
    step.parts = worth_parts(type_elements(out), 4096, (int64_t)in.n * div_up(in.c, plan->align));
    add_step(plan, &step);
}
