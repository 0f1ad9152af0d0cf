/* test_native.c: which row of machine.def a CPU has. */
#include "plan/native.h"

#include <CUnit/CUnit.h>

static void test_rows(void)
{
    const struct {
        Cpu cpu;
        int machine;
    } known[] = {
        {{CPU_AMD, 0x17, 0x31}, MACHINE_zen2},      {{CPU_AMD, 0x19, 0x01}, MACHINE_zen3},
        {{CPU_AMD, 0x19, 0x21}, MACHINE_zen3},      {{CPU_AMD, 0x19, 0x11}, MACHINE_zen4},
        {{CPU_AMD, 0x19, 0x61}, MACHINE_zen4},      {{CPU_AMD, 0x1a, 0x02}, MACHINE_zen5},
        {{CPU_INTEL, 6, 0x9e}, MACHINE_skylake},    {{CPU_INTEL, 6, 0x8f}, MACHINE_sapphire_rapids},
        {{CPU_ARM, 0, 0xd0c}, MACHINE_neoverse_n1}, {{CPU_ARM, 0, 0xd08}, MACHINE_cortex_a72},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        CU_ASSERT_PTR_EQUAL(machine_of(known[i].cpu), &machine_rows[known[i].machine]);
}

static void test_others(void)
{
    const Cpu unknown[] = {{CPU_OTHER, 0x19, 0x01},
                           {CPU_AMD, 0x17, 0x01},
                           {CPU_AMD, 0x15, 0x02},
                           {CPU_INTEL, 6, 0x2a}};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        CU_ASSERT_PTR_EQUAL(machine_of(unknown[i]), &machine_rows[MACHINE_generic]);
}

/* Whatever this machine is, it has a row, always the same. */
static void test_this(void)
{
    const Machine *here = native_machine();
    CU_ASSERT_TRUE(here >= machine_rows && here < machine_rows + MACHINE_COUNT);
    CU_ASSERT_PTR_EQUAL(here, native_machine());
}

void suite_native(void)
{
    CU_pSuite s = CU_add_suite("native", NULL, NULL);
    CU_add_test(s, "rows", test_rows);
    CU_add_test(s, "others", test_others);
    CU_add_test(s, "this", test_this);
}
