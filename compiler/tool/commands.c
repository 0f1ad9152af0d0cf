/* commands.c: what the commands share. */
#include "tool/commands.h"

#include "base/utf8.h"

#include <stdio.h>

int status_of(const Diag *d)
{
    if (d->errors == 0)
        return EXIT_GOOD;
    return d->internal ? EXIT_INTERNAL : EXIT_USER;
}

static void add_once(Words *words, const char *word, Arena *arena)
{
    for (int i = 0; i < words->n; i++) {
        if (str_eq(words->at[i], word))
            return;
    }
    VEC_PUSH(arena, words, word);
}

/* Every file that was read; labels and a tuning are among the sources. */
static Words inputs_of(const Options *o, const SrcMap *src, Arena *arena)
{
    Words inputs = {0};
    for (int i = 0; i < src->files.n; i++) {
        if (src->files.at[i].on_disk)
            add_once(&inputs, src->files.at[i].name, arena);
    }
    for (int i = 0; i < o->weights.n; i++) {
        const char *key;
        add_once(&inputs, tensorfile_path(o->weights.at[i], &key, arena), arena);
    }
    return inputs;
}

/* A name as make reads it: blanks, '#', and the backslashes before them are escaped, and '$'. */
static void put_make_name(Buf *out, const char *name)
{
    for (const char *c = name; *c; c++) {
        if (*c == ' ' || *c == '\t' || *c == '#') {
            for (const char *before = c; before > name && before[-1] == '\\'; before--)
                buf_putc(out, '\\');
            buf_putc(out, '\\');
        } else if (*c == '$') {
            buf_putc(out, '$');
        }
        buf_putc(out, *c);
    }
}

/* Prints OUTPUT ...: INPUT ..., as C compilers do; with -MT, its word replaces the outputs. */
static void put_rules(Buf *out, const Options *o, const OutputFile *files, int n,
                      const Words *inputs)
{
    if (o->dependency_target)
        put_make_name(out, o->dependency_target);
    for (int i = 0; !o->dependency_target && i < n; i++) {
        buf_puts(out, i ? " " : "");
        put_make_name(out, files[i].path);
    }
    buf_putc(out, ':');
    for (int i = 0; i < inputs->n; i++) {
        buf_puts(out, " \\\n  ");
        put_make_name(out, inputs->at[i]);
    }
    buf_putc(out, '\n');
    for (int i = 0; o->dependency_phony && i < inputs->n; i++) {
        buf_putc(out, '\n');
        put_make_name(out, inputs->at[i]);
        buf_puts(out, ":\n");
    }
}

bool write_made(const Options *o, const OutputFile *files, int n, const char *base,
                const SrcMap *src, Arena *arena, Diag *d)
{
    const Words inputs = inputs_of(o, src, arena);
    OutputFile *all = NEW_ARRAY(arena, OutputFile, n + 1);
    for (int i = 0; i < n; i++)
        all[i] = files[i];
    if (o->dependencies) {
        Buf rules = buf_new(arena);
        put_rules(&rules, o, files, n, &inputs);
        const char *path = o->dependency_file;
        all[n++] =
            (OutputFile){path ? path : arena_printf(arena, "%s.d", base), rules.text, rules.n};
    }
    return outputs_write(all, n, inputs.at, inputs.n, arena, d);
}

void print_text(const Buf *text)
{
    Buf shown = buf_new(text->arena);
    buf_add_shown(&shown, buf_text(text), text->n, true);
    fputs(buf_text(&shown), stdout);
}

bool has_weights(const Compiled *c, const char *command, Diag *d)
{
    if (c->has_weights)
        return true;
    diag_error(d, NO_LOC, "'rnc %s' computes, and needs weights: -w FILE, or --init random:1",
               command);
    return false;
}
