/* phases.c: a transposed convolution becomes one convolution of stride 1 for each position in its
 * stride, and their pixels take turns.
 *
 * Row y of the result is the sum of tap k times row (y + padding - k * dilation) / stride of the
 * operand, over the taps for which that is a whole number.  Rows y = q * stride + r of one phase r
 * all have the same taps, each at a fixed distance from q: they are a convolution, in which later
 * taps come first.  With g the greatest common divisor of stride and dilation, its taps are
 * stride / g apart in the filter and dilation / g apart in the operand.  Columns likewise.
 *
 * This is always legal.  It computes what the definition computes, without the products with zeros
 * of other methods.  An activation moves to the phases.  What the last node, `interleave`, computes
 * is the value of the original one; the others compute no original value.  With a stride of 1 there
 * is one convolution, and nothing to interleave.
 *
 * Where the stride is larger than the window, there are phases without taps, and the padding may
 * leave of a small operand's result what no tap reaches: there the convolution has a zero for a
 * tap, and sees only padding. */
#include "passes/pass.h"

#include "net/infer.h"

#include <string.h>

typedef VEC(Node *) Nodes;

/* One axis of a phase: n taps, first, first + step, ... of the filter in the order of the operand's
 * rows (`step` is negative), `dilation` apart there; `before` rows before the operand and `after`
 * it, negative where rows of it are not used; `out` rows. */
typedef struct Phase {
    int n, first, step, dilation, before, after, out;
} Phase;

static int common_divisor(int a, int b)
{
    return b ? common_divisor(b, a % b) : a;
}

/* An axis of a phase that sees none of the operand's `in` rows: a row of the operand is left, far
 * enough from the `out` rows that are used. */
static Phase empty_phase(int in, int out)
{
    enum { MOST = 1024 }; /* what padding and crop take */
    Phase p = {.out = out, .before = out < MOST ? out : MOST};
    p.after = out - p.before - in;
    if (p.after < 0)
        p.after = in - 1 < MOST ? 1 - in : -MOST;
    return p;
}

static Phase phase_of(const Node *node, int axis, int r)
{
    const Attrs *a = &node->attrs;
    const int stride = a->stride[axis], dilation = a->dilation[axis], pad = a->padding[axis];
    const int in = axis ? node->in[0]->type.w : node->in[0]->type.h;
    const int extent = axis ? node->type.w : node->type.h;
    const int g = common_divisor(stride, dilation);
    Phase p = {.step = -(stride / g), .dilation = dilation / g};
    p.out = (extent - r - 1) / stride + 1;
    for (int k = 0; k < a->kernel[axis]; k++) {
        if ((r + pad - k * dilation) % stride != 0)
            continue;
        p.first = k; /* the last that there is comes first */
        p.n++;
    }
    const int from = (r + pad - p.first * dilation) / stride; /* what row 0 of the phase reads */
    const int to = p.out - 1 + from + (p.n - 1) * p.dilation; /* the last that the last row reads */
    if (p.n == 0 || from >= in || to < 0)
        return empty_phase(in, p.out);
    p.before = -from;
    p.after = to - (in - 1);
    return p;
}

/* [filters][channels / groups][rows][pixels] of a phase from [channels][filters / groups]
 * [kernel height][kernel width] of the node. */
static float *phase_weights(const Net *net, const Node *node, const Phase p[2], const float *from)
{
    const int *dims = node->params[P_WEIGHT]->dims, groups = node->attrs.groups;
    const int in = dims[0] / groups, out = dims[1];
    const int rows = p[0].n ? p[0].n : 1, pixels = p[1].n ? p[1].n : 1;
    float *weights = NEW_ARRAY(net->arena, float, (int64_t)groups *out *in *rows *pixels);
    float *to = weights;
    for (int f = 0; f < groups * out; f++)
        for (int c = 0; c < in; c++)
            for (int i = 0; i < rows; i++)
                for (int j = 0; j < pixels; j++, to++) {
                    const int64_t filter = (int64_t)(f / out * in + c) * out + f % out;
                    const int row = p[0].first + i * p[0].step;
                    const int pixel = p[1].first + j * p[1].step;
                    if (p[0].n && p[1].n)
                        *to = from[(filter * dims[2] + row) * dims[3] + pixel];
                }
    return weights;
}

