/* test_tuning.c: tunings as text, and what plans make of them. */
#include "plan/tuning.h"

#include "nets.h"
#include "plan/plan_parts.h"

#include <CUnit/CUnit.h>

#include <stdlib.h>
#include <string.h>

static const Tuning *parsed(Bench *b, const char *text)
{
    const int file = src_add(&b->src, "test.tuning", text, strlen(text));
    const Tuning *t = tuning_parse(b->arena, &b->src, file, &b->diag);
    CU_ASSERT_PTR_NOT_NULL_FATAL(t);
    return t;
}

/* A row for each convolution and dense layer of the network, with values at random. */
static Tuning *random_tuning(Bench *b, unsigned *seed)
{
    Tuning *t = NEW(b->arena, Tuning);
    for (int i = 0; i < b->net->nodes.n; i++) {
        const Node *node = b->net->nodes.at[i];
        if (!is_conv(node->op) || tuning_row(t, node))
            continue;
        const Method *method = method_rows[rand_r(seed) % METHOD_COUNT];
        TuningRow row = {.key = tuning_key(node), .method = method->word};
        for (int isa = 0; isa < ISA_COUNT; isa++) {
            row.set[isa] = (unsigned)rand_r(seed) & ((1u << KNOB_COUNT) - 1);
            for (int k = 0; k < KNOB_COUNT; k++) {
                TuningLimit l = tuning_limits[k];
                if (k == KNOB_group && method->pieces) /* it has no `group 0` */
                    l.least = 1;
                if (row.set[isa] >> k & 1)
                    *tuning_knob(&row.knobs[isa], k) =
                        l.least + rand_r(seed) % (l.most - l.least + 1);
            }
        }
        VEC_PUSH(b->arena, &t->rows, row);
    }
    return t;
}

static const char *text_of(Bench *b, const Tuning *t)
{
    Buf out = buf_new(b->arena);
    tuning_print(&out, t);
    return buf_text(&out);
}

/* Any values give plans that hold; what is written reads as the same. */
static void test_random(void)
{
    unsigned seed = 1;
    int tuned = 0;
    for (unsigned i = 0; i < 100; i++) {
        Bench b;
        bench_begin(&b);
        make_random(&b, 2000 + i, 40);
        run_passes(&b);
        Tuning *t = random_tuning(&b, &seed);
        const char *text = text_of(&b, t);
        const Tuning *again = parsed(&b, text);
        CU_ASSERT_STRING_EQUAL(text_of(&b, again), text);
        CU_ASSERT_EQUAL(tuning_used(again, b.net), t->rows.n);
        const PlanOptions o = {.isas = i % 2 ? 0 : (1u << ISA_COUNT) - 1, .tuning = again};
        const Plan *plan = make_plan(&b, o);
        CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
        tuned += t->rows.n;
        bench_end(&b);
    }
    CU_ASSERT(tuned > 300);
}

static void test_text(void)
{
    static const char text[] = "rnc tuning 1\n"
                               "conv 3x5 stride 2x1 dilation 2 groups 4 64x9x8 -> 32x7x6 images 3 "
                               "residual: winograd 4\n"
                               "  avx512: pixels 14, depth 192\n"
                               "  scalar: unroll 1\n"
                               "dense 9 -> 8 images 1: direct\n";
    Bench b;
    bench_begin(&b);
    const Tuning *t = parsed(&b, text);
    CU_ASSERT_EQUAL(t->rows.n, 2);
    CU_ASSERT_EQUAL(t->rows.at[0].knobs[ISA_avx512].depth, 192);
    CU_ASSERT_STRING_EQUAL(text_of(&b, t), text);
    CU_ASSERT_EQUAL(tuning_used(t, b.net), 0);
    bench_end(&b);
}

/* ---- who decides ---- */

/* The step of a 3x3 convolution of 64 to 64 channels of 28 x 28. */
static Step step_with(const char *text, PlanOptions o)
{
    Bench b;
    bench_begin(&b);
    make_output(&b, make_conv(&b, make_input(&b, 1, 64, 28, 28, ELEM_F32), 3, 64, 1, 1));
    o.tuning = text ? parsed(&b, text) : NULL;
    const Plan *plan = make_plan(&b, o);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    Step step = {0};
    for (int i = 0; i < plan->steps.n; i++) {
        if (plan->steps.at[i].weights)
            step = plan->steps.at[i];
    }
    bench_end(&b);
    return step;
}

#define LAYER "rnc tuning 1\nconv 3x3 stride 1 groups 1 64x28x28 -> 64x28x28 images 1: "

static void test_method(void)
{
    PlanOptions o = {.isas = 1u << ISA_avx2};
    CU_ASSERT_EQUAL(step_with(NULL, o).shape.conv.winograd, 4);
    CU_ASSERT_EQUAL(step_with(LAYER "winograd 2", o).shape.conv.winograd, 2);
    CU_ASSERT_EQUAL(step_with(LAYER "direct", o).kernel, KERNEL_conv_direct);
    const Step taps = step_with(LAYER "winograd 4 taps\navx2: group 3, depth 8", o);
    CU_ASSERT_EQUAL(taps.kernel, KERNEL_conv_winograd_taps);
    CU_ASSERT_EQUAL(taps.knobs[ISA_avx2].group, 3);
    CU_ASSERT_EQUAL(taps.knobs[ISA_avx2].depth, 8);
    o.exact = true;
    CU_ASSERT_EQUAL(step_with(LAYER "winograd 2", o).kernel, KERNEL_conv_direct);
    o.exact = false;
    o.optimize = OPTIMIZE_SIZE;
    CU_ASSERT_EQUAL(step_with(LAYER "winograd 2", o).kernel, KERNEL_conv_direct);
    o.optimize = OPTIMIZE_SPEED;
    o.backend = BACKEND_OPENBLAS;
    CU_ASSERT_EQUAL(step_with(LAYER "winograd 2", o).kernel, KERNEL_conv_blas);
}

