/* ranks.c: sums over ranks in a fixed order, by a thread of each (see ranks.h).
 *
 * A sum is over a binary tree for each element: 0 + 1, 2 + 3, then these sums, and so on.  At each
 * level a rank exchanges half of what it has with a partner, and adds the other half, so that in
 * the end each has a part of the sums; on the way back they exchange these parts (Rabenseifner,
 * "Optimization of collective reduction operations", 2004).  An element's additions are those of
 * the tree whichever rank makes them; a rank sends 2 (R - 1) / R of the bytes. */
#define _GNU_SOURCE
#include "train/ranks.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUE = 256, CHUNK = 1 << 16 /* floats */ };

typedef enum JobKind { JOB_SUM, JOB_GATHER } JobKind;

typedef struct Job {
    JobKind kind;
    void *at;
    size_t n; /* floats, or bytes of a rank */
} Job;

typedef struct Ranks {
    rnc_ranks hooks; /* the first member: what steps see */
    rnct_link link;
    rnct_problems *problems;
    float *scratch; /* [CHUNK] */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    Job jobs[QUEUE]; /* a ring */
    uint64_t asked, done;
    bool opened, bad, stop, failed;
} Ranks;

/* ---- what the thread does ---- */

/* Denormal numbers are 0 in this thread, as in the steps whose sums it goes on with. */
static void flush_denormals(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    unsigned mode;
    __asm__ volatile("stmxcsr %0" : "=m"(mode) : : "memory");
    mode |= 0x8040; /* flush to zero, denormals are zero */
    __asm__ volatile("ldmxcsr %0" : : "m"(mode) : "memory");
#elif defined(__aarch64__) && defined(__GNUC__)
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode) : : "memory");
    __asm__ volatile("msr fpcr, %0" : : "r"(mode | (uint64_t)1 << 24) : "memory"); /* FZ */
#endif
}

static void exchange(Ranks *r, int other, const void *out, void *in, size_t n)
{
    if (n > 0 && !r->link.exchange(r->link.context, other, out, in, n))
        r->link.lost(r->link.context, other);
}

/* Gives the partner `out`, n floats, and adds as many of its own to `x`. */
static void add_from(Ranks *r, int other, const float *out, size_t n_out, float *x, size_t n)
{
    /* Halves differ by at most one float: what is sent and what comes are exchanged as equals. */
    const size_t most = n_out > n ? n_out : n;
    for (size_t at = 0; at < most; at += CHUNK) {
        const size_t left = most - at < CHUNK ? most - at : CHUNK;
        const size_t mine = at < n ? (n - at < left ? n - at : left) : 0;
        const size_t theirs = at < n_out ? (n_out - at < left ? n_out - at : left) : 0;
        float *to = r->scratch, last[1] = {0};
        /* The longer half has one float more, which is exchanged alone, for nothing. */
        const size_t both = mine < theirs ? mine : theirs;
        exchange(r, other, out + at, to, both * sizeof *to);
        if (mine != theirs)
            exchange(r, other, theirs > mine ? out + at + both : last, to + both, sizeof *to);
        for (size_t i = 0; i < mine; i++)
            x[at + i] += to[i];
    }
}

typedef struct Span {
    size_t first, end;
} Span;

/* The half of a span that a rank keeps at a level. */
static Span half_of(Span s, bool upper)
{
    const size_t middle = s.first + (s.end - s.first) / 2;
    return upper ? (Span){middle, s.end} : (Span){s.first, middle};
}

static void swap_parts(Ranks *r, int other, float *x, Span mine, Span theirs)
{
    const size_t m = mine.end - mine.first, n = theirs.end - theirs.first;
    const size_t both = m < n ? m : n;
    float none = 0, got;
    exchange(r, other, x + mine.first, x + theirs.first, both * sizeof *x);
    if (m == n)
        return;
    exchange(r, other, m > n ? x + mine.first + both : &none, &got, sizeof got);
    if (n > m)
        x[theirs.first + both] = got;
}

static void sum(Ranks *r, float *x, size_t n)
{
    enum { LEVELS = 10 };
    Span kept[LEVELS + 1] = {{0, n}};
    const int rank = r->hooks.rank;
    int level = 0;
    for (int bit = 1; bit < r->hooks.count; bit *= 2, level++) {
        const bool upper = rank & bit;
        const Span mine = half_of(kept[level], upper), theirs = half_of(kept[level], !upper);
        add_from(r, rank ^ bit, x + theirs.first, theirs.end - theirs.first, x + mine.first,
                 mine.end - mine.first);
        kept[level + 1] = mine;
    }
    for (int bit = r->hooks.count / 2; bit > 0; bit /= 2) {
        level--;
        swap_parts(r, rank ^ bit, x, kept[level + 1], half_of(kept[level], !(rank & bit)));
    }
}

/* Twice as many ranks' bytes at each level. */
static void gather(Ranks *r, unsigned char *all, size_t n)
{
    const int rank = r->hooks.rank;
    for (int bit = 1; bit < r->hooks.count; bit *= 2) {
        const int mine = rank & ~(bit - 1), other = (rank ^ bit) & ~(bit - 1);
        exchange(r, rank ^ bit, all + (size_t)mine * n, all + (size_t)other * n, (size_t)bit * n);
    }
}

