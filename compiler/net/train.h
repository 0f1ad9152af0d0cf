/* train.h: how a network is trained, with every value known: what a `train` declaration says.
 * The text of each value, its range and its meaning are in train.def.
 *
 * Lists and texts are owned by the arena of the network.  Rates of schedules, moments and so on are
 * defined by the rows of train.def; what they compute is the training's (docs/training.md).
 */
#ifndef RNC_TRAIN_H
#define RNC_TRAIN_H

#include "base/str.h"
#include "net/ops.h"

#include <stdint.h>

/* The rows of train.def. */
typedef enum TrainItem {
#define ITEM(id, statement, kind, flags, doc) TRAIN_##id,
#include "net/train.def"
    TRAIN_ITEMS
} TrainItem;

/* Flags of a row; train.def says what each means. */
enum { NEEDED = 1, EACH = 2 };

typedef struct Texts {
    const char *const *at;
    int n;
} Texts;

/* Whose arithmetic an optimizer has. */
typedef enum Like { LIKE_PYTORCH, LIKE_KERAS } Like;

/* The values of all items; `given` says which items there are.  Those of an item that is not there
 * have its defaults if it has no kind, and are 0 else. */
typedef struct Train {
    const char *name;
    bool given[TRAIN_ITEMS];
    TrainItem loss, optimizer, schedule;
    int epochs, batch, accumulate, patience, seed, crop;
    double smoothing, rate, momentum, beta1, beta2, epsilon;
    bool nesterov;
    Like like;
    double decay;
    Texts decay_except;
    double warmup, warmup_from; /* epochs; a part of the rate */
    Reals at;                   /* epochs */
    double factor, power, start, peak, end;
    double clip_norm, clip_value, average;
    double flip, brightness, contrast, saturation, erase, erase_least, erase_most;
    double validation;
    Texts freeze;
    InitKind init;
    const char *weights; /* or NULL */
    Texts weights_except;
} Train;

typedef enum TrainValueKind {
    TRAIN_VALUE_INT,   /* int */
    TRAIN_VALUE_REAL,  /* double */
    TRAIN_VALUE_BOOL,  /* bool */
    TRAIN_VALUE_REALS, /* Reals */
    TRAIN_VALUE_TEXT,  /* const char * */
    TRAIN_VALUE_TEXTS, /* Texts */
    TRAIN_VALUE_WORDS, /* int-sized enum, a word of TrainValue.words */
} TrainValueKind;

typedef struct TrainValue {
    const char *word;
    TrainValueKind kind;
    const char *const *words; /* NULL-terminated, for TRAIN_VALUE_WORDS */
    size_t offset;            /* of the member of Train */
    int position;             /* or -1 */
    const char *def;          /* as text, or NULL when required */
    double least, most;
    const char *doc;
} TrainValue;

typedef struct TrainRow {
    const char *statement, *kind; /* the kind is "" where there is none to choose */
    int flags;
    const char *doc;
    const TrainValue *values; /* [n_values] */
    int n_values;
} TrainRow;

const TrainRow *train_row(TrainItem item);
/* The first item with that statement, or TRAIN_ITEMS; the kinds of a statement are neighbours. */
TrainItem train_statement(const char *statement);
/* Sets the values of `item` to their defaults.  Those that must be given stay as they are. */
void train_defaults(Train *train, TrainItem item);
/* Prints the training as a `train` declaration with every value, which reads back as the same
 * except for `network`, since the network is known where a training is. */
void train_print(Buf *out, const Train *train);

#endif
