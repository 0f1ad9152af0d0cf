/* keras_graph.c: the graph that the JSON of a Keras model has.
 *
 * A functional model lists its layers, and with each what it was called with:
 *
 *   Keras 3   "inbound_nodes": [{"args": [{"class_name": "__keras_tensor__", "config":
 *                 {"keras_history": ["conv1", 0, 0]}}], "kwargs": {}}]
 *   Keras 2   "inbound_nodes": [[["conv1", 0, 0, {}]]]
 *
 * that is the 0th result of the 0th call of conv1.  The layers of a sequential model are called one
 * after the other.
 */
#include "import/keras_parts.h"

#include <string.h>

enum { DEEPEST = 32, ARGS_DEEPEST = 8, ARGS_MOST = MOST_OPERANDS };

typedef struct Reader {
    const char *path;
    Arena *arena;
    Diag *d;
    KerasGraph *graph; /* the model at hand */
    NameTable *names;  /* of its layers */
    bool wrong;        /* an argument is none */
    bool old;          /* calls are in the form of Keras 2 */
} Reader;

const char *keras_class(const char *name)
{
    const char *package = strrchr(name, '>');
    return package ? package + 1 : name;
}

static const json_t *get(const json_t *object, const char *key)
{
    return json_object_get(object, key);
}

/* ---- arguments ---- */

static void add_tensor(Reader *r, const json_t *history, KerasArgs *to)
{
    const char *layer = json_string_value(json_array_get(history, 0));
    const NameEntry *entry = layer ? table_find(r->names, layer) : NULL;
    const json_int_t call = json_integer_value(json_array_get(history, 1)),
                     result = json_integer_value(json_array_get(history, 2));
    if (!entry || call < 0 || call > INT_MAX - 1 || result < 0 || result >= ARGS_MOST) {
        r->wrong = true;
        return;
    }
    const KerasArg arg = {ARG_TENSOR, entry->number, (int)call, (int)result, 0, NULL};
    VEC_PUSH(r->arena, to, arg);
}

static void read_args(Reader *r, const json_t *value, KerasArgs *to, int depth);

/* An array whose values are in the file: {"class_name": "__numpy__", "config": {"value": ...}}. */
static void read_object(Reader *r, const json_t *value, KerasArgs *to, int depth)
{
    const char *kind = json_string_value(get(value, "class_name"));
    const json_t *config = get(value, "config"), *item;
    const char *key;
    if (kind && str_eq(kind, "__keras_tensor__")) {
        add_tensor(r, get(config, "keras_history"), to);
    } else if (kind && (str_eq(kind, "__numpy__") || str_eq(kind, "__tensor__"))) {
        const KerasArg arg = {.kind = ARG_ARRAY, .array = get(config, "value")};
        VEC_PUSH(r->arena, to, arg);
    } else if (!kind) {
        json_object_foreach((json_t *)value, key, item) read_args(r, item, to, depth + 1);
    }
}

/* Whether a list is a tensor in the form of Keras 2: ["conv1", 0, 0] or with a fourth value, which
 * is an object of further arguments. */
static bool is_old_tensor(const json_t *value)
{
    return json_is_array(value) && json_array_size(value) >= 3 &&
           json_is_string(json_array_get(value, 0)) && json_is_integer(json_array_get(value, 1));
}

static void read_old_tensor(Reader *r, const json_t *value, KerasArgs *to, int depth)
{
    const char *layer = json_string_value(json_array_get(value, 0));
    if (str_eq(layer, "_CONSTANT_VALUE"))
        read_args(r, json_array_get(value, 2), to, depth + 1);
    else
        add_tensor(r, value, to);
    /* Of the further arguments the second operand of x + y, which TensorFlow calls y. */
    read_args(r, get(json_array_get(value, 3), "y"), to, depth + 1);
}

