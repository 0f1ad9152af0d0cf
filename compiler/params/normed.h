/* normed.h: kernels that PyTorch keeps as what they are computed from. */
#ifndef RNC_NORMED_H
#define RNC_NORMED_H

#include "params/tensorfile.h"

/* Replaces the tensors of weight normalisation and spectral normalisation in file->tensors by the
 * kernels that PyTorch computes from them in evaluation; these are computed when they are loaded.
 * Says how many in a note.  What is incomplete, or of extents that do not fit, stays as it is. */
void normed_read(TensorFile *file, Arena *arena, Diag *diag);

#endif
