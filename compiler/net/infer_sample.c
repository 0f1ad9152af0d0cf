/* infer_sample.c: the shape rules of operators that give pixels other places. */
#include "net/infer_parts.h"

#include "net/sample.h"

bool check_padding_mode(const Node *node, Diag *diag)
{
    const Attrs *a = &node->attrs;
    const Type t = node->in[0]->type;
    for (int i = 0; i < 4; i++) {
        const int n = i % 2 ? t.w : t.h;
        if (padding_fits(a->padding_mode, a->padding[i], n))
            continue;
        static const char *const sides[] = {"above", "left", "below", "right"};
        diag_error(diag, node_loc(node), "'%s' has not enough pixels for a padding of %d %s",
                   op_row(node->op)->name, a->padding[i], sides[i]);
        diag_note(diag, node_loc(node), "an image of %d can be padded by up to %d there", n,
                  a->padding_mode == PADDING_REFLECT ? n - 1 : n);
        note_operand(diag, node->in[0], "");
        diag_note_callers(diag, node->place);
        return false;
    }
    return true;
}

/* The extents with padding. */
static bool set_padded(Node *node, Diag *diag, int c)
{
    const Type t = node->in[0]->type;
    const int *p = node->attrs.padding;
    return set_result(node, diag, t.elem, c, (int64_t)t.h + p[0] + p[2],
                      (int64_t)t.w + p[1] + p[3]);
}

bool shape_PAD(Node *node, Diag *diag)
{
    return check_padding_mode(node, diag) && set_padded(node, diag, node->in[0]->type.c);
}

bool shape_CROP(Node *node, Diag *diag)
{
    const Attrs *a = &node->attrs;
    const Type in = node->in[0]->type;
    const int64_t h = (int64_t)in.h - a->padding[0] - a->padding[2];
    const int64_t w = (int64_t)in.w - a->padding[1] - a->padding[3];
    const int64_t c = (int64_t)in.c - a->channel_padding[0] - a->channel_padding[1];
    if (h >= 1 && w >= 1 && c >= 1)
        return set_result(node, diag, in.elem, c, h, w);
    diag_error(diag, node_loc(node), "'crop' would leave nothing");
    note_operand(diag, node->in[0], "");
    diag_note_callers(diag, node->place);
    return false;
}

static bool refuse_size(const Node *node, Diag *diag, const char *wrong, const char *way_out)
{
    diag_error(diag, node_loc(node), "%s", wrong);
    diag_note(diag, node_loc(node), "%s", way_out);
    note_operand(diag, node->in[0], "");
    diag_note_callers(diag, node->place);
    return false;
}

bool shape_RESIZE(Node *node, Diag *diag)
{
    const Attrs *a = &node->attrs;
    const Type t = node->in[0]->type;
    const int64_t h = resize_extent(a, 0, t.h), w = resize_extent(a, 1, t.w);
    const bool scaled = a->scales.n > 1 || a->scales.at[0] > 0;
    if (a->scales.n > 2)
        return refuse_size(node, diag, "'scale' of 'resize' takes one number or two",
                           "two are those of height and width");
    if ((a->size[0] > 0) == scaled || (a->size[0] > 0) != (a->size[1] > 0))
        return refuse_size(node, diag, "'resize' takes either a size or a scale",
                           "`resize (56, 56) mode=bilinear`, `resize scale=2 mode=bilinear`");
    if (h < 1 || w < 1)
        return refuse_size(node, diag, "'resize' would leave nothing",
                           "a larger scale leaves more");
    if (h > RESIZE_MOST || w > RESIZE_MOST || t.h > RESIZE_MOST || t.w > RESIZE_MOST)
        return refuse_size(
            node, diag, "the image is too large for 'resize'",
            "operand and result have up to 1048576 rows, and as many pixels in each");
    return set_result(node, diag, t.elem, t.c, h, w);
}

bool shape_DEPTH_TO_SPACE(Node *node, Diag *diag)
{
    const Type t = node->in[0]->type;
    const int block = node->attrs.block, each = block * block;
    if (t.c % each == 0)
        return set_result(node, diag, t.elem, t.c / each, (int64_t)t.h * block,
                          (int64_t)t.w * block);
    diag_error(diag, node_loc(node), "%d channels are not %d pixels of as many channels each", t.c,
               each);
    note_operand(diag, node->in[0], "");
    diag_note_callers(diag, node->place);
    return false;
}

bool shape_SPACE_TO_DEPTH(Node *node, Diag *diag)
{
    const Type t = node->in[0]->type;
    const int block = node->attrs.block;
    if (t.h % block == 0 && t.w % block == 0)
        return set_result(node, diag, t.elem, (int64_t)t.c * block * block, t.h / block,
                          t.w / block);
    diag_error(diag, node_loc(node), "%d x %d pixels are not blocks of %d x %d", t.h, t.w, block,
               block);
    note_operand(diag, node->in[0], "");
    diag_note_callers(diag, node->place);
    return false;
}

