/* plantext.c: the plan as text: a line a step, which steps repeat, the arena's figures.
 *
 *   INDEX KERNEL NAMES : RESULT MACS in OPERANDS -> RESULT weights OFFSET ...
 *
 * An operand in the arena is its offset in bytes (in hex) and the distances of its pixels and rows
 * in elements; `=` marks a result in place of an operand.  One in the state has the word before it.
 * Offsets are those of the first pixel's first channel.
 */
#include "plan/plan_parts.h"

#include <inttypes.h>

static void print_names(Buf *out, const Step *step)
{
    const Node *node = step->node;
    buf_puts(out, node->name);
    for (int i = 0; i < node->absorbed.n; i++)
        buf_printf(out, " + %s", node->absorbed.at[i]);
}

static void print_operand(Buf *out, const Plan *plan, const Operand *o)
{
    if (o->kind == PLACE_INPUT) {
        buf_printf(out, "input '%s'", plan->net->inputs.at[o->port].name);
    } else if (o->kind == PLACE_OUTPUT) {
        buf_printf(out, "output '%s'", plan->net->outputs.at[o->port].name);
    } else if (o->tensor) {
        const Tensor *t = o->tensor;
        buf_printf(out, "%s0x%06" PRIx64 "[%d,%d]", t->state ? "state " : "",
                   (uint64_t)operand_address(plan, o), t->pixel, t->row);
    }
}

static bool same_place(const Operand *a, const Operand *b)
{
    return a->kind == PLACE_ARENA && b->kind == PLACE_ARENA &&
           a->tensor->buffer == b->tensor->buffer &&
           a->tensor->origin + a->shift == b->tensor->origin + b->shift;
}

/* The fields of a struct of shapes.def that are not zero. */
static void print_fields(Buf *out, Family family, const void *shape)
{
    const ShapeRow *row = &shape_rows[family];
    const char *comma = "";
    for (int i = 0; i < row->n; i++) {
        const void *at = (const char *)shape + row->fields[i].offset;
        if (row->fields[i].is_float) {
            const float x = *(const float *)at;
            if (x > 0.0f || x < 0.0f)
                buf_printf(out, "%s%s %.9g", comma, row->fields[i].name, (double)x);
            else
                continue;
        } else if (*(const int *)at) {
            buf_printf(out, "%s%s %d", comma, row->fields[i].name, *(const int *)at);
        } else {
            continue;
        }
        comma = ", ";
    }
}

static void print_tiles(Buf *out, const Plan *plan, const Step *step)
{
    static const rnc_knobs none;
    for (int i = 0; i < ISA_COUNT; i++) {
        const rnc_knobs *t = &step->knobs[i];
        if (!(plan->options.isas >> i & 1) ||
            (t->pixels == none.pixels && t->unroll == none.unroll))
            continue;
        buf_printf(out, "      %s: ", isa_rows[i].name);
        print_fields(out, FAMILY_knobs, t);
        buf_putc(out, '\n');
    }
}

/* Prints "a, b -> c", with => if the result overwrites an operand. */
static void print_operands(Buf *out, const Plan *plan, const Step *step)
{
    bool over = false;
    for (int i = 0; i < MOST_IN && step->in[i].kind != PLACE_NONE; i++) {
        buf_puts(out, i ? ", " : "");
        print_operand(out, plan, &step->in[i]);
        over = over || same_place(&step->in[i], &step->out[0]);
    }
    for (int i = 0; i < MOST_OUT && step->out[i].kind != PLACE_NONE; i++) {
        buf_puts(out, i ? ", " : over ? " => " : " -> ");
        print_operand(out, plan, &step->out[i]);
    }
}

static void print_step(Buf *out, const Plan *plan, const Step *step)
{
    const Type t = step->node->type;
    buf_printf(out, "%4d  %-11s ", step->index, kernel_rows[step->kernel].name);
    print_names(out, step);
    buf_printf(out, "\n      nchw[%d][%d][%d][%d]", t.n, t.c, t.h, t.w);
    const Family family = kernel_rows[step->kernel].family;
    if ((family == FAMILY_conv || family == FAMILY_dense) && node_macs(step->node) > 0)
        buf_printf(out, "  %" PRId64 " MACs", node_macs(step->node));
    buf_puts(out, "  ");
    print_operands(out, plan, step);
    for (int k = 0; k < MOST_OUT; k++) {
        const rnc_halo_shape *h = &step->halo[k];
        if (step->clear_halo >> k & 1)
            buf_printf(out, "  halo %d,%d,%d,%d", h->top, h->left, h->bottom, h->right);
    }
    if (step->weights)
        buf_printf(out, "  weights 0x%06" PRIx64 " (%" PRId64 ")", (uint64_t)step->weights->offset,
                   step->weights->bytes);
    if (step->scratch >= 0)
        buf_printf(out, "  scratch 0x%06" PRIx64 " (%" PRId64 ")",
                   (uint64_t)plan->buffers.at[step->scratch].offset, step->scratch_bytes);
    buf_printf(out, "  parts %d", step->parts);
    if (step->function != step->index)
        buf_printf(out, "  as %d", step->function);
    buf_putc(out, '\n');
    const char *why = plan_why_kept(plan, step->node, out->arena);
    if (why)
        buf_printf(out, "      %s\n", why);
    if (step->function == step->index) {
        buf_puts(out, "      shape: ");
        print_fields(out, family, &step->shape);
        buf_putc(out, '\n');
        print_tiles(out, plan, step);
    }
}

