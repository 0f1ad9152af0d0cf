/* onnx_dense.c: operators of ONNX that are matrix products, and batch normalisation. */
#include "import/onnx_parts.h"

#include <limits.h>

/* ---- matrix products ---- */

/* Known floats of a matrix or vector; NULL after refusing the node. */
static const OnnxTensor *floats_operand(Work *w, int i, int rank_most)
{
    const OnnxTensor *t = known(w, i);
    if (t && t->bytes && onnx_type_real(t->type) && t->rank <= rank_most && t->elements > 0 &&
        t->elements <= INT_MAX)
        return t;
    refuse(w, "with weights that are not known",
           "rnc multiplies tensors by weights, not with each other");
    return NULL;
}

static const float *scaled_floats(Work *w, const float *from, int64_t n, double by)
{
    if (by == 1)
        return from;
    float *to = NEW_ARRAY(w->arena, float, n + 1);
    for (int64_t i = 0; i < n; i++)
        to[i] = (float)(by * (double)from[i]);
    return to;
}

/* Weights as [units][channels]. */
static const float *weights_of(Work *w, const OnnxTensor *t, bool transposed, double by)
{
    static const int turned[] = {1, 0};
    const float *from = onnx_floats(t, w->arena);
    if (!transposed)
        from = builder_permuted(w->b, from, 2, t->dims, turned);
    return scaled_floats(w, from, t->elements, by);
}

/* C of Gemm as [units]; NULL with *good false if it is not one number a unit. */
static const float *gemm_bias(Work *w, int64_t units, double by, bool *good)
{
    *good = true;
    if (!has_operand(w, 2) || by == 0)
        return NULL;
    const OnnxTensor *t = floats_operand(w, 2, 2);
    const bool row = t && t->elements == units && (t->rank == 0 || t->dims[t->rank - 1] == units);
    *good = t && (row || t->elements == 1);
    if (!*good) {
        if (t)
            refuse(w, "with a bias that is not one number for each output", NULL);
        return NULL;
    }
    const float *from = scaled_floats(w, onnx_floats(t, w->arena), t->elements, by);
    if (row)
        return from;
    float *to = NEW_ARRAY(w->arena, float, units);
    for (int64_t i = 0; i < units; i++)
        to[i] = from[0];
    return to;
}

void onnx_gemm(Work *w)
{
    if (!tensor(w, 0))
        return;
    const OnnxTensor *t = floats_operand(w, 1, 2);
    if (!t || t->rank != 2)
        return;
    const bool transposed = attr_int(w, "transB", 0) != 0;
    const int64_t dims[] = {t->dims[!transposed], t->dims[transposed]};
    if (attr_int(w, "transA", 0)) {
        refuse(w, "with its operand transposed", NULL);
        return;
    }
    bool good;
    const float *bias = gemm_bias(w, dims[0], attr_float(w, "beta", 1), &good);
    Node *x = good ? vector(w, 0) : NULL;
    if (!x)
        return;
    Attrs a = ir_default_attrs(OP_DENSE);
    a.filters = (int)dims[0];
    a.bias = bias != NULL;
    Node *node = trained(w, OP_DENSE, &x, 1, &a);
    if (node &&
        builder_param(w->b, node, P_WEIGHT, w->node->in[1], 2, dims,
                      weights_of(w, t, transposed, attr_float(w, "alpha", 1))) &&
        bias)
        builder_param(w->b, node, P_BIAS, w->node->in[2], 1, dims, bias);
    const View view = node ? view_image(node->type, 2) : (View){0};
    give(w, 0, node, &view);
}

