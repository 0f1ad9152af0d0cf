/* split.c: copies the channels of each pixel to the results, part by part.  Parts of the step share
 * the rows. */
#define split_pixel RNC_FN(split_pixel)
RNC_KERNEL void split_pixel(const float *in, float *out, int n)
{
    int c;
    for (c = 0; c + RNC_VL <= n; c += RNC_VL)
        vf_storeu(out + c, vf_loadu(in + c));
    if (c < n)
        vf_store_part(out + c, vf_load_part(in + c, n - c), n - c);
}

RNC_KERNEL void RNC_FN(split)(const rnc_split_shape *s, const rnc_knobs *t, const rnc_operands *o,
                              int part, int parts)
{
    const int rows = s->images * s->h, end = rnc_share(rows, part + 1, parts);
    int i, k, x;
    (void)t;
    for (i = rnc_share(rows, part, parts); i < end; i++) {
        const int n = i / s->h, y = i % s->h;
        for (x = 0; x < s->w; x++) {
            const float *in =
                (const float *)o->in[0] + rnc_at(n, s->in_image, y, s->in_row, x, s->in_pixel);
            const ptrdiff_t to = rnc_at(n, s->out_image, y, s->out_row, x, s->out_pixel);
            for (k = 0; k < s->parts; k++, in += s->c)
                split_pixel(in, (float *)o->out[k] + to, s->c);
        }
    }
}
#undef split_pixel
