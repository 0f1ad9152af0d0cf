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

/* The part of the time by which a candidate must be better to replace what the model chose. */
#define TUNE_GAIN 0.015

typedef void (*StepFunction)(const rnc_operands *o, int part, int parts);

/* One way to compute a step. */
typedef struct Candidate {
    TuningRow row; /* its method, and every knob that its kernel reads */
    Step step;
    StepFunction function; /* compiled, until tune_forget(); NULL: not yet */
    double us;             /* median of the time of a call */
    double ratio;          /* median of its time to that of the first candidate in the same round */
    double half[2];        /* likewise in the first and in the second half of the rounds */
} Candidate;
typedef VEC(Candidate) Candidates;

/* What other values of a knob have gained so far, with one method. */
typedef struct Experience {
    int kinds;   /* of steps for which they were measured */
    double best; /* the least ratio to the step without them */
} Experience;

typedef struct Tune {
    const Options *o;
    Arena *arena;
    Diag *d;
    const Plan *plan;
    Isa isa; /* measured */
    int threads;
    rnc_pool *pool;     /* NULL for one thread */
    int builds;         /* so far: no two loaded files have one name */
    VEC(void *) loaded; /* files of compiled candidates */
    Experience known[METHOD_COUNT][KNOB_COUNT];

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
/* Register tiles of `from`, and each other knob of it with other values; no knob that has gained
 * nothing for several kinds of steps before, unless a table is wanted. */
void try_tiles(const Tune *t, const Candidate *from, Candidates *list);
void try_knobs(const Tune *t, const Candidate *from, Candidates *list);
/* Remembers what the measured candidates say of the knobs in which they differ from `from`. */
void learn_knobs(Tune *t, const Candidate *from, const Candidates *measured);
/* The best value of each knob among the candidates that differ from `from` in one. */
void try_together(const Tune *t, const Candidate *from, const Candidates *measured,
                  Candidates *list);
/* Another candidate, unless it is in the list. */
void try_again(const Tune *t, const Candidate *c, Candidates *list);

/* ---- tune_run.c ---- */

/* Measures all candidates beside the first, `rounds` times, and compiles those that are not yet.
 * False after a message. */
bool tune_measure(Tune *t, Candidates *list, int rounds);
/* Unloads the functions of all candidates. */
void tune_forget(Tune *t);

#endif
