/* keras_run.c: takes the calls of a Keras model in order, and a model's layers where it is called.
 *
 * A call is made once its arguments are; the calls that wait for others are on a stack, since a
 * model can be any number of layers deep. */
#include "import/keras_parts.h"

#include <string.h>

/* ---- rules ---- */

typedef struct RuleRow {
    const char *kind;
    KerasRule *rule;
    const char *why, *help; /* without a rule */
} RuleRow;

static const RuleRow rows[] = {
#define LAYER(kind, rule) {#kind, keras_##rule, NULL, NULL},
#define NOT(kind, why, help) {#kind, NULL, why, help},
#include "import/keras.def"
};

static const RuleRow *row_of(const char *kind)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (str_eq(rows[i].kind, kind))
            return &rows[i];
    }
    return NULL;
}

/* ---- a call ---- */

typedef struct Run {
    Keras *k;
    KerasGraph *model;
    const char *path;   /* of the model in the network, "" or with a dot at the end */
    const char *models; /* and in the file, "" or with a slash at the end */
} Run;

static const char *path_of(const Run *run, const KerasNode *layer)
{
    Arena *arena = run->k->arena;
    return layer->times == 0
               ? arena_printf(arena, "%s%s", run->path, layer->name)
               : arena_printf(arena, "%s%s_%d", run->path, layer->name, layer->times + 1);
}

static const KerasTensor *result(const Run *run, const KerasArg *arg)
{
    const KerasCall *call = &run->model->layers.at[arg->layer].calls.at[arg->call];
    /* Of a call that was refused, every result is. */
    if (call->n_results == 1 && !call->results->node)
        return call->results;
    return arg->result < call->n_results ? &call->results[arg->result] : NULL;
}

/* The tensors among the arguments; NULL if one of them is a result that the call has not. */
static KerasTensor *operands(const Run *run, const KerasArgs *args, int *n)
{
    KerasTensor *in = NEW_ARRAY(run->k->arena, KerasTensor, args->n + 1);
    *n = 0;
    for (int i = 0; i < args->n; i++) {
        if (args->at[i].kind != ARG_TENSOR)
            continue;
        const KerasTensor *x = result(run, &args->at[i]);
        if (!x)
            return NULL;
        in[(*n)++] = *x;
    }
    return in;
}

/* Numbers are quantized where the policy says so, whatever the layer's class. */
static bool is_quantized(const json_t *config)
{
    const json_t *dtype = json_object_get(config, "dtype");
    const char *policy = keras_text(json_object_get(dtype, "config"), "name", "");
    const char *mode = keras_text(json_object_get(dtype, "config"), "mode", "");
    policy = json_is_string(dtype) ? json_string_value(dtype) : policy;
    return str_starts(policy, "int") || str_starts(policy, "float8") || *mode;
}

static KerasTensor apply(Site *s)
{
    static const char unknown[] = "a layer that rnc does not know; its code is not in the file";
    const RuleRow *row = row_of(s->layer->kind);
    if (s->n_in == 0)
        return keras_refuse(s, "it is called without a tensor", NULL);
    if (str_eq(keras_text(s->config, "data_format", ""), "channels_first"))
        return keras_refuse(s, "data_format is channels_first",
                            "rnc reads channels_last, as Keras has it on CPUs; a model that is "
                            "built so takes the same weights");
    if (is_quantized(s->config))
        return keras_refuse(s, "its numbers are quantized", "save the model before quantize()");
    if (!row)
        return keras_refuse(s, unknown, "layers of Keras itself can say most of what others do");
    return row->rule ? row->rule(s) : keras_refuse(s, row->why, row->help);
}

static bool call_model(const Run *run, KerasNode *layer, KerasCall *call, const KerasTensor *in,
                       int n)
{
    Arena *arena = run->k->arena;
    KerasGraph *model = layer->model;
    if (n != model->inputs.n) {
        diag_file_error(run->k->b.diag, run->k->b.path,
                        "the model '%s' has %d inputs, and is called with %d", layer->name,
                        model->inputs.n, n);
        return false;
    }
    call->n_results = model->outputs.n;
    call->results = NEW_ARRAY(arena, KerasTensor, call->n_results);
    return keras_run(run->k, model, in, n, arena_printf(arena, "%s.", path_of(run, layer)),
                     arena_printf(arena, "%s%s/", run->models, layer->name), call->results);
}

/* Models in models that are each called twice are 2^depth calls: more than these are no network. */
enum { CALLS_MOST = 1 << 16 };

