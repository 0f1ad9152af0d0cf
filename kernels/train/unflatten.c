/* unflatten: a vector in nchw order as an image: the gradient of flatten's operand.  Operands: in
 * -> out; of the shape, in_image is the distance of vectors, the out_ distances are the image's.
 * Parts share (image, row). */
RNC_KERNEL void RNC_FN(unflatten)(const rnc_reduce_shape *s, const rnc_knobs *t,
                                  const rnc_operands *o, int part, int parts)
{
    const int rows = s->images * s->h, end = rnc_share(rows, part + 1, parts);
    (void)t;
    for (int i = rnc_share(rows, part, parts); i < end; i++)
        for (int x = 0; x < s->w; x++) {
            const float *in =
                (const float *)o->in[0] + rnc_at(i / s->h, s->in_image, i % s->h, s->w, x, 1);
            float *out = (float *)o->out[0] +
                         rnc_at(i / s->h, s->out_image, i % s->h, s->out_row, x, s->out_pixel);
            for (int c = 0; c < s->c; c++)
                out[c] = in[(ptrdiff_t)c * s->h * s->w];
        }
}
