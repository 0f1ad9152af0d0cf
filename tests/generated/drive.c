/* drive.c: runs one emitted network in every way a caller may, and checks what
 * is promised of it: -DNET_INFO=tiny_info -DNET_HEADER='"tiny.h"'.
 *
 *   drive [WEIGHTS]     the file; without it the weights are in the program
 * (-DEMBEDDED=tiny_weights -DEMBEDDED_BYTES=TINY_WEIGHTS_BYTES)
 *
 * Prints a checksum of the outputs; says on stderr what is broken, and ends with 1.
 * -DCOUNT_MALLOC counts allocations during run(); -DSINGLE_FILE: no librncrt.
 */
#include NET_HEADER

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD = 4096, MOST_PORTS = 8, RUNS = 5 };

static int running, allocations;

#ifdef COUNT_MALLOC
void *__libc_malloc(size_t size);
void *malloc(size_t size)
{
    allocations += running;
    return __libc_malloc(size);
}
void *__libc_calloc(size_t n, size_t size);
void *calloc(size_t n, size_t size)
{
    allocations += running;
    return __libc_calloc(n, size);
}
void *__libc_realloc(void *p, size_t size);
void *realloc(void *p, size_t size)
{
    allocations += running;
    return __libc_realloc(p, size);
}
#endif

#define CHECK(condition, what)                                \
    do {                                                      \
        if (!(condition)) {                                   \
            fprintf(stderr, "%s: %s\n", NET_INFO.name, what); \
            exit(1);                                          \
        }                                                     \
    } while (0)

/* `bytes` with a page of a pattern on either side. */
typedef struct Guarded {
    unsigned char *all, *at;
    size_t bytes;
} Guarded;

static Guarded guarded(size_t bytes)
{
    Guarded g;
    const size_t size = (bytes + 63) / 64 * 64 + 2 * GUARD;
    g.all = (unsigned char *)aligned_alloc(64, size);
    CHECK(g.all, "no memory");
    memset(g.all, 0xa5, size);
    g.at = g.all + GUARD;
    g.bytes = bytes;
    return g;
}

static void check_guard(const Guarded *g, const char *what)
{
    for (size_t i = 0; i < GUARD; i++)
        CHECK(g->all[i] == 0xa5 && g->at[g->bytes + i % GUARD] == 0xa5, what);
}

typedef struct Engine {
    Guarded net, arena, state, in[MOST_PORTS], out[MOST_PORTS];
    const void *inputs[MOST_PORTS];
    void *outputs[MOST_PORTS];
    uint64_t sum;
} Engine;

static size_t elements(const rnc_port_info *p)
{
    return (size_t)p->n * (size_t)p->h * (size_t)p->w * (size_t)p->c;
}

static void make_ports(Engine *e)
{
    uint32_t x = 12345;
    for (int i = 0; i < NET_INFO.n_inputs; i++) {
        const rnc_port_info *p = &NET_INFO.inputs[i];
        e->in[i] = guarded(elements(p) * rnc_elem_bytes(p->elem));
        for (size_t k = 0; k < elements(p); k++) {
            x = x * 1664525u + 1013904223u;
            if (p->elem == RNC_ELEM_U8)
                e->in[i].at[k] = (unsigned char)(x >> 24);
            else
                ((float *)e->in[i].at)[k] = (float)(x >> 8) / 8388608.0f - 1.0f;
        }
        e->inputs[i] = e->in[i].at;
    }
    for (int i = 0; i < NET_INFO.n_outputs; i++) {
        e->out[i] = guarded(elements(&NET_INFO.outputs[i]) * sizeof(float));
        e->outputs[i] = e->out[i].at;
    }
}

static void make_engine(Engine *e, const rnc_weights *w, rnc_pool *pool)
{
    memset(e, 0, sizeof *e);
    e->net = guarded(NET_INFO.engine_bytes);
    e->arena = guarded(NET_INFO.arena_bytes);
    e->state = guarded(NET_INFO.state_bytes);
    const rnc_status status = NET_INFO.init(e->net.at, w, e->arena.at, NET_INFO.arena_bytes, pool);
    CHECK(status == RNC_OK, NET_INFO.why(e->net.at));
    make_ports(e);
}

