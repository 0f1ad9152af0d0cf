/* onnx_write_window.c: convolutions, matrix products and pools in ONNX. */
#include "import/onnx_write_parts.h"

#include "net/sample.h"

#include <string.h>

/* The attributes of a window whose padding is these pixels. */
static void window(OnnxOut *o, const Node *node, const int padding[4])
{
    const Attrs *a = &node->attrs;
    const int64_t kernel[] = {a->kernel[0], a->kernel[1]}, stride[] = {a->stride[0], a->stride[1]};
    const int64_t pads[] = {padding[0], padding[1], padding[2], padding[3]};
    out_ints(o, "kernel_shape", 2, kernel);
    out_ints(o, "strides", 2, stride);
    out_ints(o, "pads", 4, pads);
}

static void dilations(OnnxOut *o, const Node *node)
{
    const int64_t dilation[] = {node->attrs.dilation[0], node->attrs.dilation[1]};
    out_ints(o, "dilations", 2, dilation);
    out_int(o, "group", node->attrs.groups);
}

/* Operand 0 in its padding where this is pixels of the image, of which `left` is then nothing. */
static const char *in_padding(OnnxOut *o, const Node *node, int left[4])
{
    const Attrs *a = &node->attrs;
    const bool zeros = a->padding_mode == PADDING_ZEROS;
    for (int i = 0; i < 4; i++)
        left[i] = zeros ? a->padding[i] : 0;
    return zeros ? out_image(o, node, 0)
                 : out_padded(o, node, out_part(o, node, "padded"), a->padding_mode, a->padding);
}

bool out_conv(OnnxOut *o, const Node *node)
{
    const Param *weight = node->params[P_WEIGHT], *bias = node->params[P_BIAS];
    const int64_t dims[] = {weight->dims[0], weight->dims[1], weight->dims[2], weight->dims[3]};
    int padding[4];
    const char *in[3] = {in_padding(o, node, padding)};
    if (!in[0])
        return false;
    in[1] = out_param(o, weight, 4, dims);
    if (bias)
        in[2] = out_param(o, bias, 1, dims);
    out_give_image(o, node, out_node(o, "Conv", node->name, bias ? 3 : 2, in));
    window(o, node, padding);
    dilations(o, node);
    return true;
}

bool out_conv_transpose(OnnxOut *o, const Node *node)
{
    const Param *weight = node->params[P_WEIGHT], *bias = node->params[P_BIAS];
    const int64_t dims[] = {weight->dims[0], weight->dims[1], weight->dims[2], weight->dims[3]};
    const int64_t filters = node->type.c;
    const int64_t more[] = {node->attrs.output_padding[0], node->attrs.output_padding[1]};
    const char *in[3] = {out_image(o, node, 0), out_param(o, weight, 4, dims)};
    if (bias)
        in[2] = out_param(o, bias, 1, &filters);
    out_give_image(o, node, out_node(o, "ConvTranspose", node->name, bias ? 3 : 2, in));
    window(o, node, node->attrs.padding);
    dilations(o, node);
    if (more[0] || more[1])
        out_ints(o, "output_padding", 2, more);
    return true;
}

bool out_dense(OnnxOut *o, const Node *node)
{
    const Param *weight = node->params[P_WEIGHT], *bias = node->params[P_BIAS];
    const int64_t dims[] = {weight->dims[0], weight->dims[1]};
    const char *in[3] = {out_row(o, node, 0), out_param(o, weight, 2, dims)};
    if (bias)
        in[2] = out_param(o, bias, 1, dims);
    o->values[node->id] = out_node(o, "Gemm", node->name, bias ? 3 : 2, in);
    out_int(o, "transB", 1);
    o->row[node->id] = true;
    return true;
}

/* ---- pools ---- */

/* The mean that is the sum divided by a number of its own: the mean of whole windows, in which
 * pixels beyond the image count as zeros, times their extent, over that number. */
