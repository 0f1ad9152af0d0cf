/* emit_steps.c: the steps of a plan: their constants, a function for each kind
 * of step, and run(), one call a step. */
#include "describe.h"
#include "emit_parts.h"

#include "report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- constants ---- */

static void emit_value(Buf *out, const ShapeField *f, const unsigned char *base)
{
    if (!f->is_float) {
        int x;
        memcpy(&x, base + f->offset, sizeof x);
        buf_printf(out, "%d", x);
        return;
    }
    float x;
    char text[32];
    memcpy(&x, base + f->offset, sizeof x);
    snprintf(text, sizeof text, "%.9g", (double)x);
    buf_printf(out, "%s%sf", text, strpbrk(text, ".e") ? "" : ".0");
}

/* "{1, 2, 3, ...}" with the fields' names behind each line. */
static void emit_constant(Emit *e, const char *name, Family family, const void *shape)
{
    enum { PER_LINE = 6 };
    const ShapeRow *row = &shape_rows[family];
    buf_printf(e->out, "static const rnc_%s_shape %s = {\n", row->name, name);
    for (int i = 0; i < row->n; i += PER_LINE) {
        const int end = i + PER_LINE < row->n ? i + PER_LINE : row->n;
        buf_puts(e->out, "    ");
        for (int k = i; k < end; k++) {
            emit_value(e->out, &row->fields[k], shape);
            buf_puts(e->out, k + 1 < row->n ? ", " : " ");
        }
        buf_puts(e->out, "/* ");
        for (int k = i; k < end; k++)
            buf_printf(e->out, "%s%s", row->fields[k].name, k + 1 < end ? ", " : " */\n");
    }
    buf_puts(e->out, "};\n");
}

void emit_shapes(Emit *e)
{
    buf_puts(e->out, "\n/* ---- the shapes of the steps; equal steps share a function ---- */\n\n");
    for (int i = 0; i < e->plan->steps.n; i++) {
        const Step *s = &e->plan->steps.at[i];
        if (s->function != i)
            continue;
        const int kind = e->kinds[i];
        emit_constant(e, arena_printf(e->arena, "shape_%d", kind), kernel_rows[s->kernel].family,
                      &s->shape);
        if (s->clear_halo)
            emit_constant(e, arena_printf(e->arena, "halo_%d", kind), FAMILY_halo, &s->halo);
    }
}

/* ---- functions ---- */

static bool has_target(Emit *e, Isa isa)
{
    const Text *text = text_named(arena_printf(e->arena, "kernels/isa_%s.h", isa_rows[isa].name));
    return text && strstr(arena_strndup(e->arena, (const char *)text->bytes, text->size),
                          "#define RNC_TARGET");
}

static void emit_tile(Emit *e, int kind, Isa isa, const rnc_tile *tile)
{
    const ShapeRow *row = &shape_rows[FAMILY_tile];
    buf_printf(e->out, "static const rnc_tile tile_%d_%s = {", kind, isa_rows[isa].name);
    for (int k = 0; k < row->n; k++) {
        emit_value(e->out, &row->fields[k], (const unsigned char *)tile);
        buf_puts(e->out, k + 1 < row->n ? ", " : "};\n");
    }
}

void emit_functions(Emit *e, Isa isa)
{
    const char *isa_name = isa_rows[isa].name, *target = has_target(e, isa) ? "RNC_TARGET " : "";
    const ShapeRow *knobs = &shape_rows[FAMILY_tile];
    buf_puts(e->out, "\n/* Tiles: ");
    for (int k = 0; k < knobs->n; k++)
        buf_printf(e->out, "%s%s", knobs->fields[k].name,
                   k + 1 == knobs->n ? ". */\n"
                   : k == 3          ? ",\n * "
                                     : ", ");
    for (int i = 0; i < e->plan->steps.n; i++) {
        const Step *s = &e->plan->steps.at[i];
        if (s->function != i)
            continue;
        const int kind = e->kinds[i];
        emit_tile(e, kind, isa, &s->tile[isa]);
        buf_printf(e->out,
                   "static %svoid step_%d_%s(const rnc_operands *o, int part, int parts)\n{\n",
                   target, kind, isa_name);
        if (s->clear_halo)
            buf_printf(e->out, "    halo_clear_%s(&halo_%d, o, part, parts);\n", isa_name, kind);
        buf_printf(e->out, "    %s_%s(&shape_%d, &tile_%d_%s, o, part, parts);\n}\n",
                   kernel_rows[s->kernel].name, isa_name, kind, kind, isa_name);
    }
    buf_printf(e->out, "static const step_function steps_%s[] = {\n", isa_name);
    for (int k = 0; k < e->n_kinds; k++)
        buf_printf(e->out, "%sstep_%d_%s,%s", k % 5 == 0 ? "    " : "", k, isa_name,
                   k % 5 == 4 || k + 1 == e->n_kinds ? "\n" : " ");
    buf_puts(e->out, "};\n");
}

