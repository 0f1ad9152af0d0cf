/* series.h: writes texts that differ in evenly growing numbers as one text. */
#ifndef RNC_SERIES_H
#define RNC_SERIES_H

#include "base/str.h"

/* "layer1.0.conv", "layer1.1.conv", "layer1.2.conv" become "layer1.{0..2}.conv"; numbers that grow
 * by 2 become "{0, 2..8}".  Digits that begin with a zero ("0x10", "007"), or are too many for an
 * int, do not count as a number. */
typedef struct Series Series;

Series *series_begin(Arena *arena, const char *first);
/* Returns false if the text does not continue the series; the series is then over. */
bool series_add(Series *s, const char *text);
/* NULL if a text did not fit. */
const char *series_text(const Series *s);

#endif
