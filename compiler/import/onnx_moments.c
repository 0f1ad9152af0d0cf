/* onnx_moments.c: the layer norm of TensorFlow, as tf2onnx writes it:
 *
 *     m = weight / root              the root of a variance plus epsilon
 *     x * m + (bias - mean * m)
 *
 * It is put together when the sum comes; until then a value is such a part of it. */
#include "import/onnx_parts.h"

static bool is_part(const Value *v)
{
    return v && v->kind == VALUE_PART;
}

static void give_part(Work *w, const Value *from, const OnnxTensor *weight, const OnnxTensor *bias,
                      const Value *x)
{
    Value *to = result(w, 0);
    if (!to)
        return;
    give_same(w, 0, from);
    to->kind = VALUE_PART;
    to->weight = weight;
    to->bias = bias;
    to->part = x ? x->node : from->part;
    if (x)
        to->view = x->view;
    to->why = "a step of a normalisation that rnc does not put together";
}

bool part_of_product(Work *w)
{
    for (int i = 0; i < 2; i++) {
        const Value *v = operand(w, i), *other = operand(w, 1 - i);
        const OnnxTensor *t = known(w, 1 - i);
        if (v && v->kind == VALUE_ROOT && v->inverse && !v->spread && t && t->bytes &&
            onnx_type_real(t->type)) {
            give_part(w, v, t, NULL, NULL);
            return true;
        }
        View view;
        if (is_part(v) && !v->part && !v->bias && other && other->kind == VALUE_TENSOR &&
            common_view(v, other, &view)) {
            give_part(w, v, v->weight, NULL, other);
            return true;
        }
    }
    return false;
}

bool part_of_difference(Work *w)
{
    const OnnxTensor *t = known(w, 0);
    const Value *v = operand(w, 1);
    if (!is_part(v) || !v->part || v->bias || !t || !t->bytes || !onnx_type_real(t->type))
        return false;
    give_part(w, v, v->weight, t, NULL);
    return true;
}

/* One after the other, as the weight and the bias of the normalisation. */
static Node *with_both(Work *w, Node *node, const float *weight, const float *bias)
{
    float *ones = NEW_ARRAY(w->arena, float, node->type.c);
    const float *zeros = NEW_ARRAY(w->arena, float, node->type.c);
    for (int i = 0; i < node->type.c; i++)
        ones[i] = 1;
    node = channelwise(w, node, weight, zeros, true);
    return node ? channelwise(w, node, ones, bias, true) : NULL;
}

bool part_of_sum(Work *w)
{
    for (int i = 0; i < 2; i++) {
        const Value *a = operand(w, i), *b = operand(w, 1 - i);
        if (!is_part(a) || !is_part(b) || a->bias || !b->bias || !a->part || !b->part ||
            a->node != b->node || a->weight != b->weight)
            continue;
        View view;
        Node *x = a->part, *node = common_view(a, b, &view) ? normalised(w, x, b->part, a) : NULL;
        Value seen = *a;
        seen.node = x;
        const float *weight = node ? numbers_per_channel(w, &seen, a->weight) : NULL;
        const float *bias = node ? numbers_per_channel(w, &seen, b->bias) : NULL;
        if (weight && bias)
            give(w, 0, with_both(w, node, weight, bias), &seen.view);
        else
            refuse(w, NULL, NULL);
        return true;
    }
    return false;
}
