/* select_grad.c: the gradients of convolutions and dense layers: by their filters, for each slice
 * of the batch and then added in a tree; by their operand where the stride is not 1 (others are
 * convolutions themselves, training.c). */
#include "plan/methods/method_parts.h"
#include "plan/training_parts.h"

/* ---- by the filters ---- */

static bool is_wise(const Attrs *a, int in_c, int filters)
{
    return a->groups > 1 && a->groups == in_c && a->groups == filters;
}

static rnc_grad_weights_shape weights_shape(const Plan *plan, const Node *node)
{
    const Node *grad = node->in[0], *x = node->in[1];
    const Tensor *in = plan->tensors[x->id], *out = plan->tensors[grad->id];
    const Attrs *a = &node->attrs;
    const bool dense = node->op == OP_DENSE_WEIGHTS;
    rnc_grad_weights_shape s = {.images = grad->type.n};
    s.groups = dense ? 1 : wide_groups(plan, node);
    s.in_h = x->type.h, s.in_w = x->type.w;
    s.out_h = grad->type.h, s.out_w = grad->type.w;
    s.kernel_h = dense ? 1 : a->kernel[0], s.kernel_w = dense ? 1 : a->kernel[1];
    s.stride_h = dense ? 1 : a->stride[0], s.stride_w = dense ? 1 : a->stride[1];
    s.dilation_h = dense ? 1 : a->dilation[0], s.dilation_w = dense ? 1 : a->dilation[1];
    s.pad_top = dense ? 0 : a->padding[0], s.pad_left = dense ? 0 : a->padding[1];
    s.in_c = x->type.c / s.groups;
    s.out_c = s.groups > 1 && s.in_c > 1 ? grad->type.c : out->c;
    s.panel = PANEL;
    s.in_pixel = in->pixel, s.in_row = in->row, s.in_image = in->image;
    s.out_pixel = out->pixel, s.out_row = out->row, s.out_image = out->image;
    return s;
}

/* The node that adds up the same gradients for the bias, or NULL; it comes soon after. */
static const Node *bias_sum(const Plan *plan, const Node *node)
{
    for (int i = node->id + 1; i < plan->training->step_nodes; i++) {
        const Node *sum = plan->net->nodes.at[i];
        const Attrs *a = &sum->attrs;
        if (sum->op == OP_SUM && sum->in[0] == node->in[0] && a->images && a->pixels &&
            !a->channels && !plan->training->panels[i])
            return sum;
    }
    return NULL;
}

/* ---- by Winograd's method ---- */

/* Whether what the inputs hold allows it: its errors are as large as those of F(4 x 4), with the
 * magnitudes of the output's gradients in place of the filter's (docs/numerics.md), and a NaN in
 * either operand reaches all taps. */
static bool turned_bears(const Plan *plan, const Node *node)
{
    const Spread *grad = &plan->spreads[node->in[0]->id];
    Spread s = plan->spreads[node->in[1]->id];
    s.nan = s.nan || grad->nan;
    s.inf = s.inf || grad->inf;
    return method_bears(&method_conv_winograd4, RNC_WEIGHTS_F32, &s);
}

/* Whether conv_grad_winograd can compute the step, and the plan's options allow it. */
static bool turned_fits(const Plan *plan, const Node *node, const rnc_grad_weights_shape *s)
{
    const PlanOptions *o = &plan->options;
    return node->op == OP_CONV_WEIGHTS && s->kernel_h == 3 && s->kernel_w == 3 &&
           s->stride_h == 1 && s->stride_w == 1 && s->dilation_h == 1 && s->dilation_w == 1 &&
           s->groups == 1 && s->in_c % WINOGRAD_CHANNELS == 0 &&
           s->out_c % WINOGRAD_CHANNELS == 0 && !o->exact && o->optimize == OPTIMIZE_SPEED &&
           o->backend == BACKEND_NATIVE && turned_bears(plan, node);
}

/* Pairs of output pixels and taps along one side that meet the image. */
static int64_t met_along(int out, int in, int kernel, int pad)
{
    int64_t n = 0;
    for (int k = 0; k < kernel; k++) {
        rnc_met_cut met;
        rnc_cut_met(out, in, 1, k, pad, &met);
        n += met.end - met.first;
    }
    return n;
}

