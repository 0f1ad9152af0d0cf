/* convert_command.c: rnc convert: weights of any format as safetensors, with the network's
 * names and order of axes. */
#include "net/figures.h"
#include "params/safetensors_write.h"
#include "tool/commands.h"
#include "tool/output.h"

#include <stdio.h>

int convert_command(Options *o, Arena *arena, SrcMap *src, Diag *d)
{
    Compiled c;
    const char *path = output_ending(o, ".safetensors", arena, d);
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
