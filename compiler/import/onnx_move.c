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
    if (order < 0 || (t.h == 1 && t.w == 1))
        return order < 0 ? NULL : v->node;
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
                 : axis > AXIS_C ? concat_pixels(w, axis == AXIS_W, in, n)
                                 : NULL;
    if (!node && axis != AXIS_C)
        refuse(w, "of other axes than the channels, and no padding of an image by itself", NULL);
    if (!node)
        return;
    View view = first->view;
    const Type t = node->type;
    view_set_whole(&view, at, axis, axis == AXIS_C ? t.c : axis == AXIS_H ? t.h : t.w);
    give(w, 0, node, &view);
}

/* Channels begin .. begin + count - 1; NULL after refusing the node. */
static Node *channels_of(Work *w, Node *x, int64_t begin, int64_t count)
{
    const int64_t c = x->type.c;
    if (begin == 0 && count == c)
        return x;
    if (begin < 0 || count < 1 || begin > c - count) {
        refuse(w, "of channels that are not there", NULL);
        return NULL;
    }
    Attrs a = ir_default_attrs(OP_CROP);
    a.channel_padding[0] = (int)begin;
    a.channel_padding[1] = (int)(c - count - begin);
    return layer(w, OP_CROP, &x, 1, &a);
}

/* The channels in parts of these sizes, which add up to them. */
static Node **split_channels(Work *w, Node *x, const int64_t *sizes, int parts)
{
    Node **results = NEW_ARRAY(w->arena, Node *, parts + 1);
    const char **names = NEW_ARRAY(w->arena, const char *, parts + 1);
    double *reals = NEW_ARRAY(w->arena, double, parts + 1);
    Attrs a = ir_default_attrs(OP_SPLIT);
    bool same = true;
    for (int i = 0; i < parts; i++) {
        names[i] = w->own ? w->node->out[i] : layer_name(w, OP_SPLIT);
        reals[i] = (double)sizes[i];
        same = same && sizes[i] == sizes[0];
    }
    a.parts = parts;
    if (!same)
        a.sizes = (Reals){reals, parts};
    return builder_results(w->b, OP_SPLIT, x, &a, names, results) ? results : NULL;
}

/* Rows or columns begin .. begin + count - 1, of which there are some. */
static Node *pixels_of(Work *w, Node *x, bool across, int64_t begin, int64_t count)
{
    const int64_t extent = across ? x->type.w : x->type.h;
    Attrs a = ir_default_attrs(OP_CROP);
    a.padding[across] = (int)begin;
    a.padding[2 + across] = (int)(extent - count - begin);
    return count == extent ? x : layer(w, OP_CROP, &x, 1, &a);
}

/* The extents of the parts along an axis; false if they do not fit it. */
static bool sizes_of(const int64_t *given, int n, int64_t extent, int64_t *sizes, int parts)
{
    const int64_t part = (extent + parts - 1) / parts;
    int64_t left = extent;
    for (int i = 0; i < parts; i++) {
        sizes[i] = n ? given[i] : i < parts - 1 ? part : left;
        if (sizes[i] < 1 || sizes[i] > left)
            return false;
        left -= sizes[i];
    }
    return left == 0;
}

void onnx_split(Work *w)
{
    const Value *v = tensor(w, 0);
    const int64_t *given;
    int n;
    if (!v || !ints_of(w, "split", 1, &given, &n))
        return;
    const int at = axis_in(attr_int(w, "axis", 0), v->view.rank), parts = w->node->n_out;
    const int axis = at < 0 ? -1 : view_whole_axis(&v->view, at, v->node->type);
    int64_t *sizes = NEW_ARRAY(w->arena, int64_t, parts + 1), begin = 0;
    if (axis < AXIS_C || parts < 1 || (n && n != parts) ||
        !sizes_of(given, n, v->view.dims[at], sizes, parts)) {
        refuse(w, "of another axis than channels, height and width, or in parts that do not fit it",
               NULL);
        return;
    }
    Node *const x = v->node;
    const View whole = v->view;
    Node **channels = axis == AXIS_C && parts > 1 ? split_channels(w, x, sizes, parts) : NULL;
    for (int i = 0; i < parts && (channels || axis != AXIS_C || parts == 1); i++) {
        View view = whole;
        Node *node = channels         ? channels[i]
                     : axis == AXIS_C ? x
                                      : pixels_of(w, x, axis == AXIS_W, begin, sizes[i]);
        view_set_whole(&view, at, axis, sizes[i]);
        give(w, i, node, &view);
        begin += sizes[i];
    }
}

/* What Slice takes, as `crop` and the `subsample` after it; false if it is neither. */
static bool cut_of(const Value *v, const Slices *s, Attrs *crop, Attrs *every, View *view)
{
    const Type t = v->node->type;
    for (int i = 0; i < v->view.rank; i++) {
        const int64_t extent = v->view.dims[i], step = s->step[i], count = s->count[i];
        if (s->begin[i] == 0 && count == extent && step == 1)
            continue;
        const int axis = view_whole_axis(&v->view, i, t);
        if (axis < AXIS_C || count < 1 || step < 1 || step > 1024 || (axis == AXIS_C && step != 1))
            return false;
        /* What is left out after the last one, unless a subsample leaves it out by itself. */
        const int64_t rest = extent - 1 - s->begin[i] - (count - 1) * step;
        const int before = (int)s->begin[i], after = rest < step ? 0 : (int)rest;
        if (axis == AXIS_C) {
            crop->channel_padding[0] = before;
            crop->channel_padding[1] = after;
        } else {
            crop->padding[axis == AXIS_W] = before;
            crop->padding[2 + (axis == AXIS_W)] = after;
            every->stride[axis == AXIS_W] = (int)step;
        }
        view_set_whole(view, i, axis, count);
    }
    return true;
}

