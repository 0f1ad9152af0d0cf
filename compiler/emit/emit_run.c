/* emit_run.c: run(), with one call for each step (emit_calls.c); of a training, its stages.  A
 * batch that is computed in turns (batch.h) has run_turn(), and run() calls it for each turn. */
#include "emit/emit_parts.h"

#include "plan/training.h"

/* What a call of a step with lists of operands does, after `do {`. */
#define MANY_BODY                                                                                \
    "        const void *const inputs_of_step[] = {RNC_LIST in}; \\\n"                           \
    "        void *const outputs_of_step[] = {RNC_LIST out}; \\\n"                               \
    "        @_step_of_many(net, number, @_##kind##_kind, \\\n"                                  \
    "            inputs_of_step, sizeof inputs_of_step / sizeof *inputs_of_step, "               \
    "outputs_of_step, "                                                                          \
    "\\\n"                                                                                       \
    "            sizeof outputs_of_step / sizeof *outputs_of_step, weights, scratch, threads); " \
    "\\\n"                                                                                       \
    "    } while (0)\n"

/* The call of a step with lists of operands. */
static const char many_text[] =
    "#define RNC_LIST(...) __VA_ARGS__\n"
    "#define RNC_CALL_MANY(number, kind, in, out, weights, scratch, threads) \\\n"
    "    do { /* in, out: lists of pointers in parentheses */ \\\n" MANY_BODY;

/* The macros that calls are written with. */
static void emit_call_macros(Emit *e)
{
    const bool many = emit_has_many(e->plan);
    buf_printf(
        e->out,
        "\n/* ---- the network, one call for each step; threads: how many may share the step ---- "
        "*/\n\n"
        "#define RNC_CALL(number, kind, in, in2, out, weights, scratch, threads) \\\n"
        "    %s_step(net, number, %s_##kind##_kind, in, in2, out, weights, scratch, threads)\n",
        e->name, e->name);
    if (many)
        emit_template(e, many_text);
    buf_puts(e->out, "#define RNC_ARENA(offset) (net->arena + (offset))\n");
    if (emit_has_slots(e->plan))
        buf_puts(e->out, "#define RNC_SLOT(offset) (net->slot + (offset))\n");
    if (e->state)
        buf_puts(e->out, "#define RNC_STATE(offset) (state + (offset))\n");
}

static void emit_macros_end(Emit *e)
{
    buf_puts(e->out, "#undef RNC_CALL\n#undef RNC_ARENA\n#undef RNC_WEIGHTS\n");
    if (e->state)
        buf_puts(e->out, "#undef RNC_STATE\n");
    if (emit_has_slots(e->plan))
        buf_puts(e->out, "#undef RNC_SLOT\n");
    if (emit_has_many(e->plan))
        buf_puts(e->out, "#undef RNC_CALL_MANY\n#undef RNC_LIST\n");
}

/* ---- the stages of a training ---- */

static const char stages_text[] =
    "\n/* ---- the stages, one call for each step ----\n"
    " * STEP(number, kind, threads, (operands), (results)): `threads` is how many may share it.\n"
    " * STEP_COUNTED is told the number of images, too; STEP_OF has filters or this number, and\n"
    " * scratch.  A: in the arena, S: in the state, F: filters packed in the arena, P: panels in\n"
    " * the state, W: constants, R: rates of the optimizer. */\n\n"
    "#define RNC_LIST(...) __VA_ARGS__\n"
    "#define STEP_OF(number, kind, threads, in, out, weights, scratch) \\\n"
    "    do { \\\n" MANY_BODY
    "#define STEP(number, kind, threads, in, out) STEP_OF(number, kind, threads, in, out, NULL, "
    "NULL)\n"
    "#define STEP_COUNTED(number, kind, threads, in, out) \\\n"
    "    STEP_OF(number, kind, threads, in, out, IMAGES(), NULL)\n"
    "#define A(offset) (net->arena + (offset))\n"
    "#define S(offset) (net->state + (offset))\n"
    "#define F(offset) ((const float *)(const void *)A(offset))\n"
    "#define P(offset) ((const float *)(const void *)S(offset))\n"
    "#define W(offset) (@_constants + (offset) / sizeof(float))\n"
    "#define R(set) net->rates[set]\n"
    "#define IMAGES() ((const float *)(const void *)net->images)\n";

static const char stages_end_text[] =
    "\n#undef RNC_LIST\n#undef STEP_OF\n#undef STEP\n#undef STEP_COUNTED\n#undef A\n#undef S\n"
    "#undef F\n#undef P\n#undef W\n#undef R\n#undef IMAGES\n";

/* What ranks of a training tell each other: parts of the same size that all get, and sums, which go
 * on in the background until they are waited for. */
static const char sharing_text[] =
    "#define RNC_PART(offset, bytes) A((offset) + (size_t)net->ranks->rank * (bytes))\n"
    "#define RNC_GATHER(offset, bytes) net->ranks->gather(net->ranks, A(offset), bytes)\n"
    "#define RNC_SUM(number, offset, floats) \\\n"
    "    net->sums[number] = rnc_train_sum(net->ranks, net->images[0], A(offset), floats)\n"
    "#define RNC_WAIT(number) net->ranks->finish(net->ranks, net->sums[number])\n";

void emit_stages(Emit *e)
{
    static const char *const names[STAGES] = {"forward", "backward", "update", "evaluation"};
    const Training *t = e->plan->training;
    emit_template(e, stages_text);
    if (e->plan->options.ranks > 1)
        buf_puts(e->out, sharing_text);
    for (int i = 0; i < STAGES; i++) {
        if (i == STAGE_UPDATE && t->begin[i] == t->begin[i + 1])
            continue;
        buf_printf(e->out,
                   "\nstatic void %s_%s(struct %s *net, const void *const *inputs, void *const "
                   "*outputs)\n{\n    (void)inputs;\n    (void)outputs;\n",
                   e->name, names[i], e->name);
        emit_calls(e, t->begin[i], t->begin[i + 1]);
        buf_puts(e->out, "}\n");
    }
    emit_template(e, stages_end_text);
    if (e->plan->options.ranks > 1)
        buf_puts(e->out, "#undef RNC_PART\n#undef RNC_GATHER\n#undef RNC_SUM\n#undef RNC_WAIT\n");
}

void emit_run(Emit *e)
{
    const Plan *plan = e->plan;
    const bool turns = plan->turns > 1;
    emit_call_macros(e);
    buf_puts(e->out, "#define RNC_WEIGHTS(offset) ((const float *)(const void *)(net->weights + "
                     "(offset)))\n\n");
    emit_band_functions(e);
    buf_printf(e->out,
               "static void %s_%s(struct %s *net, %sconst void *const *inputs, void *const "
               "*outputs)\n{\n",
               e->name, turns ? "run_turn" : "run_steps", e->name, emit_state_parameter(e));
    buf_puts(e->out, "    (void)inputs;\n    (void)outputs;\n"
                     "    if (net->pool)\n        net->pool->begin(net->pool);\n");
    emit_calls(e, 0, plan->steps.n);
    buf_puts(e->out, "\n    if (net->pool)\n        net->pool->end(net->pool);\n}\n\n");
    emit_macros_end(e);
    if (turns)
        emit_turns(e);
}
