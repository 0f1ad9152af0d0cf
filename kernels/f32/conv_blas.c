/* conv_blas.c: convolution by tiles of im2col and cblas_sgemm.  The threads are the library's, so
 * part 0 does all the work.
 * A tile is P output pixels.  Their patches [P][K], K = kernel_h * kernel_w * in_c, are multiplied
 * by the group's weights [K][N], N = out_c / groups.  The product [P][N] then goes to the output
 * with bias, residual and activation.  A 1x1 convolution with stride 1 over rows without gaps needs
 * no patches.  o->scratch holds patches and product (rnc_cut_blas).  Weights are stored as
 * bias[out_c], then [K][N] for each group. */
#define im2col RNC_FN(im2col)
#define conv_blas_finish RNC_FN(conv_blas_finish)
/* Copies the patches of output pixels first .. first + count - 1 of an image; `in` points at the
 * group's first input channel. */
RNC_KERNEL void im2col(const rnc_conv_shape *s, const float *in, int first, int count, float *to)
{
    const int run = s->dilation_w == 1 && s->in_pixel == s->in_c;
    const int steps = run ? 1 : s->kernel_w, length = run ? s->kernel_w * s->in_c : s->in_c;
    int i, ky, kx;
    for (i = first; i < first + count; i++) {
        const int y = i / s->out_w * s->stride_h - s->pad_top;
        const int x = i % s->out_w * s->stride_w - s->pad_left;
        for (ky = 0; ky < s->kernel_h; ky++)
            for (kx = 0; kx < steps; kx++, to += length)
                memcpy(to,
                       in + rnc_at(0, 0, y + ky * s->dilation_h, s->in_row, x + kx * s->dilation_w,
                                   s->in_pixel),
                       sizeof(float) * (size_t)length);
    }
}

/* Computes act(product + bias + residual) for `channels` channels of a pixel; res may be the
 * output; slopes: of prelu. */
RNC_KERNEL void conv_blas_finish(const rnc_conv_shape *s, const float *product, const float *bias,
                                 const float *res, const float *slopes, float *out, int channels)
{
    int c;
    for (c = 0; c + RNC_VL <= channels; c += RNC_VL) {
        vf v = vf_loadu(product + c) + vf_loadu(bias + c);
        if (s->residual)
            v = v + vf_loadu(res + c);
        if (s->act == RNC_ACT_PRELU)
            v = vf_prelu(v, vf_loadu(slopes + c));
        else
            v = vf_act(v, s->act, s->alpha, s->beta);
        vf_storeu(out + c, v);
    }
    if (c < channels) {
        const int n = channels - c;
        vf v = vf_load_part(product + c, n) + vf_load_part(bias + c, n);
        if (s->residual)
            v = v + vf_load_part(res + c, n);
        if (s->act == RNC_ACT_PRELU)
            v = vf_prelu(v, vf_load_part(slopes + c, n));
        else
            v = vf_act(v, s->act, s->alpha, s->beta);
        vf_store_part(out + c, v, n);
    }
}

RNC_KERNEL void RNC_FN(conv_blas)(const rnc_conv_shape *s, const rnc_knobs *t,
                                  const rnc_operands *o, int part, int parts)
{
    rnc_blas_cut c;
    rnc_cut_blas(s, t, &c);
    const int depth = c.depth, width = c.width, patches = c.patches;
    const int pixels = c.pixels, tile = c.tile;
    const float *packed = (const float *)o->weights;
    float *columns = (float *)o->scratch, *product = columns + c.columns;
    int n, g, first, i;
    (void)parts;
    for (n = 0; part == 0 && n < s->images; n++)
        for (g = 0; g < s->groups; g++)
            for (first = 0; first < pixels; first += tile) {
                const int count = pixels - first < tile ? pixels - first : tile;
                const float *in =
                    (const float *)o->in[0] + (ptrdiff_t)n * s->in_image + (ptrdiff_t)g * s->in_c;
                const float *bias = packed + (ptrdiff_t)g * width;
                const float *slopes = rnc_slopes(o, s->act, s->out_c) + (ptrdiff_t)g * width;
                const float *weights = packed + s->out_c + (ptrdiff_t)g * depth * width;
                if (patches)
                    im2col(s, in, first, count, columns);
                else
                    in += (ptrdiff_t)first * s->in_pixel;
                cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, count, width, depth, 1.0f,
                            patches ? columns : in, patches ? depth : s->in_pixel, weights, width,
                            0.0f, product, width);
                for (i = 0; i < count; i++) {
                    const int y = (first + i) / s->out_w, x = (first + i) % s->out_w;
                    const float *res =
                        s->residual ? (const float *)o->in[1] + (ptrdiff_t)g * width +
                                          rnc_at(n, s->res_image, y, s->res_row, x, s->res_pixel)
                                    : bias;
                    float *out = (float *)o->out[0] + (ptrdiff_t)g * width +
                                 rnc_at(n, s->out_image, y, s->out_row, x, s->out_pixel);
                    conv_blas_finish(s, product + (ptrdiff_t)i * width, bias, res, slopes, out,
                                     width);
                }
            }
}
#undef im2col
#undef conv_blas_finish
