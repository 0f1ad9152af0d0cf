/* depthwise: one filter a channel.  Weights are bias[c], then [tap row][tap][c].  A row of output
 * is done vector of channels by vector, n pixels a tile: the rows read stay in cache, the taps of
 * a vector in registers. */

/* n pixels of one vector of channels; w: the vector's bias. */
RNC_KERNEL void RNC_FN(depthwise_tile)(const rnc_conv_shape *s, int n, const float *in,
                                       const float *w, const float *res, float *out)
{
    vf acc[16];
    RNC_UNROLL(16)
    for (int i = 0; i < n; i++)
        acc[i] = vf_load(w);
    RNC_UNROLL(8)
    for (int ky = 0; ky < s->kernel_h; ky++) {
        RNC_UNROLL(8)
        for (int kx = 0; kx < s->kernel_w; kx++) {
            const vf tap = vf_load(w + (ky * s->kernel_w + kx + 1) * s->out_c);
            const float *a = in + RNC_FN(at)(0, 0, ky * s->dilation_h, s->in_row,
                                             kx * s->dilation_w, s->in_pixel);
            RNC_UNROLL(16)
            for (int i = 0; i < n; i++) {
                const vf x = vf_loadu(a + i * s->stride_w * s->in_pixel);
                RNC_FMA(acc[i], x, tap);
            }
        }
    }
    RNC_UNROLL(16)
    for (int i = 0; i < n; i++) {
        vf v = acc[i];
        if (s->residual)
            v = v + vf_load(res + i * s->res_pixel);
        if (s->act == RNC_ACT_RELU || s->act == RNC_ACT_RELU6)
            v = vf_max(vf_zero(), v);
        if (s->act == RNC_ACT_RELU6)
            v = vf_min(vf_set1(6.0f), v);
        vf_store(out + i * s->out_pixel, v);
    }
    if (s->act > RNC_ACT_RELU6)
        for (int i = 0; i < n; i++) {
            float *p = out + i * s->out_pixel;
            vf_store(p, vf_act(vf_load(p), s->act, s->alpha));
        }
}

RNC_KERNEL void RNC_FN(depthwise)(const rnc_conv_shape *s, const rnc_tile *t, const rnc_operands *o,
                                  int part, int parts)
{
    const int wish = t->pixels > 0 ? (t->pixels < 16 ? t->pixels : 16) : 4;
    const int n = wish < s->out_w ? wish : s->out_w, rest = s->out_w % n;
    const int rows = s->images * s->out_h, vectors = s->out_c / RNC_VL;
    const int y0 = t->split ? 0 : RNC_FN(share)(rows, part, parts);
    const int y1 = t->split ? rows : RNC_FN(share)(rows, part + 1, parts);
    const int c0 = t->split ? RNC_FN(share)(vectors, part, parts) : 0;
    const int c1 = t->split ? RNC_FN(share)(vectors, part + 1, parts) : vectors;
    for (int row = y0; row < y1; row++) {
        const int image = row / s->out_h, y = row % s->out_h;
        const float *in =
            (const float *)o->in + RNC_FN(at)(image, s->in_image, y * s->stride_h - s->pad_top,
                                              s->in_row, -s->pad_left, s->in_pixel);
        const float *res = s->residual ? (const float *)o->in2 +
                                             RNC_FN(at)(image, s->res_image, y, s->res_row, 0, 0)
                                       : NULL;
        float *out = (float *)o->out + RNC_FN(at)(image, s->out_image, y, s->out_row, 0, 0);
        for (int v = c0; v < c1; v++) {
            const int c = v * RNC_VL;
            int x = 0;
            for (; x + n <= s->out_w; x += n)
                RNC_FN(depthwise_tile)
            (s, n, in + x * s->stride_w * s->in_pixel + c, o->weights + c,
             s->residual ? res + x * s->res_pixel + c : NULL, out + x * s->out_pixel + c);
            if (rest > 0)
                RNC_FN(depthwise_tile)
            (s, rest, in + x * s->stride_w * s->in_pixel + c, o->weights + c,
             s->residual ? res + x * s->res_pixel + c : NULL, out + x * s->out_pixel + c);
        }
    }
}
