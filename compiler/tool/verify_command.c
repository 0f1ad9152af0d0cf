/* verify_command.c: rnc verify: compares emitted code with the interpreter, layer by layer.
 *
 * The network is compiled as usual, its C (runtime included) is compiled with $CC as a shared
 * object, loaded, and run with each instruction set.  After each step, before its memory is used
 * again, what it wrote is compared with the value that the interpreter computes for the network
 * before the passes; Node.origin says which value.  With --weights-type bf16 or f16 it is the
 * network after the passes, whose weights are rounded; where a method rounds filters after their
 * transform instead, its layers and those after them are held to less.  A layer's error is
 * max |a - b| / max |b|, or less where the values nearly cancel (verify_scale.c) or are close to
 * the least float; a softmax is compared with that of its operand as it was computed.
 */
#include "net/eval.h"
#include "net/state.h"
#include "plan/method.h"
#include "tool/cc.h"
#include "tool/commands.h"
#include "tool/output.h"
#include "tool/ports.h"
#include "tool/verify_parts.h"

#include "runtime/rncrt.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct Verify {
    Options *o;
    Arena *arena;
    Diag *d;
    const Compiled *c;
    int runs;            /* one after the other; the network's state goes from run to run */
    EvalResult *oracles; /* by run */
    double **operands;   /* by original node: operand of a softmax, as computed; else NULL */
    Scale *scale;
    const char *dir;
    void *handle; /* of the loaded code */
    const rnc_net_info *info;

    /* With --inputs outliers or specials, each run has one of these spikes: */
    Reach *reach; /* or NULL */
    const Spike *spikes;
    const double ***spiked; /* [runs][port] */

    /* About the current instruction set. */
    Isa isa;
    int run;
    int turn, step; /* of the batch (batch.h); the step before */
    int layers;     /* layers compared in a turn */
    double worst;   /* error of a layer so far */
    const Node *worst_at;
    bool failed;
} Verify;

/* ---- comparing ---- */

/* `at` is an element of the original node's value, whose type is `t`. */
static void report_layer(Verify *v, const Step *s, const Node *node, double error, Type t,
                         int64_t at, double expected, double found)
{
    const bool bad = !(error <= v->o->tolerance);
    if (v->o->verbose)
        printf("%-8s %4d  %-9s %.2e  %s%s\n", isa_rows[v->isa].name, s->index,
               kernel_rows[s->kernel].name, error, node->name, bad ? "  DIFFERS" : "");
    v->layers += v->turn == 0 && v->run == 0;
    if (!(error <= v->worst)) {
        v->worst = error;
        v->worst_at = node;
    }
    if (!bad || v->failed)
        return;
    v->failed = true;
    diag_error(v->d, node->place ? node->place->loc : NO_LOC,
               "'%s' differs with %s: %.3g relative to its largest element", node->name,
               isa_rows[v->isa].name, error);
    diag_note(v->d, NO_LOC,
              "worst at image %lld, channel %lld, row %lld, pixel %lld: expected %.9g, found %.9g",
              (long long)(at / t.c / t.w / t.h), (long long)(at % t.c),
              (long long)(at / t.c / t.w % t.h), (long long)(at / t.c % t.w), expected, found);
    diag_note(v->d, NO_LOC, "step %d, kernel %s; the layers before it agree to %g", s->index,
              kernel_rows[s->kernel].name, v->o->tolerance);
    if (v->runs > 1)
        diag_note(v->d, NO_LOC, "run %d of %d, counted from 0; --runs says how many", v->run,
                  v->runs);
}

/* The values that a node of the original network should have.  A softmax turns a difference d in
 * its operand into a factor e^d, even if d is relatively small.  So it is checked against the
 * operand that was computed, which was itself compared, and not against the oracle's. */
static const double *expectation(const Verify *v, const Node *original)
{
    if (original->op != OP_SOFTMAX)
        return v->oracles[v->run].values[original->id];
    const double *operand = v->operands[original->in[0]->id];
    double *values = NEW_ARRAY(v->arena, double, type_elements(original->type));
    eval_node(original, &operand, values, v->arena);
    return values;
}

