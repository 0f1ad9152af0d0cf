/* filter_winograd: transforms packed panels of 3x3 filters for conv_winograd.  Operands: packed ->
 * frequencies.  Both have panels of bias[width]; then come [3][3][in_c][width], and
 * [frequency][in_c][width].  For the gradient of an input the panels are those that filter_pack
 * turned (stride 1).
 * Point p takes (g0 + g1 p + g2 p^2) / N(p) of the taps g of a row, N(p) the product of p - q over
 * the other points q, and g2 at infinity; with stride 2 (g0 + g2 p) / N(p), and g1 as it is
 * (winograd.h has the points). */
#define filter_point RNC_FN(filter_point)
#define filter_taps RNC_FN(filter_taps)

/* Point i of three taps that are `apart` vectors from one another. */
RNC_KERNEL vf filter_point(const rnc_winograd_filter_shape *s, const vf *g, int apart, int i)
{
    /* 1, p, p^2 over N(p), for the points 0, 1, -1 and 0, 3/4, -3/4, 3/2, -3/2 */
    static const float two[3][3] = {{-1, 0, 0}, {0.5f, 0.5f, 0.5f}, {0.5f, -0.5f, 0.5f}};
    static const float four[5][3] = {
        {(float)(1 / 1.265625), 0, 0},
        {(float)(-1 / 1.8984375), (float)(-0.75 / 1.8984375), (float)(-0.5625 / 1.8984375)},
        {(float)(-1 / 1.8984375), (float)(0.75 / 1.8984375), (float)(-0.5625 / 1.8984375)},
        {(float)(1 / 7.59375), (float)(1.5 / 7.59375), (float)(2.25 / 7.59375)},
        {(float)(1 / 7.59375), (float)(-1.5 / 7.59375), (float)(2.25 / 7.59375)}};
    const float *const k = s->winograd == 2 ? two[i % 3] : four[i % 5];
    if (i == s->winograd + 1)
        return s->stride == 1 ? g[2 * apart] : g[apart];
    if (s->stride == 2)
        return vf_fma(vf_set1(k[1]), g[2 * apart], vf_set1(k[0]) * g[0]);
    return vf_fma(vf_set1(k[2]), g[2 * apart],
                  vf_fma(vf_set1(k[1]), g[apart], vf_set1(k[0]) * g[0]));
}

/* The vector of filters at `from`, whose taps are `tap` floats apart, to frequencies that are as
 * far apart. */
RNC_KERNEL void filter_taps(const rnc_winograd_filter_shape *s, const float *from, ptrdiff_t tap,
                            float *to)
{
    const int side = s->winograd + 2;
    vf g[9], rows[6 * 3];
    RNC_UNROLL(9)
    for (int k = 0; k < 9; k++)
        g[k] = vf_load(from + k * tap);
    for (int y = 0; y < side; y++) {
        RNC_UNROLL(3)
        for (int x = 0; x < 3; x++)
            rows[y * 3 + x] = filter_point(s, g + x, 3, y);
    }
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++)
            vf_store(to + (y * side + x) * tap, filter_point(s, rows + y * 3, 1, x));
}

RNC_KERNEL void RNC_FN(filter_winograd)(const rnc_winograd_filter_shape *s, const rnc_knobs *t,
                                        const rnc_operands *o, int part, int parts)
{
    const int side = s->winograd + 2, panels = rnc_div_up(s->out_c, s->panel);
    const int all = panels * s->in_c, end = rnc_share(all, part + 1, parts);
    (void)t;
    for (int i = rnc_share(all, part, parts); i < end; i++) {
        const int first = i / s->in_c * s->panel, row = i % s->in_c;
        const int width = s->out_c - first < s->panel ? s->out_c - first : s->panel;
        const ptrdiff_t tap = (ptrdiff_t)s->in_c * width;
        const float *from = (const float *)o->in[0] + (ptrdiff_t)first * (9 * s->in_c + 1);
        float *to = (float *)o->out[0] + (ptrdiff_t)first * (side * side * s->in_c + 1);
        for (int j = 0; j < width; j += RNC_VL) {
            if (row == 0)
                vf_store(to + j, vf_load(from + j));
            filter_taps(s, from + (ptrdiff_t)(row + 1) * width + j, tap,
                        to + (ptrdiff_t)(row + 1) * width + j);
        }
    }
}
#undef filter_point
#undef filter_taps
