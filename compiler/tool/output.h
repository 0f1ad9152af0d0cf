/* output.h: files out: all of them whole, or none. */
#ifndef RNC_OUTPUT_H
#define RNC_OUTPUT_H

#include "base/diag.h"

#include <stddef.h>

typedef struct OutputFile {
    const char *path;
    const void *bytes;
    size_t size;
} OutputFile;

/* Writes each to a temporary name beside its own, and renames them when every
 * one is complete on the disk.  Refuses a path that is one of `inputs`.  False
 * after a message; then nothing new is left. */
bool outputs_write(const OutputFile *files, int n, const char *const *inputs, int n_inputs,
                   Arena *arena, Diag *d);

#endif
