/* onnx_move.c: operators of ONNX that only move elements: most only change the view. */
#include "import/onnx_parts.h"

#include <limits.h>

/* ---- as it is ---- */

void onnx_identity(Work *w)
{
    Value *v = operand(w, 0);
    if (!v || v->kind == VALUE_REFUSED || v->kind == VALUE_NONE) {
        refuse(w, NULL, NULL);
        return;
    }
    give_same(w, 0, v);
}

void onnx_dropout(Work *w)
{
    const OnnxTensor *training = known(w, 2);
    if (training && training->elements == 1 && onnx_type_whole(training->type) &&
        onnx_ints(training, w->arena)[0] != 0)
        refuse(w, "in training mode, in which it drops numbers at random",
               "export the model in evaluation mode: model.eval() before torch.onnx.export()");
    else
        onnx_identity(w);
}

void onnx_cast(Work *w)
{
    const Value *v = operand(w, 0);
    if (!v || v->kind == VALUE_REFUSED || onnx_type_real((int)attr_int(w, "to", ONNX_FLOAT)))
        onnx_identity(w);
    else
        refuse(w, arena_printf(w->arena, "to %s", onnx_type_name((int)attr_int(w, "to", 0))),
               "rnc computes with floats");
}

/* ---- shapes ---- */

static Node *flatten(Work *w, Node *x, Order order, const char *name)
{
    Attrs a = ir_default_attrs(OP_FLATTEN);
    a.order = order;
    return builder_add(w->b, OP_FLATTEN, &x, 1, &a, name);
}

static Node *flat_named(Work *w, const Value *v, const char *name)
{
    const Type t = v->node->type;
    const int order = view_order(&v->view, t);
    if (order < 0)
        return numbers_in_order(w, v);
    if (t.h == 1 && t.w == 1)
        return v->node;
    return flatten(w, v->node, order == ORDER_NHWC ? ORDER_NHWC : ORDER_NCHW, name);
}

Node *flat(Work *w, const Value *v)
{
    return flat_named(w, v, NULL);
}

/* Flatten and Reshape of one pixel to a row are a layer, as people write it. */
static bool flattens_pixel(Work *w, const Value *v, int rank, const int64_t *dims)
{
    const Type t = v->node->type;
    return t.h == 1 && t.w == 1 && rank == 2 && dims[0] == t.n && v->view.rank > 2 &&
           (str_eq(w->node->op, "Flatten") || str_eq(w->node->op, "Reshape")) &&
           view_order(&v->view, t) >= 0;
}

Node *vector(Work *w, int i)
{
    const Value *v = tensor(w, i);
    if (!v)
        return NULL;
    const Type t = v->node->type;
    const bool batch = v->view.rank == 2 && v->view.dims[0] == t.n;
    Node *x = batch || (v->view.rank == 1 && t.n == 1) ? flat(w, v) : NULL;
    if (!x)
        refuse(w, "of a tensor that is no vector", NULL);
    return x;
}

void onnx_reshape(Work *w)
{
    const Value *v = tensor(w, 0);
    int64_t dims[ONNX_RANK_MOST];
    int rank;
    View view;
    if (!v || !new_shape(w, v->view.rank, v->view.dims, &rank, dims))
        return;
    const bool cut = !view_reshaped(&v->view, rank, dims, &view);
    if (flattens_pixel(w, v, rank, dims)) {
        const bool last = v->node->type.c > 1 && v->view.dims[v->view.rank - 1] > 1;
        Node *row = flatten(w, v->node, last ? ORDER_NHWC : ORDER_NCHW, layer_name(w, OP_FLATTEN));
        view = row ? view_image(row->type, 2) : view;
        give(w, 0, row, &view);
        return;
    }
    const Type t = v->node->type;
    if (!cut && !(rank == 2 && dims[0] == t.n && (t.h > 1 || t.w > 1))) {
        const Value seen = {.node = v->node, .view = view};
        const bool to_image = (v->view.rank == 2 || (t.h == 1 && t.w == 1)) && rank == 4 &&
                              (dims[2] > 1 || dims[3] > 1);
        Node *moved = to_image ? unflattened(w, &seen, layer_name(w, OP_UNFLATTEN))
                               : shuffled(w, v->node, &view);
        if (moved)
            view = view_image(moved->type, 4);
        give(w, 0, moved ? moved : v->node, &view);
        return;
    }
    Node *other = rank == 4 ? as_image(w, v, rank, dims, layer_name(w, OP_RESHAPE)) : NULL;
    if (other) {
        view = view_image(other->type, 4);
        give(w, 0, other, &view);
        return;
    }
    Node *x = flat_named(w, v, layer_name(w, OP_FLATTEN));
    const View row = x ? view_image(x->type, 2) : (View){0};
    if (x && view_reshaped(&row, rank, dims, &view))
        give(w, 0, x, &view);
    else
        refuse(w, "to a shape that cuts axes at other places than they have",
               "rnc keeps batch, channels, height and width");
}

