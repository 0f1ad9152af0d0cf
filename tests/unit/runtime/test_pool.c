/* test_pool.c: every part of every step is done once, whatever the threads. */
#include "runtime/rncrt.h"

#include <CUnit/CUnit.h>

#include <pthread.h>
#include <string.h>
#include <time.h>

enum { MOST = 300 };

typedef struct Job {
    int parts;
    int runs[MOST]; /* how often each part was done; a part writes its own alone */
    int wrong;      /* parts that were told another number of parts */
} Job;

static void count_part(void *arg, int part, int parts)
{
    Job *job = arg;
    if (parts != job->parts || part < 0 || part >= parts)
        __atomic_fetch_add(&job->wrong, 1, __ATOMIC_RELAXED);
    else
        job->runs[part]++;
}

/* What run() returns to must see everything the parts wrote. */
static int run_once(rnc_pool *pool, int parts)
{
    Job job = {.parts = parts};
    int bad = 0;
    pool->run(pool, count_part, &job, parts);
    for (int i = 0; i < parts; i++)
        bad += job.runs[i] != 1;
    return bad + job.wrong;
}

static void nap(long nanoseconds)
{
    nanosleep(&(struct timespec){0, nanoseconds}, NULL);
}

static void test_parts(void)
{
    static const int counts[] = {1, 2, 3, 5};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        const int threads = counts[c];
        rnc_pool *pool = NULL;
        int bad = 0;
        CU_ASSERT_EQUAL(rnc_pool_new(&pool, threads), RNC_OK);
        CU_ASSERT_EQUAL(pool->threads(pool), threads);
        for (int inference = 0; inference < 20; inference++) {
            pool->begin(pool);
            for (int step = 0; step < 40; step++)
                bad += run_once(pool, step * 7 % MOST);
            if (inference % 5 == 0)
                nap(20000000); /* workers fall asleep in the middle of an inference */
            bad += run_once(pool, 3) + run_once(pool, MOST);
            pool->end(pool);
            if (inference % 3 == 0)
                nap(100000);
        }
        CU_ASSERT_EQUAL(bad, 0);
        rnc_pool_free(pool);
    }
}

/* Steps without begin and end, and freeing with an inference left open. */
static void test_bare(void)
{
    rnc_pool *pool = NULL;
    int bad = 0;
    CU_ASSERT_EQUAL(rnc_pool_new(&pool, 3), RNC_OK);
    for (int step = 0; step < 300; step++)
        bad += run_once(pool, step % 9);
    CU_ASSERT_EQUAL(bad, 0);
    pool->begin(pool);
    rnc_pool_free(pool);
    for (int i = 0; i < 50; i++) {
        CU_ASSERT_EQUAL(rnc_pool_new(&pool, 4), RNC_OK);
        bad += i % 2 ? run_once(pool, 5) : 0;
        rnc_pool_free(pool);
    }
    CU_ASSERT_EQUAL(bad, 0);
}

typedef struct Meeting {
    pthread_t seen[2];
    int arrived;
} Meeting;

/* Each part waits for the other: only two threads can finish. */
static void meet(void *arg, int part, int parts)
{
    Meeting *m = arg;
    (void)parts;
    m->seen[part] = pthread_self();
    __atomic_fetch_add(&m->arrived, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&m->arrived, __ATOMIC_SEQ_CST) < 2)
        nap(1000);
}

enum { SHARED = 7, SECOND = SHARED / 2 };

typedef struct Shares {
    pthread_t seen[SHARED];
    int arrived;
} Shares;

/* The first part of each of two shares waits for that of the other. */
static void note_thread(void *arg, int part, int parts)
{
    Shares *s = arg;
    (void)parts;
    s->seen[part] = pthread_self();
    if (part != 0 && part != SECOND)
        return;
    __atomic_fetch_add(&s->arrived, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&s->arrived, __ATOMIC_SEQ_CST) < 2)
        nap(1000);
}

/* A thread begins with its own share, the first parts or the last ones. */
static void test_own_shares(void)
{
    rnc_pool *pool = NULL;
    CU_ASSERT_EQUAL(rnc_pool_new(&pool, 2), RNC_OK);
    for (int i = 0; i < 50; i++) {
        Shares s = {.arrived = 0};
        pool->begin(pool);
        pool->run(pool, note_thread, &s, SHARED);
        pool->end(pool);
        CU_ASSERT(pthread_equal(s.seen[0], pthread_self()));
        CU_ASSERT_FALSE(pthread_equal(s.seen[SECOND], pthread_self()));
    }
    rnc_pool_free(pool);
}

static void test_two_threads_work(void)
{
    rnc_pool *pool = NULL;
    CU_ASSERT_EQUAL(rnc_pool_new(&pool, 2), RNC_OK);
    for (int i = 0; i < 20; i++) {
        Meeting m = {.arrived = 0};
        pool->begin(pool);
        pool->run(pool, meet, &m, 2);
        pool->end(pool);
        CU_ASSERT_FALSE(pthread_equal(m.seen[0], m.seen[1]));
        nap(i % 4 * 200000L);
    }
    rnc_pool_free(pool);
}

static void test_many_parts(void)
{
    rnc_pool *pool = NULL;
    Job job = {.parts = 1}; /* so that each part counts as wrong */
    CU_ASSERT_EQUAL(rnc_pool_new(&pool, 2), RNC_OK);
    pool->run(pool, count_part, &job, 70000);
    CU_ASSERT_EQUAL(job.wrong, 70000);
    rnc_pool_free(pool);
}

static void *use_own_pool(void *result)
{
    rnc_pool *pool = NULL;
    int bad = rnc_pool_new(&pool, 2) != RNC_OK;
    for (int i = 0; pool && i < 200; i++) {
        pool->begin(pool);
        bad += run_once(pool, i % 17);
        pool->end(pool);
    }
    rnc_pool_free(pool);
    *(int *)result = bad;
    return NULL;
}

static void test_two_pools(void)
{
    pthread_t threads[2];
    int bad[2] = {1, 1};
    for (int i = 0; i < 2; i++)
        CU_ASSERT_EQUAL(pthread_create(&threads[i], NULL, use_own_pool, &bad[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    CU_ASSERT_EQUAL(bad[0] + bad[1], 0);
}

static void test_refusals(void)
{
    int something;
    rnc_pool *pool = (rnc_pool *)(void *)&something;
    CU_ASSERT_EQUAL(rnc_pool_new(&pool, -1), RNC_E_THREADS);
    CU_ASSERT_PTR_NULL(pool);
    CU_ASSERT_EQUAL(rnc_pool_new(&pool, 100000), RNC_E_THREADS);
    rnc_pool_free(NULL);
    CU_ASSERT_EQUAL(rnc_pool_new(&pool, 0), RNC_OK);
    CU_ASSERT(pool && pool->threads(pool) >= 1);
    rnc_pool_free(pool);
}

void suite_pool(void)
{
    CU_pSuite suite = CU_add_suite("pool", NULL, NULL);
    CU_ADD_TEST(suite, test_parts);
    CU_ADD_TEST(suite, test_bare);
    CU_ADD_TEST(suite, test_own_shares);
    CU_ADD_TEST(suite, test_two_threads_work);
    CU_ADD_TEST(suite, test_many_parts);
    CU_ADD_TEST(suite, test_two_pools);
    CU_ADD_TEST(suite, test_refusals);
}
