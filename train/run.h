/* run.h: a training from its first step to its last, in a folder.
 *
 * The step is code that rnc made (rnctrain.h), the data a set (set.h).  What a run leaves:
 *
 *   last.checkpoint     where it stands: all tensors of the state, and what was measured so far
 *   best.safetensors    the weights of the epoch that was best on what was held back, and those of
 *   last.safetensors    the last one; names and axes are the network's own
 *   steps.csv .jsonl    a row for each step; epochs.csv, epochs.jsonl a row for each epoch
 *   classes.txt         the names of the classes, a line each
 *   curves.svg          loss and accuracy of the epochs
 *   confusion.txt       at the end: which classes are taken for which
 *
 * Each is replaced as a whole, and logs have whole rows only.  A run that was killed at any moment
 * goes on from its last checkpoint, and its files are then, bit for bit, those of a run that was
 * never stopped, but for the column `seconds`.  Neither threads nor ranks change a bit. */
#ifndef RNCT_RUN_H
#define RNCT_RUN_H

#include "runtime/rnctrain.h"
#include "train/batch.h"
#include "train/schedule.h"

/* What is run.  All that it points to belongs to the caller, and must outlive the run. */
typedef struct rnct_run {
    const rnc_train_info *info;
    rnc_pool *pool;            /* or NULL */
    rnc_ranks *ranks;          /* or NULL: one; all have the same data and options, and rank 0
                                * alone writes and prints */
    const float *const *begin; /* [info->n_tensors] what a tensor begins with, as info->set takes
                                * it; NULL, the list or a member: as the network initialises it */
    const char *const *names;  /* [info->n_tensors] what files of weights call a tensor, such as
                                * another framework's names; NULL: as the info does */

    int output; /* of info->outputs, the one that tells the classes apart: the loss is of it */

    const rnct_set *set;
    const rnct_set *held; /* what is evaluated after each epoch, in place of a part of `set`;
                           * or NULL */
    double validation;    /* the part of `set` that is held back for that; 0: none */
    rnct_augment augment; /* of what is trained on */
    float erased[4];      /* what an erased pixel becomes, from 0 to 255, in each channel */
    size_t overfit;       /* train on so many samples again and again, as they are; 0: all */

    size_t batch; /* pictures of a step, by all ranks together */
    uint32_t epochs;
    uint32_t patience; /* end after so many epochs without a lower loss of what is held
                        * back; 0: never */
    double rate;       /* the learning rate, before the schedule: info->rate, or another */
    rnct_schedule schedule;
    uint64_t seed;
    const char *plan; /* lines of text that say how the network is trained; a run goes on
                       * only where they are the same */
    bool any_epochs;  /* but for the line that begins with "epochs": the rate does not
                       * depend on how many there are */

    const char *folder;  /* made, if it is not there; its parent is */
    bool resume;         /* go on from its checkpoint; where there is none, begin */
    uint64_t save_steps; /* a checkpoint after every so many steps, besides those after
                          * epochs; 0: none */
    double peak;         /* pictures a second that this machine could do at the most; 0: not
                          * known */
    const char *program; /* which writes checkpoints: "0.1.0" */
    FILE *to;            /* where it says how far it is; NULL: nowhere */
} rnct_run;

typedef enum rnct_end {
    RNCT_FAILED,      /* problems say why; the last checkpoint is as it was */
    RNCT_FINISHED,    /* all epochs, or no patience was left */
    RNCT_INTERRUPTED, /* by SIGINT, SIGTERM or SIGHUP, after a checkpoint */
} rnct_end;

/* Whether pictures fit an input, and their classes a network that tells `classes` apart; where
 * `first` is not NULL, also whether their classes are those of that set.  `what` names them in
 * messages: "the data".  False after problems. */
bool rnct_data_fits(const rnc_port_info *in, size_t classes, const rnct_set *set,
                    const rnct_set *first, const char *what, rnct_problems *problems);

/* Whether a run may begin, or go on, in a folder, which need not be there.  False after a problem:
 * it has a run already, and `resume` is false. */
bool rnct_run_fits(const char *folder, bool resume, rnct_problems *problems);

/* Trains.  SIGINT, SIGTERM and SIGHUP are blocked meanwhile, and end the run after the step under
 * way, unless they are ignored; a thread that has them unblocked must not be there (those of a pool
 * do not). */
rnct_end rnct_run_train(const rnct_run *run, rnct_problems *problems);

#endif
