/* expand.c: operators that are another operator in another form become that one, so that kernels
 * and passes know fewer of them:
 *
 *   - a convolution that pads with pixels of the image, pad and a convolution without padding
 *   - blurpool, pad and a depthwise convolution by the filter
 *   - pad with zeros, zeropad
 *   - resize to the nearest pixel by whole numbers, upsample
 *   - reshape, flatten and unflatten
 *
 * All of this is always legal.  The node keeps its name and computes the same value; a pad or a
 * flatten before it computes no original one. */
#include "passes/pass.h"

#include "net/infer.h"
#include "net/sample.h"

#include <string.h>

typedef VEC(Node *) Nodes;

/* Puts a pad before the node, which then has no padding of its own. */
static void pad_before(const Net *net, Node *node, Nodes *nodes)
{
    Diag quiet = diag_new(NULL, net->arena);
    Attrs attrs = ir_default_attrs(OP_PAD);
    memcpy(attrs.padding, node->attrs.padding, sizeof attrs.padding);
    attrs.padding_mode = node->attrs.padding_mode;
    Node *pad = ir_node(net->arena, OP_PAD, node->in, 1, &attrs,
                        arena_printf(net->arena, "%s.pad", node->name), node->place);
    infer_node(pad, &quiet);
    VEC_PUSH(net->arena, nodes, pad);
    node->in[0] = pad;
    memset(node->attrs.padding, 0, sizeof node->attrs.padding);
    node->attrs.padding_mode = PADDING_ZEROS;
}

static bool pads_with_pixels(const Node *node)
{
    const int *p = node->attrs.padding;
    return node->attrs.padding_mode != PADDING_ZEROS && (p[0] || p[1] || p[2] || p[3]);
}

/* The filter is a parameter that no file gives. */
static void blur_as_conv(const Net *net, Node *node)
{
    Diag quiet = diag_new(NULL, net->arena);
    const Attrs *a = &node->attrs;
    const int channels = node->type.c;
    Attrs attrs = ir_default_attrs(OP_CONV);
    memcpy(attrs.kernel, a->kernel, sizeof attrs.kernel);
    memcpy(attrs.stride, a->stride, sizeof attrs.stride);
    memcpy(attrs.padding, a->padding, sizeof attrs.padding);
    attrs.filters = attrs.groups = channels;
    Node *conv = ir_node(net->arena, OP_CONV, node->in, 1, &attrs, node->name, node->place);
    infer_node(conv, &quiet);
    float *weight = NEW_ARRAY(net->arena, float, param_elements(conv->params[P_WEIGHT]));
    float *to = weight;
    for (int c = 0; c < channels; c++)
        for (int i = 0; i < a->kernel[0]; i++)
            for (int j = 0; j < a->kernel[1]; j++)
                *to++ = (float)(binomial(a->kernel[0], i) * binomial(a->kernel[1], j));
    param_set_floats(conv->params[P_WEIGHT], weight);
    conv->params[P_WEIGHT]->fixed = true;
    memcpy(node->params, conv->params, sizeof node->params);
    node->op = OP_CONV;
    node->attrs = attrs;
}

/* How many times as high (axis 0) or wide the result is, if its pixels are the operand's repeated;
 * else 0. */
static int repeats(const Node *node, int axis)
{
    const Type in = node->in[0]->type, out = node->type;
    const Scaling s = resize_scaling(&node->attrs, axis, axis ? in.w : in.h, axis ? out.w : out.h);
    const int n = axis ? in.w : in.h, by = (axis ? out.w : out.h) / n;
    for (int64_t o = 0; o < (axis ? out.w : out.h); o++) {
        if (o / by >= n || (o * s.mul + s.add) / s.div != o / by)
            return 0;
    }
    return by;
}

static void resize_as_upsample(Node *node)
{
    const Type in = node->in[0]->type, out = node->type;
    if (node->attrs.resize_mode != RESIZE_NEAREST || out.h % in.h || out.w % in.w)
        return;
    const int down = repeats(node, 0), across = repeats(node, 1);
    Attrs attrs = ir_default_attrs(OP_UPSAMPLE);
    attrs.scale_by[0] = down;
    attrs.scale_by[1] = across;
    const AttrRow *row = op_attr(OP_UPSAMPLE, "scale");
    if (!down || !across || down > row->most || across > row->most)
        return;
    node->op = OP_UPSAMPLE;
    node->attrs = attrs;
}

/* The vector of an image, as another image; one of the two steps where either is a vector. */
static void reshape_as_vector(const Net *net, Node *node, Nodes *nodes)
{
    Diag quiet = diag_new(NULL, net->arena);
    const Type in = node->in[0]->type, out = node->type;
    const Attrs *a = &node->attrs;
    const bool to_vector = out.h == 1 && out.w == 1;
    Attrs flat = ir_default_attrs(OP_FLATTEN), image = ir_default_attrs(OP_UNFLATTEN);
    flat.order = image.order = a->order;
    memcpy(image.size, a->size, sizeof image.size);
    if (!to_vector && (in.h > 1 || in.w > 1)) {
        Node *vector = ir_node(net->arena, OP_FLATTEN, node->in, 1, &flat,
                               arena_printf(net->arena, "%s.flat", node->name), node->place);
        infer_node(vector, &quiet);
        VEC_PUSH(net->arena, nodes, vector);
        node->in[0] = vector;
    }
    node->op = to_vector ? OP_FLATTEN : OP_UNFLATTEN;
    node->attrs = to_vector ? flat : image;
}

void pass_expand(Net *net)
{
    Nodes nodes = {0};
    for (int i = 0; i < net->nodes.n; i++) {
        Node *node = net->nodes.at[i];
        if ((node->op == OP_CONV || node->op == OP_BLURPOOL) && pads_with_pixels(node))
            pad_before(net, node, &nodes);
        if (node->op == OP_CONV)
            node->attrs.padding_mode = PADDING_ZEROS;
        if (node->op == OP_BLURPOOL)
            blur_as_conv(net, node);
        if (node->op == OP_PAD && node->attrs.padding_mode == PADDING_ZEROS)
            node->op = OP_ZEROPAD;
        if (node->op == OP_RESIZE)
            resize_as_upsample(node);
        if (node->op == OP_RESHAPE)
            reshape_as_vector(net, node, &nodes);
        VEC_PUSH(net->arena, &nodes, node);
    }
    net->nodes.n = 0;
    for (int i = 0; i < nodes.n; i++)
        VEC_PUSH(net->arena, &net->nodes, nodes.at[i]);
    ir_renumber(net);
}
