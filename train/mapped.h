/* mapped.h: input files in memory, read-only.
 *
 * The files of this folder are only ever replaced as a whole (whole.h), so that a map stays what it
 * was.  A file that another program cuts off while it is mapped ends this one by SIGBUS. */
#ifndef RNCT_MAPPED_H
#define RNCT_MAPPED_H

#include "train/problems.h"

typedef struct rnct_mapped {
    const unsigned char *bytes; /* NULL if the file is empty or is not open */
    size_t size;
} rnct_mapped;

/* Maps an ordinary file; a FIFO, a device or a folder is refused at once.  False with a problem. */
bool rnct_map(rnct_mapped *file, const char *path, rnct_problems *problems);

/* Unmaps it, and does nothing to a file of zeros. */
void rnct_unmap(rnct_mapped *file);

/* Opens an ordinary file for reading; its size in bytes in *size (or NULL).  The descriptor, which
 * the caller closes, or -1 with *why set to words that complete "cannot be read: ". */
int rnct_open(const char *path, size_t *size, const char **why);

#endif
