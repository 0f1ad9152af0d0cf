/* tensorfile.h: a file of named tensors, whatever its format. */
#ifndef RNC_TENSORFILE_H
#define RNC_TENSORFILE_H

#include "base/arena.h"
#include "base/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum StoredElem {
    STORED_F64,
    STORED_F32,
    STORED_F16,
    STORED_BF16,
    STORED_OTHER
} StoredElem;

typedef struct StoredTensor {
    const char *name;
    const char *place; /* Keras 3: the same with the layer's place for its name, or NULL */
    StoredElem elem;
    const char *elem_name; /* as the file has it: "F32", "I64" */
    const char *way_out;   /* of STORED_OTHER, or NULL */
    int rank;
    int64_t dims[8];
    const unsigned char *bytes; /* little-endian, row-major, may be unaligned; NULL: packed */
    size_t size;                /* in bytes, of the elements that dims ask for */
    const char *axes;           /* the order of a kernel's axes (axes.h), where the format
                                   says it; else NULL */
    bool computed;              /* from others, by normed.c */
    const void *packed;         /* what TensorFile.load needs where `bytes` is NULL */
} StoredTensor;

typedef struct TensorFile TensorFile;
struct TensorFile {
    const char *path;
    const char *key;       /* the part of it that is wanted, of FILE:KEY; NULL: all */
    bool keyed;            /* the reader took that part alone */
    StoredTensor *tensors; /* in the order of the file */
    int n;
    /* What Keras says of a whole model, NUL-terminated JSON in the arena, and the version of the
     * Keras that wrote it; NULL where the file has none. */
    const char *model, *model_version;
    bool own;           /* rnc wrote it: names and order of axes are the network's own */
    const char **parts; /* [n_parts] paths of further files that it consists of (shards.c) */
    int n_parts;
    void *map; /* the mapped file; tensorfile_close() */
    size_t map_size;
    /* Of formats that pack their data: writes a tensor's `size` bytes to `to`, with
     * scratch in `arena`; false after a message.  And what to close beside the map. */
    bool (*load)(const TensorFile *file, const StoredTensor *tensor, unsigned char *to,
                 Arena *arena, Diag *diag);
    void (*close)(TensorFile *file);
    void *reader;      /* theirs */
    TensorFile *inner; /* the file as its reader gave it, where some tensors are computed */
};

/* The path of an argument FILE or FILE:KEY; *key is KEY or NULL.  A file whose own name has
 * a colon is found, too. */
const char *tensorfile_path(const char *argument, const char **key, Arena *arena);
/* Opens FILE or FILE:KEY by content (one reader a format: safetensors.c, npz.c ...).  False after a
 * message that names the file and what is wrong in it.  What is packed is only
 * unpacked when it is asked for, so that a file cannot claim memory by itself. */
bool tensorfile_open(TensorFile *file, const char *argument, Arena *arena, Diag *diag);
/* The same of a file by its path alone, which must not be an index of shards (shards.c). */
bool tensorfile_open_shard(TensorFile *file, const char *path, Arena *arena, Diag *diag);
void tensorfile_close(TensorFile *file);
const StoredTensor *tensorfile_find(const TensorFile *file, const char *name);
/* Elements as float: a pointer into the map where that is possible (F32, aligned, not
 * packed), else a copy in `arena`.  NULL for STORED_OTHER, and after a message when
 * the data cannot be unpacked. */
const float *tensor_floats(const TensorFile *file, const StoredTensor *tensor, Arena *arena,
                           Diag *diag);

/* For readers: writes row-major the elements, of `bytes` bytes each, of an array whose neighbours
 * along axis i are steps[i] elements apart. */
void tensor_gather(unsigned char *to, const unsigned char *from, int bytes, int rank,
                   const int64_t *dims, const int64_t *steps);
/* The product of the extents in *n; false when it overflows. */
bool tensor_elements(const int64_t *dims, int rank, int64_t *n);

#endif
