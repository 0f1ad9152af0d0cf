/* test_bn.c: batch normalisation in training. */
#include "train_case.h"

#include <math.h>

/* Tensors, statistics and parameters of a random normalisation. */
typedef struct BnCase {
    rnc_bn_shape s;
    Grid in, out, res, grad, to;
    float *mean, *variance, *gamma, *beta, *means;
    bool large; /* many equal numbers, whose roundings add up */
} BnCase;

static Grid draw_grid(Case *c, const rnc_bn_shape *s, int align)
{
    const Layout layout = {.align = align, .tight = chance(c, 40)};
    return grid_make(c, s->images, s->h, s->w, s->c, layout);
}

static void set_distances(BnCase *k)
{
    rnc_bn_shape *s = &k->s;
    s->in_pixel = k->in.pixel, s->in_row = k->in.row, s->in_image = k->in.image;
    s->out_pixel = k->out.pixel, s->out_row = k->out.row, s->out_image = k->out.image;
    s->res_pixel = k->res.pixel, s->res_row = k->res.row, s->res_image = k->res.image;
    s->grad_pixel = k->grad.pixel, s->grad_row = k->grad.row, s->grad_image = k->grad.image;
    s->to_pixel = k->to.pixel, s->to_row = k->to.row, s->to_image = k->to.image;
}

static BnCase draw(Case *c)
{
    BnCase k = {.large = chance(c, 1)};
    rnc_bn_shape *s = &k.s;
    const int align = pick_align(c);
    s->images = k.large ? 4 : chance(c, 60) ? pick(c, 1, 3) : pick(c, 4, 17);
    s->h = k.large ? 64 : pick(c, 1, 5);
    s->w = k.large ? 80 : chance(c, 90) ? pick(c, 1, 6) : pick(c, 7, 150);
    s->c = align * pick(c, 1, k.large ? 1 : 96 / align);
    s->slice = chance(c, 50) ? s->images : pick(c, 1, s->images);
    s->slices = rnc_div_up(s->images, s->slice);
    s->epsilon = chance(c, 50) ? 1e-5f : 1e-3f;
    s->momentum = chance(c, 50) ? 0.1f : 0.01f;
    s->unbiased = pick(c, 0, 1);
    s->residual = pick(c, 0, 1);
    s->act = pick_act(c, &s->alpha, &s->beta);
    s->accumulate = pick(c, 0, 1);
    k.in = draw_grid(c, s, align), k.out = draw_grid(c, s, align);
    k.res = draw_grid(c, s, align), k.grad = draw_grid(c, s, align);
    k.to = draw_grid(c, s, align);
    set_distances(&k);
    k.mean = random_floats(c, (size_t)s->c, -2.0f, 2.0f);
    k.variance = random_floats(c, (size_t)s->c, 0.01f, 4.0f);
    k.gamma = random_floats(c, (size_t)s->c, -2.0f, 2.0f);
    k.beta = random_floats(c, (size_t)s->c, -2.0f, 2.0f);
    k.means = random_floats(c, 2 * (size_t)s->c, -1.0f, 1.0f);
    describe_bn(c, s);
    return k;
}

/* The roundings of a slice's longest sum: a block's pixels, at most 64, and the blocks, which are
 * at least half full. */
static int roundings(const rnc_bn_shape *s)
{
    const int pixels = s->slice * s->h * s->w;
    return (pixels < 64 ? pixels : 64) + rnc_div_up(2 * pixels, 64);
}

/* ---- statistics ---- */

/* Fills the input: large numbers with small deviations, or equal ones. */
static void fill_moments(Case *c, BnCase *k)
{
    const float middle = chance(c, 50) ? 0.0f : pick_float(c, -1000.0f, 1000.0f);
    grid_fill(c, &k->in, middle - 1.0f, middle + 1.0f);
    if (k->large)
        grid_fill(c, &k->in, 0.1f, 0.1f);
}

