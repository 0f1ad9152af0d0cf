/* steps.c: the emitted C of a training against the interpreter in double precision.
 *
 *     steps FOLDER TOLERANCE STEPS IMAGES OPTION...
 *
 * compiles the training that `rnc OPTION...` would, in FOLDER, and takes STEPS steps of IMAGES
 * images each, on each instruction set that the options name and this processor has, with 1, 2 and
 * 3 threads.  After each step it compares the loss, and after the last all tensors, with a
 * reference (reference.c); a tensor's error is max |a - b| / max |b|.  Threads must give the same
 * bits, and so must evaluations whatever the arena has before.  Parameters come from the options
 * (--init). */
#include "reference.h"

#include "tool/cc.h"
#include "tool/options.h"
#include "tool/ports.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Test {
    Arena *arena;
    Diag *d;
    Options o;
    Compiled c;
    const rnc_train_info *info;
    int steps, images;
    double tolerance, rate;
    const double *const *values; /* by input: images of all steps, [n][h][w][c] */
    void **buffers;              /* likewise as the ports have them */
    int failed;
} Test;

static double uniform(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*state >> 33) / 2147483648.0;
}

/* Random images, labels and targets for all steps. */
static void draw_inputs(Test *t)
{
    const Net *net = t->c.original;
    uint64_t state = 12345;
    double **values = NEW_ARRAY(t->arena, double *, net->inputs.n + 1);
    t->buffers = NEW_ARRAY(t->arena, void *, net->inputs.n + 1);
    for (int i = 0; i < net->inputs.n; i++) {
        const Port *p = &net->inputs.at[i];
        const Type type = p->node->type;
        const int64_t n = type_elements(type) * t->steps;
        const int classes = loss_classes(net);
        values[i] = NEW_ARRAY(t->arena, double, n);
        float *floats = NEW_ARRAY(t->arena, float, n);
        int32_t *numbers = NEW_ARRAY(t->arena, int32_t, n);
        unsigned char *bytes = NEW_ARRAY(t->arena, unsigned char, n);
        const int64_t each = type_elements(type);
        for (int64_t k = 0; k < n; k++) {
            const double x = uniform(&state);
            const double v = p->elem == ELEM_I32  ? floor(x * classes)
                             : p->elem == ELEM_U8 ? floor(x * 256)
                                                  : (double)(float)(2 * x - 1);
            const int64_t at = k / each * each + port_index(type, p->order, k % each);
            values[i][k] = v;
            floats[at] = (float)v;
            numbers[at] = (int32_t)v;
            bytes[at] = (unsigned char)(int)v;
        }
        t->buffers[i] = p->elem == ELEM_I32  ? (void *)numbers
                        : p->elem == ELEM_U8 ? (void *)bytes
                                             : (void *)floats;
    }
    t->values = (const double *const *)values;
}

static bool load(Test *t, const char *folder, void **handle)
{
    const char *const names[] = {"trained"};
    Buf *source = &t->c.source;
    const char *path = arena_printf(t->arena, "%s/trained.c", folder);
    FILE *f = fopen(path, "w");
    if (!f || fwrite(buf_text(source), 1, source->n, f) != source->n || fclose(f))
        return false;
    if (!cc_shared(folder, names, 1, "-O1", "", "it should compile", t->arena, t->d))
        return false;
    t->info = cc_load(folder, "trained", "trained_info", handle, t->arena, t->d);
    return t->info != NULL;
}

static void complain(Test *t, const char *what, const char *where, double error)
{
    printf("%s: %s is off by %.3g\n", where, what, error);
    t->failed++;
}

static int64_t floats_of(const rnc_tensor_info *info)
{
    int64_t n = 1;
    for (int i = 0; i < info->rank; i++)
        n *= info->dims[i];
    return n;
}

/* The engine's parameters and statistics as the network has them. */
static void set_values(Test *t, void *net)
{
    for (int i = 0; i < t->info->n_tensors; i++) {
        const rnc_tensor_info *info = &t->info->tensors[i];
        const Param *p = reference_param(t->c.original, info->name);
        if (info->role <= RNC_ROLE_STATISTIC && t->info->set(net, i, param_floats(p)))
            complain(t, info->name, "set", 1);
    }
}

/* All steps on one engine; the state is left in `state`, losses in losses[]. */
static void run(Test *t, void *net, double *losses)
{
    const Net *original = t->c.original;
    const void **inputs = NEW_ARRAY(t->arena, const void *, original->inputs.n + 1);
    set_values(t, net);
    t->info->set_updates(net, 0);
    for (int s = 0; s < t->steps; s++) {
        for (int i = 0; i < original->inputs.n; i++)
            inputs[i] =
                (const char *)t->buffers[i] + type_elements(original->inputs.at[i].node->type) *
                                                  elem_bytes(original->inputs.at[i].elem) * s;
        rnc_metrics m;
        if (t->info->step(net, inputs, t->images, t->rate, &m) || m.bad >= 0)
            complain(t, "the step", t->info->why(net), s);
        losses[s] = m.loss / m.images;
    }
}

