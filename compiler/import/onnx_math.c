/* onnx_math.c: operators of ONNX that work element by element.
 *
 * Exporters take activations to pieces: x * sigmoid(x) is `silu`, x * clip(x + 3, 0, 6) / 6
 * `hard_swish`, and so on.  They are put together again when the last piece comes; nothing uses the
 * others then, and they are dropped. */
#include "import/onnx_parts.h"

#include <limits.h>
#include <math.h>

/* ---- activations that were taken to pieces ---- */

/* The x of clip(x + 3, 0, 6), or NULL. */
static Node *shifted_relu6(const Work *w, const Node *node)
{
    const bool is = node->op == OP_RELU6 && is_channelwise(w, node->in[0], NULL, 1, 3);
    return is ? channelwise_of(w, node->in[0])->from : NULL;
}

/* clip(x + 3, 0, 6) / 6, and x times that; NULL if x * by is neither. */
static Node *sixth(Work *w, Node *node, double by)
{
    if (!near(by, 1.0 / 6))
        return NULL;
    Node *x = shifted_relu6(w, node);
    if (x)
        return simple(w, OP_HARD_SIGMOID, x);
    for (int i = 0; node->op == OP_MUL && node->n_in == 2 && i < 2; i++) {
        x = shifted_relu6(w, node->in[i]);
        if (x && x == node->in[1 - i])
            return simple(w, OP_HARD_SWISH, x);
    }
    return NULL;
}

/* x times a gate that is computed of x; NULL if it is no such gate. */
static Node *gated(Work *w, Node *x, const Node *gate)
{
    if (gate->op == OP_TANH && gate->in[0]->op == OP_SOFTPLUS && gate->in[0]->in[0] == x)
        return simple(w, OP_MISH, x);
    if (gate->n_in != 1 || gate->in[0] != x)
        return NULL;
    switch (gate->op) {
    case OP_SIGMOID:
        return simple(w, OP_SILU, x);
    case OP_HARD_SIGMOID:
        return near(gate->attrs.alpha, 1.0 / 6) && gate->attrs.beta == 0.5
                   ? simple(w, OP_HARD_SWISH, x)
                   : NULL;
    default:
        return NULL;
    }
}

static float *filled(Work *w, int n, double value)
{
    float *at = NEW_ARRAY(w->arena, float, n);
    for (int i = 0; i < n; i++)
        at[i] = (float)value;
    return at;
}

Node *scaled(Work *w, Node *x, double by)
{
    return channelwise(w, x, filled(w, x->type.c, by), filled(w, x->type.c, 0), false);
}

/* A product with gain * (erf(x / sqrt 2) + 1): gelu, if the other factor is x. */
static bool erf_product(Work *w, const Value *erf, const Value *other)
{
    View view;
    if (other->kind != VALUE_TENSOR || erf->shift != 1 || !near(erf->factor, sqrt(0.5)) ||
        !common_view(erf, other, &view))
        return false;
    const Channelwise *a = channelwise_of(w, other->node);
    double by = 1;
    if (other->node != erf->node) {
        if (!a || !a->uniform || a->from != erf->node || a->plus != 0)
            return false;
        by = a->by;
    }
    Node *gelu = simple(w, OP_GELU, erf->node);
    give(w, 0, gelu ? scaled(w, gelu, by * erf->gain * 2) : NULL, &view);
    return true;
}

/* The node of which this is a multiple, the same for all channels, or the node itself. */
static void multiple_of(const Work *w, Node *node, Node **of, double *by)
{
    const Channelwise *a = channelwise_of(w, node);
    bool is = a != NULL;
    for (int i = 0; is && i < node->type.c; i++)
        is = a->scale[i] == a->scale[0] && a->shift[i] == 0;
    *of = is ? a->in : node;
    *by = is ? (double)a->scale[0] : 1;
}

/* erf(sign * operand) + shift, up to the step that makes a gelu of it. */
static void give_erf(Work *w, double sign, double shift)
{
    const Value *v = tensor(w, 0);
    Value *to = result(w, 0);
    if (!v || !to)
        return;
    give_same(w, 0, v);
    to->kind = VALUE_ERF;
    multiple_of(w, v->node, &to->node, &to->factor);
    to->factor *= sign;
    to->gain = 1;
    to->shift = shift;
    to->why =
        "there is no such operator in rnc, but for x * (1 + erf(x / sqrt 2)) / 2, which is gelu";
}

