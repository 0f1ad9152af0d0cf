/* fuzz_ir.c: any text as a network's text form.  What is read must be whole, and
 * printing and reading it again must give the same text. */
#include "fuzz.h"
#include "net/irtext.h"
#include "passes/pass.h"

#include <stdlib.h>
#include <string.h>

static void read_text(Arena *arena, const uint8_t *data, size_t size)
{
    SrcMap src = {.arena = arena};
    Diag diag = diag_new(&src, arena);
    const int file = src_add(&src, "fuzz.ir", (const char *)data, size);
    const Net *net = irtext_read(arena, file, &diag);
    if (!net != (diag.errors > 0))
        abort();
    if (!net)
        return;
    Buf once = buf_new(arena), twice = buf_new(arena);
    irtext_print(&once, net, NULL);
    const int again = src_add(&src, "again.ir", once.text, once.n);
    const Net *same = irtext_read(arena, again, &diag);
    if (!same)
        abort();
    irtext_print(&twice, same, NULL);
    if (strcmp(buf_text(&once), buf_text(&twice)) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_in_arena(read_text, data, size);
}
