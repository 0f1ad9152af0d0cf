/* safetensors_write.h: a network's parameters as a safetensors file. */
#ifndef RNC_CONVERT_H
#define RNC_CONVERT_H

#include "net/ir.h"

/* All parameters of the net, which have data: F32, under their own names, in the
 * network's own order of axes; the file says so, and tensorfile.h reads it back as
 * TensorFile.own.  The bytes are in `arena`. */
unsigned char *safetensors_print(const Net *net, size_t *size, Arena *arena);

#endif