static void expect_moments(Expect *e, const BnCase *k, int slice, float *at)
{
    const rnc_bn_shape *s = &k->s;
    const int n0 = rnc_slice_begin(s->images, s->slice, slice);
    const int n1 = rnc_slice_begin(s->images, s->slice, slice + 1), all = (n1 - n0) * s->h * s->w;
    for (int i = 0; i < s->c; i++) {
        double sum = 0.0, sum_abs = 0.0, squares = 0.0;
        for (int p = 0; p < all; p++) {
            const double x =
                (double)grid_pixel(&k->in, n0 + p / (s->h * s->w), p / s->w % s->h, p % s->w)[i];
            sum += x, sum_abs += fabs(x);
        }
        for (int p = 0; p < all; p++) {
            const double x =
                (double)grid_pixel(&k->in, n0 + p / (s->h * s->w), p / s->w % s->h, p % s->w)[i] -
                sum / all;
            squares += x * x;
        }
        const int terms = roundings(s);
        const double tolerance =
            (k->large ? terms * 0x1p-24 * sum_abs : sum_tolerance(terms, sum_abs)) / all;
        expect_at(e, at + i, sum / all, tolerance);
        expect_at(e, at + s->c + i, squares,
                  sum_tolerance(terms, squares) +
                      all * tolerance * (tolerance + sqrt(squares / all)));
    }
}

void test_bn_moments(Case *c)
{
    BnCase k = draw(c);
    const rnc_knobs t = {0};
    const size_t n = 2 * (size_t)k.s.c * (size_t)k.s.slices;
    fill_moments(c, &k);
    float *out = case_floats(c, n);
    Expect e = expect_make(c, out, n);
    for (int i = 0; i < k.s.slices; i++)
        expect_moments(&e, &k, i, out + (ptrdiff_t)2 * i * k.s.c);
    const rnc_operands o = {.in = {k.in.at}, .out = {out}};
    run_train(c, c->isa->kernels[KERNEL_bn_moments], &k.s, &t, &o, out, n, true);
    expect_check(c, &e);
}

void test_bn_statistics(Case *c)
{
    BnCase k = draw(c);
    const rnc_bn_shape *s = &k.s;
    const rnc_knobs t = {0};
    const int all = s->images * s->h * s->w, gap = 16, each = s->c + gap;
    float *moments = random_floats(c, 2 * (size_t)(s->c * s->slices), 0.0f, 2.0f);
    float *out = random_floats(c, 4 * (size_t)each, 0.0f, 4.0f); /* mean, variance, the running */
    const bool runs = chance(c, 70);
    Expect e = expect_make(c, out, 4 * (size_t)each);
    for (int i = 0; i < s->c; i++) {
        double mean = 0.0, squares = 0.0;
        for (int j = 0; j < s->slices; j++)
            mean += (double)moments[2 * j * s->c + i] * rnc_bn_pixels(s, j) / all;
        for (int j = 0; j < s->slices; j++) {
            const double d = (double)moments[2 * j * s->c + i] - mean;
            squares += (double)moments[(2 * j + 1) * s->c + i] + d * d * rnc_bn_pixels(s, j);
        }
        const double less = s->unbiased && all > 1 ? all - 1 : all, m = (double)s->momentum;
        const double tolerance = sum_tolerance(16, 4.0),
                     spread = sum_tolerance(16, squares / all + 4.0);
        expect_at(&e, out + i, mean, tolerance);
        expect_at(&e, out + each + i, squares / all, spread);
        for (int j = 2; j < 4 && runs; j++) {
            const double was = (double)out[j * each + i], to = j == 2 ? mean : squares / less;
            expect_at(&e, out + j * each + i, was + m * (to - was),
                      m * 2.0 * (tolerance + spread) + 4 * 0x1p-24 * (fabs(was) + fabs(to)));
        }
    }
    const rnc_operands o = {
        .in = {moments},
        .out = {out, out + each, runs ? out + 2 * each : NULL, runs ? out + 3 * each : NULL}};
    run_train(c, c->isa->kernels[KERNEL_bn_statistics], s, &t, &o, out, 4 * (size_t)each, false);
    expect_check(c, &e);
}

