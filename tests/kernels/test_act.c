/* test_act.c: the activations against long double, over the floats from end to end, and where they
 * are special. */
#include "harness.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct ActBound {
    int act;
    const char *name;
    double ulps; /* of results that are normal numbers, or 0 */
    double part; /* of max(1, |x|), where ulps is 0 */
    float alpha, beta;
} ActBound;

/* What act.h promises. */
static const ActBound bounds[] = {
    {RNC_ACT_NONE, "none", 1e-9, 0.0, 0, 0},
    {RNC_ACT_RELU, "relu", 1e-9, 0.0, 0, 0},
    {RNC_ACT_RELU6, "relu6", 1e-9, 0.0, 0, 0},
    {RNC_ACT_LEAKY_RELU, "leaky_relu", 0.5, 0.0, 0.1f, 0},
    {RNC_ACT_SIGMOID, "sigmoid", 2.5, 0.0, 0, 0},
    {RNC_ACT_TANH, "tanh", 1.5, 0.0, 0, 0},
    {RNC_ACT_HARD_SIGMOID, "hard_sigmoid", 2.5, 0.0, 1.0f / 6.0f, 3.0f},
    {RNC_ACT_HARD_SIGMOID, "hard_sigmoid", 2.5, 0.0, 0.2f, 2.5f},
    {RNC_ACT_HARD_SWISH, "hard_swish", 2.5, 0.0, 0, 0},
    {RNC_ACT_SILU, "silu", 3.2, 0.0, 0, 0},
    {RNC_ACT_GELU, "gelu", 0.0, 1.2e-7, 0, 0},
    {RNC_ACT_ELU, "elu", 4.5, 0.0, 1.0f, 0},
    {RNC_ACT_ELU, "elu", 4.5, 0.0, -0.3f, 0},
    {RNC_ACT_SELU, "selu", 6.0, 0.0, 0, 0},
    {RNC_ACT_SOFTPLUS, "softplus", 2.9, 0.0, 0, 0},
    {RNC_ACT_MISH, "mish", 5.0, 0.0, 0, 0},
    {RNC_ACT_CLIP, "clip", 1e-9, 0.0, -1.0f, 2.0f},
    {RNC_ACT_CLIP, "clip", 1e-9, 0.0, -INFINITY, 0.5f},
    {RNC_ACT_CLIP, "clip", 1e-9, 0.0, -0.5f, INFINITY},
};

/* 1 / (1 + exp(-x)) without cancellation. */
static long double logistic(long double x)
{
    return x > 0 ? 1 / (1 + expl(-x)) : expl(x) / (1 + expl(x));
}

static long double exact(const ActBound *b, long double x)
{
    const long double alpha = (long double)b->alpha, beta = (long double)b->beta;
    if (isnan(x))
        return x;
    switch (b->act) {
    case RNC_ACT_RELU:
        return fmaxl(x, 0);
    case RNC_ACT_RELU6:
        return fminl(fmaxl(x, 0), 6);
    case RNC_ACT_LEAKY_RELU:
        return x > 0 ? x : x * alpha;
    case RNC_ACT_SIGMOID:
        return logistic(x);
    case RNC_ACT_TANH:
        return tanhl(x);
    case RNC_ACT_HARD_SIGMOID:
        return fminl(fmaxl((x + beta) * alpha, 0), 1);
    case RNC_ACT_HARD_SWISH:
        return x * (fminl(fmaxl(x + 3, 0), 6) / 6);
    case RNC_ACT_SILU:
        return x * logistic(x);
    case RNC_ACT_GELU:
        return x * (erfcl(-x * sqrtl(0.5L)) / 2);
    case RNC_ACT_ELU:
        return x > 0 ? x : alpha * expm1l(x);
    case RNC_ACT_SELU:
        return (long double)SELU_SCALE * (x > 0 ? x : (long double)SELU_ALPHA * expm1l(x));
    case RNC_ACT_SOFTPLUS:
        return fmaxl(x, 0) + log1pl(expl(-fabsl(x)));
    case RNC_ACT_MISH:
        return x * tanhl(fmaxl(x, 0) + log1pl(expl(-fabsl(x))));
    case RNC_ACT_CLIP:
        return fminl(fmaxl(x, alpha), beta);
    default:
        return x;
    }
}

