/* infer_norm.c: the shape rules of normalisations by statistics of the tensor itself. */
#include "net/infer_parts.h"

/* The result has the operand's type; weight and bias have an element for each channel or, with
 * `whole`, for each element of an image. */
static bool normalised(Node *node, Diag *diag, bool whole)
{
    const Type t = node->in[0]->type;
    const int64_t dims[] = {t.c, t.h, t.w};
    return set_result(node, diag, t.elem, t.c, t.h, t.w) &&
           set_dims(node, diag, P_WEIGHT, whole ? 3 : 1, dims) &&
           set_dims(node, diag, P_BIAS, whole ? 3 : 1, dims);
}

bool shape_GROUP_NORM(Node *node, Diag *diag)
{
    const int c = node->in[0]->type.c, groups = node->attrs.groups;
    if (c % groups == 0)
        return normalised(node, diag, false);
    diag_error(diag, node_loc(node), "%d channels are not %d equal groups", c, groups);
    note_operand(diag, node->in[0], "");
    diag_note_callers(diag, node->place);
    return false;
}

bool shape_INSTANCE_NORM(Node *node, Diag *diag)
{
    return normalised(node, diag, false);
}

bool shape_LAYER_NORM(Node *node, Diag *diag)
{
    return normalised(node, diag, node->attrs.over == OVER_IMAGE);
}

bool shape_L2_NORM(Node *node, Diag *diag)
{
    return normalised(node, diag, false);
}

/* dx is of x's type, the gradient of a parameter of the parameter's (param_type()). */
bool shape_NORM_BACKWARD(Node *node, Diag *diag)
{
    const Type x = node->in[1]->type, dy = node->in[0]->type;
    const bool whole = node->attrs.over == OVER_IMAGE && !node->attrs.length;
    if (!type_eq(x, dy) || (node->attrs.groups && x.c % node->attrs.groups)) {
        diag_error(diag, node_loc(node),
                   "dy and x of 'norm_backward' are not alike, or not of %d "
                   "groups",
                   node->attrs.groups);
        note_operand(diag, node->in[0], "");
        note_operand(diag, node->in[1], "");
        return false;
    }
    const int64_t dims[] = {x.c, x.h, x.w};
    if (!set_dims(node, diag, P_WEIGHT, whole ? 3 : 1, dims))
        return false;
    if (node->attrs.result == 0)
        return set_batch(node, diag, x.elem, x.n, x.c, x.h, x.w);
    return set_batch(node, diag, x.elem, 1, x.c, whole ? x.h : 1, whole ? x.w : 1);
}
