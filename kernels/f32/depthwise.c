/* depthwise: one filter for each channel, or groups of in_c = 2, 4 or 8 channels that read one
 * another.  Lanes change places instead of being broadcast, so that a vector holds several groups:
 * for each near < 4, lane l of the sums takes lane l ^ near of the input, within fours.  Groups of
 * 8 first take another turn with far = 4, whose sums are those of lane l ^ 4.  Weights are stored
 * as bias[c], then [far][tap row][near][tap][c].  A tile is n pixels of an output row.  The vectors
 * of a block of channels follow one another, so that what some rows hold of the block stays in
 * cache. */
#define depthwise_most RNC_FN(depthwise_most)
#define depthwise_taps RNC_FN(depthwise_taps)
#define depthwise_fold RNC_FN(depthwise_fold)
#define depthwise_turn RNC_FN(depthwise_turn)
#define depthwise_work RNC_FN(depthwise_work)
#define depthwise_tile RNC_FN(depthwise_tile)
#define depthwise_pixels RNC_FN(depthwise_pixels)
#define depthwise_row RNC_FN(depthwise_row)

/* How many taps of a row are in registers at once. */
RNC_KERNEL int depthwise_most(const rnc_conv_shape *s)
{
    return s->kernel_w > 5 ? 4 : s->kernel_w;
}

/* The taps of a row from k0 on, for n pixels of a vector of channels.  Each pixel is read once and
 * serves all taps. */
RNC_KERNEL void depthwise_taps(const rnc_conv_shape *s, vf *acc, int n, const float *in,
                               const char *w, int near, int k0)
{
    const int most = depthwise_most(s), left = s->kernel_w - k0, taps = left < most ? left : most;
    const int first = k0 * s->dilation_w, row = s->out_c * rnc_weight_bytes(s->weights);
    const int end = (n - 1) * s->stride_w + (k0 + taps - 1) * s->dilation_w + 1;
    vf tap[8];
    RNC_UNROLL(8)
    for (int k = 0; k < taps; k++)
        tap[k] = vf_load_weights(w + k * row, s->weights);
    RNC_UNROLL(64)
    for (int j = first; j < end; j++) {
        vf x = vf_loadu(in + j * s->in_pixel);
        if (near > 0 && RNC_VL > 1)
            x = vf_swap(x, near);
        RNC_UNROLL(8)
        for (int k = 0; k < taps; k++) {
            const int from = j - (k0 + k) * s->dilation_w, i = from / s->stride_w;
            if (from >= 0 && from % s->stride_w == 0 && i < n)
                RNC_FMA(acc[i], x, tap[k]);
        }
    }
}

/* Adds the sums of a block to those of the blocks before it, and begins another. */
RNC_KERNEL void depthwise_fold(vf *total, vf *acc, int n)
{
    RNC_UNROLL(16)
    for (int i = 0; i < n; i++) {
        total[i] = total[i] + acc[i];
        acc[i] = vf_zero();
    }
}

/* All taps of n pixels of the vector from channel c on. */
RNC_KERNEL void depthwise_turn(const rnc_conv_shape *s, vf *acc, int n, int c, const float *in,
                               const char *w, int far)
{
    const int nears = s->in_c < 4 ? s->in_c : 4, bytes = rnc_weight_bytes(s->weights);
    const int there = RNC_VL < 8 ? (c ^ far) - c : 0; /* shorter vectors change places as a whole */
    const int row = s->out_c * bytes;
    const int is_long = (ptrdiff_t)s->kernel_h * s->kernel_w * s->in_c > RNC_SUM_MOST;
    const int totals = is_long ? n : 0, across = s->kernel_w * nears;
    const int block = !is_long ? s->kernel_h : across < RNC_SUM_ROWS ? RNC_SUM_ROWS / across : 1;
    vf total[16]; /* the blocks before; of long sums alone */
    RNC_UNROLL(16)
    for (int i = 0; i < totals; i++)
        total[i] = vf_zero();
    for (int left = s->kernel_h; left > 0; left -= block) {
        for (int rows = left < block ? left : block; rows > 0; rows--) {
            RNC_UNROLL(4)
            for (int near = 0; near < nears; near++) {
                const float *a = in + (RNC_VL < 4 ? (c ^ far ^ near) - c : there);
                RNC_UNROLL(8)
                for (int k = 0; k < s->kernel_w; k += depthwise_most(s))
                    depthwise_taps(s, acc, n, a, w + there * bytes + (near * s->kernel_w + k) * row,
                                   near, k);
            }
            in += s->dilation_h * s->in_row;
            w += nears * s->kernel_w * row;
        }
        if (is_long)
            depthwise_fold(total, acc, n);
    }
    RNC_UNROLL(16)
    for (int i = 0; i < totals; i++)
        acc[i] = total[i];
}

/* What a tile works on: the memory of n pixels, from channel 0 on, and the step's weights. */
typedef struct depthwise_work {
    int c0, c1; /* the vectors of channels c0 .. c1-1 */
    const float *in, *bias, *res, *slopes;
    float *out;
} depthwise_work;

