/* emit_ports.c: what goes into a network and comes out of it, as its caller needs to know it. */
#include "emit/emit_parts.h"

#include "net/describe.h"
#include "plan/batch.h"
#include "plan/method.h"
#include "emit/identifiers.h"

#include <inttypes.h>
#include <math.h>

/* ---- names ---- */

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
        const bool is_taken = plan->state_bytes > 0 && str_eq(p->name, "state"); /* run()'s */
        const char *base = is_taken ? "port_state" : c_identifier(arena, p->name, "port_");
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

/* ---- meaning ---- */

/* The node that normalises an input, or NULL. */
static const Node *normalizer(const Net *net, const Node *input)
{
    for (int i = 0; i < net->nodes.n; i++) {
        const Node *node = net->nodes.at[i];
        if (node->op == OP_NORMALIZE && node->in[0] == input)
            return node;
    }
    return NULL;
}

static void add_reals(Buf *out, const char *what, Reals list)
{
    buf_printf(out, "%s ", what);
    for (int i = 0; i < list.n; i++)
        buf_printf(out, "%s%g", i ? ", " : "", list.at[i]);
}

/* "(x / 255 - mean) / std with mean 0.485, 0.456, 0.406 and std ..." */
static void add_formula(Buf *out, const Node *node)
{
    const double scale = node->attrs.scale;
    const bool inverse = fabs(1.0 / scale - rint(1.0 / scale)) < 1e-6 && scale < 1.0;
    if (inverse)
        buf_printf(out, "(x / %g - mean) / std,\n * ", 1.0 / scale);
    else if (scale < 1.0 || scale > 1.0)
        buf_printf(out, "(%g * x - mean) / std,\n * ", scale);
    else
        buf_puts(out, "(x - mean) / std,\n * ");
    add_reals(out, "mean", node->attrs.mean);
    add_reals(out, "; std", node->attrs.std);
}

/* Does this scale map the values 0..255 to the range that the network was trained with? */
static bool takes_bytes(const Node *node)
{
    return fabs(node->attrs.scale * 255.0 - 1.0) < 1e-6;
}

/* What the net says of an input's numbers. */
static void describe_range(Buf *out, const Range *r)
{
    if (isfinite(r->low))
        buf_printf(out, "\n * Values %g..%g, ordinary ones up to %g", r->low, r->high, r->typical);
    else
        buf_printf(out, "\n * Values of any size, ordinary ones up to %g", r->typical);
    if (r->nan || r->inf)
        buf_printf(out, ", %s",
                   r->nan && r->inf ? "infinities and NaN"
                   : r->nan         ? "NaN"
                                    : "infinities");
    buf_putc(out, '.');
}

/* Whether a layer that is computed by a method which spreads numbers would see any that are not
 * ordinary, if this alone were said of the input. */
static bool would_spread(Emit *e, const Port *port, Range range)
{
    const Plan *plan = e->plan;
    Port said = *port;
    said.range = range;
    if (!e->spreads)
        e->spreads = NEW_ARRAY(e->arena, Spread, plan->net->nodes.n);
    spread_of_port(plan->net, &said, e->spreads);
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *s = &plan->steps.at[i];
        if (s->method && !method_bears(s->method, e->plan->options.weights_type,
                                       &e->spreads[s->node->in[0]->id]))
            return true;
    }
    return false;
}

/* How far outliers and special values of an input of floats reach (docs/numerics.md). */
static void describe_reach(Emit *e, const Port *port)
{
    static const char *const words[] = {"outliers", "infinities", "NaN"};
    const Range any = {.given = true, .low = -INFINITY, .high = INFINITY, .typical = 1};
    const bool spread[] = {!port->range.given && would_spread(e, port, any),
                           would_spread(e, port, (Range){.typical = 1, .inf = true}),
                           would_spread(e, port, (Range){.typical = 1, .nan = true})};
    const char *what[3];
    int n = 0;
    for (int i = 0; i < 3; i++) {
        if (spread[i])
            what[n++] = words[i];
    }
    if (n == 0) {
        buf_puts(e->out, "\n * Outliers, infinities and NaN change only outputs that read them.");
        return;
    }
    buf_puts(e->out, "\n * There must be no ");
    for (int i = 0; i < n; i++)
        buf_printf(e->out, "%s%s", i == 0 ? "" : i == n - 1 ? " or " : ", ", what[i]);
    buf_puts(e->out, ": they would change outputs that do not read\n"
                     " * them.  range= and specials= in the .net, or rnc --exact, allow for them.");
}