/* Returns the step with the most bytes alive; sets *without_scratch to the most bytes that would
 * be alive at any step without scratch. */
static int fullest_step(const Plan *plan, Arena *arena, int64_t *without_scratch)
{
    int64_t *change = NEW_ARRAY(arena, int64_t, plan->steps.n + 2), sum = 0, most = -1;
    int fullest = 0;
    *without_scratch = 0;
    for (int j = 0; j < plan->buffers.n; j++) {
        const Buffer *b = &plan->buffers.at[j];
        if (b->last < 0)
            continue;
        change[b->first] += b->bytes;
        change[b->last + 1] -= b->bytes;
    }
    for (int i = 0; i < plan->steps.n; i++) {
        const int s = plan->steps.at[i].scratch;
        const int64_t scratch = s >= 0 ? plan->buffers.at[s].bytes : 0;
        sum += change[i];
        if (sum - scratch > *without_scratch)
            *without_scratch = sum - scratch;
        if (sum > most) {
            most = sum;
            fullest = i;
        }
    }
    return fullest;
}

static double percent(int64_t part, int64_t whole)
{
    return whole > 0 ? 100.0 * (double)part / (double)whole : 0.0;
}

static void print_arena(Buf *out, const Plan *plan)
{
    int64_t without_scratch;
    const int step = fullest_step(plan, out->arena, &without_scratch);
    const int64_t lanes = without_scratch - plan->lower_bound;
    const int64_t scratch = plan->tight_bound - without_scratch;
    const int64_t gap = plan->arena_bytes - plan->tight_bound;
    buf_printf(out, "arena %" PRId64 " bytes\n", plan->arena_bytes);
    buf_printf(out, "  elements  %10" PRId64 "  the most alive at a time\n", plan->lower_bound);
    buf_printf(out, "  layout    %10" PRId64 "  halos, pitches (%.2f %%)\n", lanes,
               percent(lanes, plan->lower_bound));
    buf_printf(out, "  scratch   %10" PRId64 "  beyond that, for steps that need it\n", scratch);
    buf_printf(out, "  gaps      %10" PRId64 "  between buffers (%.2f %%)\n", gap,
               percent(gap, plan->tight_bound));
    if (plan->steps.n == 0)
        return;
    buf_printf(out, "fullest at step %d:\n", step);
    for (int j = 0; j < plan->buffers.n; j++) {
        const Buffer *b = &plan->buffers.at[j];
        if (b->first <= step && step <= b->last)
            buf_printf(out, "  0x%06" PRIx64 "  %10" PRId64 " of %10" PRId64 "  steps %d-%d  %s\n",
                       (uint64_t)b->offset, b->bare_bytes, b->bytes, b->first, b->last, b->what);
    }
}

static void print_states(Buf *out, const Plan *plan)
{
    if (plan->states.n == 0)
        return;
    buf_printf(out, "state %" PRId64 " bytes%s\n", plan->state_bytes,
               plan->turns > 1 ? " for each turn" : "");
    for (int i = 0; i < plan->states.n; i++) {
        const State *s = plan->states.at[i];
        buf_printf(out, "  0x%06" PRIx64 "  %10" PRId64 "  %s nchw[%d][%d][%d][%d]  %s\n",
                   (uint64_t)s->offset, s->bytes, elem_name(s->elem), s->type.n, s->type.c,
                   s->type.h, s->type.w, s->name);
    }
}

void plan_print(Buf *out, const Plan *plan)
{
    buf_printf(out, "plan of '%s' for", plan->net->name);
    for (int i = 0; i < ISA_COUNT; i++) {
        if (plan->options.isas >> i & 1)
            buf_printf(out, " %s", isa_rows[i].name);
    }
    buf_printf(out, "\n%d steps, hash %016" PRIx64 ", weights %" PRId64 " bytes\n\n", plan->steps.n,
               plan->hash, plan->weight_bytes);
    if (plan->turns > 1)
        buf_printf(out, "%d turns of %d of the batch\n\n", plan->turns,
                   plan->net->inputs.at[0].node->type.n);
    for (int i = 0; i < plan->steps.n; i++)
        print_step(out, plan, &plan->steps.at[i]);
    buf_putc(out, '\n');
    for (int i = 0; i < plan->repeats.n; i++) {
        const Repeat *r = &plan->repeats.at[i];
        buf_printf(out, "steps %d-%d: %d times %d\n", r->first, r->first + r->period * r->count - 1,
                   r->count, r->period);
    }
    if (plan->repeats.n > 0)
        buf_putc(out, '\n');
    print_states(out, plan);
    print_arena(out, plan);
}
