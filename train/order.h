/* order.h: which samples go where: the order of an epoch, what is held back, the parts of ranks. */
#ifndef RNCT_ORDER_H
#define RNCT_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A sample and the key that it is sorted by. */
typedef struct rnct_keyed {
    uint64_t key;
    uint32_t sample;
} rnct_keyed;

/* Writes the order in which an epoch takes `n` samples: order[] becomes samples[] (or 0..n-1, when
 * that is NULL) sorted by a key of 64 bits that is drawn for each of them.
 *
 * The order is sorted once for an epoch, instead of computed place by place by a keyed permutation
 * with cycle walking, since a sort gives every order the same chance (two equal keys among n have
 * the chance n^2 / 2^65) while few rounds over a small n do not; it takes 16 bytes for each sample
 * while it runs.
 *
 * Depends on the seed, the epoch and the samples' numbers only.  order[] and samples[] have n
 * numbers and may be the same array; scratch[] has n members, too. */
void rnct_order(uint32_t *order, const uint32_t *samples, size_t n, uint64_t seed, uint32_t epoch,
                rnct_keyed *scratch);

/* Splits the samples 0..n-1 into those that are trained on and those that are held back, class by
 * class: of a class with k samples, k * fraction, rounded to nearest (halves up), are held back.
 * Which ones depends on the seed alone.  Both arrays have room for n numbers and are ascending;
 * *n_trained + *n_held is n.  labels[i] is from 0 to classes-1; fraction from 0 to below 1.  False
 * when memory runs out. */
bool rnct_split(const int32_t *labels, size_t n, int classes, double fraction, uint64_t seed,
                uint32_t *trained, size_t *n_trained, uint32_t *held, size_t *n_held);

typedef struct rnct_range {
    size_t first, end; /* from first to end-1 */
} rnct_range;

/* Which pictures of a batch a rank has, where each has `places` places, and `all` pictures fill
 * them in order: only the last rank that has some may have fewer than its places.  So every rank's
 * begin at the same place, whatever the number of pictures is, as the sums of a step need it. */
rnct_range rnct_rank_places(size_t places, size_t all, int rank);

#endif
