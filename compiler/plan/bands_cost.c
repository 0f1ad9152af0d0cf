/* bands_cost.c: what layers cost by bands and without, in seconds and in memory.
 *
 * The time of a layer has two components, as in method.c: its arithmetic, and the reading and
 * writing of tensors that are not in the L2; what is there costs nothing more.  A tensor is taken
 * to be there if no more than NEAR of the L2 has been touched since it was.  Of MobileNetV2's
 * first twelve layers on a Granite Rapids this is off by -22 to +35 %, of half of them by 5 % at
 * most (docs/kernels-log.md).
 *
 * The memory is that of the tensors' elements.  Halos and scratch come to it (place.c, scratch.c).
 */
#include "plan/bands_parts.h"
#include "plan/methods/method_parts.h"

static const double NEAR = 0.75;   /* of the L2 */
static const double STEP = 0.5e-6; /* seconds that a step takes besides */
/* Where nobody said how many threads there are, and bands have no slots for them: a step more is a
 * step more that threads share, and wait for. */
static const double STEP_UNASKED = 2.5e-6;
static const double DEPTHWISE = 0.5; /* of the peak that it reaches, as pools do of the L2's rate */

/* The arithmetic of all rows, without what is read. */
static double arithmetic_of(const Plan *plan, const Node *node, double bytes)
{
    const Method *m = is_conv(node->op) ? choose_method(plan, node) : NULL;
    if (m && m->seconds)
        return m->seconds(plan, node, m);
    if (is_conv(node->op))
        return 2.0 * (double)node_macs(node) * node->type.n / (DEPTHWISE * peak_of(plan));
    const Attrs *a = &node->attrs;
    const int taps = op_row(node->op)->flags & WINDOW ? a->kernel[0] * a->kernel[1] : 2;
    return taps * bytes / (1e9 * plan->options.machine->l2);
}

static double seconds_from_far(const BandCosts *c, double bytes)
{
    return bytes / (1e9 * c->plan->options.machine->l3);
}

/* The operand that the result overwrites, as a rule (share.c); -1: none. */
static int overwritten(const Node *node)
{
    const int slot = is_conv(node->op) ? 1 : 0;
    const bool may = is_conv(node->op) ? node->n_in > 1 : op_row(node->op)->flags & ELEMENTWISE;
    return may && type_eq(node->in[slot]->type, node->type) ? slot : -1;
}

/* One node's seconds in a walk: `part` of its rows and of each operand's, parts[]. */
static double walk_node(BandCosts *c, const Node *node, double part, const double *parts)
{
    const double result = part * c->bytes[node->id], now = c->clock;
    const double fresh = overwritten(node) < 0 ? result : 0.0;
    double far = 0.0, operands = 0.0;
    for (int i = 0; i < node->n_in; i++) {
        const int in = node->in[i]->id;
        const double bytes = parts[i] * c->bytes[in];
        operands += bytes;
        if (c->touched[in] >= 0.0 && now - c->touched[in] + fresh <= c->room)
            continue;
        far += bytes;
        c->clock += bytes;
        c->touched[in] = now;
    }
    if (operands + result > c->room)
        far += fresh;
    c->touched[node->id] = now;
    c->clock += fresh + c->weights[node->id];
    return c->step + overlapped(part * c->arithmetic[node->id], seconds_from_far(c, far));
}

/* The last node that needs the value; what goes out is copied at once.  Inputs are the caller's. */
static int needed_until(const BandCosts *c, int id)
{
    const int n = c->net->nodes.n;
    return c->net->nodes.at[id]->op == OP_INPUT ? -1 : c->last_use[id] == n ? id : c->last_use[id];
}

/* Bytes of an operand that the node's result overwrites, since nothing else needs it. */
static double bytes_overwritten(const BandCosts *c, const Node *node)
{
    const int slot = overwritten(node);
    const bool may = slot >= 0 && needed_until(c, node->in[slot]->id) == node->id;
    return may ? c->bytes[node->id] : 0.0;
}

static void find_alive(BandCosts *c)
{
    const int n = c->net->nodes.n;
    double *more = NEW_ARRAY(c->plan->arena, double, n + 2), now = 0.0;
    for (int i = 0; i < n; i++) {
        const int end = needed_until(c, i) < i ? i : needed_until(c, i);
        const double bytes = c->net->nodes.at[i]->op == OP_INPUT ? 0.0 : c->bytes[i];
        more[i] += bytes;
        more[end + 1] -= bytes;
    }
    for (int i = 0; i < n; i++) {
        now += more[i];
        c->alive[i] = now - bytes_overwritten(c, c->net->nodes.at[i]);
    }
}

