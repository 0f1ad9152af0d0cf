/* affine.c: see affine.h. */
#include "net/affine.h"

#include <math.h>

bool is_affine(Op op)
{
    return op == OP_NORMALIZE || op == OP_BN || op == OP_SCALE || op == OP_AFFINE;
}

bool is_norm(Op op)
{
    return op == OP_GROUP_NORM || op == OP_INSTANCE_NORM || op == OP_LAYER_NORM || op == OP_L2_NORM;
}

static double real_at(Reals list, int c)
{
    return list.at[list.n == 1 ? 0 : c];
}

/* The parameter's number for channel c, or `none` if the node has no such parameter; one number may
 * stand for all channels. */
static double number_of(const Node *node, Role role, int c, double none)
{
    const Param *param = node->params[role];
    return param ? param_at(param, param->dims[0] == 1 ? 0 : c) : none;
}

void affine_of(const Node *node, int c, double *scale, double *shift)
{
    const Attrs *a = &node->attrs;
    switch (node->op) {
    case OP_NORMALIZE:
        *scale = a->scale / real_at(a->std, c);
        *shift = -real_at(a->mean, c) / real_at(a->std, c);
        return;
    case OP_AFFINE:
        *scale = real_at(a->factor, c);
        *shift = real_at(a->addend, c);
        return;
    default: /* scale has no statistics */
        *scale = number_of(node, P_WEIGHT, c, 1) /
                 sqrt(number_of(node, P_VARIANCE, c, 1) + (node->op == OP_BN ? a->epsilon : 0));
        *shift = number_of(node, P_BIAS, c, 0) - number_of(node, P_MEAN, c, 0) * *scale;
        return;
    }
}
