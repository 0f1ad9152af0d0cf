/* problems.c: see problems.h. */
#include "train/problems.h"

#include <stdarg.h>
#include <string.h>

enum { PATH_SHOWN = 200 /* bytes of a path that a text has room for */ };

size_t rnct_control(const char *at)
{
    const unsigned char *b = (const unsigned char *)at;
    if (b[0] == 0xe2 && b[1] == 0x80 && (b[2] == 0xa8 || b[2] == 0xa9)) /* U+2028, U+2029 */
        return 3;
    if (b[0] == 0xc2 && b[1] >= 0x80 && b[1] < 0xa0)
        return 2;
    return (b[0] && b[0] < 0x20) || b[0] == 0x7f;
}

/* Adds text to `to`, of which `used` bytes are taken; returns how many are then. */
static size_t put(char *to, size_t used, const char *text)
{
    const char *at = text;
    while (*at) {
        const size_t controls = rnct_control(at), n = controls ? controls : 1;
        char shown[16] = {*at};
        for (size_t i = 0; i < controls; i++)
            snprintf(shown + 4 * i, sizeof shown - 4 * i, "\\x%02x", (unsigned char)at[i]);
        const size_t size = strlen(shown);
        if (used + size >= RNCT_PROBLEM_BYTES)
            break;
        memcpy(to + used, shown, size + 1);
        used += size;
        at += n;
    }
    /* A character of several bytes is not cut in two. */
    while (*at && used > 0 && ((unsigned char)*at & 0xc0) == 0x80) {
        at--;
        to[--used] = '\0';
    }
    return used;
}

bool rnct_problem(rnct_problems *list, const char *path, const char *format, ...)
{
    char message[RNCT_PROBLEM_BYTES];
    va_list args;
    if (list->n++ >= RNCT_PROBLEMS_SHOWN)
        return false;
    char *to = list->text[list->n - 1];
    size_t used = 0, length = strlen(path);
    to[0] = '\0';
    if (length > PATH_SHOWN) {
        path += length - PATH_SHOWN;
        while (((unsigned char)*path & 0xc0) == 0x80)
            path++;
        used = put(to, used, "...");
    }
    used = put(to, used, path);
    used = put(to, used, ": ");
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    put(to, used, message);
    return false;
}

void rnct_problems_add(rnct_problems *list, const rnct_problems *more)
{
    for (size_t i = 0; i < more->n && i < RNCT_PROBLEMS_SHOWN && list->n + i < RNCT_PROBLEMS_SHOWN;
         i++)
        memcpy(list->text[list->n + i], more->text[i], RNCT_PROBLEM_BYTES);
    list->n += more->n;
}

void rnct_problems_print(const rnct_problems *list, const char *before, FILE *to)
{
    for (size_t i = 0; i < list->n && i < RNCT_PROBLEMS_SHOWN; i++)
        fprintf(to, "%s%s\n", before, list->text[i]);
    if (list->n > RNCT_PROBLEMS_SHOWN)
        fprintf(to, "%s%zu in all, of which the first %d are listed\n", before, list->n,
                RNCT_PROBLEMS_SHOWN);
}
