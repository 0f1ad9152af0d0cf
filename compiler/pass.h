/* pass.h: rewrites of the network; pass.def is the list, in order. */
#ifndef RNC_PASS_H
#define RNC_PASS_H

#include "diag.h"
#include "ir.h"

typedef struct PassRow {
    const char *name;
    void (*run)(Net *net);
    const char *doc;
} PassRow;

extern const PassRow pass_rows[];
extern const int pass_count;

/* Runs all passes in order and verifies the network after each.  `after`, if
 * not NULL, is called when a pass is done (for dumps); it returns false to stop
 * there.  False after a message when a pass broke the network. */
typedef bool (*PassHook)(void *context, const PassRow *pass, const Net *net);
bool pass_run_all(Net *net, Diag *diag, PassHook after, void *context);

/* verify.c: what holds of every network at any time: order, operand counts,
 * shapes and parameter dims as the rules give them, names unique, fused parts
 * only where the operator takes them.  False after diag_internal(), which names
 * `when`. */
bool verify_net(Net *net, Diag *diag, const char *when);

#define PASS(name, doc) void pass_##name(Net *net);
#include "pass.def"
#undef PASS

#endif
