/* emit_steps.c: the kinds of steps in a plan: their constants, and a function for each kind and
 * ISA. */
#include "emit/emit_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- constants ---- */

/* The fewest digits that read back as x, or as the float x; no exponent from 1 to 1e9. */
static void shortest_text(double x, bool is_float, char text[32])
{
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, 32, "%.*g", digits, x);
        const double read = is_float ? (double)strtof(text, NULL) : strtod(text, NULL);
        const bool plain = fabs(x) >= 1 && fabs(x) < 1e9;
        if (memcmp(&read, &x, sizeof x) == 0 && (!plain || !strchr(text, 'e')))
            return;
    }
}

void emit_float(Buf *out, float x)
{
    char text[32];
    if (isinf(x)) { /* a bound of clip that is none */
        buf_puts(out, x > 0 ? "INFINITY" : "-INFINITY");
        return;
    }
    shortest_text((double)x, true, text);
    buf_printf(out, "%s%sf", text, strpbrk(text, ".e") ? "" : ".0");
}

const char *emit_real(Emit *e, double x)
{
    char text[32];
    shortest_text(x, false, text);
    return arena_printf(e->arena, "%s", text);
}

static void emit_value(Buf *out, const ShapeField *f, const unsigned char *base)
{
    if (!f->is_float) {
        int x;
        memcpy(&x, base + f->offset, sizeof x);
        buf_printf(out, "%d", x);
        return;
    }
    float x;
    memcpy(&x, base + f->offset, sizeof x);
    if (x == 0.0f && !signbit(x))
        buf_puts(out, "0");
    else
        emit_float(out, x);
}

/* What comes after the kind's name in that of a halo's constant: "_halo", "_halo2" for the second
 * result. */
static const char *halo_suffix(Emit *e, int result)
{
    return result == 0 ? "_halo" : arena_printf(e->arena, "_halo%d", result + 1);
}

/* Begins a new line, by `end`, if `length` characters do not fit into this one. */
static void fit_line(Buf *out, int length, const char *end)
{
    enum { COLUMNS = 100 };
    int column = 0;
    while ((size_t)column < out->n && out->text[out->n - 1 - (size_t)column] != '\n')
        column++;
    if (column + length > COLUMNS) {
        out->n -= out->text[out->n - 1] == ' ';
        buf_puts(out, end);
    }
}

/* The names of a family's fields, in a comment. */
static void emit_fields(Emit *e, Family family)
{
    const ShapeRow *row = &shape_rows[family];
    buf_printf(e->out, "/* %s: ", row->name);
    for (int i = 0; i < row->n; i++) {
        const char *end = i + 1 == row->n ? " */\n" : ", ";
        fit_line(e->out, (int)(strlen(row->fields[i].name) + strlen(end)), "\n * ");
        buf_printf(e->out, "%s%s", row->fields[i].name, end);
    }
}

/* "RNC_SHAPE(conv, conv1_shape, 1, 2, 3, ...);" */
static void emit_constant(Emit *e, const char *name, Family family, const void *shape)
{
    const ShapeRow *row = &shape_rows[family];
    if (!e->named[family])
        emit_fields(e, family);
    e->named[family] = true;
    buf_printf(e->out, "RNC_SHAPE(%s, %s, ", row->name, name);
    for (int i = 0; i < row->n; i++) {
        Buf value = buf_new(e->arena);
        emit_value(&value, &row->fields[i], shape);
        buf_puts(&value, i + 1 == row->n ? ");\n" : ", ");
        fit_line(e->out, (int)value.n - 1, "\n    ");
        buf_puts(e->out, buf_text(&value));
    }
}

/* The list of kinds, a macro that numbers them and fills the table of functions. */
void emit_kinds(Emit *e)
{
    buf_printf(e->out,
               "\n/* ---- the kinds of steps and their shapes ----\n"
               " * Each kind is named after its first layer; steps of a kind share a function. */\n"
               "#define %s_KINDS(X)",
               e->upper);
    buf_puts(e->out, " \\\n   ");
    for (int k = 0; k < e->n_kinds; k++) {
        fit_line(e->out, (int)strlen(e->kind_names[k]) + 6, " \\\n   ");
        buf_printf(e->out, " X(%s)", e->kind_names[k]);
    }
    emit_template(e, "\n#define RNC_NUMBER(kind) @_##kind##_kind,\n"
                     "enum { $_KINDS(RNC_NUMBER) @_kinds };\n#undef RNC_NUMBER\n");
}

