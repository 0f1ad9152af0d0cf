/* softmax_over.c: exp(x - max) / sum of exp(x - max), or its logarithm, over boxes of numbers
 * (over.h).  Parts share boxes and blocks of RNC_OVER_BLOCK channels.  The result may overwrite the
 * operand; no lane after the last channel is written.  Sums are in double. */
#define softmax_box RNC_FN(softmax_box)
#define softmax_sums RNC_FN(softmax_sums)

/* Adds the exponentials of n channels of a box to total[], or to total[0]. */
RNC_KERNEL void softmax_sums(const rnc_over_shape *s, const float *in, int n, vf most,
                             double *total)
{
    float lane[RNC_VL];
    int y, x, j;
    for (y = 0; y < s->box_h; y++)
        for (x = 0; x < s->box_w; x++) {
            const vf v = over_load(in + rnc_at(0, 0, y, s->in_row, x, s->in_pixel), n);
            vf_storeu(lane, vf_exp(v - most));
            for (j = 0; j < n; j++)
                total[s->channels ? 0 : j] += (double)lane[j];
        }
}

/* Writes n channels of a box: exp(x - most) * use, or x - most - use. */
RNC_KERNEL void softmax_box(const rnc_over_shape *s, const float *in, float *out, int n, vf most,
                            vf use)
{
    int y, x;
    for (y = 0; y < s->box_h; y++)
        for (x = 0; x < s->box_w; x++) {
            float *to = out + rnc_at(0, 0, y, s->out_row, x, s->out_pixel);
            vf v = over_load(in + rnc_at(0, 0, y, s->in_row, x, s->in_pixel), n) - most;
            v = s->kind == RNC_OVER_LOG_SOFTMAX ? v - use : vf_exp(v) * use;
            if (n == RNC_VL)
                vf_storeu(to, v);
            else
                vf_store_part(to, v, n);
        }
}

RNC_KERNEL void RNC_FN(softmax_over)(const rnc_over_shape *s, const rnc_knobs *t,
                                     const rnc_operands *o, int part, int parts)
{
    const int block = s->channels ? s->c : RNC_OVER_BLOCK, blocks = rnc_div_up(s->c, block);
    const int units = s->images * s->h * s->w * blocks, end = rnc_share(units, part + 1, parts);
    const int log = s->kind == RNC_OVER_LOG_SOFTMAX;
    int u, c, j, width;
    (void)t;
    for (u = rnc_share(units, part, parts); u < end; u++) {
        const int pixel = u / blocks, first = u % blocks * block;
        const int last = s->c - first < block ? s->c : first + block;
        const int n = pixel / (s->h * s->w), y = pixel / s->w % s->h, x = pixel % s->w;
        const float *in = over_at(s, o->in[0], n, y, x);
        float *out = (float *)o->out[0] +
                     rnc_at(n, s->out_image, y * s->box_h, s->out_row, x * s->box_w, s->out_pixel);
        vf most = vf_zero(), use = vf_zero();
        if (s->channels) {
            double total = 0.0;
            for (c = 0; c < last; c += RNC_VL) {
                const vf v = over_max(s, in + c, last - c < RNC_VL ? last - c : RNC_VL);
                most = c == 0 ? v : vf_max_nan(most, v);
            }
            most = vf_set1(over_all(most));
            for (c = 0; c < last; c += RNC_VL)
                softmax_sums(s, in + c, last - c < RNC_VL ? last - c : RNC_VL, most, &total);
            use = vf_set1((float)(log ? over_log(total) : 1.0 / total));
        }
        for (c = first; c < last; c += RNC_VL) {
            width = last - c < RNC_VL ? last - c : RNC_VL;
            if (!s->channels) {
                double total[RNC_VL] = {0.0};
                float lane[RNC_VL] = {0.0f};
                most = over_max(s, in + c, width);
                softmax_sums(s, in + c, width, most, total);
                for (j = 0; j < width; j++)
                    lane[j] = (float)(log ? over_log(total[j]) : 1.0 / total[j]);
                use = vf_loadu(lane);
            }
            softmax_box(s, in + c, out + c, width, most, use);
        }
    }
}
#undef softmax_box
#undef softmax_sums
