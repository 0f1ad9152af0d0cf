/* emit_header.c: the interface, NAME.h. */
#include "emit/emit_parts.h"

#include "plan/batch.h"
#include "emit/identifiers.h"
#include "runtime/rncrt.h"

#include <inttypes.h>
#include <string.h>

void emit_run_declaration(Emit *e)
{
    const Net *net = e->plan->net;
    const PortNames names = port_names(e->plan, e->arena);
    Buf line = buf_new(e->arena);
    buf_printf(&line, "void %s_run(%s *net", e->name, e->name);
    for (int i = 0; i < net->inputs.n; i++)
        buf_printf(&line, ", const %s *%s", port_type(&net->inputs.at[i]), names.in[i]);
    for (int i = 0; i < net->outputs.n; i++)
        buf_printf(&line, ", float *%s", names.out[i]);
    buf_puts(&line, ")");
    const bool wide = line.n > 98;
    for (size_t i = 0; i < line.n; i++) {
        if (wide && i > 0 && line.text[i - 1] == ',')
            buf_printf(e->out, "\n%*s", (int)strlen("void _run(") + (int)strlen(e->name), "");
        if (!wide || i == 0 || line.text[i - 1] != ',')
            buf_putc(e->out, line.text[i]);
    }
}

/* ---- the header ---- */

static const char begin_text[] = "#ifndef RNC_NET_$_H\n"
                                 "#define RNC_NET_$_H\n";

static const char engine_text[] =
    "\n/* An inference engine.  The caller provides the memory of it, as many engines as it "
    "likes.\n"
    " * Treat the members as private, but for why. */\n"
    "typedef struct @ {\n"
    "    const void *kernels;          /* of the instruction set in use */\n"
    "    unsigned char *arena;\n"
    "    const unsigned char *weights; /* the first tensor */\n"
    "    rnc_pool *pool;\n"
    "    rnc_trace_hook hook; /* or NULL */\n"
    "    void *context;\n"
    "    char why[192]; /* after an error: what was expected and found */\n"
    "} @;\n"
    "\n"
    "/* Everything that can go wrong goes wrong here; net->why then says more.  The\n"
    " * arena belongs to this engine, $_ARENA_BYTES aligned to\n"
    " * $_ARENA_ALIGN; weights are only read, by any number of engines in any\n"
    " * number of threads.  pool: threads to share the work, or NULL for the caller's\n"
    " * own alone.  Weights, arena and pool must outlive the engine. */\n"
    "rnc_status @_init(@ *net, const rnc_weights *w,\n"
    "    void *arena, size_t arena_bytes, rnc_pool *pool);\n"
    "\n"
    "/* Another instruction set than the best one: for tests and comparisons. */\n"
    "rnc_status @_use(@ *net, rnc_isa isa);\n"
    "\n"
    "/* One inference: cannot fail, allocates nothing, writes the outputs and the arena\n"
    " * alone.  An engine serves one thread at a time.  On x86-64 and 64-bit ARM denormal numbers\n"
    " * count as 0 inside; the state of the caller's floating-point unit is as before. */\n";

static const char embed_text[] = "\n/* The weights file in the program, aligned to 64 bytes:\n"
                                 " *     rnc_weights_memory(&w, @_weights, $_WEIGHTS_BYTES)\n"
                                 " */\n"
                                 "extern const unsigned char @_weights[];\n";

static const char end_text[] =
    "\n/* Calls hook(context, ...) after each step of every later run, with the number of the "
    "step\n"
    " * in @_info.steps and its result; NULL: no longer.  init begins without. */\n"
    "void @_trace(@ *net, rnc_trace_hook hook, void *context);\n"
    "\n"
    "/* The network described for programs that serve any network (rncrt.h): ports, steps, sizes,\n"
    " * and these functions by pointer. */\n"
    "extern const rnc_net_info @_info;\n"
    "\n"
    "#ifdef __cplusplus\n"
    "}\n"
    "#endif\n";

/* Arena bytes to ask for: a caller's array of none would be no array. */
int64_t emit_arena_bytes(const Plan *plan)
{
    return plan->arena_bytes > 0 ? plan->arena_bytes : 64;
}

