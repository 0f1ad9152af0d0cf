/* test_method.c: which method the cost model takes for a convolution. */
#include "nets.h"
#include "plan/methods/method_parts.h"

#include <CUnit/CUnit.h>

enum { HEAVY = 4000 };

/* The m of a 3x3 convolution of c to c channels with hw x hw outputs, of n images at once, in a
 * network whose weights do, or do not, stay in the L3; 0 for the direct one, minus m from plain
 * taps. */
static int chosen_by(PlanOptions o, int n, int c, int hw, int stride, bool large)
{
    Bench b;
    bench_begin(&b);
    Node *in = make_input(&b, n, c, hw * stride, hw * stride, ELEM_F32);
    Node *conv = make_conv(&b, in, 3, c, stride, 1);
    make_output(&b, conv);
    if (large)
        make_heavy(&b, conv, HEAVY);
    Plan *plan = make_plan(&b, o);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    const Method *method = choose_method(plan, plan->net->nodes.at[conv->id]);
    bench_end(&b);
    return method == &method_conv_winograd_taps ? -method->side : method->side;
}

static int chosen_of(PlanOptions o, int c, int hw, int stride, bool large)
{
    return chosen_by(o, 1, c, hw, stride, large);
}

static int chosen(PlanOptions o, int c, int hw, bool large)
{
    return chosen_of(o, c, hw, 1, large);
}

/* What was measured for the stages of ResNet-50 on machines that read fast; where one reads slowly,
 * no more than the direct method does. */
static void test_machines(void)
{
    PlanOptions o = {.isas = 1u << ISA_avx512, .machine = &machine_rows[MACHINE_zen5]};
    CU_ASSERT_EQUAL(chosen(o, 64, 56, true), 4);
    CU_ASSERT_EQUAL(chosen(o, 128, 28, true), 4);
    CU_ASSERT_EQUAL(chosen(o, 256, 14, true), 4);
    CU_ASSERT_EQUAL(chosen(o, 512, 7, true), -4);
    o.machine = &machine_rows[MACHINE_sapphire_rapids];
    CU_ASSERT_EQUAL(chosen(o, 64, 56, true), 4);
    CU_ASSERT_EQUAL(chosen(o, 128, 28, true), 4);
    CU_ASSERT_EQUAL(chosen(o, 256, 14, true), -4);
    CU_ASSERT_EQUAL(chosen(o, 512, 7, true), -4);
    o.machine = NULL;
    CU_ASSERT_EQUAL(chosen(o, 16, 32, false), 4); /* CIFAR */
}

/* Stride 2: the planes of odd pixels are not fewer, so that less is gained. */
static void test_stride(void)
{
    PlanOptions o = {.isas = 1u << ISA_avx2, .machine = &machine_rows[MACHINE_zen3]};
    CU_ASSERT_EQUAL(chosen_of(o, 128, 28, 2, true), 4);
    CU_ASSERT_EQUAL(chosen_of(o, 256, 14, 2, true), 4);
    CU_ASSERT_EQUAL(chosen_of(o, 512, 7, 2, true), 2);
    o = (PlanOptions){.isas = 1u << ISA_avx512, .machine = &machine_rows[MACHINE_sapphire_rapids]};
    CU_ASSERT_EQUAL(chosen_of(o, 512, 7, 2, true), 0);
}

/* One tile of 4 x 4 whose filters come from memory: they are read as they are. */
static void test_taps(void)
{
    PlanOptions o = {.isas = 1u << ISA_avx2, .machine = &machine_rows[MACHINE_zen3]};
    CU_ASSERT_EQUAL(chosen(o, 256, 4, true), -4);
    CU_ASSERT_EQUAL(chosen(o, 512, 4, true), -4);
    CU_ASSERT_EQUAL(chosen(o, 256, 4, false), 2);          /* they stay in the L3 */
    CU_ASSERT_EQUAL(chosen(o, 512, 2, true), 0);           /* most of the tile is not there */
    CU_ASSERT_EQUAL(chosen(o, 128, 8, true), 2);           /* four tiles */
    CU_ASSERT_EQUAL(chosen(o, 256, 14, true), 4);          /* many */
    CU_ASSERT_EQUAL(chosen_of(o, 512, 4, 2, true) < 0, 0); /* stride 2 */
    o.optimize = OPTIMIZE_BALANCED;
    CU_ASSERT_EQUAL(chosen(o, 256, 4, true), -4); /* no larger weights */
    CU_ASSERT_EQUAL(chosen(o, 128, 8, true), -4);
    CU_ASSERT_EQUAL(chosen(o, 256, 14, true), -4);
    CU_ASSERT_EQUAL(chosen(o, 64, 56, false), -4);
    o.optimize = OPTIMIZE_SIZE;
    CU_ASSERT_EQUAL(chosen(o, 256, 4, true), 0);
    o.optimize = OPTIMIZE_SPEED;
    o.exact = true;
    CU_ASSERT_EQUAL(chosen(o, 256, 4, true), 0);
    o = (PlanOptions){.isas = 1u << ISA_avx2};
    CU_ASSERT_EQUAL(chosen(o, 512, 4, true), -4);
}

