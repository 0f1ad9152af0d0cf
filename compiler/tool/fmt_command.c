/* fmt_command.c: rnc fmt: a .net file in the one layout. */
#include "lang/format.h"
#include "tool/commands.h"
#include "tool/output.h"

#include <stdio.h>
#include <string.h>

int fmt_command(Options *o, Arena *arena, SrcMap *src, Diag *d)
{
    const char *path = o->compile.input, *why;
    const int file = src_read(src, path, &why);
    Buf text = buf_new(arena);
    if (file < 0) {
        diag_file_error(d, path, "cannot read the network: %s", why);
        return EXIT_USER;
    }
    if (!format_file(&text, arena, file, d))
        return status_of(d);
    const SrcFile *was = src_file(src, file);
    const bool same = was->size == text.n && memcmp(was->text, buf_text(&text), text.n) == 0;
    if (o->check_layout) {
        if (!same) {
            diag_file_error(d, path, "it is not laid out as 'rnc fmt' does it");
            diag_file_note(d, path, "'rnc fmt %s' changes blanks, indentation and empty lines",
                           path);
        }
    } else if (o->output && str_eq(o->output, "-")) {
        fwrite(buf_text(&text), 1, text.n, stdout);
    } else if (o->output || !same) {
        const OutputFile out = {o->output ? o->output : path, buf_text(&text), text.n};
        outputs_write(&out, 1, NULL, 0, arena, d);
    }
    return status_of(d);
}
