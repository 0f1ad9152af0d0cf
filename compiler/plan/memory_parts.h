/* memory_parts.h: what the files that fit a step into a memory share; private to them. */
#ifndef RNC_MEMORY_PARTS_H
#define RNC_MEMORY_PARTS_H

#include "passes/recompute.h"
#include "plan/memory.h"

typedef struct Estimate {
    int64_t peak;  /* bytes of the tensors alive at once */
    int64_t cost;  /* of what is computed again, in multiplications */
    int64_t macs;  /* multiplications alone */
    int64_t moved; /* bytes of operands and results */
    int layers, products;
} Estimate;

/* memory_estimate.c */
typedef struct Estimator Estimator;
Estimator *estimator_new(const Net *net);
Estimate estimate(Estimator *e, const bool *kept);
/* Multiplications of a step, of all images. */
/* Whether the node is a layer with filters, or a gradient of one. */
bool multiplies(const Node *node);

/* memory_choices.c: choices of values that are kept, from the one that keeps all to the smallest:
 * each costs more than the one before it, and is estimated to need less. */
typedef struct Choice {
    bool *kept; /* by id */
    Estimate e;
} Choice;
typedef VEC(Choice) Choices;
Choices memory_choices(const Net *net);

#endif
