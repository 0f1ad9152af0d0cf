/* fuzz.h: an entry point that eats any bytes, in the form libFuzzer calls.
 *
 * `make fuzz` links one with libFuzzer, `make check` with replay.c, which feeds
 * it the inputs that are kept.  What must hold is asserted by abort(). */
#ifndef RNC_FUZZ_H
#define RNC_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
