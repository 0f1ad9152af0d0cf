/* draw.h: random numbers as a function of counters.
 *
 * Nothing here has a state: what is drawn for a sample depends on the seed, the epoch and the
 * sample's index in the data set, and on nothing else.  So any number of threads and ranks draws
 * the same, and a run that goes on from a checkpoint draws what it would have drawn. */
#ifndef RNCT_DRAW_H
#define RNCT_DRAW_H

#include <stdint.h>

/* What is drawn for.  Each stream is independent of the others, so that switching one on does not
 * change another.  Numbers from RNCT_STREAM_FREE to 255 are left for the program. */
typedef enum rnct_stream {
    RNCT_STREAM_ORDER = 0, /* the order of an epoch */
    RNCT_STREAM_SPLIT,     /* which samples are held back */
    RNCT_STREAM_FLIP,
    RNCT_STREAM_CROP,
    RNCT_STREAM_COLOUR,
    RNCT_STREAM_ERASE,
    RNCT_STREAM_FREE = 64
} rnct_stream;

/* Philox4x32-10: ten rounds of a keyed bijection of 128 bits.  Salmon, Moraes, Dror, Shaw,
 * "Parallel random numbers: as easy as 1, 2, 3", SC 2011; the test has the vectors that Random123
 * publishes. */
void rnct_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* Draws 128 bits: the key is the seed, the counter is the sample, the epoch, the stream (0..255)
 * and the number of the draw, `turn` (below 2^24), of this sample for this stream. */
void rnct_draw(uint64_t seed, int stream, uint32_t epoch, uint64_t sample, uint32_t turn,
               uint32_t out[4]);

/* A whole number from 0 to n-1 by 32 drawn bits, n > 0: bits * n / 2^32 rounded down.  Two numbers'
 * chances differ by less than 2^-32. */
static inline uint32_t rnct_below(uint32_t bits, uint32_t n)
{
    return (uint32_t)((uint64_t)bits * n >> 32);
}

/* A multiple of 2^-24 from 0 to below 1 by 32 drawn bits. */
static inline float rnct_unit(uint32_t bits)
{
    return (float)(bits >> 8) * 0x1p-24f;
}

#endif
