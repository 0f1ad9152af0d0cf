/* test_machine.c: machines as rows and as text. */
#include "plan/machine.h"

#include <CUnit/CUnit.h>

#include <string.h>

static jmp_buf oom;

static Arena *new_arena(void)
{
    Arena *arena = arena_new(&oom);
    CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
    return arena;
}

/* Each row has what the model divides by, its caches in order, and some instruction set. */
static void test_rows(void)
{
    for (int i = 0; i < MACHINE_COUNT; i++) {
        const Machine *m = &machine_rows[i];
        CU_ASSERT_TRUE(machine_gflops(m, 1u << ISA_portable) > 0.0);
        CU_ASSERT_TRUE(m->gflops[ISA_scalar] > 0.0);
        CU_ASSERT_TRUE(m->l1 >= m->l2 && m->l2 >= m->l3 && m->l3 >= m->memory);
        CU_ASSERT_TRUE(m->memory <= m->streams && m->streams <= m->all && m->memory > 0.0);
        CU_ASSERT_TRUE(m->l1_kb < m->l2_kb && m->l2_kb <= m->l3_kb);
        CU_ASSERT_TRUE(m->cores >= 1.0 && m->together > 0.0 && m->together <= 1.0);
    }
}

/* The text of a row, read over another one, is the row again. */
static void test_text(void)
{
    Arena *arena = new_arena();
    for (int i = 0; i < MACHINE_COUNT; i++) {
        const char *word, *why, *text = machine_text(&machine_rows[i], arena);
        Machine other = machine_rows[(i + 1) % MACHINE_COUNT];
        CU_ASSERT_TRUE(machine_read(text, &other, arena, &word, &why));
        CU_ASSERT_STRING_EQUAL(other.name, text);
        CU_ASSERT_EQUAL(memcmp(other.gflops, machine_rows[i].gflops, sizeof other.gflops), 0);
        CU_ASSERT_EQUAL(other.l3_kb, machine_rows[i].l3_kb);
        CU_ASSERT_EQUAL(other.all, machine_rows[i].all);
    }
    arena_free(arena);
}

static void test_some(void)
{
    const char *word, *why;
    Arena *arena = new_arena();
    Machine m = machine_rows[MACHINE_zen3];
    CU_ASSERT_TRUE(machine_read("avx512=154.5,l2-kb=1024", &m, arena, &word, &why));
    CU_ASSERT_EQUAL(m.gflops[ISA_avx512], 154.5);
    CU_ASSERT_EQUAL(m.l2_kb, 1024.0);
    CU_ASSERT_EQUAL(m.memory, machine_rows[MACHINE_zen3].memory);
    arena_free(arena);
}

static void test_wrong(void)
{
    const struct {
        const char *text, *word, *why;
    } wrong[] = {
        {"l4=3", "l4=3", "the numbers of a machine are avx512, avx2,"},
        {"l2=100,l2kb=3", "l2kb=3", "the numbers of a machine are"},
        {"l2", "l2", "the numbers of a machine are"},
        {"l2=", "l2=", "l2 is from 0.1 to 100000"},
        {"l2=many", "l2=many", "l2 is from"},
        {"l2=0", "l2=0", "l2 is from"},
        {"l2=nan", "l2=nan", "l2 is from"},
        {"memory=1e9", "memory=1e9", "memory is from"},
        {"l2=100,", "", "the numbers of a machine are"},
        {"", "", "the numbers of a machine are"},
    };
    Arena *arena = new_arena();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *word, *why;
        Machine m = machine_rows[MACHINE_generic];
        CU_ASSERT_FALSE(machine_read(wrong[i].text, &m, arena, &word, &why));
        CU_ASSERT_STRING_EQUAL(word, wrong[i].word);
        CU_ASSERT_PTR_EQUAL(strstr(why, wrong[i].why), why);
    }
    arena_free(arena);
}

/* The best of some instruction sets; of none that the machine has, the best that it has. */
static void test_gflops(void)
{
    const Machine *zen3 = &machine_rows[MACHINE_zen3];
    CU_ASSERT_EQUAL(machine_gflops(zen3, 1u << ISA_portable), zen3->gflops[ISA_portable]);
    CU_ASSERT_EQUAL(machine_gflops(zen3, 1u << ISA_portable | 1u << ISA_avx2),
                    zen3->gflops[ISA_avx2]);
    CU_ASSERT_EQUAL(machine_gflops(zen3, 1u << ISA_avx512), zen3->gflops[ISA_avx2]);
    const unsigned all = 1u << ISA_avx512 | 1u << ISA_avx2 | 1u << ISA_portable;
    CU_ASSERT_EQUAL(machine_isa(zen3, all), ISA_avx2);
    CU_ASSERT_EQUAL(machine_isa(&machine_rows[MACHINE_cascade_lake], all), ISA_avx512);
    CU_ASSERT_EQUAL(machine_isa(&machine_rows[MACHINE_zen4], all), ISA_avx2); /* equally fast */
}

void suite_machine(void)
{
    CU_pSuite s = CU_add_suite("machine", NULL, NULL);
    CU_add_test(s, "rows", test_rows);
    CU_add_test(s, "text", test_text);
    CU_add_test(s, "some numbers", test_some);
    CU_add_test(s, "wrong numbers", test_wrong);
    CU_add_test(s, "gflops", test_gflops);
}
