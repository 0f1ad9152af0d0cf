/* emit_info.c: what comes after the interface in NAME.c: run(), the names of classes, and
 * NAME_info, which describes the network to programs that serve any network. */
#include "emit/emit_parts.h"

#include "net/describe.h"
#include "plan/batch.h"

#include <inttypes.h>

void emit_string(Buf *out, const char *text)
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

/* ---- names of classes ---- */

static void emit_port_labels(Emit *e, const Port *port, const char *name)
{
    buf_printf(e->out, "\nstatic const char *const %s_%s_labels[%d] = {\n", e->name, name,
               port->n_labels);
    for (int k = 0; k < port->n_labels; k++) {
        buf_puts(e->out, "    ");
        emit_string(e->out, port->labels[k]);
        buf_puts(e->out, ",\n");
    }
    buf_printf(e->out,
               "};\n\nconst char *%s_%s_label(int class_number)\n{\n"
               "    return class_number >= 0 && class_number < %d ? %s_%s_labels[class_number]\n"
               "                                                  : NULL;\n}\n",
               e->name, name, port->n_labels, e->name, name);
}

void emit_labels(Emit *e)
{
    const Net *net = e->plan->net;
    const PortNames names = port_names(e->plan, e->arena);
    for (int i = 0; i < net->outputs.n; i++) {
        if (net->outputs.at[i].n_labels > 0)
            emit_port_labels(e, &net->outputs.at[i], names.out[i]);
    }
}

/* ---- ports ---- */

static void emit_ports(Emit *e, const char *what, const Port *ports, const char *const *names,
                       int n)
{
    if (n == 0)
        return;
    buf_printf(e->out,
               "\n/* name, elements, order, images, rows, pixels, channels, class names */\n"
               "static const rnc_port_info %s_info_%s[] = {\n",
               e->name, what);
    for (int i = 0; i < n; i++) {
        const Port *p = &ports[i];
        const Type t = whole_batch(e->plan, p->node->type);
        buf_puts(e->out, "    {");
        emit_string(e->out, p->name);
        buf_printf(e->out, ", %s, %s, %d, %d, %d, %d, ", elem_row(p->elem)->constant,
                   p->order == ORDER_NHWC ? "RNC_ORDER_NHWC" : "RNC_ORDER_NCHW", t.n, t.h, t.w,
                   t.c);
        if (p->n_labels > 0)
            buf_printf(e->out, "%s_%s_labels, %d},\n", e->name, names[i], p->n_labels);
        else
            buf_puts(e->out, "NULL, 0},\n");
    }
    buf_puts(e->out, "};\n");
}

/* ---- steps ---- */

/* Bytes in an operand: those of the caller's buffer if it is one, else those of the tensor's own
 * elements, without halo and pitch. */
static int64_t operand_bytes(const Plan *plan, const Operand *o)
{
    const Net *net = plan->net;
    if (o->tensor)
        return elems_bytes(o->tensor->elem, type_elements(o->tensor->node->type));
    if (o->kind == PLACE_NONE)
        return 0;
    const Port *port =
        o->kind == PLACE_INPUT ? &net->inputs.at[o->port] : &net->outputs.at[o->port];
    return type_elements(port->node->type) * elem_bytes(port->elem);
}

/* How many bytes a step writes; the arms of a concat or stack and the pixels of an interleave are
 * copied into the whole one by one. */
static int64_t written_bytes(const Plan *plan, const Step *s)
{
    if (s->kernel == KERNEL_copy &&
        (s->node->op == OP_CONCAT || s->node->op == OP_STACK || s->node->op == OP_INTERLEAVE))
        return operand_bytes(plan, &s->in[0]);
    int64_t bytes = 0;
    for (int i = 0; i < MOST_OUT; i++)
        bytes += operand_bytes(plan, &s->out[i]);
    return bytes;
}

/* How many bytes a step reads; of a split's operand, only the parts that it copies. */
static int64_t read_bytes(const Plan *plan, const Step *s)
{
    if (s->kernel == KERNEL_split)
        return written_bytes(plan, s);
    int64_t bytes = 0;
    for (int i = 0; i < MOST_IN; i++)
        bytes += operand_bytes(plan, &s->in[i]);
    return bytes;
}

void emit_step_table(Emit *e)
{
    const Plan *plan = e->plan;
    buf_printf(
        e->out,
        "\n/* name, kernel, line, multiply-adds; bytes read, bytes written, bytes of weights, "
        "results */\n"
        "#ifndef RNC_NO_STEP_TABLE\n"
        "static const rnc_step_info %s_info_steps[] = {\n",
        e->name);
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *s = &plan->steps.at[i];
        const char *line = describe_line(e->arena, e->src, s->node->place);
        const int64_t macs = s->weights ? mul_extents(s->node->type.n, node_macs(s->node)) : 0;
        buf_puts(e->out, "    {");
        emit_string(e->out, step_name(plan, s, e->arena));
        buf_printf(e->out, ", \"%s\", ", kernel_rows[s->kernel].name);
        emit_string(e->out, line ? line : "");
        int results = 0;
        while (results < MOST_OUT && s->out[results].kind != PLACE_NONE)
            results++;
        buf_printf(e->out, ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %d},\n", macs,
                   read_bytes(plan, s), written_bytes(plan, s), s->weights ? s->weights->bytes : 0,
                   results);
    }
    buf_puts(e->out, "};\n#endif\n");
}

/* ---- run() and the description ---- */

