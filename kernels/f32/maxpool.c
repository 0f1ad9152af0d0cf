/* maxpool.c: the largest element of each window, clipped to the input.  Parts share the rows. */
#define maxpool_pixel RNC_FN(maxpool_pixel)

/* Computes one output pixel from the window of h x w pixels at `in`, four vectors of channels at a
 * time. */
RNC_KERNEL void maxpool_pixel(const rnc_pool_shape *s, const float *in, int h, int w, float *out)
{
    int c = 0, y, x;
    for (; c + 4 * RNC_VL <= s->c; c += 4 * RNC_VL) {
        vf a = vf_set1(-INFINITY), b = a, d = a, e = a;
        for (y = 0; y < h; y++)
            for (x = 0; x < w; x++) {
                const float *p = in + rnc_at(0, 0, y, s->in_row, x, s->in_pixel) + c;
                a = vf_max(a, vf_loadu(p));
                b = vf_max(b, vf_loadu(p + RNC_VL));
                d = vf_max(d, vf_loadu(p + 2 * RNC_VL));
                e = vf_max(e, vf_loadu(p + 3 * RNC_VL));
            }
        vf_storeu(out + c, vf_act(a, s->act, s->alpha));
        vf_storeu(out + c + RNC_VL, vf_act(b, s->act, s->alpha));
        vf_storeu(out + c + 2 * RNC_VL, vf_act(d, s->act, s->alpha));
        vf_storeu(out + c + 3 * RNC_VL, vf_act(e, s->act, s->alpha));
    }
    for (; c < s->c; c += RNC_VL) {
        const int n = s->c - c < RNC_VL ? s->c - c : RNC_VL;
        vf a = vf_set1(-INFINITY);
        for (y = 0; y < h; y++)
            for (x = 0; x < w; x++) {
                const float *p = in + rnc_at(0, 0, y, s->in_row, x, s->in_pixel) + c;
                a = vf_max(a, n == RNC_VL ? vf_loadu(p) : vf_load_part(p, n));
            }
        a = vf_act(a, s->act, s->alpha);
        if (n == RNC_VL)
            vf_storeu(out + c, a);
        else
            vf_store_part(out + c, a, n);
    }
}

RNC_KERNEL void RNC_FN(maxpool)(const rnc_pool_shape *s, const rnc_knobs *t, const rnc_operands *o,
                                int part, int parts)
{
    const int rows = s->images * s->out_h, end = rnc_share(rows, part + 1, parts);
    int i, x;
    (void)t;
    for (i = rnc_share(rows, part, parts); i < end; i++) {
        const int n = i / s->out_h, y = i % s->out_h;
        const int top = y * s->stride_h - s->pad_top, bottom = top + s->kernel_h;
        const int y0 = top < 0 ? 0 : top, y1 = bottom > s->in_h ? s->in_h : bottom;
        for (x = 0; x < s->out_w; x++) {
            const int left = x * s->stride_w - s->pad_left, right = left + s->kernel_w;
            const int x0 = left < 0 ? 0 : left, x1 = right > s->in_w ? s->in_w : right;
            const float *in =
                (const float *)o->in + rnc_at(n, s->in_image, y0, s->in_row, x0, s->in_pixel);
            float *out = (float *)o->out + rnc_at(n, s->out_image, y, s->out_row, x, s->out_pixel);
            if (y1 - y0 == s->kernel_h && x1 - x0 == s->kernel_w)
                maxpool_pixel(s, in, s->kernel_h, s->kernel_w, out);
            else
                maxpool_pixel(s, in, y1 - y0, x1 - x0, out);
        }
    }
}
#undef maxpool_pixel
