/* spread.c: what each tensor's numbers can be, from what the net says of its inputs.
 *
 * An outlier of an input goes through sums: a convolution, a normalisation, an addition multiply
 * the outlier and its ordinary neighbours alike, so that the factor between them stays.  A product
 * of two tensors multiplies their factors.  Functions with bounded results (relu6, clip with two
 * bounds, sigmoid, tanh, hard_sigmoid, softmax) end it, for finite numbers and infinities.  An
 * average makes a single outlier smaller, but not a region of them, so it counts as any other sum.
 * Nothing ends a NaN; and an infinity becomes one in a sum with its opposite or in a product with
 * 0.
 */
#include "net/spread.h"

#include "net/affine.h"

#include <math.h>

/* Inputs about which nothing was said, and what is bounded. */
static const Spread ordinary = {.factor = 1};

static Spread of_port(const Port *port)
{
    const Range *r = &port->range;
    const bool said = r->given || r->nan || r->inf;
    Spread s = {.factor = 1, .nan = r->nan, .inf = r->inf, .port = said ? port : NULL};
    if (r->given) {
        const double most = fmax(fabs(r->low), fabs(r->high));
        s.factor = fmax(1, most / r->typical);
        s.inf = s.inf || (isfinite(most) && most > SPREAD_OVERFLOWS);
    }
    return s;
}

/* A port's numbers after (x * scale - mean) / std, which may take away what is common to them all:
 * a temperature of 280..320 becomes one of -1..1. */
static double normalized_factor(const Range *r, const Attrs *a)
{
    double factor = 1;
    for (int c = 0; c < a->mean.n; c++) {
        const double low = r->low * a->scale - a->mean.at[c];
        const double high = r->high * a->scale - a->mean.at[c];
        factor = fmax(factor, fmax(fabs(low), fabs(high)) / (r->typical * fabs(a->scale)));
    }
    return factor;
}

/* Two operands that are added or stand side by side. */
static Spread both(Spread a, Spread b)
{
    const int special_a = a.nan || a.inf, special_b = b.nan || b.inf;
    const bool first = special_a != special_b ? special_a > special_b : a.factor >= b.factor;
    const Port *worse = first ? a.port : b.port;
    return (Spread){fmax(a.factor, b.factor), a.nan || b.nan, a.inf || b.inf, worse};
}

static Spread product(Spread a, Spread b)
{
    Spread s = both(a, b);
    s.factor = a.factor * b.factor;
    return s;
}

/* What is left after a function whose result is bounded. */
static Spread bounded(Spread s)
{
    return (Spread){.factor = 1, .nan = s.nan, .port = s.nan ? s.port : NULL};
}

static Spread after_act(Spread s, Act act, double least, double most)
{
    switch (act) {
    case ACT_RELU6:
    case ACT_SIGMOID:
    case ACT_TANH:
    case ACT_HARD_SIGMOID:
        return bounded(s);
    case ACT_CLIP:
        return isfinite(least) && isfinite(most) ? bounded(s) : s;
    case ACT_NONE:
    case ACT_RELU:
    case ACT_LEAKY_RELU:
    case ACT_HARD_SWISH:
    case ACT_SILU:
    case ACT_GELU:
    case ACT_ELU:
    case ACT_SELU:
    case ACT_SOFTPLUS:
    case ACT_MISH:
    case ACT_PRELU:
    case ACT_COUNT:
        break;
    }
    return s;
}

/* Whether results are sums or products, in which an infinity can meet its opposite or a 0. */
static bool sums(Op op)
{
    return op == OP_CONV || op == OP_CONV_TRANSPOSE || op == OP_BLURPOOL || op == OP_RESIZE ||
           op == OP_DENSE || op == OP_AVGPOOL || op == OP_ADD || op == OP_MUL || op == OP_SUB ||
           op == OP_DIV || is_affine(op) || is_norm(op);
}

/* Of a node that is no input. */
static Spread of_node(const Node *node, const Spread *spreads)
{
    Spread s = ordinary;
    for (int i = 0; i < node->n_in; i++) {
        const Spread in = spreads[node->in[i]->id];
        s = i == 0 ? in : node->op == OP_MUL || node->op == OP_DIV ? product(s, in) : both(s, in);
    }
    if (node->op == OP_NORMALIZE && node->in[0]->op == OP_INPUT && s.port && s.port->range.given)
        s.factor = normalized_factor(&s.port->range, &node->attrs);
    if (sums(node->op))
        s.nan = s.nan || s.inf;
    if (node->op == OP_SOFTMAX) { /* the largest number is subtracted from all, itself included */
        s.nan = s.nan || s.inf;
        s = bounded(s);
    }
    if (node->op == OP_LOG_SOFTMAX || node->op == OP_REDUCE)
        s.nan = s.nan || s.inf;
    double least, most;
    act_numbers(node->op, &node->attrs, &least, &most);
    s = after_act(s, act_of(node->op), least, most);
    return after_act(s, node->act, node->act_alpha, node->act_beta);
}

/* Sets spreads[] by what the n ports say; other inputs are ordinary. */
static void spread_on(const Net *net, const Port *ports, int n, Spread *spreads)
{
    for (int i = 0; i < net->nodes.n; i++)
        spreads[i] = ordinary;
    for (int i = 0; i < n; i++)
        spreads[ports[i].node->id] = of_port(&ports[i]);
    for (int i = 0; i < net->nodes.n; i++) {
        if (net->nodes.at[i]->op != OP_INPUT)
            spreads[i] = of_node(net->nodes.at[i], spreads);
    }
}

Spread *spread_find(const Net *net, Arena *arena)
{
    Spread *spreads = NEW_ARRAY(arena, Spread, net->nodes.n + 1);
    spread_on(net, net->inputs.at, net->inputs.n, spreads);
    return spreads;
}

void spread_of_port(const Net *net, const Port *port, Spread *spreads)
{
    spread_on(net, port, 1, spreads);
}

const char *spread_describe(Arena *arena, const Spread *s)
{
    const char *specials = s->nan && s->inf ? "NaN and infinities" : s->nan ? "NaN" : "infinities";
    const char *values = isinf(s->factor) ? "numbers of any size"
                                          : arena_printf(arena,
                                                         "numbers up to %.3g times ordinary "
                                                         "ones",
                                                         s->factor);
    const char *port = s->port ? arena_printf(arena, " (input '%s')", s->port->name) : "";
    if (!s->nan && !s->inf)
        return arena_printf(arena, "%s%s", values, port);
    return s->factor > 1 ? arena_printf(arena, "%s, %s%s", values, specials, port)
                         : arena_printf(arena, "%s%s", specials, port);
}