BandCosts *band_costs(const Plan *plan)
{
    BandCosts *c = NEW(plan->arena, BandCosts);
    const Net *net = plan->net;
    const int n = net->nodes.n;
    c->plan = plan, c->net = net;
    c->room = NEAR * 1024.0 * plan->options.machine->l2_kb;
    c->step = plan->threads_asked ? STEP : STEP_UNASKED;
    c->arithmetic = NEW_ARRAY(plan->arena, double, n + 1);
    c->bytes = NEW_ARRAY(plan->arena, double, n + 1);
    c->weights = NEW_ARRAY(plan->arena, double, n + 1);
    c->alone = NEW_ARRAY(plan->arena, double, n + 1);
    c->touched = NEW_ARRAY(plan->arena, double, n + 1);
    c->alive = NEW_ARRAY(plan->arena, double, n + 1);
    c->far = NEW_ARRAY(plan->arena, int, n + 1);
    c->last_use = NEW_ARRAY(plan->arena, int, n + 1);
    c->by_rows = NEW_ARRAY(plan->arena, bool, n + 1);
    static const double whole[] = {1.0, 1.0, 1.0, 1.0};
    for (int i = 0; i < n; i++) {
        const Node *node = net->nodes.at[i];
        c->bytes[i] = (double)elems_bytes(ELEM_F32, type_elements(node->type));
        const Param *weight = node->params[P_WEIGHT];
        c->weights[i] = weight ? (double)elems_bytes(ELEM_F32, param_elements(weight)) : 0.0;
        c->by_rows[i] = is_by_rows(node) && node->n_in <= MOST_BAND_OPERANDS && node->n_in > 0;
        c->arithmetic[i] = c->by_rows[i] ? arithmetic_of(plan, node, c->bytes[i]) : 0.0;
        c->touched[i] = -1.0;
        for (int k = 0; k < node->n_in; k++)
            c->last_use[node->in[k]->id] = i;
    }
    for (int i = 0; i < net->outputs.n; i++)
        c->last_use[net->outputs.at[i].node->id] = n;
    for (int i = 0; i < n; i++) {
        const Node *node = net->nodes.at[i];
        if (c->by_rows[i])
            c->alone[i] = walk_node(c, node, 1.0, whole);
        c->far[i + 1] = c->far[i] + (c->alone[i] > c->step + c->arithmetic[i]);
    }
    find_alive(c);
    return c;
}

/* By the seconds of the band in the middle.  Weights that do not stay near from band to band are
 * read again. */
double band_seconds(BandCosts *c, BandGroup g)
{
    BandRows rows[MOST_BAND_NODES];
    const double begin = c->clock;
    band_rows(c->net, g, g.bands / 2, rows);
    for (int i = g.first; i <= g.last; i++) {
        const Node *node = c->net->nodes.at[i];
        c->touched[i] = -1.0;
        for (int k = 0; k < node->n_in; k++)
            c->touched[node->in[k]->id] = -1.0;
    }
    double seconds = 0.0, weights = 0.0;
    for (int i = g.first; i <= g.last; i++) {
        const Node *node = c->net->nodes.at[i];
        weights += c->weights[i];
        const BandRows own = rows[i - g.first];
        double parts[MOST_BAND_OPERANDS];
        for (int k = 0; k < node->n_in; k++) {
            const BandRows reads = band_reads(node, k, own);
            parts[k] = (double)(reads.hi - reads.lo) / node->in[k]->type.h;
        }
        seconds += walk_node(c, node, (double)(own.hi - own.lo) / node->type.h, parts);
    }
    const int over = overwritten(c->net->nodes.at[g.last]);
    const bool outside = over >= 0 && c->net->nodes.at[g.last]->in[over]->id < g.first;
    if (c->bytes[g.last] > c->room || outside) /* the rows go where all others are */
        seconds += seconds_from_far(c, c->bytes[g.last] / g.bands);
    if (c->clock - begin > c->room)
        seconds += seconds_from_far(c, weights);
    const BandRows last = rows[g.last - g.first];
    return seconds * c->net->nodes.at[g.last]->type.h / (last.hi - last.lo);
}

/* What is needed from before the group, until its end, and all of its result; and the tensors of
 * the band in the middle. */
double band_bytes(const BandCosts *c, BandGroup g)
{
    BandRows rows[MOST_BAND_NODES];
    double outside = c->bytes[g.last], most = 0.0;
    band_rows(c->net, g, g.bands / 2, rows);
    for (int i = 0; i < g.first; i++)
        outside += needed_until(c, i) >= g.first ? c->bytes[i] : 0.0;
    for (int i = g.first; i <= g.last; i++) {
        double alive = 0.0;
        for (int k = g.first; k <= i && k < g.last; k++) {
            const double part =
                (double)(rows[k - g.first].hi - rows[k - g.first].lo) / c->net->nodes.at[k]->type.h;
            alive += needed_until(c, k) >= i ? part * c->bytes[k] : 0.0;
        }
        most = alive > most ? alive : most;
    }
    return outside + most;
}
