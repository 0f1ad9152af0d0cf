/* emit.h: the plan as C, header and weights file.  The only part of rnc that
 * writes output; the texts are made in memory and written when all is well. */
#ifndef RNC_EMIT_H
#define RNC_EMIT_H

#include "base/diag.h"
#include "base/str.h"
#include "plan/plan.h"

typedef enum Embed { EMBED_FILE, EMBED_INCBIN, EMBED_ARRAY, EMBED_SECTION } Embed;

typedef struct EmitOptions {
    const char *name;         /* the C identifier everything is called by */
    const char *command;      /* for the head comment: "rnc resnet50.net --isa avx2", no paths */
    const char *source;       /* how the C file includes itself: "resnet50.c" */
    const char *header;       /* how the C file includes its header: "resnet50.h" */
    const char *weights_file; /* for incbin: "resnet50.weights" */
    Embed embed;
    bool single_file; /* paste the runtime */
} EmitOptions;

void emit_header(Buf *out, const Plan *plan, const EmitOptions *options, const SrcMap *src);
void emit_source(Buf *out, const Plan *plan, const EmitOptions *options, const SrcMap *src);

/* For rnc tune: the steps of a plan with one ISA, each a function of its own, and
 * `const step_function *const SYMBOL`, their table. */
void emit_candidates(Buf *out, const Plan *plan, const char *symbol);

/* --embed array: the weights file's bytes, to the end of the source. */
void emit_array(Buf *out, const Plan *plan, const EmitOptions *options, const unsigned char *bytes,
                size_t size);

/* The weights file in memory (docs/weights-format.md): *size bytes in `arena`.
 * Every parameter has data. */
size_t emit_weights_size(const Plan *plan); /* bytes of it */
unsigned char *emit_weights(Arena *arena, const Plan *plan, size_t *size);

#endif
