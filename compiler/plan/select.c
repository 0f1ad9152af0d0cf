/* select.c: from nodes to steps: chooses the kernel of each step and the shape that it is given.
 *
 * The steps are in the order of the nodes.  An input step is at its node's place.  An output step
 * comes right after the step that makes its value, so that the value need not stay alive for it.
 * select_conv.c has the convolutions, select_move.c the steps that only move numbers.
 */
#include "plan/training_parts.h"

#include "net/affine.h"

#include <assert.h>
#include <string.h>

/* ---- what all steps need ---- */

Operand operand_of(const Plan *plan, const Node *node)
{
    Tensor *tensor = plan->tensors[node->id];
    return (Operand){.kind = tensor->state ? PLACE_STATE : PLACE_ARENA, .tensor = tensor};
}

/* Kernels number activations as the network does. */
#define SAME_ACT(id) static_assert((int)RNC_ACT_##id == (int)ACT_##id, "kernels/shapes.h")
SAME_ACT(NONE);
SAME_ACT(RELU);
SAME_ACT(RELU6);
SAME_ACT(LEAKY_RELU);
SAME_ACT(SIGMOID);
SAME_ACT(TANH);
SAME_ACT(HARD_SIGMOID);
SAME_ACT(HARD_SWISH);
SAME_ACT(SILU);
SAME_ACT(GELU);
SAME_ACT(ELU);
SAME_ACT(SELU);
SAME_ACT(SOFTPLUS);
SAME_ACT(MISH);
SAME_ACT(CLIP);
SAME_ACT(PRELU);
static_assert((int)ACT_COUNT == (int)RNC_ACT_COUNT,
              "a new activation needs its number in shapes.h");

/* For hard_sigmoid beta becomes what is added to x before it is multiplied. */
void give_act(Act act, double alpha, double beta, int *to, float *to_alpha, float *to_beta)
{
    *to = (int)act;
    *to_alpha = (float)alpha;
    *to_beta = (float)(act == ACT_HARD_SIGMOID ? beta / alpha : beta);
}

void set_act(const Node *node, int *act, float *alpha, float *beta)
{
    give_act(node->act, node->act_alpha, node->act_beta, act, alpha, beta);
}

/* An earlier step whose node has the same parameters in the same packed form, or NULL. */
static const Step *same_weights(const Plan *plan, const Step *step)
{
    const Node *node = step->node;
    const Param *weight = node->params[P_WEIGHT];
    if (!weight || weight->first == node->id)
        return NULL;
    for (int i = plan->steps.n - 1; i >= 0; i--) {
        const Step *other = &plan->steps.at[i];
        if (other->weights && memcmp(other->node->params, node->params, sizeof node->params) == 0 &&
            packed_alike(other, step))
            return other;
    }
    return NULL;
}

void add_weights(Plan *plan, Step *step)
{
    const Step *other = same_weights(plan, step);
    if (other) {
        step->weights = other->weights;
        return;
    }
    Packed *p = NEW(plan->arena, Packed);
    p->step = plan->steps.n;
    p->name = step->node->name;
    p->packing = kernel_rows[step->kernel].packing;
    p->elem = packed_elem(step);
    p->offset = plan->weight_bytes;
    p->bytes = packed_bytes(step);
    step->weights = p;
    plan->weight_bytes = p->offset + round_up(p->bytes, 64);
    VEC_PUSH(plan->arena, &plan->packed, p);
}

void add_step(Plan *plan, Step *step)
{
    step->index = plan->steps.n;
    step->scratch = -1;
    if (step->scratch_bytes > 0) {
        Buffer b = {.bytes = round_up(step->scratch_bytes, 64), .what = "scratch"};
        step->scratch = plan->buffers.n;
        VEC_PUSH(plan->arena, &plan->buffers, b);
    }
    VEC_PUSH(plan->arena, &plan->steps, *step);
}

int worth_parts(int64_t work, int64_t least, int64_t pieces)
{
    enum { PARTS_MOST = 256 };
    if (work < least || pieces < 1)
        return 1;
    return (int)div_up(pieces, div_up(pieces, PARTS_MOST));
}

/* Parts of a step that moves the numbers of a tensor of type `t` and whose rows threads share. */
static int rows_parts(Type t)
{
    enum { FLOATS_LEAST = 16384 };
    return worth_parts(type_elements(t), FLOATS_LEAST, (int64_t)t.n * t.h);
}

/* ---- families ---- */

