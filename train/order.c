/* order.c: see order.h. */
#include "train/order.h"

#include "train/draw.h"

#include <stdlib.h>

static int by_key(const void *a, const void *b)
{
    const rnct_keyed *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->sample < y->sample ? -1 : x->sample > y->sample;
}

static uint64_t draw_key(uint64_t seed, int stream, uint32_t epoch, uint32_t sample)
{
    uint32_t bits[4];
    rnct_draw(seed, stream, epoch, sample, 0, bits);
    return (uint64_t)bits[0] << 32 | bits[1];
}

void rnct_order(uint32_t *order, const uint32_t *samples, size_t n, uint64_t seed, uint32_t epoch,
                rnct_keyed *scratch)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t sample = samples ? samples[i] : (uint32_t)i;
        scratch[i] = (rnct_keyed){draw_key(seed, RNCT_STREAM_ORDER, epoch, sample), sample};
    }
    qsort(scratch, n, sizeof *scratch, by_key);
    for (size_t i = 0; i < n; i++)
        order[i] = scratch[i].sample;
}

/* The samples of one class in `all`, of which there are n: marks those that are held back. */
static void hold_back(rnct_keyed *all, size_t n, double fraction, bool *is_held)
{
    const size_t held = (size_t)((double)n * fraction + 0.5);
    qsort(all, n, sizeof *all, by_key);
    for (size_t i = 0; i < held && i < n; i++)
        is_held[all[i].sample] = true;
}

bool rnct_split(const int32_t *labels, size_t n, int classes, double fraction, uint64_t seed,
                uint32_t *trained, size_t *n_trained, uint32_t *held, size_t *n_held)
{
    rnct_keyed *all = malloc((n ? n : 1) * sizeof *all);
    size_t *end = calloc((size_t)classes + 1, sizeof *end); /* of a class in `all` */
    bool *is_held = calloc(n ? n : 1, sizeof *is_held);
    const bool good = all && end && is_held;
    if (good) {
        for (size_t i = 0; i < n; i++)
            end[labels[i] + 1]++;
        for (int c = 0; c < classes; c++)
            end[c + 1] += end[c];
        /* end[c] is where class c begins, and moves to its end as samples are placed. */
        for (size_t i = 0; i < n; i++) {
            const uint64_t key = draw_key(seed, RNCT_STREAM_SPLIT, 0, (uint32_t)i);
            all[end[labels[i]]++] = (rnct_keyed){key, (uint32_t)i};
        }
        for (int c = 0; c < classes; c++) {
            const size_t first = c ? end[c - 1] : 0;
            hold_back(all + first, end[c] - first, fraction, is_held);
        }
        *n_trained = *n_held = 0;
        for (size_t i = 0; i < n; i++) {
            if (is_held[i])
                held[(*n_held)++] = (uint32_t)i;
            else
                trained[(*n_trained)++] = (uint32_t)i;
        }
    }
    free(is_held);
    free(end);
    free(all);
    return good;
}

/* ---- ranks ---- */

rnct_range rnct_rank_places(size_t places, size_t all, int rank)
{
    const size_t first = places * (size_t)rank, end = first + places;
    return (rnct_range){first < all ? first : all, end < all ? end : all};
}