/* Numbers below 1.2e-38 count as 0 while the code runs, in each of the up to 1e5 products of a sum:
 * a layer whose values are all smaller than this is compared as if its largest were this. */
static const double least_scale = 1e-28;

/* A difference of a layer, relative to its largest value; where that is too much, to what the
 * values are sums of, if that is more. */
static double relative(const Verify *v, const Node *original, double difference, double most)
{
    if (!(most >= least_scale))
        most = least_scale;
    if (difference > v->o->tolerance * most && difference < INFINITY)
        most = fmax(most, scale_of(v->scale, original, v->oracles[v->run].values));
    return difference / most;
}

/* Compares one of a step's results, which is stored at `out`. */
static void compare_result(Verify *v, const Step *s, const Operand *result, const float *out)
{
    const Plan *plan = v->c->plan;
    const Port *port = result->kind == PLACE_OUTPUT ? &plan->net->outputs.at[result->port] : NULL;
    const Node *node = port ? port->node : result->tensor->node;
    if (node->origin < 0 || (!port && !is_last_of_tensor(plan, s, result->tensor)))
        return;
    const Type t = node->type;
    const Node *original = v->c->original->nodes.at[node->origin];
    const int64_t n = type_elements(t);
    const int64_t before = type_elements(original->type) / original->type.n * t.n * v->turn;
    const double *expected = expectation(v, original) + before;
    double *operand = v->operands[node->origin];
    const Order order = port ? port->order : ORDER_NHWC;
    double most = 0, difference = 0;
    int64_t at = 0;
    for (int64_t i = 0; i < n; i++) {
        const double found = (double)written_by(result, t, out, port_index(t, order, i));
        const int64_t k = element_of_band(node, original->type, i);
        const double d = fabs(found - expected[k]);
        if (operand)
            operand[before + k] = found;
        most = fabs(expected[k]) > most ? fabs(expected[k]) : most;
        if (!(d <= difference) && difference == difference) {
            difference = d;
            at = i;
        }
    }
    const int64_t k = element_of_band(node, original->type, at);
    report_layer(v, s, node, relative(v, original, difference, most), original->type, before + k,
                 expected[k], (double)written_by(result, t, out, port_index(t, order, at)));
}

/* rnc_trace_hook: `results` are what step `number` was given to write to. */
static void compare(void *context, int number, void *const *results)
{
    Verify *v = context;
    const Step *s = &v->c->plan->steps.at[number];
    v->turn += number <= v->step;
    v->step = number;
    for (int i = 0; i < MOST_OUT && s->out[i].kind != PLACE_NONE; i++)
        compare_result(v, s, &s->out[i], results[i]);
}

/* ---- running ---- */

/* The values of input `port` in one run; values[port] has those of all runs. */
static const double *of_run(const Net *net, const double *const *values, int port, int run)
{
    return values[port] + run * type_elements(net->inputs.at[port].node->type);
}

/* The caller's buffer of an input in one run, as the port has it. */
static void *input_buffer(Verify *v, int port, const double *values)
{
    const Port *p = &v->c->original->inputs.at[port];
    const int64_t n = type_elements(p->node->type);
    float *floats = NEW_ARRAY(v->arena, float, n);
    unsigned char *bytes = (unsigned char *)floats;
    for (int64_t i = 0; i < n; i++) {
        const int64_t to = port_index(p->node->type, p->order, i);
        if (p->elem == ELEM_U8)
            bytes[to] = (unsigned char)values[i];
        else
            floats[to] = (float)values[i];
    }
    return floats;
}

static void print_result(const Verify *v)
{
    if (v->o->quiet)
        return;
    const char *runs = v->runs > 1 ? arena_printf(v->arena, " in %d runs", v->runs) : "";
    printf("%-8s %d layers %s%s, worst %.2e%s%s\n", isa_rows[v->isa].name, v->layers,
           v->failed ? "compared" : "agree", runs, v->worst, v->worst_at ? " at " : "",
           v->worst_at ? v->worst_at->name : "");
}

