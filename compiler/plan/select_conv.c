/* select_conv.c: convolutions and dense layers: the shapes of their kernels. */
#include "plan/training_parts.h"

#include <string.h>

static Step dense_step(const Plan *plan, const Node *node, const Method *method)
{
    const Tensor *in = plan->tensors[node->in[0]->id], *out = plan->tensors[node->id];
    Step step = {.node = node, .kernel = method->kernel, .method = method};
    step.in[0] = operand_of(plan, node->in[0]);
    step.out[0] = operand_of(plan, node);
    rnc_dense_shape *s = &step.shape.dense;
    *s = (rnc_dense_shape){.images = node->type.n, .in_c = node->in[0]->type.c, .out_c = out->c};
    s->panel = PANEL;
    s->weights = weights_type_of(plan, method);
    s->in_image = in->image;
    s->out_image = out->image;
    if (node->n_in > 1) {
        step.in[1] = operand_of(plan, node->in[1]);
        s->residual = 1;
        s->res_image = step.in[1].tensor->image;
    }
    set_act(node, &s->act, &s->alpha, &s->beta);
    choose_tiles(plan, &step);
    return step;
}

/* Sets window and operands, with one group of whole vectors of channels. */
static void conv_shape(const Plan *plan, const Node *node, Step *step)
{
    const Attrs *a = &node->attrs;
    const Tensor *in = plan->tensors[node->in[0]->id], *out = plan->tensors[node->id];
    rnc_conv_shape *s = &step->shape.conv;
    step->in[0] = operand_of(plan, node->in[0]);
    step->out[0] = operand_of(plan, node);
    *s = (rnc_conv_shape){.images = node->type.n, .out_h = node->type.h, .out_w = node->type.w};
    s->kernel_h = a->kernel[0], s->kernel_w = a->kernel[1];
    s->stride_h = a->stride[0], s->stride_w = a->stride[1];
    s->dilation_h = a->dilation[0], s->dilation_w = a->dilation[1];
    s->pad_top = a->padding[0], s->pad_left = a->padding[1];
    s->groups = 1;
    s->in_c = node->in[0]->type.c;
    s->out_c = out->c;
    s->panel = PANEL;
    s->in_pixel = in->pixel, s->in_row = in->row, s->in_image = in->image;
    s->out_pixel = out->pixel, s->out_row = out->row, s->out_image = out->image;
    if (node->n_in > 1) {
        step->in[1] = operand_of(plan, node->in[1]);
        const Tensor *res = step->in[1].tensor;
        s->residual = 1;
        s->res_pixel = res->pixel, s->res_row = res->row, s->res_image = res->image;
    }
    set_act(node, &s->act, &s->alpha, &s->beta);
}

static Step conv_step(const Plan *plan, const Node *node, const Method *method)
{
    if (kernel_rows[method->kernel].family == FAMILY_dense)
        return dense_step(plan, node, method);
    Step step = {.node = node, .kernel = method->kernel, .method = method};
    conv_shape(plan, node, &step);
    step.shape.conv.winograd = method->side;
    step.shape.conv.weights = weights_type_of(plan, method);
    if (method->shape)
        method->shape(plan, node, &step.shape.conv);
    choose_tiles(plan, &step);
    return step;
}

void select_conv(Plan *plan, const Node *node, const Method *method)
{
    Step step = conv_step(plan, conv_of(plan, node), method);
    const Param *weight = node->params[P_WEIGHT];
    if (plan->training && !(weight && weight->fixed))
        pack_filters(plan, node, &step);
    else
        add_weights(plan, &step);
    add_step(plan, &step);
    if (plan->training && node->op == OP_CONV_TRANSPOSE && node->params[P_BIAS])
        add_bias(plan, node, node);
}

Step plan_step_by(const Plan *plan, const Node *node, const Method *method)
{
    Plan other = *plan;
    memset(&other.steps, 0, sizeof other.steps);
    memset(&other.buffers, 0, sizeof other.buffers);
    memset(&other.packed, 0, sizeof other.packed);
    Step step = conv_step(plan, conv_of(plan, node), method);
    if (!plan->training)
        add_weights(&other, &step);
    add_step(&other, &step);
    return other.steps.at[0];
}

Step plan_step_with(const Plan *plan, const Node *node, const Tuning *tuning)
{
    Plan other = *plan;
    other.options.tuning = tuning;
    return plan_step_by(&other, node, choose_method(&other, node));
}
