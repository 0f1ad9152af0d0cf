/* tune_run.c: measures the candidates for a step.
 *
 * All are compiled into one file and run in this process.  A round runs each of them once, and
 * counts the ratio of its time to that of the first in the same round: what slows the machine
 * slows both.  Before each round a loop of known work, the meter, is timed; a round does not count
 * if the meter was then more than METER_LOSS slower than its best.
 */
#include "tool/tune_parts.h"

#include "base/numbers.h"
#include "emit/emit.h"
#include "tool/cc.h"
#include "tool/output.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    WEIGHTS_MOST = 256 << 20, /* more than any L3 */
    CALLS_MOST = 1000,
    TRIES = 8, /* at most this many times the rounds that are wanted */
};
static const double METER_LOSS = 0.08;
static const double SAMPLE = 400e-6; /* seconds that the first candidate's sample takes */

typedef struct Job {
    StepFunction function;
    rnc_operands operands;
    int64_t weights; /* bytes from one copy to the next */
    int64_t slopes;  /* bytes in front of the weights */
    int parts;
} Job;

/* ---- memory ---- */

static double next_real(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 40) / (double)(1 << 24);
}

/* Numbers between low and high, the same 64 KB again and again. */
static void fill(unsigned char *bytes, int64_t n, double low, double high)
{
    enum { PERIOD = 1 << 16 };
    uint64_t state = 1;
    float x;
    for (int64_t i = 0; i + 4 <= n && i < PERIOD; i += 4) {
        x = (float)(low + (high - low) * next_real(&state));
        memcpy(bytes + i, &x, sizeof x);
    }
    for (int64_t i = PERIOD; i < n; i += PERIOD)
        memcpy(bytes + i, bytes, (size_t)(n - i < PERIOD ? n - i : PERIOD));
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The buffer or the state that an operand is in; NULL if it is in neither. */
static const void *memory_of(const Plan *plan, const Operand *o)
{
    if (!o->tensor)
        return NULL;
    return o->tensor->state ? (const void *)o->tensor->state : &plan->buffers.at[o->tensor->buffer];
}

static int64_t memory_bytes(const Plan *plan, const Operand *o)
{
    if (!o->tensor)
        return 0;
    return o->tensor->state ? o->tensor->state->bytes : plan->buffers.at[o->tensor->buffer].bytes;
}

/* The address of an operand; operands in one buffer share it. */
static float *operand(const Plan *plan, const Operand *o, const void *const *memories,
                      unsigned char *const *at)
{
    for (int i = 0; i < 3; i++) {
        if (o->tensor && memories[i] == memory_of(plan, o))
            return (float *)(void *)at[i] + o->tensor->origin + o->shift;
    }
    return NULL;
}

/* Memory for the weights and operands of all candidates, and where each finds its own. */
static Job *place_jobs(Tune *t, const Candidates *list)
{
    const Plan *plan = t->plan;
    const Step *first = &list->at[0].step;
    const Operand *const operands[] = {&first->in[0], &first->in[1], &first->out[0]};
    const void *memories[3];
    int64_t sizes[3], scratch = 0, weights = 64, all = 0;
    for (int i = 0; i < list->n; i++) {
        scratch = larger(scratch, list->at[i].step.scratch_bytes);
        weights = larger(weights, round_up(list->at[i].step.weights->bytes, 64));
    }
    for (int i = 0; i < 3; i++) {
        memories[i] = memory_of(plan, operands[i]);
        sizes[i] = memory_bytes(plan, operands[i]);
        for (int k = 0; k < i; k++)
            sizes[i] = memories[k] == memories[i] ? 0 : sizes[i];
        all += sizes[i];
    }
    /* An inference reads all other weights in between. */
    weights =
        larger(weights, plan->weight_bytes < WEIGHTS_MOST ? plan->weight_bytes : WEIGHTS_MOST);
    if (t->weights_bytes < weights) {
        t->weights = arena_alloc(t->arena, (size_t)weights + 4096);
        t->weights_bytes = weights;
        fill(t->weights, weights, -0.02, 0.02);
    }
    t->weights_at = 0;
    all += scratch;
    if (t->work_bytes < all) {
        t->work = arena_alloc(t->arena, (size_t)all + 4096);
        t->work_bytes = all;
    }
    fill(t->work, all, 0.0, 1.0);
    unsigned char *at[3];
    int64_t used = 0;
    for (int i = 0; i < 3; i++) {
        at[i] = t->work + used;
        used += sizes[i];
    }
    Job *jobs = NEW_ARRAY(t->arena, Job, list->n);
    for (int i = 0; i < list->n; i++) {
        const Step *s = &list->at[i].step;
        rnc_operands *o = &jobs[i].operands;
        o->in[0] = operand(plan, &s->in[0], memories, at);
        o->in[1] = operand(plan, &s->in[1], memories, at);
        o->out[0] = operand(plan, &s->out[0], memories, at);
        o->scratch = scratch > 0 ? t->work + used : NULL;
        jobs[i].function = list->at[i].function;
        jobs[i].weights = round_up(s->weights->bytes, 64);
        jobs[i].slopes = elems_bytes(ELEM_F32, packed_slopes(s));
        jobs[i].parts = s->parts < t->threads ? s->parts : t->threads;
    }
    return jobs;
}

/* ---- time ---- */

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* One thread's time is that of its CPU, so that what runs in between does not count. */
static double now(const Tune *t)
{
    return seconds_of(t->pool ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID);
}

/* Seconds of the meter's loop: sums that wait for nothing but their unit. */
static double time_loop(void)
{
    enum { CHAINS = 8, TURNS = 5000 };
    double sums[CHAINS];
    volatile double sink = 1.0000001, seen;
    const double factor = sink;
    const double begin = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    for (int k = 0; k < CHAINS; k++)
        sums[k] = (double)k;
    for (int i = 0; i < TURNS; i++) {
        for (int k = 0; k < CHAINS; k++)
            sums[k] = sums[k] * factor + 0.5;
    }
    for (int k = 0; k < CHAINS; k++)
        seen = sums[k];
    (void)seen;
    return seconds_of(CLOCK_THREAD_CPUTIME_ID) - begin;
}

/* The best of a few measurements, since a single interrupt does not mean that another program uses
 * the CPU. */
static double read_meter(void)
{
    double best = time_loop();
    for (int i = 0; i < 3; i++) {
        const double again = time_loop();
        best = again < best ? again : best;
    }
    return best;
}

static void run_part(void *arg, int part, int parts)
{
    const Job *job = arg;
    job->function(&job->operands, part, parts);
}

/* Seconds of one call, of `calls`; each reads weights further on. */
static double sample(Tune *t, Job *job, int calls)
{
    const double begin = now(t);
    if (t->pool)
        t->pool->begin(t->pool);
    for (int i = 0; i < calls; i++) {
        if (t->weights_at + job->weights > t->weights_bytes)
            t->weights_at = 0;
        job->operands.weights = t->weights + t->weights_at + job->slopes;
        t->weights_at += job->weights;
        if (t->pool && job->parts > 1)
            t->pool->run(t->pool, run_part, job, job->parts);
        else
            job->function(&job->operands, 0, 1);
    }
    if (t->pool)
        t->pool->end(t->pool);
    return (now(t) - begin) / calls;
}

/* ---- rounds ---- */

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, by_size);
    return n % 2 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2]);
}

