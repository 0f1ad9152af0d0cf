/* kernel_tests.c: every kernel, for every ISA of this CPU, against loops in double.
 *
 *   kernel_tests [--cases N] [--kernel NAME] [--isa NAME] [--seed S] [--case I] [--share I/N]
 *                [--verbose]
 *
 * N random cases for each kernel and ISA (300, or 10000 if RNC_TEST_FULL is
 * set); --case runs the one of that number, --share 2/3 the second of three shares of the tests.
 * The tests are expanded from kernels.def and train/kernels.def: a kernel without one does not
 * link.
 */
#include "runtime/rncrt.h"
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ISA(id, lanes, guard, doc) extern const TestIsa test_isa_##id;
#include "kernels/isa/isa.def"

/* The ISAs compiled in, in the order of isa.def and of rnc_isa. */
static const TestIsa *const isas[] = {
#if defined(__x86_64__) && defined(__GNUC__)
    &test_isa_avx512,   &test_isa_avx2,
#else
    NULL,
    NULL,
#endif
#if defined(__aarch64__) && defined(__GNUC__)
    &test_isa_neon,
#else
    NULL,
#endif
#if defined(__GNUC__)
    &test_isa_portable,
#else
    NULL,
#endif
    &test_isa_scalar,
};

typedef struct Test {
    const char *name;
    TestFn *run;
} Test;

static const Test tests[] = {
#define KERNEL(name, family, packing, needs, operands, doc) {#name, test_##name},
#include "kernels/kernels.def"
#define KERNEL(name, family, packing, needs, operands, doc) {#name, test_##name},
#include "kernels/train/kernels.def"
    {"halo_clear", test_halo_clear},
};
enum { TESTS = sizeof tests / sizeof *tests };

typedef struct Options {
    int cases;
    long only; /* --case, or -1 */
    uint64_t seed;
    const char *kernel, *isa;
    bool verbose;
    int share, shares; /* tests number share, share + shares, ... */
} Options;

/* What came of the tests, and how many were dealt out to all shares. */
typedef struct Count {
    int passed, failed, dealt;
} Count;

static void count(Count *k, bool good)
{
    k->passed += good;
    k->failed += !good;
}

/* Whether this process does the next test, which has this name. */
static bool is_mine(const Options *o, Count *k, const char *name)
{
    return (!o->kernel || !strcmp(o->kernel, name)) && k->dealt++ % o->shares == o->share;
}

/* False after a message. */
static bool run_case(const Test *test, const TestIsa *isa, uint64_t seed, long number)
{
    Case c = {.isa = isa};
    c.state = seed * 0x9e3779b97f4a7c15u + (uint64_t)(test - tests) * 0x2545f4914f6cdd1du +
              (uint64_t)number * 0xd6e8feb86659fd93u;
    test->run(&c);
    const bool good = c.why[0] == '\0';
    if (!good)
        printf("kernel_tests: %s %s: %s\n   %s\n   again: kernel_tests --kernel %s --isa %s "
               "--seed %llu --case %ld\n",
               test->name, isa->name, c.why, c.shape, test->name, isa->name,
               (unsigned long long)seed, number);
    case_free(&c);
    return good;
}

static bool run_test(const Test *test, const TestIsa *isa, const Options *o)
{
    int failed = 0;
    if (o->only >= 0)
        return run_case(test, isa, o->seed, o->only);
    for (long i = 0; i < o->cases && failed < 5; i++)
        failed += !run_case(test, isa, o->seed, i);
    return failed == 0;
}

static bool usage(void)
{
    fprintf(stderr, "usage: kernel_tests [--cases N] [--kernel NAME] [--isa NAME] [--seed S] "
                    "[--case I] [--share I/N] [--verbose]\n");
    return false;
}

static bool read_share(Options *o, const char *text)
{
    char after;
    const bool good = sscanf(text, "%d/%d%c", &o->share, &o->shares, &after) == 2;
    o->share--;
    return good && o->share >= 0 && o->share < o->shares;
}

static bool read_options(Options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (!strcmp(word, "--verbose")) {
            o->verbose = true;
            continue;
        }
        if (!value)
            return usage();
        if (!strcmp(word, "--cases"))
            o->cases = atoi(value);
        else if (!strcmp(word, "--case"))
            o->only = atol(value);
        else if (!strcmp(word, "--seed"))
            o->seed = strtoull(value, NULL, 0);
        else if (!strcmp(word, "--kernel"))
            o->kernel = value;
        else if (!strcmp(word, "--isa"))
            o->isa = value;
        else if (strcmp(word, "--share") != 0 || !read_share(o, value))
            return usage();
        i++;
    }
    return true;
}

/* The tests of one instruction set. */
static void test_isa(const TestIsa *isa, const Options *o, Count *k)
{
    for (const Test *test = tests; test < tests + TESTS; test++) {
        if (!is_mine(o, k, test->name))
            continue;
        const bool good = run_test(test, isa, o);
        count(k, good);
        if (o->verbose)
            printf("%-12s %-9s %s\n", test->name, isa->name, good ? "passed" : "failed");
    }
    if (is_mine(o, k, "weights"))
        count(k, test_weights(isa));
    if (is_mine(o, k, "sums"))
        count(k, test_sums(isa, o->cases >= 10000 ? 1 << 22 : 1 << 16, o->verbose));
}

int main(int argc, char **argv)
{
    const char *full = getenv("RNC_TEST_FULL");
    Options o = {.cases = full && *full ? 10000 : 300, .only = -1, .seed = 1, .shares = 1};
    const TestIsa *present[sizeof isas / sizeof *isas];
    Count k = {0};
    int n = 0;
    if (!read_options(&o, argc, argv))
        return 2;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* what was said before a crash is kept */
    for (size_t i = 0; i < sizeof isas / sizeof *isas; i++) {
        const TestIsa *isa = isas[i];
        if (!isa || (o.isa && strcmp(o.isa, isa->name) != 0))
            continue;
        if (rnc_isa_present((rnc_isa)(i + 1)))
            present[n++] = isa;
        else
            printf("kernel_tests: skipped: this CPU has no %s\n", isa->name);
    }
    for (int i = 0; i < n; i++)
        test_isa(present[i], &o, &k);
    for (int i = 0; n > 0 && i < act_count(); i++) {
        if (is_mine(&o, &k, "act"))
            count(&k, test_act(i, present, n, o.cases >= 10000 ? 101 : 20011, o.verbose));
    }
    if (k.dealt == 0)
        printf("kernel_tests: nothing of that name\n");
    printf("%d passed, %d failed\n", k.passed, k.failed);
    return k.failed || k.dealt == 0;
}