void onnx_transpose(Work *w)
{
    const Value *v = tensor(w, 0);
    const OnnxAttr *perm = attr_ints(w, "perm");
    int64_t axes[ONNX_RANK_MOST];
    if (!v)
        return;
    bool taken[ONNX_RANK_MOST] = {false}, good = !perm || perm->n == v->view.rank;
    for (int i = 0; good && i < v->view.rank; i++) {
        axes[i] = perm ? perm->ints[i] : v->view.rank - 1 - i;
        good = axes[i] >= 0 && axes[i] < v->view.rank && !taken[axes[i]];
        if (good)
            taken[axes[i]] = true;
    }
    if (!good) {
        refuse(w, "whose attributes do not fit its operand", NULL);
        return;
    }
    const View view = view_transposed(&v->view, axes);
    give(w, 0, v->node, &view);
}

/* ---- joined and taken apart ---- */

/* Rows (axis 0) or columns of x that a piece of it has, after the n in `from`; how many are there
 * then, 0: it is no such piece. */
static int append_pixels(const Node *piece, const Node *x, int axis, int64_t *from, int n)
{
    const int extent = axis ? x->type.w : x->type.h;
    const bool whole = piece == x;
    const Attrs *a = &piece->attrs;
    if (!whole && (piece->op != OP_CROP || piece->in[0] != x || a->channel_padding[0] ||
                   a->channel_padding[1] || a->padding[!axis] || a->padding[2 + !axis]))
        return 0;
    const int first = whole ? 0 : a->padding[axis];
    const int end = whole ? extent : extent - a->padding[2 + axis];
    for (int i = first; i < end; i++)
        from[n++] = i;
    return n;
}

/* Pieces of one image one below or beside the other, as PyTorch's TorchScript exporter writes
 * circular padding: rows (axis 0) or columns of x; NULL if they are no padding. */
static Node *concat_pixels(Work *w, int axis, Node *const *in, int n)
{
    enum { PIECES_MOST = 8, EXTENT_MOST = 1 << 20 };
    Node *x = in[0]->op == OP_CROP ? in[0]->in[0] : in[0];
    const int extent = axis ? x->type.w : x->type.h;
    int count = 0;
    if (n > PIECES_MOST || extent > EXTENT_MOST)
        return NULL;
    int64_t *from = NEW_ARRAY(w->arena, int64_t, (int64_t)n * extent + 1);
    for (int i = 0; i < n; i++) {
        const int more = append_pixels(in[i], x, axis, from, count);
        if (more == 0)
            return NULL;
        count = more;
    }
    return padded_by(w, x, axis, from, count);
}

/* Tensors one below or beside the other: padding, if it is that. */
static Node *joined_pixels(Work *w, int axis, Node *const *in, int n)
{
    Node *padded = concat_pixels(w, axis, in, n);
    return padded ? padded
                  : builder_concat_pixels(w->b, in, n, axis == 1, layer_name(w, OP_CONCAT));
}

