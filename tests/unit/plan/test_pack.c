/* test_pack.c: packed weights, read back where the kernels read them. */
#include "nets.h"

#include <CUnit/CUnit.h>

#include <math.h>
#include <stdlib.h>

static const Step *weighted_step(const Plan *plan, int nth)
{
    for (int i = 0; i < plan->steps.n; i++) {
        if (plan->steps.at[i].weights && nth-- == 0)
            return &plan->steps.at[i];
    }
    return NULL;
}

static float *packed(Bench *b, const Step *step)
{
    const int64_t n = step->weights->bytes / 4;
    float *to = NEW_ARRAY(b->arena, float, n + 16);
    for (int64_t i = 0; i < n + 16; i++)
        to[i] = -12345.0f;
    pack_weights(step, to);
    for (int i = 0; i < 16; i++)
        CU_ASSERT_EQUAL(to[n + i], -12345.0f); /* and no more */
    return to;
}

/* The weight of output channel o at tap k of input channel c, all groups
 * counted through; 0 where there is none. */
static float weight_at(const Node *node, int o, int c, int k)
{
    const int groups = node->op == OP_DENSE ? 1 : node->attrs.groups;
    const int in_c = node->in[0]->type.c / groups;
    if (o >= node->attrs.filters || c / in_c != o / (node->attrs.filters / groups))
        return 0.0f;
    const int64_t taps = param_elements(node->params[P_WEIGHT]) / node->attrs.filters / in_c;
    return node->params[P_WEIGHT]->data[((int64_t)o * in_c + c % in_c) * taps + k];
}

static float bias_at(const Node *node, int o)
{
    const Param *bias = node->params[P_BIAS];
    return bias && o < node->attrs.filters ? bias->data[o] : 0.0f;
}

static int mismatches(const Node *node, const float *w, int groups, int in_c, int out_c, int taps,
                      int panel)
{
    int wrong = 0;
    const int group_c = out_c / groups;
    for (int g = 0; g < groups; g++) {
        for (int p = 0; p < group_c; p += panel) {
            const int width = group_c - p < panel ? group_c - p : panel;
            for (int j = 0; j < width; j++)
                wrong += *w++ != bias_at(node, g * group_c + p + j);
            for (int k = 0; k < taps; k++) {
                for (int c = 0; c < in_c; c++) {
                    for (int j = 0; j < width; j++)
                        wrong += *w++ != weight_at(node, g * group_c + p + j, g * in_c + c, k);
                }
            }
        }
    }
    return wrong;
}

static void check_panels(int c, int kernel, int filters, int groups, bool bias, Isa isa)
{
    Bench b;
    bench_begin(&b);
    Node *in = make_input(&b, 1, c, 7, 7, ELEM_F32);
    Attrs a = ir_default_attrs(OP_CONV);
    a.kernel[0] = a.kernel[1] = kernel;
    a.filters = filters;
    a.groups = groups;
    a.bias = bias;
    Node *conv = make(&b, OP_CONV, &in, 1, &a);
    make_output(&b, conv);
    fill_params(&b);
    Plan *plan = make_plan(&b, (PlanOptions){.isas = 1u << isa});
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    const Step *step = weighted_step(plan, 0);
    const rnc_conv_shape *s = &step->shape.conv;
    CU_ASSERT_EQUAL(step->kernel, KERNEL_conv_direct);
    CU_ASSERT_EQUAL(
        mismatches(conv, packed(&b, step), s->groups, s->in_c, s->out_c, kernel * kernel, s->panel),
        0);
    bench_end(&b);
}

static void test_panels(void)
{
    check_panels(3, 7, 64, 1, false, ISA_avx512);
    check_panels(200, 1, 70, 1, true, ISA_avx512);
    check_panels(33, 3, 96, 1, false, ISA_avx512);
    check_panels(17, 3, 41, 1, true, ISA_scalar);
    check_panels(1, 1, 1, 1, true, ISA_avx2);
}

/* Frequency (y, x) of a filter is its polynomial at the points of y and x, divided by the
 * products of their distances from the other points; infinity takes the highest taps.  Of stride 2
 * the outer taps are such a polynomial, and the middle one is by itself. */
