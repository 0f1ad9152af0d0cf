/* bn_moments: mean and sum of squared deviations of each channel, for each slice of the batch.
 * Operands: in -> moments, [slice][2][c]: the means, then the sums.
 * A block of pixels is read twice, the second time from a near cache, so that deviations are from
 * the block's own mean; blocks are joined by Chan, Golub and LeVeque's formula (1979).  So the
 * error does not grow with the length, nor with the mean.  c is whole vectors. */
#define moments_block RNC_FN(moments_block)
#define moments_slice RNC_FN(moments_slice)

/* The moments of nv vectors of a block. */
RNC_KERNEL void moments_block(const rnc_bn_shape *s, const float *in, const rnc_bn_block *b, int nv,
                              vf *mean, vf *squares)
{
    const float over = 1.0f / (float)((b->end - b->line) * (b->x1 - b->x0));
    RNC_UNROLL(4)
    for (int j = 0; j < nv; j++)
        mean[j] = squares[j] = vf_zero();
    for (int i = b->line; i < b->end; i++) {
        const float *p = in + rnc_bn_at(s, i, s->in_image, s->in_row, b->x0, s->in_pixel);
        for (int x = b->x0; x < b->x1; x++, p += s->in_pixel) {
            RNC_UNROLL(4)
            for (int j = 0; j < nv; j++)
                mean[j] = mean[j] + vf_load(p + j * RNC_VL);
        }
    }
    RNC_UNROLL(4)
    for (int j = 0; j < nv; j++)
        mean[j] = mean[j] * vf_set1(over);
    for (int i = b->line; i < b->end; i++) {
        const float *p = in + rnc_bn_at(s, i, s->in_image, s->in_row, b->x0, s->in_pixel);
        for (int x = b->x0; x < b->x1; x++, p += s->in_pixel) {
            RNC_UNROLL(4)
            for (int j = 0; j < nv; j++) {
                const vf d = vf_load(p + j * RNC_VL) - mean[j];
                squares[j] = vf_fma(d, d, squares[j]);
            }
        }
    }
}

/* nv vectors of a slice, from channel `at` on. */
RNC_KERNEL void moments_slice(const rnc_bn_shape *s, const rnc_operands *o, int slice, int at,
                              int nv)
{
    const float *const in = (const float *)o->in[0] + at;
    float *const out = (float *)o->out[0] + (ptrdiff_t)slice * 2 * s->c + at;
    vf mean[4], squares[4];
    float n = 0.0f;
    rnc_bn_cut c;
    RNC_UNROLL(4)
    for (int j = 0; j < nv; j++)
        mean[j] = squares[j] = vf_zero();
    rnc_cut_bn(s, slice, RNC_BN_SUMMED, &c);
    for (int i = 0; i < c.blocks; i++) {
        vf m[4], q[4];
        rnc_bn_block b;
        rnc_find_bn_block(s, &c, i, &b);
        const float more = (float)((b.end - b.line) * (b.x1 - b.x0));
        moments_block(s, in, &b, nv, m, q);
        RNC_UNROLL(4)
        for (int j = 0; j < nv; j++) {
            if (i == 0)
                mean[j] = m[j], squares[j] = q[j];
            else
                moments_add(n, &mean[j], &squares[j], more, m[j], q[j]);
        }
        n += more;
    }
    RNC_UNROLL(4)
    for (int j = 0; j < nv; j++) {
        vf_store(out + j * RNC_VL, mean[j]);
        vf_store(out + s->c + j * RNC_VL, squares[j]);
    }
}

/* Parts share (slice, up to four vectors of channels). */
RNC_KERNEL void RNC_FN(bn_moments)(const rnc_bn_shape *s, const rnc_knobs *t, const rnc_operands *o,
                                   int part, int parts)
{
    const int vectors = s->c / RNC_VL, each = rnc_div_up(vectors, 4), all = s->slices * each;
    (void)t;
    for (int i = rnc_share(all, part, parts); i < rnc_share(all, part + 1, parts); i++) {
        const int v = i % each * 4, n = vectors - v < 4 ? vectors - v : 4;
        if (n == 4)
            moments_slice(s, o, i / each, v * RNC_VL, 4);
        else
            for (int j = 0; j < n; j++)
                moments_slice(s, o, i / each, (v + j) * RNC_VL, 1);
    }
}
#undef moments_block
#undef moments_slice
