/* cc.h: emitted C compiled with the user's compiler, and loaded into rnc. */
#ifndef RNC_CC_H
#define RNC_CC_H

#include "base/diag.h"
#include "plan/kernels.h"

#include "runtime/rncrt.h"

#include <assert.h>

/* A folder for what is compiled: `keep`, which is made if need be or, if that is NULL, a new
 * temporary folder "rnc-WHAT-XXXXXX".  Returns NULL after a message.
 *
 * From here to cc_end() SIGHUP, SIGINT, SIGQUIT and SIGTERM do not end rnc, but the compilers that
 * run; cc_end() then ends rnc by that signal. */
const char *cc_folder(const char *keep, const char *what, Arena *arena, Diag *d);
/* Removes a temporary folder and what is in it, when the code is loaded; NULL: it is kept. */
void cc_end(const char *folder);
const char *cc_path(const char *folder, const char *name, Arena *arena);

/* FOLDER/NAME.c to FOLDER/NAME.so for n names at once, by $CC, or cc; `flags` and `libraries` as
 * the shell takes them; `advice` is said after a failure.  False after a message, or without one
 * after a signal that cc_end() will end rnc by. */
bool cc_shared(const char *folder, const char *const *names, int n, const char *flags,
               const char *libraries, const char *advice, Arena *arena, Diag *d);

/* FOLDER/NAME.so, and what it has under `symbol`.  NULL after a message; *handle is for
 * dlclose() in either case, unless it is NULL. */
void *cc_load(const char *folder, const char *name, const char *symbol, void **handle, Arena *arena,
              Diag *d);

/* An instruction set as the runtime calls it: it counts from 1 in isa.def's order. */
static_assert((int)RNC_ISA_AVX512 == (int)ISA_avx512 + 1, "runtime/rncrt.h");
static_assert((int)RNC_ISA_AVX2 == (int)ISA_avx2 + 1, "runtime/rncrt.h");
static_assert((int)RNC_ISA_NEON == (int)ISA_neon + 1, "runtime/rncrt.h");
static_assert((int)RNC_ISA_PORTABLE == (int)ISA_portable + 1, "runtime/rncrt.h");
static_assert((int)RNC_ISA_SCALAR == (int)ISA_scalar + 1, "runtime/rncrt.h");
static_assert((int)ISA_COUNT == (int)RNC_ISA_SCALAR, "a new instruction set needs its number");
static inline rnc_isa cc_isa(Isa isa)
{
    return (rnc_isa)(isa + 1);
}

#endif
