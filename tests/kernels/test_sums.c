/* test_sums.c: the error of sums against their length: as long as layers may have them, of equal
 * numbers, whose errors add up, and of random ones.  docs/sums.md has the table. */
#include "harness.h"

#include <math.h>
#include <stdio.h>

enum { WIDE = 8 }; /* pixels, or taps, in a row of a large window */

typedef struct Sums {
    Case c;
    int n; /* the length */
    bool equal;
    float *x, *out, *weights; /* n inputs for each lane at most; a vector; one weight for each x */
} Sums;

static float draw(Sums *s)
{
    return s->equal ? 0.1f : pick_float(&s->c, 0.0f, 1.0f);
}

/* Inputs, as many as there are of each of `channels`; the same for all of them. */
static void draw_inputs(Sums *s, int channels)
{
    s->x = case_memory(&s->c, (size_t)s->n * (size_t)channels * sizeof(float));
    for (int i = 0; i < s->n; i++) {
        const float x = draw(s);
        for (int j = 0; j < channels; j++)
            s->x[(size_t)i * (size_t)channels + (size_t)j] = x;
    }
}

/* A bias of 0 for each of `lanes` outputs, then n weights for each, the same for all. */
static void draw_weights(Sums *s, int lanes)
{
    s->weights = case_memory(&s->c, ((size_t)s->n + 1) * (size_t)lanes * sizeof(float));
    for (int i = 1; i <= s->n; i++) {
        const float w = s->equal ? 1.0f : pick_float(&s->c, 0.0f, 1.0f);
        for (int j = 0; j < lanes; j++)
            s->weights[(size_t)i * (size_t)lanes + (size_t)j] = w;
    }
}

static void run(Sums *s, int kernel, const void *shape, const rnc_knobs *knobs)
{
    const rnc_operands o = {.in = {s->x}, .out = {s->out}, .weights = s->weights};
    s->c.isa->kernels[kernel](shape, knobs, &o, 0, 1);
}

/* The relative error of the first output, a sum of n products of positive numbers each `stride`
 * inputs, or weights, apart. */
static double error_of(const Sums *s, int x_stride, int w_stride)
{
    double sum = 0.0;
    for (size_t i = 0; i < (size_t)s->n; i++)
        sum += (double)s->x[i * (size_t)x_stride] *
               (s->weights ? (double)s->weights[(i + 1) * (size_t)w_stride] : 1.0);
    return fabs((double)s->out[0] - sum) / sum;
}

static double sum_dense(Sums *s)
{
    const int lanes = s->c.isa->lanes;
    const rnc_knobs knobs = {.pixels = 1, .vectors = 1, .streams = 4};
    const rnc_dense_shape d = {.images = 1,
                               .in_c = s->n,
                               .out_c = lanes,
                               .panel = lanes,
                               .in_image = s->n,
                               .out_image = lanes};
    draw_inputs(s, 1);
    draw_weights(s, lanes);
    run(s, KERNEL_dense, &d, &knobs);
    return error_of(s, 1, lanes);
}

/* A window of kernel_h x kernel_w pixels over as many. */
static rnc_conv_shape window(const Sums *s, int kernel_h, int kernel_w, int in_c, int pixel)
{
    const int lanes = s->c.isa->lanes;
    const rnc_conv_shape c = {.images = 1,
                              .out_h = 1,
                              .out_w = 1,
                              .out_c = lanes,
                              .kernel_h = kernel_h,
                              .kernel_w = kernel_w,
                              .stride_h = 1,
                              .stride_w = 1,
                              .dilation_h = 1,
                              .dilation_w = 1,
                              .groups = 1,
                              .in_c = in_c,
                              .panel = lanes,
                              .in_pixel = pixel,
                              .in_row = pixel * kernel_w,
                              .in_image = pixel * kernel_w * kernel_h,
                              .out_pixel = lanes,
                              .out_row = lanes,
                              .out_image = lanes};
    return c;
}

static double sum_conv(Sums *s, int kernel_h, int kernel_w)
{
    const rnc_knobs knobs = {.pixels = 4, .vectors = 1, .unroll = 4};
    const int in_c = s->n / (kernel_h * kernel_w);
    const rnc_conv_shape c = window(s, kernel_h, kernel_w, in_c, in_c);
    draw_inputs(s, 1);
    draw_weights(s, s->c.isa->lanes);
    run(s, KERNEL_conv_direct, &c, &knobs);
    return error_of(s, 1, s->c.isa->lanes);
}

static double sum_pixel(Sums *s)
{
    return sum_conv(s, 1, 1);
}

static double sum_window(Sums *s)
{
    return sum_conv(s, s->n / (WIDE * 4), WIDE);
}

