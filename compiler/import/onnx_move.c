/* onnx_move.c: operators of ONNX that only move elements: most only change the view. */
#include "import/onnx_parts.h"

#include <string.h>

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

void onnx_cast(Work *w)
{
    const Value *v = operand(w, 0);
    if (!v || v->kind == VALUE_REFUSED || onnx_type_real((int)attr_int(w, "to", ONNX_FLOAT)))
        onnx_identity(w);
    else
        refuse(w, arena_printf(w->arena, "to %s", onnx_type_name((int)attr_int(w, "to", 0))),
               "rnc computes with floats");
}

/* What is spread over a larger shape is so by the sum or product that follows, too. */
void onnx_expand(Work *w)
{
    const Value *v = tensor(w, 0);
    const OnnxTensor *shape = known(w, 1);
    if (!v)
        return;
    bool same =
        shape && shape->bytes && onnx_type_whole(shape->type) && shape->elements <= v->view.rank;
    const int64_t *dims = same ? onnx_ints(shape, w->arena) : NULL;
    for (int i = 0; same && i < shape->elements; i++) {
        const int64_t own = v->view.dims[v->view.rank - shape->elements + i];
        same = dims[i] == 1 || dims[i] == own;
    }
    if (same)
        give_same(w, 0, v);
    else
        refuse(w, "that repeats elements", NULL);
}

/* ---- shapes ---- */

