/* norm.h: what the normalisations share: moments of a set of numbers, and their use. */
#define norm_load RNC_FN(norm_load)
#define norm_lanes RNC_FN(norm_lanes)
#define norm_power RNC_FN(norm_power)
#define norm_factor RNC_FN(norm_factor)
#define norm_apply RNC_FN(norm_apply)

RNC_KERNEL vf norm_load(const float *p, int n)
{
    return n == RNC_VL ? vf_loadu(p) : vf_load_part(p, n);
}

/* Adds lane j to total[j / apart], for the first n lanes. */
RNC_KERNEL void norm_lanes(vf v, int n, int first, int apart, double *total)
{
    float lane[RNC_VL];
    int j;
    vf_storeu(lane, v);
    for (j = 0; j < n; j++)
        total[(first + j) / apart] += (double)lane[j];
}

/* What is summed: x, or the square of x - mean; 0 in the lanes from n on. */
RNC_KERNEL vf norm_power(const float *p, int n, int square, vf mean)
{
    vf v = norm_load(p, n) - mean;
    float lane[RNC_VL];
    int j;
    if (!square)
        return norm_load(p, n);
    v = v * v;
    if (n == RNC_VL)
        return v;
    vf_storeu(lane, v);
    for (j = 0; j < RNC_VL; j++)
        lane[j] = j < n ? lane[j] : 0.0f;
    return vf_loadu(lane);
}

/* What x - mean is multiplied by, where `squares` is the sum of the squares of n numbers:
 * 1 / sqrt(squares / n + epsilon), or 1 / max(sqrt(squares), epsilon).  The root is by Newton's
 * method. */
RNC_KERNEL float norm_factor(const rnc_norm_shape *s, double squares, double n)
{
    const double epsilon = (double)s->epsilon, least = epsilon * epsilon;
    const double v = !s->length ? squares / n + epsilon : squares < least ? least : squares;
    unsigned long long bits;
    double y;
    int i;
    if (v == 0.0)
        return INFINITY;
    if (v > 1e300)
        return 0.0f;
    memcpy(&bits, &v, sizeof bits);
    bits = 0x5fe6eb50c7b537a9ull - (bits >> 1);
    memcpy(&y, &bits, sizeof y);
    for (i = 0; i < 4; i++)
        y = y * (1.5 - 0.5 * v * y * y);
    return (float)y;
}

/* act((x - mean) * factor * scale + shift) of n channels. */
RNC_KERNEL void norm_apply(const rnc_norm_shape *s, const float *in, const float *weights,
                           float *out, int n, vf mean, vf factor)
{
    vf v = (norm_load(in, n) - mean) * factor;
    if (s->affine) {
        const float *shift = weights + (s->affine == 2 ? s->h * s->w * s->c : s->c);
        v = vf_fma(v, norm_load(weights, n), norm_load(shift, n));
    }
    v = vf_act(v, s->act, s->alpha, s->beta);
    if (n == RNC_VL)
        vf_storeu(out, v);
    else
        vf_store_part(out, v, n);
}
