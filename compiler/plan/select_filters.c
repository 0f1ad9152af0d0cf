/* select_filters.c: the steps of a training that put a layer's filters, plain floats or panels in
 * the state, into the order that its kernel reads: panels, and from these the filters of Winograd's
 * method.  Panels for the forward layer are read where they are. */
#include "plan/methods/method_parts.h"
#include "plan/training_parts.h"

static bool is_transpose(const Node *node)
{
    return node->op == OP_CONV_TRANSPOSE || node->op == OP_DENSE_TRANSPOSE;
}

/* The forward layer, of a node that is its transpose or itself. */
static void forward_window(const Plan *plan, const Node *node, bool turned, rnc_repack_shape *s)
{
    const Attrs *a = &node->attrs;
    const bool dense = node->op == OP_DENSE || node->op == OP_DENSE_TRANSPOSE;
    s->turned = turned;
    s->plain = !plan->training->kept[node->params[P_WEIGHT]->id].filters;
    s->groups = dense ? 1 : wide_groups(plan, node);
    s->filters = turned ? node->in[0]->type.c : a->filters;
    s->in_c = (turned ? node->type.c : node->in[0]->type.c) / s->groups;
    s->kernel_h = dense ? 1 : a->kernel[0], s->kernel_w = dense ? 1 : a->kernel[1];
    s->stride_h = dense ? 1 : a->stride[0], s->stride_w = dense ? 1 : a->stride[1];
    s->dilation_h = dense ? 1 : a->dilation[0], s->dilation_w = dense ? 1 : a->dilation[1];
    s->pad_top = dense ? 0 : a->padding[0], s->pad_left = dense ? 0 : a->padding[1];
}

/* What the step that reads the filters says about their order. */
static void result_panels(const Step *step, rnc_repack_shape *s)
{
    const rnc_conv_shape *c = &step->shape.conv;
    const rnc_grad_data_shape *g = &step->shape.grad_data;
    const rnc_dense_shape *d = &step->shape.dense;
    switch (kernel_rows[step->kernel].family) {
    case FAMILY_dense:
        s->to_c = d->out_c, s->to_in = d->in_c, s->to_panel = d->panel;
        break;
    case FAMILY_grad_data:
        s->to_c = g->in_c, s->to_in = g->out_c, s->to_panel = g->panel;
        break;
    default:
        s->to_c = c->out_c, s->to_in = c->in_c, s->to_panel = c->panel;
        break;
    }
}

/* Depthwise filters: forward, they are one panel of a layer with one input. */
static void depthwise_panels(rnc_repack_shape *s)
{
    s->to_in = 1;
    s->to_panel = s->to_c;
    if (!s->turned) {
        s->groups = 1;
        s->in_c = 1;
    }
}

static int64_t packed_size(const Step *step, const rnc_repack_shape *s)
{
    if (step->kernel == KERNEL_conv_grad_data || step->kernel == KERNEL_depthwise_grad_data)
        return rnc_phase_offset(&step->shape.grad_data,
                                step->shape.grad_data.stride_h * step->shape.grad_data.stride_w);
    return ((int64_t)s->kernel_h * s->kernel_w * s->to_in + 1) * s->to_c;
}

/* Adds the step that transforms packed 3x3 filters for Winograd's method. */
static Operand add_winograd(Plan *plan, const Node *node, const Step *step, Operand packed)
{
    const rnc_conv_shape *c = &step->shape.conv;
    Step w = {.node = node, .kernel = KERNEL_filter_winograd, .in = {packed}};
    w.shape.winograd_filter =
        (rnc_winograd_filter_shape){c->out_c, c->in_c, c->panel, c->winograd, c->stride_h};
    w.out[0] = add_piece(plan, node, "frequencies", packed_floats(step));
    w.parts =
        worth_parts((int64_t)c->out_c * c->in_c * 9, 16384, div_up(c->out_c, c->panel) * c->in_c);
    add_step(plan, &w);
    return w.out[0];
}

void add_regroup(Plan *plan, const Node *node, int merge, Operand from, Operand to, bool back)
{
    const Type own = back ? node->type : param_type(node->params[P_WEIGHT]);
    Step step = {.node = node, .kernel = KERNEL_filter_groups, .in = {from}, .out = {to}};
    step.shape.regroup = (rnc_regroup_shape){.filters = own.n,
                                             .group = own.n / node->attrs.groups,
                                             .taps = own.h * own.w,
                                             .in_c = own.c,
                                             .merge = merge,
                                             .back = back};
    step.parts = worth_parts(type_elements(own) * merge, 16384, own.n);
    if (back)
        share_sum(plan, &step, 0);
    add_step(plan, &step);
}

/* The filters of a layer, in the groups that steps have. */
static Operand merged_filters(Plan *plan, const Node *node)
{
    const Operand own = param_operand(plan, node, P_WEIGHT);
    const bool conv = node->op == OP_CONV || node->op == OP_CONV_TRANSPOSE;
    const int merge = conv ? node->attrs.groups / wide_groups(plan, node) : 1;
    if (merge == 1)
        return own;
    const Operand merged =
        add_piece(plan, node, "merged", param_elements(node->params[P_WEIGHT]) * merge);
    add_regroup(plan, node, merge, own, merged, false);
    return merged;
}

/* Lets the step read packed filters, or what Winograd's method makes of them. */
static void read_panels(Plan *plan, const Node *node, Step *step, Operand packed)
{
    step->filters = packed;
    if (step->kernel == KERNEL_conv_winograd)
        step->filters = add_winograd(plan, node, step, packed);
}

/* Whether the state has the filters as they would be packed. */
static bool is_packed(const rnc_repack_shape *s)
{
    return !s->plain && !s->turned && s->groups == 1 && s->to_c == s->filters &&
           s->to_in == s->in_c && s->to_panel == s->panel;
}

void pack_filters(Plan *plan, const Node *node, Step *step)
{
    const bool turned = is_transpose(node);
    const bool wise =
        step->kernel == KERNEL_depthwise || step->kernel == KERNEL_depthwise_grad_data;
    Step p = {.node = node, .kernel = KERNEL_filter_pack};
    rnc_repack_shape *s = &p.shape.repack;
    forward_window(plan, node, turned, s);
    result_panels(step, s);
    s->out_c = s->groups > 1 ? s->filters : lanes_of(plan, s->filters);
    s->panel = PANEL;
    if (wise) {
        depthwise_panels(s);
        p.kernel = turned ? KERNEL_depthwise_pack : KERNEL_filter_pack;
    }
    p.in[0] = merged_filters(plan, node);
    if (is_packed(s)) {
        read_panels(plan, node, step, p.in[0]);
        return;
    }
    if (!turned && s->plain)
        p.in[1] = param_operand(plan, node, P_BIAS);
    const int64_t n = packed_size(step, s);
    p.out[0] = add_piece(plan, node, "packed", n);
    const int64_t panels = (int64_t)s->groups * div_up(s->to_c / s->groups, s->to_panel);
    p.parts = p.kernel == KERNEL_depthwise_pack
                  ? 1
                  : worth_parts(n, 16384, panels * s->kernel_h * s->kernel_w);
    add_step(plan, &p);
    read_panels(plan, node, step, p.out[0]);
}
