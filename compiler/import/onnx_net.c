/* onnx_net.c: a model of ONNX as a network, node by node. */
#include "import/onnx_parts.h"

#include "import/import_parts.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

/* The sets of operators that are known here. */
enum { OPSET_LEAST = 6, OPSET_MOST = 23, DETAIL_MOST = 100 };

/* ---- the model's own ports ---- */

/* Operators that do not show which axis has the channels. */
static bool passes_layout_on(const char *op)
{
    static const char *const passing[] = {"Add",      "Sub", "Mul",  "Div",  "Cast",
                                          "Identity", "Pad", "Relu", "Clip", "BatchNormalization"};
    for (size_t k = 0; k < sizeof passing / sizeof *passing; k++) {
        if (str_eq(op, passing[k]))
            return true;
    }
    return false;
}

/* Whether it goes over the axes 1 and 2 of four, which are pixels then. */
static bool goes_over_pixels(const OnnxNode *node)
{
    const OnnxAttr *axes = str_starts(node->op, "Reduce") ? onnx_attr(node, "axes") : NULL;
    return axes && axes->kind == ONNX_ATTR_INTS && axes->n == 2 && axes->ints[0] == 1 &&
           axes->ints[1] == 2;
}

/* Whether the first operator that shows it takes the channels of an input from its last axis, as
 * what tf2onnx makes does: Transpose to batch, channels, height, width. */
static bool channels_last(const Work *w, const char *input)
{
    NameTable carried = {.arena = w->arena};
    table_add(&carried, input, NO_LOC);
    for (int i = 0; i < w->model->n_nodes; i++) {
        const OnnxNode *node = &w->model->nodes[i];
        bool reads = false;
        for (int k = 0; k < node->n_in; k++)
            reads = reads || table_find(&carried, node->in[k]);
        if (!reads)
            continue;
        const OnnxAttr *perm = onnx_attr(node, "perm");
        if (str_eq(node->op, "Transpose"))
            return perm && (perm->n == 4 || perm->n == 3) && perm->ints[1] == perm->n - 1;
        if (!passes_layout_on(node->op))
            return goes_over_pixels(node);
        for (int k = 0; k < node->n_out; k++)
            table_add(&carried, node->out[k], NO_LOC);
    }
    return false;
}

static bool refuse_input(Work *w, const OnnxPort *port, const char *why, const char *note)
{
    diag_file_error(w->b->diag, w->model->path, "the input '%s' %s",
                    str_shown(w->arena, port->name), why);
    diag_file_note(w->b->diag, w->model->path, "%s", note);
    return false;
}

static bool open_extent(Work *w, const OnnxPort *port, int axis)
{
    const char *name = port->open[axis] ? str_shown(w->arena, port->open[axis]) : "its extent";
    return refuse_input(
        w, port, arena_printf(w->arena, "leaves %s of axis %d open", name, axis),
        "rnc compiles for one size: export it with that size, or set it in the file, with "
        "python -m onnxruntime.tools.make_dynamic_shape_fixed --input_name NAME --input_shape "
        "1,3,224,224 FILE FIXED.onnx");
}

/* A name of the language for a port: old exporters number them, and write "input.1". */
static const char *port_name(Work *w, const OnnxPort *port, const char *kind, int of)
{
    char *name = arena_strdup(w->arena, port->name);
    for (char *c = name; *c; c++)
        *c = isalnum((unsigned char)*c) ? *c : '_';
    if (isalpha((unsigned char)*name) || *name == '_')
        return name;
    return of == 1 ? kind : arena_printf(w->arena, "%s_%s", kind, name);
}

