/* onnx_over.c: operators of ONNX that go over whole axes: softmaxes, reductions, global pools. */
#include "import/onnx_parts.h"

#include "net/over.h"

#include <limits.h>

/* Which of rnc's words says these axes of the value's view, of which each of rnc's has to be in
 * them as a whole or not at all.  False after refusing the node. */
static bool over_of(Work *w, const Value *v, const bool *gone, Over *over)
{
    static const Over words[] = {OVER_CHANNELS, OVER_SPACE, OVER_HEIGHT, OVER_WIDTH, OVER_IMAGE};
    const Type t = v->node->type;
    int64_t extents[AXES] = {1, 1, 1, 1};
    for (int i = 0; i < v->view.rank; i++) {
        for (int k = v->view.first[i]; gone[i] && k < v->view.first[i + 1]; k++)
            extents[v->view.atoms[k].axis] *= v->view.atoms[k].extent;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words && extents[AXIS_N] == 1; i++) {
        const OverAxes a = over_axes(words[i]);
        if (extents[AXIS_C] == (a.channels ? t.c : 1) && extents[AXIS_H] == (a.height ? t.h : 1) &&
            extents[AXIS_W] == (a.width ? t.w : 1)) {
            *over = words[i];
            return true;
        }
    }
    refuse(w, "over axes that are not the channels, the height, the width, both or all of an image",
           NULL);
    return false;
}

/* What the axes that go are alone: a part of the channels, which the view takes apart; NULL: they
 * are something else. */
static const Atom *part_of_channels(const Value *v, const bool *gone)
{
    const Atom *atom = NULL;
    for (int i = 0; i < v->view.rank; i++) {
        for (int k = v->view.first[i]; gone[i] && k < v->view.first[i + 1]; k++) {
            if (atom)
                return NULL;
            atom = &v->view.atoms[k];
        }
    }
    return atom && atom->axis == AXIS_C && atom->extent < v->node->type.c ? atom : NULL;
}

/* ---- softmax ---- */

/* Over a part of the channels of one pixel, which are columns of an image for it. */
static Node *softmax_of_part(Work *w, Node *x, Op op, const Atom *part)
{
    Attrs image = ir_default_attrs(OP_UNFLATTEN), row = ir_default_attrs(OP_FLATTEN);
    Attrs over = ir_default_attrs(op);
    image.order = row.order = part->stride == 1 ? ORDER_NCHW : ORDER_NHWC;
    image.size[0] = part->stride == 1 ? 1 : (int)(x->type.c / (part->extent * part->stride));
    image.size[1] = (int)part->extent;
    over.over = OVER_WIDTH;
    Node *node = layer(w, OP_UNFLATTEN, &x, 1, &image);
    node = layer(w, op, &node, 1, &over);
    return layer(w, OP_FLATTEN, &node, 1, &row);
}

/* Before set 13 it went over all axes from `axis` on. */
static void softmax(Work *w, Op op)
{
    const Value *v = tensor(w, 0);
    if (!v)
        return;
    const bool old = w->model->opset < 13;
    const int axis = axis_in(attr_int(w, "axis", old ? 1 : -1), v->view.rank);
    bool gone[ONNX_RANK_MOST] = {false};
    if (axis < 0) {
        refuse(w, "over an axis that is not there", NULL);
        return;
    }
    for (int i = axis; i < (old ? v->view.rank : axis + 1); i++)
        gone[i] = true;
    Attrs a = ir_default_attrs(op);
    const Atom *part = part_of_channels(v, gone);
    if (part && v->node->type.h == 1 && v->node->type.w == 1)
        give(w, 0, softmax_of_part(w, v->node, op, part), &v->view);
    else if (over_of(w, v, gone, &a.over))
        give(w, 0, layer(w, op, &v->node, 1, &a), &v->view);
}

void onnx_softmax(Work *w)
{
    softmax(w, OP_SOFTMAX);
}

void onnx_log_softmax(Work *w)
{
    softmax(w, OP_LOG_SOFTMAX);
}

/* ---- reductions ---- */

/* The view without axes, or with an extent of 1 there. */
static View reduced_view(const View *v, const bool *gone, bool keep)
{
    View view = *v;
    for (int i = v->rank - 1; i >= 0; i--) {
        if (gone[i] && keep)
            view_set_whole(&view, i, AXIS_H, 1);
        else if (gone[i])
            view = view_without(&view, i);
    }
    return view;
}

/* Means and largest numbers of all pixels are pools, which is how people write them. */
static Node *reduction(Work *w, Node *x, Reduction by, Over over)
{
    const Type t = x->type;
    const OverAxes axes = over_axes(over);
    if ((!axes.channels || t.c == 1) && (!axes.height || t.h == 1) && (!axes.width || t.w == 1))
        return x;
    if (over == OVER_SPACE && by != REDUCE_SUM) {
        const Op op = by == REDUCE_MEAN ? OP_AVGPOOL : OP_MAXPOOL;
        Attrs pool = ir_default_attrs(op);
        pool.kernel[0] = t.h;
        pool.kernel[1] = t.w;
        pool.stride[0] = pool.stride[1] = 1;
        return layer(w, op, &x, 1, &pool);
    }
    Attrs a = ir_default_attrs(OP_REDUCE);
    a.reduction = by;
    a.over = over;
    return layer(w, OP_REDUCE, &x, 1, &a);
}

