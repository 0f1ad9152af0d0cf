/* measure.h: how fast this machine multiplies, adds and reads. */
#ifndef RNC_MEASURE_H
#define RNC_MEASURE_H

#include "plan/machine.h"

/* Measures all numbers of a machine in less than a second; what it cannot, for want of memory or
 * threads, stays as *machine has it.  Each is the best of many short windows, so that other work
 * disturbs it little. */
void measure_machine(Machine *machine);

/* The size of a cache in KB as the system tells it: level 1 (data), 2 or 3 of the first CPU; 0 if
 * it does not. */
double cache_kb(int level);

#endif
