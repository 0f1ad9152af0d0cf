/* onnx_write_over.c: softmaxes and reductions in ONNX. */
#include "import/onnx_write_parts.h"

#include "net/over.h"

/* Which axes of [batch][channels][height][width] a layer goes over; returns how many. */
static int axes_over(Over over, int64_t axes[3])
{
    const OverAxes a = over_axes(over);
    int n = 0;
    if (a.channels)
        axes[n++] = 1;
    if (a.height)
        axes[n++] = 2;
    if (a.width)
        axes[n++] = 3;
    return n;
}

/* ONNX's goes over one axis: several, which are the last ones, are made one before it. */
bool out_softmax(OnnxOut *o, const Node *node)
{
    const Type t = node->type;
    const char *op = node->op == OP_SOFTMAX ? "Softmax" : "LogSoftmax";
    const int64_t image[] = {0, t.c, t.h, t.w}, one[] = {0, 1, -1}, space[] = {0, t.c, -1};
    int64_t axes[3];
    const int n = axes_over(node->attrs.over, axes);
    const bool row = out_is_row(o, node, 0) && axes[0] == 1; /* all that it has is channels */
    if (row || n == 1) {
        const char *x = row ? out_operand(o, node, 0) : out_image(o, node, 0);
        o->values[node->id] = out_node(o, op, node->name, 1, &x);
        o->row[node->id] = row;
        out_int(o, "axis", axes[0]);
        return true;
    }
    const bool all = axes[0] == 1;
    const char *shape = out_numbers(o, out_part(o, node, "rows"), 3, all ? one : space);
    const char *x = out_step(o, "Reshape", out_part(o, node, "flat"), out_image(o, node, 0), shape);
    x = out_node(o, op, node->name, 1, &x);
    out_int(o, "axis", 2);
    shape = out_numbers(o, out_part(o, node, "shape"), 4, image);
    out_give_image(o, node, out_step(o, "Reshape", out_part(o, node, "image"), x, shape));
    return true;
}

bool out_reduce(OnnxOut *o, const Node *node)
{
    static const char *const ops[] = {
        [REDUCE_MEAN] = "ReduceMean", [REDUCE_MAX] = "ReduceMax", [REDUCE_SUM] = "ReduceSum"};
    int64_t axes[3];
    const int n = axes_over(node->attrs.over, axes);
    const char *over = out_numbers(o, out_part(o, node, "axes"), n, axes);
    out_give_image(
        o, node, out_step(o, ops[node->attrs.reduction], node->name, out_image(o, node, 0), over));
    return true;
}
