/* bn_grad_sums: for each channel and slice of the batch the sums of the gradient g before the
 * activation, and of g * (x - mean).  Operands: grad (the output's gradient), in (x), out (the
 * output, or NULL), mean, variance, gamma, beta -> sums [slice][2][c], masked.
 * The activation's slope is taken from the output if s->from_output (there is a residual: relu,
 * relu6, leaky relu with alpha > 0), else from x, which spares reading the output.  With s->store,
 * g is stored: it is the gradient of the residual, and may overwrite the output's gradient. c is
 * whole vectors. */
#define bn_sums_block RNC_FN(bn_sums_block)
#define bn_sums_slice RNC_FN(bn_sums_slice)

/* Adds the sums of a block to sums[0 .. nv-1] of g and sums[RNC_BN_WIDE ..] of g * (x - mean). */
RNC_KERNEL void bn_sums_block(const rnc_bn_shape *s, const rnc_operands *o, const rnc_bn_block *b,
                              int at, int nv, vf *sums)
{
    const int ahead = RNC_BN_AHEAD / nv; /* pixels */
    bn_channels k;
    vf g[RNC_BN_WIDE], h[RNC_BN_WIDE];
    bn_load(s, o, at, nv, &k);
    RNC_UNROLL(4)
    for (int j = 0; j < nv; j++)
        g[j] = h[j] = vf_zero();
    for (int i = b->line; i < b->end; i++) {
        const float *grad = (const float *)o->in[0] + at +
                            rnc_bn_at(s, i, s->grad_image, s->grad_row, b->x0, s->grad_pixel);
        const float *in = (const float *)o->in[1] + at +
                          rnc_bn_at(s, i, s->in_image, s->in_row, b->x0, s->in_pixel);
        const float *y = s->from_output
                             ? (const float *)o->in[2] + at +
                                   rnc_bn_at(s, i, s->out_image, s->out_row, b->x0, s->out_pixel)
                             : in;
        float *masked = s->store
                            ? (float *)o->out[1] + at +
                                  rnc_bn_at(s, i, s->res_image, s->res_row, b->x0, s->res_pixel)
                            : NULL;
        for (int x = b->x0; x < b->x1; x++) {
            RNC_UNROLL(4)
            for (int j = 0; j < nv; j++) {
                if (!s->store) {
                    RNC_PREFETCH(in + ahead * s->in_pixel + j * RNC_VL);
                    RNC_PREFETCH(grad + ahead * s->grad_pixel + j * RNC_VL);
                }
                const vf d = vf_load(in + j * RNC_VL) - k.mean[j];
                const vf v = bn_masked(s, &k, j, vf_load(grad + j * RNC_VL), d, y + j * RNC_VL);
                g[j] = g[j] + v;
                h[j] = vf_fma(v, d, h[j]);
                if (s->store)
                    vf_store(masked + j * RNC_VL, v);
            }
            grad += s->grad_pixel, in += s->in_pixel;
            y += s->from_output ? s->out_pixel : 0;
            masked = s->store ? masked + s->res_pixel : NULL;
        }
    }
    RNC_UNROLL(4)
    for (int j = 0; j < nv; j++) {
        sums[j] = sums[j] + g[j];
        sums[RNC_BN_WIDE + j] = sums[RNC_BN_WIDE + j] + h[j];
    }
}

RNC_KERNEL void bn_sums_slice(const rnc_bn_shape *s, const rnc_operands *o, int slice, int at,
                              int nv)
{
    float *const out = (float *)o->out[0] + (ptrdiff_t)slice * 2 * s->c + at;
    vf sums[2 * RNC_BN_WIDE];
    rnc_bn_cut c;
    rnc_cut_bn(s, slice, RNC_BN_SUMMED, &c);
    RNC_UNROLL(4)
    for (int j = 0; j < nv; j++)
        sums[j] = sums[RNC_BN_WIDE + j] = vf_zero();
    for (int i = 0; i < c.blocks; i++) {
        rnc_bn_block b;
        rnc_find_bn_block(s, &c, i, &b);
        bn_sums_block(s, o, &b, at, nv, sums);
    }
    RNC_UNROLL(4)
    for (int j = 0; j < nv; j++) {
        vf_store(out + j * RNC_VL, sums[j]);
        vf_store(out + s->c + j * RNC_VL, sums[RNC_BN_WIDE + j]);
    }
}

/* Parts share (slice, up to RNC_BN_WIDE vectors of channels). */
RNC_KERNEL void RNC_FN(bn_grad_sums)(const rnc_bn_shape *s, const rnc_knobs *t,
                                     const rnc_operands *o, int part, int parts)
{
    const int vectors = s->c / RNC_VL, each = rnc_div_up(vectors, RNC_BN_WIDE);
    const int all = s->slices * each;
    (void)t;
    for (int i = rnc_share(all, part, parts); i < rnc_share(all, part + 1, parts); i++) {
        const int v = i % each * RNC_BN_WIDE;
        const int n = vectors - v < RNC_BN_WIDE ? vectors - v : RNC_BN_WIDE;
        bn_sums_slice(s, o, i / each, v * RNC_VL, n);
    }
}
#undef bn_sums_block
#undef bn_sums_slice
