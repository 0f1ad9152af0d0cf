/* fold_bn.c: batch normalisation goes into the convolution or dense layer that
 * produces its operand.
 *
 *     bn(W * x + b) = (s W) * x + (b - mean) s + beta,
 *     s = gamma / sqrt(variance + epsilon), for each filter
 *
 * Legal when nobody else sees the layer's result, and nothing stands between the
 * two: no activation and no residual on the layer.  Computed in double and
 * rounded once.  A layer without bias gets one.  Where any parameter of the two
 * has no data the new ones have none either: the structure is the same.  A
 * normalisation behind anything else, or behind a layer with other users
 * (pre-activation networks, DenseNet), stays. */
#include "passes/pass.h"
#include "passes/rewrite.h"

#include <math.h>

static bool folds(const Rewrite *r, const Node *bn)
{
    if (bn->op != OP_BN)
        return false;
    const Node *layer = bn->in[0];
    return (layer->op == OP_CONV || layer->op == OP_DENSE) && layer->act == ACT_NONE &&
           layer->n_in == 1 && used_once(r, layer);
}

/* The data of all parameters of both is known. */
static bool have_data(const Node *layer, const Node *bn)
{
    for (int r = 0; r < P_ROLES; r++) {
        if ((layer->params[r] && !layer->params[r]->data) ||
            (bn->params[r] && !bn->params[r]->data))
            return false;
    }
    return true;
}

static Param *new_bias(Net *net, const Node *layer)
{
    Param *bias = NEW(net->arena, Param);
    bias->name = arena_printf(net->arena, "%s.%s", layer->name, role_name(layer, P_BIAS));
    bias->alias = bias->name;
    bias->role = P_BIAS;
    bias->rank = 1;
    bias->dims[0] = layer->attrs.filters;
    bias->place = layer->place;
    return bias;
}

static void fold_data(Net *net, Node *layer, const Node *bn)
{
    const float *old_weight = layer->params[P_WEIGHT]->data;
    const float *old_bias = layer->attrs.bias ? layer->params[P_BIAS]->data : NULL;
    const float *gamma = bn->params[P_WEIGHT]->data, *beta = bn->params[P_BIAS]->data;
    const float *mean = bn->params[P_MEAN]->data, *variance = bn->params[P_VARIANCE]->data;
    int filters = layer->attrs.filters;
    int64_t elements = param_elements(layer->params[P_WEIGHT]), taps = elements / filters;
    float *weight = NEW_ARRAY(net->arena, float, elements); /* [filters][taps] */
    float *bias = NEW_ARRAY(net->arena, float, filters);
    for (int f = 0; f < filters; f++) {
        double scale = gamma[f] / sqrt(variance[f] + bn->attrs.epsilon);
        for (int64_t i = f * taps; i < (f + 1) * taps; i++)
            weight[i] = (float)(old_weight[i] * scale);
        bias[f] = (float)(((old_bias ? (double)old_bias[f] : 0.0) - mean[f]) * scale + beta[f]);
    }
    layer->params[P_WEIGHT]->data = weight;
    layer->params[P_BIAS]->data = bias;
}

void pass_fold_bn(Net *net)
{
    Rewrite r = rewrite_begin(net);
    for (int i = 0; i < net->nodes.n; i++) {
        Node *bn = rewrite_at(&r, i);
        if (!folds(&r, bn))
            continue;
        Node *layer = bn->in[0];
        bool data = have_data(layer, bn);
        if (!layer->attrs.bias)
            layer->params[P_BIAS] = new_bias(net, layer);
        if (data) {
            fold_data(net, layer, bn);
        } else {
            layer->params[P_WEIGHT]->data = NULL;
            layer->params[P_BIAS]->data = NULL;
        }
        layer->attrs.bias = true;
        rewrite_take_over(&r, layer, bn);
    }
    rewrite_end(&r);
}
