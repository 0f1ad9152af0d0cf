/* reader.c: see reader.h.
 *
 * Batches go through a ring of slots.  The thread fills slot `filled` mod SLOTS while the caller
 * has slot `taken` - 1; a slot is filled again when the caller has asked for the next. */
#define _GNU_SOURCE
#include "train/reader.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SLOTS = 3, ALIGNMENT = 64 };

typedef struct Slot {
    rnct_batch batch;
    float *pixels;
    int32_t *labels;
} Slot;

struct rnct_reader {
    rnct_reading what;
    size_t steps; /* of an epoch */
    uint32_t *order;
    rnct_keyed *keyed; /* for sorting */
    uint32_t epoch;    /* that `order` is of */
    bool ordered;
    Slot slots[SLOTS];
    uint64_t step; /* that is filled next */
    uint64_t filled, taken;
    double waited;
    bool threaded, stop;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

size_t rnct_epoch_steps(const rnct_reading *r)
{
    return (r->n + (r->drop_last ? 0 : r->batch - 1)) / r->batch;
}

static void set_order(rnct_reader *r, uint32_t epoch)
{
    const rnct_reading *what = &r->what;
    if (r->ordered && (r->epoch == epoch || !what->shuffle))
        return;
    for (size_t i = 0; i < what->n; i++)
        r->order[i] = what->samples ? what->samples[i] : (uint32_t)i;
    if (what->shuffle)
        rnct_order(r->order, r->order, what->n, what->form->seed, epoch, r->keyed);
    r->epoch = epoch;
    r->ordered = true;
}

static void fill(rnct_reader *r, Slot *slot, uint64_t step)
{
    const rnct_reading *what = &r->what;
    const uint32_t epoch = (uint32_t)(step / r->steps);
    const size_t in_epoch = (size_t)(step % r->steps), begin = in_epoch * what->batch;
    const size_t all = what->n - begin < what->batch ? what->n - begin : what->batch;
    const rnct_range places = rnct_rank_places(what->batch / (size_t)what->ranks, all, what->rank);
    const size_t count = places.end - places.first;
    set_order(r, epoch);
    slot->batch.count = count;
    slot->batch.all = all;
    slot->batch.step = step;
    slot->batch.epoch = epoch;
    slot->batch.in_epoch = in_epoch;
    slot->batch.last = in_epoch + 1 == r->steps;
    rnct_fill(what->set, what->form, epoch, r->order + begin + places.first, count,
              slot->batch.places, slot->pixels, slot->labels);
}

/* ---- the thread ---- */

static void *prepare(void *arg)
{
    rnct_reader *r = arg;
    pthread_mutex_lock(&r->lock);
    for (;;) {
        /* The caller has one slot, taken - 1; the others may be filled. */
        while (!r->stop && r->filled >= r->taken + SLOTS - 1)
            pthread_cond_wait(&r->changed, &r->lock);
        if (r->stop)
            break;
        Slot *slot = &r->slots[r->filled % SLOTS];
        const uint64_t step = r->step++;
        pthread_mutex_unlock(&r->lock);
        fill(r, slot, step);
        pthread_mutex_lock(&r->lock);
        r->filled++;
        pthread_cond_broadcast(&r->changed);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

/* With all signals blocked: signals are for the caller's threads. */
static bool start_thread(rnct_reader *r)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r->threaded = pthread_create(&r->thread, NULL, prepare, r) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r->threaded;
}

/* ---- the reader ---- */

/* NULL, or what is wrong with what is asked for. */
static const char *check(const rnct_reading *what)
{
    if (what->n == 0)
        return "there are no samples to read";
    if (what->batch == 0)
        return "a batch without pictures is asked for";
    if (what->ranks < 1 || (what->ranks & (what->ranks - 1)) != 0 || what->rank < 0 ||
        what->rank >= what->ranks || what->batch % (size_t)what->ranks != 0)
        return "the ranks, a power of two, must divide the batch";
    if (rnct_epoch_steps(what) == 0)
        return "the batch is larger than the data, and the last batch is dropped: make it smaller";
    if (what->step / rnct_epoch_steps(what) >= UINT32_MAX)
        return "the step is beyond the last epoch that can be counted";
    return NULL;
}

static bool make_slots(rnct_reader *r)
{
    const rnct_set *set = r->what.set;
    const size_t places = r->what.batch / (size_t)r->what.ranks;
    const size_t bytes = places * (size_t)set->h * (size_t)set->w * (size_t)set->c * sizeof(float);
    const int n = r->what.threaded ? SLOTS : 1;
    for (int i = 0; i < n; i++) {
        Slot *slot = &r->slots[i];
        slot->pixels = aligned_alloc(ALIGNMENT, (bytes + ALIGNMENT) / ALIGNMENT * ALIGNMENT);
        slot->labels = malloc((places + 1) * sizeof *slot->labels);
        if (!slot->pixels || !slot->labels)
            return false;
        slot->batch =
            (rnct_batch){.pixels = slot->pixels, .labels = slot->labels, .places = places};
    }
    return true;
}

rnct_reader *rnct_reader_new(const rnct_reading *reading, rnct_problems *problems)
{
    rnct_reader *r = calloc(1, sizeof *r);
    if (!r) {
        rnct_problem(problems, "reader", "no memory");
        return NULL;
    }
    r->what = *reading;
    if (reading->ranks == 0)
        r->what.ranks = 1;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    const char *wrong = check(&r->what);
    if (!wrong) {
        r->steps = rnct_epoch_steps(reading);
        r->step = reading->step;
        r->order = malloc(reading->n * sizeof *r->order);
        r->keyed = malloc(reading->n * sizeof *r->keyed);
        if (!r->order || !r->keyed || !make_slots(r))
            wrong = "no memory for batches";
    }
    if (!wrong && reading->threaded && !start_thread(r))
        wrong = "no thread can be started to prepare batches";
    if (wrong) {
        rnct_problem(problems, "reader", "%s", wrong);
        rnct_reader_free(r);
        return NULL;
    }
    return r;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

const rnct_batch *rnct_reader_next(rnct_reader *r)
{
    const double begin = now();
    Slot *slot = &r->slots[0];
    if (!r->threaded) {
        fill(r, slot, r->step++);
    } else {
        pthread_mutex_lock(&r->lock);
        slot = &r->slots[r->taken % SLOTS];
        r->taken++;
        pthread_cond_broadcast(&r->changed);
        while (r->filled < r->taken)
            pthread_cond_wait(&r->changed, &r->lock);
        pthread_mutex_unlock(&r->lock);
    }
    r->waited += now() - begin;
    return &slot->batch;
}

double rnct_reader_waited(const rnct_reader *r)
{
    return r->waited;
}

void rnct_reader_free(rnct_reader *r)
{
    if (!r)
        return;
    if (r->threaded) {
        pthread_mutex_lock(&r->lock);
        r->stop = true;
        pthread_cond_broadcast(&r->changed);
        pthread_mutex_unlock(&r->lock);
        pthread_join(r->thread, NULL);
    }
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    for (int i = 0; i < SLOTS; i++) {
        free(r->slots[i].pixels);
        free(r->slots[i].labels);
    }
    free(r->keyed);
    free(r->order);
    free(r);
}
