/* builder.c: see builder.h. */
#include "import/builder.h"
#include "lang/lex.h"

#include <ctype.h>
#include <string.h>

Builder builder_new(Imported *to, const char *path, const char *net_name, SrcMap *src, Diag *d)
{
    Builder b = {.to = to, .arena = src->arena, .src = src, .diag = d, .path = path};
    b.names.arena = b.arena;
    b.net = to->net = ir_new(b.arena, net_name);
    b.listing = src_listing(src, path);
    b.errors = d->errors;
    return b;
}

void builder_at(Builder *b, const char *kind, const char *name, const char *detail)
{
    Place *place = NEW(b->arena, Place);
    b->nodes++;
    b->kind = arena_strdup(b->arena, kind);
    b->name = arena_strdup(b->arena, name);
    place->loc =
        src_list(b->src, b->listing,
                 arena_printf(b->arena, "%s %s%s%s", kind, name, *detail ? " " : "", detail));
    b->place = place;
}

/* ---- names ---- */

const char *builder_path(Arena *arena, const char *name)
{
    Buf out = buf_new(arena);
    for (const char *c = name; *c; c++) {
        if (*c != '.' && *c != '/')
            buf_putc(&out, isalnum((unsigned char)*c) ? *c : '_');
        else if (out.n && out.text[out.n - 1] != '.')
            buf_putc(&out, '.');
    }
    while (out.n && out.text[out.n - 1] == '.')
        out.text[--out.n] = '\0';
    return buf_text(&out);
}

/* What a port is called: a word of the language. */
static const char *port_name(Builder *b, const char *name)
{
    Buf out = buf_new(b->arena);
    if (!isalpha((unsigned char)*name) && *name != '_')
        buf_putc(&out, '_');
    for (const char *c = name; *c; c++)
        buf_putc(&out, isalnum((unsigned char)*c) ? *c : '_');
    if (lex_reserved(buf_text(&out)))
        buf_putc(&out, '_');
    return buf_text(&out);
}

/* A path that no layer has yet. */
static const char *new_name(Builder *b, const char *name, Op op)
{
    const char *path = name ? builder_path(b->arena, name) : "", *word = op_row(op)->name;
    const char *free_name = path;
    for (int i = 1; !*free_name || !table_add(&b->names, free_name, NO_LOC); i++)
        free_name = *path ? arena_printf(b->arena, "%s_%d", path, i + 1)
                          : arena_printf(b->arena, "%s_%d", word, i);
    return free_name;
}

/* ---- layers ---- */

Node *builder_input(Builder *b, const char *name, Type type, Order order)
{
    const char *path = new_name(b, port_name(b, name), OP_INPUT);
    Node *node = ir_add_input(b->net, path, type, b->place);
    const Port port = {
        .name = path, .node = node, .elem = ELEM_F32, .order = order, .place = b->place};
    VEC_PUSH(b->arena, &b->net->inputs, port);
    return node;
}

static bool all_there(Node *const *in, int n)
{
    for (int i = 0; i < n; i++) {
        if (!in[i])
            return false;
    }
    return true;
}

/* Whether each attribute has a value that the language has words for; a message if not. */
static bool in_range(Builder *b, Op op, const Attrs *attrs)
{
    const OpRow *row = op_row(op);
    for (int i = 0; i < row->n_attrs; i++) {
        const AttrRow *a = &row->attrs[i];
        const int *ints = (const int *)((const char *)attrs + a->offset);
        const int n = a->kind == ATTR_INT       ? 1
                      : a->kind == ATTR_PAIR    ? 2
                      : a->kind == ATTR_PADDING ? 4
                                                : 0;
        for (int k = 0; k < n; k++) {
            if (ints[k] >= a->least && ints[k] <= a->most)
                continue;
            builder_refuse(b,
                           arena_printf(b->arena,
                                        "'%s' of '%s' is %d, and goes from %.10g to "
                                        "%.10g here",
                                        a->word, row->name, ints[k], a->least, a->most),
                           NULL);
            return false;
        }
    }
    return true;
}

Node *builder_add(Builder *b, Op op, Node *const *in, int n_in, const Attrs *attrs,
                  const char *name)
{
    if (!all_there(in, n_in) || !in_range(b, op, attrs))
        return NULL;
    return ir_add(b->net, b->diag, op, in, n_in, attrs, new_name(b, name, op), b->place);
}

Node *builder_simple(Builder *b, Op op, Node *in, const char *name)
{
    const Attrs attrs = ir_default_attrs(op);
    return builder_add(b, op, &in, 1, &attrs, name);
}

Node *builder_again(Builder *b, Node *const *in, int n_in, const Attrs *attrs, const char *name,
                    const Node *like)
{
    if (!all_there(in, n_in) || !like)
        return NULL;
    return ir_add_sharing(b->net, b->diag, like->op, in, n_in, attrs, new_name(b, name, like->op),
                          b->place, like);
}

