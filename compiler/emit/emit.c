/* emit.c: writes the plan as one C file, section by section.
 * What is the same for all networks is pasted (emit_kernels.c) or is a template here; what differs
 * is printed by emit_steps.c and emit_header.c.  In a template '@' stands for the network's name
 * and '$' for the name in capitals. */
#include "emit/emit_parts.h"

#include "base/utf8.h"

#include "net/figures.h"
#include "plan/batch.h"
#include "plan/tuning.h"
#include "emit/identifiers.h"

#include <string.h>

/* The name of a kind of steps: that of the first layer of the kind, in letters that C accepts.  Of
 * a training, whose layers have many steps, it is that of the kernel, with a number. */
static const char *new_kind_name(Emit *e, const Step *step)
{
    if (e->plan->training) {
        const char *kernel = kernel_rows[step->kernel].name;
        return arena_printf(e->arena, "%s_%d", kernel, ++e->kinds_of[step->kernel]);
    }
    const char *layer = step_layer(e->plan, step);
    const char *base = c_letters(e->arena, layer), *name = base;
    for (int k = 0, again = 2; k < e->n_kinds - 1;) {
        if (str_eq(e->kind_names[k++], name)) {
            name = arena_printf(e->arena, "%s_%d", base, again++);
            k = 0;
        }
    }
    return name;
}

static bool same_knobs(const Plan *plan, const Step *a, const Step *b)
{
    for (int i = 0; i < ISA_COUNT; i++) {
        if ((plan->options.isas >> i & 1) &&
            memcmp(&a->knobs[i], &b->knobs[i], sizeof a->knobs[i]) != 0)
            return false;
    }
    return true;
}

/* Numbers the knobs of the step that begins kind `kind`: those of an earlier kind or new ones. */
static void number_knobs(Emit *e, const Step *step, int kind)
{
    const Plan *plan = e->plan;
    for (int i = 0; i < step->index; i++) {
        const Step *s = &plan->steps.at[i];
        if (s->function == i && same_knobs(plan, s, step)) {
            e->knobs[kind] = e->knobs[e->kinds[i]];
            return;
        }
    }
    e->knobs[kind] = e->n_knobs++;
}

Emit emit_begin(Buf *out, const Plan *plan, const EmitOptions *options, const SrcMap *src)
{
    Emit e = {.out = out,
              .arena = out->arena,
              .plan = plan,
              .options = options,
              .src = src,
              .name = options->name,
              .upper = c_upper(out->arena, options->name),
              .state = plan->state_bytes > 0};
    e.kinds = NEW_ARRAY(e.arena, int, plan->steps.n + 1);
    e.kind_names = NEW_ARRAY(e.arena, const char *, plan->steps.n + 1);
    e.knobs = NEW_ARRAY(e.arena, int, plan->steps.n + 1);
    e.layers.arena = e.arena;
    for (int i = 0; i < plan->net->nodes.n && plan->training; i++)
        table_add(&e.layers, plan->net->nodes.at[i]->name, NO_LOC);
    for (int i = 0; i < plan->steps.n; i++) {
        const Step *step = &plan->steps.at[i];
        const bool first = step->function == i;
        e.kinds[i] = first ? e.n_kinds++ : e.kinds[step->function];
        if (first) {
            e.kind_names[e.kinds[i]] = new_kind_name(&e, step);
            number_knobs(&e, step, e.kinds[i]);
        }
    }
    return e;
}

void emit_template(Emit *e, const char *text)
{
    for (const char *c = text; *c; c++) {
        if (*c == '@')
            buf_puts(e->out, e->name);
        else if (*c == '$')
            buf_puts(e->out, e->upper);
        else
            buf_putc(e->out, *c);
    }
}

char *comment_text(Arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, str_shown(arena, text));
    for (char *c = copy; *c; c++) {
        const bool ends = (c[0] == '*' && c[1] == '/') || (c[0] == '/' && c[1] == '*');
        if ((unsigned char)*c < ' ' || *c == '\\' || *c == 127 || ends)
            *c = '_';
    }
    return copy;
}

/* ---- the head ---- */

