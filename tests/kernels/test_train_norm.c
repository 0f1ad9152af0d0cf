/* test_train_norm.c: norm_grad, over_grad and sample_grad: the gradients of normalisations by
 * statistics of the tensor itself, of reductions and softmaxes, and of pixels that move. */
#include "train_case.h"

#include <math.h>

static double at_of(const Grid *g, int n, int y, int x, int c)
{
    return (double)grid_pixel(g, n, y, x)[c];
}

/* ---- normalisations ---- */

typedef struct Norm {
    const rnc_norm_grad_shape *s;
    const Grid *grad, *in;
    const float *gamma;
    /* a set: pixels of an image, channels */
    int n, y0, y1, x0, x1, c0, c1;
    double all, mean, factor, size; /* size: mean of |x| */
    double g, gz, abs_g, abs_gz;    /* sums, and sums of magnitudes */
} Norm;

static double gamma_at(const Norm *k, int y, int x, int c)
{
    const rnc_norm_grad_shape *s = k->s;
    if (!s->affine)
        return 1.0;
    return (double)k->gamma[(s->affine == 2 ? (y * s->w + x) * s->c : 0) + c];
}

/* Calls for each element of a set: what = 0 sums x, 1 squares, 2 the gradient's sums. */
static void add_up(Norm *k, int what, double *sum)
{
    for (int y = k->y0; y < k->y1; y++)
        for (int x = k->x0; x < k->x1; x++)
            for (int c = k->c0; c < k->c1; c++) {
                const double v = at_of(k->in, k->n, y, x, c), d = v - k->mean;
                const double g = at_of(k->grad, k->n, y, x, c) * gamma_at(k, y, x, c);
                if (what == 0)
                    *sum += v, k->size += fabs(v);
                if (what == 1)
                    *sum += d * d;
                if (what < 2)
                    continue;
                k->g += g, k->abs_g += fabs(g);
                k->gz += g * d * k->factor, k->abs_gz += fabs(g * d * k->factor);
            }
}

static void expect_norm(Norm *k, Expect *e, const Grid *to, Expect *of_each, const Grid *each)
{
    const rnc_norm_grad_shape *s = k->s;
    const double epsilon = (double)s->epsilon;
    double sum = 0.0, squares = 0.0;
    k->all = (double)(k->y1 - k->y0) * (k->x1 - k->x0) * (k->c1 - k->c0);
    k->mean = k->size = k->g = k->gz = k->abs_g = k->abs_gz = 0.0;
    add_up(k, 0, &sum);
    k->size /= k->all;
    k->mean = s->length ? 0.0 : sum / k->all;
    add_up(k, 1, &squares);
    k->factor = 1.0 / (s->length ? fmax(sqrt(squares), epsilon) : sqrt(squares / k->all + epsilon));
    add_up(k, 2, NULL);
    const double over = s->length ? 1.0 : k->all;
    const bool flat = s->length && sqrt(squares) <= epsilon;
    const double less = s->length ? 0.0 : k->g / over, slope = flat ? 0.0 : k->gz / over;
    const double sums = sum_tolerance(4096, 1.0), off = k->size * k->factor * sums; /* of z */
    for (int y = k->y0; y < k->y1; y++)
        for (int x = k->x0; x < k->x1; x++)
            for (int c = k->c0; c < k->c1; c++) {
                const double dy = at_of(k->grad, k->n, y, x, c), g = dy * gamma_at(k, y, x, c);
                const double z = (at_of(k->in, k->n, y, x, c) - k->mean) * k->factor;
                const double apart = off + sums * fabs(z);
                const double size = fabs(g) + k->abs_g / over + fabs(z) * k->abs_gz / over;
                expect_at(e, grid_pixel(to, k->n, y, x) + c, (g - less - z * slope) * k->factor,
                          (sums * size + apart * (k->abs_gz + k->abs_g * fabs(z)) / over) *
                                  k->factor +
                              1e-37);
                if (of_each)
                    expect_at(of_each, grid_pixel(each, k->n, y, x) + c, dy * z,
                              fabs(dy) * apart + 1e-37);
            }
}

static void random_norm(Case *c, rnc_norm_grad_shape *s)
{
    const int groups = pick(c, 1, 20);
    *s = (rnc_norm_grad_shape){.images = pick(c, 1, 2), .h = pick(c, 1, 7), .w = pick(c, 1, 7)};
    s->pixels = chance(c, 40);
    s->group = chance(c, 60) ? pick(c, 1, 9) : pick(c, 10, 40);
    s->c = s->pixels ? pick(c, 1, 120) : groups * s->group;
    s->group = s->pixels ? s->c : s->group;
    s->length = chance(c, 25);
    s->affine = pick(c, 0, s->pixels ? 1 : 2);
    s->epsilon = s->length ? (chance(c, 70) ? 1e-12f : 30.0f) : 1e-3f;
}

