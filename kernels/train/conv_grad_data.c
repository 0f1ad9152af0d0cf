/* conv_grad_data: the gradient of a convolution's input: for each phase of the stride a direct
 * convolution of the output's gradient with the taps that meet the phase, so that no zero between
 * output pixels is multiplied.  Operands: grad (the output's gradient, with the halo of zeros that
 * rnc_grad_halo() says), filters (filter_pack, turned), residual (the gradient that the input gets
 * from elsewhere; it may be the result itself) -> out (without a halo of its own).
 * Stride 1 has a single phase, which is an ordinary convolution: conv_direct or conv_winograd with
 * the shape that rnc_phase_conv() gives will do, too.
 * conv_direct.c comes before this file; the knobs are its. */
#define data_phase RNC_FN(data_phase)

/* Phase i, if the stride has so many. */
RNC_KERNEL void data_phase(const rnc_grad_data_shape *s, const rnc_knobs *t, const rnc_operands *o,
                           int i, int part, int parts)
{
    const int down = i / s->stride_w, across = i % s->stride_w;
    rnc_conv_shape c;
    rnc_operands p;
    rnc_phase_conv(s, i, &c);
    if (c.out_h < 1 || c.out_w < 1)
        return;
    p.in[0] = o->in[0];
    p.weights = (const float *)o->in[1] + rnc_phase_offset(s, i);
    p.in[1] =
        s->residual ? (const float *)o->in[2] + down * s->res_row + across * s->res_pixel : NULL;
    p.out[0] = (float *)o->out[0] + down * s->in_row + across * s->in_pixel;
    p.scratch = NULL;
    if (c.kernel_h > 0 && c.kernel_w > 0)
        RNC_FN(conv_direct)(&c, t, &p, part, parts);
    else if (!s->residual || p.in[1] != p.out[0])
        phase_rest(&c, &p, part, parts);
}

RNC_KERNEL void RNC_FN(conv_grad_data)(const rnc_grad_data_shape *s, const rnc_knobs *t,
                                       const rnc_operands *o, int part, int parts)
{
    const int phases = s->stride_h * s->stride_w;
    /* not a loop: each phase has constants of its own */
    data_phase(s, t, o, 0, part, parts);
    if (phases > 1)
        data_phase(s, t, o, 1, part, parts);
    if (phases > 2)
        data_phase(s, t, o, 2, part, parts);
    if (phases > 3)
        data_phase(s, t, o, 3, part, parts);
    for (int i = 4; i < phases; i++)
        data_phase(s, t, o, i, part, parts);
}
#undef data_phase
