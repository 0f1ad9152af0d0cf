/* emit_train_header.c: the interface of a training, NAME.h. */
#include "emit/emit_parts.h"

#include "plan/training.h"
#include "runtime/rnctrain.h"

#include <inttypes.h>

static void add_inputs(Emit *e)
{
    const Net *net = e->plan->net;
    const PortNames names = port_names(e->plan, e->arena);
    for (int i = 0; i < net->inputs.n; i++)
        buf_printf(e->out, "const %s *%s, ", port_type(&net->inputs.at[i]), names.in[i]);
}

void emit_step_declaration(Emit *e)
{
    buf_printf(e->out, "rnc_status %s_step(%s *net, ", e->name, e->name);
    add_inputs(e);
    buf_puts(e->out, "int images,\n    double rate, rnc_metrics *metrics)");
}

void emit_evaluate_declaration(Emit *e)
{
    const Net *net = e->plan->net;
    const PortNames names = port_names(e->plan, e->arena);
    buf_printf(e->out, "rnc_status %s_evaluate(%s *net, ", e->name, e->name);
    add_inputs(e);
    buf_puts(e->out, "int images,\n    ");
    for (int i = 0; i < net->outputs.n; i++)
        buf_printf(e->out, "float *%s, ", names.out[i]);
    buf_puts(e->out, "rnc_metrics *metrics)");
}

static void emit_figures(Emit *e)
{
    const Plan *plan = e->plan;
    buf_printf(e->out,
               "\n/* Memory of the caller's, aligned to 64 bytes.  The state has what a training "
               "keeps: parameters,\n * statistics, moments.  The arena has nothing between two "
               "calls. */\n"
               "#define %s_STATE_BYTES %" PRId64 "\n#define %s_ARENA_BYTES %" PRId64 "\n",
               e->upper, plan->state_bytes, e->upper, emit_arena_bytes(plan));
    buf_printf(
        e->out,
        "/* The tensors alive at once take as much; the rest is halos, pitch and scratch, and "
        "%.2f %% are\n * gaps. */\n#define %s_ARENA_BOUND %" PRId64 "\n",
        100.0 * (double)(plan->arena_bytes - plan->tight_bound) / (double)emit_arena_bytes(plan),
        e->upper, plan->lower_bound);
    buf_printf(e->out, "/* The most images of a step. */\n#define %s_BATCH %d\n", e->upper,
               plan->net->inputs.at[0].node->type.n);
    buf_printf(e->out, "/* The learning rate as it is declared. */\n#define %s_RATE %s\n", e->upper,
               emit_real(e, plan->training->optimizer.rate));
}

static const char engine_text[] =
    "\n/* A training.  The caller allocates it.  Treat all members except `why` as private. */\n"
    "typedef struct @ {\n"
    "    const void *kernels; /* those for the instruction set in use */\n"
    "    unsigned char *state, *arena;\n"
    "    rnc_pool *pool;\n"
    "    rnc_ranks *ranks;\n"
    "    rnc_trace_hook hook; /* or NULL */\n"
    "    void *context;\n"
    "    uint64_t updates;\n"
    "    int images[2];       /* of the batch: of this rank, of all */\n"
    "    int batches;         /* of the update so far */\n"
    "    float rates[2][5];   /* of the optimizer: with weight decay, without */\n"
    "    char why[192];       /* after an error: what was expected and found */\n";
static const char functions_text[] =
    "} @;\n"
    "\n"
    "/* What these functions do is told where rnc_train_info has them, in rnctrain.h.  After init\n"
    " * comes initialise, or set for every tensor. */\n"
    "rnc_status @_init(@ *net, void *state, size_t state_bytes, void *arena,\n"
    "    size_t arena_bytes, rnc_pool *pool, rnc_ranks *ranks);\n"
    "rnc_status @_use(@ *net, rnc_isa isa);\n"
    "rnc_status @_initialise(@ *net, uint64_t seed);\n"
    "rnc_status @_set(@ *net, int tensor, const float *floats);\n"
    "rnc_status @_get(const @ *net, int tensor, float *floats);\n"
    "uint64_t @_updates(const @ *net);\n"
    "void @_set_updates(@ *net, uint64_t updates);\n"
    "void @_trace(@ *net, rnc_trace_hook hook, void *context);\n"
    "\n"
    "/* A step cannot fail but for `images`, allocates nothing, and writes only the state and the\n"
    " * arena.  An engine serves one thread at a time.  On x86-64 and 64-bit ARM denormal numbers\n"
    " * are treated as 0 meanwhile; afterwards the caller's floating-point mode is restored. */\n";

static const char end_text[] =
    "\n/* Describes the training to programs that serve any: ports, tensors, steps, sizes, and\n"
    " * pointers to these functions. */\n"
    "extern const rnc_train_info @_info;\n"
    "\n"
    "#ifdef __cplusplus\n"
    "}\n"
    "#endif\n";

void emit_train_interface(Emit *e)
{
    buf_printf(e->out,
               "\n#if !defined(RNCTRAIN_ABI) || RNCTRAIN_ABI != %d\n"
               "#error \"%s was made for a runtime of another release (RNCTRAIN_ABI %d): make it "
               "again with this one's rnc\"\n#endif\n",
               RNCTRAIN_ABI, e->name, RNCTRAIN_ABI);
    buf_puts(e->out, "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
    emit_figures(e);
    emit_port_macros(e);
    emit_template(e, engine_text);
    if (e->plan->training->n_sums > 0)
        buf_printf(e->out, "    int sums[%d];        /* over ranks, under way */\n",
                   e->plan->training->n_sums);
    emit_template(e, functions_text);
    emit_step_declaration(e);
    buf_puts(e->out, ";\n");
    emit_evaluate_declaration(e);
    buf_puts(e->out, ";\n");
    emit_template(e, end_text);
}
