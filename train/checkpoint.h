/* checkpoint.h: where a run stands, in a file.
 *
 *   head (128 bytes) | the state, as the step has it in memory
 *
 * The state (parameters, statistics, moments) is the program's; its bytes are those of the machine
 * that wrote them.  Files are replaced as a whole (whole.h): whenever a run is killed, the last
 * checkpoint that was written is there and is valid. */
#ifndef RNCT_CHECKPOINT_H
#define RNCT_CHECKPOINT_H

#include "train/problems.h"

#include <stdint.h>

enum { RNCT_CHECKPOINT_VERSION = 1, RNCT_CHECKPOINT_HEAD_BYTES = 128 };

/* The names of a run's checkpoints in its folder. */
#define RNCT_CHECKPOINT_LAST "last.checkpoint"
#define RNCT_CHECKPOINT_BEST "best.checkpoint"

typedef struct rnct_checkpoint {
    uint64_t step;    /* updates of the parameters so far */
    uint32_t epoch;   /* the epoch that the next step belongs to, counted from 0 */
    uint64_t network; /* hash of the network and of how it is trained */
    uint64_t data;    /* hash of the data set (rnct_set.hash) */
    uint64_t seed;
    double best;          /* the best value so far of what chooses the best weights */
    uint64_t state_bytes; /* set by reading */
    char program[40];     /* which rnc writes it, ending in NUL: "0.1.0" */
} rnct_checkpoint;

/* Writes FOLDER/last.checkpoint, and FOLDER/best.checkpoint with the same bytes where `is_best`.
 * The folder is there; state has `bytes` bytes; state_bytes of *about is not read.  When it returns
 * true the files are on the disk.  False with a problem: then the old ones are as they were, except
 * that best.checkpoint can be the new one. */
bool rnct_checkpoint_save(const char *folder, const rnct_checkpoint *about, const void *state,
                          size_t bytes, bool is_best, rnct_problems *problems);

/* Reads a checkpoint's head into *about and, where `state` is not NULL, its state, which must have
 * `bytes` bytes.  Refuses files that are damaged, cut off or of another version, and, where
 * `expected` is not NULL, one whose network, data or seed is another than there; says all that
 * differs.  False with problems: state is then untouched, and *about is what the head says, or
 * zeros. */
bool rnct_checkpoint_load(const char *path, const rnct_checkpoint *expected, rnct_checkpoint *about,
                          void *state, size_t bytes, rnct_problems *problems);

#endif
