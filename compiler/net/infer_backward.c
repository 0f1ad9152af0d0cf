/* infer_backward.c: the shape rules of the operators of a backward part (ops.def, training).
 *
 * differentiate() never gets them wrong; the messages are for those who write the text form by
 * hand. */
#include "net/infer_parts.h"

/* Whether an operand has this type; false after a message. */
static bool fits(const Node *node, Diag *diag, int operand, Type t)
{
    const Node *in = node->in[operand];
    if (type_eq(in->type, t))
        return true;
    diag_error(diag, node_loc(node), "operand %d of '%s' must be %s nchw[%d][%d][%d][%d]",
               operand + 1, op_row(node->op)->name, elem_name(t.elem), t.n, t.c, t.h, t.w);
    diag_note(diag, node_loc(in), "'%s' is %s nchw[%d][%d][%d][%d]", in->name,
              elem_name(in->type.elem), in->type.n, in->type.c, in->type.h, in->type.w);
    return false;
}

static bool set_type(Node *node, Diag *diag, Type t)
{
    return set_batch(node, diag, t.elem, t.n, t.c, t.h, t.w);
}

/* A number for each channel of a type. */
static Type channels_of(Type t)
{
    return (Type){ELEM_F32, 1, 1, 1, t.c};
}

/* The type of `of` with height, width and channels changed. */
static Type resized(Type of, int h, int w, int c)
{
    return (Type){of.elem, of.n, h, w, c};
}

/* ---- normalisation ---- */

bool shape_BN_TRAIN(Node *node, Diag *diag)
{
    const Type x = node->in[0]->type;
    return set_type(node, diag, node->attrs.result == 0 ? x : channels_of(x)) &&
           set_channel_dims(node, diag, x.c) &&
           (node->attrs.result > 0 || check_residual(node, diag));
}

bool shape_BN_AGAIN(Node *node, Diag *diag)
{
    const Type x = node->in[0]->type;
    return fits(node, diag, 1, channels_of(x)) && fits(node, diag, 2, channels_of(x)) &&
           (node->n_in < 4 || fits(node, diag, 3, x)) && set_type(node, diag, x) &&
           set_channel_dims(node, diag, x.c);
}

bool shape_BN_BACKWARD(Node *node, Diag *diag)
{
    const Type x = node->in[1]->type;
    return fits(node, diag, 0, x) && fits(node, diag, 2, channels_of(x)) &&
           fits(node, diag, 3, channels_of(x)) &&
           set_type(node, diag, node->attrs.result == 0 ? x : channels_of(x)) &&
           set_channel_dims(node, diag, x.c);
}

bool shape_BN_FIXED_BACKWARD(Node *node, Diag *diag)
{
    const Type x = node->in[1]->type;
    return fits(node, diag, 0, x) &&
           set_type(node, diag, node->attrs.result == 0 ? x : channels_of(x)) &&
           set_channel_dims(node, diag, x.c);
}

/* ---- windows ---- */

/* The result of a window over x. */
static Type window(const Attrs *a, const int *dilation, Type x, int c)
{
    return resized(
        x, infer_window(x.h, a->kernel[0], a->stride[0], dilation[0], a->padding[0], a->padding[2]),
        infer_window(x.w, a->kernel[1], a->stride[1], dilation[1], a->padding[1], a->padding[3]),
        c);
}

static bool refuse_groups(const Node *node, Diag *diag, int a, int b)
{
    diag_error(diag, node_loc(node), "'%s' cannot share %d and %d channels out to %d groups",
               op_row(node->op)->name, a, b, node->attrs.groups);
    return false;
}

bool shape_CONV_WEIGHTS(Node *node, Diag *diag)
{
    const Attrs *a = &node->attrs;
    const Type dy = node->in[0]->type, x = node->in[1]->type;
    if (dy.c % a->groups || x.c % a->groups)
        return refuse_groups(node, diag, dy.c, x.c);
    return fits(node, diag, 0, window(a, a->dilation, x, dy.c)) &&
           set_type(node, diag,
                    (Type){ELEM_F32, dy.c, a->kernel[0], a->kernel[1], x.c / a->groups});
}

