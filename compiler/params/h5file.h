/* h5file.h: HDF5 files, as Keras writes them, behind tensorfile.h.  Read by libhdf5,
 * which rnc can be built without. */
#ifndef RNC_H5FILE_H
#define RNC_H5FILE_H

#include "params/tensorfile.h"

bool h5_is(const unsigned char *bytes, size_t size);
/* Fills file->tensors from the datasets of the file at file->path.  False after a
 * message. */
bool h5_read(TensorFile *file, Arena *arena, Diag *diag);

#endif