void onnx_erf(Work *w)
{
    give_erf(w, 1, 0);
}

/* No operator of ONNX, but tf2onnx writes it: 1 - erf(x) = 1 + erf(-x). */
void onnx_erfc(Work *w)
{
    give_erf(w, -1, 1);
}

/* ---- known operands ---- */

/* Before set 7, `axis` says which axis of the other operand the first one of this is. */
static const OnnxTensor *aligned(Work *w, const Value *v, const OnnxTensor *t)
{
    const bool slopes = str_eq(w->node->op, "PRelu") && t && t->elements > 1;
    const int64_t axis = attr_int(w, "axis", slopes ? 1 : -1);
    if (!t || w->model->opset >= 7 || axis < 0 || axis >= v->view.rank - t->rank)
        return t;
    OnnxTensor *to = NEW(w->arena, OnnxTensor);
    *to = *t;
    while (axis + to->rank < v->view.rank)
        to->dims[to->rank++] = 1;
    return to;
}

/* The numbers of operand i, which has extents of 1 but for the channels of v, one for each channel;
 * NULL if they differ from pixel to pixel. */
static const float *per_channel(Work *w, const Value *v, int i)
{
    return numbers_per_channel(w, v, aligned(w, v, known(w, i)));
}

const float *numbers_per_channel(Work *w, const Value *v, const OnnxTensor *t)
{
    if (!t || !t->bytes || t->elements == 0 || t->rank > v->view.rank ||
        (!onnx_type_real(t->type) && !onnx_type_whole(t->type)))
        return NULL;
    const int c = v->node->type.c;
    const float *from;
    if (onnx_type_whole(t->type)) {
        const int64_t *ints = onnx_ints(t, w->arena);
        float *floats = NEW_ARRAY(w->arena, float, t->elements);
        for (int64_t k = 0; k < t->elements; k++)
            floats[k] = (float)ints[k];
        from = floats;
    } else {
        from = onnx_floats(t, w->arena);
    }
    bool same = true;
    for (int64_t k = 1; k < t->elements; k++)
        same = same && from[k] == from[0];
    const int channels = view_channels(&v->view, v->node->type) - (v->view.rank - t->rank);
    for (int k = 0; k < t->rank; k++) {
        const int64_t extent = t->dims[k], own = v->view.dims[v->view.rank - t->rank + k];
        if (extent != 1 && (extent != own || (k != channels && !same)))
            return NULL;
    }
    return same ? filled(w, c, (double)from[0]) : from;
}

/* tensor * scale + shift, where operand `i` is the tensor and the other one known. */
static void with_known(Work *w, int i, bool product, double sign)
{
    Value *v = operand(w, i);
    const int c = v->node->type.c;
    const float *at = per_channel(w, v, 1 - i);
    if (!at) {
        refuse(w, "with known numbers that are not one for each channel",
               "rnc has no operand of numbers that differ from pixel to pixel");
        return;
    }
    const float *scale = product ? at : filled(w, c, i == 1 && sign < 0 ? -1 : 1);
    float *shift = filled(w, c, 0);
    for (int k = 0; !product && k < c; k++)
        shift[k] = i == 0 ? (float)sign * at[k] : at[k];
    bool same = true;
    for (int k = 1; k < c; k++)
        same = same && scale[k] == scale[0];
    Node *node = product && same ? sixth(w, v->node, (double)scale[0]) : NULL;
    if (!node)
        node = channelwise(w, v->node, scale, shift, v->users == 1);
    give(w, 0, node, &v->view);
}

/* Of erf a sum with 1 and a product with a number go on; false if it is something else. */
static bool erf_with_known(Work *w, int i, bool product)
{
    const OnnxTensor *t = known(w, 1 - i);
    Value *to = result(w, 0);
    if (!to || !t || t->elements != 1 || !t->bytes || !onnx_type_real(t->type))
        return false;
    const double number = (double)*onnx_floats(t, w->arena);
    give_same(w, 0, operand(w, i));
    if (product)
        to->gain *= number;
    else
        to->shift += number / to->gain;
    return true;
}

/* ---- sums and products ---- */