/* Tiles of 4 and 3: 7 outputs are 6 + 5 planes a side, 14 of stride 2 are 9 + 9 + 7 + 7. */
static void test_products(void)
{
    CU_ASSERT_EQUAL(winograd_image_products(4, 1, 56, 56, 25), 84 * 84);
    CU_ASSERT_EQUAL(winograd_image_products(4, 1, 7, 7, 25), 11 * 11);
    CU_ASSERT_EQUAL(winograd_image_products(2, 1, 7, 7, 25), 15 * 15);
    CU_ASSERT_EQUAL(winograd_image_products(2, 1, 7, 7, 15), 16 * 16); /* they fit into no group */
    CU_ASSERT_EQUAL(winograd_image_products(4, 2, 14, 28, 28), 32 * 63);
    CU_ASSERT_EQUAL(winograd_image_products(4, 2, 28, 28, 12), 63 * 63);
    CU_ASSERT_EQUAL(winograd_image_products(4, 1, 1, 1, 25), 5 * 5);
}

/* A block of filters in scratch is whole turns, or all channels where a turn is longer. */
static void test_taps_scratch(void)
{
    const rnc_conv_shape s = {.images = 1,
                              .out_h = 14,
                              .out_w = 14,
                              .out_c = 64,
                              .in_c = 80,
                              .stride_h = 1,
                              .dilation_h = 1,
                              .dilation_w = 1,
                              .panel = 32,
                              .winograd = 4};
    rnc_knobs t = {.pixels = 3, .group = 16, .unroll = 4};
    const int64_t others = winograd_scratch(&s, &t);
    static const int depths[][2] = {{0, 80}, {3, 80}, {4, 4}, {19, 16}, {79, 76}, {80, 80}};
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        t.depth = depths[i][0];
        CU_ASSERT_EQUAL(method_conv_winograd_taps.scratch(&s, &t),
                        others + 6 * (depths[i][1] * 32 + 16));
    }
    t.pixels = 0; /* in registers */
    CU_ASSERT_EQUAL(method_conv_winograd_taps.scratch(&s, &t), others);
}

/* The images of a turn share the reading of the filters, so that larger filters with fewer products
 * pay from some number of images on.  The model says from which: the weights of a network can be
 * larger with a batch than without.  --optimize balanced counts that. */
static void test_batch(void)
{
    PlanOptions o = {.isas = 1u << ISA_avx2};
    for (int n = 1; n <= 8; n++)
        CU_ASSERT_EQUAL(chosen_by(o, n, 64, 5, 1, false), n < 3 ? 2 : 4);
    o.optimize = OPTIMIZE_BALANCED;
    for (int n = 1; n <= 8; n++)
        CU_ASSERT(chosen_by(o, n, 64, 5, 1, false) < 4);
}

static void test_choices(void)
{
    PlanOptions o = {.isas = 1u << ISA_avx2};
    CU_ASSERT_EQUAL(chosen(o, 64, 56, true), 4);
    CU_ASSERT_EQUAL(chosen(o, 17, 56, true), 0); /* no whole vectors */
    o.optimize = OPTIMIZE_BALANCED;
    CU_ASSERT(chosen_of(o, 128, 28, 2, true) >= 0); /* of stride 2 there are no plain taps */
    o.optimize = OPTIMIZE_SIZE;
    CU_ASSERT_EQUAL(chosen(o, 64, 56, true), 0);
    o.optimize = OPTIMIZE_SPEED;
    o.exact = true;
    CU_ASSERT_EQUAL(chosen(o, 64, 56, true), 0);
    o.exact = false;
    o.backend = BACKEND_OPENBLAS;
    CU_ASSERT_EQUAL(chosen(o, 64, 56, true), 0);
}

