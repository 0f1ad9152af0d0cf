/* avgpool.c: the mean of each window, clipped to the input.  The mean of no pixels is 0.  Parts
 * share the output rows.
 * A sum of n floats in order is wrong by up to n * 2^-24 times the sum of their magnitudes (Higham,
 * Accuracy and Stability of Numerical Algorithms, 4.2).  So a large window is summed in blocks of
 * at most RNC_SUM_BLOCK pixels, and the sums of the blocks are added in double. */
#define avgpool_pixel RNC_FN(avgpool_pixel)
#define avgpool_block RNC_FN(avgpool_block)
#define avgpool_large RNC_FN(avgpool_large)

/* Computes one output pixel from the h x w pixels at `in`; their sum is multiplied by `scale`. */
RNC_KERNEL void avgpool_pixel(const rnc_pool_shape *s, const float *in, int h, int w, float scale,
                              float *out)
{
    int c = 0, y, x;
    for (; c + 4 * RNC_VL <= s->c; c += 4 * RNC_VL) {
        vf a = vf_zero(), b = a, d = a, e = a;
        for (y = 0; y < h; y++)
            for (x = 0; x < w; x++) {
                const float *p = in + rnc_at(0, 0, y, s->in_row, x, s->in_pixel) + c;
                a = a + vf_loadu(p);
                b = b + vf_loadu(p + RNC_VL);
                d = d + vf_loadu(p + 2 * RNC_VL);
                e = e + vf_loadu(p + 3 * RNC_VL);
            }
        vf_storeu(out + c, vf_act(a * vf_set1(scale), s->act, s->alpha));
        vf_storeu(out + c + RNC_VL, vf_act(b * vf_set1(scale), s->act, s->alpha));
        vf_storeu(out + c + 2 * RNC_VL, vf_act(d * vf_set1(scale), s->act, s->alpha));
        vf_storeu(out + c + 3 * RNC_VL, vf_act(e * vf_set1(scale), s->act, s->alpha));
    }
    for (; c < s->c; c += RNC_VL) {
        const int n = s->c - c < RNC_VL ? s->c - c : RNC_VL;
        vf a = vf_zero();
        for (y = 0; y < h; y++)
            for (x = 0; x < w; x++) {
                const float *p = in + rnc_at(0, 0, y, s->in_row, x, s->in_pixel) + c;
                a = a + (n == RNC_VL ? vf_loadu(p) : vf_load_part(p, n));
            }
        a = vf_act(a * vf_set1(scale), s->act, s->alpha);
        if (n == RNC_VL)
            vf_storeu(out + c, a);
        else
            vf_store_part(out + c, a, n);
    }
}

/* Adds the h x w pixels at `in`, each of n channels, to total[n]. */
RNC_KERNEL void avgpool_block(const rnc_pool_shape *s, const float *in, int h, int w, int n,
                              double *total)
{
    float sum[RNC_VL];
    vf a = vf_zero();
    int i, y, x;
    for (y = 0; y < h; y++)
        for (x = 0; x < w; x++) {
            const float *p = in + rnc_at(0, 0, y, s->in_row, x, s->in_pixel);
            a = a + (n == RNC_VL ? vf_loadu(p) : vf_load_part(p, n));
        }
    vf_storeu(sum, a);
    for (i = 0; i < n; i++)
        total[i] += (double)sum[i];
}

/* Does what avgpool_pixel does, for a window of more than RNC_SUM_BLOCK pixels. */
RNC_KERNEL void avgpool_large(const rnc_pool_shape *s, const float *in, int h, int w, float scale,
                              float *out)
{
    const int across = w < RNC_SUM_BLOCK ? w : RNC_SUM_BLOCK, down = RNC_SUM_BLOCK / across;
    int c, i, y, x;
    for (c = 0; c < s->c; c += RNC_VL) {
        const int n = s->c - c < RNC_VL ? s->c - c : RNC_VL;
        double total[RNC_VL];
        float mean[RNC_VL];
        for (i = 0; i < RNC_VL; i++)
            total[i] = 0.0;
        for (y = 0; y < h; y += down)
            for (x = 0; x < w; x += across)
                avgpool_block(s, in + rnc_at(0, 0, y, s->in_row, x, s->in_pixel) + c,
                              h - y < down ? h - y : down, w - x < across ? w - x : across, n,
                              total);
        for (i = 0; i < RNC_VL; i++)
            mean[i] = (float)total[i] * scale;
        if (n == RNC_VL)
            vf_storeu(out + c, vf_act(vf_loadu(mean), s->act, s->alpha));
        else
            vf_store_part(out + c, vf_act(vf_loadu(mean), s->act, s->alpha), n);
    }
}

RNC_KERNEL void RNC_FN(avgpool)(const rnc_pool_shape *s, const rnc_knobs *t, const rnc_operands *o,
                                int part, int parts)
{
    const int rows = s->images * s->out_h, end = rnc_share(rows, part + 1, parts);
    int i, x;
    (void)t;
    for (i = rnc_share(rows, part, parts); i < end; i++) {
        const int n = i / s->out_h, y = i % s->out_h;
        const int top = y * s->stride_h - s->pad_top, bottom = top + s->kernel_h;
        const int y0 = top < 0 ? 0 : top, y1 = bottom > s->in_h ? s->in_h : bottom;
        const int h = y1 > y0 ? y1 - y0 : 0;
        for (x = 0; x < s->out_w; x++) {
            const int left = x * s->stride_w - s->pad_left, right = left + s->kernel_w;
            const int x0 = left < 0 ? 0 : left, x1 = right > s->in_w ? s->in_w : right;
            const int w = x1 > x0 ? x1 - x0 : 0;
            const int count = s->count_padding ? s->kernel_h * s->kernel_w : h * w;
            const float *in =
                (const float *)o->in + rnc_at(n, s->in_image, y0, s->in_row, x0, s->in_pixel);
            float *out = (float *)o->out + rnc_at(n, s->out_image, y, s->out_row, x, s->out_pixel);
            const float scale = count > 0 ? 1.0f / (float)count : 0.0f;
            if ((ptrdiff_t)h * w <= RNC_SUM_BLOCK)
                avgpool_pixel(s, in, h, w, scale, out);
            else
                avgpool_large(s, in, h, w, scale, out);
        }
    }
}
#undef avgpool_pixel
#undef avgpool_block
#undef avgpool_large
