/* fuzz_net.c: any text as a .net file, through every phase to the emitted C. */
#include "emit/emit.h"
#include "fuzz.h"
#include "lang/lower.h"
#include "net/check.h"
#include "passes/pass.h"
#include "plan/plan.h"

#include <stdlib.h>

static void compile_text(Arena *arena, const uint8_t *data, size_t size)
{
    SrcMap src = {.arena = arena};
    Diag diag = diag_new(&src, arena);
    const int file = src_add(&src, "fuzz.net", (const char *)data, size);
    const LowerOptions options = {0};
    Net *net = lower_file(arena, &src, file, &options, &diag);
    if (!net != (diag.errors > 0))
        abort(); /* no network without a message, and none with one */
    if (!net)
        return;
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
