/* emit_steps.c: the kinds of steps of a plan: their constants, and a function for
 * each of them and each ISA. */
#include "emit/emit_parts.h"

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

/* "{1, 2, 3, ...}", with the fields' names behind each line if they are not known already. */
static void emit_constant(Emit *e, const char *name, Family family, const void *shape, bool names)
{
    const int per_line = names ? 6 : 14;
    const ShapeRow *row = &shape_rows[family];
    buf_printf(e->out, "static const rnc_%s_shape %s = {\n", row->name, name);
    for (int i = 0; i < row->n; i += per_line) {
        const int end = i + per_line < row->n ? i + per_line : row->n;
        buf_puts(e->out, "    ");
        for (int k = i; k < end; k++) {
            emit_value(e->out, &row->fields[k], shape);
            buf_puts(e->out, k + 1 == row->n ? "" : k + 1 < end ? ", " : ",");
        }
        buf_puts(e->out, names ? " /* " : "\n");
        for (int k = i; k < end && names; k++)
            buf_printf(e->out, "%s%s", row->fields[k].name, k + 1 < end ? ", " : " */\n");
    }
    buf_puts(e->out, "};\n");
}

void emit_shapes(Emit *e)
{
    buf_puts(e->out, "\n/* ---- the shapes of the steps; equal steps share a function ---- */\n\n");
    bool known[FAMILY_COUNT] = {false};
    for (int i = 0; i < e->plan->steps.n; i++) {
        const Step *s = &e->plan->steps.at[i];
        if (s->function != i)
            continue;
        const int kind = e->kinds[i];
        const Family family = kernel_rows[s->kernel].family;
        emit_constant(e, arena_printf(e->arena, "shape_%d", kind), family, &s->shape,
                      !known[family]);
        known[family] = true;
        if (s->clear_halo)
            emit_constant(e, arena_printf(e->arena, "halo_%d", kind), FAMILY_halo, &s->halo,
                          !known[FAMILY_halo]);
        known[FAMILY_halo] |= s->clear_halo;
    }
}

/* ---- functions ---- */

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
    const char *isa_name = isa_rows[isa].name;
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
                   "RNC_STEP void step_%d_%s(const rnc_operands *o, int part, int parts)\n{\n",
                   kind, isa_name);
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
