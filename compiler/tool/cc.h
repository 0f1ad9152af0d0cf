/* cc.h: emitted C compiled with the user's compiler, and loaded into rnc. */
#ifndef RNC_CC_H
#define RNC_CC_H

#include "base/diag.h"

/* A folder for what is compiled: `keep`, made if need be, or where that is NULL a new one
 * among the temporary files, "rnc-WHAT-XXXXXX".  NULL after a message. */
const char *cc_folder(const char *keep, const char *what, Arena *arena, Diag *d);
const char *cc_path(const char *folder, const char *name, Arena *arena);

/* FOLDER/NAME.c to FOLDER/NAME.so by $CC, or cc; `flags` and `libraries` as the shell takes
 * them; `advice` is said after a failure.  False after a message. */
bool cc_shared(const char *folder, const char *name, const char *flags, const char *libraries,
               const char *advice, Arena *arena, Diag *d);

/* FOLDER/NAME.so, and what it has under `symbol`.  NULL after a message; *handle is for
 * dlclose() in either case, unless it is NULL. */
void *cc_load(const char *folder, const char *name, const char *symbol, void **handle, Arena *arena,
              Diag *d);

/* FOLDER/NAME.c and .so, if they are there. */
void cc_remove(const char *folder, const char *name, Arena *arena);

#endif
