/* test_bands.c: layers by bands: the same values, plans that hold, and where they are chosen. */
#include "net/check.h"
#include "net/eval.h"
#include "netgen.h"
#include "nets.h"
#include "passes/pass.h"
#include "plan/bands.h"
#include "plan/memory.h"

#include <CUnit/CUnit.h>

#include <string.h>

/* A machine whose L2 has this much, and whose L3 takes very long. */
static Machine with_l2(double kb)
{
    Machine m = machine_rows[MACHINE_sapphire_rapids];
    m.l2_kb = kb, m.l3 = 0.01;
    return m;
}

/* ---- the same values ---- */

static bool reads(const Node *user, const Node *node)
{
    bool found = false;
    for (int i = 0; i < user->n_in; i++)
        found = found || user->in[i] == node;
    return found;
}

/* Whether nodes first .. last can be a group, by the definition (bands.h). */
static bool can_be_group(const Net *net, int first, int last)
{
    for (int i = first; i <= last; i++) {
        const Node *node = net->nodes.at[i];
        bool inside = false;
        if (!is_by_rows(node))
            return false;
        for (int k = i + 1; k < net->nodes.n && i < last; k++) {
            const bool is_user = reads(net->nodes.at[k], node);
            inside = inside || (is_user && k <= last);
            if (is_user && k > last)
                return false;
        }
        for (int k = 0; k < net->outputs.n; k++) {
            if (i < last && net->outputs.at[k].node == node)
                return false;
        }
        if (i < last && !inside)
            return false;
    }
    return true;
}

/* The longest group from `first` on, at most to `end`; it is `first` alone if there is no other. */
static int longest_group(const Net *net, int first, int end)
{
    int last = first;
    for (int i = first; i < end && is_by_rows(net->nodes.at[i]); i++)
        last = can_be_group(net, first, i) ? i : last;
    return last;
}

/* Disjoint groups, each with a random number of bands; how many bands there are. */
static int random_groups(NetTest *t, BandGroups *groups)
{
    int bands = 0;
    for (int i = 0; i < t->net->nodes.n; i++) {
        const Node *node = t->net->nodes.at[i];
        if (!is_by_rows(node) || node->n_in == 0 || netgen_int(t, 0, 3) == 0)
            continue;
        const int last = longest_group(t->net, i, netgen_int(t, i + 1, t->net->nodes.n));
        const int h = t->net->nodes.at[last]->type.h;
        if (!can_be_group(t->net, i, last) || h < 2)
            continue;
        const BandGroup g = {i, last, netgen_int(t, 2, h)};
        VEC_PUSH(t->arena, groups, g);
        bands += g.bands;
        i = last;
    }
    return bands;
}

/* Each row of each result is computed from the same numbers in the same order: the bits are the
 * same. */
static void compare(NetTest *t, const Net *whole, const Net *banded)
{
    const double **inputs = netgen_values(t);
    EvalState *a_state = eval_state(whole, t->arena), *b_state = eval_state(banded, t->arena);
    const EvalResult a = eval_run(whole, a_state, inputs, EVAL_DOUBLE, t->arena);
    const EvalResult b = eval_run(banded, b_state, inputs, EVAL_DOUBLE, t->arena);
    for (int i = 0; i < whole->outputs.n; i++) {
        const Node *was = whole->outputs.at[i].node, *is = banded->outputs.at[i].node;
        CU_ASSERT(type_eq(was->type, is->type) && strcmp(was->name, is->name) == 0);
        CU_ASSERT(memcmp(a.values[was->id], b.values[is->id],
                         (size_t)type_elements(was->type) * sizeof(double)) == 0);
    }
}

static void test_values(void)
{
    int bands = 0;
    for (int seed = 1; seed <= 300; seed++) {
        NetTest t;
        netgen_begin(&t, (uint64_t)seed);
        t.batch = seed % 3;
        netgen_random(&t, netgen_int(&t, 5, 30));
        netgen_fill(&t);
        CU_ASSERT(pass_run(t.net, &t.diag, (PassChoice){0}));
        BandGroups groups = {0};
        bands += random_groups(&t, &groups);
        Net *banded = bands_cut(t.net, &groups, t.arena);
        CU_ASSERT(check_net(banded, &t.diag, "cutting"));
        if (t.diag.errors)
            printf("seed %d: %s", seed, buf_text(&t.diag.out));
        else
            compare(&t, t.net, banded);
        netgen_end(&t);
    }
    CU_ASSERT(bands > 1000);
}

/* ---- plans ---- */

/* make_plan() checks each (plancheck.c); some have bands, and some of these share their layers
 * among threads. */
