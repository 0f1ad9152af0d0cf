/* norm_grad: the gradient of what norm_pixels and norm_images normalise.  Operands: grad, in, gamma
 * (or NULL) -> to, each (or NULL).  With z = (x - mean) * factor of a set of n numbers and
 * g = grad * gamma,
 *     to = (g - mean of g - z * mean of g z) * factor
 * or, with s->length, (g - z * sum of g z) * factor, of which the last term is missing where the
 * length is the least one.  each = grad * z, whose sums are the gradient of gamma.
 * The result may overwrite the gradient.  Parts share sets: pixels, or images and blocks of whole
 * groups (rnc_norm_block).  A lane sums RNC_SUM_BLOCK pixels in floats, and then adds them to a
 * double; no lane after the last channel is written. */
#define normg_unit RNC_FN(normg_unit)
#define normg_spread RNC_FN(normg_spread)
#define normg_gamma RNC_FN(normg_gamma)
#define normg_sums RNC_FN(normg_sums)
#define normg_moments RNC_FN(normg_moments)
#define normg_write RNC_FN(normg_write)

/* The sets of a unit: a block of groups over h x w pixels.  Of each group: mean, factor, and the
 * two numbers that are subtracted. */
typedef struct normg_unit {
    const float *grad, *in, *gamma;
    float *to, *each;
    int width, group, h, w;
    double total[16];
    float mean[16], factor[16], less[16], slope[16];
} normg_unit;

/* One number for each lane from channel `first` of the block on, by its group. */
RNC_KERNEL vf normg_spread(const normg_unit *u, const float *by_group, int first, int n)
{
    float lane[RNC_VL];
    for (int j = 0; j < RNC_VL; j++)
        lane[j] = j < n ? by_group[(first + j) / u->group] : 0.0f;
    return vf_loadu(lane);
}

/* gamma of pixel (y, x), from channel c of the block on. */
RNC_KERNEL vf normg_gamma(const rnc_norm_grad_shape *s, const normg_unit *u, int y, int x, int c,
                          int n)
{
    const int pixel = s->affine == 2 ? (y * s->w + x) * s->c : 0;
    return s->affine ? vf_load_some(u->gamma + pixel + c, n) : vf_set1(1.0f);
}

/* Adds up by group: x (what = 0), (x - mean)^2 (1), g (2) or g z (3). */
RNC_KERNEL void normg_sums(const rnc_norm_grad_shape *s, normg_unit *u, int what)
{
    for (int i = 0; i < 16; i++)
        u->total[i] = 0.0;
    for (int c = 0; c < u->width; c += RNC_VL) {
        const int n = u->width - c < RNC_VL ? u->width - c : RNC_VL;
        const vf mean = normg_spread(u, u->mean, c, n), factor = normg_spread(u, u->factor, c, n);
        vf sum = vf_zero();
        int k = 0;
        for (int y = 0; y < u->h; y++)
            for (int x = 0; x < u->w; x++) {
                const vf in =
                    vf_load_some(u->in + rnc_at(0, 0, y, s->in_row, x, s->in_pixel) + c, n);
                vf v = what == 0 ? in : in - mean;
                if (what == 1)
                    v = v * v;
                if (what >= 2) {
                    const vf g = vf_load_some(
                        u->grad + rnc_at(0, 0, y, s->grad_row, x, s->grad_pixel) + c, n);
                    const vf scaled = g * normg_gamma(s, u, y, x, c, n);
                    v = what == 2 ? scaled : scaled * (v * factor);
                }
                sum = sum + v;
                if (++k == RNC_SUM_BLOCK) {
                    norm_lanes(sum, n, c, u->group, u->total);
                    sum = vf_zero();
                    k = 0;
                }
            }
        norm_lanes(sum, n, c, u->group, u->total);
    }
}

