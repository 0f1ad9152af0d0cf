/* maxpool.c: the largest element of each window, clipped to the input.  Parts share the rows. */
RNC_KERNEL void RNC_FN(maxpool)(const rnc_pool_shape *s, const rnc_knobs *t, const rnc_operands *o,
                                int part, int parts)
{
    const int rows = s->images * s->out_h, end = rnc_share(rows, part + 1, parts);
    (void)t;
    for (int i = rnc_share(rows, part, parts); i < end; i++)
        for (int x = 0; x < s->out_w; x++) {
            pool_window p;
            pool_find(s, o, i, x, &p);
            if (p.h == s->kernel_h && p.w == s->kernel_w) /* constants */
                pool_pixel(s, &p, s->kernel_h, s->kernel_w, 1, 1.0f);
            else
                pool_pixel(s, &p, p.h, p.w, 1, 1.0f);
        }
}
