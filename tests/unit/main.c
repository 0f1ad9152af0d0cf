/* main.c: runs every suite of suites.def.
 *
 * Prints a line a suite, the failed assertions, and last "N passed, N failed",
 * counted in tests.  Names on the command line choose suites.
 */
#include <CUnit/CUnit.h>
#include <CUnit/TestRun.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

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

/* Runs what is registered, as one module's suite; adds to the counts. */
static void run_suite(const char *name, unsigned *passed, unsigned *failed)
{
    CU_ErrorCode status = CU_run_all_tests();
    unsigned bad = CU_get_number_of_tests_failed();
    unsigned good = CU_get_number_of_tests_run() - bad;
    if (status != CUE_SUCCESS || CU_get_number_of_suites_failed() > 0 || good + bad == 0) {
        printf("FAIL %s: %s\n", name,
               status != CUE_SUCCESS ? CU_get_error_msg()
               : good + bad == 0     ? "it ran no test"
                                     : "its setup failed");
        bad++;
    }
    for (CU_pFailureRecord f = CU_get_failure_list(); f; f = f->pNext) {
        printf("FAIL %s, %s: %s:%u: %s\n", name, f->pTest ? f->pTest->pName : "(suite)",
               f->strFileName ? f->strFileName : "?", f->uiLineNumber,
               f->strCondition ? f->strCondition : "?");
    }
    printf("%-12s %u passed, %u failed\n", name, good, bad);
    *passed += good;
    *failed += bad;
}

int main(int argc, char **argv)
{
    unsigned passed = 0, failed = 0;
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
        if (!chosen(suites[i].name, argc, argv))
            continue;
        /* A crash is to leave the name of its suite behind. */
        printf("suite %s\n", suites[i].name);
        fflush(stdout);
        if (CU_initialize_registry() != CUE_SUCCESS) {
            printf("FAIL %s: %s\n", suites[i].name, CU_get_error_msg());
            failed++;
            continue;
        }
        suites[i].add();
        run_suite(suites[i].name, &passed, &failed);
        CU_cleanup_registry();
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed > 0 || passed == 0;
}
