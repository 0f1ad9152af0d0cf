/* method.c: chooses the method of a convolution or dense layer by a cost model.
 *
 * The time of a method has two components: its arithmetic at the machine's peak, and the reading
 * of its weights.  Weights are read once in an inference, and the next ones are fetched while the
 * current ones are used.  So the two components overlap, but not wholly; the root of the sum of
 * their squares is within 10 % of what was measured (docs/kernels-log.md).  Each method computes
 * its own cost (methods/<name>.c).
 *
 * A measured tuning takes precedence over the model.  Both only choose; every choice gives correct
 * results.  Where the net says that an operand can hold outliers, infinities or NaN (net/spread.h),
 * neither may choose a method that lets them reach outputs which do not read them.
 */
#include "plan/methods/method_parts.h"

const Method *const method_rows[METHOD_COUNT] = {
#define METHOD(name) [METHOD_##name] = &method_##name,
#include "plan/methods/methods.def"
};

/* Measured: docs/kernels-log.md. */
#define REACH_OF_OTHERS                                                                    \
    {                                                                                      \
        .direct = 0.93, .products = 0.90, .blocks = 0.80, .taps = 1.15, .strassen = 0.945, \
        .fetch = 1.0, .strided = 1.0                                                       \
    }
static const Reach reaches[ISA_COUNT] = {
    [ISA_avx512] = {.direct = 0.95,
                    .products = 0.94,
                    .blocks = 0.60,
                    .taps = 1.08,
                    .strassen = 0.90,
                    .fetch = 0.80,
                    .strided = 0.70},
    [ISA_avx2] = REACH_OF_OTHERS,
    [ISA_neon] = REACH_OF_OTHERS,
    [ISA_portable] = REACH_OF_OTHERS,
    [ISA_scalar] = REACH_OF_OTHERS,
};

const Reach *reach_of(const Plan *plan)
{
    return &reaches[machine_isa(plan->options.machine, plan->options.isas)];
}

double peak_of(const Plan *plan)
{
    return 1e9 * machine_gflops(plan->options.machine, plan->options.isas);
}

bool has_mesh(const Machine *machine)
{
    static const double L2_KB = 1024.0, L3 = 40.0;
    return machine->l2_kb >= L2_KB && machine->l3 < L3;
}

/* If all weights of the network stay in the L3, they are read from there.  Those of a larger
 * network are read from memory, whose rate the threads share.  On a mesh a line takes long from
 * there, and only so many can be on their way while a kernel multiplies (docs/kernels-log.md). */
double seconds_to_read(const Plan *plan, const Method *m, double weights)
{
    static const double MESH_FETCH = 12.0, OWN = 0.375; /* the second: a part of the L3 */
    const Machine *machine = plan->options.machine;
    const double threads = fmin(plan->options.threads, machine->cores);
    const double memory = fmin(machine->memory, machine->all / threads);
    const double all = rnc_weight_bytes(plan->options.weights_type) * (double)plan->parameters;
    const double l3 = OWN * 1024.0 * machine->l3_kb;
    const double fetch = reach_of(plan)->fetch;
    const double far = fmin(1.0, fmax(0.0, all / l3 - 1.0)); /* the part that is not in it */
    const double mesh = has_mesh(machine) ? 1.0 / MESH_FETCH : 0.0;
    const double each =
        far * fmax(1.0 / (memory * fetch), mesh) + (1.0 - far) / (machine->l3 * fetch);
    return rnc_weight_bytes(weights_type_of(plan, m)) * weights * each / 1e9;
}

/* Weights of the plain sum. */
static double plain_weights(const Node *node)
{
    const Attrs *a = &node->attrs;
    const double channels = (double)node->in[0]->type.c * a->filters;
    return node->op == OP_DENSE ? channels : channels * a->kernel[0] * a->kernel[1] / a->groups;
}

/* The penalty for larger weights with `--optimize balanced`: for each additional multiple of the
 * plain sum's weights, a method's time counts as this much longer.  The penalty is higher for
 * weights of 16 bits, since whoever asks for both wants a small file.  A training has no such file.
 */
static double toll(const Plan *plan)
{
    const PlanOptions *o = &plan->options;
    if (o->optimize != OPTIMIZE_BALANCED || plan->training)
        return 0.0;
    return o->weights_type == RNC_WEIGHTS_F32 ? 0.25 : 0.5;
}

double method_cost(const Plan *plan, const Node *node, const Method *m)
{
    const double bytes = rnc_weight_bytes(weights_type_of(plan, m));
    const double wider = bytes / rnc_weight_bytes(plan->options.weights_type);
    const double times = m->weights ? m->weights(node, m) : 1.0;
    const double gain = m->gain > 0.0 ? m->gain : 1.0;
    const double seconds = m->seconds(plan, node, m);
    return seconds * (1.0 + toll(plan) * (times * wider - 1.0)) * gain +
           plan->byte_price * times * bytes * plain_weights(node);
}

bool method_bears(const Method *m, int weights_type, const Spread *s)
{
    if (m->half_error > 0.0 && weights_type != RNC_WEIGHTS_F32 &&
        s->factor > METHOD_HALF_FACTOR_MOST)
        return false;
    return m->plain || (!s->nan && !s->inf && m->error * s->factor <= METHOD_ERROR_MOST);
}