void select_act(Plan *plan, const Node *node)
{
    if (node->act == ACT_NONE)
        return;
    const Tensor *t = plan->tensors[node->id];
    Step step = {.node = node, .kernel = KERNEL_map, .in = {operand_of(plan, node)}};
    step.out[0] = step.in[0];
    rnc_map_shape *s = &step.shape.map;
    *s = (rnc_map_shape){.images = node->type.n, .h = node->type.h, .w = node->type.w, .c = t->c};
    s->in_pixel = s->out_pixel = t->pixel;
    s->in_row = s->out_row = t->row;
    s->in_image = s->out_image = t->image;
    set_act(node, &s->act, &s->alpha, &s->beta);
    step.parts = rows_parts(node->type);
    add_step(plan, &step);
}

static void select_map(Plan *plan, const Node *node)
{
    const bool trained = plan->training && (node->params[P_WEIGHT] || node->params[P_BIAS]);
    if (trained && !node->params[P_WEIGHT]) {
        add_bias(plan, node, node->in[0]);
        return;
    }
    const Tensor *in = plan->tensors[node->in[0]->id], *out = plan->tensors[node->id];
    Step step = {.node = node, .kernel = KERNEL_map};
    step.in[0] = operand_of(plan, node->in[0]);
    step.out[0] = operand_of(plan, node);
    rnc_map_shape *s = &step.shape.map;
    *s = (rnc_map_shape){.images = node->type.n, .h = node->type.h, .w = node->type.w, .c = out->c};
    s->affine = node->op == OP_PRELU ? 2 : is_affine(node->op);
    s->in_pixel = in->pixel, s->in_row = in->row, s->in_image = in->image;
    s->out_pixel = out->pixel, s->out_row = out->row, s->out_image = out->image;
    const Act own = node->op == OP_PRELU ? ACT_NONE : act_of(node->op); /* its slopes are weights */
    if (own == ACT_NONE) {
        set_act(node, &s->act, &s->alpha, &s->beta);
    } else {
        double alpha, beta;
        act_numbers(node->op, &node->attrs, &alpha, &beta);
        give_act(own, alpha, beta, &s->act, &s->alpha, &s->beta);
    }
    step.parts = rows_parts(node->type);
    if (trained)
        pack_vectors(plan, node, node->type.c, out->c, s->affine == 1, &step);
    else if (s->affine)
        add_weights(plan, &step);
    add_step(plan, &step);
    if (own != ACT_NONE)
        select_act(plan, node);
}

static void select_pool(Plan *plan, const Node *node)
{
    const Tensor *in = plan->tensors[node->in[0]->id], *out = plan->tensors[node->id];
    const Attrs *a = &node->attrs;
    Step step = {.node = node};
    step.kernel = node->op == OP_MAXPOOL ? KERNEL_maxpool : KERNEL_avgpool;
    step.in[0] = operand_of(plan, node->in[0]);
    step.out[0] = operand_of(plan, node);
    rnc_pool_shape *s = &step.shape.pool;
    *s = (rnc_pool_shape){.images = node->type.n,
                          .in_h = node->in[0]->type.h,
                          .in_w = node->in[0]->type.w,
                          .out_h = node->type.h,
                          .out_w = node->type.w,
                          .c = out->c,
                          .kernel_h = a->kernel[0],
                          .kernel_w = a->kernel[1],
                          .stride_h = a->stride[0],
                          .stride_w = a->stride[1],
                          .pad_top = a->padding[0],
                          .pad_left = a->padding[1],
                          .pad_bottom = a->padding[2],
                          .pad_right = a->padding[3]};
    s->count_padding = node->op == OP_AVGPOOL && a->count_padding;
    s->divisor = node->op == OP_AVGPOOL ? a->divisor : 0;
    s->in_pixel = in->pixel, s->in_row = in->row, s->in_image = in->image;
    s->out_pixel = out->pixel, s->out_row = out->row, s->out_image = out->image;
    set_act(node, &s->act, &s->alpha, &s->beta);
    step.parts = worth_parts(type_elements(node->type) * a->kernel[0] * a->kernel[1], 32768,
                             (int64_t)node->type.n * node->type.h);
    add_step(plan, &step);
}

static void select_softmax(Plan *plan, const Node *node)
{
    const Tensor *in = plan->tensors[node->in[0]->id], *out = plan->tensors[node->id];
    const Type t = node->type;
    Step step = {.node = node, .kernel = KERNEL_softmax};
    step.in[0] = operand_of(plan, node->in[0]);
    step.out[0] = operand_of(plan, node);
    step.shape.softmax = (rnc_softmax_shape){
        t.n, t.h, t.w, t.c, in->pixel, in->row, in->image, out->pixel, out->row, out->image,
    };
    step.parts = rows_parts(t);
    add_step(plan, &step);
    select_act(plan, node);
}

/* Sets one operand's distances in a join whose result has type `t`. */
static void join_operand(Type of, const Tensor *tensor, Type t, int *pixel, int *row, int *image)
{
    *pixel = of.w == 1 && t.w > 1 ? 0 : tensor->pixel;
    *row = of.h == 1 && t.h > 1 ? 0 : tensor->row;
    *image = tensor->image;
}

