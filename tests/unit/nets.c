/* nets.c: networks for tests. */
#include "nets.h"

#include "passes/pass.h"

#include <stdio.h>
#include <stdlib.h>

void bench_begin(Bench *b)
{
    *b = (Bench){0};
    b->arena = arena_new(&b->oom);
    if (!b->arena || setjmp(b->oom) != 0) {
        fputs("out of memory\n", stderr);
        abort();
    }
    b->src = (SrcMap){.arena = b->arena};
    b->diag = diag_new(&b->src, b->arena);
    b->net = ir_new(b->arena, "test");
}

void bench_end(Bench *b)
{
    arena_free(b->arena);
}

/* ---- nodes ---- */

static const char *next_name(Bench *b, const char *word)
{
    return arena_printf(b->arena, "%s%d", word, ++b->names);
}

Node *make_input(Bench *b, int n, int c, int h, int w, Elem elem)
{
    const char *name = next_name(b, "input");
    Node *node = ir_add_input(b->net, name, (Type){elem, n, h, w, c}, NULL);
    Port port = {.name = name, .node = node, .elem = elem};
    VEC_PUSH(b->arena, &b->net->inputs, port);
    return node;
}

Node *make(Bench *b, Op op, Node *const *in, int n_in, const Attrs *attrs)
{
    Node *node =
        ir_add(b->net, &b->diag, op, in, n_in, attrs, next_name(b, op_row(op)->name), NULL);
    if (!node) {
        fputs(buf_text(&b->diag.out), stderr);
        abort();
    }
    return node;
}

Node *make_op(Bench *b, Op op, Node *in)
{
    Attrs attrs = ir_default_attrs(op);
    return make(b, op, &in, 1, &attrs);
}

Node *make_join(Bench *b, Op op, Node *x, Node *y)
{
    Node *in[] = {x, y};
    Attrs attrs = ir_default_attrs(op);
    return make(b, op, in, 2, &attrs);
}

static void set_window(Attrs *a, int kernel, int stride, int padding)
{
    a->kernel[0] = a->kernel[1] = kernel;
    a->stride[0] = a->stride[1] = stride;
    for (int i = 0; i < 4; i++)
        a->padding[i] = padding;
}

Node *make_conv(Bench *b, Node *in, int kernel, int filters, int stride, int groups)
{
    Attrs attrs = ir_default_attrs(OP_CONV);
    set_window(&attrs, kernel, stride, kernel / 2);
    attrs.filters = filters;
    attrs.groups = groups;
    return make(b, OP_CONV, &in, 1, &attrs);
}

Node *make_dilated(Bench *b, Node *in, int kernel, int filters, int dilation)
{
    Attrs attrs = ir_default_attrs(OP_CONV);
    set_window(&attrs, kernel, 1, dilation * (kernel / 2));
    attrs.dilation[0] = attrs.dilation[1] = dilation;
    attrs.filters = filters;
    return make(b, OP_CONV, &in, 1, &attrs);
}

Node *make_conv_bn(Bench *b, Node *in, int kernel, int filters, int stride, bool relu)
{
    Node *bn = make_op(b, OP_BN, make_conv(b, in, kernel, filters, stride, 1));
    return relu ? make_op(b, OP_RELU, bn) : bn;
}

Node *make_pool(Bench *b, Op op, Node *in, int kernel, int stride, int padding)
{
    Attrs attrs = ir_default_attrs(op);
    set_window(&attrs, kernel, stride, padding);
    return make(b, op, &in, 1, &attrs);
}

void make_output(Bench *b, Node *node)
{
    Port port = {.name = next_name(b, "output"), .node = node};
    VEC_PUSH(b->arena, &b->net->outputs, port);
}

static Node *make_dense(Bench *b, Node *in, int units)
{
    Attrs attrs = ir_default_attrs(OP_DENSE);
    attrs.filters = units;
    return make(b, OP_DENSE, &in, 1, &attrs);
}

static Node *make_normalize(Bench *b, Node *in)
{
    static const double mean[] = {0.485, 0.456, 0.406}, std[] = {0.229, 0.224, 0.225};
    Attrs attrs = ir_default_attrs(OP_NORMALIZE);
    attrs.scale = 1.0 / 255.0;
    attrs.mean = (Reals){(double *)mean, in->type.c == 3 ? 3 : 1};
    attrs.std = (Reals){(double *)std, in->type.c == 3 ? 3 : 1};
    return make(b, OP_NORMALIZE, &in, 1, &attrs);
}