typedef struct Engine {
    void *net, *state;
    const void ***inputs; /* by run */
    void *const *outputs;
} Engine;

/* Room for the operands of softmaxes. */
static void make_operands(Verify *v)
{
    const Net *net = v->c->original;
    v->operands = NEW_ARRAY(v->arena, double *, net->nodes.n);
    for (int i = 0; i < net->nodes.n; i++) {
        if (net->nodes.at[i]->op != OP_SOFTMAX)
            continue;
        const Node *operand = net->nodes.at[i]->in[0];
        v->operands[operand->id] = NEW_ARRAY(v->arena, double, type_elements(operand->type));
    }
}

/* The operands of softmaxes are the oracle's values until a step computes them. */
static void begin_run(Verify *v, int run)
{
    const Net *net = v->c->original;
    v->run = run;
    v->turn = 0;
    v->step = -1;
    if (v->o->verbose && v->runs > 1)
        printf("%-8s run %d\n", isa_rows[v->isa].name, run);
    for (int i = 0; i < net->nodes.n; i++) {
        if (v->operands[i])
            memcpy(v->operands[i], v->oracles[run].values[i],
                   (size_t)type_elements(net->nodes.at[i]->type) * sizeof(double));
    }
}

/* One run for each spike. */
static void run_spikes(Verify *v, Isa isa, const Engine *e)
{
    v->info->trace(e->net, reach_step, v->reach);
    for (int run = 0; run < v->runs; run++) {
        if (v->info->state_bytes > 0)
            v->info->init_state(e->net, e->state, v->info->state_bytes);
        reach_begin(v->reach, isa, &v->spikes[run], v->spiked[run]);
        v->info->run(e->net, e->state, e->inputs[run], e->outputs);
        reach_end(v->reach);
    }
}

static void run_isa(Verify *v, Isa isa, const Engine *e)
{
    const rnc_net_info *info = v->info;
    v->isa = isa;
    v->layers = 0;
    v->worst = 0;
    v->worst_at = NULL;
    v->failed = false;
    if (!rnc_isa_present(cc_isa(isa))) {
        if (v->c->plan->options.isas != ALL_ISAS)
            diag_error(v->d, NO_LOC, "this CPU has no %s", isa_rows[isa].name);
        return;
    }
    if (info->use(e->net, cc_isa(isa)) != RNC_OK)
        return;
    if (v->reach) {
        run_spikes(v, isa, e);
        return;
    }
    if (info->state_bytes > 0 && info->init_state(e->net, e->state, info->state_bytes) != RNC_OK)
        return;
    info->trace(e->net, compare, v);
    for (int run = 0; run < v->runs; run++) {
        begin_run(v, run);
        info->run(e->net, e->state, e->inputs[run], e->outputs);
    }
    print_result(v);
}

static void run_all(Verify *v, const double *const *values)
{
    const rnc_net_info *info = v->info;
    const void ***inputs = NEW_ARRAY(v->arena, const void **, v->runs);
    void **outputs = NEW_ARRAY(v->arena, void *, info->n_outputs + 1);
    for (int run = 0; run < v->runs; run++) {
        inputs[run] = NEW_ARRAY(v->arena, const void *, info->n_inputs + 1);
        for (int i = 0; i < info->n_inputs; i++)
            inputs[run][i] = input_buffer(
                v, i, v->reach ? v->spiked[run][i] : of_run(v->c->original, values, i, run));
    }
    for (int i = 0; i < info->n_outputs; i++)
        outputs[i] =
            NEW_ARRAY(v->arena, float, type_elements(v->c->original->outputs.at[i].node->type));
    /* At least 64 bytes, so that the arena aligns them. */
    void *net = arena_alloc(v->arena, info->engine_bytes + 64);
    void *state = arena_alloc(v->arena, info->state_bytes + 64);
    void *arena = arena_alloc(v->arena, info->arena_bytes + 64);
    rnc_weights w;
    rnc_pool *pool = NULL;
    rnc_status status = rnc_weights_memory(&w, v->c->weights, v->c->weights_size);
    if (status == RNC_OK && v->o->threads > 1)
        status = rnc_pool_new(&pool, v->o->threads);
    if (status == RNC_OK)
        status = info->init(net, &w, arena, info->arena_bytes, pool);
    if (status == RNC_E_ISA) /* none of those asked for: run_isa() names each */
        status = RNC_OK;
    const Engine engine = {net, state, inputs, outputs};
    for (int i = 0; status == RNC_OK && i < ISA_COUNT; i++) {
        if (v->c->plan->options.isas >> i & 1)
            run_isa(v, (Isa)i, &engine);
    }
    if (status != RNC_OK)
        diag_internal(v->d, "the emitted code refuses its own weights: %s (%s %s)",
                      rnc_status_text(status), w.why, info->why(net));
    rnc_pool_free(pool);
}

