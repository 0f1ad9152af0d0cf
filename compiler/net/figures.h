/* figures.h: numbers for people: bytes, counts and shares as short texts. */
#ifndef RNC_FIGURES_H
#define RNC_FIGURES_H

#include "net/ir.h"

/* "5.22 MB", where a megabyte is 1e6 bytes, as is usual in the field. */
const char *figure_bytes(Arena *arena, int64_t bytes);
/* "4.09 GMAC", "25.6 M parameters" (what: "MAC", " parameters") */
const char *figure_count(Arena *arena, int64_t n, const char *what);
/* "53 convolutions, 1 dense layer" */
const char *figure_layers(Arena *arena, const Net *net);
/* By how many percent `bytes` exceeds `bound`; 0 if there is no bound. */
double figure_gap(int64_t bytes, int64_t bound);

#endif
