/* onnx_write_move.c: what only moves elements, or samples an image anew, in ONNX. */
#include "import/onnx_write_parts.h"

#include "net/sample.h"

#include <limits.h>
#include <math.h>

/* ---- channels ---- */

/* All results are given by the node of the first. */
bool out_split(OnnxOut *o, const Node *node)
{
    const int parts = op_results(node->op, &node->attrs);
    if (node->attrs.result > 0)
        return true;
    const char **out = NEW_ARRAY(o->arena, const char *, parts);
    int64_t *sizes = NEW_ARRAY(o->arena, int64_t, parts);
    for (int i = 0; i < parts; i++) {
        const Node *one = o->net->nodes.at[node->id + i];
        out[i] = out_name(o, one->name);
        sizes[i] = one->type.c;
        out_same(o, one, out[i]);
    }
    const char *in[] = {out_operand(o, node, 0),
                        out_numbers(o, out_part(o, node, "sizes"), parts, sizes)};
    out_results(o, "Split", node->name, 2, in, parts, out);
    out_int(o, "axis", 1);
    return true;
}

bool out_flatten(OnnxOut *o, const Node *node)
{
    static const int64_t perm[] = {0, 2, 3, 1};
    const char *x = out_operand(o, node, 0);
    o->row[node->id] = true;
    if (out_is_row(o, node, 0)) {
        o->values[node->id] = x;
        return true;
    }
    if (node->attrs.order == ORDER_NHWC) {
        x = out_node(o, "Transpose", out_part(o, node, "nhwc"), 1, &x);
        out_ints(o, "perm", 4, perm);
    }
    o->values[node->id] = out_node(o, "Flatten", node->name, 1, &x);
    out_int(o, "axis", 1);
    return true;
}

bool out_unflatten(OnnxOut *o, const Node *node)
{
    static const int64_t perm[] = {0, 3, 1, 2};
    const Type t = node->type;
    const bool planes = node->attrs.order == ORDER_NCHW;
    const int64_t dims[] = {0, planes ? t.c : t.h, planes ? t.h : t.w, planes ? t.w : t.c};
    const char *in[] = {out_operand(o, node, 0),
                        out_numbers(o, out_part(o, node, "dims"), 4, dims)};
    const char *x = out_node(o, "Reshape", planes ? node->name : out_part(o, node, "nhwc"), 2, in);
    if (!planes) {
        x = out_node(o, "Transpose", node->name, 1, &x);
        out_ints(o, "perm", 4, perm);
    }
    out_give_image(o, node, x);
    return true;
}

static const char *turned(OnnxOut *o, const char *name, const char *x, const int64_t perm[4])
{
    x = out_node(o, "Transpose", name, 1, &x);
    out_ints(o, "perm", 4, perm);
    return x;
}

bool out_reshape(OnnxOut *o, const Node *node)
{
    static const int64_t there[] = {0, 2, 3, 1}, back[] = {0, 3, 1, 2};
    const Type t = node->type;
    const bool planes = node->attrs.order == ORDER_NCHW;
    const int64_t dims[] = {0, planes ? t.c : t.h, planes ? t.h : t.w, planes ? t.w : t.c};
    const char *x = out_image(o, node, 0);
    if (!planes)
        x = turned(o, out_part(o, node, "nhwc"), x, there);
    const char *in[] = {x, out_numbers(o, out_part(o, node, "dims"), 4, dims)};
    x = out_node(o, "Reshape", planes ? node->name : out_part(o, node, "shaped"), 2, in);
    out_give_image(o, node, planes ? x : turned(o, node->name, x, back));
    return true;
}

bool out_transpose(OnnxOut *o, const Node *node)
{
    int from[3];
    transposed_axes(node->attrs.axes, from);
    const int64_t perm[] = {0, 1 + from[0], 1 + from[1], 1 + from[2]};
    out_give_image(o, node, turned(o, node->name, out_image(o, node, 0), perm));
    return true;
}

/* Operand 0 as other extents, with its axes in another order, as other extents again. */
static void reshuffle(OnnxOut *o, const Node *node, int rank, const int64_t *dims,
                      const int64_t *perm)
{
    const Type t = node->type;
    const int64_t image[] = {0, t.c, t.h, t.w};
    const char *shape = out_numbers(o, out_part(o, node, "parts"), rank, dims);
    const char *x =
        out_step(o, "Reshape", out_part(o, node, "apart"), out_image(o, node, 0), shape);
    x = out_node(o, "Transpose", out_part(o, node, "turned"), 1, &x);
    out_ints(o, "perm", rank, perm);
    shape = out_numbers(o, out_part(o, node, "shape"), 4, image);
    out_give_image(o, node, out_step(o, "Reshape", node->name, x, shape));
}

