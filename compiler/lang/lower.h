/* lower.h: from the syntax tree to the network: blocks expanded, parameters
 * evaluated, shapes inferred, names given. */
#ifndef RNC_LOWER_H
#define RNC_LOWER_H

#include "base/diag.h"
#include "net/ir.h"

typedef struct LowerOptions {
    const char *const *defines; /* "name=value", from -D */
    int n_defines;
    const char *const *include_dirs; /* -I, in order, then the installed models */
    int n_include_dirs;
    const char *naming;      /* --names, or NULL: as the net says */
    int batch;               /* --batch, or 0: as the net says */
    int ranks;               /* the network has the part of the batch of one of these; 0: 1 */
    const char *input_type;  /* --input-type, or NULL */
    const char *input_order; /* --input-order, or NULL */
    const char *const *taps; /* --tap, paths or labels that become outputs */
    int n_taps;
    const char *end;    /* --end, a path or label at which the net ends, or NULL */
    const char *labels; /* --labels: class names of the first output, or NULL */
    bool train;         /* lower the file's training too, and the net that it names */
    bool train_if_any;  /* likewise, with the batch of the training, if the file has one */
    bool validated;     /* there is data for validation, whatever the training says of it */
} LowerOptions;

/* The network of the main file `file` of d->src (already read; includes are
 * read and added to `src`), or NULL after messages. */
Net *lower_file(Arena *arena, SrcMap *src, int file, const LowerOptions *options, Diag *d);

#endif
