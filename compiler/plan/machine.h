/* machine.h: what the cost model knows about a machine: a row of machine.def, or numbers that were
 * measured or given. */
#ifndef RNC_MACHINE_H
#define RNC_MACHINE_H

#include "plan/kernels.h"

#include "base/diag.h"

typedef struct Machine {
    const char *name; /* as --machine takes it: a row's name, or numbers, "avx512=165,l2=130,..." */
    /* 10^9 float multiplications and additions a second of one core, by instruction set; 0: the
     * machine lacks the instruction set. */
    double gflops[ISA_COUNT];
    /* 10^9 bytes a second that one core reads: from each cache; from memory in one sequence, as
     * for the weights of a large network; from memory in several sequences side by side. */
    double l1, l2, l3, memory, streams;
    double l1_kb, l2_kb, l3_kb; /* sizes; for the L3, what one program may count on */
    double cores;               /* the number of cores */
    double together;            /* the part of its gflops that each core keeps when all compute */
    double all;                 /* 10^9 bytes a second that all cores together read from memory */
    const char *doc;
} Machine;

enum {
#define MACHINE(id, ...) MACHINE_##id,
#include "plan/machine.def"
    MACHINE_COUNT
};
extern const Machine machine_rows[MACHINE_COUNT];

/* The fastest of the instruction sets `isas` that the machine has; among equals, the last in
 * isa.def.
 */
Isa machine_isa(const Machine *machine, unsigned isas);
/* 10^9 operations a second of one core with that instruction set.  If the machine has none of
 * `isas`, those with one that it has. */
double machine_gflops(const Machine *machine, unsigned isas);

/* The machine's numbers as --machine takes them, three digits each. */
const char *machine_text(const Machine *machine, Arena *arena);

/* Reads `text`, "avx512=165,l2=130", and overwrites these numbers of *machine; its name becomes
 * what machine_text() prints for the result.  Returns false if a word is not the name of a number
 * or a value is not allowed; then *word is that item and *why says what it should be. */
bool machine_read(const char *text, Machine *machine, Arena *arena, const char **word,
                  const char **why);

#endif
