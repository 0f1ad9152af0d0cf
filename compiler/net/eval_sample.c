/* eval_sample.c: the oracle's operators that give pixels other places: padding, resizing, fixed
 * filters, blocks of pixels as channels; and what belongs to them in a backward part. */
#include "net/eval_parts.h"

#include "net/sample.h"

#include <string.h>

/* ---- height and width each by itself ---- */

/* to[] += weight * from[], for the channels of a pixel */
static void add_pixel(double *to, const double *from, double weight, int channels)
{
    for (int c = 0; c < channels; c++)
        to[c] += weight * from[c];
}

/* Adds the pixels of x to pixel (y, x) of the result, or, if `back`, the pixel of the result's
 * gradient to those of x. */
static void sample_pixel(EvalStep *s, Op op, bool back, const int at[3])
{
    const Type t = s->node->type, in = s->node->in[0]->type;
    const Type small = back ? t : in, large = back ? in : t;
    Tap down[MOST_TAPS], across[MOST_TAPS];
    const int rows = sample_taps(op, &s->node->attrs, 0, small.h, large.h, at[1], down);
    const int pixels = sample_taps(op, &s->node->attrs, 1, small.w, large.w, at[2], across);
    const int64_t one = element_at(large, at[0], at[1], at[2], 0);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < pixels; j++) {
            const int64_t other = element_at(small, at[0], down[i].at, across[j].at, 0);
            add_pixel(s->out + (back ? other : one), s->in[0] + (back ? one : other),
                      down[i].weight * across[j].weight, t.c);
        }
}

static void sample(EvalStep *s, Op op, bool back)
{
    const Type t = back ? s->node->in[0]->type : s->node->type;
    memset(s->out, 0, (size_t)type_elements(s->node->type) * sizeof *s->out);
    for (int n = 0; n < t.n; n++)
        for (int y = 0; y < t.h; y++)
            for (int x = 0; x < t.w; x++)
                sample_pixel(s, op, back, (int[]){n, y, x});
}

void eval_PAD(EvalStep *s)
{
    sample(s, OP_PAD, false);
}

void eval_RESIZE(EvalStep *s)
{
    sample(s, OP_RESIZE, false);
}

void eval_BLURPOOL(EvalStep *s)
{
    sample(s, OP_BLURPOOL, false);
}

void eval_PAD_BACKWARD(EvalStep *s)
{
    sample(s, OP_PAD, true);
}

/* `size` is that of x here, which is the node's type: the result's is dy's. */
void eval_RESIZE_BACKWARD(EvalStep *s)
{
    sample(s, OP_RESIZE, true);
}

void eval_BLURPOOL_BACKWARD(EvalStep *s)
{
    sample(s, OP_BLURPOOL, true);
}

/* ---- parts ---- */

void eval_CROP(EvalStep *s)
{
    const Type in = s->node->in[0]->type, out = s->node->type;
    const Attrs *a = &s->node->attrs;
    for (int n = 0; n < out.n; n++)
        for (int y = 0; y < out.h; y++)
            for (int x = 0; x < out.w; x++)
                memcpy(s->out + element_at(out, n, y, x, 0),
                       s->in[0] + element_at(in, n, y + a->padding[0], x + a->padding[1],
                                             a->channel_padding[0]),
                       (size_t)out.c * sizeof(double));
}

/* ---- blocks of pixels and groups of channels ---- */

/* Which channel of a pixel is channel c of pixel (i, j) of its block. */
static int block_channel(const Attrs *a, int channels, int i, int j, int c)
{
    const int pixel = i * a->block + j;
    return a->depth_order == DEPTH_DCR ? pixel * channels + c : c * a->block * a->block + pixel;
}

/* Copies between an image of `t` and one with a pixel for each of its blocks. */
static void move_blocks(EvalStep *s, Type t, Type deep, bool to_depth)
{
    const Attrs *a = &s->node->attrs;
    for (int n = 0; n < t.n; n++)
        for (int y = 0; y < t.h; y++)
            for (int x = 0; x < t.w; x++)
                for (int c = 0; c < t.c; c++) {
                    const int channel = block_channel(a, t.c, y % a->block, x % a->block, c);
                    const int64_t one = element_at(t, n, y, x, c);
                    const int64_t other = element_at(deep, n, y / a->block, x / a->block, channel);
                    s->out[to_depth ? other : one] = s->in[0][to_depth ? one : other];
                }
}

void eval_DEPTH_TO_SPACE(EvalStep *s)
{
    move_blocks(s, s->node->type, s->node->in[0]->type, false);
}

void eval_SPACE_TO_DEPTH(EvalStep *s)
{
    move_blocks(s, s->node->in[0]->type, s->node->type, true);
}

void eval_CHANNEL_SHUFFLE(EvalStep *s)
{
    const Type t = s->node->type;
    const int groups = s->node->attrs.groups, each = t.c / groups;
    for (int64_t p = 0; p < type_elements(t); p += t.c)
        for (int c = 0; c < t.c; c++)
            s->out[p + c] = s->in[0][p + c % groups * each + c / groups];
}

void eval_UNFLATTEN(EvalStep *s)
{
    const Type t = s->node->type;
    int64_t at = 0;
    if (s->node->attrs.order == ORDER_NHWC) {
        memcpy(s->out, s->in[0], (size_t)type_elements(t) * sizeof(double));
        return;
    }
    for (int n = 0; n < t.n; n++)
        for (int c = 0; c < t.c; c++)
            for (int y = 0; y < t.h; y++)
                for (int x = 0; x < t.w; x++)
                    s->out[element_at(t, n, y, x, c)] = s->in[0][at++];
}

/* ---- other axes, other extents ---- */

/* Where number i of image n is stored. */
static int64_t number_at(Type t, Order order, int n, int64_t i)
{
    if (order == ORDER_NHWC)
        return (int64_t)n * t.h * t.w * t.c + i;
    return element_at(t, n, (int)(i / t.w % t.h), (int)(i % t.w), (int)(i / t.w / t.h));
}

void eval_RESHAPE(EvalStep *s)
{
    const Type t = s->node->type, in = s->node->in[0]->type;
    const Order order = s->node->attrs.order;
    for (int n = 0; n < t.n; n++)
        for (int64_t i = 0; i < (int64_t)t.c * t.h * t.w; i++)
            s->out[number_at(t, order, n, i)] = s->in[0][number_at(in, order, n, i)];
}

void eval_TRANSPOSE(EvalStep *s)
{
    const Type t = s->node->type, in = s->node->in[0]->type;
    int from[3], at[3]; /* channel, row, pixel of the operand */
    transposed_axes(s->node->attrs.axes, from);
    for (int n = 0; n < t.n; n++)
        for (int y = 0; y < t.h; y++)
            for (int x = 0; x < t.w; x++)
                for (int c = 0; c < t.c; c++) {
                    at[from[0]] = c, at[from[1]] = y, at[from[2]] = x;
                    s->out[element_at(t, n, y, x, c)] =
                        s->in[0][element_at(in, n, at[1], at[2], at[0])];
                }
}
