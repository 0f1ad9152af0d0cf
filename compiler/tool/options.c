/* options.c: reads the command line by the rows of options.def. */
#include "tool/installed.h"
#include "tool/options_parts.h"
#include "train/plot.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

enum { HIDDEN, SHOWN };

/* The place of a field, which must have that type, or the size of an int. */
#define PLACE_OF(field, type) \
    (offsetof(Options, field) + 0 * sizeof((type *)0 == &((Options *)0)->field))
#define PLACE_OF_INT(field)     \
    (offsetof(Options, field) + \
     0 * sizeof(char[sizeof((Options *)0)->field == sizeof(int) ? 1 : -1]))

/* Braces in macros stay on their lines: */
/* clang-format off */
const OptionRow option_rows[] = {
#define SECTION(of, title) {.commands = of, .section = title},
#define OPTION(letter, word, argument, commands, shown, set, doc) \
    {letter, word, argument, commands, doc, shown == SHOWN, set, NULL},
#define FLAG(field) {SET_FLAG, PLACE_OF(field, bool), 0, 0, NULL, NULL}
#define TEXT(field) {SET_TEXT, PLACE_OF(field, const char *), 0, 0, NULL, NULL}
#define LIST(field) {SET_LIST, PLACE_OF(field, Words), 0, 0, NULL, NULL}
#define NUMBER(field, least, most) {SET_NUMBER, PLACE_OF(field, int), least, most, NULL, NULL}
#define ONE_OF(field) {SET_ONE_OF, PLACE_OF(field, const char *), 0, 0, NULL, NULL}
#define WORD(field, first, words) {SET_WORD, PLACE_OF_INT(field), first, 0, words, NULL}
#define CALL(name) {SET_CALL, 0, 0, 0, NULL, option_##name}
#include "tool/options.def"
};
/* clang-format on */
const int option_count = (int)(sizeof option_rows / sizeof *option_rows);
enum { ROWS = sizeof option_rows / sizeof *option_rows };

const CommandRow command_rows[COMMANDS] = {
#define COMMAND(id, letter, usage, brief, what, doc) {#id, letter, usage, brief, what, doc},
#include "tool/options.def"
};

bool option_belongs(const OptionRow *row, Command command)
{
    return strchr(row->commands, command_rows[command].letter) != NULL;
}

const char *option_dashes(const OptionRow *row)
{
    return *row->word >= 'A' && *row->word <= 'Z' ? "-" : "--";
}

/* ---- words ---- */

/* The row of an option as it is written, `text`; *n is then the bytes of its name. */
static const OptionRow *find(Command command, const char *text, size_t *n)
{
    const bool is_long = text[1] == '-';
    for (int i = 0; i < ROWS; i++) {
        const OptionRow *row = &option_rows[i];
        if (row->section || !option_belongs(row, command))
            continue;
        const size_t word = strlen(row->word), dashes = strlen(option_dashes(row));
        const bool fits = strncmp(text, option_dashes(row), dashes) == 0 &&
                          strncmp(text + dashes, row->word, word) == 0;
        *n = dashes + word;
        if (fits && (text[*n] == '\0' || (is_long ? text[*n] == '=' : dashes == 1)))
            return row;
        *n = 2;
        if (!is_long && row->letter && row->letter == text[1])
            return row;
    }
    *n = is_long ? strcspn(text, "=") : strlen(text);
    return NULL;
}

static void unknown_option(Parser *p, const char *text, size_t n)
{
    const char *words[ROWS];
    int count = 0;
    const char *word = arena_strndup(p->arena, text, n);
    for (int i = 0; i < ROWS; i++) {
        const OptionRow *row = &option_rows[i];
        if (!row->section && option_belongs(row, p->o->command))
            words[count++] = arena_printf(p->arena, "%s%s", option_dashes(row), row->word);
    }
    const char *nearest = str_nearest(word, words, count);
    diag_error(p->d, NO_LOC, "unknown option '%s'%s%s%s", word, nearest ? "; did you mean '" : "",
               nearest ? nearest : "", nearest ? "'?" : "");
    for (int i = 0; i < COMMANDS; i++) {
        size_t length;
        if (n > 2 && find((Command)i, text, &length)) {
            diag_note(p->d, NO_LOC, "'rnc %s' has one of that name", command_rows[i].name);
            break;
        }
    }
}