Node *joined_parts(Work *w, Node *const *in, int n, Reduction by)
{
    const Attrs a = ir_default_attrs(OP_ADD);
    if (by == REDUCE_MAX && !builder_alike(in, n)) {
        refuse(w, "of tensors whose extents differ, or of more than 16", NULL);
        return NULL;
    }
    if (by == REDUCE_MAX)
        return builder_largest(w->b, in, n, false, layer_name(w, OP_MAXPOOL));
    Node *sum = layer(w, OP_ADD, in, n, &a);
    return sum && by == REDUCE_MEAN ? scaled(w, sum, 1.0 / n) : sum;
}

/* x, whose channels are parts of equal size one after the other, reduced over these. */
static Node *reduced_parts(Work *w, Node *x, const Atom *part, Reduction by)
{
    const int n = (int)part->extent;
    int64_t *sizes = NEW_ARRAY(w->arena, int64_t, n);
    for (int i = 0; i < n; i++)
        sizes[i] = part->stride;
    Node **parts = split_channels(w, x, sizes, n);
    return parts ? joined_parts(w, parts, n, by) : NULL;
}

/* Which axes of operand 0 go, and of a reduction of none whether all do; false after refusing the
 * node. */
static bool axes_gone(Work *w, int rank, bool gone[ONNX_RANK_MOST])
{
    const int64_t *axes;
    int n;
    if (!ints_of(w, "axes", 1, &axes, &n))
        return false;
    const bool all = n == 0 && !attr_int(w, "noop_with_empty_axes", 0);
    for (int i = 0; i < rank; i++)
        gone[i] = all;
    for (int i = 0; i < n; i++) {
        const int axis = axis_in(axes[i], rank);
        if (axis < 0) {
            refuse(w, "over an axis that is not there", NULL);
            return false;
        }
        gone[axis] = true;
    }
    return true;
}

Node *reduced(Work *w, Node *x, Reduction by, View *view)
{
    const Value *v = tensor(w, 0);
    bool gone[ONNX_RANK_MOST] = {false};
    Over over;
    if (!v || !axes_gone(w, v->view.rank, gone))
        return NULL;
    *view = reduced_view(&v->view, gone, attr_int(w, "keepdims", 1) != 0);
    const Atom *part = part_of_channels(v, gone);
    if (part && part->extent * part->stride == v->node->type.c && part->extent <= MOST_OPERANDS)
        return reduced_parts(w, x, part, by);
    return over_of(w, v, gone, &over) ? reduction(w, x, by, over) : NULL;
}

static void reduce(Work *w, Reduction by)
{
    const Value *v = tensor(w, 0);
    View view;
    Node *node = v ? reduced(w, v->node, by, &view) : NULL;
    if (node)
        give(w, 0, node, &view);
}

void onnx_reduce_mean(Work *w)
{
    reduce(w, REDUCE_MEAN);
}

void onnx_reduce_max(Work *w)
{
    reduce(w, REDUCE_MAX);
}

void onnx_reduce_sum(Work *w)
{
    reduce(w, REDUCE_SUM);
}

/* The smallest is what has the largest opposite. */
void onnx_reduce_min(Work *w)
{
    const Value *v = tensor(w, 0);
    View view;
    Node *node = v ? reduced(w, scaled(w, v->node, -1), REDUCE_MAX, &view) : NULL;
    if (node)
        give(w, 0, scaled(w, node, -1), &view);
}

void onnx_reduce_l1(Work *w)
{
    const Value *v = tensor(w, 0);
    View view;
    Node *node = v ? reduced(w, absolute(w, v->node), REDUCE_SUM, &view) : NULL;
    if (node)
        give(w, 0, node, &view);
}

void onnx_reduce_sum_square(Work *w)
{
    const Value *v = tensor(w, 0);
    View view;
    Node *node = v ? reduced(w, power(w, v->node, 2), REDUCE_SUM, &view) : NULL;
    if (node)
        give(w, 0, node, &view);
}

/* ---- global pools ---- */

static void global(Work *w, Reduction by)
{
    const Value *v = tensor(w, 0);
    bool gone[ONNX_RANK_MOST] = {false};
    if (v && v->view.rank < 3)
        refuse(w, "of a tensor without pixels", NULL);
    if (!v || v->view.rank < 3)
        return;
    for (int i = 2; i < v->view.rank; i++)
        gone[i] = true;
    Over over;
    if (!over_of(w, v, gone, &over))
        return;
    const View view = reduced_view(&v->view, gone, true);
    give(w, 0, reduction(w, v->node, by, over), &view);
}

void onnx_global_average_pool(Work *w)
{
    global(w, REDUCE_MEAN);
}

void onnx_global_max_pool(Work *w)
{
    global(w, REDUCE_MAX);
}
