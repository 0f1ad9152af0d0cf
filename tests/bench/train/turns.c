/* turns.c: an emitted step of training as a process under measurement (against.py has the other
 * end).
 *
 *   turns THREADS    say "ready", then for each number N on stdin make N steps and print the wall
 *                    time of each in ns; in the end the loss of the last
 *
 * Built with -DTRAIN_INFO=NAME_info and the emitted header included before.  Pictures are random
 * bytes or numbers, and an image's label is its number modulo the classes. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum { ALIGN = 2 << 20 }; /* huge pages, as `rnc train` has them */

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void *memory(size_t bytes)
{
    const size_t whole = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    void *p = aligned_alloc(ALIGN, whole);
    if (!p) {
        fprintf(stderr, "turns: out of memory\n");
        exit(1);
    }
#ifdef MADV_HUGEPAGE
    (void)madvise(p, whole, MADV_HUGEPAGE);
#endif
    return p;
}

static void *pictures(const rnc_port_info *port)
{
    const size_t n = (size_t)port->n * (size_t)port->h * (size_t)port->w * (size_t)port->c;
    unsigned char *bytes = memory(n * rnc_elem_bytes(port->elem));
    float *floats = (float *)(void *)bytes;
    unsigned random = 1;
    for (size_t i = 0; i < n; i++) {
        random = random * 1664525u + 1013904223u;
        if (port->elem == RNC_ELEM_U8)
            bytes[i] = (unsigned char)(random >> 24);
        else
            floats[i] = (float)(random >> 8) * 0x1p-24f;
    }
    return bytes;
}

static int32_t *labels(const rnc_port_info *port, int classes)
{
    int32_t *p = memory((size_t)port->n * sizeof *p);
    for (int i = 0; i < port->n; i++)
        p[i] = i % classes;
    return p;
}

int main(int argc, char **argv)
{
    const rnc_train_info *info = &TRAIN_INFO;
    const int threads = argc > 1 ? atoi(argv[1]) : 1;
    void *net = calloc(1, info->engine_bytes);
    void *state = memory(info->state_bytes), *arena = memory(info->arena_bytes);
    rnc_pool *pool = NULL;
    rnc_metrics metrics = {0};
    if (!net || (threads > 1 && rnc_pool_new(&pool, threads)) ||
        info->init(net, state, info->state_bytes, arena, info->arena_bytes, pool, NULL) ||
        info->initialise(net, 1)) {
        fprintf(stderr, "turns: %s\n", net ? info->why(net) : "out of memory");
        return 1;
    }
    const void *in[] = {pictures(&info->inputs[0]), labels(&info->inputs[1], info->outputs[0].c)};
    printf("ready\n");
    fflush(stdout);
    for (int n; scanf("%d", &n) == 1; fflush(stdout)) {
        for (; n > 0; n--) {
            const long long begin = now();
            if (info->step(net, in, info->inputs[0].n, info->rate, &metrics))
                return 1;
            printf("%lld%c", now() - begin, n > 1 ? ' ' : '\n');
        }
    }
    printf("%g\n", metrics.loss / metrics.images);
    if (pool)
        rnc_pool_free(pool);
    return 0;
}
