/* fuzz_net.c: any text as a .net file, through every phase to the emitted C.  A text that parses
 * can be laid out, twice with one result; a network can be written as text again. */
#include "emit/emit.h"
#include "fuzz.h"
#include "import/write.h"
#include "lang/format.h"
#include "lang/lower.h"
#include "net/check.h"
#include "passes/pass.h"
#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

static void lay_out(Arena *arena, SrcMap *src, int file)
{
    Diag quiet = diag_new(src, arena);
    Buf once = buf_new(arena), twice = buf_new(arena);
    if (!format_file(&once, arena, file, &quiet)) {
        if (quiet.internal)
            abort();
        return;
    }
    const int again = src_add(src, "again.net", buf_text(&once), once.n);
    if (!format_file(&twice, arena, again, &quiet) || once.n != twice.n ||
        memcmp(buf_text(&once), buf_text(&twice), once.n) != 0)
        abort();
}

static void write_again(Arena *arena, SrcMap *src, const Net *net)
{
    Diag quiet = diag_new(src, arena);
    const Imported from = {.net = ir_copy(net, arena)};
    Written to;
    if (!write_net(&to, &from, "written.net", src, &quiet))
        abort();
}

static void compile_text(Arena *arena, const uint8_t *data, size_t size)
{
    SrcMap src = {.arena = arena};
    Diag diag = diag_new(&src, arena);
    const int file = src_add(&src, "fuzz.net", (const char *)data, size);
    lay_out(arena, &src, file);
    const LowerOptions options = {0};
    Net *net = lower_file(arena, &src, file, &options, &diag);
    if (!net != (diag.errors > 0))
        abort(); /* no network without a message, and none with one */
    if (!net)
        return;
    write_again(arena, &src, net);
    if (!check_net(net, &diag, "lowering") || !pass_run(net, &diag, (PassChoice){0}))
        abort();
    Plan *plan = plan_make(arena, net, (PlanOptions){0}, &diag);
    if (!plan) {
        if (diag.errors == 0)
            abort();
        return;
    }
    Buf out = buf_new(arena);
    const EmitOptions emit = {.name = "fuzz",
                              .command = "rnc fuzz.net",
                              .source = "fuzz.c",
                              .header = "fuzz.h",
                              .weights_file = "fuzz.weights"};
    emit_header(&out, plan, &emit, &src);
    emit_source(&out, plan, &emit, &src);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_in_arena(compile_text, data, size);
}