void emit_shapes(Emit *e)
{
    emit_template(e, "\n/* Before the first shape of a type are the names of its fields. */\n"
                     "#define RNC_SHAPE(type, name, ...) \\\n"
                     "    static const rnc_##type##_shape @_##name = {__VA_ARGS__}\n");
    for (int i = 0; i < e->plan->steps.n; i++) {
        const Step *s = &e->plan->steps.at[i];
        if (s->function != i)
            continue;
        const char *kind = e->kind_names[e->kinds[i]];
        emit_constant(e, arena_printf(e->arena, "%s_shape", kind), kernel_rows[s->kernel].family,
                      &s->shape);
        for (int k = 0; k < MOST_OUT; k++) {
            if (s->clear_halo >> k & 1)
                emit_constant(e, arena_printf(e->arena, "%s%s", kind, halo_suffix(e, k)),
                              FAMILY_halo, &s->halo[k]);
        }
    }
}

/* ---- functions ---- */

void emit_knobs_macro(Emit *e)
{
    buf_puts(e->out, "#undef RNC_SHAPE\n\n");
    emit_fields(e, FAMILY_knobs);
    buf_puts(e->out, "#define RNC_KNOBS(number, ...) \\\n"
                     "    static const rnc_knobs RNC_FN(knobs_##number) = {__VA_ARGS__}\n");
}

/* "RNC_KNOBS(1, 14, 2, ...);" */
void emit_knobs(Emit *e, Isa isa)
{
    const ShapeRow *row = &shape_rows[FAMILY_knobs];
    int next = 0;
    buf_putc(e->out, '\n');
    for (int i = 0; i < e->plan->steps.n; i++) {
        const Step *s = &e->plan->steps.at[i];
        if (s->function != i || e->knobs[e->kinds[i]] != next)
            continue;
        buf_printf(e->out, "RNC_KNOBS(%d", next++);
        for (int k = 0; k < row->n; k++) {
            buf_puts(e->out, ", ");
            emit_value(e->out, &row->fields[k], (const unsigned char *)&s->knobs[isa]);
        }
        buf_puts(e->out, ");\n");
    }
}

/* The function of a kind, as a macro: of one whose result has no halo to be cleared, or one. */
static const char kind_text[] =
    "\n/* The function of a kind of steps: its kernel, and the number of its knobs. */\n"
    "#define RNC_KIND(kind, kernel, knobs) \\\n"
    "    RNC_STEP void RNC_FN(kind##_step)(const rnc_operands *o, int part, int parts) \\\n"
    "    { \\\n"
    "        RNC_FN(kernel)(&@_##kind##_shape, &RNC_FN(knobs_##knobs), o, part, parts); \\\n"
    "    }\n";
static const char kind_halo_text[] =
    "/* Likewise; first it clears what is around its result. */\n"
    "#define RNC_KIND_HALO(kind, kernel, knobs) \\\n"
    "    RNC_STEP void RNC_FN(kind##_step)(const rnc_operands *o, int part, int parts) \\\n"
    "    { \\\n"
    "        RNC_FN(halo_clear)(&@_##kind##_halo, o, part, parts); \\\n"
    "        RNC_FN(kernel)(&@_##kind##_shape, &RNC_FN(knobs_##knobs), o, part, parts); \\\n"
    "    }\n";

/* The function of a kind whose kernel adds over images: as many as the batch has (RNC_IMAGES): of
 * this rank, or of all. */
static const char kind_counts_text[] =
    "/* Likewise; the shape is for a whole batch, and the step is told how many images there are. "
    "*/\n"
    "#define RNC_KIND_COUNTS(kind, type, kernel, knobs, of_all, ...) \\\n"
    "    RNC_STEP void RNC_FN(kind##_step)(const rnc_operands *o, int part, int parts) \\\n"
    "    { \\\n"
    "        rnc_##type##_shape s = @_##kind##_shape; \\\n"
    "        const int images = ((const int *)o->weights)[of_all]; \\\n"
    "        __VA_ARGS__; \\\n"
    "        RNC_FN(kernel)(&s, &RNC_FN(knobs_##knobs), o, part, parts); \\\n"
    "    }\n"
    "#define RNC_IMAGES_ONLY s.images = images\n"
    "#define RNC_SLICES_ONLY s.slices = rnc_div_up(images, s.slice)\n"
    "#define RNC_IMAGES_SLICES s.images = images, RNC_SLICES_ONLY\n"
    "#define RNC_LOSSES \\\n"
    "    s.images = images * s.each, \\\n"
    "    s.scale = 1.0f / (float)(((const int *)o->weights)[1] * s.each)\n";

