/* grad_sample.c: the rules of differentiation of operators that give pixels other places. */
#include "net/grad_parts.h"

#include "net/sample.h"

/* Gives the operand what `op` makes of dy. */
static bool give(Grad *g, Node *node, Op op, Node *dy, const Attrs *attrs)
{
    return grad_give(g, node, 0, grad_add(g, node, "backward", op, &dy, 1, attrs));
}

static Attrs with_size(const Node *node)
{
    Attrs attrs = node->attrs;
    attrs.size[0] = node->in[0]->type.h;
    attrs.size[1] = node->in[0]->type.w;
    return attrs;
}

bool grad_CROP(Grad *g, Node *node, Node *const *dy)
{
    return give(g, node, OP_ZEROPAD, dy[0], &node->attrs);
}

bool grad_PAD(Grad *g, Node *node, Node *const *dy)
{
    return give(g, node, OP_PAD_BACKWARD, dy[0], &node->attrs);
}

bool grad_RESIZE(Grad *g, Node *node, Node *const *dy)
{
    const Attrs attrs = with_size(node);
    return give(g, node, OP_RESIZE_BACKWARD, dy[0], &attrs);
}

bool grad_BLURPOOL(Grad *g, Node *node, Node *const *dy)
{
    const Attrs attrs = with_size(node);
    return give(g, node, OP_BLURPOOL_BACKWARD, dy[0], &attrs);
}

bool grad_DEPTH_TO_SPACE(Grad *g, Node *node, Node *const *dy)
{
    return give(g, node, OP_SPACE_TO_DEPTH, dy[0], &node->attrs);
}

bool grad_SPACE_TO_DEPTH(Grad *g, Node *node, Node *const *dy)
{
    return give(g, node, OP_DEPTH_TO_SPACE, dy[0], &node->attrs);
}

/* Shuffled again with as many groups as a group had channels, the channels are as they were. */
bool grad_CHANNEL_SHUFFLE(Grad *g, Node *node, Node *const *dy)
{
    Attrs attrs = node->attrs;
    attrs.groups = node->type.c / node->attrs.groups;
    return give(g, node, OP_CHANNEL_SHUFFLE, dy[0], &attrs);
}

bool grad_UNFLATTEN(Grad *g, Node *node, Node *const *dy)
{
    Attrs attrs = ir_default_attrs(OP_FLATTEN);
    attrs.order = node->attrs.order;
    return give(g, node, OP_FLATTEN, dy[0], &attrs);
}

bool grad_RESHAPE(Grad *g, Node *node, Node *const *dy)
{
    Attrs attrs = with_size(node);
    attrs.filters = node->in[0]->type.c;
    return give(g, node, OP_RESHAPE, dy[0], &attrs);
}

bool grad_TRANSPOSE(Grad *g, Node *node, Node *const *dy)
{
    Attrs attrs = node->attrs;
    attrs.axes = transposed_back(attrs.axes);
    return give(g, node, OP_TRANSPOSE, dy[0], &attrs);
}
