/* pool.h: what maxpool.c and avgpool.c share: where windows are, and one output pixel. */
#define pool_window RNC_FN(pool_window)
#define pool_find RNC_FN(pool_find)
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

/* The largest element (max) of a window of h x w pixels, or their sum times `scale`, four vectors
 * of channels at a time.  A NaN in a window is its largest element. */
RNC_KERNEL void pool_pixel(const rnc_pool_shape *s, const pool_window *p, int h, int w, int max,
                           float scale)
{
    int c = 0, y, x;
    for (; c + 4 * RNC_VL <= s->c; c += 4 * RNC_VL) {
        vf a = max ? vf_set1(-INFINITY) : vf_zero(), b = a, d = a, e = a;
        for (y = 0; y < h; y++)
            for (x = 0; x < w; x++) {
                const float *in = p->in + rnc_at(0, 0, y, s->in_row, x, s->in_pixel) + c;
                const vf a1 = vf_loadu(in), b1 = vf_loadu(in + RNC_VL);
                const vf d1 = vf_loadu(in + 2 * RNC_VL), e1 = vf_loadu(in + 3 * RNC_VL);
                a = max ? vf_max_nan(a, a1) : a + a1;
                b = max ? vf_max_nan(b, b1) : b + b1;
                d = max ? vf_max_nan(d, d1) : d + d1;
                e = max ? vf_max_nan(e, e1) : e + e1;
            }
        if (!max) {
            a = a * vf_set1(scale);
            b = b * vf_set1(scale);
            d = d * vf_set1(scale);
            e = e * vf_set1(scale);
        }
        vf_storeu(p->out + c, vf_act(a, s->act, s->alpha, s->beta));
        vf_storeu(p->out + c + RNC_VL, vf_act(b, s->act, s->alpha, s->beta));
        vf_storeu(p->out + c + 2 * RNC_VL, vf_act(d, s->act, s->alpha, s->beta));
        vf_storeu(p->out + c + 3 * RNC_VL, vf_act(e, s->act, s->alpha, s->beta));
    }
    for (; c < s->c; c += RNC_VL) {
        const int n = s->c - c < RNC_VL ? s->c - c : RNC_VL;
        vf a = max ? vf_set1(-INFINITY) : vf_zero();
        for (y = 0; y < h; y++)
            for (x = 0; x < w; x++) {
                const float *in = p->in + rnc_at(0, 0, y, s->in_row, x, s->in_pixel) + c;
                const vf v = n == RNC_VL ? vf_loadu(in) : vf_load_part(in, n);
                a = max ? vf_max_nan(a, v) : a + v;
            }
        a = vf_act(max ? a : a * vf_set1(scale), s->act, s->alpha, s->beta);
        if (n == RNC_VL)
            vf_storeu(p->out + c, a);
        else
            vf_store_part(p->out + c, a, n);
    }
}
