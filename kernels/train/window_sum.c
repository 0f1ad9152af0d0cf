/* window_sum: sums over windows that do not overlap, of kernel_h x kernel_w pixels: of an
 * upsampling's output, for the gradient of its input; of a whole image, for the gradient of an
 * operand that a sum or product spreads over the pixels.  Operands: in, in2 (or NULL: else the
 * products in * in2 are summed; stored with the to_ distances) -> out (stored with the out_
 * distances).  With s->accumulate it is added to what is there.  Blocks of RNC_SUM_BLOCK pixels are
 * summed apart.  Parts share (image, output row, vector of channels). */
#define window_pixel RNC_FN(window_pixel)

/* One window, n lanes. */
RNC_KERNEL vf window_pixel(const rnc_pool_grad_shape *s, const float *in, const float *in2, int n)
{
    vf total = vf_zero(), sum = vf_zero();
    int left = RNC_SUM_BLOCK;
    for (int y = 0; y < s->kernel_h; y++)
        for (int x = 0; x < s->kernel_w; x++) {
            const vf v = vf_load_some(in + rnc_at(0, 0, y, s->in_row, x, s->in_pixel), n);
            if (in2)
                sum = vf_fma(v, vf_load_some(in2 + rnc_at(0, 0, y, s->to_row, x, s->to_pixel), n),
                             sum);
            else
                sum = sum + v;
            if (--left == 0) {
                total = total + sum;
                sum = vf_zero();
                left = RNC_SUM_BLOCK;
            }
        }
    return total + sum;
}

RNC_KERNEL void RNC_FN(window_sum)(const rnc_pool_grad_shape *s, const rnc_knobs *t,
                                   const rnc_operands *o, int part, int parts)
{
    const int vectors = rnc_div_up(s->c, RNC_VL), all = s->images * s->out_h * vectors;
    const float *const second = (const float *)o->in[1];
    (void)t;
    for (int i = rnc_share(all, part, parts); i < rnc_share(all, part + 1, parts); i++) {
        const int image = i / vectors / s->out_h, y = i / vectors % s->out_h;
        const int c = i % vectors * RNC_VL, n = s->c - c < RNC_VL ? s->c - c : RNC_VL;
        for (int x = 0; x < s->out_w; x++) {
            const float *in = (const float *)o->in[0] + c +
                              rnc_at(image, s->in_image, y * s->kernel_h, s->in_row,
                                     x * s->kernel_w, s->in_pixel);
            const float *in2 = second ? second + c +
                                            rnc_at(image, s->to_image, y * s->kernel_h, s->to_row,
                                                   x * s->kernel_w, s->to_pixel)
                                      : NULL;
            float *out = (float *)o->out[0] + c +
                         rnc_at(image, s->out_image, y, s->out_row, x, s->out_pixel);
            const vf v = window_pixel(s, in, in2, n);
            vf_store_some(out, s->accumulate ? vf_load_some(out, n) + v : v, n);
        }
    }
}
#undef window_pixel