bool common_view(const Value *a, const Value *b, View *to)
{
    const bool more = b->view.rank > a->view.rank;
    const View *wide = more ? &b->view : &a->view, *narrow = more ? &a->view : &b->view;
    View same = *narrow;
    while (same.rank < wide->rank)
        same = view_with(&same, 0);
    *to = (View){0};
    View joined = *wide;
    for (int i = 0; i < wide->rank; i++) {
        if (same.dims[i] == 1 || view_same_axis(wide, i, &same, i))
            continue;
        if (wide->dims[i] != 1)
            return false;
        view_set_axis(&joined, i, &same, i);
    }
    *to = joined;
    return true;
}

static bool is_erf(const Value *v)
{
    return v && v->kind == VALUE_ERF;
}

const Value *channels_again(Work *w, const Value *v)
{
    const Type t = v->node->type;
    Value *to = NEW(w->arena, Value);
    const int64_t all = (int64_t)t.c * t.h * t.w;
    if (t.c > 1 || all == 1 || v->view.rank != 4 || v->view.dims[0] != t.n ||
        v->view.dims[1] != all)
        return v;
    *to = *v;
    to->node = flat(w, v);
    if (!to->node)
        return v;
    to->view = view_image(to->node->type, 4);
    return to;
}

/* Operand i of two: a tensor, or pixels that Expand has brought to the size of the other operand,
 * as the join does.  NULL after refusing the node. */
static const Value *joined(Work *w, int i)
{
    const Value *v = operand(w, i), *other = operand(w, 1 - i);
    const bool spread = v && v->kind == VALUE_SPREAD && other && other->kind == VALUE_TENSOR &&
                        has_spread_shape(w, &other->view, v->spread);
    return spread ? v : tensor(w, i);
}

/* Pixels of one channel as the channels of one pixel that lie alike for ONNX: a vector that was
 * taken for an image; and channels of one pixel that lie in another order, in that.  v itself if it
 * is none of these. */
static const Value *vector_again(Work *w, const Value *v)
{
    const Type t = v->node->type;
    Value *to = NEW(w->arena, Value);
    *to = *v;
    const bool row = t.c == 1 && (t.h > 1 || t.w > 1);
    to->node = row ? flat(w, v) : view_order(&v->view, t) < 0 ? numbers_in_order(w, v) : NULL;
    const View view = to->node ? view_image(to->node->type, 2) : (View){0};
    return to->node && view_reshaped(&view, v->view.rank, v->view.dims, &to->view) ? to : v;
}

/* The same with one of two tensors as a vector; false if they still do not lie alike. */
static bool common_vector(Work *w, const Value **a, const Value **b, View *view)
{
    const Value *x = vector_again(w, *a), *y = vector_again(w, *b);
    if (!common_view(x, *b, view) && !common_view(*a, y, view))
        return false;
    if (common_view(x, *b, view))
        *a = x;
    else
        *b = y;
    return common_view(*a, *b, view);
}

/* A join of two tensors. */
static void join(Work *w, Op op)
{
    const Value *a = joined(w, 0), *b = a ? joined(w, 1) : NULL;
    if (b) {
        a = channels_again(w, a);
        b = channels_again(w, b);
    }
    View view;
    if (!b)
        return;
    if (!common_view(a, b, &view) && !common_vector(w, &a, &b, &view)) {
        refuse(w, "of tensors whose axes rnc has in different orders", NULL);
        return;
    }
    Node *node = NULL;
    if (op == OP_MUL)
        node = gated(w, a->node, b->node);
    if (op == OP_MUL && !node)
        node = gated(w, b->node, a->node);
    Node *const in[] = {a->node, b->node};
    const Attrs attrs = ir_default_attrs(op);
    if (!node)
        node = layer(w, op, in, 2, &attrs);
    give(w, 0, node, &view);
}

/* Which operand is known if one is and the other is a tensor; -1 if neither. */
static int known_operand(Work *w)
{
    for (int i = 0; i < 2; i++) {
        const Value *other = operand(w, 1 - i);
        if (known(w, i) && other && (other->kind == VALUE_TENSOR || is_erf(other)))
            return i;
    }
    return -1;
}

void onnx_add(Work *w)
{
    const int k = known_operand(w);
    if (part_of_sum(w))
        return;
    if (k >= 0 && is_erf(operand(w, 1 - k)) && erf_with_known(w, 1 - k, false))
        return;
    if (k >= 0 && !is_erf(operand(w, 1 - k)))
        with_known(w, 1 - k, false, 1);
    else
        join(w, OP_ADD);
}