/* n pixels of one vector of channels, from c on. */
RNC_KERNEL void depthwise_tile(const rnc_conv_shape *s, int n, int c, const depthwise_work *w)
{
    const int bytes = rnc_weight_bytes(s->weights);
    const float *in = w->in + c, *bias = w->bias + c, *res = s->residual ? w->res + c : NULL;
    const char *taps = (const char *)(w->bias + s->out_c) + c * bytes;
    float *out = w->out + c;
    vf acc[16];
    if (s->in_c > 4) {
        RNC_UNROLL(16)
        for (int i = 0; i < n; i++)
            acc[i] = vf_zero();
        depthwise_turn(s, acc, n, c, in, taps, 4);
        taps += s->kernel_h * s->kernel_w * 4 * s->out_c * bytes;
    }
    RNC_UNROLL(16)
    for (int i = 0; i < n; i++)
        acc[i] = s->in_c > 4 ? vf_load(bias) + vf_swap(acc[i], 4) : vf_load(bias);
    depthwise_turn(s, acc, n, c, in, taps, 0);
    RNC_UNROLL(16)
    for (int i = 0; i < n; i++) {
        vf v = acc[i];
        if (s->residual)
            v = v + vf_load(res + i * s->res_pixel);
        if (s->act == RNC_ACT_RELU || s->act == RNC_ACT_RELU6)
            v = vf_max(vf_zero(), v);
        if (s->act == RNC_ACT_RELU6)
            v = vf_min(vf_set1(6.0f), v);
        vf_store(out + i * s->out_pixel, v);
    }
#ifdef RNC_LONG_ACT
    if (s->act > RNC_ACT_RELU6)
        for (int i = 0; i < n; i++) {
            float *p = out + i * s->out_pixel;
            vf_store(p, vf_layer_act(vf_load(p), s->act, s->alpha, s->beta, w->slopes + c));
        }
#endif
}

/* n pixels of some vectors.  Meanwhile the pixels that the next row down will read are fetched. */
RNC_KERNEL void depthwise_pixels(const rnc_conv_shape *s, const rnc_knobs *t, int n,
                                 const depthwise_work *w)
{
    for (int c = w->c0 * RNC_VL; c < w->c1 * RNC_VL; c += RNC_VL) {
        if (t->prefetch_input && c % 16 == 0) {
            const float *below = w->in + c + s->kernel_h * s->in_row;
            RNC_UNROLL(16)
            for (int i = 0; i < n; i++)
                RNC_PREFETCH_NEAR(below + i * s->stride_w * s->in_pixel);
        }
        depthwise_tile(s, n, c, w);
    }
}

/* Row `row`, counted over all images: the vectors of channels c0 .. c1-1. */
RNC_KERNEL void depthwise_row(const rnc_conv_shape *s, const rnc_knobs *t, const rnc_operands *o,
                              int row, int c0, int c1)
{
    const int wish = t->pixels > 0 ? (t->pixels < 16 ? t->pixels : 16) : 4;
    const int n = wish < s->out_w ? wish : s->out_w, rest = s->out_w % n;
    const int image = row / s->out_h, y = row % s->out_h;
    depthwise_work w;
    w.c0 = c0, w.c1 = c1;
    w.bias = (const float *)o->weights;
    w.slopes = rnc_slopes(o, s->act, s->out_c);
    w.in = (const float *)o->in[0] + rnc_at(image, s->in_image, y * s->stride_h - s->pad_top,
                                            s->in_row, -s->pad_left, s->in_pixel);
    w.res = s->residual ? (const float *)o->in[1] + rnc_at(image, s->res_image, y, s->res_row, 0, 0)
                        : NULL;
    w.out = (float *)o->out[0] + rnc_at(image, s->out_image, y, s->out_row, 0, 0);
    for (int x = 0; x + n <= s->out_w; x += n) {
        depthwise_pixels(s, t, n, &w);
        w.in += n * s->stride_w * s->in_pixel;
        w.res = s->residual ? w.res + n * s->res_pixel : NULL;
        w.out += n * s->out_pixel;
    }
    if (rest > 0)
        depthwise_pixels(s, t, rest, &w);
}

RNC_KERNEL void RNC_FN(depthwise)(const rnc_conv_shape *s, const rnc_knobs *t,
                                  const rnc_operands *o, int part, int parts)
{
    enum { PANEL = 32 };
    const int rows = s->images * s->out_h, vectors = s->out_c / RNC_VL;
    const int y0 = t->split ? 0 : rnc_share(rows, part, parts);
    const int y1 = t->split ? rows : rnc_share(rows, part + 1, parts);
    const int c0 = t->split ? rnc_share(vectors, part, parts) : 0;
    const int c1 = t->split ? rnc_share(vectors, part + 1, parts) : vectors;
    const int block = t->panels > 0 ? t->panels * (PANEL / RNC_VL) : vectors;
    for (int c = c0; c < c1; c += block)
        for (int row = y0; row < y1; row++)
            depthwise_row(s, t, o, row, c, c + block < c1 ? c + block : c1);
}
#undef depthwise_most
#undef depthwise_taps
#undef depthwise_fold
#undef depthwise_turn
#undef depthwise_work
#undef depthwise_tile
#undef depthwise_pixels
#undef depthwise_row
