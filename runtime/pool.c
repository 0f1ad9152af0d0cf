/* pool.c: a pool of threads for the steps of one inference at a time.
 * One atomic word, `ticket`, hands out the parts of a step.  It holds the number of the step (32
 * bits), the number of its parts (16) and how many parts are taken (16).  Whoever increments the
 * last field by compare-and-swap has a part.  The caller works too, and returns as soon as all
 * parts are done.  So a worker that the system has suspended delays others at most by the part that
 * it took, and one that wakes up late finds a ticket without parts, or a ticket of another step,
 * and its swap fails.
 * Between the steps of an inference workers spin for about 0.1 ms; after that, and after the
 * inference, they sleep on a condition variable.  A worker raises `sleepers` before it looks for
 * work a last time; the caller reads `sleepers` after it has published a step.  Both accesses are
 * sequentially consistent, so that at least one of the two sees the other. */
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

enum { MOST_THREADS = 1024, MOST_PARTS = 0xffff, SPINS = 2000, SPINS_PER_YIELD = 64, LINE = 128 };

typedef struct Pool {
    rnc_pool hooks; /* the first member: what callers see */
    int threads;    /* including the caller's */
    int started;
    pthread_t *workers; /* [threads - 1] */
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

static uint32_t ticket_parts(uint64_t ticket)
{
    return (uint32_t)(ticket >> 16) & MOST_PARTS;
}

static uint32_t ticket_taken(uint64_t ticket)
{
    return (uint32_t)ticket & MOST_PARTS;
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

/* Takes parts and runs them until there are none. */
static void work(Pool *pool)
{
    uint64_t ticket = __atomic_load_n(&pool->ticket, __ATOMIC_ACQUIRE);
    while (ticket_taken(ticket) < ticket_parts(ticket)) {
        /* If the swap succeeds the step was not over, so both values belong to it. */
        const rnc_task task = __atomic_load_n(&pool->task, __ATOMIC_RELAXED);
        void *const arg = __atomic_load_n(&pool->arg, __ATOMIC_RELAXED);
        if (!__atomic_compare_exchange_n(&pool->ticket, &ticket, ticket + 1, 0, __ATOMIC_ACQ_REL,
                                         __ATOMIC_ACQUIRE))
            continue;
        task(arg, (int)ticket_taken(ticket), (int)ticket_parts(ticket));
        __atomic_fetch_add(&pool->done, 1, __ATOMIC_RELEASE);
        ticket = __atomic_load_n(&pool->ticket, __ATOMIC_ACQUIRE);
    }
}

static int has_work(Pool *pool)
{
    const uint64_t ticket = __atomic_load_n(&pool->ticket, __ATOMIC_SEQ_CST);
    return ticket_taken(ticket) < ticket_parts(ticket);
}

/* Sleeps until there is work, another inference than `seen` is open, or the pool ends. */
static void sleep_for_work(Pool *pool, uint32_t seen)
{
    pthread_mutex_lock(&pool->lock);
    __atomic_fetch_add(&pool->sleepers, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        const uint32_t now = __atomic_load_n(&pool->inference, __ATOMIC_SEQ_CST);
        if (has_work(pool) || (now % 2 && now != seen) ||
            __atomic_load_n(&pool->stop, __ATOMIC_RELAXED))
            break;
        pthread_cond_wait(&pool->wake, &pool->lock);
    }
    __atomic_fetch_sub(&pool->sleepers, 1, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&pool->lock);
}

static void *worker(void *arg)
{
    Pool *pool = (Pool *)arg;
    for (;;) {
        const uint32_t inference = __atomic_load_n(&pool->inference, __ATOMIC_ACQUIRE);
        int turn = 0;
        work(pool);
        while (turn < SPINS && inference % 2 && !has_work(pool) &&
               __atomic_load_n(&pool->inference, __ATOMIC_RELAXED) == inference)
            pause_briefly(turn++);
        if (__atomic_load_n(&pool->stop, __ATOMIC_ACQUIRE))
            return NULL;
        if (!has_work(pool))
            sleep_for_work(pool, inference);
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

static void pool_run(rnc_pool *hooks, rnc_task task, void *arg, int parts)
{
    Pool *pool = (Pool *)hooks;
    const uint64_t step = (__atomic_load_n(&pool->ticket, __ATOMIC_RELAXED) >> 32) + 1;
    int turn = 0, p;
    if (parts <= 1 || parts > MOST_PARTS || pool->threads == 1) {
        for (p = 0; p < parts; p++)
            task(arg, p, parts);
        return;
    }
    __atomic_store_n(&pool->task, task, __ATOMIC_RELAXED);
    __atomic_store_n(&pool->arg, arg, __ATOMIC_RELAXED);
    __atomic_store_n(&pool->done, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&pool->ticket, step << 32 | (uint64_t)parts << 16, __ATOMIC_SEQ_CST);
    wake_sleepers(pool);
    work(pool);
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
    while (pool->started < pool->threads - 1 &&
           pthread_create(&pool->workers[pool->started], NULL, worker, pool) == 0)
        pool->started++;
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
    pool->workers = (pthread_t *)calloc((size_t)pool->threads, sizeof *pool->workers);
    if (!pool->workers) {
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
        pthread_join(pool->workers[i], NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    free(pool->workers);
    free(pool);
}