/* The step of a convolution with dilation, of `channels` channels, 65 x 65 pixels, into 512. */
static Step dilated_step(PlanOptions o, int channels, int dilation)
{
    Bench b;
    bench_begin(&b);
    Node *in = make_op(&b, OP_RELU, make_input(&b, 1, channels, 65, 65, ELEM_F32));
    Node *conv = make_dilated(&b, in, 3, 512, dilation);
    make_output(&b, conv);
    Plan *plan = make_plan(&b, o);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    Step step = {0};
    for (int i = 0; i < plan->steps.n; i++)
        step =
            kernel_rows[plan->steps.at[i].kernel].family == FAMILY_conv ? plan->steps.at[i] : step;
    bench_end(&b);
    return step;
}

/* With dilation d an image is d x d images of 33 or 17 rows, which Winograd's method takes. */
static void test_dilated(void)
{
    const PlanOptions o = {.isas = 1u << ISA_avx512, .machine = &machine_rows[MACHINE_zen4]};
    for (int d = 1; d <= 4; d *= 2) {
        const Step step = dilated_step(o, 512, d);
        CU_ASSERT_EQUAL(step.kernel, KERNEL_conv_winograd);
        CU_ASSERT_EQUAL(step.shape.conv.winograd, 4);
        CU_ASSERT_EQUAL(winograd_tiles(&step.shape.conv), d == 1 ? 289 : d == 2 ? 324 : 400);
    }
}

/* Where the L2 holds less than half a register tile of windows, a group is a whole one all the
 * same, or as much of one as scratch has room for: else the filters are read again for every tile
 * or two. */
static void test_large_windows(void)
{
    const PlanOptions o = {.isas = 1u << ISA_avx512, .machine = &machine_rows[MACHINE_zen4]};
    static const int groups[][2] = {{512, 8}, {1024, 13}, {2048, 12}};
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        const Step step = dilated_step(o, groups[i][0], 1);
        CU_ASSERT_EQUAL(step.kernel, KERNEL_conv_winograd);
        CU_ASSERT_EQUAL(step.knobs[ISA_avx512].group, groups[i][1]);
        CU_ASSERT(step.parts > 1);
    }
}

/* Whether windows are clipped, and the halo that is stored above the input. */
static bool clips(PlanOptions o, int hw, int kernel, int dilation, int *halo)
{
    Bench b;
    bench_begin(&b);
    Node *in = make_op(&b, OP_RELU, make_input(&b, 1, 64, hw, hw, ELEM_F32));
    Node *conv = make_dilated(&b, in, kernel, 64, dilation);
    make_output(&b, conv);
    Plan *plan = make_plan(&b, o);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    const Method *method = plan->methods[conv->id];
    *halo = plan->tensors[in->id]->halo[0];
    bench_end(&b);
    return method == &method_conv_clipped;
}

/* Windows are clipped where most of what they would read is zeros, which then are not stored. */
static void test_clipped(void)
{
    PlanOptions o = {.isas = 1u << ISA_avx2};
    int halo;
    CU_ASSERT(clips(o, 65, 3, 36, &halo));
    CU_ASSERT_EQUAL(halo, 0);
    CU_ASSERT(clips(o, 65, 3, 12, &halo));
    CU_ASSERT(clips(o, 65, 5, 12, &halo));
    CU_ASSERT_FALSE(clips(o, 65, 3, 4, &halo));
    CU_ASSERT_EQUAL(halo, 4);
    CU_ASSERT_FALSE(clips(o, 7, 3, 1, &halo));   /* as many zeros, but other methods are faster */
    CU_ASSERT_FALSE(clips(o, 65, 7, 12, &halo)); /* more columns than there is code for */
    o.exact = true;
    CU_ASSERT(clips(o, 65, 3, 36, &halo));
    o.optimize = OPTIMIZE_SIZE;
    CU_ASSERT(clips(o, 65, 3, 36, &halo));
    o.backend = BACKEND_OPENBLAS;
    CU_ASSERT_FALSE(clips(o, 65, 3, 36, &halo));
    CU_ASSERT_EQUAL(halo, 36);
}

/* The method of the last of two convolutions, where `act` is between them, and that which its
 * spread rules out; the input's numbers go up to `most`, and can be NaN. */
