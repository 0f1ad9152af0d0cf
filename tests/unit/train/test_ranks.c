/* test_ranks.c: ranks that are processes: their sums, and what happens when one dies. */
#include "train/ranks.h"

#include "traintest.h"

#include <CUnit/CUnit.h>

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Numbers of all sizes, so that the order of additions shows. */
static float number(int rank, size_t i)
{
    return (float)sin((double)(i * 7 + 1) * (rank + 1)) * powf(10, (float)((i + (size_t)rank) % 7));
}

/* The sum over the tree of ranks first .. first + count - 1. */
static float tree(int first, int count, size_t i)
{
    if (count == 1)
        return number(first, i);
    return tree(first, count / 2, i) + tree(first + count / 2, count / 2, i);
}

enum { MOST = 200001 };

static bool sums_are_right(rnc_ranks *r)
{
    static const size_t sizes[] = {1, 2, 3, 5, 64, 1000, 65537, MOST};
    float *x = malloc(MOST * sizeof *x), *y = malloc(MOST * sizeof *y);
    bool good = true;
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        const size_t n = sizes[k];
        for (size_t i = 0; i < n; i++)
            x[i] = y[i] = number(r->rank, i);
        const int first = r->start(r, x, n), second = r->start(r, y, n / 2);
        r->finish(r, second);
        r->finish(r, first);
        r->sum(r, y + n / 2, n - n / 2);
        for (size_t i = 0; i < n; i++)
            good = good && x[i] == tree(0, r->count, i) && y[i] == x[i];
    }
    free(x);
    free(y);
    return good;
}

static bool gathers(rnc_ranks *r)
{
    char all[64 * 3], same[5000];
    bool good = true;
    for (int i = 0; i < 3; i++)
        all[3 * r->rank + i] = (char)(r->rank + i);
    r->gather(r, all, 3);
    for (int i = 0; i < 3 * r->count; i++)
        good = good && all[i] == (char)(i / 3 + i % 3);
    memset(same, r->rank, sizeof same);
    rnct_ranks_share(r, same, sizeof same);
    for (size_t i = 0; i < sizeof same; i++)
        good = good && same[i] == 0;
    return good;
}

static void test_sums(void)
{
    for (int count = 1; count <= 8; count *= 2) {
        rnct_problems problems = {0};
        rnct_link link;
        CU_ASSERT_FATAL(rnct_ranks_fork(count, &link, &problems));
        rnc_ranks *r = rnct_ranks_new(&link, &problems);
        const bool good = r && r->count == count && sums_are_right(r) && gathers(r);
        const int rank = r ? r->rank : -1;
        rnct_ranks_free(r, false);
        if (rank != 0)
            _exit(good ? 0 : 1);
        CU_ASSERT(good);
        CU_ASSERT(rnct_ranks_wait(&link, 30));
        no_problems(&problems);
    }
}

static void test_refused(void)
{
    rnct_problems problems = {0};
    rnct_link link;
    CU_ASSERT_FALSE(rnct_ranks_fork(3, &link, &problems));
    says(&problems, "3 is no power of two from 1 to 64");
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Four ranks sum until one is killed: the job ends, with a message, within seconds. */
static void test_lost(void)
{
    for (int victim = 0; victim < 4; victim++) {
        int said[2], status;
        char text[1024] = "";
        CU_ASSERT_FATAL(pipe(said) == 0);
        const double begin = now();
        const pid_t job = fork();
        if (job == 0) {
            rnct_problems problems = {0};
            rnct_link link;
            float x[1000] = {0};
            dup2(said[1], 2);
            close(said[0]);
            close(said[1]);
            rnc_ranks *r =
                rnct_ranks_fork(4, &link, &problems) ? rnct_ranks_new(&link, &problems) : NULL;
            for (int i = 0; r; i++) {
                r->sum(r, x, 1000);
                if (i == 50 && r->rank == victim)
                    kill(getpid(), SIGKILL);
            }
            _exit(2);
        }
        close(said[1]);
        waitpid(job, &status, 0);
        for (ssize_t n;
             (n = read(said[0], text + strlen(text), sizeof text - 1 - strlen(text))) > 0;)
            continue;
        close(said[0]);
        CU_ASSERT(now() - begin < 5);
        if (victim == 0) {
            CU_ASSERT(WIFSIGNALED(status));
        } else {
            CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 1);
            CU_ASSERT_PTR_NOT_NULL(strstr(text, "is lost, and the training ends; --resume"));
        }
    }
}

void suite_ranks(void)
{
    CU_pSuite suite = CU_add_suite("ranks", NULL, NULL);
    CU_ADD_TEST(suite, test_sums);
    CU_ADD_TEST(suite, test_refused);
    CU_ADD_TEST(suite, test_lost);
}