/* All tensors and constants in a value, in order. */
static void read_args(Reader *r, const json_t *value, KerasArgs *to, int depth)
{
    size_t i;
    const json_t *item;
    if (depth > ARGS_DEEPEST || to->n >= ARGS_MOST) {
        r->wrong = r->wrong || value;
    } else if (is_old_tensor(value)) {
        read_old_tensor(r, value, to, depth);
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, item) read_args(r, item, to, depth + 1);
    } else if (json_is_number(value)) {
        const KerasArg arg = {.kind = ARG_NUMBER, .number = json_number_value(value)};
        VEC_PUSH(r->arena, to, arg);
    } else if (json_is_object(value)) {
        read_object(r, value, to, depth);
    }
}

/* ---- calls ---- */

static void read_call(Reader *r, const json_t *value, KerasNode *layer)
{
    KerasCall call = {0};
    if (json_is_object(value)) {
        const json_t *args = call.given = get(value, "args");
        call.options = get(value, "kwargs");
        call.listed = json_is_array(json_array_get(args, 0));
        read_args(r, args, &call.args, 0);
        if (call.args.n == 0)
            read_args(r, call.options, &call.args, 0);
    } else {
        const json_t *first = is_old_tensor(value) ? value : json_array_get(value, 0);
        call.options = json_array_get(first, 3);
        r->old = true;
        call.listed = first != value;
        read_args(r, value, &call.args, 0);
    }
    if (call.args.n == 0)
        r->wrong = true;
    VEC_PUSH(r->arena, &layer->calls, call);
}

/* Counts the calls of a layer from 0 where the lists count them from 1. */
static void count_from_0(KerasArgs *const *lists, int n, int layer)
{
    int least = INT_MAX;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < n; i++) {
            for (int k = 0; k < lists[i]->n; k++) {
                KerasArg *arg = &lists[i]->at[k];
                if (arg->kind != ARG_TENSOR || arg->layer != layer)
                    continue;
                arg->call -= pass;
                least = arg->call < least ? arg->call : least;
            }
        }
        if (least == 0)
            return;
    }
}

/* A functional model that is a layer counts its own making as call 0: for Keras 2 its first call
 * is 1 then, for Keras 3 only where it is an output. */
static void count_calls(Reader *r)
{
    KerasGraph *graph = r->graph;
    VEC(KerasArgs *) lists = {0};
    VEC_PUSH(r->arena, &lists, &graph->outputs);
    for (int i = 0; r->old && i < graph->layers.n; i++) {
        for (int k = 0; k < graph->layers.at[i].calls.n; k++)
            VEC_PUSH(r->arena, &lists, &graph->layers.at[i].calls.at[k].args);
    }
    for (int i = 0; i < graph->layers.n; i++) {
        const KerasNode *layer = &graph->layers.at[i];
        if (layer->model && (r->old || !str_eq(layer->kind, "Sequential")))
            count_from_0(lists.at, lists.n, i);
    }
}

/* Whether every argument is a result of a call that there is. */
static bool args_exist(const KerasGraph *graph, const KerasArgs *args)
{
    for (int i = 0; i < args->n; i++) {
        const KerasArg *arg = &args->at[i];
        if (arg->kind == ARG_TENSOR && arg->call >= graph->layers.at[arg->layer].calls.n)
            return false;
    }
    return true;
}

static bool refuse_graph(const Reader *r, const char *what)
{
    diag_file_error(r->d, r->path, "the model '%s' is damaged: %s", r->graph->name, what);
    return false;
}

static bool check_calls(const Reader *r)
{
    const KerasGraph *graph = r->graph;
    bool good =
        !r->wrong && args_exist(graph, &graph->outputs) && args_exist(graph, &graph->inputs);
    for (int i = 0; good && i < graph->inputs.n; i++)
        good = graph->inputs.at[i].kind == ARG_TENSOR;
    for (int i = 0; good && i < graph->layers.n; i++) {
        for (int k = 0; good && k < graph->layers.at[i].calls.n; k++)
            good = args_exist(graph, &graph->layers.at[i].calls.at[k].args);
    }
    return good || refuse_graph(r, "a layer is called with what is no layer's result");
}

