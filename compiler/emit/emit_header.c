/* emit_header.c: the interface, NAME.h. */
#include "emit/emit_parts.h"

#include "plan/batch.h"
#include "emit/identifiers.h"
#include "runtime/rncrt.h"

#include <inttypes.h>
#include <string.h>

/* ---- ports ---- */

static bool used(const char *const *names, int n, const char *upper, Arena *arena)
{
    for (int i = 0; i < n; i++) {
        if (str_eq(c_upper(arena, names[i]), upper))
            return true;
    }
    return false;
}

PortNames port_names(const Plan *plan, Arena *arena)
{
    const Net *net = plan->net;
    const int n_in = net->inputs.n, n = n_in + net->outputs.n;
    const char **names = NEW_ARRAY(arena, const char *, n + 1);
    for (int i = 0; i < n; i++) {
        const Port *p = i < n_in ? &net->inputs.at[i] : &net->outputs.at[i - n_in];
        const char *base = c_identifier(arena, p->name, "port_");
        names[i] = base;
        for (int k = 2; used(names, i, c_upper(arena, names[i]), arena); k++)
            names[i] = arena_printf(arena, "%s_%d", base, k);
    }
    return (PortNames){names, names + n_in};
}

const char *port_type(const Port *port)
{
    return elem_row(port->elem)->c;
}

/* "float [1][3][224][224]: image, channel, row, pixel" */
static const char *port_layout(Arena *arena, const Plan *plan, const Port *port)
{
    const Type t = whole_batch(plan, port->node->type);
    if (t.h == 1 && t.w == 1)
        return arena_printf(arena, "%s [%d][%d]: image, channel", port_type(port), t.n, t.c);
    if (port->order == ORDER_NCHW)
        return arena_printf(arena, "%s [%d][%d][%d][%d]: image, channel, row, pixel",
                            port_type(port), t.n, t.c, t.h, t.w);
    return arena_printf(arena, "%s [%d][%d][%d][%d]: image, row, pixel, channel", port_type(port),
                        t.n, t.h, t.w, t.c);
}

static void port_macros(Emit *e, const Port *port, const char *name, const char *what)
{
    const Type t = whole_batch(e->plan, port->node->type);
    const char *upper = c_upper(e->arena, name);
    buf_printf(e->out, "\n/* %s %s, %s. */\n", what, comment_text(e->arena, port->name),
               port_layout(e->arena, e->plan, port));
    buf_printf(e->out, "#define %s_%s_ELEMENTS %" PRId64 "\n", e->upper, upper, type_elements(t));
    const struct {
        char letter;
        int extent;
    } axes[] = {{'N', t.n}, {'C', t.c}, {'H', t.h}, {'W', t.w}};
    for (int i = 0; i < 4; i++)
        buf_printf(e->out, "#define %s_%s_%c %d\n", e->upper, upper, axes[i].letter,
                   axes[i].extent);
}

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
    " * alone.  An engine serves one thread at a time. */\n";

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
    if (e->options->embed != EMBED_FILE)
        buf_printf(e->out, "#define %s_WEIGHTS_BYTES %zu\n", e->upper, e->options->weights_size);
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

void emit_header(Buf *out, const Plan *plan, const EmitOptions *options)
{
    Emit e = emit_begin(out, plan, options, NULL);
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
    for (int i = 0; i < net->inputs.n; i++)
        port_macros(&e, &net->inputs.at[i], names.in[i], "Input");
    for (int i = 0; i < net->outputs.n; i++)
        port_macros(&e, &net->outputs.at[i], names.out[i], "Output");
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
