/* grad_over.c: the rules of differentiation of reductions and softmaxes. */
#include "net/grad_parts.h"

/* Adds a backward operator that takes dy and `second`. */
static bool give(Grad *g, Node *node, Op op, Node *dy, Node *second)
{
    Attrs attrs = ir_default_attrs(op);
    Node *in[] = {dy, second};
    attrs.over = node->attrs.over;
    attrs.reduction = node->attrs.reduction;
    return grad_give(g, node, 0, grad_add(g, node, "backward", op, in, 2, &attrs));
}

bool grad_SOFTMAX(Grad *g, Node *node, Node *const *dy)
{
    return give(g, node, OP_SOFTMAX_BACKWARD, dy[0], node);
}

bool grad_LOG_SOFTMAX(Grad *g, Node *node, Node *const *dy)
{
    return give(g, node, OP_LOG_SOFTMAX_BACKWARD, dy[0], node);
}

bool grad_REDUCE(Grad *g, Node *node, Node *const *dy)
{
    return give(g, node, OP_REDUCE_BACKWARD, dy[0], node->in[0]);
}