static void add_join(Plan *plan, const Node *node, const Node *a, const Node *b, bool last)
{
    const Type t = node->type;
    const Tensor *out = plan->tensors[node->id];
    Step step = {.node = node, .kernel = KERNEL_join};
    step.in[0] = operand_of(plan, a);
    step.in[1] = operand_of(plan, b);
    step.out[0] = operand_of(plan, node);
    rnc_join_shape *s = &step.shape.join;
    *s = (rnc_join_shape){.images = t.n, .h = t.h, .w = t.w, .c = out->c};
    s->operation = node->op == OP_MUL   ? RNC_JOIN_MUL
                   : node->op == OP_SUB ? RNC_JOIN_SUB
                   : node->op == OP_DIV ? RNC_JOIN_DIV
                                        : RNC_JOIN_ADD;
    s->one_channel = t.c == 1 ? 0 : a->type.c == 1 ? 1 : b->type.c == 1 ? 2 : 0;
    join_operand(a->type, step.in[0].tensor, t, &s->in_pixel, &s->in_row, &s->in_image);
    join_operand(b->type, step.in[1].tensor, t, &s->in2_pixel, &s->in2_row, &s->in2_image);
    s->out_pixel = out->pixel, s->out_row = out->row, s->out_image = out->image;
    if (last)
        set_act(node, &s->act, &s->alpha, &s->beta);
    step.parts = rows_parts(t);
    add_step(plan, &step);
}

/* The first pair begins with an operand that has all channels, since a join
 * spreads one operand's single channel at most; the others are added to the
 * result in turn. */
static void select_join(Plan *plan, const Node *node)
{
    int first = 0;
    while (first < node->n_in - 1 && node->in[first]->type.c != node->type.c)
        first++;
    const Node *sum = node->in[first];
    for (int i = 0, left = node->n_in - 1; i < node->n_in; i++) {
        if (i == first)
            continue;
        if (node->n_in == 2) /* the user's order */
            add_join(plan, node, node->in[0], node->in[1], true);
        else
            add_join(plan, node, sum, node->in[i], --left == 0);
        sum = node;
    }
}

static void select_input(Plan *plan, const Node *node, const Node *input)
{
    const Type t = node->type;
    const Tensor *out = plan->tensors[node->id];
    int port = 0;
    while (plan->net->inputs.at[port].node != input)
        port++;
    Step step = {.node = node, .kernel = KERNEL_input};
    step.in[0] = (Operand){.kind = PLACE_INPUT, .port = port};
    step.out[0] = operand_of(plan, node);
    rnc_input_shape *s = &step.shape.input;
    *s = (rnc_input_shape){.images = t.n, .h = t.h, .w = t.w, .c = t.c, .out_c = out->c};
    const Elem elem = plan->net->inputs.at[port].elem;
    assert((elem == ELEM_F32 || elem == ELEM_U8) && "a type that the kernel `input` does not read");
    s->u8 = elem == ELEM_U8;
    s->nhwc = plan->net->inputs.at[port].order == ORDER_NHWC;
    s->affine = is_affine(node->op);
    s->out_pixel = out->pixel, s->out_row = out->row, s->out_image = out->image;
    step.parts = rows_parts(t);
    if (s->affine)
        add_weights(plan, &step);
    add_step(plan, &step);
}

static void select_outputs(Plan *plan, const Node *node)
{
    const Type t = node->type;
    const Tensor *in = plan->tensors[node->id];
    for (int i = 0; i < plan->net->outputs.n; i++) {
        const Port *port = &plan->net->outputs.at[i];
        if (port->node != node)
            continue;
        Step step = {.node = node, .kernel = KERNEL_output, .in = {operand_of(plan, node)}};
        step.out[0] = (Operand){.kind = PLACE_OUTPUT, .port = i};
        step.shape.output = (rnc_output_shape){
            t.n, t.h, t.w, t.c, port->order == ORDER_NHWC, in->pixel, in->row, in->image,
        };
        step.parts = rows_parts(t);
        add_step(plan, &step);
    }
}

/* ---- all ---- */

/* Softmaxes and reductions over several pixels, and those over the channels of each. */
static void select_channels(Plan *plan, const Node *node)
{
    if (node->op == OP_SOFTMAX && node->attrs.over == OVER_CHANNELS)
        select_softmax(plan, node);
    else if (!select_over(plan, node))
        select_act(plan, node);
}

/* Operators that only move numbers; what no copy does is left to the activation. */
static void select_moved(Plan *plan, const Node *node)
{
    if (!select_move(plan, node))
        select_act(plan, node);
}

