/* batch.h: a batch computed in turns of a few images each. */
#ifndef RNC_BATCH_H
#define RNC_BATCH_H

#include "plan/plan.h"

/* Returns a type of the plan's network with the images of all turns. */
Type whole_batch(const Plan *plan, Type type);

/* Bytes of state for all turns.  Each turn has its own, since each image is a stream of its own. */
int64_t whole_state(const Plan *plan);

#endif
