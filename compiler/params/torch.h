/* torch.h: PyTorch's files of tensors (torch.save, the ZIP form of version 1.6 and later); a
 * reader for tensorfile.h. */
#ifndef RNC_TORCH_H
#define RNC_TORCH_H

#include "params/tensorfile.h"
#include "params/zip.h"

/* Whether an archive is PyTorch's. */
bool torch_is(const Zip *zip);
/* Fills file->tensors from the state dict or the module that was saved, alone or somewhere in
 * a checkpoint: the only one there, or the one that file->key names.  False after a message. */
bool torch_read(TensorFile *file, const Zip *zip, Arena *arena, Diag *diag);

#endif
