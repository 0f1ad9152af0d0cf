/* write_text.c: the net's own statements: ports, labels, stages, and the names of blocks. */
#include "import/write_parts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- names of blocks ---- */

static const char *snake_case(Arena *arena, const char *name)
{
    Buf out = buf_new(arena);
    for (const char *c = name; *c; c++) {
        const bool upper = isupper((unsigned char)*c);
        if (c > name && upper && (islower((unsigned char)c[-1]) || islower((unsigned char)c[1])))
            buf_putc(&out, '_');
        buf_putc(&out, isalnum((unsigned char)*c) ? (char)tolower((unsigned char)*c) : '_');
    }
    return buf_text(&out);
}

typedef struct Count {
    int convs, depthwise, adds, concats, pools, normalisations, shuffles;
} Count;

static void count_part(const Part *part, Count *n)
{
    for (int k = 0; k < part->n_arms; k++) {
        for (int i = 0; i < part->arms[k]->parts.n; i++)
            count_part(part->arms[k]->parts.at[i], n);
    }
    for (int i = 0; i < part->inner.n; i++)
        count_part(part->inner.at[i], n);
    if (part->block)
        return;
    const Node *node = part->node;
    n->convs += node->op == OP_CONV;
    n->depthwise +=
        node->op == OP_CONV && node->attrs.groups > 1 && node->attrs.groups == node->in[0]->type.c;
    n->adds += node->op == OP_ADD;
    n->concats += node->op == OP_CONCAT;
    n->pools += node->op == OP_AVGPOOL || node->op == OP_MAXPOOL;
    n->normalisations += node->op == OP_BN;
    n->shuffles += node->op == OP_CHANNEL_SHUFFLE;
}

/* The source's word for a module, or what people call such layers. */
static const char *describe(Writer *w, const Block *block)
{
    const Part *call = block->calls.at[0];
    const char *prefix = write_prefix(w->arena, call->inner.at, call->inner.n);
    for (int i = 0; *prefix && i < w->from->scopes.n; i++) {
        if (str_eq(w->from->scopes.at[i].path, prefix))
            return snake_case(w->arena, w->from->scopes.at[i].kind);
    }
    Count n = {0};
    for (int i = 0; i < call->inner.n; i++)
        count_part(call->inner.at[i], &n);
    if (n.shuffles)
        return "shuffle_unit";
    if (n.depthwise)
        return n.adds ? "inverted_residual" : n.convs > 2 ? "inverted" : "separable";
    if (n.adds)
        return n.convs > 2 ? "bottleneck" : "residual";
    if (n.concats)
        return n.convs > 2 ? "mixed" : "dense_layer";
    return n.pools ? "transition" : "layers";
}

const char *block_name(Writer *w, const Block *block)
{
    const char *name = write_word(w->arena, describe(w, block));
    if (op_named(name) != OP_COUNT || str_eq(name, "again"))
        name = arena_printf(w->arena, "%s_block", name);
    return write_new_word(w->arena, &w->words, name);
}

/* ---- stages ---- */

/* What a path belongs to: "layer1" of "layer1.0", "conv2" of "conv2_block1", "block2" of
 * "block2a"; "" if there is nothing. */
static const char *parent_of(Arena *arena, const char *path)
{
    size_t n = strlen(path);
    while (n && path[n - 1] != '.' && path[n - 1] != '_')
        n--;
    if (n > 1)
        return arena_strndup(arena, path, n - 1);
    n = strlen(path);
    if (n > 2 && islower((unsigned char)path[n - 1]) && isdigit((unsigned char)path[n - 2]))
        return arena_strndup(arena, path, n - 1);
    return "";
}

static bool belongs(const char *prefix, const char *stage)
{
    const size_t n = strlen(stage);
    return n && strncmp(prefix, stage, n) == 0 && !isdigit((unsigned char)prefix[n]);
}

/* The innermost of what a block belongs to that other blocks belong to as well; else what it
 * belongs to first. */