bool builder_results(Builder *b, Op op, Node *in, const Attrs *attrs, const char *const *names,
                     Node **results)
{
    Attrs one = *attrs;
    const int n = op_results(op, attrs);
    for (int i = 0; i < n; i++) {
        one.result = i;
        results[i] = i && !results[i - 1] ? NULL : builder_add(b, op, &in, 1, &one, names[i]);
    }
    return results[n - 1] != NULL;
}

static bool is_port(const Net *net, const char *name)
{
    for (int i = 0; i < net->inputs.n; i++) {
        if (str_eq(net->inputs.at[i].name, name))
            return true;
    }
    for (int i = 0; i < net->outputs.n; i++) {
        if (str_eq(net->outputs.at[i].name, name))
            return true;
    }
    return false;
}

void builder_output(Builder *b, const char *name, Node *node, Order order)
{
    const char *wanted = port_name(b, name), *own = wanted;
    for (int i = 2; is_port(b->net, own); i++)
        own = arena_printf(b->arena, "%s_%d", wanted, i);
    const Port port = {
        .name = own, .node = node, .elem = ELEM_F32, .order = order, .place = b->place};
    if (node)
        VEC_PUSH(b->arena, &b->net->outputs, port);
}

/* ---- parameters ---- */

static const char *extents(Builder *b, int rank, const int64_t *dims)
{
    Buf out = buf_new(b->arena);
    for (int i = 0; i < rank; i++)
        buf_printf(&out, "[%lld]", (long long)dims[i]);
    return rank ? buf_text(&out) : "one number";
}

/* Whether the extents are the same but for those of 1. */
static bool same_extents(const Param *param, int rank, const int64_t *dims)
{
    int at = 0;
    for (int i = 0; i < param->rank; i++) {
        if (param->dims[i] == 1)
            continue;
        while (at < rank && dims[at] == 1)
            at++;
        if (at == rank || dims[at++] != param->dims[i])
            return false;
    }
    while (at < rank && dims[at] == 1)
        at++;
    return at == rank;
}

bool builder_param(Builder *b, Node *node, Role role, const char *source, int rank,
                   const int64_t *dims, const float *values)
{
    if (!node)
        return true;
    Param *param = node->params[role];
    if (!param) {
        diag_internal(b->diag, "'%s' has no such parameter as '%s'", node->name, source);
        return false;
    }
    if (!same_extents(param, rank, dims)) {
        int64_t wanted[4];
        for (int i = 0; i < param->rank; i++)
            wanted[i] = param->dims[i];
        diag_error(b->diag, b->place ? b->place->loc : NO_LOC,
                   "'%s' is %s in the file, and the layer needs %s", source, extents(b, rank, dims),
                   extents(b, param->rank, wanted));
        diag_file_note(b->diag, b->path,
                       "the file is wrong: export it anew, with another version of the exporter");
        return false;
    }
    param_set_floats(param, values);
    return true;
}

bool builder_fill(Builder *b, Node *node, Role role, float value)
{
    if (!node)
        return true;
    const int64_t n = param_elements(node->params[role]);
    float *values = NEW_ARRAY(b->arena, float, n);
    for (int64_t i = 0; i < n; i++)
        values[i] = value;
    param_set_floats(node->params[role], values);
    return true;
}

const float *builder_permuted(Builder *b, const float *from, int rank, const int64_t *dims,
                              const int *axes)
{
    int64_t steps[8], to_dims[8], to_steps[8], n = 1;
    for (int i = rank - 1; i >= 0; i--) {
        steps[i] = n;
        n *= dims[i];
    }
    for (int i = 0; i < rank; i++) {
        to_dims[i] = dims[axes[i]];
        to_steps[i] = steps[axes[i]];
    }
    float *to = NEW_ARRAY(b->arena, float, n);
    tensor_gather((unsigned char *)to, (const unsigned char *)from, sizeof(float), rank, to_dims,
                  to_steps);
    return to;
}

/* ---- what cannot be said ---- */

Node *builder_refuse(Builder *b, const char *why, const char *help)
{
    Refusal *of = NULL;
    for (int i = 0; i < b->refused.n && !of; i++) {
        if (str_eq(b->refused.at[i].kind, b->kind) && str_eq(b->refused.at[i].why, why))
            of = &b->refused.at[i];
    }
    if (!of) {
        const Refusal new_one = {.kind = b->kind ? b->kind : "",
                                 .place = b->place,
                                 .why = arena_strdup(b->arena, why),
                                 .help = help ? arena_strdup(b->arena, help) : NULL};
        VEC_PUSH(b->arena, &b->refused, new_one);
        of = &b->refused.at[b->refused.n - 1];
    }
    VEC_PUSH(b->arena, &of->names, b->name ? b->name : "");
    return NULL;
}

