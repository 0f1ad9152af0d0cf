/* test_plancheck.c: steps of several results, states, scratch, and that plan_check() finds what is
 * wrong with them. */
#include "nets.h"
#include "plan/batch.h"
#include "plan/plan_parts.h"

#include <CUnit/CUnit.h>

#include <string.h>

/* ---- plans that somebody broke ---- */

static Step *step_with(Plan *plan, Kernel kernel, int nth)
{
    for (int i = 0; i < plan->steps.n; i++) {
        if (plan->steps.at[i].kernel == kernel && nth-- == 0)
            return &plan->steps.at[i];
    }
    return NULL;
}

typedef void Breaker(Plan *plan);

static void forget_halo(Plan *plan)
{
    for (int i = 0; i < plan->steps.n; i++)
        plan->steps.at[i].clear_halo = 0;
}

static void overlap(Plan *plan)
{
    const Step *step = step_with(plan, KERNEL_conv_direct, 3);
    plan->buffers.at[step->out[0].tensor->buffer].offset =
        plan->buffers.at[step->in[0].tensor->buffer].offset;
}

static void leave_arena(Plan *plan)
{
    const Step *step = step_with(plan, KERNEL_maxpool, 0);
    plan->buffers.at[step->out[0].tensor->buffer].offset = plan->arena_bytes;
}

static void overwrite_operand(Plan *plan)
{
    Step *step = step_with(plan, KERNEL_conv_direct, 3);
    step->out[0] = step->in[0];
}

static void swap_steps(Plan *plan)
{
    Step *a = step_with(plan, KERNEL_conv_direct, 2), *b = a + 1, c = *a;
    *a = *b;
    *b = c;
}

static void widen(Plan *plan)
{
    step_with(plan, KERNEL_conv_direct, 2)->shape.conv.out_h += 2;
}

static void forget_output(Plan *plan)
{
    plan->steps.n--;
}

static void lose_operand(Plan *plan)
{
    step_with(plan, KERNEL_maxpool, 0)->in[0].kind = PLACE_NONE;
}

static void add_operand(Plan *plan)
{
    Step *step = step_with(plan, KERNEL_maxpool, 0);
    step->in[1] = step->in[0];
}

/* A repeat that holds an iteration more than there are. */
static void repeat_more(Plan *plan)
{
    plan->repeats.at[0].count++;
}

static void move_weights(Plan *plan)
{
    const Repeat r = plan->repeats.at[0];
    plan->steps.at[r.first + r.period].weights->offset += 64;
}

static void test_check(void)
{
    static Breaker *const breakers[] = {
        forget_halo,   overlap,     leave_arena,  overwrite_operand, swap_steps, widen,
        forget_output, repeat_more, move_weights, lose_operand,      add_operand};
    for (size_t i = 0; i < sizeof breakers / sizeof *breakers; i++) {
        Bench b;
        Plan *plan = plan_resnet(&b, true, true);
        CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
        CU_ASSERT(plan_check(plan, &b.diag));
        breakers[i](plan);
        CU_ASSERT_FALSE(plan_check(plan, &b.diag));
        CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&b.diag.out), "plan: "));
        bench_end(&b);
    }
}

/* ---- several results ---- */

/* Six parts of 3 channels, each of which a 3x3 convolution reads. */
static Plan *plan_parts(Bench *b)
{
    bench_begin(b);
    Node *x = make_op(b, OP_RELU, make_input(b, 1, 18, 5, 5, ELEM_F32));
    Attrs a = ir_default_attrs(OP_SPLIT);
    Node *parts[6], *sum = NULL;
    a.parts = 6;
    for (; a.result < a.parts; a.result++)
        parts[a.result] = make(b, OP_SPLIT, &x, 1, &a);
    for (int i = 0; i < 6; i++) {
        Node *conv = make_conv(b, parts[i], 3, 4, 1, 1);
        sum = sum ? make_join(b, OP_ADD, sum, conv) : conv;
    }
    make_output(b, sum);
    Plan *plan = make_plan(b, (PlanOptions){.isas = 1u << ISA_avx2});
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    return plan;
}

