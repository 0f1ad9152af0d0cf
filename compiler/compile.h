/* compile.h: the whole compiler as one function, with no globals and no exit. */
#ifndef RNC_COMPILE_H
#define RNC_COMPILE_H

#include "base/diag.h"
#include "net/ir.h"
#include "lang/lower.h"
#include "import/imported.h"
#include "params/bind.h"
#include "passes/differentiate.h"
#include "plan/memory.h"
#include "plan/plan.h"
#include "emit/emit.h"

typedef enum Dump { DUMP_NONE, DUMP_AST, DUMP_IR, DUMP_PLAN, DUMP_REPORT, DUMP_TRAIN } Dump;

typedef struct CompileOptions {
    const char *input; /* .net, .ir (a network's text form), or a model that import.h reads */
    LowerOptions lower;
    const char *const *weights; /* files to bind, in order */
    int n_weights;
    InitSpec init;
    bool strict;    /* files must give all parameters, although there is an `init`, but for: */
    BindAnew anew;  /* those that are initialised all the same */
    bool train;     /* the network with a backward part, for this loss */
    bool some_loss; /* `loss` says which; else it is that of the file's training, if it has one */
    Loss loss;
    /* Of a step of training, 0: 1: how many ranks compute a batch, of which the network has the
     * part of one, and the shards of the batch, a multiple of these, whose sums they add: any
     * number of ranks up to that computes the same bits.  Both are powers of two. */
    int ranks, shards;
    MemoryGoal memory; /* of a step of training or an inference */
    PlanOptions plan;
    const char *tuning; /* a file that plan.tuning is read from, or NULL */
    EmitOptions emit;
    const char *const *passes; /* --passes: only these, in pass.def's order; NULL: all */
    int n_passes;
    const char *dump_after; /* --dump ir --after PASS; NULL: after `passes`, or before them all */
    Dump dump; /* stop there and leave the text in Compiled.dump; DUMP_REPORT: after the plan,
                  without */
} CompileOptions;

/* What a compilation made; it lives in the arena, but for the mapped files. */
typedef struct Compiled {
    Net *original; /* before the passes: what the oracle interprets */
    Net *rounded;  /* `net`, if its weights are rounded to 16 bits; else NULL */
    Net *net;      /* after them */
    Plan *plan;
    MemoryReport memory; /* if there was a goal */
    bool has_weights;    /* every parameter has data */
    BindReport bound;    /* if weights were given */
    Buf source, header, dump;
    unsigned char *weights; /* the weights file, or NULL */
    size_t weights_size;
    TensorFile *files; /* [n_files], opened; parameters may point into them */
    int n_files;
    Imported imported; /* of a model of another tool; its parameters may point into it, too */
} Compiled;

/* False after messages in `d`, the last of them "out of memory" if it ran out. */
bool compile(const CompileOptions *options, Arena *arena, SrcMap *src, Diag *d, Compiled *out);
/* Unmaps what compile() mapped, whatever it returned; before the arena is freed. */
void compiled_close(Compiled *compiled);

#endif
