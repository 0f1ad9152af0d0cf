/* emit_kernels.c: the kernels that a plan uses.
 * With one instruction set the kernels are pasted where they are used.  With several, their text is
 * at the end of the file, and the file includes itself once for each set (docs/generated-code.md).
 * Nothing is printed piece by piece: what is compiled in tests is what is pasted here. */
#include "emit/emit_parts.h"

#include "emit/texts.h"
#include "kernels/train/cuts.h"
#include "runtime/rncw.h"

#include <string.h>

/* ---- kernels ---- */

static const char *isa_text(Arena *arena, Isa isa)
{
    return arena_printf(arena, "kernels/isa/isa_%s.h", isa_rows[isa].name);
}

/* Does any step have a long activation, one that comes after RNC_ACT_RELU6? */
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

/* Output channels, groups and panels of a step that needs RNC_NARROW. */
static rnc_conv_shape panels_of(const Step *step)
{
    const rnc_grad_weights_shape *w = &step->shape.grad_weights;
    const rnc_grad_data_shape *d = &step->shape.grad_data;
    switch (kernel_rows[step->kernel].family) {
    case FAMILY_grad_weights:
        return (rnc_conv_shape){.out_c = w->out_c, .groups = w->groups, .panel = w->panel};
    case FAMILY_grad_data:
        return (rnc_conv_shape){.out_c = d->in_c, .groups = d->groups, .panel = d->panel};
    default:
        return step->shape.conv;
    }
}

/* RNC_NARROW: does any convolution have a panel, or a column of t->vectors, that is narrower than
 * its others? */
static bool has_narrow(const Plan *plan, Isa isa)
{
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *step = &plan->steps.at[i];
        if (!(kernel_rows[step->kernel].needs & NEEDS_NARROW))
            continue;
        const rnc_conv_shape shape = panels_of(step), *s = &shape;
        rnc_panels_cut panels;
        rnc_columns_cut columns;
        rnc_cut_panels(s, &panels);
        rnc_cut_columns(&step->knobs[isa], s->panel, isa_rows[isa].lanes, &columns);
        if (panels.narrow > 0 || columns.rest > 0)
            return true;
    }
    return false;
}

static bool any_narrow(const Plan *plan)
{
    for (int i = 0; i < ISA_COUNT; i++) {
        if ((plan->options.isas >> i & 1) && has_narrow(plan, (Isa)i))
            return true;
    }
    return false;
}

/* ---- kinds of register tiles (sums.h) ---- */

/* Adds the kind of a step's tiles with panels of `width` channels, unless it is there. */
static void add_kind(const Step *step, Isa isa, int width, rnc_tile_kind *kinds, int *n)
{
    const rnc_conv_shape *s = &step->shape.conv;
    const int channels = step->kernel == KERNEL_conv_strassen ? s->in_c / 2 : s->in_c;
    /* filters that are made of taps are floats */
    const bool made = kernel_rows[step->kernel].needs & NEEDS_TAPS;
    const int weights = made ? RNC_WEIGHTS_F32 : s->weights;
    rnc_tile_kind kind;
    rnc_choose_kind(&step->knobs[isa], channels, width, isa_rows[isa].lanes, weights, &kind);
    for (int i = 0; i < *n; i++) {
        if (memcmp(&kinds[i], &kind, sizeof kind) == 0)
            return;
    }
    kinds[(*n)++] = kind;
}

/* RNC_TILES: the most pixels of a tile; RNC_TILE_KINDS: the kinds that steps use. */
static void emit_tile_kinds(Emit *e, Isa isa)
{
    const Plan *plan = e->plan;
    rnc_tile_kind *kinds = arena_alloc(e->arena, (size_t)plan->steps.n * 2 * sizeof *kinds);
    int n = 0, most = 1;
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *step = &plan->steps.at[i];
        if (!(kernel_rows[step->kernel].needs & NEEDS_SUMS))
            continue;
        const rnc_conv_shape *s = &step->shape.conv;
        if (s->out_c >= s->panel)
            add_kind(step, isa, s->panel, kinds, &n);
        if (s->out_c % s->panel > 0)
            add_kind(step, isa, s->out_c % s->panel, kinds, &n);
        if (step->knobs[isa].pixels > most)
            most = step->knobs[isa].pixels;
    }
    buf_printf(e->out, "\n#define RNC_TILES %d\n#define RNC_OTHER_KINDS 0\n", most);
    buf_puts(e->out, "#define RNC_TILE_KINDS(X)");
    for (int i = 0; i < n; i++)
        buf_printf(e->out, " \\\n    X(%d, %d, %d, %d, %d, %d, %d)", kinds[i].unroll,
                   kinds[i].vectors, kinds[i].width, kinds[i].weights, kinds[i].memory,
                   kinds[i].lines, kinds[i].near);
    buf_putc(e->out, '\n');
}

