/* test_training.c: plans of a step of training: what an evaluation finds, when the state changes,
 * and their hash. */
#include "nets.h"

#include "passes/differentiate.h"
#include "passes/evaluation.h"
#include "plan/training_parts.h"

#include <CUnit/CUnit.h>

/* What differs between two trainings. */
typedef struct Kind {
    int images, filters, kernel;
    bool relu;
    double smoothing;
    Train train;
    const char *name; /* of a layer, or NULL */
    unsigned isas;
} Kind;

static const Kind usual = {.images = 4, .filters = 16, .kernel = 3, .relu = true};

static Plan *plan_of(Bench *b, const Kind *kind)
{
    bench_begin(b);
    Node *x = make_input(b, kind->images, 3, 8, 8, ELEM_F32);
    x = make_conv_bn(b, x, 3, kind->filters, 1, kind->relu);
    Node *last = make_conv(b, x, kind->kernel, 8, 1, 1);
    if (kind->name)
        last->params[P_WEIGHT]->name = kind->name;
    make_output(b, make_pool(b, OP_AVGPOOL, last, 8, 1, 0));
    b->net->train = kind->train.name ? &kind->train : NULL;
    const Loss loss = {.smoothing = kind->smoothing};
    CU_ASSERT_FATAL(differentiate(b->net, &loss, &b->diag));
    run_passes(b);
    CU_ASSERT_FATAL(add_evaluation(b->net, &b->diag));
    return make_plan(b, (PlanOptions){.isas = kind->isas});
}

/* Steps of each stage clear what is around the tensor that the convolutions of both read. */
static void test_halos(void)
{
    Bench b;
    const Plan *plan = plan_of(&b, &usual);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    int cleared[2] = {0, 0}, inputs[2] = {0, 0};
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *step = &plan->steps.at[i];
        const bool evaluates = i >= plan->training->begin[STAGE_EVALUATE];
        if (step->kernel != KERNEL_input)
            continue;
        inputs[evaluates]++;
        cleared[evaluates] += (int)(step->clear_halo & 1);
        CU_ASSERT(step->out[0].tensor->halo[0] == 1 && step->out[0].tensor->halo[1] == 1);
    }
    CU_ASSERT(inputs[0] == 1 && inputs[1] == 1);
    CU_ASSERT(cleared[0] == 1 && cleared[1] == 1);
    bench_end(&b);
}

