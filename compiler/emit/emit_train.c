/* emit_train.c: what comes after a training's stages in NAME.c: the functions of its interface,
 * which run the stages, and NAME_info, which describes it to programs that serve any training. */
#include "emit/emit_parts.h"

#include "params/bind.h"
#include "plan/training.h"

#include <inttypes.h>
#include <string.h>

/* ---- constants ---- */

/* What normalizations of inputs multiply by and add: all weights that are not parameters. */
void emit_constants(Emit *e)
{
    const Plan *plan = e->plan;
    if (plan->packed.n == 0)
        return;
    buf_printf(e->out,
               "\n#ifdef __GNUC__\n__attribute__((aligned(64)))\n#endif\n"
               "static const float %s_constants[] = {",
               e->name);
    int64_t at = 0;
    for (int i = 0; i < plan->packed.n; i++) {
        const Packed *p = plan->packed.at[i];
        const int64_t n = p->bytes / 4;
        float *floats = NEW_ARRAY(e->arena, float, n + 16);
        pack_weights(&plan->steps.at[p->step], floats);
        for (int64_t k = 0; k < n || (p->offset / 4 + k) % 16; k++, at++) {
            buf_puts(e->out, at % 8 ? ", " : at ? ",\n    " : "\n    ");
            emit_float(e->out, k < n ? floats[k] : 0);
        }
    }
    buf_puts(e->out, "};\n");
}

/* ---- rates ---- */

static void emit_rates(Emit *e)
{
    const Optimizer *o = &e->plan->training->optimizer;
    buf_printf(e->out,
               "\n/* What the optimizer's steps are told; scale: of the gradients. */\n"
               "static void %s_set_rates(struct %s *net, double rate, double scale)\n{\n"
               "    const int step = (int)(net->updates + 1 < 2147483647 ? net->updates + 1 : "
               "2147483647);\n"
               "    rnc_rates r;\n",
               e->name, e->name);
    if (o->kind == OPTIMIZER_SGD)
        buf_printf(e->out, "    rnc_sgd_rates(rate, 0.0, %s, step, &r);\n",
                   emit_real(e, o->decoupled));
    else
        buf_printf(e->out, "    rnc_adam_rates(rate, %s, %s, %s, step, %d, &r);\n",
                   emit_real(e, o->beta1), emit_real(e, o->beta2), emit_real(e, o->decoupled),
                   o->keras);
    buf_puts(e->out, "    r.scale = (float)scale;\n"
                     "    memcpy(net->rates[0], &r, sizeof r);\n"
                     "    r.decay = 0.0f;\n"
                     "    memcpy(net->rates[1], &r, sizeof r);\n}\n");
}

/* ---- a step ---- */

/* "(const float *)(const void *)(net->arena + 0x1c0)", or NULL. */
const char *emit_arena_floats(Emit *e, const Tensor *t)
{
    if (!t)
        return "NULL";
    const Operand o = {.kind = PLACE_ARENA, .tensor = (Tensor *)t};
    return arena_printf(e->arena, "(const float *)(const void *)(net->arena + 0x%06" PRIx64 ")",
                        (uint64_t)operand_address(e->plan, &o));
}

/* Of the batch of all ranks. */
static int shard_images(const Plan *plan)
{
    const int images = plan->net->inputs.at[0].node->type.n;
    return images * plan->options.ranks / plan->options.shards;
}

static void emit_measure(Emit *e, const Losses *l)
{
    const char *labels = "NULL";
    int classes = 0;
    if (l->hits) {
        labels = arena_printf(e->arena, "(const int32_t *)inputs[%d]", l->port);
        classes = e->plan->steps.at[l->index].shape.loss.c;
    }
    buf_printf(
        e->out,
        "    rnc_train_measure(%s,\n                      %s,\n                      %s, %d, "
        "images, %d, %d, metrics);\n",
        emit_arena_floats(e, l->losses), emit_arena_floats(e, l->hits), labels, classes, l->each,
        shard_images(e->plan));
}

