/* memory_estimate.c: what a step of training needs and costs if it keeps only some values: the
 * bytes of tensors alive at once, without halos, packed filters and scratch. */
#include "plan/memory_parts.h"

#include "base/numbers.h"

/* Numbers whose moving is taken for as long as a multiplication. */
enum { MACS_A_NUMBER = 16, LANES = 16 };

/* Multiplications of all images, of layers and of their gradients. */
static int64_t macs_of(const Node *node)
{
    const Attrs *a = &node->attrs;
    const Type t = node->type;
    switch (node->op) {
    case OP_CONV:
    case OP_DENSE:
        return mul_extents(node_macs(node), t.n);
    case OP_CONV_WEIGHTS:
    case OP_DENSE_WEIGHTS:
        return mul_extents(type_elements(node->in[0]->type), (int64_t)t.h * t.w * t.c);
    case OP_CONV_TRANSPOSE:
        return mul_extents(type_elements(node->in[0]->type),
                           (int64_t)a->kernel[0] * a->kernel[1] * t.c / a->groups);
    case OP_DENSE_TRANSPOSE:
        return mul_extents(type_elements(node->in[0]->type), t.c);
    default:
        return 0;
    }
}

int64_t step_macs(const Net *net)
{
    int64_t sum = 0;
    for (int i = 0; i < net->nodes.n; i++)
        sum += macs_of(net->nodes.at[i]);
    return sum;
}

bool multiplies(const Node *node)
{
    return macs_of(node) > 0;
}

static int64_t bytes_of(Type t)
{
    t.c = (int)round_up(t.c, LANES);
    return elems_bytes(ELEM_F32, type_elements(t));
}

/* ---- the order of a step ---- */

/* A node in its place, or once more. */
typedef struct Item {
    int node;
    bool again;
} Item;

struct Estimator {
    const Net *net;
    Recomputation r;
    const bool *kept;
    Item *items;
    int n;
    int *last[2]; /* by id: the last item that reads it, of the node itself and of its copy */
    int64_t alive, peak;
};

Estimator *estimator_new(const Net *net)
{
    Estimator *e = NEW(net->arena, Estimator);
    const int n = net->nodes.n;
    *e = (Estimator){.net = net, .r = recomputation_of(net)};
    e->items = NEW_ARRAY(net->arena, Item, 2 * n + 1);
    for (int i = 0; i < 2; i++)
        e->last[i] = NEW_ARRAY(net->arena, int, n + 1);
    return e;
}

/* Where an item finds its operand. */
static int *last_of(const Estimator *e, const Item *item, const Node *operand)
{
    const int id = operand->id;
    const bool back = item->again || item->node >= e->r.begin;
    return &e->last[back && e->r.made[id] && !e->kept[id]][id];
}

/* Results that lie where their operands do. */
static bool is_view(const Node *node)
{
    const int *p = node->attrs.padding;
    return node->op == OP_CONCAT || node->op == OP_FLATTEN || node->op == OP_SPLIT ||
           (node->op == OP_CROP && !p[0] && !p[1] && !p[2] && !p[3]);
}

/* Whether the result may overwrite operand `slot`. */
static bool goes_over(const Node *node, int slot)
{
    if (!type_eq(node->type, node->in[slot]->type) || node->in[slot]->op == OP_INPUT)
        return false;
    if (macs_of(node) > 0 || node->op == OP_BN_TRAIN)
        return slot == 1;
    return op_row(node->op)->flags & ELEMENTWISE || node->op == OP_BN_AGAIN;
}

static void list_items(Estimator *e)
{
    int next = 0;
    e->n = 0;
    for (int i = 0; i < e->net->nodes.n; i++) {
        for (; next < e->r.again.n && e->r.again.at[next].before == i; next++)
            e->items[e->n++] = (Item){e->r.again.at[next].node, true};
        e->items[e->n++] = (Item){i, false};
    }
}

static void find_lasts(Estimator *e)
{
    for (int i = 0; i < e->net->nodes.n; i++)
        e->last[0][i] = e->last[1][i] = -1;
    for (int i = 0; i < e->n; i++) {
        const Node *node = e->net->nodes.at[e->items[i].node];
        int *own = &e->last[e->items[i].again][node->id];
        *own = *own < i ? i : *own; /* it lives while it is written */
        for (int j = 0; j < node->n_in; j++)
            *last_of(e, &e->items[i], node->in[j]) = i;
    }
    for (int i = e->n - 1; i >= 0; i--) {
        const Node *node = e->net->nodes.at[e->items[i].node];
        const int own = e->last[e->items[i].again][node->id];
        for (int j = 0; j < node->n_in && is_view(node); j++) {
            int *last = last_of(e, &e->items[i], node->in[j]);
            *last = *last < own ? own : *last;
        }
    }
}

static void step_to(Estimator *e, int i)
{
    const Node *node = e->net->nodes.at[e->items[i].node];
    const int64_t own = is_view(node) || node->op == OP_INPUT ? 0 : bytes_of(node->type);
    int64_t over = 0, gone = 0;
    for (int j = 0; j < node->n_in; j++) {
        int *last = last_of(e, &e->items[i], node->in[j]);
        if (*last != i || node->in[j]->op == OP_INPUT)
            continue;
        *last = -1; /* an operand may be there twice */
        gone += is_view(node->in[j]) ? 0 : bytes_of(node->in[j]->type);
        over = goes_over(node, j) ? own : over;
    }
    e->alive += own;
    e->peak = e->alive - over > e->peak ? e->alive - over : e->peak;
    e->alive -= gone;
    if (e->last[e->items[i].again][node->id] == i)
        e->alive -= own;
}

Estimate estimate(Estimator *e, const bool *kept)
{
    Estimate sum = {0};
    e->kept = kept;
    find_again(&e->r, kept);
    list_items(e);
    find_lasts(e);
    e->alive = e->peak = 0;
    for (int i = 0; i < e->n; i++)
        step_to(e, i);
    for (int i = 0; i < e->r.again.n; i++) {
        const Node *node = e->net->nodes.at[e->r.again.at[i].node];
        const int64_t macs = macs_of(node);
        sum.layers++;
        sum.products += macs > 0;
        sum.macs += macs;
        sum.moved += bytes_of(node->type);
        for (int j = 0; j < node->n_in; j++)
            sum.moved += bytes_of(node->in[j]->type);
    }
    sum.peak = e->peak;
    sum.cost = sum.macs + MACS_A_NUMBER * sum.moved / elem_bytes(ELEM_F32);
    return sum;
}