/* ---- one text, several instruction sets ---- */

static bool defined_by_isa(const Emit *e, const char *macro)
{
    for (int i = 0; i < ISA_COUNT; i++) {
        if ((e->plan->options.isas >> i & 1) &&
            text_defines(isa_text(e->arena, (Isa)i), macro, e->arena))
            return true;
    }
    return false;
}

static bool wants_exp(const Plan *plan)
{
    return has_long_act(plan) || any_needs(plan, NEEDS_EXP);
}

static bool has_large_windows(const Plan *plan)
{
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *step = &plan->steps.at[i];
        const rnc_pool_shape *s = &step->shape.pool;
        if (step->kernel == KERNEL_avgpool && (int64_t)s->kernel_h * s->kernel_w > RNC_SUM_BLOCK)
            return true;
    }
    return false;
}

static bool has_long_dense(const Plan *plan)
{
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *step = &plan->steps.at[i];
        if (step->kernel == KERNEL_dense && step->shape.dense.in_c > RNC_SUM_MOST)
            return true;
    }
    return false;
}

/* Does Winograd's method have dilated windows? */
static bool has_dilated_tiles(const Plan *plan)
{
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *step = &plan->steps.at[i];
        const rnc_conv_shape *s = &step->shape.conv;
        if ((kernel_rows[step->kernel].needs & NEEDS_WINOGRAD) &&
            (s->dilation_h > 1 || s->dilation_w > 1))
            return true;
    }
    return false;
}

/* Are filters of F(2 x 2, 3 x 3) made of plain taps? */
static bool has_small_taps(const Plan *plan)
{
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *step = &plan->steps.at[i];
        if ((kernel_rows[step->kernel].needs & NEEDS_TAPS) && step->shape.conv.winograd == 2)
            return true;
    }
    return false;
}

/* Does a plain sum go through its pixels strip by strip? */
static bool has_strips(const Plan *plan)
{
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *step = &plan->steps.at[i];
        for (int k = 0; k < ISA_COUNT; k++) {
            const bool sums =
                step->kernel == KERNEL_conv_direct || step->kernel == KERNEL_conv_grad_data;
            if (sums && step->knobs[k].group > 0)
                return true;
        }
    }
    return false;
}

static bool has_halves(const Plan *plan)
{
    for (int i = 0; i < plan->steps.n; i++) {
        if (packed_number(&plan->steps.at[i]) != RNC_WEIGHTS_F32)
            return true;
    }
    return false;
}

/* Does this plan use a part of a kernel's text? */
static bool is_wanted(const void *context, const char *macro)
{
    const Emit *e = context;
    if (str_eq(macro, "RNC_EXP"))
        return wants_exp(e->plan);
    if (str_eq(macro, "RNC_LONG_ACT"))
        return has_long_act(e->plan);
    if (str_eq(macro, "RNC_HALVES"))
        return has_halves(e->plan);
    if (str_eq(macro, "RNC_FAR_TILES"))
        return e->plan->training;
    if (str_eq(macro, "RNC_TAPS"))
        return any_needs(e->plan, NEEDS_TAPS);
    if (str_eq(macro, "RNC_SMALL_TAPS"))
        return has_small_taps(e->plan);
    if (str_eq(macro, "RNC_NARROW"))
        return any_narrow(e->plan);
    if (str_eq(macro, "RNC_LARGE_WINDOWS"))
        return has_large_windows(e->plan);
    if (str_eq(macro, "RNC_LONG_DENSE"))
        return has_long_dense(e->plan);
    if (str_eq(macro, "RNC_CLIPPED"))
        return uses_clipped(e->plan);
    if (str_eq(macro, "RNC_STRIPS"))
        return has_strips(e->plan);
    if (str_eq(macro, "RNC_DILATED"))
        return has_dilated_tiles(e->plan);
    return defined_by_isa(e, macro);
}

