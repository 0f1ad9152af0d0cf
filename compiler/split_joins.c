/* split_joins.c: add and mul of more than two operands become chains of two,
 * from the first operand on: add(a, b, c) is add(add(a, b), c).
 *
 * Legal always, up to rounding: both are associative, and an operand that is
 * spread over the result may be spread over a part of it first.  The last of the
 * chain is the original node; the ones in front of it compute no original value.
 * Afterwards an add or mul has exactly two operands, as the kernels take them. */
#include "pass.h"

#include "infer.h"

/* A name like the join's that is still free: add1.part1, add1.part2, ... */
static const char *part_name(const Net *net, const Node *join, int *number)
{
    const char *name;
    do
        name = arena_printf(net->arena, "%s.part%d", join->name, ++*number);
    while (net_node_named(net, name));
    return name;
}

static void split(Net *net, Node *join)
{
    Attrs attrs = ir_default_attrs(join->op);
    Diag quiet = diag_new(NULL, net->arena);
    Node *sum = join->in[0];
    int number = 0;
    for (int i = 1; i < join->n_in - 1; i++) {
        Node *pair[] = {sum, join->in[i]};
        sum = ir_node(net->arena, join->op, pair, 2, &attrs, part_name(net, join, &number),
                      join->place);
        /* Operands that fit one another in all fit in pairs. */
        infer_node(sum, &quiet);
        ir_insert(net, join->id, sum);
    }
    join->in[0] = sum;
    join->in[1] = join->in[join->n_in - 1];
    join->n_in = 2;
}

void pass_split_joins(Net *net)
{
    for (int i = 0; i < net->nodes.n; i++) {
        Node *node = net->nodes.at[i];
        if ((node->op == OP_ADD || node->op == OP_MUL) && node->n_in > 2)
            split(net, node);
    }
}
