/* accumulate: adds a gradient to those of earlier batches.  Operands: grad -> sum.  Parts share
 * lines of 16 floats. */
RNC_KERNEL void RNC_FN(accumulate)(const rnc_update_shape *s, const rnc_knobs *t,
                                   const rnc_operands *o, int part, int parts)
{
    const int lines = rnc_div_up(s->floats, 16), last = rnc_share(lines, part + 1, parts) * 16;
    const int end = last < s->floats ? last : s->floats;
    (void)t;
    for (int i = rnc_share(lines, part, parts) * 16; i < end; i += RNC_VL) {
        const int n = end - i < RNC_VL ? end - i : RNC_VL;
        float *to = (float *)o->out[0] + i;
        vf_store_some(to, vf_load_some(to, n) + vf_load_some((const float *)o->in[0] + i, n), n);
    }
}
