/* test_over.c: reduce_over and softmax_over. */
#include "harness.h"

#include <math.h>

/* A box: rows y0 .. y1-1, pixels x0 .. x1-1, channels c0 .. c1-1 of image n. */
typedef struct Box {
    int n, y0, y1, x0, x1, c0, c1;
} Box;

static Box box_of(const rnc_over_shape *s, int n, int y, int x, int c)
{
    return (Box){n,
                 y * s->box_h,
                 (y + 1) * s->box_h,
                 x * s->box_w,
                 (x + 1) * s->box_w,
                 s->channels ? 0 : c,
                 s->channels ? s->c : c + 1};
}

static double largest(const Grid *in, const Box *b)
{
    double most = -HUGE_VAL;
    for (int y = b->y0; y < b->y1; y++)
        for (int x = b->x0; x < b->x1; x++)
            for (int i = b->c0; i < b->c1; i++)
                most = fmax(most, (double)grid_pixel(in, b->n, y, x)[i]);
    return most;
}

/* The sum of x, of |x| or, with `most`, of exp(x - most). */
static double sum_of(const Grid *in, const Box *b, const double *most, bool magnitude)
{
    double sum = 0.0;
    for (int y = b->y0; y < b->y1; y++)
        for (int x = b->x0; x < b->x1; x++)
            for (int i = b->c0; i < b->c1; i++) {
                const double v = (double)grid_pixel(in, b->n, y, x)[i];
                sum += most ? exp(v - *most) : magnitude ? fabs(v) : v;
            }
    return sum;
}

/* A shape whose boxes go over random axes. */
static rnc_over_shape random_shape(Case *c)
{
    rnc_over_shape s = {.images = pick(c, 1, 2)};
    const int h = pick(c, 1, 8), w = pick(c, 1, 8);
    const bool down = chance(c, 50), across = chance(c, 50);
    s.c = chance(c, 80) ? pick(c, 1, 80) : pick(c, 81, 300);
    s.channels = (!down && !across) || chance(c, 40);
    s.h = down ? 1 : h, s.box_h = down ? h : 1;
    s.w = across ? 1 : w, s.box_w = across ? w : 1;
    return s;
}

void test_reduce_over(Case *c)
{
    rnc_over_shape s = random_shape(c);
    const rnc_knobs tile = {0};
    const Layout layout = {.align = chance(c, 70) ? pick_align(c) : 1};
    if (chance(c, 5) && s.box_h > 1)
        s.box_h = 700; /* more numbers than a float sums */
    Grid in = grid_make(c, s.images, s.h * s.box_h, s.w * s.box_w, s.c, layout);
    Grid out = grid_make(c, s.images, s.h, s.w, s.channels ? 1 : s.c, layout);
    grid_fill(c, &in, -3.0f, 3.0f);
    s.kind = pick(c, RNC_OVER_MEAN, RNC_OVER_SUM);
    s.in_pixel = in.pixel, s.in_row = in.row, s.in_image = in.image;
    s.out_pixel = out.pixel, s.out_row = out.row, s.out_image = out.image;
    s.act = pick_act(c, &s.alpha, &s.beta);
    describe_over(c, &s);

    Expect e = expect_make(c, out.base, out.total);
    for (int n = 0; n < s.images; n++)
        for (int y = 0; y < s.h; y++)
            for (int x = 0; x < s.w; x++)
                for (int i = 0; i < (s.channels ? 1 : s.c); i++) {
                    const Box b = box_of(&s, n, y, x, i);
                    const double size = (double)s.box_h * s.box_w * (s.channels ? s.c : 1);
                    const double part = s.kind == RNC_OVER_MEAN ? 1.0 / size : 1.0;
                    double v = s.kind == RNC_OVER_MAX ? largest(&in, &b)
                                                      : sum_of(&in, &b, NULL, false) * part;
                    double tolerance = 0.0;
                    if (s.kind != RNC_OVER_MAX)
                        tolerance = sum_tolerance(256, sum_of(&in, &b, NULL, true) * part);
                    v = ref_act(v, s.act, s.alpha, s.beta, &tolerance);
                    expect_at(&e, grid_pixel(&out, n, y, x) + i, v, tolerance * 1.001);
                }
    const rnc_operands o = {.in = {in.at}, .out = {out.at}};
    run_kernel(c, c->isa->kernels[KERNEL_reduce_over], &s, &tile, &o, out.base, out.total, true);
    expect_check(c, &e);
}

/* What the elements of a box become. */
static void expect_softmax(Expect *e, const rnc_over_shape *s, const Grid *in, const Grid *out,
                           const Box *b)
{
    const double most = largest(in, b), sum = sum_of(in, b, &most, false);
    const bool log_of = s->kind == RNC_OVER_LOG_SOFTMAX;
    for (int y = b->y0; y < b->y1; y++)
        for (int x = b->x0; x < b->x1; x++)
            for (int i = b->c0; i < b->c1; i++) {
                const double d = (double)grid_pixel(in, b->n, y, x)[i] - most;
                const double v = log_of ? d - log(sum) : exp(d) / sum;
                expect_at(e, grid_pixel(out, b->n, y, x) + i, v,
                          log_of ? 4.0 * 0x1p-24 * (fabs(d) + fabs(v) + 1.0)
                                 : (8.0 + fabs(d)) * 0x1p-24 * v + 1e-37);
            }
}

void test_softmax_over(Case *c)
{
    rnc_over_shape s = random_shape(c);
    const rnc_knobs tile = {0};
    const Layout layout = {.align = chance(c, 70) ? pick_align(c) : 1};
    const bool in_place = chance(c, 30);
    const int h = s.h * s.box_h, w = s.w * s.box_w;
    Grid in = grid_make(c, s.images, h, w, s.c, layout);
    const float range = chance(c, 20) ? 200.0f : 8.0f;
    grid_fill(c, &in, -range, range);
    Grid out = in_place ? in : grid_make(c, s.images, h, w, s.c, layout);
    s.kind = pick(c, RNC_OVER_SOFTMAX, RNC_OVER_LOG_SOFTMAX);
    s.in_pixel = in.pixel, s.in_row = in.row, s.in_image = in.image;
    s.out_pixel = out.pixel, s.out_row = out.row, s.out_image = out.image;
    describe_over(c, &s);

    Expect e = expect_make(c, out.base, out.total);
    for (int n = 0; n < s.images; n++)
        for (int y = 0; y < s.h; y++)
            for (int x = 0; x < s.w; x++)
                for (int i = 0; i < (s.channels ? 1 : s.c); i++) {
                    const Box b = box_of(&s, n, y, x, i);
                    expect_softmax(&e, &s, &in, &out, &b);
                }
    const rnc_operands o = {.in = {in.at}, .out = {out.at}};
    run_kernel(c, c->isa->kernels[KERNEL_softmax_over], &s, &tile, &o, out.base, out.total,
               !in_place);
    expect_check(c, &e);
}