/* ---- building ---- */

static const char *in_dir(const Verify *v, const char *name)
{
    return cc_path(v->dir, name, v->arena);
}

static bool build(Verify *v)
{
    const char *const names[] = {"net_verified"};
    const OutputFile files[] = {
        {in_dir(v, "net_verified.c"), buf_text(&v->c->source), v->c->source.n},
        {in_dir(v, "net_verified.weights"), v->c->weights, v->c->weights_size},
    };
    const bool blas = v->o->compile.plan.backend == BACKEND_OPENBLAS;
    return outputs_write(files, 2, NULL, 0, v->arena, v->d) &&
           cc_shared(v->dir, names, 1, "-pthread", blas ? " -lopenblas" : "",
                     "$CC names another; --keep DIR leaves the C there", v->arena, v->d);
}

static bool load(Verify *v)
{
    v->info = cc_load(v->dir, "net_verified", "net_verified_info", &v->handle, v->arena, v->d);
    return v->info != NULL;
}

static bool make_code(Verify *v)
{
    v->dir = cc_folder(v->o->keep, "verify", v->arena, v->d);
    if (!v->dir)
        return false;
    const bool good = build(v) && load(v);
    cc_end(v->o->keep ? NULL : v->dir);
    return good;
}

/* The most that rounding the weights changes an output in any run, relative to the output's largest
 * element. */
static double rounding_error(const Verify *v, int run, const EvalResult *rounded)
{
    const Net *net = v->c->original;
    double worst = 0;
    for (int i = 0; i < net->outputs.n; i++) {
        const Node *before = net->outputs.at[i].node, *after = v->c->rounded->outputs.at[i].node;
        const double *a = v->oracles[run].values[before->id], *b = rounded->values[after->id];
        double most = 0, difference = 0;
        for (int64_t k = 0; k < type_elements(before->type); k++) {
            most = fabs(a[k]) > most ? fabs(a[k]) : most;
            difference = fabs(a[k] - b[k]) > difference ? fabs(a[k] - b[k]) : difference;
        }
        worst = most > 0 && difference / most > worst ? difference / most : worst;
    }
    return worst;
}

/* All runs of a network by the interpreter; values: of each input, those of all runs. */
static EvalResult *all_runs(const Verify *v, const Net *net, const double *const *values)
{
    EvalResult *results = NEW_ARRAY(v->arena, EvalResult, v->runs);
    EvalState *state = eval_state(net, v->arena);
    const double **inputs = NEW_ARRAY(v->arena, const double *, net->inputs.n + 1);
    for (int run = 0; run < v->runs; run++) {
        for (int i = 0; i < net->inputs.n; i++)
            inputs[i] = of_run(net, values, i, run);
        results[run] = eval_run(net, state, inputs, EVAL_DOUBLE, v->arena);
    }
    return results;
}

/* With weights of 16 bits, the emitted code is checked against the network that has the rounded
 * ones: the values of its nodes replace those of the original nodes that they compute. */
