/* torch.h: PyTorch's files of tensors (torch.save, the ZIP form of version 1.6 and
 * later), behind tensorfile.h. */
#ifndef RNC_TORCH_H
#define RNC_TORCH_H

#include "params/tensorfile.h"
#include "params/zip.h"

/* Whether an archive is PyTorch's. */
bool torch_is(const Zip *zip);
/* Fills file->tensors from a state_dict, or from what a checkpoint has under
 * "state_dict", "model_state_dict" or "model".  False after a message. */
bool torch_read(TensorFile *file, const Zip *zip, Arena *arena, Diag *diag);

#endif