/* Whether the method can compute the node, and the plan's options allow it.  Only plain sums are
 * cut into blocks where they are long; those of the other methods go along the channels and a row
 * of the window. */
static bool is_allowed(const Plan *plan, const Node *node, const Method *m)
{
    const PlanOptions *o = &plan->options;
    if (!m->fits(plan, node) || (plan->training && !m->by_steps))
        return false;
    return m->plain || (!o->exact && o->optimize != OPTIMIZE_SIZE && o->backend == BACKEND_NATIVE &&
                        (int64_t)node->in[0]->type.c * node->attrs.kernel[1] <= RNC_SUM_MOST);
}

static const Spread ordinary = {.factor = 1};

/* What a convolution or dense layer reads. */
static const Spread *read_by(const Plan *plan, const Node *node)
{
    return plan->spreads ? &plan->spreads[node->in[0]->id] : &ordinary;
}

bool is_candidate(const Plan *plan, const Node *node, const Method *m)
{
    return is_allowed(plan, node, m) &&
           method_bears(m, plan->options.weights_type, read_by(plan, node));
}

/* The method for an operand with these numbers. */
static const Method *method_for(const Plan *plan, const Node *node, const Spread *spread)
{
    const Method *best = &method_conv_direct, *candidates[METHOD_COUNT];
    int n = 0;
    for (int i = 0; i < METHOD_COUNT; i++) {
        if (!is_allowed(plan, node, method_rows[i]) ||
            !method_bears(method_rows[i], plan->options.weights_type, spread))
            continue;
        if (!method_rows[i]->seconds)
            return method_rows[i];
        candidates[n++] = method_rows[i];
    }
    const TuningRow *row = tuning_row(plan->options.tuning, node);
    if (row) {
        for (int i = 0; i < n; i++) {
            if (str_eq(candidates[i]->word, row->method))
                return candidates[i];
        }
        return best;
    }
    double least = HUGE_VAL;
    for (int i = 0; i < n; i++) {
        const double seconds = method_cost(plan, node, candidates[i]);
        if (seconds < least) {
            least = seconds;
            best = candidates[i];
        }
    }
    return best;
}

const Method *choose_method(const Plan *plan, const Node *node)
{
    return method_for(plan, node, read_by(plan, node));
}

/* ---- weights of 16 bits ----
 *
 * Whoever asks for them wants a small file and an inference that is not slower.  So a byte has a
 * price in seconds, the same for all layers, and a layer's method is the one with the least time
 * and price together.  The price is the highest with which the network takes no more than SLOWER
 * longer than without. */

static const double SLOWER = 0.015;

/* Seconds of all convolutions and dense layers by the methods that the price leads to. */
static double seconds_at(Plan *plan, double price)
{
    double seconds = 0.0;
    plan->byte_price = price;
    for (int i = 0; i < plan->net->nodes.n; i++) {
        const Node *node = plan->net->nodes.at[i];
        const Method *m = is_conv(node->op) ? choose_method(plan, node) : NULL;
        if (m && m->seconds)
            seconds += m->seconds(plan, node, m);
    }
    return seconds;
}

static double find_byte_price(Plan *plan)
{
    enum { HALVINGS = 24 };
    const PlanOptions *o = &plan->options;
    if (o->weights_type == RNC_WEIGHTS_F32 || o->optimize != OPTIMIZE_SPEED || o->exact)
        return 0.0;
    double low = 1e-16, high = 1e-6; /* seconds; beyond what any memory takes */
    const double most = (1.0 + SLOWER) * seconds_at(plan, 0.0);
    for (int i = 0; i < HALVINGS; i++) {
        const double middle = sqrt(low * high);
        if (seconds_at(plan, middle) <= most)
            low = middle;
        else
            high = middle;
    }
    return low;
}

void choose_methods(Plan *plan)
{
    const int n = plan->net->nodes.n;
    plan->spreads = spread_find(plan->net, plan->arena);
    plan->methods = NEW_ARRAY(plan->arena, const Method *, n + 1);
    plan->faster = NEW_ARRAY(plan->arena, const Method *, n + 1);
    plan->byte_price = find_byte_price(plan);
    for (int i = 0; i < n; i++) {
        const Node *node = conv_of(plan, plan->net->nodes.at[i]);
        if (!node)
            continue;
        const Node *like = node->band_of; /* it has packed the weights */
        plan->methods[i] = like ? plan->methods[like->id] : choose_method(plan, node);
        const Method *faster = method_for(plan, node, &ordinary);
        plan->faster[i] = faster == plan->methods[i] ? NULL : faster;
    }
}

const char *plan_why_kept(const Plan *plan, const Node *node, Arena *arena)
{
    const Method *faster = is_conv(node->op) && !plan->training ? plan->faster[node->id] : NULL;
    if (!faster)
        return NULL;
    return arena_printf(arena, "%s, not %s: %s", plan->methods[node->id]->word, faster->word,
                        spread_describe(arena, &plan->spreads[node->in[0]->id]));
}

int64_t macs_of_step(const Step *step)
{
    switch (kernel_rows[step->kernel].family) {
    case FAMILY_conv:
    case FAMILY_dense:
    case FAMILY_grad_data:
        return node_macs(step->node);
    default:
        return 0;
    }
}

int64_t step_multiplications(const Step *step)
{
    if (!step->method || !step->method->multiplications)
        return macs_of_step(step);
    return step->method->multiplications(step);
}
