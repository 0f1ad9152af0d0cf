/* test_pack.c: packed weights, read back where the kernels read them. */
#include "nets.h"
#include "plan/methods/method_parts.h"

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
    return param_floats(node->params[P_WEIGHT])[((int64_t)o * in_c + c % in_c) * taps + k];
}

static float bias_at(const Node *node, int o)
{
    const Param *bias = node->params[P_BIAS];
    return bias && o < node->attrs.filters ? param_floats(bias)[o] : 0.0f;
}

/* A convolution of `filters` square kernels over c x hw x hw, alone in a network. */
typedef struct ConvCase {
    int c, hw, kernel, filters, stride, groups;
    bool bias;
} ConvCase;

/* What a step's weights are packed to, and of what: `w` is what comes next. */
typedef struct Sample {
    Bench b;
    const Node *node;
    const Step *step;
    const float *w;
} Sample;

/* Packs the weights of `out` for the fastest method, whose kernel must be `kernel`.  (The plan of
 * so small a network may have one without scratch.) */
static void pack_network(Sample *p, Node *out, PlanOptions options, Kernel kernel)
{
    make_output(&p->b, out);
    fill_params(&p->b);
    Plan *plan = make_plan(&p->b, options);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    p->node = out;
    Step *step = NEW(p->b.arena, Step);
    *step = plan_step_by(plan, out, choose_method(plan, out));
    p->step = step;
    CU_ASSERT_EQUAL_FATAL(p->step->kernel, kernel);
    p->w = packed(&p->b, p->step);
}

static void pack_conv(Sample *p, ConvCase c, PlanOptions options, Kernel kernel)
{
    bench_begin(&p->b);
    Node *in = make_input(&p->b, 1, c.c, c.hw, c.hw, ELEM_F32);
    Attrs a = ir_default_attrs(OP_CONV);
    a.kernel[0] = a.kernel[1] = c.kernel;
    a.stride[0] = a.stride[1] = c.stride;
    a.filters = c.filters;
    a.groups = c.groups;
    a.bias = c.bias;
    for (int i = 0; i < 4; i++)
        a.padding[i] = c.kernel / 2;
    pack_network(p, make(&p->b, OP_CONV, &in, 1, &a), options, kernel);
}

/* Panels of output channels: the biases of one, then `sections` of `rows` vectors of it.
 * `expected` is what stands there for output channel o; sections that it says are NAN are not
 * there.  The numbers may differ from it by `tolerance`, relative where they are above 1. */
typedef struct Panels {
    int groups, out_c, panel, sections, rows;
    double (*expected)(const Sample *p, int section, int row, int o);
    double tolerance;
} Panels;