/* A step copies four of them, and clears what is around each. */
static void test_results(void)
{
    Bench b;
    Plan *plan = plan_parts(&b);
    const Step *four = step_with(plan, KERNEL_split, 0), *two = step_with(plan, KERNEL_split, 1);
    CU_ASSERT_FATAL(four && two && !step_with(plan, KERNEL_split, 2));
    CU_ASSERT(four->shape.split.parts == 4 && two->shape.split.parts == 2);
    CU_ASSERT(four->clear_halo == 15 && two->clear_halo == 3);
    CU_ASSERT_STRING_EQUAL(four->out[3].tensor->node->name, "split6");
    CU_ASSERT_EQUAL(two->in[0].shift, 12);
    CU_ASSERT_EQUAL(two->out[2].kind, PLACE_NONE);
    bench_end(&b);
}

static void lose_result(Plan *plan)
{
    step_with(plan, KERNEL_split, 0)->out[3] = (Operand){0};
}

static void repeat_result(Plan *plan)
{
    Step *step = step_with(plan, KERNEL_split, 0);
    step->out[2] = step->out[1];
}

static void forget_third_halo(Plan *plan)
{
    step_with(plan, KERNEL_split, 0)->clear_halo = 11;
}

static void clear_other_halo(Plan *plan)
{
    step_with(plan, KERNEL_split, 0)->halo[1].result = 0;
}

static void test_check_results(void)
{
    static Breaker *const breakers[] = {lose_result, repeat_result, forget_third_halo,
                                        clear_other_halo};
    for (size_t i = 0; i < sizeof breakers / sizeof *breakers; i++) {
        Bench b;
        Plan *plan = plan_parts(&b);
        CU_ASSERT(plan_check(plan, &b.diag));
        breakers[i](plan);
        CU_ASSERT_FALSE(plan_check(plan, &b.diag));
        bench_end(&b);
    }
}

/* ---- state ---- */

/* A convolution over the rows of a history, with a delayed residual. */
static Plan *plan_stream(Bench *b, int n)
{
    bench_begin(b);
    Node *x = make_op(b, OP_RELU, make_input(b, n, 20, 3, 6, ELEM_F32));
    Attrs a = ir_default_attrs(OP_HISTORY);
    a.frames = 2;
    Node *rows = make(b, OP_HISTORY, &x, 1, &a);
    a = ir_default_attrs(OP_CONV);
    a.kernel[0] = a.kernel[1] = 3;
    a.filters = 20;
    a.padding[1] = a.padding[3] = 1;
    Node *conv = make(b, OP_CONV, &rows, 1, &a);
    a = ir_default_attrs(OP_DELAY);
    a.frames = 3;
    Node *late = make(b, OP_DELAY, &x, 1, &a);
    make_output(b, make_join(b, OP_ADD, conv, late));
    Plan *plan = make_plan(b, (PlanOptions){.isas = 1u << ISA_avx512});
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    return plan;
}

