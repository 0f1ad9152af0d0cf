/* act.h: the activations.  A NaN stays a NaN; infinities give the functions' limits. */
#define vf_act RNC_FN(vf_act)
#define vf_prelu RNC_FN(vf_prelu)

#ifdef RNC_EXP
#define vf_exp RNC_FN(vf_exp)

/* exp(x) = 2^n exp(r), n = round(x / ln 2), |r| <= ln 2 / 2 (Cody and Waite 1980), with a minimax
 * polynomial (Remez).  The greatest error is 1 ulp of results that are normal numbers.  2^n is
 * multiplied in two factors, so that results below the normal numbers are right too.  n is clamped
 * but r is not, so that a NaN stays a NaN. */
RNC_KERNEL vf vf_exp(vf x)
{
    const vf low = vf_set1(-104.0f), high = vf_set1(88.73f);
    const vf n = vf_round(vf_min(vf_max(x, low), high) * vf_set1(1.44269504f));
    const vf half = vf_round(n * vf_set1(0.5f));
    const vf r = vf_fma(n, vf_set1(2.12194440e-4f), vf_fma(n, vf_set1(-0.693359375f), x));
    vf p = vf_fma(r, vf_set1(1.38145371e-3f), vf_set1(8.36874545e-3f));
    p = vf_fma(r, p, vf_set1(4.16683890e-2f));
    p = vf_fma(r, p, vf_set1(1.66665211e-1f));
    p = vf_fma(r, p, vf_set1(4.99999940e-1f));
    p = vf_fma(r * r, p, r) + vf_set1(1.0f);
    p = p * vf_exp2i(half) * vf_exp2i(n - half);
    p = vf_select_gt(low, x, vf_zero(), p);
    return vf_select_gt(x, high, vf_set1(INFINITY), p);
}
#endif

#ifdef RNC_LONG_ACT
#define vf_sigmoid RNC_FN(vf_sigmoid)
#define vf_tanh RNC_FN(vf_tanh)
#define vf_gelu RNC_FN(vf_gelu)
#define vf_expm1 RNC_FN(vf_expm1)
#define vf_softplus RNC_FN(vf_softplus)
#define vf_mish RNC_FN(vf_mish)
#define vf_long_act RNC_FN(vf_long_act)

/* The polynomials are minimax fits (Remez) made for these intervals.  The greatest errors, in ulp
 * of results that are normal numbers:
 *     sigmoid 2.3, tanh 1.3, silu 3.0 (x > -87), hard_sigmoid and hard_swish 2.5, elu 4.5, selu 6,
 *     softplus 2.9, mish 5 (x > -87);
 *     gelu 1.1e-7 of max(1, |x|) (10 ulp at x = -4, 62 at -12). */

/* 1 / (1 + e) for x > 0, else e / (1 + e), where e = exp(-|x|): accurate down to the smallest
 * numbers. */
RNC_KERNEL vf vf_sigmoid(vf x)
{
    const vf one = vf_set1(1.0f), e = vf_exp(-vf_abs(x));
    return vf_select_gt(x, vf_zero(), one, e) / (one + e);
}

/* x + x^3 P(x^2) for |x| < 0.625, else 1 - 2 / (exp(2 |x|) + 1) with the sign of x. */
RNC_KERNEL vf vf_tanh(vf x)
{
    const vf a = vf_abs(x), u = x * x, one = vf_set1(1.0f);
    const vf big = one - vf_set1(2.0f) / (vf_exp(a + a) + one);
    vf p = vf_fma(u, vf_set1(-5.71704516e-3f), vf_set1(2.06505880e-2f));
    p = vf_fma(u, p, vf_set1(-5.37434965e-2f));
    p = vf_fma(u, p, vf_set1(1.33314908e-1f));
    p = vf_fma(u, p, vf_set1(-3.33332837e-1f));
    p = vf_fma(x * u, p, x);
    return vf_select_gt(a, vf_set1(0.625f), vf_select_gt(x, vf_zero(), big, -big), p);
}

/* max(x, 0) - a erfc(a / sqrt 2) / 2 with a = |x|; erfc(a / sqrt 2) / 2 = exp(-a^2 / 2) t P(t),
 * t = 1 / (1 + 0.35 a).  Beyond 15 the second term is zero. */
RNC_KERNEL vf vf_gelu(vf x)
{
    const vf a = vf_min(vf_set1(15.0f), vf_abs(x)), one = vf_set1(1.0f);
    const vf t = one / vf_fma(a, vf_set1(0.35f), one);
    vf p = vf_fma(t, vf_set1(-0.0291637331f), vf_set1(0.144059896f));
    p = vf_fma(t, p, vf_set1(-0.255900055f));
    p = vf_fma(t, p, vf_set1(0.159390911f));
    p = vf_fma(t, p, vf_set1(-0.023262525f));
    p = vf_fma(t, p, vf_set1(0.10557428f));
    p = vf_fma(t, p, vf_set1(0.119815618f));
    p = vf_fma(t, p, vf_set1(0.139864326f));
    p = vf_fma(t, p, vf_set1(0.139621258f));
    return vf_max(vf_zero(), x) - a * (t * p) * vf_exp(a * a * vf_set1(-0.5f));
}

