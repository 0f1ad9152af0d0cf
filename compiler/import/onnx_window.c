/* onnx_window.c: operators of ONNX that slide a window, or change height and width. */
#include "import/onnx_parts.h"

#include "base/numbers.h"

enum { WINDOW_MOST = 1 << 20 };

/* A window over one or two axes; rows have the height 1. */
typedef struct Window {
    int kernel[2], stride[2], dilation[2];
    int padding[4]; /* top, left, bottom, right */
} Window;

/* ---- windows ---- */

static bool in_range(const int64_t *at, int n, int64_t least)
{
    for (int i = 0; i < n; i++) {
        if (at[i] < least || at[i] > WINDOW_MOST)
            return false;
    }
    return true;
}

/* One or two numbers of an attribute, for height and width; false if they are not that. */
static bool pair_of(const Work *w, const char *name, int axes, int to[2])
{
    const OnnxAttr *a = attr_ints(w, name);
    if (!a)
        return true;
    if (a->n != axes || !in_range(a->ints, a->n, 1))
        return false;
    for (int i = 0; i < axes; i++)
        to[2 - axes + i] = (int)a->ints[i];
    return true;
}

static bool pads_of(const Work *w, int axes, int to[4])
{
    const OnnxAttr *a = attr_ints(w, "pads");
    if (!a)
        return true;
    if (a->n != 2 * axes || !in_range(a->ints, a->n, 0))
        return false;
    for (int i = 0; i < axes; i++) {
        to[2 - axes + i] = (int)a->ints[i];
        to[4 - axes + i] = (int)a->ints[axes + i];
    }
    return true;
}

static bool padded(const Window *win)
{
    const int *p = win->padding;
    return p[0] || p[1] || p[2] || p[3];
}

/* auto_pad SAME: as many results as the input has strides, the odd pixel after or before it. */
static void pad_same(Window *win, Type in, bool upper)
{
    const int extents[2] = {in.h, in.w};
    for (int i = 0; i < 2; i++) {
        const int64_t out = div_up(extents[i], win->stride[i]);
        const int64_t reach = (int64_t)(win->kernel[i] - 1) * win->dilation[i] + 1;
        const int64_t need = (out - 1) * win->stride[i] + reach - extents[i];
        const int total = need > 0 ? (int)need : 0;
        win->padding[i] = upper ? total / 2 : total - total / 2;
        win->padding[2 + i] = total - win->padding[i];
    }
}

/* The window of the node at hand; `kernel` are the extents of its weights, or NULL.  False after
 * refusing it. */
static bool window_of(Work *w, Type in, int axes, const int64_t *kernel, Window *win)
{
    *win = (Window){{1, 1}, {1, 1}, {1, 1}, {0}};
    bool good = pair_of(w, "kernel_shape", axes, win->kernel) &&
                pair_of(w, "strides", axes, win->stride) &&
                pair_of(w, "dilations", axes, win->dilation) && pads_of(w, axes, win->padding);
    for (int i = 0; kernel && i < axes; i++) {
        const int at = 2 - axes + i;
        good = good && in_range(&kernel[i], 1, 1) &&
               (!attr_ints(w, "kernel_shape") || win->kernel[at] == kernel[i]);
        win->kernel[at] = good ? (int)kernel[i] : 1;
    }
    const char *auto_pad = attr_text(w, "auto_pad", "NOTSET");
    if (good && str_starts(auto_pad, "SAME"))
        pad_same(win, in, str_eq(auto_pad, "SAME_UPPER"));
    else if (str_eq(auto_pad, "VALID"))
        good = good && !padded(win);
    if (!good)
        refuse(w, "with a window, strides or pads that rnc does not have",
               "kernels, strides and dilations are from 1 on, pads from 0 on");
    return good;
}

static void set_window(Attrs *a, const Window *win)
{
    for (int i = 0; i < 2; i++) {
        a->kernel[i] = win->kernel[i];
        a->stride[i] = win->stride[i];
        a->dilation[i] = win->dilation[i];
    }
    for (int i = 0; i < 4; i++)
        a->padding[i] = win->padding[i];
}

/* ---- convolution ---- */

/* Zeros that a layer puts around the image before a convolution are the convolution's own. */
static Node *without_zeropad(Node *x, Attrs *a)
{
    const Attrs *pad = &x->attrs;
    if (x->op != OP_ZEROPAD || pad->channel_padding[0] || pad->channel_padding[1])
        return x;
    for (int i = 0; i < 4; i++)
        a->padding[i] += pad->padding[i];
    return x->in[0];
}

/* The bias, which must be known; false after refusing the node. */
static bool bias_of(Work *w, int i, const OnnxTensor **bias)
{
    *bias = known(w, i);
    if (*bias && (*bias)->bytes && onnx_type_real((*bias)->type))
        return true;
    if (has_operand(w, i))
        refuse(w, "with a bias that is not known", NULL);
    return !has_operand(w, i);
}

