/* installed.c: where the files are that were installed with rnc. */
#include "tool/installed.h"

#include <string.h>
#include <unistd.h>

/* How long the folders are that two paths begin with, the last '/' included. */
static size_t common_folders(const char *a, const char *b)
{
    size_t n = 0;
    for (size_t i = 0; a[i] && a[i] == b[i]; i++)
        n = a[i] == '/' ? i + 1 : n;
    return n;
}

const char *installed_from(const char *program, const char *bindir, const char *configured,
                           Arena *arena)
{
    const char *slash = strrchr(program, '/');
    const size_t common = common_folders(bindir, configured);
    const char *end = bindir + common; /* "bin" */
    const size_t n = strlen(end), folder = slash ? (size_t)(slash - program) : 0;
    if (common == 0 || n == 0 || folder <= n || program[folder - n - 1] != '/' ||
        memcmp(program + folder - n, end, n) != 0)
        return configured;
    return arena_printf(arena, "%.*s%s", (int)(folder - n), program, configured + common);
}

/* The file of that name in the folder of the program, as it is where rnc was built. */
static const char *beside(const char *program, const char *configured, Arena *arena)
{
    const char *slash = strrchr(program, '/'), *name = strrchr(configured, '/');
    const int folder = slash ? (int)(slash - program) : 0;
    return arena_printf(arena, "%.*s%s", folder, program, name ? name : configured);
}

const char *installed_path(const char *configured, Arena *arena)
{
    char program[4096];
    const ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n < 0)
        return configured;
    program[n] = '\0';
    const char *path = installed_from(program, RNC_BIN_DIR, configured, arena);
    if (access(path, F_OK) == 0)
        return path;
    path = beside(program, configured, arena);
    return access(path, F_OK) == 0 ? path : configured;
}
