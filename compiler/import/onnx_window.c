/* onnx_window.c: operators of ONNX that slide a window. */
#include "import/onnx_parts.h"

#include "base/numbers.h"
#include "net/sample.h"

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

static bool no_padding(const int *p)
{
    return !p[0] && !p[1] && !p[2] && !p[3];
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
        good = good && no_padding(win->padding);
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

/* Zeros or pixels that a layer puts around the image before a convolution are the convolution's
 * own. */
static Node *without_padding(Node *x, Attrs *a)
{
    const Attrs *pad = &x->attrs;
    const bool zeros = x->op == OP_ZEROPAD && !pad->channel_padding[0] && !pad->channel_padding[1];
    if (!zeros && (x->op != OP_PAD || !no_padding(a->padding)))
        return x;
    for (int i = 0; i < 4; i++)
        a->padding[i] += pad->padding[i];
    if (!zeros)
        a->padding_mode = pad->padding_mode;
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

/* The weights of the node at hand, with the axes of its operand; NULL after refusing it. */
static const OnnxTensor *kernel_of(Work *w, Node **x)
{
    const OnnxTensor *t = known(w, 1);
    *x = image(w, 0);
    if (!*x)
        return NULL;
    const int rank = value_rank(operand(w, 0));
    if (t && t->bytes && onnx_type_real(t->type) && t->rank == rank && rank > 2 &&
        in_range(t->dims, rank, 1))
        return t;
    refuse(w, "with weights that are not known, or of other axes than its operand's", NULL);
    return NULL;
}

static void set_params(Work *w, Node *node, const OnnxTensor *weights, const OnnxTensor *bias)
{
    if (node &&
        builder_param(w->b, node, P_WEIGHT, w->node->in[1], weights->rank, weights->dims,
                      onnx_floats(weights, w->arena)) &&
        bias)
        builder_param(w->b, node, P_BIAS, w->node->in[2], bias->rank, bias->dims,
                      onnx_floats(bias, w->arena));
}

/* Whether a convolution is a blurpool: each channel by itself, with binomial numbers. */
static bool is_blur(Work *w, const Attrs *a, const OnnxTensor *weights, const OnnxTensor *bias)
{
    const int64_t area = (int64_t)a->kernel[0] * a->kernel[1];
    if (bias || weights->dims[1] != 1 || a->groups != a->filters || area < 2 ||
        a->kernel[0] > MOST_TAPS || a->kernel[1] > MOST_TAPS || a->dilation[0] > 1 ||
        a->dilation[1] > 1)
        return false;
    const float *at = onnx_floats(weights, w->arena);
    for (int64_t i = 0; i < weights->elements; i++) {
        const int row = (int)(i % area / a->kernel[1]), column = (int)(i % a->kernel[1]);
        const double own = binomial(a->kernel[0], row) * binomial(a->kernel[1], column);
        if (!near((double)at[i], own))
            return false;
    }
    return true;
}

void onnx_conv(Work *w)
{
    Node *x;
    const OnnxTensor *weights = kernel_of(w, &x), *bias;
    const int64_t groups = attr_int(w, "group", 1);
    Window win;
    if (!weights || !window_of(w, x->type, weights->rank - 2, weights->dims + 2, &win) ||
        !bias_of(w, 2, &bias))
        return;
    if (!in_range(&groups, 1, 1)) {
        refuse(w, "with groups that rnc does not have", NULL);
        return;
    }
    Attrs a = ir_default_attrs(OP_CONV);
    set_window(&a, &win);
    a.filters = (int)weights->dims[0];
    a.groups = (int)groups;
    a.bias = bias != NULL;
    x = without_padding(x, &a);
    const bool blur = x->type.c == a.groups && is_blur(w, &a, weights, bias);
    Node *node = blur ? layer(w, OP_BLURPOOL, &x, 1, &a) : trained(w, OP_CONV, &x, 1, &a);
    if (!blur)
        set_params(w, node, weights, bias);
    give_image(w, node);
}

/* `output_shape` and auto_pad say what is left, and so how much is left out, the odd pixel before
 * or after; false if more is wanted than there is. */
static bool leave_out(Work *w, Type in, int axes, Attrs *a)
{
    const OnnxAttr *shape = attr_ints(w, "output_shape");
    const char *auto_pad = attr_text(w, "auto_pad", "NOTSET");
    const bool same = str_starts(auto_pad, "SAME"), upper = str_eq(auto_pad, "SAME_UPPER");
    const int extents[2] = {in.h, in.w};
    if (!shape && !same)
        return !str_eq(auto_pad, "VALID") || no_padding(a->padding);
    if (shape && (shape->n != axes || !in_range(shape->ints, axes, 1)))
        return false;
    for (int i = 2 - axes; i < 2; i++) {
        const int64_t all = (int64_t)(extents[i] - 1) * a->stride[i] + a->output_padding[i] +
                            (int64_t)(a->kernel[i] - 1) * a->dilation[i] + 1;
        const int64_t wanted =
            shape ? shape->ints[i - 2 + axes] : (int64_t)extents[i] * a->stride[i];
        if (wanted > all)
            return false;
        const int total = (int)(all - wanted), half = total / 2;
        a->padding[i] = upper ? half : total - half;
        a->padding[2 + i] = total - a->padding[i];
    }
    return true;
}

/* Weights are [channels][filters / groups][height][width] in both. */
void onnx_conv_transpose(Work *w)
{
    Node *x;
    const OnnxTensor *weights = kernel_of(w, &x), *bias;
    const int64_t groups = attr_int(w, "group", 1);
    Window win;
    if (!weights || !bias_of(w, 2, &bias))
        return;
    const int axes = weights->rank - 2;
    const OnnxAttr *more = attr_ints(w, "output_padding");
    if (!window_of(w, x->type, axes, weights->dims + 2, &win))
        return;
    Attrs a = ir_default_attrs(OP_CONV_TRANSPOSE);
    set_window(&a, &win);
    bool good = in_range(&groups, 1, 1) && groups * weights->dims[1] <= WINDOW_MOST &&
                (!more || (more->n == axes && in_range(more->ints, axes, 0)));
    for (int i = 0; good && more && i < axes; i++)
        a.output_padding[2 - axes + i] = (int)more->ints[i];
    if (!good || !leave_out(w, x->type, axes, &a)) {
        refuse(w, "with groups, pads or an output_shape that rnc does not have", NULL);
        return;
    }
    a.groups = (int)groups;
    a.filters = (int)(groups * weights->dims[1]);
    a.bias = bias != NULL;
    Node *node = trained(w, OP_CONV_TRANSPOSE, &x, 1, &a);
    set_params(w, node, weights, bias);
    give_image(w, node);
}

/* ---- pools ---- */

/* A pool of one pixel. */
static bool is_nothing(const Window *win)
{
    return win->kernel[0] == 1 && win->kernel[1] == 1 && win->stride[0] == 1 &&
           win->stride[1] == 1 && no_padding(win->padding);
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
    a.ceil_mode = attr_int(w, "ceil_mode", 0) != 0;
    set_window(&a, &win);
    if (no_padding(win.padding) && !onnx_attr(w->node, "count_include_pad"))
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