void test_norm_grad(Case *c)
{
    const rnc_knobs t = {0};
    rnc_norm_grad_shape s;
    random_norm(c, &s);
    const bool in_place = chance(c, 30), with_each = !in_place && chance(c, 50);
    const Layout layout = {.align = chance(c, 70) ? pick_align(c) : 1};
    Grid grad = grid_make(c, s.images, s.h, s.w, s.c, layout);
    Grid in = grid_make(c, s.images, s.h, s.w, s.c, layout);
    Grid to = in_place ? grad : grid_make(c, s.images, s.h, s.w, s.c, layout);
    Grid each = grid_make(c, s.images, s.h, s.w, s.c, layout);
    grid_fill(c, &grad, -1.0f, 1.0f);
    grid_fill(c, &in, -3.0f, 3.0f);
    s.grad_pixel = grad.pixel, s.grad_row = grad.row, s.grad_image = grad.image;
    s.in_pixel = in.pixel, s.in_row = in.row, s.in_image = in.image;
    s.to_pixel = to.pixel, s.to_row = to.row, s.to_image = to.image;
    s.each_pixel = each.pixel, s.each_row = each.row, s.each_image = each.image;
    describe_norm_grad(c, &s);
    const size_t n = (size_t)s.c * (s.affine == 2 ? (size_t)s.h * (size_t)s.w : 1);
    const float *gamma = random_floats(c, n, -2.0f, 2.0f);
    Expect e = expect_make(c, to.base, to.total), of_each = expect_make(c, each.base, each.total);
    for (int i = 0; i < s.images * (s.pixels ? s.h * s.w : s.c / s.group); i++) {
        const int sets = s.pixels ? s.h * s.w : s.c / s.group, at = i % sets;
        Norm k = {.s = &s, .grad = &grad, .in = &in, .gamma = gamma, .n = i / sets};
        k.y0 = s.pixels ? at / s.w : 0, k.y1 = s.pixels ? k.y0 + 1 : s.h;
        k.x0 = s.pixels ? at % s.w : 0, k.x1 = s.pixels ? k.x0 + 1 : s.w;
        k.c0 = s.pixels ? 0 : at * s.group, k.c1 = k.c0 + s.group;
        expect_norm(&k, &e, &to, with_each ? &of_each : NULL, &each);
    }
    const rnc_operands o = {.in = {grad.at, in.at, s.affine ? gamma : NULL},
                            .out = {to.at, with_each ? each.at : NULL}};
    run_train(c, c->isa->kernels[KERNEL_norm_grad], &s, &t, &o, to.base, to.total, !in_place);
    expect_check(c, &e);
    expect_check(c, &of_each);
}

/* ---- reductions and softmaxes ---- */

/* Of the box that an element is in: sums of grad * at (softmax) or grad, and of magnitudes; or
 * whether the element is the first largest. */
typedef struct OverBox {
    double sum, all;
    bool first;
} OverBox;

static OverBox box_of(const rnc_over_grad_shape *s, const Grid *grad, const Grid *at,
                      const int p[4])
{
    OverBox b = {.first = true};
    const int y0 = p[1] / s->box_h * s->box_h, x0 = p[2] / s->box_w * s->box_w;
    const double mine = at_of(at, p[0], p[1], p[2], p[3]);
    bool before = true;
    for (int y = y0; y < y0 + s->box_h; y++)
        for (int x = x0; x < x0 + s->box_w; x++)
            for (int i = s->channels ? 0 : p[3]; i < (s->channels ? s->c : p[3] + 1); i++) {
                const double v = at_of(at, p[0], y, x, i);
                if (y == p[1] && x == p[2] && i == p[3])
                    before = false;
                b.first = b.first && (before ? v < mine : v <= mine);
                if (s->kind < RNC_OVER_SOFTMAX)
                    continue;
                const double g = at_of(grad, p[0], y, x, i);
                b.sum += s->kind == RNC_OVER_SOFTMAX ? g * v : g;
                b.all += fabs(s->kind == RNC_OVER_SOFTMAX ? g * v : g);
            }
    return b;
}