/* ---- passes and plan ---- */

void run_passes(Bench *b)
{
    if (!pass_run(b->net, &b->diag, (PassChoice){0})) {
        fputs(buf_text(&b->diag.out), stderr);
        abort();
    }
}

Plan *make_plan(Bench *b, PlanOptions options)
{
    Plan *plan = plan_make(b->arena, b->net, options, &b->diag);
    if (!plan)
        fputs(buf_text(&b->diag.out), stderr);
    return plan;
}

/* ---- well-known networks ---- */

static Node *make_block(Bench *b, Node *x, int filters, int stride, bool bottleneck)
{
    const int out = bottleneck ? 4 * filters : filters;
    Node *y = x, *shortcut = x;
    if (bottleneck) {
        y = make_conv_bn(b, y, 1, filters, 1, true);
        y = make_conv_bn(b, y, 3, filters, stride, true);
        y = make_conv_bn(b, y, 1, out, 1, false);
    } else {
        y = make_conv_bn(b, y, 3, filters, stride, true);
        y = make_conv_bn(b, y, 3, out, 1, false);
    }
    if (stride != 1 || x->type.c != out)
        shortcut = make_conv_bn(b, x, 1, out, stride, false);
    return make_op(b, OP_RELU, make_join(b, OP_ADD, y, shortcut));
}

static void make_head(Bench *b, Node *x, int classes)
{
    x = make_pool(b, OP_AVGPOOL, x, x->type.h, 1, 0);
    x = make_dense(b, make_op(b, OP_FLATTEN, x), classes);
    make_output(b, make_op(b, OP_SOFTMAX, x));
}

void make_resnet(Bench *b, int n, int size, const int *blocks, bool bottleneck)
{
    Node *x = make_normalize(b, make_input(b, n, 3, size, size, ELEM_F32));
    x = make_conv_bn(b, x, 7, 64, 2, true);
    x = make_pool(b, OP_MAXPOOL, x, 3, 2, 1);
    for (int stage = 0; stage < 4; stage++) {
        for (int i = 0; i < blocks[stage]; i++)
            x = make_block(b, x, 64 << stage, stage > 0 && i == 0 ? 2 : 1, bottleneck);
    }
    make_head(b, x, 1000);
}

Plan *plan_resnet(Bench *b, bool deep, bool exact)
{
    static const int blocks50[] = {3, 4, 6, 3}, blocks18[] = {2, 2, 2, 2};
    bench_begin(b);
    make_resnet(b, 1, 224, deep ? blocks50 : blocks18, deep);
    run_passes(b);
    return make_plan(b, (PlanOptions){.isas = 1u << ISA_avx512, .exact = exact});
}

void make_cifar_resnet(Bench *b, int blocks)
{
    Node *x = make_normalize(b, make_input(b, 1, 3, 32, 32, ELEM_U8));
    x = make_conv_bn(b, x, 3, 16, 1, true);
    for (int stage = 0; stage < 3; stage++) {
        for (int i = 0; i < blocks; i++) {
            const int filters = 16 << stage, stride = stage > 0 && i == 0 ? 2 : 1;
            Node *y = make_conv_bn(b, x, 3, filters, stride, true);
            y = make_conv_bn(b, y, 3, filters, 1, false);
            if (stride == 2) {
                Attrs a = ir_default_attrs(OP_SUBSAMPLE), z = ir_default_attrs(OP_ZEROPAD);
                a.stride[0] = a.stride[1] = 2;
                z.channel_padding[0] = z.channel_padding[1] = filters / 4;
                x = make(b, OP_SUBSAMPLE, &x, 1, &a);
                x = make(b, OP_ZEROPAD, &x, 1, &z);
            }
            x = make_op(b, OP_RELU, make_join(b, OP_ADD, y, x));
        }
    }
    make_head(b, x, 10);
}

