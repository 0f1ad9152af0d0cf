/* h5set.h: one dataset of an HDF5 file; private to h5file.c. */
#ifndef RNC_H5SET_H
#define RNC_H5SET_H

#include "params/tensorfile.h"

#include <hdf5.h>

typedef struct H5Set {
    StoredElem elem;
    const char *elem_name;
    int rank;
    int64_t dims[8];
    size_t size;   /* of the numbers, in bytes */
    size_t offset; /* in the file, if stored there as StoredTensor.bytes expects; else 0 */
    const char *way_out;
} H5Set;

/* Describes an open dataset of a file with this many bytes.  Returns NULL, or why it cannot be
 * read; allocates nothing. */
const char *h5_set_read(H5Set *set, hid_t id, size_t file_size);
/* Reads all its numbers, little-endian and row-major. */
bool h5_set_load(hid_t id, unsigned char *to);

#endif