/* Appends a node that computes no original value. */
static Node *append(const Net *net, Node *of, const char *what, Op op, Node *in, const Attrs *attrs,
                    Nodes *nodes)
{
    Diag quiet = diag_new(NULL, net->arena);
    Node *made = ir_node(net->arena, op, &in, 1, attrs,
                         arena_printf(net->arena, "%s.%s", of->name, what), of->place);
    infer_node(made, &quiet);
    VEC_PUSH(net->arena, nodes, made);
    return made;
}

static int at_least(int n)
{
    return n > 0 ? n : 0;
}

static Node *add_phase(const Net *net, Node *node, const Phase p[2], int number, Nodes *nodes)
{
    Attrs crop = ir_default_attrs(OP_CROP), attrs = ir_default_attrs(OP_CONV);
    bool crops = false;
    for (int i = 0; i < 2; i++) {
        attrs.kernel[i] = p[i].n ? p[i].n : 1;
        attrs.dilation[i] = p[i].n ? p[i].dilation : 1;
        attrs.padding[i] = at_least(p[i].before);
        attrs.padding[i + 2] = at_least(p[i].after);
        crop.padding[i] = at_least(-p[i].before);
        crop.padding[i + 2] = at_least(-p[i].after);
        crops = crops || crop.padding[i] || crop.padding[i + 2];
    }
    attrs.filters = node->attrs.filters;
    attrs.groups = node->attrs.groups;
    attrs.bias = node->attrs.bias;
    Node *in = node->in[0];
    if (crops)
        in = append(net, node, arena_printf(net->arena, "crop%d", number), OP_CROP, in, &crop,
                    nodes);
    Node *conv =
        append(net, node, arena_printf(net->arena, "phase%d", number), OP_CONV, in, &attrs, nodes);
    conv->act = node->act;
    conv->act_alpha = node->act_alpha;
    conv->act_beta = node->act_beta;
    if (param_floats(node->params[P_WEIGHT]))
        param_set_floats(conv->params[P_WEIGHT],
                         phase_weights(net, node, p, param_floats(node->params[P_WEIGHT])));
    if (node->params[P_BIAS])
        conv->params[P_BIAS] = node->params[P_BIAS];
    conv->params[P_SLOPE] = node->params[P_SLOPE];
    return conv;
}

/* Makes `node` the interleave of its phases, or the only one. */
static void split(const Net *net, Node *node, Nodes *nodes)
{
    Diag quiet = diag_new(NULL, net->arena);
    const int *stride = node->attrs.stride;
    const int down = stride[0] < node->type.h ? stride[0] : node->type.h;
    const int across = stride[1] < node->type.w ? stride[1] : node->type.w;
    Node **in = NEW_ARRAY(net->arena, Node *, down * across);
    for (int i = 0; i < down * across; i++) {
        const Phase p[2] = {phase_of(node, 0, i / across), phase_of(node, 1, i % across)};
        in[i] = add_phase(net, node, p, i, nodes);
    }
    if (down * across == 1 && type_eq(in[0]->type, node->type)) { /* a convolution as it is */
        const Node *only = in[0];
        node->op = OP_CONV;
        node->attrs = only->attrs;
        node->in = only->in;
        memcpy(node->params, only->params, sizeof node->params);
        nodes->n--;
        return;
    }
    Attrs attrs = ir_default_attrs(OP_INTERLEAVE);
    memcpy(attrs.stride, stride, sizeof attrs.stride);
    attrs.size[0] = node->type.h;
    attrs.size[1] = node->type.w;
    node->op = OP_INTERLEAVE;
    node->attrs = attrs;
    node->in = in;
    node->n_in = down * across;
    node->act = ACT_NONE;
    node->act_alpha = node->act_beta = 0;
    memset(node->params, 0, sizeof node->params);
    infer_node(node, &quiet);
}

void pass_phases(Net *net)
{
    Nodes nodes = {0};
    if (net->updates.n)
        return; /* training has kernels of its own */
    for (int i = 0; i < net->nodes.n; i++) {
        Node *node = net->nodes.at[i];
        if (node->op == OP_CONV_TRANSPOSE)
            split(net, node, &nodes);
        VEC_PUSH(net->arena, &nodes, node);
    }
    net->nodes.n = 0;
    for (int i = 0; i < nodes.n; i++)
        VEC_PUSH(net->arena, &net->nodes, nodes.at[i]);
    ir_renumber(net);
}
