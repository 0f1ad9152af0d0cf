/* winograd.h: the transforms of Winograd's minimal filtering with 3x3 taps (Winograd 1980; Lavin
 * and Gray, CVPR 2016), for tiles of m x m output pixels.
 * Stride 1: a side of a window, m + 2 pixels, becomes m + 2 planes, one for each point of
 * interpolation: 0, +-1 and infinity for m = 2, and 0, +-3/4, +-3/2 and infinity for m = 4.
 * Stride 2: even pixels meet only the outer two taps and become m + 1 planes, of the finite points;
 * odd pixels meet only the middle tap and are m planes as they are.  A side is `less` if its last
 * output pixel does not exist; then a plane or two can be left out. */
#define winograd_spare RNC_FN(winograd_spare)
#define winograd_numbers RNC_FN(winograd_numbers)
#define winograd_points RNC_FN(winograd_points)
#define winograd_forward RNC_FN(winograd_forward)
#define winograd_back RNC_FN(winograd_back)
#define winograd_extent RNC_FN(winograd_extent)
#define winograd_window RNC_FN(winograd_window)
#define winograd_pixels RNC_FN(winograd_pixels)
#define winograd_panel RNC_FN(winograd_panel)
#define winograd_factors RNC_FN(winograd_factors)
#define winograd_output RNC_FN(winograd_output)

/* 1: a side that is less does not need plane p. */
RNC_KERNEL int winograd_spare(const rnc_conv_shape *s, int p)
{
    return p == rnc_winograd_planes(s->winograd, s->stride_h) - 1 || (s->stride_h == 2 && p == 0);
}

/* Puts each of n numbers in every lane, anew for each tile: gcc would keep constants in registers
 * over the products, which need all of them. */
RNC_KERNEL void winograd_numbers(const float *from, int n, vf *k)
{
    RNC_UNROLL(16)
    for (int i = 0; i < n; i++)
        RNC_BROADCAST(k[i], from + i);
}

/* Transforms one side of a window, x[m + 2], to the points.  The coefficients of point p are those
 * of the polynomial prod(x - q) over the other finite points q, for infinity over all of them.  The
 * finite points do not read x[m + 1].  infinity: 0 leaves that point out. */
RNC_KERNEL void winograd_points(vf *x, int m, int infinity, const vf *k)
{
    if (m == 2) {
        const vf a = x[1], b = x[2];
        x[0] = b - x[0];
        x[1] = b + a;
        x[2] = b - a;
        if (infinity)
            x[3] = x[3] - a;
    } else {
        const vf point1 = k[0], point2 = k[1], near = k[2], far = k[3], sum = k[4], product = k[5];
        const vf a = x[1], b = x[2], c = x[3], d = x[4];
        const vf even1 = vf_fma(far, b, d), even2 = vf_fma(near, b, d);
        const vf odd1 = vf_fma(far, a, c), odd2 = vf_fma(near, a, c);
        const vf scaled1 = odd1 * point1, scaled2 = odd2 * point2;
        x[0] = vf_fma(product, x[0], vf_fma(sum, b, d));
        x[1] = even1 + scaled1;
        x[2] = even1 - scaled1;
        x[3] = even2 + scaled2;
        x[4] = even2 - scaled2;
        if (infinity)
            x[5] = vf_fma(product, a, vf_fma(sum, c, x[5]));
    }
}

/* Transforms the pixels of one side of a window to its planes.  With stride 1 the spare plane,
 * infinity, meets only the output that does not exist: any pixel will do for it. */
RNC_KERNEL void winograd_forward(const rnc_conv_shape *s, vf *x, int less, const vf *k)
{
    const int m = s->winograd;
    vf odd[4];
    if (s->stride_h == 1) {
        winograd_points(x, m, 1, k);
        return;
    }
    RNC_UNROLL(8)
    for (int i = 0; i < m; i++) {
        odd[i] = x[2 * i + 1];
        x[i] = x[2 * i];
    }
    /* Only the missing output reads the last even pixel: it is chosen so that the plane of point 0
     * becomes zero. */
    if (!less)
        x[m] = x[2 * m];
    else if (m == 2)
        x[m] = x[0];
    else
        x[m] = -vf_fma(k[4], x[2], k[5] * x[0]);
    winograd_points(x, m, 0, k);
    RNC_UNROLL(8)
    for (int i = 0; i < m; i++)
        x[m + 1 + i] = odd[i];
}

