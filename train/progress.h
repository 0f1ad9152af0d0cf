/* progress.h: a line that says how far a run is. */
#ifndef RNCT_PROGRESS_H
#define RNCT_PROGRESS_H

#include "train/plot.h"

#include <stdint.h>

enum { RNCT_PROGRESS_MARKS = 32 };

/* Times are in seconds, of any clock that does not go back (rnct_now). */
typedef struct rnct_progress {
    FILE *to;
    rnct_terminal terminal;
    uint64_t steps;  /* of the whole run */
    uint32_t epochs; /* likewise */
    double shown;    /* when a line was printed last */
    bool open;       /* a line without an end is there */
    struct {
        double time;
        uint64_t step, images;
    } marks[RNCT_PROGRESS_MARKS]; /* the last ones, a ring */
    unsigned n_marks;
    uint64_t images; /* so far */
    double peak;     /* images a second that can be reached at the most; 0, as begin sets it: not
                      * known; else the share of it is shown */
} rnct_progress;

/* What is known after a step. */
typedef struct rnct_standing {
    uint64_t step;         /* steps that are done */
    uint32_t epoch;        /* the one under way, from 0 */
    uint64_t images;       /* of this step */
    double loss, accuracy; /* NaN: not shown; accuracy from 0 to 1 */
} rnct_standing;

/* Seconds of a clock that does not go back. */
double rnct_now(void);

/* Begins at step `first` of `steps`, at the time `now`. */
void rnct_progress_begin(rnct_progress *p, FILE *to, const rnct_terminal *terminal, uint64_t first,
                         uint64_t steps, uint32_t epochs, double now);

/* After each step: in a terminal the line is renewed at most ten times a second; else a line is
 * added every 10 seconds.  Speed and time left are those of the last steps, over 3 seconds or more.
 */
void rnct_progress_step(rnct_progress *p, const rnct_standing *s, double now);

/* Ends the line, so that other text can follow; the next step begins another. */
void rnct_progress_end(rnct_progress *p);

/* "1:02:03", "12:34" or "7 s" of seconds; at most 24 bytes. */
void rnct_duration(double seconds, char *to);

#endif
