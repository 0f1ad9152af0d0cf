/* parts.h: what kernels of training share: sums of slices, blocks transposed, phases without taps,
 * square roots, the slopes of activations.
 * It comes after act.h and before the kernels. */
#define vf_load_some RNC_FN(vf_load_some)
#define vf_store_some RNC_FN(vf_store_some)
#define sum_tree RNC_FN(sum_tree)
#define vf_turn RNC_FN(vf_turn)
#define vf_put_fours RNC_FN(vf_put_fours)
#define phase_rest RNC_FN(phase_rest)
#define vf_rsqrt_guess RNC_FN(vf_rsqrt_guess)
#define vf_sqrt RNC_FN(vf_sqrt)
#define vf_slope RNC_FN(vf_slope)

/* The first n lanes, 1 .. RNC_VL, anywhere in memory. */
RNC_KERNEL vf vf_load_some(const float *p, int n)
{
    return n == RNC_VL ? vf_loadu(p) : vf_load_part(p, n);
}

RNC_KERNEL void vf_store_some(float *p, vf v, int n)
{
    if (n == RNC_VL)
        vf_storeu(p, v);
    else
        vf_store_part(p, v, n);
}

/* The sum of n vectors, `apart` floats from one to the next.  The first half of a sum has the
 * largest power of two below n of them. */
RNC_KERNEL vf sum_tree(const float *from, ptrdiff_t apart, int n)
{
    vf wait[32], v = vf_loadu(from);
    int top = 0;
    for (int i = 1; i < n; i++) {
        for (int k = i; (k & 1) == 0; k >>= 1)
            v = wait[--top] + v;
        wait[top++] = v;
        v = vf_loadu(from + i * apart);
    }
    while (top > 0)
        v = wait[--top] + v;
    return v;
}

#if RNC_VL > 1
/* Transposes each 4 x 4 of four vectors: lane 4 g + j of v[k] becomes lane 4 g + k of v[j]. */
RNC_KERNEL void vf_turn(vf *v)
{
    vf a, b, c, d;
    RNC_ZIP_LOW(a, v[0], v[2]);
    RNC_ZIP_HIGH(b, v[0], v[2]);
    RNC_ZIP_LOW(c, v[1], v[3]);
    RNC_ZIP_HIGH(d, v[1], v[3]);
    RNC_ZIP_LOW(v[0], a, c);
    RNC_ZIP_HIGH(v[1], a, c);
    RNC_ZIP_LOW(v[2], b, d);
    RNC_ZIP_HIGH(v[3], b, d);
}

/* Stores the RNC_VL x 4 floats that vf_turn made of the rows of a 4 x RNC_VL block; `apart`: floats
 * from row to row. */
RNC_KERNEL void vf_put_fours(float *to, ptrdiff_t apart, const vf *v)
{
    float lanes[RNC_VL];
    RNC_UNROLL(4)
    for (int j = 0; j < 4; j++) {
        vf_storeu(lanes, v[j]);
        RNC_UNROLL(4)
        for (int g = 0; g < RNC_VL / 4; g++)
            memcpy(to + (4 * g + j) * apart, lanes + 4 * g, 4 * sizeof(float));
    }
}
#endif

/* A phase of a convolution that no tap meets: the residual or zeros. */
RNC_KERNEL void phase_rest(const rnc_conv_shape *c, const rnc_operands *o, int part, int parts)
{
    const int rows = c->images * c->out_h, end = rnc_share(rows, part + 1, parts);
    for (int i = rnc_share(rows, part, parts); i < end; i++)
        for (int x = 0; x < c->out_w; x++) {
            const int n = i / c->out_h, y = i % c->out_h;
            float *to =
                (float *)o->out[0] + rnc_at(n, c->out_image, y, c->out_row, x, c->out_pixel);
            const float *from = c->residual
                                    ? (const float *)o->in[1] +
                                          rnc_at(n, c->res_image, y, c->res_row, x, c->res_pixel)
                                    : to;
            for (int j = 0; j < c->out_c; j += RNC_VL)
                vf_store(to + j, c->residual ? vf_load(from + j) : vf_zero());
        }
}

/* About 1 / sqrt(x), by halving the exponent's bits (Lomont, 2003). */
RNC_KERNEL vf vf_rsqrt_guess(vf x)
{
#if RNC_VL > 1
    return (vf)(0x5f375a86 - ((vi)x >> 1));
#else
    int bits;
    memcpy(&bits, &x, sizeof bits);
    bits = 0x5f375a86 - bits / 2;
    memcpy(&x, &bits, sizeof bits);
    return x;
#endif
}

/* The square root of x >= 0 by Newton's method, within 1 ulp where x is a normal number; of smaller
 * numbers within 1e-19.  A NaN for infinity. */
