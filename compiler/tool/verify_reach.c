/* verify_reach.c: rnc verify --inputs outliers and specials: whether outliers, infinities and NaN
 * reach only outputs that read them.
 *
 * Each run has one spike in every image: one outlier, infinity or NaN.  After each step, what it
 * wrote is compared with what the plain interpreter makes of the operands that were really
 * computed, each element beside the sum of the magnitudes that it is computed from.  So an
 * output that does not read the spike must be as exact as if there were none, and NaN and
 * infinities must be where they belong and nowhere else; and a layer is not blamed for what an
 * earlier one did.
 */
#include "tool/verify_parts.h"

#include "net/eval.h"
#include "net/state.h"
#include "plan/method.h"
#include "tool/ports.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Twice the bound of docs/numerics.md: numbers drawn are half of an ordinary one on average. */
static const double REACH_TOLERANCE = 2.0 / 512;

struct Reach {
    const Compiled *c;
    const Options *o;
    Arena *arena;
    Arena *temp; /* during a step */
    const Spike *spikes;
    bool *told; /* by spike: a message was given about a run with it */
    Diag *d;
    double tolerance;

    /* By node of the plan's network: */
    double **values; /* as computed, [n][h][w][c] of a turn */
    bool *known;     /* in this turn */
    Node **absolute; /* for sums: the node with its parameters' magnitudes; NULL: not made yet */

    /* About the current run. */
    Isa isa;
    const Spike *spike;
    const double *const *inputs;
    int turn, step, layers;
    const Node *first; /* that differs */
    const Step *first_step;
    int64_t wrong, at; /* elements of it that differ, and the first of them */
    double expected, found;
};

/* ---- what is drawn ---- */

static bool says_something(const Range *r)
{
    return r->given || r->nan || r->inf;
}

static double outlier_of(const Net *net, int index, bool low)
{
    const Range *r = &net->inputs.at[index].range;
    if (r->given && isfinite(r->low))
        return low ? r->low : r->high;
    const double far = r->given ? 1e12 * r->typical : 1e6 * port_magnitude(net, index);
    return low ? -far : far;
}

static void add_spikes(const Net *net, int port, InputKind kind, Spike *to, int *n)
{
    const Port *p = &net->inputs.at[port];
    const bool all = !says_something(&p->range);
    const Spike spikes[] = {{port, outlier_of(net, port, false)},
                            {port, outlier_of(net, port, true)},
                            {port, (double)NAN},
                            {port, (double)INFINITY},
                            {port, -(double)INFINITY}};
    const bool outliers = kind == INPUTS_OUTLIERS, specials = kind == INPUTS_SPECIALS;
    const bool wanted[] = {outliers, outliers, specials && (all || p->range.nan),
                           specials && (all || p->range.inf), specials && (all || p->range.inf)};
    for (int i = 0; i < 5; i++) {
        if (wanted[i])
            to[(*n)++] = spikes[i];
    }
}

const Spike *spikes_of(const Net *net, InputKind kind, int *n, Arena *arena, Diag *d)
{
    enum { MOST = 5 };
    Spike *spikes = NEW_ARRAY(arena, Spike, MOST * net->inputs.n + 1);
    bool said = false;
    for (int i = 0; i < net->inputs.n; i++)
        said = said || says_something(&net->inputs.at[i].range);
    *n = 0;
    for (int i = 0; i < net->inputs.n; i++) {
        const Port *port = &net->inputs.at[i];
        if (port->elem == ELEM_F32 && (!said || says_something(&port->range)))
            add_spikes(net, i, kind, spikes, n);
    }
    if (*n > 0)
        return spikes;
    diag_error(d, NO_LOC, said ? "no input has special values" : "no input is of type f32");
    if (said)
        diag_note(d, NO_LOC,
                  "`specials=nan` in the .net file says that an input has; "
                  "--inputs outliers tries the range");
    else
        diag_note(d, NO_LOC, "bytes are 0..255, without outliers, infinities and NaN");
    return NULL;
}

