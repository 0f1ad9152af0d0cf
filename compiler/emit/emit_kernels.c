/* emit_kernels.c: texts that rnc carries, pasted: what kernels are told of
 * their work, the kernels that a plan uses, once for each ISA, and the runtime.
 *
 * The comments of a kernel stand where it is pasted first.  Nothing is printed
 * piece by piece: what is compiled in tests is what is pasted here.
 */
#include "emit/emit_parts.h"

#include <string.h>

/* End of the comment, string or character that begins at `at`, or NULL. */
static const char *skip_token(const char *at)
{
    if (at[0] == '/' && at[1] == '*') {
        const char *end = strstr(at + 2, "*/");
        return end ? end + 2 : at + strlen(at);
    }
    if (*at != '"' && *at != '\'')
        return NULL;
    const char *end = at + 1;
    while (*end && *end != *at)
        end += *end == '\\' && end[1] ? 2 : 1;
    return *end ? end + 1 : end;
}

/* One line of code without comments, without blanks at its end; a line that
 * held nothing else goes. */
static void end_line(Buf *out, Buf *line, bool had_comment)
{
    while (line->n > 0 && line->text[line->n - 1] == ' ')
        line->n--;
    if (line->n > 0 || !had_comment) {
        buf_add(out, line->text ? line->text : "", line->n);
        buf_putc(out, '\n');
    }
    line->n = 0;
}

static void paste_code(Buf *out, const char *text)
{
    Buf line = buf_new(out->arena);
    bool had_comment = false;
    for (const char *at = text; *at;) {
        const char *end = skip_token(at);
        if (end && *at == '/') {
            had_comment = true;
            at = end;
        } else if (end) {
            buf_add(&line, at, (size_t)(end - at));
            at = end;
        } else if (*at == '\n') {
            end_line(out, &line, had_comment);
            had_comment = false;
            at++;
        } else {
            buf_putc(&line, *at++);
        }
    }
    if (line.n > 0)
        end_line(out, &line, had_comment);
}

void paste(Buf *out, const char *text, bool comments)
{
    if (!comments) {
        paste_code(out, text);
        return;
    }
    buf_puts(out, text);
}

/* A carried text without the lines that include others of ours. */
static const char *carried(Arena *arena, const char *name)
{
    const Text *text = text_named(name);
    if (!text)
        return arena_printf(arena, "#error \"rnc was built without %s\"\n", name);
    Buf out = buf_new(arena);
    const char *at = (const char *)text->bytes, *end = at + text->size;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *next = newline ? newline + 1 : end;
        const size_t n = (size_t)(next - at);
        const bool ours = n > 10 && (strncmp(at, "#include \"", 10) == 0 ||
                                     (n > 14 && strncmp(at, "#include <rncr", 14) == 0));
        if (!ours)
            buf_add(&out, at, n);
        at = next;
    }
    return buf_text(&out);
}

static void paste_file(Emit *e, const char *name, bool comments)
{
    paste(e->out, carried(e->arena, name), comments);
}

/* `text` without its pieces between lines "#ifdef RNC_..." and "#endif" for what `known`, the text
 * of an instruction set's header and of what the plan wants, does not define. */
static const char *without_undefined(Arena *arena, const char *text, const char *known)
{
    static const char begin[] = "#ifdef RNC_", end[] = "\n#endif\n";
    Buf out = buf_new(arena);
    for (const char *piece; (piece = strstr(text, begin)) != NULL;) {
        const char *name = piece + strlen("#ifdef "), *line = strchr(name, '\n');
        const char *behind = line ? strstr(line, end) : NULL;
        if (!behind)
            break;
        const char *next = behind + strlen(end);
        const char *wanted = arena_printf(arena, "#define %.*s ", (int)(line - name), name);
        const bool kept = strstr(known, wanted) != NULL;
        buf_add(&out, text, (size_t)((kept ? next : piece) - text));
        text = !kept && *next == '\n' ? next + 1 : next;
    }
    buf_puts(&out, text);
    return buf_text(&out);
}

