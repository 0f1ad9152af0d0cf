/* softmax_loss: cross-entropy of the softmax of logits, and its gradient, in one.  Operands:
 * logits, labels (int, one for each image) -> grad, losses, hits.  The target is 1 - smoothing at
 * the label, plus smoothing / c everywhere (as PyTorch and Keras have it): losses[n] =
 * log(sum(exp(z))) - sum(target * z),  grad = scale * (softmax(z) - target) where z are the logits
 * less their maximum.  hits[n] is 1 if the label's is the first largest logit. A label that is not
 * 0 .. c-1 gives a loss, a gradient and a hit of 0.  losses and hits are plain arrays; loss_mean
 * adds them.  Needs RNC_EXP and rates.h.  Parts share the images. */
#define loss_extremes RNC_FN(loss_extremes)
#define loss_image RNC_FN(loss_image)

/* The largest logit, and their sum less c times it. */
RNC_KERNEL void loss_extremes(const float *z, int c, float *largest, float *sum)
{
    vf most = vf_set1(*z), all = vf_zero();
    int i;
    *largest = *z;
    for (i = 0; i + RNC_VL <= c; i += RNC_VL)
        most = vf_max(vf_loadu(z + i), most);
    *largest = vf_reduce_max(most);
    for (; i < c; i++)
        *largest = z[i] > *largest ? z[i] : *largest;
    for (i = 0; i + RNC_VL <= c; i += RNC_VL)
        all = all + (vf_loadu(z + i) - vf_set1(*largest));
    *sum = vf_reduce_add(all);
    for (; i < c; i++)
        *sum += z[i] - *largest;
}

/* One image with a label that exists; returns its loss. */
RNC_KERNEL float loss_image(const rnc_loss_shape *s, const float *z, int label, float *grad)
{
    const float even = s->smoothing / (float)s->c;
    float largest, sum, total = 0.0f;
    loss_extremes(z, s->c, &largest, &sum);
    for (int i = 0; i < s->c; i += RNC_VL) {
        const int n = s->c - i < RNC_VL ? s->c - i : RNC_VL;
        float lanes[RNC_VL];
        const vf e = vf_exp(vf_load_some(z + i, n) - vf_set1(largest));
        vf_store_some(grad + i, e, n);
        if (n == RNC_VL) {
            total += vf_reduce_add(e);
        } else {
            vf_storeu(lanes, e);
            for (int j = 0; j < n; j++)
                total += lanes[j];
        }
    }
    for (int i = 0; i < s->c; i += RNC_VL) {
        const int n = s->c - i < RNC_VL ? s->c - i : RNC_VL;
        const vf p = vf_load_some(grad + i, n) / vf_set1(total);
        vf_store_some(grad + i, (p - vf_set1(even)) * vf_set1(s->scale), n);
    }
    grad[label] -= s->scale * (1.0f - s->smoothing);
    return (float)(rnc_log((double)total) - (double)(1.0f - s->smoothing) * (z[label] - largest) -
                   (double)even * sum);
}

RNC_KERNEL void RNC_FN(softmax_loss)(const rnc_loss_shape *s, const rnc_knobs *t,
                                     const rnc_operands *o, int part, int parts)
{
    (void)t;
    for (int n = rnc_share(s->images, part, parts); n < rnc_share(s->images, part + 1, parts);
         n++) {
        const float *z = (const float *)o->in[0] + (ptrdiff_t)n * s->in_image;
        const int label = ((const int *)o->in[1])[n];
        float *grad = (float *)o->out[0] + (ptrdiff_t)n * s->grad_image;
        float loss = 0.0f, hit = 0.0f;
        if (label >= 0 && label < s->c) {
            loss = loss_image(s, z, label, grad);
            hit = 1.0f;
            for (int i = 0; i < s->c; i++)
                hit = z[i] > z[label] || (i < label && z[i] == z[label]) ? 0.0f : hit;
        } else {
            memset(grad, 0, sizeof *grad * (size_t)s->c);
        }
        ((float *)o->out[1])[n] = loss;
        ((float *)o->out[2])[n] = hit;
    }
}
#undef loss_extremes
#undef loss_image
