/* check_outputs.h: a network's outputs against those that another tool computed. */
#ifndef RNC_CHECK_OUTPUTS_H
#define RNC_CHECK_OUTPUTS_H

#include "tool/options.h"

/* Computes the network, which has its values, by the plain interpreter on the arrays of
 * o->check.at[0], an .npz of the inputs by name, and compares with those of o->check.at[1], the
 * outputs; where there is one, its name does not matter.  Arrays have the ports' axes and may have
 * a whole batch of images, which are computed one after the other.  Prints a line for each output.
 * False after a message, if they differ by more than o->tolerance of the largest element. */
bool check_outputs(const Options *o, const Net *net, Arena *arena, Diag *d);

#endif
