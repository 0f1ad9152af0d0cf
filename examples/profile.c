/* profile.c: where a network's time goes, a line for each step, for any network:
 *
 *   cc -O2 -DNET_INFO=resnet50_info -include resnet50.h profile.c resnet50.c -lrncrt -lm -o profile
 *   profile resnet50.weights [RUNS]
 *
 * Each step's shortest time of RUNS (20) inferences of one thread, what part of all that is, and
 * how fast it multiplies and moves bytes.  The inputs are zeros: no kernel's time depends on what
 * it computes. */
#include <rncrt.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct profile {
    double *best; /* [n_steps] seconds */
    double last;
} profile;

static double now(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Called after each step. */
static void on_step(void *context, int step, void *const *results)
{
    profile *p = (profile *)context;
    const double seconds = now() - p->last;
    (void)results;
    if (p->best[step] < 0 || seconds < p->best[step])
        p->best[step] = seconds;
    p->last = now();
}

static void *memory(size_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 64) / 64 * 64);
    if (!p) {
        fputs("profile: no memory\n", stderr);
        exit(1);
    }
    return p;
}

static void *zeros(const rnc_port_info *port)
{
    const size_t n = (size_t)port->n * (size_t)port->h * (size_t)port->w * (size_t)port->c;
    void *p = calloc(n, rnc_elem_bytes(port->elem));
    if (!p) {
        fputs("profile: no memory\n", stderr);
        exit(1);
    }
    return p;
}

static void print(const rnc_net_info *info, const profile *p)
{
    double all = 0;
    for (int i = 0; i < info->n_steps; i++)
        all += p->best[i] * info->turns;
    printf("%8s %6s %9s %7s  %-18s %s\n", "ms", "%", "GFLOP/s", "GB/s", "kernel", "step");
    for (int i = 0; i < info->n_steps; i++) {
        const rnc_step_info *s = &info->steps[i];
        const double seconds = p->best[i] > 0 ? p->best[i] : 1e-9;
        const double bytes = (double)(s->read_bytes + s->written_bytes + s->weight_bytes);
        printf("%8.3f %6.1f %9.2f %7.2f  %-18s %s%s%s\n", seconds * info->turns * 1e3,
               100 * seconds * info->turns / all, 2e-9 * (double)s->macs / seconds,
               1e-9 * bytes / seconds, s->kernel, s->name, *s->line ? "  " : "", s->line);
    }
    printf("%8.3f all of %s\n", all * 1e3, info->name);
}

int main(int argc, char **argv)
{
    const rnc_net_info *info = &NET_INFO;
    const int runs = argc > 2 ? atoi(argv[2]) : 20;
    rnc_weights w;
    if (argc < 2) {
        fputs("usage: profile WEIGHTS [RUNS]\n", stderr);
        return 2;
    }
    if (rnc_weights_open(&w, argv[1])) {
        fprintf(stderr, "%s: %s\n", argv[1], w.why);
        return 1;
    }
    void *net = memory(info->engine_bytes), *arena = memory(info->arena_bytes);
    if (info->init(net, &w, arena, info->arena_bytes, NULL)) {
        fprintf(stderr, "%s: %s\n", info->name, info->why(net));
        return 1;
    }
    void *state = memory(info->state_bytes);
    if (info->init_state && info->init_state(net, state, info->state_bytes)) {
        fprintf(stderr, "%s: %s\n", info->name, info->why(net));
        return 1;
    }
    const void **inputs = (const void **)memory((size_t)info->n_inputs * sizeof *inputs);
    void **outputs = (void **)memory((size_t)info->n_outputs * sizeof *outputs);
    profile p = {(double *)memory((size_t)info->n_steps * sizeof(double)), 0};
    for (int i = 0; i < info->n_inputs; i++)
        inputs[i] = zeros(&info->inputs[i]);
    for (int i = 0; i < info->n_outputs; i++)
        outputs[i] = zeros(&info->outputs[i]);
    for (int i = 0; i < info->n_steps; i++)
        p.best[i] = -1;
    info->trace(net, on_step, &p);
    for (int i = 0; i < runs; i++) {
        p.last = now();
        info->run(net, state, inputs, outputs);
    }
    print(info, &p);
    rnc_weights_close(&w);
    return 0;
}
