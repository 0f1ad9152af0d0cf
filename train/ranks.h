/* ranks.h: processes that train together, as steps know them (rnc_ranks of rnctrain.h).
 *
 * Each has a thread that sums and gathers in the order in which it was asked to, so that the step
 * goes on meanwhile.  What differs between ways to connect is a link.  A rank that is lost ends all
 * others: none can go on without it. */
#ifndef RNCT_RANKS_H
#define RNCT_RANKS_H

#include "runtime/rnctrain.h"
#include "train/problems.h"

enum { RNCT_RANKS_MOST = 1024 };

/* How ranks are connected.  All functions are called by the thread of one rank, with `context`. */
typedef struct rnct_link {
    void *context;
    /* Connects, and sets which rank this is and how many there are.  False with a problem. */
    bool (*open)(void *context, int *rank, int *count, rnct_problems *problems);
    /* Sends n bytes to another rank, which sends as many at the same time.  False: it is lost. */
    bool (*exchange)(void *context, int other, const void *out, void *in, size_t n);
    /* Ends the connection.  With `failed` the other ranks are to end as well, if they can be told.
     */
    void (*close)(void *context, bool failed);
    /* Says that a rank is lost, and ends the process. */
    void (*lost)(void *context, int other);
} rnct_link;

/* Connects; *link is copied.  The count must be a power of two.  NULL with a problem. */
rnc_ranks *rnct_ranks_new(const rnct_link *link, rnct_problems *problems);
void rnct_ranks_free(rnc_ranks *ranks, bool failed);

/* What rank 0 has in `bytes`, in all ranks. */
void rnct_ranks_share(rnc_ranks *ranks, void *bytes, size_t n);

/* Forks into `count` processes of this machine, a power of two up to 64, with a socket between any
 * two.  The process that calls is rank 0.  In each, *link is then what rnct_ranks_new takes.  No
 * threads may run.  False with a problem, and then no process is left. */
bool rnct_ranks_fork(int count, rnct_link *link, rnct_problems *problems);
/* Rank 0: waits for the others, and ends those that are left after `seconds`.  True if all have
 * returned 0.  In other ranks: true. */
bool rnct_ranks_wait(const rnct_link *link, double seconds);

#endif
