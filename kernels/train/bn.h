/* bn.h: what the kernels of batch normalisation share.  It comes after parts.h. */
#define moments_add RNC_FN(moments_add)
#define bn_channels RNC_FN(bn_channels)
#define bn_load RNC_FN(bn_load)
#define bn_masked RNC_FN(bn_masked)

/* n numbers with mean and squares, and m more. */
RNC_KERNEL void moments_add(float n, vf *mean, vf *squares, float m, vf more_mean, vf more_squares)
{
    const vf apart = more_mean - *mean;
    *mean = vf_fma(apart, vf_set1(m / (n + m)), *mean);
    *squares = vf_fma(apart * apart, vf_set1(n * (m / (n + m))), *squares + more_squares);
}

/* Of up to RNC_BN_WIDE vectors of channels, gamma 1 and beta 0 where there is none: mean, 1 /
 * sqrt(variance + epsilon), its product with gamma, and beta. */
typedef struct bn_channels {
    vf mean[RNC_BN_WIDE], over[RNC_BN_WIDE], scale[RNC_BN_WIDE], shift[RNC_BN_WIDE];
} bn_channels;

RNC_KERNEL void bn_load(const rnc_bn_shape *s, const rnc_operands *o, int at, int nv,
                        bn_channels *k)
{
    RNC_UNROLL(16)
    for (int j = 0; j < nv; j++, at += RNC_VL) {
        const vf variance = vf_loadu((const float *)o->in[4] + at);
        k->mean[j] = vf_loadu((const float *)o->in[3] + at);
        k->over[j] = vf_set1(1.0f) / vf_sqrt(variance + vf_set1(s->epsilon));
        k->scale[j] = (o->in[5] ? vf_loadu((const float *)o->in[5] + at) : vf_set1(1.0f)) /
                      vf_sqrt(variance + vf_set1(s->epsilon));
        k->shift[j] = o->in[6] ? vf_loadu((const float *)o->in[6] + at) : vf_zero();
    }
}

/* The gradient times the activation's slope: at the output y, or at what bn_apply computed from the
 * deviation d, by the same operations. */
RNC_KERNEL vf bn_masked(const rnc_bn_shape *s, const bn_channels *k, int j, vf grad, vf d,
                        const float *y)
{
    if (s->act == RNC_ACT_NONE)
        return grad;
    if (s->from_output)
        return grad * vf_slope(vf_load(y), s->act, s->alpha, s->beta);
    return grad * vf_slope(vf_fma(d, k->scale[j], k->shift[j]), s->act, s->alpha, s->beta);
}
