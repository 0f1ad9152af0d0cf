/* bn_grad: the gradient of batch normalisation's input:
 *     gamma / sqrt(variance + epsilon) * (g - means[0] - (x - mean) * means[1])
 * with the gradient g before the activation and the means of bn_grad_join.  Operands: grad, in, out
 * (or NULL), mean, variance, gamma, beta, means -> gradient of the input, masked.  If bn_grad_sums
 * stored g, it is `grad` here, and s->act is none; else s->from_output and s->store are as there.
 * The result may overwrite the gradient.
 * Reads and writes of a whole tensor by both kernels: without a residual 5 (grad, x; grad, x, the
 * result), with one 7 (grad, x, out, g; g, x, the result).
 * c is whole vectors. */
#define bn_grad_block RNC_FN(bn_grad_block)

RNC_KERNEL void bn_grad_block(const rnc_bn_shape *s, const rnc_operands *o, const rnc_bn_block *b,
                              int at, int nv)
{
    const float *const means = (const float *)o->in[7] + at;
    const int ahead = RNC_BN_AHEAD / nv; /* pixels */
    bn_channels k;
    bn_load(s, o, at, nv, &k);
    for (int i = b->line; i < b->end; i++) {
        const float *grad = (const float *)o->in[0] + at +
                            rnc_bn_at(s, i, s->grad_image, s->grad_row, b->x0, s->grad_pixel);
        const float *in = (const float *)o->in[1] + at +
                          rnc_bn_at(s, i, s->in_image, s->in_row, b->x0, s->in_pixel);
        const float *y = s->from_output
                             ? (const float *)o->in[2] + at +
                                   rnc_bn_at(s, i, s->out_image, s->out_row, b->x0, s->out_pixel)
                             : in;
        float *to =
            (float *)o->out[0] + at + rnc_bn_at(s, i, s->to_image, s->to_row, b->x0, s->to_pixel);
        float *masked = s->store
                            ? (float *)o->out[1] + at +
                                  rnc_bn_at(s, i, s->res_image, s->res_row, b->x0, s->res_pixel)
                            : NULL;
        for (int x = b->x0; x < b->x1; x++) {
            RNC_UNROLL(4)
            for (int j = 0; j < nv; j++) {
                RNC_PREFETCH(in + ahead * s->in_pixel + j * RNC_VL);
                RNC_PREFETCH(grad + ahead * s->grad_pixel + j * RNC_VL);
                const vf d = vf_load(in + j * RNC_VL) - k.mean[j];
                const vf g = bn_masked(s, &k, j, vf_load(grad + j * RNC_VL), d, y + j * RNC_VL);
                const vf less =
                    vf_fma(d, vf_loadu(means + s->c + j * RNC_VL), vf_loadu(means + j * RNC_VL));
                if (s->store)
                    vf_store(masked + j * RNC_VL, g);
                vf_store(to + j * RNC_VL, (g - less) * k.scale[j]);
            }
            grad += s->grad_pixel, in += s->in_pixel, to += s->to_pixel;
            y += s->from_output ? s->out_pixel : 0;
            masked = s->store ? masked + s->res_pixel : NULL;
        }
    }
}

/* Parts share the blocks. */
RNC_KERNEL void RNC_FN(bn_grad)(const rnc_bn_shape *s, const rnc_knobs *t, const rnc_operands *o,
                                int part, int parts)
{
    rnc_bn_cut c;
    (void)t;
    rnc_cut_bn(s, -1, RNC_BN_MAPPED, &c);
    for (int i = rnc_share(c.blocks, part, parts); i < rnc_share(c.blocks, part + 1, parts); i++) {
        rnc_bn_block b;
        rnc_find_bn_block(s, &c, i, &b);
        for (int v = 0, n; v < s->c / RNC_VL; v += n) {
            n = s->c / RNC_VL - v < RNC_BN_WIDE ? s->c / RNC_VL - v : RNC_BN_WIDE;
            bn_grad_block(s, o, &b, v * RNC_VL, n);
        }
    }
}
#undef bn_grad_block
