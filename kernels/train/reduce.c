/* reduce: sums over images, over pixels, over channels, or over several of them: what an operand
 * that was spread gets, and a bias alone.  Operands: in -> out.  Each row and each image is summed
 * apart, in their order; slices of s->slice images are then added in a tree.  Parts share (image,
 * pixel, vector of channels) of the result. */
#define reduce_row RNC_FN(reduce_row)
#define reduce_image RNC_FN(reduce_image)
#define reduce_images RNC_FN(reduce_images)

/* The sum of `pixels` pixels from `in` on: of one vector of channels or, over channels, of all. */
RNC_KERNEL vf reduce_row(const rnc_reduce_shape *s, const float *in, int pixels, int n)
{
    vf sum = vf_zero();
    for (int x = 0; x < pixels; x++, in += s->in_pixel) {
        if (!s->over_channels)
            sum = sum + vf_load_some(in, n);
        for (int c = 0; s->over_channels && c < s->c; c += RNC_VL)
            sum = sum + vf_load_some(in + c, s->c - c < RNC_VL ? s->c - c : RNC_VL);
    }
    return sum;
}

RNC_KERNEL vf reduce_image(const rnc_reduce_shape *s, const float *in, int n)
{
    vf sum = vf_zero();
    for (int y = 0; y < s->h; y++)
        sum = sum + reduce_row(s, in + rnc_at(0, 0, y, s->in_row, 0, 0), s->w, n);
    return sum;
}

/* The sum of images first .. end-1, of which image 0 is at `in`. */
RNC_KERNEL vf reduce_images(const rnc_reduce_shape *s, const float *in, int first, int end, int n)
{
    vf wait[32], sum = vf_zero();
    int top = 0, slices = 0;
    for (int k = first; k < end; k++) {
        const float *at = in + rnc_at(k, s->in_image, 0, 0, 0, 0);
        if (k > first && (k - first) % s->slice == 0) {
            slices++;
            for (int i = slices; (i & 1) == 0; i >>= 1)
                sum = wait[--top] + sum;
            wait[top++] = sum;
            sum = vf_zero();
        }
        sum = sum + (s->over_pixels ? reduce_image(s, at, n) : reduce_row(s, at, 1, n));
    }
    while (top > 0)
        sum = wait[--top] + sum;
    return sum;
}

RNC_KERNEL void RNC_FN(reduce)(const rnc_reduce_shape *s, const rnc_knobs *t, const rnc_operands *o,
                               int part, int parts)
{
    const int vectors = s->over_channels ? 1 : rnc_div_up(s->c, RNC_VL);
    const int pixels = s->over_pixels ? 1 : s->h * s->w, images = s->over_images ? 1 : s->images;
    const int all = images * pixels * vectors;
    (void)t;
    for (int i = rnc_share(all, part, parts); i < rnc_share(all, part + 1, parts); i++) {
        const int c = i % vectors * RNC_VL, n = s->c - c < RNC_VL ? s->c - c : RNC_VL;
        const int at = i / vectors % pixels, image = i / vectors / pixels;
        const int y = at / s->w, x = at % s->w;
        const int end = s->over_images ? s->images : image + 1;
        const float *in = (const float *)o->in[0] + rnc_at(0, 0, y, s->in_row, x, s->in_pixel) + c;
        const vf sum = reduce_images(s, in, image, end, n);
        float *out =
            (float *)o->out[0] + rnc_at(image, s->out_image, y, s->out_row, x, s->out_pixel) + c;
        if (s->over_channels)
            *out = vf_reduce_add(sum);
        else
            vf_store_some(out, sum, n);
    }
}
#undef reduce_row
#undef reduce_image
#undef reduce_images
