/* output.c: copies a tensor to the caller's contiguous buffer.  Parts share the rows.  In nchw
 * order they share groups of 16 channels instead, so that each reads whole cache lines. */
#define output_rows RNC_FN(output_rows)
RNC_KERNEL void output_rows(const rnc_output_shape *s, const rnc_operands *o, int part, int parts)
{
    const int rows = s->images * s->h, end = rnc_share(rows, part + 1, parts);
    int i, x;
    for (i = rnc_share(rows, part, parts); i < end; i++) {
        const float *in =
            (const float *)o->in[0] + rnc_at(i / s->h, s->in_image, i % s->h, s->in_row, 0, 0);
        float *out = (float *)o->out[0] + (ptrdiff_t)i * s->w * s->c;
        if (s->in_pixel == s->c)
            memcpy(out, in, sizeof(float) * (size_t)s->w * (size_t)s->c);
        else
            for (x = 0; x < s->w; x++, in += s->in_pixel, out += s->c)
                memcpy(out, in, sizeof(float) * (size_t)s->c);
    }
}

RNC_KERNEL void RNC_FN(output)(const rnc_output_shape *s, const rnc_knobs *t, const rnc_operands *o,
                               int part, int parts)
{
    const int groups = (s->c + 15) / 16, units = s->images * groups;
    const int end = rnc_share(units, part + 1, parts);
    int i, y, x, c;
    (void)t;
    if (s->nhwc || s->h * s->w == 1) {
        output_rows(s, o, part, parts);
        return;
    }
    for (i = rnc_share(units, part, parts); i < end; i++) {
        const int n = i / groups, first = i % groups * 16;
        const int last = first + 16 < s->c ? first + 16 : s->c;
        for (y = 0; y < s->h; y++)
            for (x = 0; x < s->w; x++) {
                const float *in =
                    (const float *)o->in[0] + rnc_at(n, s->in_image, y, s->in_row, x, s->in_pixel);
                float *out = (float *)o->out[0] + rnc_at(n * s->c, s->h * s->w, y, s->w, x, 1);
                for (c = first; c < last; c++)
                    out[(ptrdiff_t)c * s->h * s->w] = in[c];
            }
    }
}
#undef output_rows
