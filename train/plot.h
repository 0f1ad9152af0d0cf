/* plot.h: curves of a run, as SVG and in the terminal. */
#ifndef RNCT_PLOT_H
#define RNCT_PLOT_H

#include "train/problems.h"

enum { RNCT_CURVES_MOST = 6 }; /* in a panel */

/* A line through points; x ascending.  Points with a y that is not finite are left out. */
typedef struct rnct_curve {
    const char *name; /* "training" */
    const double *x, *y;
    size_t n,
        stride; /* numbers from one point to the next, as in the rows of a table; 1 for arrays */
} rnct_curve;

/* A panel with curves over one pair of axes. */
typedef struct rnct_plot {
    const char *title, *x_label; /* "loss", "epoch" */
    const rnct_curve *curves;    /* [n], at most RNCT_CURVES_MOST */
    int n;
    bool percent; /* y is from 0 to 1 and is shown as percent */
} rnct_plot;

/* Writes panels side by side to an SVG file, as a whole: one file with all it needs, and the same
 * bytes for the same curves.  False with a problem. */
bool rnct_plots_save(const rnct_plot *plots, int n, const char *path, rnct_problems *problems);

/* How a terminal shows things. */
typedef struct rnct_terminal {
    bool is_terminal; /* else a file or a pipe: no colours, nothing is overwritten */
    bool unicode;     /* its text is UTF-8 */
    int width;        /* columns */
} rnct_terminal;

/* What the file is: its width, or 80; UTF-8 by LC_ALL, LC_CTYPE or LANG. */
rnct_terminal rnct_terminal_of(FILE *to);

/* Prints a panel in `rows` lines and three for title, x axis and names.  In a terminal of Unicode
 * the curves are dots of Braille characters, in colours; else they are characters (* + o x # @). */
void rnct_plot_print(const rnct_plot *plot, const rnct_terminal *terminal, int rows, FILE *to);

#endif
