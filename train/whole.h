/* whole.h: files that are there whole or not at all.
 *
 * What is written goes to a temporary beside the file, "PATH.RANDOM.rnc-tmp", which becomes the
 * file by a rename once all of it is on the disk.  A process that is killed, a full disk or a power
 * failure leaves the old file as it was.  A temporary is locked while its writer lives; one that
 * nobody has locked was left by a process that was killed, and the next writer removes it. */
#ifndef RNCT_WHOLE_H
#define RNCT_WHOLE_H

#include "train/problems.h"

/* A file that is being written.  Ended by rnct_whole_commit or rnct_whole_abort. */
typedef struct rnct_whole {
    char *path, *temporary; /* owned */
    int fd;                 /* of the temporary: open for reading and writing */
} rnct_whole;

/* Creates the temporary for `path`, which is copied.  False with a problem: then nothing is open.
 */
bool rnct_whole_begin(rnct_whole *file, const char *path, rnct_problems *problems);

/* Writes bytes where the last ones ended.  False with a problem; the file is still to be aborted.
 */
bool rnct_whole_write(rnct_whole *file, const void *bytes, size_t size, rnct_problems *problems);

/* Writes bytes at an offset, counted in bytes from the file's first; the place at which
 * rnct_whole_write goes on does not change. */
bool rnct_whole_write_at(rnct_whole *file, const void *bytes, size_t size, size_t offset,
                         rnct_problems *problems);

/* Makes the temporary the file, on the disk before the function returns.  With `second`, another
 * path in the same folder, that becomes a name of the same bytes first.  True, or false with a
 * problem; the file is closed in either case, and after a failure the temporary is removed. */
bool rnct_whole_commit(rnct_whole *file, const char *second, rnct_problems *problems);

/* Closes and removes the temporary.  Does nothing to a file of zeros or one that is closed. */
void rnct_whole_abort(rnct_whole *file);

/* Writes a file at once.  False with a problem. */
bool rnct_whole_save(const char *path, const void *bytes, size_t size, rnct_problems *problems);

#endif
