/* measure.c: how fast this machine multiplies, adds and reads: windows of a fraction of a
 * millisecond, of which the best counts.
 *
 * What is read "from memory" is a buffer as large as the weights of a large network, again and
 * again, because inferences do the same.  If the L3 has room for some of it, the rate includes
 * that.
 */
#include "tool/measure.h"

#include "tool/cc.h"

#include "runtime/rncrt.h"
#include "tool/measure_loops.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum {
    KB = 1024,
    MEMORY_KB = 160 * 1024, /* the weights of a large network */
    STREAMS = 4,            /* as kernels read that do nothing but wait for weights */
    STRIP_KB = 4 * 1024,    /* read at once, of more than a cache has */
    STRIPS_MOST = MEMORY_KB / STRIP_KB,
    PASSES = 3,
    PIECE_KB = 8, /* what is read is a multiple of: a turn of a loop, of STREAMS parts */
    BURN_WINDOWS = 200,
    TOGETHER_WINDOWS = 300, /* all CPUs must be free at once */
    READ_WINDOWS = 100,
};
static const double WINDOW = 200e-6; /* seconds of one */

/* A part of an L3's rate that reading at a size must reach to count as from there. */
static const double FROM_L3 = 0.8;

typedef struct Work {
    const MeasureLoop *loop;
    const unsigned char *data; /* NULL: burn */
    size_t bytes, streams;     /* of each part */
    long turns;                /* of burn, or how often the bytes are read */
} Work;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void work_part(void *arg, int part, int parts)
{
    const Work *w = arg;
    (void)parts;
    if (!w->data) {
        w->loop->burn(w->turns);
        return;
    }
    for (long turn = 0; turn < w->turns; turn++)
        w->loop->read(w->data + (size_t)part * w->bytes, w->bytes, w->streams);
}

/* Seconds of the best of some windows, on all threads of a pool or, without a pool, on this
 * thread. */
static double best_window(Work *work, rnc_pool *pool, int windows)
{
    double best = HUGE_VAL;
    if (pool)
        pool->begin(pool);
    for (int i = 0; i < windows; i++) {
        const double begin = now();
        if (pool)
            pool->run(pool, work_part, work, pool->threads(pool));
        else
            work_part(work, 0, 1);
        best = fmin(best, now() - begin);
    }
    if (pool)
        pool->end(pool);
    return best;
}

/* Sets the number of turns that take about WINDOW. */
static void size_window(Work *work)
{
    for (work->turns = 1; work->turns < 1L << 30; work->turns *= 2) {
        const double took = best_window(work, NULL, 3);
        if (2.0 * took < WINDOW)
            continue;
        return;
    }
}

/* Three digits: what is remembered and printed is what is used. */
static double rounded(double x)
{
    char text[32];
    snprintf(text, sizeof text, "%.3g", x);
    return strtod(text, NULL);
}

/* 10^9 operations a second of each core. */
static double burn_rate(const MeasureLoop *loop, rnc_pool *pool, int windows)
{
    Work work = {.loop = loop};
    size_window(&work);
    const double seconds = best_window(&work, pool, windows);
    return 1e-9 * (double)work.turns * loop->operations / seconds;
}