void onnx_mul(Work *w)
{
    const int k = known_operand(w);
    if (part_of_product(w) || by_root(w, 0, true) || by_root(w, 1, true))
        return;
    const Value *a = operand(w, 0), *b = operand(w, 1);
    if (k >= 0 && is_erf(operand(w, 1 - k)) && erf_with_known(w, 1 - k, true))
        return;
    if (a && b && ((is_erf(a) && erf_product(w, a, b)) || (is_erf(b) && erf_product(w, b, a))))
        return;
    if (k >= 0 && !is_erf(operand(w, 1 - k)))
        with_known(w, 1 - k, true, 1);
    else
        join(w, OP_MUL);
}

void onnx_sub(Work *w)
{
    const int k = known_operand(w);
    if (part_of_difference(w))
        return;
    if (k >= 0 && !is_erf(operand(w, 1 - k)))
        with_known(w, 1 - k, false, -1);
    else
        join(w, OP_SUB);
}

void onnx_div(Work *w)
{
    const OnnxTensor *t = known(w, 1);
    const Value *v = operand(w, 0);
    if (inverse_root(w) || by_root(w, 0, false))
        return;
    if (!t || !v || v->kind != VALUE_TENSOR) {
        join(w, OP_DIV);
        return;
    }
    const float *from = per_channel(w, v, 1);
    const int c = v->node->type.c;
    float *scale = filled(w, c, 1);
    bool good = from != NULL;
    for (int i = 0; good && i < c; i++) {
        good = from[i] != 0;
        scale[i] = 1 / from[i];
    }
    if (!good) {
        refuse(w, "by known numbers that are not one for each channel, or are zero", NULL);
        return;
    }
    Node *node = scale[0] == scale[c - 1] ? sixth(w, v->node, (double)scale[0]) : NULL;
    if (!node)
        node = channelwise(w, v->node, scale, filled(w, c, 0), v->users == 1);
    give(w, 0, node, &v->view);
}

/* The slopes are one for each channel, or one for all. */
void onnx_prelu(Work *w)
{
    const Value *v = tensor(w, 0);
    const OnnxTensor *t = known(w, 1);
    const float *slopes = v && t && t->elements <= INT_MAX ? per_channel(w, v, 1) : NULL;
    if (!slopes) {
        if (v)
            refuse(w, "with slopes that are not one for each channel", NULL);
        return;
    }
    Attrs a = ir_default_attrs(OP_PRELU);
    a.shared = t->elements == 1 && v->node->type.c > 1;
    const int64_t n = a.shared ? 1 : v->node->type.c;
    Node *node = trained(w, OP_PRELU, &v->node, 1, &a);
    builder_param(w->b, node, P_WEIGHT, w->node->in[1], 1, &n, slopes);
    give(w, 0, node, &v->view);
}

void onnx_neg(Work *w)
{
    const Value *v = tensor(w, 0);
    if (v)
        give(w, 0, scaled(w, v->node, -1), &v->view);
}

Node **all_operands(Work *w, View *view)
{
    const int n = w->node->n_in;
    Node **in = NEW_ARRAY(w->arena, Node *, n + 1);
    for (int i = 0; i < n; i++) {
        const Value *v = tensor(w, i);
        if (!v)
            return NULL;
        Value so_far = *v;
        so_far.view = *view;
        if (i == 0)
            *view = v->view;
        else if (!common_view(&so_far, v, view)) {
            refuse(w, "of tensors whose axes rnc has in different orders", NULL);
            return NULL;
        }
        in[i] = v->node;
    }
    return in;
}

static void sum(Work *w, bool mean)
{
    const int n = w->node->n_in;
    View view = {0};
    if (n == 1) {
        onnx_identity(w);
        return;
    }
    Node **in = all_operands(w, &view);
    const Attrs attrs = ir_default_attrs(OP_ADD);
    Node *node = in ? layer(w, OP_ADD, in, n, &attrs) : NULL;
    if (in)
        give(w, 0, node && mean ? scaled(w, node, 1.0 / n) : node, &view);
}

void onnx_sum(Work *w)
{
    sum(w, false);
}

void onnx_mean(Work *w)
{
    sum(w, true);
}
