/* measure_loops.h: loops that do nothing but multiply and add, or read, by each instruction set. */
#ifndef RNC_MEASURE_LOOPS_H
#define RNC_MEASURE_LOOPS_H

#include "plan/kernels.h"

typedef struct MeasureLoop {
    Isa isa;
    int operations;           /* multiplications and additions of a turn */
    void (*burn)(long turns); /* on registers, in chains that do not wait for each other */
    /* `bytes` from `data` on, a multiple of 2 KB times `streams`, aligned to 64: from the start to
     * the end, or from this many equal parts side by side. */
    void (*read)(const void *data, size_t bytes, size_t streams);
} MeasureLoop;

/* Of each instruction set that rnc itself was compiled for, best first, up to one whose burn is
 * NULL.  Whether this CPU has it, rnc_isa_present() says. */
extern const MeasureLoop measure_loops[];

#endif
