/* sample_grad: the gradient of what pad, resize and blurpool read: each pixel of the output's
 * gradient is added, times its weights, to the pixels that it was made of.  Operands: grad -> out.
 * Pixel o of the output was made of
 *     s->resize 1   the nearest pixel, at (o * mul + add) / div
 *               2   the two at either side of that
 *               0   kernel pixels from o * stride - pad on, times binomial numbers that sum up to 1
 *                   (kernel 1: pad); beyond the edge those that s->mode says (pad.c), or none (0)
 * Parts share (image, vector of channels); no lane after the last channel is written. */
#define sampleg_taps RNC_FN(sampleg_taps)
#define sampleg_axis RNC_FN(sampleg_axis)
#define sampleg_source RNC_FN(sampleg_source)
#define sampleg_find RNC_FN(sampleg_find)
#define sampleg_between RNC_FN(sampleg_between)
#define sampleg_add RNC_FN(sampleg_add)

/* An axis, and the pixels that one of the output was made of, with what each counted. */
typedef struct sampleg_axis {
    int in, kernel, stride, pad, mul, add, div;
} sampleg_axis;
typedef struct sampleg_taps {
    int n, at[16];
    float weight[16];
} sampleg_taps;

/* The pixel of n that is at position i; -1: there is none. */
RNC_KERNEL int sampleg_source(int i, int n, int mode)
{
    if (i >= 0 && i < n)
        return i;
    switch (mode) {
    case 1:
        return i < 0 ? -i : 2 * n - 2 - i;
    case 2:
        return i < 0 ? 0 : n - 1;
    case 3:
        return i < 0 ? i + n : i - n;
    case 4:
        return i < 0 ? -i - 1 : 2 * n - 1 - i;
    default:
        return -1;
    }
}

RNC_KERNEL void sampleg_between(const sampleg_axis *a, int o, int both, sampleg_taps *t)
{
    const long long at = (long long)o * a->mul + a->add, place = at > 0 ? at : 0;
    const int low = place / a->div < a->in ? (int)(place / a->div) : a->in - 1;
    const float rest = (float)(place % a->div) / (float)a->div;
    t->n = both && rest > 0.0f ? 2 : 1;
    t->at[0] = low;
    t->at[1] = low + 1 < a->in ? low + 1 : low;
    t->weight[0] = t->n > 1 ? 1.0f - rest : 1.0f;
    t->weight[1] = rest;
}

RNC_KERNEL void sampleg_find(const rnc_sample_grad_shape *s, const sampleg_axis *a, int o,
                             sampleg_taps *t)
{
    float weight = 1.0f;
    if (s->resize) {
        sampleg_between(a, o, s->resize == 2, t);
        return;
    }
    for (int k = 1; k < a->kernel; k++)
        weight *= 0.5f;
    t->n = 0;
    for (int k = 0; k < a->kernel; k++) {
        const int at = sampleg_source(o * a->stride - a->pad + k, a->in, s->mode);
        if (at >= 0) {
            t->at[t->n] = at;
            t->weight[t->n++] = weight;
        }
        weight = weight * (float)(a->kernel - 1 - k) / (float)(k + 1);
    }
}

/* Adds a pixel's gradient, n channels. */
RNC_KERNEL void sampleg_add(const rnc_sample_grad_shape *s, const sampleg_taps *down,
                            const sampleg_taps *across, const float *grad, float *out, int n)
{
    const vf g = vf_load_some(grad, n);
    for (int i = 0; i < down->n; i++)
        for (int j = 0; j < across->n; j++) {
            float *to = out + rnc_at(0, 0, down->at[i], s->out_row, across->at[j], s->out_pixel);
            vf_store_some(
                to, vf_fma(g, vf_set1(down->weight[i] * across->weight[j]), vf_load_some(to, n)),
                n);
        }
}

RNC_KERNEL void RNC_FN(sample_grad)(const rnc_sample_grad_shape *s, const rnc_knobs *t,
                                    const rnc_operands *o, int part, int parts)
{
    const int vectors = rnc_div_up(s->c, RNC_VL), all = s->images * vectors;
    const sampleg_axis rows = {s->in_h,  s->kernel_h, s->stride_h, s->pad_top,
                               s->mul_h, s->add_h,    s->div_h};
    const sampleg_axis row = {s->in_w,  s->kernel_w, s->stride_w, s->pad_left,
                              s->mul_w, s->add_w,    s->div_w};
    (void)t;
    for (int i = rnc_share(all, part, parts); i < rnc_share(all, part + 1, parts); i++) {
        const int image = i / vectors, c = i % vectors * RNC_VL;
        const int n = s->c - c < RNC_VL ? s->c - c : RNC_VL;
        const float *grad = (const float *)o->in[0] + rnc_at(image, s->grad_image, 0, 0, 0, 0) + c;
        float *out = (float *)o->out[0] + rnc_at(image, s->out_image, 0, 0, 0, 0) + c;
        for (int y = 0; y < s->in_h; y++)
            for (int x = 0; x < s->in_w; x++)
                vf_store_some(out + rnc_at(0, 0, y, s->out_row, x, s->out_pixel), vf_zero(), n);
        for (int y = 0; y < s->out_h; y++) {
            sampleg_taps down, across;
            sampleg_find(s, &rows, y, &down);
            for (int x = 0; x < s->out_w; x++) {
                sampleg_find(s, &row, x, &across);
                sampleg_add(s, &down, &across,
                            grad + rnc_at(0, 0, y, s->grad_row, x, s->grad_pixel), out, n);
            }
        }
    }
}
#undef sampleg_taps
#undef sampleg_axis
#undef sampleg_source
#undef sampleg_find
#undef sampleg_between
#undef sampleg_add
