/* onnx_affine.c: products with and sums of known numbers, one for each channel.
 *
 * They become what says them best: the bias of a convolution before them, `normalize` after an
 * input, else `affine` or `scale`.  Several in a row are one. */
#include "import/onnx_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double decimal(double number)
{
    const float x = (float)number;
    for (int i = 1; i <= 2; i++) { /* 1/255 and 1/127.5 */
        if (x == (float)(i / 255.0))
            return i / 255.0;
    }
    for (int digits = 6; digits < 9; digits++) {
        char text[32];
        snprintf(text, sizeof text, "%.*g", digits, (double)x);
        const double value = strtod(text, NULL), whole = round(1 / (double)x);
        if ((float)value == x)
            return value;
        if (digits == 6 && whole > 1 && whole < 1e4 && x == (float)(1 / whole))
            return 1 / whole; /* a quotient by a whole number */
    }
    return number;
}

/* The shortest decimal whose inverse is this float. */
static double inverse(float x)
{
    for (int digits = 2; digits < 9; digits++) {
        char text[32];
        snprintf(text, sizeof text, "%.*g", digits, 1 / (double)x);
        const double value = strtod(text, NULL);
        if (1 / (float)value == x)
            return value;
    }
    return 1 / (double)x;
}

const Channelwise *channelwise_of(const Work *w, const Node *node)
{
    return node->id < w->affine.n ? w->affine.at[node->id] : NULL;
}

static void record(Work *w, const Node *node, const Channelwise *a)
{
    while (w->affine.n <= node->id)
        VEC_PUSH(w->arena, &w->affine, NULL);
    w->affine.at[node->id] = NEW(w->arena, Channelwise);
    *w->affine.at[node->id] = *a;
}

static bool all_are(const float *at, int n, float value)
{
    for (int i = 0; i < n; i++) {
        if (at[i] != value)
            return false;
    }
    return true;
}

/* ---- the bias of a layer ---- */

/* conv or dense once more with a bias, if it has none; NULL if it has, or is something else. */
static Node *with_bias(Work *w, const Node *node, const float *bias)
{
    if ((node->op != OP_CONV && node->op != OP_DENSE) || node->attrs.bias)
        return NULL;
    Attrs a = node->attrs;
    const Param *weights = node->params[P_WEIGHT];
    a.bias = true;
    Node *more = builder_add(w->b, node->op, node->in, node->n_in, &a, node->name);
    if (!more)
        return NULL;
    param_set_floats(more->params[P_WEIGHT], weights->data);
    param_set_floats(more->params[P_BIAS], bias);
    return more;
}

/* ---- the weight and bias of a normalisation, the divisor of a mean ---- */

/* A normalisation once more with the factors as its weight or the summands as its bias, which it
 * lacks; NULL if it has them, or is something else. */
static Node *with_params(Work *w, const Node *node, const float *scale, const float *shift)
{
    const int c = node->type.c;
    Attrs a = node->attrs;
    const bool norm = node->op == OP_GROUP_NORM || node->op == OP_INSTANCE_NORM ||
                      (node->op == OP_LAYER_NORM && a.over == OVER_CHANNELS);
    const bool gain = !a.gain && !a.centre && all_are(shift, c, 0) && !all_are(scale, c, scale[0]);
    const bool centre = !a.centre && all_are(scale, c, 1) && !all_are(shift, c, shift[0]);
    if (!norm || (!gain && !centre))
        return NULL;
    a.gain = a.gain || gain;
    a.centre = centre;
    Node *more = builder_add(w->b, node->op, node->in, node->n_in, &a, node->name);
    if (more && a.gain)
        param_set_floats(more->params[P_WEIGHT], gain ? scale : node->params[P_WEIGHT]->data);
    if (more && centre)
        param_set_floats(more->params[P_BIAS], shift);
    return more;
}

/* The mean of windows times a number, as their sum over a whole number; NULL if it is none. */
static Node *with_divisor(Work *w, const Node *node, double by)
{
    Attrs a = node->attrs;
    if (node->op != OP_AVGPOOL || a.divisor || a.ceil_mode || !a.count_padding || !(by > 0))
        return NULL;
    const double divisor = (double)a.kernel[0] * a.kernel[1] / by;
    if (!(divisor >= 1 && divisor <= 1 << 24) || fabs(divisor - round(divisor)) > 1e-6 * divisor)
        return NULL;
    a.divisor = (int)round(divisor);
    return builder_add(w->b, OP_AVGPOOL, node->in, 1, &a, node->name);
}

/* ---- normalize ---- */

static Reals reals(Work *w, const double *at, int n)
{
    bool same = true;
    for (int i = 1; i < n; i++)
        same = same && at[i] == at[0];
    double *to = NEW_ARRAY(w->arena, double, n);
    memcpy(to, at, (size_t)n * sizeof *at);
    return (Reals){to, same ? 1 : n};
}

static double real_at(Reals r, int i)
{
    return r.at[r.n == 1 ? 0 : i];
}

/* (x * s - mean) / std followed by * scale + shift, as the same with other numbers; false if it is
 * nothing that normalize says. */