static void test_plans(void)
{
    const Machine machine = with_l2(24.0);
    int runs = 0, slots = 0, alone = 0;
    for (unsigned seed = 1; seed <= 600; seed++) {
        Bench b;
        bench_begin(&b);
        make_random(&b, seed, 4 + (int)(seed % 24));
        run_passes(&b);
        PlanOptions o = {.machine = &machine, .threads = (int)(seed % 4)};
        const Plan *plan = make_plan(&b, o);
        CU_ASSERT_PTR_NOT_NULL(plan);
        if (!plan)
            printf("seed %u: %s", seed, buf_text(&b.diag.out));
        for (int i = 0; plan && i < plan->band_runs.n; i++) {
            runs++;
            slots += plan->band_runs.at[i].slots > 1;
            alone += plan->band_runs.at[i].slots == 1;
            CU_ASSERT(o.threads > 1 || plan->band_runs.at[i].slots == 1);
        }
        bench_end(&b);
    }
    CU_ASSERT(runs > 40 && slots > 20 && alone > 20);
}

/* Everything of a band but its rows of the result is in a slot, and the same in each. */
static void test_slots(void)
{
    const Machine machine = with_l2(128.0);
    Bench b;
    bench_begin(&b);
    Node *in = make_input(&b, 1, 16, 32, 32, ELEM_F32);
    Node *x = make_conv(&b, in, 1, 64, 1, 1);
    x = make_conv(&b, x, 3, 64, 1, 64);
    make_output(&b, make_conv(&b, x, 1, 16, 1, 1));
    const Plan *plan = make_plan(&b, (PlanOptions){.machine = &machine, .threads = 2});
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    CU_ASSERT_EQUAL_FATAL(plan->band_runs.n, 1);
    const BandRun *r = &plan->band_runs.at[0];
    CU_ASSERT_EQUAL(r->slots, 2);
    CU_ASSERT_EQUAL(r->bands % 2, 0);
    CU_ASSERT_EQUAL(r->end - r->first, 3 * r->bands);
    CU_ASSERT_EQUAL(plan->buffers.at[r->buffer].bytes, 2 * r->bytes);
    int inside = 0;
    for (int i = r->first; i < r->end; i++)
        inside += plan->buffers.at[plan->steps.at[i].out[0].tensor->buffer].run == 1;
    CU_ASSERT_EQUAL(inside, 2 * r->bands);
    const Plan *serial = make_plan(&b, (PlanOptions){.machine = &machine, .threads = 1});
    CU_ASSERT_PTR_NOT_NULL_FATAL(serial);
    CU_ASSERT(serial->arena_bytes < plan->arena_bytes);
    bench_end(&b);
}

/* All bands of a layer read the same weights. */
static void test_weights(void)
{
    const Machine machine = with_l2(256.0), large = with_l2(1e6);
    Bench b;
    bench_begin(&b);
    Node *in = make_input(&b, 1, 16, 32, 32, ELEM_F32);
    Node *x = make_conv(&b, in, 3, 64, 1, 1);
    make_output(&b, make_conv(&b, x, 3, 16, 1, 1));
    const Plan *banded = make_plan(&b, (PlanOptions){.machine = &machine, .threads = 1});
    const Plan *whole = make_plan(&b, (PlanOptions){.machine = &large, .threads = 1});
    CU_ASSERT_PTR_NOT_NULL_FATAL(banded);
    CU_ASSERT_PTR_NOT_NULL_FATAL(whole);
    CU_ASSERT(banded->band_runs.n > 0 && whole->band_runs.n == 0);
    CU_ASSERT_EQUAL(banded->packed.n, whole->packed.n);
    bench_end(&b);
}

/* ---- where rows are stored ---- */

static Node *make_crop(Bench *b, Node *in, int top, int bottom)
{
    Attrs a = ir_default_attrs(OP_CROP);
    a.padding[0] = top, a.padding[2] = bottom;
    return make(b, OP_CROP, &in, 1, &a);
}

/* Some rows are a view of the tensor, unless windows must find zeros where its other rows are; what
 * is stacked is written there. */
static void test_views(void)
{
    Bench b;
    bench_begin(&b);
    Node *x = make_conv(&b, make_input(&b, 1, 16, 8, 8, ELEM_F32), 1, 16, 1, 1);
    Node *low = make_crop(&b, x, 4, 0), *high = make_crop(&b, x, 0, 4),
         *edge = make_crop(&b, x, 2, 2);
    Node *arms[] = {make_conv(&b, high, 1, 16, 1, 1), make_conv(&b, low, 1, 16, 1, 1)};
    const Attrs none = ir_default_attrs(OP_STACK);
    Node *stack = make(&b, OP_STACK, arms, 2, &none);
    make_output(&b, make_conv(&b, stack, 3, 8, 1, 1));
    make_output(&b, make_conv(&b, edge, 3, 8, 1, 1));
    const Plan *plan = make_plan(&b, (PlanOptions){.isas = 1u << ISA_avx512});
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    const Tensor *const *t = (const Tensor *const *)plan->tensors;
    CU_ASSERT_EQUAL(t[low->id]->buffer, t[x->id]->buffer);
    CU_ASSERT_EQUAL(t[low->id]->origin, t[x->id]->origin + 4 * t[x->id]->row);
    CU_ASSERT_EQUAL(t[high->id]->origin, t[x->id]->origin);
    CU_ASSERT(t[edge->id]->buffer != t[x->id]->buffer);
    CU_ASSERT_EQUAL(t[arms[1]->id]->origin, t[stack->id]->origin + 4 * t[stack->id]->row);
    CU_ASSERT(t[arms[0]->id]->halo[0] == 1 && t[arms[0]->id]->halo[2] == 0);
    CU_ASSERT(t[arms[1]->id]->halo[0] == 0 && t[arms[1]->id]->halo[2] == 1);
    bench_end(&b);
}

