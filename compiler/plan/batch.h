/* batch.h: a batch computed in turns of a few images each. */
#ifndef RNC_BATCH_H
#define RNC_BATCH_H

#include "plan/plan.h"

/* Chooses the turns, Net.turns, for a machine: the types of `net`, which is verified and of
 * one batch, become those of one turn's images. */
void cut_batch(Net *net, const Machine *machine);
/* A type of the network, with the images of all turns. */
Type whole_batch(const Net *net, Type type);

#endif
