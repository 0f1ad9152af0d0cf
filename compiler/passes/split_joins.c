/* split_joins.c: add and mul of more than two operands become chains of two,
 * from the first operand on: add(a, b, c) is add(add(a, b), c).
 *
 * This is always legal, up to rounding: both are associative, and an operand that is spread over
 * the result may first be spread over a part of it.  The last node of the chain is the original
 * one; those before it compute no original value.  Afterwards every add or mul has exactly two
 * operands, as the kernels expect. */
#include "passes/pass.h"

#include "net/infer.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of all nodes, sorted. */
static const char **sorted_names(const Net *net)
{
    const char **names = NEW_ARRAY(net->arena, const char *, net->nodes.n + 1);
    for (int i = 0; i < net->nodes.n; i++)
        names[i] = net->nodes.at[i]->name;
    qsort(names, (size_t)net->nodes.n, sizeof *names, by_name);
    return names;
}

/* A free name like the join's: add1.part1, add1.part2, ... */
static const char *part_name(const Net *net, const char **names, const Node *join, int *number)
{
    const char *name;
    do
        name = arena_printf(net->arena, "%s.part%d", join->name, ++*number);
    while (bsearch(&name, names, (size_t)net->nodes.n, sizeof *names, by_name));
    return name;
}

typedef VEC(Node *) Nodes;

/* Adds the parts that come before the join to `nodes`. */
static void split(const Net *net, const char **names, Node *join, Nodes *nodes)
{
    Attrs attrs = ir_default_attrs(join->op);
    Diag quiet = diag_new(NULL, net->arena);
    Node *sum = join->in[0];
    int number = 0;
    for (int i = 1; i < join->n_in - 1; i++) {
        Node *pair[] = {sum, join->in[i]};
        sum = ir_node(net->arena, join->op, pair, 2, &attrs, part_name(net, names, join, &number),
                      join->place);
        /* Operands that all fit together also fit in pairs. */
        infer_node(sum, &quiet);
        VEC_PUSH(net->arena, nodes, sum);
    }
    join->in[0] = sum;
    join->in[1] = join->in[join->n_in - 1];
    join->n_in = 2;
}

void pass_split_joins(Net *net)
{
    const char **names = sorted_names(net);
    Nodes nodes = {0};
    for (int i = 0; i < net->nodes.n; i++) {
        Node *node = net->nodes.at[i];
        if ((node->op == OP_ADD || node->op == OP_MUL) && node->n_in > 2)
            split(net, names, node, &nodes);
        VEC_PUSH(net->arena, &nodes, node);
    }
    net->nodes.n = 0;
    for (int i = 0; i < nodes.n; i++)
        VEC_PUSH(net->arena, &net->nodes, nodes.at[i]);
    ir_renumber(net);
}
