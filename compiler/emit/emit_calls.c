/* emit_calls.c: the calls of steps, and a loop where steps repeat (repeat.c).  In a loop, i counts
 * the iterations, and addresses that move with it are written with it: WEIGHTS(0x004fc0 + i *
 * 0x4880). The comment of a step in a loop describes all its iterations: layer1.{1..17}.main.conv1
 * (series.c). */
#include "net/describe.h"
#include "emit/emit_parts.h"

#include "net/figures.h"
#include "emit/series.h"
#include "plan/training.h"

#include <inttypes.h>
#include <string.h>

/* ---- comments ---- */

static const char *last_component(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? dot + 1 : path;
}

static bool same_place(const Plan *plan, const Operand *a, const Operand *b)
{
    return a->tensor && a->kind == b->kind && operand_address(plan, a) == operand_address(plan, b);
}

/* Adds the step's origin, "resnet50.net:31", or nothing where there is no line. */
static void add_line(Buf *out, Emit *e, const Node *node)
{
    const char *line = describe_line(e->arena, e->src, node->place);
    if (line)
        buf_printf(out, "%s  ", comment_text(e->arena, line));
}

const char *step_layer(const Plan *plan, const Step *s)
{
    return s->kernel == KERNEL_output ? plan->net->outputs.at[s->out[0].port].name : s->node->name;
}

const char *layers_name(const Plan *plan, const Step *s, Arena *arena)
{
    Buf out = buf_new(arena);
    buf_puts(&out, step_layer(plan, s));
    for (int i = 0; i < s->node->absorbed.n && s->kernel != KERNEL_output; i++)
        buf_printf(&out, " + %s", last_component(s->node->absorbed.at[i]));
    return buf_text(&out);
}

const char *step_name(const Plan *plan, const Step *s, Arena *arena)
{
    Buf out = buf_new(arena);
    buf_puts(&out, layers_name(plan, s, arena));
    for (int i = 1; i < MOST_OUT && s->out[i].tensor; i++)
        buf_printf(&out, ", %s", s->out[i].tensor->node->name);
    return buf_text(&out);
}

/* What a step is, after its number.  With `named`, the name of what it overwrites is included. */
static const char *step_text(Emit *e, Buf *out, const Step *s, bool named)
{
    const Node *node = s->node;
    const Type t = node->type;
    const int64_t macs = node_macs(node);
    out->n = 0;
    add_line(out, e, node);
    if (e->plan->training) { /* in a loop; the table of steps has the rest */
        buf_puts(out, comment_text(e->arena, step_label(e, s).layer));
        return buf_text(out);
    }
    buf_puts(out, comment_text(e->arena, step_name(e->plan, s, e->arena)));
    buf_puts(out, "\n* ");
    if (t.n > 1)
        buf_printf(out, "[%d]", t.n);
    buf_printf(out, "[%d][%d][%d]  %s", t.c, t.h, t.w, kernel_rows[s->kernel].name);
    if (macs > 0 && s->weights)
        buf_printf(out, "  %s", figure_count(e->arena, macs, "MAC"));
    if (same_place(e->plan, &s->out[0], &s->in[1]))
        buf_printf(out, "  in place of %s",
                   named ? comment_text(e->arena, s->in[1].tensor->node->name) : "in2");
    else if (same_place(e->plan, &s->out[0], &s->in[0]))
        buf_puts(out, "  in place");
    return buf_text(out);
}

/* A comment of several lines; `indent` is what comes before the first. */
static void emit_comment(Emit *e, const char *indent, const char *number, const char *text)
{
    buf_printf(e->out, "%s/* %s  ", indent, number);
    for (const char *c = text; *c; c++) {
        buf_putc(e->out, *c);
        if (*c == '\n')
            buf_printf(e->out, "%s ", indent);
    }
    buf_puts(e->out, " */\n");
}

/* ---- calls ---- */

/* A step's place in a loop: how far its addresses and its number move with each iteration.  All are
 * zero outside of loops. */
typedef struct Moves {
    Addresses by;
    int period;
} Moves;

