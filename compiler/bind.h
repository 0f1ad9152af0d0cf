/* bind.h: the network's parameters bound to the tensors of weights files, or
 * initialised. */
#ifndef RNC_BIND_H
#define RNC_BIND_H

#include "diag.h"
#include "ir.h"
#include "tensorfile.h"

/* What --init says: "glorot:0", "he:1", "zeros", "normal:7" ... */
typedef struct InitSpec {
    InitKind kind;
    uint64_t seed;
} InitSpec;

/* False after a message when `text` is none. */
bool init_parse(InitSpec *spec, const char *text, Diag *diag);
/* Fills one parameter: weights by spec, biases 0, bn 1 0 0 1.  glorot is
 * TensorFlow 1.x's glorot_uniform to the bit (see init.c). */
void init_param(Param *param, const Node *node, InitSpec spec, Arena *arena);

/* Binds every parameter of `net` by Param.alias, else by Param.name, in the
 * files in order; strict: a parameter without a tensor (unless `init` fills
 * it), a tensor without a parameter, a shape or an element type that does not
 * fit and a value that is not finite are errors, with the nearest name
 * suggested.  "num_batches_tracked" and the like are left over without harm. */
bool bind_params(Net *net, TensorFile *files, int n_files, InitSpec init, Diag *diag);

#endif
