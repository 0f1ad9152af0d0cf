/* set.h: a data set: pictures of one size with a class each, decoded once.
 *
 * What is read: folders by class, pictures whose names begin with the class, a list of files, the
 * h5 files of the SIGNS course, CIFAR's binary files, npz archives.  It is decoded into a cache
 * file, and that file is mapped from then on.  docs/training-data.md has the formats and what is
 * refused. */
#ifndef RNCT_SET_H
#define RNCT_SET_H

#include "runtime/rncrt.h"
#include "train/mapped.h"
#include "train/problems.h"

#include <stdint.h>

/* How a data set is stored. */
typedef enum rnct_kind {
    RNCT_AUTO,     /* seen by what is there */
    RNCT_FOLDERS,  /* PATH/CLASS/...: JPEG and PNG files, also in folders further below */
    RNCT_NAMES,    /* PATH/CLASS_...: the class is what is before the first '_' of a file's name */
    RNCT_LIST,     /* a text file: a line "path TAB class" for each picture */
    RNCT_H5,       /* train_set_x, train_set_y, or test_set_x, test_set_y, and list_classes */
    RNCT_CIFAR10,  /* data_batch_1.bin to _5.bin, or test_batch.bin; a folder or one file */
    RNCT_CIFAR100, /* train.bin or test.bin, with the fine labels; a folder or one file */
    RNCT_NPZ       /* x and y, or x_train, y_train, or x_test, y_test */
} rnct_kind;

/* Of data that has a part for training and one for testing in one place. */
typedef enum rnct_part {
    RNCT_TRAIN,      /* where it has no such part, all there is */
    RNCT_TEST,       /* where it has neither part, all there is */
    RNCT_TEST_OR_ALL /* where it has no such part, all there is */
} rnct_part;

typedef struct rnct_data {
    const char *path; /* of a folder or file */
    rnct_kind kind;
    rnct_part part;
    int h, w;  /* every picture is scaled and cut to this size (picture.h has the rule); 0, 0: all
                * must have one size already */
    bool skip; /* leave out what is broken, and say so, instead of refusing the data */
    const char *const *classes; /* [n_classes] what classes there are to be, in the network's order;
                                 * NULL: those that the data has, sorted */
    int n_classes;              /* with classes NULL: labels are below it; 0: as the labels are */
    rnc_pool *pool;             /* threads for decoding, or NULL: the caller's alone */
} rnct_data;

/* A data set in memory.  Everything it points to lives until rnct_set_close. */
typedef struct rnct_set {
    size_t n; /* pictures */
    int h, w, c;
    int classes;
    const unsigned char *pixels; /* [n][h][w][c], 0..255 */
    const int32_t *labels;       /* [n], each from 0 to classes-1 */
    const char **names;          /* [classes], owned */
    uint64_t hash;               /* of all of the above: two sets with one hash are the same set */
    uint64_t skipped;            /* samples that were left out when the cache was written */
    uint64_t
        ignored; /* files of folders that are no pictures by their names; 0 from the cache alone */
    bool built;  /* the cache was written by this call */
    char note[160]; /* why the cache was written, or "" */
    rnct_mapped map;
} rnct_set;

/* Opens a data set through its cache file.  Where `cache` is not there, is damaged or cut off, or
 * was made of other sources (their names, sizes, times of change, labels) or with other options, it
 * is written anew, as a whole or not at all.  A file that is no cache is never overwritten.  With
 * NULL for `cache` the pictures are decoded into a file without a name, in $TMPDIR or /tmp.
 *
 * False when the data is refused: `problems`, which begins empty, has all that is wrong: samples
 * are decoded also where there are problems with others, or with classes.  Nothing is written then.
 * With data->skip, `skipped` has what was left out, and the set may be used; what could not be
 * decoded is there only in the call that writes the cache, and is counted in set->skipped later on.
 */
bool rnct_set_open(rnct_set *set, const rnct_data *data, const char *cache, rnct_problems *problems,
                   rnct_problems *skipped);

/* Reads all of a data set and keeps nothing: finds what is wrong with it.  False if it would be
 * refused. */
bool rnct_set_look(const rnct_data *data, rnct_problems *problems, rnct_problems *skipped);

/* Opens a cache file alone, whose sources may be gone.  False with a problem. */
bool rnct_set_open_cache(rnct_set *set, const char *cache, rnct_problems *problems);

void rnct_set_close(rnct_set *set);

#endif
