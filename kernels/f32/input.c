/* input.c: copies the caller's contiguous buffer to a tensor: x * scale[c] + shift[c], one channel
 * of a row at a time, so that its constants stay in registers.  Parts share the rows. */
RNC_KERNEL void RNC_FN(input)(const rnc_input_shape *s, const rnc_knobs *t, const rnc_operands *o,
                              int part, int parts)
{
    const int rows = s->images * s->h, end = rnc_share(rows, part + 1, parts);
    const ptrdiff_t step = s->nhwc ? s->c : 1, plane = s->nhwc ? 1 : (ptrdiff_t)s->h * s->w;
    int i, x, c;
    (void)t;
    for (i = rnc_share(rows, part, parts); i < end; i++) {
        const int n = i / s->h, y = i % s->h;
        const ptrdiff_t first = (ptrdiff_t)n * s->c * s->h * s->w + (ptrdiff_t)y * s->w * step;
        float *row = (float *)o->out[0] + rnc_at(n, s->out_image, y, s->out_row, 0, 0);
        if (s->nhwc && !s->u8 && !s->affine && s->out_pixel == s->c) {
            memcpy(row, (const float *)o->in[0] + first,
                   sizeof(float) * (size_t)s->w * (size_t)s->c);
            continue;
        }
        for (c = 0; c < s->c; c++) {
            const float *affine = (const float *)o->weights;
            const float scale = s->affine ? affine[c] : 1.0f;
            const float shift = s->affine ? affine[s->c + c] : 0.0f;
            const unsigned char *bytes = (const unsigned char *)o->in[0] + first + c * plane;
            const float *floats = (const float *)o->in[0] + first + c * plane;
            float *out = row + c;
            if (s->u8)
                for (x = 0; x < s->w; x++)
                    out[(ptrdiff_t)x * s->out_pixel] = (float)bytes[x * step] * scale + shift;
            else
                for (x = 0; x < s->w; x++)
                    out[(ptrdiff_t)x * s->out_pixel] = floats[x * step] * scale + shift;
        }
        for (x = 0; x < s->w; x++)
            for (c = s->c; c < s->out_c; c++)
                row[(ptrdiff_t)x * s->out_pixel + c] = 0.0f;
    }
}
