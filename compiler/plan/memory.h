/* memory.h: how much memory a step of training or an inference may take, and what it does to fit.
 *
 * An inference needs an arena, which is smaller if layers are computed by bands (plan/bands.h).
 *
 * A step needs its state, which is what it is, and an arena, most of which keeps what the backward
 * part reads of the forward part.  What is computed again instead (passes/recompute.h) is chosen
 * here: candidates are compared by an estimate, and the best of them by their plans. */
#ifndef RNC_MEMORY_H
#define RNC_MEMORY_H

#include "plan/plan.h"

typedef enum MemoryKind {
    MEMORY_ANY,     /* nobody asked */
    MEMORY_FASTEST, /* nothing is computed again; bands are where they are faster */
    MEMORY_LEAST,   /* the smallest arena that was found */
    MEMORY_BYTES    /* the cheapest choice with which state and arena fit */
} MemoryKind;

typedef struct MemoryGoal {
    MemoryKind kind;
    int64_t bytes;
} MemoryGoal;

/* A choice that was planned. */
typedef struct MemoryChoice {
    int layers;   /* nodes that are computed again, or by bands */
    int products; /* convolutions and dense layers among them */
    int64_t
        macs; /* their multiplications, of all images of a step; by bands, those that are more */
    int64_t moved; /* bytes of all operands and results */
    int64_t arena; /* bytes */
    bool taken;
} MemoryChoice;

typedef struct MemoryReport {
    VEC(MemoryChoice) choices; /* in the order of what they cost */
    int64_t state;             /* bytes of the state, whatever the choice */
    int64_t macs;              /* multiplications of what computes nothing again */
    bool bands;                /* it is an inference */
} MemoryReport;

/* The network, with a backward part and after all passes, with which a step fits the goal: a copy,
 * or `net` itself.  *like is a plan whose methods the network's plan must have, so that all choices
 * compute the same bits.  NULL after a message. */
Net *fit_memory(Net *net, const PlanOptions *options, MemoryGoal goal, MemoryReport *report,
                const Plan **like, Diag *diag);

/* Sets *options so that an inference of the network, which has no backward part, fits the goal;
 * false after a message (memory_bands.c). */
bool fit_bands(const Net *net, PlanOptions *options, MemoryGoal goal, MemoryReport *report,
               Diag *diag);

/* Multiplications of a step, of all its images. */
int64_t step_macs(const Net *net);

#endif
