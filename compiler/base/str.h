/* str.h: text under construction, and the nearest of a list of words. */
#ifndef RNC_STR_H
#define RNC_STR_H

#include "base/arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* A growing text, always NUL-terminated once anything was added. */
typedef struct Buf {
    Arena *arena;
    char *text;
    size_t n, cap;
} Buf;

Buf buf_new(Arena *arena);
void buf_add(Buf *b, const char *s, size_t n);
void buf_puts(Buf *b, const char *s);
void buf_putc(Buf *b, char c);
void buf_printf(Buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(Buf *b, const char *format, va_list args);
const char *buf_text(const Buf *b); /* "" when empty */
/* Adds the shortest decimal that reads back as the same number. */
void buf_real(Buf *b, double value);
/* Adds a string of the language: in quotes, with \ before quotes and backslashes, and \n. */
void buf_quoted(Buf *b, const char *s);
/* Adds what a POSIX shell reads as the one word `s`: as it is, or in single quotes. */
void buf_shell_word(Buf *b, const char *s);

bool str_eq(const char *a, const char *b);
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);

/* Damerau-Levenshtein distance (optimal string alignment). */
int str_distance(const char *a, const char *b);
/* The word of `words` nearest to `word`, or NULL when none is near enough to
 * be worth suggesting (distance over a third of the longer word's length). */
const char *str_nearest(const char *word, const char *const *words, int n);

/* Whether the text fits a pattern, in which each '*' stands for any characters or none. */
bool str_fits(const char *text, const char *pattern);

#endif