static bool add_input(Work *w, const OnnxPort *port)
{
    static const int orders[2][5][4] = {{{0},
                                         {AXIS_C},
                                         {AXIS_N, AXIS_C},
                                         {AXIS_N, AXIS_C, AXIS_W},
                                         {AXIS_N, AXIS_C, AXIS_H, AXIS_W}},
                                        {{0},
                                         {AXIS_C},
                                         {AXIS_N, AXIS_C},
                                         {AXIS_N, AXIS_W, AXIS_C},
                                         {AXIS_N, AXIS_H, AXIS_W, AXIS_C}}};
    if (port->rank < 1 || port->rank > 4)
        return refuse_input(
            w, port,
            port->rank < 0 ? "has no shape in the file"
                           : arena_printf(w->arena, "has %d axes", port->rank),
            "rnc's inputs are images, rows or vectors: 2 to 4 axes, the first of them the batch");
    int64_t extents[AXES] = {1, 1, 1, 1};
    const bool last = port->rank > 2 && channels_last(w, port->name);
    const int *axes = orders[last][port->rank];
    for (int i = 0; i < port->rank; i++) {
        int64_t extent = port->dims[i];
        if (extent < 0 && axes[i] == AXIS_N)
            extent = 1;
        if (extent < 0 || extent > INT_MAX)
            return open_extent(w, port, i);
        extents[axes[i]] = extent;
    }
    if (port->type != ONNX_FLOAT && port->type != ONNX_UNDEFINED)
        builder_remark(w->b, "the input '%s', of type %s in the file, takes floats",
                       str_shown(w->arena, port->name), onnx_type_name(port->type));
    Value *v = new_value(w, port->name);
    if (!v)
        return refuse_input(w, port, "is there twice", "the file is damaged");
    const Type type = {ELEM_F32, (int)extents[AXIS_N], (int)extents[AXIS_H], (int)extents[AXIS_W],
                       (int)extents[AXIS_C]};
    v->kind = VALUE_TENSOR;
    v->node = builder_input(w->b, port_name(w, port, "input", w->model->n_inputs), type,
                            last ? ORDER_NHWC : ORDER_NCHW);
    v->view = view_of(type, port->rank, axes);
    return v->node != NULL;
}

/* Whether the network does not go on from here: a step that only the next one could have made a
 * layer is as good as refused. */
static bool stopped(const Value *v)
{
    return v->kind == VALUE_REFUSED || v->kind == VALUE_ERF || v->kind == VALUE_ROOT ||
           v->kind == VALUE_PART || v->kind == VALUE_ABOVE || v->kind == VALUE_SPREAD;
}

static void add_output(Work *w, const OnnxPort *port)
{
    Value *v = value_named(w, port->name);
    const char *name = port_name(w, port, "output", w->model->n_outputs);
    builder_at(w->b, "output", port->name, "");
    if (stopped(v))
        return;
    if (v->kind != VALUE_TENSOR) {
        builder_refuse(w->b, "it does not depend on an input", NULL);
        return;
    }
    const int order = view_order(&v->view, v->node->type);
    Node *row = v->view.rank < 3 ? flat(w, v) : NULL;
    if (!row && order < 0)
        row = turned(w, v);
    if (row)
        builder_output(w->b, name, row, ORDER_NCHW);
    else if (order < 0)
        builder_refuse(w->b, "its axes are in an order that rnc does not give",
                       "end the network before the last transposition");
    else
        builder_output(w->b, name, v->node, order == ORDER_NHWC ? ORDER_NHWC : ORDER_NCHW);
}

/* ---- the graph ---- */

static bool broken(Work *w, const OnnxNode *node, const char *what, const char *name)
{
    diag_file_error(w->b->diag, w->model->path, "the node '%s' (%s) %s '%s'",
                    str_shown(w->arena, node->name), str_shown(w->arena, node->op), what,
                    str_shown(w->arena, name));
    diag_file_note(w->b->diag, w->model->path,
                   "the file is damaged: onnx.checker.check_model(FILE) says more");
    return false;
}

/* A value for each tensor and each result; nodes must come after what they read. */
static bool add_values(Work *w)
{
    const OnnxModel *m = w->model;
    for (int i = 0; i < m->n_tensors; i++) {
        Value *v = new_value(w, m->tensors[i].name);
        if (!v)
            continue; /* the same once more, as old exporters wrote shared weights */
        v->kind = VALUE_KNOWN;
        v->known = &m->tensors[i];
    }
    for (int i = 0; i < m->n_nodes; i++) {
        const OnnxNode *node = &m->nodes[i];
        for (int k = 0; k < node->n_in; k++) {
            Value *v = value_named(w, node->in[k]);
            if (*node->in[k] && !v)
                return broken(w, node, "reads what no node before it gives,", node->in[k]);
            if (v)
                v->users++;
        }
        for (int k = 0; k < node->n_out; k++) {
            Value *v = *node->out[k] ? new_value(w, node->out[k]) : NULL;
            if (*node->out[k] && !v)
                return broken(w, node, "gives a name once more,", node->out[k]);
            if (v)
                v->producer = i;
        }
    }
    for (int i = 0; i < m->n_outputs; i++) {
        Value *v = value_named(w, m->outputs[i].name);
        if (v) {
            v->users++;
            continue;
        }
        diag_file_error(w->b->diag, m->path, "no node gives the output '%s'",
                        str_shown(w->arena, m->outputs[i].name));
        return false;
    }
    return true;
}