static void expect_over(const rnc_over_grad_shape *s, const Grid *grad, const Grid *at,
                        const Grid *out, Expect *e)
{
    const double count = (double)s->box_h * s->box_w * (s->channels ? s->c : 1);
    for (int i = 0; i < s->images * out->h * out->w * s->c; i++) {
        const int pixel = i / s->c, x = pixel % out->w, y = pixel / out->w % out->h;
        const int p[4] = {pixel / out->w / out->h, y, x, i % s->c};
        const bool soft = s->kind >= RNC_OVER_SOFTMAX;
        const OverBox b = box_of(s, grad, at, p);
        const double v = at_of(at, p[0], y, x, p[3]);
        const double g =
            soft ? at_of(grad, p[0], y, x, p[3])
                 : at_of(grad, p[0], y / s->box_h, x / s->box_w, s->channels ? 0 : p[3]);
        const double factor = s->kind == RNC_OVER_SOFTMAX ? v : exp(v);
        const double want = s->kind == RNC_OVER_SOFTMAX          ? v * (g - b.sum)
                            : s->kind == RNC_OVER_LOG_SOFTMAX    ? g - factor * b.sum
                            : s->kind == RNC_OVER_MEAN           ? g / count
                            : s->kind == RNC_OVER_SUM || b.first ? g
                                                                 : 0.0;
        const double sums = sum_tolerance(600, b.all) + 0x1p-20 * fabs(b.sum);
        expect_at(e, grid_pixel(out, p[0], y, x) + p[3], want,
                  soft ? factor * sums + 0x1p-22 * (fabs(g) * (1.0 + fabs(factor))) + 1e-37
                       : 0x1p-23 * fabs(want));
    }
}

void test_over_grad(Case *c)
{
    const rnc_knobs t = {0};
    rnc_over_grad_shape s = {.images = pick(c, 1, 2), .kind = pick(c, 0, RNC_OVER_LOG_SOFTMAX)};
    const int h = pick(c, 1, 6), w = pick(c, 1, 6);
    const bool down = chance(c, 50), across = chance(c, 50);
    const bool soft = s.kind >= RNC_OVER_SOFTMAX;
    s.c = pick(c, 1, 90);
    s.channels = (!down && !across) || chance(c, 40);
    s.h = down ? 1 : h, s.box_h = down ? h : 1;
    s.w = across ? 1 : w, s.box_w = across ? w : 1;
    const Layout layout = {.align = chance(c, 70) ? pick_align(c) : 1};
    const bool in_place = soft && chance(c, 30);
    Grid grad = soft ? grid_make(c, s.images, h, w, s.c, layout)
                     : grid_make(c, s.images, s.h, s.w, s.channels ? 1 : s.c, layout);
    Grid at = grid_make(c, s.images, h, w, s.c, layout);
    Grid out = in_place ? grad : grid_make(c, s.images, h, w, s.c, layout);
    grid_fill(c, &grad, -1.0f, 1.0f);
    grid_fill(c, &at, s.kind == RNC_OVER_LOG_SOFTMAX ? -9.0f : 0.0f, 1.0f);
    for (int i = 0; i < 3 && s.kind == RNC_OVER_MAX; i++) /* equal ones */
        grid_pixel(&at, 0, pick(c, 0, h - 1), pick(c, 0, w - 1))[pick(c, 0, s.c - 1)] = 1.0f;
    s.grad_pixel = grad.pixel, s.grad_row = grad.row, s.grad_image = grad.image;
    s.at_pixel = at.pixel, s.at_row = at.row, s.at_image = at.image;
    s.out_pixel = out.pixel, s.out_row = out.row, s.out_image = out.image;
    describe_over_grad(c, &s);
    Expect e = expect_make(c, out.base, out.total);
    expect_over(&s, &grad, &at, &out, &e);
    const bool reads = soft || s.kind == RNC_OVER_MAX;
    const rnc_operands o = {.in = {grad.at, reads ? at.at : NULL}, .out = {out.at}};
    run_train(c, c->isa->kernels[KERNEL_over_grad], &s, &t, &o, out.base, out.total, !in_place);
    expect_check(c, &e);
}

/* ---- pixels that move ---- */

/* How much pixel `at` of n counts in pixel o of the output. */
typedef struct Sampled {
    int in, kernel, stride, pad, mode, resize, mul, add, div;
} Sampled;

static double binomial_of(int n, int k)
{
    double v = pow(0.5, n - 1);
    for (int i = 0; i < k; i++)
        v = v * (n - 1 - i) / (i + 1);
    return v;
}

static int source(int i, int n, int mode)
{
    if (i >= 0 && i < n)
        return i;
    if (mode == 0)
        return -1;
    if (mode == 2)
        return i < 0 ? 0 : n - 1;
    if (mode == 3)
        return (i + n) % n;
    return i < 0 ? -i - (mode == 4) : 2 * n - 2 - i + (mode == 4);
}