/* 10^9 bytes a second of a buffer that stays where it is, in a cache. */
static double read_rate(const MeasureLoop *loop, const unsigned char *data, double kb)
{
    Work work = {.loop = loop, .data = data, .streams = 1};
    work.bytes = (size_t)(kb / PIECE_KB) * PIECE_KB * KB;
    if (work.bytes == 0)
        return 0.0;
    size_window(&work);
    const double seconds = best_window(&work, NULL, READ_WINDOWS);
    return 1e-9 * (double)work.turns * (double)work.bytes / seconds;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Likewise for the first `kb` of a buffer that all threads together read again and again, one
 * strip after the other.  Each strip is a window, and the fastest quarter of the windows counts.
 */
static double pass_rate(const MeasureLoop *loop, const unsigned char *data, double kb,
                        size_t streams, rnc_pool *pool)
{
    double seconds[PASSES * STRIPS_MOST];
    const size_t parts = pool ? (size_t)pool->threads(pool) : 1;
    const int strips = (int)(kb / STRIP_KB);
    Work work = {.loop = loop, .streams = streams, .turns = 1};
    work.bytes = (size_t)STRIP_KB / parts / PIECE_KB * PIECE_KB * KB;
    if (work.bytes == 0)
        return 0.0;
    for (int i = -strips; i < PASSES * strips; i++) {
        work.data = data + (size_t)((i + strips) % strips) * STRIP_KB * KB;
        const double took = best_window(&work, pool, 1);
        if (i >= 0) /* the first pass but fetches */
            seconds[i] = took;
    }
    qsort(seconds, (size_t)(PASSES * strips), sizeof *seconds, by_size);
    return 1e-9 * (double)(work.bytes * parts) / seconds[PASSES * strips / 4];
}

/* ---- what the system knows ---- */

/* The first line of a file of /sys, without its end. */
static bool read_line(const char *path, char *line, size_t size)
{
    FILE *f = fopen(path, "r");
    const bool good = f && fgets(line, (int)size, f);
    if (f)
        fclose(f);
    if (good)
        line[strcspn(line, "\n")] = '\0';
    return good;
}

double cache_kb(int level)
{
    for (int i = 0; i < 8; i++) {
        char path[128], line[64];
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/level", i);
        if (!read_line(path, line, sizeof line) || atoi(line) != level)
            continue;
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/type", i);
        if (!read_line(path, line, sizeof line) || strcmp(line, "Instruction") == 0)
            continue;
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/size", i);
        char *end;
        if (!read_line(path, line, sizeof line))
            continue;
        const double size = strtod(line, &end);
        return *end == 'M' ? 1024.0 * size : size;
    }
    return 0.0;
}

/* ---- the numbers ---- */

static const MeasureLoop *measure_flops(Machine *machine)
{
    const MeasureLoop *widest = NULL;
    for (int i = 0; i < ISA_COUNT; i++)
        machine->gflops[i] = 0.0;
    for (const MeasureLoop *loop = measure_loops; loop->burn; loop++) {
        if (!rnc_isa_present(cc_isa(loop->isa)))
            continue;
        machine->gflops[loop->isa] = rounded(burn_rate(loop, NULL, BURN_WINDOWS));
        if (!widest)
            widest = loop;
    }
    return widest;
}

/* Measures the L3 and the memory after it: the L3, or this program's share of it, ends where
 * reading gets slower. */
static void measure_far(Machine *machine, const MeasureLoop *loop, const unsigned char *data)
{
    const double shared = cache_kb(3), near = fmax(4.0 * machine->l2_kb, STRIP_KB);
    machine->l3 = rounded(pass_rate(loop, data, near, 1, NULL));
    machine->l3_kb = near;
    for (double kb = 2.0 * near; kb < MEMORY_KB && (shared == 0.0 || kb <= shared); kb *= 2.0) {
        if (pass_rate(loop, data, kb, 1, NULL) < FROM_L3 * machine->l3)
            break;
        machine->l3_kb = kb;
    }
    machine->memory = rounded(pass_rate(loop, data, MEMORY_KB, 1, NULL));
    machine->streams =
        fmax(machine->memory, rounded(pass_rate(loop, data, MEMORY_KB, STREAMS, NULL)));
}

/* Threads that read weights share them, so each has a part of the buffer. */
static void measure_together(Machine *machine, const MeasureLoop *loop, const unsigned char *data)
{
    rnc_pool *pool;
    machine->cores = machine->together = 1.0;
    machine->all = machine->streams;
    if (rnc_pool_new(&pool, 0) != RNC_OK)
        return;
    machine->cores = pool->threads(pool);
    machine->together =
        rounded(fmin(1.0, burn_rate(loop, pool, TOGETHER_WINDOWS) / machine->gflops[loop->isa]));
    machine->all = fmax(machine->streams, rounded(pass_rate(loop, data, MEMORY_KB, STREAMS, pool)));
    rnc_pool_free(pool);
}

void measure_machine(Machine *machine)
{
    const size_t bytes = (size_t)MEMORY_KB * KB;
    const MeasureLoop *loop = measure_flops(machine);
    const double l1 = cache_kb(1), l2 = cache_kb(2);
    machine->l1_kb = l1 > 0.0 ? l1 : machine->l1_kb;
    machine->l2_kb = l2 > 0.0 ? l2 : machine->l2_kb;
    void *data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED || !loop)
        return;
    memset(data, 0, bytes);
    machine->l1 = rounded(read_rate(loop, data, 0.5 * machine->l1_kb));
    machine->l2 = rounded(read_rate(loop, data, 0.5 * machine->l2_kb));
    measure_far(machine, loop, data);
    measure_together(machine, loop, data);
    munmap(data, bytes);
}