/* exp(x) - 1 for x <= 0: by exp's polynomial near 0. */
RNC_KERNEL vf vf_expm1(vf x)
{
    vf p = vf_fma(x, vf_set1(1.38145371e-3f), vf_set1(8.36874545e-3f));
    p = vf_fma(x, p, vf_set1(4.16683890e-2f));
    p = vf_fma(x, p, vf_set1(1.66665211e-1f));
    p = vf_fma(x, p, vf_set1(4.99999940e-1f));
    return vf_select_gt(x, vf_set1(-0.34f), vf_fma(x * x, p, x), vf_exp(x) - vf_set1(1.0f));
}

/* max(x, 0) + log(1 + u), u = exp(-|x|); log(1 + u) = 2 s + s^3 P(s^2), s = u / (2 + u). */
RNC_KERNEL vf vf_softplus(vf x)
{
    const vf u = vf_exp(-vf_abs(x)), s = u / (vf_set1(2.0f) + u), z = s * s;
    vf p = vf_fma(z, vf_set1(0.280244589f), vf_set1(0.279991418f));
    p = vf_fma(z, p, vf_set1(0.400216997f));
    p = vf_fma(z, p, vf_set1(0.666664124f));
    return vf_max(vf_zero(), x) + vf_fma(s * z, p, s + s);
}

/* x tanh(log(1 + e)), e = exp(x): x n / (n + 2), n = e (e + 2).  From 20 on it is x. */
RNC_KERNEL vf vf_mish(vf x)
{
    const vf low = vf_max(vf_set1(-128.0f), x), two = vf_set1(2.0f); /* if the result is -0 */
    const vf e = vf_exp(vf_min(vf_set1(20.0f), x)), n = e * (e + two);
    return low * (n / (n + two));
}

/* All activations that come after RNC_ACT_RELU6, but for prelu, which has a slope for each channel
 * (vf_prelu). */
RNC_KERNEL vf vf_long_act(vf x, int act, float alpha, float beta)
{
    const vf zero = vf_zero(), six = vf_set1(6.0f), three = vf_set1(3.0f);
    vf y;
    switch (act) {
    case RNC_ACT_LEAKY_RELU:
        return vf_select_gt(x, zero, x, x * vf_set1(alpha));
    case RNC_ACT_SIGMOID:
        return vf_sigmoid(x);
    case RNC_ACT_TANH:
        return vf_tanh(x);
    case RNC_ACT_HARD_SIGMOID:
        return vf_min(vf_set1(1.0f), vf_max(zero, (x + vf_set1(beta)) * vf_set1(alpha)));
    case RNC_ACT_HARD_SWISH:
        y = vf_max(-three, x);
        return y * (vf_min(six, y + three) / six);
    case RNC_ACT_SILU:
        y = vf_max(vf_set1(-128.0f), x); /* if the result is -0 */
        return y * vf_sigmoid(y);
    case RNC_ACT_GELU:
        return vf_gelu(x);
    case RNC_ACT_ELU:
        return vf_select_gt(x, zero, x, vf_expm1(x) * vf_set1(alpha));
    case RNC_ACT_SELU:
        return vf_select_gt(x, zero, x * vf_set1(1.05070099f), vf_expm1(x) * vf_set1(1.75809934f));
    case RNC_ACT_SOFTPLUS:
        return vf_softplus(x);
    case RNC_ACT_MISH:
        return vf_mish(x);
    case RNC_ACT_CLIP:
        return vf_min(vf_set1(beta), vf_max(vf_set1(alpha), x));
    default:
        return x;
    }
}
#endif

RNC_KERNEL vf vf_act(vf x, int act, float alpha, float beta)
{
#ifdef RNC_LONG_ACT
    if (act > RNC_ACT_RELU6)
        return vf_long_act(x, act, alpha, beta);
#endif
    (void)alpha, (void)beta;
    if (act != RNC_ACT_NONE)
        x = vf_max(vf_zero(), x);
    return act == RNC_ACT_RELU6 ? vf_min(vf_set1(6.0f), x) : x;
}

RNC_KERNEL vf vf_prelu(vf x, vf slopes)
{
    return vf_select_gt(x, vf_zero(), x, x * slopes);
}

#ifdef RNC_LONG_ACT
#define vf_layer_act RNC_FN(vf_layer_act)

/* The activation of a layer; slopes: of prelu, those of the channels of x. */
RNC_KERNEL vf vf_layer_act(vf x, int act, float alpha, float beta, const float *slopes)
{
    if (act == RNC_ACT_PRELU)
        return vf_prelu(x, vf_load(slopes));
    return vf_act(x, act, alpha, beta);
}
#endif
#ifndef RNC_LONG_ACT
#define vf_layer_act(x, act, a, b, slopes) vf_act(x, act, a, b)
#endif