/* A kernel, or what kernels share. */
static void paste_kernel(Emit *e, const char *name, const char *known, bool comments)
{
    paste(e->out, without_undefined(e->arena, carried(e->arena, name), known), comments);
}

/* ---- shapes and operands ---- */

static bool uses_family(const Plan *plan, Family family)
{
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *s = &plan->steps.at[i];
        if (kernel_rows[s->kernel].family == family || (family == FAMILY_halo && s->clear_halo))
            return true;
    }
    return family == FAMILY_tile;
}

static void emit_struct(Emit *e, const ShapeRow *row)
{
    buf_printf(e->out, "\ntypedef struct rnc_%s_shape {\n", row->name);
    for (int i = 0; i < row->n; i++) {
        const ShapeField *f = &row->fields[i];
        buf_printf(e->out, "    %s %s;%*s /* %s */\n", f->is_float ? "float" : "int", f->name,
                   (int)(f->is_float ? 16 : 18) - (int)strlen(f->name), "", f->doc);
    }
    buf_printf(e->out, "} rnc_%s_shape;\n", row->name);
}

void emit_operands(Emit *e)
{
    static const char begin[] = "typedef rnc_tile_shape rnc_tile;\n", end[] = "#endif";
    buf_puts(e->out, "\n/* What kernels are told of their work.  Distances are in floats. */\n");
    for (int f = 0; f < FAMILY_COUNT; f++) {
        if (uses_family(e->plan, (Family)f))
            emit_struct(e, &shape_rows[f]);
    }
    const char *shapes = carried(e->arena, "kernels/shapes.h");
    const char *from = strstr(shapes, begin), *to = from ? strstr(from, end) : NULL;
    buf_putc(e->out, '\n');
    if (to)
        buf_add(e->out, from, (size_t)(to - from));
    buf_putc(e->out, '\n');
    paste_file(e, "kernels/parts.h", true);
    if (uses_family(e->plan, FAMILY_conv))
        paste_file(e, "kernels/cuts.h", true);
}

/* ---- kernels ---- */

static bool uses_kernel(const Plan *plan, Kernel kernel)
{
    for (int i = 0; i < plan->steps.n; i++) {
        if (plan->steps.at[i].kernel == kernel)
            return true;
    }
    return false;
}

/* Has the plan a kernel that needs it (NEEDS_...)? */
static bool any_needs(const Plan *plan, unsigned what)
{
    for (int i = 0; i < plan->steps.n; i++) {
        if (kernel_rows[plan->steps.at[i].kernel].needs & what)
            return true;
    }
    return false;
}

/* Has a step an activation longer than RELU6's? */
static bool has_long_act(const Plan *plan)
{
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *step = &plan->steps.at[i];
        const ShapeRow *row = &shape_rows[kernel_rows[step->kernel].family];
        for (int k = 0; k < row->n; k++) {
            int act;
            memcpy(&act, (const char *)&step->shape + row->fields[k].offset, sizeof act);
            if (str_eq(row->fields[k].name, "act") && act > ACT_RELU6)
                return true;
        }
    }
    return false;
}

/* What the plan wants of the pieces of act.h, as lines that define it. */
static const char *wanted_acts(const Plan *plan)
{
    if (has_long_act(plan))
        return "#define RNC_EXP 1\n#define RNC_LONG_ACT 1\n\n";
    return any_needs(plan, NEEDS_EXP) ? "#define RNC_EXP 1\n\n" : "";
}

static bool is_first(const Plan *plan, Isa isa)
{
    return (plan->options.isas & ((1u << isa) - 1)) == 0;
}

