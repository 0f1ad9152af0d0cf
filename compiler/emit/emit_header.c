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
    buf_printf(&line, "void %s_run(%s *net%s", e->name, e->name, e->state ? ", void *state" : "");
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
    "\n/* An inference engine.  The caller allocates it, and may have as many as it likes.\n"
    " * Treat all members except `why` as private. */\n"
    "typedef struct @ {\n"
    "    const void *kernels;          /* those for the instruction set in use */\n"
    "    unsigned char *arena;\n"
    "    const unsigned char *weights; /* the first tensor */\n"
    "    rnc_pool *pool;\n"
    "    rnc_trace_hook hook; /* or NULL */\n"
    "    void *context;\n";

/* Where there are layers by bands. */
static const char slot_text[] = "    unsigned char *slot; /* where a thread computes a band */\n";

static const char engine_end_text[] =
    "    char why[192]; /* after an error: what was expected and found */\n"
    "} @;\n"
    "\n"
    "/* Makes an engine ready.  Everything that can fail fails here; net->why then says more.\n"
    " * arena: $_ARENA_BYTES bytes for this engine alone, aligned to $_ARENA_ALIGN.\n"
    " * w: weights, which are only read; any number of engines and threads may share them.\n"
    " * pool: threads that share the work; NULL: only the caller's thread works.\n"
    " * Weights, arena and pool must outlive the engine. */\n"
    "rnc_status @_init(@ *net, const rnc_weights *w,\n"
    "    void *arena, size_t arena_bytes, rnc_pool *pool);\n"
    "\n"
    "/* Selects another instruction set than the best one, for tests and comparisons. */\n"
    "rnc_status @_use(@ *net, rnc_isa isa);\n";

static const char state_text[] =
    "\n/* Makes a state ready for a first run.  A stream of inputs has one of its own, and any "
    "number "
    "of\n"
    " * streams can take turns with an engine.  A copy of the memory is a copy of the state.\n"
    " * state: $_STATE_BYTES bytes, aligned to $_STATE_ALIGN. */\n"
    "rnc_status @_init_state(@ *net, void *state, size_t state_bytes);\n";

static const char run_text[] =
    "\n/* Runs one inference.  It cannot fail, allocates nothing, and writes only the outputs and "
    "the\n"
    " * arena.  An engine serves one thread at a time.  On x86-64 and 64-bit ARM denormal numbers\n"
    " * are treated as 0 meanwhile; afterwards the caller's floating-point mode is restored. */\n";

static const char run_with_state_text[] =
    "\n/* Runs one inference, the next of the stream whose state this is.  It cannot fail, "
    "allocates\n"
    " * nothing, and writes only the outputs, the state and the arena.  An engine serves one "
    "thread "
    "at\n"
    " * a time.  On x86-64 and 64-bit ARM denormal numbers are treated as 0 meanwhile; afterwards "
    "the\n"
    " * caller's floating-point mode is restored. */\n";

static const char embed_text[] =
    "\n/* The weights file inside the program, aligned to 64 bytes.  Use it with\n"
    " *     rnc_weights_memory(&w, @_weights, $_WEIGHTS_BYTES)\n"
    " */\n"
    "extern const unsigned char @_weights[];\n";

static const char end_text[] =
    "\n/* From now on every run calls hook(context, ...) after each step, with the step's number "
    "in\n"
    " * @_info.steps and its results.  NULL removes the hook; after init there is none. */\n"
    "void @_trace(@ *net, rnc_trace_hook hook, void *context);\n"
    "\n"
    "/* Describes the network to programs that serve any network (rncrt.h): ports, steps, sizes,\n"
    " * and pointers to these functions. */\n"
    "extern const rnc_net_info @_info;\n"
    "\n"
    "#ifdef __cplusplus\n"
    "}\n"
    "#endif\n";

/* Bytes of arena to ask for: never 0, since C has no arrays of size 0. */
int64_t emit_arena_bytes(const Plan *plan)
{
    return plan->arena_bytes > 0 ? plan->arena_bytes : 64;
}

/* Stack of run and of what it calls down to a step, plus the largest step's frame;
 * tests/interface.sh measures both. */
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
    if (e->state)
        buf_printf(e->out,
                   "/* What it keeps from run to run, in memory of the caller's. */\n"
                   "#define %s_STATE_BYTES %" PRId64 "\n#define %s_STATE_ALIGN 64\n",
                   e->upper, whole_state(plan), e->upper);
    buf_printf(e->out, "#define %s_BATCH %d\n", e->upper,
               net->inputs.n ? whole_batch(plan, net->inputs.at[0].node->type).n : 1);
    buf_printf(e->out,
               "/* A weights file fits only if it carries the same number. */\n"
               "#define %s_PLAN_HASH UINT64_C(0x%016" PRIx64 ")\n",
               e->upper, plan->hash);
    buf_printf(e->out, "/* Size of the weights file. */\n#define %s_WEIGHTS_BYTES %zu\n", e->upper,
               emit_weights_size(plan));
    buf_printf(e->out,
               "/* Steps that need scratch use no more threads than this (rnc --threads). */\n"
               "#define %s_THREADS %d\n",
               e->upper, plan->options.threads);
    buf_printf(
        e->out,
        "/* The most stack that run uses on each thread, if compiled with optimization (gcc or\n"
        " * clang, -O1 or more). */\n"
        "#define %s_STACK_BYTES %d\n",
        e->upper, stack_bytes(plan));
}

/* Another release's runtime would misread the structs of this one. */
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
               "/* %s.h: the network %s in C, made by rnc %s: the interface of %s.c.\n"
               " * Anyone may use it for any purpose, without conditions. */\n",
               e.name, comment_text(e.arena, net->name), RNC_VERSION, e.name);
    emit_template(&e, begin_text);
    if (options->single_file)
        emit_runtime_interface(out);
    else
        buf_puts(out, "\n#include <rncrt.h>\n");
    if (plan->training) {
        if (options->single_file)
            emit_train_runtime(out);
        else
            buf_puts(out, "#include <rnctrain.h>\n");
        emit_abi(&e);
        emit_train_interface(&e);
        if (options->single_file)
            emit_train_functions(out);
        buf_puts(out, "\n#endif\n");
        return;
    }
    emit_abi(&e);
    buf_puts(out, "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
    emit_figures(&e);
    emit_port_macros(&e);
    emit_template(&e, engine_text);
    if (emit_has_slots(plan))
        buf_puts(out, slot_text);
    emit_template(&e, engine_end_text);
    if (e.state)
        emit_template(&e, state_text);
    emit_template(&e, e.state ? run_with_state_text : run_text);
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
