/* tensorfile.h: a file of named tensors, whatever its format. */
#ifndef RNC_TENSORFILE_H
#define RNC_TENSORFILE_H

#include "arena.h"
#include "diag.h"

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
    StoredElem elem;
    const char *elem_name; /* as the file has it: "F32", "I64" */
    int rank;
    int64_t dims[8];
    const unsigned char *bytes; /* little-endian, row-major, may be unaligned */
    size_t size;                /* in bytes, checked to lie in the file */
} StoredTensor;

typedef struct TensorFile {
    const char *path;
    StoredTensor *tensors; /* in the order of the file's data */
    int n;
    void *map; /* the mapped file; tensorfile_close() */
    size_t map_size;
} TensorFile;

/* Opens by content (one reader a format: safetensors.c).  False after a message
 * that names the file and what is wrong in it. */
bool tensorfile_open(TensorFile *file, const char *path, Arena *arena, Diag *diag);
void tensorfile_close(TensorFile *file);
const StoredTensor *tensorfile_find(const TensorFile *file, const char *name);
/* Elements as float: a pointer into the map where that is possible (F32,
 * aligned), else a converted copy in `arena`. */
const float *tensor_floats(const StoredTensor *tensor, Arena *arena);

#endif
