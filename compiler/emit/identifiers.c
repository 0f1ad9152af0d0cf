/* identifiers.c: see identifiers.h. */
#include "emit/identifiers.h"
#include "base/str.h"

#include <string.h>

static const char *const taken[] = {
#include "emit/taken.def"
};

/* Names of headers, which STEM.h must not have: such a file would be included in place of the
 * compiler's own header. */
static const char headers[] =
    " assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal"
    " stdalign stdarg stdatomic stdbit stdbool stdckdint stddef stdint stdio stdlib stdnoreturn"
    " string tgmath threads time uchar wchar wctype"
    " aio cpio dirent dlfcn endian fcntl features fmtmsg fnmatch ftw glob grp iconv langinfo libgen"
    " malloc memory monetary mqueue ndbm netdb nl_types paths poll pthread pwd regex resolv sched"
    " search semaphore spawn strings stropts syslog tar termios trace ucontext ulimit unistd utime"
    " utmp utmpx values wait wordexp xmmintrin immintrin arm_neon cblas rncrt ";

static bool has_word(const char *words, const char *name)
{
    const size_t n = strlen(name);
    for (const char *at = words; (at = strstr(at, name)); at++) {
        if (at > words && at[-1] == ' ' && at[n] == ' ')
            return true;
    }
    return false;
}

static bool is_taken(const char *name)
{
    static const char *const prefixes[] = {
        "_",        "rnc",      "RNC",    "cblas_", "Cblas", "atomic_",     "ATOMIC_",
        "pthread_", "PTHREAD_", "posix_", "POSIX_", "aio_",  "memory_order"};
    if (!*name)
        return true;
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        if (has_word(taken[i], name))
            return true;
    }
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        if (str_starts(name, prefixes[i]))
            return true;
    }
    return false;
}

bool is_header_name(const char *stem)
{
    return *stem && !strchr(stem, ' ') && has_word(headers, stem);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

char *c_letters(Arena *arena, const char *text)
{
    char *name = arena_strdup(arena, text);
    for (char *c = name; *c; c++) {
        if (!is_digit(*c) && !(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z'))
            *c = '_';
    }
    return name;
}

char *c_identifier(Arena *arena, const char *text, const char *prefix)
{
    char *name = c_letters(arena, text);
    return is_digit(name[0]) || is_taken(name) ? arena_printf(arena, "%s%s", prefix, name) : name;
}

char *c_upper(Arena *arena, const char *text)
{
    char *name = arena_strdup(arena, text);
    for (char *c = name; *c; c++) {
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    }
    return name;
}