/* ---- layers ---- */

static KerasGraph *read_model(const Reader *outer, const json_t *json, const char *group,
                              int depth);

/* The class of keras.ops that is the function of a TFOpLambda, as Keras 2 has operations; the
 * function's own name where there is none. */
static const char *operation(const json_t *config)
{
    static const char *const rows[][2] = {
        {"add", "Add"},
        {"subtract", "Subtract"},
        {"multiply", "Multiply"},
        {"truediv", "Divide"},
        {"divide", "Divide"},
        {"negative", "Negative"},
        {"relu", "Relu"},
        {"relu6", "Relu6"},
        {"sigmoid", "Sigmoid"},
        {"tanh", "Tanh"},
        {"silu", "Silu"},
        {"swish", "Silu"},
        {"maximum", "Maximum"},
        {"minimum", "Minimum"},
        {"reduce_mean", "Mean"},
        {"reduce_max", "Max"},
        {"reduce_min", "Min"},
        {"reduce_sum", "Sum"},
        {"l2_normalize", "L2Normalize"},
        {"depth_to_space", "DepthToSpace"},
        {"space_to_depth", "SpaceToDepth"},
        {"abs", "Absolute"},
        {"square", "Square"},
        {"concat", "Concatenate"},
        {"softmax", "Softmax"},
        {"log_softmax", "LogSoftmax"},
    };
    const char *function = json_string_value(get(config, "function"));
    if (!function)
        return "TFOpLambda";
    const char *dot = strrchr(function, '.'), *last = dot ? dot + 1 : function;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (str_eq(rows[i][0], last))
            return rows[i][1];
    }
    return function;
}

/* The layer without its calls, or false after a message. */
static bool read_layer(Reader *r, const json_t *json, KerasGroups *groups, int depth)
{
    const json_t *config = get(json, "config");
    const char *kind = json_string_value(get(json, "class_name"));
    const char *name = json_string_value(get(config, "name"));
    name = name ? name : json_string_value(get(json, "name"));
    if (!kind || !json_is_object(config))
        return refuse_graph(r, "a layer has no class or no configuration");
    if (!name)
        name = arena_printf(r->arena, "layer_%d", r->graph->layers.n + 1);
    KerasNode layer = {.name = arena_strdup(r->arena, name), .config = config};
    layer.kind =
        arena_strdup(r->arena, str_eq(kind, "TFOpLambda") ? operation(config) : keras_class(kind));
    layer.group = keras_next_group(groups, kind);
    if (json_is_array(get(config, "layers"))) {
        layer.model = read_model(r, json, arena_printf(r->arena, "%s/", layer.group), depth + 1);
        if (!layer.model)
            return false;
    }
    NameEntry *entry = table_add(r->names, layer.name, NO_LOC);
    if (!entry)
        return refuse_graph(r, arena_printf(r->arena, "two layers are called '%s'", layer.name));
    entry->number = r->graph->layers.n;
    VEC_PUSH(r->arena, &r->graph->layers, layer);
    return true;
}

static bool read_layers(Reader *r, const json_t *layers, const char *group, int depth)
{
    KerasGroups groups = keras_groups(group, r->arena);
    size_t i;
    const json_t *layer;
    json_array_foreach(layers, i, layer)
    {
        if (!read_layer(r, layer, &groups, depth))
            return false;
    }
    return r->graph->layers.n > 0 || refuse_graph(r, "it has no layers");
}

static bool is_input(const KerasNode *layer)
{
    return str_eq(layer->kind, "InputLayer");
}

static void call_input(Reader *r, int layer)
{
    const KerasCall call = {0};
    const KerasArg made = {ARG_TENSOR, layer, 0, 0, 0, NULL};
    VEC_PUSH(r->arena, &r->graph->layers.at[layer].calls, call);
    VEC_PUSH(r->arena, &r->graph->inputs, made);
}

