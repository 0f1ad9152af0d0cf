/* commands.h: what `rnc COMMAND` does.  Each returns the exit status. */
#ifndef RNC_COMMANDS_H
#define RNC_COMMANDS_H

#include "tool/options.h"
#include "tool/output.h"

enum { EXIT_GOOD = 0, EXIT_USER = 1, EXIT_USAGE = 2, EXIT_INTERNAL = 3 };

#define COMMAND(id, letter, usage, brief, what, doc) \
    int id##_command(Options *o, Arena *arena, SrcMap *src, Diag *d);
#include "tool/options.def"

/* Prints a text for people to standard output; names in it as utf8.h shows them. */
void print_text(const Buf *text);

/* Whether every parameter has its numbers, if there are any; false after a message. */
bool has_weights(const Compiled *c, const char *command, Diag *d);
/* Writes what a command makes, and with -MD what it was made from (`base`.d), as one set; they
 * overwrite nothing that was read.  False after a message. */
bool write_made(const Options *o, const OutputFile *files, int n, const char *base,
                const SrcMap *src, Arena *arena, Diag *d);
/* The status of messages given: EXIT_INTERNAL if one is of a defect of rnc. */
int status_of(const Diag *d);

#endif