Node *flat(Work *w, const Value *v)
{
    const Type t = v->node->type;
    const int order = view_order(&v->view, t);
    if (t.h == 1 && t.w == 1)
        return order < 0 ? NULL : v->node;
    if (order < 0)
        return NULL;
    Attrs a = ir_default_attrs(OP_FLATTEN);
    a.order = order == ORDER_NHWC ? ORDER_NHWC : ORDER_NCHW;
    Node *const in[] = {v->node};
    return builder_add(w->b, OP_FLATTEN, in, 1, &a, NULL);
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
    const Type t = v->node->type;
    if (!cut && !(rank == 2 && dims[0] == t.n && (t.h > 1 || t.w > 1))) {
        give(w, 0, v->node, &view);
        return;
    }
    Node *x = flat(w, v);
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

/* ---- channels ---- */

void onnx_concat(Work *w)
{
    const int n = w->node->n_in;
    Node **in = NEW_ARRAY(w->arena, Node *, n + 1);
    const Value *first = tensor(w, 0);
    if (!first)
        return;
    const int axis = axis_in(attr_int(w, "axis", 1), first->view.rank);
    bool good = axis >= 0;
    for (int i = 0; i < n; i++) {
        const Value *v = tensor(w, i);
        if (!v)
            return;
        in[i] = v->node;
        good = good && v->view.rank == first->view.rank &&
               view_axis_is(&v->view, axis, AXIS_C, v->node->type.c);
        for (int k = 0; good && k < v->view.rank; k++)
            good = k == axis || view_same_axis(&v->view, k, &first->view, k);
    }
    if (!good) {
        refuse(w, "of other axes than the channels", NULL);
        return;
    }
    if (n == 1) {
        give_same(w, 0, first);
        return;
    }
    const Attrs a = ir_default_attrs(OP_CONCAT);
    Node *node = layer(w, OP_CONCAT, in, n, &a);
    View view = first->view;
    if (node)
        view_set_whole(&view, axis, AXIS_C, node->type.c);
    give(w, 0, node, &view);
}

/* The results of `split` in equal parts; the same ones if it was asked before. */
static Node **equal_parts(Work *w, Node *x, int parts)
{
    for (int i = 0; i < w->splits.n; i++) {
        if (w->splits.at[i].of == x && w->splits.at[i].n == parts)
            return w->splits.at[i].parts;
    }
    Node **results = NEW_ARRAY(w->arena, Node *, parts + 1);
    const char **names = NEW_ARRAY(w->arena, const char *, parts + 1);
    Attrs a = ir_default_attrs(OP_SPLIT);
    a.parts = parts;
    for (int i = 0; i < parts; i++)
        names[i] = layer_name(w, OP_SPLIT);
    if (!builder_results(w->b, OP_SPLIT, x, &a, names, results))
        return NULL;
    const Parts made = {x, parts, results};
    VEC_PUSH(w->arena, &w->splits, made);
    return results;
}

/* Channels begin .. begin + count - 1; NULL after refusing the node. */
static Node *channels_of(Work *w, Node *x, int64_t begin, int64_t count)
{
    const int64_t c = x->type.c;
    if (begin == 0 && count == c)
        return x;
    if (count > 0 && c % count == 0 && begin % count == 0 && c / count <= 1 << 10) {
        Node **parts = equal_parts(w, x, (int)(c / count));
        return parts ? parts[begin / count] : NULL;
    }
    if (begin < 0 || count < 1 || begin > c - count) {
        refuse(w, "of channels that are not there", NULL);
        return NULL;
    }
    Attrs a = ir_default_attrs(OP_CROP);
    a.channel_padding[0] = (int)begin;
    a.channel_padding[1] = (int)(c - count - begin);
    return layer(w, OP_CROP, &x, 1, &a);
}

void onnx_split(Work *w)
{
    const Value *v = tensor(w, 0);
    const int64_t *sizes;
    int n;
    if (!v || !ints_of(w, "split", 1, &sizes, &n))
        return;
    const int axis = axis_in(attr_int(w, "axis", 0), v->view.rank), parts = w->node->n_out;
    if (axis < 0 || parts < 1 || !view_axis_is(&v->view, axis, AXIS_C, v->node->type.c) ||
        (n && n != parts)) {
        refuse(w, "of another axis than the channels", NULL);
        return;
    }
    const int64_t c = v->node->type.c, part = (c + parts - 1) / parts;
    int64_t at = 0;
    for (int i = 0; i < parts; i++) {
        const int64_t count = n ? sizes[i] : i < parts - 1 ? part : c - at;
        Node *node = count > 0 && count <= c - at ? channels_of(w, v->node, at, count) : NULL;
        View view = v->view;
        if (!node) {
            refuse(w, "in parts that do not fit the channels", NULL);
            return;
        }
        view_set_whole(&view, axis, AXIS_C, count);
        give(w, i, node, &view);
        at += count;
    }
}

/* Every second pixel and so on, from the first on; NULL after refusing the node. */
static Node *every(Work *w, Node *x, const int64_t stride[2])
{
    if (stride[0] == 1 && stride[1] == 1)
        return x;
    Attrs a = ir_default_attrs(OP_SUBSAMPLE);
    a.stride[0] = (int)stride[0];
    a.stride[1] = (int)stride[1];
    return layer(w, OP_SUBSAMPLE, &x, 1, &a);
}

void onnx_slice(Work *w)
{
    const Value *v = tensor(w, 0);
    Slices s;
    if (!v || !slices_of(w, v->view.rank, v->view.dims, &s))
        return;
    Node *x = v->node;
    View view = v->view;
    int64_t stride[2] = {1, 1};
    for (int i = 0; i < view.rank; i++) {
        const Type t = x->type;
        const int64_t extent = v->view.dims[i];
        if (s.begin[i] == 0 && s.count[i] == extent && s.step[i] == 1)
            continue;
        const bool rows = view_axis_is(&v->view, i, AXIS_H, t.h);
        if (view_axis_is(&v->view, i, AXIS_C, t.c) && s.step[i] == 1) {
            x = channels_of(w, x, s.begin[i], s.count[i]);
            if (!x)
                return;
            view_set_whole(&view, i, AXIS_C, s.count[i]);
        } else if ((rows || view_axis_is(&v->view, i, AXIS_W, t.w)) && s.begin[i] == 0 &&
                   s.step[i] > 1 && s.step[i] <= 1024 &&
                   (extent - 1) / s.step[i] + 1 == s.count[i]) {
            stride[!rows] = s.step[i];
            view_set_whole(&view, i, rows ? AXIS_H : AXIS_W, s.count[i]);
        } else {
            refuse(w, "of a part of the pixels", NULL);
            return;
        }
    }
    give(w, 0, every(w, x, stride), &view);
}

/* One channel, or several in a row. */
void onnx_gather(Work *w)
{
    const Value *v = tensor(w, 0);
    const OnnxTensor *index = known(w, 1);
    if (!v)
        return;
    const int axis = axis_in(attr_int(w, "axis", 0), v->view.rank);
    const int64_t c = v->node->type.c;
    if (axis < 0 || !index || !index->bytes || !onnx_type_whole(index->type) || index->rank > 1 ||
        index->elements < 1 || !view_axis_is(&v->view, axis, AXIS_C, c)) {
        refuse(w, "of anything but known channels", NULL);
        return;
    }
    const int64_t *at = onnx_ints(index, w->arena), begin = at[0] < 0 ? at[0] + c : at[0];
    if (begin < 0 || begin > c - index->elements) {
        refuse(w, "of channels that are not there", NULL);
        return;
    }
    for (int64_t i = 1; i < index->elements; i++) {
        if ((at[i] < 0 ? at[i] + c : at[i]) != begin + i) {
            refuse(w, "of channels in another order", NULL);
            return;
        }
    }
    Node *node = channels_of(w, v->node, begin, index->elements);
    if (!node)
        return;
    View view = v->view;
    view_set_whole(&view, axis, AXIS_C, index->elements);
    if (index->rank == 0)
        view = view_without(&view, axis);
    give(w, 0, node, &view);
}
