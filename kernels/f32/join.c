/* join.c: the sum, product, difference or quotient of two tensors.  Either may be spread over the
 * pixels (its distances are 0) or over the channels.  The result may overwrite an operand that is
 * stored in the same way. Parts share the rows. */
#define join_vector RNC_FN(join_vector)
RNC_KERNEL void join_vector(const rnc_join_shape *s, const float *in, const float *in2, float *out,
                            int c, int n)
{
    vf a, b;
    if (s->one_channel == 1)
        a = vf_set1(*in);
    else
        a = n == RNC_VL ? vf_loadu(in + c) : vf_load_part(in + c, n);
    if (s->one_channel == 2)
        b = vf_set1(*in2);
    else
        b = n == RNC_VL ? vf_loadu(in2 + c) : vf_load_part(in2 + c, n);
    a = s->operation == RNC_JOIN_MUL   ? a * b
        : s->operation == RNC_JOIN_SUB ? a - b
        : s->operation == RNC_JOIN_DIV ? a / b
                                       : a + b;
    a = vf_act(a, s->act, s->alpha, s->beta);
    if (n == RNC_VL)
        vf_storeu(out + c, a);
    else
        vf_store_part(out + c, a, n);
}

RNC_KERNEL void RNC_FN(join)(const rnc_join_shape *s, const rnc_knobs *t, const rnc_operands *o,
                             int part, int parts)
{
    const int rows = s->images * s->h, end = rnc_share(rows, part + 1, parts);
    int i, x, c;
    (void)t;
    for (i = rnc_share(rows, part, parts); i < end; i++)
        for (x = 0; x < s->w; x++) {
            const int n = i / s->h, y = i % s->h;
            const float *in =
                (const float *)o->in[0] + rnc_at(n, s->in_image, y, s->in_row, x, s->in_pixel);
            const float *in2 =
                (const float *)o->in[1] + rnc_at(n, s->in2_image, y, s->in2_row, x, s->in2_pixel);
            float *out =
                (float *)o->out[0] + rnc_at(n, s->out_image, y, s->out_row, x, s->out_pixel);
            for (c = 0; c + RNC_VL <= s->c; c += RNC_VL)
                join_vector(s, in, in2, out, c, RNC_VL);
            if (c < s->c)
                join_vector(s, in, in2, out, c, s->c - c);
        }
}
#undef join_vector