bool shape_MAXPOOL_BACKWARD(Node *node, Diag *diag)
{
    const Type x = node->in[1]->type;
    return fits(node, diag, 0, infer_pool(&node->attrs, x)) && set_type(node, diag, x);
}

bool shape_AVGPOOL_BACKWARD(Node *node, Diag *diag)
{
    const Type dy = node->in[0]->type;
    const Type x = resized(dy, node->attrs.size[0], node->attrs.size[1], dy.c);
    return fits(node, diag, 0, infer_pool(&node->attrs, x)) && set_type(node, diag, x);
}

/* ---- dense ---- */

bool shape_DENSE_TRANSPOSE(Node *node, Diag *diag)
{
    const Type dy = node->in[0]->type;
    const int64_t weight[] = {dy.c, node->attrs.filters};
    return fits(node, diag, 0, resized(dy, 1, 1, dy.c)) &&
           set_type(node, diag, resized(dy, 1, 1, node->attrs.filters)) &&
           set_dims(node, diag, P_WEIGHT, 2, weight);
}

bool shape_DENSE_WEIGHTS(Node *node, Diag *diag)
{
    const Type dy = node->in[0]->type, x = node->in[1]->type;
    return fits(node, diag, 0, resized(x, 1, 1, dy.c)) &&
           fits(node, diag, 1, resized(x, 1, 1, x.c)) &&
           set_type(node, diag, (Type){ELEM_F32, dy.c, 1, 1, x.c});
}

/* ---- element by element ---- */

static bool like_second(Node *node, Diag *diag)
{
    return fits(node, diag, 0, node->in[1]->type) && set_type(node, diag, node->in[1]->type);
}

bool shape_ACT_BACKWARD(Node *node, Diag *diag)
{
    return like_second(node, diag);
}

bool shape_SOFTMAX_BACKWARD(Node *node, Diag *diag)
{
    return like_second(node, diag);
}

bool shape_LOG_SOFTMAX_BACKWARD(Node *node, Diag *diag)
{
    return like_second(node, diag);
}

/* ---- moves and sums ---- */

bool shape_SUM(Node *node, Diag *diag)
{
    const Attrs *a = &node->attrs;
    Type t = node->in[0]->type;
    t.n = a->images ? 1 : t.n;
    t.h = a->pixels ? 1 : t.h;
    t.w = a->pixels ? 1 : t.w;
    t.c = a->channels ? 1 : t.c;
    return set_type(node, diag, t);
}

bool shape_SUBSAMPLE_BACKWARD(Node *node, Diag *diag)
{
    const Attrs *a = &node->attrs;
    const Type dy = node->in[0]->type;
    return fits(node, diag, 0,
                resized(dy, (a->size[0] - 1) / a->stride[0] + 1,
                        (a->size[1] - 1) / a->stride[1] + 1, dy.c)) &&
           set_type(node, diag, resized(dy, a->size[0], a->size[1], dy.c));
}

bool shape_UPSAMPLE_BACKWARD(Node *node, Diag *diag)
{
    const int *by = node->attrs.scale_by;
    const Type dy = node->in[0]->type;
    const int h = dy.h / by[0], w = dy.w / by[1];
    return fits(node, diag, 0, resized(dy, h * by[0], w * by[1], dy.c)) &&
           set_result(node, diag, dy.elem, dy.c, h, w);
}

/* ---- losses ---- */

/* The first result is a number, the second the gradient by the first operand. */
static bool loss(Node *node, Diag *diag)
{
    const Type number = {ELEM_F32, 1, 1, 1, 1};
    return set_type(node, diag, node->attrs.result == 0 ? number : node->in[0]->type);
}

bool shape_CROSS_ENTROPY(Node *node, Diag *diag)
{
    const Type logits = node->in[0]->type;
    const Type labels = {ELEM_I32, logits.n, logits.h, logits.w, 1};
    return fits(node, diag, 1, labels) && loss(node, diag);
}

bool shape_MEAN_SQUARED_ERROR(Node *node, Diag *diag)
{
    return fits(node, diag, 1, node->in[0]->type) && loss(node, diag);
}