void onnx_conv(Work *w)
{
    const OnnxTensor *weights = known(w, 1), *bias;
    Node *x = image(w, 0);
    Window win;
    if (!x)
        return;
    const int rank = value_rank(operand(w, 0)), axes = rank - 2;
    if (!weights || !weights->bytes || !onnx_type_real(weights->type) || weights->rank != rank ||
        axes < 1) {
        refuse(w, "with weights that are not known, or of other axes than its operand's", NULL);
        return;
    }
    const int64_t groups = attr_int(w, "group", 1);
    if (!window_of(w, x->type, axes, weights->dims + 2, &win) || !bias_of(w, 2, &bias))
        return;
    if (!in_range(&groups, 1, 1) || !in_range(weights->dims, 1, 1)) {
        refuse(w, "with groups or filters that rnc does not have", NULL);
        return;
    }
    Attrs a = ir_default_attrs(OP_CONV);
    set_window(&a, &win);
    a.filters = (int)weights->dims[0];
    a.groups = (int)groups;
    a.bias = bias != NULL;
    x = without_zeropad(x, &a);
    Node *node = layer(w, OP_CONV, &x, 1, &a);
    if (node &&
        builder_param(w->b, node, P_WEIGHT, w->node->in[1], weights->rank, weights->dims,
                      onnx_floats(weights, w->arena)) &&
        bias)
        builder_param(w->b, node, P_BIAS, w->node->in[2], bias->rank, bias->dims,
                      onnx_floats(bias, w->arena));
    give_image(w, node);
}

/* ---- pools ---- */

/* ceil_mode: a last window that ends beyond the padding counts, too, if it begins before the
 * padding after the image.  Returns how many pixels it sees beyond it. */
static int beyond(const Window *win, int extent, int axis)
{
    const int before = win->padding[axis], after = win->padding[2 + axis];
    const int64_t room = (int64_t)extent + before + after - win->kernel[axis];
    if (room < 0 || room % win->stride[axis] == 0)
        return 0;
    const int64_t begin = (room / win->stride[axis] + 1) * win->stride[axis];
    return begin < (int64_t)extent + before
               ? (int)(begin + win->kernel[axis] - extent - before - after)
               : 0;
}

/* A pool of one pixel. */
static bool is_nothing(const Window *win)
{
    return win->kernel[0] == 1 && win->kernel[1] == 1 && win->stride[0] == 1 &&
           win->stride[1] == 1 && !padded(win);
}

static void pool(Work *w, Op op)
{
    Node *x = image(w, 0);
    Window win;
    if (!x)
        return;
    const int axes = value_rank(operand(w, 0)) - 2;
    const Value *indices = result(w, 1);
    if (!all_ones(w, "dilations") || (indices && indices->users)) {
        refuse(w, indices && indices->users ? "whose indices are used" : "with a dilated window",
               NULL);
        return;
    }
    if (axes < 1 || !window_of(w, x->type, axes, NULL, &win))
        return;
    Attrs a = ir_default_attrs(op);
    a.count_padding = attr_int(w, "count_include_pad", 0) != 0;
    if (attr_int(w, "ceil_mode", 0)) {
        const int more[2] = {beyond(&win, x->type.h, 0), beyond(&win, x->type.w, 1)};
        if ((more[0] || more[1]) && a.count_padding && op == OP_AVGPOOL && padded(&win)) {
            refuse(w, "with ceil_mode and padding that counts", NULL);
            return;
        }
        if (more[0] || more[1])
            a.count_padding = false;
        win.padding[2] += more[0];
        win.padding[3] += more[1];
    }
    set_window(&a, &win);
    if (!padded(&win))
        a.count_padding = true; /* as it is written if nothing is said */
    if (is_nothing(&win))
        give_image(w, x); /* PyTorch's adaptive pool to the size that is there */
    else
        give_image(w, layer(w, op, &x, 1, &a));
}

void onnx_max_pool(Work *w)
{
    pool(w, OP_MAXPOOL);
}

void onnx_average_pool(Work *w)
{
    pool(w, OP_AVGPOOL);
}

/* ---- padding ---- */

/* Pads by rnc's axes, before and after; false if pixels are cut off. */
static bool pads_by_axis(const int *axes, int rank, const int64_t *pads, int64_t to[AXES][2])
{
    if (!in_range(pads, 2 * rank, 0))
        return false;
    for (int i = 0; i < rank; i++) {
        to[axes[i]][0] = pads[i];
        to[axes[i]][1] = pads[rank + i];
    }
    return to[AXIS_N][0] == 0 && to[AXIS_N][1] == 0;
}

