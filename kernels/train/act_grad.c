/* act_grad: the gradient of an activation's operand: grad * slope(at) + more.  Operands: grad, at,
 * more (NULL unless s->more) -> out.  `at` is the activation's operand or, for none, relu, relu6
 * and leaky relu with alpha > 0, its result (vf_slope); with s->result also for sigmoid and tanh.
 * The result may overwrite any of them that
 * is stored like it.  Parts share the rows. */
#define act_slope RNC_FN(act_slope)

RNC_KERNEL vf act_slope(const rnc_act_grad_shape *s, vf at)
{
    if (s->result && s->act == RNC_ACT_SIGMOID)
        return at * (vf_set1(1.0f) - at);
    if (s->result && s->act == RNC_ACT_TANH)
        return (vf_set1(1.0f) - at) * (vf_set1(1.0f) + at);
    return vf_slope(at, s->act, s->alpha, s->beta);
}

RNC_KERNEL void RNC_FN(act_grad)(const rnc_act_grad_shape *s, const rnc_knobs *t,
                                 const rnc_operands *o, int part, int parts)
{
    const int rows = s->images * s->h, end = rnc_share(rows, part + 1, parts);
    /* rows without gaps are one long pixel */
    const int run = s->grad_pixel == s->c && s->at_pixel == s->c && s->out_pixel == s->c &&
                    (!s->more || s->more_pixel == s->c);
    const int pixels = run ? 1 : s->w, channels = run ? s->w * s->c : s->c;
    (void)t;
    for (int i = rnc_share(rows, part, parts); i < end; i++)
        for (int x = 0; x < pixels; x++) {
            const int n = i / s->h, y = i % s->h;
            const float *grad = (const float *)o->in[0] +
                                rnc_at(n, s->grad_image, y, s->grad_row, x, s->grad_pixel);
            const float *at =
                (const float *)o->in[1] + rnc_at(n, s->at_image, y, s->at_row, x, s->at_pixel);
            const float *more = s->more
                                    ? (const float *)o->in[2] +
                                          rnc_at(n, s->more_image, y, s->more_row, x, s->more_pixel)
                                    : grad;
            float *out =
                (float *)o->out[0] + rnc_at(n, s->out_image, y, s->out_row, x, s->out_pixel);
            for (int c = 0; c < channels; c += RNC_VL) {
                const int k = channels - c < RNC_VL ? channels - c : RNC_VL;
                vf v = vf_load_some(grad + c, k) * act_slope(s, vf_load_some(at + c, k));
                if (s->more)
                    v = v + vf_load_some(more + c, k);
                vf_store_some(out + c, v, k);
            }
        }
}
#undef act_slope
