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
    NodeOrder order;
    Unify *u;
} Flat;

static void need_label(Flat *f, const Node *node)
{
    if (!f->labels[node->id])
        f->labels[node->id] = write_new_word(f->arena, &f->used, node->name);
}

static void port_label(Flat *f, const Port *port)
{
    f->labels[port->node->id] = write_port_name(f->arena, port);
    table_add(&f->used, f->labels[port->node->id], NO_LOC);
}

/* Ports keep their names; the labels of others are chosen once it is known who needs one. */
static void find_labels(Flat *f)
{
    const Net *net = f->net;
    const Node *current = NULL;
    for (int i = 0; i < net->inputs.n; i++)
        port_label(f, &net->inputs.at[i]);
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *node = net->nodes.at[i];
        if (node->op == OP_CAST)
            continue;
        if (op_row(node->op)->flags & RESULTS)
            need_label(f, node);
        if (write_shared(f->net, node))
            need_label(f, write_shared(f->net, node));
        for (int k = 0; k < node->n_in; k++) {
            if (node->n_in > 1 || write_source(node->in[k]) != current)
                need_label(f, write_source(node->in[k]));
        }
        current = node->attrs.result ? current : node;
    }
    for (int i = 0; i < net->outputs.n; i++) {
        if (write_source(net->outputs.at[i].node) != current)
            need_label(f, write_source(net->outputs.at[i].node));
        current = write_source(net->outputs.at[i].node);
    }
}

static void add(Flat *f, Stmt *s)
{
    VEC_PUSH(f->arena, &f->body, s);
}

static void go_to(Flat *f, const Node *node)
{
    if (write_source(node) != f->current)
        add(f, write_from(f->arena, f->labels[write_source(node)->id]));
    f->current = write_source(node);
}

static Call *layer(Flat *f, const Node *node)
{
    const Mask one = {(const int[]){0}, 1};
    Part part = {.node = node}, *parts[] = {&part};
    return unify_layer(f->u, one, parts);
}

static void write_node(Flat *f, const Node *node)
{
    const Node *like = write_shared(f->net, node);
    Call *call = like ? write_new_call(f->arena, "again") : layer(f, node);
    order_node(&f->order, node);
    if (like)
        write_arg(f->arena, call, NULL, write_name(f->arena, f->labels[like->id]));
    if (node->n_in == 1)
        go_to(f, node->in[0]);
    for (int k = 0; node->n_in > 1 && k < node->n_in; k++)
        write_arg(f->arena, call, NULL,
                  write_name(f->arena, f->labels[write_source(node->in[k])->id]));
    Stmt *s = write_call(f->arena, f->labels[node->id], call);
    if (op_row(node->op)->flags & RESULTS) {
        s->name.text = NULL;
        for (int k = 0; k < node->attrs.parts; k++)
            VEC_PUSH(f->arena, &s->names, ((Name){f->labels[node->id + k], NO_LOC}));
    }
    add(f, s);
    f->current = node;
}

Ast *write_flat(const Imported *from, Arena *arena, const Node **order)
{
    const Net *net = from->net;
    Writer w = {.arena = arena, .from = from, .net = net, .words = {.arena = arena}};
    Unify u = unify_new(&w, 1);
    Flat f = {.arena = arena, .net = net, .used = {.arena = arena}, .u = &u};
    f.order = (NodeOrder){net, order, 0, NEW_ARRAY(arena, bool, net->nodes.n + 1)};
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
        order_node(&f.order, f.current);
    }
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *node = net->nodes.at[i];
        if (node->attrs.result == 0 && node->op != OP_INPUT && node->op != OP_CAST)
            write_node(&f, node);
    }
    for (int i = 0; i < net->outputs.n; i++) {
        go_to(&f, net->outputs.at[i].node);
        order_node(&f.order, net->outputs.at[i].node);
        add(&f, write_output(arena, &net->outputs.at[i]));
    }
    Ast *ast = NEW(arena, Ast);
    Decl *decl = NEW(arena, Decl);
    *decl = (Decl){.kind = DECL_NET, .loc = NO_LOC, .body = f.body};
    decl->name = (Name){write_word(arena, net->name), NO_LOC};
    VEC_PUSH(arena, &ast->decls, decl);
    return ast;
}
