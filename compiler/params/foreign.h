/* foreign.h: files that hold no tensors which rnc reads, named by what is in them. */
#ifndef RNC_FOREIGN_H
#define RNC_FOREIGN_H

#include "params/zip.h"

/* What rnc reads, for messages. */
#define FOREIGN_READ "safetensors, npz, PyTorch's and Keras' files"

/* An error that says what the bytes are, and a note with the way out. */
void foreign_refuse(const char *path, const unsigned char *bytes, size_t size, Diag *diag);
/* The same of an archive that holds no tensors, and of a folder. */
void foreign_refuse_archive(const Zip *zip, Diag *diag);
void foreign_refuse_folder(const char *path, Diag *diag);

#endif