/* Windows and gradients are transformed once for each unit that reads them. */
double grad_winograd_seconds(const Plan *plan, const rnc_grad_weights_shape *s, const rnc_knobs *t)
{
    rnc_grad_winograd_cut c;
    rnc_cut_grad_winograd(s, t, &c);
    const double pairs = 2.0 * s->in_c * s->out_c;
    const double planes = (double)RNC_GRAD_PLANES * c.tiles;
    return planes * pairs / reach_of(plan)->products / peak_of(plan) +
           winograd_transforms(plan, RNC_GRAD_TILE, 1,
                               planes * (s->in_c * c.outs + s->out_c * c.ins), 0);
}

/* Whether it is faster than conv_grad_weights, which leaves out the halo. */
static bool turned_pays(const Plan *plan, const rnc_grad_weights_shape *s, const rnc_knobs *t)
{
    const double plain = 2.0 * s->in_c * s->out_c *
                         (double)met_along(s->out_h, s->in_h, s->kernel_h, s->pad_top) *
                         (double)met_along(s->out_w, s->in_w, s->kernel_w, s->pad_left);
    return grad_winograd_seconds(plan, s, t) < plain / reach_of(plan)->direct / peak_of(plan);
}

/* Input channels of a unit: at most `most`, but whole vectors of 16, all units alike. */
static int unit_inputs(int in_c, int most)
{
    const int all = (int)div_up(in_c, WINOGRAD_CHANNELS);
    int n = most / WINOGRAD_CHANNELS < all ? most / WINOGRAD_CHANNELS : all;
    while (all % n != 0)
        n--;
    return n * WINOGRAD_CHANNELS;
}

bool shrink_grad_winograd(Step *step)
{
    const rnc_grad_weights_shape *s = &step->shape.grad_weights;
    const int inputs = rnc_grad_inputs(s, &step->knobs[0]);
    if (inputs <= WINOGRAD_CHANNELS)
        return false;
    for (int i = 0; i < ISA_COUNT; i++)
        step->knobs[i].depth = unit_inputs(s->in_c, inputs - WINOGRAD_CHANNELS);
    return true;
}

/* Takes the method if it is faster.  Parts are whole units; where nobody asked for threads there
 * are few, since each has scratch of its own. */
static void try_turned(const Plan *plan, const Node *node, Step *step)
{
    enum { GROUP = 32, INPUTS = 7 * WINOGRAD_CHANNELS, UNASKED = 2 };
    const rnc_grad_weights_shape *s = &step->shape.grad_weights;
    const rnc_knobs usual = {.group = GROUP, .depth = unit_inputs(s->in_c, INPUTS)};
    const int threads = plan->threads_asked ? plan->options.threads : UNASKED;
    rnc_grad_winograd_cut c;
    if (!turned_fits(plan, node, s) || !turned_pays(plan, s, &usual))
        return;
    rnc_cut_grad_winograd(s, &usual, &c);
    step->kernel = KERNEL_conv_grad_winograd;
    step->parts = c.units < threads ? c.units : threads;
    for (int i = 0; i < ISA_COUNT; i++) {
        rnc_knobs *t = &step->knobs[i];
        t->group = usual.group;
        t->depth = usual.depth;
        t->memory_broadcasts = like_sums_broadcasts(t, (Isa)i);
    }
    step->scratch_bytes = elems_bytes(SCRATCH_ELEM, step->parts * c.floats);
}

/* Pixels of a block: less than the usual number where what two blocks read would take more than a
 * third of a large L2, beside the sums.  Of what lies between the pixels of a stride a part comes
 * with them. */
static int block_pixels(const Plan *plan, const rnc_grad_weights_shape *s, Isa isa)
{
    enum { USUAL = 128, LEAST = 32, PART = 3 };
    const bool few_taps = s->kernel_h * s->kernel_w == 1;
    const int64_t each = elems_bytes(ELEM_F32, s->in_c * s->stride_w + s->out_c);
    const int64_t most = (int64_t)plan->options.machine->l2_kb * 1024 / PART;
    int pixels = USUAL;
    while (few_taps && like_roomy(plan, isa) && pixels > LEAST && 2 * pixels * each > most)
        pixels /= 2;
    return pixels;
}

