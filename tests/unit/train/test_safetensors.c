/* test_safetensors.c: weights to a file and back; files that are none. */
#include "train/safetensors.h"

#include "traintest.h"

#include <CUnit/CUnit.h>

#include <stdlib.h>
#include <string.h>

static const float values[] = {1, 2, 3, 4, 5, 6, -0.5f};
static const rnct_tensor both[] = {{"a\"b.weight", 2, {2, 3}, values},
                                   {"bias", 1, {1}, values + 6}};

static void test_back(void)
{
    const TestFolder folder = folder_new();
    const char *path = folder_path(&folder, "w.safetensors");
    rnct_problems problems = {0};
    rnct_mapped file;
    rnct_tensor t;
    CU_ASSERT_FATAL(rnct_safetensors_save(path, both, 2, true, &problems));
    CU_ASSERT_FATAL(rnct_map(&file, path, &problems));
    CU_ASSERT_FATAL(rnct_safetensors_find(&file, "a\"b.weight", &t));
    CU_ASSERT(t.rank == 2 && t.dims[0] == 2 && t.dims[1] == 3);
    CU_ASSERT_EQUAL(memcmp(t.floats, values, 6 * sizeof(float)), 0);
    CU_ASSERT_FATAL(rnct_safetensors_find(&file, "bias", &t));
    CU_ASSERT(t.rank == 1 && t.dims[0] == 1 && t.floats[0] == -0.5f);
    CU_ASSERT_FALSE(rnct_safetensors_find(&file, "ias", &t));
    CU_ASSERT_FALSE(rnct_safetensors_find(&file, "none", &t));
    no_problems(&problems);
    rnct_unmap(&file);
    folder_remove(&folder);
}

/* Each prefix of a file, and each of its bytes as another one: refused, or a tensor of the file. */
static void test_damage(void)
{
    const TestFolder folder = folder_new();
    const char *path = folder_path(&folder, "w.safetensors");
    rnct_problems problems = {0};
    rnct_tensor t;
    size_t size;
    CU_ASSERT_FATAL(rnct_safetensors_save(path, both, 2, true, &problems));
    char *bytes = file_bytes(path, &size);
    for (size_t n = 0; n < size; n++) {
        unsigned char *part = malloc(n + 1);
        memcpy(part, bytes, n);
        const rnct_mapped file = {part, n};
        CU_ASSERT_FALSE(rnct_safetensors_find(&file, "bias", &t));
        free(part);
    }
    for (size_t i = 0; i < size; i++) {
        for (int bit = 0; bit < 8; bit++) {
            unsigned char *copy = malloc(size);
            memcpy(copy, bytes, size);
            copy[i] = (unsigned char)(copy[i] ^ 1 << bit);
            const rnct_mapped file = {copy, size};
            if (rnct_safetensors_find(&file, "bias", &t)) {
                const unsigned char *at = (const unsigned char *)t.floats;
                CU_ASSERT(at >= copy && at + sizeof(float) <= copy + size);
            }
            free(copy);
        }
    }
    free(bytes);
    folder_remove(&folder);
}

void suite_safetensors(void)
{
    CU_pSuite suite = CU_add_suite("safetensors", NULL, NULL);
    CU_ADD_TEST(suite, test_back);
    CU_ADD_TEST(suite, test_damage);
}
