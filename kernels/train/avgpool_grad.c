/* avgpool_grad: the gradient of avgpool's input, the global average's among them: each element of a
 * window gets its share of the gradient.
 * Operands: grad -> out.  With s->accumulate it is added to what is there.  Parts share (image,
 * vector of channels).  Not for a pool with an activation. */
RNC_KERNEL void RNC_FN(avgpool_grad)(const rnc_pool_grad_shape *s, const rnc_knobs *t,
                                     const rnc_operands *o, int part, int parts)
{
    const int vectors = rnc_div_up(s->c, RNC_VL), all = s->images * vectors;
    (void)t;
    for (int i = rnc_share(all, part, parts); i < rnc_share(all, part + 1, parts); i++) {
        const int image = i / vectors, c = i % vectors * RNC_VL;
        const int n = s->c - c < RNC_VL ? s->c - c : RNC_VL;
        const float *grad = (const float *)o->in[0] + (ptrdiff_t)image * s->out_image + c;
        float *to = (float *)o->out[0] + (ptrdiff_t)image * s->to_image + c;
        if (!s->accumulate)
            unpool_clear(s, to, n);
        for (int y = 0; y < s->out_h; y++)
            for (int x = 0; x < s->out_w; x++) {
                unpool_window w;
                unpool_find(s, y, x, &w);
                const int count = unpool_count(s, y, x, &w);
                const vf v = vf_load_some(grad + rnc_at(0, 0, y, s->out_row, x, s->out_pixel), n) /
                             vf_set1((float)count);
                for (int iy = w.y0; iy < w.y1; iy++)
                    for (int ix = w.x0; ix < w.x1; ix++)
                        unpool_add(to + rnc_at(0, 0, iy, s->to_row, ix, s->to_pixel), v, n);
            }
    }
}
