/* tile.h: the heart of the convolutions: a register tile of n pixels times nv vectors of channels.
 */

/* u input channels: acc[i][j] += a[pixel i][k] * w[k][vector j].  A row of pixels has `wide`. */
RNC_KERNEL void RNC_FN(conv_steps)(const rnc_conv_shape *s, vf *acc, const float *a, const float *w,
                                   int u, int n, int nv, int wide, int width, int memory, int near)
{
    RNC_UNROLL(32)
    for (int k = 0; k < u; k++) {
        vf b[8]; /* what stays in registers for this k: weights or, of few pixels, those */
        const int few = n < nv, kept = few ? 0 : nv, passed = nv - kept; /* vectors of weights */
        RNC_UNROLL(8)
        for (int j = 0; j < kept; j++)
            b[j] = vf_load(w + k * width + j * RNC_VL);
        if (near)
            RNC_PREFETCH_NEAR(w + (k + 4) * width);
        RNC_UNROLL(32)
        for (int i = 0; i < n; i++) {
            const float *x =
                a + i / wide * s->stride_h * s->in_row + i % wide * s->stride_w * s->in_pixel + k;
            if (few) {
                RNC_BROADCAST(b[i], x);
            } else if ((i + 1) * memory / 100 > i * memory / 100) {
                RNC_UNROLL(8)
                for (int j = 0; j < nv; j++)
                    RNC_FMA_MEM(acc[i * nv + j], x, b[j]);
            } else {
                vf v;
                RNC_BROADCAST(v, x);
                RNC_UNROLL(8)
                for (int j = 0; j < nv; j++)
                    RNC_FMA(acc[i * nv + j], v, b[j]);
            }
        }
        RNC_UNROLL(8)
        for (int j = 0; j < passed; j++) {
            const vf v = vf_load(w + k * width + j * RNC_VL);
            RNC_UNROLL(8)
            for (int i = 0; i < n; i++)
                RNC_FMA(acc[i * nv + j], b[i], v);
        }
    }
}