static const char *stage_of(Arena *arena, const char *prefix, const char *const *prefixes, int n)
{
    for (const char *at = parent_of(arena, prefix); *at; at = parent_of(arena, at)) {
        int blocks = 0;
        for (int i = 0; i < n; i++)
            blocks += prefixes[i] && belongs(prefixes[i], at);
        if (blocks > 1)
            return at;
    }
    return parent_of(arena, prefix);
}

/* "layer1", or "blocks_1" where the last part is a number alone. */
static const char *stage_word(Writer *w, const char *stage)
{
    const char *last = strrchr(stage, '.');
    last = last ? last + 1 : stage;
    if (isdigit((unsigned char)*last) && last > stage) {
        last--;
        while (last > stage && last[-1] != '.')
            last--;
    }
    /* "conv2" is a name that the net's second convolution would have by itself. */
    size_t n = strlen(last);
    while (n && isdigit((unsigned char)last[n - 1]))
        n--;
    const Op op = op_named(arena_strndup(w->arena, last, n));
    int alone = 0;
    for (int i = 0; i < w->shape.chains.n; i++) {
        const Parts *parts = &w->shape.chains.at[i]->parts;
        for (int k = 0; k < parts->n; k++)
            alone += !parts->at[k]->block && !parts->at[k]->n_arms && parts->at[k]->node->op == op;
    }
    if (op != OP_COUNT && last[n] && atoi(last + n) > alone && table_add(&w->words, last, NO_LOC))
        return last;
    return write_new_word(w->arena, &w->words, last);
}

/* The stage of each part of the net's chain; NULL: none.  Other layers belong to the stage of the
 * block before or after them, if their names do. */
static const char **stages_of(Writer *w, const Parts *parts)
{
    const char **stages = NEW_ARRAY(w->arena, const char *, parts->n + 1);
    const char **prefixes = NEW_ARRAY(w->arena, const char *, parts->n + 1);
    const char **blocks = NEW_ARRAY(w->arena, const char *, parts->n + 1);
    const char *stage = "";
    for (int i = 0; i < parts->n; i++) {
        prefixes[i] = write_prefix(w->arena, parts->at + i, 1);
        blocks[i] = parts->at[i]->block ? prefixes[i] : NULL;
    }
    for (int i = 0; i < parts->n; i++) {
        if (blocks[i])
            stage = stage_of(w->arena, blocks[i], blocks, parts->n);
        stages[i] = belongs(prefixes[i], stage) ? stage : NULL;
    }
    stage = "";
    for (int i = parts->n - 1; i >= 0; i--) {
        stage = blocks[i] && stages[i] ? stages[i] : stage;
        if (!stages[i] && belongs(prefixes[i], stage))
            stages[i] = stage;
    }
    return stages;
}

static int stage_end(const char *const *stages, int begin, int n)
{
    int end = begin + 1;
    while (end < n &&
           (stages[begin] ? stages[end] && str_eq(stages[begin], stages[end]) : !stages[end]))
        end++;
    return end;
}

/* ---- the net ---- */

typedef struct Text {
    Writer *w;
    Unify *u;
    Stmts body;
    const Node *current;
    int output; /* the next one */
} Text;

static void put(Text *t, Stmt *s)
{
    VEC_PUSH(t->w->arena, &t->body, s);
}

static void put_parts(Text *t, Part **parts, int n, Stmts *out)
{
    const Mask one = {(const int[]){0}, 1};
    const Parts list = {parts, n, n}, *lists[] = {&list};
    unify_list(t->u, one, lists, out);
}