static void emit_head(Emit *e)
{
    const Plan *plan = e->plan;
    const Net *net = plan->net;
    buf_printf(e->out, "/* %s.c: the network %s as C, made by rnc %s:\n *\n *     %s\n *\n",
               e->name, comment_text(e->arena, net->name), RNC_VERSION,
               comment_text(e->arena, e->options->command));
    buf_printf(e->out, " * %s per image, %d steps of %d kinds.\n",
               figure_count(e->arena, net_macs(net), "MAC"), plan->steps.n, e->n_kinds);
    if (plan->turns > 1)
        buf_printf(e->out, " * The batch is computed in %d turns of %d.\n", plan->turns,
                   net->inputs.at[0].node->type.n);
    buf_printf(e->out, " * Weights: %s, read in the order of the steps.\n",
               figure_bytes(e->arena, plan->weight_bytes));
    buf_printf(e->out,
               " * Arena: %s; the tensors alive at once are %s, the rest is halos, pitch and "
               "scratch.\n *\n",
               figure_bytes(e->arena, plan->arena_bytes),
               figure_bytes(e->arena, plan->lower_bound));
    if (e->state)
        buf_printf(e->out, " * State: %s, kept from run to run.\n *\n",
                   figure_bytes(e->arena, whole_state(plan)));
    if (plan->options.machine != &machine_rows[MACHINE_generic])
        buf_printf(e->out, " * Methods and tiles are chosen for: %s.\n *\n",
                   plan->options.machine->name);
    if (plan->options.tuning)
        buf_printf(
            e->out,
            " * Tuned: %d kinds of layers have methods and tiles from a tuning (--tuning).\n *\n",
            tuning_used(plan->options.tuning, net));
    buf_puts(e->out, " * This file, with the kernels in it, may be used, copied, changed and\n"
                     " * distributed by anyone for any purpose without any conditions.  There is\n"
                     " * no warranty of any kind. */\n");
}

/* What -ffast-math, -Ofast and their parts do to the kernels is not wanted: they round by adding
 * and subtracting a large number, tell numbers that are not numbers, and keep zeros' signs. gcc
 * says of each of these flags that IEC 559 does not hold; clang says so of the whole, and takes a
 * pragma for the parts. */
static const char arithmetic_text[] =
    "\n#if defined(__FAST_MATH__) || (defined(__GCC_IEC_559) && __GCC_IEC_559 == 0) || \\\n"
    "    (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ == 1)\n"
    "#error \"@ computes wrong numbers with -ffast-math, -Ofast, -funsafe-math-optimizations and "
    "the \"\\\n"
    "    \"like: compile this file with -fno-fast-math -O2\"\n"
    "#endif\n"
    "#if defined(__clang__) && __clang_major__ >= 11\n"
    "#pragma clang fp reassociate(off)\n"
    "#endif\n"
    "#if defined(__clang__) && __clang_major__ >= 18\n"
    "#pragma clang fp reciprocal(off)\n"
    "#endif\n";

static void emit_includes(Emit *e)
{
    if (e->options->single_file) {
        emit_header(e->out, e->plan, e->options, e->src);
    } else {
        buf_printf(e->out, "#include \"%s\"\n", e->options->header);
    }
    emit_template(e, arithmetic_text);
    buf_puts(e->out, "\n#include <math.h>\n#include <stddef.h>\n#include <string.h>\n");
    for (int i = 0; i < e->plan->steps.n; i++) {
        if (e->plan->steps.at[i].kernel == KERNEL_conv_blas) {
            buf_puts(e->out, "#include <cblas.h>\n");
            break;
        }
    }
}

/* ---- instruction sets ---- */

/* x87 keeps more digits than a float has.  Plain C is written for that; vectors, whose operations
 * compilers take apart there, are not. */
static void emit_x87(Emit *e)
{
    if (e->plan->options.isas & ~(1u << ISA_scalar))
        emit_template(e,
                      "\n#if defined(__FLT_EVAL_METHOD__) && (__FLT_EVAL_METHOD__ == 1 || "
                      "__FLT_EVAL_METHOD__ == 2)\n"
                      "#error \"@ needs floats rounded to floats: for x87, compile this file with "
                      "-msse2 \"\\\n"
                      "    \"-mfpmath=sse, or make it with rnc --isa scalar\"\n"
                      "#endif\n");
}

