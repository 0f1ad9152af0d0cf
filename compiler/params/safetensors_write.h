/* safetensors_write.h: a network's parameters as a safetensors file. */
#ifndef RNC_CONVERT_H
#define RNC_CONVERT_H

#include "net/ir.h"

/* A tensor for the file: F32 from `floats`, or F64 from `doubles`; the other one is NULL. */
typedef struct SafeTensor {
    const char *name;
    int rank;
    const int *dims;
    const float *floats;
    const double *doubles;
} SafeTensor;

/* The bytes of a file with these tensors, in `arena`; it says that the names are rnc's own. */
unsigned char *safetensors_pack(const SafeTensor *tensors, int n, size_t *size, Arena *arena);
/* All parameters of the net, which have data: F32, under their own names, in the
 * network's own order of axes; the file says so, and tensorfile.h reads it back as
 * TensorFile.own.  The bytes are in `arena`. */
unsigned char *safetensors_print(const Net *net, size_t *size, Arena *arena);

#endif
