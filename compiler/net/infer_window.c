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

static int dilation_of(const Node *node, int axis)
{
    return node->op == OP_CONV ? node->attrs.dilation[axis] : 1;
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
    if (!set_window_result(node, diag, node->in[0]->type.c))
        return false;
    const Attrs *a = &node->attrs;
    Type in = node->in[0]->type, out = node->type;
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
    diag_error(diag, node_loc(node), "'conv' cannot share %d %s out to %d groups", n, what, groups);
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
    return set_window_result(node, diag, a->filters) && set_dims(node, diag, P_WEIGHT, 4, weight) &&
           set_dims(node, diag, P_BIAS, 1, &filters) && check_residual(node, diag);
}