static const char step_text[] =
    "\nstatic rnc_status @_step_any(void *any, const void *const *inputs, int images, double "
    "rate,\n"
    "                            rnc_metrics *metrics)\n";

/* How a step, which ranks can share, and an evaluation begin and end. */
static void emit_opening(Emit *e, bool shared)
{
    emit_template(e, "{\n    struct @ *net = (struct @ *)any;\n    const rnc_status status =\n");
    emit_template(e, shared ? "        rnc_train_share(net->ranks, images, $_BATCH, net->images, "
                              "net->why);\n"
                            : "        rnc_train_images(images, $_BATCH, net->why);\n");
    emit_template(e, "    if (status)\n        return status;\n");
    if (!shared)
        emit_template(e, "    net->images[0] = net->images[1] = images;\n");
    emit_template(e, "    if (net->pool)\n        net->pool->begin(net->pool);\n");
}

static const char end_text[] = "    if (net->pool)\n"
                               "        net->pool->end(net->pool);\n"
                               "    return RNC_OK;\n"
                               "}\n";

/* The norm of gradients that parameters have been updated with. */
static void emit_late_norm(Emit *e, const char *indent)
{
    if (e->plan->training->squares)
        buf_printf(e->out,
                   "%smetrics->norm = %s;\n"
                   "%smetrics->spoiled = metrics->bad >= 0;\n",
                   indent, emit_norm(e), indent);
}

/* The update of a training that waits: with the norm of all gradients, after several batches. */
static void emit_update(Emit *e)
{
    const Training *t = e->plan->training;
    const Optimizer *o = &t->optimizer;
    buf_printf(e->out,
               "\nstatic void %s_update_all(struct %s *net, double rate, rnc_metrics *metrics)\n{\n"
               "    double scale = %s;\n",
               e->name, e->name, emit_real(e, 1.0 / o->accumulate));
    if (o->clip_norm > 0)
        buf_printf(e->out,
                   "    metrics->norm = scale * %s;\n"
                   "    if (metrics->bad >= 0)\n        return;\n"
                   "    if (metrics->norm > %s)\n        scale *= %s / %s;\n",
                   emit_norm(e), emit_real(e, o->clip_norm), emit_real(e, o->clip_norm),
                   o->keras ? "metrics->norm" : "(metrics->norm + 1e-6)");
    buf_printf(e->out,
               "    %s_set_rates(net, rate, scale);\n    %s_update(net, NULL, NULL);\n"
               "    net->updates++;\n",
               e->name, e->name);
    if (o->clip_norm == 0)
        emit_late_norm(e, "    ");
    buf_puts(e->out, "}\n");
}

static void emit_backward(Emit *e)
{
    const Training *t = e->plan->training;
    const Optimizer *o = &t->optimizer;
    if (!updates_wait(o)) {
        emit_template(e, "        @_set_rates(net, rate, 1.0);\n"
                         "        @_backward(net, inputs, NULL);\n"
                         "        net->updates++;\n");
        emit_late_norm(e, "        ");
        return;
    }
    emit_template(e, "        @_backward(net, inputs, NULL);\n");
    if (o->accumulate == 1) {
        emit_template(e, "        @_update_all(net, rate, metrics);\n");
        return;
    }
    buf_printf(e->out,
               "        if (++net->batches == %d) {\n"
               "            %s_update_all(net, rate, metrics);\n"
               "            memset(net->state + %" PRId64 ", 0, %" PRId64 ");\n"
               "            net->batches = 0;\n        }\n",
               o->accumulate, e->name, t->gradients_begin, t->gradients_end - t->gradients_begin);
}

