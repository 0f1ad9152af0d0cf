/* grad_norm.c: the rules of differentiation of normalisations by statistics of the tensor itself.
 */
#include "net/grad_parts.h"

/* Adds the backward operator; `groups` as it has them. */
static bool normalised(Grad *g, Node *node, Node *dy, int groups, bool length)
{
    static const char *const names[] = {"backward", "weight.gradient", "bias.gradient"};
    Attrs attrs = ir_default_attrs(OP_NORM_BACKWARD);
    Node *in[] = {dy, node->in[0]}, *results[3] = {NULL};
    attrs.groups = groups;
    attrs.length = length;
    attrs.epsilon = node->attrs.epsilon;
    attrs.gain = node->params[P_WEIGHT] != NULL;
    attrs.over = node->op == OP_LAYER_NORM ? node->attrs.over : OVER_CHANNELS;
    attrs.parts = length ? 1 : 3;
    for (int i = 0; i < attrs.parts; i++) {
        attrs.result = i;
        results[i] = grad_add(g, node, names[i], OP_NORM_BACKWARD, in, 2, &attrs);
        if (!results[i])
            return false;
    }
    return (!grad_wants(g, node, 0) || grad_give(g, node, 0, results[0])) &&
           (!grad_trains(g, node, P_WEIGHT) || grad_give_param(g, node, P_WEIGHT, results[1])) &&
           (!grad_trains(g, node, P_BIAS) || grad_give_param(g, node, P_BIAS, results[2]));
}

bool grad_GROUP_NORM(Grad *g, Node *node, Node *const *dy)
{
    return normalised(g, node, dy[0], node->attrs.groups, false);
}

bool grad_INSTANCE_NORM(Grad *g, Node *node, Node *const *dy)
{
    return normalised(g, node, dy[0], node->type.c, false);
}

bool grad_LAYER_NORM(Grad *g, Node *node, Node *const *dy)
{
    return normalised(g, node, dy[0], node->attrs.over == OVER_IMAGE, false);
}

bool grad_L2_NORM(Grad *g, Node *node, Node *const *dy)
{
    return normalised(g, node, dy[0], node->attrs.over == OVER_IMAGE, true);
}
