/* onnx_value.c: what the rules of operators ask of the node at hand, and what they give. */
#include "import/onnx_parts.h"

/* ---- values ---- */

Value *value_named(Work *w, const char *name)
{
    const NameEntry *entry = *name ? table_find(&w->names, name) : NULL;
    return entry ? &w->values.at[entry->number] : NULL;
}

Value *new_value(Work *w, const char *name)
{
    NameEntry *entry = table_add(&w->names, name, NO_LOC);
    if (!entry)
        return NULL;
    entry->number = w->values.n;
    const Value value = {.producer = -1};
    VEC_PUSH(w->arena, &w->values, value);
    return &w->values.at[w->values.n - 1];
}

bool has_operand(const Work *w, int i)
{
    return i < w->node->n_in && *w->node->in[i];
}

Value *operand(Work *w, int i)
{
    return has_operand(w, i) ? value_named(w, w->node->in[i]) : NULL;
}

const OnnxTensor *known(Work *w, int i)
{
    const Value *v = operand(w, i);
    return v && v->kind == VALUE_KNOWN ? v->known : NULL;
}

int value_rank(const Value *v)
{
    return v->kind == VALUE_KNOWN ? v->known->rank : v->view.rank;
}

const int64_t *value_dims(const Value *v)
{
    return v->kind == VALUE_KNOWN ? v->known->dims : v->view.dims;
}

void refuse(Work *w, const char *why, const char *help)
{
    for (int i = 0; i < w->node->n_out; i++) {
        Value *v = value_named(w, w->node->out[i]);
        if (v && v->kind == VALUE_NONE) {
            v->kind = VALUE_REFUSED;
            v->why = why;
            v->help = help;
        }
    }
}

bool any_operand_refused(Work *w)
{
    for (int i = 0; i < w->node->n_in; i++) {
        const Value *v = operand(w, i);
        if (v && v->kind == VALUE_REFUSED)
            return true;
    }
    return false;
}

Value *tensor(Work *w, int i)
{
    Value *v = operand(w, i);
    if (v && v->kind == VALUE_TENSOR)
        return v;
    if (v && v->kind == VALUE_KNOWN && !any_operand_refused(w))
        refuse(w, "of numbers that do not depend on the input",
               "rnc folds only the arithmetic of "
               "shapes: simplify the model first (the Python package onnxslim does)");
    else if (v)
        refuse(w, NULL, NULL);
    else
        refuse(w, "without an operand that it needs", NULL);
    return NULL;
}

Node *unflattened(Work *w, const Value *v, const char *name)
{
    const Type t = v->node->type;
    const int rank = v->view.rank;
    if (t.h > 1 || t.w > 1 || rank < 3 || rank > 4 || v->view.dims[0] != t.n ||
        view_order(&v->view, t) < 0)
        return NULL;
    Attrs a = ir_default_attrs(OP_UNFLATTEN);
    a.size[0] = rank == 4 ? (int)v->view.dims[2] : 1;
    a.size[1] = (int)v->view.dims[rank - 1];
    Node *const in[] = {v->node};
    return builder_add(w->b, OP_UNFLATTEN, in, 1, &a, name);
}

Node *image(Work *w, int i)
{
    static const int images[] = {AXIS_N, AXIS_C, AXIS_H, AXIS_W}, rows[] = {AXIS_N, AXIS_C, AXIS_W};
    Value *v = tensor(w, i);
    if (!v)
        return NULL;
    const int rank = v->view.rank;
    const bool as_is =
        rank >= 2 && rank <= 4 && view_is(&v->view, v->node->type, rank, rank == 3 ? rows : images);
    Node *sequence = as_is ? NULL : unflattened(w, v, NULL);
    if (!sequence && !as_is)
        sequence = turned(w, v);
    if (sequence)
        return sequence;
    if (rank > 4)
        refuse(w, "with more than two axes of pixels", "rnc's networks work on images and rows");
    else if (!as_is)
        refuse(w, "of a tensor whose axes are not batch, channels, height and width",
               "rnc's images have one axis of channels and two of pixels, and the batch first");
    else
        return v->node;
    return NULL;
}

Value *result(Work *w, int i)
{
    return i < w->node->n_out && *w->node->out[i] ? value_named(w, w->node->out[i]) : NULL;
}

