/* onnx_inline.c: calls of a model's own functions, replaced by what the functions do.
 *
 * Values inside a function get the call's name before their own, so that two calls do not meet.
 * Functions may call each other; a model in which they go round in a circle is refused. */
#include "import/onnx_parts.h"

#include <string.h>

enum { CALLS_DEEP = 32, NODES_MOST = 1 << 20 };

typedef struct Inline {
    const OnnxModel *model;
    Arena *arena;
    VEC(OnnxNode) nodes;
    int calls;
    bool good;
} Inline;

/* A call, whose function's names mean something in the caller. */
typedef struct Call {
    const OnnxFunction *function;
    const OnnxNode *node;
    const char *prefix;
} Call;

static const OnnxFunction *function_of(const OnnxModel *m, const OnnxNode *node)
{
    for (int i = 0; i < m->n_functions; i++) {
        if (str_eq(m->functions[i].name, node->op) && str_eq(m->functions[i].domain, node->domain))
            return &m->functions[i];
    }
    return NULL;
}

static const char *renamed(const Inline *in, const Call *call, const char *name)
{
    if (!call || !*name)
        return name;
    for (int i = 0; i < call->function->n_in; i++) {
        if (str_eq(call->function->in[i], name))
            return i < call->node->n_in ? call->node->in[i] : "";
    }
    for (int i = 0; i < call->function->n_out; i++) {
        if (str_eq(call->function->out[i], name) && i < call->node->n_out && *call->node->out[i])
            return call->node->out[i];
    }
    return arena_printf(in->arena, "%s/%s", call->prefix, name);
}

static const char **renamed_all(const Inline *in, const Call *call, const char **names, int n)
{
    const char **to = NEW_ARRAY(in->arena, const char *, n + 1);
    for (int i = 0; i < n; i++)
        to[i] = renamed(in, call, names[i]);
    return to;
}

/* An attribute that a function's node takes from its caller; NULL if neither has it. */
static const OnnxAttr *passed(const Call *call, const char *name)
{
    const OnnxAttr *own = onnx_attr(call->node, name);
    for (int i = 0; !own && i < call->function->n_defaults; i++) {
        if (str_eq(call->function->defaults[i].name, name))
            own = &call->function->defaults[i];
    }
    return own;
}

static OnnxNode copied(const Inline *in, const Call *call, const OnnxNode *from)
{
    OnnxNode to = *from;
    if (!call)
        return to;
    to.in = renamed_all(in, call, from->in, from->n_in);
    to.out = renamed_all(in, call, from->out, from->n_out);
    to.attrs = NEW_ARRAY(in->arena, OnnxAttr, from->n_attrs + 1);
    to.n_attrs = 0;
    for (int i = 0; i < from->n_attrs; i++) {
        const OnnxAttr *a = &from->attrs[i], *given = a->ref ? passed(call, a->ref) : a;
        if (!given)
            continue;
        to.attrs[to.n_attrs] = *given;
        to.attrs[to.n_attrs++].name = a->name;
    }
    to.scopes = call->node->scopes;
    to.classes = call->node->classes;
    if (!strchr(from->name, '/'))
        to.name = call->node->name;
    return to;
}

static void take(Inline *in, const Call *call, const OnnxNode *nodes, int n, int depth)
{
    for (int i = 0; i < n && in->good; i++) {
        const OnnxNode node = copied(in, call, &nodes[i]);
        const OnnxFunction *function = function_of(in->model, &node);
        if (!function) {
            in->good = in->nodes.n < NODES_MOST;
            VEC_PUSH(in->arena, &in->nodes, node);
            continue;
        }
        OnnxNode *kept = NEW(in->arena, OnnxNode);
        *kept = node;
        const Call inner = {function, kept,
                            arena_printf(in->arena, "%s#%d", function->name, ++in->calls)};
        in->good = depth < CALLS_DEEP && in->calls < NODES_MOST;
        take(in, &inner, function->nodes, function->n_nodes, depth + 1);
    }
}

const OnnxModel *onnx_inlined(const OnnxModel *model, Arena *arena, Diag *d)
{
    if (model->n_functions == 0)
        return model;
    Inline in = {.model = model, .arena = arena, .good = true};
    OnnxModel *to = NEW(arena, OnnxModel);
    take(&in, NULL, model->nodes, model->n_nodes, 0);
    if (!in.good) {
        diag_file_error(d, model->path, "its functions call each other without an end");
        diag_file_note(d, model->path,
                       "onnx.inliner.inline_local_functions() of Python's onnx says which");
        return NULL;
    }
    *to = *model;
    to->nodes = in.nodes.at;
    to->n_nodes = in.nodes.n;
    to->n_functions = 0;
    return to;
}
