/* plancheck_shape.c: whether the shape of a step keeps inside the memory of its operands, and where
 * its windows reach beyond an operand, inside the zeros around it. */
#include "plan/plancheck_parts.h"

#include "kernels/cuts_clipped.h"

void complain(PlanCheck *check, const Step *step, const char *what, const Node *node)
{
    check->ok = false;
    diag_internal(check->diag, "plan: step %d (%s, '%s') %s '%s'", step->index,
                  kernel_rows[step->kernel].name, step->node->name, what, node->name);
}

void check_box(PlanCheck *check, const Step *step, const Operand *o, Box b)
{
    const Tensor *t = o->tensor;
    if (!t)
        return;
    const int64_t at = t->origin + o->shift;
    const int64_t low = at + b.y0 * b.row + b.x0 * b.pixel;
    const int64_t high = at + (b.images - 1) * b.image + b.y1 * b.row + b.x1 * b.pixel + b.c;
    const int64_t room = t->state ? t->state->bytes : check->plan->buffers.at[t->buffer].bytes;
    if (low < 0 || elems_bytes(t->elem, high) > room)
        complain(check, step, "reaches outside the buffer of", t->node);
    if (t->state)
        return;
    const Buffer *buffer = &check->plan->buffers.at[t->buffer];
    if (buffer->offset % 64 != 0 || buffer->offset < 0 ||
        buffer->offset + buffer->bytes > check->plan->arena_bytes)
        complain(check, step, "has an operand outside the arena:", t->node);
    if (step->index < buffer->first || step->index > buffer->last)
        complain(check, step, "is outside the lifetime of the buffer of", t->node);
}

int64_t window_end(int64_t out, int stride, int kernel, int dilation, int pad)
{
    return (out - 1) * stride + (int64_t)(kernel - 1) * dilation - pad;
}

static void check_conv(PlanCheck *check, const Step *step)
{
    const rnc_conv_shape *s = &step->shape.conv;
    const bool clipped = s->in_h > 0;
    const int64_t y0 = clipped ? 0 : -s->pad_top, x0 = clipped ? 0 : -s->pad_left;
    const int64_t y1 =
        clipped ? s->in_h - 1
                : window_end(s->out_h, s->stride_h, s->kernel_h, s->dilation_h, s->pad_top);
    const int64_t x1 =
        clipped ? s->in_w - 1
                : window_end(s->out_w, s->stride_w, s->kernel_w, s->dilation_w, s->pad_left);
    const int64_t in_c = (int64_t)s->in_c * s->groups;
    check_box(check, step, &step->in[0],
              (Box){s->images, y0, y1, x0, x1, in_c, s->in_pixel, s->in_row, s->in_image});
    check_box(check, step, &step->out[0], PLANE(s, s->out_h, s->out_w, s->out_c, out));
    if (s->residual)
        check_box(check, step, &step->in[1], PLANE(s, s->out_h, s->out_w, s->out_c, res));
    const Tensor *t = step->in[0].tensor;
    const Type type = t->node->type;
    if (clipped && (s->in_h != type.h || s->in_w != type.w || rnc_full_tap(s) < 0 ||
                    s->kernel_w > RNC_CLIPPED_COLUMNS))
        complain(check, step, "clips its windows to another extent than that of", t->node);
    if (-y0 > t->halo[0] || -x0 > t->halo[1] || y1 >= type.h + t->halo[2] ||
        x1 >= type.w + t->halo[3])
        complain(check, step, "reads beyond the zeros around", t->node);
}

static void check_join(PlanCheck *check, const Step *step)
{
    const rnc_join_shape *s = &step->shape.join;
    check_box(check, step, &step->in[0], PLANE(s, s->h, s->w, s->one_channel == 1 ? 1 : s->c, in));
    check_box(check, step, &step->in[1], PLANE(s, s->h, s->w, s->one_channel == 2 ? 1 : s->c, in2));
    check_box(check, step, &step->out[0], PLANE(s, s->h, s->w, s->c, out));
}

static void check_copy(PlanCheck *check, const Step *step)
{
    const rnc_copy_shape *s = &step->shape.copy;
    check_box(check, step, &step->in[0],
              PLANE(s, (s->h - 1) / s->repeat_h + 1, (s->w - 1) / s->repeat_w + 1, s->c, in));
    Box out = PLANE(s, s->h + s->zero_bottom, s->w + s->zero_right, s->c + s->zero_behind, out);
    out.y0 = -s->zero_top;
    out.x0 = -s->zero_left;
    check_box(check, step, &step->out[0], out);
}

static void check_pad(PlanCheck *check, const Step *step)
{
    const rnc_pad_shape *s = &step->shape.pad;
    check_box(check, step, &step->in[0], PLANE(s, s->h, s->w, s->c, in));
    check_box(check, step, &step->out[0],
              PLANE(s, s->top + s->h + s->bottom, s->left + s->w + s->right, s->c, out));
}

/* The blocks of a pixel and their channels are the elements after it. */
static void check_blocks(PlanCheck *check, const Step *step)
{
    const rnc_blocks_shape *s = &step->shape.blocks;
    const int64_t down = s->down - 1, across = s->across - 1, c = s->c - 1;
    check_box(
        check, step, &step->in[0],
        PLANE(s, s->h, s->w, down * s->in_down + across * s->in_across + c * s->in_step + 1, in));
    check_box(check, step, &step->out[0],
              PLANE(s, s->h, s->w,
                    down * s->out_down + across * s->out_across + c * s->out_step + 1, out));
}

