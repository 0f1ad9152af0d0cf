/* test_normed.c: kernels computed from what weight and spectral normalisation keep. */
#include "filetest.h"

#include <CUnit/CUnit.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A tensor; `shape` as JSON has it. */
typedef struct Entry {
    const char *name, *shape;
    int n;
} Entry;

/* Opens a safetensors file of the entries; numbers go on from tensor to tensor. */
static void open_entries(FileTest *t, const Entry *entries, int count)
{
    char bytes[4096];
    float data[64];
    int at = 0, n = snprintf(bytes + 8, sizeof bytes - 8, "{");
    for (int i = 0; i < count; i++) {
        const int before = at;
        for (int k = 0; k < entries[i].n; k++, at++)
            data[at] = (float)(at + 1);
        n += snprintf(bytes + 8 + n, sizeof bytes - 8 - (size_t)n,
                      "%s\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[%d,%d]}",
                      i ? "," : "", entries[i].name, entries[i].shape, 4 * before, 4 * at);
    }
    n += snprintf(bytes + 8 + n, sizeof bytes - 8 - (size_t)n, "}");
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)(i < 4 ? n >> 8 * i : 0);
    memcpy(bytes + 8 + n, data, 4 * (size_t)at);
    filetest_open(t, bytes, 8 + (size_t)n + 4 * (size_t)at);
}

static void near(double found, double expected)
{
    CU_ASSERT_DOUBLE_EQUAL(found, expected, 1e-6 * fabs(expected));
}

/* g = 1, 2; v = (3, 4), (5, 6), a norm for each output. */
static void test_weight_norm(void)
{
    static const struct {
        const char *g, *v;
    } names[] = {{"a.weight_g", "a.weight_v"},
                 {"a.parametrizations.weight.original0", "a.parametrizations.weight.original1"}};
    for (int i = 0; i < 2; i++) {
        const Entry entries[] = {{names[i].g, "[2,1,1,1]", 2}, {names[i].v, "[2,2,1,1]", 4}};
        FileTest t = {0};
        open_entries(&t, entries, 2);
        CU_ASSERT_FATAL(t.opened && t.file.n == 1);
        CU_ASSERT(strstr(buf_text(&t.diag.out), "1 kernels are computed") != NULL);
        const float *x = filetest_floats(&t, "a.weight");
        CU_ASSERT(t.file.tensors[0].rank == 4 && t.file.tensors[0].dims[1] == 2);
        near(x[0], 3 / 5.0);
        near(x[1], 4 / 5.0);
        near(x[2], 2 * 5 / sqrt(61));
        near(x[3], 2 * 6 / sqrt(61));
        filetest_close(&t);
    }
}

/* One norm for all, and one for each input. */
static void test_other_axes(void)
{
    const Entry all[] = {{"weight_g", "[]", 1}, {"weight_v", "[2,2]", 4}};
    FileTest t = {0};
    open_entries(&t, all, 2); /* g = 1, v = 2, 3, 4, 5 */
    CU_ASSERT_FATAL(t.opened && t.file.n == 1);
    near(filetest_floats(&t, "weight")[3], 5 / sqrt(54));
    filetest_close(&t);
    const Entry inputs[] = {{"weight_g", "[1,2]", 2}, {"weight_v", "[2,2]", 4}};
    open_entries(&t, inputs, 2); /* g = 1, 2; v = (3, 4), (5, 6) */
    const float *x = filetest_floats(&t, "weight");
    near(x[0], 3 / sqrt(34));
    near(x[3], 2 * 6 / sqrt(52));
    filetest_close(&t);
}

/* W = (1, 2), (3, 4), u = 5, 6, v = 7, 8: sigma = 5 (7 + 16) + 6 (21 + 32). */
static void test_spectral_norm(void)
{
    static const Entry entries[2][3] = {
        {{"a.weight_orig", "[2,2,1]", 4}, {"a.weight_u", "[2]", 2}, {"a.weight_v", "[2]", 2}},
        {{"a.parametrizations.weight.original", "[2,2,1]", 4},
         {"a.parametrizations.weight.0._u", "[2]", 2},
         {"a.parametrizations.weight.0._v", "[2]", 2}}};
    for (int i = 0; i < 2; i++) {
        FileTest t = {0};
        open_entries(&t, entries[i], 3);
        CU_ASSERT_FATAL(t.opened && t.file.n == 1);
        near(filetest_floats(&t, "a.weight")[2], 3 / 433.0);
        filetest_close(&t);
    }
}

/* What is incomplete, or does not fit, stays what it was. */
static void test_left(void)
{
    static const Entry entries[][3] = {
        {{"a.weight_g", "[2]", 2}, {"b.weight_v", "[2]", 2}, {"c", "[1]", 1}},
        {{"a.weight_g", "[2,1]", 2}, {"a.weight_v", "[3,2]", 6}, {"c", "[1]", 1}},
        {{"a.weight_orig", "[2,2]", 4}, {"a.weight_u", "[3]", 3}, {"a.weight_v", "[2]", 2}},
        {{"my_weight_g", "[2,1]", 2}, {"my_weight_v", "[2,2]", 4}, {"c", "[1]", 1}},
    };
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        FileTest t = {0};
        open_entries(&t, entries[i], 3);
        CU_ASSERT_FATAL(t.opened);
        CU_ASSERT_EQUAL(t.file.n, 3);
        CU_ASSERT_EQUAL(filetest_floats(&t, entries[i][1].name)[0], (float)entries[i][0].n + 1);
        CU_ASSERT_EQUAL(t.diag.out.n, 0);
        filetest_close(&t);
    }
}

void suite_normed(void)
{
    CU_pSuite suite = CU_add_suite("normed", NULL, NULL);
    CU_ADD_TEST(suite, test_weight_norm);
    CU_ADD_TEST(suite, test_other_axes);
    CU_ADD_TEST(suite, test_spectral_norm);
    CU_ADD_TEST(suite, test_left);
}
