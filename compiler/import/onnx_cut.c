/* onnx_cut.c: parts of tensors, which are channels, rows or columns: Split, Slice and Gather. */
#include "import/onnx_parts.h"

#include <limits.h>

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

Node **split_channels(Work *w, Node *x, const int64_t *sizes, int parts)
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

/* ---- slices that are a split together ---- */

enum { CUTS_MOST = 64, AHEAD_MOST = 4096 };

/* Channels begin .. begin + count - 1 as the result of a node. */
typedef struct Cut {
    int64_t begin, count;
    const OnnxNode *node;
} Cut;

/* Whether the node at hand is a Slice of nothing but channels. */
static bool cuts_channels(Work *w, const Value *v, Cut *cut)
{
    const int at = view_channels(&v->view, v->node->type);
    Slices s;
    for (int i = 1; i < w->node->n_in; i++) {
        if (has_operand(w, i) && !known(w, i))
            return false;
    }
    if (at < 0 || !slices_of(w, v->view.rank, v->view.dims, &s))
        return false;
    for (int i = 0; i < v->view.rank; i++) {
        if (s.step[i] != 1 || (i != at && s.count[i] != v->view.dims[i]))
            return false;
    }
    *cut = (Cut){s.begin[at], s.count[at], w->node};
    return true;
}

/* The cut that begins at a channel, after the first n; NULL if there is none or more than one. */
static Cut *cut_at(Cut *cuts, int n, int n_cuts, int64_t begin)
{
    Cut *found = NULL;
    for (int i = n; i < n_cuts; i++) {
        if (cuts[i].begin == begin && found)
            return NULL;
        if (cuts[i].begin == begin)
            found = &cuts[i];
    }
    return found;
}

/* Puts the cuts in order; false if they are not all channels, each once. */
static bool cover(Cut *cuts, int n, int64_t channels)
{
    int64_t at = 0;
    for (int i = 0; i < n; i++) {
        Cut *next = cut_at(cuts, i, n, at);
        if (!next || next->count < 1)
            return false;
        const Cut first = cuts[i];
        cuts[i] = *next;
        *next = first;
        at += cuts[i].count;
    }
    return at == channels;
}

/* PyTorch's newer exporter writes split() as slices.  If there are such of operand 0 of the Slice
 * at hand that are all its channels together, this makes the results of a `split` of them. */
static bool split_by_slices(Work *w, const Value *v)
{
    const OnnxNode *own = w->node;
    const int end = w->model->n_nodes - w->at < AHEAD_MOST ? w->model->n_nodes : w->at + AHEAD_MOST;
    Cut cuts[CUTS_MOST];
    int n = 0;
    if (v->users < 2 || v->users > CUTS_MOST)
        return false;
    for (int i = w->at; i < end && n < CUTS_MOST; i++) {
        const OnnxNode *node = &w->model->nodes[i];
        if (!str_eq(node->op, "Slice") || *node->domain || node->n_in < 1 ||
            !str_eq(node->in[0], own->in[0]))
            continue;
        w->node = node;
        const Value *to = result(w, 0);
        n += to && to->kind == VALUE_NONE && cuts_channels(w, v, &cuts[n]);
        w->node = own;
    }
    if (n < 2 || !cover(cuts, n, v->node->type.c))
        return false;
    const View whole = v->view;
    const int at = view_channels(&whole, v->node->type);
    int64_t sizes[CUTS_MOST];
    for (int i = 0; i < n; i++)
        sizes[i] = cuts[i].count;
    Node **parts = split_channels(w, v->node, sizes, n);
    for (int i = 0; parts && i < n; i++) {
        View view = whole;
        view_set_whole(&view, at, AXIS_C, sizes[i]);
        w->node = cuts[i].node;
        give(w, 0, parts[i], &view);
    }
    w->node = own;
    return parts != NULL;
}

void onnx_slice(Work *w)
{
    const Value *v = tensor(w, 0), *made = result(w, 0);
    Slices s;
    if (!v || (made && made->kind == VALUE_TENSOR) || split_by_slices(w, v) ||
        !slices_of(w, v->view.rank, v->view.dims, &s))
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
