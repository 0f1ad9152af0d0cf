/* source.h: what the readers of data have in common; private to train/.
 *
 * A reader lists samples: their classes, and how each is read.  What is wrong with one sample is
 * dropped with source_drop(), which keeps the promise of rnct_data.skip; what is wrong with all of
 * it is a problem.  cache.c then reads the samples, in their order. */
#ifndef RNCT_SOURCE_H
#define RNCT_SOURCE_H

#include "train/picture.h"
#include "train/set.h"

/* A sample that is a file. */
typedef struct Sample {
    char *path; /* from the root */
    uint64_t size;
    int64_t changed;        /* in ns since 1970 */
    uint64_t device, inode; /* of the file, whatever names and links lead to it */
    size_t line;            /* of the list that names it, from 1; 0 without one */
} Sample;

enum { RNCT_MOST_CLASSES = 1000000 };

typedef struct Source {
    const rnct_data *data;
    rnct_problems *problems, *skipped;
    rnct_kind kind;
    uint64_t ignored;

    size_t n, room;
    size_t n_seen;   /* samples in memory, also those that were dropped */
    bool in_memory;  /* the samples are pixels, not files; set before the first one */
    int32_t *labels; /* [n] indices of classes */
    int classes, classes_room;
    char **names;   /* [classes] */
    int32_t *table; /* [table_size] classes by the hashes of their names */
    size_t table_size;
    bool numbers; /* labels are numbers already; names follow from them */
    bool taken;   /* the classes are data->classes, in their order */

    Sample *samples;              /* [n], or NULL */
    char *root;                   /* what their paths begin from, "" or ending in '/' */
    const unsigned char **pixels; /* [n] where each is, in the maps or in `memory`; or NULL */
    int h, w, c;                  /* of those */
    bool planar;                  /* they are [c][h][w], and else [h][w][c] */
    rnct_mapped maps[6];          /* files that they are in */
    int n_maps;
    void *memory; /* or memory, owned */

    uint64_t hash; /* of all that decides what is read */
} Source;

/* Lists what there is.  True if there are samples, each with a class: they can be read, although
 * there may be problems with others, or with the classes.  False after a problem that leaves
 * nothing to read.  To be closed in either case. */
bool source_open(Source *s, const rnct_data *data, rnct_problems *problems, rnct_problems *skipped);
void source_close(Source *s);

/* Reads one sample; threads may do so at once.  False with what is wrong in `why`. */
bool source_read(const Source *s, size_t i, Picture *p, char why[RNCT_WHY_BYTES]);
/* Its name for messages: at most `size` bytes at `to`. */
void source_name(const Source *s, size_t i, char *to, size_t size);

/* ---- for readers ---- */

/* A sample that cannot be used: skipped, if this was asked for, and else a problem. */
void source_drop(Source *s, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Out of memory: a problem; false. */
bool source_no_memory(Source *s);
/* The index of a class by its name, which is added if it is new; -1 after a problem.  `path` is
 * what the class was found at. */
int source_class(Source *s, const char *name, const char *path);
/* The same without adding or saying anything: -1 where there is none. */
int source_find_class(const Source *s, const char *name);
/* Adds a sample that is a file; false without memory.  A file that cannot be one is dropped. */
bool source_add_file(Source *s, const char *path, int label);
/* Adds a sample in memory, or drops it if the label is none; false without memory. */
bool source_add_pixels(Source *s, const unsigned char *pixels, int64_t label);
/* Maps a file whose bytes the samples are in, and hashes its name, size and time. */
const rnct_mapped *source_map(Source *s, const char *path);
/* Whether a name ends as pictures do. */
bool is_picture_name(const char *name);

/* ---- inside of it ---- */

/* The classes that data->classes wants, before reading; their order and what is wrong with them,
 * after it (classes.c).  False without memory, or without samples. */
bool classes_take(Source *s);
bool classes_settle(Source *s);
/* Forgets the names that were found. */
void classes_forget(Source *s);

/* The readers, a file each.  False after a problem with all of it. */
bool read_folders(Source *s);
bool read_names(Source *s);
bool read_list(Source *s);
bool read_h5(Source *s);
bool read_cifar(Source *s);
bool read_npz(Source *s);

/* An array of pictures as h5 and npz files have them, and their labels. */
typedef struct Arrays {
    const unsigned char *x; /* bytes */
    int64_t dims[4];        /* of x */
    int rank;
    const unsigned char *y; /* little-endian whole numbers */
    int64_t n_labels;
    int label_bytes;
    bool label_signed;
} Arrays;

/* Adds them as samples.  Axes: [n][h][w], [n][h][w][c] with c 1, 3 or 4, or [n][c][h][w] with c 1
 * or 3 where the last is none of these.  False after a problem. */
bool source_add_arrays(Source *s, const Arrays *a);

#endif
