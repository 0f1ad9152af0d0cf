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

Words inputs_of(const Options *o, const SrcMap *src, Arena *arena)
{
    Words inputs = {0};
    for (int i = 0; i < src->files.n; i++)
        VEC_PUSH(arena, &inputs, src->files.at[i].name);
    for (int i = 0; i < o->weights.n; i++) {
        const char *key;
        VEC_PUSH(arena, &inputs, tensorfile_path(o->weights.at[i], &key, arena));
    }
    if (o->compile.lower.labels)
        VEC_PUSH(arena, &inputs, o->compile.lower.labels);
    return inputs;
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
