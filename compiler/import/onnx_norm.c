/* onnx_norm.c: normalisations of ONNX by numbers of the tensor itself. */
#include "import/onnx_parts.h"

#include <limits.h>
#include <math.h>

static bool all_are(const OnnxTensor *t, Arena *arena, float value)
{
    if (!t || !t->bytes || !onnx_type_real(t->type))
        return false;
    const float *at = onnx_floats(t, arena);
    for (int64_t i = 0; i < t->elements; i++) {
        if (at[i] != value)
            return false;
    }
    return true;
}

/* Gives a norm its weight or bias, which are known numbers of these extents; false after refusing
 * the node. */
static bool set_param(Work *w, Node *node, Role role, int i)
{
    const OnnxTensor *t = known(w, i);
    if (!node->params[role])
        return true;
    if (!t || !t->bytes || !onnx_type_real(t->type)) {
        refuse(w, "with weights that are not known", NULL);
        return false;
    }
    return builder_param(w->b, node, role, w->node->in[i], t->rank, t->dims,
                         onnx_floats(t, w->arena));
}

/* Whether all numbers of an operand are this, and its name says that it stands for nothing: rnc
 * export writes such ones where ONNX wants a weight or a bias and the layer has none. */
static bool stands_for_nothing(Work *w, int i, float value)
{
    return has_operand(w, i) && str_ends(w->node->in[i], value == 1 ? ".ones" : ".zeros") &&
           all_are(known(w, i), w->arena, value);
}

void optional_params(Work *w, Attrs *a)
{
    a->gain = has_operand(w, 1) && !stands_for_nothing(w, 1, 1);
    a->centre = has_operand(w, 2) && !stands_for_nothing(w, 2, 0);
}

static void give_norm(Work *w, Node *node, const View *view)
{
    if (node && set_param(w, node, P_WEIGHT, 1) && set_param(w, node, P_BIAS, 2))
        give(w, 0, node, view);
}

/* Over the channels of each pixel, or over all of an image. */
void onnx_layer_normalization(Work *w)
{
    const Value *v = tensor(w, 0);
    if (!v)
        return;
    const Type t = v->node->type;
    const int axis = axis_in(attr_int(w, "axis", -1), v->view.rank);
    Attrs a = ir_default_attrs(OP_LAYER_NORM);
    a.epsilon = decimal(attr_float(w, "epsilon", 1e-5));
    optional_params(w, &a);
    const bool last =
        axis >= 0 && axis == v->view.rank - 1 && view_axis_is(&v->view, axis, AXIS_C, t.c);
    const bool image_of =
        axis == 1 && view_is(&v->view, t, 4, (const int[]){AXIS_N, AXIS_C, AXIS_H, AXIS_W});
    if (!last && !image_of) {
        refuse(w, "over other axes than the channels, or all but the batch", NULL);
        return;
    }
    a.over = last ? OVER_CHANNELS : OVER_IMAGE;
    give_norm(w, trained(w, OP_LAYER_NORM, &v->node, 1, &a), &v->view);
}

/* Of the channels, the second axis. */
static const Value *channels_second(Work *w)
{
    const Value *v = tensor(w, 0);
    if (v && (v->view.rank < 3 || !view_axis_is(&v->view, 1, AXIS_C, v->node->type.c))) {
        refuse(w, "over another axis than the channels", NULL);
        return NULL;
    }
    return v;
}

/* PyTorch's group norm of old exporters: of [batch][groups][rest], with neither weight nor bias,
 * which come after the tensor is an image again.  False if it is none. */
static bool grouped(Work *w)
{
    const Value *v = operand(w, 0);
    if (!v || v->kind != VALUE_TENSOR || v->view.rank != 3)
        return false;
    const Type t = v->node->type;
    const int64_t groups = v->view.dims[1];
    const View whole = view_image(t, 4);
    View rows;
    if (groups < 1 || t.c % groups || !view_reshaped(&whole, 3, v->view.dims, &rows) ||
        !all_are(known(w, 1), w->arena, 1) || !all_are(known(w, 2), w->arena, 0))
        return false;
    for (int i = 0; i < 3; i++) {
        if (!view_same_axis(&rows, i, &v->view, i))
            return false;
    }
    Attrs a = ir_default_attrs(OP_GROUP_NORM);
    a.groups = (int)groups;
    a.epsilon = decimal(attr_float(w, "epsilon", 1e-5));
    a.gain = a.centre = false;
    give(w, 0, layer(w, OP_GROUP_NORM, &v->node, 1, &a), &v->view);
    return true;
}

void onnx_instance_normalization(Work *w)
{
    if (grouped(w))
        return;
    const Value *v = channels_second(w);
    Attrs a = ir_default_attrs(OP_INSTANCE_NORM);
    a.epsilon = decimal(attr_float(w, "epsilon", 1e-5));
    optional_params(w, &a);
    if (v)
        give_norm(w, trained(w, OP_INSTANCE_NORM, &v->node, 1, &a), &v->view);
}

/* Before set 21, weights are one for each group. */
void onnx_group_normalization(Work *w)
{
    const Value *v = channels_second(w);
    const OnnxTensor *t = known(w, 1);
    const int64_t groups = attr_int(w, "num_groups", 0);
    if (!v)
        return;
    if (groups < 1 || groups > INT_MAX || !t || t->elements != v->node->type.c) {
        refuse(w, "with a weight for each group instead of each channel", NULL);
        return;
    }
    Attrs a = ir_default_attrs(OP_GROUP_NORM);
    a.groups = (int)groups;
    a.epsilon = decimal(attr_float(w, "epsilon", 1e-5));
    optional_params(w, &a);
    give_norm(w, trained(w, OP_GROUP_NORM, &v->node, 1, &a), &v->view);
}

void onnx_lp_normalization(Work *w)
{
    const Value *v = tensor(w, 0);
    if (!v)
        return;
    const int axis = axis_in(attr_int(w, "axis", -1), v->view.rank);
    if (attr_int(w, "p", 2) != 2 || axis < 0 ||
        !view_axis_is(&v->view, axis, AXIS_C, v->node->type.c)) {
        refuse(w, "of another norm than the second, or over another axis than the channels", NULL);
        return;
    }
    give(w, 0, simple(w, OP_L2_NORM, v->node), &v->view);
}