/* Exporters write a slice for each axis: a crop that nothing else uses takes in the next. */
static Node *cropped(Work *w, const Value *v, Attrs *crop)
{
    const Node *before = v->node;
    const bool one = before->op == OP_CROP && v->users == 1;
    for (int i = 0; one && i < 4; i++)
        crop->padding[i] += before->attrs.padding[i];
    for (int i = 0; one && i < 2; i++)
        crop->channel_padding[i] += before->attrs.channel_padding[i];
    return layer(w, OP_CROP, one ? before->in : &v->node, 1, crop);
}

void onnx_slice(Work *w)
{
    const Value *v = tensor(w, 0);
    Slices s;
    if (!v || !slices_of(w, v->view.rank, v->view.dims, &s))
        return;
    Attrs crop = ir_default_attrs(OP_CROP), every = ir_default_attrs(OP_SUBSAMPLE);
    const Attrs whole = crop;
    every.stride[0] = every.stride[1] = 1;
    Node *x = v->node;
    View view = v->view;
    if (!cut_of(v, &s, &crop, &every, &view)) {
        refuse(w, "of anything but channels, rows and columns, from the first to the last", NULL);
        return;
    }
    if (!attrs_same(OP_CROP, &crop, &whole))
        x = cropped(w, v, &crop);
    if (x && (every.stride[0] > 1 || every.stride[1] > 1))
        x = layer(w, OP_SUBSAMPLE, &x, 1, &every);
    give(w, 0, x, &view);
}

/* ---- by their numbers ---- */

/* Channels in any order: the runs among them, one after the other. */
static Node *gathered_channels(Work *w, Node *x, const int64_t *at, int64_t n)
{
    enum { RUNS_MOST = 256 };
    Node *runs[RUNS_MOST];
    int n_runs = 0;
    for (int64_t i = 0; i < n;) {
        int64_t end = i + 1;
        while (end < n && at[end] == at[end - 1] + 1)
            end++;
        if (n_runs == RUNS_MOST) {
            refuse(w, "of channels in another order, which are more than 256 pieces", NULL);
            return NULL;
        }
        runs[n_runs] = channels_of(w, x, at[i], end - i);
        if (!runs[n_runs++])
            return NULL;
        i = end;
    }
    const Attrs a = ir_default_attrs(OP_CONCAT);
    return n_runs == 1 ? runs[0] : layer(w, OP_CONCAT, runs, n_runs, &a);
}

/* Rows or columns: some in a row, or the padding of an image by itself. */
static Node *gathered_pixels(Work *w, Node *x, bool across, const int64_t *at, int64_t n)
{
    const int64_t extent = across ? x->type.w : x->type.h;
    bool run = true;
    for (int64_t i = 1; i < n; i++)
        run = run && at[i] == at[i - 1] + 1;
    Node *node = run && at[0] + n <= extent ? pixels_of(w, x, across, at[0], n)
                 : n <= INT_MAX             ? padded_by(w, x, across, at, (int)n)
                                            : NULL;
    if (!node)
        refuse(w, "of rows or columns in an order that is no padding", NULL);
    return node;
}

/* All elements of a vector in order, in the shape of the index: PyTorch's as_strided. */
static bool gathers_all(Work *w, const Value *v, const OnnxTensor *index, View *view)
{
    if (v->view.rank != 1 || !index || !index->bytes || !onnx_type_whole(index->type) ||
        index->elements != v->view.dims[0] ||
        !view_reshaped(&v->view, index->rank, index->dims, view))
        return false;
    const int64_t *at = onnx_ints(index, w->arena);
    for (int64_t i = 0; i < index->elements; i++) {
        if (at[i] != i)
            return false;
    }
    return true;
}

void onnx_gather(Work *w)
{
    const Value *v = tensor(w, 0);
    const OnnxTensor *index = known(w, 1);
    View all;
    if (!v)
        return;
    if (gathers_all(w, v, index, &all)) {
        give(w, 0, v->node, &all);
        return;
    }
    const int at = axis_in(attr_int(w, "axis", 0), v->view.rank);
    const int axis = at < 0 ? -1 : view_whole_axis(&v->view, at, v->node->type);
    if (axis < AXIS_C || !index || !index->bytes || !onnx_type_whole(index->type) ||
        index->rank > 1 || index->elements < 1) {
        refuse(w, "of anything but known channels, rows or columns", NULL);
        return;
    }
    const int64_t n = index->elements, extent = v->view.dims[at];
    const int64_t *given = onnx_ints(index, w->arena);
    int64_t *from = NEW_ARRAY(w->arena, int64_t, n);
    for (int64_t i = 0; i < n; i++) {
        from[i] = given[i] < 0 ? given[i] + extent : given[i];
        if (from[i] < 0 || from[i] >= extent) {
            refuse(w, "of what is not there: a number beyond the extent of its axis", NULL);
            return;
        }
    }
    View view = v->view;
    Node *node = axis == AXIS_C ? gathered_channels(w, v->node, from, n)
                                : gathered_pixels(w, v->node, axis == AXIS_W, from, n);
    if (!node)
        return;
    view_set_whole(&view, at, axis, n);
    if (index->rank == 0)
        view = view_without(&view, at);
    give(w, 0, node, &view);
}
