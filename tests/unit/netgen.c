/* netgen.c: see netgen.h. */
#include "netgen.h"

#include "netgen_parts.h"

#include <string.h>

void netgen_begin(NetTest *t, uint64_t seed)
{
    memset(t, 0, sizeof *t);
    t->arena = arena_new(&t->oom);
    t->src.arena = t->arena;
    t->diag = diag_new(&t->src, t->arena);
    t->net = ir_new(t->arena, "test");
    t->random = seed;
}

void netgen_end(NetTest *t)
{
    arena_free(t->arena);
}

/* splitmix64 (Steele, Lea and Flood, 2014) */
static uint64_t next_random(NetTest *t)
{
    uint64_t z = t->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

int netgen_int(NetTest *t, int from, int to)
{
    return from + (int)(next_random(t) % (uint64_t)(to - from + 1));
}

double netgen_real(NetTest *t, double from, double to)
{
    return from + (to - from) * (double)(next_random(t) >> 11) / 9007199254740992.0;
}

/* ---- by hand ---- */

Node *netgen_input(NetTest *t, Elem elem, int h, int w, int c)
{
    const char *name = arena_printf(t->arena, "input%d", ++t->serial);
    Node *node = ir_add_input(t->net, name, (Type){elem, t->batch ? t->batch : 1, h, w, c}, NULL);
    Port port = {.name = name, .node = node, .elem = elem};
    VEC_PUSH(t->arena, &t->net->inputs, port);
    return node;
}

Node *netgen_add(NetTest *t, Op op, Node *const *in, int n_in, Attrs attrs)
{
    const char *name = arena_printf(t->arena, "%s%d", op_row(op)->name, ++t->serial);
    return ir_add(t->net, &t->diag, op, in, n_in, &attrs, name, NULL);
}

Node *netgen_share(NetTest *t, const Node *like, Node *in)
{
    const char *name = arena_printf(t->arena, "%s%d", op_row(like->op)->name, ++t->serial);
    return ir_add_sharing(t->net, &t->diag, like->op, &in, 1, &like->attrs, name, NULL, like);
}

Node *netgen_op(NetTest *t, Op op, Node *in)
{
    return netgen_add(t, op, &in, 1, ir_default_attrs(op));
}

Node *netgen_join(NetTest *t, Op op, Node *a, Node *b)
{
    Node *in[] = {a, b};
    return netgen_add(t, op, in, 2, ir_default_attrs(op));
}

Node *netgen_conv(NetTest *t, Node *in, int filters, int kernel, int stride)
{
    Attrs a = ir_default_attrs(OP_CONV);
    a.filters = filters;
    a.kernel[0] = a.kernel[1] = kernel;
    a.stride[0] = a.stride[1] = stride;
    for (int i = 0; i < 4; i++)
        a.padding[i] = kernel / 2;
    return netgen_add(t, OP_CONV, &in, 1, a);
}

void netgen_output(NetTest *t, Node *node)
{
    Port port = {.name = arena_printf(t->arena, "output%d", ++t->serial), .node = node};
    VEC_PUSH(t->arena, &t->net->outputs, port);
}

void netgen_set(NetTest *t, Node *node, Role role, const float *data)
{
    int64_t n = param_elements(node->params[role]);
    float *copy = NEW_ARRAY(t->arena, float, n);
    memcpy(copy, data, (size_t)n * sizeof *copy);
    node->params[role]->data = copy;
}

void netgen_fill(NetTest *t)
{
    for (int i = 0; i < t->net->params.n; i++) {
        Param *param = t->net->params.at[i];
        const int64_t n = param_elements(param);
        const bool variance = param->role == P_VARIANCE;
        float *data = NEW_ARRAY(t->arena, float, n);
        for (int64_t k = 0; k < n; k++)
            data[k] = (float)(variance ? netgen_real(t, 0.5, 2) : netgen_real(t, -1, 1));
        param->data = data;
    }
}

const double **netgen_values(NetTest *t)
{
    const double **values = NEW_ARRAY(t->arena, const double *, t->net->inputs.n);
    for (int i = 0; i < t->net->inputs.n; i++) {
        const Port *port = &t->net->inputs.at[i];
        int64_t n = type_elements(port->node->type);
        double *at = NEW_ARRAY(t->arena, double, n);
        for (int64_t k = 0; k < n; k++)
            /* bytes are small, so that tanh and others do not amplify what folding rounds */
            at[k] = port->elem == ELEM_U8    ? netgen_int(t, 0, 15)
                    : port->elem == ELEM_I32 ? netgen_int(t, 0, 1)
                                             : netgen_real(t, -2, 2);
        values[i] = at;
    }
    return values;
}

/* ---- at random ---- */

/* A node to go on from: one of the last eight. */
static Node *pick(NetTest *t)
{
    int n = t->net->nodes.n, from = n > 8 ? n - 8 : 0;
    Node *node;
    do
        node = t->net->nodes.at[netgen_int(t, from, n - 1)];
    while (node->type.elem != ELEM_F32);
    return node;
}

static Node *random_activation(NetTest *t, Node *in)
{
    static const Op acts[] = {OP_RELU, OP_RELU, OP_RELU6,    OP_LEAKY_RELU,   OP_SIGMOID,
                              OP_TANH, OP_ELU,  OP_SELU,     OP_HARD_SIGMOID, OP_HARD_SWISH,
                              OP_SILU, OP_GELU, OP_SOFTPLUS, OP_MISH,         OP_CLIP};
    enum { N_ACTS = sizeof acts / sizeof *acts };
    Op op = acts[netgen_int(t, 0, N_ACTS - 1)];
    Attrs attrs = ir_default_attrs(op);
    if (op == OP_LEAKY_RELU || op == OP_ELU || op == OP_HARD_SIGMOID)
        attrs.alpha = netgen_real(t, 0.05, 0.5);
    if (op == OP_CLIP && netgen_int(t, 0, 2))
        attrs.alpha = netgen_real(t, -2, 0);
    if (op == OP_CLIP && netgen_int(t, 0, 2))
        attrs.beta = netgen_real(t, 0, 2);
    return netgen_add(t, op, &in, 1, attrs);
}

int netgen_divisor(NetTest *t, int a, int b)
{
    int d;
    do
        d = netgen_int(t, 1, a < b ? a : b);
    while (a % d || b % d);
    return d;
}

static Node *random_conv(NetTest *t, Node *in)
{
    Attrs a = ir_default_attrs(OP_CONV);
    a.filters = netgen_int(t, 1, 3) * (netgen_int(t, 0, 1) ? in->type.c : 2);
    a.filters = a.filters > 12 ? 12 : a.filters;
    a.groups = netgen_divisor(t, in->type.c, a.filters);
    a.bias = netgen_int(t, 0, 1);
    for (int i = 0; i < 2; i++) {
        a.kernel[i] = netgen_int(t, 1, 3);
        a.stride[i] = netgen_int(t, 0, 3) ? 1 : 2;
        a.dilation[i] = netgen_int(t, 0, 3) ? 1 : 2;
    }
    for (int i = 0; i < 4; i++)
        a.padding[i] = netgen_int(t, 0, 2);
    if (in->type.h > 2 && in->type.w > 2 && netgen_int(t, 0, 3) == 0)
        a.padding_mode = (PaddingMode)netgen_int(t, 0, 4);
    return netgen_add(t, OP_CONV, &in, 1, a);
}

static Attrs global_pool(Op op, Type type)
{
    Attrs a = ir_default_attrs(op);
    a.kernel[0] = type.h;
    a.kernel[1] = type.w;
    a.stride[0] = a.stride[1] = 1;
    return a;
}

static Node *random_pool(NetTest *t, Node *in)
{
    Op op = netgen_int(t, 0, 1) ? OP_MAXPOOL : OP_AVGPOOL;
    Attrs a = global_pool(op, in->type);
    if (netgen_int(t, 0, 3) == 0)
        return netgen_add(t, op, &in, 1, a);
    a.count_padding = op == OP_AVGPOOL && netgen_int(t, 0, 1);
    a.ceil_mode = netgen_int(t, 0, 1);
    for (int i = 0; i < 2; i++) {
        a.kernel[i] = netgen_int(t, 2, 3);
        a.stride[i] = netgen_int(t, 1, 2);
    }
    for (int i = 0; i < 4; i++)
        a.padding[i] = netgen_int(t, 0, 1);
    return netgen_add(t, op, &in, 1, a);
}

/* add or mul of two to five operands that fit `first`: the node itself, its
 * activation, a convolution of it, its mean, a single channel. */
static Node *random_join(NetTest *t, Node *first)
{
    Node *in[5] = {first};
    int n = netgen_int(t, 2, 5);
    for (int i = 1; i < n; i++) {
        int kind = netgen_int(t, 0, 4);
        in[i] = kind == 0   ? random_activation(t, first)
                : kind == 1 ? netgen_conv(t, first, first->type.c, 3, 1)
                : kind == 2 ? netgen_conv(t, first, 1, 1, 1)
                : kind == 3
                    ? netgen_add(t, OP_AVGPOOL, &first, 1, global_pool(OP_AVGPOOL, first->type))
                    : first;
    }
    static const Op ops[] = {OP_ADD, OP_ADD, OP_MUL, OP_MUL, OP_SUB};
    Op op = ops[netgen_int(t, 0, 4)];
    return netgen_add(t, op, in, op == OP_SUB ? 2 : n, ir_default_attrs(op));
}

static Node *maybe_bn(NetTest *t, Node *in)
{
    return netgen_int(t, 0, 1) ? netgen_op(t, OP_BN, in) : in;
}

static Node *random_block(NetTest *t, Node *x)
{
    int filters = netgen_int(t, 0, 1) ? x->type.c : netgen_int(t, 2, 8);
    int stride = netgen_int(t, 1, 2);
    bool project = filters != x->type.c || stride != 1 || netgen_int(t, 0, 3) == 0;
    bool shortcut_first = netgen_int(t, 0, 1);
    Node *shortcut = x, *main = x;
    for (int arm = 0; arm < 2; arm++) {
        if ((arm == 0) == shortcut_first) {
            shortcut = project ? maybe_bn(t, netgen_conv(t, x, filters, 1, stride)) : x;
        } else {
            main = netgen_op(t, OP_BN, netgen_conv(t, x, netgen_int(t, 1, 6), 3, stride));
            main = maybe_bn(t, netgen_conv(t, random_activation(t, main), filters, 3, 1));
        }
    }
    Node *sum = netgen_int(t, 0, 1) ? netgen_join(t, OP_ADD, main, shortcut)
                                    : netgen_join(t, OP_ADD, shortcut, main);
    return netgen_int(t, 0, 3) ? random_activation(t, sum) : sum;
}

/* An operator with numbers for each channel. */
static Node *random_channels(NetTest *t, Node *in)
{
    static const Op ops[] = {OP_PRELU,      OP_SCALE,         OP_AFFINE,     OP_BN,
                             OP_GROUP_NORM, OP_INSTANCE_NORM, OP_LAYER_NORM, OP_L2_NORM};
    static const double numbers[] = {0.5, -1.5};
    const Op op = ops[netgen_int(t, 0, 7)];
    Attrs a = ir_default_attrs(op);
    if (op >= OP_GROUP_NORM && op <= OP_L2_NORM) {
        a.groups = netgen_divisor(t, in->type.c, in->type.c);
        a.gain = netgen_int(t, 0, 1);
        a.centre = netgen_int(t, 0, 1);
        a.over = netgen_int(t, 0, 1) ? OVER_IMAGE : OVER_CHANNELS;
        a.epsilon = 1; /* so that rounding is not amplified */
        return netgen_add(t, op, &in, 1, a);
    }
    a.shared = op != OP_BN && netgen_int(t, 0, 1);
    a.bias = op == OP_SCALE && netgen_int(t, 0, 1);
    a.gain = (op == OP_SCALE && !a.bias) || (op != OP_PRELU && netgen_int(t, 0, 1));
    a.centre = op == OP_BN && netgen_int(t, 0, 1);
    if (op == OP_AFFINE) {
        a.factor = (Reals){numbers, in->type.c == 2 ? 2 : 1};
        a.addend = (Reals){numbers + 1, 1};
    }
    return netgen_add(t, op, &in, 1, a);
}

static Node *random_move(NetTest *t, Node *in)
{
    static const double mean = 0.25;
    static const Op ops[] = {OP_ZEROPAD,   OP_SUBSAMPLE,   OP_UPSAMPLE, OP_SOFTMAX,
                             OP_NORMALIZE, OP_LOG_SOFTMAX, OP_REDUCE};
    Op op = ops[netgen_int(t, 0, 6)];
    Attrs a = ir_default_attrs(op);
    a.over = (Over)netgen_int(t, OVER_CHANNELS, OVER_WIDTH);
    a.reduction = (Reduction)netgen_int(t, REDUCE_MEAN, REDUCE_SUM);
    if (op == OP_NORMALIZE)
        a.scale = 1.0 / 255, a.mean = (Reals){&mean, 1};
    for (int i = 0; i < 2; i++) {
        if (op == OP_ZEROPAD)
            a.padding[i] = a.channel_padding[i] = netgen_int(t, 0, 2);
        a.stride[i] = op == OP_SUBSAMPLE ? netgen_int(t, 1, 3) : 0;
        a.scale_by[i] = op == OP_UPSAMPLE ? netgen_int(t, 1, 2) : 0;
    }
    return netgen_add(t, op, &in, 1, a);
}

static Node *random_dense(NetTest *t, Node *in)
{
    Attrs a = ir_default_attrs(OP_FLATTEN);
    a.order = netgen_int(t, 0, 1) ? ORDER_NHWC : ORDER_NCHW;
    Node *flat = netgen_add(t, OP_FLATTEN, &in, 1, a);
    a = ir_default_attrs(OP_DENSE);
    a.filters = netgen_int(t, 1, 9);
    a.bias = netgen_int(t, 0, 1);
    return netgen_add(t, OP_DENSE, &flat, 1, a);
}

/* Parts of the channels, of which some are used later; the last of them. */
static Node *random_split(NetTest *t, Node *in)
{
    Attrs a = ir_default_attrs(OP_SPLIT);
    for (a.parts = 2; a.parts <= in->type.c && in->type.c % a.parts; a.parts++)
        ;
    if (a.parts > in->type.c)
        return NULL;
    if (netgen_int(t, 0, 1)) {
        double *sizes = NEW_ARRAY(t->arena, double, 2);
        sizes[0] = netgen_int(t, 1, in->type.c - 1);
        sizes[1] = in->type.c - sizes[0];
        a.sizes = (Reals){sizes, 2};
        a.parts = 2;
    }
    Node *last = NULL;
    for (; a.result < a.parts; a.result++)
        last = netgen_add(t, OP_SPLIT, &in, 1, a);
    return last;
}

static Node *random_state(NetTest *t, Node *in)
{
    const Op op = netgen_int(t, 0, 1) ? OP_DELAY : OP_HISTORY;
    Attrs a = ir_default_attrs(op);
    a.frames = netgen_int(t, 1, 3);
    return netgen_add(t, op, &in, 1, a);
}

/* A layer before this one and, often, its normalisation, again: on `in`, where that fits,
 * or on the same operand. */
static Node *random_twin(NetTest *t, Node *in)
{
    const Node *like = t->net->nodes.at[netgen_int(t, 0, t->net->nodes.n - 1)];
    if (like->op != OP_CONV && like->op != OP_BN && like->op != OP_DENSE)
        return NULL;
    const Type need = like->in[0]->type;
    const bool fits = in->type.c == need.c && (like->op != OP_DENSE || type_eq(in->type, need));
    Node *twin = netgen_share(t, like, fits ? in : like->in[0]);
    const Node *next = like->id + 1 < t->net->nodes.n ? t->net->nodes.at[like->id + 1] : NULL;
    if (!twin || !next || next->op != OP_BN || next->in[0] != like || netgen_int(t, 0, 3) == 0)
        return twin;
    return netgen_int(t, 0, 2) ? netgen_share(t, next, twin) : netgen_op(t, OP_BN, twin);
}

static Node *random_concat(NetTest *t, Node *in)
{
    Node *arms[3] = {in, netgen_conv(t, in, netgen_int(t, 1, 3), 3, 1), random_activation(t, in)};
    return netgen_add(t, OP_CONCAT, arms, netgen_int(t, 2, 3), ir_default_attrs(OP_CONCAT));
}

void netgen_random(NetTest *t, int nodes)
{
    Node *input = netgen_input(t, netgen_int(t, 0, 1) ? ELEM_U8 : ELEM_F32, netgen_int(t, 3, 9),
                               netgen_int(t, 3, 9), netgen_int(t, 1, 4));
    if (input->type.elem == ELEM_U8)
        netgen_op(t, OP_CAST, input);
    while (t->net->nodes.n < nodes) {
        Node *in = pick(t);
        /* Sizes stay small: what has grown large is pooled. */
        int kind = type_elements(in->type) > 1500 ? 3 : netgen_int(t, 0, 15);
        Node *made = kind < 2     ? random_conv(t, in)
                     : kind == 2  ? random_block(t, in)
                     : kind == 3  ? random_pool(t, in)
                     : kind == 4  ? random_join(t, in)
                     : kind == 5  ? random_move(t, in)
                     : kind == 6  ? netgen_op(t, OP_BN, in)
                     : kind == 7  ? random_concat(t, in)
                     : kind == 8  ? random_activation(t, in)
                     : kind == 9  ? random_twin(t, in)
                     : kind == 10 ? random_split(t, in)
                     : kind == 11 ? random_state(t, in)
                     : kind == 12 ? random_channels(t, in)
                     : kind == 13 ? netgen_places(t, in)
                     : kind == 14 ? netgen_transpose(t, in)
                                  : random_dense(t, in);
        /* NULL where a window did not fit: on with another. */
        if (made && netgen_int(t, 0, 9) == 0)
            netgen_output(t, made);
    }
    netgen_output(t, t->net->nodes.at[t->net->nodes.n - 1]);
    t->diag = diag_new(&t->src, t->arena);
}

/* ---- the ResNets ---- */

static Node *conv_bn(NetTest *t, Node *in, int filters, int kernel, int stride)
{
    return netgen_op(t, OP_BN, netgen_conv(t, in, filters, kernel, stride));
}

static Node *resnet_main(NetTest *t, Node *x, bool bottleneck, int filters, int stride)
{
    if (!bottleneck) {
        Node *first = netgen_op(t, OP_RELU, conv_bn(t, x, filters, 3, stride));
        return conv_bn(t, first, filters, 3, 1);
    }
    Node *first = netgen_op(t, OP_RELU, conv_bn(t, x, filters, 1, 1));
    Node *second = netgen_op(t, OP_RELU, conv_bn(t, first, filters, 3, stride));
    return conv_bn(t, second, 4 * filters, 1, 1);
}

static Node *resnet_block(NetTest *t, Node *x, bool bottleneck, int filters, int stride,
                          bool shortcut_first)
{
    int wide = bottleneck ? 4 * filters : filters;
    bool project = stride != 1 || x->type.c != wide;
    Node *shortcut = project && shortcut_first ? conv_bn(t, x, wide, 1, stride) : x;
    Node *main = resnet_main(t, x, bottleneck, filters, stride);
    if (project && !shortcut_first)
        shortcut = conv_bn(t, x, wide, 1, stride);
    return netgen_op(t, OP_RELU, netgen_join(t, OP_ADD, main, shortcut));
}

void netgen_resnet(NetTest *t, bool bottleneck, int size, bool shortcut_first)
{
    static const int blocks18[] = {2, 2, 2, 2}, blocks50[] = {3, 4, 6, 3};
    Node *x = netgen_input(t, ELEM_F32, size, size, 3);
    x = netgen_op(t, OP_RELU, conv_bn(t, x, 64, 7, 2));
    Attrs a = ir_default_attrs(OP_MAXPOOL);
    a.kernel[0] = a.kernel[1] = 3;
    a.stride[0] = a.stride[1] = 2;
    for (int i = 0; i < 4; i++)
        a.padding[i] = 1;
    x = netgen_add(t, OP_MAXPOOL, &x, 1, a);
    for (int stage = 0; stage < 4; stage++) {
        for (int i = 0; i < (bottleneck ? blocks50 : blocks18)[stage]; i++)
            x = resnet_block(t, x, bottleneck, 64 << stage, stage > 0 && i == 0 ? 2 : 1,
                             shortcut_first);
    }
    x = netgen_add(t, OP_AVGPOOL, &x, 1, global_pool(OP_AVGPOOL, x->type));
    x = netgen_op(t, OP_FLATTEN, x);
    a = ir_default_attrs(OP_DENSE);
    a.filters = 1000;
    netgen_output(t, netgen_op(t, OP_SOFTMAX, netgen_add(t, OP_DENSE, &x, 1, a)));
}