/* One argument that begins with '-' (and its value); returns the index of the
 * last one used. */
static int option(Parser *p, int i, int argc, char *const *argv)
{
    const char *text = argv[i], *value = NULL;
    size_t n;
    const OptionRow *row = find(p->o->command, text, &n);
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
        value = text[n] ? text + n + (text[1] == '-') : i + 1 < argc ? argv[++i] : NULL;
        if (!value) {
            diag_error(p->d, NO_LOC, "%s is the last word; a value must follow: %s", p->option,
                       row->argument);
            return i;
        }
    }
    const bool two = row->argument && strchr(row->argument, ' ');
    if (two && i + 1 >= argc) {
        diag_error(p->d, NO_LOC, "%s takes two values: %s", p->option, row->argument);
        return i;
    }
    const bool good = apply_option(p, row, value) && (!two || apply_option(p, row, argv[++i]));
    /* Of a machine its numbers are shown, so that the C can be made elsewhere. */
    if (good && row->set.call == option_machine)
        value = p->o->compile.plan.machine->name;
    if (good && row->shown)
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

/* The runs whose curves are shown. */
static void check_folders(const Parser *p)
{
    const int n = p->o->folders.n;
    if (n == 0)
        diag_error(p->d, NO_LOC, "no run is given: name the folders that rnc train made");
    if (n > RNCT_CURVES_MOST)
        diag_error(p->d, NO_LOC, "%d runs are given, and a picture has room for %d", n,
                   RNCT_CURVES_MOST);
    if (p->o->output && !str_ends(p->o->output, ".svg"))
        diag_error(p->d, NO_LOC, "the curves go to a file that ends in .svg, not to '%s'",
                   p->o->output);
}