static double tap_factor(int m, int stride, int point, int tap)
{
    static const double points[2][5] = {{0, 1, -1}, {0, 0.75, -0.75, 1.5, -1.5}};
    const double *p = points[m / 2 - 1];
    double norm = 1;
    if (point == m + 1)
        return stride == 1 ? tap == 2 : tap == 1;
    for (int i = 0; i <= m; i++)
        norm *= i == point ? 1 : p[point] - p[i];
    if (stride == 2)
        return tap == 1 ? 0 : pow(p[point], tap / 2) / norm;
    return pow(p[point], tap) / norm;
}

static double frequency_of(const Node *node, int m, int f, int o, int c)
{
    const int side = m + 2, stride = node->attrs.stride[0];
    double sum = 0;
    for (int k = 0; k < 9; k++)
        sum += (double)weight_at(node, o, c, k) * tap_factor(m, stride, f / side, k / 3) *
               tap_factor(m, stride, f % side, k % 3);
    return sum;
}

static void check_winograd(int c, int hw, int filters, bool bias, int stride, int m)
{
    Bench b;
    bench_begin(&b);
    Node *in = make_input(&b, 1, c, hw, hw, ELEM_F32);
    Attrs a = ir_default_attrs(OP_CONV);
    a.kernel[0] = a.kernel[1] = 3;
    a.stride[0] = a.stride[1] = stride;
    a.filters = filters;
    a.bias = bias;
    for (int i = 0; i < 4; i++)
        a.padding[i] = 1;
    Node *conv = make(&b, OP_CONV, &in, 1, &a);
    make_output(&b, conv);
    fill_params(&b);
    /* Slow at arithmetic, and for m = 2 at reading as well: F(4 x 4) has larger filters. */
    const Machine slow = {.gflops = {[ISA_avx2] = 1},
                          .l3 = m == 2 ? 0.18 : 100,
                          .memory = 1,
                          .l2_kb = 512,
                          .l3_kb = 99999};
    Plan *plan = make_plan(&b, (PlanOptions){.isas = 1u << ISA_avx2, .machine = &slow});
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    const Step *step = weighted_step(plan, 0);
    const rnc_conv_shape *s = &step->shape.conv;
    CU_ASSERT_EQUAL_FATAL(step->kernel, KERNEL_conv_winograd);
    CU_ASSERT_EQUAL_FATAL(s->winograd, m);
    const float *w = packed(&b, step);
    int wrong = 0;
    for (int p = 0, width; p < s->out_c; p += width) {
        width = s->out_c - p < s->panel ? s->out_c - p : s->panel;
        for (int j = 0; j < width; j++)
            wrong += *w++ != bias_at(conv, p + j);
        for (int f = 0; f < (m + 2) * (m + 2); f++) {
            for (int i = 0; i < c; i++) {
                for (int j = 0; j < width; j++, w++) {
                    const double exact = frequency_of(conv, m, f, p + j, i);
                    wrong += fabs((double)*w - exact) > 1e-6 * fmax(1, fabs(exact));
                }
            }
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    bench_end(&b);
}

static void test_winograd(void)
{
    check_winograd(32, 16, 64, true, 1, 4);
    check_winograd(16, 12, 43, false, 1, 4);
    check_winograd(64, 8, 48, true, 1, 2);
    check_winograd(32, 32, 64, true, 2, 4);
    check_winograd(16, 24, 43, false, 2, 4);
    check_winograd(64, 16, 48, true, 2, 2);
}

/* Plain taps, the nine of an input channel side by side. */
static void check_channels(int c, int filters, bool bias)
{
    Bench b;
    bench_begin(&b);
    Node *in = make_input(&b, 1, c, 4, 4, ELEM_F32);
    Attrs a = ir_default_attrs(OP_CONV);
    a.kernel[0] = a.kernel[1] = 3;
    a.filters = filters;
    a.bias = bias;
    for (int i = 0; i < 4; i++)
        a.padding[i] = 1;
    Node *conv = make(&b, OP_CONV, &in, 1, &a);
    make_output(&b, conv);
    fill_params(&b);
    /* Slow at reading, so that the larger filters do not pay. */
    const Machine slow = {
        .gflops = {[ISA_avx2] = 1}, .l3 = 0.1, .memory = 0.1, .l2_kb = 512, .l3_kb = 99999};
    Plan *plan = make_plan(&b, (PlanOptions){.isas = 1u << ISA_avx2, .machine = &slow});
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    const Step *step = weighted_step(plan, 0);
    const rnc_conv_shape *s = &step->shape.conv;
    CU_ASSERT_EQUAL_FATAL(step->kernel, KERNEL_conv_winograd_taps);
    const float *w = packed(&b, step);
    int wrong = 0;
    for (int p = 0, width; p < s->out_c; p += width) {
        width = s->out_c - p < s->panel ? s->out_c - p : s->panel;
        for (int j = 0; j < width; j++)
            wrong += *w++ != bias_at(conv, p + j);
        for (int i = 0; i < c; i++) {
            for (int k = 0; k < 9; k++) {
                for (int j = 0; j < width; j++)
                    wrong += *w++ != weight_at(conv, p + j, i, k);
            }
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    bench_end(&b);
}

static void test_channels(void)
{
    check_channels(32, 64, true);
    check_channels(48, 80, false);
    check_channels(16, 43, true);
}

/* Product p of Strassen's method: how often it has each quarter of the filters, [in][out]. */
static double strassen_of_quarters(const Node *conv, int p, int i, int o, const rnc_conv_shape *s)
{
    static const int often[7][2][2] = {{{1, 0}, {0, 0}},  {{0, 0}, {1, 0}},   {{1, -1}, {0, 1}},
                                       {{0, -1}, {0, 1}}, {{-1, 1}, {1, -1}}, {{-1, 1}, {0, 0}},
                                       {{0, 0}, {0, 1}}};
    double sum = 0;
    for (int half = 0; half < 2; half++)
        for (int right = 0; right < 2; right++)
            sum += often[p][half][right] *
                   (double)weight_at(conv, o + right * s->out_c / 2, i + half * s->in_c / 2, 0);
    return sum;
}

static void check_strassen(int c, int filters, bool bias)
{
    Bench b;
    bench_begin(&b);
    Node *in = make_input(&b, 1, c, 28, 28, ELEM_F32);
    Attrs a = ir_default_attrs(OP_CONV);
    a.kernel[0] = a.kernel[1] = 1;
    a.filters = filters;
    a.bias = bias;
    Node *conv = make(&b, OP_CONV, &in, 1, &a);
    make_output(&b, conv);
    fill_params(&b);
    const Machine slow = {
        .gflops = {[ISA_avx2] = 1}, .l3 = 100, .memory = 100, .l2_kb = 512, .l3_kb = 99999};
    Plan *plan = make_plan(&b, (PlanOptions){.isas = 1u << ISA_avx2, .machine = &slow});
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    const Step *step = weighted_step(plan, 0);
    const rnc_conv_shape *s = &step->shape.conv;
    CU_ASSERT_EQUAL_FATAL(step->kernel, KERNEL_conv_strassen);
    const float *w = packed(&b, step);
    int wrong = 0;
    for (int first = 0; first < s->out_c / 2; first += s->panel) {
        for (int j = 0; j < 2 * s->panel; j++)
            wrong += *w++ != bias_at(conv, j / s->panel * s->out_c / 2 + first + j % s->panel);
        for (int p = 0; p < 7; p++)
            for (int i = 0; i < c / 2; i++)
                for (int j = 0; j < s->panel; j++, w++)
                    wrong +=
                        fabs((double)*w - strassen_of_quarters(conv, p, i, first + j, s)) > 1e-6;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    bench_end(&b);
}

static void test_strassen(void)
{
    check_strassen(192, 128, true);
    check_strassen(160, 192, false);
    check_strassen(256, 121, true); /* seven lanes behind the last */
}

/* Winograd's method down the columns: point p of a phase's taps, with the point 0 only for phases
 * of four. */
static double column_of(const Node *node, int point, int phase, int o, int c, int x)
{
    static const double points[] = {0.5, -0.5, 1.25, -1.25, 3, -3, 0};
    const int *kernel = node->attrs.kernel, stride = node->attrs.stride[0];
    const int n = kernel[0] - phase > 3 * stride ? 7 : 6;
    double sum = 0, norm = 1;
    for (int y = phase; y < kernel[0]; y += stride)
        sum += (double)weight_at(node, o, c, y * kernel[1] + x) *
               pow(points[point], (y - phase) / (double)stride);
    for (int i = 0; i < n; i++)
        norm *= i == point ? 1 : points[point] - points[i];
    return sum / norm;
}

static void check_columns(int c, int kernel, int stride, int filters)
{
    Bench b;
    bench_begin(&b);
    Node *conv = make_conv(&b, make_input(&b, 1, c, 30, 20, ELEM_F32), kernel, filters, stride, 1);
    make_output(&b, conv);
    fill_params(&b);
    Plan *plan = make_plan(&b, (PlanOptions){.isas = 1u << ISA_avx2});
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    const Step *step = weighted_step(plan, 0);
    const rnc_conv_shape *s = &step->shape.conv;
    CU_ASSERT_EQUAL_FATAL(step->kernel, KERNEL_conv_winograd1d);
    const float *w = packed(&b, step);
    int wrong = 0;
    for (int p = 0, width; p < s->out_c; p += width) {
        width = s->out_c - p < s->panel ? s->out_c - p : s->panel;
        for (int j = 0; j < width; j++)
            wrong += *w++ != bias_at(conv, p + j);
        for (int k = 0; k < 7 * stride; k++) {
            if (k / stride == 6 && kernel - k % stride <= 3 * stride)
                continue; /* three taps at most */
            for (int i = 0; i < kernel * c; i++) {
                for (int j = 0; j < width; j++, w++) {
                    const double exact =
                        column_of(conv, k / stride, k % stride, p + j, i % c, i / c);
                    wrong += fabs((double)*w - exact) > 1e-6 * fmax(1, fabs(exact));
                }
            }
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    bench_end(&b);
}

static void test_columns(void)
{
    check_columns(3, 7, 2, 64);
    check_columns(1, 7, 2, 43);
    check_columns(4, 5, 2, 32);
    check_columns(6, 8, 2, 80);
    check_columns(15, 4, 1, 32);
}

static void test_merged_groups(void)
{
    check_panels(64, 3, 128, 32, true, ISA_avx512);
    check_panels(64, 3, 256, 4, false, ISA_avx512);
    check_panels(10, 3, 15, 5, true, ISA_avx512);
    check_panels(10, 3, 15, 5, true, ISA_scalar);
    check_panels(6, 5, 12, 6, false, ISA_avx2);
}

static void test_rows_and_taps(void)
{
    Bench b;
    bench_begin(&b);
    Node *in = make_input(&b, 1, 12, 7, 7, ELEM_F32);
    Node *conv = make_conv(&b, in, 3, 40, 1, 4), *each = make_conv(&b, conv, 3, 40, 1, 40);
    make_output(&b, each);
    fill_params(&b);
    Plan *plan =
        make_plan(&b, (PlanOptions){.backend = BACKEND_OPENBLAS, .isas = 1u << ISA_avx512});
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    const float *w = packed(&b, weighted_step(plan, 0));
    int wrong = 0;
    for (int o = 0; o < 40; o++)
        wrong += *w++ != 0.0f; /* no bias */
    for (int g = 0; g < 4; g++) {
        for (int k = 0; k < 9; k++) {
            for (int c = 0; c < 3; c++) {
                for (int o = 0; o < 10; o++)
                    wrong += *w++ != weight_at(conv, g * 10 + o, g * 3 + c, k);
            }
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);

    w = packed(&b, weighted_step(plan, 1));
    wrong = 0;
    for (int o = 0; o < 48; o++)
        wrong += *w++ != 0.0f;
    for (int k = 0; k < 9; k++) {
        for (int o = 0; o < 48; o++)
            wrong += *w++ != weight_at(each, o, o, k);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    bench_end(&b);
}

/* Of groups of 2, 4 and 8 channels, as the numbers of `each` lie: lane c has the weight of output
 * c ^ far for input c ^ near. */
static void test_narrow_groups(void)
{
    for (int each = 2; each <= 8; each *= 2) {
        Bench b;
        bench_begin(&b);
        Node *in = make_input(&b, 1, 24, 7, 7, ELEM_F32);
        Node *conv = make_conv(&b, in, 3, 24, 1, 24 / each);
        make_output(&b, conv);
        fill_params(&b);
        Plan *plan = make_plan(&b, (PlanOptions){.isas = 1u << ISA_avx512});
        CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
        CU_ASSERT_EQUAL(weighted_step(plan, 0)->kernel, KERNEL_depthwise);
        CU_ASSERT_EQUAL(weighted_step(plan, 0)->shape.conv.groups, 32 / each);
        const float *w = packed(&b, weighted_step(plan, 0)) + 32; /* behind the bias */
        int wrong = 0;
        for (int far = each == 8 ? 4 : 0; far >= 0; far -= 4)
            for (int y = 0; y < 3; y++)
                for (int near = 0; near < 4 && near < each; near++)
                    for (int x = 0; x < 3; x++)
                        for (int c = 0; c < 32; c++)
                            wrong += *w++ != weight_at(conv, c ^ far, c ^ near, y * 3 + x);
        CU_ASSERT_EQUAL(wrong, 0);
        bench_end(&b);
    }
}

static void test_dense(void)
{
    Bench b;
    bench_begin(&b);
    Node *x = make_input(&b, 1, 37, 1, 1, ELEM_F32);
    Attrs a = ir_default_attrs(OP_DENSE);
    a.filters = 70;
    Node *dense = make(&b, OP_DENSE, &x, 1, &a);
    make_output(&b, dense);
    fill_params(&b);
    Plan *plan = make_plan(&b, (PlanOptions){.isas = 1u << ISA_avx512});
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    const Step *step = weighted_step(plan, 0);
    CU_ASSERT_EQUAL(mismatches(dense, packed(&b, step), 1, 37, 80, 1, 32), 0);
    bench_end(&b);
}

static void test_affine(void)
{
    Bench b;
    bench_begin(&b);
    Node *in = make_input(&b, 1, 5, 4, 4, ELEM_F32);
    Node *bn = make_op(&b, OP_BN, make_op(&b, OP_TANH, in));
    make_output(&b, bn);
    fill_params(&b);
    Plan *plan = make_plan(&b, (PlanOptions){.isas = 1u << ISA_avx512});
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    const Step *step = weighted_step(plan, 0);
    const float *w = packed(&b, step);
    CU_ASSERT_EQUAL(step->weights->bytes, 2 * 16 * 4);
    for (int i = 0; i < 16; i++) {
        double scale = 0, shift = 0;
        if (i < 5) {
            scale = bn->params[P_WEIGHT]->data[i] /
                    sqrt((double)bn->params[P_VARIANCE]->data[i] + bn->attrs.epsilon);
            shift = bn->params[P_BIAS]->data[i] - bn->params[P_MEAN]->data[i] * scale;
        }
        CU_ASSERT_DOUBLE_EQUAL(w[i], scale, 1e-6 * fabs(scale));
        CU_ASSERT_DOUBLE_EQUAL(w[16 + i], shift, 1e-6 * fabs(shift));
    }
    bench_end(&b);
}

/* Places in the file: in order, aligned, no more apart than alignment asks. */
static void test_places(void)
{
    for (unsigned seed = 1; seed <= 50; seed++) {
        Bench b;
        bench_begin(&b);
        make_random(&b, seed, 40);
        run_passes(&b);
        fill_params(&b);
        Plan *plan = make_plan(&b, (PlanOptions){0});
        CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
        int64_t at = 0;
        for (int i = 0; i < plan->packed.n; i++) {
            CU_ASSERT_EQUAL(plan->packed.at[i]->offset, at);
            at = (at + plan->packed.at[i]->bytes + 63) / 64 * 64;
        }
        CU_ASSERT_EQUAL(plan->weight_bytes, at);
        for (int i = 0; i < plan->packed.n; i++)
            packed(&b, weighted_step(plan, i));
        bench_end(&b);
    }
}

void suite_pack(void)
{
    CU_pSuite s = CU_add_suite("pack", NULL, NULL);
    CU_add_test(s, "panels", test_panels);
    CU_add_test(s, "winograd", test_winograd);
    CU_add_test(s, "channels", test_channels);
    CU_add_test(s, "strassen", test_strassen);
    CU_add_test(s, "columns", test_columns);
    CU_add_test(s, "merged groups", test_merged_groups);
    CU_add_test(s, "narrow groups", test_narrow_groups);
    CU_add_test(s, "rows and taps", test_rows_and_taps);
    CU_add_test(s, "dense", test_dense);
    CU_add_test(s, "affine", test_affine);
    CU_add_test(s, "places", test_places);
}