static void emit_step(Emit *e)
{
    const Training *t = e->plan->training;
    if (updates_wait(&t->optimizer))
        emit_update(e);
    const bool shared = e->plan->options.ranks > 1;
    emit_template(e, step_text);
    emit_opening(e, shared);
    emit_template(e, "    @_forward(net, inputs, NULL);\n");
    emit_measure(e, &t->losses[0]);
    buf_printf(e->out, "    if (%smetrics->loss - metrics->loss != 0.0%s) {\n",
               shared ? "rnc_train_any(net->ranks, " : "", shared ? ")" : "");
    emit_template(e, "        metrics->bad = @_find(net, inputs);\n    } else {\n");
    emit_backward(e);
    buf_puts(e->out, "    }\n");
    emit_template(e, end_text);
}

static const char evaluate_text[] =
    "\nstatic rnc_status @_evaluate_any(void *any, const void *const *inputs, int images,\n"
    "                                void *const *outputs, rnc_metrics *metrics)\n";

static void emit_evaluate(Emit *e)
{
    emit_template(e, evaluate_text);
    emit_opening(e, false);
    emit_template(e, "    @_evaluation(net, inputs, outputs);\n");
    emit_measure(e, &e->plan->training->losses[1]);
    emit_template(e, end_text);
}

/* ---- functions for any training, and those of the interface ---- */

static const char any_text[] =
    "\nstatic rnc_status @_init_any(void *any, void *state, size_t state_bytes, void *arena,\n"
    "                            size_t arena_bytes, rnc_pool *pool, rnc_ranks *ranks)\n"
    "{\n"
    "    struct @ *net = (struct @ *)any;\n"
    "    const rnc_status status = rnc_train_check(&@_info, state, state_bytes, arena, "
    "arena_bytes,\n"
    "                                              ranks, net->why);\n"
    "    net->kernels = NULL;\n"
    "    net->state = (unsigned char *)state;\n"
    "    net->arena = (unsigned char *)arena;\n"
    "    net->pool = pool;\n"
    "    net->ranks = ranks;\n"
    "    net->hook = NULL;\n"
    "    net->context = NULL;\n"
    "    net->updates = 0;\n"
    "    net->images[0] = net->images[1] = $_BATCH;\n"
    "    net->batches = 0;\n"
    "    return status ? status : @_use(net, RNC_ISA_BEST);\n"
    "}\n"
    "\n"
    "static rnc_status @_use_any(void *any, rnc_isa isa)\n"
    "{\n"
    "    return @_use((struct @ *)any, isa);\n"
    "}\n"
    "\n"
    "static const char *@_why_any(const void *any)\n"
    "{\n"
    "    return ((const struct @ *)any)->why;\n"
    "}\n"
    "\n"
    "static uint64_t @_updates_any(const void *any)\n"
    "{\n"
    "    return ((const struct @ *)any)->updates;\n"
    "}\n"
    "\n"
    "static void @_set_updates_any(void *any, uint64_t updates)\n"
    "{\n"
    "    ((struct @ *)any)->updates = updates;\n"
    "    ((struct @ *)any)->batches = 0;\n"
    "}\n"
    "\n"
    "static void @_trace_any(void *any, rnc_trace_hook hook, void *context)\n"
    "{\n"
    "    ((struct @ *)any)->hook = hook;\n"
    "    ((struct @ *)any)->context = context;\n"
    "}\n";