static bool renormalized(Attrs *a, Work *w, int c, const float *scale, const float *shift)
{
    double *mean = NEW_ARRAY(w->arena, double, c), *std = NEW_ARRAY(w->arena, double, c);
    bool first = true, no_std = true, no_scale = true, no_shift = true, uniform = true;
    for (int i = 0; i < c; i++) {
        mean[i] = real_at(a->mean, i);
        std[i] = real_at(a->std, i);
        first = first && mean[i] == 0 && std[i] == 1;
        no_std = no_std && std[i] == 1;
        no_scale = no_scale && scale[i] == 1;
        no_shift = no_shift && shift[i] == 0;
        uniform = uniform && scale[i] == scale[0];
    }
    if (first && uniform && no_shift) {
        a->scale *= decimal((double)scale[0]);
        return true;
    }
    for (int i = 0; i < c; i++) {
        if (no_std && no_scale)
            mean[i] -= decimal((double)shift[i]);
        else if (no_shift)
            std[i] *= inverse(scale[i]);
        else {
            const double by = (double)scale[i] * a->scale / std[i];
            mean[i] = real_at(a->mean, i) / a->scale - (double)shift[i] / by;
            std[i] = 1 / by;
        }
        if (!(std[i] >= 1e-6 && std[i] <= 1e6) || mean[i] < -1e6 || mean[i] > 1e6)
            return false;
    }
    if (!(no_std && no_scale) && !no_shift)
        a->scale = 1;
    a->mean = reals(w, mean, c);
    a->std = reals(w, std, c);
    return true;
}

/* NULL if the tensor is not an input, or normalize cannot say it. */
static Node *normalized(Work *w, Node *x, const float *scale, const float *shift)
{
    Attrs a = ir_default_attrs(OP_NORMALIZE);
    static const double zero = 0, one = 1;
    if (x->op == OP_NORMALIZE) {
        a = x->attrs;
        x = x->in[0];
    } else if (x->op == OP_INPUT) {
        a.scale = 1;
        a.mean = (Reals){&zero, 1};
        a.std = (Reals){&one, 1};
    } else {
        return NULL;
    }
    return renormalized(&a, w, x->type.c, scale, shift)
               ? builder_add(w->b, OP_NORMALIZE, &x, 1, &a, NULL)
               : NULL;
}

/* ---- other layers ---- */

/* `affine` where the number is the same for all channels, which the text then says; else `scale`,
 * whose numbers are in the weights. */
static Node *factor_layer(Work *w, Node *x, const float *scale, const float *shift)
{
    const int64_t c = x->type.c;
    const int n = (int)c;
    if (all_are(scale, n, scale[0]) && all_are(shift, n, shift[0]) && fabsf(scale[0]) <= 1e6f &&
        fabsf(shift[0]) <= 1e6f) {
        Attrs a = ir_default_attrs(OP_AFFINE);
        const double by = decimal((double)scale[0]), plus = decimal((double)shift[0]);
        a.factor = reals(w, &by, 1);
        a.addend = reals(w, &plus, 1);
        return layer(w, OP_AFFINE, &x, 1, &a);
    }
    Attrs a = ir_default_attrs(OP_SCALE);
    a.gain = !all_are(scale, n, 1);
    a.bias = !all_are(shift, n, 0);
    Node *node = layer(w, OP_SCALE, &x, 1, &a);
    if (node && a.gain)
        builder_param(w->b, node, P_WEIGHT, w->node->name, 1, &c, scale);
    if (node && a.bias)
        builder_param(w->b, node, P_BIAS, w->node->name, 1, &c, shift);
    return node;
}

Node *channelwise(Work *w, Node *x, const float *scale, const float *shift, bool alone)
{
    const int c = x->type.c;
    if (all_are(scale, c, 1) && all_are(shift, c, 0))
        return x;
    const bool uniform = all_are(scale, c, scale[0]) && all_are(shift, c, shift[0]);
    Channelwise made = {x, scale, shift, x, uniform, (double)scale[0], (double)shift[0]};
    Node *node = alone && all_are(scale, c, 1) ? with_bias(w, x, shift) : NULL;
    if (node)
        return node;
    if (alone)
        node = with_params(w, x, scale, shift);
    if (!node && alone && uniform && shift[0] == 0)
        node = with_divisor(w, x, (double)scale[0]);
    if (node)
        return node;
    node = normalized(w, x, scale, shift);
    if (node) {
        record(w, node, &made);
        return node;
    }
    const Channelwise *before = channelwise_of(w, x);
    if (before && (x->op == OP_AFFINE || x->op == OP_SCALE)) {
        float *s = NEW_ARRAY(w->arena, float, c), *t = NEW_ARRAY(w->arena, float, c);
        for (int i = 0; i < c; i++) {
            s[i] = scale[i] * before->scale[i];
            t[i] = scale[i] * before->shift[i] + shift[i];
        }
        made.in = before->in;
        made.scale = s;
        made.shift = t;
        if (all_are(s, c, 1) && all_are(t, c, 0))
            return before->in;
    }
    node = factor_layer(w, made.in, made.scale, made.shift);
    if (node)
        record(w, node, &made);
    return node;
}

bool near(double a, double b)
{
    return fabs(a - b) <= 1e-4 * fabs(b);
}

bool is_channelwise(const Work *w, const Node *node, const Node *x, double by, double plus)
{
    const Channelwise *a = channelwise_of(w, node);
    return a && a->uniform && (!x || a->from == x) && near(a->by, by) && near(a->plus, plus);
}
