/* test_port.c: input and output, between the caller's buffers and tensors. */
#include "harness.h"

#include <math.h>

/* Where the caller has an element. */
static size_t port_index(bool nhwc, int h, int w, int c, int n, int y, int x, int i)
{
    const int at = nhwc ? ((n * h + y) * w + x) * c + i : ((n * c + i) * h + y) * w + x;
    return (size_t)at;
}

void test_input(Case *c)
{
    rnc_input_shape s = {.images = pick(c, 1, 2), .h = pick(c, 1, 9), .w = pick(c, 1, 40)};
    const rnc_knobs tile = {0};
    s.c = chance(c, 60) ? 3 : pick(c, 1, 40);
    s.u8 = pick(c, 0, 1), s.nhwc = pick(c, 0, 1), s.affine = pick(c, 0, 1);
    const Layout layout = {.align = chance(c, 50) ? 1 : pick_align(c), .tight = chance(c, 40)};
    Grid out = grid_make(c, s.images, s.h, s.w, s.c, layout);
    s.out_c = out.lanes;
    s.out_pixel = out.pixel, s.out_row = out.row, s.out_image = out.image;
    describe_input(c, &s);
    const int elements = s.images * s.h * s.w * s.c;
    float *floats = case_floats(c, (size_t)elements);
    unsigned char *bytes = case_memory(c, (size_t)elements);
    float *weights = case_floats(c, (size_t)s.c * 2);
    for (int i = 0; i < elements; i++) {
        floats[i] = pick_float(c, -4.0f, 4.0f);
        bytes[i] = (unsigned char)pick(c, 0, 255);
    }
    for (int left = chance(c, 20) ? pick(c, 1, 3) : 0; left > 0; left--)
        floats[pick(c, 0, elements - 1)] = chance(c, 50)   ? NAN
                                           : chance(c, 50) ? INFINITY
                                                           : -INFINITY;
    for (int i = 0; i < 2 * s.c; i++)
        weights[i] = pick_float(c, -2.0f, 2.0f);

    Expect e = expect_make(c, out.base, out.total);
    for (int n = 0; n < s.images; n++)
        for (int y = 0; y < s.h; y++)
            for (int x = 0; x < s.w; x++)
                for (int i = 0; i < s.out_c; i++) {
                    double v = 0.0, tolerance = 0.0;
                    if (i < s.c) {
                        const size_t at = port_index(s.nhwc, s.h, s.w, s.c, n, y, x, i);
                        v = s.u8 ? (double)bytes[at] : (double)floats[at];
                        if (s.affine) {
                            const double shift = (double)weights[s.c + i];
                            v *= (double)weights[i];
                            tolerance = sum_tolerance(1, fabs(v) + fabs(shift));
                            v += shift;
                        }
                    }
                    expect_at(&e, grid_pixel(&out, n, y, x) + i, v, tolerance);
                }
    const rnc_operands o = {.in = {s.u8 ? (const void *)bytes : (const void *)floats},
                            .out = {out.at},
                            .weights = s.affine ? weights : NULL};
    run_kernel(c, c->isa->kernels[KERNEL_input], &s, &tile, &o, out.base, out.total, true);
    expect_check(c, &e);
}

void test_output(Case *c)
{
    rnc_output_shape s = {.images = pick(c, 1, 3), .h = pick(c, 1, 8), .w = pick(c, 1, 8)};
    const rnc_knobs tile = {0};
    if (chance(c, 30))
        s.h = s.w = 1;
    s.c = pick(c, 1, 70);
    s.nhwc = pick(c, 0, 1);
    const Layout layout = {.align = chance(c, 70) ? pick_align(c) : 1, .tight = chance(c, 40)};
    Grid in = grid_make(c, s.images, s.h, s.w, s.c, layout);
    grid_fill(c, &in, -4.0f, 4.0f);
    grid_spoil(c, &in, false);
    s.in_pixel = in.pixel, s.in_row = in.row, s.in_image = in.image;
    describe_output(c, &s);
    const size_t elements = (size_t)(s.images * s.h * s.w * s.c);
    float *out = case_floats(c, elements);

    Expect e = expect_make(c, out, elements);
    for (int n = 0; n < s.images; n++)
        for (int y = 0; y < s.h; y++)
            for (int x = 0; x < s.w; x++)
                for (int i = 0; i < s.c; i++)
                    expect_at(&e, out + port_index(s.nhwc, s.h, s.w, s.c, n, y, x, i),
                              (double)grid_pixel(&in, n, y, x)[i], 0.0);
    const rnc_operands o = {.in = {in.at}, .out = {out}};
    run_kernel(c, c->isa->kernels[KERNEL_output], &s, &tile, &o, out, elements, true);
    expect_check(c, &e);
}
