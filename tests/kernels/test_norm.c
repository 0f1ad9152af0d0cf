/* test_norm.c: norm_pixels and norm_images. */
#include "harness.h"

#include <math.h>

/* Channels c0 .. c1-1 of pixels y0 .. y1-1 by x0 .. x1-1. */
typedef struct Set {
    int n, y0, y1, x0, x1, c0, c1;
} Set;

/* Kinds of sums: of x, of its magnitude, of (x - mean)^2. */
enum { PLAIN, MAGNITUDE, SQUARE };

static double power_sum(const Grid *in, const Set *k, double mean, int kind)
{
    double sum = 0.0;
    for (int y = k->y0; y < k->y1; y++)
        for (int x = k->x0; x < k->x1; x++)
            for (int i = k->c0; i < k->c1; i++) {
                const double d = (double)grid_pixel(in, k->n, y, x)[i] - mean;
                sum += kind == SQUARE ? d * d : kind == MAGNITUDE ? fabs(d) : d;
            }
    return sum;
}

/* What the set becomes. */
static void expect_set(Expect *e, const rnc_norm_shape *s, const Grid *in, const Grid *out,
                       const float *weights, const Set *k)
{
    const double n = (double)(k->y1 - k->y0) * (k->x1 - k->x0) * (k->c1 - k->c0);
    const double mean = s->length ? 0.0 : power_sum(in, k, 0.0, PLAIN) / n;
    const double squares = power_sum(in, k, mean, SQUARE), epsilon = (double)s->epsilon;
    const double spread = s->length ? fmax(sqrt(squares), epsilon) : sqrt(squares / n + epsilon);
    /* Of sums: relative, where a lane adds up that many floats before they become a double. */
    const int terms = k->y1 - k->y0 > 1 || k->x1 - k->x0 > 1 ? s->h * s->w : s->c;
    const double sums = sum_tolerance(terms < 4096 ? terms : 4096, 1.0);
    const double size = power_sum(in, k, 0.0, MAGNITUDE) / n;
    const size_t all = (size_t)s->c * (s->affine == 2 ? (size_t)s->h * (size_t)s->w : 1);
    for (int y = k->y0; y < k->y1; y++)
        for (int x = k->x0; x < k->x1; x++)
            for (int i = k->c0; i < k->c1; i++) {
                const size_t at =
                    (size_t)i + (s->affine == 2 ? (size_t)((y * s->w + x) * s->c) : 0);
                const double scale = s->affine ? (double)weights[at] : 1.0;
                const double shift = s->affine ? (double)weights[all + at] : 0.0;
                const double d = (double)grid_pixel(in, k->n, y, x)[i];
                double v = (d - mean) / spread * scale + shift;
                double tolerance = sums * fabs((d - mean) / spread * scale) + 0x1p-23 * fabs(v);
                if (!s->length)
                    tolerance += sums * size * fabs(scale) / spread;
                v = ref_act(v, s->act, s->alpha, s->beta, &tolerance);
                expect_at(e, grid_pixel(out, k->n, y, x) + i, v, tolerance + 1e-37);
            }
}

static void test_norm(Case *c, bool pixels)
{
    rnc_norm_shape s = {.images = pick(c, 1, 2), .h = pick(c, 1, 9), .w = pick(c, 1, 9)};
    const rnc_knobs tile = {0};
    const int groups = pick(c, 1, 20);
    s.group = chance(c, 60) ? pick(c, 1, 9) : pick(c, 10, 40);
    s.c = pixels ? (chance(c, 90) ? pick(c, 1, 200) : pick(c, 4000, 9000)) : groups * s.group;
    if (s.c > 300)
        s.h = s.w = pick(c, 1, 3);
    s.group = pixels ? s.c : s.group;
    s.length = chance(c, 25);
    s.affine = pick(c, 0, pixels ? 1 : 2);
    s.epsilon = chance(c, 50) ? 1e-5f : s.length ? 1e-12f : pick_float(c, 0.01f, 1.0f);
    const bool in_place = chance(c, 30);
    const Layout layout = {.align = chance(c, 70) ? pick_align(c) : 1};
    Grid in = grid_make(c, s.images, s.h, s.w, s.c, layout);
    const float low = chance(c, 30) ? pick_float(c, -100.0f, 100.0f) : -3.0f;
    grid_fill(c, &in, low, low + 6.0f);
    Grid out = in_place ? in : grid_make(c, s.images, s.h, s.w, s.c, layout);
    s.in_pixel = in.pixel, s.in_row = in.row, s.in_image = in.image;
    s.out_pixel = out.pixel, s.out_row = out.row, s.out_image = out.image;
    s.act = pick_act(c, &s.alpha, &s.beta);
    describe_norm(c, &s);
    const size_t n = 2 * (size_t)s.c * (s.affine == 2 ? (size_t)s.h * (size_t)s.w : 1);
    float *weights = case_floats(c, n);
    for (size_t i = 0; i < n; i++)
        weights[i] = pick_float(c, -2.0f, 2.0f);

    Expect e = expect_make(c, out.base, out.total);
    for (int image = 0; image < s.images; image++) {
        for (int g = 0; !pixels && g < groups; g++) {
            const Set k = {image, 0, s.h, 0, s.w, g * s.group, (g + 1) * s.group};
            expect_set(&e, &s, &in, &out, weights, &k);
        }
        for (int i = 0; pixels && i < s.h * s.w; i++) {
            const int y = i / s.w, x = i % s.w;
            const Set k = {image, y, y + 1, x, x + 1, 0, s.c};
            expect_set(&e, &s, &in, &out, weights, &k);
        }
    }
    const rnc_operands o = {.in = {in.at}, .out = {out.at}, .weights = s.affine ? weights : NULL};
    run_kernel(c, c->isa->kernels[pixels ? KERNEL_norm_pixels : KERNEL_norm_images], &s, &tile, &o,
               out.base, out.total, !in_place);
    expect_check(c, &e);
}

void test_norm_pixels(Case *c)
{
    test_norm(c, true);
}

void test_norm_images(Case *c)
{
    test_norm(c, false);
}
