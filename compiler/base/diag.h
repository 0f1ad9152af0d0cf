/* diag.h: messages to the user, with the source line that they refer to and a caret.
 *
 * A message says what is wrong first, quotes its subject, is lower case and has no full stop;
 * notes carry the facts, each with a place of its own, and the way out.  After an error the work
 * continues: a phase checks the next thing that it can, until DIAG_MOST errors were given.
 */
#ifndef RNC_DIAG_H
#define RNC_DIAG_H

#include "base/src.h"
#include "base/str.h"

#include <stdbool.h>

enum { DIAG_MOST = 20 };

typedef struct Diag {
    const SrcMap *src;
    Buf out; /* the rendered messages, in order */
    int errors, warnings;
    int internal; /* the number of errors that are defects of rnc */
    bool full;    /* DIAG_MOST was reached; further messages are dropped */
} Diag;

Diag diag_new(const SrcMap *src, Arena *arena);

/* Reports an error at a place in a source text.  With NO_LOC the line begins with "rnc:". */
void diag_error(Diag *d, Loc loc, const char *format, ...) __attribute__((format(printf, 3, 4)));
void diag_warning(Diag *d, Loc loc, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A note belongs to the message before it, and is dropped with it. */
void diag_note(Diag *d, Loc loc, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Adds notes like "in 'bottleneck', called here" for the callers of a place. */
void diag_note_callers(Diag *d, const Place *place);

/* About a file that is not source text (weights, an output): "FILE: error: ...". */
void diag_file_error(Diag *d, const char *file, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void diag_file_warning(Diag *d, const char *file, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void diag_file_note(Diag *d, const char *file, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A defect of rnc itself, not of the input: says so and asks for a report. */
void diag_internal(Diag *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