bool shape_CHANNEL_SHUFFLE(Node *node, Diag *diag)
{
    const Type t = node->in[0]->type;
    if (t.c % node->attrs.groups == 0)
        return set_result(node, diag, t.elem, t.c, t.h, t.w);
    diag_error(diag, node_loc(node), "%d channels are not %d equal groups", t.c,
               node->attrs.groups);
    note_operand(diag, node->in[0], "");
    diag_note_callers(diag, node->place);
    return false;
}

bool shape_UNFLATTEN(Node *node, Diag *diag)
{
    const Type t = node->in[0]->type;
    const int *size = node->attrs.size;
    const int64_t pixels = mul_extents(size[0], size[1]);
    if (t.h == 1 && t.w == 1 && t.c % pixels == 0)
        return set_result(node, diag, t.elem, t.c / pixels, size[0], size[1]);
    if (t.h != 1 || t.w != 1)
        diag_error(diag, node_loc(node), "'unflatten' takes a vector, this has %d x %d pixels", t.h,
                   t.w);
    else
        diag_error(diag, node_loc(node), "%d numbers are not channels of %d x %d pixels each", t.c,
                   size[0], size[1]);
    note_operand(diag, node->in[0],
                 t.h != 1 || t.w != 1 ? "; `flatten` before it makes a vector of it" : "");
    diag_note_callers(diag, node->place);
    return false;
}

bool shape_RESHAPE(Node *node, Diag *diag)
{
    const Type t = node->in[0]->type;
    const Attrs *a = &node->attrs;
    const int64_t all = mul_extents(mul_extents(t.h, t.w), t.c);
    const int64_t pixels = mul_extents(a->size[0], a->size[1]);
    if (mul_extents(pixels, a->filters) == all)
        return set_result(node, diag, t.elem, a->filters, a->size[0], a->size[1]);
    diag_error(diag, node_loc(node), "%lld numbers are not %d channels of %d x %d pixels",
               (long long)all, a->filters, a->size[0], a->size[1]);
    note_operand(diag, node->in[0], "");
    if (all % pixels == 0)
        diag_note(diag, node_loc(node), "with %lld channels they are: `reshape %lld (%d, %d)`",
                  (long long)(all / pixels), (long long)(all / pixels), a->size[0], a->size[1]);
    else if (all % a->filters == 0)
        diag_note(diag, node_loc(node), "%d channels have %lld pixels each", a->filters,
                  (long long)(all / a->filters));
    diag_note_callers(diag, node->place);
    return false;
}

bool shape_TRANSPOSE(Node *node, Diag *diag)
{
    const Type t = node->in[0]->type;
    const int extents[] = {t.c, t.h, t.w};
    int from[3];
    transposed_axes(node->attrs.axes, from);
    return set_result(node, diag, t.elem, extents[from[0]], extents[from[1]], extents[from[2]]);
}

/* ---- backward ---- */

bool shape_PAD_BACKWARD(Node *node, Diag *diag)
{
    const int *p = node->attrs.padding;
    const Type dy = node->in[0]->type;
    const int64_t h = (int64_t)dy.h - p[0] - p[2], w = (int64_t)dy.w - p[1] - p[3];
    bool good = h >= 1 && w >= 1;
    for (int i = 0; i < 4 && good; i++)
        good = padding_fits(node->attrs.padding_mode, p[i], (int)(i % 2 ? w : h));
    if (good)
        return set_result(node, diag, dy.elem, dy.c, h, w);
    diag_error(diag, node_loc(node), "'pad_backward' has no such operand");
    note_operand(diag, node->in[0], "");
    return false;
}

/* Whether an operand with the size in the attributes would give the type of dy. */
static bool came_from(Node *node, Diag *diag, int h, int w)
{
    const Type dy = node->in[0]->type;
    if (dy.h == h && dy.w == w)
        return set_result(node, diag, dy.elem, dy.c, node->attrs.size[0], node->attrs.size[1]);
    diag_error(diag, node_loc(node), "the operand of '%s' must be %d x %d", op_row(node->op)->name,
               h, w);
    note_operand(diag, node->in[0], "");
    return false;
}

bool shape_RESIZE_BACKWARD(Node *node, Diag *diag)
{
    const Attrs *a = &node->attrs;
    const Type dy = node->in[0]->type;
    const bool scaled = a->scales.n <= 2 && a->scales.at[0] > 0;
    Attrs forward = *a;
    forward.size[0] = forward.size[1] = 0;
    const bool small = a->size[0] <= RESIZE_MOST && a->size[1] <= RESIZE_MOST;
    return came_from(node, diag,
                     scaled && small ? (int)resize_extent(&forward, 0, a->size[0])
                     : small         ? dy.h
                                     : 0,
                     scaled && small ? (int)resize_extent(&forward, 1, a->size[1]) : dy.w);
}

bool shape_BLURPOOL_BACKWARD(Node *node, Diag *diag)
{
    const Attrs *a = &node->attrs;
    const int *p = a->padding;
    for (int i = 0; i < 4; i++) {
        if (!padding_fits(a->padding_mode, p[i], a->size[i % 2]))
            return came_from(node, diag, 0, 0);
    }
    return came_from(node, diag,
                     infer_window(a->size[0], a->kernel[0], a->stride[0], 1, p[0], p[2]),
                     infer_window(a->size[1], a->kernel[1], a->stride[1], 1, p[1], p[3]));
}
