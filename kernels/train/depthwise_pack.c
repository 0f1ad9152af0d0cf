/* depthwise_pack: master filters of a depthwise convolution in the order that its input's gradient
 * reads: for each phase of the stride that has taps zeros[c], then its taps in reverse order,
 * [taps down][taps across][c].  Operands: filters (s->plain: [c][kernel_h][kernel_w], else bias[c],
 * then [kernel_h][kernel_w][c]) -> packed.  s->to_c is c, s->to_in 1.  The first part does it:
 * these are few numbers. */
#define wise_tap RNC_FN(wise_tap)

RNC_KERNEL void wise_tap(const rnc_repack_shape *s, const float *from, int tap, float *to)
{
    const int taps = s->kernel_h * s->kernel_w;
    for (int i = 0; i < s->to_c; i++)
        to[i] = i >= s->filters ? 0.0f
                : s->plain      ? from[(ptrdiff_t)i * taps + tap]
                                : from[(ptrdiff_t)(tap + 1) * s->to_c + i];
}

RNC_KERNEL void RNC_FN(depthwise_pack)(const rnc_repack_shape *s, const rnc_knobs *t,
                                       const rnc_operands *o, int part, int parts)
{
    float *to = (float *)o->out[0];
    (void)t, (void)parts;
    for (int i = 0; i < s->stride_h * s->stride_w && part == 0; i++) {
        rnc_phase_cut y, x;
        rnc_cut_phase(1, s->kernel_h, s->stride_h, s->dilation_h, s->pad_top, i / s->stride_w, &y);
        rnc_cut_phase(1, s->kernel_w, s->stride_w, s->dilation_w, s->pad_left, i % s->stride_w, &x);
        if (y.taps * x.taps == 0)
            continue;
        memset(to, 0, sizeof *to * (size_t)s->to_c);
        to += s->to_c;
        for (int k = 0; k < y.taps * x.taps; k++, to += s->to_c) {
            const int ky = y.first + (y.taps - 1 - k / x.taps) * y.step;
            const int kx = x.first + (x.taps - 1 - k % x.taps) * x.step;
            wise_tap(s, (const float *)o->in[0], ky * s->kernel_w + kx, to);
        }
    }
}
#undef wise_tap
