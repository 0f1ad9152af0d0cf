/* test_packed.c: which filters a training keeps in panels, what its steps do without, and where the
 * runtime finds numbers in panels. */
#include "nets.h"

#include "passes/differentiate.h"
#include "passes/evaluation.h"
#include "plan/training_parts.h"
#include "runtime/rnctrain.h"

#include <CUnit/CUnit.h>

#include <string.h>

/* What differs between two trainings. */
typedef struct Kind {
    int filters, groups;
    bool bias, twice; /* twice: another layer has the same filters */
    Train train;
    unsigned isas;
} Kind;

static const Train decayed = {.name = "t", .optimizer = TRAIN_SGD, .rate = 0.1, .decay = 0.01};

/* The second of three convolutions is the one that differs. */
static Plan *plan_of(Bench *b, const Kind *kind)
{
    bench_begin(b);
    Node *x = make_op(b, OP_RELU, make_conv(b, make_input(b, 4, 3, 8, 8, ELEM_F32), 3, 16, 1, 1));
    Attrs a = ir_default_attrs(OP_CONV);
    a.kernel[0] = a.kernel[1] = 1;
    a.filters = kind->filters, a.groups = kind->groups, a.bias = kind->bias;
    Node *conv = make(b, OP_CONV, &x, 1, &a);
    x = make_op(b, OP_RELU, conv);
    if (kind->twice) {
        x = make(b, OP_CONV, &x, 1, &a);
        x->params[P_WEIGHT] = conv->params[P_WEIGHT];
        x = make_op(b, OP_RELU, x);
    }
    make_output(b, make_pool(b, OP_AVGPOOL, make_conv(b, x, 1, 8, 1, 1), 8, 1, 0));
    b->net->train = kind->train.name ? &kind->train : NULL;
    const Loss loss = {0};
    CU_ASSERT_FATAL(differentiate(b->net, &loss, &b->diag));
    run_passes(b);
    CU_ASSERT_FATAL(add_evaluation(b->net, &b->diag));
    Plan *plan = make_plan(b, (PlanOptions){.isas = kind->isas});
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    return plan;
}

/* The forward convolution's parameter in that role, or NULL. */
static const Param *param_of(const Plan *plan, Role role)
{
    int n = 0;
    for (int i = 0; i < plan->net->nodes.n; i++) {
        const Node *node = plan->net->nodes.at[i];
        if (node->op == OP_CONV && ++n == 2)
            return node->params[role];
    }
    return NULL;
}

/* Whether the second convolution's filters are in panels, with the bias if there is one. */
static bool is_packed(const Kind *kind)
{
    Bench b;
    const Plan *plan = plan_of(&b, kind);
    const Param *weight = param_of(plan, P_WEIGHT), *bias = param_of(plan, P_BIAS);
    const Kept *kept = &plan->training->kept[weight->id];
    const bool packed = kept->filters != NULL;
    CU_ASSERT_EQUAL(kept_floats(plan, weight),
                    param_elements(weight) + (packed ? weight->dims[0] : 0));
    if (bias) {
        const Kept *own = &plan->training->kept[bias->id];
        CU_ASSERT_EQUAL(own->filters == weight, packed);
        CU_ASSERT_EQUAL(own->value == kept->value, packed);
        CU_ASSERT_FALSE(own->bare || kept->bare);
    }
    CU_ASSERT_EQUAL(kept->bare, packed && !bias);
    CU_ASSERT(plan_check(plan, &b.diag));
    bench_end(&b);
    return packed;
}

static void test_choice(void)
{
    const Kind usual = {.filters = 48, .groups = 1};
    Kind kind = usual;
    CU_ASSERT(is_packed(&kind));
    kind.isas = 1u << ISA_scalar;
    CU_ASSERT(is_packed(&kind));
    kind = usual, kind.filters = 24;
    CU_ASSERT_FALSE(is_packed(&kind));
    kind = usual, kind.groups = 2;
    CU_ASSERT_FALSE(is_packed(&kind));
    kind = usual, kind.filters = 16, kind.twice = true;
    CU_ASSERT_FALSE(is_packed(&kind));
    kind = usual, kind.bias = true;
    CU_ASSERT(is_packed(&kind));
}

