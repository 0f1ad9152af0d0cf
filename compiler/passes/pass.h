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
    const char *last; /* stop behind this one, or NULL */
} PassChoice;

/* Runs them and verifies the network after each.  False after a message when a
 * pass broke the network. */
bool pass_run(Net *net, Diag *diag, PassChoice choice);

#define PASS(name, doc) void pass_##name(Net *net);
#include "passes/pass.def"
#undef PASS

#endif
