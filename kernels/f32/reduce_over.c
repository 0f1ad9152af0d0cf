/* reduce_over.c: the mean, sum or largest of boxes of numbers (over.h).  Parts share result pixels
 * and blocks of RNC_OVER_BLOCK channels.  A lane sums RNC_SUM_BLOCK numbers in floats, and then
 * adds them to a double. */
#define reduce_sums RNC_FN(reduce_sums)
#define reduce_finish RNC_FN(reduce_finish)

/* Adds the sum over a box of each of n channels to total[], or to total[0]. */
RNC_KERNEL void reduce_sums(const rnc_over_shape *s, const float *in, int n, double *total)
{
    vf sum = vf_zero();
    float lane[RNC_VL];
    int y, x, j, k = 0;
    for (y = 0; y < s->box_h; y++)
        for (x = 0; x < s->box_w; x++) {
            sum = sum + over_load(in + rnc_at(0, 0, y, s->in_row, x, s->in_pixel), n);
            k++;
            if (k % RNC_SUM_BLOCK == 0 || k == s->box_h * s->box_w) {
                vf_storeu(lane, sum);
                for (j = 0; j < n; j++)
                    total[s->channels ? 0 : j] += (double)lane[j];
                sum = vf_zero();
            }
        }
}

RNC_KERNEL vf reduce_finish(const rnc_over_shape *s, vf v)
{
    return vf_act(v, s->act, s->alpha, s->beta);
}

RNC_KERNEL void RNC_FN(reduce_over)(const rnc_over_shape *s, const rnc_knobs *t,
                                    const rnc_operands *o, int part, int parts)
{
    const int block = s->channels ? s->c : RNC_OVER_BLOCK, blocks = rnc_div_up(s->c, block);
    const int units = s->images * s->h * s->w * blocks, end = rnc_share(units, part + 1, parts);
    const double count = (double)s->box_h * (double)s->box_w * (double)(s->channels ? s->c : 1);
    const double scale = s->kind == RNC_OVER_MEAN ? 1.0 / count : 1.0;
    int u, c, j;
    (void)t;
    for (u = rnc_share(units, part, parts); u < end; u++) {
        const int pixel = u / blocks, first = u % blocks * block;
        const int last = s->c - first < block ? s->c : first + block;
        const int n = pixel / (s->h * s->w), y = pixel / s->w % s->h, x = pixel % s->w;
        const float *in = over_at(s, o->in[0], n, y, x);
        float *out = (float *)o->out[0] + rnc_at(n, s->out_image, y, s->out_row, x, s->out_pixel);
        double all = 0.0;
        vf most = vf_zero();
        for (c = first; c < last; c += RNC_VL) {
            const int width = last - c < RNC_VL ? last - c : RNC_VL;
            double total[RNC_VL] = {0.0};
            float lane[RNC_VL];
            vf v;
            if (s->kind == RNC_OVER_MAX) {
                v = over_max(s, in + c, width);
                most = c == first ? v : vf_max_nan(most, v);
            } else {
                reduce_sums(s, in + c, width, total);
                all += total[0];
                for (j = 0; j < RNC_VL; j++)
                    lane[j] = (float)(total[j] * scale);
                v = vf_loadu(lane);
            }
            if (!s->channels && width == RNC_VL)
                vf_storeu(out + c, reduce_finish(s, v));
            else if (!s->channels)
                vf_store_part(out + c, reduce_finish(s, v), width);
        }
        if (s->channels) {
            const float one = s->kind == RNC_OVER_MAX ? over_all(most) : (float)(all * scale);
            vf_store_part(out, reduce_finish(s, vf_set1(one)), 1);
        }
    }
}
#undef reduce_sums
#undef reduce_finish