/* RNC_NARROW: has a convolution a panel, or a column of t->vectors, narrower than others? */
static bool has_narrow(const Plan *plan, Isa isa)
{
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *step = &plan->steps.at[i];
        if (!(kernel_rows[step->kernel].needs & NEEDS_NARROW))
            continue;
        const rnc_conv_shape *s = &step->shape.conv;
        const int vectors = s->panel / isa_rows[isa].lanes, wish = step->tile[isa].vectors;
        const int most = wish < 1 ? 1 : wish > 8 ? 8 : wish;
        if (s->out_c / s->groups % s->panel != 0 || (vectors > most && vectors % most != 0))
            return true;
    }
    return false;
}

/* RNC_TILES: the most tiles of Winograd's method, or pixels of Strassen's, of a register tile. */
static int most_tiles(const Plan *plan, Isa isa)
{
    int most = 1;
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *step = &plan->steps.at[i];
        if (kernel_rows[step->kernel].needs & NEEDS_SIZES && step->tile[isa].pixels > most)
            most = step->tile[isa].pixels;
    }
    return most;
}

void emit_isa(Emit *e, Isa isa)
{
    const IsaRow *row = &isa_rows[isa];
    const bool comments = is_first(e->plan, isa);
    const char *header_name = arena_printf(e->arena, "kernels/isa/isa_%s.h", row->name);
    const char *acts = wanted_acts(e->plan);
    const char *known = arena_printf(e->arena, "%s%s", carried(e->arena, header_name), acts);
    buf_printf(e->out, "\n/* ---- %s: %s ---- */\n#if %s\n\n", row->name, row->doc, row->guard);
    paste_file(e, header_name, true);
    if (row->lanes > 1)
        paste_file(e, "kernels/isa/vector.h", comments);
    buf_puts(e->out, acts);
    paste_kernel(e, "kernels/f32/act.h", known, comments);
    if (uses_family(e->plan, FAMILY_halo))
        paste_file(e, "kernels/f32/halo.c", comments);
    if (any_needs(e->plan, NEEDS_TILE))
        paste_kernel(e, "kernels/f32/tile.h", known, comments);
    if (any_needs(e->plan, NEEDS_NARROW))
        buf_printf(e->out, "#define RNC_NARROW %d\n\n", has_narrow(e->plan, isa));
    if (any_needs(e->plan, NEEDS_SIZES))
        buf_printf(e->out, "#define RNC_TILES %d\n\n", most_tiles(e->plan, isa));
    if (any_needs(e->plan, NEEDS_WINOGRAD)) {
        paste_file(e, "kernels/f32/winograd.h", comments);
        paste_kernel(e, "kernels/f32/winograd_tiles.h", known, comments);
    }
    for (int k = 0; k < KERNEL_COUNT; k++) {
        if (uses_kernel(e->plan, (Kernel)k))
            paste_kernel(e, arena_printf(e->arena, "kernels/f32/%s.c", kernel_rows[k].name), known,
                         comments);
    }
    emit_functions(e, isa);
    buf_putc(e->out, '\n');
    paste_file(e, "kernels/isa/isa_end.h", false);
    buf_printf(e->out, "#endif /* %s */\n", row->name);
}

/* ---- the runtime ---- */

void emit_runtime(Buf *out)
{
    buf_puts(out,
             "\n/* ---- the runtime ----\n"
             " * Several networks in one program share it: compile all but one of them with\n"
             " * -DRNC_NO_RUNTIME.  Mapped files (rnc_weights_open) and threads (rnc_pool_new)\n"
             " * are in librncrt alone. */\n"
             "#ifndef RNC_NO_RUNTIME\n");
    for (int i = 0; i < text_count; i++) {
        if (str_starts(texts[i].name, "runtime/") && !str_eq(texts[i].name, "runtime/rncrt.h"))
            buf_puts(out, carried(out->arena, texts[i].name));
    }
    buf_puts(out, "\n#endif /* RNC_NO_RUNTIME */\n");
}

void emit_runtime_header(Buf *out)
{
    buf_putc(out, '\n');
    buf_puts(out, carried(out->arena, "runtime/rncrt.h"));
}