void make_densenet(Bench *b, int size, int growth, const int *layers, int n_layers)
{
    Node *x = make_input(b, 1, 3, size, size, ELEM_F32);
    x = make_conv_bn(b, x, 7, 2 * growth, 2, true);
    x = make_pool(b, OP_MAXPOOL, x, 3, 2, 1);
    for (int block = 0; block < n_layers; block++) {
        for (int i = 0; i < layers[block]; i++) {
            Node *y = make_op(b, OP_RELU, make_op(b, OP_BN, x));
            y = make_conv_bn(b, y, 1, 4 * growth, 1, true);
            x = make_join(b, OP_CONCAT, x, make_conv(b, y, 3, growth, 1, 1));
        }
        x = make_op(b, OP_RELU, make_op(b, OP_BN, x));
        if (block < n_layers - 1) {
            x = make_conv(b, x, 1, x->type.c / 2, 1, 1);
            x = make_pool(b, OP_AVGPOOL, x, 2, 2, 0);
        }
    }
    make_head(b, x, 1000);
}

/* ---- random networks ---- */

static unsigned next_random(unsigned *state, unsigned below)
{
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 8) % below;
}

static bool same_extent(const Node *x, const Node *y)
{
    return x->type.h == y->type.h && x->type.w == y->type.w;
}

static Node *random_join(Bench *b, unsigned *state, Node *x, Node *y)
{
    const bool concat = next_random(state, 2) == 0;
    if (concat && same_extent(x, y) && x->type.c + y->type.c < 200) {
        Node *in[] = {x, y, x};
        Attrs a = ir_default_attrs(OP_CONCAT);
        return make(b, OP_CONCAT, in, 2 + (next_random(state, 6) == 0), &a);
    }
    const bool extent = same_extent(x, y) || (y->type.h == 1 && y->type.w == 1);
    if (extent && (x->type.c == y->type.c || y->type.c == 1))
        return make_join(b, next_random(state, 2) ? OP_ADD : OP_MUL, x, y);
    return NULL;
}

static Node *random_conv(Bench *b, unsigned *state, Node *x)
{
    static const int widths[] = {1, 3, 8, 16, 17, 32, 48, 64};
    const int kernel = 1 + 2 * (int)next_random(state, 3), stride = 1 + (int)next_random(state, 2);
    switch (next_random(state, 4)) {
    case 0: /* depthwise */
        return make_conv(b, x, kernel, x->type.c, stride, x->type.c);
    case 1: /* grouped */
        if (x->type.c % 8 == 0 && next_random(state, 2))
            return make_conv(b, x, kernel, x->type.c, stride,
                             x->type.c >> (1 + next_random(state, 3)));
        if (x->type.c % 4 == 0)
            return make_conv(b, x, kernel, x->type.c * 2, stride, 4);
        return make_conv(b, x, kernel, x->type.c * 3, stride, x->type.c);
    default: {
        Attrs a = ir_default_attrs(OP_CONV);
        set_window(&a, kernel, stride, kernel / 2);
        a.padding[2] += (int)next_random(state, 2);
        a.filters = next_random(state, 3) ? x->type.c : widths[next_random(state, 8)];
        a.bias = next_random(state, 2);
        return make(b, OP_CONV, &x, 1, &a);
    }
    }
}

static Node *random_part(Bench *b, unsigned *state, Node *x)
{
    Attrs a = ir_default_attrs(OP_SPLIT);
    a.parts = x->type.c % 3 ? 2 : 3;
    if (x->type.c % a.parts)
        return NULL;
    Node *parts[3];
    for (int i = 0; i < a.parts; i++) {
        a.result = i;
        parts[i] = make(b, OP_SPLIT, &x, 1, &a);
    }
    return parts[next_random(state, (unsigned)a.parts)];
}

static Node *random_move(Bench *b, unsigned *state, Node *x)
{
    Attrs a;
    switch (next_random(state, 7)) {
    case 6:
        a = ir_default_attrs(OP_DELAY);
        a.frames = 1 + (int)next_random(state, 3);
        return make(b, OP_DELAY, &x, 1, &a);
    case 5:
        a = ir_default_attrs(OP_HISTORY);
        a.frames = 1 + (int)next_random(state, 3);
        return make(b, OP_HISTORY, &x, 1, &a);
    case 4:
        return random_part(b, state, x);
    case 0:
        a = ir_default_attrs(OP_ZEROPAD);
        a.padding[next_random(state, 4)] = 1;
        a.channel_padding[0] = (int)next_random(state, 5);
        return make(b, OP_ZEROPAD, &x, 1, &a);
    case 1:
        a = ir_default_attrs(OP_SUBSAMPLE);
        a.stride[0] = a.stride[1] = 2;
        return make(b, OP_SUBSAMPLE, &x, 1, &a);
    case 2:
        a = ir_default_attrs(OP_UPSAMPLE);
        a.scale_by[0] = a.scale_by[1] = 2;
        return x->type.h < 20 ? make(b, OP_UPSAMPLE, &x, 1, &a) : NULL;
    default:
        a = ir_default_attrs(OP_FLATTEN);
        a.order = next_random(state, 2) ? ORDER_NHWC : ORDER_NCHW;
        if (type_elements(x->type) > 4096)
            return NULL;
        x = make(b, OP_FLATTEN, &x, 1, &a);
        return next_random(state, 2) ? make_dense(b, x, 1 + (int)next_random(state, 60)) : x;
    }
}

