/* problems.h: what is wrong with files, listed together.
 *
 * A data set has many files, and a person wants to see all that are broken, not one for each
 * attempt.  So the functions of this folder add to a list, go on where they can, and return false
 * at the end.  A text names the file first, then what is wrong, then the way out. */
#ifndef RNCT_PROBLEMS_H
#define RNCT_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { RNCT_PROBLEMS_SHOWN = 20, RNCT_PROBLEM_BYTES = 512 };

/* Problems in the order in which they were found.  All zeros is the empty list; it owns no memory
 * but its own, and is not freed. */
typedef struct rnct_problems {
    size_t n;                                           /* all, also those without a text */
    char text[RNCT_PROBLEMS_SHOWN][RNCT_PROBLEM_BYTES]; /* the first ones, each ending in NUL */
} rnct_problems;

/* Adds "PATH: MESSAGE" to the list.  Control characters are shown as \xNN, and what is longer than
 * RNCT_PROBLEM_BYTES is cut, a path at its beginning.  Returns false, so that a function can return
 * what it returns. */
bool rnct_problem(rnct_problems *list, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The size of the character of Unicode that `at` begins with, if it is a control character or ends
 * a line; else 0. */
size_t rnct_control(const char *at);

/* Adds the problems of another list to this one. */
void rnct_problems_add(rnct_problems *list, const rnct_problems *more);

/* Prints a line for each text, and then how many there are in all where not all are shown. `before`
 * comes first on each line: "skipped: ", or "". */
void rnct_problems_print(const rnct_problems *list, const char *before, FILE *to);

#endif
