/* grad_join.c: the rules of differentiation of operators that join arms or part them. */
#include "net/grad_parts.h"

/* A gradient by the result as one by the i-th operand: summed over what the operand was spread
 * over. */
static Node *gathered(Grad *g, const Node *node, int i, Node *gradient)
{
    const Type t = node->in[i]->type, all = node->type;
    Attrs attrs = ir_default_attrs(OP_SUM);
    attrs.pixels = t.h != all.h || t.w != all.w;
    attrs.channels = t.c != all.c;
    if (!gradient || (!attrs.pixels && !attrs.channels))
        return gradient;
    return grad_add(g, node, "backward", OP_SUM, &gradient, 1, &attrs);
}

bool grad_ADD(Grad *g, Node *node, Node *const *dy)
{
    for (int i = 0; i < node->n_in; i++) {
        if (grad_wants(g, node, i) && !grad_give(g, node, i, gathered(g, node, i, dy[0])))
            return false;
    }
    return true;
}

/* dx of an operand is dy times all other operands. */
bool grad_MUL(Grad *g, Node *node, Node *const *dy)
{
    const Attrs attrs = ir_default_attrs(OP_MUL);
    Node **in = NEW_ARRAY(g->net->arena, Node *, node->n_in);
    for (int i = 0; i < node->n_in; i++) {
        if (!grad_wants(g, node, i))
            continue;
        int n = 0;
        in[n++] = dy[0];
        for (int j = 0; j < node->n_in; j++) {
            if (j != i)
                in[n++] = node->in[j];
        }
        Node *product = grad_add(g, node, "backward", OP_MUL, in, n, &attrs);
        if (!grad_give(g, node, i, gathered(g, node, i, product)))
            return false;
    }
    return true;
}

/* A gradient by the result, multiplied by a fixed number. */
static Node *negative(Grad *g, const Node *node, Node *gradient)
{
    static const double minus = -1;
    Attrs attrs = ir_default_attrs(OP_AFFINE);
    attrs.factor = (Reals){&minus, 1};
    return gradient ? grad_add(g, node, "backward", OP_AFFINE, &gradient, 1, &attrs) : NULL;
}

bool grad_SUB(Grad *g, Node *node, Node *const *dy)
{
    return (!grad_wants(g, node, 0) || grad_give(g, node, 0, gathered(g, node, 0, dy[0]))) &&
           (!grad_wants(g, node, 1) ||
            grad_give(g, node, 1, gathered(g, node, 1, negative(g, node, dy[0]))));
}

/* y = a / b: da = dy / b, db = -y * da. */
bool grad_DIV(Grad *g, Node *node, Node *const *dy)
{
    const Attrs div = ir_default_attrs(OP_DIV), mul = ir_default_attrs(OP_MUL);
    Node *in[] = {dy[0], node->in[1]};
    Node *da = grad_add(g, node, "backward", OP_DIV, in, 2, &div);
    if (!da || (grad_wants(g, node, 0) && !grad_give(g, node, 0, gathered(g, node, 0, da))))
        return false;
    if (!grad_wants(g, node, 1))
        return true;
    Node *pair[] = {node, da};
    Node *product = grad_add(g, node, "backward", OP_MUL, pair, 2, &mul);
    return grad_give(g, node, 1, gathered(g, node, 1, negative(g, node, product)));
}

bool grad_CONCAT(Grad *g, Node *node, Node *const *dy)
{
    Attrs attrs = ir_default_attrs(OP_CROP);
    for (int i = 0, before = 0; i < node->n_in; i++) {
        const int c = node->in[i]->type.c;
        attrs.channel_padding[0] = before;
        attrs.channel_padding[1] = node->type.c - before - c;
        before += c;
        if (grad_wants(g, node, i) &&
            !grad_give(g, node, i, grad_add(g, node, "backward", OP_CROP, dy, 1, &attrs)))
            return false;
    }
    return true;
}

/* The parts' gradients as channels again; a part that the loss does not depend on is zeros. */
bool grad_SPLIT(Grad *g, Node *node, Node *const *dy)
{
    const int parts = node->attrs.parts;
    Attrs attrs = ir_default_attrs(OP_CONCAT);
    bool all = parts <= MOST_OPERANDS;
    for (int i = 0; i < parts; i++)
        all = all && dy[i];
    if (all)
        return grad_give(g, node, 0, grad_add(g, node, "backward", OP_CONCAT, dy, parts, &attrs));
    attrs = ir_default_attrs(OP_ZEROPAD);
    for (int i = 0; i < parts; i++) {
        const int channels = node->in[0]->type.c;
        const int n = split_part(&node->attrs, channels, i, &attrs.channel_padding[0]);
        attrs.channel_padding[1] = channels - attrs.channel_padding[0] - n;
        if (dy[i] &&
            !grad_give(g, node, 0, grad_add(g, node, "backward", OP_ZEROPAD, dy + i, 1, &attrs)))
            return false;
    }
    return true;
}
