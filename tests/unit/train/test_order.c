/* test_order.c: counters, orders, splits and shards. */
#include "train/order.h"

#include "train/draw.h"

#include <CUnit/CUnit.h>

#include <stdlib.h>
#include <string.h>

/* Random123's kat_vectors, "philox4x32 10". */
static void test_philox(void)
{
    static const uint32_t rows[3][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d,
         0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09,
         0x94fdcceb, 0x5001e420, 0x24126ea1},
    };
    for (int i = 0; i < 3; i++) {
        uint32_t out[4];
        rnct_philox(rows[i], rows[i] + 4, out);
        CU_ASSERT_EQUAL(memcmp(out, rows[i] + 6, sizeof out), 0);
    }
}

/* The third vector again: which counter and key a draw has. */
static void test_draw(void)
{
    uint32_t out[4];
    rnct_draw(UINT64_C(0x299f31d0a4093822), 0x03, 0x13198a2e, UINT64_C(0x85a308d3243f6a88),
              0x707344, out);
    CU_ASSERT_EQUAL(out[0], 0xd16cfe09);
    CU_ASSERT_EQUAL(out[3], 0x24126ea1);
    CU_ASSERT_EQUAL(rnct_below(0xffffffff, 10), 9);
    CU_ASSERT_EQUAL(rnct_below(0x19999999, 10), 0);
    CU_ASSERT_EQUAL(rnct_below(0x1999999a, 10), 1);
    CU_ASSERT(rnct_unit(0xffffffff) < 1 && rnct_unit(0x80000000) == 0.5f && rnct_unit(255) == 0);
}

static bool is_permutation(const uint32_t *order, size_t n)
{
    bool seen[1000] = {false};
    for (size_t i = 0; i < n; i++) {
        if (order[i] >= n || seen[order[i]])
            return false;
        seen[order[i]] = true;
    }
    return true;
}

static rnct_keyed scratch[1000];

static void test_order(void)
{
    uint32_t a[1000], b[1000], half[500];
    rnct_order(a, NULL, 1000, 7, 3, scratch);
    CU_ASSERT(is_permutation(a, 1000));
    rnct_order(b, NULL, 1000, 7, 3, scratch);
    CU_ASSERT_EQUAL(memcmp(a, b, sizeof a), 0);
    rnct_order(b, NULL, 1000, 7, 4, scratch);
    CU_ASSERT(memcmp(a, b, sizeof a) != 0);
    rnct_order(b, NULL, 1000, 8, 3, scratch);
    CU_ASSERT(memcmp(a, b, sizeof a) != 0);
    /* A part of the samples has the order that they have among all. */
    for (uint32_t i = 0; i < 500; i++)
        half[i] = 2 * i;
    rnct_order(half, half, 500, 7, 3, scratch);
    int wrong = 0;
    for (size_t i = 0, k = 0; i < 1000; i++)
        wrong += a[i] % 2 == 0 && half[k++] != a[i];
    CU_ASSERT_EQUAL(wrong, 0);
    rnct_order(a, NULL, 0, 1, 1, scratch);
}

/* The orders that runs have had so far: a checkpoint counts on them. */
static void test_order_stays(void)
{
    static const uint32_t expected[10] = {5, 9, 2, 4, 6, 7, 1, 3, 8, 0};
    uint32_t order[10];
    rnct_order(order, NULL, 10, 1, 0, scratch);
    CU_ASSERT_EQUAL(memcmp(order, expected, sizeof order), 0);
}

/* 4 samples over 24,000 seeds: chi squared of 23 degrees of freedom is above 49.7 once in 1000. */
static void test_order_is_uniform(void)
{
    int counts[256] = {0};
    double chi = 0;
    for (uint64_t seed = 0; seed < 24000; seed++) {
        uint32_t o[4];
        rnct_order(o, NULL, 4, seed, 0, scratch);
        counts[o[0] * 64 + o[1] * 16 + o[2] * 4 + o[3]]++;
    }
    int orders = 0;
    for (int i = 0; i < 256; i++) {
        orders += counts[i] > 0;
        chi += counts[i] ? (counts[i] - 1000) * (counts[i] - 1000) / 1000.0 : 0;
    }
    CU_ASSERT_EQUAL(orders, 24);
    CU_ASSERT(chi < 49.7);
}

static void test_split(void)
{
    enum { N = 110 };
    int32_t labels[N];
    uint32_t trained[N], held[N], again[N];
    size_t n_trained, n_held, n, m;
    for (int i = 0; i < N; i++)
        labels[i] = i % 11 == 0 ? 2 : i % 2; /* 10 of class 2, 50 of the others, none of class 3 */
    CU_ASSERT_FATAL(rnct_split(labels, N, 4, 0.25, 5, trained, &n_trained, held, &n_held));
    CU_ASSERT_EQUAL(n_trained + n_held, N);
    int of_class[4] = {0}, ascending = 1;
    for (size_t i = 0; i < n_held; i++) {
        of_class[labels[held[i]]]++;
        ascending &= i == 0 || held[i] > held[i - 1];
    }
    CU_ASSERT(of_class[0] == 13 && of_class[1] == 13 && of_class[2] == 3 && of_class[3] == 0);
    CU_ASSERT(ascending);
    CU_ASSERT_FATAL(rnct_split(labels, N, 4, 0.25, 5, trained, &n, again, &m));
    CU_ASSERT_EQUAL(memcmp(held, again, n_held * sizeof *held), 0);
    CU_ASSERT_FATAL(rnct_split(labels, N, 4, 0.25, 6, trained, &n, again, &m));
    CU_ASSERT_NOT_EQUAL(memcmp(held, again, n_held * sizeof *held), 0);
    CU_ASSERT_FATAL(rnct_split(labels, N, 4, 0, 5, trained, &n_trained, held, &n_held));
    CU_ASSERT(n_held == 0 && n_trained == N && trained[N - 1] == N - 1);
}

static void test_places(void)
{
    for (size_t all = 0; all <= 32; all++) {
        for (int ranks = 1; ranks <= 8; ranks *= 2) {
            const size_t places = 32 / (size_t)ranks;
            size_t next = 0;
            for (int rank = 0; rank < ranks; rank++) {
                const rnct_range r = rnct_rank_places(places, all, rank);
                CU_ASSERT_EQUAL(r.first, next);
                CU_ASSERT(r.end - r.first == places || r.end == all);
                next = r.end;
            }
            CU_ASSERT_EQUAL(next, all);
        }
    }
}

void suite_order(void)
{
    CU_pSuite suite = CU_add_suite("order", NULL, NULL);
    CU_ADD_TEST(suite, test_philox);
    CU_ADD_TEST(suite, test_draw);
    CU_ADD_TEST(suite, test_order);
    CU_ADD_TEST(suite, test_order_stays);
    CU_ADD_TEST(suite, test_order_is_uniform);
    CU_ADD_TEST(suite, test_split);
    CU_ADD_TEST(suite, test_places);
}
