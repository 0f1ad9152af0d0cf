/* serve.c: a compiled network as a process under measurement (process.py has the
 * other end).
 *
 *   serve WEIGHTS THREADS INPUT...   load, run once, say so, then obey stdin:
 *       run N         N inferences: their wall and CPU times in ns
 *       answer STEM   the outputs of the last one, floats as the caller has them,
 *                     to STEM0.f32 ...
 *       layers N      N inferences: for each step the shortest time and the
 *                     median in ns
 *
 * Built with -DNET_INFO=NAME_info and the emitted header included before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ALIGN = 64, MAX_PORTS = 16, MAX_STEPS = 4096 };

typedef struct server {
    const rnc_net_info *info;
    void *net, *state;
    const void *inputs[MAX_PORTS];
    void *outputs[MAX_PORTS];
} server;

/* One inference's times, for the trace hook. */
typedef struct steps {
    int n;
    long long last, ns[MAX_STEPS];
} steps;

static long long now(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "error: %s: %s\n", what, why);
    exit(1);
}

static void *aligned(size_t bytes)
{
    void *p = aligned_alloc(ALIGN, (bytes + ALIGN) / ALIGN * ALIGN);
    if (!p)
        fail("serve", "no memory");
    return p;
}

static size_t port_bytes(const rnc_port_info *p)
{
    size_t elements = (size_t)p->n * (size_t)p->h * (size_t)p->w * (size_t)p->c;
    return elements * rnc_elem_bytes(p->elem);
}

static void *file(const char *path, size_t bytes)
{
    void *p = aligned(bytes);
    FILE *f = fopen(path, "rb");
    if (!f || fread(p, 1, bytes, f) != bytes)
        fail(path, "too short, or not there");
    fclose(f);
    return p;
}

static void run(const server *s)
{
    s->info->run(s->net, s->state, s->inputs, s->outputs);
}

static void print_list(const char *name, const long long *ns, int n, const char *end)
{
    printf("\"%s\":[", name);
    for (int i = 0; i < n; i++)
        printf("%s%lld", i ? "," : "", ns[i]);
    printf("]%s", end);
}

static void measure(const server *s, int n)
{
    long long *wall = calloc((size_t)n * 2 + 1, sizeof *wall), *cpu = wall + n;
    if (!wall)
        fail("run", "no memory");
    for (int i = 0; i < n; i++) {
        long long used = now(CLOCK_PROCESS_CPUTIME_ID), begin = now(CLOCK_MONOTONIC);
        run(s);
        wall[i] = now(CLOCK_MONOTONIC) - begin;
        cpu[i] = now(CLOCK_PROCESS_CPUTIME_ID) - used;
    }
    printf("{");
    print_list("wall", wall, n, ",");
    print_list("cpu", cpu, n, "}\n");
    free(wall);
}

static void answer(const server *s, const char *stem)
{
    for (int i = 0; i < s->info->n_outputs; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s%d.f32", stem, i);
        FILE *f = fopen(path, "wb");
        size_t bytes = port_bytes(&s->info->outputs[i]);
        if (!f || fwrite(s->outputs[i], 1, bytes, f) != bytes || fclose(f))
            fail(path, "cannot be written");
    }
    puts("{}");
}

static void on_step(void *context, int step, void *const *results)
{
    steps *t = context;
    long long at = now(CLOCK_MONOTONIC);
    (void)results;
    if (step < MAX_STEPS) {
        t->ns[step] += at - t->last; /* a batch may take several turns */
        t->n = step + 1 > t->n ? step + 1 : t->n;
    }
    t->last = now(CLOCK_MONOTONIC);
}

static int order(const void *a, const void *b)
{
    long long x = *(const long long *)a, y = *(const long long *)b;
    return (x > y) - (x < y);
}

static void layers(const server *s, int n)
{
    static steps t;
    static long long least[MAX_STEPS], middle[MAX_STEPS];
    s->info->trace(s->net, on_step, &t);
    long long *all = calloc((size_t)n * MAX_STEPS, sizeof *all);
    if (!all)
        fail("layers", "no memory");
    for (int i = 0; i < n; i++) {
        memset(t.ns, 0, sizeof t.ns);
        t.last = now(CLOCK_MONOTONIC);
        run(s);
        for (int k = 0; k < t.n; k++)
            all[(size_t)k * (size_t)n + (size_t)i] = t.ns[k];
    }
    s->info->trace(s->net, NULL, NULL);
    for (int k = 0; k < t.n; k++) {
        long long *one = all + (size_t)k * (size_t)n;
        qsort(one, (size_t)n, sizeof *one, order);
        least[k] = one[0];
        middle[k] = one[n / 2];
    }
    free(all);
    printf("{");
    print_list("least", least, t.n, ",");
    print_list("median", middle, t.n, "}\n");
}

/* The instruction set that init chose: the first that is compiled in and present. */
static const char *chosen(const server *s)
{
    for (int isa = RNC_ISA_AVX512; isa <= RNC_ISA_SCALAR; isa++)
        if (rnc_isa_present((rnc_isa)isa) && s->info->use(s->net, (rnc_isa)isa) == RNC_OK)
            return rnc_isa_name((rnc_isa)isa);
    return "none";
}

int main(int argc, char **argv)
{
    static server s;
    static rnc_weights w;
    rnc_pool *pool = NULL;
    char line[4096];
    s.info = &NET_INFO;
    if (argc < 3 || argc - 3 != s.info->n_inputs || s.info->n_inputs > MAX_PORTS ||
        s.info->n_outputs > MAX_PORTS)
        fail("serve", "usage: serve WEIGHTS THREADS INPUT...");
    for (int i = 0; i < s.info->n_inputs; i++)
        s.inputs[i] = file(argv[3 + i], port_bytes(&s.info->inputs[i]));
    for (int i = 0; i < s.info->n_outputs; i++)
        s.outputs[i] = aligned(port_bytes(&s.info->outputs[i]));
    long long begin = now(CLOCK_MONOTONIC);
    if (rnc_weights_open(&w, argv[1]))
        fail(argv[1], w.why);
    if (atoi(argv[2]) > 1 && rnc_pool_new(&pool, atoi(argv[2])))
        fail("serve", rnc_status_text(RNC_E_THREADS));
    s.net = aligned(s.info->engine_bytes);
    void *arena = aligned(s.info->arena_bytes);
    if (s.info->init(s.net, &w, arena, s.info->arena_bytes, pool))
        fail(s.info->name, s.info->why(s.net));
    s.state = aligned(s.info->state_bytes);
    if (s.info->init_state && s.info->init_state(s.net, s.state, s.info->state_bytes))
        fail(s.info->name, s.info->why(s.net));
    long long loaded = now(CLOCK_MONOTONIC);
    run(&s);
    long long first = now(CLOCK_MONOTONIC);
    printf("{\"import_s\":0,\"load_s\":%.6f,\"first_s\":%.6f,\"arena\":%zu,\"isa\":\"%s\"}\n",
           (double)(loaded - begin) * 1e-9, (double)(first - loaded) * 1e-9, s.info->arena_bytes,
           chosen(&s));
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        if (!strncmp(line, "run ", 4))
            measure(&s, atoi(line + 4));
        else if (!strncmp(line, "layers ", 7))
            layers(&s, atoi(line + 7));
        else if (!strncmp(line, "answer ", 7))
            answer(&s, line + 7);
        else
            fail(line, "no such command");
        fflush(stdout);
    }
    rnc_pool_free(pool);
    return 0;
}
