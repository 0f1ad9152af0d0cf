/* reader.h: batches one after the other, prepared ahead of the step by a thread. */
#ifndef RNCT_READER_H
#define RNCT_READER_H

#include "train/batch.h"

/* What is read.  All that it points to must outlive the reader. */
typedef struct rnct_reading {
    const rnct_set *set;
    const rnct_form *form;   /* completed by rnct_form_set; its seed orders the epochs, too */
    const uint32_t *samples; /* [n] which samples of the set, as rnct_split has them; NULL: all */
    size_t n;
    size_t batch;    /* pictures of a step, by all ranks together */
    int ranks, rank; /* this reader gives one rank's part of each batch (rnct_rank_places), where
                      * `ranks`, a power of two, divides the batch; 0, 0: all of it */
    bool shuffle;    /* each epoch in an order of its own; else as in samples[] */
    bool drop_last;  /* an epoch ends with its last whole batch */
    uint64_t step;   /* the first one, counted from 0 through all epochs */
    bool threaded;   /* a thread prepares two batches ahead; else each is when it is wanted */
} rnct_reading;

/* A batch.  It belongs to the reader and is there until the next call of rnct_reader_next. */
typedef struct rnct_batch {
    const float *pixels;   /* [places] pictures in the form's order, aligned to 64 bytes */
    const int32_t *labels; /* [places], i32 */
    size_t places;         /* of this rank's part of a whole batch */
    size_t count; /* pictures that are there: less than places, or none, in an epoch's last batch,
                   * which fills the places of all ranks in order; the rest is zeros with the
                   * label -1 */
    size_t all;   /* pictures that are there in the batch of all ranks */
    uint64_t step;
    uint32_t epoch;
    size_t in_epoch; /* which batch of its epoch, from 0 */
    bool last;       /* it is the epoch's last one */
} rnct_batch;

typedef struct rnct_reader rnct_reader;

/* Steps that an epoch has. */
size_t rnct_epoch_steps(const rnct_reading *reading);

/* Makes a reader of endlessly many epochs.  The bits that it gives depend neither on `threaded` nor
 * on `step`.  NULL with a problem. */
rnct_reader *rnct_reader_new(const rnct_reading *reading, rnct_problems *problems);

/* The next batch; the one before is no longer to be used.  Never fails. */
const rnct_batch *rnct_reader_next(rnct_reader *reader);

/* How long rnct_reader_next has waited for batches in all, in seconds: what reading costs the run.
 */
double rnct_reader_waited(const rnct_reader *reader);

/* Ends the thread; NULL is allowed. */
void rnct_reader_free(rnct_reader *reader);

#endif
