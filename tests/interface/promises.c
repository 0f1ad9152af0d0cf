/* promises.c: what NAME.h promises of run(), measured, for the network promises.net: how deep the
 * stack goes, that denormal numbers count as 0 in it and the caller's state is restored on each
 * thread, and that NAME_info's steps are those that run.
 *
 *   promises SPARSE...    prints "stack USED of PROMISED" and the steps' figures */
#include "promises.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition, why)                                        \
    do {                                                             \
        if (!(condition)) {                                          \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, why); \
            exit(1);                                                 \
        }                                                            \
    } while (0)

enum { PAINT = 0xa5, STACK = 1 << 20, MOST_STEPS = 64 };

static unsigned char arena[PROMISES_ARENA_BYTES + 64];
static float input[PROMISES_IMAGE_ELEMENTS], same[PROMISES_SAME_ELEMENTS],
    scores[PROMISES_SCORES_ELEMENTS];
static promises net;
static rnc_isa isa;
static unsigned char *stack; /* of the thread that runs, STACK bytes */
static size_t deepest;

/* The state of the floating-point unit; 0 where it is not known. */
static uint64_t mode(void)
{
#if defined(__x86_64__)
    unsigned x;
    __asm__ volatile("stmxcsr %0" : "=m"(x));
    return x & ~0x3fu; /* without the flags of what has happened */
#elif defined(__aarch64__)
    uint64_t x;
    __asm__ volatile("mrs %0, fpcr" : "=r"(x));
    return x;
#else
    return 0;
#endif
}

/* ---- the stack ---- */

static void __attribute__((noinline)) measured_run(void)
{
    unsigned char here;
    unsigned char *volatile top = &here - 512; /* below this frame and that of memset */
    memset(stack, PAINT, (size_t)(top - stack));
    promises_run(&net, input, same, scores);
    size_t clean = 0;
    while (stack[clean] == PAINT)
        clean++;
    const size_t used = (size_t)(top - stack) - clean + 512;
    deepest = used > deepest ? used : deepest;
}

static void *on_own_stack(void *arg)
{
    (void)arg;
    measured_run();
    return NULL;
}

static void check_stack(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    stack = aligned_alloc(4096, STACK);
    CHECK(stack && pthread_attr_init(&attributes) == 0 &&
              pthread_attr_setstack(&attributes, stack, STACK) == 0 &&
              pthread_create(&thread, &attributes, on_own_stack, NULL) == 0,
          "no thread with a stack of its own");
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    free(stack);
}

/* ---- denormals ---- */

static uint64_t modes[2]; /* of the caller, of the other thread */

typedef struct Half {
    rnc_task task;
    void *arg;
    int part, parts;
} Half;

static void *other_half(void *arg)
{
    const Half *h = arg;
    const uint64_t before = mode();
    h->task(h->arg, h->part, h->parts);
    CHECK(mode() == before, "a task leaves the state of its thread changed");
    modes[1] = before;
    return NULL;
}

/* A pool of two: the last part on a thread of its own, which is new. */
static int two(const rnc_pool *pool)
{
    (void)pool;
    return 2;
}
static void nothing(rnc_pool *pool)
{
    (void)pool;
}
static void run_two(rnc_pool *pool, rnc_task task, void *arg, int parts)
{
    Half half = {task, arg, parts - 1, parts};
    pthread_t thread;
    (void)pool;
    CHECK(pthread_create(&thread, NULL, other_half, &half) == 0, "no thread");
    for (int part = 0; part + 1 < parts; part++)
        task(arg, part, parts);
    pthread_join(thread, NULL);
}

static void check_denormals(rnc_weights *w, unsigned char *at)
{
    rnc_pool pool = {two, nothing, run_two, nothing};
    const uint64_t before = mode();
    for (int i = 0; i < PROMISES_IMAGE_ELEMENTS; i++)
        input[i] = 1e-40f;
    CHECK(promises_init(&net, w, at, PROMISES_ARENA_BYTES, &pool) == RNC_OK, net.why);
    CHECK(promises_use(&net, isa) == RNC_OK, net.why);
    for (int i = 0; i < PROMISES_SAME_ELEMENTS; i++)
        same[i] = 1;
    promises_run(&net, input, same, scores);
    CHECK(mode() == before, "run leaves the caller's state changed");
#if defined(__x86_64__) || defined(__aarch64__)
    CHECK(modes[1] == before, "no step was shared with another thread");
    int denormals = 0;
    for (int i = 0; i < PROMISES_SAME_ELEMENTS; i++) {
        uint32_t bits;
        memcpy(&bits, &same[i], sizeof bits);
        denormals += (bits & 0x7fffffff) != 0 && (bits & 0x7f800000) == 0;
        CHECK((bits & 0x7fffffff) == 0 || denormals, "a denormal input gives something large");
    }
    CHECK(denormals == 0, "denormal numbers go through a step");
    volatile float small = 1e-40f;
    CHECK(small * 1.0f != 0.0f, "the caller has lost its denormal numbers");
#endif
}

/* ---- steps ---- */

static int seen[MOST_STEPS], order[MOST_STEPS], n_seen;

static void on_step(void *context, int step, void *const *results)
{
    CHECK(context == seen && results[0], "the hook is given something else");
    CHECK(step >= 0 && step < promises_info.n_steps && step < MOST_STEPS, "no such step");
    seen[step]++;
    order[n_seen++ % MOST_STEPS] = step;
}

static void check_steps(void)
{
    promises_trace(&net, on_step, seen);
    promises_run(&net, input, same, scores);
    promises_trace(&net, NULL, NULL);
    promises_run(&net, input, same, scores);
    CHECK(n_seen == promises_info.n_steps, "other steps run than the table has");
    for (int i = 0; i < promises_info.n_steps; i++) {
        const rnc_step_info *s = &promises_info.steps[i];
        CHECK(seen[i] == 1 && order[i] == i, "steps do not run in order, once each");
        printf("%s|%s|%s|%llu|%llu|%llu|%llu\n", s->name, s->kernel, s->line,
               (unsigned long long)s->macs, (unsigned long long)s->read_bytes,
               (unsigned long long)s->written_bytes, (unsigned long long)s->weight_bytes);
    }
}

int main(void)
{
    unsigned char *at = arena + (64 - (uintptr_t)arena % 64) % 64;
    rnc_weights w;
    CHECK(rnc_weights_memory(&w, promises_weights, PROMISES_WEIGHTS_BYTES) == RNC_OK, w.why);
    CHECK(PROMISES_THREADS >= 1, "no threads are planned for");
    for (int i = RNC_ISA_AVX512; i <= RNC_ISA_SCALAR; i++) {
        isa = (rnc_isa)i;
        CHECK(promises_init(&net, &w, at, PROMISES_ARENA_BYTES, NULL) == RNC_OK, net.why);
        if (promises_use(&net, isa) != RNC_OK)
            continue;
        check_stack();
        check_denormals(&w, at);
        fprintf(stderr, "%s: stack %lu of %d\n", rnc_isa_name(isa), (unsigned long)deepest,
                PROMISES_STACK_BYTES);
#ifdef __OPTIMIZE__
        CHECK(deepest <= PROMISES_STACK_BYTES, "the stack goes deeper than is said");
#endif
    }
    CHECK(promises_init(&net, &w, at, PROMISES_ARENA_BYTES, NULL) == RNC_OK, net.why);
    check_steps();
    return 0;
}