static void describe_input(Emit *e, const Port *port)
{
    const Node *node = normalizer(e->plan->net, port->node);
    Buf *out = e->out;
    if (port->range.given)
        describe_range(out, &port->range);
    else if (port->elem == ELEM_U8)
        buf_puts(out, "\n * Values 0..255.");
    else if (node && takes_bytes(node))
        buf_puts(out, "\n * Values 0..255, as bytes have them, not 0..1.");
    else
        buf_puts(out, "\n * Values in the range of training.");
    if (node) {
        buf_puts(out, "  Normalised inside: ");
        add_formula(out, node);
        buf_putc(out, '.');
    } else {
        buf_puts(out, "  Nothing is scaled or normalised inside.");
    }
    if (port->node->type.c == 3)
        buf_puts(out, "\n * Channels in the order of training, which the .net does not say: as a "
                      "rule red, green, "
                      "blue.");
    if (port->elem == ELEM_F32)
        describe_reach(e, port);
}

static void describe_output(Emit *e, const Port *port)
{
    const Node *node = port->node;
    buf_printf(e->out, "\n * Result of %s", comment_text(e->arena, node->name));
    const char *line = describe_line(e->arena, e->src, node->place);
    if (line)
        buf_printf(e->out, " (%s)", comment_text(e->arena, line));
    if (node->op == OP_LOG_SOFTMAX)
        buf_puts(e->out, ": logarithms of probabilities, a softmax is inside.");
    else if (node->op == OP_SOFTMAX && node->attrs.over == OVER_CHANNELS)
        buf_puts(e->out, ": probabilities, a softmax is inside; those of a pixel add up to 1.");
    else if (node->act == ACT_SIGMOID || node->op == OP_SIGMOID)
        buf_puts(e->out, ": a sigmoid is inside; each is between 0 and 1 by itself.");
    else if (node->op == OP_DENSE && node->act == ACT_NONE)
        buf_puts(e->out, ": raw scores, no softmax is inside.");
    else
        buf_puts(e->out, ".");
}

/* ---- macros and parameters ---- */

static void port_macros(Emit *e, const Port *port, const char *name, bool input)
{
    const Type t = whole_batch(e->plan, port->node->type);
    const char *upper = c_upper(e->arena, name);
    buf_printf(e->out, "\n/* %s %s, %s.", input ? "Input" : "Output",
               comment_text(e->arena, port->name), port_layout(e->arena, e->plan, port));
    if (input)
        describe_input(e, port);
    else
        describe_output(e, port);
    buf_printf(e->out, " */\n#define %s_%s_ELEMENTS %" PRId64 "\n", e->upper, upper,
               type_elements(t));
    const struct {
        char letter;
        int extent;
    } axes[] = {{'N', t.n}, {'C', t.c}, {'H', t.h}, {'W', t.w}};
    for (int i = 0; i < 4; i++)
        buf_printf(e->out, "#define %s_%s_%c %d\n", e->upper, upper, axes[i].letter,
                   axes[i].extent);
}

void emit_port_macros(Emit *e)
{
    const Net *net = e->plan->net;
    const PortNames names = port_names(e->plan, e->arena);
    for (int i = 0; i < net->inputs.n; i++)
        port_macros(e, &net->inputs.at[i], names.in[i], true);
    for (int i = 0; i < net->outputs.n; i++)
        port_macros(e, &net->outputs.at[i], names.out[i], false);
}

/* ---- a batch in turns ---- */

/* "        in[0] = (const float *)inputs[0] + turn * 301056;\n" */
static void emit_turn_port(Emit *e, const char *array, const char *from, const char *constant,
                           int i, const Port *port)
{
    buf_printf(e->out, "        %s[%d] = (%s%s *)%s[%d] + turn * %" PRId64 ";\n", array, i,
               constant, elem_row(port->elem)->c, from, i, type_elements(port->node->type));
}

/* What the functions that run steps get of the state: nothing, if the network has none. */
const char *emit_state_parameter(const Emit *e)
{
    return e->state ? "unsigned char *state, " : "";
}

/* run_steps() for a batch that is computed in turns: moves the caller's pointers from turn to
 * turn. */
void emit_turns(Emit *e)
{
    const Net *net = e->plan->net;
    const int images = net->inputs.at[0].node->type.n;
    buf_printf(e->out,
               "\n/* The batch, with %d image%s in each turn. */\n"
               "static void %s_run_steps(struct %s *net, %sconst void *const *inputs, void *const "
               "*outputs)\n{\n"
               "    for (size_t turn = 0; turn < %d; turn++) {\n"
               "        const void *in[%d];\n        void *out[%d];\n",
               images, images > 1 ? "s" : "", e->name, e->name, emit_state_parameter(e),
               e->plan->turns, net->inputs.n, net->outputs.n);
    for (int i = 0; i < net->inputs.n; i++)
        emit_turn_port(e, "in", "inputs", "const ", i, &net->inputs.at[i]);
    for (int i = 0; i < net->outputs.n; i++)
        emit_turn_port(e, "out", "outputs", "", i, &net->outputs.at[i]);
    buf_printf(e->out, "        %s_run_turn(net, ", e->name);
    if (e->state)
        buf_printf(e->out, "state + turn * %" PRId64 ", ", e->plan->state_bytes);
    buf_puts(e->out, "in, out);\n    }\n}\n");
}
