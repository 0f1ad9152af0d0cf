/* plancheck_train.c: whether the shape of a training's step keeps inside the memory of its
 * operands.
 */
#include "plan/plancheck_parts.h"
#include "plan/training_parts.h"

/* n floats from the operand's first on. */
static void check_run(PlanCheck *check, const Step *step, const Operand *o, int64_t n)
{
    check_box(check, step, o, (Box){.images = 1, .c = n});
}

static void check_grad_weights(PlanCheck *check, const Step *step)
{
    const rnc_grad_weights_shape *s = &step->shape.grad_weights;
    const int64_t c = (int64_t)s->in_c * s->groups;
    const int64_t y1 = window_end(s->out_h, s->stride_h, s->kernel_h, s->dilation_h, s->pad_top);
    const int64_t x1 = window_end(s->out_w, s->stride_w, s->kernel_w, s->dilation_w, s->pad_left);
    const Box in = {s->images, -s->pad_top, y1,        -s->pad_left, x1,
                    c,         s->in_pixel, s->in_row, s->in_image};
    check_box(check, step, &step->in[0], in);
    check_box(check, step, &step->in[1], PLANE(s, s->out_h, s->out_w, s->out_c, out));
    check_run(check, step, &step->out[0], rnc_grad_floats(s) * s->slices);
    const int64_t room = step->scratch >= 0 ? check->plan->buffers.at[step->scratch].bytes : 0;
    for (int i = 0; i < ISA_COUNT && step->kernel != KERNEL_depthwise_grad_weights; i++) {
        rnc_grad_winograd_cut k = {.floats = rnc_grad_scratch(s, &step->knobs[i])};
        if (step->kernel == KERNEL_conv_grad_winograd)
            rnc_cut_grad_winograd(s, &step->knobs[i], &k);
        if ((check->plan->options.isas >> i & 1) &&
            elems_bytes(ELEM_F32, step->parts * k.floats) > room)
            complain(check, step, "has too little scratch for", step->node);
    }
}

static void check_grad_data(PlanCheck *check, const Step *step)
{
    const rnc_grad_data_shape *s = &step->shape.grad_data;
    const int64_t c = (int64_t)s->out_c * s->groups;
    rnc_halo_cut h;
    rnc_grad_halo(s, &h);
    const Box grad = {s->images,
                      -h.top,
                      s->out_h - 1 + h.bottom,
                      -h.left,
                      s->out_w - 1 + h.right,
                      c,
                      s->out_pixel,
                      s->out_row,
                      s->out_image};
    check_box(check, step, &step->in[0], grad);
    check_run(check, step, &step->in[1], rnc_phase_offset(s, s->stride_h * s->stride_w));
    check_box(check, step, &step->in[2], PLANE(s, s->in_h, s->in_w, s->in_c, res));
    check_box(check, step, &step->out[0], PLANE(s, s->in_h, s->in_w, s->in_c, in));
    const Tensor *t = step->in[0].tensor;
    if (h.top > t->halo[0] || h.left > t->halo[1] || h.bottom > t->halo[2] || h.right > t->halo[3])
        complain(check, step, "reads beyond the zeros around", t->node);
}

/* Which operands and results have the pixels of the tensor, and which are vectors or sums. */
static void check_norm(PlanCheck *check, const Step *step)
{
    const rnc_bn_shape *s = &step->shape.bn;
    const Box in = PLANE(s, s->h, s->w, s->c, in), out = PLANE(s, s->h, s->w, s->c, out);
    const int64_t sums = 2 * (int64_t)s->slices * s->c;
    switch (step->kernel) {
    case KERNEL_bn_moments:
        check_box(check, step, &step->in[0], in);
        check_run(check, step, &step->out[0], sums);
        break;
    case KERNEL_bn_apply:
        check_box(check, step, &step->in[0], in);
        check_box(check, step, &step->in[1], PLANE(s, s->h, s->w, s->c, res));
        for (int i = 2; i < 6; i++)
            check_run(check, step, &step->in[i], s->c);
        check_box(check, step, &step->out[0], out);
        break;
    case KERNEL_bn_grad_sums:
    case KERNEL_bn_grad:
        check_box(check, step, &step->in[0], PLANE(s, s->h, s->w, s->c, grad));
        check_box(check, step, &step->in[1], in);
        check_box(check, step, &step->in[2], out);
        for (int i = 3; i < 7; i++)
            check_run(check, step, &step->in[i], s->c);
        check_box(check, step, &step->out[1], PLANE(s, s->h, s->w, s->c, res));
        if (step->kernel == KERNEL_bn_grad)
            check_box(check, step, &step->out[0], PLANE(s, s->h, s->w, s->c, to));
        else
            check_run(check, step, &step->out[0], sums);
        break;
    default: /* vectors only, but for the sums that the first operand may be */
        check_run(check, step, &step->in[0], step->kernel == KERNEL_bn_move ? s->c : sums);
        check_run(check, step, &step->in[1], s->c);
        for (int i = 0; i < MOST_OUT; i++)
            check_run(check, step, &step->out[i],
                      step->kernel == KERNEL_bn_grad_join && i == 2 ? 2 * s->c : s->c);
        break;
    }
}

