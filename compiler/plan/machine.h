/* machine.h: what the cost model knows of a machine: the rows of machine.def, or numbers that were
 * measured or given. */
#ifndef RNC_MACHINE_H
#define RNC_MACHINE_H

#include "plan/kernels.h"

#include "base/diag.h"

typedef struct Machine {
    const char *name; /* as --machine takes it: of a row, or numbers, "avx512=165,l2=130,..." */
    /* One core's multiplications and additions in float, 10^9 a second, by instruction set;
     * 0: it has not got it. */
    double gflops[ISA_COUNT];
    /* 10^9 bytes a second that one core reads: from each cache, and as much as the weights of a
     * large network from memory, in one sequence; several sequences of memory side by side. */
    double l1, l2, l3, memory, streams;
    double l1_kb, l2_kb, l3_kb; /* sizes; of the L3, what one program may count on */
    double cores;               /* how many there are */
    double together;            /* of a core's gflops, what each keeps when all compute */
    double all;                 /* 10^9 bytes a second that all cores together read from memory */
    const char *doc;
} Machine;

enum {
#define MACHINE(id, ...) MACHINE_##id,
#include "plan/machine.def"
    MACHINE_COUNT
};
extern const Machine machine_rows[MACHINE_COUNT];

/* The fastest of the instruction sets `isas` that the machine has, of equals the last in isa.def.
 */
Isa machine_isa(const Machine *machine, unsigned isas);
/* 10^9 operations a second of one core by that; of one that it has if it has none of them. */
double machine_gflops(const Machine *machine, unsigned isas);

/* The machine's numbers as --machine takes them, three digits each. */
const char *machine_text(const Machine *machine, Arena *arena);

/* `text`, "avx512=165,l2=130", over the numbers of *machine, whose name is what comes out, as
 * machine_text() has it.  False if a word is no number's name or a value not one that it may have;
 * then *word is that item and *why what it should be. */
bool machine_read(const char *text, Machine *machine, Arena *arena, const char **word,
                  const char **why);

#endif
