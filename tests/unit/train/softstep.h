/* softstep.h: a step of training written by hand, for the tests of runs: softmax regression with
 * momentum, a moving average and accumulation, in plain loops. */
#ifndef RNC_SOFTSTEP_H
#define RNC_SOFTSTEP_H

#include "runtime/rnctrain.h"

enum { SOFT_SIDE = 4, SOFT_CLASSES = 3, SOFT_BATCH = 8 };

/* Pictures of 4 x 4 bytes, three classes, batches of 8.  The second makes an update of two batches;
 * the third computes sums of squares of floats from targets. */
extern const rnc_train_info soft_info, soft_two_info, soft_square_info;

#endif
