/* safetensors.h: tensors in a file that rnc, PyTorch and others read. */
#ifndef RNCT_SAFETENSORS_H
#define RNCT_SAFETENSORS_H

#include "train/mapped.h"
#include "train/problems.h"

typedef struct rnct_tensor {
    const char *name;
    int rank, dims[4];
    const float *floats; /* row-major */
} rnct_tensor;

/* Writes a file of n tensors, as a whole.  If `own`, it says that the names are the network's own,
 * as `rnc convert` writes them; for the same network the bytes are the same, too.  False with a
 * problem. */
bool rnct_safetensors_save(const char *path, const rnct_tensor *tensors, int n, bool own,
                           rnct_problems *problems);

/* Finds a tensor of floats in a file that rnct_safetensors_save or `rnc convert` has written; its
 * values are in the map, on little-endian machines.  False if it is not there, or if the file is
 * none of these. */
bool rnct_safetensors_find(const rnct_mapped *file, const char *name, rnct_tensor *tensor);

#endif
