/* builder_pieces.c: what rnc has no operator for, and several of its layers say exactly. */
#include "import/builder.h"

static Node *affine(Builder *b, Node *x, double by, double plus, const char *name)
{
    double *numbers = NEW_ARRAY(b->arena, double, 2);
    Attrs a = ir_default_attrs(OP_AFFINE);
    numbers[0] = by;
    numbers[1] = plus;
    a.factor = (Reals){numbers, 1};
    a.addend = (Reals){numbers + 1, 1};
    return builder_add(b, OP_AFFINE, &x, 1, &a, name);
}

static Node *product(Builder *b, Node *x, Node *y, const char *name)
{
    Node *const in[] = {x, y};
    const Attrs a = ir_default_attrs(OP_MUL);
    return builder_add(b, OP_MUL, in, 2, &a, name);
}

/* ---- the largest ---- */

enum { BLOCK_MOST = 4 };

bool builder_alike(Node *const *in, int n)
{
    bool same = n <= BLOCK_MOST * BLOCK_MOST;
    for (int i = 1; same && i < n; i++)
        same = !in[0] || !in[i] || type_eq(in[i]->type, in[0]->type);
    return same;
}

static Node *opposite(Builder *b, Node *x, const char *name)
{
    return affine(b, x, -1, 0, name);
}

Node *builder_largest(Builder *b, Node *const *in, int n, bool smallest, const char *name)
{
    const Attrs join = ir_default_attrs(OP_CONCAT);
    Attrs spread = ir_default_attrs(OP_DEPTH_TO_SPACE), pool = ir_default_attrs(OP_MAXPOOL);
    Node *all[BLOCK_MOST * BLOCK_MOST];
    int block = 2;
    while (block * block < n)
        block++;
    for (int i = 0; i < block * block; i++)
        all[i] = in[i % n];
    spread.block = block;
    pool.kernel[0] = pool.kernel[1] = pool.stride[0] = pool.stride[1] = block;
    Node *x = builder_add(b, OP_CONCAT, all, block * block, &join, name);
    x = builder_add(b, OP_DEPTH_TO_SPACE, &x, 1, &spread, name);
    if (smallest)
        x = opposite(b, x, name);
    x = builder_add(b, OP_MAXPOOL, &x, 1, &pool, name);
    return smallest ? opposite(b, x, name) : x;
}

/* ---- one below or beside the other ---- */

static Node *exchanged(Builder *b, Node *x, bool columns, const char *name)
{
    Attrs a = ir_default_attrs(OP_TRANSPOSE);
    a.axes = columns ? AXES_WHC : AXES_HCW;
    return builder_add(b, OP_TRANSPOSE, &x, 1, &a, name);
}

Node *builder_concat_pixels(Builder *b, Node *const *in, int n, bool columns, const char *name)
{
    const Attrs join = ir_default_attrs(OP_CONCAT);
    Node **turned = NEW_ARRAY(b->arena, Node *, n + 1);
    for (int i = 0; i < n; i++)
        turned[i] = exchanged(b, in[i], columns, name);
    return exchanged(b, builder_add(b, OP_CONCAT, turned, n, &join, name), columns, name);
}

/* ---- gelu ---- */

Node *builder_gelu_tanh(Builder *b, Node *x, const char *name)
{
    const double root = 0.79788456080286536; /* of 2 / pi */
    Node *inner = affine(b, product(b, x, x, name), 0.044715 * root, root, name);
    inner = builder_simple(b, OP_TANH, product(b, inner, x, name), name);
    return product(b, affine(b, inner, 0.5, 0.5, name), x, name);
}
