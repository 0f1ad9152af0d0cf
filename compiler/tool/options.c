/* options.c: reads the command line by the rows of options.def. */
#include "tool/options_parts.h"

#include <string.h>

typedef struct OptionRow {
    OptionId id;
    char letter;
    const char *word, *argument, *commands, *doc;
    const char *section; /* a title instead of an option */
} OptionRow;

static const OptionRow rows[] = {
#define SECTION(commands, title) {0, 0, NULL, NULL, commands, NULL, title},
#define OPTION(id, letter, word, argument, commands, doc) \
    {OPTION_##id, letter, word, argument, commands, doc, NULL},
#include "tool/options.def"
};
enum { ROWS = sizeof rows / sizeof *rows };

static const char *const command_names[COMMANDS] = {
#define COMMAND(id, letter) #id,
#include "tool/options.def"
};
static const char command_letters[COMMANDS] = {
#define COMMAND(id, letter) letter,
#include "tool/options.def"
};

static bool belongs(const OptionRow *row, Command command)
{
    for (int i = 0; i < COMMANDS; i++) {
        if (command == (Command)(1 << i))
            return strchr(row->commands, command_letters[i]) != NULL;
    }
    return false;
}

/* ---- words ---- */

/* The row of "word[=...]" behind "--", or of a letter (word NULL). */
static const OptionRow *find(Command command, const char *word, size_t n, char letter)
{
    for (int i = 0; i < ROWS; i++) {
        const OptionRow *row = &rows[i];
        if (row->section || !belongs(row, command))
            continue;
        if (word ? strlen(row->word) == n && strncmp(row->word, word, n) == 0
                 : letter && row->letter == letter)
            return row;
    }
    return NULL;
}

static void unknown_option(Parser *p, const char *text, size_t n)
{
    const char *words[ROWS];
    int count = 0;
    char *word = arena_strndup(p->arena, text, n);
    for (int i = 0; i < ROWS; i++) {
        if (!rows[i].section && belongs(&rows[i], p->o->command))
            words[count++] = arena_printf(p->arena, "--%s", rows[i].word);
    }
    const char *nearest = str_nearest(word, words, count);
    diag_error(p->d, NO_LOC, "unknown option '%s'%s%s%s", word, nearest ? "; did you mean '" : "",
               nearest ? nearest : "", nearest ? "'?" : "");
    for (int i = 0; i < COMMANDS; i++) {
        if (n > 2 && find((Command)(1 << i), text + 2, n - 2, 0)) {
            diag_note(p->d, NO_LOC, "'rnc %s' has one of that name", command_names[i]);
            break;
        }
    }
}

/* Options that the head comment of the C repeats: those that change it and
 * carry no path. */
static bool worth_showing(OptionId id)
{
    switch (id) {
    case OPTION_DEFINE:
    case OPTION_BATCH:
    case OPTION_INPUT_TYPE:
    case OPTION_INPUT_ORDER:
    case OPTION_TAP:
    case OPTION_ISA:
    case OPTION_BACKEND:
    case OPTION_OPTIMIZE:
    case OPTION_EXACT:
    case OPTION_THREADS:
    case OPTION_MACHINE:
    case OPTION_EMBED:
    case OPTION_SINGLE_FILE:
    case OPTION_PASSES:
    case OPTION_INIT:
    case OPTION_NAMES:
        return true;
    default:
        return false;
    }
}

/* One argument that begins with '-' (and its value); returns the index of the
 * last one used. */
static int option(Parser *p, int i, int argc, char *const *argv)
{
    const char *text = argv[i], *value = NULL;
    const bool is_long = text[1] == '-';
    const size_t n = is_long ? strcspn(text, "=") : 2;
    const OptionRow *row = find(p->o->command, is_long ? text + 2 : NULL, n - 2, text[1]);
    if (!row) {
        unknown_option(p, text, n);
        return i;
    }
    p->option = arena_strndup(p->arena, text, n);
    if (text[n] && !row->argument) {
        diag_error(p->d, NO_LOC, "%s takes no value, and '%s' has one", p->option, text);
        return i;
    }
    if (row->argument) {
        value = text[n] ? text + n + is_long : i + 1 < argc ? argv[++i] : NULL;
        if (!value) {
            diag_error(p->d, NO_LOC, "%s is the last word; a value must follow: %s", p->option,
                       row->argument);
            return i;
        }
    }
    const bool good = apply_option(p, row->id, value);
    if (good && row->id == OPTION_MACHINE) /* its numbers, so that the C can be made elsewhere */
        value = p->o->compile.plan.machine->name;
    if (good && worth_showing(row->id))
        VEC_PUSH(p->arena, &p->o->shown,
                 row->letter ? arena_printf(p->arena, "-%c %s", row->letter, value)
                             : arena_printf(p->arena, "--%s%s%s", row->word, value ? " " : "",
                                            value ? value : ""));
    return i;
}

/* The format of a graph by its file's name. */
static void choose_format(Parser *p)
{
    Options *o = p->o;
    if (o->graph_format != GRAPH_BY_NAME)
        return;
    o->graph_format = o->output && str_ends(o->output, ".dot") ? GRAPH_DOT : GRAPH_SVG;
    if (o->output && o->graph_format == GRAPH_SVG && !str_ends(o->output, ".svg")) {
        diag_error(p->d, NO_LOC, "'%s' does not say which format the graph is to have", o->output);
        diag_note(p->d, NO_LOC, "end it in .svg or .dot, or give --format svg or --format dot");
    }
}

/* What must hold of the options together. */
static void check(Parser *p)
{
    Options *o = p->o;
    if (o->help || o->version || o->command == COMMAND_doc)
        return;
    if (!o->compile.input)
        diag_error(p->d, NO_LOC, "no network is given: name a .net file");
    if (o->compile.dump_after && o->compile.dump != DUMP_IR)
        diag_error(p->d, NO_LOC, "--after says which network --dump ir shows; it needs that");
    if (o->compile.emit.embed != EMBED_FILE && o->weights.n == 0 && !o->init)
        diag_error(p->d, NO_LOC,
                   "--embed puts the weights into the program: give them with -w, or "
                   "--init");
    if (o->command == COMMAND_convert && o->weights.n == 0 && !o->init)
        diag_error(p->d, NO_LOC, "there is nothing to convert: give weights, -w FILE or --init");
    if (o->command == COMMAND_graph)
        choose_format(p);
    if (o->random && o->inputs.n)
        diag_error(p->d, NO_LOC, "--random draws the inputs, and --input gives one: take either");
}

/* The lists into the structs that the phases take. */
static void fill(Options *o, Arena *arena)
{
    Buf command = buf_new(arena);
    const char *slash = o->compile.input ? strrchr(o->compile.input, '/') : NULL;
    buf_printf(&command, "rnc %s", slash ? slash + 1 : o->compile.input ? o->compile.input : "");
    for (int i = 0; i < o->shown.n; i++)
        buf_printf(&command, " %s", o->shown.at[i]);
    VEC_PUSH(arena, &o->include_dirs, RNC_MODELS_DIR);
    CompileOptions *c = &o->compile;
    c->emit.command = buf_text(&command);
    c->weights = o->weights.at;
    c->n_weights = o->weights.n;
    c->lower.defines = o->defines.at;
    c->lower.n_defines = o->defines.n;
    c->lower.include_dirs = o->include_dirs.at;
    c->lower.n_include_dirs = o->include_dirs.n;
    c->lower.taps = o->taps.at;
    c->lower.n_taps = o->taps.n;
    c->passes = o->some_passes ? NEW_ARRAY(arena, const char *, o->passes.n + 1) : NULL;
    c->n_passes = o->passes.n;
    if (o->passes.n)
        memcpy((void *)c->passes, o->passes.at, (size_t)o->passes.n * sizeof *c->passes);
}

static void two_networks(const Parser *p, const char *first, const char *second)
{
    const char *command = strpbrk(first, "./") ? NULL : str_nearest(first, command_names, COMMANDS);
    if (command) {
        diag_error(p->d, NO_LOC, "unknown command '%s'; did you mean '%s'?", first, command);
        return;
    }
    diag_error(p->d, NO_LOC, "two networks are given: '%s' and '%s'", first, second);
    diag_note(p->d, NO_LOC, "rnc compiles one at a time; weights follow -w");
}

bool options_parse(Options *o, int argc, char *const *argv, Arena *arena, Diag *d)
{
    Parser p = {o, arena, d, NULL};
    int first = 1;
    bool only_words = false;
    *o = (Options){.command = COMMAND_compile, .tolerance = 1e-5, .threads = 1, .rounds = 30};
    for (int i = 0; argc > 1 && i < COMMANDS; i++) {
        if (str_eq(argv[1], command_names[i])) {
            o->command = (Command)(1 << i);
            first = 2;
        }
    }
    for (int i = first; i < argc; i++) {
        if (!only_words && str_eq(argv[i], "--")) {
            only_words = true;
        } else if (!only_words && argv[i][0] == '-' && argv[i][1]) {
            i = option(&p, i, argc, argv);
        } else if (o->command == COMMAND_doc) {
            diag_error(d, NO_LOC, "'rnc doc' takes no file, and '%s' was given", argv[i]);
        } else if (o->compile.input) {
            two_networks(&p, o->compile.input, argv[i]);
        } else {
            o->compile.input = argv[i];
        }
    }
    if (d->errors == 0)
        check(&p);
    if (d->errors > 0)
        return false;
    fill(o, arena);
    return true;
}
