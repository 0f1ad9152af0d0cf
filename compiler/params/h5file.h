/* h5file.h: HDF5 files of tensors, as Keras writes them; a reader for tensorfile.h. */
#ifndef RNC_H5FILE_H
#define RNC_H5FILE_H

#include "params/keras.h"

/* The bytes of an HDF5 file: the file itself, mapped, or an image of one in memory, as
 * an archive holds it. */
typedef struct H5Bytes {
    const unsigned char *at;
    size_t size;
    bool image;
} H5Bytes;

bool h5_is(const unsigned char *bytes, size_t size);
/* Fills file->tensors; they point into the bytes where they can.  `config` has the layers of
 * a .keras file, or is NULL.  False after a message. */
bool h5_read(TensorFile *file, H5Bytes bytes, const KerasConfig *config, Arena *arena, Diag *diag);

#endif