static void *work(void *arg)
{
    Ranks *r = arg;
    flush_denormals();
    const bool opened = r->link.open(r->link.context, &r->hooks.rank, &r->hooks.count, r->problems);
    pthread_mutex_lock(&r->lock);
    r->opened = true;
    r->bad = !opened;
    pthread_cond_broadcast(&r->changed);
    while (opened) {
        while (!r->stop && r->done == r->asked)
            pthread_cond_wait(&r->changed, &r->lock);
        if (r->done == r->asked)
            break;
        const Job job = r->jobs[r->done % QUEUE];
        pthread_mutex_unlock(&r->lock);
        if (job.kind == JOB_SUM)
            sum(r, job.at, job.n);
        else
            gather(r, job.at, job.n);
        pthread_mutex_lock(&r->lock);
        r->done++;
        pthread_cond_broadcast(&r->changed);
    }
    pthread_mutex_unlock(&r->lock);
    if (opened)
        r->link.close(r->link.context, r->failed);
    return NULL;
}

/* ---- what steps call ---- */

static uint64_t ask(Ranks *r, Job job)
{
    pthread_mutex_lock(&r->lock);
    while (r->asked - r->done == QUEUE)
        pthread_cond_wait(&r->changed, &r->lock);
    r->jobs[r->asked % QUEUE] = job;
    const uint64_t number = r->asked++;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
    return number;
}

/* Until so many jobs are done. */
static void wait_for(Ranks *r, uint64_t jobs)
{
    pthread_mutex_lock(&r->lock);
    while (r->done < jobs)
        pthread_cond_wait(&r->changed, &r->lock);
    pthread_mutex_unlock(&r->lock);
}

static void do_sum(rnc_ranks *ranks, float *x, size_t n)
{
    Ranks *r = (Ranks *)ranks;
    wait_for(r, ask(r, (Job){JOB_SUM, x, n}) + 1);
}

/* A ticket is the lower bits of a job's number: fewer jobs than these can count are under way. */
enum { TICKETS = 1 << 30 };

static int do_start(rnc_ranks *ranks, float *x, size_t n)
{
    return (int)(ask((Ranks *)ranks, (Job){JOB_SUM, x, n}) % TICKETS);
}

static void do_finish(rnc_ranks *ranks, int ticket)
{
    Ranks *r = (Ranks *)ranks;
    pthread_mutex_lock(&r->lock);
    /* The number of jobs asked since this one, and so its own. */
    const uint64_t since = (r->asked - (uint64_t)ticket) % TICKETS;
    const uint64_t number = r->asked - since;
    while (r->done <= number)
        pthread_cond_wait(&r->changed, &r->lock);
    pthread_mutex_unlock(&r->lock);
}

static void do_gather(rnc_ranks *ranks, void *all, size_t bytes)
{
    Ranks *r = (Ranks *)ranks;
    wait_for(r, ask(r, (Job){JOB_GATHER, all, bytes}) + 1);
}

void rnct_ranks_share(rnc_ranks *ranks, void *bytes, size_t n)
{
    enum { PART = 4096 };
    const int count = ranks->count;
    unsigned char *all = malloc((size_t)count * PART), *at = bytes;
    while (all && n > 0) {
        const size_t part = n < PART ? n : PART;
        memcpy(all + (size_t)ranks->rank * part, at, part);
        ranks->gather(ranks, all, part);
        memcpy(at, all, part);
        at += part;
        n -= part;
    }
    if (!all)
        abort(); /* 4 MB at the most; the others would wait for ever */
    free(all);
}

/* ---- making them ---- */

/* With all signals blocked: signals are for the caller's threads. */
static bool start(Ranks *r)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const bool good = pthread_create(&r->thread, NULL, work, r) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return good;
}

static bool power_of_two(int x)
{
    return x > 0 && (x & (x - 1)) == 0;
}

rnc_ranks *rnct_ranks_new(const rnct_link *link, rnct_problems *problems)
{
    Ranks *r = calloc(1, sizeof *r);
    if (r)
        r->scratch = malloc((CHUNK + 1) * sizeof *r->scratch);
    if (!r || !r->scratch) {
        free(r);
        rnct_problem(problems, "ranks", "no memory");
        return NULL;
    }
    r->hooks = (rnc_ranks){0, 1, do_sum, do_start, do_finish, do_gather};
    r->link = *link;
    r->problems = problems;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    if (!start(r)) {
        rnct_problem(problems, "ranks", "no thread can be started");
        free(r->scratch);
        free(r);
        return NULL;
    }
    pthread_mutex_lock(&r->lock);
    while (!r->opened)
        pthread_cond_wait(&r->changed, &r->lock);
    pthread_mutex_unlock(&r->lock);
    const int count = r->hooks.count;
    if (!r->bad && (!power_of_two(count) || count > RNCT_RANKS_MOST))
        r->bad = !rnct_problem(problems, "ranks",
                               "there are %d, and it must be a power of two, up to %d", count,
                               RNCT_RANKS_MOST);
    if (r->bad) {
        rnct_ranks_free(&r->hooks, true);
        return NULL;
    }
    return &r->hooks;
}

void rnct_ranks_free(rnc_ranks *ranks, bool failed)
{
    Ranks *r = (Ranks *)ranks;
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    r->failed = failed;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    free(r->scratch);
    free(r);
}
