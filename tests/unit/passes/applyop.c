/* applyop.c: see applyop.h. */
#include "passes/applyop.h"

#include <math.h>

/* The attributes of operators that give pixels other places. */
static void set_places(Op op, int row, Attrs *a)
{
    static const double scales[] = {1.5, 2}, sizes[] = {1, 2, 1};
    const bool sized = row % 2;
    a->padding_mode =
        op == OP_CONV || op == OP_PAD || op == OP_BLURPOOL ? (PaddingMode)(row % 5) : PADDING_ZEROS;
    a->ceil_mode = row % 4 > 1;
    a->divisor = row == 7 ? 5 : 0;
    a->block = 2;
    a->depth_order = row % 2 ? DEPTH_CRD : DEPTH_DCR;
    a->resize_mode = row % 4 < 2 ? RESIZE_BILINEAR : RESIZE_NEAREST;
    a->corners = (Corners)(row / 2 % 4);
    for (int i = 0; i < 2; i++) {
        a->output_padding[i] = op == OP_CONV_TRANSPOSE ? a->stride[i] - 1 : 0;
        a->size[i] = op == OP_RESIZE && sized ? 3 + 2 * row : 0;
    }
    if (op == OP_UNFLATTEN) {
        a->size[0] = sized ? 2 : 1, a->size[1] = 2;
        a->order = row / 2 % 2 ? ORDER_NHWC : ORDER_NCHW;
    }
    a->axes = (AxesOrder)(row % 5);
    if (op == OP_RESHAPE)
        a->order = row / 2 % 2 ? ORDER_NHWC : ORDER_NCHW;
    if (op == OP_RESIZE && !sized)
        a->scales = (Reals){scales, 2};
    if (op == OP_SPLIT && row % 4 == 2) {
        a->sizes = (Reals){sizes, 3};
        a->parts = 3;
    }
    if (op == OP_CROP)
        a->channel_padding[0] = a->channel_padding[1] = row % 2;
}

/* The attributes of row `row`. */
static Attrs attributes(Op op, int row)
{
    static const double factors[] = {2, -1, 0.5, 3};
    Attrs a = ir_default_attrs(op);
    const bool odd = row % 2;
    for (int i = 0; i < 2; i++) {
        a.kernel[i] = 2 + (row + i) % 2;
        a.stride[i] = 1 + (row / 2 + i) % 2;
        a.dilation[i] = op == OP_CONV || op == OP_CONV_TRANSPOSE ? 1 + (row / 4 + i) % 2 : 1;
        a.channel_padding[i] = row + i;
        a.scale_by[i] = 1 + (row + i) % 3;
    }
    for (int i = 0; i < 4; i++)
        a.padding[i] = op == OP_ZEROPAD || op == OP_PAD ? (row + i) % 3 : (row / 2 + i) % 2;
    a.groups = odd ? 4 : 1;
    a.filters = 8;
    a.bias = !odd;
    a.parts = 4;
    a.count_padding = odd;
    a.order = odd ? ORDER_NHWC : ORDER_NCHW;
    a.scale = 0.5;
    a.alpha = odd || op == OP_HARD_SIGMOID ? 0.2 : -0.3;
    a.beta = row < 4 ? 0.5 : INFINITY;
    if (op == OP_HARD_SIGMOID)
        a.beta = 0.4;
    a.shared = row % 4 == 1;
    a.gain = op != OP_SCALE || a.bias == 0 || row < 4;
    if (op == OP_GROUP_NORM || op == OP_INSTANCE_NORM || op == OP_LAYER_NORM || op == OP_L2_NORM) {
        a.groups = odd ? 2 : 1;
        a.over = row / 2 % 2 ? OVER_IMAGE : OVER_CHANNELS;
        a.epsilon = op == OP_L2_NORM && row < 4 ? 0.9 : 0.1;
        a.centre = row != 5;
    }
    if (op == OP_SOFTMAX || op == OP_LOG_SOFTMAX || op == OP_REDUCE)
        a.over = (Over)(row % 5);
    a.reduction = (Reduction)(row % 3);
    if (op == OP_BN)
        a.gain = row < 4, a.centre = !odd;
    if (op == OP_AFFINE)
        a.factor = (Reals){factors, odd ? 4 : 1};
    set_places(op, row, &a);
    return a;
}

Node *apply_op(NetTest *t, Op op, int row, Node *x)
{
    Attrs a = attributes(op, row);
    const bool odd = row % 2;
    Node *in[] = {x, netgen_conv(t, x, x->type.c, 1, 1), netgen_conv(t, x, 1, 1, 1)};
    int n_in = op_row(op)->least == 2 ? 2 + odd : 1;
    if (op == OP_DENSE || op == OP_UNFLATTEN)
        in[0] = netgen_op(t, OP_FLATTEN, x);
    if (op == OP_RESHAPE) {
        a.filters = odd ? x->type.h : x->type.c * x->type.h;
        a.size[0] = odd ? x->type.c : 1, a.size[1] = x->type.w;
    }
    if (op == OP_SPACE_TO_DEPTH) {
        Attrs up = ir_default_attrs(OP_UPSAMPLE);
        up.scale_by[0] = up.scale_by[1] = 2;
        in[0] = netgen_add(t, OP_UPSAMPLE, &x, 1, up);
    }
    if (op == OP_DIV) /* away from zero */
        in[1] = netgen_op(t, OP_SOFTPLUS, in[1]);
    if (op == OP_SUB || op == OP_DIV)
        n_in = 2;
    if (op == OP_ADD || op == OP_MUL || op == OP_SUB || op == OP_CONCAT) {
        Attrs pool = ir_default_attrs(OP_AVGPOOL);
        pool.kernel[0] = x->type.h;
        pool.kernel[1] = x->type.w;
        pool.stride[0] = pool.stride[1] = 1;
        if (op != OP_CONCAT && row >= 2) /* spread over pixels, or over everything */
            in[row >= 4] = netgen_add(t, OP_AVGPOOL, &in[row >= 6 ? 2 : 1], 1, pool);
        if (row == 3) /* twice the same */
            in[2] = in[1];
    }
    Node *y[4] = {netgen_add(t, op, in, n_in, a)};
    if (op != OP_SPLIT)
        return y[0];
    for (a.result = 1; a.result < a.parts; a.result++)
        y[a.result] = netgen_add(t, op, in, n_in, a);
    if (a.sizes.n > 1) /* parts of other sizes */
        return netgen_add(t, OP_CONCAT, y + 1, 2, ir_default_attrs(OP_CONCAT));
    return netgen_add(t, OP_MUL, y, odd ? 4 : 3, ir_default_attrs(OP_MUL)); /* or not the last */
}