/* One error for all, and for each kind and reason its nodes and the way out. */
static void report_refused(Builder *b)
{
    enum { SHOWN = 3 };
    int n = 0;
    for (int i = 0; i < b->refused.n; i++)
        n += b->refused.at[i].names.n;
    if (n == 0)
        return;
    diag_file_error(b->diag, b->path, "%d of its %d nodes cannot be said in rnc's language", n,
                    b->nodes);
    for (int i = 0; i < b->refused.n; i++) {
        const Refusal *r = &b->refused.at[i];
        Buf names = buf_new(b->arena);
        for (int k = 1; k < r->names.n && k < SHOWN; k++)
            buf_printf(&names, "%s '%s'", k > 1 ? "," : "; also", r->names.at[k]);
        if (r->names.n > SHOWN)
            buf_printf(&names, " and %d more", r->names.n - SHOWN);
        diag_note(b->diag, r->place ? r->place->loc : NO_LOC, "%s: %s%s", r->kind, r->why,
                  buf_text(&names));
        if (r->help)
            diag_file_note(b->diag, b->path, "%s", r->help);
    }
}

void builder_remark(Builder *b, const char *format, ...)
{
    Buf text = buf_new(b->arena);
    va_list args;
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    for (int i = 0; i < b->to->remarks.n; i++) {
        if (str_eq(b->to->remarks.at[i], buf_text(&text)))
            return;
    }
    VEC_PUSH(b->arena, &b->to->remarks, buf_text(&text));
}

/* ---- the end ---- */

/* Marks what the outputs are computed from; the results of one operator stay together. */
static bool *used_nodes(const Net *net, Arena *arena)
{
    bool *used = NEW_ARRAY(arena, bool, net->nodes.n + 1);
    for (int i = 0; i < net->outputs.n; i++)
        used[net->outputs.at[i].node->id] = true;
    for (int i = net->nodes.n - 1; i >= 0; i--) {
        const Node *node = net->nodes.at[i];
        const int first = i - node->attrs.result, n = op_results(node->op, &node->attrs);
        for (int k = first; used[i] && k < first + n; k++)
            used[k] = true;
        for (int k = 0; used[i] && k < node->n_in; k++)
            used[node->in[k]->id] = true;
    }
    return used;
}

/* Leaves out what no output needs. */
static void drop_unused(Builder *b)
{
    Net *net = b->net;
    const bool *used = used_nodes(net, b->arena);
    int n = 0, ports = 0;
    for (int i = 0; i < net->inputs.n; i++) {
        if (used[net->inputs.at[i].node->id])
            net->inputs.at[ports++] = net->inputs.at[i];
        else
            builder_remark(b, "the input '%s' is left out, since no output depends on it",
                           net->inputs.at[i].name);
    }
    net->inputs.n = ports;
    for (int i = 0; i < net->nodes.n; i++) {
        if (used[i])
            net->nodes.at[n++] = net->nodes.at[i];
    }
    net->nodes.n = net->n_original = n;
    ir_renumber(net);
    for (int i = 0; i < n; i++)
        net->nodes.at[i]->origin = i;
}

/* Whether all operands of `part` are the first ones of `whole`. */
static bool begins_with(const Node *whole, const Node *part)
{
    for (int i = 0; i < part->n_in; i++) {
        if (part->n_in >= whole->n_in || whole->in[i] != part->in[i])
            return false;
    }
    return true;
}

/* concat(a, b, c) is concat(concat(a, b), c) where the inner one is there already: the layers of
 * a DenseNet, to which exporters give everything before them one by one. */
static void nest_concats(Builder *b)
{
    enum { MOST_BACK = 64 };
    VEC(Node *) concats = {0};
    for (int i = 0; i < b->net->nodes.n; i++) {
        Node *node = b->net->nodes.at[i];
        if (node->op != OP_CONCAT)
            continue;
        const int last = concats.n - 1;
        const Node *whole = NULL;
        Node **in = NULL;
        int n_in = 0;
        /* Its operands as they were before it was nested are those to compare with. */
        Node *flat = NEW(b->arena, Node);
        *flat = *node;
        for (int k = last; k >= 0 && k > last - MOST_BACK && !whole; k--) {
            if (!begins_with(node, concats.at[k]))
                continue;
            whole = concats.at[k];
            n_in = 1 + node->n_in - whole->n_in;
            in = NEW_ARRAY(b->arena, Node *, n_in);
            in[0] = b->net->nodes.at[whole->id];
            for (int j = 1; j < n_in; j++)
                in[j] = node->in[whole->n_in + j - 1];
        }
        VEC_PUSH(b->arena, &concats, flat);
        if (whole) {
            node->in = in;
            node->n_in = n_in;
        }
    }
}

bool builder_end(Builder *b)
{
    report_refused(b);
    if (b->diag->errors > b->errors)
        return false;
    if (b->net->outputs.n == 0) {
        diag_file_error(b->diag, b->path, "the model has no output");
        return false;
    }
    drop_unused(b);
    nest_concats(b);
    for (int i = 0; i < b->net->params.n; i++) {
        if (!b->net->params.at[i]->data)
            diag_internal(b->diag, "'%s' has no values", b->net->params.at[i]->name);
    }
    return b->diag->errors == b->errors;
}
