/* convert_command.c: rnc convert: weights of any format as safetensors, with the network's
 * names and order of axes. */
#include "net/figures.h"
#include "params/safetensors_write.h"
#include "tool/commands.h"
#include "tool/output.h"

#include <stdio.h>
#include <string.h>

/* -o, or the network's name in the current folder; NULL after a message. */
static const char *name_of_output(const Options *o, Arena *arena, Diag *d)
{
    static const char ending[] = ".safetensors";
    if (o->output && !str_ends(o->output, ending)) {
        diag_error(d, NO_LOC, "the output's name must end in %s, and '%s' does not", ending,
                   o->output);
        return NULL;
    }
    if (o->output)
        return o->output;
    const char *slash = strrchr(o->compile.input, '/');
    const char *base = slash ? slash + 1 : o->compile.input, *dot = strrchr(base, '.');
    return arena_printf(arena, "%.*s%s", (int)(dot ? dot - base : (ptrdiff_t)strlen(base)), base,
                        ending);
}

int convert_command(Options *o, Arena *arena, SrcMap *src, Diag *d)
{
    Compiled c;
    const char *path = name_of_output(o, arena, d);
    if (!path)
        return EXIT_USAGE;
    /* The compilation ends where the network is as it was written. */
    o->compile.dump = DUMP_IR;
    if (compile(&o->compile, arena, src, d, &c)) {
        OutputFile file = {.path = path};
        file.bytes = safetensors_print(c.original, &file.size, arena);
        if (write_made(o, &file, 1, path, src, arena, d) && !o->quiet)
            printf("wrote %s: %d parameters and %d statistics of files, %d initialised, %s\n", path,
                   c.bound.bound, c.bound.statistics, c.bound.initialised,
                   figure_bytes(arena, (int64_t)file.size));
    }
    compiled_close(&c);
    return status_of(d);
}
