/* select_conv.c: convolutions and dense layers: their kernels' shapes, weights
 * and scratch. */
#include "plan/plan_parts.h"

#include <string.h>

enum { PANEL = 32 }; /* output channels: two vectors of AVX-512 */

int64_t blas_scratch(const rnc_conv_shape *s)
{
    /* as the head of kernels/f32/conv_blas.c says */
    const int64_t k = (int64_t)s->kernel_h * s->kernel_w * s->in_c, n = s->out_c / s->groups;
    const int64_t pixels = (int64_t)s->out_h * s->out_w;
    const bool patches =
        !(s->kernel_h == 1 && s->kernel_w == 1 && s->stride_h == 1 && s->stride_w == 1 &&
          s->pad_top == 0 && s->pad_left == 0 && s->in_row == s->out_w * s->in_pixel);
    const int64_t each = patches ? k + n : n, fit = (1 << 19) / each;
    return (fit < 1 ? 1 : fit < pixels ? fit : pixels) * each;
}

static void add_dense(Plan *plan, const Node *node)
{
    const Tensor *in = plan->tensors[node->in[0]->id], *out = plan->tensors[node->id];
    Step step = {.node = node, .kernel = KERNEL_dense};
    step.in = in_arena(plan, node->in[0]);
    step.out = in_arena(plan, node);
    rnc_dense_shape *s = &step.shape.dense;
    *s = (rnc_dense_shape){.images = node->type.n, .in_c = node->in[0]->type.c, .out_c = out->c};
    s->panel = PANEL;
    s->in_image = in->image;
    s->out_image = out->image;
    if (node->n_in > 1) {
        step.in2 = in_arena(plan, node->in[1]);
        s->residual = 1;
        s->res_image = step.in2.tensor->image;
    }
    set_act(node, &s->act, &s->alpha);
    choose_tiles(plan, &step);
    add_weights(plan, &step);
    add_step(plan, &step);
}

/* Window and operands; groups and channels are the caller's. */
static void conv_shape(const Plan *plan, const Node *node, Step *step)
{
    const Attrs *a = &node->attrs;
    const Tensor *in = plan->tensors[node->in[0]->id], *out = plan->tensors[node->id];
    rnc_conv_shape *s = &step->shape.conv;
    step->in = in_arena(plan, node->in[0]);
    step->out = in_arena(plan, node);
    *s = (rnc_conv_shape){.images = node->type.n, .out_h = node->type.h, .out_w = node->type.w};
    s->kernel_h = a->kernel[0], s->kernel_w = a->kernel[1];
    s->stride_h = a->stride[0], s->stride_w = a->stride[1];
    s->dilation_h = a->dilation[0], s->dilation_w = a->dilation[1];
    s->pad_top = a->padding[0], s->pad_left = a->padding[1];
    s->panel = PANEL;
    s->in_pixel = in->pixel, s->in_row = in->row, s->in_image = in->image;
    s->out_pixel = out->pixel, s->out_row = out->row, s->out_image = out->image;
    if (node->n_in > 1) {
        step->in2 = in_arena(plan, node->in[1]);
        const Tensor *res = step->in2.tensor;
        s->residual = 1;
        s->res_pixel = res->pixel, s->res_row = res->row, s->res_image = res->image;
    }
    set_act(node, &s->act, &s->alpha);
}

void select_conv(Plan *plan, const Node *node)
{
    const Kernel kernel = conv_kernel(plan, node);
    if (kernel == KERNEL_dense) {
        add_dense(plan, node);
        return;
    }
    Step step = {.node = node, .kernel = kernel};
    conv_shape(plan, node, &step);
    rnc_conv_shape *s = &step.shape.conv;
    const int in_c = node->in[0]->type.c, lanes = plan->tensors[node->id]->c;
    if (kernel == KERNEL_conv_winograd || kernel == KERNEL_conv_strassen) {
        s->groups = 1;
        s->in_c = in_c;
        s->out_c = lanes;
        s->winograd = winograd_of(plan, node);
    } else if (kernel == KERNEL_conv_winograd_taps) {
        s->groups = 1;
        s->in_c = in_c;
        s->out_c = lanes;
        s->winograd = WINOGRAD_TAPS;
    } else if (kernel == KERNEL_conv_winograd1d) {
        s->groups = 1;
        s->in_c = in_c;
        s->out_c = lanes;
        s->winograd = winograd1d_of(plan, node);
    } else if (kernel == KERNEL_conv_direct) {
        s->groups = merged_groups(plan, node);
        s->in_c = in_c / s->groups;
        s->out_c = s->groups == 1 ? lanes : node->attrs.filters;
    } else if (kernel == KERNEL_depthwise) {
        s->in_c = in_c / node->attrs.groups;
        s->groups = lanes / s->in_c;
        s->out_c = lanes;
    } else {
        s->groups = node->attrs.groups;
        s->in_c = in_c / s->groups;
        s->out_c = node->attrs.filters;
        step.scratch_bytes = 4 * blas_scratch(s);
    }
    choose_tiles(plan, &step);
    if (has_part_scratch(kernel))
        step.scratch_bytes = 4 * step.parts * widest_scratch(plan, &step);
    add_weights(plan, &step);
    add_step(plan, &step);
}

Step plan_step_with(const Plan *plan, const Node *node, const Tuning *tuning)
{
    Plan other = *plan;
    other.options.tuning = tuning;
    memset(&other.steps, 0, sizeof other.steps);
    memset(&other.buffers, 0, sizeof other.buffers);
    memset(&other.packed, 0, sizeof other.packed);
    select_conv(&other, node);
    return other.steps.at[0];
}
