/* check_outputs.c: see check_outputs.h. */
#include "tool/check_outputs.h"

#include "net/eval.h"
#include "tool/ports.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* An array of an archive for a port: `images` times what a run takes or gives. */
typedef struct Array {
    const StoredTensor *tensor;
    const float *values;
    int64_t images;
} Array;

typedef struct Check {
    const Net *net;
    Arena *arena;
    Diag *d;
    TensorFile inputs, outputs;
    Array *in, *out; /* by port */
} Check;

/* Whether `name` is what a model calls the port, whose name the language does not allow
 * (port_name() of onnx_net.c): "input.1" is input_1 here, and the output "30" output_30. */
static bool was_called(const Port *port, const char *name)
{
    static const char *const kinds[] = {"", "input_", "output_"};
    for (int i = 0; i < 3; i++) {
        const size_t n = strlen(kinds[i]);
        const char *here = port->name + n, *there = name;
        if (strncmp(port->name, kinds[i], n) != 0)
            continue;
        while (*there && *here == (isalnum((unsigned char)*there) ? *there : '_'))
            here++, there++;
        if (!*here && !*there)
            return true;
    }
    return false;
}

/* The tensor that is for a port: by its name here or in the model, or the only one. */
static const StoredTensor *tensor_for(const Check *c, const TensorFile *file, const Port *port,
                                      int n_ports)
{
    const StoredTensor *t = tensorfile_find(file, port->name);
    if (t || (n_ports == 1 && file->n == 1))
        return t ? t : &file->tensors[0];
    for (int i = 0; i < file->n; i++) {
        if (was_called(port, file->tensors[i].name))
            return &file->tensors[i];
    }
    Buf known = buf_new(c->arena);
    for (int i = 0; i < file->n; i++)
        buf_printf(&known, "%s'%s'", i ? ", " : "", file->tensors[i].name);
    diag_file_error(c->d, file->path, "it has no array '%s'", port->name);
    diag_file_note(c->d, file->path, "its arrays are %s", buf_text(&known));
    return NULL;
}

/* How many times the port's extents are in the tensor's, along its first axis; 0: they do not
 * fit.  Extents of 1 do not count. */
static int64_t images_in(const StoredTensor *t, const Port *port)
{
    int64_t wanted[4], elements;
    const int rank = port_dims(port->node->type, port->order, wanted);
    int at = t->rank;
    if (!tensor_elements(t->dims, t->rank, &elements) || t->rank == 0)
        return 0;
    for (int i = rank - 1; i > 0; i--) {
        while (at > 1 && t->dims[at - 1] == 1 && wanted[i] != 1)
            at--;
        if (wanted[i] == 1 && (at <= 1 || t->dims[at - 1] != 1))
            continue;
        if (at <= 1 || t->dims[at - 1] != wanted[i])
            return 0;
        at--;
    }
    const int64_t each = type_elements(port->node->type);
    return elements % each == 0 ? elements / each : 0;
}

static bool take(Check *c, const TensorFile *file, const Port *port, int n_ports, Array *to)
{
    to->tensor = tensor_for(c, file, port, n_ports);
    if (!to->tensor)
        return false;
    to->images = images_in(to->tensor, port);
    if (to->images == 0) {
        const Type t = port->node->type;
        Buf dims = buf_new(c->arena);
        for (int i = 0; i < to->tensor->rank; i++)
            buf_printf(&dims, "[%lld]", (long long)to->tensor->dims[i]);
        diag_file_error(c->d, file->path,
                        "'%s' is %s, and the port '%s' has %d channels of %d x %d, %s",
                        to->tensor->name, buf_text(&dims), port->name, t.c, t.h, t.w,
                        port->order == ORDER_NHWC ? "channels last" : "channels first");
        return false;
    }
    const int errors = c->d->errors;
    to->values = tensor_floats(file, to->tensor, c->arena, c->d);
    if (!to->values && c->d->errors == errors)
        diag_file_error(c->d, file->path, "'%s' is %s, and rnc compares floats", to->tensor->name,
                        to->tensor->elem_name);
    return to->values != NULL;
}