/* Medians of candidate i over rounds from .. end-1; times: [round][n]. */
static double median_ratio(const double *times, int n, int i, int from, int end, double *room)
{
    for (int r = from; r < end; r++)
        room[r - from] = times[r * n + i] / times[r * n];
    return median(room, end - from);
}

/* How many calls make a sample long enough. */
static int calls_of(Tune *t, Job *job)
{
    double least = sample(t, job, 1);
    for (int i = 0; i < 3; i++) {
        const double again = sample(t, job, 1);
        least = again < least ? again : least;
    }
    return least * CALLS_MOST > SAMPLE ? 1 + (int)(SAMPLE / least) : CALLS_MOST;
}

/* Writes the times of the rounds that count, [round][n], and after them those of the last round
 * that was thrown away.  Returns the number of rounds, at most `wanted`. */
static int run_rounds(Tune *t, Job *jobs, int n, int wanted, double *times)
{
    int good = 0;
    const int calls = calls_of(t, &jobs[0]);
    double before = read_meter(), meter = before; /* at best */
    for (int r = 0; r < wanted * TRIES && good < wanted; r++) {
        /* Each round begins with another candidate, in alternating directions. */
        for (int k = 0; k < n; k++) {
            const int i = (r + (r % 2 ? n - k : k)) % n;
            times[good * n + i] = sample(t, &jobs[i], calls);
        }
        const double behind = read_meter();
        meter = behind < meter ? behind : meter;
        t->rounds++;
        if ((before > behind ? before : behind) > meter * (1.0 + METER_LOSS))
            t->thrown++;
        else
            good++;
        before = behind;
    }
    return good;
}

