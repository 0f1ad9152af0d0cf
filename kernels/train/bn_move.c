/* bn_move: moves running statistics: r + momentum * (new - r).  Operands: mean, variance ->
 * running_mean, running_variance.  The variance is the biased one; s->unbiased makes of it squares
 * / (pixels - 1), as PyTorch has it (Keras takes the biased one, and its `momentum` is 1 - this
 * one). This is apart from bn_statistics, since the state changes only when the loss is known to be
 * a number. */
RNC_KERNEL void RNC_FN(bn_move)(const rnc_bn_shape *s, const rnc_knobs *t, const rnc_operands *o,
                                int part, int parts)
{
    const int vectors = s->c / RNC_VL, pixels = s->images * s->h * s->w;
    const float more = s->unbiased && pixels > 1 ? (float)pixels / (float)(pixels - 1) : 1.0f;
    (void)t;
    for (int v = rnc_share(vectors, part, parts); v < rnc_share(vectors, part + 1, parts); v++)
        for (int k = 0; k < 2; k++) {
            const vf now = vf_load((const float *)o->in[k] + v * RNC_VL);
            float *to = (float *)o->out[k] + v * RNC_VL;
            const vf was = vf_load(to), next = k == 1 ? now * vf_set1(more) : now;
            vf_store(to, vf_fma(vf_set1(s->momentum), next - was, was));
        }
}
