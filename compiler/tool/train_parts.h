/* train_parts.h: what the files of rnc train share; private to train_*.c. */
#ifndef RNC_TRAIN_PARTS_H
#define RNC_TRAIN_PARTS_H

#include "net/train.h"
#include "tool/commands.h"
#include "train/ranks.h"
#include "train/run.h"

typedef struct Training {
    Options *o;
    Arena *arena;
    SrcMap *src;
    Diag *d;
    Train plan; /* the file's, with what options override */
    Compiled c;
    rnct_set set, held; /* `held` is closed without --validation */
    rnc_pool *pool;
    const char *dir; /* where the C is compiled, or NULL */
    void *handle;    /* of the loaded code */
    const rnc_train_info *info;
    /* The ranks; `ranks` is NULL while there is one. */
    rnc_ranks *ranks;
    rnct_link link;
    int rank, count;
    bool forked;
    void *mpi; /* the module */
} Training;

/* ---- train_plan.c ---- */

/* Reads how the network is trained, and sets what its compilation needs.  False after messages. */
bool plan_read(Training *t);
/* Threads of a rank. */
int plan_threads(const Training *t);
/* What the run needs of it. */
rnct_schedule plan_schedule(const Train *plan);
rnct_augment plan_augment(const Train *plan);
/* Its text, and whether a run may go on with another number of epochs. */
const char *plan_text(const Training *t);
bool plan_any_epochs(const Train *plan);

/* ---- train_ranks.c ---- */

/* Connects the ranks if mpirun has started them.  False after a message. */
bool ranks_begin(Training *t);
/* Parts into the processes of --ranks, if there are to be several.  False after a message. */
bool ranks_fork(Training *t);
/* Whether all ranks say so. */
bool ranks_agree(const Training *t, bool good);
/* A whole file in memory; NULL after a message. */
unsigned char *read_code(const Training *t, const char *path, size_t *size);
/* The code that rank 0 has made, in t->dir of all others; NULL: it has none, after a message. False
 * after a message, here or in another rank. */
bool ranks_share_code(Training *t, const OutputFile *made);
/* What all ranks have done alike, rank 0 alone says. */
void ranks_hush(const Training *t);
/* Prints the messages, and parts.  `failed`: this rank alone, so that the others must be ended.
 * False after a message: another one has failed. */
bool ranks_end(Training *t, bool failed);

/* ---- train_data.c ---- */

/* Reads the data and compares it with the network.  False after messages. */
bool data_open(Training *t);
void data_close(Training *t);
/* Which of the net's outputs the loss is of, as the step's outputs are counted, too. */
int loss_output(const Training *t);
/* Problems as one message; does nothing if there are none. */
void say_problems(const Training *t, const rnct_problems *problems);
/* What an erased pixel becomes: what the network's normalisation makes 0, or else black. */
void erased_colour(const Net *net, float erased[4]);

#endif
