/* tune_parts.h: what the files of rnc tune share; private to them.
 *
 * tune_command.c goes through the kinds of steps of a plan, tune_try.c says what is tried for one,
 * tune_run.c compiles what is tried and measures it.
 */
#ifndef RNC_TUNE_H
#define RNC_TUNE_H

#include "plan/method.h"
#include "tool/options.h"

#include "runtime/rncrt.h"

/* One way to compute a step. */
typedef struct Candidate {
    TuningRow row; /* its method, and every knob that its kernel reads */
    Step step;
    double us;      /* median of the time of a call */
    double ratio;   /* median of its time to that of the first candidate in the same round */
    double half[2]; /* likewise in the first and in the second half of the rounds */
} Candidate;
typedef VEC(Candidate) Candidates;

typedef struct Tune {
    const Options *o;
    Arena *arena;
    Diag *d;
    const Plan *plan;
    Isa isa; /* measured */
    int threads;
    rnc_pool *pool; /* NULL for one thread */
    int builds;     /* so far: no two loaded files have one name */

    /* Weights, as many as an inference reads between two uses of the same ones, and the next ones
     * to be read; then operands and scratch. */
    unsigned char *weights, *work;
    int64_t weights_bytes, weights_at, work_bytes;

    Tuning *table; /* all that was measured, or NULL */

    /* Rounds measured, and those that did not count. */
    int rounds, thrown;
    bool too_busy; /* too few rounds of the last measuring counted to conclude anything */
} Tune;

/* ---- tune_try.c ---- */

/* The step as it is without a tuning: the first candidate. */
void try_default(const Tune *t, const Node *node, Candidates *list);
/* The other methods that the model does not rule out, all of them if a table is wanted, and
 * register tiles of the first candidate's method. */
void try_methods(const Tune *t, Candidates *list);
/* Register tiles of `from`, and each other knob of it with other values. */
void try_tiles(const Tune *t, const Candidate *from, Candidates *list);
void try_knobs(const Tune *t, const Candidate *from, Candidates *list);
/* The best value of each knob among the candidates that differ from `from` in one. */
void try_together(const Tune *t, const Candidate *from, const Candidates *measured,
                  Candidates *list);
/* Another candidate, unless it is in the list. */
void try_again(const Tune *t, const Candidate *c, Candidates *list);

/* ---- tune_run.c ---- */

/* Measures all candidates beside the first, `rounds` times.  False after a message. */
bool tune_measure(Tune *t, Candidates *list, int rounds);

#endif
