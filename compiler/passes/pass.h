/* pass.h: rewrites of the network; pass.def is the list, in order. */
#ifndef RNC_PASS_H
#define RNC_PASS_H

#include "base/diag.h"
#include "net/ir.h"

typedef struct PassRow {
    const char *name;
    void (*run)(Net *net);
    const char *doc;
} PassRow;

extern const PassRow pass_rows[];
extern const int pass_count;

/* Which passes to run, always in pass.def's order. */
typedef struct PassChoice {
    const char *const *only; /* n names, or NULL: all of them */
    int n;
    const char *last; /* stop after this one, or NULL */
} PassChoice;

/* Runs the chosen passes and verifies the network after each.  Returns false after a message if a
 * pass broke the network. */
bool pass_run(Net *net, Diag *diag, PassChoice choice);

#define PASS(name, doc) void pass_##name(Net *net);
#include "passes/pass.def"
#undef PASS

#endif