/* Which nodes the outputs need. */
static bool *live_nodes(Work *w)
{
    const OnnxModel *m = w->model;
    bool *live = NEW_ARRAY(w->arena, bool, m->n_nodes + 1);
    for (int i = 0; i < m->n_outputs; i++) {
        const Value *v = value_named(w, m->outputs[i].name);
        if (v->producer >= 0)
            live[v->producer] = true;
    }
    for (int i = m->n_nodes - 1; i >= 0; i--) {
        for (int k = 0; live[i] && k < m->nodes[i].n_in; k++) {
            const Value *v = value_named(w, m->nodes[i].in[k]);
            if (v && v->producer >= 0)
                live[v->producer] = true;
        }
    }
    return live;
}

/* "kernel_shape=[3,3] strides=[1,1]" */
static const char *detail(const Work *w)
{
    Buf out = buf_new(w->arena);
    for (int i = 0; i < w->node->n_attrs && out.n < DETAIL_MOST; i++) {
        const OnnxAttr *a = &w->node->attrs[i];
        buf_printf(&out, "%s%s=", i ? " " : "", str_shown(w->arena, a->name));
        switch (a->kind) {
        case ONNX_ATTR_INT:
            buf_printf(&out, "%lld", (long long)a->i);
            break;
        case ONNX_ATTR_FLOAT:
            buf_printf(&out, "%.6g", a->f);
            break;
        case ONNX_ATTR_STRING:
            buf_puts(&out, str_shown(w->arena, a->s));
            break;
        case ONNX_ATTR_INTS:
            for (int k = 0; k < a->n && k < ONNX_RANK_MOST; k++)
                buf_printf(&out, "%s%lld", k ? "," : "[", (long long)a->ints[k]);
            buf_putc(&out, ']');
            break;
        default:
            buf_puts(&out, "...");
            break;
        }
    }
    return buf_text(&out);
}

typedef struct OpRule {
    const char *op;
    OnnxOp take;
} OpRule;

static const OpRule *rule_of(const char *op)
{
    static const OpRule rules[] = {
#define ONNX_OP(op, function) {#op, function},
#include "import/onnx_ops.def"
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (str_eq(rules[i].op, op))
            return &rules[i];
    }
    return NULL;
}

/* Why an operator has no rule here, and what helps. */
static void refuse_unknown(Work *w)
{
    const OnnxNode *n = w->node;
    if (str_starts(n->op, "QLinear") || str_ends(n->op, "uantizeLinear") ||
        str_ends(n->op, "Integer"))
        refuse(w, "a quantized model; rnc computes with floats, and int8 is to come",
               "import the model as it was before it was quantized");
    else if (*n->domain)
        refuse(w,
               arena_printf(w->arena, "an operator of '%s', which is not ONNX's own",
                            str_shown(w->arena, n->domain)),
               "export the model without the optimisations of a runtime");
    else if (str_eq(n->op, "If") || str_eq(n->op, "Loop") || str_eq(n->op, "Scan"))
        refuse(w, "a graph of its own inside the node",
               "rnc's networks have no branches or loops: "
               "export the model in evaluation mode, for one size");
    else if (folds(n->op) && any_operand_refused(w))
        refuse(w, NULL, NULL);
    else
        refuse(w, "there is no such operator in rnc", NULL);
}

/* True if the node's operands are all known. */
static bool all_known(Work *w)
{
    for (int i = 0; i < w->node->n_in; i++) {
        const Value *v = operand(w, i);
        if (v && v->kind != VALUE_KNOWN)
            return false;
    }
    return true;
}

static void take_node(Work *w, int i)
{
    w->at = i;
    w->node = &w->model->nodes[i];
    const bool own = !*w->node->domain;
    const char *module = onnx_module(w, w->node);
    const NameEntry *scope = module ? table_find(&w->scopes, module) : NULL;
    w->path = module;
    w->inside = scope && scope->number & 1;
    builder_at(w->b, w->node->op, w->node->name, detail(w));
    w->places[i] = w->b->place;
    if (own && (all_known(w) || str_eq(w->node->op, "Shape") || str_eq(w->node->op, "Size")) &&
        fold(w))
        return;
    const OpRule *rule = own ? rule_of(w->node->op) : NULL;
    if (rule)
        rule->take(w);
    else
        refuse_unknown(w);
    for (int k = 0; k < w->node->n_out; k++) { /* after a message, or not needed */
        Value *v = result(w, k);
        if (v && v->kind == VALUE_NONE)
            v->kind = VALUE_REFUSED;
    }
}