static void test_states(void)
{
    Bench b;
    Plan *plan = plan_stream(&b, 2);
    CU_ASSERT_EQUAL_FATAL(plan->states.n, 2);
    const State *rows = plan->states.at[0], *late = plan->states.at[1];
    CU_ASSERT_EQUAL(rows->offset, 0);
    /* 5 rows of 1 + 6 + 1 pixels of 32 channels; 3 + 1 values of 3 rows */
    CU_ASSERT_EQUAL(rows->bytes, 2 * 5 * 8 * 32 * 4);
    CU_ASSERT_EQUAL(late->offset, rows->bytes);
    CU_ASSERT_EQUAL(late->bytes, 2 * 4 * 3 * 6 * 32 * 4);
    CU_ASSERT_EQUAL(plan->state_bytes, late->offset + late->bytes);
    CU_ASSERT(type_eq(rows->type, (Type){ELEM_F32, 2, 5, 6, 20}));
    CU_ASSERT(type_eq(late->type, (Type){ELEM_F32, 8, 3, 6, 20}));
    CU_ASSERT_EQUAL(whole_state(plan), plan->state_bytes * plan->turns);

    /* One of another type, which no node keeps: a counter. */
    const int64_t before = plan->state_bytes;
    const State *count = add_state(plan, "count", ELEM_I32, (Type){ELEM_I32, 1, 1, 1, 3}, 3);
    CU_ASSERT_PTR_EQUAL(plan->states.at[2], count);
    CU_ASSERT(count->offset == before && count->bytes == 64);
    CU_ASSERT_EQUAL(plan->state_bytes, before + 64);
    bench_end(&b);
}

static void shrink_state(Plan *plan)
{
    plan->states.at[1]->bytes -= 64;
}

static void keep_in_arena(Plan *plan)
{
    step_with(plan, KERNEL_shift, 0)->out[0].kind = PLACE_ARENA;
}

/* The convolution reads a history before it is moved on. */
static void read_early(Plan *plan)
{
    Step *a = step_with(plan, KERNEL_shift, 0), *b = a + 1, c = *a;
    *a = *b;
    *b = c;
}

static void test_check_state(void)
{
    static Breaker *const breakers[] = {shrink_state, keep_in_arena, read_early};
    for (size_t i = 0; i < sizeof breakers / sizeof *breakers; i++) {
        Bench b;
        Plan *plan = plan_stream(&b, 1);
        CU_ASSERT(plan_check(plan, &b.diag));
        breakers[i](plan);
        CU_ASSERT_FALSE(plan_check(plan, &b.diag));
        bench_end(&b);
    }
}

/* ---- scratch ---- */

/* The first step with scratch. */
static Step *scratch_step(Plan *plan)
{
    for (int i = 0; i < plan->steps.n; i++) {
        if (plan->steps.at[i].scratch >= 0)
            return &plan->steps.at[i];
    }
    return NULL;
}

static void shrink_scratch(Plan *plan)
{
    plan->buffers.at[scratch_step(plan)->scratch].bytes -= 64;
}

static void forget_scratch(Plan *plan)
{
    scratch_step(plan)->scratch = -1;
}

static void share_more(Plan *plan)
{
    scratch_step(plan)->parts++;
}

/* A tuning that somebody applies after scratch was counted. */
static void widen_groups(Plan *plan)
{
    scratch_step(plan)->knobs[ISA_avx2].group *= 2;
}

/* Scratch that a part, or one instruction set's tile, would write past. */
static void test_scratch(void)
{
    static Breaker *const breakers[] = {shrink_scratch, forget_scratch, share_more, widen_groups};
    for (size_t i = 0; i < sizeof breakers / sizeof *breakers; i++) {
        Bench b;
        bench_begin(&b);
        make_output(&b, make_conv(&b, make_input(&b, 1, 64, 56, 56, ELEM_F32), 3, 64, 1, 1));
        Plan *plan = make_plan(&b, (PlanOptions){0});
        CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
        CU_ASSERT_PTR_NOT_NULL_FATAL(scratch_step(plan));
        CU_ASSERT(plan_check(plan, &b.diag));
        breakers[i](plan);
        CU_ASSERT_FALSE(plan_check(plan, &b.diag));
        CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&b.diag.out), "has too little scratch"));
        bench_end(&b);
    }
}

void suite_plancheck(void)
{
    CU_pSuite s = CU_add_suite("plan check", NULL, NULL);
    CU_add_test(s, "scratch", test_scratch);
    CU_add_test(s, "check", test_check);
    CU_add_test(s, "steps of several results", test_results);
    CU_add_test(s, "check of several results", test_check_results);
    CU_add_test(s, "states", test_states);
    CU_add_test(s, "check of states", test_check_state);
}
