/* schedule.c: see schedule.h. */
#include "train/schedule.h"

#include <math.h>

static const double PI = 3.14159265358979323846;

/* Half a cosine from a at t = 0 to b at t = 1. */
static double half_cosine(double a, double b, double t)
{
    return b + (a - b) * (1 + cos(PI * t)) / 2;
}

static double step_rate(const rnct_schedule *s, double epoch)
{
    double rate = 1;
    for (int i = 0; i < s->n_at && s->at[i] <= epoch; i++)
        rate *= s->factor;
    return rate;
}

static double one_cycle(const rnct_schedule *s, double t)
{
    if (t < s->peak)
        return half_cosine(s->start, 1, t / s->peak);
    return s->peak < 1 ? half_cosine(1, s->end, (t - s->peak) / (1 - s->peak)) : 1;
}

/* The schedule without its warm-up. */
static double after_warmup(const rnct_schedule *s, double epoch)
{
    const double whole = s->epochs - s->warmup;
    const double t = whole > 0 ? fmin(fmax(0, (epoch - s->warmup) / whole), 1) : 0;
    switch (s->kind) {
    case RNCT_STEP:
        return step_rate(s, epoch);
    case RNCT_POLYNOMIAL:
        return s->end + (1 - s->end) * pow(1 - t, s->power);
    case RNCT_COSINE:
        return half_cosine(1, s->end, t);
    case RNCT_CONSTANT:
    case RNCT_ONE_CYCLE:
        break;
    }
    return 1;
}

double rnct_rate(const rnct_schedule *s, double epoch)
{
    const double at = fmin(fmax(0, epoch), s->epochs);
    if (s->kind == RNCT_ONE_CYCLE)
        return one_cycle(s, at / s->epochs);
    if (at >= s->warmup)
        return after_warmup(s, at);
    const double part = s->warmup_from + (1 - s->warmup_from) * at / s->warmup;
    return part * after_warmup(s, s->kind == RNCT_STEP ? at : s->warmup);
}
