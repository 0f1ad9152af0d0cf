/* safetensors.h: the safetensors format; a reader for tensorfile.h. */
#ifndef RNC_SAFETENSORS_H
#define RNC_SAFETENSORS_H

#include "params/tensorfile.h"

/* Whether the first bytes of a file look like it. */
bool safetensors_is(const unsigned char *bytes, size_t size);
/* Fills file->tensors from the `size` bytes at `bytes`, which the tensors point
 * into.  False after a message. */
bool safetensors_read(TensorFile *file, const unsigned char *bytes, size_t size, Arena *arena,
                      Diag *diag);

#endif
