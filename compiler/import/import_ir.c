/* import_ir.c: the text form of a network, which has no values; it goes through all that other
 * models do, so that tests of the rest need no other tool's files. */
#include "import/import_parts.h"
#include "net/irtext.h"

bool ir_is(const Opened *file)
{
    return str_ends(file->path, ".ir");
}

bool ir_import(Imported *to, const Opened *file, SrcMap *src, Diag *d)
{
    const int text = src_add(src, file->path, (const char *)file->bytes, file->size);
    to->format = "a network's text form";
    to->net = irtext_read(src->arena, text, d);
    return to->net != NULL;
}