const double **spike_inputs(const Net *net, const double *const *ordinary, Spike spike,
                            uint64_t seed, Arena *arena)
{
    const double **inputs = NEW_ARRAY(arena, const double *, net->inputs.n + 1);
    memcpy(inputs, ordinary, (size_t)net->inputs.n * sizeof *inputs);
    const Type t = net->inputs.at[spike.port].node->type;
    const int64_t image = type_elements(t) / t.n;
    double *values = NEW_ARRAY(arena, double, image *t.n);
    memcpy(values, ordinary[spike.port], (size_t)(image * t.n) * sizeof *values);
    for (int n = 0; n < t.n; n++) {
        const uint64_t place = (seed + (uint64_t)n + 1) * 0x9e3779b97f4a7c15u;
        values[n * image + (int64_t)(place % (uint64_t)image)] = (double)(float)spike.value;
    }
    inputs[spike.port] = values;
    return inputs;
}

/* ---- what should come out ---- */

/* The operands of a node, as they were computed; those without a step of their own, such as views,
 * are made from theirs. */
static const double *value_of(Reach *r, const Node *node);

static const double **operands_of(Reach *r, const Node *node)
{
    const double **in = NEW_ARRAY(r->temp, const double *, node->n_in + 1);
    for (int i = 0; i < node->n_in; i++)
        in[i] = value_of(r, node->in[i]);
    return in;
}

static double *room_for(Reach *r, const Node *node)
{
    double **values = &r->values[node->id];
    if (!*values)
        *values = NEW_ARRAY(r->arena, double, type_elements(node->type));
    return *values;
}

static const double *value_of(Reach *r, const Node *node)
{
    const Net *net = r->c->plan->net;
    if (r->known[node->id])
        return r->values[node->id];
    for (int i = 0; node->op == OP_INPUT && i < net->inputs.n; i++) {
        if (net->inputs.at[i].node == node)
            return r->inputs[i] + r->turn * type_elements(node->type);
    }
    double *values = room_for(r, node);
    r->known[node->id] = true;
    if (remembers(node)) { /* a first run */
        memset(values, 0, (size_t)type_elements(node->type) * sizeof *values);
        return values;
    }
    eval_node(node, operands_of(r, node), values, r->temp);
    return values;
}

/* Whether results are sums of products, so that the sum of their magnitudes says how exact they can
 * be. */
static bool is_sum(Op op)
{
    return op == OP_CONV || op == OP_CONV_TRANSPOSE || op == OP_BLURPOOL || op == OP_RESIZE ||
           op == OP_DENSE || op == OP_AVGPOOL || op == OP_ADD || op == OP_BN ||
           op == OP_NORMALIZE || op == OP_SCALE;
}

/* -|x| or |x|. */
static const float *magnitudes(Arena *arena, const Param *param, double sign)
{
    const int64_t n = param_elements(param);
    float *to = NEW_ARRAY(arena, float, n);
    for (int64_t i = 0; i < n; i++)
        to[i] = (float)copysign(param_at(param, i), sign);
    return to;
}

/* The node that adds up magnitudes where `node` adds up numbers; means are subtracted. */
static const Node *absolute_of(Reach *r, const Node *node)
{
    Node **at = &r->absolute[node->id];
    if (*at)
        return *at;
    *at = NEW(r->arena, Node);
    **at = *node;
    (*at)->act = ACT_NONE;
    for (int k = 0; k < P_ROLES; k++) {
        if (!node->params[k])
            continue;
        Param *param = (*at)->params[k] = NEW(r->arena, Param);
        *param = *node->params[k];
        param_set_floats(param, magnitudes(r->arena, param, k == P_MEAN ? -1 : 1));
    }
    Attrs *a = &(*at)->attrs;
    double *mean = NEW_ARRAY(r->arena, double, a->mean.n + 1);
    for (int i = 0; i < a->mean.n; i++)
        mean[i] = -fabs(a->mean.at[i]);
    a->mean.at = mean;
    a->scale = fabs(a->scale);
    return *at;
}

