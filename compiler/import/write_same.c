/* write_same.c: whether a written text says the network that it was written for. */
#include "import/write_parts.h"

#include <string.h>

typedef struct Pairs {
    const Net *a, *b;
    const Node *const *order; /* of b's nodes, by a's ids */
    int *other;               /* by b's ids: the node of a */
    const char **why;
} Pairs;

static bool differ(const Pairs *p, const Node *a, const char *what)
{
    *p->why = arena_printf(p->a->arena, "'%s' has other %s", a->name, what);
    return false;
}

/* Parameters are paired as the nodes are: they are the same where the others are. */
static bool same_params(const Pairs *p, const Node *a, const Node *b)
{
    for (int r = 0; r < P_ROLES; r++) {
        const Param *x = a->params[r], *y = b->params[r];
        if (!x != !y)
            return differ(p, a, "parameters");
        if (!x)
            continue;
        /* The first of a's nodes that has it must have the other in b. */
        if (!param_same_dims(x, y) || p->order[x->first]->params[r] != y)
            return differ(p, a, "parameters");
        if (x->first == a->id && p->other[y->first] < a->id)
            return differ(p, a, "shared parameters");
    }
    return true;
}

static bool same_node(const Pairs *p, const Node *a, const Node *b)
{
    if (a->op != b->op || a->n_in != b->n_in)
        return differ(p, a, "operator");
    if (a->act != b->act || b->act_alpha != a->act_alpha)
        return differ(p, a, "activation");
    if (!attrs_same(a->op, &a->attrs, &b->attrs) || a->attrs.result != b->attrs.result)
        return differ(p, a, "attributes");
    if (!type_eq(a->type, b->type))
        return differ(p, a, "extents");
    for (int k = 0; k < a->n_in; k++) {
        if (p->order[a->in[k]->id] != b->in[k])
            return differ(p, a, "operands");
    }
    return same_params(p, a, b);
}

static bool same_range(const Range *a, const Range *b)
{
    return a->given == b->given && a->nan == b->nan && a->inf == b->inf &&
           (!a->given || (a->low == b->low && a->high == b->high && a->typical == b->typical));
}

static bool same_port(const Pairs *p, const Port *a, const Port *b)
{
    if (str_eq(a->name, write_port_name(p->a->arena, b)) && p->order[a->node->id] == b->node &&
        a->elem == b->elem && a->order == b->order && same_range(&a->range, &b->range))
        return true;
    *p->why = arena_printf(p->a->arena, "the port '%s' is another", a->name);
    return false;
}

bool write_same(const Net *a, const Net *b, const Node *const *order, const char **why)
{
    Pairs p = {a, b, order, NEW_ARRAY(a->arena, int, b->nodes.n + 1), why};
    *why = "the numbers of nodes or ports differ";
    bool same = a->nodes.n == b->nodes.n && a->inputs.n == b->inputs.n &&
                a->outputs.n == b->outputs.n && a->params.n == b->params.n;
    for (int i = 0; same && i < a->nodes.n; i++)
        p.other[order[i]->id] = i;
    for (int i = 0; same && i < a->nodes.n; i++)
        same = same_node(&p, a->nodes.at[i], order[i]);
    for (int i = 0; same && i < a->inputs.n; i++)
        same = same_port(&p, &a->inputs.at[i], &b->inputs.at[i]);
    for (int i = 0; same && i < a->outputs.n; i++)
        same = same_port(&p, &a->outputs.at[i], &b->outputs.at[i]);
    return same;
}