/* Transforms the planes of one side to its m output pixels: pixel y is the sum over the points p of
 * p^y times the plane of p, with stride 2 also plus the plane of odd pixel y.  taps: the planes
 * still lack the factors 1 / N(p). */
RNC_KERNEL void winograd_back(const rnc_conv_shape *s, vf *x, int taps, const vf *k)
{
    const vf sum1 = x[1] + x[2], dif1 = x[1] - x[2];
    const int m = s->winograd, polyphase = s->stride_h == 2;
    /* the plane of infinity or of the last odd pixel */
    const vf last = x[rnc_winograd_planes(s->winograd, s->stride_h) - 1];
    if (m == 2) {
        x[0] = x[0] + sum1;
        x[1] = dif1 + last;
        if (polyphase)
            x[0] = x[0] + x[3];
    } else {
        const vf point1 = k[0], square1 = k[1], cube1 = k[2];
        const vf point2 = k[3], square2 = k[4], cube2 = k[5];
        const vf sum2 = x[3] + x[4], dif2 = x[3] - x[4];
        x[0] = taps ? vf_fma(k[6], x[0], vf_fma(k[7], sum1, k[8] * sum2)) : x[0] + sum1 + sum2;
        x[1] = vf_fma(point2, dif2, dif1 * point1);
        x[2] = vf_fma(square2, sum2, sum1 * square1);
        x[3] = vf_fma(cube2, dif2, vf_fma(cube1, dif1, last));
        if (polyphase) {
            x[0] = x[0] + x[5];
            x[1] = x[1] + x[6];
            x[2] = x[2] + x[7];
        }
    }
}

/* How much of a tile exists: h x w of its m x m output pixels.  less: 1 if a side is less; then the
 * spare planes are written, but have no products. */
typedef struct winograd_extent {
    int h, w;
    int less_y, less_x;
} winograd_extent;

/* Transforms a tile's window to `to`, one plane after the other.  Rows and pixels of the window
 * that no output reads are replaced by the last one.  numbers: 6, for winograd_points. */
RNC_KERNEL void winograd_window(const rnc_conv_shape *s, const float *in, winograd_extent e,
                                const float *numbers, float *to, int plane)
{
    const int side = rnc_winograd_planes(s->winograd, s->stride_h), step = s->stride_h;
    const int rows = (e.h - 1) * step + 3, pixels = (e.w - 1) * step + 3;
    vf k[RNC_WINOGRAD_NUMBERS];
    winograd_numbers(numbers, 6, k);
    for (int c = 0; c < s->in_c; c += RNC_VL) {
        vf t[RNC_WINOGRAD_PLANES * RNC_WINOGRAD_PLANES];
        for (int x = 0; x < side; x++) {
            const float *from = in + (x < pixels ? x : pixels - 1) * s->in_pixel + c;
            vf column[RNC_WINOGRAD_PLANES];
            RNC_UNROLL(16)
            for (int y = 0; y < side; y++)
                column[y] = vf_load(from + (y < rows ? y : rows - 1) * s->in_row);
            winograd_forward(s, column, e.less_y, k);
            RNC_UNROLL(16)
            for (int y = 0; y < side; y++)
                t[y * side + x] = column[y];
        }
        for (int y = 0; y < side; y++) {
            vf row[RNC_WINOGRAD_PLANES]; /* not in place: t stays in memory as it is */
            RNC_UNROLL(16)
            for (int x = 0; x < side; x++)
                row[x] = t[y * side + x];
            winograd_forward(s, row, e.less_x, k);
            RNC_UNROLL(16)
            for (int x = 0; x < side; x++)
                vf_store(to + (y * side + x) * plane + c, row[x]);
        }
    }
}

/* Writes a row of a tile's output pixels, with bias, residual and the short activations. */
RNC_KERNEL void winograd_pixels(const rnc_conv_shape *s, const vf *x, int w, vf bias,
                                const float *res, float *out)
{
    RNC_UNROLL(8)
    for (int i = 0; i < s->winograd; i++) {
        if (i < w) {
            vf v = x[i] + bias;
            if (s->residual)
                v = v + vf_load(res + i * s->res_pixel);
            vf_store(out + i * s->out_pixel, conv_limit(s, v));
        }
    }
}

/* The products of a tile and a panel of `width` channels, `plane` floats from plane to plane, and
 * the tile's first output pixel.  taps: 1 if the filters are made from plain taps. */
typedef struct winograd_panel {
    const float *from;
    int plane, width, taps;
    const float *bias, *res;
    float *out;
} winograd_panel;