static const Method *ranged(double most, bool nan, Op act, const Method **faster)
{
    Bench b;
    bench_begin(&b);
    Node *in = make_input(&b, 1, 64, 56, 56, ELEM_F32);
    b.net->inputs.at[0].range = (Range){true, -1, most, 1, nan, false};
    Node *conv = make_conv(&b, make_op(&b, act, make_conv(&b, in, 3, 64, 1, 1)), 3, 64, 1, 1);
    make_output(&b, conv);
    const PlanOptions o = {.isas = 1u << ISA_avx2, .machine = &machine_rows[MACHINE_zen3]};
    Plan *plan = make_plan(&b, o);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    const Method *method = plan->methods[conv->id];
    *faster = plan->faster[conv->id];
    CU_ASSERT_EQUAL(plan_why_kept(plan, conv, b.arena) != NULL, *faster != NULL);
    bench_end(&b);
    return method;
}

/* A method is ruled out where its error times the outliers is above the bound; another one with a
 * smaller error may then be taken.  What is bounded between is ordinary again. */
static void test_spread(void)
{
    const Method *faster;
    CU_ASSERT(ranged(255, false, OP_RELU, &faster) == &method_conv_winograd4 && !faster);
    const double most = METHOD_ERROR_MOST / method_conv_winograd4.error;
    CU_ASSERT(ranged(0.99 * most, false, OP_RELU, &faster) == &method_conv_winograd4);
    CU_ASSERT(ranged(1.01 * most, false, OP_RELU, &faster) == &method_conv_winograd2);
    CU_ASSERT_PTR_EQUAL(faster, &method_conv_winograd4);
    CU_ASSERT(ranged(1e6, false, OP_RELU, &faster) == &method_conv_direct && faster);
    CU_ASSERT(ranged(1e6, false, OP_RELU6, &faster) == &method_conv_winograd4 && !faster);
    CU_ASSERT(ranged(1, true, OP_RELU6, &faster) == &method_conv_direct && faster);
    for (int i = 0; i < METHOD_COUNT; i++) /* a byte is at most 255 times another */
        CU_ASSERT(method_bears(method_rows[i], RNC_WEIGHTS_F32, &(Spread){.factor = 255}) &&
                  method_bears(method_rows[i], RNC_WEIGHTS_F16, &(Spread){.factor = 255}));
    CU_ASSERT(method_bears(&method_conv_winograd2, RNC_WEIGHTS_F32, &(Spread){.factor = 300}));
    CU_ASSERT_FALSE(
        method_bears(&method_conv_winograd2, RNC_WEIGHTS_F16, &(Spread){.factor = 300}));
    CU_ASSERT(method_bears(&method_conv_winograd_taps, RNC_WEIGHTS_F16, &(Spread){.factor = 300}));
}

/* ResNet-50 or -18: the weights' bytes, and the seconds of the methods that the model chooses and
 * of those that it would if bytes cost nothing. */
static int64_t halved(bool deep, PlanOptions o, double *seconds, double *least)
{
    static const int blocks50[] = {3, 4, 6, 3}, blocks18[] = {2, 2, 2, 2};
    Bench b;
    bench_begin(&b);
    make_resnet(&b, 1, 224, deep ? blocks50 : blocks18, deep);
    run_passes(&b);
    Plan *plan = make_plan(&b, o);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    *seconds = *least = 0;
    const double price = plan->byte_price;
    for (int i = 0; i < plan->net->nodes.n; i++) {
        const Node *node = plan->net->nodes.at[i];
        if (node->op != OP_CONV)
            continue;
        plan->byte_price = price;
        const Method *chosen = choose_method(plan, node);
        plan->byte_price = 0;
        const Method *fastest = choose_method(plan, node);
        *seconds += chosen->seconds(plan, node, chosen);
        *least += fastest->seconds(plan, node, fastest);
    }
    const int64_t bytes = plan->weight_bytes;
    bench_end(&b);
    return bytes;
}

/* Weights of 16 bits are about half of what floats are with the same options, for at most 2 % of
 * the time that the fastest methods take. */