/* One step of the optimizer treats filters and bias, or the zeros in place of one. */
static void test_optimizer(void)
{
    Kind kind = {.filters = 32, .groups = 1, .bias = true, .train = decayed};
    CU_ASSERT(is_packed(&kind));
    const char *except = "*.bias";
    kind.train.decay_except.at = &except, kind.train.decay_except.n = 1;
    CU_ASSERT_FALSE(is_packed(&kind));
    kind.train.decay = 0;
    CU_ASSERT(is_packed(&kind));
    kind.train.optimizer = TRAIN_ADAM, kind.train.epsilon = 0;
    CU_ASSERT(is_packed(&kind));
    kind.bias = false;
    CU_ASSERT_FALSE(is_packed(&kind));
    kind.train.epsilon = 1e-7;
    CU_ASSERT(is_packed(&kind));
}

/* Steps neither pack forward filters nor take gradients of a single slice out of panels, and one
 * step updates filters and bias. */
static void test_steps(void)
{
    const Kind kind = {.filters = 32, .groups = 1, .bias = true};
    Bench b;
    const Plan *plan = plan_of(&b, &kind);
    const Param *weight = param_of(plan, P_WEIGHT);
    const Tensor *value = plan->training->kept[weight->id].value;
    int updates = 0, reads = 0;
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *s = &plan->steps.at[i];
        updates += s->kernel == KERNEL_sgd && s->out[0].tensor == value;
        reads += s->filters.tensor == value;
        if (s->kernel == KERNEL_filter_pack && s->in[0].tensor == value)
            CU_ASSERT(s->shape.repack.turned && !s->shape.repack.plain);
        if (s->kernel == KERNEL_filter_sum && s->node->type.n == 32)
            CU_ASSERT(!s->shape.filter.plain && s->shape.filter.slices > 1);
    }
    CU_ASSERT_EQUAL(updates, 1);
    CU_ASSERT_EQUAL(reads, 2); /* of the step, of the evaluation */
    bench_end(&b);
}

/* 48 outputs of 2 inputs and 3 taps: a whole panel, and one of half the width. */
static void test_places(void)
{
    enum { OUTPUTS = 48, INPUTS = 2, TAPS = 3, ROWS = INPUTS * TAPS + 1 };
    static float state[OUTPUTS * ROWS], floats[OUTPUTS * INPUTS * TAPS], bias[OUTPUTS], got[1000];
    rnc_train_place p = {.outputs = OUTPUTS, .inputs = INPUTS, .window = TAPS, .rows = ROWS};
    rnc_train_place q = {.outputs = OUTPUTS, .inputs = 1, .window = 1, .rows = ROWS};
    p.row = 1;
    for (int i = 0; i < OUTPUTS * INPUTS * TAPS; i++)
        floats[i] = (float)(i + 1);
    for (int i = 0; i < OUTPUTS; i++)
        bias[i] = (float)(-i - 1);
    rnc_train_set(&p, (unsigned char *)state, floats);
    rnc_train_set(&q, (unsigned char *)state, bias);
    for (int o = 0; o < OUTPUTS; o++) {
        const float *panel = state + (o < 32 ? 0 : 32 * ROWS);
        const int width = o < 32 ? 32 : 16;
        CU_ASSERT(panel[o % 32] == bias[o]);
        for (int k = 0; k < INPUTS * TAPS; k++)
            CU_ASSERT(panel[(k + 1) * width + o % 32] ==
                      floats[(o * INPUTS + k % INPUTS) * TAPS + k / INPUTS]);
    }
    rnc_train_get(&p, (const unsigned char *)state, got);
    CU_ASSERT(memcmp(got, floats, sizeof floats) == 0);
    rnc_train_get(&q, (const unsigned char *)state, got);
    CU_ASSERT(memcmp(got, bias, sizeof bias) == 0);
    p.bare = 1;
    rnc_train_set(&p, (unsigned char *)state, floats);
    rnc_train_get(&q, (const unsigned char *)state, got);
    for (int i = 0; i < OUTPUTS; i++)
        CU_ASSERT(got[i] == 0.0f);
    rnc_train_get(&p, (const unsigned char *)state, got);
    CU_ASSERT(memcmp(got, floats, sizeof floats) == 0);
}

void suite_packed(void)
{
    CU_pSuite s = CU_add_suite("packed filters", NULL, NULL);
    CU_add_test(s, "which", test_choice);
    CU_add_test(s, "and the optimizer", test_optimizer);
    CU_add_test(s, "and steps", test_steps);
    CU_add_test(s, "and their places", test_places);
}
