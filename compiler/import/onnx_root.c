/* onnx_root.c: square roots, of which rnc has only those in its normalisations: what exporters
 * write step by step is put together when the quotient comes.
 *
 *     x / max(sqrt(sum of x^2), epsilon)              l2_normalize
 *     d / sqrt(mean of d^2 + epsilon), d = x - mean   layer_norm, instance_norm
 *
 * The steps before it are layers like any others, and dropped if nothing else needs them. */
#include "import/onnx_parts.h"

#include <math.h>

enum { POWER_MOST = 4 };

static bool is_root(const Value *v)
{
    return v && v->kind == VALUE_ROOT;
}

Node *power(Work *w, Node *x, int n)
{
    Node *const in[POWER_MOST] = {x, x, x, x};
    const Attrs a = ir_default_attrs(OP_MUL);
    return layer(w, OP_MUL, in, n, &a);
}

/* The result is the root of `node`, seen through `view`. */
static void give_root(Work *w, Node *node, const View *view)
{
    Value *to = result(w, 0);
    give(w, 0, node, view);
    if (!node || !to)
        return;
    to->kind = VALUE_ROOT;
    to->least = 0;
    to->inverse = false;
    to->spread = NULL;
    to->why = "there is no such operator in rnc, but for the root that a normalisation divides by";
}

void onnx_sqrt(Work *w)
{
    const Value *v = tensor(w, 0);
    if (v)
        give_root(w, v->node, &v->view);
}

/* The known exponent of Pow; false after refusing the node. */
static bool exponent(Work *w, double *to)
{
    const OnnxTensor *t = known(w, 1);
    if (t && t->elements == 1 && t->bytes && onnx_type_real(t->type))
        *to = (double)*onnx_floats(t, w->arena);
    else if (t && t->elements == 1 && t->bytes && onnx_type_whole(t->type))
        *to = (double)*onnx_ints(t, w->arena);
    else {
        refuse(w, "with an exponent that is no known number", NULL);
        return false;
    }
    return true;
}

void onnx_pow(Work *w)
{
    const Value *v = tensor(w, 0);
    double to;
    if (!v || !exponent(w, &to))
        return;
    if (to == 1)
        give_same(w, 0, v);
    else if (to == 2 || to == 3 || to == POWER_MOST)
        give(w, 0, power(w, v->node, (int)to), &v->view);
    else if (to == 0.5)
        onnx_sqrt(w);
    else
        refuse(w, arena_printf(w->arena, "with the exponent %g", to),
               "rnc has products: the powers 2, 3 and 4");
}

void onnx_reduce_l2(Work *w)
{
    const Value *v = tensor(w, 0);
    View view;
    if (!v)
        return;
    const Type t = v->node->type;
    Node *x = power(w, v->node, 2);
    Node *sum = x ? reduced(w, x, REDUCE_SUM, &view) : NULL;
    if (sum == x && type_elements(t) > 0) /* over extents of 1: |x| */
        refuse(w, "over axes of one element", NULL);
    else
        give_root(w, sum, &view);
}

void onnx_reciprocal(Work *w)
{
    const Value *v = operand(w, 0);
    Value *to = result(w, 0);
    if (is_root(v) && !v->inverse && to) {
        give_same(w, 0, v);
        to->inverse = true;
    } else if (v) {
        refuse(w, v->kind == VALUE_TENSOR ? "of anything but the root of a normalisation" : NULL,
               NULL);
    }
}

bool root_at_least(Work *w, double least)
{
    const Value *v = operand(w, 0);
    Value *to = result(w, 0);
    if (!is_root(v) || v->inverse || !to || !(least >= 0 && least <= 1))
        return false;
    give_same(w, 0, v);
    to->least = fmax(v->least, least);
    return true;
}

bool root_spread(Work *w)
{
    const Value *v = operand(w, 0);
    const OnnxTensor *shape = known(w, 1);
    Value *to = result(w, 0);
    if (!is_root(v) || v->spread || !to || !shape || !shape->bytes || !onnx_type_whole(shape->type))
        return false;
    give_same(w, 0, v);
    to->spread = shape;
    return true;
}

bool has_spread_shape(Work *w, const View *view, const OnnxTensor *shape)
{
    const int64_t *dims = shape ? onnx_ints(shape, w->arena) : NULL;
    bool same = !shape || shape->elements == view->rank;
    for (int i = 0; same && shape && i < view->rank; i++)
        same = dims[i] == view->dims[i];
    return same;
}

/* ---- normalisations ---- */

/* Whether `node` is the mean of all pixels of its operand, as a pool: of one window without
 * padding, and with no other divisor, which a factor after it may have become. */
static bool is_global_mean(const Node *node)
{
    const Attrs *a = &node->attrs;
    return node->op == OP_AVGPOOL && a->kernel[0] == node->in[0]->type.h &&
           a->kernel[1] == node->in[0]->type.w && !a->padding[0] && !a->padding[1] &&
           !a->padding[2] && !a->padding[3] && !a->divisor;
}

