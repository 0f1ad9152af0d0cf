/* test_cpu.c: what the runtime says of the processor against what the C compiler's
 * own library says. */
#include "runtime/rncrt.h"

#include <CUnit/CUnit.h>

static void test_present(void)
{
    CU_ASSERT_EQUAL(rnc_isa_present(RNC_ISA_BEST), 1);
    CU_ASSERT_EQUAL(rnc_isa_present(RNC_ISA_SCALAR), 1);
    CU_ASSERT_EQUAL(rnc_isa_present(RNC_ISA_PORTABLE), 1);
    CU_ASSERT_EQUAL(rnc_isa_present((rnc_isa)99), 0);
#if defined(__x86_64__)
    __builtin_cpu_init();
    const int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const int avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
                       __builtin_cpu_supports("avx512dq");
    CU_ASSERT_EQUAL(rnc_isa_present(RNC_ISA_AVX2), avx2);
    CU_ASSERT_EQUAL(rnc_isa_present(RNC_ISA_AVX512), avx512);
    CU_ASSERT_EQUAL(rnc_isa_present(RNC_ISA_NEON), 0);
#elif defined(__aarch64__)
    CU_ASSERT_EQUAL(rnc_isa_present(RNC_ISA_NEON), 1);
    CU_ASSERT_EQUAL(rnc_isa_present(RNC_ISA_AVX2), 0);
#endif
}

static void test_names(void)
{
    CU_ASSERT_STRING_EQUAL(rnc_isa_name(RNC_ISA_AVX512), "avx512");
    CU_ASSERT_STRING_EQUAL(rnc_isa_name(RNC_ISA_SCALAR), "scalar");
    CU_ASSERT_STRING_EQUAL(rnc_isa_name((rnc_isa)99), "unknown");
}

/* Every status has a text of its own. */
static void test_status(void)
{
    for (int a = RNC_OK; a <= RNC_E_MEMORY; a++) {
        CU_ASSERT_STRING_NOT_EQUAL(rnc_status_text((rnc_status)a), "unknown status");
        for (int b = RNC_OK; b < a; b++)
            CU_ASSERT_STRING_NOT_EQUAL(rnc_status_text((rnc_status)a),
                                       rnc_status_text((rnc_status)b));
    }
    CU_ASSERT_STRING_EQUAL(rnc_status_text((rnc_status)99), "unknown status");
}

void suite_cpu(void)
{
    CU_pSuite suite = CU_add_suite("cpu", NULL, NULL);
    CU_ADD_TEST(suite, test_present);
    CU_ADD_TEST(suite, test_names);
    CU_ADD_TEST(suite, test_status);
}
