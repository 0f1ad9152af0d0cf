/* infer_window.c: the shape rules of operators that slide a window. */
#include "net/infer_parts.h"

#include <limits.h>

/* floor((in + before + after - dilation * (kernel - 1) - 1) / stride) + 1 */
int infer_window(int in, int kernel, int stride, int dilation, int before, int after)
{
    int64_t room = (int64_t)in + before + after - ((int64_t)dilation * (kernel - 1) + 1);
    if (room < 0)
        return 0;
    int64_t out = room / stride + 1;
    return out < INT_MAX ? (int)out : INT_MAX;
}

/* A pool's windows along an axis.  ceil_mode keeps a last one that ends beyond the padding, unless
 * it begins there (torch.nn.MaxPool2d; ONNX, MaxPool). */
static int pool_windows(const Attrs *a, int axis, int in)
{
    const int kernel = a->kernel[axis], stride = a->stride[axis];
    const int before = a->padding[axis], after = a->padding[axis + 2];
    if (!a->ceil_mode)
        return infer_window(in, kernel, stride, 1, before, after);
    const int64_t room = (int64_t)in + before + after - kernel + stride - 1;
    if (room < 0)
        return 0;
    int64_t out = room / stride + 1;
    if ((out - 1) * stride >= (int64_t)in + before)
        out--;
    return out < INT_MAX ? (int)out : INT_MAX;
}

Type infer_pool(const Attrs *a, Type in)
{
    return (Type){in.elem, in.n, pool_windows(a, 0, in.h), pool_windows(a, 1, in.w), in.c};
}

static int dilation_of(const Node *node, int axis)
{
    return op_attr(node->op, "dilation") ? node->attrs.dilation[axis] : 1;
}

/* The number of pixels that the window spans. */
static int64_t reach(const Node *node, int axis)
{
    return (int64_t)dilation_of(node, axis) * (node->attrs.kernel[axis] - 1) + 1;
}

static bool refuse_large_window(const Node *node, Diag *diag)
{
    const Attrs *a = &node->attrs;
    Type t = node->in[0]->type;
    int64_t h = (int64_t)t.h + a->padding[0] + a->padding[2];
    int64_t w = (int64_t)t.w + a->padding[1] + a->padding[3];
    const char *name = op_row(node->op)->name;
    diag_error(diag, node_loc(node), "the window of '%s' is larger than its padded input", name);
    diag_note(diag, node_loc(node), "the window is %lld x %lld%s, the padded input %lld x %lld",
              (long long)reach(node, 0), (long long)reach(node, 1),
              dilation_of(node, 0) > 1 || dilation_of(node, 1) > 1 ? ", dilation included" : "",
              (long long)h, (long long)w);
    note_operand(diag, node->in[0],
                 "; a larger input, more padding, a smaller kernel or fewer strides before "
                 "would make room");
    diag_note_callers(diag, node->place);
    return false;
}

/* Refuses a pool with a window of nothing but padding, which has no largest element and no mean. */
static bool refuse_empty_window(const Node *node, Diag *diag)
{
    const Attrs *a = &node->attrs;
    diag_error(diag, node_loc(node), "a window of '%s' would see padding alone",
               op_row(node->op)->name);
    diag_note(diag, node_loc(node),
              "the window is %d x %d, the padding %d above, %d left, %d below, %d right; keep it "
              "below the window's size",
              a->kernel[0], a->kernel[1], a->padding[0], a->padding[1], a->padding[2],
              a->padding[3]);
    note_operand(diag, node->in[0], "");
    diag_note_callers(diag, node->place);
    return false;
}

static bool set_window_result(Node *node, Diag *diag, int c)
{
    const Attrs *a = &node->attrs;
    Type t = node->in[0]->type;
    int h = infer_window(t.h, a->kernel[0], a->stride[0], dilation_of(node, 0), a->padding[0],
                         a->padding[2]);
    int w = infer_window(t.w, a->kernel[1], a->stride[1], dilation_of(node, 1), a->padding[1],
                         a->padding[3]);
    if (h <= 0 || w <= 0)
        return refuse_large_window(node, diag);
    return set_result(node, diag, node->in[0]->type.elem, c, h, w);
}

static bool pool(Node *node, Diag *diag)
{
    const Attrs *a = &node->attrs;
    const Type in = node->in[0]->type, out = infer_pool(a, in);
    if (out.h <= 0 || out.w <= 0)
        return refuse_large_window(node, diag);
    if (!set_result(node, diag, in.elem, out.c, out.h, out.w))
        return false;
    /* The first window ends before the input, or the last begins after it. */
    if (a->padding[0] >= a->kernel[0] || a->padding[1] >= a->kernel[1] ||
        (int64_t)(out.h - 1) * a->stride[0] - a->padding[0] >= in.h ||
        (int64_t)(out.w - 1) * a->stride[1] - a->padding[1] >= in.w)
        return refuse_empty_window(node, diag);
    return true;
}

bool shape_MAXPOOL(Node *node, Diag *diag)
{
    return pool(node, diag);
}

bool shape_AVGPOOL(Node *node, Diag *diag)
{
    return pool(node, diag);
}

