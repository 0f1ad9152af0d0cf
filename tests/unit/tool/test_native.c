/* test_native.c: this machine is measured once, and remembered whatever happens to the file. */
#include "tool/native.h"

#include <CUnit/CUnit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static jmp_buf oom;
static char folder[] = "/tmp/rnc-native-XXXXXX";

static Arena *new_arena(void)
{
    Arena *arena = arena_new(&oom);
    CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
    return arena;
}

static int begin(void)
{
    return mkdtemp(folder) && setenv("XDG_CACHE_HOME", folder, 1) == 0 ? 0 : 1;
}

static int end(void)
{
    char path[sizeof folder + 8];
    Arena *arena = arena_new(&oom);
    const char *file = arena ? native_path(arena) : NULL;
    if (file)
        unlink(file);
    arena_free(arena);
    snprintf(path, sizeof path, "%s/rnc", folder);
    rmdir(path);
    return rmdir(folder);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fputs(text, f);
    fclose(f);
}

/* What the model divides by is there and plausible. */
static void test_measured(void)
{
    Arena *arena = new_arena();
    const Machine *m = native_machine(false, arena);
    CU_ASSERT_TRUE(m->gflops[ISA_portable] > 0.1);
    CU_ASSERT_TRUE(m->gflops[ISA_portable] > m->gflops[ISA_scalar]);
    CU_ASSERT_TRUE(m->l1 > m->memory);
    CU_ASSERT_TRUE(m->streams >= m->memory && m->all >= m->streams && m->cores >= 1.0);
    CU_ASSERT_EQUAL(access(native_path(arena), R_OK), 0);
    arena_free(arena);
}

/* Numbers that no machine has show that they were read and not measured. */
static const char *marked(Arena *arena)
{
    Machine m = machine_rows[MACHINE_generic];
    m.l2 = 12345.0;
    return machine_text(&m, arena);
}

static void test_remembered(void)
{
    Arena *arena = new_arena();
    const char *name = native_name(arena), *path = native_path(arena);
    write_file(path, arena_printf(arena, "rnc machine 1\n%s\n%s\n", name, marked(arena)));
    CU_ASSERT_EQUAL(native_machine(false, arena)->l2, 12345.0);
    CU_ASSERT_NOT_EQUAL(native_machine(true, arena)->l2, 12345.0);
    CU_ASSERT_NOT_EQUAL(native_machine(false, arena)->l2, 12345.0);
    arena_free(arena);
}

/* A file cut anywhere, of another version or another machine is as none, and is mended. */
static void test_damaged(void)
{
    Arena *arena = new_arena();
    const char *name = native_name(arena), *path = native_path(arena), *numbers = marked(arena);
    const char *const damaged[] = {
        "",
        "rnc machine 1\n",
        arena_printf(arena, "rnc machine 2\n%s\n%s\n", name, numbers),
        arena_printf(arena, "rnc machine 1\nanother CPU\n%s\n", numbers),
        arena_printf(arena, "rnc machine 1\n%s\n%.60s\n", name, numbers),
        arena_printf(arena, "rnc machine 1\n%s\n%s", name, numbers),
    };
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        write_file(path, damaged[i]);
        const Machine *m = native_machine(false, arena);
        CU_ASSERT_NOT_EQUAL(m->l2, 12345.0);
        CU_ASSERT_STRING_EQUAL(native_machine(false, arena)->name, m->name);
    }
    arena_free(arena);
}

/* Without a folder for caches, or with one that cannot be written, it is measured all the same. */
static void test_nowhere(void)
{
    Arena *arena = new_arena();
    setenv("XDG_CACHE_HOME", "/dev/null", 1);
    CU_ASSERT_TRUE(native_machine(false, arena)->memory > 0.0);
    const char *home = getenv("HOME");
    home = home ? arena_strdup(arena, home) : NULL;
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    CU_ASSERT_PTR_NULL(native_path(arena));
    CU_ASSERT_TRUE(native_machine(false, arena)->memory > 0.0);
    if (home)
        setenv("HOME", home, 1);
    setenv("XDG_CACHE_HOME", folder, 1);
    arena_free(arena);
}

void suite_native(void)
{
    CU_pSuite s = CU_add_suite("native", begin, end);
    CU_add_test(s, "measured", test_measured);
    CU_add_test(s, "remembered", test_remembered);
    CU_add_test(s, "damaged", test_damaged);
    CU_add_test(s, "nowhere", test_nowhere);
}