static void free_engine(Engine *e)
{
    check_guard(&e->net, "run() or init() writes beside the engine");
    check_guard(&e->arena, "run() writes beside the arena");
    check_guard(&e->state, "run() or init_state() writes beside the state");
    free(e->net.all);
    free(e->state.all);
    free(e->arena.all);
    for (int i = 0; i < NET_INFO.n_inputs; i++) {
        check_guard(&e->in[i], "run() writes beside an input");
        free(e->in[i].all);
    }
    for (int i = 0; i < NET_INFO.n_outputs; i++) {
        check_guard(&e->out[i], "run() writes beside an output");
        free(e->out[i].all);
    }
}

/* One inference with `dirt` in arena and outputs, FNV-1a of the outputs.  With a state it is
 * the last of a few, of which the first begins with a new state. */
static uint64_t run(Engine *e, int dirt)
{
    enum { STREAM = 4 };
    uint64_t sum = UINT64_C(14695981039346656037);
    const int runs = NET_INFO.state_bytes > 0 ? STREAM : 1;
    memset(e->state.at, dirt, e->state.bytes);
    CHECK(runs == 1 || NET_INFO.init_state(e->net.at, e->state.at, e->state.bytes) == RNC_OK,
          NET_INFO.why(e->net.at));
    for (int k = 0; k < runs; k++) {
        memset(e->arena.at, dirt, e->arena.bytes);
        for (int i = 0; i < NET_INFO.n_outputs; i++)
            memset(e->out[i].at, dirt, e->out[i].bytes);
        NET_INFO.run(e->net.at, e->state.at, e->inputs, e->outputs);
    }
    for (int i = 0; i < NET_INFO.n_outputs; i++) {
        for (size_t k = 0; k < e->out[i].bytes; k++)
            sum = (sum ^ e->out[i].at[k]) * UINT64_C(1099511628211);
        for (size_t k = 0; k < e->out[i].bytes / sizeof(float); k++)
            CHECK(((float *)e->out[i].at)[k] * 0 == 0, "an output is not finite");
    }
    return sum;
}

static void *run_often(void *arg)
{
    Engine *e = (Engine *)arg;
    for (int i = 0; i < RUNS; i++) {
        const uint64_t sum = run(e, i);
        CHECK(i == 0 || sum == e->sum, "two runs of an engine differ");
        e->sum = sum;
    }
    return NULL;
}

static void check_threads(const rnc_weights *w, uint64_t expected)
{
    Engine e[2];
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        make_engine(&e[i], w, NULL);
        CHECK(pthread_create(&threads[i], NULL, run_often, &e[i]) == 0, "no thread");
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        CHECK(e[i].sum == expected, "engines in two threads differ from one");
        free_engine(&e[i]);
    }
}

/* A pool of the caller's own: three parts, the last one first. */
static int own_threads(const rnc_pool *pool)
{
    (void)pool;
    return 3;
}
static void own_bound(rnc_pool *pool)
{
    (void)pool;
}
static void own_run(rnc_pool *pool, rnc_task task, void *arg, int parts)
{
    (void)pool;
    for (int part = parts - 1; part >= 0; part--)
        task(arg, part, parts);
}

static void check_pool(const rnc_weights *w, rnc_pool *pool, uint64_t expected)
{
    Engine e;
    make_engine(&e, w, pool);
    for (int i = 0; i < RUNS; i++)
        CHECK(run(&e, 0xff) == expected, "a pool of threads gives other bits than one");
    free_engine(&e);
}

static void check_pools(const rnc_weights *w, uint64_t expected)
{
    rnc_pool own = {own_threads, own_bound, own_run, own_bound};
    check_pool(w, &own, expected);
#ifndef SINGLE_FILE
    rnc_pool *pool;
    CHECK(rnc_pool_new(&pool, 3) == RNC_OK, "no pool");
    check_pool(w, pool, expected);
    rnc_pool_free(pool);
#endif
}

