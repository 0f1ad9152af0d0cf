/* pad.c: an image surrounded by pixels of its own.  Parts share the rows. */
#define pad_source RNC_FN(pad_source)
#define pad_pixel RNC_FN(pad_pixel)

/* The pixel of n in a row that is at position i, at most n before the first or after the last. */
RNC_KERNEL int pad_source(int i, int n, int mode)
{
    if (i >= 0 && i < n)
        return i;
    switch (mode) {
    case 1:
        return i < 0 ? -i : 2 * n - 2 - i;
    case 4:
        return i < 0 ? -i - 1 : 2 * n - 1 - i;
    case 3:
        return i < 0 ? i + n : i - n;
    default:
        return i < 0 ? 0 : n - 1;
    }
}

RNC_KERNEL void pad_pixel(const float *in, float *out, int n)
{
    int c;
    for (c = 0; c + RNC_VL <= n; c += RNC_VL)
        vf_storeu(out + c, vf_loadu(in + c));
    if (c < n)
        vf_store_part(out + c, vf_load_part(in + c, n - c), n - c);
}

RNC_KERNEL void RNC_FN(pad)(const rnc_pad_shape *s, const rnc_knobs *t, const rnc_operands *o,
                            int part, int parts)
{
    const int height = s->top + s->h + s->bottom, width = s->left + s->w + s->right;
    const int rows = s->images * height, end = rnc_share(rows, part + 1, parts);
    int i, x;
    (void)t;
    for (i = rnc_share(rows, part, parts); i < end; i++) {
        const int n = i / height, y = pad_source(i % height - s->top, s->h, s->mode);
        const float *in = (const float *)o->in[0] + rnc_at(n, s->in_image, y, s->in_row, 0, 0);
        float *out = (float *)o->out[0] + rnc_at(n, s->out_image, i % height, s->out_row, 0, 0);
        for (x = 0; x < width; x++) {
            const int from = x >= s->left && x < s->left + s->w
                                 ? x - s->left
                                 : pad_source(x - s->left, s->w, s->mode);
            pad_pixel(in + (ptrdiff_t)from * s->in_pixel, out + (ptrdiff_t)x * s->out_pixel, s->c);
        }
    }
}
#undef pad_source
#undef pad_pixel
