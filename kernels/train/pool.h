/* pool.h: what the gradients of pools share. */
#define unpool_window RNC_FN(unpool_window)
#define unpool_find RNC_FN(unpool_find)
#define unpool_count RNC_FN(unpool_count)
#define unpool_clear RNC_FN(unpool_clear)
#define unpool_add RNC_FN(unpool_add)

/* The pixels y0 .. y1-1, x0 .. x1-1 of a window that lie in the input. */
typedef struct unpool_window {
    int y0, y1, x0, x1;
} unpool_window;

RNC_KERNEL void unpool_find(const rnc_pool_grad_shape *s, int y, int x, unpool_window *w)
{
    const int top = y * s->stride_h - s->pad_top, left = x * s->stride_w - s->pad_left;
    w->y0 = top < 0 ? 0 : top;
    w->y1 = top + s->kernel_h > s->in_h ? s->in_h : top + s->kernel_h;
    w->x0 = left < 0 ? 0 : left;
    w->x1 = left + s->kernel_w > s->in_w ? s->in_w : left + s->kernel_w;
}

/* What avgpool divided the sum of window (y, x) by; `w` is its part in the input. */
RNC_KERNEL int unpool_count(const rnc_pool_grad_shape *s, int y, int x, const unpool_window *w)
{
    const int below = s->in_h + s->pad_bottom + s->pad_top - y * s->stride_h;
    const int right = s->in_w + s->pad_right + s->pad_left - x * s->stride_w;
    if (s->divisor)
        return s->divisor;
    if (!s->count_padding)
        return (w->y1 - w->y0) * (w->x1 - w->x0);
    return (below < s->kernel_h ? below : s->kernel_h) *
           (right < s->kernel_w ? right : s->kernel_w);
}

/* Sets n lanes of all pixels of an image's gradient to 0. */
RNC_KERNEL void unpool_clear(const rnc_pool_grad_shape *s, float *to, int n)
{
    for (int y = 0; y < s->in_h; y++)
        for (int x = 0; x < s->in_w; x++)
            vf_store_some(to + rnc_at(0, 0, y, s->to_row, x, s->to_pixel), vf_zero(), n);
}

RNC_KERNEL void unpool_add(float *to, vf v, int n)
{
    vf_store_some(to, vf_load_some(to, n) + v, n);
}
