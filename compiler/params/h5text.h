/* h5text.h: texts in an HDF5 file's attributes; private to h5file.c. */
#ifndef RNC_H5TEXT_H
#define RNC_H5TEXT_H

#include <hdf5.h>

/* The length of the text that an attribute of an open object has, 0 where there is no such text.
 * Writes it to `to`, NUL-terminated, if it fits into `size` bytes, else "".  Allocates nothing that
 * stays. */
size_t h5_text(hid_t object, const char *name, char *to, size_t size);

#endif
