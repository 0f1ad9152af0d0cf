/* foreign.h: recognises files that have no tensors which rnc reads, by their content. */
#ifndef RNC_FOREIGN_H
#define RNC_FOREIGN_H

#include "params/zip.h"

/* What rnc reads, for messages. */
#define FOREIGN_READ "safetensors, npz, PyTorch's and Keras' files"

/* Reports an error that says what the bytes are, and a note with the way out. */
void foreign_refuse(const char *path, const unsigned char *bytes, size_t size, Diag *diag);
/* Likewise for an archive that has no tensors, and for a folder. */
void foreign_refuse_archive(const Zip *zip, Diag *diag);
void foreign_refuse_folder(const char *path, Diag *diag);

#endif
