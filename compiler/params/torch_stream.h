/* torch_stream.h: PyTorch's files of tensors before version 1.6; a reader for tensorfile.h. */
#ifndef RNC_TORCH_STREAM_H
#define RNC_TORCH_STREAM_H

#include "params/tensorfile.h"

bool torch_stream_is(const unsigned char *bytes, size_t size);
/* Fills file->tensors as torch_read() does.  False after a message. */
bool torch_stream_read(TensorFile *file, Arena *arena, Diag *diag);

#endif
