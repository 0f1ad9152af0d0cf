/* select_move.c: steps that only move numbers. */
#include "plan/plan_parts.h"

#include "net/state.h"

Step copy_step(const Plan *plan, const Node *node, const Node *operand)
{
    const Tensor *in = plan->tensors[operand->id], *out = plan->tensors[node->id];
    const Type t = operand->type;
    Step step = {.node = node, .kernel = KERNEL_copy};
    step.in[0] = operand_of(plan, operand);
    step.out[0] = operand_of(plan, node);
    rnc_copy_shape *s = &step.shape.copy;
    *s = (rnc_copy_shape){.images = t.n, .h = t.h, .w = t.w, .c = t.c};
    s->repeat_h = s->repeat_w = 1;
    s->in_pixel = in->pixel, s->in_row = in->row, s->in_image = in->image;
    s->out_pixel = out->pixel, s->out_row = out->row, s->out_image = out->image;
    return step;
}

void add_copy_step(Plan *plan, Step *step)
{
    enum { FLOATS_LEAST = 16384 };
    const rnc_copy_shape *s = &step->shape.copy;
    const int64_t rows = (int64_t)s->images * (s->zero_top + s->h + s->zero_bottom);
    step->parts = worth_parts(rows * s->w * s->c, FLOATS_LEAST, rows);
    add_step(plan, step);
}

/* Copies those operands that are not stored in the result already. */
static void select_concat(Plan *plan, const Node *node)
{
    int at = 0;
    for (int i = 0; i < node->n_in; i++) {
        if (!plan->placings[node->id].embedded[i]) {
            Step step = copy_step(plan, node, node->in[i]);
            step.out[0].shift = at;
            set_act(node, &step.shape.copy.act, &step.shape.copy.alpha, &step.shape.copy.beta);
            add_copy_step(plan, &step);
        }
        at += node->in[i]->type.c;
    }
}

/* Copies those operands that are not stored in the result already. */
static void select_stack(Plan *plan, const Node *node)
{
    int at = 0;
    for (int i = 0; i < node->n_in; i++) {
        if (!plan->placings[node->id].embedded[i]) {
            Step step = copy_step(plan, node, node->in[i]);
            step.out[0].shift = (int64_t)at * step.shape.copy.out_row;
            add_copy_step(plan, &step);
        }
        at += node->in[i]->type.h;
    }
}

/* Whether a step that copies `first`, a part of a split, can copy `part` as well: it is of the same
 * split, not a view, and stored in the same way. */
static bool goes_with(const Plan *plan, const Node *first, const Node *part)
{
    const Tensor *a = plan->tensors[first->id], *b = plan->tensors[part->id];
    return plan->placings[part->id].form == FORM_STEP && a->pixel == b->pixel && a->row == b->row &&
           a->image == b->image;
}

/* How many parts a step copies, beginning with the one with this id: neighbours that go with it, at
 * most MOST_OUT. */
static int parts_from(const Plan *plan, int id)
{
    const Node *first = plan->net->nodes.at[id];
    int n = 1;
    while (n < MOST_OUT && first->attrs.sizes.at[0] <= 0 &&
           first->attrs.result + n < first->attrs.parts &&
           goes_with(plan, first, plan->net->nodes.at[id + n]))
        n++;
    return n;
}

/* Copies the parts that are not views, several with each step; it is made when the first of these
 * is asked for. */
static void select_split(Plan *plan, const Node *node)
{
    int id = node->id - node->attrs.result;
    while (id < node->id)
        id += plan->placings[id].form == FORM_STEP ? parts_from(plan, id) : 1;
    if (id > node->id)
        return; /* a step before this one copies it */
    const Type t = node->type;
    const Tensor *in = plan->tensors[node->in[0]->id], *out = plan->tensors[node->id];
    Step step = {.node = node, .kernel = KERNEL_split};
    step.in[0] = operand_of(plan, node->in[0]);
    int from;
    split_part(&node->attrs, node->in[0]->type.c, node->attrs.result, &from);
    step.in[0].shift = from;
    rnc_split_shape *s = &step.shape.split;
    *s = (rnc_split_shape){.images = t.n, .h = t.h, .w = t.w, .c = t.c};
    s->parts = parts_from(plan, id);
    for (int i = 0; i < s->parts; i++)
        step.out[i] = operand_of(plan, plan->net->nodes.at[id + i]);
    s->in_pixel = in->pixel, s->in_row = in->row, s->in_image = in->image;
    s->out_pixel = out->pixel, s->out_row = out->row, s->out_image = out->image;
    step.parts = worth_parts(s->parts * type_elements(t), 16384, (int64_t)t.n * t.h);
    add_step(plan, &step);
}

static void select_zeropad(Plan *plan, const Node *node)
{
    const Attrs *a = &node->attrs;
    Step step = copy_step(plan, node, node->in[0]);
    rnc_copy_shape *s = &step.shape.copy;
    s->zero_top = a->padding[0], s->zero_left = a->padding[1];
    s->zero_bottom = a->padding[2], s->zero_right = a->padding[3];
    s->zero_front = a->channel_padding[0], s->zero_behind = a->channel_padding[1];
    step.out[0].shift =
        (int64_t)s->zero_top * s->out_row + (int64_t)s->zero_left * s->out_pixel + s->zero_front;
    add_copy_step(plan, &step);
}

