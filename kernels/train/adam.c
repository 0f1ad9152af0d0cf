/* adam: Adam and AdamW of PyTorch and Keras.  Operands: grad, rates (rnc_rates) -> parameter, first
 * moment m, second moment v, all of s->floats floats in the same order, aligned to 64 bytes; they
 * are read and overwritten; and, or NULL, squares: sums of those of pieces of RNC_SQUARES scaled
 * numbers of the gradient.  With g = scale * grad + coupled * p and p' = p - decay * p: m = m + (1
 * - beta1) (g - m),  v = beta2 v + (1 - beta2) g^2 p = p' - step * m / (root * sqrt(v) + epsilon)
 * rates.h has what differs between the frameworks: where epsilon is added, and the corrections.
 * It reads four arrays and writes three, once. */
#define adam_vector RNC_FN(adam_vector)

/* n numbers from p on: a whole vector, or the first of one.  Returns `sum` with the squares of the
 * scaled gradient. */
RNC_KERNEL vf adam_vector(const rnc_update_shape *s, const rnc_rates *r, const float *grad,
                          float *const *at, ptrdiff_t i, int n, vf sum)
{
    const int all = n == RNC_VL;
    float *const to = at[0] + i, *const first = at[1] + i, *const second = at[2] + i;
    vf p = all ? vf_load(to) : vf_load_part(to, n);
    vf m = all ? vf_load(first) : vf_load_part(first, n);
    vf v = all ? vf_load(second) : vf_load_part(second, n);
    vf g = (all ? vf_load(grad + i) : vf_load_part(grad + i, n)) * vf_set1(r->scale);
    sum = vf_fma(g, g, sum);
    if (s->limit > 0.0f)
        g = vf_max(vf_set1(-s->limit), vf_min(vf_set1(s->limit), g));
    g = vf_fma(p, vf_set1(s->coupled), g);
    p = p - p * vf_set1(r->decay);
    m = vf_fma(g - m, vf_set1(s->rest1), m);
    v = vf_fma(g * vf_set1(s->rest2), g, v * vf_set1(s->beta2));
    p = p - vf_set1(r->step) * (m / vf_fma(vf_sqrt(v), vf_set1(r->root), vf_set1(s->epsilon)));
    if (all) {
        vf_store(to, p), vf_store(first, m), vf_store(second, v);
    } else {
        vf_store_part(to, p, n), vf_store_part(first, m, n), vf_store_part(second, v, n);
    }
    return sum;
}

/* Parts share the pieces. */
RNC_KERNEL void RNC_FN(adam)(const rnc_update_shape *s, const rnc_knobs *t, const rnc_operands *o,
                             int part, int parts)
{
    const rnc_rates r = *(const rnc_rates *)o->in[1];
    float *const at[3] = {(float *)o->out[0], (float *)o->out[1], (float *)o->out[2]};
    const int pieces = rnc_div_up(s->floats, RNC_SQUARES);
    (void)t;
    for (int k = rnc_share(pieces, part, parts); k < rnc_share(pieces, part + 1, parts); k++) {
        const int end = k + 1 < pieces ? (k + 1) * RNC_SQUARES : s->floats;
        vf sum = vf_zero();
        int i = k * RNC_SQUARES;
        for (; i + RNC_VL <= end; i += RNC_VL)
            sum = adam_vector(s, &r, (const float *)o->in[0], at, i, RNC_VL, sum);
        if (i < end)
            sum = adam_vector(s, &r, (const float *)o->in[0], at, i, end - i, sum);
        if (o->out[3])
            ((float *)o->out[3])[k] = vf_reduce_add(sum);
    }
}
#undef adam_vector