static void test_halves(void)
{
    for (int i = 0; i < 4; i++) {
        const bool deep = i & 1, balanced = i & 2;
        double seconds, least;
        PlanOptions o = {.optimize = balanced ? OPTIMIZE_BALANCED : OPTIMIZE_SPEED};
        const double floats = (double)halved(deep, o, &seconds, &least);
        for (o.weights_type = RNC_WEIGHTS_BF16; o.weights_type <= RNC_WEIGHTS_F16;
             o.weights_type++) {
            const double halves = (double)halved(deep, o, &seconds, &least);
            CU_ASSERT(halves < 0.55 * floats);
            CU_ASSERT(balanced || (seconds >= least && seconds <= 1.02 * least));
        }
    }
}

/* The kernel of a stem: a convolution of a picture of c channels to 64. */
static Kernel stem(PlanOptions o, int c, int kernel, int stride)
{
    Bench b;
    bench_begin(&b);
    Node *conv = make_conv(&b, make_input(&b, 1, c, 224, 224, ELEM_F32), kernel, 64, stride, 1);
    make_output(&b, conv);
    Plan *plan = make_plan(&b, o);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    const Kernel found = choose_method(plan, plan->net->nodes.at[conv->id])->kernel;
    bench_end(&b);
    return found;
}

static void test_stems(void)
{
    PlanOptions o = {.isas = 1u << ISA_avx2};
    CU_ASSERT_EQUAL(stem(o, 3, 7, 2), KERNEL_conv_winograd1d);
    CU_ASSERT_EQUAL(stem(o, 1, 7, 2), KERNEL_conv_winograd1d);
    CU_ASSERT_EQUAL(stem(o, 3, 3, 2), KERNEL_conv_direct); /* as many products */
    CU_ASSERT_EQUAL(stem(o, 3, 3, 1), KERNEL_conv_direct); /* little gained */
    CU_ASSERT_EQUAL(stem(o, 16, 7, 2), KERNEL_conv_direct);
    CU_ASSERT_EQUAL(stem(o, 3, 7, 1), KERNEL_conv_direct);
    CU_ASSERT_EQUAL(stem(o, 3, 9, 2), KERNEL_conv_direct);
    o.optimize = OPTIMIZE_BALANCED;
    CU_ASSERT_EQUAL(stem(o, 3, 7, 2), KERNEL_conv_winograd1d);
    o.optimize = OPTIMIZE_SIZE;
    CU_ASSERT_EQUAL(stem(o, 3, 7, 2), KERNEL_conv_direct);
    o.optimize = OPTIMIZE_SPEED;
    o.exact = true;
    CU_ASSERT_EQUAL(stem(o, 3, 7, 2), KERNEL_conv_direct);
    o.exact = false;
    o.backend = BACKEND_OPENBLAS;
    CU_ASSERT_EQUAL(stem(o, 3, 7, 2), KERNEL_conv_blas);
}

/* Is a 1x1 convolution of c to filters channels with hw x hw output pixels computed by Strassen's
 * method, in a network whose weights do not stay in the L3? */
static bool by_strassen_of(PlanOptions o, int c, int hw, int filters, int stride, int padding)
{
    Bench b;
    bench_begin(&b);
    Node *in = make_input(&b, 1, c, hw * stride, hw * stride, ELEM_F32);
    Node *conv = make_conv(&b, in, 1, filters, stride, 1);
    for (int i = 0; i < 4; i++)
        conv->attrs.padding[i] = padding;
    make_output(&b, conv);
    make_heavy(&b, conv, HEAVY);
    Plan *plan = make_plan(&b, o);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    const bool found = choose_method(plan, plan->net->nodes.at[conv->id]) == &method_conv_strassen;
    bench_end(&b);
    return found;
}

static bool by_strassen(PlanOptions o, int c, int hw, int filters)
{
    return by_strassen_of(o, c, hw, filters, 1, 0);
}