void onnx_pad(Work *w)
{
    Value *v = tensor(w, 0);
    const int64_t *pads;
    int64_t by[AXES][2] = {{0}};
    int n;
    if (!v || !ints_of(w, "pads", 1, &pads, &n))
        return;
    const OnnxTensor *value = known(w, 2);
    const char *mode = attr_text(w, "mode", "constant");
    const double with = value && value->elements == 1 && value->bytes && onnx_type_real(value->type)
                            ? (double)*onnx_floats(value, w->arena)
                            : attr_float(w, "value", 0);
    bool none = true;
    for (int i = 0; i < n; i++)
        none = none && pads[i] == 0;
    if (none) {
        give_same(w, 0, v);
        return;
    }
    if (has_operand(w, 2) && (!value || !value->bytes || value->elements != 1)) {
        refuse(w, "with a value that is not known", "rnc pads with zeros");
        return;
    }
    if (!str_eq(mode, "constant") || with != 0 || has_operand(w, 3)) {
        refuse(w,
               arena_printf(w->arena, "with mode=%s and the value %g", str_shown(w->arena, mode),
                            with),
               "rnc pads with zeros");
        return;
    }
    const int *axes = view_axes(&v->view, v->node->type);
    if (!axes || n != 2 * v->view.rank || !pads_by_axis(axes, v->view.rank, pads, by)) {
        refuse(w, "that cuts off pixels, or pads what is no axis of an image", NULL);
        return;
    }
    Attrs a = ir_default_attrs(OP_ZEROPAD);
    for (int i = 0; i < 2; i++) {
        a.padding[2 * i] = (int)by[AXIS_H][i];
        a.padding[2 * i + 1] = (int)by[AXIS_W][i];
        a.channel_padding[i] = (int)by[AXIS_C][i];
    }
    Node *node = layer(w, OP_ZEROPAD, &v->node, 1, &a);
    const View view = node ? view_of(node->type, v->view.rank, axes) : (View){0};
    give(w, 0, node, &view);
}

/* ---- resize ---- */

/* Whole factors for height and width, from scales or from sizes. */
static bool factors_of(Work *w, const Value *v, int64_t by[2])
{
    const bool old = str_eq(w->node->op, "Upsample") || w->model->opset < 11;
    const int at_scales = old ? 1 : 2;
    const OnnxTensor *scales = known(w, at_scales), *sizes = old ? NULL : known(w, 3);
    const OnnxAttr *attr = onnx_attr(w->node, "scales");
    double s[4] = {0};
    const int rank = v->view.rank;
    if (rank != 4 || attr_ints(w, "axes"))
        return false;
    if (attr && attr->kind == ONNX_ATTR_FLOATS && attr->n == rank) {
        for (int i = 0; i < rank; i++)
            s[i] = (double)attr->floats[i];
    } else if (scales && scales->elements == rank && scales->bytes &&
               onnx_type_real(scales->type)) {
        for (int i = 0; i < rank; i++)
            s[i] = (double)onnx_floats(scales, w->arena)[i];
    } else if (sizes && sizes->elements == rank && sizes->bytes && onnx_type_whole(sizes->type)) {
        for (int i = 0; i < rank; i++)
            s[i] = (double)onnx_ints(sizes, w->arena)[i] / (double)v->view.dims[i];
    }
    by[0] = s[2] >= 1 && s[2] <= 64 ? (int64_t)s[2] : 0;
    by[1] = s[3] >= 1 && s[3] <= 64 ? (int64_t)s[3] : 0;
    return s[0] == 1 && s[1] == 1 && by[0] && by[1] && (double)by[0] == s[2] &&
           (double)by[1] == s[3];
}

/* Whether pixels are repeated: with whole factors, conventions differ only in how they round where
 * nothing has to be rounded. */
static bool repeats(Work *w)
{
    const char *where = attr_text(w, "coordinate_transformation_mode", "half_pixel");
    const char *nearest = attr_text(w, "nearest_mode", "round_prefer_floor");
    if (str_eq(w->node->op, "Upsample") || w->model->opset < 11 || str_eq(where, "asymmetric"))
        return str_eq(w->node->op, "Upsample") || w->model->opset < 11 || str_eq(nearest, "floor");
    return str_ends(where, "half_pixel") && str_starts(nearest, "round_prefer");
}

void onnx_resize(Work *w)
{
    Node *x = image(w, 0);
    int64_t by[2];
    if (!x)
        return;
    const char *mode = attr_text(w, "mode", "nearest");
    if (!str_eq(mode, "nearest") || !repeats(w)) {
        refuse(w,
               arena_printf(w->arena, "with mode=%s and this convention of coordinates",
                            str_shown(w->arena, mode)),
               NULL);
        return;
    }
    if (!factors_of(w, operand(w, 0), by)) {
        refuse(w, "by a factor that is no whole number from 1 to 64", NULL);
        return;
    }
    Attrs a = ir_default_attrs(OP_UPSAMPLE);
    a.scale_by[0] = (int)by[0];
    a.scale_by[1] = (int)by[1];
    give_image(w, by[0] == 1 && by[1] == 1 ? x : layer(w, OP_UPSAMPLE, &x, 1, &a));
}
