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

void onnx_softplus(Work *w)
{
    activation(w, OP_SOFTPLUS);
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
    if (str_eq(attr_text(w, "approximate", "none"), "none"))
        activation(w, OP_GELU);
    else
        refuse(w, "by the approximation with tanh",
               "rnc computes gelu by erf, which differs by up to 5e-4");
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

void onnx_clip(Work *w)
{
    const double all = 3.4028234663852886e38;
    const Value *v = tensor(w, 0);
    double least, most;
    if (!v || !bound(w, "min", 1, -all, &least) || !bound(w, "max", 2, all, &most))
        return;
    const Channelwise *a = channelwise_of(w, v->node);
    if (least == 0 && most == 6)
        activation(w, OP_RELU6);
    else if (least == 0 && most >= all)
        activation(w, OP_RELU);
    else if (least <= -all && most >= all)
        onnx_identity(w);
    else if (least == 0 && most == 1 && a && is_channelwise(w, v->node, NULL, 1.0 / 6, 0.5))
        give(w, 0, simple(w, OP_HARD_SIGMOID, a->from), &v->view);
    else {
        Attrs clip = ir_default_attrs(OP_CLIP);
        clip.alpha = least <= -all ? -INFINITY : decimal(least);
        clip.beta = most >= all ? INFINITY : decimal(most);
        give(w, 0, layer(w, OP_CLIP, &v->node, 1, &clip), &v->view);
    }
}
