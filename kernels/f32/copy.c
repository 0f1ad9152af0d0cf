/* copy.c: copies h x w pixels of c channels, using each input row repeat_h times and each pixel
 * repeat_w times, and surrounds them with zeros.  It writes exactly these.  Parts share the rows,
 * zeros included. */
#define copy_pixel RNC_FN(copy_pixel)
#define copy_zeros RNC_FN(copy_zeros)
RNC_KERNEL void copy_pixel(const rnc_copy_shape *s, const float *in, float *out)
{
    int c;
    for (c = 0; c + RNC_VL <= s->c; c += RNC_VL)
        vf_storeu(out + c, vf_act(vf_loadu(in + c), s->act, s->alpha, s->beta));
    if (c < s->c)
        vf_store_part(out + c, vf_act(vf_load_part(in + c, s->c - c), s->act, s->alpha, s->beta),
                      s->c - c);
}

RNC_KERNEL void copy_zeros(float *out, int n)
{
    int c;
    for (c = 0; c + RNC_VL <= n; c += RNC_VL)
        vf_storeu(out + c, vf_zero());
    if (c < n)
        vf_store_part(out + c, vf_zero(), n - c);
}

RNC_KERNEL void RNC_FN(copy)(const rnc_copy_shape *s, const rnc_knobs *t, const rnc_operands *o,
                             int part, int parts)
{
    const int height = s->zero_top + s->h + s->zero_bottom;
    const int rows = s->images * height, end = rnc_share(rows, part + 1, parts);
    const int deep = s->zero_front + s->c + s->zero_behind;
    int i, x;
    (void)t;
    for (i = rnc_share(rows, part, parts); i < end; i++) {
        const int n = i / height, y = i % height - s->zero_top;
        for (x = -s->zero_left; x < s->w + s->zero_right; x++) {
            float *out =
                (float *)o->out[0] + rnc_at(n, s->out_image, y, s->out_row, x, s->out_pixel);
            if (y < 0 || y >= s->h || x < 0 || x >= s->w) {
                copy_zeros(out - s->zero_front, deep);
                continue;
            }
            copy_zeros(out - s->zero_front, s->zero_front);
            copy_pixel(s,
                       (const float *)o->in[0] + rnc_at(n, s->in_image, y / s->repeat_h, s->in_row,
                                                        x / s->repeat_w, s->in_pixel),
                       out);
            copy_zeros(out + s->c, s->zero_behind);
        }
    }
}
#undef copy_pixel
#undef copy_zeros
