/* onnx_activation.c: activations that ONNX has as operators of their own. */
#include "import/onnx_parts.h"

#include <math.h>

static void activation(Work *w, Op op)
{
    const Value *v = tensor(w, 0);
    if (v)
        give(w, 0, simple(w, op, v->node), &v->view);
}

void onnx_relu(Work *w)
{
    activation(w, OP_RELU);
}

void onnx_sigmoid(Work *w)
{
    activation(w, OP_SIGMOID);
}

void onnx_tanh(Work *w)
{
    activation(w, OP_TANH);
}

void onnx_hard_swish(Work *w)
{
    activation(w, OP_HARD_SWISH);
}

/* One with an attribute alpha. */
static void with_alpha(Work *w, Op op, double otherwise)
{
    const Value *v = tensor(w, 0);
    Attrs a = ir_default_attrs(op);
    a.alpha = decimal(attr_float(w, "alpha", otherwise));
    if (v)
        give(w, 0, layer(w, op, &v->node, 1, &a), &v->view);
}

void onnx_leaky_relu(Work *w)
{
    with_alpha(w, OP_LEAKY_RELU, 0.01);
}

void onnx_elu(Work *w)
{
    with_alpha(w, OP_ELU, 1);
}

void onnx_selu(Work *w)
{
    if (near(attr_float(w, "alpha", 1.67326), 1.67326) &&
        near(attr_float(w, "gamma", 1.0507), 1.0507))
        activation(w, OP_SELU);
    else
        refuse(w, "with other numbers than those of its paper", NULL);
}

/* A slope of -1 below zero. */
Node *absolute(Work *w, Node *x)
{
    Attrs a = ir_default_attrs(OP_LEAKY_RELU);
    a.alpha = -1;
    return layer(w, OP_LEAKY_RELU, &x, 1, &a);
}

void onnx_abs(Work *w)
{
    const Value *v = tensor(w, 0);
    if (v)
        give(w, 0, absolute(w, v->node), &v->view);
}

/* alpha * elu(x / alpha). */
void onnx_celu(Work *w)
{
    const Value *v = tensor(w, 0);
    const double alpha = decimal(attr_float(w, "alpha", 1));
    if (!v)
        return;
    if (!(fabs(alpha) >= 1e-6 && fabs(alpha) <= 1e6)) {
        refuse(w, "with an alpha that is not from 1e-6 to 1e6", NULL);
        return;
    }
    Node *x = scaled(w, v->node, 1 / alpha);
    x = x ? simple(w, OP_ELU, x) : NULL;
    give(w, 0, x ? scaled(w, x, alpha) : NULL, &v->view);
}

/* x / (1 + |x|). */
void onnx_softsign(Work *w)
{
    const Value *v = tensor(w, 0);
    Attrs one = ir_default_attrs(OP_AFFINE);
    const Attrs by = ir_default_attrs(OP_DIV);
    static const double ones[] = {1};
    one.factor = one.addend = (Reals){ones, 1};
    if (!v)
        return;
    Node *size = absolute(w, v->node);
    Node *const in[] = {v->node, size ? layer(w, OP_AFFINE, &size, 1, &one) : NULL};
    give(w, 0, layer(w, OP_DIV, in, 2, &by), &v->view);
}

void onnx_softplus(Work *w)
{
    activation(w, OP_SOFTPLUS);
}

/* PyTorch's softplus is x where x is above a threshold of 20, which it is to all digits anyway. */
void onnx_greater(Work *w)
{
    const OnnxTensor *t = known(w, 1);
    const Value *v = tensor(w, 0);
    Value *to = result(w, 0);
    if (!v || !to)
        return;
    if (!t || t->elements != 1 || !t->bytes || !onnx_type_real(t->type)) {
        refuse(w, "there is no such operator in rnc", NULL);
        return;
    }
    give_same(w, 0, v);
    to->kind = VALUE_ABOVE;
    to->factor = (double)*onnx_floats(t, w->arena);
    to->why = "there is no such operator in rnc, but for the threshold of a softplus";
}

void onnx_where(Work *w)
{
    enum { THRESHOLD_LEAST = 18 }; /* log(1 + exp(18)) is 18 in floats */
    const Value *above = operand(w, 0), *x = operand(w, 1), *v = operand(w, 2);
    View view;
    if (above && above->kind == VALUE_ABOVE && above->factor >= THRESHOLD_LEAST && x && v &&
        x->kind == VALUE_TENSOR && v->kind == VALUE_TENSOR && x->node == above->node &&
        v->node->op == OP_SOFTPLUS && v->node->in[0] == x->node && common_view(above, x, &view) &&
        common_view(x, v, &view))
        give(w, 0, v->node, &view);
    else
        refuse(w, any_operand_refused(w) ? NULL : "there is no such operator in rnc", NULL);
}

