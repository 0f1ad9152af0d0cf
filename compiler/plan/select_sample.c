/* select_sample.c: steps that give pixels or channels other places: pad, resize, and what moves
 * blocks of pixels or lets axes change places. */
#include "plan/plan_parts.h"

#include "net/sample.h"

#include <assert.h>

/* The kernel `pad` numbers the modes as the network does. */
static_assert(PADDING_REFLECT == 1 && PADDING_REPLICATE == 2 && PADDING_CIRCULAR == 3 &&
                  PADDING_SYMMETRIC == 4,
              "kernels/f32/pad.c");

static void add_rows(Plan *plan, Step *step, int64_t elements, int64_t rows)
{
    enum { FLOATS_LEAST = 16384 };
    step->parts = worth_parts(elements, FLOATS_LEAST, rows);
    add_step(plan, step);
}

static void select_pad(Plan *plan, const Node *node, Step *step)
{
    const Type t = node->in[0]->type;
    const int *p = node->attrs.padding;
    const Tensor *in = step->in[0].tensor, *out = step->out[0].tensor;
    rnc_pad_shape *s = &step->shape.pad;
    step->kernel = KERNEL_pad;
    *s = (rnc_pad_shape){.images = t.n, .h = t.h, .w = t.w, .c = out->c};
    s->mode = (int)node->attrs.padding_mode;
    s->top = p[0], s->left = p[1], s->bottom = p[2], s->right = p[3];
    s->in_pixel = in->pixel, s->in_row = in->row, s->in_image = in->image;
    s->out_pixel = out->pixel, s->out_row = out->row, s->out_image = out->image;
    add_rows(plan, step, type_elements(node->type), (int64_t)t.n * node->type.h);
}

static void select_resize(Plan *plan, const Node *node, Step *step)
{
    const Type t = node->in[0]->type;
    const Tensor *in = step->in[0].tensor, *out = step->out[0].tensor;
    const Scaling down = resize_scaling(&node->attrs, 0, t.h, node->type.h);
    const Scaling across = resize_scaling(&node->attrs, 1, t.w, node->type.w);
    rnc_resize_shape *s = &step->shape.resize;
    step->kernel = KERNEL_resize;
    *s = (rnc_resize_shape){.images = t.n, .in_h = t.h, .in_w = t.w, .c = out->c};
    s->out_h = node->type.h, s->out_w = node->type.w;
    s->bilinear = node->attrs.resize_mode == RESIZE_BILINEAR;
    s->mul_h = (int)down.mul, s->add_h = (int)down.add, s->div_h = (int)down.div;
    s->mul_w = (int)across.mul, s->add_w = (int)across.add, s->div_w = (int)across.div;
    s->in_pixel = in->pixel, s->in_row = in->row, s->in_image = in->image;
    s->out_pixel = out->pixel, s->out_row = out->row, s->out_image = out->image;
    set_act(node, &s->act, &s->alpha, &s->beta);
    add_rows(plan, step, type_elements(node->type), (int64_t)t.n * node->type.h);
}

/* One side of a step that moves blocks: the pixels of a block, or the channels of a pixel. */
typedef struct Side {
    int step, down, across, pixel, row;
} Side;

static Side pixels_side(const Tensor *t, int block)
{
    return (Side){1, t->row, t->pixel, block * t->pixel, block * t->row};
}

static Side channels_side(const Tensor *t, const Attrs *a, int channels)
{
    const int step = a->depth_order == DEPTH_DCR ? 1 : a->block * a->block;
    const int pixel = a->depth_order == DEPTH_DCR ? channels : 1;
    return (Side){step, a->block * pixel, pixel, t->pixel, t->row};
}

static void add_blocks(Plan *plan, const Node *node, Step *step, const Side *in, const Side *out)
{
    rnc_blocks_shape *s = &step->shape.blocks;
    s->in_step = in->step, s->in_down = in->down, s->in_across = in->across;
    s->in_pixel = in->pixel, s->in_row = in->row, s->in_image = step->in[0].tensor->image;
    s->out_step = out->step, s->out_down = out->down, s->out_across = out->across;
    s->out_pixel = out->pixel, s->out_row = out->row, s->out_image = step->out[0].tensor->image;
    add_rows(plan, step, type_elements(node->type), (int64_t)s->images * s->h);
}

static void select_blocks(Plan *plan, const Node *node, Step *step)
{
    const Attrs *a = &node->attrs;
    const Type in = node->in[0]->type, out = node->type;
    const Tensor *from = step->in[0].tensor, *to = step->out[0].tensor;
    rnc_blocks_shape *s = &step->shape.blocks;
    step->kernel = KERNEL_blocks;
    if (node->op == OP_CHANNEL_SHUFFLE) {
        const int each = in.c / a->groups;
        *s = (rnc_blocks_shape){in.n, in.h, in.w, each, .down = 1, .across = a->groups};
        const Side groups = {1, 0, each, from->pixel, from->row};
        const Side mixed = {a->groups, 0, 1, to->pixel, to->row};
        add_blocks(plan, node, step, &groups, &mixed);
        return;
    }
    if (node->op == OP_UNFLATTEN) {
        const bool planes = a->order == ORDER_NCHW;
        *s = (rnc_blocks_shape){out.n, out.h, out.w, out.c, .down = 1, .across = 1};
        const Side vector = {planes ? out.h * out.w : 1, 0, 0, planes ? 1 : out.c,
                             planes ? out.w : out.w * out.c};
        const Side image = {1, 0, 0, to->pixel, to->row};
        add_blocks(plan, node, step, &vector, &image);
        return;
    }
    if (node->op == OP_TRANSPOSE) {
        const int apart[] = {1, from->row, from->pixel}; /* channels, rows, pixels */
        int axes[3];
        transposed_axes(a->axes, axes);
        *s = (rnc_blocks_shape){out.n, out.h, out.w, out.c, .down = 1, .across = 1};
        const Side turned = {apart[axes[0]], 0, 0, apart[axes[2]], apart[axes[1]]};
        const Side image = {1, 0, 0, to->pixel, to->row};
        add_blocks(plan, node, step, &turned, &image);
        return;
    }
    const bool deepens = node->op == OP_SPACE_TO_DEPTH;
    const Type deep = deepens ? out : in, wide = deepens ? in : out;
    *s = (rnc_blocks_shape){in.n, deep.h, deep.w, wide.c, .down = a->block, .across = a->block};
    const Side pixels = pixels_side(deepens ? from : to, a->block);
    const Side channels = channels_side(deepens ? to : from, a, wide.c);
    add_blocks(plan, node, step, deepens ? &pixels : &channels, deepens ? &channels : &pixels);
}

void select_sample(Plan *plan, const Node *node)
{
    Step step = {.node = node};
    step.in[0] = operand_of(plan, node->in[0]);
    step.out[0] = operand_of(plan, node);
    if (node->op == OP_PAD)
        select_pad(plan, node, &step);
    else if (node->op == OP_RESIZE)
        select_resize(plan, node, &step);
    else
        select_blocks(plan, node, &step);
}
