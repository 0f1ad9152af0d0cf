/* norm_pixels.c: the channels of each pixel, normalised.  Parts share the rows; no lane after the
 * last channel is written, and the result may overwrite the operand.  The sum of each
 * RNC_SOFTMAX_BLOCK channels is added in double. */
#define norm_pixel_sum RNC_FN(norm_pixel_sum)
RNC_KERNEL double norm_pixel_sum(const rnc_norm_shape *s, const float *in, int square, float mean)
{
    const vf m = vf_set1(mean);
    vf sum = vf_zero();
    double total = 0.0;
    int c;
    for (c = 0; c < s->c; c += RNC_VL) {
        const int n = s->c - c < RNC_VL ? s->c - c : RNC_VL;
        sum = sum + norm_power(in + c, n, square, m);
        if ((c + RNC_VL) % RNC_SOFTMAX_BLOCK == 0) {
            total += (double)vf_reduce_add(sum);
            sum = vf_zero();
        }
    }
    return total + (double)vf_reduce_add(sum);
}

RNC_KERNEL void RNC_FN(norm_pixels)(const rnc_norm_shape *s, const rnc_knobs *t,
                                    const rnc_operands *o, int part, int parts)
{
    const int rows = s->images * s->h, end = rnc_share(rows, part + 1, parts);
    const float *weights = (const float *)o->weights;
    int i, x, c;
    (void)t;
    for (i = rnc_share(rows, part, parts); i < end; i++)
        for (x = 0; x < s->w; x++) {
            const int n = i / s->h, y = i % s->h;
            const float *in =
                (const float *)o->in[0] + rnc_at(n, s->in_image, y, s->in_row, x, s->in_pixel);
            float *out =
                (float *)o->out[0] + rnc_at(n, s->out_image, y, s->out_row, x, s->out_pixel);
            const double all = (double)s->c;
            const float mean = s->length ? 0.0f : (float)(norm_pixel_sum(s, in, 0, 0.0f) / all);
            const vf m = vf_set1(mean);
            const vf f = vf_set1(norm_factor(s, norm_pixel_sum(s, in, 1, mean), all));
            for (c = 0; c < s->c; c += RNC_VL)
                norm_apply(s, in + c, s->affine ? weights + c : weights, out + c,
                           s->c - c < RNC_VL ? s->c - c : RNC_VL, m, f);
        }
}
#undef norm_pixel_sum