void onnx_mish(Work *w)
{
    activation(w, OP_MISH);
}

void onnx_hard_sigmoid(Work *w)
{
    const Value *v = tensor(w, 0);
    Attrs a = ir_default_attrs(OP_HARD_SIGMOID);
    const double slope = attr_float(w, "alpha", 0.2);
    if (!near(slope, 1.0 / 6))
        a.alpha = decimal(slope);
    a.beta = decimal(attr_float(w, "beta", 0.5));
    if (v)
        give(w, 0, layer(w, OP_HARD_SIGMOID, &v->node, 1, &a), &v->view);
}

void onnx_swish(Work *w)
{
    if (attr_float(w, "alpha", 1) == 1)
        activation(w, OP_SILU);
    else
        refuse(w, "with another alpha than 1", NULL);
}

void onnx_gelu(Work *w)
{
    if (str_eq(attr_text(w, "approximate", "none"), "none")) {
        activation(w, OP_GELU);
        return;
    }
    const Value *v = tensor(w, 0);
    if (v)
        give(w, 0, builder_gelu_tanh(w->b, v->node, layer_name(w, OP_GELU)), &v->view);
}

/* A bound of Clip, an attribute before set 11; false after refusing the node. */
static bool bound(Work *w, const char *name, int i, double otherwise, double *value)
{
    *value = attr_float(w, name, otherwise);
    if (!has_operand(w, i))
        return true;
    const OnnxTensor *t = known(w, i);
    if (!t || t->elements != 1 || !t->bytes || !onnx_type_real(t->type)) {
        refuse(w, "with a bound that is no known number", NULL);
        return false;
    }
    *value = (double)*onnx_floats(t, w->arena);
    return true;
}

/* Operand 0 between two numbers; FLT_MAX and beyond bounds nothing. */
static void clip(Work *w, const Value *v, double least, double most)
{
    const double all = 3.4028234663852886e38;
    const Channelwise *a = channelwise_of(w, v->node);
    if (least == 0 && most == 6)
        give(w, 0, simple(w, OP_RELU6, v->node), &v->view);
    else if (least == 0 && most >= all)
        give(w, 0, simple(w, OP_RELU, v->node), &v->view);
    else if (least <= -all && most >= all)
        give_same(w, 0, v);
    else if (least == 0 && most == 1 && a && is_channelwise(w, v->node, NULL, 1.0 / 6, 0.5))
        give(w, 0, simple(w, OP_HARD_SIGMOID, a->from), &v->view);
    else {
        Attrs bounds = ir_default_attrs(OP_CLIP);
        bounds.alpha = least <= -all ? -INFINITY : decimal(least);
        bounds.beta = most >= all ? INFINITY : decimal(most);
        give(w, 0, layer(w, OP_CLIP, &v->node, 1, &bounds), &v->view);
    }
}

void onnx_clip(Work *w)
{
    double least, most;
    if (!bound(w, "min", 1, -INFINITY, &least) || !bound(w, "max", 2, INFINITY, &most))
        return;
    if (isinf(most) && root_at_least(w, least))
        return;
    const Value *v = tensor(w, 0);
    if (v)
        clip(w, v, least, most);
}

/* Max and Min of tensors: the smallest is what has the largest opposite. */
static void extreme(Work *w, bool largest)
{
    View view = {0};
    const int n = w->node->n_in;
    Node **in = all_operands(w, &view);
    for (int i = 0; in && !largest && i < n; i++)
        in[i] = scaled(w, in[i], -1);
    Node *node = in ? joined_parts(w, in, n, REDUCE_MAX) : NULL;
    if (node)
        give(w, 0, largest ? node : scaled(w, node, -1), &view);
}

/* Max and Min of tensors, or of a tensor and a known number. */
static void bounded(Work *w, bool above)
{
    const OnnxTensor *t[] = {known(w, 0), known(w, 1)};
    const int i = t[0] ? 0 : 1; /* which one is known */
    if (w->node->n_in == 1) {
        onnx_identity(w);
        return;
    }
    if (w->node->n_in != 2 || !t[i]) {
        extreme(w, above);
        return;
    }
    if (t[i]->elements != 1 || !t[i]->bytes || !onnx_type_real(t[i]->type)) {
        refuse(w, "with known numbers that are not one", NULL);
        return;
    }
    const double number = (double)*onnx_floats(t[i], w->arena);
    if (above && i == 1 && root_at_least(w, number))
        return;
    const Value *v = tensor(w, 1 - i);
    if (v)
        clip(w, v, above ? number : -INFINITY, above ? INFINITY : number);
}

void onnx_max(Work *w)
{
    bounded(w, true);
}

void onnx_min(Work *w)
{
    bounded(w, false);
}