static void emit_dispatch(Emit *e)
{
    buf_puts(e->out, "\n/* ---- the instruction sets, best first ---- */\n\n"
                     "static const struct {\n    rnc_isa isa;\n");
    emit_template(e, "    const @_step_function *steps;\n} @_isas[] = {\n");
    for (int i = 0; i < ISA_COUNT; i++) {
        if (!(e->plan->options.isas >> i & 1))
            continue;
        buf_printf(e->out, "#if %s\n    {RNC_ISA_%s, %s_steps_%s},\n#endif\n", isa_rows[i].guard,
                   c_upper(e->arena, isa_rows[i].name), e->name, isa_rows[i].name);
    }
    buf_puts(e->out, "};\n");
}

/* Without this, a compiler for an unknown machine would only say that isas[] is empty. */
static void emit_guard(Emit *e)
{
    const char *guards[ISA_COUNT];
    int n = 0;
    for (int i = 0; i < ISA_COUNT; i++) {
        if (!(e->plan->options.isas >> i & 1))
            continue;
        bool again = false;
        for (int k = 0; k < n; k++)
            again = again || str_eq(guards[k], isa_rows[i].guard);
        if (!again)
            guards[n++] = isa_rows[i].guard;
        if (str_eq(isa_rows[i].guard, "1"))
            return;
    }
    for (int i = 0; i < n; i++)
        buf_printf(e->out, "%s(%s)", i ? " || " : "\n#if !(", guards[i]);
    buf_puts(e->out, ")\n#error \"no instruction set was compiled in for this machine: rnc --isa "
                     "scalar suits all\"\n#endif\n");
}

/* rnc's default are the instruction sets of the machine that it runs on.  Compiled for the other,
 * the C says what is left out; with clang this is no error under -Werror either. */
static void emit_left_out(Emit *e)
{
    const bool arm = e->plan->options.isas >> ISA_neon & 1;
    if (e->plan->isas_asked)
        return;
    buf_printf(e->out,
               "\n#if %s\n#ifdef __clang__\n#pragma clang diagnostic push\n"
               "#pragma clang diagnostic warning \"-W#pragma-messages\"\n#endif\n"
               "#pragma message(\"%s is without %s here: rnc --isa %s,portable has it, and with "
               "rnc --isa portable it is left out on purpose\")\n"
               "#ifdef __clang__\n#pragma clang diagnostic pop\n#endif\n#endif\n",
               isa_rows[arm ? ISA_avx2 : ISA_neon].guard, e->name, arm ? "AVX2" : "NEON",
               arm ? "avx512,avx2" : "neon");
}

/* ---- what all networks have ---- */

static const char step_text[] =
    "\ntypedef void (*@_step_function)(const rnc_operands *o, int part, int parts);\n";

/* The floating-point mode belongs to a thread, and a pool's threads belong to the caller, so the
 * mode is set for each part of a step. */
