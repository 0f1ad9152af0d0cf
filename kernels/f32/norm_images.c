/* norm_images.c: groups of channels, normalised over all pixels of an image.  Parts share images
 * and blocks of whole groups (rnc_norm_block); no lane after the last channel is written, and the
 * result may overwrite the operand.  A lane sums RNC_SUM_BLOCK pixels in floats, and then adds them
 * to a double. */
#define norm_stats RNC_FN(norm_stats)
#define norm_block_sums RNC_FN(norm_block_sums)
#define norm_spread RNC_FN(norm_spread)

/* The groups of a block that are smaller than a vector, or the one that is not. */
typedef struct norm_stats {
    double total[16];
    float mean[16], factor[16];
} norm_stats;

/* One number for each lane from channel `first` of the block on, by its group. */
RNC_KERNEL vf norm_spread(const rnc_norm_shape *s, const float *by_group, int first, int n)
{
    float lane[RNC_VL] = {0};
    int j;
    for (j = 0; j < n; j++)
        lane[j] = by_group[(first + j) / s->group];
    return vf_loadu(lane);
}

/* The sums over all pixels of each of the block's groups. */
RNC_KERNEL void norm_block_sums(const rnc_norm_shape *s, const float *in, int width, int square,
                                norm_stats *stats)
{
    int c, i, y, x;
    for (i = 0; i < 16; i++)
        stats->total[i] = 0.0;
    for (c = 0; c < width; c += RNC_VL) {
        const int n = width - c < RNC_VL ? width - c : RNC_VL;
        const vf mean = square ? norm_spread(s, stats->mean, c, n) : vf_zero();
        vf sum = vf_zero();
        int k = 0;
        for (y = 0; y < s->h; y++)
            for (x = 0; x < s->w; x++) {
                const float *p = in + rnc_at(0, 0, y, s->in_row, x, s->in_pixel) + c;
                sum = sum + norm_power(p, n, square, mean);
                if (++k == RNC_SUM_BLOCK) {
                    norm_lanes(sum, n, c, s->group, stats->total);
                    sum = vf_zero();
                    k = 0;
                }
            }
        norm_lanes(sum, n, c, s->group, stats->total);
    }
}

RNC_KERNEL void RNC_FN(norm_images)(const rnc_norm_shape *s, const rnc_knobs *t,
                                    const rnc_operands *o, int part, int parts)
{
    const int block = rnc_norm_block(s->group, s->c), blocks = rnc_div_up(s->c, block);
    const int units = s->images * blocks, end = rnc_share(units, part + 1, parts);
    const double all = (double)s->h * (double)s->w * (double)s->group;
    int u, i, y, x, c;
    (void)t;
    for (u = rnc_share(units, part, parts); u < end; u++) {
        const int first = u % blocks * block;
        const int width = s->c - first < block ? s->c - first : block, groups = width / s->group;
        const float *in = (const float *)o->in[0] + rnc_at(u / blocks, s->in_image, 0, 0, 0, 0);
        float *out = (float *)o->out[0] + rnc_at(u / blocks, s->out_image, 0, 0, 0, 0);
        norm_stats stats;
        in += first, out += first;
        for (i = 0; i < 16; i++)
            stats.mean[i] = 0.0f, stats.factor[i] = 0.0f;
        if (!s->length) {
            norm_block_sums(s, in, width, 0, &stats);
            for (i = 0; i < groups; i++)
                stats.mean[i] = (float)(stats.total[i] / all);
        }
        norm_block_sums(s, in, width, 1, &stats);
        for (i = 0; i < groups; i++)
            stats.factor[i] = norm_factor(s, stats.total[i], all);
        for (c = 0; c < width; c += RNC_VL) {
            const int n = width - c < RNC_VL ? width - c : RNC_VL;
            const vf mean = norm_spread(s, stats.mean, c, n);
            const vf factor = norm_spread(s, stats.factor, c, n);
            for (y = 0; y < s->h; y++)
                for (x = 0; x < s->w; x++) {
                    const float *weights = (const float *)o->weights;
                    if (s->affine)
                        weights += first + c + (s->affine == 2 ? (y * s->w + x) * s->c : 0);
                    norm_apply(s, in + rnc_at(0, 0, y, s->in_row, x, s->in_pixel) + c, weights,
                               out + rnc_at(0, 0, y, s->out_row, x, s->out_pixel) + c, n, mean,
                               factor);
                }
        }
    }
}
#undef norm_stats
#undef norm_block_sums
#undef norm_spread