static void emit_description(Emit *e)
{
    const Plan *plan = e->plan;
    const Training *t = plan->training;
    emit_template(e, "\nconst rnc_train_info @_info = {\n    ");
    emit_described_ports(e);
    buf_printf(e->out,
               "    %d, /* ranks */\n    %d, /* batches of an update */\n"
               "#ifndef RNC_NO_STEP_TABLE\n    %d, /* steps */\n",
               plan->options.ranks, t->optimizer.accumulate, plan->steps.n);
    emit_template(
        e, "    @_layers,\n    @_parts,\n    @_kernels,\n"
           "    @_step_layers,\n    @_step_parts,\n    @_step_kernels,\n"
           "#else\n    0,\n    NULL,\n    NULL,\n    NULL,\n    NULL,\n    NULL,\n    NULL,\n"
           "#endif\n");
    buf_printf(e->out,
               "    %d, /* tensors */\n    %s_info_tensors,\n"
               "    %" PRId64 ", /* bytes of state */\n    %" PRId64
               ", /* bytes of arena */\n    %" PRId64 ", /* its bound */\n",
               count_tensors(e), e->name, plan->state_bytes, emit_arena_bytes(plan),
               plan->lower_bound);
    buf_printf(e->out, "    sizeof(struct %s),\n    %s, /* rate */\n", e->name,
               emit_real(e, t->optimizer.rate));
    buf_printf(e->out,
               "    UINT64_C(0x%016" PRIx64 "), /* plan */\n    UINT64_C(0x%016" PRIx64
               "), /* layout */\n",
               plan->hash, plan->layout);
    emit_template(e, "    @_init_any,\n    @_use_any,\n    @_why_any,\n    @_initialise_any,\n"
                     "    @_set_any,\n    @_get_any,\n    @_updates_any,\n    @_set_updates_any,\n"
                     "    @_step_any,\n    @_evaluate_any,\n    @_trace_any,\n};\n");
}

static const char public_text[] =
    "\nrnc_status @_init(struct @ *net, void *state, size_t state_bytes, void *arena,\n"
    "    size_t arena_bytes, rnc_pool *pool, rnc_ranks *ranks)\n"
    "{\n"
    "    return @_init_any(net, state, state_bytes, arena, arena_bytes, pool, ranks);\n"
    "}\n"
    "\n"
    "rnc_status @_initialise(struct @ *net, uint64_t seed)\n"
    "{\n"
    "    return @_initialise_any(net, seed);\n"
    "}\n"
    "\n"
    "rnc_status @_set(struct @ *net, int tensor, const float *floats)\n"
    "{\n"
    "    return @_set_any(net, tensor, floats);\n"
    "}\n"
    "\n"
    "rnc_status @_get(const struct @ *net, int tensor, float *floats)\n"
    "{\n"
    "    return @_get_any(net, tensor, floats);\n"
    "}\n"
    "\n"
    "uint64_t @_updates(const struct @ *net)\n"
    "{\n"
    "    return net->updates;\n"
    "}\n"
    "\n"
    "void @_set_updates(struct @ *net, uint64_t updates)\n"
    "{\n"
    "    @_set_updates_any(net, updates);\n"
    "}\n"
    "\n"
    "void @_trace(struct @ *net, rnc_trace_hook hook, void *context)\n"
    "{\n"
    "    @_trace_any(net, hook, context);\n"
    "}\n";

static void emit_arrays(Emit *e, bool outputs)
{
    const Net *net = e->plan->net;
    const PortNames names = port_names(e->plan, e->arena);
    buf_printf(e->out, "\n{\n    const void *inputs[%d];\n", net->inputs.n);
    if (outputs)
        buf_printf(e->out, "    void *outputs[%d];\n", net->outputs.n ? net->outputs.n : 1);
    for (int i = 0; i < net->inputs.n; i++)
        buf_printf(e->out, "    inputs[%d] = %s;\n", i, names.in[i]);
    for (int i = 0; outputs && i < net->outputs.n; i++)
        buf_printf(e->out, "    outputs[%d] = %s;\n", i, names.out[i]);
}

void emit_train(Emit *e)
{
    emit_info_ports(e);
    emit_layers(e);
    emit_rates(e);
    emit_finite(e);
    emit_step(e);
    emit_evaluate(e);
    emit_tensors(e);
    emit_template(e, any_text);
    emit_description(e);
    emit_template(e, public_text);
    buf_putc(e->out, '\n');
    emit_step_declaration(e);
    emit_arrays(e, false);
    emit_template(e, "    return @_step_any(net, inputs, images, rate, metrics);\n}\n\n");
    emit_evaluate_declaration(e);
    emit_arrays(e, true);
    emit_template(e, "    return @_evaluate_any(net, inputs, images, outputs, metrics);\n}\n");
}
