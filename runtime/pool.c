/* pool.c: a pool of threads for the steps of one inference at a time.
 *
 * Each thread has a share of a step's parts, which follow one another: what it has computed lies in
 * its own cache, and is what it reads in the next step if parts are pixels.  A thread that has done
 * its share takes parts from the ends of others' shares.  The caller works too, and returns as soon
 * as all parts are done.  So a worker that the system has suspended delays others at most by the
 * part that it took.
 *
 * `ticket` holds the number of the step and how many parts it has.  A share is one atomic word, the
 * number of the step (32 bits), the end of what is left (16) and its begin (16); whoever moves
 * either by compare-and-swap has a part.  A share whose step is older than the ticket's has not
 * been touched yet.  One that wakes up late finds shares without parts, or of another step, and its
 * swap fails.
 *
 * Between the steps of an inference workers spin for some ms, and let others run in between; after
 * that, and after the inference, they sleep on a condition variable.  (To be woken takes longer
 * than many a step, and a step that cannot be shared may take half a ms.)  A worker raises
 * `sleepers` before it looks for work a last time; the caller reads `sleepers` after it has
 * published a step. Both accesses are sequentially consistent, so that at least one of the two sees
 * the other. */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* for sched_getaffinity */
#endif
#include "rncrt.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MOST_THREADS = 1024,
    MOST_PARTS = 0xffff,
    SPINS = 20000,
    SPINS_PER_YIELD = 8,
    STEPS_PER_RENEWAL = 1 << 20,
    LINE = 128
};

typedef struct Share {
    uint64_t left;
    unsigned char gap[LINE - sizeof(uint64_t)];
} Share;

struct Pool;

/* A thread of the pool, by its number: 0 is the caller's. */
typedef struct Worker {
    struct Pool *pool;
    int number;
    pthread_t thread;
} Worker;

typedef struct Pool {
    rnc_pool hooks; /* the first member: what callers see */
    int threads;    /* including the caller's */
    int started;
    Worker *workers; /* [threads - 1] */
    Share *shares;   /* [threads] */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    /* What is written at every step has cache lines of its own. */
    unsigned char gap1[LINE];
    uint64_t ticket;
    rnc_task task; /* for the ticket's step */
    void *arg;
    unsigned char gap2[LINE];
    uint32_t done; /* parts of the step that are finished */
    unsigned char gap3[LINE];
    uint32_t sleepers;
    uint32_t inference; /* odd while an inference is open */
    uint32_t stop;
} Pool;

static uint32_t step_of(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

static int parts_of(uint64_t ticket)
{
    return (int)(ticket & MOST_PARTS);
}

static uint64_t share_word(uint32_t step, int begin, int end)
{
    return (uint64_t)step << 32 | (uint64_t)end << 16 | (uint64_t)begin;
}

/* The first part of a thread's share of a step; of the thread after the last one, its parts. */
static int share_begin(const Pool *pool, uint64_t ticket, int thread)
{
    return (int)((int64_t)parts_of(ticket) * thread / pool->threads);
}

static void pause_briefly(int turn)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
    if (turn % SPINS_PER_YIELD == SPINS_PER_YIELD - 1)
        sched_yield();
}

/* Takes the first part that is left of a share of the ticket's step, or the last one; -1: there is
 * none. */