bool out_channel_shuffle(OnnxOut *o, const Node *node)
{
    static const int64_t perm[] = {0, 2, 1, 3, 4};
    const Type t = node->type;
    const int64_t groups = node->attrs.groups, dims[] = {0, groups, t.c / groups, t.h, t.w};
    reshuffle(o, node, 5, dims, perm);
    return true;
}

bool out_depth_to_space(OnnxOut *o, const Node *node)
{
    const char *x = out_image(o, node, 0);
    out_give_image(o, node, out_node(o, "DepthToSpace", node->name, 1, &x));
    out_int(o, "blocksize", node->attrs.block);
    out_text(o, "mode", node->attrs.depth_order == DEPTH_CRD ? "CRD" : "DCR");
    return true;
}

/* ONNX's has no order, and is what undoes DCR. */
bool out_space_to_depth(OnnxOut *o, const Node *node)
{
    static const int64_t perm[] = {0, 1, 3, 5, 2, 4};
    const Type t = node->in[0]->type;
    const int64_t b = node->attrs.block, dims[] = {0, t.c, t.h / b, b, t.w / b, b};
    if (node->attrs.depth_order == DEPTH_CRD) {
        reshuffle(o, node, 6, dims, perm);
        return true;
    }
    const char *x = out_image(o, node, 0);
    out_give_image(o, node, out_node(o, "SpaceToDepth", node->name, 1, &x));
    out_int(o, "blocksize", b);
    return true;
}

/* ---- the edges ---- */

bool out_zeropad(OnnxOut *o, const Node *node)
{
    const int *p = node->attrs.padding, *c = node->attrs.channel_padding;
    const int64_t pads[] = {0, c[0], p[0], p[1], 0, c[1], p[2], p[3]};
    const char *in[] = {out_image(o, node, 0), out_numbers(o, out_part(o, node, "pads"), 8, pads)};
    out_give_image(o, node, out_node(o, "Pad", node->name, 2, in));
    return true;
}

/* Rows and columns that are taken by their numbers: what ONNX's Pad has no mode for. */
static const char *gathered(OnnxOut *o, const Node *node, const char *name, PaddingMode mode,
                            const int padding[4])
{
    static const char *const axes[] = {"rows", "columns"};
    const Type t = node->in[0]->type;
    const int extents[] = {t.h, t.w};
    const char *x = out_image(o, node, 0);
    for (int axis = 0; axis < 2; axis++) {
        const int before = padding[axis], n = before + extents[axis] + padding[2 + axis];
        int64_t *from = NEW_ARRAY(o->arena, int64_t, n);
        for (int i = 0; i < n; i++)
            from[i] = padding_source(mode, (int64_t)i - before, extents[axis]);
        const char *index = out_numbers(o, out_part(o, node, axes[axis]), n, from);
        x = out_step(o, "Gather", axis ? name : out_part(o, node, "tall"), x, index);
        out_int(o, "axis", 2 + axis);
    }
    return x;
}

const char *out_padded(OnnxOut *o, const Node *node, const char *name, PaddingMode mode,
                       const int padding[4])
{
    static const char *const modes[] = {[PADDING_ZEROS] = "constant",
                                        [PADDING_REFLECT] = "reflect",
                                        [PADDING_REPLICATE] = "edge",
                                        [PADDING_CIRCULAR] = "wrap"};
    if (mode == PADDING_SYMMETRIC)
        return gathered(o, node, name, mode, padding);
    const int64_t pads[] = {0, 0, padding[0], padding[1], 0, 0, padding[2], padding[3]};
    const char *by = out_numbers(o, out_part(o, node, "pads"), 8, pads);
    const char *x = out_step(o, "Pad", name, out_image(o, node, 0), by);
    out_text(o, "mode", modes[mode]);
    return x;
}

bool out_pad(OnnxOut *o, const Node *node)
{
    const Attrs *a = &node->attrs;
    out_give_image(o, node, out_padded(o, node, node->name, a->padding_mode, a->padding));
    return true;
}