static void use_rounded(Verify *v, const double *const *values)
{
    static const char *const names[] = {"f32", "bf16", "f16"};
    const Net *net = v->c->rounded;
    if (!net)
        return;
    const EvalResult *rounded = all_runs(v, net, values);
    double worst = 0;
    for (int run = 0; run < v->runs; run++) {
        worst = fmax(worst, rounding_error(v, run, &rounded[run]));
        for (int i = 0; i < net->nodes.n; i++) {
            const Node *node = net->nodes.at[i];
            if (node->origin >= 0)
                v->oracles[run].values[node->origin] = rounded[run].values[node->id];
        }
    }
    if (!v->o->quiet)
        printf("%-8s weights change the outputs by %.2e\n", names[v->c->plan->options.weights_type],
               worst);
}

/* The tolerance of layers: less is asked where transformed filters are rounded. */
static double tolerance_of(const Options *o, const Plan *plan)
{
    static const double rounded[] = {
        [RNC_WEIGHTS_F32] = 0, [RNC_WEIGHTS_BF16] = 0.1, [RNC_WEIGHTS_F16] = 0.0125};
    for (int i = 0; i < plan->steps.n && !o->tolerance_given; i++) {
        const Step *s = &plan->steps.at[i];
        if (s->method && s->method->half_error > 0.0 && packed_number(s) != RNC_WEIGHTS_F32)
            return rounded[packed_number(s)];
    }
    return o->tolerance;
}

/* As many runs as --runs says; else so many that what the first run keeps has passed through all of
 * the state, but not more than MOST_RUNS. */
static int count_runs(const Verify *v)
{
    enum { MOST_RUNS = 64 };
    const int64_t memory = net_memory(v->c->original, v->arena);
    return v->o->runs ? v->o->runs : memory < MOST_RUNS ? (int)memory + 1 : MOST_RUNS;
}

/* Prepares the runs with spikes; returns false after a message. */
static bool make_spikes(Verify *v, const double *const *ordinary)
{
    const Net *net = v->c->original;
    v->spikes = spikes_of(net, v->o->input_kind, &v->runs, v->arena, v->d);
    if (!v->spikes)
        return false;
    v->spiked = NEW_ARRAY(v->arena, const double **, v->runs);
    for (int i = 0; i < v->runs; i++)
        v->spiked[i] =
            spike_inputs(net, ordinary, v->spikes[i], v->o->seed + (uint64_t)i, v->arena);
    v->reach = reach_new(v->c, v->o, v->spikes, v->runs, v->arena, v->d);
    return true;
}

static void verify(Verify *v)
{
    const Net *net = v->c->original;
    const bool spikes = v->o->input_kind != INPUTS_RANDOM;
    const double **values = NEW_ARRAY(v->arena, const double *, net->inputs.n + 1);
    v->runs = spikes ? 1 : count_runs(v);
    for (int i = 0; i < net->inputs.n; i++)
        values[i] = port_random(net, i, v->runs, v->o->seed, v->arena);
    if (spikes) {
        if (make_spikes(v, values) && make_code(v))
            run_all(v, values);
    } else if (make_code(v)) {
        v->oracles = all_runs(v, net, values);
        use_rounded(v, values);
        make_operands(v);
        v->scale = scale_new(v->c, v->arena);
        run_all(v, values);
    }
    if (v->handle)
        dlclose(v->handle);
}

int verify_command(Options *o, Arena *arena, SrcMap *src, Diag *d)
{
    Compiled c;
    o->compile.emit.name = "net_verified";
    o->compile.emit.source = "net_verified.c";
    o->compile.emit.header = "net_verified.h";
    o->compile.emit.weights_file = "net_verified.weights";
    o->compile.emit.single_file = true;
    if (o->compile.plan.isas == 0)
        o->compile.plan.isas = ALL_ISAS;
    if (compile(&o->compile, arena, src, d, &c) && has_weights(&c, "verify", d)) {
        Verify v = {.o = o, .arena = arena, .d = d, .c = &c};
        o->tolerance = tolerance_of(o, c.plan);
        verify(&v);
    }
    compiled_close(&c);
    return status_of(d);
}
