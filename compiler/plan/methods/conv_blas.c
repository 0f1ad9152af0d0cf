/* conv_blas.c: convolution by tiles of im2col and the matrix product of a BLAS, which has threads
 * of its own. */
#include "kernels/cuts_blas.h"
#include "plan/methods/method_parts.h"

static bool blas_fits(const Plan *plan, const Node *node)
{
    return node->op == OP_CONV && plan->options.backend == BACKEND_OPENBLAS;
}

static void blas_shape(const Plan *plan, const Node *node, rnc_conv_shape *s)
{
    (void)plan;
    s->groups = node->attrs.groups;
    s->in_c = node->in[0]->type.c / s->groups;
    s->out_c = node->attrs.filters;
}

static int64_t blas_scratch(const rnc_conv_shape *s, const rnc_knobs *t)
{
    rnc_blas_cut c;
    rnc_cut_blas(s, t, &c);
    return c.floats;
}

/* ---- weights ---- */

int64_t packed_rows(const Step *step)
{
    return packed_taps(step);
}

void pack_rows(const Step *step, float *to)
{
    const rnc_conv_shape *s = &step->shape.conv;
    const Filters filters = filters_of(step->node), *f = &filters;
    enum { COLUMNS = 32 };
    const int width = s->out_c / s->groups;
    pack_bias(f, 0, s->out_c, to);
    to += s->out_c;
    for (int g = 0; g < s->groups; g++) {
        for (int i = 0; i < width; i += COLUMNS) {
            const int n = width - i < COLUMNS ? width - i : COLUMNS;
            pack_columns(f, g * width + i, n, s->in_c, g * s->in_c, width, to + i);
        }
        to += (int64_t)f->taps * s->in_c * width;
    }
}

const Method method_conv_blas = {
    .word = "direct",
    .kernel = KERNEL_conv_blas,
    .plain = true,
    .fits = blas_fits,
    .reads_halo = true,
    .any_channels = true,
    .shape = blas_shape,
    .scratch = blas_scratch,
    .knobs = KNOB_BIT(pixels),
};
