/* sgd: stochastic gradient descent, with momentum or without, of PyTorch and Keras.  Operands:
 * grad, rates (rnc_rates) -> parameter, velocity b (NULL without momentum), all of s->floats floats
 * in the same order, aligned to 64 bytes; they are read and overwritten.  With g = scale * grad +
 * coupled * p and p' = p - decay * p, without momentum p = p' - step * g, else PyTorch, ONNX: b =
 * beta1 b + gradient * g,  p = p' - step * b, with s->nesterov p = p' - step * (g + beta1 b) Keras
 * (s->rate_inside):  b = beta1 b - step * g,  p = p' + b, with s->nesterov p = p' + beta1 b - step
 * * g (torch/optim/sgd.py; keras/src/optimizers/sgd.py; ONNX's Momentum).  The velocity begins with
 * zeros. */
#define sgd_vector RNC_FN(sgd_vector)

/* n numbers from p on: a whole vector, or the first of one. */
RNC_KERNEL void sgd_vector(const rnc_update_shape *s, const rnc_rates *r, const float *grad,
                           float *to, float *velocity, int n)
{
    const int all = n == RNC_VL;
    const vf step = vf_set1(r->step), beta = vf_set1(s->beta1);
    vf p = all ? vf_load(to) : vf_load_part(to, n);
    vf g = (all ? vf_load(grad) : vf_load_part(grad, n)) * vf_set1(r->scale);
    if (s->limit > 0.0f)
        g = vf_max(vf_set1(-s->limit), vf_min(vf_set1(s->limit), g));
    g = vf_fma(p, vf_set1(s->coupled), g);
    p = p - p * vf_set1(r->decay);
    if (velocity) {
        vf b = all ? vf_load(velocity) : vf_load_part(velocity, n);
        const vf by = s->rate_inside ? -step : vf_set1(r->gradient);
        b = vf_fma(b, beta, g * by);
        if (all)
            vf_store(velocity, b);
        else
            vf_store_part(velocity, b, n);
        if (s->rate_inside)
            p = p + (s->nesterov ? vf_fma(b, beta, g * by) : b);
        else
            p = p - step * (s->nesterov ? vf_fma(b, beta, g) : b);
    } else {
        p = p - step * g;
    }
    if (all)
        vf_store(to, p);
    else
        vf_store_part(to, p, n);
}

/* Parts share lines of 16 floats. */
RNC_KERNEL void RNC_FN(sgd)(const rnc_update_shape *s, const rnc_knobs *t, const rnc_operands *o,
                            int part, int parts)
{
    const rnc_rates r = *(const rnc_rates *)o->in[1];
    const float *const grad = (const float *)o->in[0];
    float *const to = (float *)o->out[0], *const velocity = (float *)o->out[1];
    const int lines = rnc_div_up(s->floats, 16), last = rnc_share(lines, part + 1, parts) * 16;
    const int end = last < s->floats ? last : s->floats;
    int i = rnc_share(lines, part, parts) * 16;
    (void)t;
    for (; i < end; i += RNC_VL) {
        const int n = end - i < RNC_VL ? end - i : RNC_VL;
        if (n == RNC_VL)
            sgd_vector(s, &r, grad + i, to + i, velocity ? velocity + i : NULL, RNC_VL);
        else
            sgd_vector(s, &r, grad + i, to + i, velocity ? velocity + i : NULL, n);
    }
}
#undef sgd_vector
