/* batch.h: samples as a network takes them: augmented, normalised, as floats in its order.
 *
 * What becomes of a sample depends on the set, the form, the epoch and the sample's number alone,
 * so that it is the same in any batch, by any thread and after any resumption.  No operation
 * depends on the C library's rounding, so that machines agree as well. */
#ifndef RNCT_BATCH_H
#define RNCT_BATCH_H

#include "train/order.h"
#include "train/set.h"

/* What is changed at random, in this order.  All zeros changes nothing. */
typedef struct rnct_augment {
    int crop;   /* the picture is laid on black, wider by so many pixels at each side, and a part
                 * of its size is cut out anywhere */
    float flip; /* of so many samples, from 0 to 1, left and right are exchanged */
    float brightness; /* of at most 1: times a factor from 1 - x to 1 + x */
    float contrast;   /* likewise: away from, or towards, the mean of the picture's grey */
    float saturation; /* likewise: away from, or towards, each pixel's grey */
    float erase;      /* of so many samples, from 0 to 1, a rectangle gets one colour */
    float erase_least, erase_most; /* which part of the picture it is; 0, 0: 0.02 to 0.33 */
} rnct_augment;

/* How a network takes pictures: (pixel / unit - mean) / deviation, for each channel. */
typedef struct rnct_form {
    rnc_order order;
    float unit; /* 255: pixels from 0 to 1; 1: from 0 to 255 */
    float mean[4], deviation[4];
    rnct_augment augment;
    float erased[4]; /* what an erased pixel is after normalising */
    uint64_t seed;
    float table[4][256]; /* of each byte: set by rnct_form_set */
} rnct_form;

/* Completes a form whose other members are set, for samples of this set.  False with problems: a
 * deviation or unit that is not above 0, an augmentation out of its range. */
bool rnct_form_set(rnct_form *form, const rnct_set *set, rnct_problems *problems);

/* Writes one sample to `to`, of set->h * set->w * set->c floats, in the form's order. */
void rnct_sample(const rnct_set *set, const rnct_form *form, uint32_t epoch, uint32_t sample,
                 float *to);

/* Writes `n` samples one after the other, and their labels; then zeros, with the label -1, to the
 * end of `places` pictures, n <= places. */
void rnct_fill(const rnct_set *set, const rnct_form *form, uint32_t epoch, const uint32_t *samples,
               size_t n, size_t places, float *pixels, int32_t *labels);

#endif
