/* onnx_fold.h: numbers that are known, for the files that compute with them; private to import/. */
#ifndef RNC_ONNX_FOLD_H
#define RNC_ONNX_FOLD_H

#include "import/onnx_parts.h"

/* A tensor's numbers, of which there are integers or floats. */
typedef struct Numbers {
    int rank;
    const int64_t *dims;
    int64_t n;
    const int64_t *ints;
    const float *floats;
} Numbers;

/* The numbers of operand i; false if it is not known. */
bool numbers(Work *w, int i, Numbers *to);
double number_at(const Numbers *x, int64_t i);
/* Room for a result of integers or floats; false if it would be too large. */
bool room(Work *w, int rank, const int64_t *dims, bool whole, int64_t **ints, float **floats);
void give_numbers(Work *w, int result, int rank, const int64_t *dims, const int64_t *ints,
                  const float *floats);
/* How far apart neighbours along each axis are, row-major. */
void row_steps(int rank, const int64_t *dims, int64_t *steps);
/* A double as an integer: the nearest there is, 0 for NaN. */
int64_t whole_of(double x);

/* Operators that work on each element, of one or two operands; false if the node at hand is none.
 */
bool fold_arithmetic(Work *w);
bool folds_arithmetic(const char *op);
bool fold_Where(Work *w);
bool fold_Clip(Work *w);
/* The product or the sum of all elements, as those of an image's extents are computed. */
bool fold_reduced(Work *w, bool product);

#endif