/* What was measured for the stages of ResNet-50. */
static void test_strassen(void)
{
    PlanOptions o = {.isas = 1u << ISA_avx2, .machine = &machine_rows[MACHINE_zen3]};
    CU_ASSERT(by_strassen(o, 1024, 14, 256));
    CU_ASSERT(by_strassen(o, 256, 14, 1024));
    CU_ASSERT(by_strassen(o, 128, 28, 512));
    CU_ASSERT(by_strassen(o, 512, 28, 128));
    CU_ASSERT(by_strassen_of(o, 512, 14, 1024, 2, 0));
    CU_ASSERT(!by_strassen_of(o, 512, 14, 1024, 2, 1)); /* zeros around */
    CU_ASSERT(!by_strassen(o, 64, 56, 256));            /* sums of too few channels */
    CU_ASSERT(!by_strassen(o, 256, 56, 64));   /* too few channels that share the sums of input */
    CU_ASSERT(!by_strassen(o, 1040, 14, 256)); /* no whole vectors in a half */
    CU_ASSERT(!by_strassen(o, 1024, 14, 224)); /* no whole panels in a half */
    CU_ASSERT(by_strassen(o, 8192, 14, 256));
    CU_ASSERT(!by_strassen(o, 16384, 14, 256)); /* a long sum, which is cut into blocks */
    CU_ASSERT(!by_strassen(o, 2048, 2, 2048));  /* reading weights takes longer */
    o.optimize = OPTIMIZE_BALANCED;
    CU_ASSERT(!by_strassen(o, 1024, 14, 256));
    o.optimize = OPTIMIZE_SPEED;
    o.exact = true;
    CU_ASSERT(!by_strassen(o, 1024, 14, 256));
    o.exact = false;
    o.backend = BACKEND_OPENBLAS;
    CU_ASSERT(!by_strassen(o, 1024, 14, 256));
    o.backend = BACKEND_NATIVE;
    o.isas = 1u << ISA_portable;
    CU_ASSERT(!by_strassen(o, 1024, 14, 256));
}

/* Seven products for a pair of pixels, four for one alone in its strip. */
static void test_strassen_products(void)
{
    rnc_conv_shape s = {.images = 1, .out_h = 14, .out_w = 14, .panel = 16};
    CU_ASSERT_EQUAL(strassen_products(&s, 196), 98 * 7);
    CU_ASSERT_EQUAL(strassen_products(&s, 49), 4 * (24 * 7 + 4));
    CU_ASSERT_EQUAL(strassen_products(&s, 195), 98 * 7);
    CU_ASSERT_EQUAL(strassen_products(&s, 60), 4 * (24 * 7 + 4));
    CU_ASSERT_EQUAL(strassen_products(&s, 1), 196 * 4);
    s.out_h = s.out_w = 7;
    CU_ASSERT_EQUAL(strassen_products(&s, 196), 24 * 7 + 4);
    CU_ASSERT_EQUAL(strassen_products(&s, 30), 12 * 7 + 12 * 7 + 4);
    s.images = 3;
    CU_ASSERT_EQUAL(strassen_products(&s, 196), 73 * 7 + 4);
}

/* What the tuner tries is read by the kernel and may stand in a tuning file. */
static void test_rows(void)
{
    for (int i = 0; i < METHOD_COUNT; i++) {
        const Method *m = method_rows[i];
        CU_ASSERT(m->word && *m->word && m->fits);
        CU_ASSERT((m->register_knobs & ~m->knobs) == 0);
        CU_ASSERT((m->wide == NULL) == (m->narrow == NULL));
        CU_ASSERT(m->share != share_scratch || (m->scratch && m->pieces));
        for (const Trial *t = m->trials; t && t->values[0] != TRIAL_END; t++) {
            const TuningLimit limit = tuning_limits[t->knob];
            CU_ASSERT(m->knobs >> t->knob & 1);
            for (int k = 0; k < TRIAL_VALUES && t->values[k] != TRIAL_END; k++)
                CU_ASSERT(limit.least <= t->values[k] && t->values[k] <= limit.most);
        }
    }
}

void suite_method(void)
{
    CU_pSuite s = CU_add_suite("method", NULL, NULL);
    CU_add_test(s, "rows", test_rows);
    CU_add_test(s, "machines", test_machines);
    CU_add_test(s, "stride", test_stride);
    CU_add_test(s, "taps", test_taps);
    CU_add_test(s, "taps' scratch", test_taps_scratch);
    CU_add_test(s, "products", test_products);
    CU_add_test(s, "batch", test_batch);
    CU_add_test(s, "choices", test_choices);
    CU_add_test(s, "dilated windows", test_dilated);
    CU_add_test(s, "large windows", test_large_windows);
    CU_add_test(s, "clipped windows", test_clipped);
    CU_add_test(s, "stems", test_stems);
    CU_add_test(s, "strassen", test_strassen);
    CU_add_test(s, "strassen products", test_strassen_products);
    CU_add_test(s, "outliers", test_spread);
    CU_add_test(s, "weights of 16 bits", test_halves);
}
