/* check.h: what holds of every network at any time. */
#ifndef RNC_CHECK_H
#define RNC_CHECK_H

#include "base/diag.h"
#include "net/ir.h"

/* Order, operand counts, shapes and parameter dims as the rules give them, names
 * unique, fused parts only where the operator takes them.  A network that breaks
 * this is rnc's fault, never the user's: false after diag_internal(), which names
 * `when`, the phase that has just run. */
bool check_net(Net *net, Diag *diag, const char *when);

#endif
