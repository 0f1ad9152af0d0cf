/* plot_parts.h: what plots as SVG and as text share. */
#ifndef RNCT_PLOT_PARTS_H
#define RNCT_PLOT_PARTS_H

#include "train/plot.h"

enum { CURVES_MOST = RNCT_CURVES_MOST, TICKS_MOST = 12 };

/* What an axis shows: from `low` to `high`, with marks at first, first + step and so on. */
typedef struct Axis {
    double low, high, first, step;
    int ticks;
} Axis;

/* Axes that show all points; false if there are none. */
bool plot_axes(const rnct_plot *plot, Axis *x, Axis *y);
/* The text of tick i, at most 24 bytes. */
void axis_tick(const Axis *axis, int i, bool percent, char *to);
/* Point i of a curve; false if it is to be left out. */
bool curve_point(const rnct_curve *curve, size_t i, double *x, double *y);

#endif
