/* installed.h: where the files are that were installed with rnc. */
#ifndef RNC_INSTALLED_H
#define RNC_INSTALLED_H

#include "base/arena.h"

/* `configured`, a path that configure settled (RNC_MODELS_DIR), as it is from where the program
 * lies now: an installation may be moved as a whole, or made below another prefix than that of
 * configure.  Where the program is in no folder of the name of bindir, or there is
 * nothing at that place, the file of that name beside the program, as in the build folder; else
 * `configured` itself.  In `arena`, or constant. */
const char *installed_path(const char *configured, Arena *arena);
/* The rule alone, without a look at what exists: `bindir` is configure's, `program` a path without
 * links. */
const char *installed_from(const char *program, const char *bindir, const char *configured,
                           Arena *arena);

#endif
