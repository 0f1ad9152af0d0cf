/* native.h: the machine on which rnc runs, measured once and remembered. */
#ifndef RNC_NATIVE_H
#define RNC_NATIVE_H

#include "plan/machine.h"

/* Its numbers: as an earlier run has left them in the user's folder for caches, else, or if `again`
 * says so, measured, and left there.  Where there is no such folder they are measured each time. */
const Machine *native_machine(bool again, Arena *arena);

/* What tells this machine from others, in words, one line. */
const char *native_name(Arena *arena);

/* The file that remembers it; NULL: the user has no folder for caches. */
const char *native_path(Arena *arena);

#endif
