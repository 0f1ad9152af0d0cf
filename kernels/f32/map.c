/* map.c: act(x * scale[c] + shift[c]); with `affine` 2, x or slope[c] * x below zero; with 0 the
 * activation alone.  The result
 * may overwrite the operand.  Parts share the rows. */
#define map_vector RNC_FN(map_vector)
RNC_KERNEL void map_vector(const rnc_map_shape *s, const float *in, const float *scale,
                           const float *shift, float *out, int n)
{
    vf v = n == RNC_VL ? vf_loadu(in) : vf_load_part(in, n);
    if (s->affine == 2) {
        v = vf_prelu(v, n == RNC_VL ? vf_loadu(scale) : vf_load_part(scale, n));
    } else if (s->affine) {
        if (n == RNC_VL)
            v = vf_fma(v, vf_loadu(scale), vf_loadu(shift));
        else
            v = vf_fma(v, vf_load_part(scale, n), vf_load_part(shift, n));
    }
    v = vf_act(v, s->act, s->alpha, s->beta);
    if (n == RNC_VL)
        vf_storeu(out, v);
    else
        vf_store_part(out, v, n);
}

RNC_KERNEL void RNC_FN(map)(const rnc_map_shape *s, const rnc_knobs *t, const rnc_operands *o,
                            int part, int parts)
{
    const int rows = s->images * s->h, end = rnc_share(rows, part + 1, parts);
    /* rows without gaps are one long pixel when all channels are treated alike */
    const int run = !s->affine && s->in_pixel == s->c && s->out_pixel == s->c;
    const int pixels = run ? 1 : s->w, channels = run ? s->w * s->c : s->c;
    int i, x, c;
    (void)t;
    for (i = rnc_share(rows, part, parts); i < end; i++)
        for (x = 0; x < pixels; x++) {
            const int n = i / s->h, y = i % s->h;
            const float *in =
                (const float *)o->in[0] + rnc_at(n, s->in_image, y, s->in_row, x, s->in_pixel);
            float *out =
                (float *)o->out[0] + rnc_at(n, s->out_image, y, s->out_row, x, s->out_pixel);
            const float *scale = (const float *)o->weights,
                        *shift = s->affine == 1 ? scale + s->c : scale;
            for (c = 0; c + RNC_VL <= channels; c += RNC_VL)
                map_vector(s, in + c, s->affine ? scale + c : scale, s->affine ? shift + c : shift,
                           out + c, RNC_VL);
            if (c < channels)
                map_vector(s, in + c, s->affine ? scale + c : scale, s->affine ? shift + c : shift,
                           out + c, channels - c);
        }
}
#undef map_vector