static void put_chain(Text *t, const Chain *chain)
{
    const Parts *parts = &chain->parts;
    const char *const *stages = stages_of(t->w, parts);
    const char **labels = t->w->labels;
    for (int i = 0, end; i < parts->n; i = end) {
        end = stage_end(stages, i, parts->n);
        bool alone = end - i == parts->n, pinned = false;
        for (int k = i; k < end; k++)
            pinned = pinned || parts->at[k]->pinned;
        if (!stages[i] || (alone && t->w->shape.chains.n == 1) || pinned) {
            put_parts(t, parts->at + i, end - i, &t->body);
            continue;
        }
        /* A stage's name is that of what it ends in. */
        const int last = parts->at[end - 1]->node->id;
        Stmt *s = stmt_new(t->w->arena, STMT_STAGE, NO_LOC);
        s->name.text = labels[last] ? labels[last] : stage_word(t->w, stages[i]);
        labels[last] = NULL;
        put_parts(t, parts->at + i, end - i, &s->body);
        labels[last] = s->name.text;
        s->flat = s->body.n == 1;
        put(t, s);
    }
}

/* Goes on from a tensor. */
static void go_to(Text *t, const Node *node)
{
    if (node != t->current)
        put(t, write_from(t->w->arena, t->w->labels[node->id]));
    t->current = node;
}

static void put_outputs(Text *t, bool all)
{
    const Net *net = t->w->net;
    while (t->output < net->outputs.n) {
        const Port *port = &net->outputs.at[t->output];
        if (!all && write_source(port->node) != t->current)
            return;
        go_to(t, write_source(port->node));
        put(t, write_output(t->w->arena, port));
        t->output++;
    }
}

static void need_label(Writer *w, const Node *node)
{
    if (!w->labels[node->id])
        w->labels[node->id] = write_new_word(w->arena, &w->words, node->name);
}

/* Labels for what is not the current tensor where it is used. */
static void choose_labels(Writer *w)
{
    const Net *net = w->net;
    const Node *current = NULL;
    int output = 0;
    for (int i = 0; i < net->inputs.n; i++) {
        current = net->inputs.at[i].node;
        w->labels[current->id] = write_port_name(w->arena, &net->inputs.at[i]);
        table_add(&w->words, w->labels[current->id], NO_LOC);
    }
    for (int i = 0; i < net->nodes.n; i++) {
        if (w->like[i])
            need_label(w, w->like[i]);
    }
    for (int i = 0; i < w->shape.chains.n; i++) {
        const Chain *chain = w->shape.chains.at[i];
        const Node *first = chain->parts.at[0]->node;
        if (chain->start && chain->start != current)
            need_label(w, chain->start);
        for (int k = 0; !chain->start && k < first->n_in; k++)
            need_label(w, write_source(first->in[k]));
        current = chain->parts.at[chain->parts.n - 1]->node;
        while (output < net->outputs.n && write_source(net->outputs.at[output].node) == current)
            output++;
    }
    for (; output < net->outputs.n; output++) {
        if (write_source(net->outputs.at[output].node) != current)
            need_label(w, write_source(net->outputs.at[output].node));
        current = write_source(net->outputs.at[output].node);
    }
}

/* The units of the last dense layer become a parameter of the net. */
static void name_classes(Writer *w, Unify *u, Decl *net)
{
    for (int i = 0; i < w->net->nodes.n; i++) {
        const Node *node = w->net->nodes.at[i];
        u->last_dense = node->op == OP_DENSE ? node : u->last_dense;
    }
    if (!u->last_dense || w->plain || !table_add(&w->words, "classes", NO_LOC))
        return;
    const int units = u->last_dense->attrs.filters;
    const Parameter p = {{"classes", NO_LOC}, {NULL, NO_LOC}, write_int(w->arena, units)};
    u->classes = write_name(w->arena, "classes");
    VEC_PUSH(w->arena, &net->params, p);
}

static void put_ports(Text *t)
{
    const Net *net = t->w->net;
    if (net->inputs.n && net->inputs.at[0].node->type.n != 1) {
        Stmt *batch = stmt_new(t->w->arena, STMT_BATCH, NO_LOC);
        batch->value = write_int(t->w->arena, net->inputs.at[0].node->type.n);
        put(t, batch);
    }
    for (int i = 0; i < net->inputs.n; i++) {
        put(t, write_input(t->w->arena, &net->inputs.at[i]));
        t->current = net->inputs.at[i].node;
    }
}

