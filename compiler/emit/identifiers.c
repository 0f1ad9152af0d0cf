/* identifiers.c: see identifiers.h. */
#include "emit/identifiers.h"
#include "base/str.h"

#include <string.h>

/* Keywords of C23 and C++23, names of the headers that emitted code includes,
 * macros that compilers define without being asked. */
static const char taken[] =
    " alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t"
    " char32_t char8_t class co_await co_return co_yield compl concept const const_cast"
    " consteval constexpr constinit continue decltype default delete do double dynamic_cast"
    " else enum explicit export extern false float for friend goto if inline int long mutable"
    " namespace new noexcept not not_eq nullptr operator or or_eq private protected public"
    " register reinterpret_cast requires restrict return short signed sizeof static"
    " static_assert static_cast struct switch template this thread_local throw true try"
    " typedef typeid typename typeof typeof_unqual union unsigned using virtual void volatile"
    " wchar_t while xor xor_eq"
    /* what the emitted files use */
    " main NULL INFINITY NAN EOF errno memcpy memset memmove memcmp strlen fabs fabsf size_t"
    " ptrdiff_t uint64_t uint32_t int64_t uintptr_t step_function job step vf net inputs"
    " outputs class_"
    /* functions of the C library, which a program may include as well */
    " abort abs accept access acos alarm asin atan atan2 bind calloc cbrt ceil clock close"
    " connect copysign cos cosh daemon div dup environ erf exit exp exp2 fdim floor fma fmax"
    " fmin fmod fork free frexp gamma getline hypot index j0 j1 jn kill labs ldexp lgamma link"
    " listen log log10 log2 malloc mmap modf open pause perror pipe pow printf puts raise rand"
    " random read realloc remove rename rewind rindex rint round scanf select send signal sin"
    " sinh sleep sqrt stat sync system tan tanh time times trunc truncate wait write y0 y1 yn"
    /* macros that are there from the start */
    " linux unix i386 near far interface small stdin stdout stderr ";

static bool is_taken(const char *name)
{
    static const char *const prefixes[] = {"_",     "rnc",   "RNC",   "cblas_", "Cblas",   "shape_",
                                           "halo_", "tile_", "step_", "steps_", "labels_", "info_"};
    const size_t n = strlen(name);
    if (n == 0)
        return true;
    for (const char *at = taken; (at = strstr(at, name)); at++) {
        if (at[-1] == ' ' && at[n] == ' ')
            return true;
    }
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        if (str_starts(name, prefixes[i]))
            return true;
    }
    return false;
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
