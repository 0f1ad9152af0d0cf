/* emit.h: writes the plan as C, header and weights file.  This is the only part of rnc that writes
 * output; the texts are made in memory and are written when all is well. */
#ifndef RNC_EMIT_H
#define RNC_EMIT_H

#include "base/diag.h"
#include "base/str.h"
#include "plan/plan.h"

typedef enum Embed { EMBED_FILE, EMBED_INCBIN, EMBED_ARRAY, EMBED_SECTION } Embed;

typedef struct EmitOptions {
    const char *name;         /* the C identifier that all names begin with */
    const char *command;      /* for the head comment: "rnc resnet50.net --isa avx2", no folders */
    const char *source;       /* how the C file includes itself: "resnet50.c" */
    const char *header;       /* how the C file includes its header: "resnet50.h" */
    const char *weights_file; /* for incbin: "resnet50.weights" */
    Embed embed;
    bool single_file; /* paste the runtime */
} EmitOptions;

void emit_header(Buf *out, const Plan *plan, const EmitOptions *options, const SrcMap *src);
void emit_source(Buf *out, const Plan *plan, const EmitOptions *options, const SrcMap *src);

/* For rnc tune: the steps of a plan with one ISA, each as a function of its own, and a table of
 * them, `const step_function *const SYMBOL`. */
void emit_candidates(Buf *out, const Plan *plan, const char *symbol);

/* --embed array: appends the bytes of the weights file to the end of the source. */
void emit_array(Buf *out, const Plan *plan, const EmitOptions *options, const unsigned char *bytes,
                size_t size);

/* The weights file in memory (docs/weights-format.md): *size bytes in `arena`.  Every parameter
 * must have data. */
size_t emit_weights_size(const Plan *plan); /* size of the weights file */
unsigned char *emit_weights(Arena *arena, const Plan *plan, size_t *size);

#endif