/* "MACRO(0x0012c0 + i * 0x4880), "; of a training, whose calls are many, MACRO is only a letter. */
static void emit_address(Emit *e, const char *macro, int64_t at, int64_t by)
{
    if (e->plan->training)
        buf_printf(e->out, "%c(0x%" PRIx64, macro[0], (uint64_t)at);
    else
        buf_printf(e->out, "RNC_%s(0x%06" PRIx64, macro, (uint64_t)at);
    if (by != 0)
        buf_printf(e->out, " %c i * 0x%" PRIx64, by < 0 ? '-' : '+', (uint64_t)(by < 0 ? -by : by));
    buf_puts(e->out, "), ");
}

static int count_operands(const Operand *o, int most)
{
    int n = 0;
    for (int i = 0; i < most; i++)
        n = o[i].kind != PLACE_NONE ? i + 1 : n;
    return n;
}

/* Whether a step needs lists of operands in its call. */
static bool is_of_many(const Step *s)
{
    return count_operands(s->in, MOST_IN) > 2 || count_operands(s->out, MOST_OUT) > 1;
}

bool emit_has_many(const Plan *plan)
{
    for (int i = 0; i < plan->steps.n; i++) {
        if (is_of_many(&plan->steps.at[i]))
            return true;
    }
    return false;
}

/* An address in a buffer: in the arena, or in the slot where a thread computes a band. */
static void emit_in_buffer(Emit *e, int buffer, int64_t at, int64_t by)
{
    const int run = e->plan->buffers.at[buffer].run;
    if (run)
        emit_address(e, "SLOT", at - e->plan->band_runs.at[run - 1].offset, by);
    else
        emit_address(e, "ARENA", at, by);
}

static void emit_operand(Emit *e, const Operand *o, int64_t at, int64_t by)
{
    if (o->kind == PLACE_NONE)
        buf_puts(e->out, "NULL, ");
    else if (o->kind == PLACE_RATES)
        buf_printf(e->out, "R(%d), ", o->port);
    else if (o->part > 0)
        buf_printf(e->out, "RNC_PART(0x%06" PRIx64 ", %" PRId64 "), ", (uint64_t)at, o->part);
    else if (o->kind == PLACE_STATE)
        emit_address(e, "STATE", at, by);
    else if (o->tensor)
        emit_in_buffer(e, o->tensor->buffer, at, by);
    else
        buf_printf(e->out, "%s[%d], ", o->kind == PLACE_INPUT ? "inputs" : "outputs", o->port);
}

/* "(RNC_ARENA(0x000000), RNC_ARENA(0x0012c0)), " */
static void emit_list(Emit *e, const Operand *o, int n, const int64_t *at, const int64_t *by)
{
    buf_putc(e->out, '(');
    for (int i = 0; i < n; i++)
        emit_operand(e, &o[i], at[i], by[i]);
    e->out->n -= 2; /* the last comma */
    buf_puts(e->out, "), ");
}

/* "CALL(12, kind": the number of a step, and its kind. */
static void emit_call_of(Emit *e, const char *macro, const Step *s, Moves m)
{
    buf_printf(e->out, "%s(%d", macro, s->index);
    if (m.period > 0)
        buf_printf(e->out, m.period > 1 ? " + %d * (int)i" : " + (int)i", m.period);
    buf_printf(e->out, ", %s, ", e->kind_names[e->kinds[s->index]]);
}

/* Weights or filters, and scratch. */
static void emit_rest(Emit *e, const Step *s, Addresses at, Moves m, const char *images)
{
    if (s->weights)
        emit_address(e, "WEIGHTS", at.weights, m.by.weights);
    else if (s->filters.tensor)
        emit_address(e, s->filters.kind == PLACE_STATE ? "PANELS" : "FILTERS", at.weights,
                     m.by.weights);
    else
        buf_printf(e->out, "%s, ", s->counts ? images : "NULL");
    if (s->scratch >= 0)
        emit_in_buffer(e, s->scratch, at.scratch, m.by.scratch);
    else
        buf_puts(e->out, "NULL, ");
}

/* Which parameter of its layer a step updates: "weight". */
static void comment_update(Emit *e, const Step *s)
{
    if (kernel_rows[s->kernel].family == FAMILY_update && s->out[0].tensor)
        buf_printf(e->out, " /* %s */",
                   comment_text(e->arena, last_component(s->out[0].tensor->node->name)));
}

/* The call of a step of a training, after `indent`: STEP, STEP_COUNTED if it is told how many
 * images there are, or STEP_OF if it has more than operands. */
