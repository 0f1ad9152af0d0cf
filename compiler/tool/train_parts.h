/* train_parts.h: what the files of rnc train share; private to train_*.c. */
#ifndef RNC_TRAIN_PARTS_H
#define RNC_TRAIN_PARTS_H

#include "net/train.h"
#include "tool/commands.h"
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
} Training;

/* ---- train_plan.c ---- */

/* Reads how the network is trained, and sets what its compilation needs.  False after messages. */
bool plan_read(Training *t);
/* What the run needs of it. */
rnct_schedule plan_schedule(const Train *plan);
rnct_augment plan_augment(const Train *plan);
/* Its text, and whether a run may go on with another number of epochs. */
const char *plan_text(const Training *t);
bool plan_any_epochs(const Train *plan);

/* ---- train_data.c ---- */

/* Reads the data and compares it with the network.  False after messages. */
bool data_open(Training *t);
void data_close(Training *t);
/* Problems as one message; does nothing if there are none. */
void say_problems(const Training *t, const rnct_problems *problems);
/* What an erased pixel becomes: what the network's normalisation makes 0, or else black. */
void erased_colour(const Net *net, float erased[4]);

#endif