/* The magnitudes that each element of a node's result is computed from. */
static double *scales_of(Reach *r, const Node *node, const double *const *in,
                         const double *expected)
{
    const int64_t n = type_elements(node->type);
    double *scales = NEW_ARRAY(r->temp, double, n);
    if (is_sum(node->op)) {
        const double **all = NEW_ARRAY(r->temp, const double *, node->n_in + 1);
        for (int i = 0; i < node->n_in; i++) {
            const int64_t k = type_elements(node->in[i]->type);
            double *abs = NEW_ARRAY(r->temp, double, k);
            for (int64_t j = 0; j < k; j++)
                abs[j] = fabs(in[i][j]);
            all[i] = abs;
        }
        eval_node(absolute_of(r, node), all, scales, r->temp);
    } else {
        const bool alike = node->n_in == 1 && type_eq(node->type, node->in[0]->type);
        double most = 0; /* of gradients, whose sums are of several kinds */
        for (int64_t i = 0; i < n && op_row(node->op)->flags & BACKWARD; i++)
            most = fmax(most, fabs(expected[i]));
        for (int64_t i = 0; i < n; i++)
            scales[i] = fmax(fmax(most, fabs(expected[i])), alike ? fmax(fabs(in[0][i]), 1) : 0);
    }
    return scales;
}

/* Whether an element is what it should be.  `scale` is infinite where it reads an infinity. */
static bool is_right(double found, double expected, double scale, double tolerance)
{
    if (isnan(expected) || isnan(found))
        return isnan(expected) && isnan(found);
    if (isinf(expected))
        return isinf(found) && found * expected > 0;
    scale = fabs(scale);
    if (isfinite(scale) && scale > (double)FLT_MAX)
        return true; /* a sum can overflow on its way */
    if (!isfinite(scale))
        scale = fmax(fabs(expected), 1);
    return fabs(found - expected) <= tolerance * scale + (double)FLT_MIN;
}

/* ---- a run ---- */

Reach *reach_new(const Compiled *c, const Options *o, const Spike *spikes, int n_spikes,
                 Arena *arena, Diag *d)
{
    Reach *r = NEW(arena, Reach);
    const int n = c->plan->net->nodes.n;
    r->c = c, r->o = o, r->arena = arena, r->d = d;
    r->spikes = spikes;
    r->told = NEW_ARRAY(arena, bool, n_spikes);
    r->tolerance = o->tolerance_given ? o->tolerance : REACH_TOLERANCE;
    r->values = NEW_ARRAY(arena, double *, n + 1);
    r->known = NEW_ARRAY(arena, bool, n + 1);
    r->absolute = NEW_ARRAY(arena, Node *, n + 1);
    return r;
}

static void begin_turn(Reach *r)
{
    memset(r->known, 0, (size_t)r->c->plan->net->nodes.n * sizeof *r->known);
}

void reach_begin(Reach *r, Isa isa, const Spike *spike, const double *const *inputs)
{
    r->isa = isa;
    r->spike = spike;
    r->inputs = inputs;
    r->turn = r->layers = 0;
    r->step = -1;
    r->first = NULL;
    begin_turn(r);
}

/* Compares what a step computed with `expected`; counts the elements that differ in the first layer
 * that has any. */
static void compare_elements(Reach *r, const Step *s, const Node *node, const double *expected,
                             const double *scales, const double *found)
{
    const int64_t n = type_elements(node->type);
    int64_t wrong = 0, at = 0;
    for (int64_t i = 0; i < n; i++) {
        if (is_right(found[i], expected[i], scales[i], r->tolerance))
            continue;
        at = wrong++ ? at : i;
    }
    if (r->o->verbose)
        printf("%-8s %4d  %-11s %8lld  %s%s\n", isa_rows[r->isa].name, s->index,
               kernel_rows[s->kernel].name, (long long)wrong, node->name, wrong ? "  DIFFERS" : "");
    if (!wrong || r->first)
        return;
    r->first = node;
    r->first_step = s;
    r->wrong = wrong;
    r->at = at;
    r->expected = expected[at];
    r->found = found[at];
}