/* Every mistake init() can see, it reports, with a reason. */
static void check_refusals(const rnc_weights *w)
{
    Guarded net = guarded(NET_INFO.engine_bytes), arena = guarded(NET_INFO.arena_bytes + 64);
    rnc_weights other = *w;
    CHECK(NET_INFO.init(net.at, w, NULL, NET_INFO.arena_bytes, NULL) == RNC_E_ARENA, "no arena");
    CHECK(NET_INFO.init(net.at, w, arena.at + 4, NET_INFO.arena_bytes, NULL) == RNC_E_ARENA,
          "arena not aligned");
    CHECK(NET_INFO.init(net.at, w, arena.at, NET_INFO.arena_bytes - 1, NULL) == RNC_E_ARENA,
          "arena too small");
    CHECK(strstr(NET_INFO.why(net.at), "expected"), "no reason is given");
    other.plan ^= 1;
    CHECK(NET_INFO.init(net.at, &other, arena.at, NET_INFO.arena_bytes, NULL) == RNC_E_PLAN,
          "weights of another plan");
    CHECK(NET_INFO.init(net.at, NULL, arena.at, NET_INFO.arena_bytes, NULL) == RNC_E_PLAN,
          "no weights");
    CHECK(NET_INFO.init(net.at, w, arena.at, NET_INFO.arena_bytes, NULL) == RNC_OK, "all is well");
    CHECK(NET_INFO.use(net.at, (rnc_isa)99) == RNC_E_ISA, "no such instruction set");
    free(net.all);
    free(arena.all);
}

/* Likewise of init_state(); and a copy of a state continues as the state itself does. */
static void check_state(Engine *e)
{
    const size_t bytes = NET_INFO.state_bytes;
    CHECK((bytes > 0) == (NET_INFO.init_state != NULL) && (bytes > 0) == (NET_INFO.n_states > 0),
          "a state without a size, or a size without a state");
    if (bytes == 0)
        return;
    size_t end = 0;
    for (int i = 0; i < NET_INFO.n_states; i++) {
        CHECK(NET_INFO.states[i].offset == end, "a gap in the state");
        end += NET_INFO.states[i].bytes;
    }
    CHECK(end * (size_t)NET_INFO.turns == bytes, "pieces of the state are missing");
    void *net = e->net.at;
    CHECK(NET_INFO.init_state(net, NULL, bytes) == RNC_E_STATE, "no state");
    CHECK(NET_INFO.init_state(net, e->state.at + 4, bytes) == RNC_E_STATE, "state not aligned");
    CHECK(NET_INFO.init_state(net, e->state.at, bytes - 1) == RNC_E_STATE, "state too small");
    CHECK(strstr(NET_INFO.why(net), "bytes of state: expected"), "no reason is given");
    Guarded copy = guarded(bytes);
    const size_t out = e->out[0].bytes;
    float *first = (float *)guarded(out).at;
    run(e, 0);
    memcpy(copy.at, e->state.at, bytes);
    NET_INFO.run(net, e->state.at, e->inputs, e->outputs);
    memcpy(first, e->out[0].at, out);
    NET_INFO.run(net, e->state.at, e->inputs, e->outputs);
    NET_INFO.run(net, copy.at, e->inputs, e->outputs);
    CHECK(memcmp(first, e->out[0].at, out) == 0, "a copied state continues otherwise");
    check_guard(&copy, "run() writes beside a copy of the state");
    free(copy.all);
    free((unsigned char *)first - GUARD);
}

int main(int argc, char **argv)
{
    rnc_weights w;
    Engine e;
#ifdef EMBEDDED
    const rnc_status status = rnc_weights_memory(&w, EMBEDDED, EMBEDDED_BYTES);
    (void)argc, (void)argv;
#else
    const rnc_status status = argc > 1 ? rnc_weights_open(&w, argv[1]) : RNC_E_OPEN;
#endif
    CHECK(status == RNC_OK, w.why);
    CHECK(rnc_weights_verify(&w) == RNC_OK, w.why);
    check_refusals(&w);
    make_engine(&e, &w, NULL);
    running = 1;
    const uint64_t sum = run(&e, 0);
    running = 0;
    CHECK(allocations == 0, "run() allocates");
    CHECK(run(&e, 0xff) == sum, "what lay in the arena before makes a difference");
    check_state(&e);
    check_threads(&w, sum);
    check_pools(&w, sum);
    for (int isa = RNC_ISA_AVX512; isa <= RNC_ISA_SCALAR; isa++) {
        if (NET_INFO.use(e.net.at, (rnc_isa)isa) == RNC_OK)
            CHECK(run(&e, 0xff) == run(&e, 0), "what lay in the arena before makes a difference");
    }
    free_engine(&e);
    printf("%s %016llx\n", NET_INFO.name, (unsigned long long)sum);
#ifndef EMBEDDED
    rnc_weights_close(&w);
#endif
    return 0;
}
