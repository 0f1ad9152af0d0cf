/* shift.c: moves the state on: each of its first `keep` slots gets what the slot `fresh` further on
 * had, and the operand's slots follow.  Slots are frames or rows.  Parts share the pixels of a
 * slot, each in all slots. */
#define shift_pixel RNC_FN(shift_pixel)
RNC_KERNEL void shift_pixel(const float *in, float *out, int n)
{
    int c;
    for (c = 0; c + RNC_VL <= n; c += RNC_VL)
        vf_storeu(out + c, vf_loadu(in + c));
    if (c < n)
        vf_store_part(out + c, vf_load_part(in + c, n - c), n - c);
}

RNC_KERNEL void RNC_FN(shift)(const rnc_shift_shape *s, const rnc_knobs *t, const rnc_operands *o,
                              int part, int parts)
{
    const int pixels = s->h * s->w, units = s->images * pixels;
    const int end = rnc_share(units, part + 1, parts);
    const ptrdiff_t fresh = (ptrdiff_t)s->fresh * s->out_slot;
    int i, k;
    (void)t;
    for (i = rnc_share(units, part, parts); i < end; i++) {
        const int n = i / pixels, y = i % pixels / s->w, x = i % s->w;
        const float *in =
            (const float *)o->in[0] + rnc_at(n, s->in_image, y, s->in_row, x, s->in_pixel);
        float *out = (float *)o->out[0] + rnc_at(n, s->out_image, y, s->out_row, x, s->out_pixel);
        for (k = 0; k < s->keep; k++, out += s->out_slot)
            shift_pixel(out + fresh, out, s->c);
        for (k = 0; k < s->fresh; k++, out += s->out_slot, in += s->in_slot)
            shift_pixel(in, out, s->c);
    }
}
#undef shift_pixel