RNC_KERNEL vf vf_sqrt(vf x)
{
    const vf half = x * vf_set1(0.5f), three_halves = vf_set1(1.5f);
    vf y = vf_rsqrt_guess(x), root;
    y = y * (three_halves - half * y * y);
    y = y * (three_halves - half * y * y);
    root = x * y;
    return vf_fma(vf_fma(-root, root, x), y * vf_set1(0.5f), root);
}

#ifdef RNC_LONG_ACT
#define vf_long_slope RNC_FN(vf_long_slope)

/* The slopes of the activations that come after RNC_ACT_RELU6. */
RNC_KERNEL vf vf_long_slope(vf x, int act, float alpha, float beta)
{
    const vf zero = vf_zero(), one = vf_set1(1.0f), three = vf_set1(3.0f);
    vf y, z, t;
    switch (act) {
    case RNC_ACT_LEAKY_RELU:
        return vf_select_gt(x, zero, one, vf_set1(alpha));
    case RNC_ACT_SIGMOID:
        return vf_sigmoid(x) * vf_sigmoid(-x);
    case RNC_ACT_TANH:
        y = vf_tanh(x);
        return (one - y) * (one + y);
    case RNC_ACT_HARD_SIGMOID:
        z = (x + vf_set1(beta)) * vf_set1(alpha);
        y = vf_select_gt(z, zero, vf_set1(alpha), zero);
        return vf_select_gt(one, z, y, zero);
    case RNC_ACT_HARD_SWISH:
        y = vf_select_gt(x, -three, vf_fma(x, vf_set1(1.0f / 3.0f), vf_set1(0.5f)), zero);
        return vf_select_gt(three, x, y, one);
    case RNC_ACT_SILU:
        y = vf_sigmoid(x), z = vf_sigmoid(-x);
        return vf_fma(x * y, z, y);
    case RNC_ACT_GELU:
        /* the normal distribution, as in vf_gelu, and x times its density */
        z = vf_min(vf_set1(15.0f), vf_abs(x)), t = one / vf_fma(z, vf_set1(0.35f), one);
        y = vf_fma(t, vf_set1(-0.0291637331f), vf_set1(0.144059896f));
        y = vf_fma(t, y, vf_set1(-0.255900055f));
        y = vf_fma(t, y, vf_set1(0.159390911f));
        y = vf_fma(t, y, vf_set1(-0.023262525f));
        y = vf_fma(t, y, vf_set1(0.10557428f));
        y = vf_fma(t, y, vf_set1(0.119815618f));
        y = vf_fma(t, y, vf_set1(0.139864326f));
        y = vf_fma(t, y, vf_set1(0.139621258f));
        z = vf_exp(z * z * vf_set1(-0.5f)), y = t * y * z;
        y = vf_select_gt(x, zero, one - y, y);
        return vf_fma(vf_min(vf_set1(15.0f), vf_max(vf_set1(-15.0f), x)) * vf_set1(0.398942280f), z,
                      y);
    case RNC_ACT_ELU:
        return vf_select_gt(x, zero, one, vf_exp(x) * vf_set1(alpha));
    case RNC_ACT_SELU:
        return vf_select_gt(x, zero, vf_set1(1.05070099f), vf_exp(x) * vf_set1(1.75809934f));
    case RNC_ACT_SOFTPLUS:
        return vf_sigmoid(x);
    case RNC_ACT_MISH: /* t + x (1 - t^2) sigmoid(x), t = tanh(softplus(x)) */
        z = vf_exp(vf_min(vf_set1(20.0f), x)), y = z * (z + vf_set1(2.0f));
        t = y / (y + vf_set1(2.0f)), z = vf_set1(2.0f) / (y + vf_set1(2.0f));
        y = vf_max(vf_set1(-128.0f), x);
        return vf_fma(y * z * (one + t), vf_sigmoid(x), t);
    case RNC_ACT_CLIP:
        y = vf_select_gt(x, vf_set1(alpha), one, zero);
        return vf_select_gt(vf_set1(beta), x, y, zero);
    default:
        return one;
    }
}
#endif

/* The slope of an activation at its operand x.  Of none, relu, relu6 and leaky relu with alpha > 0
 * the slope at their result is the same.  At a corner: relu 0 at 0, relu6 0 at 0 and 6, leaky relu
 * and elu alpha at 0, hard_sigmoid and clip 0 at their bounds, hard_swish 0 at -3 and 1 at 3. */
RNC_KERNEL vf vf_slope(vf x, int act, float alpha, float beta)
{
#ifdef RNC_LONG_ACT
    if (act > RNC_ACT_RELU6)
        return vf_long_slope(x, act, alpha, beta);
#endif
    const vf zero = vf_zero(), one = vf_set1(1.0f);
    vf slope = one;
    (void)alpha, (void)beta;
    if (act != RNC_ACT_NONE)
        slope = vf_select_gt(x, zero, one, zero);
    return act == RNC_ACT_RELU6 ? vf_select_gt(vf_set1(6.0f), x, slope, zero) : slope;
}