static double sum_depthwise(Sums *s)
{
    const rnc_knobs knobs = {.pixels = 4};
    const int lanes = s->c.isa->lanes;
    rnc_conv_shape c = window(s, s->n / WIDE, WIDE, 1, lanes);
    c.groups = lanes;
    draw_inputs(s, lanes);
    draw_weights(s, lanes);
    run(s, KERNEL_depthwise, &c, &knobs);
    return error_of(s, lanes, lanes);
}

static double sum_avgpool(Sums *s)
{
    const rnc_knobs knobs = {0};
    const int lanes = s->c.isa->lanes, h = s->n / WIDE;
    const rnc_pool_shape p = {.images = 1,
                              .in_h = h,
                              .in_w = WIDE,
                              .out_h = 1,
                              .out_w = 1,
                              .c = lanes,
                              .kernel_h = h,
                              .kernel_w = WIDE,
                              .stride_h = 1,
                              .stride_w = 1,
                              .in_pixel = lanes,
                              .in_row = lanes * WIDE,
                              .in_image = lanes * s->n,
                              .out_pixel = lanes,
                              .out_row = lanes,
                              .out_image = lanes};
    draw_inputs(s, lanes);
    run(s, KERNEL_avgpool, &p, &knobs);
    s->out[0] *= (float)s->n; /* a power of two */
    return error_of(s, lanes, 1);
}

/* The error of the first class's probability. */
static double sum_softmax(Sums *s)
{
    const rnc_knobs knobs = {0};
    const rnc_softmax_shape p = {.images = 1,
                                 .h = 1,
                                 .w = 1,
                                 .c = s->n,
                                 .in_pixel = s->n,
                                 .in_row = s->n,
                                 .in_image = s->n,
                                 .out_pixel = s->n,
                                 .out_row = s->n,
                                 .out_image = s->n};
    double sum = 0.0;
    draw_inputs(s, 1);
    s->x[s->n - 1] = 1.0f;
    s->out = case_memory(&s->c, (size_t)s->n * sizeof(float));
    for (int i = 0; i < s->n; i++)
        sum += exp((double)s->x[i] - (double)s->x[0]);
    run(s, KERNEL_softmax, &p, &knobs);
    return fabs((double)s->out[0] * sum - 1.0);
}

/* What cuts.h and parts.h promise: the most numbers that are added to one float, one after
 * another, for a sum of n. */
static double products(int n)
{
    return n <= RNC_SUM_MOST ? n : RNC_SUM_ROWS + n / RNC_SUM_ROWS + 1;
}

static double pixels(int n)
{
    return n <= RNC_SUM_BLOCK ? n : RNC_SUM_BLOCK;
}

static double classes(int n)
{
    return n <= RNC_SOFTMAX_BLOCK ? n : RNC_SOFTMAX_BLOCK;
}

static const struct {
    const char *name;
    double (*error)(Sums *s);
    double (*added)(int n);
} sums[] = {
    {"dense", sum_dense, products},        {"conv 1x1", sum_pixel, products},
    {"conv, large", sum_window, products}, {"depthwise, large", sum_depthwise, products},
    {"avgpool", sum_avgpool, pixels},      {"softmax", sum_softmax, classes},
};

/* The error of sum i over n numbers, in 2^-24 of the sum. */
static double measure(const TestIsa *isa, int i, int n, bool equal)
{
    Sums s = {.c = {.isa = isa, .state = (uint64_t)n}, .n = n, .equal = equal};
    s.out = case_memory(&s.c, 64 * sizeof(float));
    const double error = sums[i].error(&s) * 0x1p24;
    case_free(&s.c);
    return error;
}

bool test_sums(const TestIsa *isa, int most, bool verbose)
{
    bool good = true;
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
        for (int n = 64; n <= most; n *= 4) {
            const double equal = measure(isa, (int)i, n, true);
            const double random = measure(isa, (int)i, n, false);
            const double added = sums[i].added(n);
            /* Rounding errors of random numbers have random signs. */
            const double limit = added + 8.0, usual = 2.0 * sqrt(added) + 8.0;
            if (verbose)
                printf("sum %-16s %-9s of %-8d equal %8.1f of %6.0f, random %7.1f of %5.0f\n",
                       sums[i].name, isa->name, n, equal, limit, random, usual);
            if (equal <= limit && random <= usual)
                continue;
            printf("kernel_tests: %s %s: a sum of %d is off by %.1f of 2^-24 for equal numbers "
                   "(at most %.0f), %.1f for random ones (%.0f)\n",
                   sums[i].name, isa->name, n, equal, limit, random, usual);
            good = false;
        }
    return good;
}
