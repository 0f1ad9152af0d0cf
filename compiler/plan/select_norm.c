/* select_norm.c: steps of normalisations by statistics of the tensor itself, and their weights. */
#include "plan/methods/method_parts.h"
#include "plan/training_parts.h"
#include "kernels/cuts_norm.h"

/* The channels of a set; 0: all of a pixel's. */
static int group_of(const Node *node)
{
    switch (node->op) {
    case OP_GROUP_NORM:
        return node->type.c / node->attrs.groups;
    case OP_INSTANCE_NORM:
        return 1;
    default:
        return node->attrs.over == OVER_IMAGE ? node->type.c : 0;
    }
}

/* Numbers of a scale. */
static int64_t scale_floats(const rnc_norm_shape *s)
{
    return (s->affine == 2 ? (int64_t)s->h * s->w : 1) * s->c;
}

void select_norm(Plan *plan, const Node *node)
{
    const Tensor *in = plan->tensors[node->in[0]->id], *out = plan->tensors[node->id];
    const Type t = node->type;
    const int group = group_of(node);
    const bool pixels = group == 0;
    Step step = {.node = node, .kernel = pixels ? KERNEL_norm_pixels : KERNEL_norm_images};
    step.in[0] = operand_of(plan, node->in[0]);
    step.out[0] = operand_of(plan, node);
    rnc_norm_shape *s = &step.shape.norm;
    *s = (rnc_norm_shape){.images = t.n, .h = t.h, .w = t.w, .c = t.c};
    s->group = pixels ? t.c : group;
    s->length = node->op == OP_L2_NORM;
    const Param *weight = node->params[P_WEIGHT], *bias = node->params[P_BIAS];
    const bool alone = plan->training && bias && !weight;
    if ((weight || bias) && !alone)
        s->affine = (weight ? weight : bias)->rank == 3 ? 2 : 1;
    s->epsilon = (float)node->attrs.epsilon;
    s->in_pixel = in->pixel, s->in_row = in->row, s->in_image = in->image;
    s->out_pixel = out->pixel, s->out_row = out->row, s->out_image = out->image;
    if (!alone)
        set_act(node, &s->act, &s->alpha, &s->beta);
    const int block = rnc_norm_block(s->group, t.c), blocks = (t.c + block - 1) / block;
    step.parts = worth_parts(type_elements(t), 16384, (int64_t)t.n * (pixels ? t.h : blocks));
    if (s->affine && plan->training)
        pack_vectors(plan, node, (int)scale_floats(s), (int)scale_floats(s), true, &step);
    else if (s->affine)
        add_weights(plan, &step);
    add_step(plan, &step);
    if (alone)
        add_bias(plan, node, node);
}

/* ---- weights ---- */

int64_t packed_norm(const Step *step)
{
    return 2 * scale_floats(&step->shape.norm);
}

void pack_norm(const Step *step, float *to)
{
    const rnc_norm_shape *s = &step->shape.norm;
    const Param *weight = step->node->params[P_WEIGHT], *bias = step->node->params[P_BIAS];
    const int64_t n = scale_floats(s), pixels = n / s->c;
    for (int64_t i = 0; i < n; i++) { /* from [c][h][w] to [h][w][c] */
        const int64_t from = i % s->c * pixels + i / s->c;
        to[i] = weight ? (float)param_at(weight, from) : 1.0f;
        to[n + i] = bias ? (float)param_at(bias, from) : 0.0f;
    }
}