/* Compares a result that a step completed, which is stored at `out`. */
static void compare_result(Reach *r, const Step *s, const Operand *result, const float *out)
{
    const Net *net = r->c->plan->net;
    const Port *port = result->kind == PLACE_OUTPUT ? &net->outputs.at[result->port] : NULL;
    const Node *node = port ? port->node : result->tensor->node;
    const Type t = node->type;
    const int64_t n = type_elements(t);
    double *found = NEW_ARRAY(r->temp, double, n);
    for (int64_t i = 0; i < n; i++)
        found[i] =
            (double)written_by(result, t, out, port_index(t, port ? port->order : ORDER_NHWC, i));
    r->layers += r->turn == 0;
    if (r->known[node->id] || node->op == OP_INPUT) { /* a copy */
        const double *same = value_of(r, node);
        compare_elements(r, s, node, same, same, found);
        return;
    }
    if (!remembers(node)) {
        const double **in = operands_of(r, node);
        double *expected = NEW_ARRAY(r->temp, double, n);
        eval_node(node, in, expected, r->temp);
        compare_elements(r, s, node, expected, scales_of(r, node, in, expected), found);
    }
    memcpy(room_for(r, node), found, (size_t)n * sizeof *found);
    r->known[node->id] = true;
}

void reach_step(void *reach, int number, void *const *results)
{
    Reach *r = reach;
    const Plan *plan = r->c->plan;
    const Step *s = &plan->steps.at[number];
    if (number <= r->step) {
        r->turn++;
        begin_turn(r);
    }
    r->step = number;
    jmp_buf *oom = arena_on_oom(r->arena, NULL);
    arena_on_oom(r->arena, oom);
    r->temp = arena_new(oom);
    if (!r->temp)
        longjmp(*oom, 1);
    for (int i = 0; i < MOST_OUT && s->out[i].kind != PLACE_NONE; i++) {
        if (s->out[i].kind == PLACE_OUTPUT || is_last_of_tensor(plan, s, s->out[i].tensor))
            compare_result(r, s, &s->out[i], results[i]);
    }
    arena_free(r->temp);
}

/* "NaN", "an infinity", "a value of 1e+06" */
static const char *spike_text(Arena *arena, double value)
{
    if (isnan(value))
        return "a NaN";
    if (isinf(value))
        return value > 0 ? "an infinity" : "a negative infinity";
    return arena_printf(arena, "a value of %.3g", value);
}

static const char *number_text(Arena *arena, double x)
{
    return isnan(x) ? "NaN" : arena_printf(arena, "%.9g", x);
}

/* The way out: what the .net file would say of such an input. */
static const char *attribute_of(Arena *arena, double value)
{
    if (isnan(value))
        return "specials=nan";
    if (isinf(value))
        return "specials=inf";
    return value > 0 ? arena_printf(arena, "range=0..%g", value)
                     : arena_printf(arena, "range=%g..%g", value, -value);
}

static void report(const Reach *r, const char *spike)
{
    const Node *node = r->first;
    const Method *method = r->first_step->method;
    const Type t = node->type;
    const Port *port = &r->c->original->inputs.at[r->spike->port];
    const long long c = r->at % t.c, x = r->at / t.c % t.w, y = r->at / t.c / t.w % t.h;
    diag_error(r->d, node->place ? node->place->loc : NO_LOC,
               "'%s' differs with %s where the input '%s' has %s: %lld of %lld elements",
               node->name, isa_rows[r->isa].name, port->name, spike, (long long)r->wrong,
               (long long)type_elements(t));
    diag_note(r->d, NO_LOC, "first at channel %lld, row %lld, pixel %lld: expected %s, found %s", c,
              y, x, number_text(r->arena, r->expected), number_text(r->arena, r->found));
    diag_note(r->d, NO_LOC, "step %d, kernel %s; the layers before it do not spread it",
              r->first_step->index, kernel_rows[r->first_step->kernel].name);
    if (method && !method->plain)
        diag_note(r->d, port->place ? port->place->loc : NO_LOC,
                  "it is computed by %s, which mixes pixels; `input %s[...] %s` keeps to methods "
                  "that do not, and so does --exact (docs/numerics.md)",
                  method->word, port->name, attribute_of(r->arena, r->spike->value));
}

void reach_end(Reach *r)
{
    const char *spike = spike_text(r->arena, r->spike->value);
    if (!r->o->quiet)
        printf("%-8s %s in '%s': %d layers %s%s%s\n", isa_rows[r->isa].name, spike,
               r->c->original->inputs.at[r->spike->port].name, r->layers,
               r->first ? "compared, it spreads in '" : "agree", r->first ? r->first->name : "",
               r->first ? "'" : "");
    if (!r->first)
        return;
    bool *told = &r->told[r->spike - r->spikes];
    if (!*told)
        report(r, spike);
    *told = true;
}
