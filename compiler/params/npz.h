/* npz.h: NumPy's archives of arrays (numpy.savez); a reader for tensorfile.h. */
#ifndef RNC_NPZ_H
#define RNC_NPZ_H

#include "params/tensorfile.h"
#include "params/zip.h"

/* Whether an archive holds NumPy's arrays. */
bool npz_is(const Zip *zip);
/* Fills file->tensors.  False after a message. */
bool npz_read(TensorFile *file, const Zip *zip, Arena *arena, Diag *diag);

#endif