static void check_pool_grad(PlanCheck *check, const Step *step)
{
    const rnc_pool_grad_shape *s = &step->shape.pool_grad;
    if (step->kernel == KERNEL_window_sum) {
        check_box(check, step, &step->in[0], PLANE(s, s->in_h, s->in_w, s->c, in));
        check_box(check, step, &step->out[0], PLANE(s, s->out_h, s->out_w, s->c, out));
        return;
    }
    check_box(check, step, &step->in[0], PLANE(s, s->out_h, s->out_w, s->c, out));
    check_box(check, step, &step->in[1], PLANE(s, s->in_h, s->in_w, s->c, in));
    check_box(check, step, &step->out[0], PLANE(s, s->in_h, s->in_w, s->c, to));
}

static void check_reduce(PlanCheck *check, const Step *step)
{
    const rnc_reduce_shape *s = &step->shape.reduce;
    check_box(check, step, &step->in[0], PLANE(s, s->h, s->w, s->c, in));
    Box out = PLANE(s, s->over_pixels ? 1 : s->h, s->over_pixels ? 1 : s->w,
                    s->over_channels ? 1 : s->c, out);
    out.images = s->over_images ? 1 : s->images;
    check_box(check, step, &step->out[0], out);
}

/* Each image, or each pixel where there are several, is a run of numbers; those of the target are
 * as far apart. */
static void check_loss(PlanCheck *check, const Step *step)
{
    const rnc_loss_shape *s = &step->shape.loss;
    const Tensor *in = step->in[0].tensor, *target = step->in[1].tensor;
    const Box numbers = {.images = s->images, .c = s->c, .image = s->in_image};
    const Type t = in->node->type;
    check_box(check, step, &step->in[0], numbers);
    check_box(check, step, &step->in[1], numbers);
    check_box(check, step, &step->out[0],
              (Box){.images = s->images, .c = s->c, .image = s->grad_image});
    for (int i = 1; i < MOST_OUT; i++)
        check_run(check, step, &step->out[i], s->images);
    const bool flat = in->row == t.w * in->pixel && in->image == t.h * in->row;
    if ((t.h * t.w > 1 && !flat) || (t.h * t.w == 1 && in->pixel != in->image) ||
        (target && (target->pixel != in->pixel || target->image != in->image)))
        complain(check, step, "needs images one after the other in", in->node);
}

static void check_update(PlanCheck *check, const Step *step)
{
    const int n = step->shape.update.floats;
    check_run(check, step, &step->in[0], n);
    if (step->kernel == KERNEL_square_sum) {
        check_run(check, step, &step->out[0], div_up(n, RNC_SQUARES));
        return;
    }
    for (int i = 0; i < MOST_OUT; i++)
        check_run(check, step, &step->out[i],
                  i == squares_result(step->kernel) ? div_up(n, RNC_SQUARES) : n);
}

static void check_norm_grad(PlanCheck *check, const Step *step)
{
    const rnc_norm_grad_shape *s = &step->shape.norm_grad;
    check_box(check, step, &step->in[0], PLANE(s, s->h, s->w, s->c, grad));
    check_box(check, step, &step->in[1], PLANE(s, s->h, s->w, s->c, in));
    check_run(check, step, &step->in[2], (s->affine == 2 ? (int64_t)s->h * s->w : 1) * s->c);
    check_box(check, step, &step->out[0], PLANE(s, s->h, s->w, s->c, to));
    check_box(check, step, &step->out[1], PLANE(s, s->h, s->w, s->c, each));
    if ((s->affine > 0) != (step->in[2].kind != PLACE_NONE))
        complain(check, step, "reads a weight that is not there of", step->node);
}