/* A slice of the axes 1, 2 and 3, `steps` apart. */
static void slice(OnnxOut *o, const Node *node, const int64_t begin[3], const int64_t end[3],
                  const int64_t steps[3])
{
    static const int64_t axes[] = {1, 2, 3};
    const char *in[] = {out_image(o, node, 0),
                        out_numbers(o, out_part(o, node, "starts"), 3, begin),
                        out_numbers(o, out_part(o, node, "ends"), 3, end),
                        out_numbers(o, out_part(o, node, "axes"), 3, axes),
                        out_numbers(o, out_part(o, node, "steps"), 3, steps)};
    out_give_image(o, node, out_node(o, "Slice", node->name, 5, in));
}

bool out_crop(OnnxOut *o, const Node *node)
{
    static const int64_t steps[] = {1, 1, 1};
    const int *p = node->attrs.padding, *c = node->attrs.channel_padding;
    const Type t = node->in[0]->type;
    const int64_t begin[] = {c[0], p[0], p[1]};
    const int64_t end[] = {t.c - c[1], t.h - p[2], t.w - p[3]};
    slice(o, node, begin, end, steps);
    return true;
}

/* ---- other extents ---- */

bool out_subsample(OnnxOut *o, const Node *node)
{
    static const int64_t begin[] = {0, 0, 0}, end[] = {INT_MAX, INT_MAX, INT_MAX};
    const int64_t steps[] = {1, node->attrs.stride[0], node->attrs.stride[1]};
    slice(o, node, begin, end, steps);
    return true;
}

static void write_resize(OnnxOut *o, const Node *node, int n_in, const char *const *in,
                         const char *mode, const char *corners)
{
    out_give_image(o, node, out_node(o, "Resize", node->name, n_in, in));
    out_text(o, "mode", mode);
    out_text(o, "coordinate_transformation_mode", corners);
}

static const char *scales_input(OnnxOut *o, const Node *node, double down, double across)
{
    const int64_t n = 4;
    float *scales = NEW_ARRAY(o->arena, float, 4);
    scales[0] = scales[1] = 1;
    scales[2] = (float)down;
    scales[3] = (float)across;
    return out_floats(o, out_part(o, node, "scales"), 1, &n, scales);
}

bool out_upsample(OnnxOut *o, const Node *node)
{
    const int *by = node->attrs.scale_by;
    const char *in[] = {out_image(o, node, 0), "", scales_input(o, node, by[0], by[1])};
    write_resize(o, node, 3, in, "nearest", "asymmetric");
    out_text(o, "nearest_mode", "floor");
    return true;
}

/* Whether there are scales which give the result's extents although they are floats in the file. */
static bool scales_give(const Node *node)
{
    const Reals by = node->attrs.scales;
    const Type in = node->in[0]->type, t = node->type;
    return by.at[0] > 0 && floorf((float)in.h * (float)by.at[0]) == (float)t.h &&
           floorf((float)in.w * (float)by.at[by.n - 1]) == (float)t.w;
}

bool out_resize(OnnxOut *o, const Node *node)
{
    static const char *const corners[] = {[CORNERS_HALF_PIXEL] = "half_pixel",
                                          [CORNERS_ALIGN] = "align_corners",
                                          [CORNERS_ASYMMETRIC] = "asymmetric",
                                          [CORNERS_PYTORCH_HALF_PIXEL] = "pytorch_half_pixel"};
    const Attrs *a = &node->attrs;
    const Type t = node->type;
    const int64_t sizes[] = {t.h, t.w}, axes[] = {2, 3};
    const bool nearest = a->resize_mode == RESIZE_NEAREST, scaled = scales_give(node);
    const char *in[] = {out_image(o, node, 0), "", "", ""};
    if (scaled)
        in[2] = scales_input(o, node, a->scales.at[0], a->scales.at[a->scales.n - 1]);
    else
        in[3] = out_numbers(o, out_part(o, node, "sizes"), 2, sizes);
    write_resize(o, node, scaled ? 3 : 4, in, nearest ? "nearest" : "linear", corners[a->corners]);
    if (!scaled)
        out_ints(o, "axes", 2, axes);
    if (nearest)
        out_text(o, "nearest_mode",
                 a->corners == CORNERS_ASYMMETRIC ? "floor" : "round_prefer_ceil");
    return true;
}