static bool take_all(Check *c)
{
    const Net *net = c->net;
    c->in = NEW_ARRAY(c->arena, Array, net->inputs.n);
    c->out = NEW_ARRAY(c->arena, Array, net->outputs.n);
    for (int i = 0; i < net->inputs.n; i++) {
        if (!take(c, &c->inputs, &net->inputs.at[i], net->inputs.n, &c->in[i]))
            return false;
    }
    for (int i = 0; i < net->outputs.n; i++) {
        if (!take(c, &c->outputs, &net->outputs.at[i], net->outputs.n, &c->out[i]))
            return false;
    }
    for (int i = 0; i < net->inputs.n + net->outputs.n; i++) {
        const Array *a = i < net->inputs.n ? &c->in[i] : &c->out[i - net->inputs.n];
        if (a->images == c->in[0].images)
            continue;
        diag_error(c->d, NO_LOC, "'%s' has %lld images, and '%s' has %lld", c->in[0].tensor->name,
                   (long long)c->in[0].images, a->tensor->name, (long long)a->images);
        return false;
    }
    return true;
}

/* The interpreter's order of a run's numbers. */
static const double *run_input(const Check *c, int port, int64_t run)
{
    const Port *p = &c->net->inputs.at[port];
    const int64_t n = type_elements(p->node->type);
    double *values = NEW_ARRAY(c->arena, double, n);
    for (int64_t i = 0; i < n; i++)
        values[i] = (double)c->in[port].values[run * n + port_index(p->node->type, p->order, i)];
    return values;
}

/* How far an output is from the other tool's, and the largest of these. */
typedef struct Distance {
    double most, largest;
    bool strange; /* a NaN on one side alone */
} Distance;

static void measure(const Check *c, int port, int64_t run, const double *ours, Distance *to)
{
    const Port *p = &c->net->outputs.at[port];
    const int64_t n = type_elements(p->node->type);
    for (int64_t i = 0; i < n; i++) {
        const double theirs =
            (double)c->out[port].values[run * n + port_index(p->node->type, p->order, i)];
        to->strange = to->strange || isnan(theirs) != isnan(ours[i]);
        to->most = fmax(to->most, fabs(theirs - ours[i]));
        to->largest = fmax(to->largest, fabs(theirs));
    }
}

static void compare(Check *c, const Options *o, double tolerance)
{
    const Net *net = c->net;
    Distance *far = NEW_ARRAY(c->arena, Distance, net->outputs.n);
    const double **in = NEW_ARRAY(c->arena, const double *, net->inputs.n);
    for (int64_t run = 0; run < c->in[0].images; run++) {
        for (int i = 0; i < net->inputs.n; i++)
            in[i] = run_input(c, i, run);
        const EvalResult result = eval_net(net, in, EVAL_DOUBLE, c->arena);
        for (int i = 0; i < net->outputs.n; i++)
            measure(c, i, run, result.values[net->outputs.at[i].node->id], &far[i]);
    }
    for (int i = 0; i < net->outputs.n; i++) {
        const char *name = net->outputs.at[i].name;
        const double relative = far[i].largest > 0 ? far[i].most / far[i].largest : far[i].most;
        if (!o->quiet)
            printf("%s: differs by %.2g of the largest, %.4g, in %lld images\n", name, relative,
                   far[i].largest, (long long)c->in[0].images);
        if (relative <= tolerance && !far[i].strange)
            continue;
        diag_file_error(c->d, o->check.at[1], "output '%s' is not what the imported network gives",
                        name);
        diag_note(c->d, NO_LOC,
                  "it differs by %.2g of the largest, where %.2g is allowed (--tolerance): the "
                  "exporter changed the network, or these are the outputs of other inputs",
                  relative, tolerance);
    }
}

bool check_outputs(const Options *o, const Net *net, Arena *arena, Diag *d)
{
    enum { TOLERANCE = 20 }; /* of 1e-6: what frameworks differ by among themselves */
    Check c = {.net = net, .arena = arena, .d = d};
    jmp_buf oom;
    jmp_buf *outer = arena_on_oom(arena, &oom);
    const int errors = d->errors;
    if (setjmp(oom) == 0) {
        if (tensorfile_open(&c.inputs, o->check.at[0], arena, d) &&
            tensorfile_open(&c.outputs, o->check.at[1], arena, d) && take_all(&c))
            compare(&c, o, o->tolerance_given ? o->tolerance : TOLERANCE * 1e-6);
    } else {
        diag_error(d, NO_LOC, "out of memory");
    }
    arena_on_oom(arena, outer);
    tensorfile_close(&c.inputs);
    tensorfile_close(&c.outputs);
    return d->errors == errors;
}
