/* options_parts.h: what the files that read the command line share; private to them. */
#ifndef RNC_OPTIONS_PARTS_H
#define RNC_OPTIONS_PARTS_H

#include "tool/options.h"

typedef struct Parser Parser;

/* What an option does (options.def, set). */
typedef struct OptionSet {
    enum { SET_FLAG, SET_TEXT, SET_LIST, SET_NUMBER, SET_ONE_OF, SET_WORD, SET_CALL } how;
    size_t place;      /* of the field in struct Options, in bytes */
    int least, most;   /* NUMBER; WORD: the number of the first word */
    const char *words; /* WORD: or NULL for those of `argument` */
    bool (*call)(Parser *p, const char *value);
} OptionSet;

/* The rows of options.def, in order (options.c). */
typedef struct OptionRow {
    char letter;
    const char *word, *argument, *commands, *doc;
    bool shown;
    OptionSet set;
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

struct Parser {
    Options *o;
    Arena *arena;
    Diag *d;
    const char *option; /* "--batch", as messages say it */
};

/* option_values.c: the value (NULL where the option takes none) into p->o.  False after a
 * message. */
bool apply_option(Parser *p, const OptionRow *row, const char *value);

/* option_<name>() for each CALL(name), option_values.c and machine_option.c: likewise. */
#define OPTION(letter, word, argument, commands, shown, set, doc) set
#define FLAG(field)
#define TEXT(field)
#define LIST(field)
#define NUMBER(field, least, most)
#define ONE_OF(field)
#define WORD(field, first, words)
#define CALL(name) bool option_##name(Parser *p, const char *value);
#include "tool/options.def"

#endif