static void emit_train_call(Emit *e, const char *indent, const Step *s, Moves m)
{
    const Addresses at = step_addresses(e->plan, s);
    const bool more = s->weights || s->filters.tensor || s->scratch >= 0;
    const char *macro = more ? "STEP_OF" : s->counts ? "STEP_COUNTED" : "STEP";
    buf_puts(e->out, indent);
    emit_call_of(e, macro, s, m);
    buf_printf(e->out, "%d, ", s->parts > 1 ? s->parts : 1);
    emit_list(e, s->in, count_operands(s->in, MOST_IN), at.in, m.by.in);
    emit_list(e, s->out, count_operands(s->out, MOST_OUT), at.out, m.by.out);
    if (more)
        emit_rest(e, s, at, m, "IMAGES()");
    e->out->n -= 2; /* the last comma */
    buf_puts(e->out, ");");
    comment_update(e, s);
    buf_putc(e->out, '\n');
}

/* The call of a step, after `indent`. */
static void emit_call(Emit *e, const char *indent, const Step *s, Moves m)
{
    if (e->plan->training) {
        emit_train_call(e, indent, s, m);
        return;
    }
    const Addresses at = step_addresses(e->plan, s);
    const bool many = is_of_many(s);
    buf_puts(e->out, indent);
    emit_call_of(e, many ? "RNC_CALL_MANY" : "RNC_CALL", s, m);
    if (many) {
        emit_list(e, s->in, count_operands(s->in, MOST_IN), at.in, m.by.in);
        emit_list(e, s->out, count_operands(s->out, MOST_OUT), at.out, m.by.out);
    } else {
        emit_operand(e, &s->in[0], at.in[0], m.by.in[0]);
        emit_operand(e, &s->in[1], at.in[1], m.by.in[1]);
        emit_operand(e, &s->out[0], at.out[0], m.by.out[0]);
    }
    emit_rest(e, s, at, m, "NULL");
    buf_printf(e->out, "%d);\n", s->parts > 1 ? s->parts : 1);
}

/* The sums over ranks that a step reads. */
static void emit_waits(Emit *e, const Step *s)
{
    for (int k = 0; k < MOST_IN; k++) {
        if (s->waits[k])
            buf_printf(e->out, "    RNC_WAIT(%d);\n", s->waits[k] - 1);
    }
}

/* A node of the network may be a gradient in panels; others are pieces, of as many floats as their
 * types say. */
static int64_t sum_floats(const Plan *plan, const Node *node)
{
    return node->id >= 0 ? gradient_floats(plan, node) : type_elements(node->type);
}

/* What ranks tell each other after a step. */
static void emit_sharing(Emit *e, const Step *s)
{
    if (s->gathers > 0)
        buf_printf(e->out, "    RNC_GATHER(0x%06" PRIx64 ", %" PRId64 ");\n",
                   (uint64_t)operand_address(e->plan, &s->out[0]), s->gathers);
    for (int k = 0; k < MOST_OUT; k++) {
        if (s->sums[k])
            buf_printf(e->out, "    RNC_SUM(%d, 0x%06" PRIx64 ", %" PRId64 ");\n", s->sums[k] - 1,
                       (uint64_t)operand_address(e->plan, &s->out[k]),
                       sum_floats(e->plan, s->out[k].tensor->node));
    }
}

/* The call of a step outside of loops, with what ranks tell each other. */
static void emit_alone(Emit *e, const Step *s)
{
    emit_waits(e, s);
    const bool asked = e->plan->training && s->kernel == KERNEL_output;
    if (asked) /* by whoever evaluates */
        buf_printf(e->out, "    if (outputs && outputs[%d])\n", s->out[0].port);
    emit_call(e, asked ? "        " : "    ", s, (Moves){0});
    emit_sharing(e, s);
}

static void emit_step(Emit *e, const Step *s, Buf *text)
{
    buf_putc(e->out, '\n');
    emit_comment(e, "    ", arena_printf(e->arena, "%d", s->index), step_text(e, text, s, true));
    emit_alone(e, s);
}

