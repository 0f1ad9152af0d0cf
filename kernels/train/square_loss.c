/* square_loss: mean squared error and its gradient.  Operands: in, target (stored like it) -> grad,
 * losses.  losses[n] is the sum over the c numbers of image n of (in - target)^2, divided by c, and
 * grad = 2 * scale / c * (in - target).  Parts share the images. */
RNC_KERNEL void RNC_FN(square_loss)(const rnc_loss_shape *s, const rnc_knobs *t,
                                    const rnc_operands *o, int part, int parts)
{
    enum { BLOCK = 4096 };
    (void)t;
    for (int n = rnc_share(s->images, part, parts); n < rnc_share(s->images, part + 1, parts);
         n++) {
        const float *in = (const float *)o->in[0] + (ptrdiff_t)n * s->in_image;
        const float *target = (const float *)o->in[1] + (ptrdiff_t)n * s->in_image;
        float *grad = (float *)o->out[0] + (ptrdiff_t)n * s->grad_image;
        double all = 0.0;
        for (int b = 0; b < s->c; b += BLOCK) {
            const int end = b + BLOCK < s->c ? b + BLOCK : s->c;
            vf sum = vf_zero();
            for (int i = b; i < end; i += RNC_VL) {
                const int k = end - i < RNC_VL ? end - i : RNC_VL;
                const vf d = vf_load_some(in + i, k) - vf_load_some(target + i, k);
                sum = vf_fma(d, d, sum);
                vf_store_some(grad + i, d * vf_set1(2.0f * s->scale / (float)s->c), k);
            }
            all += (double)vf_reduce_add(sum);
        }
        ((float *)o->out[1])[n] = (float)(all / s->c);
    }
}
