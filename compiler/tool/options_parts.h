/* options_parts.h: what the files that read the command line share; private to them. */
#ifndef RNC_OPTIONS_PARTS_H
#define RNC_OPTIONS_PARTS_H

#include "tool/options.h"

typedef enum OptionId {
#define OPTION(id, letter, word, argument, commands, shown, doc) OPTION_##id,
#include "tool/options.def"
} OptionId;

/* The rows of options.def, in order (options.c). */
typedef struct OptionRow {
    OptionId id;
    char letter;
    const char *word, *argument, *commands, *doc;
    bool shown;
    const char *section; /* a title instead of an option */
} OptionRow;
extern const OptionRow option_rows[];
extern const int option_count;
typedef struct CommandRow {
    const char *name;
    char letter;
    const char *usage, *brief, *what, *doc;
} CommandRow;
extern const CommandRow command_rows[COMMANDS];

/* Does the option, or the section, belong to the command? */
bool option_belongs(const OptionRow *row, Command command);
/* The dashes before its word. */
const char *option_dashes(const OptionRow *row);

typedef struct Parser {
    Options *o;
    Arena *arena;
    Diag *d;
    const char *option; /* "--batch", as messages say it */
} Parser;

/* option_values.c: the value (NULL where the option takes none) into p->o.  False after a
 * message. */
bool apply_option(Parser *p, OptionId id, const char *value);

/* machine_option.c: likewise for --machine. */
bool machine_option(Parser *p, const char *value);

#endif
