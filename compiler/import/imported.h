/* imported.h: what a reader of another tool's model file gives.
 *
 * A reader (readers.def) makes an ordinary network, as lower.c does from a .net file, and gives
 * every parameter its values.  Nodes have the paths that the source has for them, with dots between
 * the parts: "layer1.0.conv1" of PyTorch, Keras' layer names with the nested models around them.
 * Blocks and stages are found again from these paths (write.h), so a reader keeps them as they are.
 */
#ifndef RNC_IMPORTED_H
#define RNC_IMPORTED_H

#include "base/diag.h"
#include "net/ir.h"
#include "params/tensorfile.h"

/* A file that is mapped, or opened as one of tensors, while the network is in use. */
typedef struct Opened {
    const char *path;
    const unsigned char *bytes; /* mapped; NULL where only `tensors` is used */
    size_t size;
    TensorFile tensors;
} Opened;

/* What the source calls a module: "layer1.0" is a "Bottleneck". */
typedef struct ImportedScope {
    const char *path, *kind;
} ImportedScope;

typedef struct Imported {
    Net *net;
    const char *format;        /* of the source, for people: "ONNX, opset 20, by pytorch 2.9" */
    VEC(ImportedScope) scopes; /* where the source knows them; in any order */
    VEC(const char *) remarks; /* what was left out or changed, a sentence each without full stop */
    VEC(Opened *) files;       /* Param.data may point into them */
} Imported;

/* Maps file->path.  False with *why in words that complete "cannot read FILE: ". */
bool opened_map(Opened *file, const char **why);
void opened_close(Opened *file);

/* Maps a further file.  `bytes` of an empty one are not NULL.  NULL after a message in `d`; closed
 * by imported_close(). */
const Opened *imported_map(Imported *to, const char *path, SrcMap *src, Diag *d);
/* Opens a file of tensors by its content.  NULL after a message. */
TensorFile *imported_tensors(Imported *to, const char *path, SrcMap *src, Diag *d);
/* Unmaps and closes the files, whatever came of the import; before the arena is freed. */
void imported_close(Imported *imported);

#endif
