/* run_parts.h: what the files of a run share; private to run*.c. */
#ifndef RNCT_RUN_PARTS_H
#define RNCT_RUN_PARTS_H

#include "train/confusion.h"
#include "train/log.h"
#include "train/progress.h"
#include "train/reader.h"
#include "train/run.h"

/* What was measured over some pictures. */
typedef struct Sums {
    double loss; /* sum over the pictures */
    uint64_t hits, images;
} Sums;

/* Where a run stands: what a checkpoint has besides the tensors. */
typedef struct Standing {
    uint64_t step;                   /* steps that are done */
    Sums epoch;                      /* of the epoch under way */
    double best_loss, best_accuracy; /* of the epoch in best.safetensors */
    uint64_t best_epoch;             /* counted from 1; 0: there is none yet */
    double least_loss;               /* of what is held back, so far */
    uint64_t worse;                  /* epochs since then */
    bool pending;                    /* the epoch's steps are done, and it is yet to be evaluated */
    bool ended;
} Standing;

/* The row of an epoch.  Without data that is held back, `held` has no images. */
typedef struct EpochRow {
    Sums trained, held;
    double rate, seconds;
} EpochRow;

typedef struct Run {
    const rnct_run *what;
    const rnc_train_info *info;
    rnct_problems *problems;
    int rank, ranks;
    char *text; /* what decides the run's bits (identity_new); owned */

    /* The engine: memory of its own. */
    void *net, *state, *arena;

    /* The data. */
    rnct_form form, plain;    /* of the step's input; `plain` without augmentation */
    uint32_t *trained, *held; /* samples of what->set, and of `held_set` */
    size_t n_trained, n_held;
    const rnct_set *held_set; /* or NULL: nothing is held back */
    size_t epoch_steps;
    uint64_t steps; /* of the whole run */
    rnct_reader *reader;
    unsigned char *bytes;     /* the pictures of a batch, where the step takes bytes */
    float *target;            /* classes as numbers, where it takes no labels */
    struct Report *reports;   /* [ranks] what each measured in a step */
    float **outputs;          /* [info->n_outputs] of an evaluation */
    rnct_confusion confusion; /* of the last evaluation */

    /* What is there. */
    Standing at;
    bool stop;    /* a signal has come */
    double begun; /* when this epoch began, or this process went on with it */
    int folder;   /* descriptor, locked; -1: not open */
    rnct_log logs[4];
    rnct_progress progress;
    rnct_terminal terminal;
} Run;

static inline double accuracy_of(const Sums *s)
{
    return s->images ? (double)s->hits / (double)s->images : 0;
}

static inline double loss_of(const Sums *s)
{
    return s->images ? s->loss / (double)s->images : 0;
}

/* ---- run_identity.c ---- */

/* What decides the bits of this run, in lines of text: run->text.  False after a problem. */
bool identity_new(Run *run);
void identity_free(Run *run);
/* Whether `then`, of `size` bytes, is the text of this run; says all that differs, parameters by
 * name. `path` is the file that has it. */
bool identity_check(Run *run, const char *path, const char *then, size_t size);

/* ---- run_state.c ---- */

/* Memory for an engine, which is made ready.  False after a problem. */
bool state_new(Run *run);
void state_free(Run *run);
/* Begins, at step 0.  False after a problem. */
bool state_begin(Run *run);
/* From and to FOLDER/last.checkpoint.  False after a problem. */
bool state_load(Run *run);
bool state_save(Run *run);
/* Writes the weights, with the averages of parameters where `averages` is true and there are some.
 * False after a problem. */
bool state_save_weights(Run *run, const char *name, bool averages);

/* ---- run_data.c ---- */

/* Checks the data against the network, and divides it.  False after problems. */
bool data_new(Run *run);
/* A reader of what is trained on, from run->at.step on.  False after a problem. */
bool data_read(Run *run);
void data_free(Run *run);
/* The inputs of the step for a batch: inputs[0], inputs[1]. */
void data_inputs(Run *run, const rnct_batch *batch, const void *inputs[2]);
/* Measures what is held back, and fills the confusion; run->stop says that a signal came before the
 * end.  False after a problem. */
bool data_evaluate(Run *run, Sums *sums);
/* What this rank measured becomes what all measured; sets run->stop where a signal has come to one
 * of them. */
void data_combine(Run *run, rnc_metrics *m);

/* ---- run_shown.c ---- */

/* "FOLDER/NAME" in `path`; false after a problem: it is too long. */
enum { PATH_BYTES = 4096 };
bool path_of(const Run *run, const char *name, char path[PATH_BYTES]);
/* Makes the folder, and locks it.  False after a problem, as where it has a run already and this is
 * not to go on with it. */
bool shown_folder(Run *run, bool *there);
/* Opens the logs, with the rows up to run->at.step.  False after a problem. */
bool shown_open(Run *run);
void shown_close(Run *run);
/* Waits until the logs' rows are on the disk.  False after a problem. */
bool shown_sync(Run *run);
/* False after a problem. */
bool shown_step(Run *run, const rnc_metrics *m, double rate);
bool shown_epoch(Run *run, const EpochRow *row, bool best);
/* The curves and the confusion at the end. */
bool shown_end(Run *run);
/* Prints a line, where anything is printed. */
void shown_say(Run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