static bool too_many_calls(Keras *k)
{
    if (++k->calls <= CALLS_MOST)
        return false;
    diag_file_error(k->b.diag, k->b.path,
                    "there are more than %d calls of layers, those in inner models counted at each "
                    "call of the model",
                    CALLS_MOST);
    return true;
}

static bool make_call(const Run *run, KerasNode *layer, KerasCall *call)
{
    Keras *k = run->k;
    int n;
    if (too_many_calls(k))
        return false;
    KerasTensor *in = operands(run, &call->args, &n);
    if (!in) {
        diag_file_error(k->b.diag, k->b.path, "'%s' is called with a result that no layer has",
                        layer->name);
        return false;
    }
    bool good = true;
    if (layer->model) {
        good = call_model(run, layer, call, in, n);
    } else {
        Site s = {.k = k,
                  .layer = layer,
                  .call = call,
                  .config = layer->config,
                  .in = in,
                  .n_in = n,
                  .path = path_of(run, layer),
                  .models = run->models,
                  .again = layer->known,
                  .n_results = 1};
        builder_at(&k->b, layer->kind, arena_printf(k->arena, "%s%s", run->path, layer->name), "");
        const KerasTensor x = apply(&s);
        call->results = s.results ? s.results : NEW(k->arena, KerasTensor);
        if (!s.results)
            *call->results = x;
        call->n_results = s.n_results;
    }
    layer->known = true;
    layer->times++;
    return good;
}

/* ---- all calls ---- */

/* The next argument that is not made yet, or NULL. */
static const KerasArg *waits_for(const Run *run, KerasCall *call)
{
    for (; call->next < call->args.n; call->next++) {
        const KerasArg *arg = &call->args.at[call->next];
        if (arg->kind == ARG_TENSOR &&
            run->model->layers.at[arg->layer].calls.at[arg->call].n_results == 0)
            return arg;
    }
    return NULL;
}

/* Makes a call after all that it needs. */
static bool make(const Run *run, int layer, int call)
{
    VEC(KerasArg) stack = {0};
    Arena *arena = run->k->arena;
    const KerasArg first = {.layer = layer, .call = call};
    VEC_PUSH(arena, &stack, first);
    while (stack.n > 0) {
        KerasNode *node = &run->model->layers.at[stack.at[stack.n - 1].layer];
        KerasCall *at = &node->calls.at[stack.at[stack.n - 1].call];
        const KerasArg *arg = at->n_results ? NULL : waits_for(run, at);
        if (arg) {
            KerasCall *other = &run->model->layers.at[arg->layer].calls.at[arg->call];
            at->waiting = true;
            if (other->waiting) {
                diag_file_error(run->k->b.diag, run->k->b.path,
                                "the model '%s' is damaged: '%s' needs its own result",
                                run->model->name, node->name);
                return false;
            }
            VEC_PUSH(arena, &stack, *arg);
            continue;
        }
        if (!at->n_results && !make_call(run, node, at))
            return false;
        stack.n--;
    }
    return true;
}

static void begin(KerasGraph *model)
{
    for (int i = 0; i < model->layers.n; i++) {
        model->layers.at[i].times = 0;
        for (int k = 0; k < model->layers.at[i].calls.n; k++) {
            KerasCall *call = &model->layers.at[i].calls.at[k];
            call->results = NULL;
            call->n_results = call->next = 0;
            call->waiting = false;
        }
    }
}

bool keras_run(Keras *k, KerasGraph *model, const KerasTensor *inputs, int n_inputs,
               const char *path, const char *models, KerasTensor *results)
{
    const Run run = {k, model, path, models};
    begin(model);
    for (int i = 0; i < n_inputs; i++) {
        KerasCall *call = &model->layers.at[model->inputs.at[i].layer].calls.at[0];
        call->results = NEW(k->arena, KerasTensor);
        *call->results = inputs[i];
        call->n_results = 1;
    }
    for (int i = 0; i < model->layers.n; i++) {
        for (int c = 0; c < model->layers.at[i].calls.n; c++) {
            if (!make(&run, i, c))
                return false;
        }
    }
    for (int i = 0; i < model->outputs.n; i++) {
        const KerasTensor *x =
            model->outputs.at[i].kind == ARG_TENSOR ? result(&run, &model->outputs.at[i]) : NULL;
        if (!x) {
            diag_file_error(k->b.diag, k->b.path,
                            "the model '%s' is damaged: an output of it is "
                            "no layer's result",
                            model->name);
            return false;
        }
        results[i] = *x;
    }
    return true;
}