/* Of run and what it calls down to a step, and of the largest step's frame; tests/interface.sh
 * measures both. */
static int stack_bytes(const Plan *plan)
{
    static const int frames[ISA_COUNT] = {[ISA_avx512] = 12 << 10,
                                          [ISA_avx2] = 12 << 10,
                                          [ISA_neon] = 12 << 10,
                                          [ISA_portable] = 76 << 10,
                                          [ISA_scalar] = 12 << 10};
    int most = 0;
    for (int i = 0; i < ISA_COUNT; i++) {
        if ((plan->options.isas >> i & 1) && frames[i] > most)
            most = frames[i];
    }
    return most + (4 << 10);
}

static void emit_figures(Emit *e)
{
    const Plan *plan = e->plan;
    const Net *net = plan->net;
    buf_printf(e->out, "\n#define %s_ARENA_BYTES %" PRId64 "\n", e->upper, emit_arena_bytes(plan));
    buf_printf(e->out, "#define %s_ARENA_ALIGN 64\n", e->upper);
    buf_printf(e->out, "#define %s_BATCH %d\n", e->upper,
               net->inputs.n ? whole_batch(plan, net->inputs.at[0].node->type).n : 1);
    buf_printf(e->out,
               "/* Weights files carry the same number, or do not fit. */\n"
               "#define %s_PLAN_HASH UINT64_C(0x%016" PRIx64 ")\n",
               e->upper, plan->hash);
    buf_printf(e->out, "/* Of the weights file. */\n#define %s_WEIGHTS_BYTES %zu\n", e->upper,
               emit_weights_size(plan));
    buf_printf(
        e->out,
        "/* More threads than these gain nothing in steps that need scratch (rnc --threads). */\n"
        "#define %s_THREADS %d\n",
        e->upper, plan->options.threads);
    buf_printf(e->out,
               "/* Stack that run takes at most, on each thread, compiled with optimization (gcc "
               "and clang, "
               "-O1 or more). */\n"
               "#define %s_STACK_BYTES %d\n",
               e->upper, stack_bytes(plan));
}

/* A runtime of another release would misread what this one says. */
static void emit_abi(Emit *e)
{
    buf_printf(
        e->out,
        "\n#if !defined(RNCRT_ABI) || RNCRT_ABI != %d\n"
        "#error \"%s was made for a runtime of another release (RNCRT_ABI %d): make it again "
        "with this one's rnc\"\n"
        "#endif\n",
        RNCRT_ABI, e->name, RNCRT_ABI);
}

void emit_header(Buf *out, const Plan *plan, const EmitOptions *options, const SrcMap *src)
{
    Emit e = emit_begin(out, plan, options, src);
    const Net *net = plan->net;
    const PortNames names = port_names(plan, e.arena);
    buf_printf(out,
               "/* %s.h: the network %s in C, made by rnc %s: what %s.c offers.\n"
               " * For any use by anyone, without conditions. */\n",
               e.name, comment_text(e.arena, net->name), RNC_VERSION, e.name);
    emit_template(&e, begin_text);
    if (options->single_file)
        emit_runtime_interface(out);
    else
        buf_puts(out, "\n#include <rncrt.h>\n");
    emit_abi(&e);
    buf_puts(out, "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
    emit_figures(&e);
    emit_port_macros(&e);
    emit_template(&e, engine_text);
    emit_run_declaration(&e);
    buf_puts(out, ";\n");
    for (int i = 0; i < net->outputs.n; i++) {
        if (net->outputs.at[i].n_labels > 0)
            buf_printf(out,
                       "\n/* The name of class 0 .. %d; NULL for any other number. */\n"
                       "const char *%s_%s_label(int class_number);\n",
                       net->outputs.at[i].n_labels - 1, e.name, names.out[i]);
    }
    if (options->embed != EMBED_FILE)
        emit_template(&e, embed_text);
    emit_template(&e, end_text);
    if (options->single_file)
        emit_runtime_functions(out);
    buf_puts(out, "\n#endif\n");
}