static void run(Tune *t, Candidates *list, int wanted)
{
    const int n = list->n;
    Job *jobs = place_jobs(t, list);
    double *times = NEW_ARRAY(t->arena, double, n *(wanted + 1));
    double *room = NEW_ARRAY(t->arena, double, wanted + 1);
    const int good = run_rounds(t, jobs, n, wanted, times);
    t->too_busy = 2 * good < wanted || good < 2;
    for (int i = 0; i < n; i++) {
        Candidate *c = &list->at[i];
        const int shown = good > 0 ? good : 1; /* or show the last one that was thrown away */
        for (int r = 0; r < shown; r++)
            room[r] = 1e6 * times[r * n + i];
        c->us = median(room, shown);
        c->ratio = c->half[0] = c->half[1] = 1.0;
        if (t->too_busy)
            continue;
        c->ratio = median_ratio(times, n, i, 0, good, room);
        c->half[0] = median_ratio(times, n, i, 0, good / 2, room);
        c->half[1] = median_ratio(times, n, i, good / 2, good, room);
    }
}

/* ---- building ---- */

enum { FILES_MOST = 4 }; /* compiled at once */

/* Some of the candidates as a file of C, compiled beside the others. */
typedef struct Unit {
    const char *name; /* in the folder */
    int first, n;
} Unit;

static bool write_unit(Tune *t, Candidate *const *list, const char *folder, const Unit *u)
{
    Plan plan = *t->plan;
    Buf text = buf_new(t->arena);
    plan.options.isas = 1u << t->isa;
    memset(&plan.steps, 0, sizeof plan.steps);
    for (int i = 0; i < u->n; i++) {
        Step step = list[u->first + i]->step;
        step.index = step.function = i;
        step.clear_halo = 0;
        VEC_PUSH(t->arena, &plan.steps, step);
    }
    emit_candidates(&text, &plan, "candidates");
    const OutputFile file = {arena_printf(t->arena, "%s/%s.c", folder, u->name), buf_text(&text),
                             text.n};
    return outputs_write(&file, 1, NULL, 0, t->arena, t->d);
}

/* A file for each CPU, of a few candidates at least, compiled at once. */
static bool build(Tune *t, Candidate *const *list, const char *folder, const Unit *units, int n)
{
    const char *names[FILES_MOST];
    for (int i = 0; i < n; i++) {
        names[i] = units[i].name;
        if (!write_unit(t, list, folder, &units[i]))
            return false;
    }
    return cc_shared(folder, names, n, "", "",
                     "tuning measures compiled code; $CC names the compiler", t->arena, t->d);
}

/* Finds the candidates' functions; false after a message. */
static bool load(Tune *t, Candidate *const *list, const char *folder, const Unit *units, int n)
{
    for (int i = 0; i < n; i++) {
        void *handle = NULL;
        const StepFunction *const *some =
            cc_load(folder, units[i].name, "candidates", &handle, t->arena, t->d);
        if (handle)
            VEC_PUSH(t->arena, &t->loaded, handle);
        if (!some)
            return false;
        for (int k = 0; k < units[i].n; k++)
            list[units[i].first + k]->function = (*some)[k];
    }
    return true;
}

/* Compiles and loads `count` candidates.  False after a message. */
static bool make_functions(Tune *t, Candidate *const *list, int count)
{
    enum { FEW = 2 };
    Unit units[FILES_MOST] = {{0}};
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    int n = count / FEW < FILES_MOST ? count / FEW : FILES_MOST;
    n = n > cpus ? (int)cpus : n;
    n = n < 1 ? 1 : n;
    const char *folder = cc_folder(NULL, "tune", t->arena, t->d);
    if (!folder)
        return false;
    for (int i = 0; i < n; i++) {
        units[i].name = arena_printf(t->arena, "candidates%d", t->builds++);
        units[i].first = count * i / n;
        units[i].n = count * (i + 1) / n - units[i].first;
    }
    const bool good = build(t, list, folder, units, n) && load(t, list, folder, units, n);
    /* The files are removed at once, so that none remain even if measuring is interrupted. */
    cc_end(folder);
    return good;
}

bool tune_measure(Tune *t, Candidates *list, int rounds)
{
    Candidate **missing = NEW_ARRAY(t->arena, Candidate *, list->n);
    int n = 0;
    for (int i = 0; i < list->n; i++) {
        if (!list->at[i].function)
            missing[n++] = &list->at[i];
    }
    if (n > 0 && !make_functions(t, missing, n))
        return false;
    run(t, list, rounds);
    return true;
}

void tune_forget(Tune *t)
{
    for (int i = 0; i < t->loaded.n; i++)
        dlclose(t->loaded.at[i]);
    t->loaded.n = 0;
}
