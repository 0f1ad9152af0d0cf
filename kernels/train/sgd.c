/* sgd: stochastic gradient descent, with momentum or without, of PyTorch and Keras.  Operands:
 * grad, rates (rnc_rates) -> parameter, velocity b (NULL without momentum), all of s->floats floats
 * in the same order, aligned to 64 bytes; they are read and overwritten; and, or NULL, squares:
 * sums of those of pieces of RNC_SQUARES scaled numbers of the gradient.  With g = scale * grad +
 * coupled * p and p' = p - decay * p, without momentum p = p' - step * g, else PyTorch, ONNX: b =
 * beta1 b + gradient * g,  p = p' - step * b, with s->nesterov p = p' - step * (g + beta1 b) Keras
 * (s->rate_inside):  b = beta1 b - step * g,  p = p' + b, with s->nesterov p = p' + beta1 b - step
 * * g (torch/optim/sgd.py; keras/src/optimizers/sgd.py; ONNX's Momentum).  The velocity begins with
 * zeros. */
#define sgd_vector RNC_FN(sgd_vector)

/* n numbers from p on: a whole vector, or the first of one.  Returns `sum` with the squares of the
 * scaled gradient. */
RNC_KERNEL vf sgd_vector(const rnc_update_shape *s, const rnc_rates *r, const float *grad,
                         float *to, float *velocity, int n, vf sum)
{
    const int all = n == RNC_VL;
    const vf step = vf_set1(r->step), beta = vf_set1(s->beta1);
    vf p = all ? vf_load(to) : vf_load_part(to, n);
    vf g = (all ? vf_load(grad) : vf_load_part(grad, n)) * vf_set1(r->scale);
    sum = vf_fma(g, g, sum);
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
    return sum;
}

/* Parts share the pieces. */
RNC_KERNEL void RNC_FN(sgd)(const rnc_update_shape *s, const rnc_knobs *t, const rnc_operands *o,
                            int part, int parts)
{
    const rnc_rates r = *(const rnc_rates *)o->in[1];
    const float *const grad = (const float *)o->in[0];
    float *const to = (float *)o->out[0], *const velocity = (float *)o->out[1];
    const int pieces = rnc_div_up(s->floats, RNC_SQUARES);
    (void)t;
    for (int k = rnc_share(pieces, part, parts); k < rnc_share(pieces, part + 1, parts); k++) {
        const int end = k + 1 < pieces ? (k + 1) * RNC_SQUARES : s->floats;
        vf sum = vf_zero();
        for (int i = k * RNC_SQUARES; i < end; i += RNC_VL) {
            const int n = end - i < RNC_VL ? end - i : RNC_VL;
            float *const before = velocity ? velocity + i : NULL;
            if (n == RNC_VL)
                sum = sgd_vector(s, &r, grad + i, to + i, before, RNC_VL, sum);
            else
                sum = sgd_vector(s, &r, grad + i, to + i, before, n, sum);
        }
        if (o->out[2])
            ((float *)o->out[2])[k] = vf_reduce_add(sum);
    }
}
#undef sgd_vector