void emit_steps_of_band(Emit *e, int first, int end, Buf *text)
{
    for (int i = first; i < end; i++) {
        const Step *s = &e->plan->steps.at[i];
        if (i > first)
            buf_putc(e->out, '\n');
        emit_comment(e, "        ", arena_printf(e->arena, "%d", i), step_text(e, text, s, true));
        emit_call(e, "        ", s, (Moves){0});
    }
}

/* Of a training, the steps of one layer under one comment, forward or backward; the names of their
 * kinds are those of their kernels.  Returns the step after them, at most `end`. */
static int emit_layer(Emit *e, int first, int end)
{
    const Step *steps = e->plan->steps.at;
    const char *layer = step_label(e, &steps[first]).layer;
    Buf text = buf_new(e->arena);
    int n = 0;
    add_line(&text, e, steps[first].node);
    buf_puts(&text, comment_text(e->arena, layer));
    while (first + n < end && str_eq(step_label(e, &steps[first + n]).layer, layer))
        n++;
    buf_putc(e->out, '\n');
    emit_comment(e, "    ", arena_printf(e->arena, "%d", first), buf_text(&text));
    for (int i = 0; i < n; i++)
        emit_alone(e, &steps[first + i]);
    return first + n;
}

/* ---- loops ---- */

/* One text for all iterations of a step, or NULL if they differ in more than evenly growing
 * numbers. */
static const char *series_of(Emit *e, const Repeat *r, const Step *s, Buf *text, bool named)
{
    Series *series = series_begin(e->arena, step_text(e, text, s, named));
    for (int k = 1; k < r->count; k++) {
        if (!series_add(series, step_text(e, text, s + k * r->period, named)))
            break;
    }
    return series_text(series);
}

/* The comment of a step in a loop: for all its iterations, or for the first and the last. */
static void comment_loop(Emit *e, const Repeat *r, const Step *s, Buf *text)
{
    const int last = s->index + (r->count - 1) * r->period;
    const char *numbers =
        r->period == 1 ? arena_printf(e->arena, "%d..%d", s->index, last)
                       : arena_printf(e->arena, "%d, %d..%d", s->index, s->index + r->period, last);
    const char *all = series_of(e, r, s, text, true);
    if (!all)
        all = series_of(e, r, s, text, false);
    emit_comment(e, "        ", numbers, all ? all : step_text(e, text, s, true));
    if (!all)
        emit_comment(e, "        ", arena_printf(e->arena, "%d", last),
                     step_text(e, text, s + last - s->index, true));
}

void emit_iterations(Emit *e, const Repeat *r, Buf *text)
{
    const Step *steps = e->plan->steps.at;
    for (int k = r->first; k < r->first + r->period; k++) {
        const Addresses here = step_addresses(e->plan, &steps[k]);
        const Addresses next = step_addresses(e->plan, &steps[k + r->period]);
        if (!e->plan->training || k == r->first ||
            !str_eq(step_label(e, &steps[k]).layer, step_label(e, &steps[k - 1]).layer)) {
            if (k > r->first)
                buf_putc(e->out, '\n');
            comment_loop(e, r, &steps[k], text);
        }
        emit_call(e, "        ", &steps[k], (Moves){addresses_between(here, next), r->period});
    }
}

static void emit_loop(Emit *e, const Repeat *r, Buf *text)
{
    buf_printf(e->out, "\n    for (size_t i = 0; i < %d; i++) {\n", r->count);
    emit_iterations(e, r, text);
    buf_puts(e->out, "    }\n");
}

/* Calls and loops of steps first .. end-1. */
void emit_calls(Emit *e, int first, int end)
{
    const Plan *plan = e->plan;
    Buf text = buf_new(e->arena);
    int next = 0;
    while (next < plan->repeats.n && plan->repeats.at[next].first < first)
        next++;
    for (int i = first; i < end;) {
        const Repeat *r = next < plan->repeats.n ? &plan->repeats.at[next] : NULL;
        const int run = plan->steps.at[i].node->band_group;
        if (run && plan->band_runs.at[run - 1].slots > 1) {
            emit_band_run(e, run);
            i = plan->band_runs.at[run - 1].end;
        } else if (r && r->first == i) {
            emit_loop(e, r, &text);
            i += r->period * r->count;
            next++;
        } else if (plan->training) {
            i = emit_layer(e, i, r && r->first < end ? r->first : end);
        } else {
            emit_step(e, &plan->steps.at[i++], &text);
        }
    }
}
