/* rates.h: the numbers of an optimizer that change from step to step, which the step computes once,
 * before the kernels run, and the logarithm of softmax_loss.  This file is pasted into emitted code
 * once. */
#ifndef RNC_TRAIN_RATES_H
#define RNC_TRAIN_RATES_H

/* What sgd and adam get as `rates`, in this order. */
typedef struct rnc_rates {
    float step;     /* factor of the update */
    float root;     /* adam: factor of the square root of the second moment */
    float decay;    /* share of a parameter that is subtracted before the update */
    float scale;    /* factor of the gradient: of clipping, and of a mean over accumulated steps */
    float gradient; /* sgd: share of the gradient that enters the velocity */
} rnc_rates;

/* x^n for n >= 0. */
RNC_INLINE double rnc_power(double x, int n)
{
    double power = 1.0;
    for (; n > 0; n >>= 1, x *= x)
        if (n & 1)
            power *= x;
    return power;
}

/* The square root of 0 < x <= 1 by Newton's method. */
RNC_INLINE double rnc_root(double x)
{
    double root = 1.0, last = 2.0;
    while (root < last) { /* from above, so that it falls until it is as near as it can be */
        last = root;
        root = 0.5 * (root + x / root);
    }
    return last;
}

/* The natural logarithm of x >= 1: of its power of two, and 2 artanh((x - 1) / (x + 1)) of the
 * rest. */
RNC_INLINE double rnc_log(double x)
{
    double sum = 0.0, power, y;
    int twos = 0;
    for (; x >= 2.0 && x < 1e300; x *= 0.5)
        twos++;
    y = (x - 1.0) / (x + 1.0);
    power = y;
    for (int k = 1; k < 30; k += 2, power *= y * y)
        sum += power / k;
    return 2.0 * sum + 0.69314718055994530942 * twos;
}

/* Adam's corrections in step `step` = 1, 2, ... of rate `rate`.
 *   keras 0: step = rate / (1 - beta1^t), the square root is divided by sqrt(1 - beta2^t) before
 *            epsilon is added (torch/optim/adam.py; Kingma and Ba 2015, algorithm 1)
 *   keras 1: step = rate * sqrt(1 - beta2^t) / (1 - beta1^t), epsilon is added to the uncorrected
 *            root (keras/src/optimizers/adam.py; Kingma and Ba's "epsilon hat"; ONNX's Adam)
 * decay: of the decoupled weight decay (AdamW); both subtract rate * decay of a parameter first. */
RNC_INLINE void rnc_adam_rates(double rate, double beta1, double beta2, double decay, int step,
                               int keras, rnc_rates *r)
{
    const double root = rnc_root(1.0 - rnc_power(beta2, step));
    const double first = rate / (1.0 - rnc_power(beta1, step));
    r->step = (float)(keras ? first * root : first);
    r->root = (float)(keras ? 1.0 : 1.0 / root);
    r->decay = (float)(rate * decay);
    r->scale = 1.0f;
    r->gradient = 1.0f;
}

/* SGD's in step `step` = 1, 2, ...: dampening as PyTorch has it (none in the first step); decay: of
 * the decoupled weight decay (Keras). */
RNC_INLINE void rnc_sgd_rates(double rate, double dampening, double decay, int step, rnc_rates *r)
{
    r->step = (float)rate;
    r->root = 1.0f;
    r->decay = (float)(rate * decay);
    r->scale = 1.0f;
    r->gradient = (float)(step > 1 ? 1.0 - dampening : 1.0);
}

#endif
