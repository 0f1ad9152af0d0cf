/* method.c: by which method a convolution or dense layer is computed: the cost model.
 *
 * The time of a method is made of that of its arithmetic at the machine's peak and that of
 * reading its weights: weights stream past once an inference, and the next are fetched
 * while these are used.  The two overlap, but not wholly; the root of the sum of their squares
 * is within 10 % of what was measured (docs/kernels-notes.md).  Each method says what it costs
 * (methods/<name>.c).
 *
 * A tuning that was measured goes before the model.  Both only choose; every choice gives
 * right results.
 */
#include "plan/methods/method_parts.h"

const Method *const method_rows[METHOD_COUNT] = {
#define METHOD(name) [METHOD_##name] = &method_##name,
#include "plan/methods/methods.def"
};

/* Weights are read from memory where those of the whole network do not stay in the L3. */
double seconds_to_read(const Plan *plan, const Method *m, double weights)
{
    const Machine *machine = plan->options.machine;
    const double all = rnc_weight_bytes(plan->options.weights_type) * (double)plan->parameters;
    const double bandwidth = all > 1024.0 * machine->l3_kb * 0.5 ? machine->memory : machine->l3;
    return rnc_weight_bytes(weights_type_of(plan, m)) * weights / (bandwidth * 1e9);
}

/* How much worse a method may be called for its larger weights: the time is taken as this
 * much longer for each time that it has the weights of the plain sum again.  Who stores weights in
 * 16 bits wants them small. */
static double toll(const PlanOptions *o)
{
    const bool small = o->optimize == OPTIMIZE_BALANCED || o->weights_type != RNC_WEIGHTS_F32;
    return small ? 0.25 : 0.0;
}

static double cost(const Plan *plan, const Node *node, const Method *m)
{
    const double wider = (double)rnc_weight_bytes(weights_type_of(plan, m)) /
                         rnc_weight_bytes(plan->options.weights_type);
    const double again = (m->weights ? m->weights(node, m) : 1.0) * wider - 1.0;
    const double gain = m->gain > 0.0 ? m->gain : 1.0;
    return m->seconds(plan, node, m) * (1.0 + toll(&plan->options) * again) * gain;
}

/* Does it compute the node, and may it? */
static bool is_candidate(const Plan *plan, const Node *node, const Method *m)
{
    const PlanOptions *o = &plan->options;
    return (m->plain ||
            (!o->exact && o->optimize != OPTIMIZE_SIZE && o->backend == BACKEND_NATIVE)) &&
           m->fits(plan, node);
}

const Method *choose_method(const Plan *plan, const Node *node)
{
    const Method *best = &method_conv_direct, *candidates[METHOD_COUNT];
    int n = 0;
    for (int i = 0; i < METHOD_COUNT; i++) {
        if (!is_candidate(plan, node, method_rows[i]))
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
        const double seconds = cost(plan, node, candidates[i]);
        if (seconds < least) {
            least = seconds;
            best = candidates[i];
        }
    }
    return best;
}

void choose_methods(Plan *plan)
{
    const int n = plan->net->nodes.n;
    plan->methods = NEW_ARRAY(plan->arena, const Method *, n + 1);
    for (int i = 0; i < n; i++) {
        const Node *node = plan->net->nodes.at[i];
        if (is_conv(node->op))
            plan->methods[i] = choose_method(plan, node);
    }
}

int64_t step_multiplications(const Step *step)
{
    if (!step->method || !step->method->multiplications)
        return node_macs(step->node);
    return step->method->multiplications(step);
}