static void select_crop(Plan *plan, const Node *node)
{
    const Attrs *a = &node->attrs;
    Step step = copy_step(plan, node, node->in[0]);
    rnc_copy_shape *s = &step.shape.copy;
    s->h = node->type.h, s->w = node->type.w, s->c = node->type.c;
    step.in[0].shift = (int64_t)a->padding[0] * s->in_row + (int64_t)a->padding[1] * s->in_pixel +
                       a->channel_padding[0];
    add_copy_step(plan, &step);
}

/* Copies each operand to every stride-th pixel. */
static void select_interleave(Plan *plan, const Node *node)
{
    const int *stride = node->attrs.stride;
    const Type t = node->type;
    const int across = stride[1] < t.w ? stride[1] : t.w;
    for (int i = 0; i < node->n_in; i++) {
        const int down = i / across, right = i % across;
        Step step = copy_step(plan, node, node->in[i]);
        rnc_copy_shape *s = &step.shape.copy;
        s->h = (t.h - down - 1) / stride[0] + 1, s->w = (t.w - right - 1) / stride[1] + 1;
        step.out[0].shift = (int64_t)down * s->out_row + (int64_t)right * s->out_pixel;
        s->out_row *= stride[0], s->out_pixel *= stride[1];
        add_copy_step(plan, &step);
    }
}

static void select_resample(Plan *plan, const Node *node)
{
    const Attrs *a = &node->attrs;
    Step step = copy_step(plan, node, node->in[0]);
    rnc_copy_shape *s = &step.shape.copy;
    s->h = node->type.h, s->w = node->type.w;
    if (node->op == OP_SUBSAMPLE) {
        s->in_row *= a->stride[0];
        s->in_pixel *= a->stride[1];
    } else {
        s->repeat_h = a->scale_by[0], s->repeat_w = a->scale_by[1];
    }
    set_act(node, &s->act, &s->alpha, &s->beta);
    add_copy_step(plan, &step);
}

static void select_flatten(Plan *plan, const Node *node)
{
    const Type t = node->in[0]->type;
    const Tensor *in = plan->tensors[node->in[0]->id], *out = plan->tensors[node->id];
    if (node->attrs.order == ORDER_NHWC) {
        Step step = copy_step(plan, node, node->in[0]);
        step.shape.copy.out_pixel = t.c;
        step.shape.copy.out_row = t.w * t.c;
        add_copy_step(plan, &step);
        return;
    }
    Step step = {.node = node, .kernel = KERNEL_flatten};
    step.in[0] = operand_of(plan, node->in[0]);
    step.out[0] = operand_of(plan, node);
    step.shape.flatten =
        (rnc_flatten_shape){t.n, t.h, t.w, t.c, in->pixel, in->row, in->image, out->image};
    step.parts = worth_parts(type_elements(t), 16384, (int64_t)t.n * ((t.c + 15) / 16));
    add_step(plan, &step);
}

/* Moves what the state has by as many frames or rows as the operand brings, and puts these after
 * it.  A delay moves whole images, whose pixels threads share, a history rows. */
static void select_shift(Plan *plan, const Node *node)
{
    const Type t = node->in[0]->type;
    const Tensor *in = plan->tensors[node->in[0]->id], *out = plan->tensors[node->id];
    const bool rows = node->op == OP_HISTORY;
    Step step = {.node = node, .kernel = KERNEL_shift};
    step.in[0] = operand_of(plan, node->in[0]);
    step.out[0] = operand_of(plan, node);
    rnc_shift_shape *s = &step.shape.shift;
    *s = (rnc_shift_shape){.images = t.n, .h = rows ? 1 : t.h, .w = t.w, .c = out->c};
    s->keep = node->attrs.frames;
    s->fresh = rows ? t.h : 1;
    s->in_pixel = in->pixel, s->in_row = in->row, s->in_image = in->image;
    s->in_slot = rows ? in->row : in->image;
    s->out_pixel = out->pixel, s->out_row = out->row, s->out_image = out->image;
    s->out_slot = rows ? out->row : out->image / (s->keep + 1);
    step.parts = worth_parts(mul_extents(type_elements(t), s->keep / s->fresh + 2), 16384,
                             (int64_t)s->images * s->h * s->w);
    add_step(plan, &step);
}

/* Returns true if the steps apply the node's activation as well.  Otherwise it needs a step of its
 * own: it must also be applied to zeros that are written, and the kernel `flatten` cannot apply
 * any. */
bool select_move(Plan *plan, const Node *node)
{
    if (node->op == OP_CONCAT)
        select_concat(plan, node);
    else if (node->op == OP_STACK)
        select_stack(plan, node);
    else if (node->op == OP_SPLIT)
        select_split(plan, node);
    else if (node->op == OP_INTERLEAVE)
        select_interleave(plan, node);
    else if (node->op == OP_CROP)
        select_crop(plan, node);
    else if (node->op == OP_ZEROPAD)
        select_zeropad(plan, node);
    else if (node->op == OP_FLATTEN)
        select_flatten(plan, node);
    else if (remembers(node))
        select_shift(plan, node);
    else
        select_resample(plan, node);
    return node->op == OP_CONCAT || node->op == OP_SUBSAMPLE || node->op == OP_UPSAMPLE;
}