static bool refuse_groups(const Node *node, Diag *diag, const char *what, int n)
{
    int c = node->in[0]->type.c, filters = node->attrs.filters, groups = node->attrs.groups;
    int below = groups, above = groups;
    while (c % below || filters % below)
        below--;
    while (above <= c && above <= filters && (c % above || filters % above))
        above++;
    diag_error(diag, node_loc(node), "'%s' cannot share %d %s out to %d groups",
               op_row(node->op)->name, n, what, groups);
    note_operand(diag, node->in[0], "");
    if (above <= c && above <= filters)
        diag_note(diag, node_loc(node),
                  "%d channels and %d filters are both divisible by %d and by %d", c, filters,
                  below, above);
    else
        diag_note(diag, node_loc(node), "%d channels and %d filters are both divisible by %d", c,
                  filters, below);
    diag_note_callers(diag, node->place);
    return false;
}

bool shape_CONV(Node *node, Diag *diag)
{
    const Attrs *a = &node->attrs;
    int c = node->in[0]->type.c;
    if (c % a->groups)
        return refuse_groups(node, diag, "channels", c);
    if (a->filters % a->groups)
        return refuse_groups(node, diag, "filters", a->filters);
    int64_t filters = a->filters;
    int64_t weight[] = {filters, c / a->groups, a->kernel[0], a->kernel[1]};
    return check_padding_mode(node, diag) && set_window_result(node, diag, a->filters) &&
           set_dims(node, diag, P_WEIGHT, 4, weight) && set_dims(node, diag, P_BIAS, 1, &filters) &&
           check_residual(node, diag);
}

bool shape_BLURPOOL(Node *node, Diag *diag)
{
    return check_padding_mode(node, diag) && set_window_result(node, diag, node->in[0]->type.c);
}

/* ---- transposed convolution ---- */

int64_t infer_transpose_extent(const Attrs *a, int axis, int in)
{
    return ((int64_t)in - 1) * a->stride[axis] +
           (int64_t)a->dilation[axis] * (a->kernel[axis] - 1) + 1 - a->padding[axis] -
           a->padding[axis + 2];
}

static bool refuse_transpose(const Node *node, Diag *diag, const char *wrong, const char *way_out)
{
    diag_error(diag, node_loc(node), "%s", wrong);
    diag_note(diag, node_loc(node), "%s", way_out);
    note_operand(diag, node->in[0], "");
    diag_note_callers(diag, node->place);
    return false;
}

/* The result is computed in phases, one for each position in the stride (passes/phases.c). */
static bool check_phases(const Node *node, Diag *diag)
{
    enum { PHASES_MOST = MOST_OPERANDS };
    const Attrs *a = &node->attrs;
    for (int i = 0; i < 2; i++) {
        if (a->output_padding[i] >= a->stride[i] && a->output_padding[i] >= a->dilation[i])
            return refuse_transpose(node, diag,
                                    "output_padding is not smaller than the stride or the dilation",
                                    "it adds the rows and pixels that the stride leaves open");
        if ((int64_t)a->dilation[i] * (a->kernel[i] - 1) > 1024)
            return refuse_transpose(node, diag, "the window of 'conv_transpose' is too large",
                                    "it spans up to 1025 pixels, dilation included");
    }
    if (a->stride[0] * a->stride[1] > PHASES_MOST)
        return refuse_transpose(node, diag, "the stride of 'conv_transpose' is too large",
                                "the product of both strides is up to 1024");
    return true;
}

bool shape_CONV_TRANSPOSE(Node *node, Diag *diag)
{
    const Attrs *a = &node->attrs;
    const Type t = node->in[0]->type;
    if (t.c % a->groups)
        return refuse_groups(node, diag, "channels", t.c);
    if (a->filters % a->groups)
        return refuse_groups(node, diag, "filters", a->filters);
    if (!check_phases(node, diag))
        return false;
    const int64_t h = infer_transpose_extent(a, 0, t.h) + a->output_padding[0];
    const int64_t w = infer_transpose_extent(a, 1, t.w) + a->output_padding[1];
    if (h < 1 || w < 1)
        return refuse_transpose(node, diag, "the padding of 'conv_transpose' leaves nothing",
                                "padding is left out of the result; less of it leaves more");
    const int64_t filters = a->filters;
    const int64_t weight[] = {t.c, filters / a->groups, a->kernel[0], a->kernel[1]};
    return set_result(node, diag, t.elem, filters, h, w) &&
           set_dims(node, diag, P_WEIGHT, 4, weight) && set_dims(node, diag, P_BIAS, 1, &filters) &&
           check_residual(node, diag);
}

/* Pixels of a result of `n`, from `first` on, `step` apart. */
static int pixels_from(int n, int first, int step)
{
    return n > first ? (n - first - 1) / step + 1 : 0;
}

bool shape_INTERLEAVE(Node *node, Diag *diag)
{
    const Attrs *a = &node->attrs;
    const int down = a->stride[0] < a->size[0] ? a->stride[0] : a->size[0];
    const int across = a->stride[1] < a->size[1] ? a->stride[1] : a->size[1];
    bool good = node->n_in == down * across;
    for (int i = 0; i < node->n_in && good; i++) {
        const Type t = node->in[i]->type;
        good = t.c == node->in[0]->type.c && t.n == node->in[0]->type.n &&
               t.h >= pixels_from(a->size[0], i / across, a->stride[0]) &&
               t.w >= pixels_from(a->size[1], i % across, a->stride[1]);
    }
    if (good)
        return set_result(node, diag, ELEM_F32, node->in[0]->type.c, a->size[0], a->size[1]);
    diag_error(diag, node_loc(node), "'interleave' has not the operands that its size needs");
    return false;
}
