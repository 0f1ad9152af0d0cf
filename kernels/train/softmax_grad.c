/* softmax_grad: the gradient of softmax's operand: y * (grad - sum of grad * y) over the channels
 * of each pixel, with softmax's result y.  Operands: grad, y -> out; the shape is act_grad's.  The
 * result may overwrite either that is stored like it.  Parts share the rows. */
RNC_KERNEL void RNC_FN(softmax_grad)(const rnc_act_grad_shape *s, const rnc_knobs *t,
                                     const rnc_operands *o, int part, int parts)
{
    const int rows = s->images * s->h, end = rnc_share(rows, part + 1, parts);
    (void)t;
    for (int i = rnc_share(rows, part, parts); i < end; i++)
        for (int x = 0; x < s->w; x++) {
            const int image = i / s->h, row = i % s->h;
            const float *grad = (const float *)o->in[0] +
                                rnc_at(image, s->grad_image, row, s->grad_row, x, s->grad_pixel);
            const float *y = (const float *)o->in[1] +
                             rnc_at(image, s->at_image, row, s->at_row, x, s->at_pixel);
            float *out =
                (float *)o->out[0] + rnc_at(image, s->out_image, row, s->out_row, x, s->out_pixel);
            vf sum = vf_zero();
            for (int c = 0; c < s->c; c += RNC_VL) {
                const int n = s->c - c < RNC_VL ? s->c - c : RNC_VL;
                sum = vf_fma(vf_load_some(grad + c, n), vf_load_some(y + c, n), sum);
            }
            sum = vf_set1(vf_reduce_add(sum));
            for (int c = 0; c < s->c; c += RNC_VL) {
                const int n = s->c - c < RNC_VL ? s->c - c : RNC_VL;
                vf_store_some(out + c, vf_load_some(y + c, n) * (vf_load_some(grad + c, n) - sum),
                              n);
            }
        }
}
