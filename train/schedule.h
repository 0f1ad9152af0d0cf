/* schedule.h: the learning rate as a function of how far a training is. */
#ifndef RNCT_SCHEDULE_H
#define RNCT_SCHEDULE_H

typedef enum rnct_schedule_kind {
    RNCT_CONSTANT,
    RNCT_STEP,
    RNCT_POLYNOMIAL,
    RNCT_COSINE,
    RNCT_ONE_CYCLE
} rnct_schedule_kind;

/* What a `schedule` of the language says (compiler/net/train.def); a kind reads its own fields. All
 * parts of the rate are from 0 to 1. */
typedef struct rnct_schedule {
    rnct_schedule_kind kind;
    double epochs;      /* of the whole training, above 0 */
    double warmup;      /* epochs in which the rate grows linearly; all kinds but one_cycle */
    double warmup_from; /* the part of the rate that this begins with */
    const double *at;   /* step: the epochs at which the rate changes, n_at of them, ascending */
    int n_at;
    double factor;      /* step: what it is multiplied by at each */
    double power;       /* polynomial */
    double end;         /* polynomial, cosine, one_cycle: the part of the rate at the end */
    double start, peak; /* one_cycle: the part at first; the part of the training at the top */
} rnct_schedule;

/* The part of the rate, 0 to 1, that the schedule gives at `epoch`, counted from 0 with the steps
 * of an epoch as fractions: step s of n is at (its epoch) + s / n.  Before 0 and after the last
 * epoch it stays what it is there.
 *
 * With t = (epoch - warmup) / (epochs - warmup):
 *     constant    1
 *     step        factor^(how many of at[] are at or before the epoch)
 *     polynomial  end + (1 - end) (1 - t)^power
 *     cosine      end + (1 - end) (1 + cos(pi t)) / 2     Loshchilov and Hutter, SGDR, ICLR 2017
 *     one_cycle   from start to 1, then to end, each half a cosine     Smith, 2018
 * and during a warm-up, the line from warmup_from to 1 times what the schedule begins with (for
 * step: times what it gives).  A warm-up as long as the training, or longer, is all there is. */
double rnct_rate(const rnct_schedule *s, double epoch);

#endif