/* ---- run() ---- */

static int64_t arena_place(const Plan *plan, const Operand *o)
{
    const Tensor *t = o->tensor;
    return plan->buffers.at[t->buffer].offset + (int64_t)sizeof(float) * (t->origin + o->shift);
}

static void emit_operand(Emit *e, const Operand *o)
{
    if (o->kind == PLACE_NONE)
        buf_puts(e->out, "NULL");
    else if (o->kind == PLACE_ARENA)
        buf_printf(e->out, "ARENA(0x%06" PRIx64 ")", (uint64_t)arena_place(e->plan, o));
    else
        buf_printf(e->out, "%s[%d]", o->kind == PLACE_INPUT ? "inputs" : "outputs", o->port);
}

static const char *last_component(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? dot + 1 : path;
}

static bool same_place(const Plan *plan, const Operand *a, const Operand *b)
{
    return a->kind == PLACE_ARENA && b->kind == PLACE_ARENA &&
           arena_place(plan, a) == arena_place(plan, b);
}

/* The step's origin: "resnet50.net:31", or nothing where there is no line. */
static void emit_line(Emit *e, const Node *node)
{
    const char *line = describe_line(e->arena, e->src, node->place);
    if (line)
        buf_printf(e->out, "%s  ", comment_text(e->arena, line));
}

static void emit_comment(Emit *e, const Step *s)
{
    const Node *node = s->node;
    const Type t = node->type;
    const int64_t macs = node_macs(node);
    buf_printf(e->out, "\n    /* %d  ", s->index);
    emit_line(e, node);
    buf_puts(e->out, comment_text(e->arena, node->name));
    for (int i = 0; i < node->absorbed.n; i++)
        buf_printf(e->out, " + %s", comment_text(e->arena, last_component(node->absorbed.at[i])));
    buf_puts(e->out, "\n     * ");
    if (t.n > 1)
        buf_printf(e->out, "[%d]", t.n);
    buf_printf(e->out, "[%d][%d][%d]  %s", t.c, t.h, t.w, kernel_rows[s->kernel].name);
    if (macs > 0 && s->weights)
        buf_printf(e->out, "  %s", report_count(e->arena, macs, "MAC"));
    if (s->out.kind == PLACE_ARENA)
        buf_printf(e->out, "  arena 0x%" PRIx64, (uint64_t)arena_place(e->plan, &s->out));
    if (same_place(e->plan, &s->out, &s->in2))
        buf_printf(e->out, "  in place of %s", comment_text(e->arena, s->in2.tensor->node->name));
    else if (same_place(e->plan, &s->out, &s->in))
        buf_puts(e->out, "  in place");
    buf_puts(e->out, " */\n");
}

static void emit_step(Emit *e, const Step *s)
{
    emit_comment(e, s);
    buf_printf(e->out, "    step(net, %d, %d, ", s->index, e->kinds[s->index]);
    const Operand *operands[] = {&s->in, &s->in2, &s->out};
    for (int i = 0; i < 3; i++) {
        emit_operand(e, operands[i]);
        buf_puts(e->out, ", ");
    }
    if (s->weights)
        buf_printf(e->out, "WEIGHTS(0x%06" PRIx64 "), ", (uint64_t)s->weights->offset);
    else
        buf_puts(e->out, "NULL, ");
    if (s->scratch >= 0)
        buf_printf(e->out, "ARENA(0x%06" PRIx64 "), ",
                   (uint64_t)e->plan->buffers.at[s->scratch].offset);
    else
        buf_puts(e->out, "NULL, ");
    buf_printf(e->out, "%d);\n", s->parts > 1 ? s->parts : 1);
}

void emit_run(Emit *e)
{
    buf_printf(
        e->out,
        "\n/* ---- the network: number and kind of the step, operands, weights, scratch, and\n"
        " * among how many threads it may be shared ---- */\n\n"
        "#define ARENA(offset) (net->arena + (offset))\n"
        "#define WEIGHTS(offset) ((const float *)(const void *)(net->weights + (offset)))\n\n"
        "static void run_steps(const %s *net, const void *const *inputs, void *const "
        "*outputs)\n{\n",
        e->name);
    buf_puts(e->out, "    (void)inputs;\n    (void)outputs;\n"
                     "    if (net->pool)\n        net->pool->begin(net->pool);\n");
    for (int i = 0; i < e->plan->steps.n; i++)
        emit_step(e, &e->plan->steps.at[i]);
    buf_puts(e->out, "\n    if (net->pool)\n        net->pool->end(net->pool);\n}\n\n"
                     "#undef ARENA\n#undef WEIGHTS\n");
}