static double counts(const Sampled *a, int o, int at)
{
    double sum = 0.0;
    if (a->resize) {
        const double place = fmax(0.0, ((double)o * a->mul + a->add) / a->div);
        const int low = (int)fmin(floor(place), a->in - 1), high = (int)fmin(low + 1, a->in - 1);
        const double rest = a->resize == 2 ? place - floor(place) : 0.0;
        return (low == at) * (1.0 - rest) + (high == at) * rest;
    }
    for (int k = 0; k < a->kernel; k++)
        sum += source(o * a->stride - a->pad + k, a->in, a->mode) == at ? binomial_of(a->kernel, k)
                                                                        : 0.0;
    return sum;
}

static Sampled draw_axis(Case *c, int in, int resize, int mode)
{
    Sampled a = {.in = in, .resize = resize, .mode = mode, .stride = 1, .kernel = 1, .div = 1};
    if (resize) {
        a.mul = pick(c, 0, 20), a.add = pick(c, -20, 20), a.div = pick(c, 1, 20);
        return a;
    }
    a.kernel = chance(c, 50) ? 1 : pick(c, 1, 6);
    a.stride = chance(c, 50) ? 1 : pick(c, 1, 3);
    a.pad = pick(c, 0, mode == 1 ? in - 1 : in);
    return a;
}

/* The most pixels of an output whose windows end where the padding does. */
static int extent(Case *c, const Sampled *a)
{
    if (a->resize)
        return pick(c, 1, 12);
    const int most = a->mode == 1 ? a->in - 1 : a->in; /* of padding after the image */
    const int room = a->in + a->pad + most - a->kernel;
    return room < 0 ? 0 : pick(c, 1, room / a->stride + 1);
}

void test_sample_grad(Case *c)
{
    const rnc_knobs t = {0};
    rnc_sample_grad_shape s = {.images = pick(c, 1, 2), .c = pick(c, 1, 50)};
    s.in_h = pick(c, 1, 6), s.in_w = pick(c, 1, 6);
    s.resize = chance(c, 50) ? pick(c, 1, 2) : 0, s.mode = s.resize ? 0 : pick(c, 0, 4);
    Sampled down = draw_axis(c, s.in_h, s.resize, s.mode);
    Sampled across = draw_axis(c, s.in_w, s.resize, s.mode);
    s.out_h = extent(c, &down), s.out_w = extent(c, &across);
    s.kernel_h = down.kernel, s.stride_h = down.stride, s.pad_top = down.pad;
    s.kernel_w = across.kernel, s.stride_w = across.stride, s.pad_left = across.pad;
    s.mul_h = down.mul, s.add_h = down.add, s.div_h = down.div;
    s.mul_w = across.mul, s.add_w = across.add, s.div_w = across.div;
    if (s.out_h == 0 || s.out_w == 0)
        return;
    const Layout layout = {.align = chance(c, 70) ? pick_align(c) : 1};
    Grid grad = grid_make(c, s.images, s.out_h, s.out_w, s.c, layout);
    Grid out = grid_make(c, s.images, s.in_h, s.in_w, s.c, layout);
    grid_fill(c, &grad, -1.0f, 1.0f);
    s.grad_pixel = grad.pixel, s.grad_row = grad.row, s.grad_image = grad.image;
    s.out_pixel = out.pixel, s.out_row = out.row, s.out_image = out.image;
    describe_sample_grad(c, &s);
    Expect e = expect_make(c, out.base, out.total);
    for (int i = 0; i < s.images * s.in_h * s.in_w * s.c; i++) {
        const int pixel = i / s.c, x = pixel % s.in_w, y = pixel / s.in_w % s.in_h;
        const int n = pixel / s.in_w / s.in_h;
        double sum = 0.0, all = 0.0;
        for (int oy = 0; oy < s.out_h; oy++)
            for (int ox = 0; ox < s.out_w; ox++) {
                const double v = at_of(&grad, n, oy, ox, i % s.c) * counts(&down, oy, y) *
                                 counts(&across, ox, x);
                sum += v, all += fabs(v);
            }
        expect_at(&e, grid_pixel(&out, n, y, x) + i % s.c, sum,
                  sum_tolerance(s.out_h * s.out_w + 16, all));
    }
    const rnc_operands o = {.in = {grad.at}, .out = {out.at}};
    run_train(c, c->isa->kernels[KERNEL_sample_grad], &s, &t, &o, out.base, out.total, true);
    expect_check(c, &e);
}
