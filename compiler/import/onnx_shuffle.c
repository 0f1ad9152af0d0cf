/* onnx_shuffle.c: channels that become pixels, pixels that become channels, channels in another
 * order: as operators of ONNX, and as Reshape, Transpose, Reshape. */
#include "import/onnx_parts.h"

#include "net/sample.h"

#include <limits.h>

static void blocks(Work *w, Op op)
{
    Node *x = image(w, 0);
    const int64_t block = attr_int(w, "blocksize", 0);
    const char *order = attr_text(w, "mode", "DCR");
    if (!x)
        return;
    if (block < 1 || block > 256 || (!str_eq(order, "DCR") && !str_eq(order, "CRD"))) {
        refuse(w, "with a blocksize or a mode that rnc does not have", NULL);
        return;
    }
    Attrs a = ir_default_attrs(op);
    a.block = (int)block;
    a.depth_order = str_eq(order, "CRD") ? DEPTH_CRD : DEPTH_DCR;
    give_image(w, block == 1 ? x : layer(w, op, &x, 1, &a));
}

void onnx_depth_to_space(Work *w)
{
    blocks(w, OP_DEPTH_TO_SPACE);
}

void onnx_space_to_depth(Work *w)
{
    blocks(w, OP_SPACE_TO_DEPTH);
}

/* ---- in three steps ---- */

/* A view of `to`'s extents, of axes that have up to three atoms each. */
static bool lies_as(const View *v, const Type t, const Atom atoms[3][3])
{
    View own = {.rank = 0};
    const int64_t batch = t.n;
    int n = 0;
    own.dims[0] = batch;
    own.first[0] = 0;
    if (batch > 1)
        own.atoms[n++] = (Atom){AXIS_N, batch, 1};
    own.first[1] = n;
    own.rank = 4;
    for (int i = 0; i < 3; i++) {
        own.dims[1 + i] = 1;
        for (int k = 0; k < 3; k++) {
            if (atoms[i][k].extent > 1) {
                own.atoms[n++] = atoms[i][k];
                own.dims[1 + i] *= atoms[i][k].extent;
            }
        }
        own.first[2 + i] = n;
    }
    for (int i = 0; i < 4; i++) {
        if (own.dims[i] != v->dims[i] || !view_same_axis(v, i, &own, i))
            return false;
    }
    return true;
}

static bool is_shuffle(const View *v, Type t, int64_t groups)
{
    const int64_t each = t.c / groups;
    const Atom atoms[3][3] = {
        {{AXIS_C, each, 1}, {AXIS_C, groups, each}}, {{AXIS_H, t.h, 1}}, {{AXIS_W, t.w, 1}}};
    return groups > 1 && each > 1 && lies_as(v, t, atoms);
}

static bool is_space_to_depth(const View *v, Type t, int64_t b, DepthOrder order)
{
    const Atom rows = {AXIS_H, b, 1}, columns = {AXIS_W, b, 1}, channels = {AXIS_C, t.c, 1};
    const bool crd = order == DEPTH_CRD;
    const Atom atoms[3][3] = {
        {crd ? channels : rows, crd ? rows : columns, crd ? columns : channels},
        {{AXIS_H, t.h / b, b}},
        {{AXIS_W, t.w / b, b}}};
    return lies_as(v, t, atoms);
}

static bool is_depth_to_space(const View *v, Type t, int64_t b, DepthOrder order)
{
    const bool crd = order == DEPTH_CRD;
    const int64_t c = t.c / (b * b), across = crd ? 1 : c;
    const Atom atoms[3][3] = {{{AXIS_C, c, crd ? b * b : 1}},
                              {{AXIS_H, t.h, 1}, {AXIS_C, b, b * across}},
                              {{AXIS_W, t.w, 1}, {AXIS_C, b, across}}};
    return lies_as(v, t, atoms);
}

/* The b of which `whole` is b * b times `part`; 0 if there is none from 2 to 256. */
static int64_t block_of(int64_t whole, int64_t part)
{
    for (int64_t b = 2; b <= 256; b++) {
        if (part * b * b == whole)
            return b;
    }
    return 0;
}

Node *shuffled(Work *w, Node *x, const View *v)
{
    static const DepthOrder orders[] = {DEPTH_DCR, DEPTH_CRD};
    const Type t = x->type;
    if (v->rank != 4 || view_is(v, t, 4, (const int[]){AXIS_N, AXIS_C, AXIS_H, AXIS_W}))
        return NULL;
    const int last = v->first[2] - 1;
    if (last >= v->first[1] && v->dims[1] == t.c && v->atoms[last].axis == AXIS_C &&
        is_shuffle(v, t, v->atoms[last].extent)) {
        Attrs a = ir_default_attrs(OP_CHANNEL_SHUFFLE);
        a.groups = (int)v->atoms[last].extent;
        return layer(w, OP_CHANNEL_SHUFFLE, &x, 1, &a);
    }
    const int64_t deeper = block_of(v->dims[1], t.c), wider = block_of(t.c, v->dims[1]);
    for (int i = 0; i < 2; i++) {
        const bool to_depth = deeper && t.h % deeper == 0 && t.w % deeper == 0 &&
                              is_space_to_depth(v, t, deeper, orders[i]);
        if (!to_depth && !(wider && is_depth_to_space(v, t, wider, orders[i])))
            continue;
        const Op op = to_depth ? OP_SPACE_TO_DEPTH : OP_DEPTH_TO_SPACE;
        Attrs a = ir_default_attrs(op);
        a.block = (int)(to_depth ? deeper : wider);
        a.depth_order = orders[i];
        return layer(w, op, &x, 1, &a);
    }
    return NULL;
}

