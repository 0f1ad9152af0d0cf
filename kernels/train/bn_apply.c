/* bn_apply: act((x - mean) * gamma / sqrt(variance + epsilon) + beta + residual).  Operands: in,
 * residual (or NULL), mean, variance, gamma (NULL: 1), beta (NULL: 0) -> out.  It reads the input
 * and the residual and writes the result once.  The result may overwrite the input or the residual.
 * c is whole vectors. */
#define apply_block RNC_FN(apply_block)

/* Up to RNC_BN_WIDE vectors of a block of pixels, from channel `at` on. */
RNC_KERNEL void apply_block(const rnc_bn_shape *s, const rnc_operands *o, const rnc_bn_block *b,
                            int at, int nv)
{
    const int ahead = RNC_BN_AHEAD / nv; /* pixels */
    vf mean[RNC_BN_WIDE], scale[RNC_BN_WIDE], shift[RNC_BN_WIDE];
    for (int j = 0; j < nv; j++) {
        const int k = at + j * RNC_VL;
        mean[j] = vf_loadu((const float *)o->in[2] + k);
        scale[j] = (o->in[4] ? vf_loadu((const float *)o->in[4] + k) : vf_set1(1.0f)) /
                   vf_sqrt(vf_loadu((const float *)o->in[3] + k) + vf_set1(s->epsilon));
        shift[j] = o->in[5] ? vf_loadu((const float *)o->in[5] + k) : vf_zero();
    }
    for (int i = b->line; i < b->end; i++) {
        const float *in = (const float *)o->in[0] + at +
                          rnc_bn_at(s, i, s->in_image, s->in_row, b->x0, s->in_pixel);
        const float *res = s->residual
                               ? (const float *)o->in[1] + at +
                                     rnc_bn_at(s, i, s->res_image, s->res_row, b->x0, s->res_pixel)
                               : in;
        float *out = (float *)o->out[0] + at +
                     rnc_bn_at(s, i, s->out_image, s->out_row, b->x0, s->out_pixel);
        for (int x = b->x0; x < b->x1; x++) {
            RNC_UNROLL(4)
            for (int j = 0; j < nv; j++) {
                if (!s->residual)
                    RNC_PREFETCH(in + ahead * s->in_pixel + j * RNC_VL);
                RNC_PREFETCH_WRITE(out + ahead * s->out_pixel + j * RNC_VL);
                vf v = vf_fma(vf_load(in + j * RNC_VL) - mean[j], scale[j], shift[j]);
                if (s->residual)
                    v = v + vf_load(res + j * RNC_VL);
                vf_store(out + j * RNC_VL, vf_act(v, s->act, s->alpha, s->beta));
            }
            in += s->in_pixel, out += s->out_pixel;
            res += s->residual ? s->res_pixel : 0;
        }
    }
}

/* Parts share the blocks. */
RNC_KERNEL void RNC_FN(bn_apply)(const rnc_bn_shape *s, const rnc_knobs *t, const rnc_operands *o,
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
            apply_block(s, o, &b, v * RNC_VL, n);
        }
    }
}
#undef apply_block