static int take(Pool *pool, uint64_t ticket, int owner, int last)
{
    uint64_t *const left = &pool->shares[owner].left;
    const uint32_t step = step_of(ticket);
    uint64_t was = __atomic_load_n(left, __ATOMIC_ACQUIRE);
    for (;;) {
        const uint32_t age = step - step_of(was);
        int begin = (int)(was & MOST_PARTS), end = (int)(was >> 16 & MOST_PARTS);
        if (age > UINT32_MAX / 2) /* the ticket's step is over */
            return -1;
        if (age > 0) {
            begin = share_begin(pool, ticket, owner);
            end = share_begin(pool, ticket, owner + 1);
        }
        if (begin >= end)
            return -1;
        if (__atomic_compare_exchange_n(left, &was,
                                        last ? share_word(step, begin, end - 1)
                                             : share_word(step, begin + 1, end),
                                        0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            return last ? end - 1 : begin;
    }
}

/* Takes parts and runs them until there are none: those of the thread's own share, then others'.
 * Returns the ticket. */
static uint64_t work(Pool *pool, int self)
{
    const uint64_t ticket = __atomic_load_n(&pool->ticket, __ATOMIC_ACQUIRE);
    int i = 0;
    while (i < pool->threads) {
        /* If the swap succeeds the step was not over, so both values belong to it. */
        const rnc_task task = __atomic_load_n(&pool->task, __ATOMIC_RELAXED);
        void *const arg = __atomic_load_n(&pool->arg, __ATOMIC_RELAXED);
        const int part = take(pool, ticket, (self + i) % pool->threads, i > 0);
        if (part < 0) {
            i++;
            continue;
        }
        task(arg, part, parts_of(ticket));
        __atomic_fetch_add(&pool->done, 1, __ATOMIC_RELEASE);
    }
    return ticket;
}

/* Whether there has been a step since the ticket `seen`. */
static int is_behind(Pool *pool, uint64_t seen)
{
    return __atomic_load_n(&pool->ticket, __ATOMIC_SEQ_CST) != seen;
}

/* Sleeps until there is another step than the ticket's, another inference than `seen` is open, or
 * the pool ends. */
static void sleep_for_work(Pool *pool, uint64_t ticket, uint32_t seen)
{
    pthread_mutex_lock(&pool->lock);
    __atomic_fetch_add(&pool->sleepers, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        const uint32_t now = __atomic_load_n(&pool->inference, __ATOMIC_SEQ_CST);
        if (is_behind(pool, ticket) || (now % 2 && now != seen) ||
            __atomic_load_n(&pool->stop, __ATOMIC_RELAXED))
            break;
        pthread_cond_wait(&pool->wake, &pool->lock);
    }
    __atomic_fetch_sub(&pool->sleepers, 1, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&pool->lock);
}

static void *worker(void *arg)
{
    const Worker *self = (const Worker *)arg;
    Pool *pool = self->pool;
    for (;;) {
        const uint32_t inference = __atomic_load_n(&pool->inference, __ATOMIC_ACQUIRE);
        const uint64_t ticket = work(pool, self->number);
        int turn = 0;
        while (turn < SPINS && inference % 2 && !is_behind(pool, ticket) &&
               __atomic_load_n(&pool->inference, __ATOMIC_RELAXED) == inference)
            pause_briefly(turn++);
        if (__atomic_load_n(&pool->stop, __ATOMIC_ACQUIRE))
            return NULL;
        if (!is_behind(pool, ticket))
            sleep_for_work(pool, ticket, inference);
    }
}

/* Wakes the workers that sleep; the reason to wake must have been stored before. */
static void wake_sleepers(Pool *pool)
{
    if (__atomic_load_n(&pool->sleepers, __ATOMIC_SEQ_CST) == 0)
        return;
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
}

static int pool_threads(const rnc_pool *hooks)
{
    return ((const Pool *)hooks)->threads;
}

static void pool_begin(rnc_pool *hooks)
{
    Pool *pool = (Pool *)hooks;
    __atomic_fetch_add(&pool->inference, 1, __ATOMIC_SEQ_CST);
    wake_sleepers(pool);
}

static void pool_end(rnc_pool *hooks)
{
    __atomic_fetch_add(&((Pool *)hooks)->inference, 1, __ATOMIC_SEQ_CST);
}

/* Makes shares that steps of few parts have never touched as new as that step, which is over: their
 * age would be taken for that of a later step in the end. */
static void renew_shares(Pool *pool, uint32_t step)
{
    int i;
    for (i = 0; i < pool->threads; i++)
        __atomic_store_n(&pool->shares[i].left, share_word(step, 0, 0), __ATOMIC_RELAXED);
}

static void pool_run(rnc_pool *hooks, rnc_task task, void *arg, int parts)
{
    Pool *pool = (Pool *)hooks;
    const uint32_t step = step_of(__atomic_load_n(&pool->ticket, __ATOMIC_RELAXED)) + 1;
    int turn = 0, p;
    if (parts <= 1 || parts > MOST_PARTS || pool->threads == 1) {
        for (p = 0; p < parts; p++)
            task(arg, p, parts);
        return;
    }
    if (step % STEPS_PER_RENEWAL == 0)
        renew_shares(pool, step - 1);
    __atomic_store_n(&pool->task, task, __ATOMIC_RELAXED);
    __atomic_store_n(&pool->arg, arg, __ATOMIC_RELAXED);
    __atomic_store_n(&pool->done, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&pool->ticket, (uint64_t)step << 32 | (uint64_t)parts, __ATOMIC_SEQ_CST);
    wake_sleepers(pool);
    work(pool, 0);
    while (__atomic_load_n(&pool->done, __ATOMIC_ACQUIRE) != (uint32_t)parts)
        pause_briefly(turn++ % SPINS);
}

static int processors(void)
{
    long n;
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return CPU_COUNT(&set);
#endif
    n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > MOST_THREADS ? MOST_THREADS : (int)n;
}

/* Starts the workers with all signals blocked: signals are for the caller's threads. */
static rnc_status start_workers(Pool *pool)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (pool->started < pool->threads - 1) {
        Worker *next = &pool->workers[pool->started];
        next->pool = pool;
        next->number = pool->started + 1;
        if (pthread_create(&next->thread, NULL, worker, next) != 0)
            break;
        pool->started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pool->started == pool->threads - 1 ? RNC_OK : RNC_E_THREADS;
}

rnc_status rnc_pool_new(rnc_pool **out, int threads)
{
    Pool *pool;
    rnc_status status;
    *out = NULL;
    if (threads < 0 || threads > MOST_THREADS)
        return RNC_E_THREADS;
    pool = (Pool *)calloc(1, sizeof *pool);
    if (!pool)
        return RNC_E_MEMORY;
    pool->hooks.threads = pool_threads;
    pool->hooks.begin = pool_begin;
    pool->hooks.run = pool_run;
    pool->hooks.end = pool_end;
    pool->threads = threads ? threads : processors();
    pool->workers = (Worker *)calloc((size_t)pool->threads, sizeof *pool->workers);
    pool->shares = (Share *)calloc((size_t)pool->threads, sizeof *pool->shares);
    if (!pool->workers || !pool->shares) {
        free(pool->workers);
        free(pool->shares);
        free(pool);
        return RNC_E_MEMORY;
    }
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    status = start_workers(pool);
    if (status == RNC_OK)
        *out = &pool->hooks;
    else
        rnc_pool_free(&pool->hooks);
    return status;
}

void rnc_pool_free(rnc_pool *hooks)
{
    Pool *pool = (Pool *)hooks;
    int i;
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    __atomic_store_n(&pool->stop, 1, __ATOMIC_SEQ_CST);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (i = 0; i < pool->started; i++)
        pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    free(pool->workers);
    free(pool->shares);
    free(pool);
}
