/* commands.h: what `rnc COMMAND` does.  Each returns the exit status. */
#ifndef RNC_COMMANDS_H
#define RNC_COMMANDS_H

#include "tool/options.h"

enum { EXIT_GOOD = 0, EXIT_USER = 1, EXIT_USAGE = 2, EXIT_INTERNAL = 3 };

int eval_command(Options *o, Arena *arena, SrcMap *src, Diag *d);
int verify_command(Options *o, Arena *arena, SrcMap *src, Diag *d);
int tune_command(Options *o, Arena *arena, SrcMap *src, Diag *d);
int convert_command(Options *o, Arena *arena, SrcMap *src, Diag *d);
int summary_command(Options *o, Arena *arena, SrcMap *src, Diag *d);
int graph_command(Options *o, Arena *arena, SrcMap *src, Diag *d);

/* Prints a text for people to standard output; names in it as utf8.h shows them. */
void print_text(const Buf *text);

/* Everything that was read: outputs must not overwrite it. */
Words inputs_of(const Options *o, const SrcMap *src, Arena *arena);
/* Whether every parameter has its numbers, if there are any; false after a message. */
bool has_weights(const Compiled *c, const char *command, Diag *d);
/* The status of messages given: EXIT_INTERNAL if one is of a defect of rnc. */
int status_of(const Diag *d);

#endif
