/* test_hash.c: XXH64 against published values and itself. */
#include "runtime/rncw.h"

#include <CUnit/CUnit.h>

#include <string.h>

static uint64_t hash_text(const char *text)
{
    return rncw_hash(text, strlen(text), 0);
}

/* Values that xxHash's ports publish; lengths on both sides of a stripe, 8 and 4. */
static void test_published(void)
{
    CU_ASSERT_EQUAL(hash_text(""), 0xef46db3751d8e999);
    CU_ASSERT_EQUAL(hash_text("a"), 0xd24ec4f1a98c6e5b);
    CU_ASSERT_EQUAL(hash_text("as"), 0x1c330fb2d66be179);
    CU_ASSERT_EQUAL(hash_text("asd"), 0x631c37ce72a97393);
    CU_ASSERT_EQUAL(hash_text("asdf"), 0x415872f599cea71e);
    CU_ASSERT_EQUAL(hash_text("abc"), 0x44bc2cf5ad770999);
    CU_ASSERT_EQUAL(hash_text("Call me Ishmael. Some years ago--never mind how long precisely-"),
                    0x02a2e85470d6fd96);
    CU_ASSERT_EQUAL(hash_text("Nobody inspects the spammish repetition"), 0xfbcea83c8a378bf1);
}

/* The sanity values of the reference implementation: bytes from a multiplicative
 * generator, with and without a seed. */
static void test_sanity(void)
{
    const uint64_t seed = 2654435761u;
    unsigned char bytes[222];
    uint64_t g = seed;
    for (size_t i = 0; i < sizeof bytes; i++, g *= 11400714785074694797u)
        bytes[i] = (unsigned char)(g >> 56);
    CU_ASSERT_EQUAL(rncw_hash(bytes, 0, seed), 0xac75fda2929b17ef);
    CU_ASSERT_EQUAL(rncw_hash(bytes, 1, 0), 0xe934a84adb052768);
    CU_ASSERT_EQUAL(rncw_hash(bytes, 1, seed), 0x5014607643a9b4c3);
    CU_ASSERT_EQUAL(rncw_hash(bytes, 4, 0), 0x9136a0dca57457ee);
    CU_ASSERT_EQUAL(rncw_hash(bytes, 14, 0), 0x8282dcc4994e35c8);
    CU_ASSERT_EQUAL(rncw_hash(bytes, 14, seed), 0xc3bd6bf63deb6df0);
    CU_ASSERT_EQUAL(rncw_hash(bytes, 222, 0), 0xb641ae8cb691c174);
    CU_ASSERT_EQUAL(rncw_hash(bytes, 222, seed), 0x20cb8ab7ae10c14a);
}

static void test_unaligned(void)
{
    unsigned char bytes[128 + 8];
    for (size_t size = 0; size <= 128; size++) {
        uint64_t first = 0;
        for (size_t at = 0; at < 8; at++) {
            for (size_t i = 0; i < size; i++)
                bytes[at + i] = (unsigned char)(i * 7 + 1);
            const uint64_t h = rncw_hash(bytes + at, size, 3);
            if (at == 0)
                first = h;
            CU_ASSERT_EQUAL(h, first);
        }
    }
}

void suite_hash(void)
{
    CU_pSuite suite = CU_add_suite("hash", NULL, NULL);
    CU_ADD_TEST(suite, test_published);
    CU_ADD_TEST(suite, test_sanity);
    CU_ADD_TEST(suite, test_unaligned);
}
