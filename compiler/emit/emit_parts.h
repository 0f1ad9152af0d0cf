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
    int n_kinds;
} Emit;

Emit emit_begin(Buf *out, const Plan *plan, const EmitOptions *options, const SrcMap *src);

/* Ports as C names them, inputs then outputs; unique also in capitals. */
typedef struct PortNames {
    const char **in, **out;
} PortNames;
PortNames port_names(const Plan *plan, Arena *arena);

/* Text that may stand in a comment: one line, not its end, no path. */
char *comment_text(Arena *arena, const char *text);

/* emit_kernels.c */
void emit_operands(Emit *e);     /* shape structs in use, tile, operands */
void emit_isa(Emit *e, Isa isa); /* kernels and step functions of one ISA */
void emit_runtime(Buf *out);     /* --single-file */
void emit_runtime_header(Buf *out);
void paste(Buf *out, const char *text, bool comments);

/* emit_steps.c */
void emit_shapes(Emit *e);             /* the constants all ISAs share */
void emit_functions(Emit *e, Isa isa); /* tiles, functions and their table */

/* emit_run.c */
void emit_run(Emit *e); /* one call a step, loops */

/* emit_header.c */
void emit_labels(Emit *e);
void emit_info(Emit *e);
void emit_template(Emit *e, const char *text); /* emit.c */
void emit_incbin(Emit *e);                     /* emit_embed.c */

#endif