void test_bn_move(Case *c)
{
    BnCase k = draw(c);
    const rnc_bn_shape *s = &k.s;
    const rnc_knobs t = {0};
    const int all = s->images * s->h * s->w, each = s->c + 16;
    const float *now = random_floats(c, 2 * (size_t)each, 0.0f, 2.0f);
    float *out = random_floats(c, 2 * (size_t)each, 0.0f, 4.0f);
    const double more = s->unbiased && all > 1 ? all / (all - 1.0) : 1.0;
    Expect e = expect_make(c, out, 2 * (size_t)each);
    for (int i = 0; i < 2 * s->c; i++) {
        const int at = i / s->c * each + i % s->c;
        const double was = (double)out[at], to = (double)now[at] * (i < s->c ? 1.0 : more);
        expect_at(&e, out + at, was + (double)s->momentum * (to - was),
                  8 * 0x1p-24 * (fabs(was) + fabs(to)));
    }
    const rnc_operands o = {.in = {now, now + each}, .out = {out, out + each}};
    run_train(c, c->isa->kernels[KERNEL_bn_move], s, &t, &o, out, 2 * (size_t)each, false);
    expect_check(c, &e);
}

/* ---- the result ---- */

/* What is before residual and activation, and its tolerance. */
static double normalised(const BnCase *k, double x, int i, double *tolerance)
{
    const double mean = (double)k->mean[i];
    const double over = 1.0 / sqrt((double)k->variance[i] + (double)k->s.epsilon);
    const double v = (x - mean) * over * (double)k->gamma[i];
    *tolerance = 8 * 0x1p-24 * (fabs(v) + fabs((double)k->beta[i]));
    return v + (double)k->beta[i];
}

void test_bn_apply(Case *c)
{
    BnCase k = draw(c);
    const rnc_bn_shape *s = &k.s;
    const rnc_knobs t = {0};
    const int in_place = chance(c, 30) ? 1 : s->residual && chance(c, 30) ? 2 : 0;
    if (in_place)
        k.out = in_place == 1 ? k.in : k.res;
    set_distances(&k);
    grid_fill(c, &k.in, -4.0f, 4.0f);
    grid_fill(c, &k.res, -4.0f, 4.0f);
    Expect e = expect_make(c, k.out.base, k.out.total);
    for (int p = 0; p < s->images * s->h * s->w; p++) {
        const int n = p / (s->h * s->w), y = p / s->w % s->h, x = p % s->w;
        for (int i = 0; i < s->c; i++) {
            double tolerance;
            double v = normalised(&k, (double)grid_pixel(&k.in, n, y, x)[i], i, &tolerance);
            if (s->residual) {
                v += (double)grid_pixel(&k.res, n, y, x)[i];
                tolerance += 0x1p-23 * (fabs(v) + 4.0);
            }
            v = ref_act(v, s->act, s->alpha, s->beta, &tolerance);
            expect_at(&e, grid_pixel(&k.out, n, y, x) + i, v, tolerance);
        }
    }
    const rnc_operands o = {
        .in = {k.in.at, s->residual ? k.res.at : NULL, k.mean, k.variance, k.gamma, k.beta},
        .out = {k.out.at}};
    run_train(c, c->isa->kernels[KERNEL_bn_apply], s, &t, &o, k.out.base, k.out.total, !in_place);
    expect_check(c, &e);
}

/* ---- gradients ---- */

/* Draws *x, an input of channel i, again until it is not near a corner of the activation.  If all
 * of a channel may be at one, for its factor is small, it gets one value that is not. */
static void leave_corners(Case *c, BnCase *k, int i, float *x)
{
    enum { TRIES = 100 };
    const rnc_bn_shape *s = &k->s;
    double ignored;
    for (int n = 0; n < TRIES && fabsf(k->gamma[i]) > 0.01f; n++) {
        if (!near_corner(normalised(k, (double)*x, i, &ignored), s->act, s->alpha, s->beta))
            return;
        *x = pick_float(c, -4.0f, 4.0f);
    }
    k->gamma[i] = 0.0f;
    while (near_corner((double)k->beta[i], s->act, s->alpha, s->beta))
        k->beta[i] = pick_float(c, -4.0f, 4.0f);
}

/* Draws input, output and gradient, no number near a corner of the activation, and which of them
 * the slope comes from. */
