/* round.h: trained weights rounded to the element type that they are stored with. */
#ifndef RNC_ROUND_H
#define RNC_ROUND_H

#include "base/diag.h"
#include "net/ir.h"

/* The weights of convolutions and dense layers, not their biases, become the nearest numbers of
 * `elem` (RNC_WEIGHTS_... of kernels/operands.h), ties to even, and stay floats.  It comes after
 * the passes, which compute weights; parameters without data stay without.  False after a message
 * for each layer with a weight that `elem` is too small for. */
bool round_weights(Net *net, int elem, Diag *diag);

#endif
