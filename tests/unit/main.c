/* main.c: runs every suite of suites.def, each in a process of its own.
 *
 * Prints a line a suite, the failed assertions, and last "N passed, N failed",
 * counted in tests.  A suite that crashes is one failed test more, with the name of the test that
 * ran, and the others go on.  Names on the command line choose suites.
 */
#include <CUnit/CUnit.h>
#include <CUnit/TestRun.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SUITE(module) void suite_##module(void);
#include "suites.def"
#undef SUITE

typedef struct Suite {
    const char *name;
    void (*add)(void);
} Suite;

static const Suite suites[] = {
#define SUITE(module) {#module, suite_##module},
#include "suites.def"
#undef SUITE
};

static bool chosen(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], name) == 0)
            return true;
    }
    return argc == 1;
}

/* What the process of a suite tells main(), in memory that both have. */
typedef struct Counts {
    unsigned passed, failed;
    char running[64]; /* the test that runs, or "" */
} Counts;

static Counts *counts;

static void test_begins(const CU_pTest test, const CU_pSuite suite)
{
    (void)suite;
    snprintf(counts->running, sizeof counts->running, "%s", test->pName);
}

static void test_ends(const CU_pTest test, const CU_pSuite suite, const CU_pFailureRecord failure)
{
    const bool bad = failure != NULL;
    (void)test;
    (void)suite;
    counts->passed += !bad;
    counts->failed += bad;
    counts->running[0] = '\0';
}

/* Runs a suite, in its own process, and counts. */
static void run_suite(const Suite *suite)
{
    if (CU_initialize_registry() != CUE_SUCCESS) {
        printf("FAIL %s: %s\n", suite->name, CU_get_error_msg());
        counts->failed++;
        return;
    }
    suite->add();
    CU_set_test_start_handler(test_begins);
    CU_set_test_complete_handler(test_ends);
    const CU_ErrorCode status = CU_run_all_tests();
    const bool none = counts->passed + counts->failed == 0;
    if (status != CUE_SUCCESS || CU_get_number_of_suites_failed() > 0 || none) {
        printf("FAIL %s: %s\n", suite->name,
               status != CUE_SUCCESS ? CU_get_error_msg()
               : none                ? "it ran no test"
                                     : "its setup failed");
        counts->failed++;
    }
    for (CU_pFailureRecord f = CU_get_failure_list(); f; f = f->pNext) {
        printf("FAIL %s, %s: %s:%u: %s\n", suite->name, f->pTest ? f->pTest->pName : "(suite)",
               f->strFileName ? f->strFileName : "?", f->uiLineNumber,
               f->strCondition ? f->strCondition : "?");
    }
    CU_cleanup_registry();
}

/* Runs a suite and waits for its end, whatever that is.  False if no process can be had. */
static bool watch_suite(const Suite *suite)
{
    int status;
    memset(counts, 0, sizeof *counts);
    fflush(stdout);
    const pid_t process = fork();
    if (process < 0)
        return false;
    if (process == 0) {
        run_suite(suite);
        exit(EXIT_SUCCESS); /* where sanitizers look for leaks */
    }
    if (waitpid(process, &status, 0) != process)
        return false;
    if (status != 0) {
        printf("FAIL %s, %s: ", suite->name, counts->running[0] ? counts->running : "(suite)");
        if (WIFSIGNALED(status))
            printf("it crashed, signal %d\n", WTERMSIG(status));
        else
            printf("it ended the process, status %d\n", WEXITSTATUS(status));
        counts->failed++;
    }
    printf("%-12s %u passed, %u failed\n", suite->name, counts->passed, counts->failed);
    return true;
}

int main(int argc, char **argv)
{
    unsigned passed = 0, failed = 0;
    counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (counts == MAP_FAILED)
        return 1;
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
        if (!chosen(suites[i].name, argc, argv))
            continue;
        if (!watch_suite(&suites[i])) {
            perror(suites[i].name);
            return 1;
        }
        passed += counts->passed;
        failed += counts->failed;
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed > 0 || passed == 0;
}