static void fill_grads(Case *c, BnCase *k)
{
    rnc_bn_shape *s = &k->s;
    s->from_output = s->act <= RNC_ACT_RELU6 && chance(c, 50);
    s->store = chance(c, 40);
    grid_fill(c, &k->in, -4.0f, 4.0f);
    grid_fill(c, &k->out, -4.0f, 8.0f);
    grid_fill(c, &k->grad, -1.0f, 1.0f);
    if (k->large)
        grid_fill(c, &k->grad, 0.1f, 0.1f);
    for (int p = 0; p < s->images * s->h * s->w; p++) {
        const int n = p / (s->h * s->w), y = p / s->w % s->h, x = p % s->w;
        float *in = grid_pixel(&k->in, n, y, x), *out = grid_pixel(&k->out, n, y, x);
        for (int i = 0; i < s->c; i++) {
            leave_corners(c, k, i, &in[i]);
            if (s->act == RNC_ACT_RELU || s->act == RNC_ACT_RELU6)
                out[i] = fmaxf(out[i], 0.0f);
            if (s->act == RNC_ACT_RELU6)
                out[i] = fminf(out[i], 6.0f);
        }
    }
}

/* The gradient before the activation, at channel i of a pixel, and its tolerance. */
static double masked(const BnCase *k, const int at[3], int i, double *tolerance)
{
    const rnc_bn_shape *s = &k->s;
    const double grad = (double)grid_pixel(&k->grad, at[0], at[1], at[2])[i];
    const double x = (double)grid_pixel(&k->in, at[0], at[1], at[2])[i];
    double z = normalised(k, x, i, tolerance);
    if (s->from_output) {
        z = (double)grid_pixel(&k->out, at[0], at[1], at[2])[i];
        *tolerance = 0.0;
    }
    *tolerance = s->act > RNC_ACT_RELU6
                     ? fabs(grad) * (ref_curvature(s->act) * *tolerance + 8 * 0x1p-23)
                     : 0.0;
    return grad * ref_slope(z, s->act, s->alpha, s->beta);
}

void test_bn_grad_sums(Case *c)
{
    BnCase k = draw(c);
    const rnc_bn_shape *s = &k.s;
    const rnc_knobs t = {0};
    fill_grads(c, &k);
    const size_t sums = 2 * (size_t)(s->c * s->slices), n = sums + k.res.total + 16;
    float *out = case_floats(c, n); /* the sums, then the masked gradient */
    k.res.at = out + (sums + 15) / 16 * 16 + (k.res.at - k.res.base);
    Expect e = expect_make(c, out, n);
    const int terms = roundings(s), pixels = s->h * s->w;
    for (int slice = 0; slice < s->slices; slice++)
        for (int i = 0; i < s->c; i++) {
            double g = 0.0, h = 0.0, g_abs = 0.0, h_abs = 0.0, g_more = 0.0, h_more = 0.0;
            for (int p = rnc_slice_begin(s->images, s->slice, slice) * pixels;
                 p < rnc_slice_begin(s->images, s->slice, slice + 1) * pixels; p++) {
                const int at[3] = {p / pixels, p / s->w % s->h, p % s->w};
                double tolerance, v = masked(&k, at, i, &tolerance);
                const double d =
                    (double)grid_pixel(&k.in, at[0], at[1], at[2])[i] - (double)k.mean[i];
                if (s->store)
                    expect_at(&e, grid_pixel(&k.res, at[0], at[1], at[2]) + i, v, tolerance);
                g += v, g_abs += fabs(v), g_more += tolerance;
                h += v * d, h_abs += fabs(v * d), h_more += tolerance * fabs(d);
            }
            const double most = terms * 0x1p-24;
            expect_at(&e, out + 2 * slice * s->c + i, g,
                      g_more + (k.large ? most * g_abs : sum_tolerance(terms, g_abs)));
            expect_at(&e, out + (2 * slice + 1) * s->c + i, h,
                      h_more + (k.large ? 2 * most * h_abs : sum_tolerance(terms, h_abs)));
        }
    const rnc_operands o = {.in = {k.grad.at, k.in.at, s->from_output ? k.out.at : NULL, k.mean,
                                   k.variance, k.gamma, k.beta},
                            .out = {out, s->store ? k.res.at : NULL}};
    run_train(c, c->isa->kernels[KERNEL_bn_grad_sums], s, &t, &o, out, n, true);
    expect_check(c, &e);
}