static const char mode_text[] =
    "\n/* Steps treat denormal numbers as 0 and produce none, since they take up to a hundred "
    "times\n"
    " * as long as others.  The caller's floating-point mode is restored after each step. */\n"
    "#if defined(__x86_64__) && defined(__GNUC__)\n"
    "typedef unsigned @_mode;\n"
    "static @_mode @_flush_denormals(void)\n"
    "{\n"
    "    @_mode before, mode;\n"
    "    __asm__ volatile(\"stmxcsr %0\" : \"=m\"(before) : : \"memory\");\n"
    "    mode = before | 0x8040; /* flush to zero, denormals are zero */\n"
    "    __asm__ volatile(\"ldmxcsr %0\" : : \"m\"(mode) : \"memory\");\n"
    "    return before;\n"
    "}\n"
    "static void @_restore(@_mode before)\n"
    "{\n"
    "    __asm__ volatile(\"ldmxcsr %0\" : : \"m\"(before) : \"memory\");\n"
    "}\n"
    "#elif defined(__aarch64__) && defined(__GNUC__)\n"
    "typedef uint64_t @_mode;\n"
    "static @_mode @_flush_denormals(void)\n"
    "{\n"
    "    @_mode before;\n"
    "    __asm__ volatile(\"mrs %0, fpcr\" : \"=r\"(before) : : \"memory\");\n"
    "    __asm__ volatile(\"msr fpcr, %0\" : : \"r\"(before | (uint64_t)1 << 24) : \"memory\"); /* "
    "FZ */\n"
    "    return before;\n"
    "}\n"
    "static void @_restore(@_mode before)\n"
    "{\n"
    "    __asm__ volatile(\"msr fpcr, %0\" : : \"r\"(before) : \"memory\");\n"
    "}\n"
    "#else /* denormal numbers are kept */\n"
    "typedef int @_mode;\n"
    "static @_mode @_flush_denormals(void)\n"
    "{\n"
    "    return 0;\n"
    "}\n"
    "static void @_restore(@_mode before)\n"
    "{\n"
    "    (void)before;\n"
    "}\n"
    "#endif\n";

static const char call_text[] =
    "\ntypedef struct @_job {\n"
    "    @_step_function function;\n"
    "    rnc_operands operands;\n"
    "} @_job;\n"
    "\n"
    "static void @_part_of_step(void *arg, int part, int parts)\n"
    "{\n"
    "    const @_job *j = (const @_job *)arg;\n"
    "    const @_mode before = @_flush_denormals();\n"
    "    j->function(&j->operands, part, parts);\n"
    "    @_restore(before);\n"
    "}\n"
    "\n"
    "static void @_run_job(struct @ *net, int number, int kind, @_job *j, int most_parts)\n"
    "{\n"
    "    int parts = 1;\n"
    "    j->function = ((const @_step_function *)net->kernels)[kind];\n"
    "    if (net->pool && most_parts > 1) {\n"
    "        const int threads = net->pool->threads(net->pool);\n"
    "        parts = threads < most_parts ? threads : most_parts;\n"
    "    }\n"
    "    if (parts > 1)\n"
    "        net->pool->run(net->pool, @_part_of_step, j, parts);\n"
    "    else\n"
    "        @_part_of_step(j, 0, 1);\n"
    "    if (net->hook)\n"
    "        net->hook(net->context, number, j->operands.out);\n"
    "}\n"
    "\n";

/* The functions of trainings include one named NAME_step. */
static const char call_one_text[] =
    "static void @_step(struct @ *net, int number, int kind, const void *in, const void *in2,\n"
    "                   void *out, const float *weights, void *scratch, int most_parts)\n";
static const char call_body_text[] = "{\n"
                                     "    @_job j;\n"
                                     "    memset(&j, 0, sizeof j);\n"
                                     "    j.operands.in[0] = in;\n"
                                     "    j.operands.in[1] = in2;\n"
                                     "    j.operands.out[0] = out;\n"
                                     "    j.operands.weights = weights;\n"
                                     "    j.operands.scratch = scratch;\n"
                                     "    @_run_job(net, number, kind, &j, most_parts);\n"
                                     "}\n";

/* For steps with more than two operands or more than one result. */
static const char call_many_text[] =
    "\nstatic void @_step_of_many(struct @ *net, int number, int kind, const void *const *in, "
    "size_t "
    "n_in,\n"
    "                           void *const *out, size_t n_out, const float *weights, void "
    "*scratch,\n"
    "                           int most_parts)\n"
    "{\n"
    "    @_job j;\n"
    "    memset(&j, 0, sizeof j);\n"
    "    memcpy(j.operands.in, in, n_in * sizeof *in);\n"
    "    memcpy(j.operands.out, out, n_out * sizeof *out);\n"
    "    j.operands.weights = weights;\n"
    "    j.operands.scratch = scratch;\n"
    "    @_run_job(net, number, kind, &j, most_parts);\n"
    "}\n";