/* Means, factors and what is subtracted, of all groups. */
RNC_KERNEL void normg_moments(const rnc_norm_grad_shape *s, normg_unit *u)
{
    const double all = (double)u->h * (double)u->w * (double)u->group;
    const double least = (double)s->epsilon * (double)s->epsilon;
    const int groups = u->width / u->group;
    rnc_norm_shape how;
    int flat[16];
    memset(&how, 0, sizeof how);
    how.length = s->length, how.epsilon = s->epsilon;
    for (int i = 0; i < 16; i++)
        u->mean[i] = u->factor[i] = u->less[i] = u->slope[i] = 0.0f, flat[i] = 0;
    if (!s->length) {
        normg_sums(s, u, 0);
        for (int i = 0; i < groups; i++)
            u->mean[i] = (float)(u->total[i] / all);
    }
    normg_sums(s, u, 1);
    for (int i = 0; i < groups; i++) {
        u->factor[i] = norm_factor(&how, u->total[i], all);
        flat[i] = s->length && u->total[i] <= least;
    }
    if (!s->length) {
        normg_sums(s, u, 2);
        for (int i = 0; i < groups; i++)
            u->less[i] = (float)(u->total[i] / all);
    }
    normg_sums(s, u, 3);
    for (int i = 0; i < groups; i++)
        u->slope[i] = flat[i] ? 0.0f : (float)(s->length ? u->total[i] : u->total[i] / all);
}

RNC_KERNEL void normg_write(const rnc_norm_grad_shape *s, const normg_unit *u)
{
    for (int c = 0; c < u->width; c += RNC_VL) {
        const int n = u->width - c < RNC_VL ? u->width - c : RNC_VL;
        const vf mean = normg_spread(u, u->mean, c, n), factor = normg_spread(u, u->factor, c, n);
        const vf less = normg_spread(u, u->less, c, n), slope = normg_spread(u, u->slope, c, n);
        for (int y = 0; y < u->h; y++)
            for (int x = 0; x < u->w; x++) {
                const vf g =
                    vf_load_some(u->grad + rnc_at(0, 0, y, s->grad_row, x, s->grad_pixel) + c, n);
                const vf in =
                    vf_load_some(u->in + rnc_at(0, 0, y, s->in_row, x, s->in_pixel) + c, n);
                const vf z = (in - mean) * factor;
                const vf scaled = g * normg_gamma(s, u, y, x, c, n);
                if (u->each)
                    vf_store_some(u->each + rnc_at(0, 0, y, s->each_row, x, s->each_pixel) + c,
                                  g * z, n);
                vf_store_some(u->to + rnc_at(0, 0, y, s->to_row, x, s->to_pixel) + c,
                              (scaled - less - z * slope) * factor, n);
            }
    }
}

RNC_KERNEL void RNC_FN(norm_grad)(const rnc_norm_grad_shape *s, const rnc_knobs *t,
                                  const rnc_operands *o, int part, int parts)
{
    const int block = s->pixels ? s->c : rnc_norm_block(s->group, s->c);
    const int blocks = rnc_div_up(s->c, block), sets = s->pixels ? s->h * s->w : 1;
    const int units = s->images * sets * blocks, end = rnc_share(units, part + 1, parts);
    (void)t;
    for (int i = rnc_share(units, part, parts); i < end; i++) {
        const int first = i % blocks * block, at = i / blocks % sets, n = i / blocks / sets;
        const int y = at / s->w, x = at % s->w;
        normg_unit u;
        u.width = s->c - first < block ? s->c - first : block;
        u.group = s->pixels ? s->c : s->group;
        u.h = s->pixels ? 1 : s->h, u.w = s->pixels ? 1 : s->w;
        u.grad = (const float *)o->in[0] +
                 rnc_at(n, s->grad_image, y, s->grad_row, x, s->grad_pixel) + first;
        u.in =
            (const float *)o->in[1] + rnc_at(n, s->in_image, y, s->in_row, x, s->in_pixel) + first;
        u.gamma = s->affine ? (const float *)o->in[2] + first : NULL;
        u.to = (float *)o->out[0] + rnc_at(n, s->to_image, y, s->to_row, x, s->to_pixel) + first;
        u.each = o->out[1] ? (float *)o->out[1] + first +
                                 rnc_at(n, s->each_image, y, s->each_row, x, s->each_pixel)
                           : NULL;
        normg_moments(s, &u);
        normg_write(s, &u);
    }
}
#undef normg_unit
#undef normg_spread
#undef normg_gamma
#undef normg_sums
#undef normg_moments
#undef normg_write