/* The first node of those that share parameters is the first one in the text. */
static void find_first(Writer *w, const NodeOrder *order)
{
    const Node **first = NEW_ARRAY(w->arena, const Node *, w->net->params.n + 1);
    for (int i = 0; i < order->n; i++) {
        const Node *node = order->at[i];
        for (int r = 0; r < P_ROLES; r++) {
            const Param *param = node->params[r];
            if (param && !first[param->id])
                first[param->id] = node;
            else if (param)
                w->like[node->id] = first[param->id];
        }
    }
}

static void order_all(NodeOrder *order, const Shape *shape)
{
    for (int i = 0; i < order->net->inputs.n; i++)
        order_node(order, order->net->inputs.at[i].node);
    for (int i = 0; i < shape->chains.n; i++)
        order_chain(order, shape->chains.at[i]);
    for (int i = 0; i < order->net->outputs.n; i++)
        order_node(order, order->net->outputs.at[i].node);
}

static Ast *make_ast(Writer *w, Decl *net)
{
    Ast *ast = NEW(w->arena, Ast);
    for (int i = 0; i < w->decls.n; i++)
        VEC_PUSH(w->arena, &ast->decls, w->decls.at[i]);
    VEC_PUSH(w->arena, &ast->decls, net);
    write_defaults(w->arena, ast);
    return ast;
}

/* An empty line between the inputs, with their normalisation, and the layers. */
static void part_ports(Stmts *body)
{
    int i = 0;
    while (i < body->n && (body->at[i]->kind == STMT_INPUT || body->at[i]->kind == STMT_BATCH ||
                           (body->at[i]->kind == STMT_CALL &&
                            str_eq(body->at[i]->call->name.text, op_row(OP_NORMALIZE)->name))))
        i++;
    if (i > 0 && i < body->n)
        body->at[i]->gap = true;
}

Ast *write_tree(const Imported *from, bool plain, Arena *arena, const Node **order)
{
    const int n = from->net->nodes.n;
    Writer w = {.arena = arena,
                .from = from,
                .net = from->net,
                .plain = plain,
                .symbols = {.arena = arena},
                .words = {.arena = arena}};
    Decl *net = NEW(arena, Decl);
    Unify u = unify_new(&w, 1);
    Text t = {.w = &w, .u = &u};
    NodeOrder o = {w.net, order, 0, NEW_ARRAY(arena, bool, n + 1)};
    w.labels = NEW_ARRAY(arena, const char *, n + 1);
    w.local = NEW_ARRAY(arena, const char *, n + 1);
    w.like = NEW_ARRAY(arena, const Node *, n + 1);
    w.shape = write_shape(arena, w.net);
    order_all(&o, &w.shape);
    find_first(&w, &o);
    *net = (Decl){.kind = DECL_NET, .loc = NO_LOC};
    net->name = (Name){write_new_word(arena, &w.words, w.net->name), NO_LOC};
    u.net = true;
    write_symbols(&w);
    choose_labels(&w);
    name_classes(&w, &u, net);
    if (!plain) {
        write_find_again(&w);
        write_symbols(&w); /* fewer are like no other */
        write_find_blocks(&w);
    }
    put_ports(&t);
    for (int i = 0; i < w.shape.chains.n; i++) {
        const Chain *chain = w.shape.chains.at[i];
        if (chain->start)
            go_to(&t, chain->start);
        put_chain(&t, chain);
        t.current = chain->parts.at[chain->parts.n - 1]->node;
        put_outputs(&t, false);
    }
    put_outputs(&t, true);
    net->body = t.body;
    part_ports(&net->body);
    return u.bad ? NULL : make_ast(&w, net);
}
