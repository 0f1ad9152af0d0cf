/* tile.h: the heart of the convolutions: a register tile of n pixels times nv vectors of channels.
 */

/* u input channels: acc[i][j] += a[pixel i][k] * w[k][vector j].  A row of pixels has `wide`. */
RNC_KERNEL void RNC_FN(conv_steps)(const rnc_conv_shape *s, vf *acc, const float *a, const float *w,
                                   int u, int n, int nv, int wide, int width, int memory, int near)
{
    RNC_UNROLL(32)
    for (int k = 0; k < u; k++) {
        vf b[32]; /* what stays in registers for this k: weights or, of few pixels, those */
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

/* The long activations, in a loop of their own. */
RNC_KERNEL void RNC_FN(conv_act)(const rnc_conv_shape *s, int n, int nv, int wide, float *out)
{
    for (int i = 0; i < n; i++) {
        float *to = out + i / wide * s->out_row + i % wide * s->out_pixel;
        for (int j = 0; j < nv; j++, to += RNC_VL)
            vf_store(to, vf_act(vf_load(to), s->act, s->alpha));
    }
}

#ifdef RNC_EXPANDS
/* Where no number in memory can be multiplied by a vector (RNC_EXPANDS): n inputs, each as a vector
 * of equal lanes, made once for all channels that read them.  Those `next` floats further are
 * fetched. */
RNC_KERNEL void RNC_FN(conv_expand)(float *to, const float *from, int n, ptrdiff_t next)
{
    int k = 0;
    for (; k + 16 <= n; k += 16) {
        RNC_PREFETCH_NEAR(from + next + k);
        RNC_UNROLL(16)
        for (int i = 0; i < 16; i++)
            vf_store(to + (k + i) * RNC_VL, vf_set1(from[k + i]));
    }
    for (; k < n; k++)
        vf_store(to + k * RNC_VL, vf_set1(from[k]));
}

/* u expanded inputs of n pixels, one or three, `pitch` floats apart:
 * acc[i][j] += x[pixel i][k] * w[k][vector j]. */
RNC_KERNEL void RNC_FN(conv_steps_expanded)(vf *acc, const float *x, int pitch, const float *w,
                                            int u, int n, int nv, int width)
{
    RNC_BASE(x);
    RNC_BASE(w);
    RNC_UNROLL(8)
    for (int k = 0; k < u; k++) {
        const float *const x0 = x + k * RNC_VL, *const x2 = n == 3 ? x0 + 2 * pitch : x0;
        const vf a = vf_load(x0), b = vf_load(n == 3 ? x0 + pitch : x0);
        RNC_UNROLL(8)
        for (int j = 0; j < nv; j++) {
            const float *v = w + k * width + j * RNC_VL;
            if (n == 3)
                RNC_FMA_EXPANDED3(acc[j], acc[nv + j], acc[2 * nv + j], a, b, x2, v);
            else
                RNC_FMA_EXPANDED(acc[j], a, v);
        }
    }
}
#endif
