/* emit_header.c: the interface: NAME.h, and what stands behind it in NAME.c:
 * run(), names of classes, and the description that generic programs use. */
#include "emit/emit_parts.h"

#include "plan/batch.h"
#include "emit/identifiers.h"

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

static const char *port_type(const Port *port)
{
    return port->elem == ELEM_U8 ? "unsigned char" : "float";
}

/* "float [1][3][224][224]: image, channel, row, pixel" */
static const char *port_layout(Arena *arena, const Net *net, const Port *port)
{
    const Type t = whole_batch(net, port->node->type);
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
    const Type t = whole_batch(e->plan->net, port->node->type);
    const char *upper = c_upper(e->arena, name);
    buf_printf(e->out, "\n/* %s %s, %s. */\n", what, comment_text(e->arena, port->name),
               port_layout(e->arena, e->plan->net, port));
    buf_printf(e->out, "#define %s_%s_ELEMENTS %" PRId64 "\n", e->upper, upper, type_elements(t));
    const struct {
        char letter;
        int extent;
    } axes[] = {{'N', t.n}, {'C', t.c}, {'H', t.h}, {'W', t.w}};
    for (int i = 0; i < 4; i++)
        buf_printf(e->out, "#define %s_%s_%c %d\n", e->upper, upper, axes[i].letter,
                   axes[i].extent);
}

