/* peaks.c: what this machine can do at most, as JSON: peaks THREADS
 *
 *   flops   GFLOP/s of independent fused multiply-adds on registers, by instruction set;
 *           "portable" is the baseline's 128-bit vectors with what it has (a
 *           multiplication and an addition, where the baseline has no FMA)
 *   read    GB/s of loading a buffer of so many bytes, over and over, by the widest vectors, from
 *           the start to the end or from 2, 4 or 8 parts of it side by side, whatever is fastest
 *
 * THREADS threads at once, each on data of its own; the best of many short windows.  The loops are
 * those of `rnc --machine measure`, compiler/tool/measure_loops.c; machine.py compiles both.
 */
#include "runtime/rncrt.h"
#include "tool/measure_loops.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WINDOWS = 300, FEW = 30, TURNS = 20000, MAX_THREADS = 256 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* What a thread does with a loop: read `bytes` of its own or, if that is 0, multiply and add. */
typedef struct job {
    const MeasureLoop *loop;
    size_t bytes, streams;
    void *data;
    double seconds; /* of its best window */
    pthread_barrier_t *start;
} job;

static size_t repeats(size_t bytes)
{
    size_t least = (size_t)32 << 20;
    return bytes < least ? least / bytes : 1;
}

static void *work(void *arg)
{
    job *j = arg;
    if (j->bytes) {
        j->data = aligned_alloc(64, j->bytes);
        if (!j->data)
            exit(1);
        memset(j->data, 0, j->bytes);
    }
    int windows = j->bytes > (size_t)64 << 20 ? FEW : WINDOWS;
    for (int i = 0; i < windows; i++) {
        pthread_barrier_wait(j->start);
        double begin = now();
        if (!j->bytes)
            j->loop->burn(TURNS);
        for (size_t r = 0; j->bytes && r < repeats(j->bytes); r++)
            j->loop->read(j->data, j->bytes, j->streams);
        double took = now() - begin;
        if (i == 0 || took < j->seconds)
            j->seconds = took;
    }
    free(j->data);
    return NULL;
}

/* The sum over the threads of `amount` in its best window, in 10^9 a second. */
static double best(job kind, int threads)
{
    static pthread_t id[MAX_THREADS];
    static job jobs[MAX_THREADS];
    pthread_barrier_t start;
    double sum = 0;
    pthread_barrier_init(&start, NULL, (unsigned)threads);
    for (int i = 0; i < threads; i++) {
        jobs[i] = kind;
        jobs[i].start = &start;
        if (pthread_create(&id[i], NULL, work, &jobs[i]))
            exit(1);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(id[i], NULL);
        double amount = kind.bytes ? (double)(repeats(kind.bytes) * kind.bytes)
                                   : (double)TURNS * kind.loop->operations;
        sum += amount / jobs[i].seconds * 1e-9;
    }
    pthread_barrier_destroy(&start);
    return sum;
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = {16u << 10, 256u << 10, 4u << 20, 256u << 20};
    int threads = argc > 1 ? atoi(argv[1]) : 1;
    if (threads < 1 || threads > MAX_THREADS) {
        fprintf(stderr, "usage: peaks THREADS\n");
        return 1;
    }
    job read = {0};
    printf("{\"flops\":{");
    for (const MeasureLoop *l = measure_loops; l->burn; l++) {
        if (l->isa == ISA_scalar || !rnc_isa_present((rnc_isa)(l->isa + 1)))
            continue;
        printf("%s\"%s\":%.1f", read.loop ? "," : "", rnc_isa_name((rnc_isa)(l->isa + 1)),
               best((job){.loop = l}, threads));
        read.loop = read.loop ? read.loop : l; /* the widest */
    }
    printf("},\"read\":{");
    for (int i = 0; i < 4; i++) {
        double most = 0;
        read.bytes = sizes[i];
        for (read.streams = 1; read.streams <= 8; read.streams *= 2) {
            double found = best(read, threads);
            most = found > most ? found : most;
        }
        printf("%s\"%zu\":%.1f", i ? "," : "", sizes[i], most);
    }
    printf("}}\n");
    return 0;
}