/* ---- other axes, other extents ---- */

/* Axes that change places. */
static Node *transposed(Work *w, const Value *v)
{
    static const int axes[] = {AXIS_C, AXIS_H, AXIS_W};
    for (int order = AXES_CWH; order <= AXES_WHC; order++) {
        Attrs a = ir_default_attrs(OP_TRANSPOSE);
        int from[3];
        a.axes = (AxesOrder)order;
        transposed_axes(a.axes, from);
        const int image[] = {AXIS_N, axes[from[0]], axes[from[1]], axes[from[2]]};
        const int row[] = {AXIS_N, axes[from[0]], axes[from[2]]};
        if (view_is(&v->view, v->node->type, v->view.rank, v->view.rank == 3 ? row : image))
            return builder_add(w->b, OP_TRANSPOSE, (Node *const[]){v->node}, 1, &a, NULL);
    }
    return NULL;
}

/* An image whose axes change places, as a vector of its planes; atoms: n of them, without those of
 * the batch. */
static Node *planes(Work *w, Node *x, const Atom *atoms, int n)
{
    const Type t = x->type;
    const int extents[] = {t.c, t.h, t.w};
    Attrs turn = ir_default_attrs(OP_TRANSPOSE), row = ir_default_attrs(OP_FLATTEN);
    bool taken[3] = {false};
    int from[3], count = 0;
    for (int i = 0; i < n && i < 3; i++) {
        const int axis = atoms[i].axis - AXIS_C;
        if (axis < 0 || taken[axis] || atoms[i].extent != extents[axis])
            return NULL;
        taken[axis] = true;
        from[count++] = axis;
    }
    for (int axis = 0; axis < 3; axis++) {
        if (!taken[axis] && (extents[axis] > 1 || count == 3))
            return NULL;
        if (!taken[axis])
            from[count++] = axis;
    }
    if (n > 3 || !transposed_order(from, &turn.axes))
        return NULL;
    row.order = ORDER_NCHW;
    x = builder_add(w->b, OP_TRANSPOSE, &x, 1, &turn, NULL);
    return builder_add(w->b, OP_FLATTEN, &x, 1, &row, NULL);
}

/* Which of these atoms has the i-th largest stride. */
static int by_stride(const Atom *atoms, int n, int i)
{
    for (int k = 0; k < n; k++) {
        int larger = 0;
        for (int j = 0; j < n; j++)
            larger += atoms[j].stride > atoms[k].stride;
        if (larger == i)
            return k;
    }
    return 0;
}

Node *numbers_in_order(Work *w, const Value *v)
{
    const Type t = v->node->type;
    const View *view = &v->view;
    Attrs image = ir_default_attrs(OP_RESHAPE), turn = ir_default_attrs(OP_TRANSPOSE),
          row = ir_default_attrs(OP_FLATTEN);
    int extents[3] = {1, 1, 1}, from[3] = {0, 1, 2}, n = 0;
    const Atom *atoms = view->atoms;
    const int all = view->first[view->rank];
    if (all > 0 && atoms[0].axis == AXIS_N) {
        atoms++;
        n = all - 1;
    } else {
        n = all;
    }
    if (t.h > 1 || t.w > 1)
        return planes(w, v->node, atoms, n);
    if (n < 2 || n > 3)
        return NULL;
    for (int i = 0; i < n; i++) {
        const int at = by_stride(atoms, n, i);
        if (atoms[i].axis != AXIS_C)
            return NULL;
        extents[i] = (int)atoms[at].extent;
        from[at] = i;
    }
    if (extents[0] * extents[1] * extents[2] != t.c || !transposed_order(from, &turn.axes))
        return NULL;
    image.filters = extents[0];
    image.size[0] = extents[1];
    image.size[1] = extents[2];
    Node *x = builder_add(w->b, OP_RESHAPE, (Node *const[]){v->node}, 1, &image, NULL);
    x = builder_add(w->b, OP_TRANSPOSE, &x, 1, &turn, NULL);
    row.order = ORDER_NCHW;
    return builder_add(w->b, OP_FLATTEN, &x, 1, &row, NULL);
}

Node *as_image(Work *w, const Value *v, int rank, const int64_t *dims, const char *name)
{
    const Type t = v->node->type;
    const int order = view_order(&v->view, t);
    if (rank < 3 || rank > 4 || order < 0 || dims[0] != t.n || dims[1] > INT_MAX ||
        dims[2] > INT_MAX || dims[rank - 1] > INT_MAX)
        return NULL;
    Attrs a = ir_default_attrs(OP_RESHAPE);
    a.filters = (int)dims[1];
    a.size[0] = rank == 4 ? (int)dims[2] : 1;
    a.size[1] = (int)dims[rank - 1];
    /* The numbers of a vector of all pixels, one after the other, are those of planes. */
    Node *x = order == ORDER_NHWC ? flat(w, v) : v->node;
    return x ? builder_add(w->b, OP_RESHAPE, &x, 1, &a, name) : NULL;
}

Node *turned(Work *w, const Value *v)
{
    const View *view = &v->view;
    if (view->rank < 3 || view->rank > 4 || view->dims[0] != v->node->type.n)
        return NULL;
    Node *node = transposed(w, v);
    return node ? node : as_image(w, v, view->rank, view->dims, NULL);
}
