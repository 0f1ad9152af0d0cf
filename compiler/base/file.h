/* file.h: input files are ordinary files.
 *
 * A FIFO, a device or a socket given as a file is refused at once: opening one may wait
 * for ever, and reading one may never end. */
#ifndef RNC_FILE_H
#define RNC_FILE_H

#include <stdint.h>

/* Opens `path` for reading and stores its size in bytes in *size (NULL: not wanted).
 * Returns the descriptor, which the caller closes; or -1 with *why set to what is wrong,
 * in words that complete "cannot read FILE: ", valid until the next call that may fail. */
int file_open(const char *path, int64_t *size, const char **why);

#endif