static const char init_state_text[] =
    "\nrnc_status @_init_state(struct @ *net, void *state, size_t state_bytes)\n"
    "{\n"
    "    const rnc_status status = rnc_state_check(&@_info, state, state_bytes, net->why);\n"
    "    if (status == RNC_OK)\n"
    "        memset(state, 0, $_STATE_BYTES);\n"
    "    return status;\n"
    "}\n";

static const char use_text[] =
    "\nrnc_status @_use(struct @ *net, rnc_isa isa)\n"
    "{\n"
    "    size_t i;\n"
    "    for (i = 0; i < sizeof @_isas / sizeof @_isas[0]; i++) {\n"
    "        if ((isa == RNC_ISA_BEST || isa == @_isas[i].isa) && rnc_isa_present(@_isas[i].isa)) "
    "{\n"
    "            net->kernels = @_isas[i].steps;\n"
    "            return RNC_OK;\n"
    "        }\n"
    "    }\n"
    "    return rnc_no_isa(isa, net->why);\n"
    "}\n";

static const char init_text[] =
    "\n"
    "rnc_status @_init(struct @ *net, const rnc_weights *w,\n"
    "    void *arena, size_t arena_bytes, rnc_pool *pool)\n"
    "{\n"
    "    const rnc_status status =\n"
    "        rnc_net_check(&@_info, w, arena, arena_bytes, &net->weights, net->why);\n"
    "    net->kernels = NULL;\n"
    "    net->arena = (unsigned char *)arena;\n"
    "    net->pool = pool;\n"
    "    net->hook = NULL;\n"
    "    net->context = NULL;\n"
    "    return status ? status : @_use(net, RNC_ISA_BEST);\n"
    "}\n";

void emit_source(Buf *out, const Plan *plan, const EmitOptions *options, const SrcMap *src)
{
    Emit e = emit_begin(out, plan, options, src);
    const bool passes = emit_has_passes(plan);
    emit_head(&e);
    if (passes)
        buf_puts(out, "#ifndef RNC_PASS\n\n");
    emit_includes(&e);
    emit_x87(&e);
    emit_guard(&e);
    emit_left_out(&e);
    emit_operands(&e);
    emit_template(&e, step_text);
    emit_kinds(&e);
    emit_shapes(&e);
    emit_knobs_macro(&e);
    if (passes)
        emit_passes(&e);
    for (int i = 0; i < ISA_COUNT && !passes; i++) {
        if (plan->options.isas >> i & 1)
            emit_isa(&e, (Isa)i);
    }
    buf_puts(out, "#undef RNC_KNOBS\n");
    emit_dispatch(&e);
    emit_template(&e, mode_text);
    emit_template(&e, call_text);
    if (!plan->training) {
        emit_template(&e, call_one_text);
        emit_template(&e, call_body_text);
    }
    if (plan->training || emit_has_many(plan))
        emit_template(&e, call_many_text);
    if (plan->training) {
        emit_constants(&e);
        emit_stages(&e);
        emit_template(&e, use_text);
        emit_labels(&e);
        emit_train(&e);
    } else {
        emit_run(&e);
        emit_template(&e, use_text);
        emit_template(&e, init_text);
        if (e.state)
            emit_template(&e, init_state_text);
        emit_labels(&e);
        emit_info(&e);
    }
    if (options->embed == EMBED_INCBIN && !plan->training)
        emit_incbin(&e);
    if (passes)
        emit_pass(&e);
}

void emit_candidates(Buf *out, const Plan *plan, const char *symbol)
{
    const EmitOptions options = {.name = symbol};
    Emit e = emit_begin(out, plan, &options, NULL);
    buf_puts(out, "#include <math.h>\n#include <stddef.h>\n#include <string.h>\n");
    emit_operands(&e);
    emit_template(&e, step_text);
    emit_kinds(&e);
    emit_shapes(&e);
    emit_knobs_macro(&e);
    for (int i = 0; i < ISA_COUNT; i++) {
        if (!(plan->options.isas >> i & 1))
            continue;
        emit_isa(&e, (Isa)i);
        buf_printf(out, "\nconst %s_step_function *const %s = %s_steps_%s;\n", symbol, symbol,
                   symbol, isa_rows[i].name);
    }
    buf_puts(out, "#undef RNC_KNOBS\n");
}
