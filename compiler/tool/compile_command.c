/* compile_command.c: rnc compile: a network and its weights to C. */
#include "net/figures.h"
#include "plan/tuning.h"
#include "view/report.h"
#include "tool/commands.h"

#include <stdio.h>
#include <string.h>

/* Methods for speed read transformed filters, which can be much larger than the parameters. */
static void print_weights_growth(const Plan *plan, int64_t parameters, Arena *arena)
{
    const int64_t bytes = parameters * elem_bytes(ELEM_F32);
    if (plan->weight_bytes > bytes + bytes / 10)
        printf("these weights are %.2f times the parameters' %s, for speed; --optimize balanced or "
               "size has less\n",
               (double)plan->weight_bytes / (double)bytes, figure_bytes(arena, bytes));
}

static void print_summary(const Options *o, const Compiled *c, const OutputFile *files, int n,
                          Arena *arena)
{
    const Plan *plan = c->plan;
    printf("%s: %s, %s, %s an image\n", c->original->name, figure_layers(arena, c->original),
           figure_count(arena, net_parameters(c->original), " parameters"),
           figure_count(arena, net_macs(c->original), "MAC"));
    printf("arena %s (bound %s, +%.1f %%), weights %s\n", figure_bytes(arena, plan->arena_bytes),
           figure_bytes(arena, plan->lower_bound), figure_gap(plan->arena_bytes, plan->lower_bound),
           figure_bytes(arena, plan->weight_bytes));
    Buf memory = buf_new(arena);
    report_memory(&memory, &c->memory, arena);
    print_text(&memory);
    print_weights_growth(plan, net_parameters(c->original), arena);
    if (o->native)
        printf("for this machine: --machine %s\n", plan->options.machine->name);
    if (plan->options.tuning)
        printf("tuning: %d of %d rows are of layers of this network\n",
               tuning_used(plan->options.tuning, plan->net), plan->options.tuning->rows.n);
    if (c->bound.bound > 0)
        printf("bound %d parameters and %d statistics, %d initialised, %d tensors left over\n",
               c->bound.bound, c->bound.statistics, c->bound.initialised, c->bound.left_over);
    printf("wrote");
    for (int i = 0; i < n; i++)
        printf("%s %s", i ? "," : "", files[i].path);
    const bool asks = !c->weights && !o->compile.train;
    printf("%s\n", asks ? "; no weights: give them with -w, or --init he:1" : "");
}

/* OpenBLAS chooses its kernels when it is loaded, from a list of CPUs that is as old as OpenBLAS
 * itself.  configure compared its choice with the CPU that rnc was built on. */
static void print_blas_hint(void)
{
    const char *core = RNC_OPENBLAS_CORE, *better = RNC_OPENBLAS_BETTER;
    printf("link with -lopenblas");
    if (*better)
        printf("; it took this machine's CPU for %s, which looks wrong: run the program with "
               "OPENBLAS_CORETYPE=%s\n",
               core, better);
    else
        printf("; if it takes a CPU for an older one, OPENBLAS_CORETYPE=SkylakeX (AVX-512) or "
               "Haswell (AVX2) in the environment mends that\n");
}

/* The header's place, beside the others. */
static const char *header_path(const char *base, const char *header, Arena *arena)
{
    const char *slash = strrchr(base, '/');
    return slash ? arena_printf(arena, "%.*s/%s", (int)(slash - base), base, header) : header;
}

/* Notes the network's name in C if it differs from its output's name. */
static void note_name(const Options *o, const char *base, Diag *d)
{
    const char *slash = strrchr(base, '/'), *stem = slash ? slash + 1 : base;
    const EmitOptions *e = &o->compile.emit;
    if (!o->quiet && !o->name && !str_eq(e->name, stem))
        diag_note(d, NO_LOC, "C has the network as '%s'; --name NAME gives it another name",
                  e->name);
}

static bool write_outputs(const Options *o, const Compiled *c, const char *base, const SrcMap *src,
                          Arena *arena, Diag *d)
{
    OutputFile files[3] = {
        {arena_printf(arena, "%s.c", base), buf_text(&c->source), c->source.n},
        {header_path(base, o->compile.emit.header, arena), buf_text(&c->header), c->header.n},
    };
    int n = 2;
    if (c->weights && o->compile.emit.embed != EMBED_ARRAY)
        files[n++] =
            (OutputFile){arena_printf(arena, "%s.weights", base), c->weights, c->weights_size};
    if (!write_made(o, files, n, base, src, arena, d))
        return false;
    note_name(o, base, d);
    if (o->quiet || o->report == REPORT_JSON)
        return true;
    print_summary(o, c, files, n, arena);
    if (c->plan->options.backend == BACKEND_OPENBLAS)
        print_blas_hint();
    return true;
}

static bool print_report(const Options *o, const Compiled *c, Arena *arena, Diag *d)
{
    Buf text = buf_new(arena);
    if (o->report == REPORT_TEXT) {
        report_text(&text, c, arena);
    } else if (o->report == REPORT_JSON && !report_json(&text, c)) {
        diag_error(d, NO_LOC, "out of memory");
        return false;
    }
    print_text(&text);
    return true;
}

/* The C of a step of training has no weights: its state has them.  False after a message. */
static bool may_have_weights(const Options *o, Diag *d)
{
    const CompileOptions *c = &o->compile;
    const char *option = o->weights.n ? "-w" : c->init.kind != INIT_NONE ? "--init" : NULL;
    if (!c->train || c->dump != DUMP_NONE || !option)
        return true;
    diag_error(d, NO_LOC, "the C of a step of training has no weights, which %s is for", option);
    diag_note(d, NO_LOC,
              "its state has them: NAME_initialise draws them, and NAME_set takes trained ones, a "
              "tensor a call");
    return false;
}

int compile_command(Options *o, Arena *arena, SrcMap *src, Diag *d)
{
    Compiled c;
    const char *base;
    if (!may_have_weights(o, d))
        return EXIT_USAGE;
    if (!names_of_outputs(o, arena, d, &base))
        return EXIT_USAGE;
    if (compile(&o->compile, arena, src, d, &c)) {
        if (o->compile.dump == DUMP_REPORT)
            report_text(&c.dump, &c, arena);
        if (o->compile.dump != DUMP_NONE)
            print_text(&c.dump);
        else if (write_outputs(o, &c, base, src, arena, d))
            print_report(o, &c, arena, d);
    }
    compiled_close(&c);
    return status_of(d);
}
