/* conv_blas.c: convolution by tiles of im2col and the matrix product of a BLAS, which has threads
 * of its own. */
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

static int64_t blas_scratch(const rnc_conv_shape *s, const rnc_tile *t)
{
    rnc_blas_cut c;
    rnc_cut_blas(s, t, &c);
    return c.floats;
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