/* The numbers of the transform: p, p^2 and p^3 for the points 3/4 and 3/2 or, of plain taps, these
 * over N(p), and 1 / N(p) for 0, 3/4 and 3/2. */
RNC_KERNEL void winograd_factors(const winograd_panel *p, vf *k)
{
    static const float numbers[] = {0.75f, 0.5625f, 0.421875f, 1.5f, 2.25f, 3.375f};
#ifdef RNC_TAPS
    static const float over[] = {
        -0.75f / 1.8984375f, -0.5625f / 1.8984375f, -0.421875f / 1.8984375f,
        1.5f / 7.59375f,     2.25f / 7.59375f,      3.375f / 7.59375f,
        1 / 1.265625f,       -1 / 1.8984375f,       1 / 7.59375f};
    if (p->taps) {
        winograd_numbers(over, 9, k);
        return;
    }
#endif
    (void)p;
    winograd_numbers(numbers, 6, k);
}

/* Transforms products to a tile's output.  Of the spare planes, which have no products, only that
 * of point 0 meets outputs that exist. */
RNC_KERNEL void winograd_output(const rnc_conv_shape *s, winograd_extent e, const winograd_panel *p)
{
    const int m = s->winograd, side = rnc_winograd_planes(s->winograd, s->stride_h),
              polyphase = s->stride_h == 2;
    vf k[RNC_WINOGRAD_NUMBERS];
    winograd_factors(p, k);
    for (int c = 0; c < p->width; c += RNC_VL) {
        vf t[RNC_WINOGRAD_PLANES * RNC_WINOGRAD_PLANES];
        const vf b = vf_load(p->bias + c);
        for (int x = 0; x < side; x++) {
            vf column[RNC_WINOGRAD_PLANES];
            RNC_UNROLL(16)
            for (int y = 0; y < side; y++)
                column[y] = vf_load(p->from + (y * side + x) * p->plane + c);
            if (polyphase && e.less_y)
                RNC_ZERO(column[0]);
            winograd_back(s, column, p->taps, k);
            RNC_UNROLL(8)
            for (int y = 0; y < m; y++)
                t[y * side + x] = column[y];
        }
        for (int y = 0; y < m; y++) {
            if (y < e.h) {
                vf row[RNC_WINOGRAD_PLANES];
                RNC_UNROLL(16)
                for (int x = 0; x < side; x++)
                    row[x] = t[y * side + x];
                if (polyphase && e.less_x)
                    RNC_ZERO(row[0]);
                winograd_back(s, row, p->taps, k);
                winograd_pixels(s, row, e.w, b, s->residual ? p->res + y * s->res_row + c : NULL,
                                p->out + y * s->out_row + c);
            }
        }
    }
}

#ifdef RNC_LONG_ACT
#define winograd_act RNC_FN(winograd_act)

/* The long activations, in a loop of their own; slopes: those of the first channel on. */
RNC_KERNEL void winograd_act(const rnc_conv_shape *s, winograd_extent e, const float *slopes,
                             float *out, int width)
{
    for (int i = 0; i < e.h * e.w; i++) {
        float *to = out + i / e.w * s->out_row + i % e.w * s->out_pixel;
        for (int c = 0; c < width; c += RNC_VL)
            vf_store(to + c, vf_layer_act(vf_load(to + c), s->act, s->alpha, s->beta, slopes + c));
    }
}
#endif

#ifdef RNC_FAR_TILES
#define winograd_far RNC_FN(winograd_far)
#define winograd_fetch RNC_FN(winograd_fetch)

/* 1: the tensors are so large that they come from the L3 or from memory, and windows have no gaps.
 */
RNC_KERNEL int winograd_far(const rnc_conv_shape *s)
{
    enum { FAR = 1 << 18 };
    return (ptrdiff_t)s->images * s->in_image > FAR && s->dilation_h <= 1 && s->dilation_w <= 1;
}

/* Fetches m x m pixels of c channels. */
RNC_KERNEL void winograd_fetch(const float *from, int m, int row, int pixel, int c, int write)
{
    enum { LINE = 16 };
    for (int y = 0; y < m; y++)
        for (int x = 0; x < m; x++) {
            const float *at = from + y * row + x * pixel;
            RNC_BASE(at); /* gcc would leave out a function that only fetches */
            for (int k = 0; k < c; k += LINE) {
                if (write)
                    RNC_PREFETCH_WRITE(at + k);
                else
                    RNC_PREFETCH(at + k);
            }
        }
}
#endif
