/* netgen_places.c: random operators that give pixels or channels other places. */
#include "netgen_parts.h"

/* Attributes of an operator that gives pixels or channels other places; false if `in` has not the
 * channels or pixels for it. */
static bool draw_places(NetTest *t, Op op, const Node *in, Attrs *a)
{
    static const double scales[] = {0.5, 1.5, 2};
    const Type type = in->type;
    const int most = type.h < type.w ? type.h : type.w;
    a->padding_mode = (PaddingMode)netgen_int(t, 0, 4);
    a->block = 2;
    a->depth_order = (DepthOrder)netgen_int(t, 0, 1);
    a->resize_mode = (ResizeMode)netgen_int(t, 0, 1);
    a->corners = (Corners)netgen_int(t, 0, 3);
    a->groups = op == OP_CHANNEL_SHUFFLE ? netgen_divisor(t, type.c, type.c) : 1;
    if (op == OP_RESIZE && netgen_int(t, 0, 1))
        a->scales = (Reals){&scales[netgen_int(t, 0, 2)], 1};
    for (int i = 0; i < 2; i++) {
        a->size[i] = op == OP_RESIZE && a->scales.at[0] <= 0 ? netgen_int(t, 1, 8) : 0;
        if (op == OP_BLURPOOL)
            a->kernel[i] = netgen_int(t, 1, 3), a->stride[i] = netgen_int(t, 1, 2);
        if (op == OP_CROP)
            a->channel_padding[i] = netgen_int(t, 0, 1);
    }
    for (int i = 0; i < 4; i++)
        a->padding[i] = op == OP_RESIZE ? 0 : netgen_int(t, 0, op == OP_CROP ? 1 : 2);
    if (op == OP_DEPTH_TO_SPACE)
        return type.c % 4 == 0;
    if (op == OP_SPACE_TO_DEPTH)
        return type.h % 2 == 0 && type.w % 2 == 0;
    return op == OP_RESIZE ? most > 1 : most > 2 && (op != OP_CROP || type.c > 2);
}

Node *netgen_places(NetTest *t, Node *in)
{
    static const Op ops[] = {OP_PAD,
                             OP_RESIZE,
                             OP_BLURPOOL,
                             OP_CROP,
                             OP_RESHAPE,
                             OP_UNFLATTEN,
                             OP_DEPTH_TO_SPACE,
                             OP_SPACE_TO_DEPTH,
                             OP_CHANNEL_SHUFFLE,
                             OP_TRANSPOSE};
    const Op op = ops[netgen_int(t, 0, 9)];
    Attrs a = ir_default_attrs(op);
    a.axes = (AxesOrder)netgen_int(t, AXES_CWH, AXES_WHC);
    if (op == OP_RESHAPE) { /* channels and rows exchange their numbers */
        a.order = (Order)netgen_int(t, 0, 1);
        a.filters = in->type.h;
        a.size[0] = in->type.c, a.size[1] = in->type.w;
    }
    if (op == OP_RESHAPE || op == OP_TRANSPOSE)
        return netgen_add(t, op, &in, 1, a);
    if (op ==
        OP_UNFLATTEN) { /* a vector of the image, as an image that is wide where it was high */
        Attrs flat = ir_default_attrs(OP_FLATTEN);
        flat.order = (Order)netgen_int(t, 0, 1);
        a.order = (Order)netgen_int(t, 0, 1);
        a.size[0] = in->type.w, a.size[1] = in->type.h;
        in = netgen_add(t, OP_FLATTEN, &in, 1, flat);
        return netgen_add(t, op, &in, 1, a);
    }
    return draw_places(t, op, in, &a) ? netgen_add(t, op, &in, 1, a) : NULL;
}

Node *netgen_transpose(NetTest *t, Node *in)
{
    Attrs a = ir_default_attrs(OP_CONV_TRANSPOSE);
    a.filters = netgen_int(t, 0, 1) ? in->type.c : netgen_int(t, 1, 4);
    a.groups = netgen_divisor(t, in->type.c, a.filters);
    a.bias = netgen_int(t, 0, 1);
    for (int i = 0; i < 2; i++) {
        a.kernel[i] = netgen_int(t, 1, 3);
        a.stride[i] = netgen_int(t, 1, 2);
        a.dilation[i] = netgen_int(t, 0, 3) ? 1 : 2;
        a.output_padding[i] = netgen_int(t, 0, a.stride[i] - 1);
    }
    for (int i = 0; i < 4; i++)
        a.padding[i] = netgen_int(t, 0, 1);
    return netgen_add(t, OP_CONV_TRANSPOSE, &in, 1, a);
}
