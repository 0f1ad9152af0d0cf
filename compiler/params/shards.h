/* shards.h: a model whose tensors are in several files, which an index lists. */
#ifndef RNC_SHARDS_H
#define RNC_SHARDS_H

#include "params/tensorfile.h"

/* Whether the bytes are such an index: a JSON object with "weight_map" near its beginning. */
bool shards_is(const unsigned char *bytes, size_t size);
/* Opens the files that the index, file->map, names, and lists the tensors of all of them in
 * file->tensors and their paths in file->parts.  False after a message. */
bool shards_read(TensorFile *file, Arena *arena, Diag *diag);

#endif