/* An evaluation, too, finds nothing in the arena. */
static void evaluate_anew(Test *t, void *net, unsigned char *arena, const char *isa)
{
    double losses[2];
    for (int i = 0; i < 2; i++) {
        rnc_metrics m = {0};
        memset(arena, i ? 0x3f : 0xff, t->info->arena_bytes);
        if (t->info->evaluate(net, (const void *const *)t->buffers, t->images, NULL, &m))
            complain(t, "the evaluation", t->info->why(net), i);
        losses[i] = m.loss;
    }
    if (memcmp(&losses[0], &losses[1], sizeof losses[0]) != 0)
        complain(t, "an evaluation in another arena", isa, losses[1] - losses[0]);
}

static void compare(Test *t, void *net, const Reference *r, const char *isa)
{
    double worst = 0;
    for (int i = 0; i < t->info->n_tensors; i++) {
        const rnc_tensor_info *info = &t->info->tensors[i];
        const int64_t n = floats_of(info);
        float *got = NEW_ARRAY(t->arena, float, n);
        const double *want = reference_tensor(r, info->name, info->role);
        const double least = reference_floor(r, info->name, info->role);
        double error = 0, most = least;
        t->info->get(net, i, got);
        for (int64_t k = 0; k < n; k++) {
            error = fmax(error, fabs((double)got[k] - want[k]));
            most = fmax(most, reference_scale(r, info->name, info->role, k));
        }
        if (!(error <= t->tolerance * most))
            complain(t, arena_printf(t->arena, "%s (%d)", info->name, (int)info->role), isa,
                     error / most);
        worst = fmax(worst, error / most);
    }
    printf("  %s: worst %.2g\n", isa, worst);
}

static void run_isa(Test *t, rnc_isa isa, const Reference *r)
{
    const size_t bytes = t->info->state_bytes;
    unsigned char *states[3];
    unsigned char *arena = aligned_alloc(64, (t->info->arena_bytes + 63) / 64 * 64);
    double *losses = NEW_ARRAY(t->arena, double, t->steps);
    void *net = NEW_ARRAY(t->arena, char, (int64_t)t->info->engine_bytes);
    for (int threads = 1; threads <= 3; threads++) {
        rnc_pool *pool = NULL;
        states[threads - 1] = aligned_alloc(64, bytes);
        memset(states[threads - 1], 0, bytes);
        memset(arena, 0xff, t->info->arena_bytes); /* not a number */
        if (threads > 1 && rnc_pool_new(&pool, threads))
            exit(2);
        if (t->info->init(net, states[threads - 1], bytes, arena, t->info->arena_bytes, pool,
                          NULL) ||
            t->info->use(net, isa))
            complain(t, t->info->why(net), "init", 0);
        run(t, net, losses);
        if (threads == 1)
            evaluate_anew(t, net, arena, rnc_isa_name(isa));
        for (int s = 0; threads == 1 && s < t->steps; s++) {
            const double error = fabs(losses[s] - r->losses[s]) / fmax(1e-3, fabs(r->losses[s]));
            if (!(error <= t->tolerance))
                complain(t, arena_printf(t->arena, "loss %d", s), rnc_isa_name(isa), error);
        }
        if (threads == 1)
            compare(t, net, r, rnc_isa_name(isa));
        else if (memcmp(states[0], states[threads - 1], bytes) != 0)
            complain(t, "the state with threads", rnc_isa_name(isa), threads);
        if (pool)
            rnc_pool_free(pool);
    }
    for (int i = 0; i < 3; i++)
        free(states[i]);
    free(arena);
}

static int test(Test *t, int argc, char **argv)
{
    void *handle;
    const Reference *r;
    t->tolerance = atof(argv[2]);
    t->steps = atoi(argv[3]);
    t->images = atoi(argv[4]);
    if (!options_parse(&t->o, argc - 4, argv + 4, t->arena, t->d))
        return 2;
    CompileOptions *o = &t->o.compile;
    o->emit.name = "trained";
    o->emit.source = o->emit.header = "trained.c";
    o->emit.single_file = true;
    SrcMap src = {.arena = t->arena};
    t->d->src = &src;
    if (!compile(o, t->arena, &src, t->d, &t->c) || !load(t, argv[1], &handle))
        return 2;
    t->rate = t->steps == 1 ? 16 : t->info->rate;
    draw_inputs(t);
    r = reference_run(t->c.original, t->values, t->images, t->steps, t->rate, t->arena);
    const Plan *plan = t->c.plan;
    for (int i = 0; i < ISA_COUNT; i++) {
        if ((plan->options.isas >> i & 1) && rnc_isa_present(cc_isa((Isa)i)))
            run_isa(t, cc_isa((Isa)i), r);
    }
    dlclose(handle);
    compiled_close(&t->c);
    return t->failed > 0;
}

int main(int argc, char **argv)
{
    jmp_buf oom;
    Arena *arena = arena_new(&oom);
    if (!arena || setjmp(oom) || argc < 6)
        return 2;
    Diag d = diag_new(NULL, arena);
    Test *t = NEW(arena, Test);
    t->arena = arena;
    t->d = &d;
    const int status = test(t, argc, argv);
    fputs(buf_text(&d.out), stderr);
    arena_free(arena);
    return status;
}
