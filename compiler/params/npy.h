/* npy.h: tensors in NumPy's file format (NEP 1: .npy, versions 1 to 3). */
#ifndef RNC_NPY_H
#define RNC_NPY_H

#include "base/diag.h"

#include <stdint.h>

enum { NPY_RANK_MOST = 8 };

typedef struct Npy {
    int rank;
    int64_t dims[NPY_RANK_MOST];
    int64_t n; /* elements, the product of dims */
    double *values;
} Npy;

/* What a file begins with. */
typedef struct NpyHead {
    char descr[8]; /* the elements: "<f4" */
    bool fortran;  /* the first axis varies fastest */
    int rank;
    int64_t dims[NPY_RANK_MOST];
    size_t size; /* of the head, in bytes: the elements follow */
} NpyHead;

/* How many bytes the head has, of which there are `size`; 0: this is none. */
size_t npy_head_size(const unsigned char *bytes, size_t size);
/* Reads it.  False after a message, in which `path` names the file. */
bool npy_head(NpyHead *head, const char *path, const unsigned char *bytes, size_t size, Diag *d);
/* A file of f4, f8, i4, i8 or u1, C order; integers beyond 2^53 are rounded.  False after a
 * message. */
bool npy_read(Npy *npy, const char *path, Arena *arena, Diag *d);
/* The same for bytes in memory; `path` names them in messages. */
bool npy_parse(Npy *npy, const char *path, const unsigned char *bytes, size_t size, Arena *arena,
               Diag *d);
/* The bytes of a file of f8. */
void npy_print(Buf *out, const Npy *npy);

#endif
