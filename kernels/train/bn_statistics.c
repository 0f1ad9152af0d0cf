/* bn_statistics: joins the moments of slices in a tree.  Operands: moments -> mean, variance, and
 * running mean and variance or NULL.  The variance is the biased one, squares / pixels.  A running
 * statistic moves by s->momentum of the distance: r + momentum * (new - r); the running variance
 * takes squares / (pixels - 1) if s->unbiased (PyTorch; Keras takes the biased one, and its
 * `momentum` is 1 - this one). */
#define statistics_join RNC_FN(statistics_join)
#define statistics_move RNC_FN(statistics_move)

/* The moments of all slices, of one vector.  The first half of slices is the largest power of two
 * below their number. */
RNC_KERNEL void statistics_join(const rnc_bn_shape *s, const float *from, vf *mean, vf *squares)
{
    vf means[32], sums[32];
    float counts[32], n = 0.0f;
    int top = 0;
    for (int i = 0; i < s->slices; i++, from += 2 * s->c) {
        for (int k = i; i > 0 && (k & 1) == 0; k >>= 1) {
            top--;
            moments_add(counts[top], &means[top], &sums[top], n, *mean, *squares);
            n += counts[top], *mean = means[top], *squares = sums[top];
        }
        if (i > 0) {
            counts[top] = n, means[top] = *mean, sums[top] = *squares;
            top++;
        }
        n = (float)rnc_bn_pixels(s, i);
        *mean = vf_load(from), *squares = vf_load(from + s->c);
    }
    while (top > 0) {
        top--;
        moments_add(counts[top], &means[top], &sums[top], n, *mean, *squares);
        n += counts[top], *mean = means[top], *squares = sums[top];
    }
}

RNC_KERNEL void statistics_move(const rnc_bn_shape *s, float *running, vf now)
{
    if (running) {
        const vf was = vf_load(running);
        vf_store(running, vf_fma(vf_set1(s->momentum), now - was, was));
    }
}

RNC_KERNEL void RNC_FN(bn_statistics)(const rnc_bn_shape *s, const rnc_knobs *t,
                                      const rnc_operands *o, int part, int parts)
{
    const int vectors = s->c / RNC_VL, pixels = s->images * s->h * s->w;
    const float over = 1.0f / (float)pixels;
    const float less = s->unbiased && pixels > 1 ? 1.0f / (float)(pixels - 1) : over;
    (void)t;
    for (int v = rnc_share(vectors, part, parts); v < rnc_share(vectors, part + 1, parts); v++) {
        const int at = v * RNC_VL;
        vf mean = vf_zero(), squares = vf_zero();
        statistics_join(s, (const float *)o->in[0] + at, &mean, &squares);
        vf_store((float *)o->out[0] + at, mean);
        vf_store((float *)o->out[1] + at, squares * vf_set1(over));
        statistics_move(s, o->out[2] ? (float *)o->out[2] + at : NULL, mean);
        statistics_move(s, o->out[3] ? (float *)o->out[3] + at : NULL, squares * vf_set1(less));
    }
}
#undef statistics_join
#undef statistics_move