/* The error in the unit of the bound, or 0 where no bound is promised; y: the exact value. */
static double error_of(const ActBound *bound, float x, long double y, float got)
{
    const long double error = fabsl((long double)got - y);
    if (bound->part > 0.0)
        return (double)(error / fmaxl(1, fabsl((long double)x)));
    /* silu's exp is already subnormal where its result is not */
    if (error < 0x1p-140L)
        return 0.0;
    const float size = fabsf((float)y);
    if (size < FLT_MIN)
        return error <= (long double)FLT_MIN ? 0.0 : HUGE_VAL;
    return (double)(error / ((long double)size - (long double)nextafterf(size, 0.0f)));
}

/* The greatest error of an instruction set, and where. */
typedef struct Worst {
    double error;
    float at;
} Worst;

enum { BLOCK = 256, ISAS_MOST = 8 };

/* The exact values of a block are computed once for all instruction sets: they take most of the
 * time. */
static void sweep_block(const ActBound *bound, const float *in, const TestIsa *const *isas, int n,
                        Worst *worst)
{
    long double y[BLOCK];
    for (int i = 0; i < BLOCK; i++)
        y[i] = exact(bound, (long double)in[i]);
    for (int k = 0; k < n; k++) {
        float out[BLOCK];
        isas[k]->act(in, out, BLOCK, bound->act, bound->alpha, bound->beta);
        for (int i = 0; i < BLOCK; i++) {
            const double error = error_of(bound, in[i], y[i], out[i]);
            if (!(error <= worst[k].error))
                worst[k] = (Worst){error, in[i]};
        }
    }
}

static bool test_sweep(const ActBound *bound, const TestIsa *const *isas, int n, unsigned stride,
                       bool verbose)
{
    const double limit = bound->part > 0.0 ? bound->part : bound->ulps;
    float in[BLOCK];
    Worst worst[ISAS_MOST] = {{0.0, 0.0f}};
    bool good = true;
    int filled = 0;
    for (uint64_t bits = 0; bits < UINT64_C(1) << 32; bits += stride) {
        const uint32_t low = (uint32_t)bits;
        memcpy(&in[filled], &low, sizeof low);
        filled += isfinite(in[filled]) != 0;
        if (filled == BLOCK) {
            sweep_block(bound, in, isas, n, worst);
            filled = 0;
        }
    }
    for (int k = 0; k < n; k++) {
        if (verbose)
            printf("act %-12s %-9s at most %.3g %s, at %.9g\n", bound->name, isas[k]->name,
                   worst[k].error, bound->part > 0.0 ? "of max(1, |x|)" : "ulp",
                   (double)worst[k].at);
        if (worst[k].error <= limit)
            continue;
        printf("kernel_tests: act %s %s: off by %.3g at %.9g, at most %.3g is promised\n",
               bound->name, isas[k]->name, worst[k].error, (double)worst[k].at, limit);
        good = false;
    }
    return good;
}

/* A NaN stays one, infinities give the limits, zero gives the value there. */
static bool test_special(const TestIsa *isa, const ActBound *bound)
{
    const float at[] = {NAN, INFINITY, -INFINITY, 0.0f};
    bool good = true;
    for (int i = 0; i < 4; i++) {
        float in[16], out[16];
        for (int j = 0; j < 16; j++)
            in[j] = at[i];
        isa->act(in, out, 16, bound->act, bound->alpha, bound->beta);
        /* far out the limit is reached, but for what grows without bound */
        const float far = isinf(at[i]) ? copysignf(1e6f, at[i]) : at[i];
        const double y = (double)exact(bound, (long double)far);
        const double want = isinf(at[i]) && fabs(y) > 1e3 ? copysign(HUGE_VAL, y) : y;
        for (int j = 0; j < 16; j++) {
            const double got = out[j];
            if (isnan(want) ? isnan(got) : got == (double)(float)want)
                continue;
            printf("kernel_tests: act %s %s: %g gives %g, not %g\n", bound->name, isa->name,
                   (double)at[i], got, want);
            good = false;
            break;
        }
    }
    return good;
}

int act_count(void)
{
    return (int)(sizeof bounds / sizeof *bounds);
}

bool test_act(int i, const TestIsa *const *isas, int n, unsigned stride, bool verbose)
{
    bool good = true;
    for (int k = 0; k < n; k++)
        good &= test_special(isas[k], &bounds[i]);
    return test_sweep(&bounds[i], isas, n, stride, verbose) && good;
}
