/* eval_command.c: rnc eval: the network as written, by the plain interpreter. */
#include "params/npy.h"
#include "params/safetensors_write.h"
#include "tool/commands.h"
#include "tool/output.h"
#include "tool/ports.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct Evaluation {
    Options *o;
    Arena *arena;
    Diag *d;
    const Net *net;
    int runs;               /* one after the other */
    EvalResult *results;    /* by run */
    const char **files;     /* by input: its .npy, or NULL */
    VEC(OutputFile) writes; /* what --output-dir and -o get */
} Evaluation;

static void unknown_input(Evaluation *e, const char *name)
{
    const char **names = NEW_ARRAY(e->arena, const char *, e->net->inputs.n + 1);
    for (int i = 0; i < e->net->inputs.n; i++)
        names[i] = e->net->inputs.at[i].name;
    const char *nearest = str_nearest(name, names, e->net->inputs.n);
    diag_error(e->d, NO_LOC, "the network has no input '%s'%s%s%s", name,
               nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

/* Each --input to its port: NAME=FILE, or FILE alone when there is one. */
static void match_inputs(Evaluation *e)
{
    for (int i = 0; i < e->o->inputs.n; i++) {
        const char *text = e->o->inputs.at[i], *equals = strchr(text, '=');
        const char *name = equals ? arena_strndup(e->arena, text, (size_t)(equals - text)) : NULL;
        int port = -1;
        for (int k = 0; k < e->net->inputs.n; k++) {
            if (name ? str_eq(name, e->net->inputs.at[k].name) : e->net->inputs.n == 1)
                port = k;
        }
        if (port >= 0)
            e->files[port] = equals ? equals + 1 : text;
        else if (name)
            unknown_input(e, name);
        else
            diag_error(e->d, NO_LOC, "the network has %d inputs: say which one '%s' is, NAME=%s",
                       e->net->inputs.n, text, text);
    }
    for (int k = 0; k < e->net->inputs.n; k++) {
        if (!e->files[k] && !e->o->random && e->d->errors == 0)
            diag_error(e->d, NO_LOC, "input '%s' has no values: --input %s=FILE.npy, or --random 1",
                       e->net->inputs.at[k].name, e->net->inputs.at[k].name);
    }
}

static const double **read_inputs(Evaluation *e)
{
    const double **inputs = NEW_ARRAY(e->arena, const double *, e->net->inputs.n + 1);
    e->files = NEW_ARRAY(e->arena, const char *, e->net->inputs.n + 1);
    match_inputs(e);
    for (int i = 0; i < e->net->inputs.n && e->d->errors == 0; i++) {
        Npy npy;
        if (e->o->random)
            inputs[i] = port_random(e->net, i, e->runs, e->o->seed, e->arena);
        else if (npy_read(&npy, e->files[i], e->arena, e->d))
            inputs[i] = port_from_npy(e->net, i, e->runs, &npy, e->files[i], e->arena, e->d);
    }
    return e->d->errors ? NULL : inputs;
}

/* Where in the tensor --at begins, as an element's number; the first one after a
 * message. */
static int64_t begin_at(Evaluation *e, const char *name, const Npy *npy)
{
    const char *at = e->o->at;
    int64_t element = 0;
    for (int i = 0; at && i < npy->rank; i++) {
        char *end = (char *)at;
        const long long index = *at >= '0' && *at <= '9' ? strtoll(at, &end, 10) : -1;
        const bool good = index >= 0 && index < npy->dims[i];
        if (!good || (*end && (*end != ',' || i == npy->rank - 1))) {
            Buf shape = buf_new(e->arena);
            for (int k = 0; k < npy->rank; k++)
                buf_printf(&shape, "[%lld]", (long long)npy->dims[k]);
            diag_error(e->d, NO_LOC, "--at %s is no place in '%s', which is %s", e->o->at, name,
                       buf_text(&shape));
            diag_note(e->d, NO_LOC, "indices count from 0, with commas between them");
            return 0;
        }
        element = element * npy->dims[i] + index;
        at = *end ? end + 1 : NULL;
        for (int k = i + 1; !at && k < npy->rank; k++)
            element *= npy->dims[k];
    }
    return element;
}

/* A line with a tensor's name, its shape and its first values. */
static void print_line(Evaluation *e, const char *name, const Npy *npy)
{
    enum { SHOWN = 6 };
    const int64_t begin = begin_at(e, name, npy);
    if (e->d->errors)
        return;
    printf("%s ", name);
    for (int i = 0; i < npy->rank; i++)
        printf("[%lld]", (long long)npy->dims[i]);
    if (e->o->at)
        printf(" at %s:", e->o->at);
    for (int64_t i = begin; i < npy->n && i < begin + SHOWN; i++)
        printf(" %.9g", npy->values[i]);
    puts(npy->n > begin + SHOWN ? " ..." : "");
}

/* Prints a node's values in all runs, and remembers their file. */
static void show(Evaluation *e, const char *name, const Node *node, Order order)
{
    const Type t = type_of_runs(node->type, e->runs);
    const int64_t each = type_elements(node->type);
    Npy npy = {.n = type_elements(t)};
    npy.rank = port_dims(t, order, npy.dims);
    npy.values = NEW_ARRAY(e->arena, double, npy.n + 1);
    for (int64_t i = 0; i < npy.n; i++)
        npy.values[port_index(t, order, i)] = e->results[i / each].values[node->id][i % each];
    print_line(e, name, &npy);
    if (e->d->errors || !e->o->output_dir)
        return;
    Buf bytes = buf_new(e->arena);
    npy_print(&bytes, &npy);
    char *file = arena_strdup(e->arena, name);
    for (char *c = file; *c; c++)
        *c = *c == '/' ? '_' : *c;
    const OutputFile out = {arena_printf(e->arena, "%s/%s.npy", e->o->output_dir, file), bytes.text,
                            bytes.n};
    VEC_PUSH(e->arena, &e->writes, out);
}

/* Prints what a step makes of each parameter, and remembers the file of all. */
static void show_updates(Evaluation *e)
{
    SafeTensor *tensors = NEW_ARRAY(e->arena, SafeTensor, e->net->params.n + 1);
    int n = 0;
    for (int i = 0; i < e->net->params.n; i++) {
        const Param *param = e->net->params.at[i];
        double *values = eval_update(e->net, param, &e->results[0], e->arena);
        if (!values)
            continue;
        const bool statistic = param->role == P_MEAN || param->role == P_VARIANCE;
        const char *kind = statistic ? "statistic" : "gradient";
        Npy npy = {.rank = param->rank, .n = param_elements(param), .values = values};
        for (int k = 0; k < param->rank; k++)
            npy.dims[k] = param->dims[k];
        if (!e->o->quiet && !e->o->at)
            print_line(e, arena_printf(e->arena, "%s %s", kind, param->name), &npy);
        tensors[n++] = (SafeTensor){param->name, param->rank, param->dims, NULL, values};
    }
    if (!e->o->output)
        return;
    OutputFile out = {.path = e->o->output};
    out.bytes = safetensors_pack(tensors, n, &out.size, e->arena);
    VEC_PUSH(e->arena, &e->writes, out);
}

/* An input's axes are in the port's order, so that --input takes what was written. */
static Order order_of_node(const Net *net, const Node *node)
{
    for (int i = 0; i < net->inputs.n; i++) {
        if (net->inputs.at[i].node == node)
            return net->inputs.at[i].order;
    }
    return ORDER_NCHW;
}

static void show_tensor(Evaluation *e, const char *path)
{
    const Node *node = net_node_named(e->net, path);
    if (node) {
        show(e, path, node, order_of_node(e->net, node));
        return;
    }
    const char **names = NEW_ARRAY(e->arena, const char *, e->net->nodes.n + 1);
    for (int i = 0; i < e->net->nodes.n; i++)
        names[i] = e->net->nodes.at[i]->name;
    const char *nearest = str_nearest(path, names, e->net->nodes.n);
    diag_error(e->d, NO_LOC, "the network has no layer '%s'%s%s%s", path,
               nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    diag_note(e->d, NO_LOC, "'rnc %s --dump ir' lists the layers", e->o->compile.input);
}

/* Runs the network on the images of each run in turn, with the state that the run before left. */
static void run_all(Evaluation *e, const double *const *inputs)
{
    EvalState *state = eval_state(e->net, e->arena);
    const double **of_run = NEW_ARRAY(e->arena, const double *, e->net->inputs.n + 1);
    e->results = NEW_ARRAY(e->arena, EvalResult, e->runs);
    for (int run = 0; run < e->runs; run++) {
        for (int i = 0; i < e->net->inputs.n; i++)
            of_run[i] = inputs[i] + run * type_elements(e->net->inputs.at[i].node->type);
        e->results[run] = eval_run(e->net, state, of_run, e->o->precision, e->arena);
    }
}

static void evaluate(Evaluation *e)
{
    const double **inputs = read_inputs(e);
    if (!inputs)
        return;
    run_all(e, inputs);
    for (int i = 0; i < e->net->outputs.n; i++) {
        const Port *p = &e->net->outputs.at[i];
        show(e, p->name, p->node, p->order);
    }
    for (int i = 0; i < e->o->tensors.n; i++)
        show_tensor(e, e->o->tensors.at[i]);
    if (e->net->updates.n)
        show_updates(e);
    if (e->d->errors || e->writes.n == 0)
        return;
    if (e->o->output_dir && mkdir(e->o->output_dir, 0777) != 0 && errno != EEXIST)
        diag_file_error(e->d, e->o->output_dir, "cannot make the directory: %s", strerror(errno));
    else
        outputs_write(e->writes.at, e->writes.n, e->o->inputs.at, 0, e->arena, e->d);
}

int eval_command(Options *o, Arena *arena, SrcMap *src, Diag *d)
{
    Compiled c;
    /* The compilation ends where the network is as it was written. */
    o->compile.dump = DUMP_IR;
    if (compile(&o->compile, arena, src, d, &c) && has_weights(&c, "eval", d)) {
        Evaluation e = {.o = o, .arena = arena, .d = d, .net = c.original};
        e.runs = o->runs ? o->runs : 1;
        evaluate(&e);
    }
    compiled_close(&c);
    return status_of(d);
}