/* Reports the refused nodes that an output needs: going back from refused outputs, what made them
 * so. */
static void report_refused(Work *w)
{
    const OnnxModel *m = w->model;
    bool *needed = NEW_ARRAY(w->arena, bool, m->n_nodes + 1);
    for (int i = 0; i < m->n_outputs; i++) {
        const Value *v = value_named(w, m->outputs[i].name);
        if (stopped(v) && v->producer >= 0)
            needed[v->producer] = true;
    }
    for (int i = m->n_nodes - 1; i >= 0; i--) {
        for (int k = 0; needed[i] && k < m->nodes[i].n_in; k++) {
            const Value *v = value_named(w, m->nodes[i].in[k]);
            if (v && stopped(v) && v->producer >= 0)
                needed[v->producer] = true;
        }
    }
    for (int i = 0; i < m->n_nodes; i++) {
        w->node = &m->nodes[i];
        const Value *v = NULL;
        for (int k = 0; k < w->node->n_out && !v; k++)
            v = result(w, k);
        if (!needed[i] || !v || !v->why)
            continue;
        /* Once more at this node, which was taken before. */
        w->b->kind = w->node->op;
        w->b->name = w->node->name;
        w->b->place = w->places[i];
        builder_refuse(w->b, v->why, v->help);
    }
    w->b->nodes = m->n_nodes;
}

static bool check_versions(Work *w)
{
    const OnnxModel *m = w->model;
    if (m->opset == 0) {
        diag_file_error(w->b->diag, m->path,
                        "the model does not say which set of ONNX's operators "
                        "it uses");
        return false;
    }
    if (m->opset < OPSET_LEAST) {
        diag_file_error(w->b->diag, m->path,
                        "the model uses the operators of set %lld; rnc reads "
                        "%d to %d",
                        (long long)m->opset, OPSET_LEAST, OPSET_MOST);
        diag_file_note(w->b->diag, m->path,
                       "onnx.version_converter.convert_version(onnx.load(FILE), 18) of Python's "
                       "onnx makes a newer one of it");
        return false;
    }
    if (m->opset > OPSET_MOST)
        builder_remark(w->b,
                       "the model uses the operators of set %lld, and rnc knows those up to %d",
                       (long long)m->opset, OPSET_MOST);
    return true;
}

static bool take_model(Work *w)
{
    const OnnxModel *m = w->model;
    for (int i = 0; i < m->n_inputs; i++) {
        builder_at(w->b, "input", m->inputs[i].name, "");
        if (!add_input(w, &m->inputs[i]))
            return false;
    }
    if (!add_values(w))
        return false;
    onnx_scopes(w);
    const bool *live = live_nodes(w);
    w->places = NEW_ARRAY(w->arena, const Place *, m->n_nodes + 1);
    for (int i = 0; i < m->n_nodes; i++) {
        if (live[i])
            take_node(w, i);
    }
    for (int i = 0; i < m->n_outputs; i++)
        add_output(w, &m->outputs[i]);
    report_refused(w);
    return true;
}

/* A message that begins with ir_version, and then names what wrote it or has the graph or the sets
 * of operators. */
bool onnx_is(const Opened *file)
{
    const unsigned char *at = file->bytes;
    if (file->size < 4 || at[0] != 0x08 || at[1] < 1 || at[1] > 30)
        return str_ends(file->path, ".onnx") && file->size > 0;
    if (at[2] == 0x12 && at[3] & 0x80)
        return str_ends(file->path, ".onnx"); /* else a SavedModel of TensorFlow */
    return at[2] == 0x12 || at[2] == 0x3a || at[2] == 0x42 || at[2] == 0x1a;
}

bool onnx_import(Imported *to, const Opened *file, SrcMap *src, Diag *d)
{
    const OnnxModel *model = onnx_read(to, file, src, d);
    model = model ? onnx_inlined(model, src->arena, d) : NULL;
    if (!model)
        return false;
    const bool own = str_starts(model->producer, "rnc ");
    const char *name = own ? model->name : file->path;
    Builder b = builder_new(to, file->path, import_net_name(name, src->arena), src, d);
    Work w = {.model = model, .b = &b, .arena = src->arena};
    w.names.arena = w.scopes.arena = w.trained.arena = w.arena;
    w.own = own;
    to->format = arena_printf(w.arena, "ONNX, opset %lld%s%s", (long long)model->opset,
                              *model->producer ? ", by " : "", str_shown(w.arena, model->producer));
    return check_versions(&w) && take_model(&w) && builder_end(&b);
}
