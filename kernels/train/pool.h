/* pool.h: what the gradients of pools share. */
#define unpool_window RNC_FN(unpool_window)
#define unpool_find RNC_FN(unpool_find)
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