/* A product with the channels, which are the last axis: dense, or for pixels a 1x1 convolution. */
void onnx_matmul(Work *w)
{
    const Value *v = tensor(w, 0);
    const OnnxTensor *t = v ? floats_operand(w, 1, 2) : NULL;
    if (!t || t->rank != 2) {
        if (t)
            refuse(w, "with weights of another rank than 2", NULL);
        return;
    }
    const int last = v->view.rank - 1;
    View view = v->view;
    Node *x = v->node;
    /* A row of all numbers, or a row of channels for each pixel, as TensorFlow's Tensordot has it.
     */
    if (view.rank == 2 && !view_axis_is(&view, last, AXIS_C, x->type.c)) {
        x = vector(w, 0);
        if (!x)
            return;
        view = view_image(x->type, 2);
    }
    if (last < 0 || !view_axis_is(&view, last, AXIS_C, x->type.c)) {
        refuse(w, "of another axis than the channels", NULL);
        return;
    }
    const int64_t dims[] = {t->dims[1], t->dims[0]};
    const bool pixels = x->type.h > 1 || x->type.w > 1;
    Attrs a = ir_default_attrs(pixels ? OP_CONV : OP_DENSE);
    a.filters = (int)dims[0];
    a.kernel[0] = a.kernel[1] = 1;
    a.bias = false;
    Node *node = layer(w, pixels ? OP_CONV : OP_DENSE, &x, 1, &a);
    if (node)
        builder_param(w->b, node, P_WEIGHT, w->node->in[1], 2, dims, weights_of(w, t, false, 1));
    view_set_whole(&view, last, AXIS_C, dims[0]);
    give(w, 0, node, &view);
}

/* ---- normalisations ---- */

/* One that normalises a vector by its own mean and variance, as TensorFlow's fused one does for a
 * layer norm; false if it is none.  The node is refused if it normalises anything else. */
static bool normalises_itself(Work *w)
{
    const Value *v = operand(w, 0), *mean = operand(w, 3), *variance = operand(w, 4);
    const OnnxTensor *scale = known(w, 1), *shift = known(w, 2);
    if (!v || v->kind != VALUE_TENSOR || !mean || mean->kind != VALUE_TENSOR || !variance ||
        variance->kind != VALUE_TENSOR || !scale || !shift || scale->elements != 1 ||
        shift->elements != 1 || !scale->bytes || !shift->bytes || !onnx_type_real(scale->type) ||
        !onnx_type_real(shift->type) || *onnx_floats(scale, w->arena) != 1 ||
        *onnx_floats(shift, w->arena) != 0)
        return false;
    Node *node = normalised_row(w, v, mean->node, variance->node, attr_float(w, "epsilon", 1e-5));
    const View row = node ? view_image(node->type, 2) : (View){0};
    View view;
    if (node && view_reshaped(&row, v->view.rank, v->view.dims, &view))
        give(w, 0, node, &view);
    else
        refuse(w, "with a mean and a variance that it computes, but for those of a vector", NULL);
    return true;
}

void onnx_batch_normalization(Work *w)
{
    static const Role roles[] = {P_WEIGHT, P_BIAS, P_MEAN, P_VARIANCE};
    const Value *v = tensor(w, 0);
    if (!v)
        return;
    if (attr_int(w, "training_mode", 0)) {
        refuse(w, "in training mode, with the statistics of each batch",
               "export the model in evaluation mode: model.eval() before torch.onnx.export()");
        return;
    }
    if (normalises_itself(w))
        return;
    const int channels = view_channels(&v->view, v->node->type);
    if (channels != 1 && v->node->type.c > 1) {
        refuse(w, "over another axis than the channels", NULL);
        return;
    }
    const OnnxTensor *t[4];
    for (int i = 0; i < 4; i++) {
        t[i] = floats_operand(w, 1 + i, 1);
        if (!t[i])
            return;
    }
    Attrs a = ir_default_attrs(OP_BN);
    a.epsilon = decimal(attr_float(w, "epsilon", 1e-5));
    optional_params(w, &a);
    Node *node = trained(w, OP_BN, &v->node, 1, &a);
    for (int i = 0; i < 4; i++) {
        if (op_has_param(OP_BN, &a, roles[i]) &&
            !builder_param(w->b, node, roles[i], w->node->in[1 + i], t[i]->rank, t[i]->dims,
                           onnx_floats(t[i], w->arena)))
            break;
    }
    give(w, 0, node, &v->view);
}
