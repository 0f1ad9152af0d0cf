/* square_sum: sums of squares of pieces of RNC_SQUARES numbers, for the norm of all gradients.
 * Operands: in -> sums, one for each piece.  Parts share the pieces. */
RNC_KERNEL void RNC_FN(square_sum)(const rnc_update_shape *s, const rnc_knobs *t,
                                   const rnc_operands *o, int part, int parts)
{
    const int pieces = rnc_div_up(s->floats, RNC_SQUARES);
    (void)t;
    for (int i = rnc_share(pieces, part, parts); i < rnc_share(pieces, part + 1, parts); i++) {
        const float *in = (const float *)o->in[0] + (ptrdiff_t)i * RNC_SQUARES;
        const int left = s->floats - i * RNC_SQUARES;
        const int end = left < RNC_SQUARES ? left : RNC_SQUARES;
        vf sum = vf_zero();
        for (int k = 0; k < end; k += RNC_VL) {
            const vf v = vf_load_some(in + k, end - k < RNC_VL ? end - k : RNC_VL);
            sum = vf_fma(v, v, sum);
        }
        ((float *)o->out[0])[i] = vf_reduce_add(sum);
    }
}