static bool with_divisor(OnnxOut *o, const Node *node)
{
    const Attrs *a = &node->attrs;
    const Type in = node->in[0]->type;
    const int extents[] = {in.h, in.w}, results[] = {node->type.h, node->type.w};
    int padding[4];
    for (int i = 0; i < 2; i++) {
        const int reach = (results[i] - 1) * a->stride[i] + a->kernel[i];
        const int after = reach - extents[i] - a->padding[i]; /* of ceil_mode, too */
        padding[i] = a->padding[i];
        padding[2 + i] = after > a->padding[2 + i] ? after : a->padding[2 + i];
    }
    const char *x = out_image(o, node, 0);
    x = out_node(o, "AveragePool", out_part(o, node, "mean"), 1, &x);
    window(o, node, padding);
    out_int(o, "count_include_pad", 1);
    const double by = (double)a->kernel[0] * a->kernel[1] / a->divisor;
    const char *factor = out_number(o, out_part(o, node, "factor"), by);
    out_give_image(o, node, out_step(o, "Mul", node->name, x, factor));
    return true;
}

/* Whether a pool needs ONNX's ceil_mode, and its padding.  ONNX's shapes have a last window also
 * where it would begin after the image, and no program computes that one.  Where that is so, there
 * is no rounding if all windows fit without, and beside an axis that needs it the other is padded
 * to its last window. */
static bool rounds_up(const Node *node, int padding[4])
{
    const Attrs *a = &node->attrs;
    const Type in = node->in[0]->type;
    const int extents[] = {in.h, in.w}, results[] = {node->type.h, node->type.w};
    int least[2];
    bool fits[2], same = true;
    memcpy(padding, a->padding, sizeof a->padding);
    for (int i = 0; i < 2; i++) {
        const int room = extents[i] + padding[i];
        const int reach = (results[i] - 1) * a->stride[i] + a->kernel[i];
        const int last = room + padding[2 + i] - a->kernel[i] + a->stride[i] - 1;
        same = same && last / a->stride[i] + 1 == results[i];
        fits[i] = (room + padding[2 + i] - a->kernel[i]) / a->stride[i] + 1 == results[i];
        least[i] = reach > room ? reach - room : 0;
    }
    if (!a->ceil_mode || same)
        return a->ceil_mode;
    for (int i = 0; i < 2; i++) {
        if (fits[i] && !fits[1 - i])
            padding[2 + i] = least[i];
    }
    return !fits[0] || !fits[1];
}

bool out_pool(OnnxOut *o, const Node *node)
{
    const Attrs *a = &node->attrs;
    const Type in = node->in[0]->type;
    const bool max = node->op == OP_MAXPOOL;
    int p[4];
    const bool up = rounds_up(node, p);
    if (!max && a->divisor)
        return with_divisor(o, node);
    const char *x = out_image(o, node, 0);
    if (a->kernel[0] == in.h && a->kernel[1] == in.w && !p[0] && !p[1] && !p[2] && !p[3]) {
        const char *global = max ? "GlobalMaxPool" : "GlobalAveragePool";
        out_give_image(o, node, out_node(o, global, node->name, 1, &x));
        return true;
    }
    out_give_image(o, node, out_node(o, max ? "MaxPool" : "AveragePool", node->name, 1, &x));
    window(o, node, p);
    if (up)
        out_int(o, "ceil_mode", 1);
    if (!max)
        out_int(o, "count_include_pad", a->count_padding);
    return true;
}

/* A convolution of each channel with the filter. */
bool out_blurpool(OnnxOut *o, const Node *node)
{
    const Attrs *a = &node->attrs;
    const int64_t c = node->type.c, dims[] = {c, 1, a->kernel[0], a->kernel[1]}, ones[] = {1, 1};
    const int64_t area = (int64_t)a->kernel[0] * a->kernel[1];
    float *filter = NEW_ARRAY(o->arena, float, c *area);
    for (int64_t i = 0; i < c * area; i++)
        filter[i] = (float)(binomial(a->kernel[0], (int)(i % area / a->kernel[1])) *
                            binomial(a->kernel[1], (int)(i % a->kernel[1])));
    int padding[4];
    const char *in[2] = {in_padding(o, node, padding)};
    if (!in[0])
        return false;
    in[1] = out_floats(o, out_part(o, node, "filter"), 4, dims, filter);
    out_give_image(o, node, out_node(o, "Conv", node->name, 2, in));
    window(o, node, padding);
    out_ints(o, "dilations", 2, ones);
    out_int(o, "group", c);
    return true;
}
