/* pool.h: what maxpool.c and avgpool.c share: where windows are, and one output pixel. */
#define pool_window RNC_FN(pool_window)
#define pool_find RNC_FN(pool_find)
#define pool_kind RNC_FN(pool_kind)
#define pool_vectors RNC_FN(pool_vectors)
#define pool_pixel RNC_FN(pool_pixel)

/* The part of a window that is inside the input, h x w pixels, and the pixel that it gives. */
typedef struct pool_window {
    const float *in;
    float *out;
    int h, w;
} pool_window;

/* The window of pixel x of output row `row`, counted over all images. */
RNC_KERNEL void pool_find(const rnc_pool_shape *s, const rnc_operands *o, int row, int x,
                          pool_window *p)
{
    const int n = row / s->out_h, y = row % s->out_h;
    const int top = y * s->stride_h - s->pad_top, bottom = top + s->kernel_h;
    const int left = x * s->stride_w - s->pad_left, right = left + s->kernel_w;
    const int y0 = top < 0 ? 0 : top, y1 = bottom > s->in_h ? s->in_h : bottom;
    const int x0 = left < 0 ? 0 : left, x1 = right > s->in_w ? s->in_w : right;
    p->in = (const float *)o->in[0] + rnc_at(n, s->in_image, y0, s->in_row, x0, s->in_pixel);
    p->out = (float *)o->out[0] + rnc_at(n, s->out_image, y, s->out_row, x, s->out_pixel);
    p->h = y1 > y0 ? y1 - y0 : 0;
    p->w = x1 > x0 ? x1 - x0 : 0;
}

/* What a window of h x w pixels gives: the largest element (max), which may be a NaN, or the sum
 * times `scale`. */
typedef struct pool_kind {
    int h, w, max;
    float scale;
} pool_kind;

/* `count` vectors of channels from c on; n: the channels of each. */
RNC_KERNEL void pool_vectors(const rnc_pool_shape *s, const pool_window *p, const pool_kind *k,
                             int c, int count, int n)
{
    vf a[4];
    RNC_UNROLL(4)
    for (int i = 0; i < count; i++)
        a[i] = k->max ? vf_set1(-INFINITY) : vf_zero();
    for (int y = 0; y < k->h; y++)
        for (int x = 0; x < k->w; x++) {
            const float *in = p->in + rnc_at(0, 0, y, s->in_row, x, s->in_pixel) + c;
            RNC_UNROLL(4)
            for (int i = 0; i < count; i++) {
                const vf v = n == RNC_VL ? vf_loadu(in + i * RNC_VL) : vf_load_part(in, n);
                a[i] = k->max ? vf_max_nan(a[i], v) : a[i] + v;
            }
        }
    RNC_UNROLL(4)
    for (int i = 0; i < count; i++) {
        const vf v = k->max ? a[i] : a[i] * vf_set1(k->scale);
        if (n == RNC_VL)
            vf_storeu(p->out + c + i * RNC_VL, vf_act(v, s->act, s->alpha, s->beta));
        else
            vf_store_part(p->out + c, vf_act(v, s->act, s->alpha, s->beta), n);
    }
}

RNC_KERNEL void pool_pixel(const rnc_pool_shape *s, const pool_window *p, int h, int w, int max,
                           float scale)
{
    const pool_kind k = {h, w, max, scale};
    int c = 0;
    for (; c + 4 * RNC_VL <= s->c; c += 4 * RNC_VL)
        pool_vectors(s, p, &k, c, 4, RNC_VL);
    for (; c + RNC_VL <= s->c; c += RNC_VL)
        pool_vectors(s, p, &k, c, 1, RNC_VL);
    if (c < s->c)
        pool_vectors(s, p, &k, c, 1, s->c - c);
}