/* Between two rows, and between two images, there are the zeros of one side. */
static void test_shared_halos(void)
{
    Bench b;
    const Plan *plan = plan_of(&b, &usual);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    const Tensor *t = NULL;
    for (int i = 0; i < plan->steps.n && !t; i++) {
        if (plan->steps.at[i].kernel == KERNEL_input)
            t = plan->steps.at[i].out[0].tensor;
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(t);
    const Type type = t->node->type;
    CU_ASSERT(t->halo[0] == 1 && t->halo[1] == 1 && t->halo[2] == 1 && t->halo[3] == 1);
    CU_ASSERT_EQUAL(t->row, (type.w + 1) * t->pixel);
    CU_ASSERT_EQUAL(t->image, (type.h + 1) * t->row);
    CU_ASSERT_EQUAL(plan->buffers.at[t->buffer].bytes,
                    round_up((type.n * t->image + t->row + t->pixel) * 4, 64));
    bench_end(&b);
}

/* A step of an evaluation that trusts what a step of training has cleared. */
static void test_check(void)
{
    Bench b;
    Plan *plan = plan_of(&b, &usual);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT(plan_check(plan, &b.diag));
    for (int i = plan->training->begin[STAGE_EVALUATE]; i < plan->steps.n; i++) {
        if (plan->steps.at[i].kernel == KERNEL_input)
            plan->steps.at[i].clear_halo = 0;
    }
    CU_ASSERT_FALSE(plan_check(plan, &b.diag));
    bench_end(&b);
}

/* Running statistics move when no number that is looked at can be other than finite any more. */
static void test_moves(void)
{
    for (int limits = 0; limits < 2; limits++) {
        Bench b;
        Kind kind = usual;
        kind.train = (Train){.name = "t", .optimizer = TRAIN_SGD, .rate = 0.1, .clip_norm = 1};
        kind.train.given[TRAIN_CLIP_NORM] = limits;
        const Plan *plan = plan_of(&b, &kind);
        CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
        const int *begin = plan->training->begin;
        int moves = 0;
        for (int i = 0; i < plan->steps.n; i++) {
            if (plan->steps.at[i].kernel != KERNEL_bn_move)
                continue;
            moves++;
            CU_ASSERT(i >= begin[limits ? STAGE_UPDATE : STAGE_BACKWARD]);
            CU_ASSERT(i < begin[limits ? STAGE_EVALUATE : STAGE_UPDATE]);
        }
        CU_ASSERT_EQUAL(moves, 1);
        bench_end(&b);
    }
}

/* The hash of what is trained, or that of the order of its state. */
static uint64_t identity_of(Kind kind, bool layout)
{
    Bench b;
    const Plan *plan = plan_of(&b, &kind);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    const uint64_t identity = layout ? plan->layout : plan->hash;
    bench_end(&b);
    return identity;
}

static uint64_t hash_of(Kind kind)
{
    return identity_of(kind, false);
}

static uint64_t layout_of(Kind kind)
{
    return identity_of(kind, true);
}

/* A state of one step fits another one of fewer images, or for other instruction sets. */
static void test_layout(void)
{
    const Train sgd = {.name = "t", .optimizer = TRAIN_SGD, .rate = 0.1, .momentum = 0.9};
    const uint64_t layout = layout_of(usual);
    Kind kind = usual;
    kind.images = 8, kind.isas = 1u << ISA_scalar;
    CU_ASSERT_EQUAL(layout_of(kind), layout);
    kind.filters = 8;
    CU_ASSERT_NOT_EQUAL(layout_of(kind), layout);
    kind = usual, kind.train = sgd;
    CU_ASSERT_NOT_EQUAL(layout_of(kind), layout);
}

static void test_hash(void)
{
    const uint64_t hash = hash_of(usual);
    const Train sgd = {.name = "t", .optimizer = TRAIN_SGD, .rate = 0.1, .momentum = 0.9};
    Kind kind = usual;
    CU_ASSERT_EQUAL(hash_of(kind), hash);
    kind.images = 8;
    CU_ASSERT_EQUAL(hash_of(kind), hash);
    kind.isas = 1u << ISA_scalar;
    CU_ASSERT_EQUAL(hash_of(kind), hash);
    kind = usual, kind.filters = 8;
    CU_ASSERT_NOT_EQUAL(hash_of(kind), hash);
    kind = usual, kind.kernel = 1;
    CU_ASSERT_NOT_EQUAL(hash_of(kind), hash);
    kind = usual, kind.relu = false;
    CU_ASSERT_NOT_EQUAL(hash_of(kind), hash);
    kind = usual, kind.name = "another";
    CU_ASSERT_NOT_EQUAL(hash_of(kind), hash);
    kind = usual, kind.smoothing = 0.1;
    CU_ASSERT_NOT_EQUAL(hash_of(kind), hash);
    kind = usual, kind.train = sgd;
    const uint64_t with_momentum = hash_of(kind);
    CU_ASSERT_NOT_EQUAL(with_momentum, hash);
    kind.train.rate = 0.2;
    CU_ASSERT_EQUAL(hash_of(kind), with_momentum);
    kind.train.nesterov = true;
    CU_ASSERT_NOT_EQUAL(hash_of(kind), with_momentum);
    kind.train = sgd, kind.train.decay = 0.01;
    CU_ASSERT_NOT_EQUAL(hash_of(kind), with_momentum);
}

void suite_training(void)
{
    CU_pSuite s = CU_add_suite("plans of training", NULL, NULL);
    CU_add_test(s, "halos of an evaluation", test_halos);
    CU_add_test(s, "shared halos", test_shared_halos);
    CU_add_test(s, "check of an evaluation", test_check);
    CU_add_test(s, "running statistics", test_moves);
    CU_add_test(s, "order of the state", test_layout);
    CU_add_test(s, "hash", test_hash);
}