static void paste_kernel(Emit *e, const char *name)
{
    VEC_PUSH(e->arena, &e->pasted, name);
    paste_text(e->out, name, is_wanted, e);
}

static void paste_end(Emit *e, const char *name)
{
    const Pasted pasted = {e->pasted.at, e->pasted.n, is_wanted, e};
    paste_undefs(e->out, name, &pasted);
}

/* What is the same for all instruction sets: the kernels, written with an ISA header's macros. */
static void emit_kernel_texts(Emit *e)
{
    const Plan *plan = e->plan;
    if (wants_exp(plan))
        buf_puts(e->out, has_long_act(plan) ? "#define RNC_EXP 1\n#define RNC_LONG_ACT 1\n\n"
                                            : "#define RNC_EXP 1\n\n");
    if (has_large_windows(plan))
        buf_puts(e->out, "#define RNC_LARGE_WINDOWS 1\n\n");
    if (has_long_dense(plan))
        buf_puts(e->out, "#define RNC_LONG_DENSE 1\n\n");
    if (plan->training)
        buf_puts(e->out, "#define RNC_FAR_TILES 1\n\n");
    if (any_needs(plan, NEEDS_TAPS))
        buf_puts(e->out, "#define RNC_TAPS 1\n\n");
    if (has_small_taps(plan))
        buf_puts(e->out, "#define RNC_SMALL_TAPS 1\n\n");
    if (uses_clipped(plan))
        buf_puts(e->out, "#define RNC_CLIPPED 1\n\n");
    if (has_strips(plan))
        buf_puts(e->out, "#define RNC_STRIPS 1\n\n");
    if (has_dilated_tiles(plan))
        buf_puts(e->out, "#define RNC_DILATED 1\n\n");
    paste_kernel(e, "kernels/f32/act.h");
    if (uses_family(plan, FAMILY_halo))
        paste_kernel(e, "kernels/f32/halo.c");
    if (any_needs(plan, NEEDS_TILE))
        paste_kernel(e, "kernels/f32/tile.h");
    if (any_needs(plan, NEEDS_SUMS))
        paste_kernel(e, "kernels/f32/sums.h");
    if (any_needs(plan, NEEDS_DIRECT))
        paste_kernel(e, "kernels/f32/direct_tile.h");
    if (any_needs(plan, NEEDS_TRANSFORM))
        paste_kernel(e, "kernels/f32/winograd.h");
    if (any_needs(plan, NEEDS_WINOGRAD))
        paste_kernel(e, "kernels/f32/winograd_tiles.h");
    if (any_needs(plan, NEEDS_TAPS))
        paste_kernel(e, "kernels/f32/winograd_taps.h");
    if (any_needs(plan, NEEDS_POOL))
        paste_kernel(e, "kernels/f32/pool.h");
    if (any_needs(plan, NEEDS_NORM))
        paste_kernel(e, "kernels/f32/norm.h");
    if (any_needs(plan, NEEDS_OVER))
        paste_kernel(e, "kernels/f32/over.h");
    if (plan->training) {
        paste_kernel(e, "kernels/train/parts.h");
        paste_kernel(e, "kernels/train/bn.h");
        if (uses_family(plan, FAMILY_pool_grad))
            paste_kernel(e, "kernels/train/pool.h");
        if (uses_kernel(plan, KERNEL_conv_grad_weights))
            paste_kernel(e, "kernels/train/grad_tile.h");
    }
    for (int k = 0; k < KERNEL_COUNT; k++) {
        if (uses_kernel(plan, (Kernel)k))
            paste_kernel(e, kernel_rows[k].file);
    }
    emit_functions(e);
    buf_putc(e->out, '\n');
    if (plan->training)
        paste_end(e, "kernels/train/parts_end.h");
    paste_end(e, "kernels/isa/isa_end.h");
    buf_puts(e->out, "#ifdef __clang__\n#pragma clang diagnostic pop\n#endif\n");
}