static void emit_counted(Emit *e, const Step *s, const char *kind)
{
    const Family family = kernel_rows[s->kernel].family;
    const bool slices =
        s->kernel != KERNEL_bn_move &&
        (family == FAMILY_grad_weights || family == FAMILY_bn || family == FAMILY_filter);
    buf_printf(e->out, "RNC_KIND_COUNTS(%s, %s, %s, %d, %d, ", kind, shape_rows[family].name,
               kernel_rows[s->kernel].name, e->knobs[e->kinds[s->index]], s->counts == COUNTS_ALL);
    for (int k = 0; k < MOST_OUT; k++) {
        if (s->clear_halo >> k & 1)
            buf_printf(e->out, "RNC_FN(halo_clear)(&%s_%s%s, o, part, parts), ", e->name, kind,
                       halo_suffix(e, k));
    }
    buf_printf(e->out, "%s)\n",
               family == FAMILY_loss     ? "RNC_LOSSES"
               : family == FAMILY_filter ? "RNC_SLICES_ONLY"
               : slices                  ? "RNC_IMAGES_SLICES"
                                         : "RNC_IMAGES_ONLY");
}

/* The function of a kind that clears what is around more than one result, or not the first. */
static void emit_function(Emit *e, const Step *s, const char *kind)
{
    buf_printf(e->out,
               "RNC_STEP void RNC_FN(%s_step)(const rnc_operands *o, int part, int parts)\n{\n",
               kind);
    for (int k = 0; k < MOST_OUT; k++) {
        if (s->clear_halo >> k & 1)
            buf_printf(e->out, "    RNC_FN(halo_clear)(&%s_%s%s, o, part, parts);\n", e->name, kind,
                       halo_suffix(e, k));
    }
    buf_printf(e->out, "    RNC_FN(%s)(&%s_%s_shape, &RNC_FN(knobs_%d), o, part, parts);\n}\n",
               kernel_rows[s->kernel].name, e->name, kind, e->knobs[e->kinds[s->index]]);
}

void emit_functions(Emit *e)
{
    bool halos = false;
    for (int i = 0; i < e->plan->steps.n; i++)
        halos = halos || e->plan->steps.at[i].clear_halo == 1;
    emit_template(e, kind_text);
    if (e->plan->training)
        emit_template(e, kind_counts_text);
    if (halos)
        emit_template(e, kind_halo_text);
    for (int i = 0; i < e->plan->steps.n; i++) {
        const Step *s = &e->plan->steps.at[i];
        const char *kind = e->kind_names[e->kinds[i]];
        if (s->function != i)
            continue;
        if (s->counts)
            emit_counted(e, s, kind);
        else if (s->clear_halo > 1)
            emit_function(e, s, kind);
        else
            buf_printf(e->out, "RNC_KIND%s(%s, %s, %d)\n", s->clear_halo ? "_HALO" : "", kind,
                       kernel_rows[s->kernel].name, e->knobs[e->kinds[i]]);
    }
    buf_printf(e->out, "#undef RNC_KIND\n%s", halos ? "#undef RNC_KIND_HALO\n" : "");
    if (e->plan->training)
        buf_puts(e->out, "#undef RNC_KIND_COUNTS\n#undef RNC_IMAGES_ONLY\n#undef RNC_SLICES_ONLY\n"
                         "#undef RNC_IMAGES_SLICES\n#undef RNC_LOSSES\n");
    emit_template(e, "\n#define RNC_FUNCTION(kind) RNC_FN(kind##_step),\n"
                     "static const @_step_function RNC_FN(steps)[@_kinds] = {\n"
                     "    $_KINDS(RNC_FUNCTION)\n};\n#undef RNC_FUNCTION\n");
}
