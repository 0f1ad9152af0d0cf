/* bands_choose.c: which layers are computed band by band, by the machine's caches.
 *
 * The time of a layer has two components, as in method.c: its arithmetic, and the reading and
 * writing of tensors that are not in the L2; what is there costs nothing more.  A tensor is taken
 * to be there if no more than NEAR of the L2 has been touched since it was.  Measured on a Granite
 * Rapids, where MobileNetV2's first twelve layers take 1.51 ms, 0.65 of it for tensors from the L3,
 * this is within a quarter of each layer's time (docs/kernels-log.md).
 *
 * The groups are those by which the sum over all layers is least: a shortest path over the nodes.
 */
#include "plan/bands.h"
#include "plan/methods/method_parts.h"

static const double NEAR = 0.75;   /* of the L2 */
static const double STEP = 0.5e-6; /* seconds that a step takes besides */
static const double GAIN = 0.92;   /* of its time, at most, that a group by bands takes */
/* Where nobody said how many threads there are, and bands have no slots for them: a step more is a
 * step more that threads share, and wait for. */
static const double STEP_UNASKED = 2.5e-6, GAIN_UNASKED = 0.90;
static const double DEPTHWISE = 0.5; /* of the peak that it reaches, as pools do of the L2's rate */
enum { MOST_BANDS = 16, MOST_NODES = 48, ROWS_LEAST = 2 };

typedef struct Chooser {
    const Plan *plan;
    const Net *net;
    double room;        /* bytes that stay near */
    double step, gain;  /* STEP and GAIN, or those of plans for nobody knows how many threads */
    double *arithmetic; /* by node id: seconds, all rows, with everything near */
    double *bytes;      /* of its result */
    double *weights;    /* bytes */
    double *alone;      /* seconds of the node, by all its rows at once */
    int *far;           /* how many nodes before it read or write what is not near */
    int *last_use;      /* the last node that reads it; the number of nodes for an output */
    bool *by_rows;
    /* Of a walk, whose clock counts bytes: */
    double clock, *touched; /* by node id: when its value was; < 0: not yet */
} Chooser;

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

static double seconds_from_far(const Chooser *c, double bytes)
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
static double walk_node(Chooser *c, const Node *node, double part, const double *parts)
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

static Chooser *begin(const Plan *plan)
{
    Chooser *c = NEW(plan->arena, Chooser);
    const Net *net = plan->net;
    const int n = net->nodes.n;
    c->plan = plan, c->net = net;
    c->room = NEAR * 1024.0 * plan->options.machine->l2_kb;
    c->step = plan->threads_asked ? STEP : STEP_UNASKED;
    c->gain = plan->threads_asked ? GAIN : GAIN_UNASKED;
    c->arithmetic = NEW_ARRAY(plan->arena, double, n + 1);
    c->bytes = NEW_ARRAY(plan->arena, double, n + 1);
    c->weights = NEW_ARRAY(plan->arena, double, n + 1);
    c->alone = NEW_ARRAY(plan->arena, double, n + 1);
    c->touched = NEW_ARRAY(plan->arena, double, n + 1);
    c->far = NEW_ARRAY(plan->arena, int, n + 1);
    c->last_use = NEW_ARRAY(plan->arena, int, n + 1);
    c->by_rows = NEW_ARRAY(plan->arena, bool, n + 1);
    static const double whole[] = {1.0, 1.0, 1.0, 1.0};
    for (int i = 0; i < n; i++) {
        const Node *node = net->nodes.at[i];
        c->bytes[i] = (double)elems_bytes(ELEM_F32, type_elements(node->type));
        const Param *weight = node->params[P_WEIGHT];
        c->weights[i] = weight ? (double)elems_bytes(ELEM_F32, param_elements(weight)) : 0.0;
        c->by_rows[i] = is_by_rows(node) && node->n_in <= 4 && node->n_in > 0;
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
    return c;
}

/* Whether the group itself, and nothing after it, reads each of its nodes but the last. */
static bool is_closed(const Chooser *c, int first, int last)
{
    for (int i = first; i < last; i++) {
        if (c->last_use[i] <= i || c->last_use[i] > last)
            return false;
    }
    return true;
}

/* The seconds of a group by bands, by those of the band in the middle.  Weights that do not stay
 * near from band to band are read again. */
static double group_seconds(Chooser *c, BandGroup g)
{
    BandRows rows[MOST_NODES];
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
        double parts[4];
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

/* Bands of equal height, if there are such numbers, so that they share their functions. */
static bool may_be_bands(int h, int bands)
{
    bool divides = h % bands == 0;
    for (int i = 2; i <= MOST_BANDS && !divides && h % bands; i++)
        divides = h % i == 0 && h / i >= ROWS_LEAST;
    return h / bands >= ROWS_LEAST && (h % bands == 0 || !divides);
}

/* How much longer the thread with the most bands has than all have on average. */
static double uneven(const Chooser *c, int bands)
{
    const int threads = c->plan->threads_asked ? c->plan->options.threads : 1;
    return (double)div_up(bands, threads) * threads / bands;
}

/* The best number of bands of a group; 1 if it is not worth it. */
static BandGroup best_bands(Chooser *c, int first, int last, double *seconds)
{
    BandGroup best = {first, last, 1};
    double alone = 0.0;
    for (int i = first; i <= last; i++)
        alone += c->alone[i];
    *seconds = c->gain * alone;
    for (int bands = 2; bands <= MOST_BANDS; bands++) {
        const BandGroup g = {first, last, bands};
        if (!may_be_bands(c->net->nodes.at[last]->type.h, bands))
            continue;
        const double by_bands = group_seconds(c, g) * uneven(c, bands);
        if (by_bands < *seconds) {
            *seconds = by_bands;
            best = g;
        }
    }
    return best;
}

BandGroups choose_bands(const Plan *plan)
{
    Chooser *c = begin(plan);
    const int n = c->net->nodes.n;
    double *least = NEW_ARRAY(plan->arena, double, n + 1); /* of the nodes before */
    BandGroup *by = NEW_ARRAY(plan->arena, BandGroup, n + 1);
    for (int last = 0; last < n; last++) {
        least[last + 1] = least[last] + c->alone[last];
        by[last] = (BandGroup){last, last, 1};
        for (int first = last; first >= 0 && c->by_rows[first] && last - first < MOST_NODES;
             first--) {
            if (first == last || c->far[last + 1] == c->far[first] || !is_closed(c, first, last))
                continue;
            double seconds;
            const BandGroup g = best_bands(c, first, last, &seconds);
            if (g.bands > 1 && least[first] + seconds < least[last + 1]) {
                least[last + 1] = least[first] + seconds;
                by[last] = g;
            }
        }
    }
    BandGroups found = {0}, groups = {0};
    for (int i = n - 1; i >= 0; i = by[i].first - 1) {
        if (by[i].bands > 1)
            VEC_PUSH(plan->arena, &found, by[i]);
    }
    for (int i = found.n - 1; i >= 0; i--)
        VEC_PUSH(plan->arena, &groups, found.at[i]);
    return groups;
}