/* Whether `node` is the sum, or the mean, of the squares of x; sets what it goes over. */
static bool of_squares(const Node *node, const Node *x, bool mean, Over *over)
{
    const bool global = mean && is_global_mean(node);
    if (!global &&
        (node->op != OP_REDUCE || node->attrs.reduction != (mean ? REDUCE_MEAN : REDUCE_SUM)))
        return false;
    *over = global ? OVER_SPACE : node->attrs.over;
    const Node *square_of = node->in[0];
    return square_of->op == OP_MUL && square_of->n_in == 2 && square_of->in[0] == x &&
           square_of->in[1] == x;
}

/* Whether d is x minus its mean over the same. */
static bool is_centred(const Node *d, Over over)
{
    if (d->op != OP_SUB)
        return false;
    const Node *x = d->in[0], *mean = d->in[1];
    const bool global = over == OVER_SPACE && is_global_mean(mean);
    return mean->in[0] == x && (global || (mean->op == OP_REDUCE && mean->attrs.over == over &&
                                           mean->attrs.reduction == REDUCE_MEAN));
}

/* d divided by the root, if d is x minus its mean and the root that of the mean of d^2. */
static Node *by_deviation(Work *w, const Node *d, const Value *root)
{
    const Channelwise *more = channelwise_of(w, root->node);
    const bool added = more && more->uniform && more->by == 1;
    const Node *mean = added ? more->from : root->node;
    Over over;
    if (root->least > 0 || !of_squares(mean, d, true, &over) || !is_centred(d, over) ||
        over == OVER_HEIGHT || over == OVER_WIDTH)
        return NULL;
    const Op op = over == OVER_SPACE ? OP_INSTANCE_NORM : OP_LAYER_NORM;
    Attrs a = ir_default_attrs(op);
    a.over = over;
    a.epsilon = added ? decimal(more->plus) : 0;
    a.gain = a.centre = false;
    return layer(w, op, &d->in[0], 1, &a);
}

Node *normalised(Work *w, Node *x, const Node *mean, const Value *root)
{
    const Channelwise *more = channelwise_of(w, root->node);
    const Node *squares = more ? more->from : root->node;
    const Node *product = squares->n_in == 1 ? squares->in[0] : NULL;
    const Node *d = product && product->op == OP_MUL ? product->in[0] : NULL;
    return d && d->op == OP_SUB && d->in[0] == x && d->in[1] == mean ? by_deviation(w, d, root)
                                                                     : NULL;
}

Node *normalised_row(Work *w, const Value *v, const Node *mean, const Node *variance,
                     double epsilon)
{
    const Node *x = v->node;
    const Channelwise *part = channelwise_of(w, variance);
    const Node *sum = part && part->uniform && part->plus == 0 ? part->from : NULL;
    const Node *product = sum && sum->n_in == 1 ? sum->in[0] : NULL;
    const Node *d = product && product->op == OP_MUL ? product->in[0] : NULL;
    Over over;
    if (!d || d->op != OP_SUB || d->in[0] != x || d->in[1] != mean ||
        !of_squares(sum, d, false, &over) || !is_centred(d, over) || x->type.c != 1 ||
        over != OVER_SPACE || x->op != OP_UNFLATTEN || !near(part->by * x->type.h * x->type.w, 1))
        return NULL;
    Attrs a = ir_default_attrs(OP_LAYER_NORM);
    a.epsilon = decimal(epsilon);
    a.gain = a.centre = false;
    /* The mean is that of the numbers in any order. */
    Node *row = view_order(&v->view, x->type) < 0 ? numbers_in_order(w, v) : x->in[0];
    return row ? layer(w, OP_LAYER_NORM, &row, 1, &a) : NULL;
}

/* TensorFlow bounds the sum before the root. */
static Node *by_length(Work *w, Node *x, const Value *root)
{
    Attrs a = ir_default_attrs(OP_L2_NORM);
    const Node *sum = root->node;
    double least = root->least;
    if (sum->op == OP_CLIP && sum->attrs.alpha > 0 && isinf(sum->attrs.beta)) {
        least = fmax(least, sqrt(sum->attrs.alpha));
        sum = sum->in[0];
    }
    if (!of_squares(sum, x, false, &a.over) || (a.over != OVER_CHANNELS && a.over != OVER_IMAGE) ||
        least > 1)
        return NULL;
    a.epsilon = decimal(least);
    return layer(w, OP_L2_NORM, &x, 1, &a);
}

bool by_root(Work *w, int i, bool inverse)
{
    const Value *v = operand(w, i), *root = operand(w, 1 - i);
    View view;
    if (!is_root(root))
        return false;
    if (!v || v->kind != VALUE_TENSOR || root->inverse != inverse || !common_view(v, root, &view) ||
        !has_spread_shape(w, &v->view, root->spread)) {
        refuse(w, NULL, NULL);
        return true;
    }
    Node *node = by_length(w, v->node, root);
    if (!node)
        node = by_deviation(w, v->node, root);
    if (node)
        give(w, 0, node, &view);
    else
        refuse(w, NULL, NULL);
    return true;
}

bool inverse_root(Work *w)
{
    const OnnxTensor *t = known(w, 0);
    const Value *v = operand(w, 1);
    Value *to = result(w, 0);
    if (!is_root(v) || v->inverse || !to || !t || t->elements != 1 || !t->bytes ||
        !onnx_type_real(t->type) || *onnx_floats(t, w->arena) != 1)
        return false;
    give_same(w, 0, v);
    to->inverse = true;
    return true;
}
