/* train_case.c: what the tests of training kernels share. */
#include "train_case.h"

#include <math.h>

double ref_slope(double x, int act, float alpha, float beta)
{
    const double s = 1.0 / (1.0 + exp(-x)), t = tanh(x), m = tanh(log1p(exp(x)));
    const double linear = (x + (double)beta) * (double)alpha;
    switch (act) {
    case RNC_ACT_RELU:
        return x > 0.0;
    case RNC_ACT_RELU6:
        return x > 0.0 && x < 6.0;
    case RNC_ACT_LEAKY_RELU:
        return x > 0.0 ? 1.0 : (double)alpha;
    case RNC_ACT_SIGMOID:
        return s * (1.0 - s);
    case RNC_ACT_TANH:
        return 1.0 - t * t;
    case RNC_ACT_HARD_SIGMOID:
        return linear > 0.0 && linear < 1.0 ? (double)alpha : 0.0;
    case RNC_ACT_HARD_SWISH:
        return x <= -3.0 ? 0.0 : x < 3.0 ? x / 3.0 + 0.5 : 1.0;
    case RNC_ACT_SILU:
        return s * (1.0 + x * (1.0 - s));
    case RNC_ACT_GELU:
        return erfc(-x * sqrt(0.5)) / 2.0 + x * exp(-x * x / 2.0) * 0.39894228040143267794;
    case RNC_ACT_ELU:
        return x > 0.0 ? 1.0 : (double)alpha * exp(x);
    case RNC_ACT_SELU:
        return SELU_SCALE * (x > 0.0 ? 1.0 : SELU_ALPHA * exp(x));
    case RNC_ACT_SOFTPLUS:
        return s;
    case RNC_ACT_MISH:
        return m + x * (1.0 - m * m) * s;
    case RNC_ACT_CLIP:
        return x > (double)alpha && x < (double)beta;
    default:
        return 1.0;
    }
}

double ref_curvature(int act)
{
    const bool straight = act == RNC_ACT_HARD_SIGMOID || act == RNC_ACT_CLIP;
    return act == RNC_ACT_ELU || act == RNC_ACT_SELU ? 2.0
           : act > RNC_ACT_LEAKY_RELU && !straight   ? 1.0
                                                     : 0.0;
}

bool near_corner(double x, int act, float alpha, float beta)
{
    const bool zero = act == RNC_ACT_RELU || act == RNC_ACT_RELU6 || act == RNC_ACT_LEAKY_RELU ||
                      act == RNC_ACT_ELU || act == RNC_ACT_SELU;
    const bool three = act == RNC_ACT_HARD_SWISH;
    const double linear = (x + (double)beta) * (double)alpha;
    if (act == RNC_ACT_HARD_SIGMOID)
        return fabs(linear) < 0.01 || fabs(linear - 1.0) < 0.01;
    if (act == RNC_ACT_CLIP)
        return fabs(x - (double)alpha) < 0.01 || fabs(x - (double)beta) < 0.01;
    return (zero && fabs(x) < 0.01) || (act == RNC_ACT_RELU6 && fabs(x - 6.0) < 0.01) ||
           (three && fabs(fabs(x) - 3.0) < 0.01);
}

float *random_floats(Case *c, size_t n, float least, float most)
{
    float *p = case_floats(c, n);
    for (size_t i = 0; i < n; i++)
        p[i] = pick_float(c, least, most);
    return p;
}

float tree_sum(const float *x, size_t apart, int n)
{
    int half = 1;
    if (n == 1)
        return *x;
    while (2 * half < n)
        half *= 2;
    return tree_sum(x, apart, half) + tree_sum(x + (size_t)half * apart, apart, n - half);
}
