/* check.h: what holds of every network at any time. */
#ifndef RNC_CHECK_H
#define RNC_CHECK_H

#include "base/diag.h"
#include "net/ir.h"

/* Checks that operands come before their users, that operand counts, shapes and parameter dims are
 * as the rules give them, that names are unique, that only operators which allow it have fused
 * parts, and that updates fit their parameters.  A network that breaks this is rnc's fault, never
 * the user's: returns false after diag_internal(), which names `when`, the phase that has just run.
 */
bool check_net(Net *net, Diag *diag, const char *when);

#endif