/* A split has as many results as parts, and reads all of these from its operand. */
static void check_split(PlanCheck *check, const Step *step)
{
    const rnc_split_shape *s = &step->shape.split;
    check_box(check, step, &step->in[0], PLANE(s, s->h, s->w, (int64_t)s->c * s->parts, in));
    for (int k = 0; k < MOST_OUT; k++) {
        check_box(check, step, &step->out[k], PLANE(s, s->h, s->w, s->c, out));
        if ((k < s->parts) != (step->out[k].kind != PLACE_NONE))
            complain(check, step, "has not a result for each part of", step->node);
    }
}

/* A shift writes all slots of the state, the last of which is `fresh - 1` after those kept. */
static void check_shift(PlanCheck *check, const Step *step)
{
    const rnc_shift_shape *s = &step->shape.shift;
    const int64_t in = (int64_t)(s->fresh - 1) * s->in_slot;
    const int64_t out = ((int64_t)s->keep + s->fresh - 1) * s->out_slot;
    check_box(check, step, &step->in[0], PLANE(s, s->h, s->w, s->c + in, in));
    check_box(check, step, &step->out[0], PLANE(s, s->h, s->w, s->c + out, out));
    if (step->out[0].kind != PLACE_STATE)
        complain(check, step, "keeps what no state has room for:", step->node);
}

static void check_over(PlanCheck *check, const Step *step)
{
    const rnc_over_shape *s = &step->shape.over;
    const int h = s->h * s->box_h, w = s->w * s->box_w;
    check_box(check, step, &step->in[0], PLANE(s, h, w, s->c, in));
    if (step->kernel == KERNEL_reduce_over)
        check_box(check, step, &step->out[0], PLANE(s, s->h, s->w, s->channels ? 1 : s->c, out));
    else
        check_box(check, step, &step->out[0], PLANE(s, h, w, s->c, out));
}

static void check_dense(PlanCheck *check, const Step *step)
{
    const rnc_dense_shape *d = &step->shape.dense;
    const Box result = {d->images, 0, 0, 0, 0, d->out_c, 0, 0, d->out_image};
    const Box residual = {d->images, 0, 0, 0, 0, d->out_c, 0, 0, d->res_image};
    check_box(check, step, &step->in[0], (Box){d->images, 0, 0, 0, 0, d->in_c, 0, 0, d->in_image});
    check_box(check, step, &step->out[0], result);
    if (d->residual)
        check_box(check, step, &step->in[1], residual);
}

static void check_flatten(PlanCheck *check, const Step *step)
{
    const rnc_flatten_shape *f = &step->shape.flatten;
    const int64_t each = (int64_t)f->h * f->w * f->c;
    check_box(check, step, &step->in[0], PLANE(f, f->h, f->w, f->c, in));
    check_box(check, step, &step->out[0], (Box){f->images, 0, 0, 0, 0, each, 0, 0, f->out_image});
}

/* A kernel with one operand and one result, whose planes are of the same size, or not. */
#define SAME_SIZE(s)                                                                  \
    do {                                                                              \
        check_box(check, step, &step->in[0], PLANE(s, (s)->h, (s)->w, (s)->c, in));   \
        check_box(check, step, &step->out[0], PLANE(s, (s)->h, (s)->w, (s)->c, out)); \
    } while (0)
#define OTHER_SIZE(s)                                                                         \
    do {                                                                                      \
        check_box(check, step, &step->in[0], PLANE(s, (s)->in_h, (s)->in_w, (s)->c, in));     \
        check_box(check, step, &step->out[0], PLANE(s, (s)->out_h, (s)->out_w, (s)->c, out)); \
    } while (0)

/* Of kernels that move numbers and compute little with them. */
static void check_moved(PlanCheck *check, const Step *step)
{
    const Shape *s = &step->shape;
    switch (kernel_rows[step->kernel].family) {
    case FAMILY_copy:
        check_copy(check, step);
        break;
    case FAMILY_pad:
        check_pad(check, step);
        break;
    case FAMILY_resize:
        OTHER_SIZE(&s->resize);
        break;
    case FAMILY_blocks:
        check_blocks(check, step);
        break;
    case FAMILY_split:
        check_split(check, step);
        break;
    case FAMILY_shift:
        check_shift(check, step);
        break;
    case FAMILY_flatten:
        check_flatten(check, step);
        break;
    case FAMILY_input:
        check_box(check, step, &step->out[0],
                  PLANE(&s->input, s->input.h, s->input.w, s->input.out_c, out));
        break;
    case FAMILY_output:
        check_box(check, step, &step->in[0],
                  PLANE(&s->output, s->output.h, s->output.w, s->output.c, in));
        break;
    default:
        check_train_shape(check, step);
    }
}

void check_shape(PlanCheck *check, const Step *step)
{
    const Shape *s = &step->shape;
    switch (kernel_rows[step->kernel].family) {
    case FAMILY_conv:
        check_conv(check, step);
        break;
    case FAMILY_dense:
        check_dense(check, step);
        break;
    case FAMILY_pool:
        OTHER_SIZE(&s->pool);
        break;
    case FAMILY_map:
        SAME_SIZE(&s->map);
        break;
    case FAMILY_over:
        check_over(check, step);
        break;
    case FAMILY_norm:
        SAME_SIZE(&s->norm);
        break;
    case FAMILY_join:
        check_join(check, step);
        break;
    case FAMILY_softmax:
        SAME_SIZE(&s->softmax);
        break;
    default:
        check_moved(check, step);
    }
}