/* Tiles, parts and scratch of the step that multiplies. */
static void weights_tiles(const Plan *plan, const Node *node, Step *step)
{
    const rnc_grad_weights_shape *s = &step->shape.grad_weights;
    const rnc_conv_shape c = {.out_c = s->out_c, .groups = s->groups, .panel = s->panel};
    const bool wise = step->kernel == KERNEL_depthwise_grad_weights;
    int64_t scratch = 0;
    for (int i = 0; i < ISA_COUNT; i++) {
        rnc_knobs *t = &step->knobs[i];
        if (!(plan->options.isas >> i & 1) || wise)
            continue;
        like_registers(&c, (Isa)i, t);
        t->depth = block_pixels(plan, s, (Isa)i);
        t->memory_broadcasts = 0; /* from registers they are faster here (docs/kernels-log.md) */
        const int64_t own = rnc_grad_scratch(s, t);
        scratch = own > scratch ? own : scratch;
    }
    const int64_t macs = rnc_grad_floats(s) * s->out_h * s->out_w * node->in[0]->type.n;
    const int64_t most = 4 * (int64_t)plan->options.threads;
    const int64_t pieces = wise ? (int64_t)s->slices * div_up(s->out_c, 16) : most;
    step->parts = worth_parts(macs, MACS_TO_SHARE, pieces);
    step->scratch_bytes = elems_bytes(SCRATCH_ELEM, step->parts * scratch);
    try_turned(plan, node, step);
}

/* The step that adds the slices of a gradient that is kept in panels. */
static void add_panel_sum(Plan *plan, const Node *node, const Step *products)
{
    const rnc_grad_weights_shape *g = &products->shape.grad_weights;
    Step step = {.node = node, .kernel = KERNEL_filter_sum, .in = {products->out[0]}};
    step.shape.filter = (rnc_filter_shape){.slices = g->slices,
                                           .slice = g->slice,
                                           .filters = g->out_c,
                                           .out_c = g->out_c,
                                           .groups = 1,
                                           .in_c = g->in_c,
                                           .kernel_h = g->kernel_h,
                                           .kernel_w = g->kernel_w,
                                           .panel = g->panel};
    step.counts = COUNTS_OWN;
    const int64_t floats = rnc_grad_floats(g);
    step.parts = worth_parts(floats * g->slices, 16384, div_up(floats, 16));
    step.out[0] = operand_of(plan, node);
    share_sum(plan, &step, 0);
    add_step(plan, &step);
}

/* The step that adds the slices and puts them into the order of the master. */
static void add_filter_sum(Plan *plan, const Node *node, const Step *products, const Node *bias)
{
    const rnc_grad_weights_shape *g = &products->shape.grad_weights;
    const bool wise = products->kernel == KERNEL_depthwise_grad_weights;
    Step step = {.node = node, .kernel = KERNEL_filter_sum, .in = {products->out[0]}};
    rnc_filter_shape *s = &step.shape.filter;
    *s = (rnc_filter_shape){.slices = g->slices, .slice = g->slice, .out_c = g->out_c};
    s->groups = wise ? 1 : g->groups;
    s->filters = node->in[0]->type.c;
    s->in_c = g->in_c;
    s->kernel_h = g->kernel_h, s->kernel_w = g->kernel_w;
    s->panel = wise ? g->out_c : g->panel;
    s->plain = 1;
    step.counts = g->slices > 1 ? COUNTS_OWN : COUNTS_NOTHING;
    const int64_t floats = rnc_grad_floats(g);
    step.parts = worth_parts(floats * g->slices, 16384, div_up(floats, 16 * (int64_t)s->panel));
    const int merge = node->op == OP_CONV_WEIGHTS && !wise ? node->attrs.groups / g->groups : 1;
    step.out[0] = merge == 1 ? operand_of(plan, node)
                             : add_piece(plan, node, "merged", type_elements(node->type) * merge);
    if (bias) {
        step.out[1] = operand_of(plan, bias);
        share_sum(plan, &step, 1);
    }
    if (merge == 1)
        share_sum(plan, &step, 0);
    add_step(plan, &step);
    if (merge > 1)
        add_regroup(plan, node, merge, step.out[0], operand_of(plan, node), true);
}

void select_grad_weights(Plan *plan, const Node *node)
{
    const bool in_panels = plan->training->panels[node->id] != NULL;
    const Node *bias = in_panels ? bias_in_panels(plan, node) : bias_sum(plan, node);
    Step step = {.node = node, .counts = COUNTS_OWN};
    rnc_grad_weights_shape *s = &step.shape.grad_weights;
    *s = weights_shape(plan, node);
    const bool wise = node->op == OP_CONV_WEIGHTS &&
                      is_wise(&node->attrs, node->in[1]->type.c, node->in[0]->type.c);
    step.kernel = wise ? KERNEL_depthwise_grad_weights : KERNEL_conv_grad_weights;
    rnc_grad_weights_shape all = *s;
    all.images = all_images(plan, s->images);
    const Slices cut = cut_slices(plan, s->images, rnc_grad_slices(&all));
    s->slices = cut.slices, s->slice = cut.slice;
    s->bias = bias != NULL;
    step.in[0] = operand_of(plan, node->in[1]);
    step.in[1] = operand_of(plan, node->in[0]);
    const bool finished = in_panels && s->slices == 1;
    step.out[0] = finished ? operand_of(plan, node)
                           : add_piece(plan, node, "slices", rnc_grad_floats(s) * s->slices);
    weights_tiles(plan, node, &step);
    if (finished)
        share_sum(plan, &step, 0);
    add_step(plan, &step);
    if (in_panels && !finished)
        add_panel_sum(plan, node, &step);
    if (!in_panels)
        add_filter_sum(plan, node, &step, bias);
    if (bias)
        plan->training->served[bias->id] = true;
}

