/* native.h: the machine on which rnc runs, measured once and remembered. */
#ifndef RNC_NATIVE_H
#define RNC_NATIVE_H

#include "plan/machine.h"

/* Its numbers.  They come from the file that an earlier run left in the user's folder for caches.
 * If there is none, or if `again` is true, they are measured and left there.  Without such a
 * folder they are measured each time. */
const Machine *native_machine(bool again, Arena *arena);

/* What tells this machine from others, in words, one line. */
const char *native_name(Arena *arena);

/* The file that remembers it; NULL: the user has no folder for caches. */
const char *native_path(Arena *arena);

#endif