/* What makes an operator's steps, where the node has no method and no form of its own.  NULL: it is
 * always one of these, a pass has made others of it (pass.def), or only a training has it
 * (select_train.c). */
static void (*const selectors[OP_COUNT])(Plan *plan, const Node *node) = {
    [OP_MAXPOOL] = select_pool,
    [OP_AVGPOOL] = select_pool,
    [OP_ADD] = select_join,
    [OP_MUL] = select_join,
    [OP_SUB] = select_join,
    [OP_DIV] = select_join,
    [OP_GROUP_NORM] = select_norm,
    [OP_INSTANCE_NORM] = select_norm,
    [OP_LAYER_NORM] = select_norm,
    [OP_L2_NORM] = select_norm,
    [OP_SOFTMAX] = select_channels,
    [OP_LOG_SOFTMAX] = select_channels,
    [OP_REDUCE] = select_channels,
    [OP_CONCAT] = select_moved,
    [OP_STACK] = select_moved,
    [OP_SPLIT] = select_moved,
    [OP_FLATTEN] = select_moved,
    [OP_CROP] = select_moved,
    [OP_ZEROPAD] = select_moved,
    [OP_INTERLEAVE] = select_moved,
    [OP_SUBSAMPLE] = select_moved,
    [OP_UPSAMPLE] = select_moved,
    [OP_DELAY] = select_moved,
    [OP_HISTORY] = select_moved,
    [OP_PAD] = select_sample,
    [OP_RESIZE] = select_sample,
    [OP_DEPTH_TO_SPACE] = select_sample,
    [OP_SPACE_TO_DEPTH] = select_sample,
    [OP_CHANNEL_SHUFFLE] = select_sample,
    [OP_UNFLATTEN] = select_sample,
    [OP_TRANSPOSE] = select_sample,
    [OP_NORMALIZE] = select_map,
    [OP_CAST] = select_map,
    [OP_BN] = select_map,
    [OP_AFFINE] = select_map,
    [OP_SCALE] = select_map,
    [OP_PRELU] = select_map,
    [OP_RELU] = select_map,
    [OP_RELU6] = select_map,
    [OP_LEAKY_RELU] = select_map,
    [OP_SIGMOID] = select_map,
    [OP_TANH] = select_map,
    [OP_HARD_SIGMOID] = select_map,
    [OP_HARD_SWISH] = select_map,
    [OP_SILU] = select_map,
    [OP_GELU] = select_map,
    [OP_ELU] = select_map,
    [OP_SELU] = select_map,
    [OP_SOFTPLUS] = select_map,
    [OP_MISH] = select_map,
    [OP_CLIP] = select_map,
};

static void select_node(Plan *plan, const Node *node)
{
    const Placing *p = &plan->placings[node->id];
    if (p->form == FORM_INPUT)
        select_input(plan, node, p->input);
    else if (plan->methods[node->id])
        select_conv(plan, node, plan->methods[node->id]);
    else if (!plan->training || !select_train(plan, node)) {
        assert(selectors[node->op] && "an operator without a row in selectors");
        selectors[node->op](plan, node);
    }
}

static void select_one(Plan *plan, const Node *node)
{
    const Form form = plan->placings[node->id].form;
    if ((form == FORM_STEP || form == FORM_INPUT) && node->type.elem != ELEM_I32)
        select_node(plan, node);
    if (form != FORM_FUSED)
        select_outputs(plan, node);
}

/* The steps of a training, stage by stage. */
static void select_stages(Plan *plan)
{
    Training *t = plan->training;
    const Net *net = plan->net;
    t->served = NEW_ARRAY(plan->arena, bool, net->nodes.n + 1);
    t->n_sums = 0;
    bool back = false;
    add_squares(plan);
    for (int i = 0; i < t->step_nodes; i++) {
        const Node *node = net->nodes.at[i];
        if (!t->served[i])
            select_one(plan, node);
        if (!back && (node->op == OP_CROSS_ENTROPY || node->op == OP_MEAN_SQUARED_ERROR)) {
            back = true;
            t->begin[STAGE_BACKWARD] = plan->steps.n;
            if (!moves_wait(&t->optimizer))
                select_moves(plan);
        }
        select_updates(plan, i);
    }
    select_late_updates(plan);
    t->begin[STAGE_EVALUATE] = plan->steps.n;
    for (int i = 0; i < net->nodes.n; i++) {
        if (i >= t->step_nodes || is_shared(net->nodes.at[i]))
            select_one(plan, net->nodes.at[i]);
    }
    t->begin[STAGES] = plan->steps.n;
}

void select_steps(Plan *plan)
{
    if (plan->training)
        select_stages(plan);
    for (int i = 0; i < plan->net->nodes.n && !plan->training; i++)
        select_one(plan, plan->net->nodes.at[i]);
    clear_halos(plan);
}
