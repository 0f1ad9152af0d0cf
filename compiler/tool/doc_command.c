/* doc_command.c: rnc doc: the operators and their attributes. */
#include "view/doc.h"
#include "tool/commands.h"

int doc_command(Options *o, Arena *arena, SrcMap *src, Diag *d)
{
    Buf text = buf_new(arena);
    (void)o, (void)src;
    doc_manual(&text);
    print_text(&text);
    return status_of(d);
}
