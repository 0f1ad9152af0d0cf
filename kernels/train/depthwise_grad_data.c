/* depthwise_grad_data: the gradient of a depthwise convolution's input: for each phase of the
 * stride a depthwise convolution of the output's gradient with the taps that meet the phase.
 * Operands and halo are as for conv_grad_data, the filters as depthwise_pack makes them; the shape
 * has as many groups as channels, and s->out_c is 1.  depthwise.c comes before this file; the knobs
 * are its. */
#define wise_phase RNC_FN(wise_phase)

RNC_KERNEL void wise_phase(const rnc_grad_data_shape *s, const rnc_knobs *t, const rnc_operands *o,
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
        RNC_FN(depthwise)(&c, t, &p, part, parts);
    else if (!s->residual || p.in[1] != p.out[0])
        phase_rest(&c, &p, part, parts);
}

RNC_KERNEL void RNC_FN(depthwise_grad_data)(const rnc_grad_data_shape *s, const rnc_knobs *t,
                                            const rnc_operands *o, int part, int parts)
{
    const int phases = s->stride_h * s->stride_w;
    /* not a loop: each phase has constants of its own */
    wise_phase(s, t, o, 0, part, parts);
    if (phases > 1)
        wise_phase(s, t, o, 1, part, parts);
    if (phases > 2)
        wise_phase(s, t, o, 2, part, parts);
    if (phases > 3)
        wise_phase(s, t, o, 3, part, parts);
    for (int i = 4; i < phases; i++)
        wise_phase(s, t, o, i, part, parts);
}
#undef wise_phase