static void check_over_grad(PlanCheck *check, const Step *step)
{
    const rnc_over_grad_shape *s = &step->shape.over_grad;
    const int h = s->h * s->box_h, w = s->w * s->box_w;
    const bool soft = s->kind == RNC_OVER_SOFTMAX || s->kind == RNC_OVER_LOG_SOFTMAX;
    check_box(check, step, &step->in[0],
              soft ? PLANE(s, h, w, s->c, grad)
                   : PLANE(s, s->h, s->w, s->channels ? 1 : s->c, grad));
    check_box(check, step, &step->in[1], PLANE(s, h, w, s->c, at));
    check_box(check, step, &step->out[0], PLANE(s, h, w, s->c, out));
    if ((soft || s->kind == RNC_OVER_MAX) != (step->in[1].kind != PLACE_NONE))
        complain(check, step, "reads an operand that is not there of", step->node);
}

static int64_t regroup_floats(const rnc_regroup_shape *s, bool merged)
{
    return (int64_t)s->filters * s->taps * s->in_c * (merged ? s->merge : 1);
}

static void check_repack(PlanCheck *check, const Step *step)
{
    const rnc_repack_shape *s = &step->shape.repack;
    const int64_t depth = (int64_t)s->kernel_h * s->kernel_w * s->in_c;
    check_run(check, step, &step->in[0], s->plain ? s->filters * depth : s->out_c * (depth + 1));
    check_run(check, step, &step->in[1], s->filters);
}

void check_train_shape(PlanCheck *check, const Step *step)
{
    const Shape *s = &step->shape;
    const rnc_act_grad_shape *a = &s->act_grad;
    const rnc_filter_shape *f = &s->filter;
    switch (kernel_rows[step->kernel].family) {
    case FAMILY_grad_weights:
        check_grad_weights(check, step);
        break;
    case FAMILY_grad_data:
        check_grad_data(check, step);
        break;
    case FAMILY_filter:
        check_run(check, step, &step->in[0], rnc_filter_floats(f) * f->slices);
        check_run(check, step, &step->out[0],
                  f->plain ? (int64_t)f->filters * f->kernel_h * f->kernel_w * f->in_c
                           : rnc_filter_floats(f));
        check_run(check, step, &step->out[1], f->filters);
        break;
    case FAMILY_repack:
        check_repack(check, step);
        break;
    case FAMILY_regroup:
        check_run(check, step, &step->in[0], regroup_floats(&s->regroup, s->regroup.back));
        check_run(check, step, &step->out[0], regroup_floats(&s->regroup, !s->regroup.back));
        break;
    case FAMILY_winograd_filter:
        check_run(check, step, &step->in[0],
                  (9 * (int64_t)s->winograd_filter.in_c + 1) * s->winograd_filter.out_c);
        break;
    case FAMILY_bn:
        check_norm(check, step);
        break;
    case FAMILY_update:
        check_update(check, step);
        break;
    case FAMILY_loss:
        check_loss(check, step);
        break;
    case FAMILY_act_grad:
        check_box(check, step, &step->in[0], PLANE(a, a->h, a->w, a->c, grad));
        check_box(check, step, &step->in[1], PLANE(a, a->h, a->w, a->c, at));
        check_box(check, step, &step->in[2], PLANE(a, a->h, a->w, a->c, more));
        check_box(check, step, &step->out[0], PLANE(a, a->h, a->w, a->c, out));
        break;
    case FAMILY_pool_grad:
        check_pool_grad(check, step);
        break;
    case FAMILY_norm_grad:
        check_norm_grad(check, step);
        break;
    case FAMILY_over_grad:
        check_over_grad(check, step);
        break;
    case FAMILY_sample_grad:
        check_box(check, step, &step->in[0],
                  PLANE(&s->sample_grad, s->sample_grad.out_h, s->sample_grad.out_w,
                        s->sample_grad.c, grad));
        check_box(check, step, &step->out[0],
                  PLANE(&s->sample_grad, s->sample_grad.in_h, s->sample_grad.in_w, s->sample_grad.c,
                        out));
        break;
    case FAMILY_reduce:
        check_reduce(check, step);
        break;
    default:
        complain(check, step, "has no operands:", step->node);
    }
}
