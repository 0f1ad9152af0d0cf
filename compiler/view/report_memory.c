/* report_memory.c: what a step of training could compute again, or an inference by bands, to need
 * less memory, a line a choice, and which was taken. */
#include "view/report.h"

#include "net/figures.h"

static void report_choice(Buf *out, const MemoryReport *r, const MemoryChoice *c, Arena *arena)
{
    buf_printf(out, "  %s %9s %9s  ", c->taken ? "->" : "  ",
               figure_bytes(arena, r->state + c->arena), figure_bytes(arena, c->arena));
    if (c->layers == 0) {
        buf_puts(out, "nothing\n");
        return;
    }
    if (r->bands) {
        buf_printf(out, "%d layers: +%.1f %% multiplications\n", c->layers,
                   100.0 * (double)c->macs / (double)(r->macs ? r->macs : 1));
        return;
    }
    const char *products =
        c->products ? arena_printf(arena, ", %d of them with filters", c->products) : "";
    buf_printf(out, "%d layer%s%s: +%.1f %% multiplications, %s moved\n", c->layers,
               c->layers > 1 ? "s" : "", products,
               100.0 * (double)c->macs / (double)(r->macs ? r->macs : 1),
               figure_bytes(arena, c->moved));
}

void report_memory(Buf *out, const MemoryReport *r, Arena *arena)
{
    if (r->choices.n == 0)
        return;
    buf_printf(out, "memory of %s", r->bands ? "an inference" : "a step");
    if (r->state > 0)
        buf_printf(out, ", %s of it its state", figure_bytes(arena, r->state));
    buf_printf(out, ":\n        total     arena  %s\n", r->bands ? "by bands" : "computed again");
    for (int i = 0; i < r->choices.n; i++)
        report_choice(out, r, &r->choices.at[i], arena);
}
