/* summary_command.c: rnc summary: a network as a table, or two of them compared. */
#include "view/summary.h"
#include "tool/commands.h"

#include <stdio.h>

/* The network as it was written, and its plan; no C. */
static bool plan_of(const Options *o, Arena *arena, SrcMap *src, Diag *d, Compiled *c)
{
    CompileOptions options = o->compile;
    options.dump = DUMP_PLAN;
    return compile(&options, arena, src, d, c);
}

static int compare_command(const Options *o, Arena *arena, SrcMap *src, Diag *d)
{
    Options other = *o;
    Compiled a, b = {0};
    Buf text = buf_new(arena);
    other.compile.input = o->against;
    other.compile.lower.defines = o->against_defines.at;
    other.compile.lower.n_defines = o->against_defines.n;
    if (plan_of(o, arena, src, d, &a) && plan_of(&other, arena, src, d, &b)) {
        if (o->report != REPORT_JSON)
            compare_text(&text, &a, &b, arena);
        else if (!compare_json(&text, &a, &b, arena))
            diag_error(d, NO_LOC, "out of memory");
        if (d->errors == 0)
            print_text(&text);
    }
    compiled_close(&a);
    compiled_close(&b);
    return status_of(d);
}

int summary_command(Options *o, Arena *arena, SrcMap *src, Diag *d)
{
    Compiled c;
    Buf text = buf_new(arena);
    if (o->against)
        return compare_command(o, arena, src, d);
    if (plan_of(o, arena, src, d, &c)) {
        if (o->report != REPORT_JSON)
            summary_text(&text, &c, src, o->expand, arena);
        else if (!summary_json(&text, &c, src, arena))
            diag_error(d, NO_LOC, "out of memory");
        if (d->errors == 0)
            print_text(&text);
    }
    compiled_close(&c);
    return status_of(d);
}
