/* over.h: boxes of an image's numbers that are reduced, or that a softmax goes over: for each
 * result pixel, box_h rows and box_w pixels, and all channels together or each by itself. */
#define over_load RNC_FN(over_load)
#define over_at RNC_FN(over_at)
#define over_max RNC_FN(over_max)
#define over_all RNC_FN(over_all)
#define over_log RNC_FN(over_log)

RNC_KERNEL vf over_load(const float *p, int n)
{
    return n == RNC_VL ? vf_loadu(p) : vf_load_part(p, n);
}

/* Where the box of result pixel (y, x) of image n begins. */
RNC_KERNEL const float *over_at(const rnc_over_shape *s, const void *in, int n, int y, int x)
{
    return (const float *)in +
           rnc_at(n, s->in_image, y * s->box_h, s->in_row, x * s->box_w, s->in_pixel);
}

/* The largest numbers of a box, for n channels; lanes from n on repeat another. */
RNC_KERNEL vf over_max(const rnc_over_shape *s, const float *in, int n)
{
    vf most = vf_set1(in[0]);
    float lane[RNC_VL];
    int y, x, j, first = 1;
    for (y = 0; y < s->box_h; y++)
        for (x = 0; x < s->box_w; x++) {
            const vf v = over_load(in + rnc_at(0, 0, y, s->in_row, x, s->in_pixel), n);
            most = first ? v : vf_max_nan(most, v);
            first = 0;
        }
    if (n < RNC_VL) {
        vf_storeu(lane, most);
        for (j = n; j < RNC_VL; j++)
            lane[j] = lane[0];
        most = vf_loadu(lane);
    }
    return most;
}

/* The largest of the lanes, and a NaN if one is. */
RNC_KERNEL float over_all(vf v)
{
    float lane[RNC_VL], most;
    int j;
    vf_storeu(lane, v);
    most = lane[0];
    for (j = 1; j < RNC_VL; j++)
        most = lane[j] > most || lane[j] != lane[j] ? lane[j] : most;
    return most;
}

/* log(x) of a positive number: x = 2^k m, log m = 2 s (1 + s^2 / 3 + ...), s = (m - 1) / (m + 1).
 */
RNC_KERNEL double over_log(double x)
{
    unsigned long long bits;
    double m, s, z, p = 1.0 / 17.0;
    int k, i;
    if (!(x < INFINITY))
        return x;
    memcpy(&bits, &x, sizeof bits);
    k = (int)(bits >> 52) - 1023;
    bits = (bits & 0xfffffffffffffull) | 0x3ff0000000000000ull;
    memcpy(&m, &bits, sizeof m);
    if (m > 1.4142135623730951)
        m = m * 0.5, k++;
    s = (m - 1.0) / (m + 1.0), z = s * s;
    for (i = 15; i > 0; i -= 2)
        p = p * z + 1.0 / (double)i;
    return 2.0 * s * p + (double)k * 0.69314718055994531;
}