/* The macros of an instruction set, and the tiles of the steps on it. */
static void emit_isa_macros(Emit *e, Isa isa)
{
    const IsaRow *row = &isa_rows[isa];
    buf_printf(e->out, "#define RNC_FN(name) %s_##name##_%s\n\n", e->name, row->name);
    if (has_halves(e->plan))
        buf_puts(e->out, "#define RNC_HALVES 1\n\n");
    paste_kernel(e, isa_text(e->arena, isa));
    if (has_narrow(e->plan, isa))
        buf_puts(e->out, "\n#define RNC_NARROW 1\n");
    if (any_needs(e->plan, NEEDS_SUMS))
        emit_tile_kinds(e, isa);
    emit_knobs(e, isa);
}

static void emit_vectors(Emit *e, bool vectors, bool scalar)
{
    buf_puts(e->out, "\n#ifdef __clang__\n#pragma clang diagnostic push\n#endif\n");
    if (!vectors)
        return;
    if (scalar)
        buf_puts(e->out, "#if RNC_VL > 1\n");
    paste_kernel(e, "kernels/isa/vector.h");
    if (scalar)
        buf_puts(e->out, "#endif\n");
}

static void begin_isa(Emit *e, Isa isa)
{
    buf_printf(e->out, "\n/* ---- %s: %s ---- */\n#if %s\n\n", isa_rows[isa].name,
               isa_rows[isa].doc, isa_rows[isa].guard);
    emit_isa_macros(e, isa);
}

static void end_isa(Emit *e, Isa isa)
{
    buf_printf(e->out, "#endif /* %s */\n", isa_rows[isa].name);
}

void emit_isa(Emit *e, Isa isa)
{
    begin_isa(e, isa);
    emit_vectors(e, isa_rows[isa].lanes > 1, false);
    emit_kernel_texts(e);
    end_isa(e, isa);
}

bool emit_has_passes(const Plan *plan)
{
    return (plan->options.isas & (plan->options.isas - 1)) != 0;
}

static const char passes_text[] =
    "\n/* ---- the kernels, for each instruction set ----\n"
    " * Their text is at the end of this file.  The file includes itself, with RNC_PASS defined,\n"
    " * once for each instruction set, under the name that it was written with. */\n"
    "#ifndef $_SOURCE\n"
    "#define $_SOURCE \"%\"\n"
    "#endif\n"
    "#ifdef __has_include\n"
    "#if !__has_include($_SOURCE)\n"
    "#error \"% includes itself: compile it under that name, or say -D$_SOURCE='\\\"NAME.c\\\"'\"\n"
    "#endif\n"
    "#endif\n";

void emit_passes(Emit *e)
{
    Buf text = buf_new(e->arena);
    for (const char *c = passes_text; *c; c++) {
        if (*c == '%')
            buf_puts(&text, e->options->source);
        else
            buf_putc(&text, *c);
    }
    e->pass = (uint32_t)(rncw_hash(e->out->text, e->out->n, 0) >> 33);
    emit_template(e, buf_text(&text));
    buf_printf(e->out,
               "#define RNC_PASS %u /* marks this file: another file of its name is refused */\n",
               (unsigned)e->pass);
    for (int i = 0; i < ISA_COUNT; i++) {
        if (!(e->plan->options.isas >> i & 1))
            continue;
        begin_isa(e, (Isa)i);
        emit_template(e, "\n#include $_SOURCE\n");
        end_isa(e, (Isa)i);
    }
    buf_puts(e->out, "#undef RNC_PASS\n");
}

void emit_pass(Emit *e)
{
    const unsigned isas = e->plan->options.isas;
    buf_printf(
        e->out,
        "\n#else /* RNC_PASS: what is included for each instruction set */\n"
        "#if RNC_PASS != %u\n"
        "#error \"%s includes itself, and a file of that name that was found first is another\"\n"
        "#endif\n",
        (unsigned)e->pass, e->options->source);
    emit_vectors(e, (isas & ~(1u << ISA_scalar)) != 0, (isas >> ISA_scalar & 1) != 0);
    emit_kernel_texts(e);
    buf_puts(e->out, "#endif /* RNC_PASS */\n");
}
