/* write_flat.c: a network as a plain list of layers, which is always right. */
#include "import/write_parts.h"
#include "net/nametable.h"

#include <string.h>

typedef struct Flat {
    Arena *arena;
    const Net *net;
    const char **labels; /* by node; NULL: needs none */
    NameTable used;
    const Node *current; /* the current tensor */
    Stmts body;
    const Node **order; /* [n] nodes so far, in the order in which they lower */
    int n;
    bool *ordered; /* by node */
} Flat;

/* What the text reads for a tensor: casts come by themselves where a tensor of floats is needed. */
static const Node *source(const Node *node)
{
    return node->op == OP_CAST ? node->in[0] : node;
}

static const char *new_label(Flat *f, const char *name)
{
    const char *word = write_word(f->arena, name), *label = word;
    for (int i = 2; !table_add(&f->used, label, NO_LOC); i++)
        label = arena_printf(f->arena, "%s_%d", word, i);
    return label;
}

static void need_label(Flat *f, const Node *node)
{
    if (!f->labels[node->id])
        f->labels[node->id] = new_label(f, node->name);
}

/* The first node that has the parameters of this one, which is then called again; or NULL. */
static const Node *shared_with(const Flat *f, const Node *node)
{
    for (int r = 0; r < P_ROLES; r++) {
        if (node->params[r] && node->params[r]->first != node->id)
            return f->net->nodes.at[node->params[r]->first];
    }
    return NULL;
}

/* Ports keep their names; the labels of others are chosen once it is known who needs one. */
static void find_labels(Flat *f)
{
    const Net *net = f->net;
    const Node *current = NULL;
    for (int i = 0; i < net->inputs.n; i++)
        f->labels[net->inputs.at[i].node->id] = new_label(f, net->inputs.at[i].name);
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *node = net->nodes.at[i];
        if (node->op == OP_CAST)
            continue;
        if (op_row(node->op)->flags & RESULTS)
            need_label(f, node);
        if (shared_with(f, node))
            need_label(f, shared_with(f, node));
        for (int k = 0; k < node->n_in; k++) {
            if (node->n_in > 1 || source(node->in[k]) != current)
                need_label(f, source(node->in[k]));
        }
        current = node->attrs.result ? current : node;
    }
    for (int i = 0; i < net->outputs.n; i++) {
        if (source(net->outputs.at[i].node) != current)
            need_label(f, source(net->outputs.at[i].node));
        current = source(net->outputs.at[i].node);
    }
}

static void add(Flat *f, Stmt *s)
{
    VEC_PUSH(f->arena, &f->body, s);
}

static void go_to(Flat *f, const Node *node)
{
    if (source(node) != f->current)
        add(f, write_from(f->arena, f->labels[source(node)->id]));
    f->current = source(node);
}

static void put_in_order(Flat *f, const Node *node)
{
    if (!f->ordered[node->id])
        f->order[f->n++] = node;
    f->ordered[node->id] = true;
}

static void write_node(Flat *f, const Node *node)
{
    for (int k = 0; k < node->n_in; k++) /* casts come where the first node needs them */
        put_in_order(f, node->in[k]);
    put_in_order(f, node);
    const Node *like = shared_with(f, node);
    Call *call = write_layer(f->arena, node);
    if (like) {
        call = call_new(f->arena, (Name){"again", NO_LOC}, (Args){0}, false, NO_LOC);
        write_arg(f->arena, call, NULL, write_name(f->arena, f->labels[like->id]));
    }
    if (node->n_in == 1)
        go_to(f, node->in[0]);
    for (int k = 0; node->n_in > 1 && k < node->n_in; k++)
        write_arg(f->arena, call, NULL, write_name(f->arena, f->labels[source(node->in[k])->id]));
    Stmt *s = write_call(f->arena, f->labels[node->id], call);
    if (op_row(node->op)->flags & RESULTS) {
        s->name.text = NULL;
        for (int k = 0; k < node->attrs.parts; k++)
            VEC_PUSH(f->arena, &s->names, ((Name){f->labels[node->id + k], NO_LOC}));
    }
    add(f, s);
    f->current = node;
}

Ast *write_flat(Arena *arena, const Net *net, const Node **order)
{
    Flat f = {.arena = arena, .net = net, .used = {.arena = arena}, .order = order};
    f.ordered = NEW_ARRAY(arena, bool, net->nodes.n + 1);
    f.labels = NEW_ARRAY(arena, const char *, net->nodes.n + 1);
    find_labels(&f);
    if (net->inputs.n && net->inputs.at[0].node->type.n != 1) {
        Stmt *batch = stmt_new(arena, STMT_BATCH, NO_LOC);
        batch->value = write_int(arena, net->inputs.at[0].node->type.n);
        add(&f, batch);
    }
    for (int i = 0; i < net->inputs.n; i++) {
        add(&f, write_input(arena, &net->inputs.at[i]));
        f.current = net->inputs.at[i].node;
        put_in_order(&f, f.current);
    }
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *node = net->nodes.at[i];
        if (node->attrs.result)
            put_in_order(&f, node);
        else if (node->op != OP_INPUT && node->op != OP_CAST)
            write_node(&f, node);
    }
    for (int i = 0; i < net->outputs.n; i++) {
        go_to(&f, net->outputs.at[i].node);
        put_in_order(&f, net->outputs.at[i].node);
        add(&f, write_output(arena, &net->outputs.at[i]));
    }
    return write_ast(arena, write_word(arena, net->name), f.body);
}
