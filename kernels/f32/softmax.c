/* softmax.c: exp(x - max) / sum of exp(x - max) over the channels of a pixel.  Parts share the
 * rows.  No lane after the last channel is written; the result may overwrite the operand.  Sums of
 * RNC_SOFTMAX_BLOCK channels are added in double, so that many classes cost no accuracy. */
RNC_KERNEL void RNC_FN(softmax)(const rnc_softmax_shape *s, const rnc_knobs *t,
                                const rnc_operands *o, int part, int parts)
{
    const int rows = s->images * s->h, end = rnc_share(rows, part + 1, parts);
    const int whole = s->c - s->c % RNC_VL, rest = s->c - whole;
    int i, x, c;
    (void)t;
    for (i = rnc_share(rows, part, parts); i < end; i++)
        for (x = 0; x < s->w; x++) {
            const int n = i / s->h, y = i % s->h;
            const float *in =
                (const float *)o->in[0] + rnc_at(n, s->in_image, y, s->in_row, x, s->in_pixel);
            float *out =
                (float *)o->out[0] + rnc_at(n, s->out_image, y, s->out_row, x, s->out_pixel);
            vf most = vf_set1(in[0]), sum = vf_zero(), e;
            double total = 0.0;
            float scale;
            for (c = 0; c < whole; c += RNC_VL)
                most = vf_max(most, vf_loadu(in + c));
            for (; c < s->c; c++)
                most = vf_max(most, vf_set1(in[c]));
            most = vf_set1(vf_reduce_max(most));
            for (c = 0; c < whole; c += RNC_VL) {
                e = vf_exp(vf_loadu(in + c) - most);
                sum = sum + e;
                vf_storeu(out + c, e);
                if ((c + RNC_VL) % RNC_SOFTMAX_BLOCK == 0) {
                    total += (double)vf_reduce_add(sum);
                    sum = vf_zero();
                }
            }
            if (rest) {
                vf_store_part(out + c, vf_exp(vf_load_part(in + c, rest) - most), rest);
                sum = sum + vf_load_part(out + c, rest);
            }
            scale = 1.0f / (float)(total + (double)vf_reduce_add(sum));
            for (c = 0; c < whole; c += RNC_VL)
                vf_storeu(out + c, vf_loadu(out + c) * vf_set1(scale));
            if (rest)
                vf_store_part(out + c, vf_load_part(out + c, rest) * vf_set1(scale), rest);
        }
}
