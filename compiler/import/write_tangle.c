/* write_tangle.c: parts of a split of which some go into others: Res2Net's, and what weighs its
 * operands by what it computes of them, as split attention does.
 *
 * No arms say that.  But if everything between a `split` and a join depends on the split alone, and
 * nothing else depends on it, the chains in between are one part all the same: a list of layers
 * with labels of its own, that can stand in an arm or a block, and occur again.
 */
#include "import/write_parts.h"

#include <stdlib.h>

enum { MOST_TANGLED = 80 }; /* nodes: a larger one is the net itself */

/* Nodes between the join and where they come from, by id. */
typedef struct Tangle {
    const Net *net;
    const int *uses;
    int *from;     /* by root: operands in the tangle that refer to it */
    VEC(int) open; /* roots that are referred to and not looked at yet */
    bool *inside;  /* by root */
    int nodes;
} Tangle;

static void refer(Tangle *t, Arena *arena, const Node *node)
{
    for (int k = 0; k < node->n_in; k++) {
        const int id = write_root(t->net, write_source(node->in[k]))->id;
        if (t->from[id]++ == 0)
            VEC_PUSH(arena, &t->open, id);
    }
}

static int by_id(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

const Node *tangle_root(Arena *arena, const Net *net, const int *uses, const bool *pinned,
                        const Node *join, bool *inside)
{
    Tangle t = {.net = net, .uses = uses, .inside = inside};
    t.from = NEW_ARRAY(arena, int, net->nodes.n + 1);
    refer(&t, arena, join);
    while (t.open.n > 1) {
        qsort(t.open.at, (size_t)t.open.n, sizeof *t.open.at, by_id);
        const int id = t.open.at[--t.open.n];
        const Node *node = net->nodes.at[id];
        if (node->op == OP_INPUT || pinned[id] || t.from[id] != uses[id] ||
            ++t.nodes > MOST_TANGLED)
            return NULL;
        inside[id] = true;
        refer(&t, arena, node);
    }
    const Node *root = net->nodes.at[t.open.at[0]];
    return op_results(root->op, &root->attrs) > 1 && t.from[root->id] == uses[root->id] ? root
                                                                                        : NULL;
}

const Node *tangle_end(const Chain *chain)
{
    return chain->parts.at[chain->parts.n - 1]->node;
}

/* ---- symbols ---- */

/* Which of the tangle's tensors: what a chain ends in, or a result of the split. */
static void put_tensor(Buf *out, const Part *part, const Node *node)
{
    const int root = node->id - node->attrs.result;
    int chain = part->n_arms - 1;
    while (chain >= 0 && tangle_end(part->arms[chain])->id != root)
        chain--;
    buf_printf(out, " %d.%d", chain, node->attrs.result);
}

static void put_operands(Buf *out, const Part *part, const Node *join)
{
    for (int k = 0; k < join->n_in; k++)
        put_tensor(out, part, write_source(join->in[k]));
}

void tangle_symbol(Buf *out, const Part *part)
{
    for (int k = 0; k < part->n_arms; k++) {
        const Chain *chain = part->arms[k];
        buf_puts(out, "(");
        if (chain->start)
            put_tensor(out, part, chain->start);
        else
            put_operands(out, part, chain->parts.at[0]->node);
        for (int i = 0; i < chain->parts.n; i++)
            buf_printf(out, " %d", chain->parts.at[i]->symbol);
        buf_puts(out, ")");
    }
    put_operands(out, part, part->node);
}

/* ---- text ---- */

/* The word for what chain k ends in, the same in all calls. */
static void name_end(Unify *u, Mask m, Part *const *parts, int k)
{
    const Node *end = tangle_end(parts[m.at[0]]->arms[k]);
    const char **labels = u->net ? u->w->labels : u->w->local;
    const char *word = u->net ? labels[end->id] : NULL;
    if (op_results(end->op, &end->attrs) > 1) /* these have their own words */
        return;
    if (u->net && !word)
        word = write_new_word(u->arena, &u->w->words, end->name);
    for (int n = 1; !u->net && !word; n++) {
        const char *next = arena_printf(u->arena, "y%d", n);
        word = table_add(&u->words, next, NO_LOC) ? next : NULL;
    }
    for (int i = 0; i < m.n; i++)
        labels[tangle_end(parts[m.at[i]]->arms[k])->id] = word;
}

void tangle_text(Unify *u, Mask m, Part *const *parts, Stmts *out)
{
    const Part *first = parts[m.at[0]];
    const Node *current = first->root;
    Parts *lists = NEW_ARRAY(u->arena, Parts, u->n);
    const Parts **pointers = NEW_ARRAY(u->arena, const Parts *, u->n);
    for (int k = 0; k < first->n_arms; k++) {
        const Chain *chain = first->arms[k];
        for (int i = 0; i < m.n; i++) {
            /* This makes the blocks in it, whose last layers have no label. */
            lists[m.at[i]] = (Parts){0};
            flatten(u->w, &parts[m.at[i]]->arms[k]->parts, &lists[m.at[i]]);
            pointers[m.at[i]] = &lists[m.at[i]];
        }
        if (chain->start && chain->start != current && !joins_labels(chain->parts.at[0]))
            VEC_PUSH(u->arena, out,
                     write_from(u->arena, unify_label(u, write_source(chain->start))));
        name_end(u, m, parts, k);
        unify_list(u, m, pointers, out);
        current = tangle_end(chain);
    }
    unify_node(u, m, parts, out);
}
