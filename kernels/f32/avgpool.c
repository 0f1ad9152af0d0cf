/* avgpool.c: the mean of each window, clipped to the input.  The mean of no pixels is 0.  Padding
 * counts or not; what a window has beyond the padding does not.  Parts share the output rows. */
#define avgpool_count RNC_FN(avgpool_count)

#ifdef RNC_LARGE_WINDOWS
#define avgpool_block RNC_FN(avgpool_block)
#define avgpool_large RNC_FN(avgpool_large)

/* A sum of n floats in order is wrong by up to n * 2^-24 times the sum of their magnitudes (Higham,
 * Accuracy and Stability of Numerical Algorithms, 4.2).  So a large window is summed in blocks of
 * at most RNC_SUM_BLOCK pixels, and the sums of the blocks are added in double. */

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

/* Does what pool_pixel does, for a window of more than RNC_SUM_BLOCK pixels. */
RNC_KERNEL void avgpool_large(const rnc_pool_shape *s, const pool_window *p, float scale)
{
    const int across = p->w < RNC_SUM_BLOCK ? p->w : RNC_SUM_BLOCK, down = RNC_SUM_BLOCK / across;
    int c, i, y, x;
    for (c = 0; c < s->c; c += RNC_VL) {
        const int n = s->c - c < RNC_VL ? s->c - c : RNC_VL;
        double total[RNC_VL];
        float mean[RNC_VL];
        for (i = 0; i < RNC_VL; i++)
            total[i] = 0.0;
        for (y = 0; y < p->h; y += down)
            for (x = 0; x < p->w; x += across)
                avgpool_block(s, p->in + rnc_at(0, 0, y, s->in_row, x, s->in_pixel) + c,
                              p->h - y < down ? p->h - y : down,
                              p->w - x < across ? p->w - x : across, n, total);
        for (i = 0; i < RNC_VL; i++)
            mean[i] = (float)total[i] * scale;
        if (n == RNC_VL)
            vf_storeu(p->out + c, vf_act(vf_loadu(mean), s->act, s->alpha, s->beta));
        else
            vf_store_part(p->out + c, vf_act(vf_loadu(mean), s->act, s->alpha, s->beta), n);
    }
}
#endif

/* What the sum of the window of pixel x of output row `row` is divided by; `p` is its part in the
 * input. */
RNC_KERNEL int avgpool_count(const rnc_pool_shape *s, int row, int x, const pool_window *p)
{
    const int below = s->in_h + s->pad_bottom + s->pad_top - row % s->out_h * s->stride_h;
    const int right = s->in_w + s->pad_right + s->pad_left - x * s->stride_w;
    if (s->divisor)
        return s->divisor;
    if (!s->count_padding)
        return p->h * p->w;
    return (below < s->kernel_h ? below : s->kernel_h) *
           (right < s->kernel_w ? right : s->kernel_w);
}

RNC_KERNEL void RNC_FN(avgpool)(const rnc_pool_shape *s, const rnc_knobs *t, const rnc_operands *o,
                                int part, int parts)
{
    const int rows = s->images * s->out_h, end = rnc_share(rows, part + 1, parts);
    (void)t;
    for (int i = rnc_share(rows, part, parts); i < end; i++)
        for (int x = 0; x < s->out_w; x++) {
            pool_window p;
            pool_find(s, o, i, x, &p);
            const int count = avgpool_count(s, i, x, &p);
            const float scale = count > 0 ? 1.0f / (float)count : 0.0f;
#ifdef RNC_LARGE_WINDOWS
            if ((ptrdiff_t)p.h * p.w > RNC_SUM_BLOCK) {
                avgpool_large(s, &p, scale);
                continue;
            }
#endif
            pool_pixel(s, &p, p.h, p.w, 0, scale);
        }
}
#ifdef RNC_LARGE_WINDOWS
#undef avgpool_block
#undef avgpool_large
#endif
#undef avgpool_count