/* Strassen's is the method of 1x1 alone, and no other is theirs but the direct one. */
static void test_pixels(void)
{
    static const char *const texts[] = {"direct", "winograd 4", "strassen\navx2: group 9, depth 8"};
    for (int kernel = 1; kernel <= 3; kernel += 2) {
        for (int i = 0; i < 3; i++) {
            Bench b;
            bench_begin(&b);
            Node *in = make_input(&b, 1, 64, 9, 9, ELEM_F32);
            Node *conv = make_conv(&b, in, kernel, 64, 1, 1);
            make_output(&b, conv);
            PlanOptions o = {.isas = 1u << ISA_avx2};
            o.tuning = parsed(&b, arena_printf(b.arena,
                                               "rnc tuning 1\nconv %dx%d stride 1 groups 1 64x9x9 "
                                               "-> 64x9x9 images 1: %s",
                                               kernel, kernel, texts[i]));
            const Plan *plan = make_plan(&b, o);
            CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
            const Step step = plan_step_with(plan, conv, o.tuning);
            const bool strassen = kernel == 1 && i == 2;
            CU_ASSERT_EQUAL(step.kernel, strassen                ? KERNEL_conv_strassen
                                         : kernel == 3 && i == 1 ? KERNEL_conv_winograd
                                                                 : KERNEL_conv_direct);
            CU_ASSERT(!strassen || step.knobs[ISA_avx2].group == 9);
            CU_ASSERT(!strassen || step.scratch_bytes == 4 * step.parts * 5 * (2 * 64 + 3 * 32));
            bench_end(&b);
        }
    }
}

/* Of few channels Winograd's method is that of four rows, and no other. */
static void test_stem(void)
{
    static const char *const texts[] = {"direct", "winograd 2", "winograd 4\navx2: group 9"};
    static const Kernel kernels[] = {KERNEL_conv_direct, KERNEL_conv_direct,
                                     KERNEL_conv_winograd1d};
    for (int i = 0; i < 3; i++) {
        Bench b;
        bench_begin(&b);
        Node *conv = make_conv(&b, make_input(&b, 1, 3, 28, 28, ELEM_F32), 3, 64, 1, 1);
        make_output(&b, conv);
        const char *row = "rnc tuning 1\nconv 3x3 stride 1 groups 1 3x28x28 -> 64x28x28 images 1: ";
        PlanOptions o = {.isas = 1u << ISA_avx2};
        o.tuning = parsed(&b, arena_printf(b.arena, "%s%s", row, texts[i]));
        const Plan *plan = make_plan(&b, o);
        CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
        const Step step = plan_step_with(plan, conv, o.tuning);
        CU_ASSERT_EQUAL(step.kernel, kernels[i]);
        CU_ASSERT_EQUAL(step.knobs[ISA_avx2].group, i == 2 ? 9 : 0);
        bench_end(&b);
    }
}

static void test_tiles(void)
{
    PlanOptions o = {.isas = 1u << ISA_avx2 | 1u << ISA_portable, .threads = 4};
    const Step was = step_with(LAYER "direct", o);
    Step is = step_with(LAYER "direct\navx2: pixels 5, prefetch_weights 0, split 1", o);
    rnc_knobs wanted = was.knobs[ISA_avx2];
    wanted.pixels = 5;
    wanted.prefetch_weights = 0;
    wanted.split = 1;
    CU_ASSERT(memcmp(&is.knobs[ISA_avx2], &wanted, sizeof wanted) == 0);
    CU_ASSERT(memcmp(&is.knobs[ISA_portable], &was.knobs[ISA_portable], sizeof wanted) == 0);

    /* The knobs of a row are of its method: exact computes directly, with its own. */
    o.exact = true;
    is = step_with(LAYER "winograd 2\navx2: pixels 5", o);
    CU_ASSERT(memcmp(is.knobs, was.knobs, sizeof is.knobs) == 0);
    o.exact = false;

    /* A larger group has more scratch, and fewer parts to be shared out. */
    const Step small = step_with(LAYER "winograd 4\navx2: group 4\nportable: group 4", o);
    const Step large = step_with(LAYER "winograd 4\navx2: group 30\nportable: group 30", o);
    CU_ASSERT_EQUAL(large.knobs[ISA_avx2].group, 30);
    CU_ASSERT(large.scratch_bytes / large.parts > 2 * small.scratch_bytes / small.parts);
    CU_ASSERT_EQUAL(small.parts, 4);
    CU_ASSERT_EQUAL(large.parts, 2);
}

void suite_tuning(void)
{
    CU_pSuite s = CU_add_suite("tuning", NULL, NULL);
    CU_add_test(s, "random networks and values", test_random);
    CU_add_test(s, "text", test_text);
    CU_add_test(s, "method", test_method);
    CU_add_test(s, "pixels", test_pixels);
    CU_add_test(s, "stem", test_stem);
    CU_add_test(s, "tiles", test_tiles);
}