/* The last convolution of as many channels, again, with its parameters; or NULL. */
static Node *random_twin(Bench *b, Node *x)
{
    for (int i = b->net->nodes.n - 1; i >= 0; i--) {
        const Node *like = b->net->nodes.at[i];
        if (like->op != OP_CONV || like->in[0]->type.c != x->type.c ||
            like->attrs.kernel[0] > x->type.h)
            continue;
        return ir_add_sharing(b->net, &b->diag, OP_CONV, &x, 1, &like->attrs, next_name(b, "twin"),
                              NULL, like);
    }
    return NULL;
}

static Node *random_node(Bench *b, unsigned *state, Node *x, Node *y)
{
    static const Op maps[] = {OP_RELU, OP_BN, OP_SIGMOID, OP_LEAKY_RELU, OP_SOFTMAX};
    switch (next_random(state, 7)) {
    case 0:
        return make_op(b, maps[next_random(state, 5)], x);
    case 1:
    case 2:
    case 3:
        return random_join(b, state, x, y);
    case 4:
        return x->type.h >= 2 && x->type.w >= 2
                   ? make_pool(b, next_random(state, 2) ? OP_MAXPOOL : OP_AVGPOOL, x, 2,
                               1 + (int)next_random(state, 2), 0)
                   : NULL;
    case 5:
        return random_move(b, state, x);
    default:
        return x->type.c >= 300 || next_random(state, 4) == 0 ? random_twin(b, x)
                                                              : random_conv(b, state, x);
    }
}

void make_random(Bench *b, unsigned seed, int nodes)
{
    unsigned state = seed;
    VEC(Node *) made = {0};
    const int batch = 1 + (int)next_random(&state, 2), size = 5 + (int)next_random(&state, 12);
    Node *x = make_input(b, batch, 1 + (int)next_random(&state, 20), size, size, ELEM_F32);
    VEC_PUSH(b->arena, &made, next_random(&state, 2) ? make_normalize(b, x) : x);
    if (next_random(&state, 3) == 0) {
        x = make_input(b, batch, 16, size, size, ELEM_U8);
        VEC_PUSH(b->arena, &made, make_op(b, OP_CAST, x));
        VEC_PUSH(b->arena, &made, make_normalize(b, x));
    }
    while (made.n < nodes) {
        /* mostly the latest, so that values die */
        const unsigned span = made.n < 6 || next_random(&state, 8) == 0 ? (unsigned)made.n : 6;
        Node *y = made.at[(unsigned)made.n - 1 - next_random(&state, span)];
        x = made.at[(unsigned)made.n - 1 - next_random(&state, span < 3 ? span : 3)];
        Node *node = random_node(b, &state, x, y);
        if (node && type_elements(node->type) < 200000)
            VEC_PUSH(b->arena, &made, node);
    }
    make_output(b, made.at[made.n - 1]);
    for (unsigned i = next_random(&state, 4); i > 0; i--)
        make_output(b, made.at[next_random(&state, (unsigned)made.n)]);
}

void fill_params(Bench *b)
{
    for (int i = 0; i < b->net->params.n; i++) {
        Param *p = b->net->params.at[i];
        const int64_t n = param_elements(p);
        float *data = NEW_ARRAY(b->arena, float, n);
        for (int64_t j = 0; j < n; j++)
            data[j] = (float)(1 + (j * 7919 + i * 31) % 100003) / 1024.0f;
        p->data = data;
    }
}

void make_heavy(Bench *b, Node *node, int wide)
{
    Attrs a = ir_default_attrs(OP_DENSE);
    a.filters = wide;
    Node *pool = make_pool(b, OP_AVGPOOL, node, node->type.h, 1, 0);
    Node *dense = make(b, OP_DENSE, &pool, 1, &a);
    make_output(b, make(b, OP_DENSE, &dense, 1, &a));
}
