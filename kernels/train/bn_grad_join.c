/* bn_grad_join: adds the sums of slices in a tree.  Operands: sums [slice][2][c] (bn_grad_sums),
 * variance -> gradient of gamma, gradient of beta, means [2][c], which bn_grad reads: sum(g) /
 * pixels and sum(g * (x - mean)) / ((variance + epsilon) * pixels).  With s->accumulate the two
 * gradients are added to what is there; with s->fixed the means are 0. */
RNC_KERNEL void RNC_FN(bn_grad_join)(const rnc_bn_shape *s, const rnc_knobs *t,
                                     const rnc_operands *o, int part, int parts)
{
    const int vectors = s->c / RNC_VL;
    const vf over = vf_set1(1.0f / (float)(s->images * s->h * s->w));
    (void)t;
    for (int v = rnc_share(vectors, part, parts); v < rnc_share(vectors, part + 1, parts); v++) {
        const int at = v * RNC_VL;
        const float *sums = (const float *)o->in[0] + at;
        float *gamma = (float *)o->out[0] + at, *beta = (float *)o->out[1] + at;
        float *means = (float *)o->out[2] + at;
        const vf variance = vf_load((const float *)o->in[1] + at) + vf_set1(s->epsilon);
        const vf g = sum_tree(sums, 2 * s->c, s->slices);
        const vf h = sum_tree(sums + s->c, 2 * s->c, s->slices), k = h / vf_sqrt(variance);
        vf_store(gamma, s->accumulate ? vf_load(gamma) + k : k);
        vf_store(beta, s->accumulate ? vf_load(beta) + g : g);
        vf_store(means, s->fixed ? vf_zero() : g * over);
        vf_store(means + s->c, s->fixed ? vf_zero() : h / variance * over);
    }
}
