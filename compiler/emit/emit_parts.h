/* emit_parts.h: what the files of the emitter share. */
#ifndef RNC_EMIT_PARTS_H
#define RNC_EMIT_PARTS_H

#include "emit/emit.h"
#include "net/nametable.h"

typedef struct Emit {
    Buf *out;
    Arena *arena;
    const Plan *plan;
    const EmitOptions *options;
    const SrcMap *src;
    const char *name, *upper;   /* resnet50, RESNET50 */
    int *kinds;                 /* [steps]: index of the step's function in the tables */
    const char **kind_names;    /* [n_kinds]: after each kind's first layer: layer1_0_conv1; of a
                                   training, after its kernel: conv_direct_1 */
    int kinds_of[KERNEL_COUNT]; /* so far */
    int n_kinds;
    int *knobs; /* [n_kinds]: the number of the kind's knobs, which several kinds can share */
    int n_knobs;
    bool state;               /* the network keeps a state */
    uint32_t pass;            /* the value of RNC_PASS in this file */
    Spread *spreads;          /* [nodes], for what the header says of inputs; NULL at first */
    bool named[FAMILY_COUNT]; /* families whose fields' names are in the text already */
    VEC(const char *) pasted; /* the kernels' texts that are in the file */
    NameTable layers;         /* of a training: all nodes */
} Emit;

Emit emit_begin(Buf *out, const Plan *plan, const EmitOptions *options, const SrcMap *src);

/* The names of ports in C, inputs then outputs; they differ in capitals, too. */
typedef struct PortNames {
    const char **in, **out;
} PortNames;
PortNames port_names(const Plan *plan, Arena *arena);

/* A text made safe for a comment: one line that does not end it. */
char *comment_text(Arena *arena, const char *text);

/* emit_text.c: pastes a carried text, with those of its optional parts for which `wanted` returns
 * true; with none of them if it is NULL. */
typedef bool TextWanted(const void *context, const char *macro);
void paste_text(Buf *out, const char *name, TextWanted *wanted, const void *context);
bool text_defines(const char *name, const char *macro, Arena *arena);
/* Pastes a carried text of `#undef`s, without those of macros that only parts of texts define which
 * were not pasted. */
typedef struct Pasted {
    const char *const *names; /* the texts */
    int n;
    TextWanted *wanted; /* their parts, as for paste_text() */
    const void *context;
} Pasted;
void paste_undefs(Buf *out, const char *name, const Pasted *pasted);
uint32_t texts_hash(const char *const *names, int n); /* below 2^31 */
/* For --single-file: the runtime's interface, and its functions. */
void emit_runtime_interface(Buf *out);
void emit_runtime_functions(Buf *out);
/* Likewise of a training. */
void emit_train_runtime(Buf *out);
void emit_train_functions(Buf *out);

/* emit_operands.c: what a plan uses: a kernel, one that needs something (NEEDS_...), a family */
bool uses_kernel(const Plan *plan, Kernel kernel);
bool any_needs(const Plan *plan, unsigned what);
bool uses_family(const Plan *plan, Family family);
bool uses_clipped(const Plan *plan); /* windows of conv_direct that are clipped to the input */
void emit_operands(Emit *e);         /* the shape structs in use, knobs, operands, cuts */

/* emit_kernels.c */
void emit_isa(Emit *e, Isa isa);        /* kernels and step functions of a plan's only ISA */
bool emit_has_passes(const Plan *plan); /* true with several ISAs: the file includes itself */
void emit_passes(Emit *e);              /* where it includes itself */
void emit_pass(Emit *e);                /* what it includes */

/* emit_steps.c */
/* Constants of C with the same value, in the fewest digits: of a float; of a double, in the arena.
 */
void emit_float(Buf *out, float x);
const char *emit_real(Emit *e, double x);
void emit_kinds(Emit *e);  /* the list of kinds */
void emit_shapes(Emit *e); /* the constants all ISAs share */
void emit_knobs_macro(Emit *e);
void emit_knobs(Emit *e, Isa isa); /* an ISA's constants */
void emit_functions(Emit *e);      /* a function for each kind of step, and a table of them */

/* emit_calls.c: whether the plan has steps with more than two operands or more than one result,
 * which have a call of another form; calls and loops of steps first .. end-1; those inside a
 * function of bands: steps, or what one iteration of a repeat calls. */
bool emit_has_many(const Plan *plan);
void emit_calls(Emit *e, int first, int end);
void emit_steps_of_band(Emit *e, int first, int end, Buf *text);
void emit_iterations(Emit *e, const Repeat *r, Buf *text);
/* emit_bands.c: whether there are layers whose bands threads can compute side by side; their
 * functions, and the call of one, by the number of its run, counted from 1. */
bool emit_has_slots(const Plan *plan);
void emit_band_functions(Emit *e);
void emit_band_run(Emit *e, int number);

/* emit_run.c */
void emit_run(Emit *e);    /* one call for each step, and loops */
void emit_stages(Emit *e); /* likewise for a training, a function for each stage */

/* The name of a step: its layers, "layer1.0.main.conv1 + bn1 + relu1".  The first of these layers;
 * where an output is copied to the caller, the name of the output. */
const char *step_name(const Plan *plan, const Step *step, Arena *arena);
const char *layers_name(const Plan *plan, const Step *s, Arena *arena); /* without other results */
const char *step_layer(const Plan *plan, const Step *step);

/* emit_ports.c */
void emit_port_macros(Emit *e);
const char *port_type(const Port *port); /* "float" */

/* emit_header.c */
void emit_run_declaration(Emit *e);
int64_t emit_arena_bytes(const Plan *plan);

/* emit_train.c, for a training: the functions after the stages; constants; the description.
 * emit_train_header.c: the interface. */
void emit_constants(Emit *e);
void emit_train(Emit *e);
const char *emit_arena_floats(Emit *e, const Tensor *t); /* where a tensor is; NULL: "NULL" */
/* emit_finite.c: what finds numbers that are not finite; the norm of all gradients, as an
 * expression. */
void emit_finite(Emit *e);
/* emit_ports.c: run_steps() of a batch in turns; the state among the parameters of functions */
void emit_turns(Emit *e);
const char *emit_state_parameter(const Emit *e);
/* emit_layers.c: what the steps of a training are.  `layer` is the layer that a step belongs to,
 * and `part` what of it is computed: "" for the layer itself, "weight.gradient", "evaluate". */
typedef struct StepLabel {
    const char *layer, *part;
} StepLabel;
StepLabel step_label(const Emit *e, const Step *s);
void emit_layers(Emit *e);
const char *emit_norm(Emit *e);
void emit_tensors(Emit *e); /* emit_tensors.c: the tables of what it keeps, and their functions */
int count_tensors(Emit *e);
void emit_train_interface(Emit *e);
void emit_step_declaration(Emit *e);
void emit_evaluate_declaration(Emit *e);

/* emit_info.c */
void emit_info_ports(Emit *e);      /* tables of ports */
void emit_described_ports(Emit *e); /* name and ports, the first fields of a description */
void emit_step_table(Emit *e);      /* the table of steps */
void emit_string(Buf *out, const char *text); /* as a C string */
void emit_labels(Emit *e);
void emit_info(Emit *e);
void emit_template(Emit *e, const char *text); /* emit.c */
void emit_incbin(Emit *e);                     /* emit_embed.c */

#endif
