/* emit_parts.h: between the files of the emitter. */
#ifndef RNC_EMIT_PARTS_H
#define RNC_EMIT_PARTS_H

#include "emit/emit.h"

typedef struct Emit {
    Buf *out;
    Arena *arena;
    const Plan *plan;
    const EmitOptions *options;
    const SrcMap *src;
    const char *name, *upper; /* resnet50, RESNET50 */
    int *kinds;               /* [steps]: position of the step's function in the tables */
    const char **kind_names;  /* [n_kinds]: after the first layer of the kind: layer1_0_conv1 */
    int n_kinds;
    uint32_t pass; /* what RNC_PASS is in this file */
} Emit;

Emit emit_begin(Buf *out, const Plan *plan, const EmitOptions *options, const SrcMap *src);

/* Ports as C names them, inputs then outputs; unique also in capitals. */
typedef struct PortNames {
    const char **in, **out;
} PortNames;
PortNames port_names(const Plan *plan, Arena *arena);

/* Text that may stand in a comment: one line, not its end, no path. */
char *comment_text(Arena *arena, const char *text);

/* emit_text.c: a carried text, with those of its parts that `wanted` says; NULL: without. */
typedef bool TextWanted(const void *context, const char *macro);
void paste_text(Buf *out, const char *name, TextWanted *wanted, const void *context);
bool text_defines(const char *name, const char *macro, Arena *arena);
uint32_t texts_hash(const char *const *names, int n); /* below 2^31 */
/* --single-file: the runtime's interface, and its functions. */
void emit_runtime_interface(Buf *out);
void emit_runtime_functions(Buf *out);

/* emit_kernels.c */
void emit_operands(Emit *e);            /* shape structs in use, tile, operands */
void emit_isa(Emit *e, Isa isa);        /* kernels and step functions of the only ISA */
bool emit_has_passes(const Plan *plan); /* several ISAs: the file includes itself */
void emit_passes(Emit *e);              /* where it does */
void emit_pass(Emit *e);                /* and what is included */

/* emit_steps.c */
void emit_shapes(Emit *e); /* the constants all ISAs share */
void emit_tiles(Emit *e, Isa isa);
void emit_functions(Emit *e); /* a function a kind of step, and their table */

/* emit_run.c */
void emit_run(Emit *e); /* one call a step, loops */

/* A step's layers, "layer1.0.main.conv1 + bn1 + relu1", and the first of them; where an output
 * is copied to the caller, its name. */
const char *step_name(const Plan *plan, const Step *step, Arena *arena);
const char *step_layer(const Plan *plan, const Step *step);

/* emit_ports.c */
void emit_port_macros(Emit *e);
const char *port_type(const Port *port); /* "float" */

/* emit_header.c */
void emit_run_declaration(Emit *e);
int64_t emit_arena_bytes(const Plan *plan);

/* emit_info.c */
void emit_string(Buf *out, const char *text); /* as a C string */
void emit_labels(Emit *e);
void emit_info(Emit *e);
void emit_template(Emit *e, const char *text); /* emit.c */
void emit_incbin(Emit *e);                     /* emit_embed.c */

#endif
