/* native.c: the numbers of this machine, in a file of the user's folder for caches:
 *
 *     rnc machine 1
 *     Intel(R) Xeon(R) Processor, family 6, model 207, stepping 2, 2 CPUs
 *     avx512=165,avx2=79.8,...
 *
 * A file that is damaged, or that is another machine's (a home folder may be shared), is ignored.
 * It is written under another name and renamed, so that nobody ever reads half of one.  If several
 * programs measure at once, the last one's numbers stay.
 */
#include "tool/native.h"

#include "base/str.h"
#include "tool/measure.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

static const char FIRST_LINE[] = "rnc machine 1";

/* ---- which machine ---- */

#if defined(__x86_64__)
/* The CPU by CPUID: AMD64 Architecture Programmer's Manual, volume 3, appendix E.3; Intel, Software
 * Developer's Manual, volume 2, CPUID. */
static const char *cpu_name(Arena *arena)
{
    unsigned brand[13] = {0}, version = 0, b, c, d;
    for (unsigned i = 0; i < 3; i++)
        __get_cpuid(0x80000002u + i, &brand[4 * i], &brand[4 * i + 1], &brand[4 * i + 2],
                    &brand[4 * i + 3]);
    __get_cpuid(1, &version, &b, &c, &d);
    unsigned family = version >> 8 & 15;
    const unsigned model = (version >> 4 & 15) | (version >> 12 & 0xf0);
    if (family == 15)
        family += version >> 20 & 0xff;
    char name[sizeof brand];
    memcpy(name, brand, sizeof brand);
    return arena_printf(arena, "%s, family %u, model %u, stepping %u", name + strspn(name, " "),
                        family, model, version & 15);
}
#else
/* Linux shows MIDR_EL1 of 64-bit ARM, which numbers maker and part. */
static const char *cpu_name(Arena *arena)
{
    char text[64] = "";
    FILE *f = fopen("/sys/devices/system/cpu/cpu0/regs/identification/midr_el1", "r");
    const bool known = f && fgets(text, sizeof text, f);
    if (f)
        fclose(f);
    text[strcspn(text, "\n")] = '\0';
    return known ? arena_printf(arena, "MIDR %s", text) : "a CPU that does not say its name";
}
#endif

const char *native_name(Arena *arena)
{
    return arena_printf(arena, "%s, %ld CPUs, L2 %g KB, L3 %g KB", cpu_name(arena),
                        sysconf(_SC_NPROCESSORS_ONLN), cache_kb(2), cache_kb(3));
}

/* ---- the file ---- */

/* XDG Base Directory Specification: $XDG_CACHE_HOME, a relative one being as none, or ~/.cache. */
static const char *cache_folder(Arena *arena)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && *cache == '/')
        return cache;
    return home && *home == '/' ? arena_printf(arena, "%s/.cache", home) : NULL;
}

const char *native_path(Arena *arena)
{
    const char *folder = cache_folder(arena), *name = native_name(arena);
    if (!folder)
        return NULL;
    Buf words = buf_new(arena);
    for (const char *c = name; *c; c++) {
        if (isalnum((unsigned char)*c))
            buf_putc(&words, *c);
        else if (c > name && isalnum((unsigned char)c[-1]))
            buf_putc(&words, '-');
    }
    return arena_printf(arena, "%s/rnc/machine-%s", folder, buf_text(&words));
}

/* A line without its end, which must be there. */
static bool line_of(FILE *f, char *line, size_t size)
{
    if (!fgets(line, (int)size, f))
        return false;
    char *end = strchr(line, '\n');
    if (end)
        *end = '\0';
    return end != NULL;
}

/* All numbers must be there, as they are printed: half of a file is none. */
static bool recall(const char *path, const char *name, Machine *machine, Arena *arena)
{
    char line[1024];
    const char *word, *why;
    FILE *f = fopen(path, "r");
    if (!f)
        return false;
    const bool good =
        line_of(f, line, sizeof line) && str_eq(line, FIRST_LINE) &&
        line_of(f, line, sizeof line) && str_eq(line, name) && line_of(f, line, sizeof line) &&
        machine_read(line, machine, arena, &word, &why) && str_eq(line, machine->name);
    fclose(f);
    return good;
}

/* Measured again next time if it cannot be written. */
static void remember(const char *path, const char *name, const Machine *machine, Arena *arena)
{
    char *folder = arena_strdup(arena, path), *end = strrchr(folder, '/');
    *end = '\0';
    *strrchr(folder, '/') = '\0';
    mkdir(folder, 0700);
    folder[strlen(folder)] = '/';
    mkdir(folder, 0700);
    char *other = arena_printf(arena, "%s/new-XXXXXX", folder);
    const int fd = mkstemp(other);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    if (!f) {
        if (fd >= 0)
            close(fd);
        return;
    }
    fprintf(f, "%s\n%s\n%s\n", FIRST_LINE, name, machine->name);
    if (fclose(f) != 0 || rename(other, path) != 0)
        unlink(other);
}

const Machine *native_machine(bool again, Arena *arena)
{
    Machine *machine = NEW(arena, Machine);
    const char *path = native_path(arena), *name = native_name(arena);
    *machine = machine_rows[MACHINE_generic];
    if (!again && path && recall(path, name, machine, arena))
        return machine;
    *machine = machine_rows[MACHINE_generic];
    measure_machine(machine);
    machine->name = machine_text(machine, arena);
    machine->doc = "this machine, measured";
    if (path)
        remember(path, name, machine, arena);
    return machine;
}