/* Which of rnc's axes all operands are joined along, when they lie alike; -1: none. */
static int joined_axis(Work *w, int at, int n)
{
    const Value *first = operand(w, 0);
    const int axis = at < 0 ? -1 : view_whole_axis(&first->view, at, first->node->type);
    for (int i = 1; i < n && axis >= 0; i++) {
        const Value *v = operand(w, i);
        if (v->view.rank != first->view.rank ||
            view_whole_axis(&v->view, at, v->node->type) != axis)
            return -1;
        for (int k = 0; k < v->view.rank; k++) {
            if (k != at && !view_same_axis(&v->view, k, &first->view, k))
                return -1;
        }
    }
    return axis;
}

/* Whether all operands lie alike, and `at` is an axis of one element beside their channels: then
 * the tensors are channels of one, as PyTorch's stack() has them. */
static bool stacks(Work *w, int at, int n)
{
    const Value *first = operand(w, 0);
    if (at < 0 || first->view.dims[at] != 1 || view_channels(&first->view, first->node->type) < 0)
        return false;
    for (int i = 1; i < n; i++) {
        const Value *v = operand(w, i);
        bool same = v->view.rank == first->view.rank && type_eq(v->node->type, first->node->type);
        for (int k = 0; same && k < v->view.rank; k++)
            same = view_same_axis(&v->view, k, &first->view, k);
        if (!same)
            return false;
    }
    return true;
}

/* Tensors of other axes than rnc's, as the images that they are with those: the rows of numbers of
 * several levels, n | h w | c, that a detector's heads give.  NULL if some are none. */
static Node *joined_images(Work *w, int at, int n, View *view)
{
    const int rank = operand(w, 0)->view.rank;
    Node **in = NEW_ARRAY(w->arena, Node *, n + 1);
    const Attrs join = ir_default_attrs(OP_CONCAT);
    for (int i = 0; i < n; i++) {
        const Value *v = operand(w, i);
        in[i] = v->view.rank == rank && at > 0 ? turned(w, v) : NULL;
        if (!in[i])
            return NULL;
    }
    Node *node = at == 1
                     ? layer(w, OP_CONCAT, in, n, &join)
                     : builder_concat_pixels(w->b, in, n, at == rank - 1, layer_name(w, OP_CONCAT));
    if (node)
        *view = view_image(node->type, rank);
    return node;
}

void onnx_concat(Work *w)
{
    const int n = w->node->n_in;
    Node **in = NEW_ARRAY(w->arena, Node *, n + 1);
    for (int i = 0; i < n; i++) {
        const Value *v = tensor(w, i);
        if (!v)
            return;
        in[i] = v->node;
    }
    const Value *first = tensor(w, 0);
    if (!first)
        return;
    if (n == 1) {
        give_same(w, 0, first);
        return;
    }
    const int at = axis_in(attr_int(w, "axis", 1), first->view.rank);
    const int axis = joined_axis(w, at, n);
    const Attrs a = ir_default_attrs(OP_CONCAT);
    Node *node = axis == AXIS_C  ? layer(w, OP_CONCAT, in, n, &a)
                 : axis > AXIS_C ? joined_pixels(w, axis == AXIS_W, in, n)
                                 : NULL;
    const bool stacked = !node && axis != AXIS_C && stacks(w, at, n);
    View view = first->view;
    if (stacked)
        node = layer(w, OP_CONCAT, in, n, &a);
    else if (!node && axis < 0 && (node = joined_images(w, at, n, &view))) {
        give(w, 0, node, &view);
        return;
    } else if (!node && axis != AXIS_C)
        refuse(w, "of other axes than the channels, the rows or the columns", NULL);
    if (!node)
        return;
    const Type t = node->type;
    if (stacked)
        view_set_atom(&view, at, (Atom){AXIS_C, n, first->node->type.c});
    else
        view_set_whole(&view, at, axis, axis == AXIS_C ? t.c : axis == AXIS_H ? t.h : t.w);
    give(w, 0, node, &view);
}