/* What must hold of the options together. */
static void check(Parser *p)
{
    Options *o = p->o;
    if (o->help || o->version || o->command == COMMAND_doc)
        return;
    if (o->command == COMMAND_guess) {
        if (o->weights.n == 0)
            diag_error(p->d, NO_LOC, "no weights are given: -w FILE");
        return;
    }
    if (o->command == COMMAND_curves) {
        check_folders(p);
        return;
    }
    if (!o->compile.input && o->command == COMMAND_data)
        diag_error(p->d, NO_LOC, "no data is given: name a folder or a file");
    else if (!o->compile.input && o->command == COMMAND_import)
        diag_error(p->d, NO_LOC, "no model is given: name a file of another tool");
    else if (!o->compile.input)
        diag_error(p->d, NO_LOC, "no network is given: name a .net file");
    if (o->compile.dump_after && o->compile.dump != DUMP_IR)
        diag_error(p->d, NO_LOC, "--after says which network --dump ir shows; it needs that");
    if (o->compile.emit.embed != EMBED_FILE && o->weights.n == 0 && !o->init)
        diag_error(p->d, NO_LOC,
                   "--embed puts the weights into the program: give them with -w, or "
                   "--init");
    if (o->command == COMMAND_convert && o->weights.n == 0 && !o->init)
        diag_error(p->d, NO_LOC, "there is nothing to convert: give weights, -w FILE or --init");
    if (o->command == COMMAND_train && !o->train_data)
        diag_error(p->d, NO_LOC, "no data is given: --data names a folder or a file");
    if (o->command == COMMAND_train && !o->output)
        diag_error(p->d, NO_LOC, "no folder is given for what the training leaves: -o FOLDER");
    if (o->except.n && o->weights.n == 0)
        diag_error(p->d, NO_LOC, "--except says what the weights do not give; it needs -w");
    if (o->compile.train && o->runs)
        diag_error(p->d, NO_LOC, "a step of training is one run: take either --train or --runs");
    if (o->command == COMMAND_eval && o->output && !str_ends(o->output, ".safetensors"))
        diag_error(p->d, NO_LOC, "gradients go to a file that ends in .safetensors, not to '%s'",
                   o->output);
    if (!o->compile.train && o->command != COMMAND_train &&
        (o->compile.some_loss || o->compile.loss.output || o->compile.loss.keep_statistics))
        diag_error(p->d, NO_LOC, "%s says what a step of training is; it needs --train",
                   o->compile.some_loss     ? "--loss"
                   : o->compile.loss.output ? "--loss-of"
                                            : "--keep-statistics");
    if (!o->compile.train && (o->compile.ranks || o->compile.shards))
        diag_error(p->d, NO_LOC,
                   "--ranks and --shards are of a step of training; they need --train");
    if (o->command == COMMAND_graph)
        choose_format(p);
    if ((o->dependency_phony || o->dependency_target) && !o->dependencies)
        diag_error(p->d, NO_LOC, "%s changes what -MD or -MF writes; give one of them",
                   o->dependency_phony ? "-MP" : "-MT");
    if (o->dependencies && o->command == COMMAND_graph && !o->output)
        diag_error(p->d, NO_LOC, "-MD says what a file is made from; give the picture one with -o");
    if (o->dependencies && o->compile.dump != DUMP_NONE)
        diag_error(p->d, NO_LOC, "-MD says what files are made from, and --dump makes none");
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
    VEC_PUSH(arena, &o->include_dirs, installed_path(RNC_MODELS_DIR, arena));
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

/* False, and *command as it was, if no command is called so. */
static bool find_command(const char *word, Command *command)
{
    for (int i = 0; i < COMMANDS; i++) {
        if (str_eq(word, command_rows[i].name)) {
            *command = (Command)i;
            return true;
        }
    }
    return false;
}

/* The command that a word looks like, or NULL. */
static const char *nearest_command(const char *word)
{
    const char *names[COMMANDS];
    for (int i = 0; i < COMMANDS; i++)
        names[i] = command_rows[i].name;
    return strpbrk(word, "./") ? NULL : str_nearest(word, names, COMMANDS);
}

static void unknown_command(const Parser *p, const char *word)
{
    const char *nearest = nearest_command(word);
    diag_error(p->d, NO_LOC, "unknown command '%s'%s%s%s", word, nearest ? "; did you mean '" : "",
               nearest ? nearest : "", nearest ? "'?" : "");
}

static void two_networks(const Parser *p, const char *first, const char *second)
{
    if (nearest_command(first)) {
        unknown_command(p, first);
        return;
    }
    if (p->o->command == COMMAND_data) {
        diag_error(p->d, NO_LOC, "two data sets are given: '%s' and '%s'", first, second);
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
    if (argc > 1 && str_eq(argv[1], "help")) { /* rnc help train is rnc train --help */
        o->help = true;
        first = 2;
    }
    if (first < argc && find_command(argv[first], &o->command))
        first++;
    else if (o->help && first < argc && argv[first][0] != '-')
        unknown_command(&p, argv[first]);
    for (int i = first; i < argc; i++) {
        if (!only_words && str_eq(argv[i], "--")) {
            only_words = true;
        } else if (!only_words && argv[i][0] == '-' && argv[i][1]) {
            i = option(&p, i, argc, argv);
        } else if (o->command == COMMAND_doc) {
            diag_error(d, NO_LOC, "'rnc doc' takes no file, and '%s' was given", argv[i]);
        } else if (o->command == COMMAND_guess) { /* rnc guess FILE is rnc guess -w FILE */
            VEC_PUSH(arena, &o->weights, argv[i]);
        } else if (o->command == COMMAND_curves) {
            VEC_PUSH(arena, &o->folders, argv[i]);
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