static void run_declaration(Emit *e)
{
    const Net *net = e->plan->net;
    const PortNames names = port_names(e->plan, e->arena);
    Buf line = buf_new(e->arena);
    buf_printf(&line, "void %s_run(const %s *net", e->name, e->name);
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

static const char begin_text[] = "#ifndef RNC_NET_@_H\n"
                                 "#define RNC_NET_@_H\n";

static const char engine_text[] =
    "\n/* An engine: the caller's, any number of them.  Its members are no interface. */\n"
    "typedef struct @ {\n"
    "    const void *kernels;          /* of the instruction set in use */\n"
    "    unsigned char *arena;\n"
    "    const unsigned char *weights; /* the first tensor */\n"
    "    rnc_pool *pool;\n"
    "#ifdef RNC_TRACE\n"
    "    rnc_trace_hook hook;\n"
    "    void *context;\n"
    "#endif\n"
    "    char why[192]; /* after an error: what was expected and found */\n"
    "} @;\n"
    "\n"
    "/* Everything that can go wrong goes wrong here; net->why then says more.  The\n"
    " * arena belongs to this engine, $_ARENA_BYTES aligned to\n"
    " * $_ARENA_ALIGN; weights are only read, by any number of engines in any\n"
    " * number of threads.  pool: threads to share the work, or NULL for the caller's\n"
    " * own alone.  All of them outlive the engine. */\n"
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
    "\n/* The same for programs that serve any network (rncrt.h). */\n"
    "extern const rnc_net_info @_info;\n"
    "\n"
    "#ifdef RNC_TRACE\n"
    "/* Called behind every step, with its number and what it wrote. */\n"
    "void @_trace(@ *net, rnc_trace_hook hook, void *context);\n"
    "#endif\n"
    "\n"
    "#ifdef __cplusplus\n"
    "}\n"
    "#endif\n"
    "\n"
    "#endif\n";

/* Arena bytes to ask for: a caller's array of none would be no array. */
static int64_t arena_bytes(const Plan *plan)
{
    return plan->arena_bytes > 0 ? plan->arena_bytes : 64;
}

/* Bytes from the first packed tensor to the end of the last. */
static int64_t weight_bytes(const Plan *plan)
{
    int64_t end = 0;
    for (int i = 0; i < plan->packed.n; i++) {
        const Packed *p = plan->packed.at[i];
        end = p->offset + p->bytes > end ? p->offset + p->bytes : end;
    }
    return end;
}

static void emit_figures(Emit *e)
{
    const Plan *plan = e->plan;
    const Net *net = plan->net;
    buf_printf(e->out, "\n#define %s_ARENA_BYTES %" PRId64 "\n", e->upper, arena_bytes(plan));
    buf_printf(e->out, "#define %s_ARENA_ALIGN 64\n", e->upper);
    buf_printf(e->out, "#define %s_BATCH %d\n", e->upper,
               net->inputs.n ? whole_batch(net, net->inputs.at[0].node->type).n : 1);
    buf_printf(e->out,
               "/* Weights files carry the same number, or do not fit. */\n"
               "#define %s_PLAN_HASH UINT64_C(0x%016" PRIx64 ")\n",
               e->upper, plan->hash);
    if (e->options->embed != EMBED_FILE)
        buf_printf(e->out, "#define %s_WEIGHTS_BYTES %zu\n", e->upper, e->options->weights_size);
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
        emit_runtime_header(out);
    else
        buf_puts(out, "\n#include <rncrt.h>\n");
    buf_puts(out, "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
    emit_figures(&e);
    for (int i = 0; i < net->inputs.n; i++)
        port_macros(&e, &net->inputs.at[i], names.in[i], "Input");
    for (int i = 0; i < net->outputs.n; i++)
        port_macros(&e, &net->outputs.at[i], names.out[i], "Output");
    emit_template(&e, engine_text);
    run_declaration(&e);
    buf_puts(out, ";\n");
    for (int i = 0; i < net->outputs.n; i++)
        buf_printf(
            out, "\n/* The name of a class, or NULL%s. */\nconst char *%s_%s_label(int class_);\n",
            net->outputs.at[i].n_labels ? " beyond the last" : ": none are known", e.name,
            names.out[i]);
    if (options->embed != EMBED_FILE)
        emit_template(&e, embed_text);
    emit_template(&e, end_text);
}

/* ---- the source behind it ---- */

static void emit_string(Buf *out, const char *text)
{
    buf_putc(out, '"');
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\' || *c == '?')
            buf_printf(out, "\\%c", *c);
        else if (*c < ' ' || *c > 126)
            buf_printf(out, "\\%03o", *c);
        else
            buf_putc(out, (char)*c);
    }
    buf_putc(out, '"');
}

void emit_labels(Emit *e)
{
    const Net *net = e->plan->net;
    const PortNames names = port_names(e->plan, e->arena);
    for (int i = 0; i < net->outputs.n; i++) {
        const Port *p = &net->outputs.at[i];
        if (p->n_labels > 0) {
            buf_printf(e->out, "\nstatic const char *const labels_%s[%d] = {\n", names.out[i],
                       p->n_labels);
            for (int k = 0; k < p->n_labels; k++) {
                buf_puts(e->out, "    ");
                emit_string(e->out, p->labels[k]);
                buf_puts(e->out, ",\n");
            }
            buf_puts(e->out, "};\n");
        }
        buf_printf(e->out, "\nconst char *%s_%s_label(int class_)\n{\n", e->name, names.out[i]);
        if (p->n_labels > 0)
            buf_printf(e->out,
                       "    return class_ >= 0 && class_ < %d ? labels_%s[class_] : NULL;\n",
                       p->n_labels, names.out[i]);
        else
            buf_puts(e->out, "    (void)class_;\n    return NULL;\n");
        buf_puts(e->out, "}\n");
    }
}

static void emit_ports(Emit *e, const char *array, const Port *ports, const char *const *names,
                       int n)
{
    buf_printf(e->out,
               "\n/* name, images, rows, pixels, channels, u8, nhwc, class names */\n"
               "static const rnc_port_info %s[] = {\n",
               array);
    for (int i = 0; i < n; i++) {
        const Port *p = &ports[i];
        const Type t = whole_batch(e->plan->net, p->node->type);
        buf_puts(e->out, "    {");
        emit_string(e->out, p->name);
        buf_printf(e->out, ", %d, %d, %d, %d, %d, %d, ", t.n, t.h, t.w, t.c, p->elem == ELEM_U8,
                   p->order == ORDER_NHWC);
        if (p->n_labels > 0)
            buf_printf(e->out, "labels_%s, %d},\n", names[i], p->n_labels);
        else
            buf_puts(e->out, "NULL, 0},\n");
    }
    if (n == 0)
        buf_puts(e->out, "    {NULL, 0, 0, 0, 0, 0, 0, NULL, 0},\n");
    buf_puts(e->out, "};\n");
}

static const char any_text[] =
    "\nstatic rnc_status init_any(void *net, const rnc_weights *w, void *arena, size_t "
    "arena_bytes,\n"
    "                           rnc_pool *pool)\n"
    "{\n"
    "    return @_init((@ *)net, w, arena, arena_bytes, pool);\n"
    "}\n"
    "\n"
    "static rnc_status use_any(void *net, rnc_isa isa)\n"
    "{\n"
    "    return @_use((@ *)net, isa);\n"
    "}\n"
    "\n"
    "static void run_any(const void *net, const void *const *inputs, void *const *outputs)\n"
    "{\n"
    "    run_steps((const @ *)net, inputs, outputs);\n"
    "}\n"
    "\n"
    "static const char *why_any(const void *net)\n"
    "{\n"
    "    return ((const @ *)net)->why;\n"
    "}\n"
    "\n"
    "#ifdef RNC_TRACE\n"
    "static void trace_any(void *net, rnc_trace_hook hook, void *context)\n"
    "{\n"
    "    @_trace((@ *)net, hook, context);\n"
    "}\n"
    "#endif\n";

static const char info_text[] = "    init_any,\n"
                                "    use_any,\n"
                                "    run_any,\n"
                                "    why_any,\n"
                                "#ifdef RNC_TRACE\n"
                                "    trace_any,\n"
                                "#else\n"
                                "    NULL,\n"
                                "#endif\n"
                                "};\n";

static void emit_public_run(Emit *e)
{
    const Net *net = e->plan->net;
    const PortNames names = port_names(e->plan, e->arena);
    buf_putc(e->out, '\n');
    run_declaration(e);
    buf_printf(e->out, "\n{\n    const void *inputs[%d];\n    void *outputs[%d];\n",
               net->inputs.n ? net->inputs.n : 1, net->outputs.n ? net->outputs.n : 1);
    for (int i = 0; i < net->inputs.n; i++)
        buf_printf(e->out, "    inputs[%d] = %s;\n", i, names.in[i]);
    for (int i = 0; i < net->outputs.n; i++)
        buf_printf(e->out, "    outputs[%d] = %s;\n", i, names.out[i]);
    buf_puts(e->out, "    run_steps(net, inputs, outputs);\n}\n");
}

void emit_info(Emit *e)
{
    const Plan *plan = e->plan;
    const Net *net = plan->net;
    const PortNames names = port_names(plan, e->arena);
    emit_public_run(e);
    emit_ports(e, "info_inputs", net->inputs.at, names.in, net->inputs.n);
    emit_ports(e, "info_outputs", net->outputs.at, names.out, net->outputs.n);
    emit_template(e, any_text);
    emit_template(e, "\nconst rnc_net_info @_info = {\n    ");
    emit_string(e->out, net->name);
    buf_printf(e->out,
               ",\n    %d, /* inputs */\n    %d, /* outputs */\n    info_inputs,\n"
               "    info_outputs,\n",
               net->inputs.n, net->outputs.n);
    buf_printf(e->out,
               "    %" PRId64 ", /* bytes of arena */\n    %" PRId64
               ", /* bytes of weights, from the first tensor on */\n",
               arena_bytes(plan), weight_bytes(plan));
    buf_printf(e->out, "    UINT64_C(0x%016" PRIx64 "), /* plan */\n", plan->hash);
    emit_template(e, "    sizeof(@),\n");
    emit_template(e, info_text);
}