void give(Work *w, int i, Node *node, const View *view)
{
    Value *v = result(w, i);
    if (!v)
        return;
    if (!node) {
        v->kind = VALUE_REFUSED; /* after a message */
        return;
    }
    if (view_elements(view) != type_elements(node->type)) { /* an outer product, or sum */
        refuse(w, "of tensors that are spread over each other's pixels", NULL);
        return;
    }
    v->kind = VALUE_TENSOR;
    v->node = node;
    v->view = *view;
}

void give_image(Work *w, Node *node)
{
    const View view = node ? view_image(node->type, value_rank(operand(w, 0))) : (View){0};
    give(w, 0, node, &view);
}

void give_known(Work *w, int i, const OnnxTensor *t)
{
    Value *v = result(w, i);
    if (v) {
        v->kind = VALUE_KNOWN;
        v->known = t;
    }
}

void give_same(Work *w, int i, const Value *value)
{
    Value *v = result(w, i);
    if (!v)
        return;
    const int producer = v->producer, users = v->users;
    *v = *value;
    v->producer = producer;
    v->users = users;
}

/* ---- attributes ---- */

int64_t attr_int(const Work *w, const char *name, int64_t otherwise)
{
    const OnnxAttr *a = onnx_attr(w->node, name);
    return a && a->kind == ONNX_ATTR_INT ? a->i : otherwise;
}

double attr_float(const Work *w, const char *name, double otherwise)
{
    const OnnxAttr *a = onnx_attr(w->node, name);
    return a && a->kind == ONNX_ATTR_FLOAT ? a->f : otherwise;
}

const char *attr_text(const Work *w, const char *name, const char *otherwise)
{
    const OnnxAttr *a = onnx_attr(w->node, name);
    return a && a->kind == ONNX_ATTR_STRING ? a->s : otherwise;
}

const OnnxAttr *attr_ints(const Work *w, const char *name)
{
    const OnnxAttr *a = onnx_attr(w->node, name);
    return a && a->kind == ONNX_ATTR_INTS ? a : NULL;
}

bool ints_of(Work *w, const char *name, int i, const int64_t **at, int *n)
{
    const OnnxAttr *a = attr_ints(w, name);
    *n = 0;
    *at = NULL;
    if (a) {
        *at = a->ints;
        *n = a->n;
    } else if (i >= 0 && has_operand(w, i)) {
        const OnnxTensor *t = known(w, i);
        if (!t || !onnx_type_whole(t->type) || t->elements > ONNX_RANK_MOST * 2) {
            refuse(w,
                   arena_printf(w->arena, "whose '%s' is known only while the network runs", name),
                   "export it for inputs of one size");
            return false;
        }
        *at = onnx_ints(t, w->arena);
        *n = (int)t->elements;
    }
    return true;
}

bool all_ones(const Work *w, const char *name)
{
    const OnnxAttr *a = attr_ints(w, name);
    for (int i = 0; a && i < a->n; i++) {
        if (a->ints[i] != 1)
            return false;
    }
    return true;
}

/* ---- layers ---- */

const char *layer_name(const Work *w, Op op)
{
    if (!w->path || !*w->path)
        return w->path ? op_row(op)->name : NULL;
    return w->inside ? arena_printf(w->arena, "%s.%s", w->path, op_row(op)->name) : w->path;
}

Node *layer(Work *w, Op op, Node *const *in, int n_in, const Attrs *attrs)
{
    return builder_add(w->b, op, in, n_in, attrs, layer_name(w, op));
}

Node *trained(Work *w, Op op, Node *const *in, int n_in, const Attrs *attrs)
{
    const char *weights = w->own && has_operand(w, 1) ? w->node->in[1] : NULL;
    const NameEntry *entry = weights ? table_find(&w->trained, weights) : NULL;
    const Node *like = entry ? w->b->net->nodes.at[entry->number] : NULL;
    if (like && like->op == op && attrs_same(op, &like->attrs, attrs))
        return builder_again(w->b, in, n_in, attrs, layer_name(w, op), like);
    Node *node = layer(w, op, in, n_in, attrs);
    NameEntry *added = node && weights ? table_add(&w->trained, weights, NO_LOC) : NULL;
    if (added)
        added->number = node->id;
    return node;
}

Node *simple(Work *w, Op op, Node *in)
{
    const Attrs attrs = ir_default_attrs(op);
    return layer(w, op, &in, 1, &attrs);
}