/* One call after the other; a model that does not say what it begins with gets an input. */
static bool call_in_turn(Reader *r, const json_t *config)
{
    KerasGraph *graph = r->graph;
    int last = 0;
    if (is_input(&graph->layers.at[0])) {
        call_input(r, 0);
    } else {
        const KerasNode input = {.name = "input", .kind = "InputLayer", .config = config};
        last = graph->layers.n;
        VEC_PUSH(r->arena, &graph->layers, input);
        call_input(r, last);
    }
    const int n = last ? graph->layers.n - 1 : graph->layers.n;
    for (int i = last ? 0 : 1; i < n; i++) {
        const KerasArg before = {ARG_TENSOR, last, 0, 0, 0, NULL};
        KerasCall call = {0};
        VEC_PUSH(r->arena, &call.args, before);
        VEC_PUSH(r->arena, &graph->layers.at[i].calls, call);
        last = i;
    }
    const KerasArg end = {ARG_TENSOR, last, 0, 0, 0, NULL};
    VEC_PUSH(r->arena, &graph->outputs, end);
    return true;
}

static bool call_as_written(Reader *r, const json_t *config)
{
    KerasGraph *graph = r->graph;
    const json_t *layers = get(config, "layers"), *layer, *call;
    size_t i, k;
    json_array_foreach(layers, i, layer)
    {
        if (is_input(&graph->layers.at[i]))
            VEC_PUSH(r->arena, &graph->layers.at[i].calls, (KerasCall){0});
        else
            json_array_foreach(get(layer, "inbound_nodes"), k, call)
                read_call(r, call, &graph->layers.at[i]);
    }
    read_args(r, get(config, "input_layers"), &graph->inputs, 0);
    read_args(r, get(config, "output_layers"), &graph->outputs, 0);
    if (graph->outputs.n == 0)
        return refuse_graph(r, "it has no outputs");
    count_calls(r);
    return check_calls(r);
}

static KerasGraph *read_model(const Reader *outer, const json_t *json, const char *group, int depth)
{
    NameTable names = {.arena = outer->arena};
    Reader r = *outer;
    const json_t *config = get(json, "config"), *layers = get(config, "layers");
    const char *name = json_string_value(get(config, "name"));
    r.graph = NEW(r.arena, KerasGraph);
    r.graph->name = arena_strdup(r.arena, name ? name : "model");
    r.names = &names;
    r.wrong = r.old = false;
    if (depth > DEEPEST) {
        refuse_graph(&r, "models nest too deep");
        return NULL;
    }
    if (json_is_array(config)) /* a sequential model of before 2.2.3 */
        layers = config;
    if (!read_layers(&r, layers, group, depth))
        return NULL;
    const bool sequential = !get(config, "output_layers");
    return (sequential ? call_in_turn(&r, config) : call_as_written(&r, config)) ? r.graph : NULL;
}

KerasGraph *keras_graph(const json_t *json, const char *path, Arena *arena, Diag *d)
{
    const Reader r = {.path = path, .arena = arena, .d = d};
    const char *kind = json_string_value(get(json, "class_name"));
    const json_t *config = get(json, "config");
    if (!kind || !config) {
        diag_file_error(d, path, "the model's description has no class or no configuration");
        return NULL;
    }
    if (!json_is_array(get(config, "layers")) && !json_is_array(config)) {
        diag_file_error(d, path,
                        "of the model, a '%s', only the class is in the file, not its layers",
                        keras_class(kind));
        diag_file_note(d, path,
                       "a subclassed model is Python code; a functional one has its layers in the "
                       "file: keras.Model(x, model.call(x)) with x = keras.Input(SHAPE)");
        return NULL;
    }
    return read_model(&r, json, "", 0);
}
