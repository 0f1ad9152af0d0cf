/* cache.h: decoded data sets in files; private to train/.
 *
 *   head (4096 bytes) | pixels [n][h][w][c] | pad to 64 | labels [n], i32 | names, each with its
 * NUL */
#ifndef RNCT_CACHE_H
#define RNCT_CACHE_H

#include "train/source.h"

enum { CACHE_VERSION = 1 };

typedef enum CacheState {
    CACHE_GOOD,
    CACHE_NONE,    /* there is no such file */
    CACHE_OLD,     /* to be written anew; `why` says why */
    CACHE_REFUSED, /* no file of ours; `why` says what is wrong */
} CacheState;

/* Maps a cache and checks all of it.  `source` is the hash of the sources that it must be of; NULL:
 * of any.  Only with CACHE_GOOD is *set filled, and to be closed. */
CacheState cache_open(rnct_set *set, const char *path, const uint64_t *source,
                      char why[RNCT_WHY_BYTES]);

/* Decodes all samples into a cache file.  Those that cannot be are dropped (source_drop).  False
 * after problems, and then no file has changed. */
bool cache_write(Source *s, const char *path);

/* Decodes all samples and writes nothing: finds what is wrong with them where nothing is to be
 * kept. */
void cache_look(Source *s);

#endif
