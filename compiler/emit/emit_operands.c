/* emit_operands.c: what kernels are told about their work: the structs of shapes that a plan uses,
 * operands, and how work is cut. */
#include "emit/emit_parts.h"

#include "emit/identifiers.h"
#include "emit/texts.h"
#include "kernels/train/cuts.h"

#include <string.h>

/* ---- what a plan uses ---- */

/* Whether a kernel calls another one. */
static bool calls(Kernel kernel, Kernel other)
{
    return (kernel == KERNEL_conv_grad_data && other == KERNEL_conv_direct) ||
           (kernel == KERNEL_depthwise_grad_data && other == KERNEL_depthwise);
}

bool uses_kernel(const Plan *plan, Kernel kernel)
{
    for (int i = 0; i < plan->steps.n; i++) {
        const Kernel step = plan->steps.at[i].kernel;
        if (step == kernel || calls(step, kernel))
            return true;
    }
    return false;
}

/* Does the plan have a kernel that needs `what` (NEEDS_...)? */
bool uses_clipped(const Plan *plan)
{
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *step = &plan->steps.at[i];
        if (step->kernel == KERNEL_conv_direct && step->shape.conv.in_h > 0)
            return true;
    }
    return false;
}

bool any_needs(const Plan *plan, unsigned what)
{
    for (int i = 0; i < plan->steps.n; i++) {
        if (kernel_rows[plan->steps.at[i].kernel].needs & what)
            return true;
    }
    return false;
}

/* Families whose shapes the functions of train/cuts.h take. */
static bool train_cuts_speak(Family family)
{
    return family == FAMILY_conv || family == FAMILY_grad_weights || family == FAMILY_filter ||
           family == FAMILY_grad_data || family == FAMILY_bn;
}

bool uses_family(const Plan *plan, Family family)
{
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *s = &plan->steps.at[i];
        if (kernel_rows[s->kernel].family == family || (family == FAMILY_halo && s->clear_halo))
            return true;
    }
    return family == FAMILY_knobs || (plan->training && train_cuts_speak(family));
}

/* ---- shapes ---- */

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && str_eq(text + n - m, end);
}

/* Field i begins the three distances of a tensor: in_pixel, in_row, in_image. */
static bool begins_distances(const ShapeRow *row, int i)
{
    return i + 2 < row->n && ends_with(row->fields[i].name, "pixel") &&
           ends_with(row->fields[i + 1].name, "row") && ends_with(row->fields[i + 2].name, "image");
}

/* What emit_release() has said of all families: images, activations, and the distances of input,
 * output and residual. */
static bool is_common(const ShapeField *f)
{
    static const char *const docs[] = {"images in the batch", "elements from input pixel to pixel",
                                       "elements from output pixel to pixel",
                                       "elements from residual pixel to pixel",
                                       "activation applied last (RNC_ACT_...)"};
    for (size_t i = 0; i < sizeof docs / sizeof *docs; i++) {
        if (str_eq(f->doc, docs[i]))
            return true;
    }
    return false;
}

/* Fields i and i + 1 are one of the rows and one of the pixels: kernel_h and kernel_w. */
static bool begins_extents(const ShapeRow *row, int i)
{
    return i + 1 < row->n && ends_with(row->fields[i].name, "h") &&
           ends_with(row->fields[i + 1].name, "w") && !row->fields[i].is_float;
}

/* One line for each field, but for extents, distances, and the two numbers of an activation. */
static void emit_struct(Emit *e, const ShapeRow *row)
{
    const char *upper = c_upper(e->arena, row->name);
    buf_printf(e->out,
               "\n#ifndef RNC_%s_SHAPE\n#define RNC_%s_SHAPE\ntypedef struct rnc_%s_shape {\n",
               upper, upper, row->name);
    for (int i = 0; i < row->n; i++) {
        const ShapeField *f = &row->fields[i], *first = f;
        buf_printf(e->out, "    %s %s", f->is_float ? "float" : "int", f->name);
        if (begins_distances(row, i)) {
            buf_printf(e->out, ", %s, %s", f[1].name, f[2].name);
            i += 2;
        } else if (str_eq(f->name, "alpha") && i + 1 < row->n && str_eq(f[1].name, "beta")) {
            buf_puts(e->out, ", beta;\n");
            i++;
            continue;
        }
        if (is_common(first))
            buf_puts(e->out, ";\n");
        else if (begins_extents(row, i))
            buf_printf(e->out, ", %s; /* %s; %s */\n", f[1].name, f->doc, f[1].doc), i++;
        else
            buf_printf(e->out, "; /* %s */\n", first->doc);
    }
    buf_printf(e->out, "} rnc_%s_shape;\n#endif\n", row->name);
}

