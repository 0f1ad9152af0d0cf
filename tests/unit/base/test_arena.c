/* test_arena.c: memory of arenas. */
#include "base/arena.h"

#include <CUnit/CUnit.h>

#include <stdint.h>
#include <string.h>

static void test_zeroed_and_aligned(void)
{
    jmp_buf oom;
    Arena *arena = arena_new(&oom);
    int bad = 0;
    for (size_t size = 0; size < 40000; size = size * 3 / 2 + 1) {
        unsigned char *p = arena_alloc(arena, size);
        bad += (uintptr_t)p % (size >= 64 ? 64 : 16) != 0;
        for (size_t i = 0; i < size; i++)
            bad += p[i] != 0;
        memset(p, 0xff, size);
    }
    CU_ASSERT_EQUAL(bad, 0);
    arena_free(arena);
}

static void test_objects_do_not_overlap(void)
{
    enum { N = 500 };
    jmp_buf oom;
    Arena *arena = arena_new(&oom);
    unsigned char *p[N];
    int bad = 0;
    for (int i = 0; i < N; i++) {
        p[i] = arena_alloc(arena, (size_t)i * 7);
        memset(p[i], i & 0xff, (size_t)i * 7);
    }
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < i * 7; j++)
            bad += p[i][j] != (i & 0xff);
    }
    CU_ASSERT_EQUAL(bad, 0);
    arena_free(arena);
}

static void test_overflow_jumps(void)
{
    jmp_buf oom;
    Arena *volatile arena = arena_new(&oom);
    volatile int jumps = 0;
    if (setjmp(oom) == 0)
        arena_alloc_n(arena, SIZE_MAX / 2, 3);
    else
        jumps = jumps + 1;
    if (setjmp(oom) == 0)
        arena_alloc(arena, SIZE_MAX - 10);
    else
        jumps = jumps + 1;
    CU_ASSERT_EQUAL(jumps, 2);
    CU_ASSERT_STRING_EQUAL(arena_strdup(arena, "still in use"), "still in use");
    arena_free(arena);
}

static void test_vec_keeps_its_elements(void)
{
    jmp_buf oom;
    Arena *arena = arena_new(&oom);
    VEC(int) v = {0};
    int bad = 0;
    for (int i = 0; i < 1000; i++)
        VEC_PUSH(arena, &v, i * i);
    for (int i = 0; i < 1000; i++)
        bad += v.at[i] != i * i;
    CU_ASSERT_EQUAL(v.n, 1000);
    CU_ASSERT_EQUAL(bad, 0);
    arena_free(arena);
}

static void test_strings(void)
{
    jmp_buf oom;
    Arena *arena = arena_new(&oom);
    CU_ASSERT_STRING_EQUAL(arena_strndup(arena, "abcdef", 3), "abc");
    CU_ASSERT_STRING_EQUAL(arena_printf(arena, "%s-%d", "x", 42), "x-42");
    CU_ASSERT_STRING_EQUAL(arena_printf(arena, "%s", ""), "");
    arena_free(arena);
}

void suite_arena(void)
{
    CU_pSuite s = CU_add_suite("arena", NULL, NULL);
    CU_add_test(s, "memory is zeroed and aligned", test_zeroed_and_aligned);
    CU_add_test(s, "objects do not overlap", test_objects_do_not_overlap);
    CU_add_test(s, "an overflow goes to the handler", test_overflow_jumps);
    CU_add_test(s, "a vector keeps its elements", test_vec_keeps_its_elements);
    CU_add_test(s, "strings", test_strings);
}
