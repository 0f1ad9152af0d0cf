/* depthwise_grad_weights: the gradient of a depthwise convolution's weights and biases (in_c 1, as
 * many groups as channels).  Operands: in (with the halo of zeros of the forward convolution), grad
 * -> sums: for each slice of the batch bias[out_c], then [kernel_h][kernel_w][out_c], which
 * filter_sum adds as filters of one group, one input and a panel of all channels.  Sums of blocks
 * of pixels are added up, so that no sum is one long chain.  Parts share (slice, vector of
 * channels). */
#define wise_line RNC_FN(wise_line)
#define wise_taps RNC_FN(wise_taps)
#define wise_bias RNC_FN(wise_bias)
#define wise_most 8

/* What a vector of channels of a slice works on. */
typedef struct wise_line {
    const float *in, *grad; /* pixel (0, 0) of image 0 */
    int image0, image1;
    int lines; /* output rows of a block */
} wise_line;

/* Taps kx .. kx+n-1 of row ky. */
RNC_KERNEL void wise_taps(const rnc_grad_weights_shape *s, const wise_line *k, int ky, int kx,
                          int n, float *to)
{
    rnc_met_cut met;
    vf total[wise_most], sum[wise_most];
    rnc_cut_met(s->out_h, s->in_h, s->stride_h, ky * s->dilation_h, s->pad_top, &met);
    RNC_UNROLL(8)
    for (int j = 0; j < n; j++)
        total[j] = vf_zero();
    for (int image = k->image0; image < k->image1; image++)
        for (int y0 = met.first; y0 < met.end; y0 += k->lines) {
            const int y1 = y0 + k->lines < met.end ? y0 + k->lines : met.end;
            RNC_UNROLL(8)
            for (int j = 0; j < n; j++)
                sum[j] = vf_zero();
            for (int y = y0; y < y1; y++) {
                const float *grad = k->grad + rnc_at(image, s->out_image, y, s->out_row, 0, 0);
                const float *in =
                    k->in + rnc_at(image, s->in_image,
                                   y * s->stride_h - s->pad_top + ky * s->dilation_h, s->in_row,
                                   kx * s->dilation_w - s->pad_left, s->in_pixel);
                for (int x = 0; x < s->out_w; x++) {
                    const vf g = vf_load(grad);
                    RNC_UNROLL(8)
                    for (int j = 0; j < n; j++)
                        sum[j] = vf_fma(g, vf_load(in + j * s->dilation_w * s->in_pixel), sum[j]);
                    grad += s->out_pixel;
                    in += s->stride_w * s->in_pixel;
                }
            }
            RNC_UNROLL(8)
            for (int j = 0; j < n; j++)
                total[j] = total[j] + sum[j];
        }
    RNC_UNROLL(8)
    for (int j = 0; j < n; j++)
        vf_store(to + j * s->out_c, total[j]);
}

RNC_KERNEL void wise_bias(const rnc_grad_weights_shape *s, const wise_line *k, float *to)
{
    vf total = vf_zero();
    for (int image = k->image0; image < k->image1 && s->bias; image++)
        for (int y0 = 0; y0 < s->out_h; y0 += k->lines) {
            vf sum = vf_zero();
            for (int y = y0; y < y0 + k->lines && y < s->out_h; y++)
                for (int x = 0; x < s->out_w; x++)
                    sum = sum + vf_load(k->grad + rnc_at(image, s->out_image, y, s->out_row, x,
                                                         s->out_pixel));
            total = total + sum;
        }
    vf_store(to, total);
}

RNC_KERNEL void RNC_FN(depthwise_grad_weights)(const rnc_grad_weights_shape *s, const rnc_knobs *t,
                                               const rnc_operands *o, int part, int parts)
{
    enum { PIXELS = 128 };
    const int vectors = s->out_c / RNC_VL, all = s->slices * vectors;
    (void)t;
    for (int i = rnc_share(all, part, parts); i < rnc_share(all, part + 1, parts); i++) {
        const int slice = i / vectors, c = i % vectors * RNC_VL;
        float *to = (float *)o->out[0] + slice * rnc_grad_floats(s) + c;
        wise_line k;
        k.in = (const float *)o->in[0] + c;
        k.grad = (const float *)o->in[1] + c;
        k.image0 = rnc_slice_begin(s->images, s->slice, slice);
        k.image1 = rnc_slice_begin(s->images, s->slice, slice + 1);
        k.lines = s->out_w < PIXELS ? PIXELS / s->out_w : 1;
        wise_bias(s, &k, to);
        to += s->out_c;
        for (int ky = 0; ky < s->kernel_h; ky++) {
            int kx = 0;
            for (; kx + 3 <= s->kernel_w; kx += 3, to += 3 * s->out_c)
                wise_taps(s, &k, ky, kx, 3, to);
            if (kx < s->kernel_w) {
                wise_taps(s, &k, ky, kx, s->kernel_w % 3, to);
                to += s->kernel_w % 3 * s->out_c;
            }
        }
    }
}
#undef wise_line
#undef wise_taps
#undef wise_bias
#undef wise_most
