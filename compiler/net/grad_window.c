/* grad_window.c: the rules of differentiation of operators with weights or windows. */
#include "net/grad_parts.h"

#include "net/infer.h"

#include <string.h>

/* What a convolution and its transpose say alike. */
static Attrs window_attrs(Op op, const Attrs *from)
{
    Attrs attrs = ir_default_attrs(op);
    for (int i = 0; i < 2; i++) {
        attrs.kernel[i] = from->kernel[i];
        attrs.stride[i] = from->stride[i];
        attrs.dilation[i] = from->dilation[i];
    }
    for (int i = 0; i < 4; i++)
        attrs.padding[i] = from->padding[i];
    attrs.groups = from->groups;
    return attrs;
}

static bool give_bias(Grad *g, Node *node, Node *dy)
{
    Attrs attrs = ir_default_attrs(OP_SUM);
    attrs.images = attrs.pixels = true;
    return !grad_trains(g, node, P_BIAS) ||
           grad_give_param(g, node, P_BIAS,
                           grad_add(g, node, "bias.gradient", OP_SUM, &dy, 1, &attrs));
}

/* A fused residual gets dy as it is. */
static bool give_residual(Grad *g, Node *node, Node *dy)
{
    return node->n_in < 2 || !grad_wants(g, node, 1) || grad_give(g, node, 1, dy);
}

/* Gives the weights what conv_weights makes of dy and x; of the transpose, with dy and x swapped.
 */
static bool give_weights(Grad *g, Node *node, Node *dy, Node *x, const Attrs *window)
{
    Node *in[] = {dy, x};
    return !grad_trains(g, node, P_WEIGHT) ||
           grad_give_param(g, node, P_WEIGHT,
                           grad_add(g, node, "weight.gradient", OP_CONV_WEIGHTS, in, 2, window));
}

/* Sets output_padding so that a transpose of dy has the extents of x: the rows and pixels at the
 * end of x that no window reached. */
static void set_rest(Attrs *a, Type dy, Type x)
{
    for (int axis = 0; axis < 2; axis++) {
        const int in = axis ? dy.w : dy.h, out = axis ? x.w : x.h;
        a->output_padding[axis] = (int)(out - infer_transpose_extent(a, axis, in));
    }
}

/* A convolution that pads with pixels of the image is one without padding of what `pad` makes. */
static bool grad_padded(Grad *g, Node *node, Node *d)
{
    Attrs pad = ir_default_attrs(OP_PAD), window = window_attrs(OP_CONV_WEIGHTS, &node->attrs);
    memcpy(pad.padding, window.padding, sizeof pad.padding);
    pad.padding_mode = node->attrs.padding_mode;
    memset(window.padding, 0, sizeof window.padding);
    Node *x = grad_add(g, node, "padded", OP_PAD, &node->in[0], 1, &pad);
    if (!x || !give_weights(g, node, d, x, &window) || !give_bias(g, node, d))
        return false;
    if (!grad_wants(g, node, 0))
        return true;
    Attrs attrs = window_attrs(OP_CONV_TRANSPOSE, &window);
    attrs.filters = x->type.c;
    set_rest(&attrs, d->type, x->type);
    Node *dx = grad_add(g, node, "padded.backward", OP_CONV_TRANSPOSE, &d, 1, &attrs);
    return dx &&
           grad_give(g, node, 0, grad_add(g, node, "backward", OP_PAD_BACKWARD, &dx, 1, &pad));
}

bool grad_CONV(Grad *g, Node *node, Node *const *dy)
{
    Node *d = dy[0];
    const Attrs window = window_attrs(OP_CONV_WEIGHTS, &node->attrs);
    Attrs attrs = window_attrs(OP_CONV_TRANSPOSE, &node->attrs);
    if (!give_residual(g, node, d))
        return false;
    if (node->attrs.padding_mode != PADDING_ZEROS)
        return grad_padded(g, node, d);
    attrs.filters = node->in[0]->type.c;
    set_rest(&attrs, d->type, node->in[0]->type);
    return give_weights(g, node, d, node->in[0], &window) && give_bias(g, node, d) &&
           (!grad_wants(g, node, 0) ||
            grad_give(g, node, 0, grad_add(g, node, "backward", OP_CONV_TRANSPOSE, &d, 1, &attrs)));
}

bool grad_CONV_TRANSPOSE(Grad *g, Node *node, Node *const *dy)
{
    Node *d = dy[0];
    Attrs attrs = window_attrs(OP_CONV, &node->attrs);
    attrs.filters = node->in[0]->type.c;
    if (grad_wants(g, node, 0) &&
        !grad_give(g, node, 0, grad_add(g, node, "backward", OP_CONV, &d, 1, &attrs)))
        return false;
    const Attrs window = window_attrs(OP_CONV_WEIGHTS, &node->attrs);
    return give_weights(g, node, node->in[0], d, &window) && give_bias(g, node, d) &&
           give_residual(g, node, d);
}

bool grad_DENSE(Grad *g, Node *node, Node *const *dy)
{
    Node *d = dy[0], *in[] = {d, node->in[0]};
    Attrs attrs = ir_default_attrs(OP_DENSE_TRANSPOSE);
    attrs.filters = node->in[0]->type.c;
    if (grad_wants(g, node, 0) &&
        !grad_give(g, node, 0, grad_add(g, node, "backward", OP_DENSE_TRANSPOSE, &d, 1, &attrs)))
        return false;
    attrs = ir_default_attrs(OP_DENSE_WEIGHTS);
    return (!grad_trains(g, node, P_WEIGHT) ||
            grad_give_param(
                g, node, P_WEIGHT,
                grad_add(g, node, "weight.gradient", OP_DENSE_WEIGHTS, in, 2, &attrs))) &&
           give_bias(g, node, d) && give_residual(g, node, d);
}

bool grad_MAXPOOL(Grad *g, Node *node, Node *const *dy)
{
    Node *in[] = {dy[0], node->in[0]};
    return grad_give(g, node, 0,
                     grad_add(g, node, "backward", OP_MAXPOOL_BACKWARD, in, 2, &node->attrs));
}

bool grad_AVGPOOL(Grad *g, Node *node, Node *const *dy)
{
    Attrs attrs = node->attrs;
    attrs.size[0] = node->in[0]->type.h;
    attrs.size[1] = node->in[0]->type.w;
    return grad_give(g, node, 0, grad_add(g, node, "backward", OP_AVGPOOL_BACKWARD, dy, 1, &attrs));
}