void test_bn_grad_join(Case *c)
{
    BnCase k = draw(c);
    k.s.fixed = chance(c, 20);
    const rnc_bn_shape *s = &k.s;
    const rnc_knobs t = {0};
    const int each = s->c + 16, all = s->images * s->h * s->w;
    float *sums = random_floats(c, 2 * (size_t)(s->c * s->slices), -1.0f, 1.0f);
    float *out = random_floats(c, 4 * (size_t)each, -1.0f, 1.0f); /* gamma, beta, means */
    Expect e = expect_make(c, out, 4 * (size_t)each);
    for (int i = 0; i < s->c; i++) {
        const double g = (double)tree_sum(sums + i, 2 * (size_t)s->c, s->slices);
        const double h = (double)tree_sum(sums + s->c + i, 2 * (size_t)s->c, s->slices);
        const double v = (double)k.variance[i] + (double)s->epsilon, over = h / sqrt(v);
        const double more = s->accumulate ? (double)out[i] : 0.0;
        expect_at(&e, out + i, over + more, 0x1p-22 * (fabs(over) + fabs(more)));
        const double plus = s->accumulate ? (double)out[each + i] : 0.0;
        expect_at(&e, out + each + i, g + plus, 0x1p-23 * (fabs(g) + fabs(plus)));
        const double means[2] = {s->fixed ? 0.0 : g / all, s->fixed ? 0.0 : h / v / all};
        expect_at(&e, out + 2 * each + i, means[0], 0x1p-22 * fabs(means[0]));
        expect_at(&e, out + 2 * each + s->c + i, means[1], 0x1p-22 * fabs(means[1]));
    }
    const rnc_operands o = {.in = {sums, k.variance}, .out = {out, out + each, out + 2 * each}};
    run_train(c, c->isa->kernels[KERNEL_bn_grad_join], s, &t, &o, out, 4 * (size_t)each,
              !s->accumulate);
    expect_check(c, &e);
}

void test_bn_grad(Case *c)
{
    BnCase k = draw(c);
    const rnc_bn_shape *s = &k.s;
    const rnc_knobs t = {0};
    fill_grads(c, &k);
    const size_t front = (k.to.total + 15) / 16 * 16, n = front + k.res.total;
    float *out = case_floats(c, n); /* the gradient, then the masked one */
    k.to.at = out + (k.to.at - k.to.base);
    k.res.at = out + front + (k.res.at - k.res.base);
    Expect e = expect_make(c, out, n);
    for (int p = 0; p < s->images * s->h * s->w; p++) {
        const int at[3] = {p / (s->h * s->w), p / s->w % s->h, p % s->w};
        for (int i = 0; i < s->c; i++) {
            double tolerance, g = masked(&k, at, i, &tolerance);
            const double d = (double)grid_pixel(&k.in, at[0], at[1], at[2])[i] - (double)k.mean[i];
            const double scale =
                (double)k.gamma[i] / sqrt((double)k.variance[i] + (double)s->epsilon);
            const double m = (double)k.means[i], q = d * (double)k.means[s->c + i];
            if (s->store)
                expect_at(&e, grid_pixel(&k.res, at[0], at[1], at[2]) + i, g, tolerance);
            tolerance += 8 * 0x1p-24 * (fabs(g) + fabs(m) + fabs(q));
            expect_at(&e, grid_pixel(&k.to, at[0], at[1], at[2]) + i, scale * (g - m - q),
                      fabs(scale) * tolerance);
        }
    }
    const rnc_operands o = {.in = {k.grad.at, k.in.at, s->from_output ? k.out.at : NULL, k.mean,
                                   k.variance, k.gamma, k.beta, k.means},
                            .out = {out + (k.to.at - out), s->store ? k.res.at : NULL}};
    run_train(c, c->isa->kernels[KERNEL_bn_grad], s, &t, &o, out, n, true);
    expect_check(c, &e);
}