/* Networks in one translation unit share these types; other releases have other types. */
static void emit_release(Emit *e)
{
    static const char *const names[] = {"kernels/shapes.def",
                                        "kernels/operands.h",
                                        "kernels/parts.h",
                                        "kernels/cuts.h",
                                        "kernels/cuts_blas.h",
                                        "kernels/cuts_norm.h",
                                        "kernels/cuts_clipped.h",
                                        "kernels/cuts_strassen.h",
                                        "kernels/cuts_winograd.h",
                                        "kernels/cuts_winograd1d.h",
                                        "kernels/cuts_winograd_taps.h"};
    const unsigned hash = texts_hash(names, (int)(sizeof names / sizeof *names));
    buf_printf(
        e->out,
        "\n/* ---- what kernels are told about their work ----\n"
        " * `images` are those of the batch.  Distances are in elements: in_pixel, in_row and\n"
        " * in_image lead to the next pixel, row and image of the input, out_... to those of the\n"
        " * output, res_... of the residual.  `act` is the activation applied last\n"
        " * (RNC_ACT_...), alpha and beta are its numbers.\n"
        " * Several networks in one translation unit share these types. */\n"
        "#if defined(RNC_KERNELS) && RNC_KERNELS != %u\n"
        "#error \"networks of different releases of rnc cannot be one translation unit\"\n"
        "#endif\n#undef RNC_KERNELS\n#define RNC_KERNELS %u\n",
        hash, hash);
}

/* Likewise for what only trainings have. */
static void emit_train_release(Emit *e)
{
    static const char *const names[] = {"kernels/train/shapes.def", "kernels/train/cuts.h",
                                        "kernels/train/rates.h"};
    const unsigned hash = texts_hash(names, (int)(sizeof names / sizeof *names));
    buf_printf(e->out,
               "#if defined(RNC_TRAIN_KERNELS) && RNC_TRAIN_KERNELS != %u\n"
               "#error \"trainings of different releases of rnc cannot be one translation unit\"\n"
               "#endif\n#undef RNC_TRAIN_KERNELS\n#define RNC_TRAIN_KERNELS %u\n",
               hash, hash);
}

/* Kernels of these families are cut by cuts.h, which speaks of convolutions' shapes. */
static bool uses_cuts(const Plan *plan)
{
    return uses_family(plan, FAMILY_conv) || uses_family(plan, FAMILY_dense) ||
           uses_family(plan, FAMILY_norm);
}

static void emit_cuts(Emit *e)
{
    const Plan *plan = e->plan;
    if (!uses_cuts(plan))
        return;
    paste_text(e->out, "kernels/cuts.h", NULL, NULL);
    if (uses_clipped(plan))
        paste_text(e->out, "kernels/cuts_clipped.h", NULL, NULL);
    if (any_needs(plan, NEEDS_TRANSFORM))
        paste_text(e->out, "kernels/cuts_winograd.h", NULL, NULL);
    if (any_needs(plan, NEEDS_TAPS))
        paste_text(e->out, "kernels/cuts_winograd_taps.h", NULL, NULL);
    if (uses_kernel(plan, KERNEL_conv_winograd1d))
        paste_text(e->out, "kernels/cuts_winograd1d.h", NULL, NULL);
    if (uses_kernel(plan, KERNEL_conv_strassen))
        paste_text(e->out, "kernels/cuts_strassen.h", NULL, NULL);
    if (uses_kernel(plan, KERNEL_conv_blas))
        paste_text(e->out, "kernels/cuts_blas.h", NULL, NULL);
    if (uses_kernel(plan, KERNEL_norm_images))
        paste_text(e->out, "kernels/cuts_norm.h", NULL, NULL);
}

void emit_operands(Emit *e)
{
    emit_release(e);
    if (e->plan->training)
        emit_train_release(e);
    for (int f = 0; f < FAMILY_COUNT; f++) {
        if (uses_family(e->plan, (Family)f) || (f == FAMILY_conv && uses_cuts(e->plan)))
            emit_struct(e, &shape_rows[f]);
    }
    buf_putc(e->out, '\n');
    paste_text(e->out, "kernels/operands.h", NULL, NULL);
    buf_putc(e->out, '\n');
    paste_text(e->out, "kernels/parts.h", NULL, NULL);
    emit_cuts(e);
    if (e->plan->training) {
        paste_text(e->out, "kernels/train/cuts.h", NULL, NULL);
        paste_text(e->out, "kernels/train/rates.h", NULL, NULL);
    }
}
