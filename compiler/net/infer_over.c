/* infer_over.c: the shape rules of reductions. */
#include "net/infer_parts.h"

#include "net/over.h"

bool shape_REDUCE(Node *node, Diag *diag)
{
    const Type t = node->in[0]->type;
    const OverAxes a = over_axes(node->attrs.over);
    return set_result(node, diag, t.elem, a.channels ? 1 : t.c, a.height ? 1 : t.h,
                      a.width ? 1 : t.w);
}

bool shape_REDUCE_BACKWARD(Node *node, Diag *diag)
{
    const Type x = node->in[1]->type, dy = node->in[0]->type;
    const OverAxes a = over_axes(node->attrs.over);
    const Type t = {x.elem, x.n, a.height ? 1 : x.h, a.width ? 1 : x.w, a.channels ? 1 : x.c};
    if (type_eq(dy, t))
        return set_batch(node, diag, x.elem, x.n, x.c, x.h, x.w);
    diag_error(diag, node_loc(node), "dy of 'reduce_backward' is not what 'reduce' makes of x");
    note_operand(diag, node->in[0], "");
    note_operand(diag, node->in[1], "");
    return false;
}
