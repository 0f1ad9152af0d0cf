/* over_grad: the gradients of reductions and softmaxes over boxes of numbers (over.h).  Operands:
 * grad, at (the result of a softmax, the operand of a largest number; else NULL) -> out.  Of a
 * reduction the gradient has a pixel for each box, and one channel where a box has all channels:
 *     mean, sum     grad / numbers, grad
 *     largest       grad at the first largest number of the box, row by row; of a NaN, at the first
 *     softmax       at * (grad - sum of grad * at)
 *     log_softmax   grad - exp(at) * sum of grad
 * Parts share boxes and blocks of RNC_OVER_BLOCK channels.  No lane after the last channel is
 * written.  Of a softmax, the result may overwrite the gradient. */
#define overg_box RNC_FN(overg_box)
#define overg_sums RNC_FN(overg_sums)
#define overg_spread RNC_FN(overg_spread)
#define overg_softmax RNC_FN(overg_softmax)
#define overg_largest RNC_FN(overg_largest)

/* A box, and channels first .. last-1 of it. */
typedef struct overg_box {
    const float *grad, *at;
    float *out;
    int first, last;
} overg_box;

/* Adds up a box's n channels from c on: grad, or grad * at for softmax. */
RNC_KERNEL void overg_sums(const rnc_over_grad_shape *s, const overg_box *b, int c, int n,
                           double *total)
{
    vf sum = vf_zero();
    float lane[RNC_VL];
    int k = 0;
    for (int y = 0; y < s->box_h; y++)
        for (int x = 0; x < s->box_w; x++) {
            vf v = vf_load_some(b->grad + rnc_at(0, 0, y, s->grad_row, x, s->grad_pixel) + c, n);
            if (s->kind == RNC_OVER_SOFTMAX)
                v = v * vf_load_some(b->at + rnc_at(0, 0, y, s->at_row, x, s->at_pixel) + c, n);
            sum = sum + v;
            k++;
            if (k % RNC_SUM_BLOCK == 0 || k == s->box_h * s->box_w) {
                vf_storeu(lane, sum);
                for (int j = 0; j < n; j++)
                    total[s->channels ? 0 : j] += (double)lane[j];
                sum = vf_zero();
            }
        }
}

RNC_KERNEL void overg_softmax(const rnc_over_grad_shape *s, const overg_box *b)
{
    double all = 0.0;
    for (int c = b->first; s->channels && c < b->last; c += RNC_VL)
        overg_sums(s, b, c, b->last - c < RNC_VL ? b->last - c : RNC_VL, &all);
    for (int c = b->first; c < b->last; c += RNC_VL) {
        const int n = b->last - c < RNC_VL ? b->last - c : RNC_VL;
        double total[RNC_VL] = {0.0};
        float lane[RNC_VL];
        if (!s->channels)
            overg_sums(s, b, c, n, total);
        for (int j = 0; j < RNC_VL; j++)
            lane[j] = (float)(s->channels ? all : total[j]);
        for (int y = 0; y < s->box_h; y++)
            for (int x = 0; x < s->box_w; x++) {
                const vf g =
                    vf_load_some(b->grad + rnc_at(0, 0, y, s->grad_row, x, s->grad_pixel) + c, n);
                const vf at =
                    vf_load_some(b->at + rnc_at(0, 0, y, s->at_row, x, s->at_pixel) + c, n);
                const vf sum = vf_loadu(lane);
                vf_store_some(b->out + rnc_at(0, 0, y, s->out_row, x, s->out_pixel) + c,
                              s->kind == RNC_OVER_SOFTMAX ? at * (g - sum) : g - vf_exp(at) * sum,
                              n);
            }
    }
}

/* Every number of the box gets its share. */
RNC_KERNEL void overg_spread(const rnc_over_grad_shape *s, const overg_box *b)
{
    const float count = (float)s->box_h * (float)s->box_w * (float)(s->channels ? s->c : 1);
    const vf over = vf_set1(s->kind == RNC_OVER_MEAN ? count : 1.0f);
    for (int c = b->first; c < b->last; c += RNC_VL) {
        const int n = b->last - c < RNC_VL ? b->last - c : RNC_VL;
        const vf v = (s->channels ? vf_set1(*b->grad) : vf_load_some(b->grad + c, n)) / over;
        for (int y = 0; y < s->box_h; y++)
            for (int x = 0; x < s->box_w; x++)
                vf_store_some(b->out + rnc_at(0, 0, y, s->out_row, x, s->out_pixel) + c, v, n);
    }
}

/* The first largest of channels c .. end-1 gets the gradient, the others 0. */
RNC_KERNEL void overg_largest(const rnc_over_grad_shape *s, const overg_box *b, int c, int end)
{
    float most = b->at[c];
    float *to = b->out + c;
    int none = 0;
    for (int y = 0; y < s->box_h; y++)
        for (int x = 0; x < s->box_w; x++)
            for (int i = c; i < end; i++) {
                const float v = b->at[rnc_at(0, 0, y, s->at_row, x, s->at_pixel) + i];
                float *out = b->out + rnc_at(0, 0, y, s->out_row, x, s->out_pixel) + i;
                *out = 0.0f;
                none = none || v != v;
                if (v > most)
                    most = v, to = out;
            }
    if (none)
        to = b->out + c;
    *to = b->grad[s->channels ? 0 : c];
}

RNC_KERNEL void RNC_FN(over_grad)(const rnc_over_grad_shape *s, const rnc_knobs *t,
                                  const rnc_operands *o, int part, int parts)
{
    const int block = s->channels ? s->c : RNC_OVER_BLOCK, blocks = rnc_div_up(s->c, block);
    const int units = s->images * s->h * s->w * blocks, end = rnc_share(units, part + 1, parts);
    const int soft = s->kind == RNC_OVER_SOFTMAX || s->kind == RNC_OVER_LOG_SOFTMAX;
    (void)t;
    for (int u = rnc_share(units, part, parts); u < end; u++) {
        const int pixel = u / blocks, n = pixel / (s->h * s->w);
        const int y = pixel / s->w % s->h, x = pixel % s->w;
        overg_box b;
        b.first = u % blocks * block;
        b.last = s->c - b.first < block ? s->c : b.first + block;
        b.grad =
            (const float *)o->in[0] + rnc_at(n, s->grad_image, y * (soft ? s->box_h : 1),
                                             s->grad_row, x * (soft ? s->box_w : 1), s->grad_pixel);
        b.at = (const float *)o->in[1];
        if (b.at)
            b.at += rnc_at(n, s->at_image, y * s->box_h, s->at_row, x * s->box_w, s->at_pixel);
        b.out = (float *)o->out[0] +
                rnc_at(n, s->out_image, y * s->box_h, s->out_row, x * s->box_w, s->out_pixel);
        if (soft)
            overg_softmax(s, &b);
        else if (s->kind != RNC_OVER_MAX)
            overg_spread(s, &b);
        else if (s->channels)
            overg_largest(s, &b, 0, s->c);
        else
            for (int c = b.first; c < b.last; c++)
                overg_largest(s, &b, c, c + 1);
    }
}
#undef overg_box
#undef overg_sums
#undef overg_spread
#undef overg_softmax
#undef overg_largest