/* ---- where they are chosen ---- */

/* An inverted residual block of MobileNetV2, at the size of its second one. */
static int bands_of_block(int machine, int size, int threads)
{
    Bench b;
    bench_begin(&b);
    Node *x = make_conv(&b, make_input(&b, 1, 3, size, size, ELEM_F32), 3, 16, 1, 1);
    x = make_conv_bn(&b, x, 1, 96, 1, true);
    x = make_op(&b, OP_RELU, make_op(&b, OP_BN, make_conv(&b, x, 3, 96, 2, 96)));
    make_output(&b, make_conv_bn(&b, x, 1, 24, 1, false));
    run_passes(&b);
    const Plan *plan =
        make_plan(&b, (PlanOptions){.machine = &machine_rows[machine], .threads = threads});
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    const int bands = plan->band_runs.n ? plan->band_runs.at[0].bands : 0;
    bench_end(&b);
    return bands;
}

static void test_choice(void)
{
    CU_ASSERT_EQUAL(bands_of_block(MACHINE_granite_rapids, 112, 1), 4); /* 4.8 MB; an L2 of 2 */
    CU_ASSERT_EQUAL(bands_of_block(MACHINE_granite_rapids, 112, 2), 4);
    CU_ASSERT_EQUAL(bands_of_block(MACHINE_granite_rapids, 112, 8) % 8, 0);
    CU_ASSERT_EQUAL(bands_of_block(MACHINE_granite_rapids, 28, 1), 0); /* everything is near */
    CU_ASSERT_EQUAL(bands_of_block(MACHINE_apple_m1, 112, 1), 0);      /* 12 MB of L2 */
}

/* ---- a memory ---- */

static Plan *plan_within(Bench *b, MemoryGoal goal, MemoryReport *report)
{
    PlanOptions o = {.machine = &machine_rows[MACHINE_generic], .threads = 1};
    return fit_bands(b->net, &o, goal, report, &b->diag) ? make_plan(b, o) : NULL;
}

/* Choices need less and less, and the last is taken; what there is suffices, and a byte less does
 * not. */
static void test_memory(void)
{
    static const int blocks[] = {2, 2, 2, 2};
    MemoryReport report;
    Bench b;
    bench_begin(&b);
    make_resnet(&b, 4, 64, blocks, false);
    run_passes(&b);
    const Plan *fastest = plan_within(&b, (MemoryGoal){MEMORY_FASTEST, 0}, &report);
    CU_ASSERT_EQUAL(report.choices.n, 1);
    const Plan *least = plan_within(&b, (MemoryGoal){MEMORY_LEAST, 0}, &report);
    CU_ASSERT_FATAL(fastest && least && report.choices.n > 2);
    for (int i = 1; i < report.choices.n; i++) {
        CU_ASSERT(report.choices.at[i].arena < report.choices.at[i - 1].arena);
        CU_ASSERT(report.choices.at[i].layers > 1);
    }
    CU_ASSERT(report.choices.at[report.choices.n - 1].taken);
    CU_ASSERT_EQUAL(report.choices.at[report.choices.n - 1].arena, least->arena_bytes);
    CU_ASSERT(4 * least->arena_bytes < 3 * fastest->arena_bytes);
    MemoryGoal goal = {MEMORY_BYTES, (fastest->arena_bytes + least->arena_bytes) / 2};
    const Plan *between = plan_within(&b, goal, &report);
    CU_ASSERT(between && between->arena_bytes <= goal.bytes);
    goal.bytes = least->arena_bytes;
    CU_ASSERT_PTR_NOT_NULL(plan_within(&b, goal, &report));
    goal.bytes--;
    CU_ASSERT_PTR_NULL(plan_within(&b, goal, &report));
    CU_ASSERT_EQUAL(b.diag.errors, 1);
    bench_end(&b);
}

void suite_bands(void)
{
    CU_pSuite s = CU_add_suite("bands", NULL, NULL);
    CU_add_test(s, "the same values", test_values);
    CU_add_test(s, "plans", test_plans);
    CU_add_test(s, "slots", test_slots);
    CU_add_test(s, "one set of weights", test_weights);
    CU_add_test(s, "rows are views", test_views);
    CU_add_test(s, "choice", test_choice);
    CU_add_test(s, "a memory", test_memory);
}
