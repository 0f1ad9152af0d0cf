/* native.h: the row of machine.def that the CPU has on which rnc runs. */
#ifndef RNC_NATIVE_H
#define RNC_NATIVE_H

#include "plan/plan.h"

typedef enum CpuMaker { CPU_OTHER, CPU_AMD, CPU_INTEL, CPU_ARM } CpuMaker;

/* A CPU as its maker numbers it; Arm has parts and no families. */
typedef struct Cpu {
    CpuMaker maker;
    int family, model;
} Cpu;

/* Its row; the generic one if no row is of it. */
const Machine *machine_of(Cpu cpu);
const Machine *native_machine(void);

#endif