static void check_panels(Sample *p, Panels l)
{
    const int group_c = l.out_c / l.groups;
    int wrong = 0;
    for (int first = 0, width; first < l.out_c; first += width) {
        const int rest = group_c - first % group_c;
        width = rest < l.panel ? rest : l.panel;
        for (int j = 0; j < width; j++)
            wrong += *p->w++ != bias_at(p->node, first + j);
        for (int k = 0; k < l.sections; k++) {
            if (isnan(l.expected(p, k, 0, first)))
                continue;
            for (int i = 0; i < l.rows; i++) {
                for (int j = 0; j < width; j++) {
                    const double exact = l.expected(p, k, i, first + j);
                    wrong += !(fabs((double)*p->w++ - exact) <= l.tolerance * fmax(1, fabs(exact)));
                }
            }
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

/* Taps, each of them all input channels of the group. */
static double tap_of(const Sample *p, int tap, int channel, int o)
{
    const rnc_conv_shape *s = &p->step->shape.conv;
    return (double)weight_at(p->node, o, o / (s->out_c / s->groups) * s->in_c + channel, tap);
}

static void check_direct(const ConvCase *cases, const Isa *isas, int n)
{
    for (int i = 0; i < n; i++) {
        Sample p;
        pack_conv(&p, cases[i], (PlanOptions){.isas = 1u << isas[i]}, KERNEL_conv_direct);
        const rnc_conv_shape *s = &p.step->shape.conv;
        check_panels(&p, (Panels){s->groups, s->out_c, s->panel, cases[i].kernel * cases[i].kernel,
                                  s->in_c, tap_of, 0});
        bench_end(&p.b);
    }
}
#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

/* A machine that is slow at arithmetic; its L3 and its memory give `l3` and `memory`. */
static Machine slow_machine(double l3, double memory)
{
    return (Machine){.gflops = {[ISA_avx2] = 1},
                     .l3 = l3,
                     .memory = memory,
                     .l2 = 1000,
                     .l2_kb = 512,
                     .cores = 1,
                     .all = 1000,
                     .l3_kb = 99999};
}

static void test_panels(void)
{
    static const ConvCase cases[] = {
        {3, 7, 7, 64, 1, 1, false}, {200, 7, 1, 70, 1, 1, true}, {33, 7, 3, 96, 1, 1, false},
        {17, 7, 3, 41, 1, 1, true}, {1, 7, 1, 1, 1, 1, true},
    };
    static const Isa isas[] = {ISA_avx512, ISA_avx512, ISA_avx512, ISA_scalar, ISA_avx2};
    check_direct(cases, isas, COUNT(cases));
}

static void test_merged_groups(void)
{
    static const ConvCase cases[] = {
        {64, 7, 3, 128, 1, 32, true}, {64, 7, 3, 256, 1, 4, false}, {10, 7, 3, 15, 1, 5, true},
        {10, 7, 3, 15, 1, 5, true},   {6, 7, 5, 12, 1, 6, false},
    };
    static const Isa isas[] = {ISA_avx512, ISA_avx512, ISA_avx512, ISA_scalar, ISA_avx2};
    check_direct(cases, isas, COUNT(cases));
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

static double frequency_of(const Sample *p, int f, int c, int o)
{
    const int m = p->step->shape.conv.winograd, side = m + 2, stride = p->node->attrs.stride[0];
    double sum = 0;
    for (int k = 0; k < 9; k++)
        sum += (double)weight_at(p->node, o, c, k) * tap_factor(m, stride, f / side, k / 3) *
               tap_factor(m, stride, f % side, k % 3);
    return sum;
}

static void test_winograd(void)
{
    static const ConvCase cases[] = {
        {32, 16, 3, 64, 1, 1, true}, {16, 12, 3, 43, 1, 1, false}, {64, 8, 3, 48, 1, 1, true},
        {32, 32, 3, 64, 2, 1, true}, {16, 24, 3, 43, 2, 1, false}, {64, 16, 3, 48, 2, 1, true},
    };
    static const int tiles[] = {4, 4, 2, 4, 4, 2};
    for (int i = 0; i < COUNT(cases); i++) {
        /* Slow at arithmetic, and for tiles of 2 at reading as well: those of 4 have larger
         * filters. */
        const Machine slow = slow_machine(tiles[i] == 2 ? 0.18 : 100, 1);
        Sample p;
        pack_conv(&p, cases[i], (PlanOptions){.isas = 1u << ISA_avx2, .machine = &slow},
                  KERNEL_conv_winograd);
        const rnc_conv_shape *s = &p.step->shape.conv;
        const int side = tiles[i] + 2;
        CU_ASSERT_EQUAL_FATAL(s->winograd, tiles[i]);
        check_panels(&p,
                     (Panels){1, s->out_c, s->panel, side * side, cases[i].c, frequency_of, 1e-6});
        bench_end(&p.b);
    }
}

/* Plain taps, the nine of an input channel side by side. */
static double channel_of(const Sample *p, int channel, int tap, int o)
{
    return (double)weight_at(p->node, o, channel, tap);
}

static void test_channels(void)
{
    static const ConvCase cases[] = {
        {32, 4, 3, 64, 1, 1, true},
        {48, 4, 3, 80, 1, 1, false},
        {16, 4, 3, 43, 1, 1, true},
    };
    /* Slow at reading, so that the larger filters do not pay. */
    const Machine slow = slow_machine(0.1, 0.1);
    for (int i = 0; i < COUNT(cases); i++) {
        Sample p;
        pack_conv(&p, cases[i], (PlanOptions){.isas = 1u << ISA_avx2, .machine = &slow},
                  KERNEL_conv_winograd_taps);
        const rnc_conv_shape *s = &p.step->shape.conv;
        check_panels(&p, (Panels){1, s->out_c, s->panel, cases[i].c, 9, channel_of, 0});
        bench_end(&p.b);
    }
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

static void check_strassen(Sample *p)
{
    const rnc_conv_shape *s = &p->step->shape.conv;
    int wrong = 0;
    for (int first = 0; first < s->out_c / 2; first += s->panel) {
        for (int j = 0; j < 2 * s->panel; j++)
            wrong +=
                *p->w++ != bias_at(p->node, j / s->panel * s->out_c / 2 + first + j % s->panel);
        for (int product = 0; product < 7; product++)
            for (int i = 0; i < s->in_c / 2; i++)
                for (int j = 0; j < s->panel; j++)
                    wrong += fabs((double)*p->w++ -
                                  strassen_of_quarters(p->node, product, i, first + j, s)) > 1e-6;
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void test_strassen(void)
{
    static const ConvCase cases[] = {
        {192, 28, 1, 128, 1, 1, true},
        {160, 28, 1, 192, 1, 1, false},
        {256, 28, 1, 121, 1, 1, true}, /* seven lanes after the last */
    };
    const Machine slow = slow_machine(100, 100);
    for (int i = 0; i < COUNT(cases); i++) {
        Sample p;
        pack_conv(&p, cases[i], (PlanOptions){.isas = 1u << ISA_avx2, .machine = &slow},
                  KERNEL_conv_strassen);
        check_strassen(&p);
        bench_end(&p.b);
    }
}

/* Winograd's method down the columns: point p of a phase's taps, with the point 0 only for phases
 * of four. */
static double column_of(const Sample *p, int section, int row, int o)
{
    static const double points[] = {0.5, -0.5, 1.25, -1.25, 3, -3, 0};
    const int *kernel = p->node->attrs.kernel, stride = p->node->attrs.stride[0];
    const int point = section / stride, phase = section % stride;
    const int n = kernel[0] - phase > 3 * stride ? 7 : 6, channels = p->node->in[0]->type.c;
    double sum = 0, norm = 1;
    if (point >= n)
        return NAN;
    for (int y = phase; y < kernel[0]; y += stride)
        sum += (double)weight_at(p->node, o, row % channels, y * kernel[1] + row / channels) *
               pow(points[point], (y - phase) / (double)stride);
    for (int i = 0; i < n; i++)
        norm *= i == point ? 1 : points[point] - points[i];
    return sum / norm;
}

static void test_columns(void)
{
    static const ConvCase cases[] = {
        {3, 30, 7, 64, 2, 1, false}, {1, 30, 7, 43, 2, 1, false},  {4, 30, 5, 32, 2, 1, false},
        {6, 30, 8, 80, 2, 1, false}, {15, 30, 4, 32, 1, 1, false},
    };
    for (int i = 0; i < COUNT(cases); i++) {
        const ConvCase c = cases[i];
        Sample p;
        pack_conv(&p, c, (PlanOptions){.isas = 1u << ISA_avx2}, KERNEL_conv_winograd1d);
        const rnc_conv_shape *s = &p.step->shape.conv;
        check_panels(
            &p, (Panels){1, s->out_c, s->panel, 7 * c.stride, c.kernel * c.c, column_of, 1e-6});
        bench_end(&p.b);
    }
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

static double input_of(const Sample *p, int section, int channel, int o)
{
    return (double)weight_at(p->node, o, channel, section);
}

static void test_dense(void)
{
    Sample p;
    bench_begin(&p.b);
    Node *x = make_input(&p.b, 1, 37, 1, 1, ELEM_F32);
    Attrs a = ir_default_attrs(OP_DENSE);
    a.filters = 70;
    pack_network(&p, make(&p.b, OP_DENSE, &x, 1, &a), (PlanOptions){.isas = 1u << ISA_avx512},
                 KERNEL_dense);
    check_panels(&p, (Panels){1, 80, 32, 1, 37, input_of, 0});
    bench_end(&p.b);
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
            scale = param_floats(bn->params[P_WEIGHT])[i] /
                    sqrt((double)param_floats(bn->params[P_VARIANCE])[i] + bn->attrs.epsilon);
            shift =
                param_floats(bn->params[P_BIAS])[i] - param_floats(bn->params[P_MEAN])[i] * scale;
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

/* What docs/weights-format.md promises: files that were written keep their meaning. */
static void test_numbers(void)
{
    static const char *const names[] = {NULL,       "panels",     "rows",     "depthwise", "affine",
                                        "winograd", "winograd1d", "channels", "strassen",  "norm"};
    CU_ASSERT_EQUAL(PACKING_COUNT, 10);
    for (int i = 1; i < 10; i++)
        CU_ASSERT_STRING_EQUAL(packing_rows[i].name, names[i]);
    CU_ASSERT_PTR_NULL(packing_rows[PACK_none].name);
}

void suite_pack(void)
{
    CU_pSuite s = CU_add_suite("pack", NULL, NULL);
    CU_add_test(s, "numbers", test_numbers);
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
