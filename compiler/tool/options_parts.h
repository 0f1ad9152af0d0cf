/* options_parts.h: what the files that read the command line share; private to them. */
#ifndef RNC_OPTIONS_PARTS_H
#define RNC_OPTIONS_PARTS_H

#include "tool/options.h"

typedef enum OptionId {
#define OPTION(id, letter, word, argument, commands, doc) OPTION_##id,
#include "tool/options.def"
} OptionId;

typedef struct Parser {
    Options *o;
    Arena *arena;
    Diag *d;
    const char *option; /* "--batch", as messages say it */
} Parser;

/* option_values.c: the value (NULL where the option takes none) into p->o.  False after a
 * message. */
bool apply_option(Parser *p, OptionId id, const char *value);

/* machine_option.c: the same of --machine. */
bool machine_option(Parser *p, const char *value);

#endif
