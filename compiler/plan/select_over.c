/* select_over.c: steps of reductions, and of softmaxes over several pixels. */
#include "plan/methods/method_parts.h"

#include "net/over.h"

static int kind_of(const Node *node)
{
    static const int kinds[] = {
        [REDUCE_MEAN] = RNC_OVER_MEAN, [REDUCE_MAX] = RNC_OVER_MAX, [REDUCE_SUM] = RNC_OVER_SUM};
    return node->op == OP_SOFTMAX       ? RNC_OVER_SOFTMAX
           : node->op == OP_LOG_SOFTMAX ? RNC_OVER_LOG_SOFTMAX
                                        : kinds[node->attrs.reduction];
}

bool select_over(Plan *plan, const Node *node)
{
    const Tensor *in = plan->tensors[node->in[0]->id], *out = plan->tensors[node->id];
    const Type t = node->in[0]->type;
    const OverAxes a = over_axes(node->attrs.over);
    Step step = {.node = node,
                 .kernel = node->op == OP_REDUCE ? KERNEL_reduce_over : KERNEL_softmax_over};
    step.in[0] = operand_of(plan, node->in[0]);
    step.out[0] = operand_of(plan, node);
    rnc_over_shape *s = &step.shape.over;
    *s = (rnc_over_shape){.images = t.n, .c = t.c, .channels = a.channels, .kind = kind_of(node)};
    s->h = a.height ? 1 : t.h, s->box_h = a.height ? t.h : 1;
    s->w = a.width ? 1 : t.w, s->box_w = a.width ? t.w : 1;
    s->in_pixel = in->pixel, s->in_row = in->row, s->in_image = in->image;
    s->out_pixel = out->pixel, s->out_row = out->row, s->out_image = out->image;
    const int blocks = a.channels ? 1 : (t.c + RNC_OVER_BLOCK - 1) / RNC_OVER_BLOCK;
    step.parts = worth_parts(type_elements(t), 16384, (int64_t)t.n * s->h * s->w * blocks);
    if (node->op == OP_REDUCE)
        set_act(node, &s->act, &s->alpha, &s->beta);
    add_step(plan, &step);
    return node->op == OP_REDUCE;
}
