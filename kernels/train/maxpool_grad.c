/* maxpool_grad: the gradient of maxpool's input: each window gives its gradient to its first
 * largest element in row order (as PyTorch does); where windows overlap the gradients add up, in
 * the order of the windows.  Operands: grad, in (the pool's input) -> out.  With s->accumulate it
 * is added to what is there.  Parts share (image, vector of channels).  Not for a pool with an
 * activation. */
#define maxpool_vector RNC_FN(maxpool_vector)

/* One window, n lanes; where: the number of the largest element, counted in the window. */
RNC_KERNEL void maxpool_vector(const rnc_pool_grad_shape *s, const unpool_window *w,
                               const float *in, vf grad, float *to, int n)
{
    vf best = vf_load_some(in + rnc_at(0, 0, w->y0, s->in_row, w->x0, s->in_pixel), n);
    vf where = vf_zero();
    float k = 0.0f;
    for (int y = w->y0; y < w->y1; y++)
        for (int x = w->x0; x < w->x1; x++, k += 1.0f) {
            const vf v = vf_load_some(in + rnc_at(0, 0, y, s->in_row, x, s->in_pixel), n);
            where = vf_select_gt(v, best, vf_set1(k), where);
            best = vf_select_gt(v, best, v, best);
        }
    k = 0.0f;
    for (int y = w->y0; y < w->y1; y++)
        for (int x = w->x0; x < w->x1; x++, k += 1.0f) {
            const vf below = vf_select_gt(vf_set1(k + 0.5f), where, grad, vf_zero());
            unpool_add(to + rnc_at(0, 0, y, s->to_row, x, s->to_pixel),
                       vf_select_gt(where, vf_set1(k - 0.5f), below, vf_zero()), n);
        }
}

RNC_KERNEL void RNC_FN(maxpool_grad)(const rnc_pool_grad_shape *s, const rnc_knobs *t,
                                     const rnc_operands *o, int part, int parts)
{
    const int vectors = rnc_div_up(s->c, RNC_VL), all = s->images * vectors;
    (void)t;
    for (int i = rnc_share(all, part, parts); i < rnc_share(all, part + 1, parts); i++) {
        const int image = i / vectors, c = i % vectors * RNC_VL;
        const int n = s->c - c < RNC_VL ? s->c - c : RNC_VL;
        const float *grad = (const float *)o->in[0] + (ptrdiff_t)image * s->out_image + c;
        const float *in = (const float *)o->in[1] + (ptrdiff_t)image * s->in_image + c;
        float *to = (float *)o->out[0] + (ptrdiff_t)image * s->to_image + c;
        if (!s->accumulate)
            unpool_clear(s, to, n);
        for (int y = 0; y < s->out_h; y++)
            for (int x = 0; x < s->out_w; x++) {
                unpool_window w;
                unpool_find(s, y, x, &w);
                if (w.y0 < w.y1 && w.x0 < w.x1)
                    maxpool_vector(
                        s, &w, in,
                        vf_load_some(grad + rnc_at(0, 0, y, s->out_row, x, s->out_pixel), n), to,
                        n);
            }
    }
}
#undef maxpool_vector
