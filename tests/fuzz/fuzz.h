/* fuzz.h: an entry point that eats any bytes, in the form libFuzzer calls.
 *
 * `make fuzz` links one with libFuzzer, `make check` with replay.c, which feeds
 * it the inputs that are kept.  What must hold is asserted by abort(). */
#ifndef RNC_FUZZ_H
#define RNC_FUZZ_H

#include "base/arena.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Calls with an arena of its own, from which it may return early for want of memory. */
static inline int fuzz_in_arena(void (*call)(Arena *arena, const uint8_t *data, size_t size),
                                const uint8_t *data, size_t size)
{
    jmp_buf oom;
    Arena *volatile arena = arena_new(&oom);
    if (!arena)
        return 0;
    if (setjmp(oom) == 0)
        call(arena, data, size);
    arena_free(arena);
    return 0;
}

#endif