/* ---- by the operand ---- */

rnc_grad_data_shape grad_data_window(const Node *node)
{
    const Attrs *a = &node->attrs;
    const Type in = node->type, out = node->in[0]->type;
    rnc_grad_data_shape s = {.images = in.n, .in_h = in.h, .in_w = in.w, .groups = a->groups};
    s.out_h = out.h, s.out_w = out.w;
    s.kernel_h = a->kernel[0], s.kernel_w = a->kernel[1];
    s.stride_h = a->stride[0], s.stride_w = a->stride[1];
    s.dilation_h = a->dilation[0], s.dilation_w = a->dilation[1];
    s.pad_top = a->padding[0], s.pad_left = a->padding[1];
    return s;
}

void grad_data_halo(const Node *node, int halo[4])
{
    const rnc_grad_data_shape s = grad_data_window(node);
    rnc_halo_cut h;
    rnc_grad_halo(&s, &h);
    halo[0] = h.top, halo[1] = h.left, halo[2] = h.bottom, halo[3] = h.right;
}

/* Tiles as a convolution of the first phase has them. */
static void data_tiles(const Plan *plan, const Node *node, Step *step)
{
    const rnc_grad_data_shape *s = &step->shape.grad_data;
    const bool wise = step->kernel == KERNEL_depthwise_grad_data;
    const Method *m = wise ? &method_depthwise : &method_conv_direct;
    Step phase = {.node = node, .kernel = m->kernel, .method = m};
    int i = 0;
    do
        rnc_phase_conv(s, i, &phase.shape.conv);
    while (phase.shape.conv.kernel_h * phase.shape.conv.kernel_w == 0 &&
           ++i < s->stride_h * s->stride_w);
    phase = shard_step(plan, &phase);
    for (int k = 0; k < ISA_COUNT; k++) {
        if (plan->options.isas >> k & 1)
            m->set_knobs(plan, &phase, (Isa)k, &step->knobs[k]);
    }
    const int64_t macs = rnc_phase_offset(s, s->stride_h * s->stride_w) * s->out_h * s->out_w;
    step->parts = worth_parts(macs * s->images, MACS_TO_SHARE, 4 * (int64_t)plan->options.threads);
}

void select_grad_data(Plan *plan, const Node *node)
{
    const Tensor *grad = plan->tensors[node->in[0]->id], *out = plan->tensors[node->id];
    const bool wise = is_wise(&node->attrs, node->type.c, node->in[0]->type.c);
    Step step = {.node = node, .kernel = wise ? KERNEL_depthwise_grad_data : KERNEL_conv_grad_data};
    rnc_grad_data_shape *s = &step.shape.grad_data;
    *s = grad_data_window(node);
    s->groups = wide_groups(plan, node);
    s->in_c = s->groups > 1 && !wise ? node->type.c : out->c;
    s->groups = wise ? s->in_c : s->groups;
    s->out_c = wise ? 1 : node->in[0]->type.c / s->groups;
    s->panel = wise ? s->in_c : PANEL;
    s->in_pixel = out->pixel, s->in_row = out->row, s->in_image = out->image;
    s->out_pixel = grad->pixel, s->out_row = grad->row, s->out_image = grad->image;
    step.in[0] = operand_of(plan, node->in[0]);
    step.out[0] = operand_of(plan, node);
    if (node->n_in > 1) {
        const Tensor *res = plan->tensors[node->in[1]->id];
        s->residual = 1;
        s->res_pixel = res->pixel, s->res_row = res->row, s->res_image = res->image;
        step.in[2] = operand_of(plan, node->in[1]);
    }
    pack_filters(plan, node, &step);
    step.in[1] = step.filters;
    step.filters = (Operand){.kind = PLACE_NONE};
    data_tiles(plan, node, &step);
    add_step(plan, &step);
    if (node->params[P_BIAS])
        add_bias(plan, node, node);
    else
        select_act(plan, node);
}