static const char any_text[] =
    "\nvoid @_trace(struct @ *net, rnc_trace_hook hook, void *context)\n"
    "{\n"
    "    net->hook = hook;\n"
    "    net->context = context;\n"
    "}\n"
    "\n"
    "static rnc_status @_init_any(void *net, const rnc_weights *w, void *arena,\n"
    "                             size_t arena_bytes, rnc_pool *pool)\n"
    "{\n"
    "    return @_init((struct @ *)net, w, arena, arena_bytes, pool);\n"
    "}\n"
    "\n"
    "static rnc_status @_use_any(void *net, rnc_isa isa)\n"
    "{\n"
    "    return @_use((struct @ *)net, isa);\n"
    "}\n"
    "\n"
    "static const char *@_why_any(const void *net)\n"
    "{\n"
    "    return ((const struct @ *)net)->why;\n"
    "}\n"
    "\n"
    "static void @_trace_any(void *net, rnc_trace_hook hook, void *context)\n"
    "{\n"
    "    @_trace((struct @ *)net, hook, context);\n"
    "}\n";

static const char run_any_text[] =
    "\nstatic void @_run_any(void *net, void *state, const void *const *inputs, void *const "
    "*outputs)\n"
    "{\n"
    "    (void)state;\n"
    "    @_run_steps((struct @ *)net, inputs, outputs);\n"
    "}\n";

static const char state_any_text[] =
    "\nstatic void @_run_any(void *net, void *state, const void *const *inputs, void *const "
    "*outputs)\n"
    "{\n"
    "    @_run_steps((struct @ *)net, (unsigned char *)state, inputs, outputs);\n"
    "}\n"
    "\n"
    "static rnc_status @_init_state_any(void *net, void *state, size_t state_bytes)\n"
    "{\n"
    "    return @_init_state((struct @ *)net, state, state_bytes);\n"
    "}\n";

/* The names, elements and places of what the state has. */
static void emit_states(Emit *e)
{
    const Plan *plan = e->plan;
    buf_printf(
        e->out,
        "\n/* name, elements, offset, bytes */\nstatic const rnc_state_info %s_info_states[] = {\n",
        e->name);
    for (int i = 0; i < plan->states.n; i++) {
        const State *s = plan->states.at[i];
        buf_puts(e->out, "    {");
        emit_string(e->out, s->name);
        buf_printf(e->out, ", %s, %" PRId64 ", %" PRId64 "},\n", elem_row(s->elem)->constant,
                   s->offset, s->bytes);
    }
    buf_puts(e->out, "};\n");
}

static void emit_public_run(Emit *e)
{
    const Net *net = e->plan->net;
    const PortNames names = port_names(e->plan, e->arena);
    buf_putc(e->out, '\n');
    emit_run_declaration(e);
    buf_printf(e->out, "\n{\n    const void *inputs[%d];\n    void *outputs[%d];\n",
               net->inputs.n ? net->inputs.n : 1, net->outputs.n ? net->outputs.n : 1);
    for (int i = 0; i < net->inputs.n; i++)
        buf_printf(e->out, "    inputs[%d] = %s;\n", i, names.in[i]);
    for (int i = 0; i < net->outputs.n; i++)
        buf_printf(e->out, "    outputs[%d] = %s;\n", i, names.out[i]);
    buf_printf(e->out, "    %s_run_steps(net, %sinputs, outputs);\n}\n", e->name,
               e->state ? "(unsigned char *)state, " : "");
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

void emit_described_ports(Emit *e)
{
    const Net *net = e->plan->net;
    emit_string(e->out, net->name);
    buf_printf(e->out, ",\n    %d, /* inputs */\n    %d, /* outputs */\n", net->inputs.n,
               net->outputs.n);
    emit_template(e, net->inputs.n ? "    @_info_inputs,\n" : "    NULL,\n");
    emit_template(e, net->outputs.n ? "    @_info_outputs,\n" : "    NULL,\n");
}

static void emit_description(Emit *e)
{
    const Plan *plan = e->plan;
    emit_template(e, "\nconst rnc_net_info @_info = {\n    ");
    emit_described_ports(e);
    buf_printf(e->out,
               "#ifndef RNC_NO_STEP_TABLE\n"
               "    %d, /* steps */\n    %d, /* turns of the batch */\n    %s_info_steps,\n"
               "#else\n"
               "    0,\n    %d,\n    NULL,\n"
               "#endif\n",
               plan->steps.n, plan->turns > 1 ? plan->turns : 1, e->name,
               plan->turns > 1 ? plan->turns : 1);
    buf_printf(e->out,
               "    %" PRId64 ", /* bytes of arena */\n    %" PRId64
               ", /* bytes of weights, from the first tensor on */\n",
               emit_arena_bytes(plan), weight_bytes(plan));
    buf_printf(e->out, "    UINT64_C(0x%016" PRIx64 "), /* plan */\n", plan->hash);
    emit_template(e, "    sizeof(struct @),\n    @_init_any,\n    @_use_any,\n    @_run_any,\n"
                     "    @_why_any,\n    @_trace_any,\n");
    buf_printf(e->out, "    %" PRId64 ", /* bytes of state */\n    %d,\n", whole_state(plan),
               plan->states.n);
    emit_template(e, e->state ? "    @_info_states,\n    @_init_state_any,\n};\n"
                              : "    NULL,\n    NULL,\n};\n");
}

void emit_info_ports(Emit *e)
{
    const Net *net = e->plan->net;
    const PortNames names = port_names(e->plan, e->arena);
    emit_ports(e, "inputs", net->inputs.at, names.in, net->inputs.n);
    emit_ports(e, "outputs", net->outputs.at, names.out, net->outputs.n);
}

void emit_info(Emit *e)
{
    emit_public_run(e);
    emit_info_ports(e);
    emit_step_table(e);
    emit_template(e, any_text);
    emit_template(e, e->state ? state_any_text : run_any_text);
    if (e->state)
        emit_states(e);
    emit_description(e);
}
